#!/usr/bin/env python3
"""What the advisors cost: the rows of ./k42 bench linux in instructions, in this kernel and in one
that is built without advisors.

    run.py [--json] [--quick] [--only ROW,...]

Both run on one processor whose clock counts instructions, so that figures repeat; nothing is
swapped, watched or advised by hand. --json prints one object a line instead of the table.
"""
import argparse
import importlib.util
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "host"), os.path.join(os.path.dirname(HERE), "linux")]

from launcher import variants  # noqa: E402

NAMES = ("release", "unadvised")


def load_rows():
    """bench/linux/run.py, whose rows these are."""
    place = os.path.join(os.path.dirname(HERE), "linux", "run.py")
    described = importlib.util.spec_from_file_location("bench_linux", place)
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench advisors", allow_abbrev=False,
                                     description="Measures what advisors cost.")
    parser.add_argument("--json", action="store_true", help="one object a line, no table")
    parser.add_argument("--quick", action="store_true", help="one round, rougher figures")
    parser.add_argument("--only", default="", help="rows wanted, separated by commas")
    return parser.parse_args(arguments)


def measure(linux, rows, part, rounds):
    """The best figure of each row and variant; the boots take turns."""
    figures = linux.Figures()
    for _ in range(rounds):
        for name in NAMES:
            one = linux.Figures()
            linux.measure(one, "k42", part, rows, "instructions", 20, variant=name, **linux.COUNTING)
            for (_, _, row, _), value in one.best.items():
                figures.add("instructions", 1, row, name, value)
            for (_, row), trouble in one.troubles.items():
                figures.blame(row, name, trouble)
    return figures


def objects(figures, rows):
    for row in rows:
        ours, peer = (figures.get("instructions", 1, row, name) for name in NAMES)
        if ours and peer:
            yield {"bench": "advisors", "name": row, "cpus": 1, "value": ours,
                   "unit": "instructions", "peer": "without advisors", "peer_value": peer,
                   "ratio": ours / peer}


def print_table(found, figures):
    print(f"{'instructions':<20}{'with':>14}{'without':>14}{'ratio':>10}")
    for one in found:
        print(f"{one['name']:<20}{one['value']:>14,.0f}{one['peer_value']:>14,.0f}"
              f"{one['ratio']:>10.4f}")
    for (name, row), trouble in sorted(figures.troubles.items()):
        print(f"{name} cannot run {row}: {trouble}")


def main(arguments):
    asked = parse(arguments)
    linux = load_rows()
    variants.build("unadvised", variants.UNADVISED, variants.GUEST)
    part, rows = linux.build_program()
    rows = [*(row for row in rows if row != "instruction"), "boot"]
    chosen = [row for row in asked.only.split(",") if row]
    if unknown := [row for row in chosen if row not in rows]:
        raise SystemExit(f"no row is called {unknown[0]}; there are: " + ", ".join(rows))
    rows = chosen or rows
    figures = measure(linux, rows, part, 1 if asked.quick else 3)
    found = list(objects(figures, rows))
    if asked.json:
        for one in found:
            print(json.dumps(one))
    else:
        print_table(found, figures)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
