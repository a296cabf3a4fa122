"""Programs need more memory than there is: private pages go to a swap and come back as they were,
whatever happens meanwhile. And files are given replacement policies of their own."""
import os
import struct
import time

import pytest
from conftest import CPUS, KERNELS, LONG, only_long
from launcher import session, variants

SUITE_TIMEOUT_SECONDS = 600
MEMORY, DISK_MIB, SMALL_MIB = "128M", 256, 24
LIMIT = 1024  # frames
PROGRAMS = ("paging", "paging_forks", "paging_locks")
VARIANTS = KERNELS or ["release"]
# Seconds after which a program hangs; all of these wait for a disk most of the time.
HANGS = 240 * max(variants.find(name).patience for name in VARIANTS)


def machines():
    cpus = CPUS or ([1, 2, 4] if LONG else [2])
    return [(count, variant) for variant in VARIANTS for count in cpus]



def disk(folder, name, mib, number):
    path = folder / name
    with open(path, "wb") as file:
        file.truncate(mib << 20)
    return ["-drive", f"file={path},format=raw,if=none,id=d{number}",
            "-device", f"virtio-blk-pci,drive=d{number}"]


@pytest.fixture(scope="module", params=machines(), ids=lambda one: "-".join(map(str, one)))
def guest(request, tmp_path_factory):
    cpus, variant = request.param
    folder = tmp_path_factory.mktemp("disks")
    share = tmp_path_factory.mktemp("share")
    devices = disk(folder, "large", DISK_MIB, 0) + disk(folder, "small", SMALL_MIB, 1)
    with session.Session("k42", cpus, MEMORY, variant=variant, more=devices,
                         shares=[(str(share), "/srv/s")]) as one:
        one.wait_until_ready()
        for name in PROGRAMS:
            with open(os.path.join(variants.folder("release"), "tests", "programs", name),
                      "rb") as file:
                sh(one, f"cat > /tmp/{name}; chmod +x /tmp/{name}", file.read())
        sh(one, "mkswap /dev/vda; mkswap /dev/vdb")
        one.share = share
        yield one


def sh(guest, script, data=b"", status=0, limit=HANGS):
    done = guest.run(["/bin/sh", "-c", script], data, limit=limit)
    assert done.status == status, done.output.decode() + done.errors.decode()
    return done.output.decode().strip()


def used(guest):
    lines = sh(guest, "cat /proc/swaps").splitlines()[1:]
    return {line.split()[0]: int(line.split()[3]) for line in lines}


def wait_until_unused(guest, most=0):
    """Pages of programs that have ended are forgotten at relief's next turn; a few are of those
    that are still there."""
    for _ in range(60):
        now = sum(used(guest).values())
        if now <= most:
            return
        time.sleep(0.5)
    pytest.fail(f"{now} KiB of the swap are still used")


@pytest.fixture
def swap(guest):
    sh(guest, "swapon /dev/vda")
    yield guest
    sh(guest, "swapoff /dev/vda")
    assert used(guest) == {}


def free_mib(guest):
    return int(sh(guest, "grep MemFree /proc/meminfo").split()[1]) >> 10


# At work: swapon, swapoff
def test_programs_see_the_swap(swap):
    assert list(used(swap)) == ["/dev/vda"]
    lines = dict(line.split(":") for line in sh(swap, "cat /proc/meminfo").splitlines())
    assert int(lines["SwapTotal"].split()[0]) == (DISK_MIB << 10) - 4
    assert sh(swap, "free | grep Swap").split()[1] == str((DISK_MIB << 10) - 4)


def test_more_memory_is_used_than_there_is_and_every_page_is_right(swap):
    mib = free_mib(swap) * (3 if LONG else 2) // 2 + 8
    assert sh(swap, f"/tmp/paging {mib}") == "right"
    wait_until_unused(swap, 2048)


@only_long
def test_children_have_what_they_inherited_and_what_they_wrote(swap):
    mib = free_mib(swap) * 9 // 10
    assert sh(swap, f"/tmp/paging {mib} 3") == "right"
    wait_until_unused(swap, 2048)


@only_long
def test_a_swap_is_taken_away_while_it_is_used(swap):
    mib = free_mib(swap) * 2 // 3
    out = sh(swap, f"swapon /dev/vdb; /tmp/paging {mib} & /tmp/paging {mib // 2} & "
                   "for n in 1 2 3; do sleep 0.3; swapoff /dev/vdb && swapon -p 5 /dev/vdb; done; "
                   "wait; swapoff /dev/vdb")
    assert out.split() == ["right", "right"]


@only_long
def test_what_was_killed_leaves_nothing_behind(swap):
    mib = free_mib(swap) + 24
    for delay in ("0.3", "0.6", "1", "1.5"):
        sh(swap, f"/tmp/paging {mib} 1 & sleep {delay}; kill -9 $!; wait; true")
    wait_until_unused(swap, 2048)


@only_long
def test_a_full_swap_ends_a_program_and_nothing_else(guest):
    sh(guest, "swapon /dev/vdb")
    mib = free_mib(guest) + 2 * SMALL_MIB
    done = guest.run(["/tmp/paging", str(mib)], limit=HANGS)
    assert done.status not in (0, 1), done.output
    assert sh(guest, "/tmp/paging 8") == "right"
    wait_until_unused(guest, 2048)
    sh(guest, "swapoff /dev/vdb")
    assert used(guest) == {}


@only_long
def test_a_file_of_the_host_is_a_swap_as_well(guest):
    sh(guest, "dd if=/dev/zero of=/srv/s/swap bs=1M count=64 2>/dev/null; chmod 600 /srv/s/swap; "
              "mkswap /srv/s/swap; swapon /srv/s/swap")
    assert "file" in sh(guest, "grep srv /proc/swaps")
    assert sh(guest, f"/tmp/paging {free_mib(guest) + 12}") == "right"
    sh(guest, "swapoff /srv/s/swap")
    assert used(guest) == {}


def test_a_page_that_cannot_be_read_ends_its_program_alone(swap):
    """The first page that is to come back is answered with an error by the disk's FR. It is to be the
    program that wants it: the kernel looks into memory of one that has restartable sequences, and
    looks twice."""
    mib = free_mib(swap) + 8
    done = swap.run(["sh", "-c", "export GLIBC_TUNABLES=glibc.pthread.rseq=0; "
                     f"/tmp/paging 2 & k42ctl interpose --class fr.block --method fill "
                     f"--error EIO --calls 1 -- /tmp/paging {mib}; echo $?; wait $!"], limit=HANGS)
    assert sorted(done.output.decode().split()) == ["135", "right"], done.errors
    assert sh(swap, f"/tmp/paging {mib}") == "right" if LONG else sh(swap, "/tmp/paging 8") == "right"
    wait_until_unused(swap, 2048)


@only_long
def test_a_swap_that_cannot_be_written_is_as_none(swap):
    """Who does not fit is killed, and nobody reads anything but what he wrote."""
    mib = free_mib(swap)
    done = swap.run(["sh", "-c", "/tmp/paging 4 & k42ctl interpose --class fr.block --method write "
                     f"--error EIO -- sh -c '/tmp/paging {mib + 24}; echo $?; /tmp/paging {mib // 2}'; "
                     "wait $!"], limit=HANGS)
    assert sorted(done.output.decode().split()) == ["137", "right", "right"], done.errors
    assert sh(swap, f"/tmp/paging {mib + 8}") == "right"
    wait_until_unused(swap, 2048)


SWAP_HEADER = struct.pack("<II", 1, (DISK_MIB << 8) - 1)


@only_long
@pytest.mark.parametrize("failures", (None, 10), ids=("all", "some"))
@pytest.mark.parametrize("cpus, variant", machines())
def test_a_disk_answers_late_that_a_page_could_not_be_written(cpus, variant, failures, tmp_path):
    rules = "".join(f'[inject-error "e{n}"]\nevent = "write_aio"\nerrno = "5"\n'
                    f'once = "{"on" if failures else "off"}"\n' for n in range(failures or 1))
    (tmp_path / "rules").write_text(rules)
    with open(tmp_path / "disk", "wb") as file:
        file.truncate(DISK_MIB << 20)
        file.seek(1024)
        file.write(SWAP_HEADER)
        file.seek(4096 - 10)
        file.write(b"SWAPSPACE2")
    disk = ["-drive", f"file=blkdebug:{tmp_path}/rules:{tmp_path}/disk,format=raw,if=none,id=d0",
            "-device", "virtio-blk-pci,drive=d0"]
    with session.Session("k42", cpus, MEMORY, variant=variant, more=disk) as guest:
        guest.wait_until_ready()
        with open(os.path.join(variants.folder("release"), "tests", "programs", "paging"),
                  "rb") as file:
            sh(guest, "cat > /tmp/paging; chmod +x /tmp/paging; swapon /dev/vda", file.read())
        mib = free_mib(guest)
        done = guest.run(["sh", "-c", f"/tmp/paging 4 & /tmp/paging {mib + 24}; echo $?; wait $!"],
                         limit=HANGS)
        end = ["0", "right", "right"] if failures else ["137", "right"]
        assert sorted(done.output.decode().split()) == end, done.errors
        assert sh(guest, f"/tmp/paging {mib // 2}") == "right"
        sh(guest, "swapoff /dev/vda")


SWAP_POLICIES = """(echo next pm.clock 1024 > /proc/k42/replacement; exec /tmp/paging 6 $CHILDREN) & program=$!
while kill -0 $program 2> /dev/null; do
    for policy in pm.2q pm.arc pm.mru pm.turns pm.clock; do
        k42ctl swap --pid $program --what policy $policy > /dev/null 2> /tmp/why || break
        grep " 1024 " /proc/k42/replacement
    done
done
wait $program"""


def runs_with_swapped_policies(swap, children):
    done = swap.run(["/bin/sh", "-c", f"CHILDREN={children}; " + SWAP_POLICIES], limit=HANGS)
    lines = done.output.decode().splitlines()
    seen = [line.split() for line in lines if " pm." in line]
    assert all(int(values[2]) <= 1024 for values in seen)
    for _ in range(60):
        if " 1024 " not in sh(swap, "cat /proc/k42/replacement"):
            break
        time.sleep(0.5)
    else:
        pytest.fail("the program's PM is still there")
    wait_until_unused(swap, 2048)
    said = [line for line in lines if " pm." not in line]
    return done.status, said, {values[1] for values in seen}


def test_a_program_has_a_policy_and_a_limit_of_its_own_that_are_swapped_under_it(swap):
    status, said, policies = runs_with_swapped_policies(swap, 0)
    assert (status, said) == (0, ["right"]) and len(policies) > 1


@only_long
def test_a_fork_with_a_full_limit_is_made_and_leaves_nothing(swap):
    """Both sides compare what they have while PMs are swapped under them."""
    for _ in range(5):
        assert runs_with_swapped_policies(swap, 1)[:2] == (0, ["right"])


def at_a_limit(swap, command, frames=LIMIT):
    """Runs a program with a limit of frames; afterwards none of them is used. Slots neither, but for
    pages of others that have nothing to do; swapoff would not end if nobody had one that is used."""
    before = sum(used(swap).values())
    out = sh(swap, f"echo next pm.clock {frames} > /proc/k42/replacement; exec {command}")
    for _ in range(60):
        if f" {frames} " not in sh(swap, "cat /proc/k42/replacement"):
            break
        time.sleep(0.5)
    else:
        pytest.fail("frames of the program are left")
    wait_until_unused(swap, before + 2048)
    return out


def counts(guest):
    lines = (line.split() for line in sh(guest, "cat /proc/vmstat").splitlines())
    return {name: int(value) for name, value in lines}


def test_pages_that_cannot_be_written_for_a_while_are_right(swap):
    assert at_a_limit(swap, "k42ctl interpose --class fr.block --method write --error EIO "
                            "--calls 10 -- /tmp/paging 5").split()[:1] == ["right"]


@only_long
def test_a_page_that_was_only_read_is_not_written_again(swap):
    """Each page is written once for its first contents, and every other one once more: whatever
    else goes out has been read many times since, and is few."""
    pages, reads = 6 << 8, 8
    before = counts(swap)
    assert at_a_limit(swap, f"/tmp/paging 6 0 {reads}") == "right"
    after = counts(swap)
    came = after["pswpin"] - before["pswpin"]
    went = after["pswpout"] - before["pswpout"]
    assert came >= reads * (pages - LIMIT)
    assert went <= pages + pages // 2 + pages // 4 < came


@pytest.mark.parametrize("seed", range(1, 5 if LONG else 2))
def test_a_family_with_a_full_limit_reads_what_each_wrote(swap, seed):
    steps = 240 if LONG else 120
    assert at_a_limit(swap, f"/tmp/paging_forks 6 {steps} {seed}") == "right"


@only_long
def test_a_fork_that_takes_many_tables_is_made_with_a_full_limit(swap):
    """An attempt takes more frames than relief sees to for one."""
    assert at_a_limit(swap, "/tmp/paging_forks 6 60 1 40") == "right"


EXECS = "/tmp/paging 6 0 1 & while kill -0 $! 2>/dev/null; do /bin/true || echo failed; done; wait $!"


@only_long
def test_programs_are_started_with_a_full_limit(swap):
    """Their first tables are taken when everything below the limit is used."""
    assert at_a_limit(swap, f"/bin/sh -c '{EXECS}'") == "right"


def test_locked_pages_stay_and_others_go(swap):
    """Its own, those it touches later, those that were moved and have grown, and a file's."""
    (swap.share / "locked").write_bytes(os.urandom(2 << 20))
    out = at_a_limit(swap, "/bin/sh -c 'exec 3</srv/s/locked; "
                           "echo 3 pm.clock 128 > /proc/k42/replacement; "
                           "exec /tmp/paging_locks 6 /srv/s/locked'")
    assert out.splitlines() == ["stay: 64 64 64 64", "go: 1 1 1 1", "right"]


@only_long
def test_a_family_that_does_not_fit_reads_what_each_wrote(swap):
    """Large pages are forked, too."""
    mib = free_mib(swap) * 3 // 4
    assert sh(swap, f"/tmp/paging_forks {mib} 200 1", limit=2 * HANGS) == "right"
    wait_until_unused(swap, 2048)


def test_who_is_at_a_limit_without_a_swap_is_killed_alone(guest):
    done = guest.run(["sh", "-c", "/tmp/paging 6 & echo next pm.arc 1024 > /proc/k42/replacement; "
                                  "sh -c '/tmp/paging 12; echo $?'; wait $!"], limit=HANGS)
    assert sorted(done.output.decode().split()) == ["137", "right"], done.errors


def test_what_is_no_swap_is_refused(guest):
    for what, why in (("/srv/s", "Invalid argument"), ("/srv/s/none", "No such file"),
                      ("/dev/null", "Invalid argument")):
        done = guest.run(["/bin/sh", "-c", f"swapon {what}"])
        assert done.status and done.errors, what
    (guest.share / "short").write_bytes(b"no swap" * 100)
    assert guest.run(["swapon", "/srv/s/short"]).status
    assert guest.run(["swapoff", "/dev/vda"]).status
    sh(guest, "swapon /dev/vda")
    assert guest.run(["swapon", "/dev/vda"]).status
    sh(guest, "swapoff /dev/vda")
    sh(guest, "cd /; ! setpriv --reuid 65534 --clear-groups swapon /dev/vda")


def test_a_file_gets_a_policy_and_a_limit(guest):
    (guest.share / "pages").write_bytes(os.urandom(2 << 20))
    sums = set()
    for policy in ("pm.clock", "pm.2q", "pm.arc", "pm.mru", "pm.turns"):
        out = sh(guest, f"exec 3</srv/s/pages; echo 3 {policy} 64 > /proc/k42/replacement; "
                        "cat <&3 | cksum; cat /srv/s/pages | cksum; "
                        f"grep '{policy} ' /proc/k42/replacement | grep ' 64 '")
        lines = out.splitlines()
        sums.update(lines[:2])
        values = lines[2].split()
        assert int(values[2]) <= 64 and int(values[5]) >= 2 * 512 - 64 - 512 // 2
    assert len(sums) == 1


def test_policies_are_refused_with_a_reason(guest):
    for text, why in (("99 pm.arc 10", "Bad file"), ("0 pm.none 10", "No such file"),
                      ("3 pm.arc", "Invalid"), ("3 pm.arc 0", "Invalid"), ("", "Invalid"),
                      ("3 fcm.shared 10", "No such file"), ("next pm.arc", "Invalid"),
                      ("next pm.none 5", "No such file"), ("next pm.arc 0", "Invalid")):
        done = guest.run(["/bin/bash", "-c",
                          f"exec 3</srv/s/pages; echo '{text}' > /proc/k42/replacement"])
        assert why in done.errors.decode(), (text, done.errors)
