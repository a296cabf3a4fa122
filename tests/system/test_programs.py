"""Programs of tests/programs, statically linked, print the same on K42 as on Linux."""
import os

import pytest
from conftest import KERNELS
from launcher import variants

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)
QUICK_DEBUG_CPUS = (2,)
LONG = os.environ.get("K42_LONG") == "1"
RUN = "cat > program; chmod +x program; exec ./program"


def bytes_of(name):
    with open(os.path.join(variants.folder("release"), "tests", "programs", name), "rb") as file:
        return file.read()


@pytest.mark.parametrize("name", ["processes", "signals", "threads", "execs", "memory", "limits",
                                  "cpu_limits"])
def test_a_program_prints_the_same_as_on_linux(machine, name):
    if name == "cpu_limits" and machine.variant == "debug" and not LONG and not KERNELS:
        pytest.skip("seconds of processor time are as long in each build: K42_LONG=1")
    machine.same_sh(RUN, bytes_of(name), limit=120)
