"""What programs say of how they read a file decides how it is cached."""
import hashlib
import os
import random

import pytest
from launcher import session

pytestmark = pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="looks at objects, which Linux has not")

LARGE = 48 << 20
SMALL = 2 << 20


def live(guest, name):
    lines = guest.run(["cat", "/proc/k42/classes"]).output.decode().split("\n")
    return next(int(line.split()[1]) for line in lines if line.startswith(name + " "))


def pages_of_files(guest):
    lines = guest.run(["cat", "/proc/k42/counts"]).output.decode().split("\n")
    return next(int(line.split()[1]) for line in lines if line.startswith("frames.files "))


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    for name, size in ("large", LARGE), ("small", SMALL):
        (folder / name).write_bytes(random.Random(size).randbytes(size))
    with session.Session("k42", 1, "192M", shares=[(str(folder), "/srv")]) as started:
        started.wait_until_ready()
        started.folder = folder
        yield started


def sum_of(guest, name):
    return hashlib.md5((guest.folder / name).read_bytes()).hexdigest().encode()


def test_a_file_that_would_drive_others_out_passes_through_a_few_pages(guest):
    before = pages_of_files(guest)
    done = guest.run(["sh", "-c", "cat /srv/large | md5sum"])  # cat says that it reads in order
    assert done.output.split()[0] == sum_of(guest, "large"), done
    assert live(guest, "fcm.stream") == 1
    assert pages_of_files(guest) - before < 2000


def test_a_file_that_fits_stays_for_the_next_who_reads_it(guest):
    before = pages_of_files(guest)
    for _ in range(2):
        done = guest.run(["sh", "-c", "cat /srv/small | md5sum"])
        assert done.output.split()[0] == sum_of(guest, "small"), done
    assert live(guest, "fcm.stream") == 1
    assert pages_of_files(guest) - before >= SMALL / 4096


def test_pages_that_a_program_does_not_need_any_more_go(guest):
    before = pages_of_files(guest)
    done = guest.run(["dd", "if=/srv/small", "iflag=nocache", "count=0"])
    assert not done.status, done
    assert pages_of_files(guest) <= before - SMALL / 4096 + 100  # dd itself has some
    done = guest.run(["md5sum", "/srv/small"])
    assert done.output.split()[0] == sum_of(guest, "small"), done
