"""./k42 run search, ./k42 boot and ./k42 bench: builds what is needed and starts the program concerned."""
import contextlib
import os
import signal
import subprocess

from launcher import qemu, variants
from launcher.progress import note, say
from launcher.tree import PYTHON, ROOT, Terminated, Trouble, built, environment, path, shown

LIBRARY_BENCHMARKS = ("core",)


def search():
    """The search example: a cache that swaps its own implementation while threads search it."""
    variants.announce_build("release")
    program = os.path.join(variants.folder("release"), "core", "examples", "search", "search")
    if not os.path.exists(program):
        raise Trouble("the search example is not part of this tree")
    os.makedirs(built("run"), exist_ok=True)
    say("running the search example")
    command = [program, "--demo", "--picture", shown(built("run", "search.png"))]
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                          env=environment()).returncode


def boot(asked):
    """The kernel in QEMU, its console on standard output."""
    variants.announce_build("release")
    kernel = os.path.join(variants.folder("release"), "kernel", "k42.elf")
    guest = qemu.Guest(kernel, asked.cpus, asked.mem, asked.append)
    ended = guest.run(asked.limit)
    if ended.timed_out:
        raise Trouble(f"the guest was ended after {asked.limit:g} s", "--limit gives it more time")
    return ended.status


@contextlib.contextmanager
def interruptible():
    """What is started can be interrupted, also where a shell has its background ignore that."""
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run_to_its_end(command):
    """Whether it ends by itself or with us, it ends what it has started."""
    with interruptible():
        program = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL)
    try:
        return program.wait()
    except Terminated:
        program.send_signal(signal.SIGINT)
        program.wait()
        raise
    except KeyboardInterrupt:  # which it got, too
        program.wait()
        raise


def benchmarks():
    """Every folder of bench/ with a run.py."""
    names = sorted(os.listdir(path("bench"))) if os.path.isdir(path("bench")) else []
    return [name for name in names if os.path.exists(path("bench", name, "run.py"))]


def bench(name, options):
    """The library is measured as installed, so that nothing is measured that users do not get."""
    if name not in benchmarks():
        raise Trouble(f"no benchmark is called '{name}'",
                      "there are: " + (", ".join(benchmarks()) or "none yet"))
    if name in LIBRARY_BENCHMARKS:
        if "--json" not in options:
            note("installing the library that is measured")
        options = ["--prefix", variants.install(built("install")), *options]
    elif "--list" not in options:
        variants.build("release", targets=variants.GUEST)
    return run_to_its_end([PYTHON, path("bench", name, "run.py"), *options])
