"""What long runs remember: each shard's last result, and which shards come first."""
import os
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import long_tests  # noqa: E402
from launcher.suites import Suite  # noqa: E402
from launcher.verdicts import Verdict  # noqa: E402


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(long_tests, "path", lambda *names: str(tmp_path.joinpath(*names)))
    monkeypatch.setattr(long_tests, "built", lambda *names: str(tmp_path.joinpath("build", *names)))
    monkeypatch.setattr(long_tests, "commit", lambda: "commit 1234")
    monkeypatch.setattr(long_tests, "fingerprint", lambda: "this tree")
    return tmp_path


def shard(name):
    return Suite("release", name, None, "exitcode", 60, {})


def run(state, suite, passed, failed):
    state.keep(suite, Verdict(passed, failed), 7.2, "a | b")


def test_what_is_told_of_a_tree_is_known_in_the_next_and_run_again(place, monkeypatch):
    suites = [shard("first"), shard("second")]
    state = long_tests.State("area")
    run(state, suites[0], 3, 0)
    assert state.has_passed(suites[0]) and not state.has_passed(suites[1])
    long_tests.summarise("area", state, suites)
    assert long_tests.State("area").has_passed(suites[0])
    monkeypatch.setattr(long_tests, "fingerprint", lambda: "another tree")
    later = long_tests.State("area")
    assert not later.has_passed(suites[0])
    assert later.known(suites) == {suites[0].title: {
        "passed": 3, "failed": 0, "skipped": 0, "seconds": 7, "said": "a / b",
        "commit": "commit 1234"}}


def test_shards_that_never_ran_come_first_then_those_that_failed(place):
    suites = [shard(name) for name in ("passed", "failed", "new")]
    state = long_tests.State("area")
    run(state, suites[0], 3, 0)
    run(state, suites[1], 2, 1)
    assert [suite.name for suite in sorted(suites, key=state.order)] == ["new", "failed", "passed"]


def test_shards_that_there_are_no_more_are_not_told(place):
    state = long_tests.State("area")
    run(state, shard("gone"), 1, 0)
    run(state, shard("here"), 1, 0)
    long_tests.summarise("area", state, [shard("here")])
    assert list(long_tests.told("area")) == ["release/here"]


def test_a_pattern_takes_some_and_says_when_there_is_none(place, monkeypatch):
    ran = []
    monkeypatch.setattr(long_tests, "table", lambda: {"area": []})
    monkeypatch.setattr(long_tests, "shards", lambda area: [shard("one-1"), shard("two-1")])
    monkeypatch.setattr(long_tests.variants, "build", lambda variant: None)
    monkeypatch.setattr(long_tests.testing, "run_suite",
                        lambda suite, running: (ran.append(suite.name), (Verdict(1, 0), 0.1))[1])
    monkeypatch.setattr(long_tests, "last_line", lambda suite: "passed")
    assert long_tests.test_long("area", "two") == 0
    assert ran == ["two-1"]
    with pytest.raises(long_tests.Trouble, match="no shard of 'area'"):
        long_tests.test_long("area", "three")
