# Does things with files for argv[1] seconds while some calls fail: says which errors it saw, and
# WRONG when what was written without an error is not what is read without one.
import errno
import os
import sys
import time

seen, done = set(), 0
end = time.monotonic() + float(sys.argv[1])


def attempt(what, *words):
    global done
    try:
        result = what(*words)
        done += 1
        return result
    except OSError as error:
        seen.add(errno.errorcode[error.errno])
    except MemoryError:
        seen.add("ENOMEM")
    return None


def put(path, data):
    fd = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    try:
        return os.write(fd, data) == len(data)
    finally:
        os.close(fd)


def get(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.read(fd, 1 << 20)
    finally:
        os.close(fd)


number = 0
while time.monotonic() < end:
    number += 1
    data = (b"%d " % number) * 2000
    if attempt(put, "file", data):
        found = attempt(get, "file")
        if found is not None and found != data:
            print("WRONG: file", number)
    attempt(os.mkdir, "folder")
    attempt(os.rmdir, "folder")
    attempt(os.listdir, ".")
    attempt(os.rename, "file", "other")
    attempt(os.unlink, "other")
    if number % 20 == 0:
        attempt(os.system, "{ echo x > y; cat y; rm y; } > /dev/null 2>&1")
print("saw", *sorted(seen))
print("done", done > 0)
