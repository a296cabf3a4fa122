"""A person at a shell behind a pseudo-terminal: jobs, signals, the window, the end. Prints what is seen."""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time


class Typist:
    """Types into a program behind a terminal of its own, and waits for what it shows."""

    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execvp(command[0], command)
        self.seen = ""

    def until(self, text, patience=200):
        end = time.monotonic() + patience
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                sys.exit(f"waited for {text!r}, saw {self.seen!r}")
            self.seen += os.read(self.fd, 4096).decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text):
        os.write(self.fd, text.encode())

    def do(self, line):
        """A line and what the shell said to it; its prompt is "$> "."""
        self.type(line + "\n")
        self.until("\r\n")
        return self.until("$> ").replace("\r\n", "\n")

    def runs(self, name):
        """Waits until that program is what signals go to; before, the shell's child ignores some."""
        while True:
            group = os.tcgetpgrp(self.fd)
            with open(f"/proc/{group}/comm") as file:
                if group != self.pid and file.read() == name + "\n":
                    return
            time.sleep(0.01)

    def ended(self):
        """How it ended; what it showed last is thrown away."""
        try:
            while os.read(self.fd, 4096):
                pass
        except OSError as error:
            print("the end:", error.strerror)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def main():
    shell = Typist("env", "PS1=$> ", "HISTFILE=", "TERM=dumb", "bash", "--norc", "--noprofile",
                   "--noediting", "-i")
    shell.until("$> ")
    print(shell.do("tty | sed 's/[0-9]*$/N/'"))
    fcntl.ioctl(shell.fd, termios.TIOCSWINSZ, struct.pack("4H", 33, 101, 0, 0))
    print(shell.do("stty size; stty -a | grep -o 'intr = ...\\|speed [0-9]*\\|-\\?icanon'"))
    print(shell.do("ps -o tty= -p $$ | sed 's/[0-9]*$/N/'; ps -o stat= -p $$ | tr -d 'N<'"))
    shell.type("sleep 1000\n")
    shell.until("sleep 1000\r\n")
    shell.runs("sleep")
    shell.type("\x1a")
    shell.until("Stopped")
    shell.until("$> ")
    print(shell.do("jobs"))
    print(shell.do("bg"))
    shell.type("fg\n")
    while os.tcgetpgrp(shell.fd) == shell.pid:
        time.sleep(0.01)
    shell.type("\x03")
    shell.until("$> ")
    print(shell.do("echo $?"))
    print(shell.do("cat > /dev/null & until jobs | grep -q Stopped; do sleep 0.1; done; "
                   "jobs | sed 's/  */ /g'").split("\n")[-2])
    # It says that jobs are stopped, and stays, as long as it has not heard of the end of this one.
    shell.do("kill -9 %1; while jobs %1; do sleep 0.1; done > /dev/null 2>&1; trap 'echo resi''zed' WINCH")
    fcntl.ioctl(shell.fd, termios.TIOCSWINSZ, struct.pack("4H", 34, 101, 0, 0))
    shell.type("\n")
    shell.until("resized")
    shell.type("exit 7\n")
    print("exit", shell.ended())

    # The window is closed: whoever is in it hears of it.
    shell = Typist("bash", "--norc", "--noprofile", "-c", "trap 'echo hung up > told; exit 3' HUP; "
                   "echo ready; while :; do sleep 0.05; done")
    shell.until("ready")
    os.close(shell.fd)
    print("exit", os.waitstatus_to_exitcode(os.waitpid(shell.pid, 0)[1]))
    print(open("told").read())

    # Ends of input, and bytes that pass through unchanged.
    written = b""

    def read(fd):
        nonlocal written
        data = os.read(fd, 1024)
        written += data
        return data

    print("cat", os.waitstatus_to_exitcode(pty.spawn(["sh", "-c", "printf 'a\\nb\\n'"], read)))
    print(written)
    master, terminal = pty.openpty()
    print(os.isatty(master), os.isatty(terminal), os.ttyname(terminal).rstrip("0123456789"))
    os.write(master, b"line\x04\x04")
    print(os.read(terminal, 100), os.read(terminal, 100))


main()
