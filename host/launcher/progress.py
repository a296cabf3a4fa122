"""Runs a tool whose output goes to a log, and shows meanwhile that something happens.

On a terminal one line is rewritten; elsewhere a line appears every fifteen seconds: of the errors,
since what a command writes may be for a program. When the tool fails the part of the log that says
why is shown.
"""
import os
import re
import subprocess
import sys
import time

from launcher.tree import ROOT, Trouble, environment, shown

QUIET_SECONDS = 15
STEP = re.compile(r"^\[(\d+)/(\d+)\]")


def say(text=""):
    print(text, flush=True)


def note(text):
    """What is not the result of a command."""
    print(text, file=sys.stderr, flush=True)


def seconds(since):
    return f"{time.monotonic() - since:.0f} s"


class Line:
    """The line that tells how far it is."""

    def __init__(self, label):
        self.label, self.began, self.last = label, time.monotonic(), time.monotonic()
        self.terminal = sys.stderr.isatty()

    def show(self, state):
        now = time.monotonic()
        if self.terminal and now - self.last > 0.1:
            print(f"\r\033[K{self.label}: {state}", end="", file=sys.stderr, flush=True)
            self.last = now
        elif not self.terminal and now - self.last > QUIET_SECONDS:
            note(f"{self.label}: {state} ({seconds(self.began)})")
            self.last = now

    def clear(self):
        if self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def why(log):
    """The lines of a log worth reading after a failure."""
    with open(log, errors="replace") as file:
        lines = file.read().splitlines()
    first = next((i for i, line in enumerate(lines)
                  if line.startswith("FAILED:") or "ERROR" in line or "error:" in line), None)
    chosen = lines[-25:] if first is None else lines[first:first + 40]
    return "\n".join("    " + line for line in chosen)


def run_logged(label, command, log, hint=None, **more):
    """Runs to the end or raises Trouble; returns how many steps a build tool reported."""
    os.makedirs(os.path.dirname(log), exist_ok=True)
    line, steps = Line(label), 0
    more.setdefault("env", environment())
    more.setdefault("cwd", ROOT)
    with open(log, "a") as file:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, text=True, errors="replace",
                                   **more)
        try:
            for text in process.stdout:
                file.write(text)
                step = STEP.match(text)
                steps += bool(step)
                line.show(f"{step[1]} of {step[2]}" if step else text.strip()[:80])
            process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            line.clear()
    if process.returncode != 0:
        raise Trouble(f"{label} failed; from {shown(log)}:\n{why(log)}", hint)
    return steps
