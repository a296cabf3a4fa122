#!/usr/bin/env python3
"""Measures libk42 as it is installed, beside its peers, in one run.

    run.py --prefix DIR [--json] [--quick] [--only ROW,...]

Builds the programs in this directory against the library under DIR (through pkg-config), runs
them, prints a table, and draws pictures. --json prints one object a line instead of the table.
--only limits the run to the programs that yield the named rows. README.md beside this file says how
each figure is taken.
"""

import argparse
import json
import os
import re
import subprocess
import sys

import lttng
import picture
import programs
import rows

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# Group: the names of the rows it yields, what makes them, and the programs to run with
# their options: in full, quick.
GROUPS = (
    (r"call(-vs-.*|-enter-exit|-safe-point)?|enter-exit|interposed-call", rows.call_rows,
     [("calls", {"rounds": 100}, {"rounds": 12, "slice": 300000})]),
    (r"call-\d+-threads.*", rows.thread_rows,
     [("threads", {"rounds": 300}, {"rounds": 60})]),
    (r"grace-period.*", rows.grace_rows, [("grace", {"rounds": 60}, {"rounds": 10})]),
    (r"swap-idle", rows.swap_rows, [("swaps", {"swaps": 10000}, {"swaps": 1000})]),
    (r"swap-load|pause-.*", rows.pause_rows,
     [("pause", {"swaps": 10000, "limit": 150}, {"swaps": 1000, "limit": 8})]),
    (r"trace-.*", rows.trace_rows,
     [("trace", {"rounds": 60}, {"rounds": 10, "slice": 300000})]),
    (r"bytes-per-object.*", rows.memory_rows,
     [("memory", {"instances": 409600}, {"instances": 102400})]),
    (r"upgrade-.*", rows.upgrade_rows,
     [("upgrade", {"instances": 1000, "repetitions": 50, "callers": 1},
       {"instances": 1000, "repetitions": 5, "callers": 1}),
      ("upgrade", {"instances": 100000, "repetitions": 10, "callers": 1},
       {"instances": 100000, "repetitions": 2}),
      ("upgrade", {"instances": 1000000, "repetitions": 5, "callers": 1},
       {"instances": 1000000, "repetitions": 1, "callers": 1})]),
)
PROGRAM_SECONDS = 300


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench core", allow_abbrev=False,
                                     description="Measures libk42 beside its peers.")
    parser.add_argument("--prefix", required=True, help="where libk42 is installed")
    parser.add_argument("--package", default="k42", help="its pkg-config name")
    parser.add_argument("--json", action="store_true", help="one object a line, no table")
    parser.add_argument("--quick", action="store_true", help="under 40 seconds, less exact")
    parser.add_argument("--only", default="", help="rows wanted, separated by commas")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "bench-core"),
                        help="where programs are built")
    parser.add_argument("--pictures", help="where pictures go (default: the build directory)")
    return parser.parse_args(arguments)


def wanted_groups(only):
    """The groups that can yield one of the wanted rows; all of them when none is named."""
    if not only:
        return GROUPS
    return [group for group in GROUPS
            if any(re.fullmatch(group[0], row) for row in only)]


def run_group(group, options, samples):
    for program, full, quick in group[2]:
        path = os.path.join(options.build, program)
        settings = quick if options.quick else full
        if program != "trace":
            programs.run(path, settings, samples, PROGRAM_SECONDS)
            continue
        with lttng.session(options.build, "k42_bench:on") as session:
            programs.run(session.program(path), settings, samples, PROGRAM_SECONDS,
                         **session.run_arguments)


def machine():
    """A line about where the figures come from."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    cpus = len(os.sched_getaffinity(0))
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{model}, {cpus} CPUs, {os.uname().sysname} {os.uname().release}, load {load}"


def number(value):
    if value is None:
        return ""
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def print_table(table):
    lines = [("row", "value", "unit", "best", "p10", "p90", "peer", "its value", "ratio", "target",
              "reached")]
    for row in table:
        lines.append((row.name, number(row.value), row.unit, number(row.best),
                      number(rows.quantile(row.ours, 0.1)), number(rows.quantile(row.ours, 0.9)),
                      row.peer or "", number(row.peer_value), number(row.ratio), row.target,
                      row.verdict))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    left = (0, 2, 6, 9, 10)
    for line in lines:
        print("  ".join(cell.ljust(width) if i in left else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(line, widths))).rstrip())


def print_json(table):
    for row in table:
        print(json.dumps({
            "bench": "core", "name": row.name, "cpus": row.cpus, "value": row.value,
            "unit": row.unit, "peer": row.peer, "peer_value": row.peer_value, "ratio": row.ratio}))


def main(arguments):
    options = parse(arguments)
    only = [row for row in options.only.split(",") if row]
    groups = wanted_groups(only)
    if not groups:
        print(f"bench core: no row is called {options.only}; run it without --only to see them",
              file=sys.stderr)
        return 2
    cpus = len(os.sched_getaffinity(0))
    seen = programs.no_samples()
    start = machine()
    try:
        programs.build(options.prefix, options.package, options.build)
        for group in groups:
            run_group(group, options, seen)
    except (programs.BuildError, RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        print(f"bench core: {error}", file=sys.stderr)
        return 1

    table = [row for group in groups for row in group[1](seen, cpus)
             if not only or row.name in only]
    if options.json:
        print_json(table)
    else:
        print(start)
        print_table(table)
        for remark in rows.remarks(seen):
            print(remark)
    drawn = picture.draw(seen, options.pictures or options.build, cpus)
    if not options.json:
        print("pictures:", " ".join(os.path.relpath(path) for path in drawn) or "none")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
