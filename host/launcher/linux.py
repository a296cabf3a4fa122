"""The reference system: Debian's own Linux kernel, unmodified, for the same emulator and root tree.

Its drivers for the emulator's devices are modules, which the guest's first program loads in the
order of their names.
"""
import lzma
import os
import re
import struct

from launcher import cpio, debian, root
from launcher.progress import note
from launcher.tree import Trouble, built

PACKAGE = "linux-image-amd64"  # depends on the kernel itself, whose name has a version in it
DRIVERS = ["virtio_pci", "virtio_console", "9p", "9pnet_virtio"]
DRIVERS_PLACE = "usr/lib/k42-drivers"
# Of a guest that ends in a panic, the emulator must end too; mitigations are off as in K42.
OPTIONS = "console=ttyS0 quiet panic=-1 mitigations=off"
DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


def package():
    found = [one for one in root.resolved([PACKAGE])
             if re.match(r"linux-image-\d.*-amd64$", one[0])]
    if not found:
        raise Trouble(f"{PACKAGE} names no kernel")
    return found[0]


def load_order(modules):
    """Names of the wanted modules and of what they depend on, each behind its own."""
    order = []

    def visit(name):
        if name in order or name not in modules:
            return
        needed = DEPENDS.search(b"\0" + modules[name])
        for other in needed[1].decode().split(",") if needed else []:
            visit(other.replace("-", "_"))
        order.append(name)
    for name in DRIVERS:
        visit(name)
    return order


def unpacked(image):
    """The kernel as a plain program, which the emulator starts without the seconds that unpacking
    inside would take; as it is, where it is packed in another way (Documentation: x86/boot)."""
    start = (image[0x1f1] + 1) * 512 + struct.unpack_from("<I", image, 0x248)[0]
    length, = struct.unpack_from("<I", image, 0x24c)
    try:
        return lzma.LZMADecompressor().decompress(image[start:start + length])
    except lzma.LZMAError:
        return image


def fetch():
    """Files with the kernel and with the part of the archive that holds its drivers."""
    name, version = package()
    kernel = built("root", "linux", f"{name}_{version}.elf")
    drivers = root.part_file(["drivers", name, version])
    if os.path.exists(kernel) and os.path.exists(drivers):
        return kernel, drivers
    deb = debian.download([(name, version)])[0]
    note(f"unpacking {name}")
    tree = debian.contents(deb, lambda path: path.startswith("boot/vmlinuz")
                           or re.match(r"usr/lib/modules/.*/(virtio|9p|fscache|netfs)", path))
    modules = {os.path.basename(path)[:-len(".ko")].replace("-", "_"): entry.data
               for path, entry in tree.items() if path.endswith(".ko")}
    part = {f"{DRIVERS_PLACE}/{number:02}-{name}.ko": cpio.file(modules[name])
            for number, name in enumerate(load_order(modules))}
    root.keep(drivers, cpio.part(part, 4))
    image = next(entry.data for path, entry in tree.items() if path.startswith("boot/vmlinuz"))
    root.keep(kernel, unpacked(image))
    return kernel, drivers
