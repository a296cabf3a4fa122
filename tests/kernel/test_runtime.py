"""Threads and the object runtime in the kernel, on one and several processors: the checks that are
compiled into it, and the stress run, whose additions must add up."""
import os
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import qemu  # noqa: E402

BUILD = os.environ.get("K42_BUILD", os.path.join(ROOT, "build", "release"))
RELEASE = os.path.join(BUILD, "kernel", "k42.elf")
DEBUG = os.path.join(os.path.dirname(BUILD), "debug", "kernel", "k42.elf")
LIMIT = 400  # seconds, for a guest that hangs
SUITE_TIMEOUT_SECONDS = 1500
STRESS_SECONDS = 3
LONG = os.environ.get("K42_LONG") == "1"
with_debug = pytest.mark.skipif(not os.path.exists(DEBUG), reason="the debug variant is not built")


def machines(quick, quick_debug):
    """Kernels and numbers of processors: all with --long, else these."""
    every = [1, 2, 4]
    return [pytest.param(RELEASE, cpus, id=f"release-{cpus}") for cpus in (every if LONG else quick)] + [
        pytest.param(DEBUG, cpus, id=f"debug-{cpus}", marks=with_debug)
        for cpus in (every if LONG else quick_debug)]


def passes(group, cpus, kernel, more=""):
    ended = qemu.Guest(kernel, cpus=cpus, append=f"test={group} {more}").run(LIMIT, capture=True)
    assert not ended.timed_out, ended.text
    assert ended.status == 0, ended.text
    assert f"test={group} on {cpus} CPUs: " in ended.text and ", 0 failed" in ended.text
    return ended.text


@pytest.mark.parametrize("kernel, cpus", machines([2], [2]))
@pytest.mark.parametrize("group", ["threads", "terminal", "wait", "policies", "runtime", "memory",
                                   "pages", "space", "files", "process"])
def test_the_checks_pass(group, cpus, kernel):
    assert passes(group, cpus, kernel)


@pytest.mark.parametrize("kernel, cpus", machines([4], [2]))
def test_the_stress_run_adds_up(cpus, kernel):
    said = passes("stress", cpus, kernel, f"seconds={STRESS_SECONDS} seed={cpus}")
    assert ": adds up" in said
    assert "left: 0 mediators, 0 interposers" in said


def test_more_threads_than_processors_on_eight_of_them():
    assert ": adds up" in passes("stress", 8, RELEASE, "seconds=2 threads=40 seed=8")
