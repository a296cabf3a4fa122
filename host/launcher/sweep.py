"""Hostile callers: the program of tests/sweep, made for the calls that the kernel's sources have.

What an argument is comes from its type and its name in LINUX_CALL.
"""
import os
import re

from launcher import abi
from launcher.tree import built, path, sources

CALL = re.compile(r"^LINUX_CALL\((\d+), (\w+),([^)]*)\)", re.M)
# Never swept: what ends the caller, or comes back twice on one stack.
NEVER = {"exit", "exit_group", "rt_sigreturn", "vfork"}
# What is the whole machine's, which only a guest's may be changed.
MACHINE = {"settimeofday", "clock_settime", "adjtimex", "clock_adjtime", "sethostname", "setdomainname",
           "swapon", "swapoff", "mount", "umount2", "pivot_root", "init_module", "finit_module",
           "delete_module", "kexec_load", "kexec_file_load", "syslog", "iopl", "ioperm", "vhangup",
           "quotactl", "quotactl_fd", "acct", "reboot", "sync", "ptrace", "setpriority", "fsopen", "fsconfig", "fsmount",
           "fspick", "move_mount", "open_tree", "mount_setattr", "sched_setscheduler", "sched_setattr"}
DESCRIPTORS = {"fd", "directory", "new_directory", "in", "out", "from_fd", "to_fd", "old_directory",
               "file", "descriptor", "group_fd"}
PATHS = {"path", "old_path", "new_path", "target", "source"}
SIZES = {"size", "length", "count", "mask_size", "own_count", "its_count", "most", "new_length",
         "value_size", "bytes"}
# Arguments without which a call does not come far: call -> {argument: value}.
BASES = {"mmap": {2: 3, 3: 0x22, 4: -1}, "rt_sigaction": {0: 10, 3: 8}, "rt_sigprocmask": {3: 8},
         "rt_sigpending": {1: 8}, "rt_sigtimedwait": {3: 8}, "rt_sigsuspend": {1: 8}, "signalfd4": {2: 8},
         "signalfd": {2: 8}, "ppoll": {1: 1, 4: 8}, "poll": {1: 1}, "mremap": {3: 1}, "mprotect": {2: 3},
         "epoll_ctl": {1: 1}, "futex": {1: 1}, "socket": {0: 1, 1: 1}, "socketpair": {0: 1, 1: 1},
         "set_robust_list": {1: 24}, "select": {0: 1}, "pselect6": {0: 1}, "fcntl": {1: 5},
         "ioctl": {1: 0x541B}, "fallocate": {2: 0, 3: 4096}, "getsockopt": {1: 1, 2: 3},
         "setsockopt": {1: 1, 2: 2, 4: 4}, "rseq": {1: 32}, "prctl": {0: 16}, "getdents64": {2: 4096},
         "getdents": {2: 4096}, "openat2": {3: 24}, "clone3": {1: 88}, "mincore": {1: 4096},
         **{name: {0: 12345678} for name in ("shmat", "shmctl", "semop", "semctl", "semtimedop", "msgsnd",
                                             "msgrcv", "msgctl")}}
NO_BASE = "NO_BASE"


def kind_of(argument):
    words = argument.split()
    name, type_ = words[-1], " ".join(words[:-1])
    if type_ == "uintptr_t":
        return "t" if name in PATHS else "p"
    if type_ == "int" and name in DESCRIPTORS:
        return "f"
    return "s" if name in SIZES or type_ == "size_t" else "n"


def calls():
    """(name, number, kinds) of each call that there is, by number."""
    found = []
    for file in sources(".c"):
        if file.startswith(path("kernel", "linux") + os.sep):
            with open(file) as opened:
                found += [(name, int(number), "" if arguments.strip() == "void" else "".join(
                    kind_of(one) for one in arguments.split(",")))
                    for number, name, arguments in CALL.findall(opened.read()) if name not in NEVER]
    return sorted(found, key=lambda one: one[1])


def names(all_of_them=False):
    return [name for name, _, _ in calls() if all_of_them or name not in MACHINE]


def row(name, number, kinds):
    bases = BASES.get(name, {})
    values = ", ".join(str(bases.get(at, NO_BASE)) for at in range(6))
    return (f'    {{"{name}", {number}, "{kinds}", {"true" if name in MACHINE else "false"}, '
            f'{{{values}}}}},')


def program():
    """The program's file, up to date."""
    os.makedirs(built("sweep"), exist_ok=True)
    table, result = built("sweep", "table.c"), built("sweep", "sweep")
    text = "\n".join(["#include <sweep.h>", "#include <stddef.h>", "const struct swept swept_calls[] = {",
                      *(row(*one) for one in calls()), "    {NULL, 0, NULL, false, {0}},", "};", ""])
    if not os.path.exists(table) or open(table).read() != text:
        with open(table, "w") as file:
            file.write(text)
    source = [path("tests", "sweep", name) for name in ("sweep.c", "sweep.h")]
    if abi.is_newer(result, table, *source):
        abi.cc("-static", "-o", result, "-I", path("tests", "sweep"), table, source[0])
    return result


def parted(output):
    """What the program wrote: call -> lines."""
    result, lines = {}, []
    for line in output.decode().splitlines():
        if line.startswith("== "):
            lines = result[line[3:]] = []
        else:
            lines.append(line)
    return result
