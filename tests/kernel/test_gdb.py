"""What gdb shows of the standing kernel through host/gdb/k42.py."""
import os
import re
import subprocess

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
LIMIT = 200  # seconds
ASKED = ["hbreak machine_exit", "continue", "k42 cpus", "k42 threads -b", "k42 objects",
         "k42 object 512", "k42 object 99999999", "kill"]


@pytest.fixture(scope="module")
def said():
    words = [word for command in ASKED for word in ("-x", command)]
    done = subprocess.run([os.path.join(ROOT, "k42"), "gdb", "--cpus", "3", "--append", "exit",
                           *words], capture_output=True, text=True, timeout=LIMIT)
    return done.stdout + done.stderr


def test_it_stops_where_it_was_told(said):
    assert re.search(r"hit Breakpoint 1, .*machine_exit", said), said


def test_every_cpu_is_shown(said):
    assert re.findall(r"^CPU (\d): runs thread \d+ ", said, re.M) == ["0", "1", "2"], said


def test_threads_have_names_states_and_backtraces(said):
    assert re.search(r"^ +\d+ running  CPU \d +main\n +machine_exit\b.*\n +kernel_main "
                     r"\(kernel/main.c", said, re.M), said
    assert re.search(r"^ +\d+ \w+ +CPU 2 +idle 2$", said, re.M), said


def test_objects_are_counted_by_class(said):
    assert re.search(r"^ +[1-9]\d* k42\.factory$", said, re.M), said


def test_an_object_is_shown_with_its_class_and_root(said):
    assert re.search(r"^object 512: live\n  class k42\.factory version \d+ of interface k42_factory, "
                     r"single\n  root  0x", said, re.M), said


def test_a_number_without_an_object_is_refused(said):
    assert "there is no object 99999999" in said
