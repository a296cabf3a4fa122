"""Python's own tests: what passes on Linux in the same emulator passes on K42 (cpython/).

To write down what Linux gives: K42_GUEST=linux K42_RECORD=test_os,test_io, and this file alone.
"""
import os

import pytest
from conftest import GUESTS
from cpython import results
from launcher import bytecode

PACKAGES = results.PACKAGES
SUITE_TIMEOUT_SECONDS = 900
QUICK_CPUS = (2,)
LIMIT = 900
# Short ones that live on their system.
QUICK = ("test_fcntl", "test_fork1", "test_posix", "test_select", "test_thread")
LINUX, GAPS = results.linux(), results.gaps()
RECORD = [name for name in os.environ.get("K42_RECORD", "").split(",") if name]
NAMES = RECORD or (sorted(LINUX) if os.environ.get("K42_LONG") == "1" else QUICK)


def PARTS():
    return (bytecode.part(PACKAGES),)


def lacking(name):
    return {case for case in GAPS if case.split(".")[1] == name}


@pytest.mark.parametrize("name", NAMES)
def test_what_passes_on_linux_passes_here(machine, name):
    words, data = results.command(name, LIMIT)
    done = machine.run(words, data, folder="/tmp", limit=LIMIT + 60)
    told = results.Told(done.output.decode(errors="replace"))
    if RECORD:
        assert GUESTS == ["linux"], "what Linux gives is written down: K42_GUEST=linux"
        return results.record(name, told)
    passed, failed_there = LINUX[name]
    failed = [case for case in told.that("failed") if case not in failed_there and case not in GAPS]
    if failed:
        pytest.fail("\n".join(line for case in failed for line in (case, *told.about.get(case, ()))), False)
    short = passed - len(told.that("passed")) - len(lacking(name))
    if short > 0:
        pytest.fail(f"{short} cases fewer passed than on Linux; status {done.status}\n{done.output.decode()[-3000:]}", False)


def test_little_is_lacking():
    passed = sum(count for count, _ in LINUX.values())
    assert len(GAPS) * 100 <= passed * 3, f"{len(GAPS)} of {passed} cases"
