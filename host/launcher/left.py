"""What there is in a guest's kernel, counted when it is at rest: what must be the same afterwards.

/proc/k42/counts says it; the program tests/programs/abuse.c reads that until readings agree. What is
compared: blocks of the heap by size, objects by class, threads, pages of files, and frames that are
none of these. What a slab has to spare, and stacks kept for threads to come, are not anybody's and
not compared.
"""
import os

from launcher import variants
from launcher.tree import Trouble

SPARE = ("frames.used", "frames.free", "frames.kernel", "frames.heap", "frames.stacks",
         "frames.maps", "frames.tables", "heap.bytes", "heap.numbers", "blocks.heap-large")


def program_bytes():
    """The bytes of the program that counts."""
    with open(os.path.join(variants.folder("release"), "tests", "programs", "abuse"), "rb") as file:
        return file.read()


def bring_program(guest):
    guest.run(["sh", "-c", "cat > /bin/abuse; chmod +x /bin/abuse"], program_bytes())
    # Else a program that goes another way than the last time comes upon pages nobody had used.
    done = guest.run(["abuse", "resident", "/"])
    if done.status:
        raise Trouble(f"abuse resident: {done}")


def what_there_is(guest):
    # At a fixed place: how many pages and tables the counting process has depends on where it is.
    done = guest.run(["setarch", "-R", "abuse", "left"], limit=300)
    if done.status or done.errors:
        raise Trouble(f"abuse left: {done}")
    found = {}
    for line in done.output.decode().splitlines():
        name, number = line.split()[:2]
        found[name] = found.get(name, 0) + int(number)
    # The table of process numbers grows with the largest there was, and stays.
    found["heap bytes"] = found["heap.bytes"] - found["heap.numbers"]
    # So do the page tables that map stacks.
    found["other frames"] = (found["frames.kernel"] - found["frames.heap"] - found["frames.stacks"]
                             - found["frames.maps"])
    return {name: number for name, number in found.items() if name not in SPARE}


def unlike(before, after):
    """What differs: name -> before, after."""
    return {name: (before.get(name, 0), after.get(name, 0)) for name in {**before, **after}
            if before.get(name, 0) != after.get(name, 0)}
