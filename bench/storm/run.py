#!/usr/bin/env python3
"""Storms of swaps below programs that call objects of every class: what came of them.

    run.py [--json] [--quick] [--only KERNEL,...] [--cpus 1,2,4] [--seconds N] [--instructions]
           [--write]

For each number of processors a guest is booted, and docs/chaos.md says what it goes through. By the
clock a rate is what the machine leaves a guest; --instructions lets one thread emulate all processors,
500 million instructions to a second of the guest's, whatever else the machine does. --write puts the
table, and how often each class became each, into docs/results/storm.md.
"""
import argparse
import datetime
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import left, storms, variants  # noqa: E402
from launcher.tree import Trouble, path, shown  # noqa: E402

KERNELS = ("release", "debug")
SECONDS, COUNTED_SECONDS, QUICK_SECONDS = 600, 60, 20
COLUMNS = ("processors", "kernel", "clock", "seconds", "idle", "swaps a second", "to itself",
           "with calls", "given up", "gone", "pairs", "least often", "differs", "left")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench storm", allow_abbrev=False,
                                     description="Lets storms of swaps rage below programs.")
    parser.add_argument("--json", action="store_true", help="one object a line, no table")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SECONDS} seconds each")
    parser.add_argument("--only", default="release", help="kernels: " + ",".join(KERNELS))
    parser.add_argument("--cpus", default="1,2,4", help="numbers of processors")
    parser.add_argument("--seconds", type=int, help="of the guest's clock")
    parser.add_argument("--instructions", action="store_true", help="are the time")
    parser.add_argument("--write", action="store_true", help="table into docs/")
    asked = parser.parse_args(arguments)
    asked.seconds = asked.seconds or (QUICK_SECONDS if asked.quick else
                                      COUNTED_SECONDS if asked.instructions else SECONDS)
    asked.kernels = asked.only.split(",")
    try:
        asked.counts = [int(word) for word in asked.cpus.split(",")]
    except ValueError:
        raise SystemExit(f"'{asked.cpus}' is not a list like 1,2,4") from None
    if not set(asked.kernels) <= set(KERNELS):
        raise SystemExit(f"there are the kernels {', '.join(KERNELS)}")
    return asked


def note(text):
    print(text, file=sys.stderr, flush=True)


def observe(kernel, cpus, asked):
    """One guest: a row of the table, and what was seen."""
    with storms.guest(cpus, kernel, **(storms.COUNTED if asked.instructions else {})) as guest:
        patience = 100 * asked.seconds + 3600 if asked.instructions else None
        storms.work(guest, "learn", 3600)
        begin = storms.idle_seconds(guest)
        said = storms.rage(guest, asked.seconds, patience)
        end = storms.idle_seconds(guest)
        seen = storms.Seen(guest)
        before = storms.at_rest(guest)
        said += storms.rage(guest, max(asked.seconds // 10, 5), patience)
        found = left.unlike(before, storms.at_rest(guest))
    (start, other), times = seen.least()
    idle = (end[1] - begin[1]) / (end[0] - begin[0]) / cpus
    row = (cpus, kernel, "instructions" if asked.instructions else "the machine's",
           seen.counts["milliseconds"] // 1000, f"{idle:.0%}", round(seen.rate),
           seen.counts["to_itself"], f"{seen.share:.0%}", seen.given_up, seen.gone,
           len(seen.wanted()), f"{start} to {other}: {times}",
           "something" if "differs" in said else "nothing", tell(found))
    if "differs" in said:
        note(said)
    return dict(zip(COLUMNS, row)), seen


def tell(found):
    return ", ".join(f"{name} {before} to {after}"
                     for name, (before, after) in found.items()) or "nothing"


def markdown(rows):
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    return lines + ["| " + " | ".join(str(row[name]) for name in COLUMNS) + " |" for row in rows]


def coverage(title, seen):
    """A line for each class: how often it became which."""
    lines = [f"{title}: {len(seen.wanted())} pairs, {sum(seen.wanted().values())} swaps."
             f" Of these classes there was no object: {', '.join(seen.unseen()) or 'none'}.", ""]
    for start in sorted({start for start, _ in seen.wanted()}):
        ends = sorted((end, times) for (other, end), times in seen.wanted().items()
                      if other == start)
        lines.append(f"- {start}: " + ", ".join(
            f"{'itself' if end == start else end} {times}" for end, times in ends))
    return lines


def write(rows, covered):
    file = path("docs", "results", "storm.md")
    text = ["# Storms", "", "*(written by `./k42 bench storm --write`; read [Chaos](../chaos.md))*",
            "", f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, "
            f"{datetime.date.today().isoformat()}.", "", *markdown(rows), "",
            "## How often each class became each", "", *covered]
    with open(file, "w", encoding="utf-8") as out:
        out.write("\n".join(text) + "\n")
    return file


def main(arguments):
    asked = parse(arguments)
    rows, covered, failed = [], [], 0
    variants.build("release", targets=["tests/programs/abuse"])
    for kernel in asked.kernels:
        variants.build(kernel, targets=variants.GUEST)
        for cpus in asked.counts:
            note(f"{kernel}, {cpus} processors, {asked.seconds} seconds ...")
            try:
                row, seen = observe(kernel, cpus, asked)
            except Trouble as trouble:
                note(f"{kernel}, {cpus} processors: {trouble}")
                failed += 1
                continue
            rows.append(row)
            covered += coverage(f"{cpus} processors, {kernel}", seen) + [""]
            if asked.json:
                print(json.dumps(row), flush=True)
    if not asked.json:
        print("\n".join(markdown(rows) + [""] + covered))
    if asked.write and not failed:
        note("written: " + shown(write(rows, covered)))
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
