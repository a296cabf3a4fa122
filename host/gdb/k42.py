"""Commands for gdb that show what the kernel is made of while it stands still.

    k42 cpus                 what runs on each, and how many wait
    k42 threads [-b]         number, state, CPU, name of kernel threads, and what waiting ones wait
                             for; -b with backtraces
    k42 processes            programs: process, threads, parent, name
    k42 object ID|REF        what is behind a number or ref: class, root, representatives
    k42 objects [CLASS]      how many objects each class has; or the numbers of one class's

All read memory through the debugger's knowledge of the kernel's types; nothing here runs in the
guest. Lists that a CPU was just changing may be cut short.
"""
import collections
import re

import gdb

SLOT = 8
# What thread_switch() leaves on a stack, from its top on: see kernel/sched/switch.S.
SAVED_BELOW_FRAME_POINTER, SAVED = 5, 7
KERNEL = 0xffff800000000000
MOST = 1 << 20  # of anything in a list
MOST_FRAMES = 40
FLAGS = {16: "live", 17: "busy", 18: "swapping", 19: "doomed", 20: "dead", 21: "lazy", 22: "kept",
         23: "ended"}


def value(expression):
    return gdb.parse_and_eval(expression)


def private(name):
    """A variable that only one file knows."""
    symbol = gdb.lookup_static_symbol(name)
    if symbol is None:
        raise gdb.GdbError(f"the kernel has no variable {name}")
    return symbol.value()


def at(address, kind):
    """The object of a type at an address."""
    return gdb.Value(int(address)).cast(gdb.lookup_type(kind).pointer()).dereference()


def word(address):
    return int(at(address, "unsigned long"))


def offset(kind, name):
    return next(field.bitpos // 8 for field in gdb.lookup_type(kind).fields() if field.name == name)


def named(address):
    """NAME (FILE:LINE) of a place in the kernel."""
    found = re.match(r"(\S+).* in section", gdb.execute(f"info symbol {address:#x}", False, True))
    if not found:
        return f"{address:#x}"
    line = gdb.find_pc_line(address)
    where = f" ({line.symtab.filename.removeprefix('../../')}:{line.line})" if line.symtab else ""
    return found[1] + where


def calls_from(frame_pointer, place):
    """The call that returns to `place`, and those above it along the chain of frame pointers."""
    seen = [place - 1]
    while frame_pointer >= KERNEL and len(seen) < MOST_FRAMES:
        try:
            above, place = word(frame_pointer), word(frame_pointer + 8)
        except gdb.MemoryError:
            break
        if place < KERNEL:
            break
        seen.append(place - 1)
        if above <= frame_pointer:
            break
        frame_pointer = above
    return seen


def unwound():
    """Where the CPU that gdb looks at is, as gdb itself finds it."""
    frame, seen = gdb.newest_frame(), []
    while frame and frame.pc() >= KERNEL and len(seen) < MOST_FRAMES:
        seen.append(frame.pc() - (1 if seen else 0))
        frame = frame.older()
    return seen


def sched_cpus():
    """The struct sched_cpu of every CPU."""
    table = value("sched_cpus")
    for number in range(cpu_count()):
        if int(table) and int(table[number]):
            yield table[number].dereference()


def cpu_count():
    return int(value("'calls.c'::cpus"))


def running():
    """Threads that a CPU runs: address -> CPU."""
    return {int(cpu["running"]): int(cpu["number"]) for cpu in sched_cpus()}


def threads():
    """Every kernel thread that is alive."""
    homes = private("homes")
    if not int(homes):
        return
    for number in range(cpu_count()):
        thread, left = homes[number]["newest"], MOST
        while int(thread) and left:
            yield thread.dereference()
            thread, left = thread["older"], left - 1


def backtrace_of(thread, on_cpu):
    """Where a thread is: from its stack, or from the CPU's registers."""
    if on_cpu is None:
        stack = int(thread["stack"])
        return calls_from(word(stack + 8 * SAVED_BELOW_FRAME_POINTER),
                          word(stack + 8 * (SAVED - 1)))
    selected = gdb.selected_thread()
    try:
        for one in gdb.selected_inferior().threads():
            if one.num == on_cpu + 1:
                one.switch()
                return unwound()
    finally:
        if selected:
            selected.switch()
    return []


def show_cpus(_):
    for cpu in sched_cpus():
        thread = cpu["running"].dereference()
        print(f"CPU {int(cpu['number'])}: runs thread {int(thread['calls']['owner'])} "
              f"{thread['calls']['name'].string()}, {int(cpu['ready'])} wait, "
              f"{int(cpu['switches'])} switches, {int(cpu['preemptions'])} preemptions")


def awaited(thread):
    """What a call that waits noted last: the object, and which of its keys."""
    point = thread["wait"]["point"]
    number, key = int(point["id"]), int(point["key"])
    try:
        one = entry(number)
        name = one["root"]["class_"]["name"].string() if int(one["state"]) >> 16 & 1 else "gone"
    except (gdb.GdbError, gdb.MemoryError):
        name = "no object"
    return f", waits for {name} {number}, key {key:#x}, events {int(point['events']):#x}"


def waits(thread, state):
    """A program's page or its call's end may be waited for without heeding signals."""
    return state == "waiting" or (state == "blocked" and int(thread["task"]))


def show_threads(words):
    on = running()
    for thread in sorted(threads(), key=lambda one: int(one["calls"]["owner"])):
        cpu = on.get(int(thread.address))
        state = "running" if cpu is not None else \
            str(thread["state"]).removeprefix("THREAD_").lower()
        print(f"{int(thread['calls']['owner']):>6} {state:<8} CPU {int(thread['cpu']):<3} "
              f"{thread['calls']['name'].string()}{awaited(thread) if waits(thread, state) else ''}")
        if "-b" in words:
            for place in backtrace_of(thread, cpu):
                print("           " + named(place))


def tasks():
    """Tasks of programs by process number."""
    found = collections.defaultdict(list)
    for thread in threads():
        if int(thread["task"]):
            task = at(thread["task"], "struct task")
            found[int(task["pid"])].append(task)
    return found


def show_processes(_):
    print("   PID THREADS  PARENT OBJECT NAME")
    for pid, members in sorted(tasks().items()):
        first = next((one for one in members if int(one["tid"]) == pid), members[0])
        number = int(first["process"]) // SLOT
        root = entry(number)["root"]
        parent = "?"
        if root["class_"]["name"].string().startswith("process"):
            parent = int(at(at(root, "struct body_object")["body"], "struct process_body")["parent_pid"])
        print(f"{pid:>6} {len(members):>7} {parent:>7} {number:>6} {first['name'].string()}")


def entry(number):
    if not 0 < number < int(value("k42_slots_max")):
        raise gdb.GdbError(f"there is no object {number}")
    return value("k42_entries")[number]


def symbol_of(address):
    return gdb.execute(f"info symbol {int(address):#x}", to_string=True).split(" ")[0]


def show_object(words):
    if not words:
        raise gdb.GdbError("k42 object ID, or a ref as the debugger prints it")
    given = value(words)
    number = int(given)
    if given.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
        number //= SLOT
    one = entry(number)
    state = int(one["state"])
    flags = [name for bit, name in FLAGS.items() if state >> bit & 1]
    print(f"object {number}: {' '.join(flags) or 'unused'}")
    if "live" not in flags:
        return
    root = one["root"]
    class_ = root["class_"].dereference()
    print(f"  class {class_['name'].string()} version {int(class_['version'])} of interface "
          f"{class_['interface']['name'].string()}, {class_['kind']['name'].string()}")
    print(f"  root  {int(root):#x}, {int(class_['root_size'])} bytes")
    for cpu in range(cpu_count()):
        try:
            rep = word(int(value("k42_cpus")[cpu]) + number * SLOT)
        except gdb.MemoryError:
            continue
        if rep and rep != int(one.address):
            print(f"  CPU {cpu}: representative {rep:#x}, operations {symbol_of(word(rep))}")


def live():
    """(number, class's name) of every object."""
    used = int(value("'core/table.c'::table.used"))
    entries, per_page = value("k42_entries"), 512
    for number in range(per_page, min(used * per_page, int(value("k42_slots_max")))):
        one = entries[number]
        if int(one["state"]) >> 16 & 1 and not int(one["state"]) >> 20 & 1:
            yield number, one["root"]["class_"]["name"].string()


def show_objects(words):
    if words:
        print(" ".join(str(number) for number, name in live() if name == words))
        return
    counted = collections.Counter(name for _, name in live())
    for name, count in sorted(counted.items()):
        print(f"{count:>7} {name}")


SHOW = {"cpus": show_cpus, "threads": show_threads, "processes": show_processes,
        "object": show_object, "objects": show_objects}


class K42(gdb.Command):
    """Shows CPUs, threads, processes and objects of K42: k42 cpus, threads [-b], processes,
    object ID|REF, objects [CLASS]."""

    def __init__(self):
        super().__init__("k42", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        what, _, words = argument.strip().partition(" ")
        if what not in SHOW:
            raise gdb.GdbError("k42 " + ", ".join(SHOW))
        try:
            SHOW[what](words.strip())
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"{error}: before the kernel has set up its memory there is nothing "
                               "to see; break at a later function and say 'continue'") from error

    def complete(self, text, word_before):
        return [name for name in SHOW if name.startswith(text)]


K42()
