"""Python's own tests: what passes on Linux passes on K42 (cpython/). K42_RECORD=test_os,test_io has what
Linux gives written down, in the emulator (K42_GUEST=linux) or natively (K42_RECORD_NATIVELY=1)."""
import os

import pytest
from conftest import GUESTS, LONG, natively
from cpython import results
from launcher import bytecode

PACKAGES = results.PACKAGES
SUITE_TIMEOUT_SECONDS = 900
QUICK_CPUS = (2,)
LIMIT = 900
# Short ones that live on their system.
QUICK = ("test_fork1", "test_select")
LINUX, GAPS = results.linux(), results.gaps()
RECORD = [name for name in os.environ.get("K42_RECORD", "").split(",") if name]
NATIVELY = os.environ.get("K42_RECORD_NATIVELY") == "1"
NAMES = RECORD or (sorted(LINUX) if LONG else QUICK)


def PARTS():
    return (bytecode.part(PACKAGES),)


def run(machine, name):
    words, data = results.command(name, LIMIT)
    more = {"folder": "/tmp", "limit": LIMIT + 60}
    if NATIVELY:
        return natively(tuple(words), data, PACKAGES, **more)
    return machine.run(words, data, **more)


def complain(lines):
    pytest.fail("\n".join(lines), pytrace=False)


@pytest.mark.parametrize("name", NAMES)
def test_what_passes_on_linux_passes_here(machine, name):
    done = run(machine, name)
    told = results.Told(done.output.decode(errors="replace"))
    if RECORD:
        assert NATIVELY or GUESTS == ["linux"], "what K42 gives is not written down"
        results.record(name, told)
        return
    passed, failed_there = LINUX[name]
    failed = [case for case in told.that("failed") if case not in failed_there and case not in GAPS]
    if failed:
        complain([line for case in failed for line in (case, *told.about.get(case, ()))])
    missing = passed - len(told.that("passed")) - sum(one == name for one, _ in GAPS.values())
    if missing > 0:
        complain([f"{missing} cases fewer passed than on Linux; status {done.status}",
                  done.output.decode(errors="replace")[-3000:]])


def test_little_is_lacking():
    passed = sum(count for count, _ in LINUX.values())
    assert len(GAPS) * 100 <= passed * 3, f"{len(GAPS)} of {passed} cases"
