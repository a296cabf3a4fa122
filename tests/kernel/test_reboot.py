"""Goes over to another kernel without firmware, as a program asks for it."""
import os
import sys

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import cpio, qemu, root, session  # noqa: E402

BUILD = os.environ.get("K42_BUILD", os.path.join(ROOT, "build", "release"))
KERNEL = os.path.join(BUILD, "kernel", "k42.elf")
LIMIT = 120  # seconds, for a guest that hangs
MY_PART = 4

# The first refusal names what is wrong, and leaves the system running.
SCRIPT = """#!/bin/sh
k42ctl reboot --fast /missing
k42ctl reboot --fast /etc/passwd
exec k42ctl reboot --fast /next/k42.elf --initrd /etc/passwd --append '%s'
"""


def boot_with(script, folder, **more):
    archive = os.path.join(folder, "root.cpio")
    with open(KERNEL, "rb") as file:
        kernel = file.read()
    tree = {"again": cpio.file(script, 0o755), "next/k42.elf": cpio.file(kernel)}
    parts = [session.guest_part(), cpio.part(cpio.with_folders(tree), MY_PART)]
    root.archive(archive, [*root.parts(()), *parts])
    ended = qemu.Guest(KERNEL, append="init=/again console=ttyS0", initrd=archive,
                       **more).run(LIMIT, capture=True)
    assert not ended.timed_out, ended.text
    return ended


# At work: kexec_file_load, reboot
def test_a_program_starts_another_kernel_with_options_and_files(tmp_path):
    ended = boot_with(SCRIPT % qemu.options("test=boot"), tmp_path, cpus=2)
    assert "cannot open /missing: No such file or directory" in ended.text
    assert "k42ctl: cannot reboot: Exec format error" in ended.text
    first, second = ended.text.split("starting another kernel")
    assert "test=boot on 2 CPUs: " in second and ", 0 failed" in second
    assert ended.status == 0

