"""Commands beside the one that a guest was started for, asked for from other terminals.

A guest that `./k42 run` starts leaves a socket in build/run, named after the launcher's process.
Whoever connects sends one frame that asks for a command (guest/agent.h), perhaps signals after it,
and gets output, errors and the end. A thread of the launcher carries them between these sockets and
the guest's port, where each has a number, so that several can run at a time.

The thread owns the port, the socket's file and all connections; it ends with the launcher. A
connection that breaks has its command killed.
"""
import contextlib
import os
import select
import signal
import socket
import struct
import sys
import threading

from launcher import frames
from launcher.tree import Trouble, built

NUMBER = struct.Struct("<I")
PATIENCE = 30  # seconds in which a client must take its bytes
ENDING = ".ctl"


@contextlib.contextmanager
def address(name):
    """The name of a guest's socket, in a form that is short however deep the tree lies."""
    os.makedirs(built("run"), exist_ok=True)
    folder = os.open(built("run"), os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{name}{ENDING}"
    finally:
        os.close(folder)


class Door:
    """The socket of a guest, and who came in through it."""

    def __init__(self, port):
        self.port, self.reader = port, frames.Reader()
        self.name = str(os.getpid())
        self.clients, self.numbers, self.last = {}, {}, 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with address(self.name) as file:
            with contextlib.suppress(FileNotFoundError):
                os.remove(file)
            self.listener.bind(file)
            os.chmod(file, 0o600)
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(built("run", self.name + ENDING))

    def serve(self):
        with contextlib.suppress(OSError, ValueError):
            while True:
                ready, _, _ = select.select([self.listener, self.port, *self.clients], [], [])
                for one in ready:
                    if one is self.listener:
                        self.welcome()
                    elif one is self.port:
                        self.from_guest()
                    elif one in self.clients:
                        self.from_client(one)
        for client in list(self.clients):
            client.close()

    def welcome(self):
        client, _ = self.listener.accept()
        client.settimeout(PATIENCE)
        self.last += 1
        self.clients[client], self.numbers[self.last] = (self.last, frames.Reader()), client

    def from_client(self, client):
        number, reader = self.clients[client]
        try:
            data = client.recv(frames.MOST_BYTES)
        except OSError:
            data = b""
        for kind, content in reader.feed(data):
            if kind in (frames.RUN, frames.SIGNAL):
                self.send(kind, number, content)
        if not data:
            self.forget(client)
            self.send(frames.SIGNAL, number, NUMBER.pack(signal.SIGKILL))

    def send(self, kind, number, content):
        self.port.sendall(frames.frame(kind, NUMBER.pack(number) + content))

    def from_guest(self):
        data = self.port.recv(2 * frames.MOST_BYTES)
        if not data:
            raise OSError("the guest is gone")
        for kind, content in self.reader.feed(data):
            client = self.numbers.get(NUMBER.unpack_from(content)[0])
            if not client:
                continue
            try:
                client.sendall(frames.frame(kind, content[NUMBER.size:]))
            except OSError:
                kind = None
            if kind in (None, frames.ENDED):
                self.forget(client, bool(kind))

    def forget(self, client, ended=True):
        number, _ = self.clients.pop(client)
        del self.numbers[number]
        client.close()
        if not ended:
            self.send(frames.SIGNAL, number, NUMBER.pack(signal.SIGKILL))


# ---- the other terminal ----

def connect(name):
    """A connection to a guest, or None when it is there no more."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with address(name) as file:
            client.connect(file)
        return client
    except (ConnectionRefusedError, FileNotFoundError):
        client.close()
        with contextlib.suppress(FileNotFoundError):
            os.remove(built("run", name + ENDING))
        return None


def guests():
    """The names of all guests that run here."""
    try:
        names = sorted(os.listdir(built("run")))
    except FileNotFoundError:
        return []
    found = []
    for name in [name.removesuffix(ENDING) for name in names if name.endswith(ENDING)]:
        client = connect(name)
        if client:
            client.close()
            found.append(name)
    return found


def choose(wanted):
    """A connection to the guest of that name, or to the only one."""
    found = guests()
    if not found:
        raise Trouble("no guest is running" if wanted is None else f"no guest is called {wanted}",
                      "'./k42 run' in another terminal starts one")
    if wanted is None and len(found) > 1:
        raise Trouble(f"{len(found)} guests are running",
                      f"--guest NAME chooses one; there are: {', '.join(found)}")
    client = connect(wanted or found[0]) if wanted in (None, *found) else None
    if not client:
        raise Trouble(f"no guest is called {wanted}", f"there are: {', '.join(found)}")
    return client


def converse(client, message):
    """Asks for a command and shows what comes of it; its exit status."""
    from launcher.session import shell_status
    reader, streams = frames.Reader(), {frames.OUTPUT: 1, frames.ERRORS: 2}
    client.sendall(message)
    while True:
        try:
            data = client.recv(frames.MOST_BYTES)
        except ConnectionError:
            data = b""
        if not data:
            raise Trouble("the guest ended before the command did")
        for kind, content in reader.feed(data):
            if kind in streams:
                show(streams[kind], content)
            elif kind == frames.ENDED:
                return shell_status(*NUMBER.unpack(content))


def show(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


def run(wanted, words, environment):
    """./k42 ctl: k42ctl in a guest that another ./k42 run has started."""
    client = choose(wanted)
    variables = [f"{name}={value}" for name, value in environment.items()]
    words = ["k42ctl", *words]
    message = frames.frame(frames.RUN, struct.pack("<5I", 0, 0, 0, len(words), len(variables))
                           + frames.texts("/", *words, *variables))
    before = signal.signal(signal.SIGINT, lambda number, _: client.sendall(
        frames.frame(frames.SIGNAL, NUMBER.pack(number))))
    try:
        sys.stdout.flush()
        return converse(client, message)
    finally:
        signal.signal(signal.SIGINT, before)
        client.close()
