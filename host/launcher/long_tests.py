"""./k42 test --long: tests that take hours, cut into shards of at most half an hour.

tests/long.json is the table: area -> list of {"name", "minutes", "shards"} with either "command" (and
"variant"), a program that ends with 0, or "file", a file for pytest, of whose tests each shard runs a
share, with "settings" in its environment. "each" says for which values an entry is repeated:
{"cpus": [1, 2], ...} stands for one with each combination. In all words {build} is the variant's
folder, {shard} counts from 1, and {cpus} is a value of "each". A shard that passed is not run again
until a source of the tree changes; docs/results/AREA.md tells what came out.
"""
import hashlib
import itertools
import json
import os
import subprocess
import time

from launcher import testing, variants
from launcher.progress import say
from launcher.suites import SANITIZER_SETTINGS, Suite, pytest_command
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


def combinations(entry):
    """The values of an entry's "each" in all combinations."""
    names = list(entry.get("each", {}))
    return [dict(zip(names, values)) for values in itertools.product(*entry.get("each", {}).values())]


def suite_of(entry, shard, words):
    """One shard of an entry."""
    variant, shards = entry.get("variant", "release"), entry.get("shards", 1)
    words = {"build": variants.folder(variant), "shard": shard, "root": ROOT, **words}
    settings = environment(K42_BUILD=variants.folder(variant), **SANITIZER_SETTINGS)
    settings.update({name: text.format(**words) for name, text in entry.get("settings", {}).items()},
                    CMOCKA_MESSAGE_OUTPUT="TAP", K42_SHARD=f"{shard}/{shards}")
    suite = Suite(variant, f"{entry['name'].format(**words)}-{shard}", None, "exitcode",
                  entry["minutes"] * 60, settings)
    if "file" in entry:
        suite.protocol = "junit"
        suite.command = pytest_command(path(entry["file"].format(**words)), suite)
    else:
        suite.command = [word.format(**words) for word in entry["command"]]
    return suite


def shards(area):
    """Every shard of an area, as suites."""
    result = []
    for entry in table()[area]:
        if entry["minutes"] > MOST_MINUTES:
            raise Trouble(f"{area}/{entry['name']}: a shard may take {MOST_MINUTES} minutes",
                          f"cut it smaller in {shown(TABLE)}")
        result += [suite_of(entry, shard, words) for words in combinations(entry)
                   for shard in range(1, entry.get("shards", 1) + 1)]
    return result


def commit():
    """Which commit is tested, and whether the sources are changed against it."""
    said = [subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True).stdout.strip()
            for words in (["rev-parse", "--short=10", "HEAD"], ["status", "--porcelain"])]
    changed = [line for line in said[1].splitlines() if line.endswith(SOURCES)]
    return f"commit {said[0]}{' with changes' if changed else ''}" if said[0] else "no commit"


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
                                     "skipped": verdict.skipped, "seconds": round(took), "said": last}
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


def summarise(area, state, count):
    """Writes docs/results/AREA.md."""
    rows = sorted(state.results.items())
    failed = sum(bool(row["failed"]) for _, row in rows)
    minutes = sum(row["seconds"] for _, row in rows) / 60
    text = [f"# Long tests: {area}", "",
            f"`./k42 test --long {area}`, {len(rows)} of {count} shards run, {failed} of them failed, "
            f"{minutes:.0f} minutes in all, {os.cpu_count()} processors, "
            f"{time.strftime('%Y-%m-%d', time.gmtime())}, {commit()}.", "",
            "| shard | cases passed | failed | skipped | seconds | last words |",
            "|---|---|---|---|---|---|"]
    text += [f"| {name} | {row['passed']} | {row['failed']} | {row.get('skipped', 0)} | "
             f"{row['seconds']} | {row['said'].replace('|', '/')} |" for name, row in rows]
    os.makedirs(path("docs", "results"), exist_ok=True)
    with open(path("docs", "results", area + ".md"), "w") as file:
        file.write("\n".join(text) + "\n")


def run_area(area):
    everything, state = shards(area), State(area)
    todo = [suite for suite in everything if not state.has_passed(suite)]
    say(f"{area}: {len(everything)} shards, {len(everything) - len(todo)} have passed already")
    for variant in sorted({suite.variant for suite in todo} | set(testing.GUESTS)):
        variants.build(variant)
    running = testing.Running()
    try:
        for suite in todo:
            say(f"{suite.title}: at most {suite.timeout // 60} minutes ...")
            verdict, took = testing.run_suite(suite, running)
            testing.tell(suite, verdict, took)
            state.keep(suite, verdict, took, last_line(suite))
            summarise(area, state, len(everything))
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
