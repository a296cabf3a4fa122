"""Debian 12's packages by name: which there are, what they depend on, their files.

Asks apt with a configuration of its own under build/, so that neither what this machine has
installed nor its other sources matter. Packages are only downloaded and read, never installed, and
no script of theirs is run.
"""
import fnmatch
import glob
import os
import re
import subprocess
import tarfile

from launcher import cpio, progress
from launcher.tree import Trouble, built, environment

SUITE = re.compile(r"^(bookworm|stable)(-updates|-security|/updates)?$")
# What installs packages, and what is asked while it does. Nothing is installed here, so apt is told
# that these are there already; what only they need stays away.
INSTALLERS = {"dpkg": "", "debconf": "debconf-2.0", "init-system-helpers": "", "usr-is-merged": "",
              "install-info": "", "ucf": ""}
LEFT_OUT = ["usr/share/doc/*", "usr/share/doc-base/*", "usr/share/man/*", "usr/share/info/*",
            "usr/share/locale/*", "usr/share/lintian/*", "usr/share/bug/*", "usr/share/menu/*",
            "usr/share/bash-completion/*", "usr/share/zsh/*", "usr/lib/systemd/*", "usr/lib/udev/*",
            "usr/lib/x86_64-linux-gnu/gconv/*", "etc/init.d/*", "etc/cron*", "etc/apt/*",
            "etc/pam.d/*", "usr/share/pam*", "usr/share/initramfs-tools/*", "var/lib/dpkg/*"]
MERGED = re.compile(r"^(bin|sbin|lib|lib64|libx32|lib32)(?=/)")
ALTERNATIVE = re.compile(r"--(install|slave)\s+(/\S+)\s+\S+\s+(/\S+)")


def place(*parts):
    return built("root", "apt", *parts)


def old_sources(text):
    """The lines of a sources.list that concern Debian 12's free part."""
    return [line for line in text.splitlines()
            if (found := re.match(r"deb\s+(?:\[.*?\]\s*)?\S+\s+(\S+)\s.*\bmain\b", line))
            and SUITE.match(found[1])]


def new_sources(text):
    """The same in the newer format, paragraph by paragraph."""
    kept = []
    for paragraph in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([\w-]+):[ \t]*(.*)$", paragraph, re.M))
        suites = [name for name in fields.get("Suites", "").split() if SUITE.match(name)]
        if suites and "main" in fields.get("Components", "").split():
            paragraph = re.sub(r"^Suites:.*$", "Suites: " + " ".join(suites), paragraph, flags=re.M)
            kept.append(paragraph.strip("\n") + "\n")
    return kept


def read(file):
    with open(file) as opened:
        return opened.read()


def write(file, text):
    with open(file, "w") as opened:
        opened.write(text)


def prepare():
    """Writes apt's configuration."""
    for name in ("lists/partial", "archives/partial", "sources"):
        os.makedirs(place(name), exist_ok=True)
    lines, paragraphs = [], []
    for file in sorted(["/etc/apt/sources.list", *glob.glob("/etc/apt/sources.list.d/*.list")]):
        lines += old_sources(read(file)) if os.path.exists(file) else []
    for file in sorted(glob.glob("/etc/apt/sources.list.d/*.sources")):
        paragraphs += new_sources(read(file))
    if not lines and not paragraphs:
        raise Trouble("this machine's apt has no source of Debian 12",
                      "an entry for the suite bookworm belongs into /etc/apt/sources.list.d")
    write(place("sources", "debian.list"), "\n".join(lines) + "\n")
    write(place("sources", "debian.sources"), "\n".join(paragraphs))
    write(place("status"), "\n".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: all\nMulti-Arch: foreign\n"
        f"Maintainer: none\nVersion: 99\nDescription: none\n"
        + (f"Provides: {provided}\n" if provided else "")
        for name, provided in INSTALLERS.items()))
    settings = {"Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": place("sources"),
                "Dir::State": place(), "Dir::State::status": place("status"),
                "Dir::State::lists": place("lists"), "Dir::Cache": place(),
                "Dir::Log": place(), "APT::Install-Recommends": "false",
                "APT::Architecture": "amd64", "APT::Architectures": "amd64",
                "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
                "Acquire::Languages": "none", "Debug::NoLocking": "true"}
    write(place("conf"), "".join(f'{name} "{value}";\n' for name, value in settings.items()))


def apt(*words):
    return ["apt-get", "-c", place("conf"), "-q", "-y", *words]


def update():
    prepare()
    progress.run_logged("reading Debian's lists", apt("update"), built("logs", "root.log"),
                        "is there a network, and are apt's sources right?")


def resolve(names):
    """The packages and all that they depend on: (name, version) pairs, sorted."""
    if not glob.glob(place("lists", "*Packages*")):
        update()
    prepare()
    done = subprocess.run(apt("-s", "install", *names), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, env=environment())
    if done.returncode:
        wrong = [line for line in (done.stdout + done.stderr).splitlines() if line[:2] == "E:"]
        raise Trouble("apt: " + (wrong or ["failed"])[0].removeprefix("E: "),
                      "packages are Debian 12's, named with commas between them")
    return sorted(re.findall(r"^Inst (\S+) \((\S+)", done.stdout, re.M))


def download(packages):
    """Paths of the packages' files, in the order given."""
    def where(name, version):
        return place("archives", f"{name}_{version.replace(':', '%3a')}_*.deb")
    missing = [package for package in packages if not glob.glob(where(*package))]
    if missing:
        prepare()
        words = apt("download", *(f"{name}={version}" for name, version in missing))
        progress.run_logged(f"downloading {len(missing)} packages", words,
                            built("logs", "root.log"), "./k42 root --update reads the lists anew",
                            cwd=place("archives"))
    return [glob.glob(where(*package))[0] for package in packages]


def merged(path):
    """Where a file lies on a system whose /bin and /lib are links into /usr."""
    path = path.removeprefix("./").rstrip("/")
    return "usr/" + path if MERGED.match(path) else path


def wanted(path):
    return not any(fnmatch.fnmatchcase(path, pattern) for pattern in LEFT_OUT)


def contents(deb, choose=wanted):
    """The files of a package that `choose` accepts, as a tree."""
    tree = {}
    process = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE,
                               env=environment())
    with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
        for member in archive:
            path = merged(member.name)
            if path in ("", ".", "bin", "sbin", "lib", "lib64") or not choose(path):
                continue
            if member.isdir():
                tree[path] = cpio.folder(member.mode, member.mtime)
            elif member.issym():
                tree[path] = cpio.link(member.linkname, member.mtime)
            elif member.islnk():
                target = merged(member.linkname)
                tree[path] = cpio.Entry(tree[target].mode, time=member.mtime, same_as=target)
            elif member.isfile():
                data = archive.extractfile(member).read()
                tree[path] = cpio.file(data, member.mode, member.mtime)
    if process.wait():
        raise Trouble(f"cannot read {os.path.basename(deb)}", "./k42 root --update fetches anew")
    return tree


def alternatives(deb):
    """Links that the package's script would have made: path -> target."""
    done = subprocess.run(["dpkg-deb", "--info", deb, "postinst"], capture_output=True, text=True,
                          env=environment())
    script = done.stdout.replace("\\\n", " ")
    return {merged(link[1:]): target for _, link, target in ALTERNATIVE.findall(script)
            if not link.startswith("/usr/share/man")}
