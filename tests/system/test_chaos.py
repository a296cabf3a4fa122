"""Programs do the same while a storm swaps random objects below them, and the storm says what it did.

A quick look; ./k42 test --long runs the other system tests in storms.
"""
import os

import pytest

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)
QUICK_DEBUG_CPUS = (2,)
pytestmark = pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="Linux has no objects")

# Of these there are some only while one of them is read.
PASSING = {"file.proc"}

WORK = """mkfifo fifo; i=0
while [ $i -lt 5 ]; do
    seq 3000 > numbers; sort -rn numbers | tee copy | md5sum; rm numbers
    seq 500 > fifo & wc -l < fifo; wait
    (trap 'echo told' USR1; kill -USR1 $(sh -c 'echo $PPID'))
    find /usr/share | sort | md5sum
    i=$((i + 1))
done"""


def told(machine):
    """What the storm says: numbers by name, and of pairs of classes."""
    lines = [line.split() for line in machine.run(["cat", "/proc/k42/chaos"]).output.decode().splitlines()]
    return ({words[0]: int(words[1]) for words in lines if words[0] not in ("pair", "last")},
            {(words[1], words[2]): int(words[3]) for words in lines if words[0] == "pair"})


@pytest.fixture
def storm(machine):
    assert machine.run(["sh", "-c", "echo '1000 42' > /proc/k42/chaos"]).status == 0
    yield
    assert machine.run(["sh", "-c", "echo 0 > /proc/k42/chaos"]).status == 0


def test_programs_do_the_same_in_a_storm(machine, storm):
    machine.same_sh(WORK, limit=300)


def test_the_storm_reached_every_class_that_has_objects(machine):
    for _ in range(20):
        assert machine.run(["sh", "-c", "echo '1000 1' > /proc/k42/chaos; sleep 1; echo 0 > /proc/k42/chaos"])
        counts, pairs = told(machine)
        assert counts["rate"] == 0 and counts["seed"] == 1 and counts["to_itself"] > 0
        live = {name for name, number, _ in (line.split() for line in machine.run(
            ["cat", "/proc/k42/classes"]).output.decode().splitlines()) if int(number)}
        missing = {name for name in live - PASSING if not any(pairs.get(pair) for pair in pairs if pair[0] == name)}
        if not missing:
            return
    pytest.fail(f"never swapped: {missing}")


@pytest.mark.parametrize("words", ["", "fast", "-1", "1000 x", "1000 2 3", "100001", "9999999999999999"])
def test_a_wrong_rate_is_refused(machine, words):
    done = machine.run(["bash", "-c", f"echo '{words}' > /proc/k42/chaos"])
    assert done.status == 1 and b"Invalid argument" in done.errors


def test_nobody_but_root_begins_a_storm(machine):
    done = machine.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh", "-c",
                        "echo 1 > /proc/k42/chaos"])
    assert done.status == 2 and b"Permission denied" in done.errors
