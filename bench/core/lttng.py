"""A private LTTng session, for the programs that compare themselves with LTTng-UST.

The session daemon is started and stopped here, by its process id, and keeps everything in a
directory of its own. LTTng's root daemon is one per machine, with paths fixed at compile time, so
when this runs as root the daemon, its clients and the traced program run as an unprivileged user.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time

UNPRIVILEGED = 65534  # nobody, on every Linux
LONGEST_SOCKET_PATH = 107
START_SECONDS = 20


class Session:
    """Where programs to be traced run: `run_arguments` go to subprocess.run()."""

    def __init__(self, home):
        environment = {**os.environ, "HOME": home, "LTTNG_HOME": home}
        # Wait for the daemon's answer before main(), so that events are enabled from the start.
        environment["LTTNG_UST_REGISTER_TIMEOUT"] = "10000"
        self.home = home
        self.run_arguments = {"env": environment, "cwd": home}
        if os.geteuid() == 0:
            self.run_arguments.update(user=UNPRIVILEGED, group=UNPRIVILEGED, extra_groups=[])

    def program(self, path):
        """A copy of a program that the session's user may execute."""
        copy = os.path.join(self.home, os.path.basename(path))
        shutil.copy(path, copy)
        os.chmod(copy, 0o755)
        return copy

    def command(self, *arguments):
        done = subprocess.run(["lttng", "--no-sessiond", *arguments], capture_output=True,
                              text=True, timeout=60, check=False, **self.run_arguments)
        if done.returncode:
            raise RuntimeError(f"lttng {' '.join(arguments)} failed: {done.stderr.strip()}")


def _make_home(parent):
    """A directory the session's user owns, with a path short enough for sockets."""
    home = os.path.join(os.path.abspath(parent), "lttng")
    deepest = os.path.join(home, ".lttng", "ustconsumerd64", "command-of-the-consumer-daemon")
    reachable = os.geteuid() != 0 or all(
        os.stat(directory).st_mode & 0o001 for directory in _ancestors(home))
    if len(deepest) > LONGEST_SOCKET_PATH or not reachable:
        home = tempfile.mkdtemp(prefix="k42-lttng-")
    else:
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
    if os.geteuid() == 0:
        os.chown(home, UNPRIVILEGED, UNPRIVILEGED)
    return home


def _ancestors(path):
    while (path := os.path.dirname(path)) != "/":
        if os.path.exists(path):
            yield path


def _wait_until_it_answers(session, daemon):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and daemon.poll() is None:
        with contextlib.suppress(RuntimeError):
            session.command("list")
            return
        time.sleep(0.1)
    raise RuntimeError("lttng-sessiond did not start; see sessiond.log in " + session.home)


@contextlib.contextmanager
def session(parent, event):
    """A running session that records one user-space event into memory, overwriting the oldest."""
    shared_before = set(os.listdir("/dev/shm"))
    here = Session(_make_home(parent))
    with open(os.path.join(here.home, "sessiond.log"), "w", encoding="utf-8") as log:
        daemon = subprocess.Popen(["lttng-sessiond", "--no-kernel"], stdout=log, stderr=log,
                                  **here.run_arguments)
    try:
        _wait_until_it_answers(here, daemon)
        here.command("create", "bench", "--snapshot")
        here.command("enable-channel", "--userspace", "--overwrite", "--num-subbuf=4",
                     "--subbuf-size=1M", "bench")
        here.command("enable-event", "--userspace", event, "--channel", "bench")
        here.command("start")
        yield here
        here.command("destroy", "bench")
    finally:
        daemon.terminate()
        try:
            daemon.wait(timeout=30)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
        for name in set(os.listdir("/dev/shm")) - shared_before:
            if name.startswith("lttng-ust-wait-"):
                os.unlink(os.path.join("/dev/shm", name))
        shutil.rmtree(here.home, ignore_errors=True)
