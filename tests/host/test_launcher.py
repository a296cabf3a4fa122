"""The k42 command: what it says about wrong words, and that no failure of a test is overlooked."""
import os
import subprocess
import sys
import time
import types

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import packages, testing, verdicts  # noqa: E402


def k42(*words):
    return subprocess.run([os.path.join(ROOT, "k42"), *words], capture_output=True, text=True)


@pytest.mark.parametrize("words", [["frobnicate"], ["build", "--frobnicate"], ["install"],
                                   ["bench"], ["test", "--long", "a", "b", "c"], ["test", "--long", "--list"],
                                   ["run", "--cpus", "0"], ["run", "--cpus", "many"],
                                   ["run", "--cpus", "1000"], ["boot", "--mem", "1"],
                                   ["boot", "--mem", "much"], ["boot", "--limit", "-5"]])
def test_wrong_words_get_one_line_and_a_hint(words):
    done = k42(*words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2 and "./k42 help" in done.stderr


def test_an_unknown_variant_names_those_there_are():
    done = k42("build", "--variant", "nonesuch")
    assert done.returncode == 1
    assert "release" in done.stderr and "tsan" in done.stderr


@pytest.mark.parametrize("command", ["build", "run", "root", "iso", "gdb", "test", "bench", "install",
                                     "format", "calls"])
def test_help_names_every_command(command):
    assert command in k42("help").stdout
    assert k42(command, "--help").returncode == 0


def test_every_package_has_a_reason():
    assert all(packages.wanted().values())


def judged(text, status=0, protocol="tap", timed_out=False):
    suite = types.SimpleNamespace(protocol=protocol, timeout=1, junit="/nonexistent")
    verdict = verdicts.judge(suite, status, text, timed_out)
    return verdict.passed, verdict.failed


def test_passed_and_failed_cases_are_counted():
    assert judged("1..3\nok 1 - a\nnot ok 2 - b\n# why\nok 3 - c\n", 1) == (2, 1)


def test_cases_after_a_crash_count_as_failed():
    assert judged("1..3\nok 1 - a\n", -11) == (1, 2)


def test_a_crash_after_the_last_case_counts_as_failed():
    assert judged("1..1\nok 1 - a\n", -6) == (1, 1)


def test_running_out_of_time_counts_as_failed():
    assert judged("1..1\nok 1 - a\n", -9, timed_out=True) == (1, 1)


@pytest.mark.parametrize("protocol", ["tap", "junit"])
def test_silence_counts_as_failed(protocol):
    assert judged("", 0, protocol) == (0, 1)


def test_a_program_without_cases_counts_once():
    assert judged("", 0, "exitcode") == (1, 0)
    assert judged("", 3, "exitcode") == (0, 1)


# As a test does that has started a guest.
STARTS_ANOTHER = """
import subprocess
other = subprocess.Popen(["sleep", "1000"], start_new_session=True)
print(other.pid, flush=True)
other.wait()
"""


def test_a_suite_that_is_ended_leaves_nothing_in_other_sessions():
    suite = subprocess.Popen([sys.executable, "-c", STARTS_ANOTHER], stdout=subprocess.PIPE,
                             start_new_session=True)
    other = int(suite.stdout.readline())
    testing.end_group(suite)
    suite.communicate()
    end = time.monotonic() + 60
    while is_alive(other):
        assert time.monotonic() < end
        time.sleep(0.01)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(") ", 1)[1][0] != "Z"
    except FileNotFoundError:
        return False
