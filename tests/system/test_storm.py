"""Chaos in earnest: programs that call objects of every class, while a storm swaps those objects.

What the programs write is what they wrote before the storm, and the storm says what it did: how
often, how much of it with calls under way, and which class became which. With K42_LONG=1 ten minutes,
and then the numbers are held against what is asked of them, and what is left behind against what
there was before; otherwise some seconds, since a machine that is busy with other things has no
numbers, and some seconds are not enough for every table to have grown to the most there will be.
"""
import os

import pytest
from conftest import CPUS, agree, natively
from launcher import session
from test_chaos import told
from test_robustness import program_bytes, what_there_is

SUITE_TIMEOUT_SECONDS = 300
PACKAGES = ("python3", "sqlite3", "postmark")
LONG = os.environ.get("K42_LONG") == "1"
SECONDS = 600 if LONG else 10
RATE = {1: 1000, 2: 1000, 4: 200}
TIMES, SHARE = 100, 0.3
pytestmark = pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="Linux has no objects")
SCRIPT = os.path.join(os.path.dirname(__file__), "scripts", "storm.sh")

# What is known of a folder of the host, and how much of a disk is in memory, depends on how often it
# was used.
AT_REST = "umount /srv && cat /dev/vda > /dev/null"
PLAIN = ("fcm.shared", "node.ramfs.directory.list")
AT_WORK = "mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288 share0 /srv"


def script():
    with open(SCRIPT, "rb") as file:
        return file.read()


@pytest.fixture(scope="module", params=CPUS or [2])
def guest(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("share")
    (folder / "large").write_bytes(os.urandom(3_000_001))
    disk = tmp_path_factory.mktemp("disk") / "disk"
    disk.write_bytes(os.urandom(8 << 20))
    devices = ["-drive", f"file={disk},format=raw,if=none,id=a", "-device", "virtio-blk-pci,drive=a"]
    with session.Session("k42", request.param, "1G", PACKAGES, shares=[(str(folder), "/srv")],
                         variant=os.environ.get("K42_KERNEL", "release"), more=devices) as one:
        one.wait_until_ready()
        one.cpus = request.param
        for name, data in (("storm.sh", script()), ("abuse", program_bytes())):
            one.run(["sh", "-c", f"cat > /bin/{name}; chmod +x /bin/{name}"], data)
        one.run(["sh", "-c", "k42ctl chaos on; sleep 1; k42ctl chaos off"])  # now it knows all pairs
        # Else a program that goes another way than before comes upon pages that nobody had used.
        assert one.run(["abuse", "resident", "/"]).status == 0
        yield one


def work(guest, what, limit):
    done = guest.run(["env", "HOST=/srv", "DISK=/dev/vda", "bash", "/bin/storm.sh", str(what)],
                     limit=limit)
    assert done.status == 0 and not done.errors, done
    return done.output.decode()


def at_rest(guest):
    """Objects are of any class after a storm, and classes differ in what memory they take: here all
    that can be the same become the same, and those that keep the least."""
    _, pairs = told(guest)
    lasts = {start: max((end in PLAIN, end) for other, end in pairs if other == start)[1]
             for start, _ in pairs}
    swaps = [f"k42ctl swap --class {start} {last} --attempts 20" for start, last in lasts.items()
             if start != last]
    done = guest.run(["bash", "-c", "\n".join(["{", *swaps, "} > /dev/null 2>&1", AT_REST])])
    assert done.status == 0, done
    found = what_there_is(guest)
    assert guest.run(AT_WORK.split()).status == 0
    return found


def test_programs_that_call_every_class_notice_nothing_of_a_storm(guest, capsys):
    natives = "text base mail threads"
    wanted = natively(("env", f"PARTS={natives}", "bash", "-s", "learn"), script(), PACKAGES)
    got = guest.run(["env", f"PARTS={natives}", "bash", "/bin/storm.sh", "learn"], limit=300)
    agree("output", got.output, wanted.output)
    work(guest, "learn", 300)
    said = in_a_storm(guest, SECONDS)
    counts, pairs = told(guest)
    with capsys.disabled():
        print("\n" + tell(counts, pairs))
    # Some tables have grown to the most there was, and stay; what is left from now on is left over.
    for _ in range(3 if LONG else 0):
        before = at_rest(guest)
        said += in_a_storm(guest, SECONDS // 10)
        after = at_rest(guest)
        if not more(before, after):
            break
    if "differs" in said:
        pytest.fail(said, pytrace=False)
    if LONG and (left := more(before, after)):
        pytest.fail(f"before, after: {left}", pytrace=False)
    assert counts["failed"] == counts["without_memory"] == 0
    assert counts["to_other"] and counts["to_itself"] and counts["with_calls"]


def tell(counts, pairs):
    swaps = counts["to_other"] + counts["to_itself"]
    least = sorted(pairs.items(), key=lambda one: one[1])[:5]
    return (f"{swaps} swaps, {swaps * 1000 // max(counts['milliseconds'], 1)} a second, "
            f"{counts['to_itself']} to itself, {counts['with_calls'] * 100 // max(swaps, 1)} % with "
            f"calls, {counts['late']} late, {counts['vanished']} vanished; {len(pairs)} pairs, the "
            f"least: " + ", ".join(f"{a} to {b} {n}" for (a, b), n in least))


def more(before, after):
    """What there is more of than before; tables that have grown may shrink."""
    return {name: (before.get(name), number) for name, number in after.items()
            if number > before.get(name, 0)}


def in_a_storm(guest, seconds):
    assert guest.run(["k42ctl", "chaos", "on", "--rate", "1000", "--seed", "7"]).status == 0
    said = work(guest, seconds, seconds + 600)
    assert guest.run(["k42ctl", "chaos", "off"]).status == 0
    return said


def surely(guest, *words):
    """What may fail while calls do, until it does not."""
    for _ in range(100):
        done = guest.run(words, limit=SECONDS + 300)
        if done.status == 0:
            return done
    pytest.fail(f"{words} failed a hundred times: {done}")


@pytest.mark.skipif(not LONG, reason="takes long: K42_LONG=1")
def test_where_calls_fail_programs_see_errors_of_files_and_nothing_else(guest):
    script = """cd /tmp; for n in 1 2 3; do
        python3 /bin/clean_errors.py $SECONDS_EACH; [ $? -lt 128 ] || echo WRONG: status $?
    done; rm -rf /tmp/file /tmp/other /tmp/folder /tmp/y"""
    with open(os.path.join(os.path.dirname(SCRIPT), "clean_errors.py"), "rb") as file:
        guest.run(["sh", "-c", "cat > /bin/clean_errors.py"], file.read())
    each = f"SECONDS_EACH={SECONDS // 6 + 1}"
    surely(guest, "env", each, "bash", "-c", script)
    before = at_rest(guest)
    surely(guest, "k42ctl", "chaos", "on", "--rate", "500", "--delay", "50", "--fail", "100")
    done = surely(guest, "env", each, "bash", "-c", script)
    surely(guest, "k42ctl", "chaos", "off")
    surely(guest, "bash", "-c", "rm -rf /tmp/file /tmp/other /tmp/folder /tmp/y")
    after = at_rest(guest)
    said = done.output.decode()
    counts, _ = told(guest)
    assert "WRONG" not in said
    saw = {word for line in said.splitlines() if line.startswith("saw") for word in line.split()[1:]}
    assert saw <= {"EIO", "ENOSPC", "ENOMEM", "ENOENT", "EEXIST", "ENOTEMPTY"}
    assert counts["answered"] and counts["delayed"] and counts["without_memory"]
    if LONG and (left := more(before, after)):
        pytest.fail(f"before, after: {left}", pytrace=False)


def test_no_class_with_objects_was_left_out(guest):
    """In the long run each pair a hundred times, and at the rate and share that are asked for."""
    counts, pairs = told(guest)
    live = {name for name, number, _ in (line.split() for line in guest.run(
        ["cat", "/proc/k42/classes"]).output.decode().splitlines()) if int(number)} - {"file.proc"}
    assert live <= {start for (start, _), times in pairs.items() if times}
    if not LONG:
        return
    swaps = counts["to_other"] + counts["to_itself"]
    ever = live | {start for (start, _), times in pairs.items() if times}
    assert not {pair: times for pair, times in pairs.items()
                if times < TIMES and pair[0] in ever - {"file.proc"}}
    assert swaps * 1000 / counts["milliseconds"] >= 0.95 * RATE.get(guest.cpus, 200)
    assert counts["with_calls"] >= SHARE * swaps
