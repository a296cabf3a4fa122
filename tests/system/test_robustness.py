"""What a guest is made to suffer leaves nothing behind: errors are Linux's, the kernel goes on, and
what there is in it is afterwards what there was before (host/launcher/left.py says what counts).
"""
import os
import struct

import pytest
from conftest import only_long
from launcher import abi, session, sweep, variants
from launcher.left import bring_program, calm, program_bytes, unlike, what_there_is

SUITE_TIMEOUT_SECONDS = 600
GUESTS = os.environ.get("K42_GUEST", "k42").split(",")
pytestmark = pytest.mark.skipif(GUESTS != ["k42"], reason="Linux does not say what there is in it")


@pytest.fixture(scope="module", autouse=True)
def program(machine):
    bring_program(machine)


def leaves_nothing(guest, *words, once_before=False, **more):
    """Once, unless it has been before, to have what stays for ever, like tables that have grown; then
    it counts."""
    if not once_before:
        guest.run(words, **more)
    before = what_there_is(guest)
    done = guest.run(words, **more)
    after = what_there_is(guest)
    assert not unlike(before, after), f"after {' '.join(words)}"
    assert done.status == 0, done
    return done


def test_a_guest_at_rest_stays_as_it_is(machine):
    leaves_nothing(machine, "true")


def test_what_is_left_is_seen(machine):
    """The counts can fail: a file, a mount and a program that stay are found."""
    machine.run(["abuse", "left"])
    before = what_there_is(machine)
    machine.run(["sh", "-c", "mount -t tmpfs none /mnt; echo x > /mnt/file; sleep 1000 & "])
    seen = unlike(before, what_there_is(machine))
    machine.run(["sh", "-c", "umount /mnt"])
    assert {"node.ramfs.regular", "node.ramfs.directory.list", "heap bytes"} <= set(seen)


def test_that_somebody_has_chosen_a_class_is_not_taken_for_what_is_left(machine):
    """It is remembered, as long as the object lives, in a table that stays once it is there."""
    with calm(machine):
        assert not machine.run(["k42ctl", "swap", "--class", "pm.turns"]).status
    leaves_nothing(machine, "k42ctl", "swap", "--class", "fcm.device", once_before=True)


@pytest.mark.parametrize("what", ["exec", "bomb", "descriptors", "mounts", "killed", "stages"])
def test_abuse_ends_as_on_linux_and_leaves_nothing(machine, what):
    machine.same(["sh", "-c", f"cat > /tmp/abuse; chmod +x /tmp/abuse; exec /tmp/abuse {what}"],
                 program_bytes(), limit=200)
    machine.run(["rm", "/tmp/abuse"])
    leaves_nothing(machine, "abuse", what, once_before=True, limit=200)


@pytest.mark.parametrize("case", ["events/inotify", "files/handles", "races/watched_files"])
def test_cases_that_watch_or_hold_files_leave_nothing(machine, case):
    with open(abi.program(), "rb") as file:
        machine.run(["sh", "-c", "cat > /bin/abi; chmod +x /bin/abi"], file.read())
    leaves_nothing(machine, "abi", case, limit=200)


@only_long
def test_hostile_callers_leave_nothing(machine):
    """But what System V keeps for others until it is removed."""
    with open(sweep.program(), "rb") as file:
        machine.run(["sh", "-c", "cat > /bin/sweep; chmod +x /bin/sweep"], file.read())
    leaves_nothing(machine, "sh", "-c", "mkdir /tmp/swept; cd /tmp/swept; sweep < /dev/null > /dev/null; "
                   "cd /; rm -rf /tmp/swept; ipcrm --all", limit=200)


def test_memory_that_is_refused_is_not_kept(machine):
    done = leaves_nothing(machine, "bash", "-c", "ulimit -v 60000; exec abuse hog", limit=200)
    assert done.output == b"mmap: ENOMEM\n"


def test_conversations_with_the_kernel_leave_nothing_however_they_end(machine):
    leaves_nothing(machine, "bash", "-c", """
        for n in $(seq 4); do
            k42ctl watch --pid 1 --what all --interval 1000s & watch=$!
            for m in $(seq $n); do k42ctl swap --class descriptors.array; done
            k42ctl swap --class node.ramfs.regular & swap=$!
            kill -KILL $watch; kill -KILL $swap; wait
        done > /dev/null 2>&1""", limit=200)


def test_one_conversation_is_used_by_several_at_once_and_leaves_nothing(machine):
    """Whose request comes while another's swaps go on is refused; nothing is mixed up or lost."""
    ids = [*range(4096, 4160), *range(5632, 5664), *range(99000, 99032)]
    request = (struct.pack("<IHHIIQ", 24 + 272 + 4 * len(ids), 1, 6, len(ids), 0, 0)
               + struct.pack("<48s48s160sQII", b"", b"", b"", 10**7, 2, 0)
               + struct.pack(f"<{len(ids)}I", *ids))
    machine.run(["sh", "-c", "cat > /tmp/request"], request)
    done = leaves_nothing(machine, "bash", "-c", """exec 9<> /dev/k42
        for n in 1 2 3; do
            (for m in $(seq 4); do
                cat /tmp/request >&9; dd bs=200k count=1 <&9 2>&1 > /tmp/answer-$n | tail -n 1
            done) &
        done 2> /tmp/refused; wait; sort -u /tmp/refused; rm /tmp/refused /tmp/answer-*""", limit=200)
    machine.run(["rm", "/tmp/request"])
    answers = {int(line.split()[0]) for line in done.output.splitlines() if b"copied" in line}
    assert answers <= {0, 24 + 360 * len(ids)} and len(answers) == 2 - (0 not in answers)
    assert {line for line in done.output.splitlines() if b"copied" not in line} <= {
        b"cat: write error: Device or resource busy"}


def test_files_in_memory_are_refused_at_their_limit_and_given_back(machine):
    done = leaves_nothing(machine, "sh", "-c", "mount -t tmpfs -o size=8M none /mnt; "
                          "abuse fill /mnt; umount /mnt", limit=200)
    assert done.output == b"write: ENOSPC\n"


def test_what_finds_files_by_number_shrinks_with_them(machine):
    """Numbers are never given again; what is kept of old ones would add up."""
    def nodes():
        with calm(machine):
            lines = machine.run(["abuse", "left"]).output.decode().splitlines()
        return next(int(line.split()[1]) for line in lines if "inode-numbers" in line)
    script = "mkdir /tmp/many; cd /tmp/many; for n in {1..1500}; do : > $n; done; rm -r /tmp/many"
    counts = []
    for _ in range(2):
        assert machine.run(["bash", "-c", script], limit=200).status == 0
        counts.append(nodes())
    # 1,500 numbers: the last node is another one, and there may be one for what has just begun.
    assert counts[1] <= counts[0] + 4


def test_a_hog_is_ended_by_name_and_leaves_nothing():
    with session.Session("k42", 2, "256M") as guest:
        guest.wait_until_ready()
        guest.run(["sh", "-c", "cat > /bin/abuse; chmod +x /bin/abuse"], program_bytes())
        for _ in range(2):
            before = what_there_is(guest)
            done = guest.run(["bash", "-c", "sleep 1000 & abuse hog; s=$?; kill $!; "
                              "rm -rf /tmp/abuse-*; exit $s"],
                             limit=200)
        after = what_there_is(guest)
        with open(guest.log, errors="replace") as log:
            said = log.read()
    assert done.status == 137 and not unlike(before, after)
    assert said.count("out of memory: killing abuse (") == 2


@pytest.mark.parametrize("contents", [b"", b"070701", b"070701" + b"f" * 104, b"x" * 5000,
                                      b"070701" + b"0" * 88 + b"ffffffff" + b"0" * 4096])
def test_a_spoilt_archive_is_not_the_end(tmp_path, contents):
    from launcher import qemu
    (tmp_path / "archive").write_bytes(contents)
    kernel = os.path.join(variants.folder("release"), "kernel", "k42.elf")
    ended = qemu.Guest(kernel, cpus=1, append="exit", initrd=str(tmp_path / "archive")).run(
        60, capture=True)
    assert ended.status == 0 and not ended.timed_out, ended.text


def test_a_folder_of_the_host_is_walked_a_thousand_times(tmp_path):
    for number in range(4):
        (tmp_path / f"d{number}").mkdir()
        for name in "abc":
            (tmp_path / f"d{number}" / name).write_text(name)
    with session.Session("k42", 2, "512M", shares=[(str(tmp_path), "/srv")]) as guest:
        guest.wait_until_ready()
        guest.run(["sh", "-c", "cat > /bin/abuse; chmod +x /bin/abuse"], program_bytes())
        done = leaves_nothing(guest, "abuse", "walk", "/srv", limit=250)
    assert done.output == b"17 entries\n"
