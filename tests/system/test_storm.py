"""Chaos in earnest: programs that call objects of every class, while a storm swaps those objects.

What the programs write is what they wrote before the storm, and the storm says what it did: how
often, how much of it with calls under way, and which class became which. With K42_LONG=1 ten minutes,
and then the numbers are held against what is asked of them, and what is left behind against what
there was before; otherwise one, since a machine that is busy with other things has no
numbers, and a minute is not enough for every table to have grown to the most there will be.
"""
import os

import pytest
from conftest import CPUS, LONG, agree, natively
from launcher import storms
from launcher.left import unlike

SUITE_TIMEOUT_SECONDS = 600
SECONDS = 600 if LONG else 60
KERNEL = os.environ.get("K42_KERNEL", "release")
RATE = {1: 1000, 2: 1000, 4: 200}
TIMES, SHARE = 100, 0.3
pytestmark = pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="Linux has no objects")


@pytest.fixture(scope="module", params=CPUS or [2])
def guest(request):
    with storms.guest(request.param, KERNEL) as one:
        yield one


def wanted_rate(cpus):
    """Swaps a second by the clock, of a machine with two processors that does nothing else."""
    return RATE.get(cpus, 200) if KERNEL == "release" else 200


def test_programs_that_call_every_class_notice_nothing_of_a_storm(guest, capsys):
    natives = "text base mail threads events talk ipc"
    wanted = natively(("env", f"PARTS={natives}", "bash", "-s", "learn"), storms.script(),
                      storms.PACKAGES)
    got = guest.run(["env", f"PARTS={natives}", "bash", "/bin/storm.sh", "learn"], limit=300)
    agree("output", got.output, wanted.output)
    storms.work(guest, "learn", 300)
    said = storms.rage(guest, SECONDS)
    guest.seen = seen = storms.Seen(guest)
    with capsys.disabled():
        print("\n" + tell(seen))
    before = after = None
    if LONG:
        before = storms.at_rest(guest)
        said += storms.rage(guest, SECONDS // 10)
        after = storms.at_rest(guest)
    if "differs" in said:
        pytest.fail(said, pytrace=False)
    if LONG and (found := unlike(before, after)):
        pytest.fail(f"before, after: {found}", pytrace=False)
    assert seen.counts["failed"] == seen.counts["without_memory"] == 0, seen.last_failure
    assert seen.counts["to_other"] and seen.counts["to_itself"] and seen.counts["with_calls"]


def tell(seen):
    least = sorted(seen.wanted().items(), key=lambda one: one[1])[:5]
    return (f"{seen.swaps} swaps, {seen.rate:.0f} a second, {seen.counts['to_itself']} to itself, "
            f"{100 * seen.share:.0f} % with calls, {seen.given_up} given up, {seen.gone} gone; "
            f"{len(seen.wanted())} pairs, the least: "
            + ", ".join(f"{a} to {b} {n}" for (a, b), n in least))


def test_no_class_with_objects_was_left_out(guest):
    """In the long run each pair a hundred times, and at the rate and share that are asked for."""
    seen = getattr(guest, "seen", None) or storms.Seen(guest)
    times_by_class = {start: 0 for start, _ in seen.pairs}
    for (start, _), times in seen.pairs.items():
        times_by_class[start] += times
    assert not {name for name in seen.there if not times_by_class.get(name)}
    if not LONG:
        return
    assert not {pair: times for pair, times in seen.wanted().items() if times < TIMES}
    assert seen.rate >= 0.95 * wanted_rate(guest.cpus)
    assert seen.share >= SHARE
