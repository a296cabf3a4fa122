"""Two sessions and one terminal: what TIOCSCTTY lets whom take. Prints what each call gives."""
import fcntl
import os

TAKE = 0x540e
NAME = "/dev/ttyS0"


def tell(what, call):
    try:
        print(what, call(), flush=True)
    except OSError as error:
        print(what, error.strerror, flush=True)


def open_own():
    os.close(os.open("/dev/tty", os.O_RDWR))


def be_first(taken, stolen):
    os.setsid()
    fd = os.open(NAME, os.O_RDWR | os.O_NOCTTY)
    tell("first takes", lambda: fcntl.ioctl(fd, TAKE, 0))
    tell("again", lambda: fcntl.ioctl(fd, TAKE, 0))
    tell("has one", open_own)
    os.write(taken, b"x")
    os.read(stolen, 1)
    tell("lost it", open_own)


def be_second():
    os.setsid()
    fd = os.open(NAME, os.O_RDWR | os.O_NOCTTY)
    tell("second takes", lambda: fcntl.ioctl(fd, TAKE, 0))
    os.setresuid(1, 1, 0)
    tell("steals as anybody", lambda: fcntl.ioctl(fd, TAKE, 1))
    os.setresuid(0, 0, 0)
    tell("steals", lambda: fcntl.ioctl(fd, TAKE, 1))
    tell("has one", open_own)
    tell("foreground", lambda: os.tcgetpgrp(fd) == os.getpid())


def in_child(fn, *arguments):
    if not os.fork():
        fn(*arguments)
        os._exit(0)


taken, has_taken = os.pipe()
stolen, has_stolen = os.pipe()
in_child(be_first, has_taken, stolen)
os.read(taken, 1)
in_child(be_second)
os.wait()
os.write(has_stolen, b"x")
os.wait()
