"""Processes and what they have started, which may be in sessions of its own, as guests are."""
import contextlib
import os
import signal


def descendants(pid):
    """Processes that it has started, they in turn, and itself; name by number."""
    names, parents = {}, {}
    for number in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{number}/stat", encoding="ascii",
                                                errors="replace") as file:
            name, rest = file.read().split("(", 1)[1].rsplit(") ", 1)
            names[int(number)], parents[int(number)] = name, int(rest.split()[1])
    found, more = set(), {pid}
    while more:
        found |= more
        more = {number for number, parent in parents.items() if parent in found} - found
    return {number: names.get(number, "") for number in found}


def end(process):
    """Ends a process that leads a group and has not been waited for, and all that it has started. It
    is stopped first, so that it starts no more while they are looked for."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGSTOP)
    for number in descendants(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
