"""./k42 iso: a disc from which GRUB boots the kernel, on machines with a BIOS and with UEFI."""
import os
import shutil
import subprocess
import tempfile

from launcher import progress, root, session, variants
from launcher.progress import say
from launcher.tree import Trouble, built, environment, shown

MENU = """set timeout=1
serial --unit=0
terminal_output console serial
menuentry 'K42' {{
    multiboot2 /boot/k42.elf {options}
    module2 /boot/root.cpio root
}}
"""
FIRMWARE = "/usr/share/ovmf/OVMF.fd"  # for tests on a machine with UEFI


def stripped_kernel(output):
    """A copy of the kernel without what only debuggers read."""
    kernel, _ = session.kernel_files("k42")
    subprocess.run(["objcopy", "--strip-debug", kernel, output], check=True, env=environment())
    return output


def make(output, packages=(), options=""):
    """Writes the image."""
    archive = session.initramfs(packages)
    with tempfile.TemporaryDirectory(dir=built()) as folder:
        boot = os.path.join(folder, "boot")
        os.makedirs(os.path.join(boot, "grub"))
        stripped_kernel(os.path.join(boot, "k42.elf"))
        os.link(archive, os.path.join(boot, "root.cpio"))
        with open(os.path.join(boot, "grub", "grub.cfg"), "w") as file:
            file.write(MENU.format(options=options))
        if shutil.which("grub-mkrescue") is None:
            raise Trouble("grub-mkrescue is not installed", "it is in the package grub-common")
        progress.run_logged("making the disc", ["grub-mkrescue", "-o", output, folder],
                            built("logs", "iso.log"))
    return output


def run(asked):
    variants.build("release", targets=variants.GUEST)
    output = os.path.abspath(asked.output or built("k42.iso"))
    make(output, root.split(asked.packages), asked.append)
    say(f"{shown(output)}: {os.path.getsize(output) / (1 << 20):.1f} MiB")
    return 0
