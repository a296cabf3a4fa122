"""What pipes and processes have is theirs after each of the commands given, and who waits goes on
waiting: bytes in pipes, children that ended or stopped, signals that are queued, limits."""
import fcntl
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import termios

SET_SIZE, GET_SIZE = 1031, 1032
BYTES = bytes(n * 7 % 251 for n in range(251)) * 5000


class Flow:
    """A pipe through which the same bytes go round and round."""

    def __init__(self, capacity, put, taken):
        self.out, self.into = os.pipe()
        self.capacity = fcntl.fcntl(self.into, SET_SIZE, capacity)
        self.written = self.read = 0
        self.put(put)
        self.take(taken)

    def left(self):
        return self.written - self.read

    def put(self, count):
        at = self.written % 251
        assert os.write(self.into, BYTES[at:at + count]) == count
        self.written += count

    def take(self, count):
        at = self.read % 251
        assert not count or os.read(self.out, count) == BYTES[at:at + count]
        self.read += count

    def go_on(self):
        assert fcntl.fcntl(self.out, GET_SIZE) == self.capacity
        count = fcntl.ioctl(self.out, termios.FIONREAD, b"\0" * 4)
        assert struct.unpack("i", count)[0] == self.left()
        self.take(min(self.left(), 1777))
        if self.capacity - self.left() >= 4096:
            self.put(1777)

    def end(self):
        while self.left():
            self.take(min(self.left(), 50000))
        os.close(self.into)
        assert os.read(self.out, 1) == b""


def sleeping(work):
    """A child that does this, once it sleeps."""
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    while True:
        with open(f"/proc/{pid}/stat") as file:
            if file.read().rsplit(")", 1)[1].split()[0] == "S":
                return pid


def ended(status):
    pid = os.fork()
    if not pid:
        os._exit(status)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def expect(fd, data):
    got = b""
    while len(got) < len(data):
        got += os.read(fd, len(data) - len(got))
    assert got == data


def poll_then_read(fd):
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    assert poll.poll() == [(fd, select.POLLIN)]
    assert os.read(fd, 10) == b"polled"


def wait_for_a_child(fd):
    pid = os.fork()
    if not pid:
        os._exit(len(os.read(fd, 10)))
    assert os.waitpid(pid, 0) == (pid, 4 << 8)


empty, polled, held, full = os.pipe(), os.pipe(), os.pipe(), os.pipe()
os.write(full[1], BYTES[:65536])
waiters = [sleeping(lambda: expect(empty[0], b"read")),
           sleeping(lambda: poll_then_read(polled[0])),
           sleeping(lambda: wait_for_a_child(held[0])),
           sleeping(lambda: os.write(full[1], BYTES[:150000]))]
stopped = sleeping(signal.pause)
os.kill(stopped, signal.SIGSTOP)
os.waitid(os.P_PID, stopped, os.WSTOPPED | os.WNOWAIT)
children = [(ended(n + 1), n + 1) for n in range(2 * len(sys.argv) + 8)]
# Last, so that no child has their ends.
flows = [Flow(*what) for what in (
    (65536, 0, 0), (65536, 1, 0), (65536, 5000, 4096), (65536, 8192, 4096), (65536, 4096, 4096),
    (65536, 65536, 0), (65536, 65536, 3000), (1 << 20, 700001, 123), (4096, 4096, 4096), (4096, 99, 50))]
resource.setrlimit(resource.RLIMIT_NOFILE, (321, 654))
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN, signal.SIGUSR2})
for number in (signal.SIGRTMIN, signal.SIGUSR2, signal.SIGRTMIN):
    os.kill(os.getpid(), number)

for command in sys.argv[1:]:
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
    for flow in flows:
        flow.go_on()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (321, 654)
    pid, status = children.pop(0)
    assert os.waitpid(-1, 0) == (pid, status << 8)
    pid, status = children.pop()
    assert os.waitpid(pid, 0) == (pid, status << 8)
    children.append((ended(77), 77))

for flow in flows:
    flow.end()
for fd, data in (empty[1], b"read"), (polled[1], b"polled"), (held[1], b"held"):
    os.write(fd, data)
expect(full[0], BYTES[:65536])
expect(full[0], BYTES[:150000])
for pid in waiters:
    assert os.waitpid(pid, 0) == (pid, 0)
assert os.waitpid(stopped, os.WUNTRACED) == (stopped, signal.SIGSTOP << 8 | 0x7f)
os.kill(stopped, signal.SIGKILL)
assert os.waitpid(stopped, 0) == (stopped, signal.SIGKILL)
for pid, status in children:
    assert os.waitpid(pid, 0) == (pid, status << 8)
pending = [signal.sigtimedwait({signal.SIGRTMIN, signal.SIGUSR2}, 0) for _ in range(3)]
assert sorted(one.si_signo for one in pending) == [signal.SIGUSR2] + 2 * [signal.SIGRTMIN]
assert signal.sigtimedwait({signal.SIGRTMIN, signal.SIGUSR2}, 0) is None
print("kept")
