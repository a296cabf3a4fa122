#!/usr/bin/env python3
"""Measures K42's system calls, and whole programs, beside those of Debian's Linux kernel, in the same
emulator.

    run.py [--json] [--quick] [--only ROW,... | calls | programs] [--instructions | --cpus 1,2,4]
           [--kernels k42,linux] [--list]

Both kernels boot with the same root tree and run the same static program, or a program of Debian's
(workloads/), which they do where --only names it. Time is counted twice:
in instructions that the guest executes for one operation or a whole program, on one processor, which repeat to a per
cent, and by the clock, with each number of processors, the kernels in turn, the best of some rounds.
--instructions counts them alone, which a machine that does other things does not
disturb. --json prints one object a line instead of the tables. README.md says what the rows are.
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import cpio, qemu, root, session  # noqa: E402
from launcher.tree import Trouble, built, environment, path  # noqa: E402

import picture  # noqa: E402
import workloads  # noqa: E402

KERNELS = ("k42", "linux")
MEMORY = "1G"
# One processor whose clock counts instructions.
COUNTING = {"cpus": 1, "accelerator": "tcg,thread=single",
            "more": ["-icount", "shift=0,sleep=off"]}
ROW_SECONDS = 120
BOOT_SECONDS = 600  # large trees among them, on Linux by instructions


class Figures:
    """The best figure of each (unit, cpus, row, kernel), and what went wrong with the others."""

    def __init__(self):
        self.best, self.troubles, self.said = {}, {}, {}

    def add(self, unit, cpus, row, kernel, value):
        key = unit, cpus, row, kernel
        self.best[key] = min(value, self.best.get(key, value))

    def agree(self, row, said):
        """A program that writes something else in the other kernel has not done the same work."""
        if self.said.setdefault(row, said) != said:
            raise Trouble("it has written something else than the time before")

    def blame(self, row, kernel, trouble):
        self.troubles.setdefault((kernel, row), trouble)

    def get(self, *key):
        return self.best.get(key)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="bench linux", allow_abbrev=False,
                                     description="Measures K42 beside Linux.")
    parser.add_argument("--json", action="store_true", help="one object a line, no tables")
    parser.add_argument("--quick", action="store_true", help="one round, rougher figures")
    parser.add_argument("--only", default="calls",
                        help="rows wanted, separated by commas; calls and programs are all of them")
    parser.add_argument("--list", action="store_true", help="name the rows")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--instructions", action="store_true", help="count instructions, time nothing")
    how.add_argument("--cpus", default="1,2,4", type=qemu.processor_counts,
                     help="numbers of processors (default: 1,2,4)")
    parser.add_argument("--kernels", default=",".join(KERNELS), help="which of both")
    parser.add_argument("--pictures", default=built("bench-linux"), help="where pictures go")
    asked = parser.parse_args(arguments)
    if asked.instructions:
        asked.cpus = []
    return asked


def build_program():
    """The benchmarks' program, and the part of the root tree with it."""
    program = built("bench-linux", "bench")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    sources = sorted(os.path.join(HERE, name) for name in os.listdir(HERE) if name.endswith(".c"))
    subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-static", "-pthread", "-o",
                    program, *sources], check=True, env=environment())
    with open(program, "rb") as file:
        part = cpio.part({"usr/bin/bench": cpio.file(file.read(), 0o755)}, 5)
    file = root.part_file(["bench", hashlib.sha256(part).hexdigest()])
    root.keep(file, part)
    listed = subprocess.run([program, "--list"], stdout=subprocess.PIPE, text=True, check=True)
    return file, listed.stdout.split()


class Machine:
    """A guest that is booted again when a row was its end."""

    def __init__(self, kernel, part, **options):
        self.kernel, self.options, self.guest = kernel, {"parts": [part], **options}, None

    def get(self):
        if not self.guest:
            self.guest = session.Session(self.kernel, **{"memory": MEMORY, **self.options})
            self.guest.wait_until_ready(BOOT_SECONDS)
        return self.guest

    def run(self, row, milliseconds):
        """Nanoseconds of one operation on the guest's clock."""
        try:
            result = self.get().run(["/usr/bin/bench", row, str(milliseconds)], limit=ROW_SECONDS)
        except Trouble:
            self.end()
            raise
        if result.status:
            lines = result.errors.decode(errors="replace").strip().splitlines()
            raise Trouble(lines[-1] if lines else f"exit status {result.status}")
        return float(result.output.split()[1])

    def end(self):
        if self.guest:
            self.guest.__exit__()
            self.guest = None


def measure(figures, kernel, part, rows, unit, milliseconds, **options):
    """One boot of one kernel; every row once."""
    machine = Machine(kernel, part, **options)
    cpus = options["cpus"]
    try:
        scale = machine.run("instruction", milliseconds) if unit == "instructions" else 1
        if "boot" in rows and unit == "instructions":
            figures.add(unit, cpus, "boot", kernel, machine.get().ticks)
        for row in rows:
            if row == "boot" or (kernel, row) in figures.troubles:
                continue
            try:
                figures.add(unit, cpus, row, kernel, machine.run(row, milliseconds) / scale)
            except Trouble as trouble:
                figures.blame(row, kernel, str(trouble).splitlines()[0])
    except Trouble as trouble:
        figures.blame("*", kernel, str(trouble).splitlines()[0])
    finally:
        machine.end()


def run_workload(figures, machine, name, unit, quick):
    """What the best run took, in instructions without idle ones, or nanoseconds."""
    one = workloads.TABLE[name]
    counts = unit == "instructions"
    began = time.monotonic_ns()  # by the host's clock a boot takes time, too
    seen = workloads.run(machine.get(), one, quick, 1 if quick or one.booted else 3)
    if one.booted and not counts:
        return time.monotonic_ns() - began
    for _, _, said in seen:
        figures.agree(name, said)
    best = min(took - (idle if counts else 0) for took, idle, _ in seen)
    if not counts:
        return best
    return (machine.guest.ticks if one.booted else 0) + best / machine.run("instruction", 5)


def measure_workloads(figures, kernel, part, names, unit, quick, **options):
    """One boot of one kernel for each, since each has its own packages."""
    for name in names:
        if (kernel, name) in figures.troubles:
            continue
        one = workloads.TABLE[name]
        machine = Machine(kernel, part, **{**options, "packages": one.packages, "memory": one.memory})
        try:
            figures.add(unit, options["cpus"], name, kernel,
                        run_workload(figures, machine, name, unit, quick))
        except Trouble as trouble:
            figures.blame(name, kernel, str(trouble).splitlines()[0])
        finally:
            machine.end()


def observe(asked, part, rows, programs):
    figures, kernels = Figures(), asked.kernels.split(",")
    for kernel in kernels:
        tell(asked, f"counting instructions: {kernel}")
        if rows:
            measure(figures, kernel, part, rows, "instructions", 5 if asked.quick else 20, **COUNTING)
        measure_workloads(figures, kernel, part, programs, "instructions", asked.quick, **COUNTING)
    for cpus in asked.cpus:
        for round_number in range(1 if asked.quick else 3):
            for kernel in kernels:
                tell(asked, f"timing with {cpus} CPUs, round {round_number + 1}: {kernel}")
                if rows:
                    measure(figures, kernel, part, rows, "ns", 10 if asked.quick else 50, cpus=cpus)
                if not round_number:
                    measure_workloads(figures, kernel, part, programs, "ns", asked.quick, cpus=cpus)
    return figures


def tell(asked, what):
    if not asked.json:
        print(what, file=sys.stderr, flush=True)


def objects(figures, rows, counts):
    """The figures as the project's benchmarks give them."""
    for unit, cpus in [("instructions", 1)] + [("ns", cpus) for cpus in counts]:
        for row in rows:
            ours, peer = (figures.get(unit, cpus, row, kernel) for kernel in KERNELS)
            if ours is None and peer is None:
                continue
            yield {"bench": "linux", "name": row, "of": "program" if row in workloads.TABLE else "call",
                   "cpus": cpus, "value": ours, "unit": unit,
                   "peer": "linux", "peer_value": peer,
                   "ratio": ours / peer if ours is not None and peer else None}


def shown(value):
    return "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def print_tables(found):
    before = None
    for one in found:
        heading = one["of"], one["unit"], one["cpus"]
        if heading != before:
            how = one["unit"] + (" of a whole program" if one["of"] == "program" else " an operation")
            print(f"\n{how}, {one['cpus']} CPU{'s' if one['cpus'] > 1 else ''}\n"
                  f"{'':<20}{'K42':>16}{'Linux':>16}{'K42/Linux':>12}")
            before = heading
        print(f"{one['name']:<20}{shown(one['value']):>16}{shown(one['peer_value']):>16}"
              f"{shown(one['ratio']):>12}")


def print_troubles(figures, file):
    for (kernel, row), trouble in sorted(figures.troubles.items()):
        what = "does not run here" if row == "*" else f"cannot run {row}"
        print(f"{'K42' if kernel == 'k42' else 'Linux'} {what}: {trouble}", file=file)


def chosen(only, rows):
    """The rows of calls and the programs that were asked for."""
    groups = {"calls": rows, "programs": list(workloads.TABLE)}
    names = [name for word in only.split(",") if word for name in groups.get(word, [word])]
    there = rows + groups["programs"]
    if unknown := [name for name in names if name not in there]:
        raise SystemExit(f"no row is called {unknown[0]}; there are: " + ", ".join(there))
    return ([name for name in names if name not in workloads.TABLE],
            [name for name in names if name in workloads.TABLE])


def print_list(rows):
    print("\n".join(rows))
    for name, one in workloads.TABLE.items():
        print(f"{name:<20}{one.about}")


def main(arguments):
    asked = parse(arguments)
    part, rows = build_program()
    rows = [*(row for row in rows if row != "instruction"), "boot"]
    if asked.list:
        print_list(rows)
        return 0
    rows, programs = chosen(asked.only, rows)
    figures = observe(asked, part, rows, programs)
    found = [*objects(figures, rows, asked.cpus), *objects(figures, programs, asked.cpus)]
    if asked.json:
        for one in found:
            print(json.dumps(one))
        print_troubles(figures, sys.stderr)
    else:
        print_tables(found)
        print_troubles(figures, sys.stdout)
        for file in picture.draw(found, asked.pictures):
            print("picture: " + os.path.relpath(file, path()))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
