#!/usr/bin/env python3
"""Measures files that are mapped: what it takes to touch each page, in single pages and in blocks.

    run.py [--json] [--quick]

A guest with one processor, whose instructions are counted, maps a file of the host's over 9P and a
disk, once of the class fcm.shared and once of fcm.large, and touches a word of each page: when nothing
is in memory, and twice when everything is. --json prints one object a line instead of the table.
"""
import argparse
import json
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import session, variants  # noqa: E402
from launcher.tree import Trouble  # noqa: E402

CLASSES = ("fcm.shared", "fcm.large")
COUNTING = {"accelerator": "tcg,thread=single"}
STEPS = (("first", "shared"), ("again", "shared"), ("again, private", "private"))
SAID = r"(\d+) pages: (\d+) faults, (\d+) us, (-?\d+) kB of tables, right\n"


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench mapped", allow_abbrev=False,
                                     description="Measures files that are mapped.")
    parser.add_argument("--json", action="store_true", help="one object a line, no table")
    parser.add_argument("--quick", action="store_true", help="files of 8 MiB instead of 64")
    return parser.parse_args(arguments)


def disk(file, name):
    return ["-drive", f"file={file},format=raw,if=none,id={name}", "-device", f"virtio-blk-pci,drive={name}"]


def touch(guest, file, how):
    """Faults, instructions and kB of page tables of a program that touches every page."""
    done = guest.run(["mapped", file, how], limit=300)
    said = re.fullmatch(SAID, done.output.decode())
    if done.status or not said:
        raise Trouble(f"{file}: {done.output.decode()}{done.errors.decode()}")
    return int(said[2]), int(said[3]) * 1000, int(said[4])


def blocks(guest):
    """How many caches are in blocks."""
    classes = guest.run(["cat", "/proc/k42/classes"]).output.decode()
    return int(re.search(r"^fcm.large (\d+) ", classes, re.M)[1])


def become_large(guest, file):
    """As a program asks for it, by madvise(); a thread of the kernel's does it."""
    before = blocks(guest)
    if guest.run(["mapped", file, "advise"]).status:
        raise Trouble(f"{file}: no advice is taken")
    for _ in range(100):
        if blocks(guest) > before:
            return
        guest.run(["sleep", "0.1"])
    raise Trouble(f"{file}: its cache has not become fcm.large")


def measure(size):
    """One figure after the other. Each file is new to its cache."""
    with tempfile.TemporaryDirectory() as folder:
        more = ["-icount", "shift=0,sleep=off"]
        share = os.path.join(folder, "share")
        os.mkdir(share)
        for number in range(len(CLASSES)):
            for file in os.path.join(share, f"file{number}"), os.path.join(folder, f"disk{number}"):
                with open(file, "wb") as made:
                    made.write(os.urandom(size))
            more += disk(os.path.join(folder, f"disk{number}"), f"disk{number}")
        with session.Session("k42", 1, "512M", shares=[(share, "/srv")], more=more, **COUNTING) as guest:
            guest.wait_until_ready()
            program = os.path.join(variants.folder("release"), "tests", "programs", "mapped")
            with open(program, "rb") as file:
                guest.run(["sh", "-c", "cat > /bin/mapped; chmod +x /bin/mapped"], file.read())
            for behind, form in ("9P", "/srv/file%d"), ("disk", "/dev/vd%s"):
                for number, name in enumerate(CLASSES):
                    file = form % (number if behind == "9P" else "ab"[number])
                    if name == "fcm.large":
                        become_large(guest, file)
                    for step, how in STEPS:
                        faults, instructions, tables = touch(guest, file, how)
                        yield {"behind": behind, "class": name, "step": step, "pages": size // 4096,
                               "faults": faults, "instructions": instructions, "tables_kb": tables}


def main(arguments):
    options = parse(arguments)
    if not options.json:
        print("| behind the file | class | touched | faults | instructions | page tables |\n"
              "|---|---|---|---|---|---|")
    for one in measure((8 if options.quick else 64) << 20):
        print(json.dumps(one) if options.json else
              f"| {one['behind']} | `{one['class']}` | {one['step']} | {one['faults']:,} | "
              f"{one['instructions']:,} | {one['tables_kb']} KiB |", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Trouble, session.GuestDied) as trouble:
        print(f"bench mapped: {trouble}", file=sys.stderr)
        sys.exit(1)
