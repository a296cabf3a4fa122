"""The search program as a whole: what it prints, checks and draws."""
import json
import os
import subprocess

import pytest

SUITE_TIMEOUT_SECONDS = 600

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
BUILD = os.environ.get("K42_BUILD", os.path.join(ROOT, "build", "release"))
SEARCH = os.path.join(BUILD, "core", "examples", "search", "search")
ACCOUNTED = "every page and every hold is accounted for"


def search(*options, program=SEARCH, **more):
    return subprocess.run([program, *map(str, options)], capture_output=True, text=True,
                          timeout=120, **more)


def good(*options, **more):
    done = search(*options, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("mode", ["shared", "partitioned", "adaptive"])
@pytest.mark.parametrize("threads", [1, 3])
def test_each_mode_accounts_for_every_page_and_hold(mode, threads):
    said = good("--mode", mode, "--threads", threads, "--searches", 300)
    assert f"{300 * threads} searches" in said
    assert ACCOUNTED in said


def test_a_cache_of_one_page_is_searched():
    assert ACCOUNTED in good("--pages", 1, "--searches", 10)


def test_a_fixed_mode_never_swaps():
    assert " 0 swaps; the cache is of class cache.shared now" in good(
        "--mode", "shared", "--threads", 4, "--seconds", "0.3")


def test_json_has_one_object_a_line_with_the_keys_of_all_benchmarks():
    lines = good("--sweep", "--threads", 2, "--rounds", 1, "--json").splitlines()
    rows = [json.loads(line) for line in lines]
    assert {(row["name"], row["cpus"]) for row in rows} == {
        (mode, cpus) for mode in ("shared", "partitioned", "adaptive") for cpus in (1, 2)}
    for row in rows:
        assert set(row) == {"bench", "name", "cpus", "value", "unit", "peer", "peer_value",
                            "ratio"}
        assert row["bench"] == "search" and row["value"] > 0


def test_the_demonstration_ends_with_what_it_showed_and_draws_it(tmp_path):
    said = good("--demo", "--rounds", 1, "--picture", "shown.png", cwd=tmp_path)
    summary = said.split("What this showed\n")[1]
    assert "holds was counted exactly once" in summary
    assert (tmp_path / "shown.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_written_is_an_error():
    done = search("--sweep", "--threads", 1, "--rounds", 1, "--picture", "/nonexistent/a.png")
    assert done.returncode == 1
    assert "no picture /nonexistent/a.png" in done.stderr


@pytest.mark.parametrize("options", [["--threads", "0"], ["--threads", "many"], ["--pages", "-1"],
                                     ["--seconds", "nan"], ["--mode", "quick"], ["--what"],
                                     ["more"]])
def test_wrong_usage_says_so_and_does_nothing(options):
    done = search(*options)
    assert done.returncode == 2
    assert "usage: search" in done.stderr and done.stdout == ""
