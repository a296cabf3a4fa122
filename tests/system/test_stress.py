"""Programs that are made to break kernels: each of stress-ng's stressors in turn, dbench, trinity. Nothing
fails that does not fail on Linux, and nothing is left of it (host/launcher/left.py says what counts)."""
import re

import pytest
from conftest import LONG, only_long
from launcher.left import bring_program
from stress import listed
from test_robustness import leaves_nothing

PACKAGES = ("stress-ng", "dbench", "trinity")
SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)
QUICK = ["clock", "dnotify", "get", "lockf"]
STRESSORS = sorted(listed.run()) if LONG else QUICK
LIMIT = 300


@pytest.fixture(autouse=True)
def program(machine):
    """In each guest once: a test that ends its guest leaves the next one a new one."""
    if not machine.run(["mkdir", "-m", "777", "/tmp/stress"]).status:
        bring_program(machine)


WRONG = re.compile(r"^stress-ng: (?:fail|error): .*|.*\bskipp(?:ed|ing)\b(?!: 0$).*|.*aborted.*", re.M)
# Without /sys it says so, wherever it runs; how many processors there are it asks elsewhere then.
KNOWN = "no CPUs found in /sys/devices/system/cpu"


def done_by(said, name):
    """How many operations a stressor says it did, and what it found wrong or did not even try."""
    told = re.search(rf"^stress-ng: metrc: \[\d+\] {name} +(\d+) ", said, re.M)
    return int(told[1]) if told else 0, [line for line in WRONG.findall(said) if not line.endswith(KNOWN)]


def check(done, name):
    said = (done.output + done.errors).decode(errors="replace")
    operations, wrong = done_by(said, name)
    assert done.status == 0 and not wrong and operations >= min(1, listed.run()[name][0]), said


def test_every_stressor_there_is_is_listed(machine):
    there = machine.run(["stress-ng", "--stressors"]).output.decode().split()
    assert set(there) == {*listed.run(), *listed.refused()}


@pytest.mark.parametrize("name", STRESSORS)
def test_a_stressor_does_its_work_and_leaves_nothing(machine, name):
    check(leaves_nothing(machine, *listed.words(name), folder="/tmp/stress", limit=LIMIT), name)


@only_long
@pytest.mark.parametrize("clients", range(1, 5))
def test_clients_of_a_file_server_find_what_they_wrote(machine, clients):
    """dbench checks the answer to each of its operations against what Windows gave."""
    done = leaves_nothing(machine, "dbench", "-D", "/tmp/stress", "-t", "10", str(clients), limit=LIMIT)
    said = (done.output + done.errors).decode(errors="replace")
    told = dict(re.findall(r"^ (\w+) +(\d+) +[\d.]+ +[\d.]+$", said, re.M))
    assert all(int(told.get(name, 0)) for name in ("NTCreateX", "Close", "WriteX")), said
    assert re.search(rf"^Throughput .* {clients} procs\b", said, re.M), said


# Alone, since children end what they find, be it the other's; sockets lead out of the machine.
TRINITY = """umask 0; rm -rf /tmp/victims; mkdir -p /tmp/victims/folder
echo text > /tmp/victims/file; chmod -R 777 /tmp/victims; cd /tmp/victims
setpriv --reuid=nobody --regid=nogroup --clear-groups trinity -q -l off -a64 -C2 -s$1 -N$2 \\
    --disable-fds=sockets,perf,drm -V /tmp/victims
status=$?
cd /; ipcrm --all; rm -rf /tmp/victims; exit $status"""


@only_long
@pytest.mark.parametrize("seed", range(1, 6))
def test_random_calls_leave_nothing(machine, seed):
    done = leaves_nothing(machine, "sh", "-c", TRINITY, "sh", str(seed), "20000", limit=LIMIT)
    assert re.search(r"Reached limit \d+", done.output.decode(errors="replace")), done
