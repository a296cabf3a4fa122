"""./k42 gdb: the kernel in the emulator under gdb, which knows its types, threads and objects.

The machine stands still before its first instruction. A command given after -- is run in the guest
once it has booted; what that says goes to a file.
"""
import os
import shutil
import signal
import subprocess
import tempfile
import threading

from launcher import root, session, standing, variants
from launcher.progress import say
from launcher.tree import ROOT, Trouble, built, environment, shown

BOOT_SECONDS = 3600


def serve(guest, words, output):
    """Runs the command when the guest is ready; the debugger may take its time."""
    try:
        guest.wait_until_ready(BOOT_SECONDS)
        if words:
            result = guest.run(words, limit=BOOT_SECONDS)
            with open(output, "wb") as file:
                file.write(result.output + result.errors)
    except (Trouble, OSError, ValueError):
        pass


def run(asked):
    variants.build("release", targets=variants.GUEST)
    kernel, _ = session.kernel_files("k42")
    folder = tempfile.mkdtemp(prefix="k42-gdb-")
    port, output = os.path.join(folder, "port"), built("run", "gdb-output")
    more = ["-S", "-chardev", f"socket,id=gdb,path={port},server=on,wait=off",
            "-gdb", "chardev:gdb"]
    before = signal.getsignal(signal.SIGINT)
    try:
        with session.Session("k42", asked.cpus, asked.mem, root.split(asked.packages),
                             append=asked.append, more=more,
                             accelerator="tcg,thread=multi") as guest:
            say(f"the console is in {shown(guest.log)}; 'k42' shows what there is to see")
            threading.Thread(target=serve, args=(guest, asked.words, output), daemon=True).start()
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is gdb's
            return subprocess.run(standing.words_for_gdb(kernel, port, asked.execute), cwd=ROOT,
                                  env=environment()).returncode
    finally:
        signal.signal(signal.SIGINT, before)
        shutil.rmtree(folder, ignore_errors=True)
