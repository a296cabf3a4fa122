"""Boots the kernel in QEMU: one guest, its serial console, its exit status, within a time limit.

The kernel says how it ended through a port that the emulator turns into an exit status of its own,
2 * value + 1; value 0, hence status 1, stays free for the emulator's own troubles.
"""
import argparse
import contextlib
import os
import signal
import subprocess
import threading

from launcher.tree import Trouble, environment

QEMU = "qemu-system-x86_64"
CPUS_MAX = 255  # what an interrupt can be addressed to without remapping
EXIT_PORT = "0xf4"
# What the notes on the emulator say of these: advertised string instructions are slow in it.
PROCESSOR = "max,la57=off,pku=off,erms=off,fsrm=off"
FIRST_STATUS = 3


def options(append):
    """What the kernel is told: how to give its status back, and whatever else."""
    return f"exit-port={EXIT_PORT} {append}".strip()


def emulated():
    """Whether the guest's instructions are emulated; /dev/kvm alone proves nothing."""
    try:
        with open("/proc/cpuinfo") as file:
            flags = file.read().split()
    except OSError:
        return True
    return not (os.access("/dev/kvm", os.R_OK | os.W_OK) and ("vmx" in flags or "svm" in flags))


def processor_counts(text):
    """Numbers of processors, separated by commas, as the command line has them."""
    words = text.split(",")
    if not all(word.isdigit() and 1 <= int(word) <= CPUS_MAX for word in words):
        raise argparse.ArgumentTypeError(f"'{text}' is not a list like 1,2,4")
    return [int(word) for word in words]


class Ended:
    """How a guest ended: its status (None when it was ended from outside) and what it said."""

    def __init__(self, status, text, timed_out):
        self.status, self.text, self.timed_out = status, text, timed_out


@contextlib.contextmanager
def uninterrupted():
    """What would interrupt us comes at the end: else a program may have begun that nobody knows."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    came = []
    before = {number: signal.signal(number, lambda *what: came.append(what))
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number, frame in came:
            if callable(before[number]):
                before[number](number, frame)
            else:
                os.kill(os.getpid(), number)


class Guest:
    """A machine that is about to boot a kernel, which gets `append` as its options, or a CD.
    `serial` says where the first serial port goes, `more` is further words for the emulator."""

    def __init__(self, kernel=None, cpus=1, memory="512M", append="", initrd=None, disc=None,
                 processor=PROCESSOR, accelerator="tcg,thread=multi", serial="stdio", more=()):
        self.command = [
            QEMU, "-machine", "q35", "-cpu", processor, "-accel", accelerator,
            "-nodefaults", "-display", "none", "-serial", serial, "-no-reboot",
            "-device", f"isa-debug-exit,iobase={EXIT_PORT},iosize=4",
            "-smp", str(cpus), "-m", str(memory)]
        if kernel:
            self.command += ["-kernel", kernel, "-append", options(append)]
        if initrd:
            self.command += ["-initrd", initrd]
        if disc:
            self.command += ["-cdrom", disc]
        self.command += more

    def start(self, files=(), **streams):
        """Starts it in a process group of its own; it inherits the open `files`."""
        guest = None
        try:
            with uninterrupted():
                guest = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, env=environment(),
                                         start_new_session=True, pass_fds=files, **streams)
        except FileNotFoundError:
            raise Trouble(f"{QEMU} is not installed", "install the package qemu-system-x86")
        except BaseException:
            if guest:
                end(guest)
                guest.wait()
            raise
        return guest

    def run(self, limit, capture=False):
        """Runs the guest to its end, or for `limit` seconds; its console goes to standard output
        unless it is captured."""
        guest = self.start(stdout=subprocess.PIPE if capture else None,
                           stderr=subprocess.STDOUT if capture else None)
        timed_out = False
        try:
            said, _ = guest.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            timed_out = True
            end(guest)
            said, _ = guest.communicate()
        except BaseException:
            end(guest)
            guest.wait()
            raise
        text = (said or b"").decode(errors="replace").replace("\r", "")
        return Ended(None if timed_out else status_of(guest.returncode, text), text, timed_out)


def end(guest):
    try:
        os.killpg(guest.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def status_of(returncode, text=""):
    """The guest's status from the emulator's; 0 when the guest switched the machine off."""
    if returncode >= FIRST_STATUS and returncode % 2:
        return (returncode - FIRST_STATUS) // 2
    if returncode == 0:
        return 0
    raise Trouble(f"the emulator ended with {returncode} before the guest did",
                  text.strip().splitlines()[-1] if text.strip() else None)
