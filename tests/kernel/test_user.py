"""Tiny programs run by the kernel's own checks: entered and left on every processor, with and
without each feature, in two emulators."""
import os
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))
sys.path.insert(0, os.path.dirname(__file__))

from launcher import bochs, qemu  # noqa: E402
from test_boot import make_disc  # noqa: E402

BUILD = os.environ.get("K42_BUILD", os.path.join(ROOT, "build", "release"))
RELEASE = os.path.join(BUILD, "kernel", "k42.elf")
DEBUG = os.path.join(os.path.dirname(BUILD), "debug", "kernel", "k42.elf")
LIMIT = 240  # seconds, for a guest that hangs
only_long = pytest.mark.skipif(os.environ.get("K42_LONG") != "1", reason="only with --long")
FEATURES = ["nx", "smep", "smap", "umip", "fsgsbase", "xsave"]


def passes(cpus, append="", kernel=RELEASE, **more):
    ended = qemu.Guest(kernel, cpus=cpus, append="test=user " + append, **more).run(LIMIT,
                                                                                   capture=True)
    assert not ended.timed_out, ended.text
    assert ended.status == 0, ended.text
    assert f"test=user on {cpus} CPUs: " in ended.text and ", 0 failed" in ended.text
    return True


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_programs_run(cpus):
    assert passes(cpus)


@pytest.mark.skipif(not os.path.exists(DEBUG), reason="the debug variant is not built")
@pytest.mark.parametrize("cpus", [2, 4])
def test_programs_run_in_the_debug_build(cpus):
    assert passes(cpus, kernel=DEBUG)


@pytest.mark.parametrize("feature", FEATURES)
def test_programs_run_without_each_feature(feature):
    assert passes(2, "no-" + feature)


def test_programs_run_on_a_plain_processor():
    assert passes(2, processor="qemu64")


def test_programs_run_where_string_instructions_are_fast():
    ended = qemu.Guest(RELEASE, cpus=2, append="test=user",
                       processor="max,la57=off,pku=off").run(LIMIT, capture=True)
    assert ended.status == 0 and "string-moves" in ended.text, ended.text


@only_long
@pytest.mark.parametrize("cpus, options", [(1, ""), (2, ""), (2, "no-pcid no-xsave")])
def test_programs_run_on_the_second_machine(tmp_path, cpus, options):
    said = bochs.run(make_disc(tmp_path, "test=user " + options), tmp_path, LIMIT, cpus)
    assert f"test=user on {cpus} CPUs: " in said and ", 0 failed" in said, said
    assert ("pcid" in said) == (not options)


def test_a_system_call_takes_fewer_than_100_instructions():
    """Entry and return, and the loop of the program, in instructions, which the emulator counts."""
    ended = qemu.Guest(RELEASE, append="test=user_cost", accelerator="tcg",
                       more=["-icount", "shift=0,sleep=off"]).run(LIMIT, capture=True)
    line = next(line for line in ended.text.splitlines() if " calls that do nothing: " in line)
    assert float(line.split()[-2]) < 100, line
