"""What came of files of Python's own test suite: how a guest is asked, what Linux gave, what is lacking.

linux.txt is what Linux gave, a line for each file with how many cases passed, then one, indented, for
each that failed there; test_python.py writes it. gaps.txt has a line for each case that passes there
and not on K42: its file, its name, the reason.
"""
import os

FOLDER = os.path.dirname(__file__)
PACKAGES = ("python3", "libpython3.11-testsuite")
# The file of that name, at most so many seconds; what was said only where it did not end well.
SCRIPT = """cat > /tmp/cases.py && : > /tmp/told && mkdir -p /tmp/cases && cd /tmp/cases || exit 99
timeout -s ABRT -k 5 $2 python3 /tmp/cases.py $1 /tmp/told > /tmp/said 2>&1 < /dev/null
status=$?
cat /tmp/told
[ $status = 0 ] || tail -n 40 /tmp/said | sed 's/^/| /'
exit $status"""


def read(name):
    with open(os.path.join(FOLDER, name)) as file:
        return file.read()


def command(name, limit):
    """What a guest runs, and what it is given to read."""
    return ["sh", "-c", SCRIPT, "sh", name, str(limit)], read("cases.py").encode()


class Told:
    """How the cases of one file ended, and what was said about them."""

    def __init__(self, text):
        self.cases, self.about, name = {}, {}, ""
        for line in text.splitlines():
            if line.startswith("| "):
                self.about.setdefault(name, []).append(line[2:])
            elif line:
                outcome, _, name = line.partition(" ")
                self.cases[name] = outcome

    def that(self, outcome):
        return sorted(name for name, how in self.cases.items() if how == outcome)


def linux():
    """File -> (how many cases passed, which failed)."""
    found = {}
    for line in read("linux.txt").splitlines():
        if line.startswith(" "):
            found[name][1].add(line.strip())
        elif line:
            name, passed = line.split()
            found[name] = (int(passed), set())
    return found


def record(name, told):
    """Writes down what Linux gave."""
    known = {**linux(), name: (len(told.that("passed")), told.that("failed"))}
    with open(os.path.join(FOLDER, "linux.txt"), "w") as file:
        for one, (passed, failed) in sorted(known.items()):
            file.write("\n ".join([f"{one} {passed}", *sorted(failed)]) + "\n")


def gaps():
    """Case -> (its file, why it does not pass)."""
    lines = [line.split(None, 2) for line in read("gaps.txt").splitlines() if line]
    return {case: (name, why) for name, case, why in lines}
