"""Lays compiled ACPI tables out in memory as firmware does: image.py OUT DSDT FADT OTHERS...

The file is what lies from 0xE0000 on: an RSDP at 64 bytes, lists of 64-bit and of 32-bit
addresses, then the tables.
"""
import struct
import sys

BASE, RSDP, LISTS = 0xE0000, 0x40, 0x80


def summed(table):
    table = bytearray(table)
    table[9] = 0
    table[9] = -sum(table) & 0xFF
    return bytes(table)


def header(signature, size):
    return struct.pack("<4sIBB6s8sI4sI", signature, size, 1, 0, b"K42   ", b"TEST    ", 1, b"K42 ", 1)


def place(tables):
    """Addresses and the bytes of the tables; the first is the DSDT, to which the second leads."""
    lists_size = 2 * 36 + (8 + 4) * (len(tables) - 1)
    at, addresses = BASE + LISTS + (lists_size + 15) // 16 * 16, []
    for table in tables:
        addresses.append(at)
        at += (len(table) + 15) // 16 * 16
    fadt = bytearray(tables[1])
    struct.pack_into("<I", fadt, 40, addresses[0])
    struct.pack_into("<Q", fadt, 140, addresses[0])
    return addresses, [tables[0], summed(fadt), *tables[2:]]


def image(tables):
    addresses, tables = place(tables)
    listed = addresses[1:]
    xsdt = summed(header(b"XSDT", 36 + 8 * len(listed)) + struct.pack(f"<{len(listed)}Q", *listed))
    rsdt = summed(header(b"RSDT", 36 + 4 * len(listed)) + struct.pack(f"<{len(listed)}I", *listed))
    old = bytearray(struct.pack("<8sB6sBI", b"RSD PTR ", 0, b"K42   ", 2, BASE + LISTS + len(xsdt)))
    old[8] = -sum(old) & 0xFF
    rsdp = bytearray(old + struct.pack("<IQBBBB", 36, BASE + LISTS, 0, 0, 0, 0))
    rsdp[32] = -sum(rsdp) & 0xFF
    result = bytearray(addresses[-1] - BASE + len(tables[-1]))
    for address, content in [(BASE + RSDP, rsdp), (BASE + LISTS, xsdt + rsdt),
                             *zip(addresses, tables)]:
        result[address - BASE:address - BASE + len(content)] = content
    return bytes(result)


def read(name):
    with open(name, "rb") as file:
        return file.read()


with open(sys.argv[1], "wb") as out:
    out.write(image([read(name) for name in sys.argv[2:]]))
