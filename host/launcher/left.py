"""What there is in a guest's kernel, counted when it is at rest: what must be the same afterwards.

/proc/k42/counts says it; the program tests/programs/abuse.c reads that until readings agree. What is
compared: blocks of the heap by size, objects by class, threads, pages of files, and frames that are
none of these. What a slab has to spare, and stacks kept for threads to come, are not anybody's and
not compared.

In a guest in which objects are swapped at random (K42_CHAOS) that ends before anything is counted,
and begins again afterwards.
"""
import contextlib
import os

from launcher import session, variants
from launcher.tree import Trouble

SPARE = ("frames.used", "frames.free", "frames.kernel", "frames.heap", "frames.stacks",
         "frames.maps", "frames.tables", "heap.bytes", "heap.numbers", "blocks.heap-large",
         "blocks.inode-numbers", "blocks.advice-cases")


PLAIN = ("fcm.shared", "node.ramfs.directory.list")


def program_bytes():
    """The bytes of the program that counts."""
    with open(os.path.join(variants.folder("release"), "tests", "programs", "abuse"), "rb") as file:
        return file.read()


def bring_program(guest):
    guest.run(["sh", "-c", "cat > /bin/abuse; chmod +x /bin/abuse"], program_bytes())
    # Else a program that goes another way than the last time comes upon pages nobody had used.
    done = guest.run(["abuse", "resident", "/"])
    if done.status:
        raise Trouble(f"abuse resident: {done}")


def told_by_storms(guest):
    """What storms say: numbers by name, and how often which class became which."""
    lines = [line.split() for line in
             guest.run(["cat", "/proc/k42/chaos"]).output.decode().splitlines()]
    return ({words[0]: int(words[1]) for words in lines if words[0] not in ("pair", "last")},
            {(words[1], words[2]): int(words[3]) for words in lines if words[0] == "pair"})


def last_failure(guest):
    """What storms say of the last swap that failed, or that was late if none did; perhaps nothing."""
    said = guest.run(["cat", "/proc/k42/chaos"]).output.decode().splitlines()
    return " ".join(line.removeprefix("last ") for line in said if line.startswith("last "))


def make_plain(guest):
    """Objects are of any class after a storm, and classes differ in what memory they take: here all
    that can be the same become the same, and of those that take the least."""
    _, pairs = told_by_storms(guest)
    lasts = {start: max((end in PLAIN, end) for other, end in pairs if other == start)[1]
             for start, _ in pairs}
    swaps = [f"k42ctl swap --class {start} {last} --attempts 20" for start, last in lasts.items()
             if start != last]
    guest.run(["bash", "-c", "\n".join(["{", *swaps, "} > /dev/null 2>&1"])], limit=300)


@contextlib.contextmanager
def calm(guest):
    """No storm, for as long as something is counted; may be nested."""
    if not session.CHAOS or getattr(guest, "is_calm", False):
        yield
        return
    storm(guest, "off")
    make_plain(guest)
    guest.is_calm = True
    try:
        yield
    finally:
        guest.is_calm = False
        storm(guest, "on", "--rate", session.CHAOS)


def what_there_is(guest):
    """Names of what is compared, and how many there are."""
    with calm(guest):
        return counted(guest)


def storm(guest, *words):
    done = guest.run(["k42ctl", "chaos", *words], limit=300)
    if done.status:
        raise Trouble(f"k42ctl chaos {' '.join(words)}: {done}")


def counted(guest):
    # At a fixed place: how many pages and tables the counting process has depends on where it is.
    done = guest.run(["setarch", "-R", "abuse", "left"], limit=300)
    if done.status or done.errors:
        raise Trouble(f"abuse left: {done}")
    found, sizes = {}, {}
    for line in done.output.decode().splitlines():
        name, number, *more = line.split()
        found[name] = found.get(name, 0) + int(number)
        sizes[name] = int(more[0]) if more and name.startswith("blocks.") else 0
    # The table of process numbers grows with the largest there was, and stays.
    found["heap bytes"] = found["heap.bytes"] - found["heap.numbers"]
    # How many nodes find inodes by number depends on how the numbers of those that live lie; for how
    # many objects somebody has chosen a class, as make_plain() does, on what class they had before.
    for name in ("blocks.inode-numbers", "blocks.advice-cases"):
        found["heap bytes"] -= found.get(name, 0) * sizes.get(name, 0)
    if found.get("blocks.advice-cases", 0) > found["objects"]:
        raise Trouble(f"of {found['objects']} objects there are {found['blocks.advice-cases']} cases")
    # So do the page tables that map stacks.
    found["other frames"] = (found["frames.kernel"] - found["frames.heap"] - found["frames.stacks"]
                             - found["frames.maps"])
    return {name: number for name, number in found.items() if name not in SPARE}


def unlike(before, after):
    """What differs: name -> before, after."""
    return {name: (before.get(name, 0), after.get(name, 0)) for name in {**before, **after}
            if before.get(name, 0) != after.get(name, 0)}
