"""Devices of the emulator, as the kernel's drivers use them: disks, host directories, consoles."""
import os
import struct
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import qemu  # noqa: E402

BUILD = os.environ.get("K42_BUILD", os.path.join(ROOT, "build", "release"))
RELEASE = os.path.join(BUILD, "kernel", "k42.elf")
DEBUG = os.path.join(os.path.dirname(BUILD), "debug", "kernel", "k42.elf")
LIMIT = 240  # seconds, for a guest that hangs
DISK_BYTES = 8 << 20
KERNELS = [
    RELEASE,
    pytest.param(DEBUG, marks=pytest.mark.skipif(not os.path.exists(DEBUG),
                                                 reason="the debug variant is not built")),
]


def run(append, cpus, kernel, devices):
    guest = qemu.Guest(kernel, cpus=cpus, append=append)
    guest.command += devices
    ended = guest.run(LIMIT, capture=True)
    assert not ended.timed_out, ended.text
    return ended


def passes(group, cpus, kernel, devices, more=""):
    ended = run(f"test={group} {more}", cpus, kernel, devices)
    assert ended.status == 0, ended.text
    assert f"test={group} on {cpus} CPUs: " in ended.text and ", 0 failed" in ended.text
    return ended.text


def disk(path, name, more=""):
    if not os.path.exists(path):
        path.write_bytes(bytes(DISK_BYTES))
    return ["-drive", f"file={path},format=raw,if=none,id={name}{more}",
            "-device", f"virtio-blk-pci,drive={name}"]


def two_disks(folder):
    return disk(folder / "a", "a") + disk(folder / "b", "b", ",readonly=on")


@pytest.mark.parametrize("kernel", KERNELS, ids=["release", "debug"])
@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_the_checks_of_disks_pass(cpus, kernel, tmp_path):
    assert passes("devices", cpus, kernel, two_disks(tmp_path))


@pytest.mark.parametrize("off", ["event_idx=off", "indirect_desc=off", "num-queues=1,vectors=2",
                                 "queue-size=8,seg-max-adjust=on", "disable-legacy=on"])
def test_a_disk_may_offer_less(off, tmp_path):
    devices = two_disks(tmp_path)
    devices[3] += "," + off
    assert passes("devices", 2, RELEASE, devices)


def test_a_disk_behind_bridges_is_found(tmp_path):
    devices = two_disks(tmp_path)
    devices[3] += ",bus=inner"
    bridges = ["-device", "pcie-root-port,id=root1", "-device", "pcie-pci-bridge,id=outer,bus=root1",
               "-device", "pci-bridge,id=inner,bus=outer,chassis_nr=1"]
    # Disks are named in the order of their buses: the one behind the bridges comes last.
    devices = devices[4:] + bridges + devices[:4]
    said = run("exit", 2, RELEASE, devices).text
    assert "block vda: 16384 sectors of 512 bytes, 2 queues, read-only" in said
    assert "block vdb: 16384 sectors of 512 bytes, 2 queues\n" in said


def test_what_was_flushed_is_in_the_file(tmp_path):
    assert passes("disk_marks", 2, RELEASE, disk(tmp_path / "a", "a"))
    words = struct.unpack("<512Q", (tmp_path / "a").read_bytes()[4096 * 512:][:4096])
    assert list(words) == [(42 + i) * 0x9e3779b97f4a7c15 % 2**64 for i in range(512)]


FAULTS = """[inject-error]
event = "read_aio"
errno = "5"
sector = "2048"

[inject-error]
event = "flush_to_disk"
errno = "5"
"""


def test_errors_of_a_disk_are_reported_with_their_sector(tmp_path):
    (tmp_path / "a").write_bytes(bytes(DISK_BYTES))
    (tmp_path / "faults").write_text(FAULTS)
    drive = (f"driver=raw,file.driver=blkdebug,file.config={tmp_path}/faults,"
             f"file.image.driver=file,file.image.filename={tmp_path}/a,if=none,id=a")
    said = passes("disk_errors", 2, RELEASE,
                  ["-drive", drive,
                   "-device", "virtio-blk-pci,drive=a,werror=report,rerror=report"])
    assert "block vda: read of 8 sectors at 2048 failed" in said
    assert "block vda: flush" in said


def test_a_machine_without_devices_boots():
    assert "devices: " in run("exit", 2, RELEASE, []).text
