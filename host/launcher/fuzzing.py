"""Hostile callers, led by what they reach: sequences of system calls in a guest (tests/fuzz/calls).

The target is one program: with libFuzzer it searches, in a guest whose kernel tells which of its code
was come through; with replay.c it repeats a corpus, in any guest. A kernel that ends while it searches
leaves the input in a file of the host, from which ./k42 fuzz FILE does it again.
"""
import hashlib
import io
import os
import shutil
import tarfile
import tempfile

from launcher import abi, session, sweep, variants
from launcher.progress import say
from launcher.tree import Trouble, built, path, shown

FOLDER = path("tests", "fuzz", "calls")
CORPUS = path("tests", "fuzz", "corpus", "calls")
FLAGS = ("-g", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror")
BOOT_SECONDS = 300
LONGEST = 400  # bytes of an input


def program(searches):
    """The target's file, up to date."""
    sweep.program()
    result = built("fuzz", "search" if searches else "replay")
    files = [os.path.join(FOLDER, name) for name in ("fuzz_calls.c", "values.c")]
    files.append(built("sweep", "table.c"))
    if not searches:
        files.append(path("tests", "fuzz", "replay.c"))
    os.makedirs(os.path.dirname(result), exist_ok=True)
    if abi.is_newer(result, *files, os.path.join(FOLDER, "calls.h"), path("tests", "fuzz", "fuzz.h")):
        compiler = ("clang", "-fsanitize=fuzzer") if searches else ("gcc", "-static")
        abi.run(*compiler, *FLAGS, "-I", path("tests", "sweep"), "-o", result, *files)
    return result


def packed(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for file in files:
            archive.add(file, os.path.basename(file))
    return data.getvalue()


def corpus():
    """The inputs that are kept with the sources."""
    return sorted(os.path.join(CORPUS, name) for name in os.listdir(CORPUS))


def bring(guest, searches, files):
    with open(program(searches), "rb") as file:
        guest.run(["sh", "-c", "cat > /bin/fuzz; chmod +x /bin/fuzz; mkdir -p /tmp/corpus /tmp/new"],
                  file.read())
    done = guest.run(["tar", "-x", "-C", "/tmp/corpus"], packed(files))
    if done.status:
        raise Trouble(f"the corpus does not get into the guest: {done}")


# The calls' files stand in a folder of their own, and what System V keeps goes at the end.
IN_FOLDER = "rm -rf /tmp/calls; mkdir -m 777 /tmp/calls; cd /tmp/calls; "
AFTERWARDS = "; status=$?; cd /; rm -rf /tmp/calls; ipcrm --all; exit $status"


def again_words(copies):
    """A script that does each input again, and so many damaged copies of it, when they were brought."""
    return f"{IN_FOLDER}fuzz /tmp/corpus {copies}{AFTERWARDS}"


def kept(told):
    """Puts the input during which the kernel ended aside."""
    with open(told, "rb") as file:
        data = file.read()
    result = built("fuzz", "ended-" + hashlib.sha256(data).hexdigest()[:12])
    shutil.copyfile(told, result)
    return result


def search(seconds, cpus=1, add=False):
    """Looks for inputs that reach something new; returns what libFuzzer said of it."""
    variants.build("coverage", variants.COVERED, variants.GUEST)
    os.makedirs(CORPUS, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        told = os.path.join(folder, "told")
        with session.Session("k42", cpus, "1G", ("libstdc++6",), [(folder, "/srv")],
                             variant="coverage") as guest:
            guest.wait_until_ready(BOOT_SECONDS)
            bring(guest, True, corpus())
            say(f"searching for {seconds:g} s, from {len(corpus())} inputs ...")
            words = (f"TOLD=/srv/told fuzz -max_total_time={seconds:g} -max_len={LONGEST} -timeout=100 "
                     "-rss_limit_mb=0 -print_final_stats=1 -artifact_prefix=/srv/ /tmp/new /tmp/corpus")
            try:
                done = guest.run(["sh", "-c", IN_FOLDER + words + AFTERWARDS], limit=4 * seconds + 600)
            except Trouble as trouble:
                raise Trouble(f"the kernel ended: {trouble}",
                              f"./k42 fuzz {shown(kept(told))} does it again") from trouble
            if add:
                take(guest.run(["tar", "-c", "-C", "/tmp/new", "."], limit=300).output)
    said = done.errors.decode(errors="replace")
    if done.status:
        raise Trouble("the search ended early:\n" + said[-2000:])
    return said


def take(data):
    """New inputs become part of the corpus."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive.getmembers():
            if member.isfile():
                with open(os.path.join(CORPUS, os.path.basename(member.name)), "wb") as file:
                    file.write(archive.extractfile(member).read())


def run(asked):
    """What ./k42 fuzz does."""
    if asked.inputs:
        return again(asked.inputs)
    before, said = len(corpus()), search(asked.seconds, add=asked.add)
    say("\n".join(line for line in said.splitlines() if line.startswith("stat::")))
    if asked.add:
        say(f"{len(corpus()) - before} inputs are new in {shown(CORPUS)}")
    return 0


def again(files, copies=0):
    """Does inputs again, in a guest with the usual kernel."""
    variants.build("release")
    with session.Session("k42", 2, "1G") as guest:
        guest.wait_until_ready(BOOT_SECONDS)
        bring(guest, False, files)
        done = guest.run(["sh", "-c", again_words(copies)], limit=600)
        print(done.output.decode() + done.errors.decode(), end="")
        return done.status
