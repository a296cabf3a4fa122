"""Hostile callers: every call with each bad argument in turn gives what Linux gives, and the kernel goes on
(tests/sweep). That nothing is left of them says test_robustness.py."""
import pytest
from conftest import agree, natively
from launcher import sweep

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)
LIMIT = 400
RUN = ("sh", "-c", "cat > /tmp/sweep; chmod +x /tmp/sweep; rm -rf /tmp/swept; mkdir /tmp/swept; "
       "cd /tmp/swept; exec /tmp/sweep < /dev/null")

NEWER = "Linux says so from later versions on than the one that K42 does as"
SIZES = "how large a file may be is its file system's matter"
LARGE = "most least 2g-1 2g 4g-1"
# What is not compared: (call, argument, or -1 for no bad one) -> (which values, why).
GAPS = {
    **{(call, 0): ("epoll", NEWER) for call in ("pread64", "pwrite64", "preadv", "pwritev", "preadv2",
                                                "pwritev2", "ioctl")},
    **{(call, at): ("low unmapped forbidden across user's-end non-canonical kernel last", NEWER)
       for call, at in (("execve", 1), ("execve", 2), ("execveat", 2), ("execveat", 3))},
    **{(call, at): ("most", SIZES) for call, at in (("truncate", 1), ("ftruncate", 1))},
    ("fallocate", 3): ("most 2g-1 2g 4g-1", "room is kept, of which a guest's memory has less than a disk"),
    **{(call, 0): ("epoll event", NEWER) for call in ("fchmod", "fchown", "sync_file_range")},
    ("write", 0): ("event", NEWER), ("sendfile", 1): ("epoll", NEWER),
    ("setsockopt", 4): ("-1 most 2g 4g-1", NEWER), ("io_uring_register", 0): ("-1", NEWER),
    ("mprotect", 1): (LARGE, "which mappings follow is not the same"),
    ("readv", 0): ("event", "a counter is asked even for nothing"),
    ("writev", 0): ("event", "a counter is asked even for nothing"),
    ("shmget", 1): ("most", "memory is refused when it is used, not when it is asked for"),
    ("futex", 0): ("forbidden read-only", "who wakes does not look at the word"),
    ("mbind", 1): (LARGE, "gaps are told of whatever the policy"),
    ("pkey_alloc", -1): ("base", "there are no keys, which Linux tells the first caller otherwise"),
    ("pkey_mprotect", 1): ("-1", "which of two errors is told"),
}


def program():
    with open(sweep.program(), "rb") as file:
        return file.read()


@pytest.fixture(scope="module")
def wanted():
    return sweep.parted(natively(RUN, program(), (), limit=LIMIT).output)


@pytest.fixture(scope="module")
def got(machine):
    done = machine.run(RUN, program(), limit=LIMIT)
    assert done.status == 0, done
    return sweep.parted(done.output)


def compared(name, lines):
    """The answers that are to agree; each line begins with the argument's number, or tells of none."""
    kept = []
    for line in lines:
        what, answers = line.split(": ", 1)
        values, _ = GAPS.get((name, int(what) if what.isdigit() else -1), ("", None))
        kept.append(f"{what}: " + " ".join(answer for answer in answers.split()
                                           if answer.split("=")[0] not in values.split()))
    return "\n".join(kept).encode()


@pytest.mark.parametrize("name", sweep.names())
def test_bad_arguments_give_what_they_give_natively(name, got, wanted):
    agree("answers", compared(name, got[name]), compared(name, wanted[name]))


def test_what_changes_the_machine_does_no_harm_with_bad_arguments(machine):
    if machine.kernel != "k42":
        pytest.skip("the kernel that is tested is K42")
    done = machine.run((*RUN[:2], RUN[2] + " " + " ".join(sorted(sweep.MACHINE))), program(),
                       limit=LIMIT)
    assert done.status == 0, done
    swept = sweep.parted(done.output)
    assert set(swept) == sweep.MACHINE & set(sweep.names(True)) and all(swept.values())
