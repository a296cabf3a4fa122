"""Programs of tests/programs, statically linked, print the same on K42 as on Linux."""
import os

import pytest
from conftest import LONG
from launcher import variants

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)
QUICK_DEBUG_CPUS = (2,)
RUN = "cat > program; chmod +x program; exec ./program"


def bytes_of(name):
    with open(os.path.join(variants.folder("release"), "tests", "programs", name), "rb") as file:
        return file.read()


@pytest.mark.parametrize("name", ["processes", "signals", "threads", "execs", "memory", "limits",
                                  "cpu_limits", "states", "event_files", "epolls",
                                  "process_files", "fork_moments", "sockets", "ipc"])
def test_a_program_prints_the_same_as_on_linux(machine, name):
    if name == "cpu_limits" and not LONG:
        pytest.skip("uses up twenty seconds of a processor")
    machine.same_sh(RUN, bytes_of(name), limit=120)


def test_timers_by_the_time_of_day_follow_the_clock_being_set(machine):
    """Not compared: who runs the tests keeps his clock."""
    said = machine.sh(RUN + " clock", bytes_of("event_files"), limit=120)
    assert said.output.decode().splitlines() == [
        "cancels: 0", "read: ECANCELED", "far: 0", "read: 8, 1", "set in vain: 0", "read: 8, 1"]
