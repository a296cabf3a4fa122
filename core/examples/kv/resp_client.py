"""A small client of the Redis protocol, for the checker and the tests. Standard library only."""
import socket


class ServerError(Exception):
    """An error that the server replied."""


def encode(words):
    """A request as the protocol wants it: words are bytes, text or numbers."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"".join([b"*%d\r\n" % len(parts), *(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)])


class Client:
    """One connection. `address` is a UNIX socket's path or a (host, port)."""

    def __init__(self, address, timeout=60):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        self.stream = self.socket.makefile("rb")

    def close(self):
        self.stream.close()
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def read_reply(self):
        """One reply; an error is returned, not raised, so that the next reply can be read."""
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return ServerError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if int(rest) < 0:
                return None
            data = self.stream.read(int(rest) + 2)
            return data[:-2]
        if kind == b"*":
            return None if int(rest) < 0 else [self.read_reply() for _ in range(int(rest))]
        raise ConnectionError(f"no reply begins with {kind!r}")

    def pipeline(self, requests):
        """Sends all requests at once; the replies, errors among them."""
        self.send_bytes(b"".join(map(encode, requests)))
        return [self.read_reply() for _ in requests]

    def __call__(self, *words):
        """Carries out one request; raises what the server replies as an error."""
        reply = self.pipeline([words])[0]
        if isinstance(reply, ServerError):
            raise reply
        return reply
