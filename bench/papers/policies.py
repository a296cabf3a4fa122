"""Policies of page replacement on recorded and made traces: what './k42 bench policies' finds."""
import json
import os
import subprocess

from launcher.tree import PYTHON, Trouble, environment, path

import plots

NAME = "policies"
PROGRAM = path("bench", "policies", "run.py")


def observe(asked, note):
    if not os.path.exists(PROGRAM):
        note("policies: this tree has no 'bench policies', so there is nothing to measure")
        return []
    done = subprocess.run([PYTHON, PROGRAM, "--json", *(["--quick"] if asked.quick else [])],
                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                          env=environment())
    if done.returncode:
        raise Trouble(f"bench policies ended with {done.returncode}")
    nothing = dict.fromkeys(("low", "high", "peer", "peer_value", "ratio", "target", "reached"))
    return [{**nothing, "variant": "", "cpus": 1, **json.loads(line), "bench": "papers",
             "experiment": NAME} for line in done.stdout.splitlines() if line.startswith("{")]


def draw(found, folder):
    if not found:
        return []
    return [plots.bars(folder, "papers-policies", "Replacement on traces", found[0]["unit"],
                       [(f"{one['name']} {one['variant']}".strip(), one["value"])
                        for one in found], 1000)]
