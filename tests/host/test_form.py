"""The tree keeps its own rules of form: formatting, and that nothing lies beside the build."""
import os
import re
import subprocess
import sys

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import form, packages, tree  # noqa: E402

# Exported because inline functions and macros of the headers call them.
BEHIND_THE_HEADERS = r"_(from|flavour|slow)$|^k42_check_|^k42_trace_(reserve|commit|put|string)"


def read(*parts):
    with open(os.path.join(ROOT, *parts)) as file:
        return file.read()


def relative(files):
    return [os.path.relpath(file, ROOT) for file in files]


def test_sources_are_in_form():
    assert relative(form.badly_formed()) == []


def test_every_source_of_the_runtime_is_built():
    listed = read("core", "meson.build")
    built = [name for name in relative(tree.sources(".c", ".S"))
             if re.fullmatch(r"core/[^/]+|core/(host|trace|trace/host)/[^/]+", name)]
    assert [name for name in built if f"'{name.removeprefix('core/')}'" not in listed] == []


def test_every_unit_test_is_built():
    listed = "".join(read(name) for name in relative(tree.sources("meson.build")))
    names = [re.fullmatch(r"tests/host/(?:\w+/)?(test_(\w+)\.c)", name)
             for name in relative(tree.sources(".c"))]
    assert [name[0] for name in names
            if name and f"'{name[2]}'" not in listed and f"'{name[1]}'" not in listed] == []


# Made at boot, when there is one version of each class, and then never again.
MADE_AT_BOOT = {"kernel/sched/hold.c", "kernel/dev/virtio/virtio_9p.c",
                "kernel/dev/block/virtio_disk.c", "kernel/dev/stream/virtio_port.c",
                "kernel/dev/stream/serial_stream.c", "kernel/linux/exec/vdso.c"}


def test_what_the_kernel_makes_is_made_by_factories():
    """So that after an upgrade it is of the new version."""
    directly = {name for name in relative(tree.sources(".c"))
                if name.startswith("kernel/") and not name.startswith("kernel/test/")
                and re.search(r"\bk42_create\(", read(name))}
    assert directly == MADE_AT_BOOT


def test_every_package_is_explained():
    explained = read("docs", "dependencies.md")
    assert [name for name in packages.wanted() if f"`{name}`" not in explained] == []


def test_every_package_explained_is_wanted():
    explained = re.findall(r"^\| `([^`]+)` ", read("docs", "dependencies.md"), re.M)
    assert sorted(set(explained) - set(packages.wanted())) == []


def test_links_in_the_book_lead_somewhere():
    broken = []
    for page in [*tree.sources(".md"), os.path.join(ROOT, "README.md"),
                 os.path.join(ROOT, "CONTRIBUTING.md")]:
        with open(page) as file:
            links = re.findall(r"\]\(([^)#\s]+)", file.read())
        broken += [f"{os.path.relpath(page, ROOT)}: {link}" for link in links
                   if "://" not in link
                   and not os.path.exists(os.path.join(os.path.dirname(page), link))]
    assert broken == []


def test_every_chapter_is_in_the_table_of_contents():
    contents = read("docs", "README.md")
    chapters = [name for name in os.listdir(os.path.join(ROOT, "docs")) if name.endswith(".md")]
    assert [name for name in chapters if name != "README.md" and f"({name})" not in contents] == []


def test_python_sources_compile():
    for file in tree.sources(".py"):
        with open(file) as source:
            compile(source.read(), file, "exec")


def test_manual_pages_pass_their_checker():
    pages = tree.sources(".1", ".3", ".7", ".8")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "error", *pages], capture_output=True,
                          text=True)
    assert pages and done.returncode == 0, done.stdout


def test_every_public_function_has_a_manual_page():
    pages = "\n".join(read(os.path.relpath(page, ROOT)) for page in tree.sources(".3"))
    missing = []
    for header in tree.sources(".h"):
        name = os.path.relpath(header, ROOT)
        if not name.startswith("include/"):
            continue
        declared = re.findall(r"K42_EXPORT\b[^;{]*?\b(k42_\w+)\s*\(", read(name))
        missing += [one for one in declared
                    if not re.search(rf"^\.Nm {one}\b", pages, re.M)
                    and not re.search(BEHIND_THE_HEADERS, one)]
    assert missing == []
