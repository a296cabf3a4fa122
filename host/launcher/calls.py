"""docs/linux.md: all system calls of Linux, and how much of each there is, told by the sources.

kernel/linux/calls.txt lists them with the errors that a program can provoke. What there is says
LINUX_CALL; what a call lacks says a line "Partly: ..." in the comment before it. A call is done when
nothing is lacking and the cases of tests/abi prove that it works and each of its errors.
"""
import os
import re

from launcher import abi
from launcher.tree import path, sources

TABLE = path("kernel", "linux", "calls.txt")
PAGE = path("docs", "linux.md")
ALL = "all of it"  # lacks what only answers -ENOSYS, and says nothing on the console
NEVER = "never"  # instead of an error: the call never works, it only fails
CALL = re.compile(r"^LINUX_CALL\((\d+), (\w+),", re.M)
COMMENT = re.compile(r"/\*((?:(?!\*/).)*)\*/\n\Z", re.S)
HEAD = """# Linux's system calls

*(folder: `kernel/linux/`; the table: `kernel/linux/calls.txt`; cases: `tests/abi/`)*

Of the {all} calls of Linux 6.1 on x86-64 (and those that came later and are here) {done} are done, {partly} are there
partly and {not} are not there. This page is made by `./k42 calls` from the sources, and a test compares it with them.

- **done**: nothing known is missing, and a case of the differential suite proves that the call works and each error
  that a program can provoke, as `calls.txt` lists them; or Linux has no such call either (`ENOSYS`), and a case
  proves that.
- **partly**: something is missing, which is said, or not proven by a case: those errors are listed.
- **not**: the call is answered with `ENOSYS`; the first time the console says which call and which program.

## The differential suite

`tests/abi/` has {cases} cases, each one C file, which prove {proofs} outcomes of calls. They are linked into one static program,
which runs natively and in the guest; output and exit status of each must agree. A case makes calls by `works(call, ...)`,
`gives(value, call, ...)` and `fails(ERROR, call, ...)` (`abi.h`), which say what came out, and end the case with status 1
where that is not what is written there. So what this page counts has been seen natively too. A new case is a new file.

Two things no case can do on the machine that it shares with others. What only works with a disk, a component or the machine's
end is shown at work by a test of a guest (`# At work:` before it); errors are proven all the same. And where this machine's
Linux was built without a call, as without modules, what the case wants is taken for what Linux gives (`may_lack()`).

`./k42 test abi` runs them in one guest with 2 CPUs; the long runs with 1, 2 and 4 CPUs, with the debug build, in a storm of
swaps, and on Linux in the emulator.

## The calls

| | call | | what is missing |
|--:|---|---|---|
"""


class Call:
    """One line of the table, with what the sources tell of it."""

    def __init__(self, number, name, errors):
        self.number, self.name = int(number), name
        self.never_works = NEVER in errors
        self.errors = {one for error in errors if error not in ("-", NEVER)
                       for one in (abi.PATH_ERRORS if error == "path" else (error,))}
        self.is_there, self.lacks = False, None

    def unproven(self, proven):
        wanted = set(self.errors) if self.never_works or self.errors == {"ENOSYS"} \
            else {abi.WORKS, *self.errors}
        return sorted(one for one in wanted if (self.name, one) not in proven)

    def state(self, proven):
        """(done, partly or not; what is missing)."""
        unproven = self.unproven(proven)
        if self.lacks and self.lacks.startswith(ALL):
            return "not", ""
        if not self.is_there:
            return ("done", "") if self.errors == {"ENOSYS"} and not unproven else ("not", "")
        if self.lacks or unproven:
            texts = [self.lacks] if self.lacks else []
            if abi.WORKS in unproven:
                texts.append("no case in which it works")
                unproven.remove(abi.WORKS)
            if unproven:
                texts.append("no case for " + ", ".join(f"`{one}`" for one in unproven))
            return "partly", "; ".join(texts)
        return "done", ""


def written():
    """(number, name, what it lacks or None) of every LINUX_CALL in the kernel."""
    for file in sources(".c"):
        if not file.startswith(path("kernel") + os.sep):
            continue
        with open(file) as opened:
            text = opened.read()
        for match in CALL.finditer(text):
            comment = COMMENT.search(text, 0, match.start())
            said = comment and re.search(r"Partly: (.*)", comment[1], re.S)
            lacks = said and re.sub(r"\s*\n \*\s*", " ", said[1]).strip().rstrip(".")
            yield int(match[1]), match[2], lacks or None


def table():
    """Every call, by name. Raises ValueError where the sources contradict the table."""
    with open(TABLE) as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    calls = {words[1]: Call(words[0], words[1], words[2:]) for words in lines}
    for number, name, lacks in written():
        if name not in calls or calls[name].number != number:
            raise ValueError(f"the table has no call {number} with the name {name}")
        calls[name].is_there, calls[name].lacks = True, lacks
    unlisted = [one.name for one in calls.values() if one.is_there and not one.errors
                and "-" not in next(words for words in lines if words[1] == one.name)]
    if unlisted:
        raise ValueError("the table lists no errors, nor '-', for " + ", ".join(unlisted))
    return calls


def page():
    """The text of docs/linux.md."""
    proven, calls = abi.all_proven(), table()
    unknown = {name for name, _ in proven} - set(calls)
    if unknown:
        raise ValueError("cases name what is no call: " + ", ".join(sorted(unknown)))
    states = {one.name: one.state(proven) for one in calls.values()}
    counts = {state: sum(1 for one, _ in states.values() if one == state)
              for state in ("done", "partly", "not")}
    head = HEAD.format(all=len(calls), cases=len(abi.names()), proofs=len(proven), **counts)
    return head + "".join(f"| {one.number} | `{one.name}` | {states[one.name][0]} | {states[one.name][1]} |\n"
                          for one in sorted(calls.values(), key=lambda one: one.number))


def write():
    with open(PAGE, "w") as file:
        file.write(page())
    return 0
