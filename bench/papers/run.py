#!/usr/bin/env python3
"""The experiments of the papers on hot swapping, repeated on this K42.

    run.py [--json] [--quick] [--only EXPERIMENT,...] [--cpus 1,2,4] [--write]

Prints a table and draws pictures into build/bench-papers; with --write the table goes to
docs/results/papers.md and the pictures to docs/pictures, for the book. docs/experiments.md says what
the rows are. An experiment whose subject this tree does not have is left out with a word.
"""
import argparse
import datetime
import json
import os
import platform
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "host"), HERE]

from launcher import qemu  # noqa: E402
from launcher.tree import Trouble, built, path, shown  # noqa: E402

import policies  # noqa: E402
import postmark  # noqa: E402
import rows  # noqa: E402
import search  # noqa: E402
import swaps  # noqa: E402
import users  # noqa: E402

EXPERIMENTS = (search, postmark, users, swaps, policies)


def parse(arguments):
    names = ", ".join(one.NAME for one in EXPERIMENTS)
    parser = argparse.ArgumentParser(prog="bench papers", allow_abbrev=False,
                                     description="Repeats the papers' experiments.")
    parser.add_argument("--json", action="store_true", help="one object a line, no table")
    parser.add_argument("--quick", action="store_true", help="few rounds, rougher figures")
    parser.add_argument("--only", default="", help=f"experiments wanted: {names}")
    parser.add_argument("--cpus", type=qemu.processor_counts, help="numbers of a guest's processors")
    parser.add_argument("--write", action="store_true", help="table and pictures into docs/")
    asked = parser.parse_args(arguments)
    chosen = [word for word in asked.only.split(",") if word]
    unknown = [word for word in chosen if word not in names.split(", ")]
    if unknown:
        raise SystemExit(f"no experiment is called {unknown[0]}; there are: {names}")
    asked.experiments = [one for one in EXPERIMENTS if not chosen or one.NAME in chosen]
    return asked


def note(text):
    print(text, file=sys.stderr, flush=True)


def machine():
    """Where and when figures were taken."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return (f"{len(models)} x {models[0] if models else platform.machine()}, Linux "
            f"{platform.release()}, load {os.getloadavg()[0]:.1f}, "
            f"{datetime.date.today().isoformat()}")


def write_results(found, where):
    text = ("# Figures of the papers' experiments\n\n"
            "*(written by `./k42 bench papers --write`; read [Experiments](../experiments.md))*\n\n"
            f"{where}\n\n" + rows.markdown(found) + "\n")
    file = path("docs", "results", "papers.md")
    with open(file, "w", encoding="utf-8") as out:
        out.write(text)
    return file


def main(arguments):
    asked = parse(arguments)
    where, found, failed = machine(), [], 0
    pictures = path("docs", "pictures") if asked.write else built("bench-papers")
    drawn = []
    for one in asked.experiments:
        note(f"{one.NAME}: {one.__doc__.splitlines()[0]}")
        try:
            seen = one.observe(asked, note)
        except (Trouble, AssertionError) as trouble:
            note(f"{one.NAME}: {trouble}")
            failed += 1
            continue
        found += seen
        if seen and not asked.json:
            drawn += one.draw(seen, pictures)
    if asked.json:
        for one in found:
            print(json.dumps(one))
    else:
        print(f"{where}\n\n{rows.table(found)}")
        drawn += [write_results(found, where)] if asked.write and not failed else []
        for file in drawn:
            print("written: " + shown(file))
    return 1 if failed or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
