"""The key that signs components. As a program, for the build: keys.py make FILE | show FILE

A key pair of Ed25519 is made at the first build and stays below build/; whoever wants another puts
it there. Its public half becomes part of the kernel, which believes that one alone.
"""
import os
import subprocess
import sys

HEAD = """/* The public half of the key whose owner may load components. */
#include "component/signature.h"

const uint8_t component_key[32] = {
"""


def openssl(*words):
    return subprocess.run(["openssl", *words], check=True, stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL).stdout


def make(file):
    """Makes a key unless there is one; of several at once, one wins."""
    if os.path.exists(file):
        return
    os.makedirs(os.path.dirname(file), exist_ok=True)
    mine = f"{file}.{os.getpid()}"
    openssl("genpkey", "-algorithm", "ed25519", "-out", mine)
    try:
        os.link(mine, file)
    except FileExistsError:
        pass
    os.remove(mine)


def public(file):
    """The 32 bytes of the public half, which end the usual encoding."""
    return openssl("pkey", "-in", file, "-pubout", "-outform", "DER")[-32:]


def show(file):
    key = public(file)
    lines = [", ".join(f"0x{byte:02x}" for byte in key[at:at + 8]) for at in range(0, 32, 8)]
    print(HEAD + "".join(f"    {line},\n" for line in lines) + "};")


if __name__ == "__main__":
    {"make": make, "show": show}[sys.argv[1]](sys.argv[2])
