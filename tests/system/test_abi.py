"""The cases of tests/abi give the same on K42 as natively: output, errors, exit status."""

import pytest
from conftest import agree, natively
from launcher import abi

SUITE_TIMEOUT_SECONDS = 900
QUICK_CPUS = (2,)
LIMIT = 800
RUN = ("sh", "-c", "cat > /tmp/abi && chmod +x /tmp/abi && /tmp/abi; echo $?")


def program():
    with open(abi.program(), "rb") as file:
        return file.read()


def parted(done):
    assert done.output.endswith(b"\n0\n") and not done.errors, done
    return abi.parted(done.output)


@pytest.fixture(scope="module")
def wanted():
    return parted(natively(RUN, program(), (), limit=LIMIT))


@pytest.fixture(scope="module")
def got(machine):
    return parted(machine.run(RUN, program(), limit=LIMIT))


@pytest.mark.parametrize("name", abi.names())
def test_a_case_gives_the_same_as_natively(name, got, wanted, machine, request):
    why = abi.difference(name)
    if why and machine.kernel == "k42":
        # It must differ, lest what it says be forgotten.
        request.applymarker(pytest.mark.xfail(reason=why, strict=True))
    lines, status = wanted[name]
    assert status == 0, "\n".join(["natively it does not do what it says:", *lines])
    agree("output", *("\n".join(one[0]).encode() + b"\n" for one in (got[name], wanted[name])))
    assert got[name][1] == 0


def test_a_call_that_there_is_not_is_named_once(machine, got):
    """The case system/no_such_calls has made it, and no other program."""
    if machine.kernel != "k42":
        pytest.skip("K42 says so on its console")
    said = machine.run(["dmesg"]).output.decode()
    assert said.count("uses system call 180 (nfsservctl), which there is not") == 1
