"""Devices of the emulator, as the kernel's drivers use them: disks, host directories, consoles."""
import os
import random
import re
import socket
import struct
import sys
import tempfile
import threading
import time

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


# ---- streams ----

class Talk(threading.Thread):
    """The other side of a stream: sends bytes, and gathers as many that come back."""

    def __init__(self, socket_, data, hang_up=False, wait_for=b""):
        super().__init__(daemon=True)
        self.socket, self.data, self.hang_up, self.wait_for = socket_, data, hang_up, wait_for
        self.received = b""
        self.start()

    def send(self):
        self.socket.sendall(self.data)
        if self.hang_up:
            # What is on its way is delivered first, then the hang-up.
            while len(self.received) < len(self.data):
                time.sleep(0.01)
            self.socket.close()

    def run(self):
        before = b""
        while self.wait_for not in before:
            before += self.socket.recv(65536)
        threading.Thread(target=self.send, daemon=True).start()
        while len(self.received) < len(self.data):
            more = self.socket.recv(65536)
            if not more:
                return
            self.received += more


def talks_back(group, cpus, kernel, streams, serial=None, controller="virtio-serial-pci"):
    """Runs a group of checks whose streams are given as device words and what is said there."""
    ours, theirs, words = [], [], ["-device", controller] if controller else []
    for number, (device, _) in enumerate(streams):
        pair = socket.socketpair()
        ours.append(pair[0])
        theirs.append(pair[1])
        words += ["-chardev", f"socket,id=c{number},fd={pair[1].fileno()}"]
        words += ["-device", f"{device},chardev=c{number}"] if device else []
    with tempfile.TemporaryFile() as log:
        guest = qemu.Guest(kernel, cpus=cpus, append=f"test={group} no-terminals", more=words,
                           serial=serial or "stdio").start(
                               [one.fileno() for one in theirs], stdout=log, stderr=log)
        talks = [Talk(one, **said) for one, (_, said) in zip(ours, streams)]
        try:
            returncode = guest.wait(LIMIT)
        finally:
            qemu.end(guest)
            guest.wait()
        for one in ours + theirs:
            one.close()
        for talk in talks:
            talk.join(LIMIT)
        log.seek(0)
        text = log.read().decode(errors="replace")
    assert qemu.status_of(returncode, text) == 0, text
    for talk in talks:
        # On the serial port the kernel speaks, too, when it is done.
        assert talk.received[:len(talk.data)] == talk.data
    return text


def noise(count):
    return random.Random(count).randbytes(count)


@pytest.mark.parametrize("kernel", KERNELS, ids=["release", "debug"])
@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_ports_bring_and_take_bytes_also_while_they_are_swapped(cpus, kernel):
    ports = [("virtserialport,name=org.k42.echo", {"data": noise(3 << 20)}),
             ("virtserialport,name=org.k42.swapped", {"data": noise(3 << 20)}),
             ("virtserialport,name=org.k42.ending", {"data": noise(100000), "hang_up": True})]
    assert talks_back("streams", cpus, kernel, ports)


def test_a_console_of_a_device_with_ports_is_hvc0():
    assert talks_back("console", 2, RELEASE, [("virtconsole", {"data": noise(5000)})])


@pytest.mark.parametrize("kernel", KERNELS, ids=["release", "debug"])
@pytest.mark.parametrize("cpus", [1, 4])
def test_the_serial_port_brings_and_takes_bytes(cpus, kernel):
    said = {"data": noise(20000), "wait_for": b"ready\r\n"}
    talks_back("serial", cpus, kernel, [(None, said)], serial="chardev:c0", controller=None)


# ---- folders of the host ----

def share(folder):
    """Fills a folder as the checks expect it, and gives the emulator's words for it."""
    (folder / "many").mkdir(parents=True)
    for number in range(300):
        (folder / "many" / f"f{number:03}").touch()
    (folder / "hello.txt").write_text("hello, guest\n")
    (folder / "large").write_bytes(struct.pack("<131072Q", *range(131072)))
    (folder / "link").symlink_to("hello.txt")
    return ["-fsdev", f"local,id=f0,path={folder},security_model=none,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=f0,mount_tag=share0"]


@pytest.mark.parametrize("kernel", KERNELS, ids=["release", "debug"])
@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_a_folder_of_the_host_is_read_and_written(cpus, kernel, tmp_path):
    assert passes("host_files", cpus, kernel, share(tmp_path / "share"))
    made = (tmp_path / "share" / "made").read_bytes()
    assert made == b"w" * 5000 + b"mid" + b"w" * 4997
    assert (tmp_path / "share" / "b").stat().st_mode == 0o100600
    assert sorted(one.name for one in (tmp_path / "share").iterdir()) == [
        "b", "cut", "hello.txt", "large", "link", "made", "many"]


def big_file(folder, bytes_):
    devices = share(folder)
    (folder / "big").write_bytes(os.urandom(bytes_))
    (folder / "small").write_bytes(os.urandom(300))
    return devices


@pytest.mark.parametrize("cpus", [1, 2] + ([4] if os.environ.get("K42_LONG") else []))
def test_the_classes_of_page_caches_take_each_others_place_under_load(cpus, tmp_path):
    assert passes("host_caches", cpus, RELEASE, big_file(tmp_path / "share", 1 << 20))


def said_of_costs(folder):
    """What the kernel says of reading two files with each class, instructions counted."""
    guest = qemu.Guest(RELEASE, append="test=filecosts", accelerator="tcg",
                       more=["-icount", "shift=0,sleep=off"])
    guest.command += big_file(folder, 16 << 20)
    ended = guest.run(LIMIT, capture=True)
    assert ended.status == 0, ended.text
    return ended.text


def numbers_by_class(form, text):
    return {name: [int(number) for number in numbers]
            for name, *numbers in re.findall(r"(fcm\.\w+): " + form, text)}


def test_each_class_of_page_caches_is_cheap_at_what_it_is_for(tmp_path):
    text = said_of_costs(tmp_path / "share")
    costs = numbers_by_class(r"(\d+) instructions a page, (\d+) requests, (\d+) waits, "
                             r"(\d+) of (\d+) pages stay", text)
    for name in ("fcm.shared", "fcm.stream"):
        instructions, requests, _, _, pages = costs[name]
        assert pages == 4096 and requests <= pages / 8, text
        assert instructions < 4000, text
    assert costs["fcm.shared"][3] == 4096, text
    assert costs["fcm.stream"][3] < 300 and costs["fcm.stream"][1] <= 300, text
    again = numbers_by_class(r"(\d+) instructions to read (\d+) bytes again, (\d+) pages", text)
    assert again["fcm.small"][1:] == [300, 0] and again["fcm.shared"][1:] == [300, 1], text
    assert again["fcm.small"][0] < again["fcm.shared"][0], text
    swaps = numbers_by_class(r"(\d+) instructions for a swap to it with (\d+) pages", text)
    assert len(swaps) == len(again) and max(took for took, _ in swaps.values()) < 20000, text
    assert {pages for _, pages in swaps.values()} == {4096}, text


def test_what_a_closed_file_has_is_written_back_without_a_sync(tmp_path):
    assert passes("host_write_back", 2, RELEASE, share(tmp_path / "share"))
    assert (tmp_path / "share" / "closed").read_text() == "written\n"


def test_a_device_that_takes_no_tables_of_pieces_will_do(tmp_path):
    devices = share(tmp_path / "share")
    devices[-1] += ",indirect_desc=off,event_idx=off"
    assert passes("host_files", 2, RELEASE, devices)
