"""Storms, in long runs only: calls that fail, and the rate where time is instructions.

What is left in the kernel after a storm is compared exactly with what there was before.
"""
import os

import pytest
from conftest import CPUS
from launcher import storms
from launcher.left import told_by_storms, unlike
from test_storm import KERNEL, LONG, RATE, SHARE, guest, tell

SUITE_TIMEOUT_SECONDS = 1800
FAILING_SECONDS = 100
pytestmark = pytest.mark.skipif(not LONG or os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="takes long: K42_LONG=1; Linux has no objects")
assert guest  # the fixture


def surely(guest, *words):
    """What may fail while calls do, until it does not."""
    for _ in range(100):
        done = guest.run(words, limit=3 * FAILING_SECONDS + 300)
        if done.status == 0:
            return done
    pytest.fail(f"{words} failed a hundred times: {done}")


def test_where_calls_fail_programs_see_errors_of_files_and_nothing_else(guest):
    script = """cd /tmp; for n in 1 2 3; do
        python3 /bin/clean_errors.py $SECONDS_EACH; [ $? -lt 128 ] || echo WRONG: status $?
    done; rm -rf /tmp/file /tmp/other /tmp/folder /tmp/y"""
    with open(os.path.join(os.path.dirname(storms.SCRIPT), "clean_errors.py"), "rb") as file:
        guest.run(["sh", "-c", "cat > /bin/clean_errors.py"], file.read())
    each = f"SECONDS_EACH={FAILING_SECONDS}"
    surely(guest, "env", each, "bash", "-c", script)
    before = storms.at_rest(guest)
    surely(guest, "k42ctl", "chaos", "on", "--rate", "500", "--delay", "50", "--fail", "100")
    done = surely(guest, "env", each, "bash", "-c", script)
    surely(guest, "k42ctl", "chaos", "off")
    surely(guest, "bash", "-c", "rm -rf /tmp/file /tmp/other /tmp/folder /tmp/y")
    after = storms.at_rest(guest)
    said = done.output.decode()
    counts, _ = told_by_storms(guest)
    assert "WRONG" not in said
    saw = {word for line in said.splitlines() if line.startswith("saw") for word in line.split()[1:]}
    assert saw <= {"EIO", "ENOSPC", "ENOMEM", "ENOENT", "EEXIST", "ENOTEMPTY"}
    assert counts["answered"] and counts["delayed"] and counts["without_memory"]
    assert not (found := unlike(before, after)), f"before, after: {found}"


@pytest.mark.skipif(KERNEL != "release" or CPUS not in ([], [1]),
                    reason="checks take instructions, and processors emulated in turn wait for turns")
def test_a_storm_is_as_fast_as_asked_where_time_is_instructions(capsys):
    """Whatever else this machine does."""
    with storms.guest(1, **storms.COUNTED) as guest:
        storms.work(guest, "learn", 1200)
        said = storms.rage(guest, 30, 1500)
        seen = storms.Seen(guest)
    with capsys.disabled():
        print("\n" + tell(seen))
    assert "differs" not in said
    assert seen.rate >= 0.95 * RATE[1] and seen.share >= SHARE
