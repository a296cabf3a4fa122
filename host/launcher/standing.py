"""A guest's kernel that stands still, looked at through gdb."""
import os
import subprocess
import tempfile
import time

from launcher.tree import built, environment, path

LIMIT = 60  # seconds
QUESTIONS = ("k42 cpus", "k42 processes", "k42 threads -b", "detach")


def words_for_gdb(kernel, port, commands):
    """The command line that shows a kernel whose emulator listens on a port."""
    words = ["gdb", "-q", "-nx", "-ex", "set pagination off", "-ex", "set confirm off",
             "-ex", "set architecture i386:x86-64"]
    words += ["-ex", f"target remote {port}", "-ex", f"source {path('host', 'gdb', 'k42.py')}"]
    for command in commands:
        words += ["-ex", command]
    return words + (["-batch"] if commands else []) + [kernel]


def look(kernel, monitor):
    """Stops a guest through its emulator's monitor and writes down what runs and what waits; the
    file's name."""
    with tempfile.TemporaryDirectory(prefix="k42-gdb-") as folder:
        port = os.path.join(folder, "port")
        monitor.sendall(f"stop\ngdbserver unix:{port},server=on,wait=off\n".encode())
        descriptor, file = tempfile.mkstemp(prefix="hang-", suffix=".txt", dir=built("run"))
        with os.fdopen(descriptor, "w") as output:
            for _ in range(LIMIT):
                if os.path.exists(port):
                    break
                time.sleep(0.1)
            subprocess.run(words_for_gdb(kernel, port, QUESTIONS), stdin=subprocess.DEVNULL,
                           stdout=output, stderr=subprocess.STDOUT, timeout=LIMIT,
                           env=environment())
    return file
