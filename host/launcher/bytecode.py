"""The compiled form of python's modules in a root tree, as a part of the archive.

Debian's scripts make it when a package is installed; without it every program in python would compile
what it imports, which costs an emulated guest minutes. It is what py_compile makes on this machine, so
it is of use only where the guest's python is of the same version; another one takes no notice of it.
"""
import importlib
import os
import sys

from launcher import cpio, root
from launcher.progress import note

MODULES = "usr/lib/python3"


def place(path):
    """Where python looks for it, whatever our own python was told."""
    folder, name = os.path.split(path)
    return f"{folder}/__pycache__/{name.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"


def compiled(path, entry):
    """The .pyc of one module, or None where the source is meant to be wrong."""
    try:
        code = compile(entry.data, "/" + path, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError):
        return None
    return cpio.file(bytes(importlib._bootstrap_external._code_to_timestamp_pyc(
        code, entry.time, len(entry.data))))


def part(packages):
    """A file with the part for the tree of these packages; made once."""
    wanted = root.resolved([*root.BASE, *packages])
    file = root.part_file(["compiled modules", sys.implementation.cache_tag, wanted])
    if not os.path.exists(file):
        note("compiling python's modules")
        tree = {}
        for path, entry in root.files(wanted).items():
            if path.startswith(MODULES) and path.endswith(".py"):
                tree[place(path)] = compiled(path, entry)
        root.keep(file, cpio.part({path: entry for path, entry in tree.items() if entry}, 5))
    return file
