"""The time of day and the vDSO: the kernel's own checks, the machine's clock, and what programs'
loaders look for in the image."""
import os
import subprocess
import sys
import time

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import qemu  # noqa: E402

BUILD = os.environ.get("K42_BUILD", os.path.join(ROOT, "build", "release"))
KERNEL = os.path.join(BUILD, "kernel", "k42.elf")
VDSO = os.path.join(BUILD, "kernel", "vdso", "vdso-stripped.so")
LIMIT = 120  # seconds, for a guest that hangs


def boot(cpus=1, more=()):
    ended = qemu.Guest(KERNEL, cpus=cpus, append="test=clock", more=more).run(LIMIT, capture=True)
    assert ended.status == 0, ended.text
    line = next(line for line in ended.text.splitlines() if line.startswith("the time of day: "))
    return int(line.split()[-1])


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_clocks_are_right_with_several_processors(cpus):
    begin = int(time.time())
    assert begin <= boot(cpus) <= time.time() + 1


@pytest.mark.parametrize("date", ["2024-02-29T23:59:00", "2031-12-31T12:00:00",
                                  "2026-03-01T00:00:10"])
def test_the_machines_clock_is_read(date):
    begin = time.monotonic()
    said = boot(more=["-rtc", "base=" + date])
    expected = int(subprocess.run(["date", "-u", "-d", date, "+%s"], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout)
    assert expected <= said <= expected + (time.monotonic() - begin) + 1


def readelf(*options):
    return subprocess.run(["readelf", "-W", *options, VDSO], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


@pytest.mark.parametrize("name", ["clock_gettime", "gettimeofday", "time", "clock_getres",
                                  "getcpu"])
def test_a_loader_finds_the_function_by_name_and_version(name):
    assert f"__vdso_{name}@@LINUX_2.6" in readelf("--dyn-syms")


def test_the_image_needs_no_relocation_and_no_data():
    assert "no relocations" in readelf("-r")
    assert " .data " not in readelf("-S") and " W" not in readelf("-l").split("Section to")[0]
