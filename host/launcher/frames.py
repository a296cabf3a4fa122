"""Frames on a socket, as guest/agent.h describes them."""
import struct

HEAD = struct.Struct("<II")
RUN, SIGNAL, WINDOW, MOUNT, END, BYTES = range(1, 7)
HELLO, ENDED, MOUNTED, LISTENS, OUTPUT, ERRORS = range(64, 70)
MOST_BYTES = 64 * 1024


def frame(kind, data=b""):
    return HEAD.pack(kind, len(data)) + data


def texts(*fields):
    return b"".join(field if isinstance(field, bytes) else field.encode(errors="surrogateescape")
                    for field in (part for text in fields for part in (text, b"\0")))


class Reader:
    """Takes bytes as they come, gives whole frames."""

    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        """Yields (kind, bytes) for every frame that is complete."""
        self.buffer += data
        while len(self.buffer) >= HEAD.size:
            kind, length = HEAD.unpack_from(self.buffer)
            if len(self.buffer) < HEAD.size + length:
                return
            data = bytes(self.buffer[HEAD.size:HEAD.size + length])
            del self.buffer[:HEAD.size + length]
            yield kind, data
