"""Hostile callers: every call with each bad argument in turn gives what Linux gives, the kernel goes on,
and nothing is left of it (tests/sweep)."""
import os

import pytest
from conftest import agree, natively
from launcher import sweep

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)
LIMIT = 400
LONG = os.environ.get("K42_LONG") == "1"
RUN = ("sh", "-c", "cat > /tmp/sweep; chmod +x /tmp/sweep; rm -rf /tmp/swept; mkdir /tmp/swept; "
       "cd /tmp/swept; exec /tmp/sweep < /dev/null")

NEWER = "Linux says so from later versions on than the one that K42 does as"
SIZES = "how large a file may be is its file system's matter"
# (call, argument) -> why the line is not compared.
GAPS = {
    ("write", 0): NEWER, ("ioctl", 0): NEWER, ("setsockopt", 4): NEWER, ("fchmod", 0): NEWER,
    ("fchown", 0): NEWER, ("execve", 1): NEWER, ("execve", 2): NEWER, ("execveat", 2): NEWER,
    ("execveat", 3): NEWER, ("pread64", 0): NEWER, ("pwrite64", 0): NEWER, ("preadv", 0): NEWER,
    ("pwritev", 0): NEWER, ("preadv2", 0): NEWER, ("pwritev2", 0): NEWER, ("sendfile", 1): NEWER,
    ("sync_file_range", 0): NEWER,
    ("truncate", 1): SIZES, ("ftruncate", 1): SIZES, ("fallocate", 3): SIZES,
    ("mprotect", 1): "which mappings follow is not the same",
    ("readv", 0): "a counter is asked even for nothing",
    ("writev", 0): "a counter is asked even for nothing",
    ("shmget", 1): "memory is refused when it is used, not when it is asked for",
    ("mlock", 0): "memory that may not be used is locked when it may", ("mlock2", 0): "as mlock",
    ("futex", 0): "who wakes does not look at the word",
    ("mbind", 1): "gaps are told of whatever the policy",
    ("pkey_alloc", None): "there are no keys, which Linux tells the first caller in another way",
    ("pkey_mprotect", 1): "which of two errors is told", ("io_uring_register", 0): NEWER,
    ("set_mempolicy_home_node", None): "a mapping counts as one with a policy",
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
    """The lines that are to agree; each begins with the argument's number."""
    if (name, None) in GAPS:
        return b""
    return "\n".join(line for line in lines
                     if not any(line.startswith(f"{at}:") for call, at in GAPS if call == name)).encode()


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
