"""Bytes through a pseudo-terminal, in both directions at once, and lines with their echoes. Prints what is wrong."""
import os
import pty
import threading
import tty

COUNT = 200000


def pattern(seed, count):
    return bytes((n * seed + n // 251) % 251 for n in range(count))


def send(fd, data):
    while data:
        data = data[os.write(fd, data[:3000]):]


def receive(fd, wanted, what):
    got = b""
    while len(got) < len(wanted):
        got += os.read(fd, 5000)
    if got != wanted:
        print("wrong:", what)


master, terminal = pty.openpty()
tty.setraw(terminal)
typed, shown = pattern(7, COUNT), pattern(11, COUNT)
threads = [threading.Thread(target=send, args=(master, typed)),
           threading.Thread(target=send, args=(terminal, shown)),
           threading.Thread(target=receive, args=(master, shown, "shown"))]
for thread in threads:
    thread.start()
receive(terminal, typed, "typed")
for thread in threads:
    thread.join()

for number in range(300):
    # Another pair now and then, so that swaps meet those that end.
    if number % 30 == 0:
        os.close(master), os.close(terminal)
        master, terminal = pty.openpty()
    line = b"line %d\n" % number
    os.write(master, line)
    receive(terminal, line, "line")
    receive(master, line[:-1] + b"\r\n", "echo")
print("over")
