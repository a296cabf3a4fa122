"""What only the second machine has (x2APIC, the TSC's deadline timer, PCID), named and switched off one
by one; and, with K42_LONG=1, the kernel's checks there, and on 64 processors in the first."""
import os
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))
sys.path.insert(0, os.path.dirname(__file__))

from launcher import bochs, qemu  # noqa: E402
from test_boot import RELEASE, make_disc  # noqa: E402

LIMIT = 300  # seconds, for a guest that hangs
SUITE_TIMEOUT_SECONDS = 900
FEATURES = ["x2apic", "tsc-deadline", "pcid"]
OTHERS = ["nx", "smep", "fsgsbase", "huge-pages", "xsave", "hpet"]
GROUPS = ["user", "threads", "policies", "wait", "runtime", "memory", "space", "clock",
          "stress seconds=2"]
only_long = pytest.mark.skipif(os.environ.get("K42_LONG") != "1", reason="only with --long")


def passes(said, group, cpus):
    assert f"test={group.split()[0]} on {cpus} CPUs: " in said and ", 0 failed" in said, said
    return True


def boot(folder, group, options="", cpus=2):
    """Passes the group's checks; returns the names of what the kernel uses of the machine."""
    said = bochs.run(make_disc(folder, f"test={group} {options}"), folder, LIMIT, cpus)
    assert passes(said, group, cpus)
    return next(line for line in said.splitlines() if "machine: " in line).split(", ")[3:]


@only_long
def test_what_is_switched_off_is_not_used(tmp_path):
    """All at once."""
    assert not set(FEATURES) & set(boot(tmp_path, "boot", " ".join("no-" + name for name in FEATURES)))


@pytest.mark.parametrize("feature", [
    feature if feature == "pcid" else pytest.param(feature, marks=only_long) for feature in FEATURES])
def test_a_feature_is_used_unless_it_is_switched_off(feature, tmp_path):
    used = boot(tmp_path, "boot", "no-" + feature)
    assert feature not in used and set(FEATURES) - {feature} <= set(used)


@only_long
@pytest.mark.parametrize("options", ["", *("no-" + name for name in FEATURES + OTHERS),
                                     " ".join("no-" + name for name in FEATURES)])
@pytest.mark.parametrize("group", ["boot", "user"])
def test_programs_and_the_machine_do_with_less(group, options, tmp_path):
    used = boot(tmp_path, group, options)
    assert all(name in used for name in FEATURES if "no-" + name not in options.split())
    assert not any("no-" + name in options.split() for name in used)


@only_long
@pytest.mark.parametrize("cpus", [1, 2, 4])
@pytest.mark.parametrize("group", GROUPS)
def test_the_checks_pass_on_the_second_machine(group, cpus, tmp_path):
    boot(tmp_path, group, cpus=cpus)


@only_long
@pytest.mark.parametrize("group", ["boot", *GROUPS])
def test_the_checks_pass_on_64_processors(group):
    guest = qemu.Guest(RELEASE, cpus=64, memory="2G", append="test=" + group)
    ended = guest.run(3 * LIMIT, capture=True)  # what all wait for, each of 64 comes to in turn
    assert not ended.timed_out and ended.status == 0, ended.text
    assert passes(ended.text, group, 64)
