#!/usr/bin/env python3
"""Measures replacement policies: how often a file of the host's has to be asked for a page.

    run.py [--json] [--quick] [--only POLICY,...]

A guest reads a file over 9P in three orders (bench/README.md says which) with memory for half of its
pages, under each policy, every run with a fresh file. What counts is how many of the reads found
their page in memory. --json prints one object a line instead of the table.
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import cpio, root, session  # noqa: E402
from launcher.tree import Trouble, built, environment  # noqa: E402

import picture  # noqa: E402

POLICIES = ("pm.turns", "pm.clock", "pm.2q", "pm.arc", "pm.mru")
SHAPES = ("loop", "zipf", "mixed")
PAGE = 4096


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench policies", allow_abbrev=False,
                                     description="Measures replacement policies.")
    parser.add_argument("--json", action="store_true", help="one object a line, no table")
    parser.add_argument("--quick", action="store_true", help="a file of 2 MiB instead of 8")
    parser.add_argument("--only", default=",".join(POLICIES), help="policies wanted")
    parser.add_argument("--pictures", default=built("bench-policies"), help="where pictures go")
    return parser.parse_args(arguments)


def build_program():
    program = built("bench-policies", "trace")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-static", "-o", program,
                    os.path.join(HERE, "trace.c")], check=True, env=environment())
    with open(program, "rb") as file:
        part = cpio.part({"usr/bin/trace": cpio.file(file.read(), 0o755)}, 5)
    file = root.part_file(["trace", hashlib.sha256(part).hexdigest()])
    root.keep(file, part)
    return file


def write_file(name, pages):
    with open(name, "wb") as file:
        for number in range(pages):
            file.write(number.to_bytes(4, "little") + bytes(PAGE - 4))


def run(guest, folder, policy, shape, pages):
    """Reads, and pages that came from the file."""
    name = f"{policy}-{shape}"
    write_file(os.path.join(folder, name), pages)
    done = guest.run(["trace", shape, "/srv/pages/" + name, policy, str(pages // 2)], limit=300)
    if done.status:
        raise Trouble(f"{policy}, {shape}: {done.errors.decode(errors='replace').strip()}")
    reads, came = map(int, done.output.split())
    return reads, came


def measure(policies, pages):
    part = build_program()
    with tempfile.TemporaryDirectory() as folder:
        with session.Session("k42", 2, "256M", parts=[part],
                             shares=[(folder, "/srv/pages")]) as guest:
            guest.wait_until_ready()
            for shape in SHAPES:
                for policy in policies:
                    reads, came = run(guest, folder, policy, shape, pages)
                    yield {"trace": shape, "policy": policy, "pages": pages, "frames": pages // 2,
                           "reads": reads, "came": came,
                           "hits": round(max(0, 1 - came / reads), 4)}


def table(rows, policies):
    yield "hits, in per cent of the reads; memory for half of the file's pages"
    yield f"{'':10}" + "".join(f"{policy:>10}" for policy in policies)
    for shape in SHAPES:
        found = {row["policy"]: row for row in rows if row["trace"] == shape}
        yield f"{shape:10}" + "".join(f"{100 * found[policy]['hits']:10.1f}" for policy in policies)


def main(arguments):
    asked = parse(arguments)
    policies = asked.only.split(",")
    unknown = [policy for policy in policies if policy not in POLICIES]
    if unknown:
        raise Trouble(f"no policy is called '{unknown[0]}'", "there are: " + ", ".join(POLICIES))
    rows = []
    for row in measure(policies, 512 if asked.quick else 2048):
        rows.append(row)
        if asked.json:
            print(json.dumps(row), flush=True)
    if not asked.json:
        print("\n".join(table(rows, policies)))
        print("picture:", picture.draw(rows, policies, SHAPES, asked.pictures))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Trouble as trouble:
        print(f"bench policies: {trouble}", file=sys.stderr)
        sys.exit(1)
