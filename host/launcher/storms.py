"""Storms of swaps below programs that call objects of every class (tests/system/scripts/storm.sh).

What a storm must show is taken in four steps: the programs say once what they write; a storm rages
while they do the same again and again; everything is brought to rest and counted; after another,
shorter storm it is counted once more. The first storm comes before anything is counted since some
tables grow to the most there ever was, and stay.
"""
import contextlib
import os
import tempfile

from launcher import left, session
from launcher.tree import Trouble, path

PACKAGES = ("python3", "sqlite3", "postmark")
SCRIPT = path("tests", "system", "scripts", "storm.sh")
# Swaps a second. Four processors that two emulate would do little else, nor would a kernel that
# checks itself, and calls would meet few of them.
RATE, RATE_OF_SLOW = 1000, 500
# A guest whose time is instructions: 500 million to a second, of all processors together.
COUNTED = {"accelerator": "tcg,thread=single", "more": ["-icount", "shift=1,sleep=off"]}
# Of these there are some only while one of them is read.
PASSING = {"file.proc"}
MOUNT = "mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288 share0 /srv"
# What is known of a folder of the host, and how much of a disk is in memory, depends on how often
# it was used.
AT_REST = "umount /srv && cat /dev/vda > /dev/null"
# Advisors watch what they doubt about, and have memory for that.
NOBODY_WATCHES = ("k42ctl advisors off > /dev/null; "
                  "until grep -q '^interposers 0$' /proc/k42/counts; do :; done")


def script():
    with open(SCRIPT, "rb") as file:
        return file.read()


@contextlib.contextmanager
def guest(cpus, variant="release", **more):
    """A booted guest with the programs, a folder of the host and a disk, its files in memory."""
    with tempfile.TemporaryDirectory() as folder:
        share, disk = os.path.join(folder, "share"), os.path.join(folder, "disk")
        os.mkdir(share)
        for name, size in ((os.path.join(share, "large"), 3_000_001), (disk, 8 << 20)):
            with open(name, "wb") as file:
                file.write(os.urandom(size))
        more["more"] = ["-drive", f"file={disk},format=raw,if=none,id=a", "-device",
                        "virtio-blk-pci,drive=a", *more.get("more", ())]
        with session.Session("k42", cpus, "1G", PACKAGES, shares=[(share, "/srv")], variant=variant,
                             **more) as one:
            one.wait_until_ready(300)
            one.cpus, one.rate = cpus, RATE if cpus <= 2 and variant == "release" else RATE_OF_SLOW
            one.run(["sh", "-c", "cat > /bin/storm.sh"], script())
            # So that the storm knows all pairs.
            one.run(["sh", "-c", "k42ctl chaos on; sleep 1; k42ctl chaos off"])
            left.bring_program(one)
            yield one


def living(machine):
    """Names of the classes that have objects."""
    lines = machine.run(["cat", "/proc/k42/classes"]).output.decode().splitlines()
    return {name for name, number, _ in (line.split() for line in lines) if int(number)}


def work(one, what, limit):
    """Has the programs say what they write ("learn"), or do the same for so many seconds."""
    done = one.run(["env", "HOST=/srv", "DISK=/dev/vda", "bash", "/bin/storm.sh", str(what)],
                   limit=limit)
    if done.status or done.errors:
        raise Trouble(f"the programs under a storm: {done}")
    return done.output.decode()


def rage(one, seconds, limit=None):
    """What the programs say that differs from what they wrote first, and how often they ran."""
    left.storm(one, "on", "--rate", str(one.rate), "--seed", "7")
    said = work(one, seconds, limit or 2 * seconds + 600)
    left.storm(one, "off")
    return said


def at_rest(one):
    """What there is when nothing happens."""
    left.make_plain(one)
    for step in AT_REST, NOBODY_WATCHES:
        done = one.run(["sh", "-c", step])
        if done.status:
            raise Trouble(f"at rest: {done}")
    found = left.counted(one)
    one.run(["k42ctl", "advisors", "on"])
    if one.run(MOUNT.split()).status:
        raise Trouble("the folder of the host is not mounted again")
    return found


class Seen:
    """What was seen of a storm."""

    def __init__(self, one):
        self.counts, self.pairs = left.told_by_storms(one)
        self.last_failure = left.last_failure(one)
        started = {start for (start, _), times in self.pairs.items() if times}
        self.there = (living(one) | started) - PASSING
        self.swaps = self.counts["to_other"] + self.counts["to_itself"]
        self.rate = self.swaps * 1000 / max(self.counts["milliseconds"], 1)
        self.share = self.counts["with_calls"] / max(self.swaps, 1)
        self.given_up = sum(self.counts[name] for name in ("late", "failed", "without_memory"))
        self.gone = self.counts["vanished"] + self.counts["busy"]

    def wanted(self):
        """How often each pair was made of whose first class there are, or were, objects."""
        return {pair: times for pair, times in self.pairs.items() if pair[0] in self.there}

    def least(self):
        """The pair that was made least often, and how often."""
        return min(self.wanted().items(), key=lambda one: one[1])

    def unseen(self):
        """Classes of which there was no object."""
        return sorted({start for start, _ in self.pairs} - self.there - PASSING)


def idle_seconds(one):
    """Seconds since boot, and those that processors had nothing to do, of all of them together."""
    return [float(word) for word in one.run(["cat", "/proc/uptime"]).output.split()]
