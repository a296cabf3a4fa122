"""Trees of files in memory, and the archive of one that a kernel unpacks at boot (cpio, "newc").

A tree maps a path without leading slash to its entry. An archive may consist of parts, each a tree,
one after the other with one end: the later part's entry replaces the earlier part's of the same
path. Order, times and owners depend on nothing but the trees.
"""
import stat

MAGIC = "070701"
END = "TRAILER!!!"
BLOCK = 512
# So that no two parts of an archive share the number of a file.
PART_NUMBERS = 1 << 20


class Entry:
    """A file, folder, link or device: its mode with the type in it, and its bytes or target."""

    def __init__(self, mode, data=b"", time=0, device=(0, 0), same_as=None):
        self.mode, self.data, self.time, self.device = mode, data, time, device
        self.same_as = same_as  # the path of which this is another name

    def __eq__(self, other):
        return isinstance(other, Entry) and vars(self) == vars(other)


def folder(mode=0o755, time=0):
    return Entry(stat.S_IFDIR | mode, time=time)


def file(data, mode=0o644, time=0):
    return Entry(stat.S_IFREG | mode, data.encode() if isinstance(data, str) else data, time)


def link(target, time=0):
    return Entry(stat.S_IFLNK | 0o777, target.encode(), time)


def with_folders(tree):
    """The tree with the folders that its paths need."""
    result = dict(tree)
    for path in tree:
        parts = path.split("/")[:-1]
        for count in range(1, len(parts) + 1):
            result.setdefault("/".join(parts[:count]), folder())
    return result


def padding(length, unit=4):
    return b"\0" * (-length % unit)


def header(name, number, entry, size, links):
    values = (number, entry.mode, 0, 0, links, entry.time, size, 0, 0, *entry.device,
              len(name) + 1, 0)
    head = MAGIC.encode() + b"".join(b"%08X" % value for value in values) + name + b"\0"
    return head + padding(len(head))


def part(tree, index=0):
    """One part of an archive, without an end. Other names of a file follow it, and have no bytes
    of their own."""
    tree = with_folders(tree)
    names = {}
    for path, entry in tree.items():
        names.setdefault(entry.same_as or path, []).append(path)
    pieces, number = [], index * PART_NUMBERS
    for path in sorted(path for path in tree if not tree[path].same_as):
        number += 1
        data = tree[path].data
        links = 2 if stat.S_ISDIR(tree[path].mode) else len(names[path])
        for name in [path] + sorted(set(names[path]) - {path}):
            pieces += [header(name.encode(), number, tree[path], len(data), links), data,
                       padding(len(data))]
            data = b""
    return b"".join(pieces)


def end(length):
    """What follows the last part of an archive that is `length` bytes long."""
    last = header(END.encode(), 0, Entry(0), 0, 1)
    return last + padding(length + len(last), BLOCK)
