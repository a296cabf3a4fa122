"""Runs a command natively, on this machine's own Linux, with the root tree that guests have.

The tree is entered by chroot in name spaces of its own, read-only except for fresh /tmp, /root and
/run. Needs root; where that is not to be had, the Linux guest is the reference instead.
"""
import functools
import os
import signal
import subprocess

from launcher import root, session

PREPARE = """set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
for place in tmp root run dev; do mount -t tmpfs -o mode=755 tmpfs "$1/$place"; done
chmod 1777 "$1/tmp"
mount -t proc proc "$1/proc"
mkdir "$1/dev/pts" "$1/dev/shm"
mount -t devpts -o ptmxmode=666,newinstance devpts "$1/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
for device in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
    mknod -m 666 "$1/dev/${device% *}" c 1 "${device#* }"
done
mknod -m 666 "$1/dev/tty" c 5 0
ln -s pts/ptmx "$1/dev/ptmx"
ln -s /proc/self/fd "$1/dev/fd"
ln -s fd/0 "$1/dev/stdin"; ln -s fd/1 "$1/dev/stdout"; ln -s fd/2 "$1/dev/stderr"
hostname k42
tree=$1; shift
set +e
# Not by exec: the first process of a name space would not be ended by most signals.
chroot "$tree" env -i "$@"
exit $?
"""


@functools.cache
def is_possible():
    done = subprocess.run(["unshare", "-m", "-p", "-f", "-u", "-n", "true"], capture_output=True)
    return os.geteuid() == 0 and done.returncode == 0


def run(arguments, data=b"", environment=None, folder="/root", limit=120, packages=()):
    """What session.Session.run does, natively; /tmp is fresh, and `files` lie in it."""
    variables = {**session.ENVIRONMENT, **(environment or {})}
    # Who started us may ignore some, as shells do for what runs in the background.
    words = ["--default-signal", f"--chdir={folder}",
             *(f"{name}={value}" for name, value in variables.items()), *arguments]
    command = ["unshare", "-m", "-p", "-f", "-u", "-n", "--kill-child", "sh", "-c",
               PREPARE, "sh", root.folder(packages), *words]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    try:
        output, errors = process.communicate(data, timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    status = process.returncode
    return session.Result(128 - status if status < 0 else status, output, errors)
