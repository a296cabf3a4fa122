"""What there is to test: programs that Meson registered, in each variant, and files in Python.

A suite is one program or file and is named VARIANT/NAME. Those in Python test whole programs of the
release build and are named python/NAME: `test_*.py` is run by pytest, and `tests/FOLDER/check.py`
writes a report in JUnit's form where --junit says, leaving out with --quick what takes long. Either
may say how long it can take with a line `SUITE_TIMEOUT_SECONDS = 600`, and with a line
`SUITE_ALONE = True` that it is about processors that truly work at the same time.
"""
import json
import os
import re

from launcher.tree import PYTHON, built, environment, path, sources
from launcher.variants import VARIANTS, folder

PYTHON_TIMEOUT = 600  # seconds, unless the file says otherwise
TIMEOUT_LINE = re.compile(r"^SUITE_TIMEOUT_SECONDS = (\d+)", re.M)
ALONE_LINE = re.compile(r"^SUITE_ALONE = True$", re.M)

# What a sanitizer finds ends the program.
SANITIZER_SETTINGS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:second_deadlock_stack=1",
}


class Suite:
    """One program to run and how to read what it says."""

    def __init__(self, variant, name, command, protocol, timeout, settings, priority=0,
                 alone=False, where=path()):
        self.variant, self.name = variant, name
        self.command, self.protocol = command, protocol
        self.timeout, self.settings = timeout, settings
        self.priority, self.alone = priority, alone
        self.where = where  # the folder it is run in

    @property
    def title(self):
        return f"{self.variant}/{self.name}"

    @property
    def log(self):
        return built("test", self.variant, self.name + ".log")

    @property
    def junit(self):
        return built("test", self.variant, self.name + ".xml")


def python_suite(file, name):
    settings = environment(K42_BUILD=folder("release"))
    with open(file) as opened:
        text = opened.read()
    said = TIMEOUT_LINE.search(text)
    timeout = int(said[1]) if said else PYTHON_TIMEOUT
    return Suite("python", name, [PYTHON, file], "junit", timeout, settings, timeout,
                 bool(ALONE_LINE.search(text)))


def pytest_command(file, suite):
    return [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short",
            f"--rootdir={path()}", f"--basetemp={built('tmp', suite.name)}",
            f"--junit-xml={suite.junit}", file]


def python_suites():
    """Every test_*.py of the tree, and every check.py of a folder of tests/."""
    result = []
    for file in sources(".py"):
        name = os.path.basename(file)[:-len(".py")]
        if name.startswith("test_"):
            suite = python_suite(file, name)
            suite.command = pytest_command(file, suite)
            result.append(suite)
        elif name == "check" and os.path.dirname(os.path.dirname(file)) == path("tests"):
            suite = python_suite(file, os.path.basename(os.path.dirname(file)))
            suite.command += ["--quick", "--junit", suite.junit]
            result.append(suite)
    return result


def compiled_suites(variant):
    """What Meson registered in a variant that has been built."""
    patience = VARIANTS[variant].patience
    with open(os.path.join(folder(variant), "meson-info", "intro-tests.json")) as file:
        registered = json.load(file)
    result = []
    for test in registered:
        settings = environment(K42_BUILD=folder(variant), **SANITIZER_SETTINGS)
        settings.update({"CMOCKA_MESSAGE_OUTPUT": "TAP", **test["env"]})
        result.append(Suite(variant, test["name"].replace(" ", "-"), test["cmd"], test["protocol"],
                            test["timeout"] * patience, settings, test["priority"],
                            not test["is_parallel"],
                            test["workdir"] or folder(variant)))
    return result


def matches(suite, pattern):
    return not pattern or pattern in suite.title
