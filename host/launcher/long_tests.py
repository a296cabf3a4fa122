"""./k42 test --long: tests that take hours, cut into shards of at most half an hour.

tests/long.json is the table: area -> list of {"name", "variant", "command", "shards", "minutes"}.
In a command {build} is the variant's folder and {shard} counts from 1. A shard that passed is not
run again until a source of the tree changes; docs/results/AREA.md tells what came out.
"""
import hashlib
import json
import os
import time

from launcher import testing, variants
from launcher.progress import say
from launcher.suites import SANITIZER_SETTINGS, Suite
from launcher.tree import ROOT, Trouble, built, environment, path, shown, sources

TABLE = path("tests", "long.json")
MOST_MINUTES = 30
SOURCES = (".c", ".h", ".S", ".py", ".pml", ".build", ".json")


def table():
    with open(TABLE) as file:
        return json.load(file)


def fingerprint():
    """Changes when any source does."""
    digest = hashlib.sha256()
    for file in sources(*SOURCES):
        digest.update(os.path.relpath(file, ROOT).encode())
        with open(file, "rb") as opened:
            digest.update(opened.read())
    return digest.hexdigest()[:16]


def shards(area):
    """Every shard of an area, as suites."""
    result = []
    for entry in table()[area]:
        if entry["minutes"] > MOST_MINUTES:
            raise Trouble(f"{area}/{entry['name']}: a shard may take {MOST_MINUTES} minutes",
                          f"cut it smaller in {shown(TABLE)}")
        for shard in range(1, entry.get("shards", 1) + 1):
            variant = entry.get("variant", "release")
            words = {"build": variants.folder(variant), "shard": shard, "root": ROOT}
            settings = environment(K42_BUILD=variants.folder(variant), **SANITIZER_SETTINGS)
            settings["CMOCKA_MESSAGE_OUTPUT"] = "TAP"
            suite = Suite(variant, f"{entry['name']}-{shard}",
                          [word.format(**words) for word in entry["command"]],
                          entry.get("protocol", "exitcode"), entry["minutes"] * 60, settings)
            result.append(suite)
    return result


class State:
    """What is known of an area's shards, in one file that outlives an interrupted run."""

    def __init__(self, area):
        self.file = built("long", area + ".json")
        self.tree, self.results = fingerprint(), {}
        try:
            with open(self.file) as opened:
                known = json.load(opened)
            if known["tree"] == self.tree:
                self.results = known["results"]
        except (OSError, ValueError, KeyError):
            pass

    def keep(self, suite, verdict, took, last):
        self.results[suite.title] = {"passed": verdict.passed, "failed": verdict.failed,
                                     "seconds": round(took), "said": last}
        os.makedirs(os.path.dirname(self.file), exist_ok=True)
        with open(self.file + ".new", "w") as opened:
            json.dump({"tree": self.tree, "results": self.results}, opened, indent=1)
        os.replace(self.file + ".new", self.file)

    def has_passed(self, suite):
        known = self.results.get(suite.title)
        return bool(known) and not known["failed"]


def last_line(suite):
    with open(suite.log, errors="replace") as log:
        lines = [line.strip() for line in log if line.strip()]
    return lines[-1][:120] if lines else ""


def summarise(area, state):
    """Writes docs/results/AREA.md."""
    rows = sorted(state.results.items())
    failed = sum(bool(row["failed"]) for _, row in rows)
    minutes = sum(row["seconds"] for _, row in rows) / 60
    text = [f"# Long tests: {area}", "",
            f"`./k42 test --long {area}`, {len(rows)} shards, {failed} of them failed, "
            f"{minutes:.0f} minutes in all, {os.cpu_count()} processors, "
            f"{time.strftime('%Y-%m-%d', time.gmtime())}.", "",
            "| shard | cases passed | failed | seconds | last words |", "|---|---|---|---|---|"]
    text += [f"| {name} | {row['passed']} | {row['failed']} | {row['seconds']} | "
             f"{row['said'].replace('|', '/')} |" for name, row in rows]
    os.makedirs(path("docs", "results"), exist_ok=True)
    with open(path("docs", "results", area + ".md"), "w") as file:
        file.write("\n".join(text) + "\n")


def run_area(area):
    everything, state = shards(area), State(area)
    todo = [suite for suite in everything if not state.has_passed(suite)]
    say(f"{area}: {len(everything)} shards, {len(everything) - len(todo)} have passed already")
    for variant in sorted({suite.variant for suite in todo}):
        variants.build(variant)
    running = testing.Running()
    try:
        for suite in todo:
            say(f"{suite.title}: at most {suite.timeout // 60} minutes ...")
            verdict, took = testing.run_suite(suite, running)
            testing.tell(suite, verdict, took)
            state.keep(suite, verdict, took, last_line(suite))
            summarise(area, state)
    finally:
        running.stop()
    rows = [state.results[suite.title] for suite in everything]
    return sum(row["passed"] for row in rows), sum(row["failed"] for row in rows)


def test_long(area):
    areas = table()
    if area and area not in areas:
        raise Trouble(f"no area is called '{area}'", "there are: " + ", ".join(areas))
    if not areas:
        raise Trouble(f"{shown(TABLE)} names no long test")
    results = [run_area(name) for name in ([area] if area else areas)]
    return testing.conclude(sum(passed for passed, _ in results),
                            sum(failed for _, failed in results))
