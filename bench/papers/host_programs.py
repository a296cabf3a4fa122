"""Runs the experiments' programs that have the kernel's page caches on this machine's processors."""
import collections
import os
import subprocess

from launcher import variants
from launcher.tree import Trouble, environment

SECONDS = 600


def run(name, **options):
    """All observations of a program, by row and variant."""
    program = os.path.join("bench", "papers", name)
    variants.build("release", targets=[program])
    words = [f"--{option}={value}" for option, value in options.items()]
    done = subprocess.run([os.path.join(variants.folder("release"), program), *words],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, env=environment(), timeout=SECONDS)
    if done.returncode:
        raise Trouble(f"{name} ended with {done.returncode}: {done.stderr.strip()}")
    seen = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        row, variant, value = line.split()
        seen[row, variant].append(float(value))
    return seen
