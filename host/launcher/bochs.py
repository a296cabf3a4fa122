"""Boots a disc in Bochs: a second machine, written by other people, and stricter than QEMU's.

It has what QEMU's emulation lacks: x2APIC, the TSC-deadline timer and PCID. Debian's package is the
build with a debugger, whose one command here is to go on, and wants a terminal, which it gets.
It gives no status, so what the kernel says is all there is.
"""
import os
import pty
import signal
import subprocess
import time

from launcher.tree import Trouble, environment

SETTINGS = """config_interface: textconfig
display_library: term
plugin_ctrl: unmapped=true, biosdev=true, speaker=false, extfpuirq=true, parallel=false, serial=true
sound: driver=dummy
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: count={cpus}, ips=50000000, model=corei7_haswell_4770, reset_on_triple_fault=0
megs: {memory}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={disc}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev={serial}
log: {log}
panic: action=fatal
clock: sync=none
"""


def run(disc, folder, limit, cpus=2, memory=256):
    """What the guest wrote on its serial port; its files lie in `folder`."""
    serial = os.path.join(folder, "serial")
    settings, commands = os.path.join(folder, "bochsrc"), os.path.join(folder, "commands")
    with open(settings, "w") as file:
        file.write(SETTINGS.format(cpus=cpus, memory=memory, disc=disc, serial=serial,
                                   log=os.path.join(folder, "log")))
    with open(commands, "w") as file:
        file.write("continue\n")
    wait_for(["bochs", "-q", "-f", settings, "-rc", commands], limit)
    try:
        with open(serial, errors="replace") as file:
            return file.read().replace("\r", "")
    except FileNotFoundError:
        raise Trouble("Bochs did not start", f"see {os.path.join(folder, 'log')}")


def wait_for(command, limit):
    """Runs a command on a terminal of its own until it ends, for at most `limit` seconds."""
    master, terminal = pty.openpty()
    try:
        machine = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal,
                                   env=environment(TERM="xterm"), start_new_session=True)
    except FileNotFoundError:
        raise Trouble("bochs is not installed", "install the package bochs")
    finally:
        os.close(terminal)
    os.set_blocking(master, False)
    end = time.monotonic() + limit
    try:
        while machine.poll() is None and time.monotonic() < end:
            drain(master)
            time.sleep(0.05)
    finally:
        if machine.poll() is None:
            os.killpg(machine.pid, signal.SIGKILL)
            machine.wait()
        os.close(master)


def drain(master):
    """What is drawn on the screen is nobody's, but would fill the terminal up."""
    try:
        while os.read(master, 65536):
            pass
    except OSError:
        return
