"""./k42 root: the files that a guest starts with, from unmodified Debian packages.

The base tree is made of BASE; more packages make a second part with only what is new or differs, so
that the base is made, and read by a person, once. Each part is kept under build/root/parts under
the names and versions of its packages.
"""
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile

from launcher import cpio, debian
from launcher.progress import note, say
from launcher.tree import Trouble, built, environment, path, shown

BASE = ["base-files", "base-passwd", "bash", "busybox-static", "coreutils", "dash", "debianutils",
        "diffutils", "findutils", "gawk", "grep", "gzip", "hostname", "less", "libc-bin", "make",
        "mawk", "mount", "ncurses-base", "procps", "sed", "tar", "util-linux", "xz-utils"]
ARCHIVES_KEPT = 8
FOLDERS = {"dev": 0o755, "proc": 0o555, "sys": 0o555, "run": 0o755, "tmp": 0o1777, "root": 0o700,
           "mnt": 0o755, "var/tmp": 0o1777, "usr/lib64": 0o755}
LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64",
         "etc/mtab": "../proc/self/mounts"}
LINKS_WHERE_MISSING = {"usr/bin/sh": "dash"}
FILES = {"etc/hostname": "k42\n", "etc/hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost\n",
         "etc/shells": "/bin/sh\n/bin/dash\n/bin/bash\n",
         "etc/ld.so.conf": "/usr/local/lib\n/usr/lib/x86_64-linux-gnu\n"}
# What scripts of base-files and base-passwd copy.
COPIES = {"etc/passwd": "usr/share/base-passwd/passwd.master",
          "etc/group": "usr/share/base-passwd/group.master",
          "etc/nsswitch.conf": "usr/share/base-files/nsswitch.conf",
          "etc/profile": "usr/share/base-files/profile",
          "root/.profile": "usr/share/base-files/dot.profile",
          "root/.bashrc": "usr/share/base-files/dot.bashrc"}


def files(packages):
    """One tree of all the packages, set up as their scripts would have."""
    tree, choices = {}, {}
    for deb in debian.download(packages):
        tree.update(debian.contents(deb))
        for link, target in debian.alternatives(deb).items():
            choices.setdefault(link, target)
    for name, mode in FOLDERS.items():
        tree[name] = cpio.folder(mode)
    for name, target in LINKS.items():
        tree[name] = cpio.link(target)
    for name, target in choices.items():
        if name not in tree and debian.merged(target[1:]) in tree:
            tree[name] = cpio.link(target)
    for name, target in LINKS_WHERE_MISSING.items():
        tree.setdefault(name, cpio.link(target))
    for name, text in FILES.items():
        tree[name] = cpio.file(text)
    for name, original in COPIES.items():
        if original in tree:
            tree[name] = cpio.file(tree[original].data)
    tree["etc/ld.so.cache"] = cpio.file(library_cache(tree))
    return cpio.with_folders(tree)


def library_cache(tree):
    """What ldconfig makes of the tree's libraries."""
    with tempfile.TemporaryDirectory(dir=built("root")) as place:
        libraries = {name: entry for name, entry in tree.items()
                     if ".so" in name and name.startswith("usr/lib") or name in LINKS}
        libraries["etc/ld.so.conf"] = tree["etc/ld.so.conf"]
        unpack(cpio.with_folders(libraries), place)
        command = ["ldconfig", "-X", "-r", place]
        if os.geteuid():
            command = ["unshare", "-r", *command]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True)
        if done.returncode:
            raise Trouble("ldconfig: " + done.stderr.strip())
        with open(os.path.join(place, "etc", "ld.so.cache"), "rb") as file:
            return file.read()


def unpack(tree, place):
    """Writes a tree into a folder."""
    for name in sorted(tree):
        entry, where = tree[name], os.path.join(place, name)
        if os.path.lexists(where) and not os.path.isdir(where):
            os.remove(where)
        if entry.same_as:
            os.link(os.path.join(place, entry.same_as), where)
        elif entry.mode & 0o170000 == 0o040000:
            os.makedirs(where, exist_ok=True)
            os.chmod(where, entry.mode & 0o7777)
        elif entry.mode & 0o170000 == 0o120000:
            os.symlink(entry.data.decode(), where)
        else:
            with open(where, "wb") as file:
                file.write(entry.data)
            os.chmod(where, entry.mode & 0o7777)


def recipe():
    """Changes when the way in which trees are made does."""
    digest = hashlib.sha256()
    for name in ("cpio.py", "debian.py", "root.py"):
        with open(path("host", "launcher", name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def resolved(names):
    """The packages with their versions, remembered from the last time."""
    memory = built("root", "resolved.json")
    key = " ".join(sorted(set(names)))
    try:
        with open(memory) as file:
            known = json.load(file)
    except (OSError, ValueError):
        known = {}
    if known.get("recipe") != recipe():
        known = {"recipe": recipe()}
    if key not in known:
        known[key] = debian.resolve(names)
        os.makedirs(built("root"), exist_ok=True)
        keep(memory, json.dumps(known, indent=1).encode())
    return [tuple(package) for package in known[key]]


def keep(file, data):
    """Writes a file so that nobody sees half of it."""
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(file), delete=False) as new:
        new.write(data)
    os.chmod(new.name, 0o644)
    os.replace(new.name, file)


def part_file(packages):
    named = json.dumps([recipe(), packages]).encode()
    return built("root", "parts", hashlib.sha256(named).hexdigest()[:24] + ".cpio")


def split(names):
    """Names separated by commas, as the command line has them."""
    return [name for name in (names or "").split(",") if name]


def parts(more=()):
    """Files with the parts of an archive: the base, and what more packages add to it."""
    base = resolved(BASE)
    wanted = [("base", base, 1)]
    if more:
        wanted.append(("more", resolved([*BASE, *more]), 2))
    found = []
    for kind, packages, index in wanted:
        file = part_file([kind, packages])
        found.append(file)
        if os.path.exists(file):
            continue
        note(f"making a root tree of {len(packages)} packages")
        tree = files(packages)
        if kind == "more":
            there = files(base)
            tree = {name: entry for name, entry in tree.items() if there.get(name) != entry}
        keep(file, cpio.part(tree, index))
    return found


def archive(output, parts_and_data):
    """Writes an archive of parts, each the name of a file or bytes."""
    length = 0
    os.makedirs(os.path.dirname(output), exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(output), delete=False) as new:
        for one in parts_and_data:
            if isinstance(one, bytes):
                new.write(one)
            else:
                with open(one, "rb") as file:
                    shutil.copyfileobj(file, new, 1 << 20)
        length = new.tell()
        new.write(cpio.end(length))
    os.chmod(new.name, 0o644)
    os.replace(new.name, output)
    return output


def forget_old_archives():
    """Whole archives are quickly made of their parts: only the ones used last are kept."""
    place = built("root", "archives")
    files = sorted((os.path.join(place, name) for name in os.listdir(place)
                    if name.endswith(".cpio")), key=os.path.getmtime)
    for file in files[:-ARCHIVES_KEPT]:
        with contextlib.suppress(FileNotFoundError):
            os.remove(file)


def folder(more=()):
    """The same tree as a folder, for a chroot on this machine; needs root."""
    packages = resolved([*BASE, *more])
    place = part_file(["folder", packages]).removesuffix(".cpio")
    if not os.path.isdir(place):
        new = tempfile.mkdtemp(dir=built("root"))
        unpack(files(packages), new)
        os.chmod(new, 0o755)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.rename(new, place)
    return place


def output_name(names):
    """Where an archive goes that nobody named."""
    digest = hashlib.sha256("\n".join(parts(names)).encode()).hexdigest()[:24]
    return built("root", "archives", digest + ".cpio")


def forget():
    """Reads Debian's lists anew and forgets which versions there were."""
    debian.update()
    with contextlib.suppress(FileNotFoundError):
        os.remove(built("root", "resolved.json"))


def show(file, names):
    size = os.path.getsize(file) / (1 << 20)
    say(f"{shown(file)}: {size:.1f} MiB, {len(resolved([*BASE, *names]))} packages")
