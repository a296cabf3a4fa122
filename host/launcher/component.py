"""Makes a loadable component from one C file: ./k42 build FILE.c

Compiled against include/k42/kernel.h, its undefined symbols get the versions of what this kernel
offers, it becomes a shared object laid out by kernel/component/component.ld, and is signed. What
would be refused when it is loaded is refused here, with the name of what is wrong.
"""
import difflib
import os
import re
import subprocess

from launcher import keys, variants
from launcher.progress import say
from launcher.tree import Trouble, built, environment, path, shown

HEADERS = ["include", "core", "kernel", "kernel/arch/x86_64"]
FLAGS = ["-std=gnu17", "-O2", "-ffreestanding", "-fPIC", "-fno-plt", "-fvisibility=hidden",
         "-mno-red-zone", "-mgeneral-regs-only", "-fno-stack-protector", "-fno-omit-frame-pointer",
         "-fno-optimize-sibling-calls", "-fno-asynchronous-unwind-tables", "-fcf-protection=none",
         "-fno-strict-aliasing", "-fno-common", "-Wall", "-Wextra", "-Wno-override-init",
         "-DK42_KERNEL"]
GCC_FLAGS = ["-fno-tree-loop-distribute-patterns", "-mstringop-strategy=libcall"]
LINK = ["ld", "-shared", "-z", "now", "-z", "noexecstack", "-z", "max-page-size=4096",
        "--hash-style=sysv", "-Bsymbolic", "--build-id=none", "--no-warn-rwx-segments"]
MAGIC = b"K42SIGN1"
BOUNDS = re.compile(r"__(start|stop)_k42_\w+$|_GLOBAL_OFFSET_TABLE_$")  # the linker's own
KEY_SHOWN = 8


def run(words, hint=None):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL, env=environment())
    if done.returncode:
        raise Trouble(f"{os.path.basename(words[0])} refuses it:\n{done.stderr.strip()}", hint)
    return done.stdout + done.stderr


def key_file():
    return built("keys", "component.pem")


def offered(variant):
    """What the kernel of a variant has for components: name -> version."""
    variants.build(variant, targets=["kernel/k42.elf", "kernel/exports.txt"])
    folder = variants.folder(variant)
    with open(os.path.join(folder, "kernel", "exports.txt")) as file:
        listed = dict(line.split() for line in file)
    names = run(["nm", "--defined-only", os.path.join(folder, "kernel", "k42.elf")])
    defined = {line.split()[-1] for line in names.splitlines()}
    return {name: version for name, version in listed.items() if name in defined}


def wanted(compiled):
    """The symbols that a compiled file takes from elsewhere."""
    names = [line.split()[-1] for line in run(["nm", "-u", compiled]).splitlines()]
    return [name for name in names if not BOUNDS.match(name)]


def versions(source, names, has):
    missing = [name for name in names if name not in has]
    if missing:
        near = difflib.get_close_matches(missing[0], has, 3)
        raise Trouble(f"{source} uses what the kernel does not offer: " + ", ".join(missing),
                      (f"nearest to {missing[0]}: " + ", ".join(near) + "; " if near else "")
                      + "include/k42/kernel.h lists everything")
    return "".join(f"{name} {name}.{has[name]}\n" for name in names)


def sign(data, key, scratch):
    """The bytes with the trailer that kernel/component/signature.h describes."""
    with open(scratch, "wb") as file:
        file.write(data)
    try:
        signature = keys.openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", scratch)
        return data + signature + keys.public(key)[:KEY_SHOWN] + MAGIC
    except subprocess.CalledProcessError:
        raise Trouble(f"openssl cannot sign with {key}", "it must hold a private key of Ed25519, "
                      "as 'openssl genpkey -algorithm ed25519' makes") from None


def compiler(variant):
    """The compiler of a variant, as components are compiled with it: the command's first words."""
    chosen = variants.find(variant)
    flags = FLAGS + (GCC_FLAGS if chosen.compiler == "gcc" else ["-fno-builtin"])
    if "-Dchecks=true" in chosen.options:
        flags.append("-DK42_DEBUG")
    return [chosen.compiler, *flags, *(f"-I{path(folder)}" for folder in HEADERS)]


def compile_source(source, compiled, variant):
    said = run([*compiler(variant), "-c", source, "-o", compiled])
    if said:
        say(said.rstrip())


def link(compiled, renaming, output):
    run(["objcopy", f"--redefine-syms={renaming}", compiled])
    run([*LINK, "-T", path("kernel", "component", "component.ld"), compiled, "-o", output],
        "a component is one C file that includes <k42/kernel.h> and uses nothing else")


def build(source, output=None, key=None, signed=True, variant="release"):
    """Makes the component; returns where it is."""
    if not os.path.isfile(source):
        raise Trouble(f"there is no file {source}", "./k42 build FILE.c makes a component of it")
    name = os.path.splitext(os.path.basename(source))[0]
    output = output or built("components", name + ".k42")
    scratch = built("components", "made", f"{name}.{os.getpid()}")
    os.makedirs(os.path.dirname(scratch), exist_ok=True)
    os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
    has = offered(variant)
    try:
        compile_source(source, scratch + ".o", variant)
        with open(scratch + ".names", "w") as file:
            file.write(versions(source, wanted(scratch + ".o"), has))
        link(scratch + ".o", scratch + ".names", scratch + ".so")
        with open(scratch + ".so", "rb") as file:
            data = file.read()
        if signed:
            data = sign(data, key or key_file(), scratch + ".bytes")
        with open(output + ".new", "wb") as file:
            file.write(data)
        os.replace(output + ".new", output)
    finally:
        for ending in (".o", ".names", ".so", ".bytes"):
            if os.path.exists(scratch + ending):
                os.remove(scratch + ending)
    return output


def announce(source, output, key, signed, variant):
    made = build(source, output, key, signed, variant)
    say(f"built {shown(made)}: {os.path.getsize(made)} bytes"
        + ("" if signed else ", not signed: the kernel wants the option k42.unsigned for it"))
    return 0
