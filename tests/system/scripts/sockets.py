"""What a program in Python does with a pair of sockets."""
import select
import socket

a, b = socket.socketpair()
a.sendall(b"through a socket")
print(select.select([b], [], [], 1)[0] == [b], b.recv(100))
