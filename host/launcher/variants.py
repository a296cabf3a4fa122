"""The ways of building everything, each in its own folder under build/.

A variant is a set of Meson options; the same sources and the same tests everywhere. Building is
guarded by a lock per variant, so that two commands may run at once.
"""
import fcntl
import hashlib
import json
import os
import shutil
import time

from launcher import progress
from launcher.tree import Trouble, built, environment, path, sources


# What a guest is made of.
GUEST = ("kernel/k42.elf", "guest/init", "guest/k42ctl")


class Variant:
    def __init__(self, about, options, compiler="gcc", patience=1, quick=None):
        self.about = about
        self.options = options
        self.compiler = compiler
        self.patience = patience  # how much longer than in release a test may take
        self.quick = quick  # what is built for ./k42 test, which then runs no suite of it; None: all


# Lines and functions alone, for reports and backtraces: a quarter less to compile.
BRIEF = ["-Ddebug=false", "-Dc_args=-g1"]

VARIANTS = {
    "release": Variant("gcc -O2, both flavours of the library, tests of the %gs one",
                       ["-Doptimization=2", "-Dstress_seconds=15"]),
    "debug": Variant("not optimised, with the runtime's own checks",
                     ["-Doptimization=0", "-Dchecks=true"], patience=3),
    "asan": Variant("AddressSanitizer and UndefinedBehaviorSanitizer",
                    ["-Doptimization=1", "-Db_sanitize=address,undefined", *BRIEF], patience=4),
    "tsan": Variant("ThreadSanitizer; TLS flavour, since it cannot see %gs",
                    ["-Doptimization=1", "-Db_sanitize=thread", "-Dflavours=tls", *BRIEF], patience=8),
    "tls": Variant("gcc -O2, the flavour that leaves %gs alone",
                   ["-Doptimization=2", "-Dflavours=tls", *BRIEF], quick=("core/libk42-tls.a",)),
    "clang": Variant("clang -O2", ["-Doptimization=2", "-Dflavours=gs", *BRIEF], compiler="clang",
                     quick=(*GUEST, "core/libk42.a")),
}

# Not a way of testing: what is installed, without tests and examples.
PACKAGE = Variant("what ./k42 install installs", ["-Doptimization=2", "-Dproducts_only=true"])
# Not one either: what ./k42 bench advisors compares the kernel with.
UNADVISED = Variant("a kernel without advisors",
                    ["-Doptimization=2", "-Dflavours=gs", "-Dadvisors=false"])
# What leads ./k42 fuzz.
COVERED = Variant("a kernel that counts which of its code a program comes through",
                  ["-Doptimization=2", "-Dflavours=gs", "-Dcoverage=true"])


def find(name):
    if name not in VARIANTS:
        raise Trouble(f"no variant is called '{name}'", "there are: " + ", ".join(VARIANTS))
    return VARIANTS[name]


def folder(name):
    return built(name)


class Locked:
    """Holds a variant's build folder against other commands."""

    def __init__(self, name):
        os.makedirs(built("locks"), exist_ok=True)
        self.file = open(built("locks", name), "w")

    def __enter__(self):
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


def recorded(where):
    """The options a build folder was set up with, as this file wrote them down."""
    try:
        with open(os.path.join(where, "variant.json")) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def knows_its_tests(name):
    """Whether a build folder lists the tests that the tree's build files name."""
    try:
        known = os.path.getmtime(os.path.join(folder(name), "meson-info", "intro-tests.json"))
    except OSError:
        return False
    return all(os.path.getmtime(file) < known for file in sources("meson.build"))


def defaults():
    """Meson takes default options only into a new build folder, so a change of them needs one."""
    with open(path("meson.build")) as described, open(path("meson_options.txt")) as options:
        return hashlib.sha256((described.read() + options.read()).encode()).hexdigest()


def configure(name, variant, log):
    where = folder(name)
    wanted = {"options": variant.options, "compiler": variant.compiler, "defaults": defaults()}
    if recorded(where) == wanted and os.path.exists(os.path.join(where, "build.ninja")):
        return
    shutil.rmtree(where, ignore_errors=True)
    progress.run_logged(f"configuring {name}",
                        ["meson", "setup", where, path(), "--libdir=lib", *variant.options], log,
                        env=environment(CC=variant.compiler))
    with open(os.path.join(where, "variant.json"), "w") as file:
        json.dump(wanted, file)


def build(name, variant=None, targets=()):
    """Brings a variant, or some files of it, up to date; returns how many steps that took."""
    variant = variant or find(name)
    log = built("logs", f"build-{name}.log")
    with Locked(name):
        if os.path.exists(log):
            os.remove(log)
        configure(name, variant, log)
        return progress.run_logged(f"building {name}", ["ninja", "-C", folder(name), *targets], log)


def announce_build(name, targets=()):
    began = time.monotonic()
    steps = build(name, targets=targets)
    took = f"{steps} steps, {progress.seconds(began)}" if steps else "as it was"
    progress.say(f"built {name}: {took}")


def install(prefix):
    """Installs libraries, headers and manual pages under prefix."""
    prefix = os.path.abspath(prefix)
    build("package", PACKAGE)
    log = built("logs", "install.log")
    with Locked("package"):
        configured = ["meson", "configure", folder("package"), f"--prefix={prefix}"]
        progress.run_logged("setting the prefix", configured, log)
        progress.run_logged("installing", ["meson", "install", "-C", folder("package")], log,
                            f"may you write to {prefix}?")
    return prefix


def describe():
    width = max(map(len, VARIANTS))
    return "\n".join(f"  {name:<{width}}  {variant.about}" for name, variant in VARIANTS.items())
