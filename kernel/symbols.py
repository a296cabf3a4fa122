"""Writes the kernel's table of function names as assembly: symbols.py NM ELF > symbols.S

The table is sorted by address: offsets from KERNEL_BASE, then where each name stands, then the
names. An ELF without functions in it yields an empty table, which the first link uses.
"""
import subprocess
import sys

KERNEL_BASE = 0xFFFFFFFF80000000


def functions(nm, elf):
    listing = subprocess.run([nm, "--numeric-sort", "--defined-only", elf], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    for line in listing.splitlines():
        address, kind, name = line.split()
        if kind in "tTwW" and int(address, 16) > KERNEL_BASE:
            yield int(address, 16) - KERNEL_BASE, name


def table(found):
    yield '    .section .symbols, "a"\n    .balign 8\n    .globl symbol_count, symbol_offsets, ' \
          "symbol_names, symbol_text"
    yield f"symbol_count:\n    .long {len(found)}\nsymbol_offsets:"
    yield from (f"    .long {offset:#x}" for offset, _ in found)
    yield "symbol_names:"
    position = 0
    for _, name in found:
        yield f"    .long {position}"
        position += len(name) + 1
    yield "symbol_text:"
    yield from (f'    .asciz "{name}"' for _, name in found)
    yield '    .section .note.GNU-stack, "", @progbits'


print("\n".join(table(list(functions(sys.argv[1], sys.argv[2])) if len(sys.argv) > 2 else [])))
