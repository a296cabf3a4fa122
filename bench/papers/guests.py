"""Guests in which experiments run: scripts whose cost is counted.

Two kinds. One *counts*: its clock is the number of instructions that all its processors have
executed (-icount shift=0), and one thread of this machine emulates them in turn; so figures repeat,
and contention does not show. The other one *races*: each processor is a thread of this machine, so
they do get into each other's way, and time is this machine's.
"""
import contextlib
import json

from launcher import session
from launcher.tree import Trouble

COUNTING = {"accelerator": "tcg,thread=single", "more": ["-icount", "shift=0,sleep=off"]}
BOOT_SECONDS = 240
SCRIPT_SECONDS = 300
# A script that says how many nanoseconds of the guest's clock its middle took.
TIMED = """{before}
begin=${{EPOCHREALTIME/./}}
{script}
status=$?
end=${{EPOCHREALTIME/./}}
{after}
echo "took $((end - begin))"
exit $status
"""


def calm(costs):
    """Without those in which the clock of a guest that counts has jumped: it does when all wait."""
    return [cost for cost in costs if cost <= 1.5 * min(costs)]


class Guest:
    """A booted guest and what it is asked."""

    def __init__(self, started):
        self.session = started

    def sh(self, script):
        """What a bash script writes; ends the experiment when it fails."""
        done = self.session.run(["bash", "-c", script], limit=SCRIPT_SECONDS)
        if done.status:
            last = (done.errors + done.output).decode(errors="replace").strip().splitlines()[-1:]
            raise Trouble(f"a script ended with {done.status}: {' '.join(last)}")
        return done.output.decode()

    def timed(self, script, before="", after=""):
        """Nanoseconds of the guest's clock, instructions where it counts; and the output."""
        output = self.sh(TIMED.format(script=script, before=before, after=after))
        lines = output.strip().splitlines()
        return 1000 * int(lines[-1].split()[1]), lines[:-1]

    def ask(self, words, open_file=None):
        """What k42ctl answers, perhaps while a file is open: else one of the host has no cache."""
        return json.loads(self.sh(f"exec 9< {open_file or '/dev/null'}; k42ctl {words} --json"))

    def has(self, command):
        """Whether this kernel's k42ctl knows a command."""
        done = self.session.run(["k42ctl", "help", command], limit=SCRIPT_SECONDS)
        return done.status == 0


@contextlib.contextmanager
def guest(cpus=1, counting=False, kernel="k42", memory="512M", **more):
    options = {**(COUNTING if counting else {}), **more}
    with session.Session(kernel, cpus, memory, **options) as started:
        started.wait_until_ready(BOOT_SECONDS)
        yield Guest(started)


def advisors_are_there():
    """Whether this kernel has advisors that can be switched off and on at boot."""
    with guest() as one:
        return one.has("advisors")
