"""What a swap of a page cache with 10,000 pages costs, and what a reader notices of it.

On this machine's processors: the longest turn of a reader while the cache is swapped under it. In a
guest that counts instructions: what a swap takes when the pages go over by pointer (test=filecosts,
16,384 pages). Beside it: how long a component takes to load.
"""
import os
import re
import tempfile

import host_programs
import plots
from guests import guest
from launcher import component, qemu, variants
from launcher.tree import Trouble, path
from rows import row

NAME = "swaps"
PAGES = 10000
INSTRUCTIONS = 20000
PAUSE_US = 1000
LOAD_MS = 50
BIG_BYTES = 64 << 20


def pauses(asked):
    seen = host_programs.run("page_pause", swaps=100 if asked.quick else 2000, pages=PAGES,
                             readers=max(1, os.cpu_count() - 1))
    for share, name in ((0.5, "median"), (0.99, "99 %"), (1, "longest")):
        aim = {"target": f"<= {PAUSE_US} us", "reached": lambda value, _: value <= PAUSE_US} \
            if share == 1 else {}
        yield row(NAME, f"a reader's longest turn, {name}", "while swapped", "us",
                  seen["pause", "k42"], cpus=os.cpu_count(), peer="not swapped",
                  theirs=seen["pause", "resting"], share=share, **aim)
    slept = sum(seen["pause-slept", "k42"])
    yield row(NAME, "swaps in which a reader waited longest", "of " + str(len(seen["swap", "k42"])),
              "swaps", [slept], cpus=os.cpu_count())
    yield row(NAME, f"a swap with {PAGES:,} pages under a reader", "host", "us", seen["swap", "k42"],
              cpus=os.cpu_count())


def share_of(folder):
    return ["-fsdev", f"local,id=share0,path={folder},security_model=none,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=share0,mount_tag=share0"]


def instructions():
    kernel = os.path.join(variants.folder("release"), "kernel", "k42.elf")
    with tempfile.TemporaryDirectory() as folder:
        for name, size in (("big", BIG_BYTES), ("small", 300)):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(os.urandom(size))
        ended = qemu.Guest(kernel, append="test=filecosts", accelerator="tcg",
                           more=["-icount", "shift=0,sleep=off", *share_of(folder)]
                           ).run(240, capture=True)
    found = re.findall(r"(fcm\.\w+): (\d+) instructions for a swap to it with (\d+) pages",
                       ended.text)
    if ended.status or not found:
        raise Trouble(f"test=filecosts ended with {ended.status}")
    for name in dict.fromkeys(name for name, _, _ in found):
        seen = [int(took) for one, took, _ in found if one == name]
        pages = max(int(pages) for one, _, pages in found if one == name)
        yield row(NAME, f"a swap with {pages:,} pages", "to " + name, "instructions", seen,
                  target=f"<= {INSTRUCTIONS:,}", share=1,
                  reached=lambda value, _: value <= INSTRUCTIONS)


def loads(asked):
    file = component.build(path("components", "run_queue_batch.c"))
    with guest(2, shares=[(os.path.dirname(file), "/srv")]) as one:
        seen = []
        for _ in range(3 if asked.quick else 20):
            seen.append(one.ask("load /srv/run_queue_batch.k42")["load_ns"] / 1e6)
            one.sh("k42ctl unload run_queue_batch > /dev/null")
    yield row(NAME, "a component ready", "run_queue_batch", "ms", seen, cpus=2, share=1,
              target=f"<= {LOAD_MS} ms", reached=lambda value, _: value <= LOAD_MS)


def observe(asked, note):
    return [*pauses(asked), *instructions(), *loads(asked)]


def draw(found, folder):
    return [plots.bars(folder, "papers-swaps", "A swap of a page cache with 16,384 pages",
                       "instructions", [(one["variant"], one["value"]) for one in found
                                        if one["unit"] == "instructions"])]
