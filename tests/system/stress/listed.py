"""stress-ng's stressors, as stressors.txt lists them.

A line is a stressor's name, how many of its operations are done, and more words for the program, before
which "user" has an ordinary user do it; or its name, "-" and why it is not run. Some take no notice of how many
are to be done, on Linux either, and are given a time.
"""
import os

FOLDER = os.path.dirname(__file__)


def lines():
    with open(os.path.join(FOLDER, "stressors.txt")) as file:
        return [line.split(None, 2) for line in file if line.strip()]


def run():
    """Stressor -> (operations, more words)."""
    return {name: (int(operations), more[0].split() if more else [])
            for name, operations, *more in lines() if operations != "-"}


def refused():
    """Stressor -> why."""
    return {name: why[0].strip() for name, operations, *why in lines() if operations == "-"}


def words(name, instances=2):
    """The command that does a stressor's operations and looks at what they gave. The time is but a bound: some
    wait for another instance, which may have gone already."""
    operations, more = run()[name]
    user = ["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"] if more[:1] == ["user"] else []
    return [*user, "stress-ng", f"--{name}", str(instances), f"--{name}-ops", str(operations),
            "--timeout", "60", "--verify", "--metrics-brief", "--temp-path", "/tmp/stress",
            *more[bool(user):]]
