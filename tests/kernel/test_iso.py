"""The disc that ./k42 iso makes boots under both kinds of firmware, and the kernel on it is small."""
import os
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import iso, qemu  # noqa: E402

LIMIT = 240  # seconds
LARGEST = 2 << 20  # of a kernel without what only debuggers read
SUITE_TIMEOUT_SECONDS = 600


@pytest.fixture(scope="module")
def disc(tmp_path_factory):
    return iso.make(str(tmp_path_factory.mktemp("disc") / "k42.iso"), options=qemu.options("exit"))


@pytest.mark.parametrize("firmware", [[], ["-bios", iso.FIRMWARE]], ids=["bios", "uefi"])
def test_the_disc_boots(disc, firmware):
    ended = qemu.Guest(disc=disc, cpus=2, more=firmware).run(LIMIT, capture=True)
    assert not ended.timed_out and ended.status == 0, ended.text
    assert "machine: 2 CPUs" in ended.text and "boot module: " in ended.text


def test_the_kernel_is_small(tmp_path):
    assert os.path.getsize(iso.stripped_kernel(str(tmp_path / "k42.elf"))) < LARGEST
