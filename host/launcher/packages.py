"""Installs what is missing of the packages in packages.txt.

Asking dpkg takes a few hundredths of a second, so it is done at the start of every command that
needs tools; apt is only touched when something is missing.
"""
import os
import shutil
import subprocess

from launcher import progress
from launcher.tree import Trouble, built, environment, path, shown

LIST = path("host", "launcher", "packages.txt")


def wanted(for_guest=False):
    """Package names and why, in the order of the list: all, or what running a guest needs."""
    with open(LIST) as file:
        text = file.read()
    if for_guest:
        text = text[:text.index("[rest]")]
    lines = [line.split(None, 1) for line in text.splitlines() if line and line[0] not in "#["]
    return {name: reason.strip() for name, reason in lines}


def missing(for_guest=False):
    names = list(wanted(for_guest))
    answer = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            env=environment())
    there = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in there]


def as_root(command):
    if os.geteuid() == 0:
        return command
    if not shutil.which("sudo"):
        raise Trouble("packages are missing, and this is neither root nor is sudo installed",
                      "as root: apt-get install " + " ".join(missing()))
    return ["sudo", "env", "DEBIAN_FRONTEND=noninteractive", *command]


def ensure(for_guest=False):
    """Returns with every package in place, or those for a guest, or raises Trouble."""
    if not shutil.which("dpkg-query") or not shutil.which("apt-get"):
        progress.note(f"k42: not a Debian system, so {shown(LIST)} is not checked")
        return
    names = missing(for_guest)
    if not names:
        return
    progress.note(f"installing {len(names)} packages: {' '.join(names)}")
    log = built("packages.log")
    settings = environment(DEBIAN_FRONTEND="noninteractive")
    if os.geteuid() != 0 and shutil.which("sudo"):
        subprocess.run(["sudo", "-v"], check=False)
    progress.run_logged("apt-get update", as_root(["apt-get", "update"]), log,
                        "is there a network, and are apt's sources right?", env=settings)
    install = ["apt-get", "install", "-y", "--no-install-recommends", *names]
    progress.run_logged("apt-get install", as_root(install), log,
                        "these are Debian 12's names; on another release some differ", env=settings)
    left = missing(for_guest)
    if left:
        raise Trouble("still missing after installing: " + " ".join(left), f"see {shown(log)}")
