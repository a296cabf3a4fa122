"""K42 built on K42 by Debian's tools: the same bytes as natively, and they boot."""
import io
import os
import tarfile

from conftest import only_long
from launcher import qemu, tree, variants

PACKAGES = ("gcc", "libc6-dev", "meson", "ninja-build", "pkgconf", "libclang-14-dev", "libcmocka-dev",
            "acpica-tools", "openssl", "python3")
MEMORY = "4G"
SUITE_TIMEOUT_SECONDS = 1800
LIMIT = 1750
pytestmark = only_long
TARGETS = "core/libk42.a host/stubgen/stubgen guest/init guest/k42ctl"
BUILD = f"""tar xf - || exit 98
meson setup build/release --libdir=lib -Doptimization=2 -Dstress_seconds=30 > setup 2>&1 || {{ cat setup; exit 97; }}
ninja -C build/release --quiet -j2 {TARGETS} > building 2>&1; echo $?; grep -v '^ninja: ' building
cd build/release; find . -name '*.o' | sort | xargs md5sum; md5sum {TARGETS}
"""
KERNEL = f"""tar xf - || exit 98
python3 ./k42 build --guest > building 2>&1; echo $?; grep -A 40 -i -e error -e failed building
cd build/release; md5sum {' '.join(variants.GUEST)}
"""
BOOT_LIMIT = 120
# With the key that this kernel believes, or each build would make its own.
BESIDE = ("k42", "meson.build", "meson_options.txt", "README.md", "LICENSE", "build/keys/component.pem")


def names():
    return sorted([*BESIDE, *(os.path.relpath(file, tree.ROOT) for file in tree.sources(""))])


def sources():
    """The files of the tree, as a tar file in which times and owners are always the same."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in names():
            member = archive.gettarinfo(tree.path(name), name)
            member.mtime, member.uid, member.gid, member.uname, member.gname = 1_000_000_000, 0, 0, "", ""
            with open(tree.path(name), "rb") as file:
                archive.addfile(member, file)
    return out.getvalue()


def test_the_runtime_is_built_here(machine):
    machine.same_sh(BUILD, sources(), limit=LIMIT)


def test_the_kernel_is_built_here_and_boots(machine, tmp_path):
    """By the command that people type. What it has built checks itself."""
    machine.same_sh(KERNEL, sources(), limit=LIMIT)
    built = tmp_path / "k42.elf"
    done = machine.run(["cat", "/tmp/test/build/release/kernel/k42.elf"], limit=BOOT_LIMIT)
    built.write_bytes(done.output)
    ended = qemu.Guest(str(built), append="test=boot").run(BOOT_LIMIT, capture=True)
    assert ended.status == 0, ended.text
