"""What a program in Python uses of its system: files, processes, threads, signals, time."""
import collections
import hashlib
import json
import mmap
import os
import re
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time

print(sum(i * i for i in range(100000)), 2 ** 200, "%.12f" % (2 ** 0.5))
words = re.findall(r"[a-z]+", "the quick brown fox jumps over the lazy dog " * 1000)
print(collections.Counter(words).most_common(1), hashlib.sha256(" ".join(words).encode()).hexdigest())
print(json.dumps({"list": list(range(5)), "nested": {"a": None, "b": True}}, sort_keys=True))

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "file")
    with open(path, "wb") as file:
        file.write(os.urandom(1 << 16) + b"end")
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
        view[:5] = b"start"
        print(view[:5], view[-3:], len(view))
    print(os.path.getsize(path), sorted(os.listdir(folder)), open(path, "rb").read(5))
    os.rename(path, path + "2")
    print(os.path.exists(path), os.stat(path + "2").st_nlink)

done = subprocess.run(["sh", "-c", "read x; echo got $x; exit 3"], input="line\n", text=True,
                      capture_output=True)
print(done.returncode, done.stdout)
pid = os.fork()
if not pid:
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

total, lock = 0, threading.Lock()


def add():
    global total
    for _ in range(1000):
        with lock:
            total += 1


threads = [threading.Thread(target=add) for _ in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
print(total)

caught = []
signal.signal(signal.SIGALRM, lambda number, _: caught.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.01)
while not caught:
    time.sleep(0.01)
print(caught)

base = sqlite3.connect(":memory:")
base.execute("create table t (n integer primary key, square integer)")
base.executemany("insert into t values (?, ?)", ((n, n * n) for n in range(10000)))
print(base.execute("select count(*), sum(square), max(n) from t where n % 3 = 0").fetchone())
print(time.monotonic() > 0, time.time() > 1e9)
