"""./k42 bench papers: what it takes for a figure, what it leaves out, and that all of it runs."""
import json
import os
import subprocess
import sys

import pytest
from conftest import only_long
from launcher.tree import path

sys.path.insert(0, path("bench", "papers"))

import guests  # noqa: E402
import host_programs  # noqa: E402
import plots  # noqa: E402
import rows  # noqa: E402
import search  # noqa: E402
import users  # noqa: E402

SUITE_TIMEOUT_SECONDS = 1500
K42 = path("k42")
GUESTS = os.environ.get("K42_GUEST", "k42").split(",")
pytestmark = pytest.mark.skipif(GUESTS != ["k42"], reason="is about K42")


def bench(*words):
    return subprocess.run([K42, "bench", "papers", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def test_a_ratio_below_one_is_better_of_costs_and_of_rates():
    cost = rows.row("x", "cost", "a", "ns", [1, 2, 3], theirs=[4, 4, 4])
    rate = rows.row("x", "rate", "a", "a second", [8, 8, 8], theirs=[4, 4, 4], more_is_better=True)
    assert cost["ratio"] == rate["ratio"] == 0.5


def test_a_target_that_is_missed_is_told():
    one = rows.row("x", "pause", "a", "us", [1, 1, 1001], share=1, target="<= 1000",
                   reached=lambda value, _: value <= 1000)
    assert one["value"] == 1001 and one["reached"] is False and "NO" in rows.table([one])


def test_a_clock_that_jumped_is_no_cost():
    assert guests.calm([100, 101, 18000]) == [100, 101]


def test_searches_that_find_too_little_are_no_figure():
    class Careless:
        def timed(self, script):
            return 1000, ["4 399"]
    with pytest.raises(AssertionError, match="399"):
        search.searched(Careless(), 2, 4)


def test_kernels_whose_users_write_different_things_are_no_figure(monkeypatch):
    sums = {"k42": "1 2", "linux": "1 3"}
    monkeypatch.setattr(users, "measured", lambda kernel, *_: [(1.0, sums[kernel])])
    with pytest.raises(AssertionError, match="different things"):
        users.both(1, 1, 1, 1, 1)


def test_searches_on_the_host_find_all_words_with_each_class():
    seen = host_programs.run("page_search", rounds=1, most=4)
    assert {variant for row, variant in seen if row == "search-4"} == set(search.ALL)
    assert len(seen["look-4", "fcm.partitioned"]) == 4


def test_readers_lose_no_page_of_a_cache_that_is_swapped():
    seen = host_programs.run("page_pause", swaps=30, pages=10000, readers=2)
    assert len(seen["pause", "k42"]) == 30 and seen["given-up", "k42"] != [30]


def test_pictures_are_drawn(tmp_path):
    panel = plots.Panel("A", "CPUs", "ns", [("one", [(1, 2, 1, 3), (2, 2, 1, 3)]), ("none", [])])
    for file in (plots.lines(str(tmp_path), "lines", [panel]),
                 plots.bars(str(tmp_path), "bars", "B", "ns", [("one", 1), ("two", 2)])):
        with open(file, "rb") as picture:
            assert picture.read(8) == b"\x89PNG\r\n\x1a\n"


def test_an_experiment_that_is_not_there_is_refused_with_those_that_are():
    done = bench("--only", "serach")
    assert done.returncode and "there are: search, postmark, users, swaps" in done.stderr


@only_long
@pytest.mark.parametrize("name", ["search", "postmark", "users", "swaps", "policies"])
def test_the_experiments_run(name):
    done = bench("--quick", "--json", "--only", name)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    if not found:
        assert "nothing to measure" in done.stderr, done.stderr
        return
    assert done.returncode == 0, done.stderr
    for row in found:
        assert row["bench"] == "papers" and row["experiment"] == name and row["value"] is not None
