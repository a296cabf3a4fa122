"""Guests for tests: one boot serves all tests of a file that want the same machine.

K42_GUEST says which kernels are tested, K42_KERNEL in which variants (the debug build has the
runtime's own checks) and K42_CPUS with how many processors, all lists with commas. ./k42 test uses
the release build with what a file's QUICK_CPUS says, and the debug build with QUICK_DEBUG_CPUS. With
K42_CHAOS=RATE that many random objects a second are swapped under each test. With K42_LONG=1 tests do
more. A test that ends its guest fails, and the next one gets a new guest.
"""
import difflib
import functools
import os
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

import reference  # noqa: E402
from gaps import GAPS  # noqa: E402
from launcher import session  # noqa: E402


def asked(name, otherwise=""):
    return [word for word in os.environ.get(name, otherwise).split(",") if word]


GUESTS = asked("K42_GUEST", "k42")
KERNELS = asked("K42_KERNEL")
CHAOS = session.CHAOS
LONG = os.environ.get("K42_LONG") == "1"
only_long = pytest.mark.skipif(not LONG, reason="takes long: K42_LONG=1")
CPUS = [int(text) for text in asked("K42_CPUS")]
MEMORY = "1G"


class Machine:
    """A guest that is there when it is needed."""

    def __init__(self, kernel, cpus, variant="release", packages=(), parts=tuple, memory=MEMORY):
        self.kernel, self.cpus, self.variant, self.memory = kernel, cpus, variant, memory
        self.packages, self.parts, self.guest = packages, parts, None

    def get(self):
        if not self.guest:
            image, _ = session.kernel_files(self.kernel, self.variant)
            if self.variant != "release" and not os.path.exists(image):
                pytest.skip(f"the {self.variant} variant is not built")
            self.guest = session.Session(self.kernel, self.cpus, self.memory, self.packages,
                                         variant=self.variant, parts=self.parts())
            self.guest.wait_until_ready()
        return self.guest

    def run(self, arguments, data=b"", **more):
        try:
            return self.get().run(arguments, data, **more)
        except BaseException:
            self.end()
            raise

    def sh(self, script, data=b"", shell="/bin/sh", **more):
        """Runs a script in a fresh folder."""
        return self.run(in_fresh_folder(script, shell), data, **more)

    def same(self, arguments, data=b"", **more):
        """Runs a command here and natively; both must write the same and end alike."""
        wanted = natively(tuple(arguments), data, tuple(self.packages), **more)
        got = self.run(arguments, data, **more)
        agree("output", got.output, wanted.output)
        agree("errors", got.errors, wanted.errors)
        assert got.status == wanted.status
        return got

    def same_sh(self, script, data=b"", shell="/bin/sh", **more):
        return self.same(in_fresh_folder(script, shell), data, **more)

    def end(self):
        if self.guest:
            self.guest.__exit__()
            self.guest = None


def agree(what, got, wanted):
    """Shows the lines in which the guest differs."""
    if got != wanted:
        sides = [text.decode(errors="replace").splitlines() for text in (wanted, got)]
        lines = difflib.unified_diff(*sides, f"{what} natively", f"{what} in the guest", "", "", 2, "")
        pytest.fail("\n".join(list(lines)[:80]) or f"{what} differ in bytes", pytrace=False)


def in_fresh_folder(script, shell):
    return [shell, "-c", "rm -rf /tmp/test; mkdir /tmp/test; cd /tmp/test || exit 99\n" + script]


@functools.cache
def linux_machine(packages):
    return Machine("linux", 2, packages=packages, memory="4G" if packages else MEMORY)


@functools.cache
def natively(arguments, data, packages, **more):
    if reference.is_possible():
        return reference.run(arguments, data, packages=packages, **more)
    return linux_machine(packages).run(arguments, data, **more)


def pytest_collection_modifyitems(items):
    """What K42 is known not to do yet is tried, and reported as expected, unless it would hang."""
    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        about = next((params[name] for name in ("applet", "name") if name in params), None)
        gap = GAPS.get(item.originalname) or GAPS.get((item.originalname, about))
        if gap and params["machine"][0] == "k42":
            reason, hangs = gap
            item.add_marker(pytest.mark.xfail(reason=reason, run=not hangs))


@functools.cache
def kinds(module):
    """The machines on which a file's tests run: kernel, processors, variant. The same tuples for
    all of a file's tests, since pytest keeps a fixture only as long as its parameter is identical.
    """
    quick, found = getattr(module, "QUICK_CPUS", (2,)), []
    for kernel in GUESTS:
        for variant in KERNELS or ["release"]:
            found += [(kernel, cpus, variant) for cpus in CPUS or quick]
        if kernel == "k42" and not KERNELS and not CPUS:
            found += [(kernel, cpus, "debug") for cpus in getattr(module, "QUICK_DEBUG_CPUS", ())]
    return found


def pytest_generate_tests(metafunc):
    if "machine" in metafunc.fixturenames:
        metafunc.parametrize("machine", list(kinds(metafunc.module)), indirect=True,
                             scope="module", ids=lambda one: "-".join(map(str, one)))


@pytest.fixture(scope="module")
def machine(request):
    """The machine on which a file's tests run; PACKAGES of the file adds to its root tree, and what
    its PARTS() gives. MEMORY is for trees that need more of it."""
    one = Machine(*request.param, tuple(getattr(request.module, "PACKAGES", ())),
                  getattr(request.module, "PARTS", tuple), getattr(request.module, "MEMORY", MEMORY))
    yield one
    one.end()


def pytest_unconfigure():
    if linux_machine.cache_info().currsize:
        linux_machine(()).end()
