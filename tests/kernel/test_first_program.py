"""Programs of tests/programs do the same as the first program of the kernel as they do on this
machine's Linux: what they print is compared line by line."""
import os
import subprocess
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import cpio, qemu  # noqa: E402

BUILD = os.environ.get("K42_BUILD", os.path.join(ROOT, "build", "release"))
KERNEL = os.path.join(BUILD, "kernel", "k42.elf")
SOURCES = os.path.join(ROOT, "tests", "programs")
FLAGS = ["-std=gnu17", "-O1", "-static", "-pthread"]
LIMIT = 240  # seconds, for a guest that hangs
PROGRAMS = ["waiting"]


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("programs") / request.param
    source = os.path.join(SOURCES, request.param + ".c")
    subprocess.run(["gcc", *FLAGS, "-o", path, source], check=True)
    return path


@pytest.fixture(scope="module")
def native(program):
    """What it says here."""
    ran = subprocess.run([program], stdout=subprocess.PIPE, timeout=LIMIT, text=True, check=True)
    return ran.stdout.splitlines()


def archive(program, path):
    tree = {"init": cpio.file(program.read_bytes(), 0o755), "dev": cpio.folder(),
            "tmp": cpio.folder(0o1777)}
    data = cpio.part(tree)
    path.write_bytes(data + cpio.end(len(data)))
    return path


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_a_program_does_what_it_does_on_linux(program, native, cpus, tmp_path):
    initrd = archive(program, tmp_path / "initrd")
    ended = qemu.Guest(KERNEL, cpus=cpus, initrd=str(initrd)).run(LIMIT, capture=True)
    said = ended.text.replace("\r", "").splitlines()
    assert native[0] in said, ended.text
    begin = said.index(native[0])
    assert said[begin:begin + len(native)] == native, ended.text
