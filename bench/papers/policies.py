"""Policies of page replacement on three orders of reading: what './k42 bench policies' finds."""
import json
import os
import subprocess

from launcher.tree import PYTHON, Trouble, environment, path

import plots
from rows import row

NAME = "policies"
PROGRAM = path("bench", "policies", "run.py")
USUAL = "pm.turns"


def observe(asked, note):
    if not os.path.exists(PROGRAM):
        note("policies: this tree has no 'bench policies', so there is nothing to measure")
        return []
    done = subprocess.run([PYTHON, PROGRAM, "--json", *(["--quick"] if asked.quick else [])],
                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                          env=environment())
    if done.returncode:
        raise Trouble(f"bench policies ended with {done.returncode}")
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    usual = {one["trace"]: 100 * one["hits"] for one in seen if one["policy"] == USUAL}
    return [row(NAME, f"pages found in memory, {one['trace']}", one["policy"], "% of reads",
                [100 * one["hits"]], cpus=2, peer=USUAL, theirs=[usual[one["trace"]]],
                more_is_better=True) for one in seen]


def draw(found, folder):
    return [plots.bars(folder, "papers-policies", "Pages found in memory, which has room for half",
                       "% of reads", [(f"{one['name'].split()[-1]}, {one['variant']}", one["value"])
                                      for one in found], 1000)]
