"""Where things are in the tree, and the environment in which every tool runs.

Nothing is written outside build/, except what a command's purpose is to write: an installation,
formatted sources, the results of long tests.
"""
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.path.join(ROOT, "build")
PYTHON = "/usr/bin/python3"

# Where sources live; build/ and hidden folders are never looked into.
SOURCE_FOLDERS = ("bench", "components", "core", "docs", "guest", "host", "include", "kernel", "tests", "user")

# Settings of the caller's shell that would make two machines build different things.
UNWANTED = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "PKG_CONFIG_PATH",
            "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "DESTDIR",
            "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "VIRTUAL_ENV")


class Terminated(KeyboardInterrupt):
    """A SIGTERM, which only this process got; what unwinds at Ctrl-C unwinds at it, too."""


class Trouble(Exception):
    """Something the person at the keyboard should know, and what to do about it."""

    def __init__(self, what, hint=None):
        super().__init__(what)
        self.hint = hint


def path(*parts):
    return os.path.join(ROOT, *parts)


def built(*parts):
    return os.path.join(BUILD, *parts)


def shown(name):
    """A path as people want to read it: relative to the tree where it lies inside."""
    relative = os.path.relpath(name, ROOT)
    return name if relative.startswith("..") else relative


def environment(**more):
    """The distribution's own tools first, nothing from the caller that changes what is built."""
    result = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    result["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin:" + os.environ.get("PATH", "")
    result["LC_ALL"] = "C.UTF-8"
    result["PYTHONPYCACHEPREFIX"] = built("pycache")
    result["K42_ROOT"] = ROOT
    result.update(more)
    return result


def sources(*endings):
    """Every file of the tree whose name ends so, sorted."""
    found = []
    for folder in SOURCE_FOLDERS:
        for where, folders, files in os.walk(path(folder)):
            folders[:] = [name for name in folders if not name.startswith((".", "__"))]
            found += [os.path.join(where, name) for name in files if name.endswith(endings)]
    return sorted(found)
