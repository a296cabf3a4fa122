"""The table of Linux's calls says what the sources say, and what is proven is read rightly."""
import os
import sys

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import abi, calls  # noqa: E402


def test_the_table_is_what_the_sources_say():
    with open(calls.PAGE) as file:
        assert file.read() == calls.page(), "./k42 calls writes it anew"


def test_numbers_and_names_are_those_of_this_machines_headers():
    with open("/usr/include/x86_64-linux-gnu/asm/unistd_64.h") as file:
        words = [line.split() for line in file if line.startswith("#define __NR_")]
    theirs = {name.removeprefix("__NR_"): int(number) for _, name, number in words}
    ours = {one.name: one.number for one in calls.table().values()}
    assert theirs.items() <= ours.items()


def test_what_a_case_proves_is_read_from_its_calls():
    text = """
        int fd = works(open, "a, b", O_RDONLY);
        gives(sizeof(struct x), read, fd, f(a, b), 1);
        fails(EBADF, close,
              -1);
        fails_on_bad_paths(chdir, path);
        ends(exit, 3);
    """
    assert abi.proven(text) == {("open", "works"), ("read", "works"), ("close", "EBADF"),
                                ("exit", "works"), *(("chdir", one) for one in abi.PATH_ERRORS)}


def test_what_a_test_shows_at_work_is_read_from_its_line():
    text = "# At work: swapon, swapoff\ndef test_x():\n    # At work: mount\n"
    assert abi.shown(text) == {("swapon", "works"), ("swapoff", "works")}


def call(errors, is_there=True, lacks=None):
    one = calls.Call(1, "name", errors.split())
    one.is_there, one.lacks = is_there, lacks
    return one


def test_a_call_is_done_when_every_outcome_has_a_case():
    proven = {("name", "works"), ("name", "EINVAL")}
    assert call("EINVAL").state(proven)[0] == "done"
    assert call("EINVAL EPERM").state(proven) == ("partly", "no case for `EPERM`")
    assert call("EINVAL").state({("name", "EINVAL")}) == ("partly", "no case in which it works")
    assert call("never EINVAL").state({("name", "EINVAL")})[0] == "done"
    assert call("EINVAL", lacks="half of it").state(proven) == ("partly", "half of it")
    assert call("EINVAL", is_there=False).state(proven)[0] == "not"
    assert call("EINVAL", lacks="all of it; nobody minds").state(proven)[0] == "not"
    assert call("ENOSYS", is_there=False).state({("name", "ENOSYS")})[0] == "done"
    assert call("ENOSYS", is_there=False).state(set())[0] == "not"
