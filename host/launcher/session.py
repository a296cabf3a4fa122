"""A guest that has booted to its first program (guest/init.c), and commands run in it.

One boot serves any number of commands, one after the other, each with its own standard input,
output and errors as streams of bytes, and with its exit status. The guest's kernel speaks on a
serial port of its own, which goes to a log.

A session belongs to one thread, except that `signal` may be called by a handler of signals.
"""
import contextlib
import hashlib
import os
import re
import select
import socket
import struct
import subprocess
import tempfile
import time

from launcher import beside, cpio, frames, linux, qemu, root, standing, variants
from launcher.tree import Trouble, built, shown

PORTS = ("control", "input", "output", "errors")
KERNELS = ("k42", "linux")
# The last thing some kernels say; what follows tells where it happened.
PANIC = re.compile(r"^.*(?:panic: |Kernel panic - not syncing).*$", re.M)
PANIC_LINES = 60
BOOT_SECONDS = 120
# So many random objects a second are swapped in every guest (docs/chaos.md).
CHAOS = os.environ.get("K42_CHAOS")
# What a program finds in its environment unless the caller says otherwise.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash",
               "LANG": "C.UTF-8"}


class GuestDied(Trouble):
    """The machine ended before the command did."""


class TimedOut(Trouble):
    """The command did not end in time; the guest has been ended."""


UPDATES = "/run/updates"  # where a guest takes newer versions in from (guest/agent.h)


class Result:
    """How a command ended: its status as a shell gives it, and what it wrote."""

    def __init__(self, status, output=b"", errors=b""):
        self.status, self.output, self.errors = status, output, errors

    def __repr__(self):
        return f"Result({self.status}, {self.output!r}, {self.errors!r})"


def kernel_files(kernel, variant="release"):
    """The kernel's image, and parts that it adds to the archive of the root tree."""
    if kernel == "linux":
        image, drivers = linux.fetch()
        return image, [drivers]
    return os.path.join(variants.folder(variant), "kernel", "k42.elf"), []


def guest_part(variant="release"):
    """The first program, the administrator's, and what a kernel wants to find before it runs."""
    programs = {}
    for place, name in (("init", "init"), ("usr/sbin/k42ctl", "k42ctl")):
        with open(os.path.join(variants.folder(variant), "guest", name), "rb") as file:
            programs[place] = cpio.file(file.read(), 0o755)
    return cpio.part({**programs,
                      "dev/console": cpio.Entry(0o020600, device=(5, 1)),
                      "dev/null": cpio.Entry(0o020666, device=(1, 3))}, 3)


def initramfs(packages=(), more=(), variant="release"):
    """The file with everything that the guest starts with; made once for the same contents."""
    parts = [*root.parts(packages), *more]
    first = guest_part(variant)
    name = hashlib.sha256("\n".join(parts).encode() + first).hexdigest()[:24]
    file = built("root", "archives", name + ".cpio")
    if not os.path.exists(file):
        root.archive(file, [*parts, first])
        root.forget_old_archives()
    os.utime(file)
    return file


def shell_status(status):
    """The exit status that a shell reports for a status of wait()."""
    return 128 + (status & 0x7f) if status & 0x7f else status >> 8 & 0xff


class Session:
    def __init__(self, kernel="k42", cpus=1, memory="1G", packages=(), shares=(), append="",
                 variant="release", more=(), accelerator=None, parts=(), processor=qemu.PROCESSOR,
                 open_door=False):
        image, extra = kernel_files(kernel, variant)
        archive = initramfs(packages, [*extra, *parts], variant)
        os.makedirs(built("run"), exist_ok=True)
        descriptor, self.log = tempfile.mkstemp(prefix="console-", suffix=".log", dir=built("run"))
        os.close(descriptor)
        self.kernel, self.image, self.console, self.ticks = kernel, image, None, None
        self.ports, words, passed = {}, ["-device", "virtio-serial-pci,max_ports=8"], []
        ports = ("console",) + PORTS + (("beside",) if open_door else ())
        for number, name in enumerate(ports):
            ours, theirs = socket.socketpair()
            passed.append(theirs)
            self.ports[name] = ours
            device = "virtconsole" if name == "console" else "virtserialport"
            words += ["-chardev", f"socket,id={name},fd={theirs.fileno()}",
                      "-device", f"{device},chardev={name},name=org.k42.{name},nr={number}"]
        self.monitor, theirs = socket.socketpair()
        passed.append(theirs)
        words += ["-chardev", f"socket,id=monitor,fd={theirs.fileno()}", "-mon", "chardev=monitor"]
        for number, (folder, place) in enumerate(shares):
            words += ["-fsdev", f"local,id=share{number},path={folder.replace(',', ',,')},"
                      "security_model=none,multidevs=remap"
                      + (",readonly=on" if place == UPDATES else ""),
                      "-device", f"virtio-9p-pci,fsdev=share{number},mount_tag=share{number}"]
        if kernel == "k42" and CHAOS and "chaos=" not in append:
            append = f"chaos={CHAOS},{cpus} {append}"
        options = f"{linux.OPTIONS if kernel == 'linux' else ''} k42.ports {'k42.beside ' if open_door else ''}{append}".strip()
        accelerator = accelerator or ("tcg,thread=multi" if qemu.emulated() else "kvm")
        guest = qemu.Guest(image, cpus, memory, options, archive, processor=processor,
                           accelerator=accelerator, serial=f"file:{self.log}",
                           more=[*words, *more])
        self.readers = {name: frames.Reader() for name in PORTS}
        self.shares = shares
        self.process = guest.start([one.fileno() for one in passed])
        try:
            for one in passed:
                one.close()
            self.door = beside.Door(self.ports["beside"]) if open_door else None
        except BaseException:
            self.kill()
            raise

    def wait_until_ready(self, limit=BOOT_SECONDS):
        """Returns when the guest's first program answers and the host's folders are mounted."""
        hello = self.expect(frames.HELLO, limit)
        self.ticks, self.console = struct.unpack_from("<Q", hello)[0], hello[8:].decode()
        for number, (_, place) in enumerate(self.shares):
            self.send("control", frames.MOUNT, frames.texts(f"share{number}", place))
            error, = struct.unpack("<I", self.expect(frames.MOUNTED, limit))
            if error:
                raise Trouble(f"cannot mount a folder at {place}: {os.strerror(error)}")
        return self

    def send(self, port, kind, data=b""):
        try:
            self.ports[port].sendall(frames.frame(kind, data))
        except OSError:
            self.died()

    def expect(self, wanted, limit):
        """The bytes of the next message of that kind."""
        end = time.monotonic() + limit
        while True:
            for kind, data in self.receive("control", end):
                if kind == wanted:
                    return data

    def receive(self, port, end):
        ready, _, _ = select.select([self.ports[port]], [], [], max(0, end - time.monotonic()))
        if not ready:
            raise self.hung("the guest did not answer in time")
        return list(self.read(port))

    def read(self, port):
        """What there is to read on a port, as frames."""
        try:
            data = self.ports[port].recv(4 * frames.MOST_BYTES)
        except ConnectionError:
            data = b""
        if not data:
            self.died()
        return self.readers[port].feed(data)

    def signal(self, number):
        """Sends a signal to the command that is running."""
        self.send("control", frames.SIGNAL, struct.pack("<I", number))

    def window(self, rows, columns):
        self.send("control", frames.WINDOW, struct.pack("<II", rows, columns))

    def start(self, arguments, environment=None, folder="/root", terminal=None):
        """Starts a command, on the console if `terminal` gives its rows and columns."""
        variables = {**ENVIRONMENT, **(environment or {})}
        self.send("control", frames.RUN,
                  struct.pack("<5I", bool(terminal), *(terminal or (0, 0)), len(arguments),
                              len(variables))
                  + frames.texts(folder, *arguments,
                                 *(f"{name}={value}" for name, value in variables.items())))

    def run(self, arguments, data=b"", environment=None, folder="/root", limit=120):
        """Runs a command to its end with `data` as its input."""
        said = {"output": bytearray(), "errors": bytearray()}
        self.start(arguments, environment, folder)
        view, position = memoryview(data), 0

        def source():
            nonlocal position
            piece = view[position:position + frames.MOST_BYTES]
            position += len(piece)
            return bytes(piece)
        status = self.converse(source, None, lambda name, data: said[name].extend(data), limit)
        return Result(status, bytes(said["output"]), bytes(said["errors"]))

    def converse(self, source, waits_on, sink, limit=None):
        """Carries the streams of the command that was started until it has ended; its status.

        source() gives the next bytes of its input, none at the end; it is called when the guest
        takes more and, unless waits_on is None, when that file can be read. sink(name, data) takes
        its output ("output", "errors").
        """
        end = time.monotonic() + limit if limit else None
        port, pending, ended, status = self.ports["input"], b"", False, None
        port.setblocking(False)
        open_streams = {"output", "errors"}
        try:
            while status is None or open_streams or pending:
                wants_input = not ended and not pending and status is None
                readers = [self.ports[name] for name in ("control", *open_streams)]
                if wants_input and waits_on is not None:
                    readers.append(waits_on)
                writers = [port] if pending or (wants_input and waits_on is None) else []
                left = None if end is None else max(0, end - time.monotonic())
                ready, writable, _ = select.select(readers, writers, [], left)
                if not ready and not writable:
                    raise self.hung(f"the command did not end within {limit:g} s")
                if wants_input and (writable or waits_on in ready):
                    data = source()
                    ended, pending = not data, frames.frame(frames.BYTES, data)
                if pending and (writable or waits_on in ready):
                    pending = self.write_some(port, pending)
                for name in [one for one in open_streams if self.ports[one] in ready]:
                    for _, data in self.read(name):
                        if data:
                            sink(name, data)
                        else:
                            open_streams.discard(name)
                if self.ports["control"] in ready:
                    for kind, data in self.read("control"):
                        if kind == frames.ENDED:
                            status, = struct.unpack("<I", data)
        finally:
            port.setblocking(True)
        if not ended:
            self.send("input", frames.BYTES)
        return shell_status(status)

    def write_some(self, port, pending):
        try:
            return pending[port.send(pending):]
        except BlockingIOError:
            return pending
        except OSError:
            return self.died()

    def hung(self, what):
        """Ends a guest that took too long; what is to be raised says where it stood."""
        seen = ""
        if self.kernel == "k42":
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                file = standing.look(self.image, self.monitor)
                seen = f"\n  what ran and waited: {shown(file)}"
        self.kill()
        return TimedOut(what + seen + self.last_words())

    def last_words(self):
        """What the kernel said last, from its panic on if there was one."""
        with open(self.log, errors="replace") as file:
            text = file.read().replace("\r", "").rstrip()
        panic = PANIC.search(text)
        lines = (text[panic.start():] if panic else text).splitlines()
        lines = lines[:PANIC_LINES] if panic else lines[-12:]
        return "".join("\n  " + line for line in lines)

    def died(self):
        try:
            self.process.wait(10)
        except Exception:
            self.kill()
        said = self.last_words()
        if not said:
            raise GuestDied("the emulator ended before the guest's kernel said anything; "
                            "a larger --mem may help")
        how = "panicked" if PANIC.search(said) else "ended unexpectedly"
        raise GuestDied(f"the guest's kernel {how}; it said last:{said}")

    def end(self):
        """Switches the machine off."""
        if self.process.poll() is None:
            try:
                self.ports["control"].sendall(frames.frame(frames.END))
                self.process.wait(10)
            except Exception:
                pass
        self.kill()

    def kill(self):
        qemu.end(self.process)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.door:
            self.door.close()
        self.end()
        for port in (*self.ports.values(), self.monitor):
            port.close()
        os.remove(self.log)
