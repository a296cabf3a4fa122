"""./k42 run: a shell, or one command, inside a guest.

A command's standard streams are the launcher's own, byte for byte, and its exit status becomes the
launcher's. A terminal session runs on the guest's console, with this terminal in raw mode and put
back whatever happens. What goes wrong with the guest rather than in it has a status of its own.
"""
import contextlib
import os
import select
import shutil
import signal
import struct
import sys
import termios
import time
import tty

from launcher import frames, qemu, root, session, variants
from launcher.tree import Trouble

GUEST_FAILED, OUT_OF_TIME = 125, 124
INTERRUPTS_THAT_END = 3  # pressed in vain
SHELL = ["/bin/bash", "-l"]
LEAVE = b"\x1d"  # Ctrl-], as telnet has it
END_OF_INPUT = b"\x04"
NAMES = {"k42": "K42", "linux": "Debian's Linux kernel"}


def share(text):
    """(folder of the host, place in the guest) of a word DIR or DIR:PLACE."""
    folder, colon, place = text.rpartition(":")
    if not colon or not place.startswith("/"):
        folder, place = text, "/mnt/" + os.path.basename(os.path.realpath(text))
    if not os.path.isdir(folder):
        raise Trouble(f"{folder} is not a folder", "-v DIR or -v DIR:PLACE makes one visible")
    return os.path.realpath(folder), place


def shares(asked):
    """The folders of the host that the guest sees."""
    found = [share(text) for text in asked.volume]
    if asked.updates is None:
        return found
    if asked.kernel != "k42":
        raise Trouble("only K42 takes updates in while it runs", "--updates goes with --kernel k42")
    if not os.path.isdir(asked.updates):
        raise Trouble(f"{asked.updates} is not a folder", "--updates DIR names one for components")
    return [*found, (os.path.realpath(asked.updates), session.UPDATES)]


def open_session(asked):
    variants.build("release", targets=variants.GUEST)
    return session.Session(asked.kernel, asked.cpus, asked.mem, root.split(asked.packages),
                           shares(asked), asked.append, open_door=True)


def machine(asked):
    how = "emulated" if qemu.emulated() else "with KVM"
    return f"{NAMES[asked.kernel]}, {asked.cpus} CPU{'s' if asked.cpus > 1 else ''}, {how}"


def greet(asked):
    print(f"{machine(asked)}; the programs are Debian's. Try: ls /usr/bin | wc -l; ps aux; "
          "seq 9 | xargs -n1 -P4 echo\r\n"
          "'exit' or Ctrl-] leaves; nothing is kept. In another terminal of this machine "
          "'./k42 ctl objects' shows what the kernel is made of; './k42 help run' tells more."
          "\r", flush=True)


def run(asked):
    terminal = asked.terminal or not asked.words
    if not terminal and sys.stderr.isatty():
        print(f"k42: {machine(asked)}", file=sys.stderr)
    try:
        with open_session(asked) as guest:
            guest.wait_until_ready()
            if terminal:
                if not asked.words:
                    greet(asked)
                return on_terminal(guest, asked.words or SHELL, asked.limit)
            return with_streams(guest, asked.words, asked.limit)
    except session.TimedOut as trouble:
        print(f"k42: {trouble}\n  --limit gives it more time", file=sys.stderr)
        return OUT_OF_TIME
    except session.GuestDied as trouble:
        print(f"k42: {trouble}", file=sys.stderr)
        return GUEST_FAILED


def environment():
    return {name: os.environ[name] for name in ("TERM", "COLORTERM") if name in os.environ}


@contextlib.contextmanager
def passing_signals(guest):
    """Ctrl-C and Ctrl-\\ go to the command; when it takes no notice, Ctrl-C ends the guest."""
    pressed = 0

    def passed(number, _):
        nonlocal pressed
        pressed += number == signal.SIGINT
        if pressed >= INTERRUPTS_THAT_END:
            raise KeyboardInterrupt
        guest.signal(number)
    before = [(number, signal.signal(number, passed))
              for number in (signal.SIGINT, signal.SIGQUIT)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def write_all(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


def with_streams(guest, words, limit):
    descriptors = {"output": 1, "errors": 2}

    def sink(name, data):
        try:
            if descriptors[name] is not None:
                write_all(descriptors[name], data)
        except BrokenPipeError:
            descriptors[name] = None
            guest.signal(signal.SIGPIPE)
    with passing_signals(guest):
        guest.start(words, environment())
        return guest.converse(lambda: os.read(0, frames.MOST_BYTES), sys.stdin, sink, limit)


@contextlib.contextmanager
def raw_terminal():
    """Standard input as it is typed, where it is a terminal."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSAFLUSH, before)


def on_terminal(guest, words, limit):
    def size():
        columns, rows = shutil.get_terminal_size()
        return rows, columns
    before = signal.signal(signal.SIGWINCH, lambda *_: guest.window(*size()))
    try:
        with raw_terminal():
            guest.start(words, {"TERM": "linux", **environment()}, terminal=size())
            return bridge(guest, guest.ports["console"], limit)
    finally:
        signal.signal(signal.SIGWINCH, before)


def bridge(guest, console, limit):
    """Carries keys and the console's output until the session has ended.

    Before somebody listens on the console, what is typed would be lost.
    """
    end = time.monotonic() + limit if limit else None
    keys, status = [], None
    while status is None:
        left = None if end is None else max(0, end - time.monotonic())
        ready, _, _ = select.select([console, guest.ports["control"], *keys], [], [], left)
        if not ready:
            raise session.TimedOut(f"the session was ended after {limit:g} s")
        if console in ready:
            write_all(1, console.recv(frames.MOST_BYTES))
        elif guest.ports["control"] in ready:
            for kind, data in guest.read("control"):
                if kind == frames.LISTENS:
                    keys = [0]
                elif kind == frames.ENDED:
                    status, = struct.unpack("<I", data)
        if 0 in ready:
            data = os.read(0, 4096)
            if LEAVE in data:
                return 0
            if not data:
                keys = []
            console.sendall(data or END_OF_INPUT)
    return session.shell_status(status)


def make_root(asked):
    """./k42 root: the root tree as an archive."""
    names = root.split(asked.packages)
    if asked.update:
        root.forget()
    output = asked.output or root.output_name(names)
    parts = root.parts(names)
    if asked.output or not os.path.exists(output):
        root.archive(os.path.abspath(output), parts)
    root.show(output, names)
    return 0
