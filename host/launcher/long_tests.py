"""./k42 test --long: tests that take hours, cut into shards of at most half an hour.

tests/long.json is the table: area -> list of {"name", "minutes", "shards"} with either "command" (and
"variant"), a program that ends with 0, or "file", a file for pytest, of whose tests each shard runs a
share, with "settings" in its environment. "each" says for which values an entry is repeated:
{"cpus": [1, 2], ...} stands for one with each combination. In all words {build} is the variant's
folder, {shard} counts from 1, and {cpus} is a value of "each". A shard that passed is not run again
until a source of the tree changes. docs/results/AREA.md tells what came out last of each, and of which
commit it was; shards of which nothing is known there come first, then those that failed.
"""
import hashlib
import itertools
import json
import os
import subprocess
import time

from launcher import testing, variants
from launcher.progress import say
from launcher.suites import SANITIZER_SETTINGS, Suite, matches, pytest_command
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
    variant, shards = entry.get("variant", "release").format(**words), entry.get("shards", 1)
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


COLUMNS = ("passed", "failed", "skipped", "seconds", "said", "commit")


def told(area):
    """What docs/results/AREA.md says: shard -> row."""
    rows = {}
    try:
        with open(path("docs", "results", area + ".md")) as file:
            for line in file:
                name, *cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                if len(cells) == len(COLUMNS) and cells[0].isdigit():
                    rows[name] = {column: int(cell) if cell.isdigit() else cell
                                  for column, cell in zip(COLUMNS, cells)}
    except OSError:
        pass
    return rows


class State:
    """What is known of an area's shards: of this tree, in a file that outlives an interrupted run, and
    of earlier ones, as far as it is told."""

    def __init__(self, area):
        self.file = built("long", area + ".json")
        self.tree, self.results, self.older = fingerprint(), {}, told(area)
        try:
            with open(self.file) as opened:
                known = json.load(opened)
            if known["tree"] == self.tree:
                self.results = known["results"]
        except (OSError, ValueError, KeyError):
            pass

    def keep(self, suite, verdict, took, last):
        self.results[suite.title] = {"passed": verdict.passed, "failed": verdict.failed,
                                     "skipped": verdict.skipped, "seconds": round(took),
                                     "said": last.replace("|", "/"), "commit": commit()}
        os.makedirs(os.path.dirname(self.file), exist_ok=True)
        with open(self.file + ".new", "w") as opened:
            json.dump({"tree": self.tree, "results": self.results}, opened, indent=1)
        os.replace(self.file + ".new", self.file)

    def has_passed(self, suite):
        known = self.results.get(suite.title)
        return bool(known) and not known["failed"]

    def known(self, suites):
        """The last that is known of each, by name; shards that there are no more are not told."""
        rows = {suite.title: self.results.get(suite.title, self.older.get(suite.title))
                for suite in suites}
        return {name: row for name, row in sorted(rows.items()) if row}

    def order(self, suite):
        """Those nothing is known of come first, then those that failed."""
        row = self.known([suite]).get(suite.title)
        return 0 if not row else 1 if row["failed"] else 2


def last_line(suite):
    with open(suite.log, errors="replace") as log:
        lines = [line.strip() for line in log if line.strip()]
    return lines[-1][:120] if lines else ""


def summarise(area, state, suites):
    """Writes docs/results/AREA.md."""
    rows = state.known(suites)
    failed = sum(bool(row["failed"]) for row in rows.values())
    minutes = sum(row["seconds"] for row in rows.values()) / 60
    text = [f"# Long tests: {area}", "",
            f"`./k42 test --long {area}`, {len(rows)} of {len(suites)} shards run, {failed} of them "
            f"failed, {minutes:.0f} minutes in all, {os.cpu_count()} processors, "
            f"{time.strftime('%Y-%m-%d', time.gmtime())}.", "",
            "| shard | cases passed | failed | skipped | seconds | last words | of |",
            "|---|---|---|---|---|---|---|"]
    text += [f"| {name} | " + " | ".join(str(row[column]) for column in COLUMNS) + " |"
             for name, row in rows.items()]
    os.makedirs(path("docs", "results"), exist_ok=True)
    with open(path("docs", "results", area + ".md"), "w") as file:
        file.write("\n".join(text) + "\n")


def run_area(area, pattern):
    """Those of its shards whose name contains the pattern."""
    everything, state = shards(area), State(area)
    wanted = [suite for suite in everything if matches(suite, pattern)]
    todo = sorted((suite for suite in wanted if not state.has_passed(suite)), key=state.order)
    say(f"{area}: {len(wanted)} shards, {len(wanted) - len(todo)} have passed already")
    for variant in sorted({suite.variant for suite in todo} | set(testing.GUESTS)):
        variants.build(variant)
    running = testing.Running()
    try:
        for suite in todo:
            say(f"{suite.title}: at most {suite.timeout // 60} minutes ...")
            verdict, took = testing.run_suite(suite, running)
            testing.tell(suite, verdict, took)
            state.keep(suite, verdict, took, last_line(suite))
            summarise(area, state, everything)
    finally:
        running.stop()
    rows = [state.results[suite.title] for suite in wanted]
    return sum(row["passed"] for row in rows), sum(row["failed"] for row in rows)


def test_long(area, pattern=None):
    areas = table()
    if area and area not in areas:
        raise Trouble(f"no area is called '{area}'", "there are: " + ", ".join(areas))
    if not areas:
        raise Trouble(f"{shown(TABLE)} names no long test")
    if pattern and not any(matches(suite, pattern) for suite in shards(area)):
        raise Trouble(f"no shard of '{area}' has a name that contains '{pattern}'",
                      f"docs/results/{area}.md names some")
    results = [run_area(name, pattern) for name in ([area] if area else areas)]
    return testing.conclude(sum(passed for passed, _ in results),
                            sum(failed for _, failed in results))
