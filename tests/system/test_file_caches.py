"""What programs say of how they read a file decides how it is cached."""
import hashlib
import json
import os
import random
import re
import threading
import time

import pytest
from conftest import CHAOS, LONG
from launcher import session, variants

pytestmark = pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="looks at objects, which Linux has not")

# A storm chooses other caches by itself, all the time.
calm = pytest.mark.skipif(bool(CHAOS), reason="is about which cache a file has")
LARGE = 48 << 20
SMALL = 2 << 20
MAPPED = (8 << 20) + 100


def live(guest, name):
    lines = guest.run(["cat", "/proc/k42/classes"]).output.decode().split("\n")
    return next(int(line.split()[1]) for line in lines if line.startswith(name + " "))


def pages_of_files(guest):
    lines = guest.run(["cat", "/proc/k42/counts"]).output.decode().split("\n")
    return next(int(line.split()[1]) for line in lines if line.startswith("frames.files "))


def send_mapped(guest):
    with open(os.path.join(variants.folder("release"), "tests", "programs", "mapped"), "rb") as program:
        guest.run(["sh", "-c", "cat > /bin/mapped; chmod +x /bin/mapped"], program.read())


@pytest.fixture(scope="module")
def guest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    for name, size in [("large", LARGE), ("small", SMALL)] + [(name, MAPPED) for name in ("plain", "blocks", "advised")]:
        (folder / name).write_bytes(random.Random(size).randbytes(size))
    with session.Session("k42", 1, "192M", shares=[(str(folder), "/srv")]) as started:
        started.wait_until_ready()
        started.folder = folder
        send_mapped(started)
        yield started


def sum_of(guest, name):
    return hashlib.md5((guest.folder / name).read_bytes()).hexdigest().encode()


@calm
def test_a_file_that_would_drive_others_out_passes_through_a_few_pages(guest):
    before = pages_of_files(guest)
    done = guest.run(["sh", "-c", "cat /srv/large | md5sum"])  # cat says that it reads in order
    assert done.output.split()[0] == sum_of(guest, "large"), done
    assert live(guest, "fcm.stream") == 1
    assert pages_of_files(guest) - before < 2000


@calm
def test_a_file_that_fits_stays_for_the_next_who_reads_it(guest):
    before = pages_of_files(guest)
    for _ in range(2):
        done = guest.run(["sh", "-c", "cat /srv/small | md5sum"])
        assert done.output.split()[0] == sum_of(guest, "small"), done
    assert live(guest, "fcm.stream") == 1
    assert pages_of_files(guest) - before >= SMALL / 4096


def test_who_looks_at_an_open_file_is_told_its_cache_without_asking_the_host(guest):
    """What is known of the file's attributes is too old by then."""
    done = guest.run(["bash", "-c", "exec 9< /srv/plain; read -N 1 byte <&9; sleep 2; "
                      "k42ctl objects --interface fcm --json"])
    owned = [one for one in json.loads(done.output)["objects"] for owner in one["owners"]
             if owner.get("file") == "/srv/plain"]
    assert owned, done


def test_pages_that_a_program_does_not_need_any_more_go(guest):
    """However they are kept."""
    counts = []
    for _ in range(4 if CHAOS else 1):
        for program in (["dd", "if=/srv/small", "iflag=nocache", "count=0"], ["md5sum", "/srv/small"]) * 2:
            done = guest.run(program)
            assert not done.status, done
            assert program[0] == "dd" or done.output.split()[0] == sum_of(guest, "small"), done
            counts.append(pages_of_files(guest))
    gone, there, gone_again, there_again = counts[:4]
    assert max(counts[::2]) <= gone + 100  # dd itself has some
    if not CHAOS:  # of some caches a file has just a few pages
        assert min(there, there_again) - gone_again >= SMALL / 4096 - 100


def touch(guest, name, *how):
    """Faults of a program that touches each page of a file, and kB of page tables that took."""
    done = guest.run(["mapped", "/srv/" + name, *how])
    found = re.fullmatch(r"(\d+) pages: (\d+) faults, \d+ us, (-?\d+) kB of tables, right\n", done.output.decode())
    assert not done.status and found and int(found[1]) == MAPPED // 4096 + 1, done
    return int(found[2]), int(found[3])


@calm
def test_a_mapped_file_takes_a_fault_a_block_and_no_table_in_large_pages(guest):
    faults, tables = touch(guest, "plain")
    assert faults >= MAPPED >> 16 and tables >= 4 * (MAPPED >> 21)
    guest.run(["k42ctl", "swap", "--file", "/srv/blocks", "fcm.large"])
    assert live(guest, "fcm.large") == 1
    for how in "shared", "private", "shared":
        faults, tables = touch(guest, "blocks", how)
        assert faults <= (MAPPED >> 21) + 8 and tables <= 16, (how, faults, tables)
    assert guest.run(["md5sum", "/srv/blocks"]).output.split()[0] == sum_of(guest, "blocks")
    # They go to another class and come back.
    guest.run(["k42ctl", "swap", "--file", "/srv/blocks", "fcm.shared"])
    touch(guest, "blocks")
    guest.run(["k42ctl", "swap", "--file", "/srv/blocks", "fcm.large"])
    assert touch(guest, "blocks")[0] <= (MAPPED >> 21) + 8
    # What is written to one goes to the host, and it stays one.
    guest.run(["sh", "-c", "printf 0123456 | dd of=/srv/blocks bs=1 seek=5000000 conv=notrunc; sync"])
    assert (guest.folder / "blocks").read_bytes()[5000000:5000007] == b"0123456"
    assert touch(guest, "blocks")[0] <= (MAPPED >> 21) + 8


@calm
def test_a_program_asks_for_large_pages_of_a_file(guest):
    before = live(guest, "fcm.large")
    assert guest.run(["mapped", "/srv/advised", "advise"]).status == 0
    while live(guest, "fcm.large") == before:  # by a thread of the kernel's, for which nobody waits
        time.sleep(0.1)
    assert touch(guest, "advised")[0] <= (MAPPED >> 21) + 8


# Two programs see right words of a file that does not fit into what it may have, whatever becomes of its cache.
BLOCKS_UNDER_LOAD = """
exec 3< /srv/blocks; k42ctl swap --file /srv/blocks fcm.large
for how in shared private; do
    (while [ ! -e /tmp/over ]; do mapped /srv/blocks $how; done > /tmp/$how) &
done
for round in $(seq $ROUNDS); do
    set -- pm.arc pm.clock pm.2q pm.mru pm.turns; shift $((round % 5)); echo 3 $1 1800 > /proc/k42/replacement
    for class in fcm.shared fcm.stream fcm.partitioned fcm.small; do
        for to in $class fcm.large; do
            k42ctl swap --file /srv/blocks $to --attempts 8 --deadline 5s > /dev/null || echo not $to
            dd if=/srv/blocks bs=1M count=3 skip=$round of=/dev/null 2> /dev/null
        done
    done
done
touch /tmp/over; wait; cat /tmp/shared /tmp/private
"""


def test_blocks_come_and_go_under_programs_that_have_them_mapped(tmp_path):
    (tmp_path / "blocks").write_bytes(random.Random(7).randbytes(MAPPED))
    with session.Session("k42", 2, "256M", shares=[(str(tmp_path), "/srv")]) as guest:
        guest.wait_until_ready()
        send_mapped(guest)
        rounds = "20" if LONG else "1"
        done = guest.run(["env", "ROUNDS=" + rounds, "sh", "-c", BLOCKS_UNDER_LOAD], limit=400)
    lines = [line for line in done.output.decode().splitlines() if " now, by format " not in line]
    assert not done.status and not done.errors and len(lines) >= 2, done
    assert not [line for line in lines if not line.endswith(", right")]


def test_a_file_of_the_host_is_named_where_it_is_mapped_open_or_mounted(guest):
    """Also when what is known of it is old, so the host has to be asked."""
    done = guest.run(["bash", "-c", "cp /bin/sleep /srv/nap; exec 5< /srv/small; /srv/nap 100 & sleep 1.5;"
                      "grep -c ' /srv/nap$' /proc/$!/maps; sleep 1.5; cat /proc/$$/fdinfo/5; sleep 1.5;"
                      "grep -c '0:0 / /srv' /proc/self/mountinfo; kill $!"])
    lines = done.output.decode().splitlines()
    assert int(lines[0]) >= 4 and "pos:\t0" in lines and lines[-1] == "0", done


OPENED_WHILE_WRITTEN = """
yes 12345678 | head -c 300000 > /tmp/good; good=$(md5sum < /tmp/good)
touch /srv/f
(while [ ! -e /tmp/over ]; do true < /srv/f; done) & opener=$!
for n in $(seq $ROUNDS); do
    cat /tmp/good > /srv/f
    for k in 1 2 3 4; do [ "$(md5sum < /srv/f)" = "$good" ] || echo lost; done
done
touch /tmp/over; wait $opener; cmp /srv/f /tmp/good
"""


def test_what_is_being_written_back_is_not_taken_for_somebody_elses_change(tmp_path):
    """Whoever opens the file meanwhile sees a size at the host that is one of many on the way."""
    with session.Session("k42", 2, "256M", shares=[(str(tmp_path), "/srv")]) as guest:
        guest.wait_until_ready()
        rounds = "300" if LONG else "12"
        done = guest.run(["env", "ROUNDS=" + rounds, "sh", "-c", OPENED_WHILE_WRITTEN],
                         limit=1000 if LONG else 300)
        assert done.status == 0 and not done.output, done
    assert (tmp_path / "f").read_bytes() == (b"12345678\n" * 40000)[:300000]


@pytest.fixture(scope="module")
def sharing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sharing")
    with session.Session("k42", 2, "256M", shares=[(str(folder), "/srv")]) as started:
        started.wait_until_ready()
        started.folder = folder
        yield started


def prints(guest, script):
    done = guest.run(["bash", "-c", script])
    assert done.status == 0 and not done.errors, done
    return done.output


def test_what_somebody_else_has_changed_is_seen_when_it_is_opened(sharing):
    prints(sharing, "echo ours > /srv/f; sync; sleep 1.1; cat /srv/f")
    for size in (70000, 10):
        (sharing.folder / "f").write_bytes(b"x" * size)
        assert prints(sharing, "sleep 1.1; cat /srv/f") == b"x" * size


def test_what_somebody_else_changes_after_our_own_writing_is_not_taken_for_ours(sharing):
    """Nobody opens the file in between; with nothing but another time, or also of another size."""
    for text in (b"hers", b"theirs, and longer") if LONG else (b"hers",):
        prints(sharing, "printf ours > /srv/after; sync")
        (sharing.folder / "after").write_bytes(text)
        os.utime(sharing.folder / "after", ns=(0, 123456789012345678))
        assert prints(sharing, "sleep 1.1; cat /srv/after") == text


# Several files at once: with an odd number somebody asks for the file's name meanwhile, and nobody for
# what is told with it.
WRITTEN_TWICE = """
one() {
    cat /srv/long$1 > /tmp/before$1; exec 5<> /srv/long$1; printf ours >&5; sync
    if [ $(($1 % 2)) = 1 ]; then sleep 1.1; readlink /srv/long$1; fi; touch /srv/open$1
    until [ -e /srv/go$1 ]; do sleep 0.1; done; sleep 1.1; printf ours >&5; sync; exec 5>&-
    sleep 1.1; cat /tmp/before$1 /srv/long$1 > /tmp/seen$1
}
for n in $(seq $FILES); do one $n & done; wait; for n in $(seq $FILES); do cat /tmp/seen$n; done"""


def test_what_somebody_else_changes_before_we_write_again_is_not_taken_for_ours(sharing):
    """In a file that we have open, and know a page of that is another one then."""
    folder, count = sharing.folder, 8 if LONG else 2
    numbers = range(1, count + 1)

    def change():
        for number in numbers:
            while not (folder / f"open{number}").exists():
                time.sleep(0.05)
            with open(folder / f"long{number}", "r+b") as file:
                file.seek(8192)
                file.write(b"theirs")
            (folder / f"go{number}").touch()

    for number in numbers:
        (folder / f"long{number}").write_bytes(b"a" * 12288)
    changing = threading.Thread(target=change)
    changing.start()
    said = prints(sharing, f"FILES={count}" + WRITTEN_TWICE)
    changing.join()
    wanted = b"oursours" + b"a" * 8184 + b"theirs" + b"a" * 4090
    assert said == (b"a" * 12288 + wanted) * count
    assert all((folder / f"long{number}").read_bytes() == wanted for number in numbers)


def test_a_name_that_somebody_else_gives_to_another_file_leads_to_that(sharing):
    """Also while the old one is known; and a file that gets the old one's number is not the old one."""
    folder = sharing.folder
    for n in range(8 if LONG else 1):
        (folder / "name").write_bytes(b"old" * 5000)
        number = os.stat(folder / "name").st_ino
        prints(sharing, "sleep 1.1; stat /srv/name > /dev/null")
        (folder / "other").write_bytes(b"new%d" % n)
        os.replace(folder / "other", folder / "name")
        assert prints(sharing, "cat /srv/name") == b"new%d" % n
        names = [f"again{i}" for i in range(10)]
        for name in names:
            (folder / name).write_bytes(name.encode() * 999)
        again = [name for name in names if os.stat(folder / name).st_ino == number]
        for name in again or names[:1]:
            assert prints(sharing, "cat /srv/" + name) == name.encode() * 999
        for name in names + ["name"]:
            os.remove(folder / name)
        if again:
            break
