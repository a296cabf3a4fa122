"""One call carries all that was asked for, however often it waits for pages of a file: of a folder
of the host, of a disk. And what programs ask a disk and a terminal, and that what runs from such a
folder stays as it is."""
import os

import pytest
from conftest import CPUS, GUESTS, MEMORY
from launcher import session

SUITE_TIMEOUT_SECONDS = 600
BYTES = 6_000_001
STEAL = os.path.join(os.path.dirname(__file__), "scripts", "steal.py")
DISK_BYTES = 8 << 20


@pytest.fixture(scope="module", params=GUESTS)
def guest(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("share")
    data = os.urandom(DISK_BYTES)
    (folder / "large").write_bytes(data[:BYTES])
    disk = tmp_path_factory.mktemp("disk") / "disk"
    disk.write_bytes(data)
    devices = ["-drive", f"file={disk},format=raw,if=none,id=a", "-device", "virtio-blk-pci,drive=a"]
    one = session.Session(request.param, (CPUS or [2])[0], MEMORY, ("python3-minimal",),
                          shares=[(str(folder), "/srv/s")], more=devices)
    with one:
        one.wait_until_ready()
        one.folder, one.data = folder, data
        yield one


def python(guest, text):
    done = guest.run(["python3", "-c", "import os\n" + text])
    assert done.status == 0, done.errors.decode()
    return done.output.decode().split()


def test_a_read_goes_on_to_the_end_of_the_file(guest):
    assert python(guest, "fd = os.open('/srv/s/large', 0)\n"
                         "print(len(os.read(fd, 1 << 24)), len(os.read(fd, 1 << 24)))") \
        == [str(BYTES), "0"]


def test_vectors_and_offsets_are_filled(guest):
    (guest.folder / "again").write_bytes(guest.data[:BYTES])
    assert python(guest, "fd = os.open('/srv/s/again', 0)\n"
                         "parts = [bytearray(1000003) for n in range(4)]\n"
                         "print(os.preadv(fd, parts, 777777), len(os.pread(fd, 1000000, 5500000)))\n"
                         "data = b''.join(parts)\n"
                         "print(data == open('/srv/s/again', 'rb').read()[777777:777777 + len(data)])"
                  ) == ["4000012", str(BYTES - 5500000), "True"]


def test_a_write_is_complete(guest):
    assert python(guest, "data = open('/srv/s/large', 'rb').read()\n"
                         "fd = os.open('/srv/s/out', os.O_RDWR | os.O_CREAT)\n"
                         "print(os.write(fd, data), os.pwrite(fd, data[:70000], 3000000))\n"
                         "os.fsync(fd)") == [str(BYTES), "70000"]
    wanted = guest.data[:3000000] + guest.data[:70000] + guest.data[3070000:BYTES]
    assert (guest.folder / "out").read_bytes() == wanted


def test_what_runs_from_a_folder_of_the_host_is_not_written_to(guest):
    done = guest.run(["sh", "-c", "cd /srv/s; cp /bin/sleep runs; ./runs 100 & child=$!\n"
                      "until [ \"$(readlink /proc/$child/exe)\" = /srv/s/runs ]; do :; done\n"
                      "true >> runs || echo busy\nkill $child; wait\ntrue >> runs && echo free\n"
                      "exec 7>> runs\n./runs 0 || echo refused"])
    assert done.output.split() == [b"busy", b"free", b"refused"], done


def test_a_disk_is_read_in_one_call(guest):
    assert python(guest, "import hashlib\nfd = os.open('/dev/vda', os.O_RDWR)\n"
                         "data = os.read(fd, 1 << 24)\n"
                         "print(len(data), os.pwrite(fd, data[::-1], 0), len(os.read(fd, 1)))\n"
                         "print(os.pread(fd, 1 << 24, 0) == data[::-1], data[:8].hex())") \
        == [str(DISK_BYTES), str(DISK_BYTES), "0", "True", guest.data[:8].hex()]


def test_a_disk_tells_its_size(guest):
    done = guest.run(["blockdev", "--getsize64", "--getsz", "--getss", "--getpbsz", "/dev/vda"])
    assert (done.output.decode().split(), done.errors) == ([str(DISK_BYTES), "16384", "512", "512"], b"")


def test_what_is_no_disk_does_not(guest):
    done = guest.run(["blockdev", "--getsize64", "/srv/s/large"])
    assert done.status and b"ioctl" in done.errors


def test_a_terminal_is_taken_from_others_by_an_administrator_alone(guest):
    with open(STEAL, "rb") as script:
        done = guest.run(["python3", "-"], script.read())
    assert done.output.decode().splitlines() == [
        "first takes 0", "again 0", "has one None", "second takes Operation not permitted",
        "steals as anybody Operation not permitted", "steals 0", "has one None", "foreground True",
        "lost it No such device or address"]
