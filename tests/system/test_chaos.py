"""Programs do the same while a storm swaps random objects below them, and the storm says what it did.

A quick look; ./k42 test --long runs the other system tests in storms.
"""
import json
import os

import pytest
from launcher.left import told_by_storms as told
from launcher.storms import PASSING, living

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)
QUICK_DEBUG_CPUS = (2,)
pytestmark = pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="Linux has no objects")

WORK = """mkfifo fifo; i=0
while [ $i -lt 5 ]; do
    seq 3000 > numbers; sort -rn numbers | tee copy | md5sum; rm numbers
    seq 500 > fifo & wc -l < fifo; wait
    (trap 'echo told' USR1; kill -USR1 $(sh -c 'echo $PPID'))
    find /usr/share | sort | md5sum
    i=$((i + 1))
done"""


@pytest.fixture
def storm(machine):
    assert machine.run(["k42ctl", "chaos", "on", "--rate", "1000", "--seed", "42"]).status == 0
    yield
    assert machine.run(["k42ctl", "chaos", "off"]).status == 0


def test_programs_do_the_same_in_a_storm(machine, storm):
    machine.same_sh(WORK, limit=300)


def test_the_storm_reached_every_class_that_has_objects(machine):
    for _ in range(20):
        assert machine.run(["sh", "-c", "echo '1000 1' > /proc/k42/chaos; sleep 1; echo 0 > /proc/k42/chaos"])
        counts, pairs = told(machine)
        assert counts["rate"] == 0 and counts["seed"] == 1 and counts["to_itself"] > 0
        missing = {name for name in living(machine) - PASSING if not any(pairs.get(pair) for pair in pairs if pair[0] == name)}
        if not missing:
            return
    pytest.fail(f"never swapped: {missing}")


def test_what_came_of_it_is_told_to_people_and_programs(machine):
    counts, pairs = told(machine)
    said = json.loads(machine.run(["k42ctl", "chaos", "--json"]).output)
    assert {name: said[name] for name in counts} == counts and said["seed"] == 1
    assert {(one["from"], one["to"]): one["swapped"] for one in said["pairs"]} == pairs
    table = machine.run(["k42ctl", "chaos"]).output.decode()
    assert "rate            0\n" in table and "process.linux" in table


@pytest.mark.parametrize("words, why", [("on --rate 0", "from 1 to 100000"), ("up", "'on' or 'off', not up"),
                                        ("on --rate", "must follow --rate"), ("off now", "not know now"),
                                        ("on --seed x", "--seed is a number from 0 to 4294967295, not x")])
def test_wrong_words_are_explained(machine, words, why):
    done = machine.run(["k42ctl", "chaos", *words.split()])
    assert done.status == 2 and why in done.errors.decode()


@pytest.mark.parametrize("words", ["", "fast", "-1", "1000 x", "1000 2 3 4 5", "1000 2 100001", "100001", "9999999999999999"])
def test_a_wrong_rate_is_refused(machine, words):
    done = machine.run(["bash", "-c", f"echo '{words}' > /proc/k42/chaos"])
    assert done.status == 1 and b"Invalid argument" in done.errors


def test_nobody_but_root_begins_a_storm(machine):
    done = machine.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh", "-c",
                        "k42ctl chaos on"])
    assert done.status == 1 and b"only root" in done.errors
