#!/usr/bin/env python3
"""Keeps what is made from the tree's interface headers and committed: records and reference pages.

For every interface header outside the tests: the record NAME.ids beside it, and a page in
docs/reference/, which is named after the header's first interface, with an index of them all. With
--check nothing is written, and what is out of date is named. Exit: 0 fine, 1 something is wrong.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "reference"
FOLDERS = ("include", "core", "kernel")
INTERFACE = re.compile(r"^\s*struct k42_object_ops( \{| object;)", re.M)


class Failed(Exception):
    """stubgen refused; its message has been shown."""


def interface_headers():
    """Headers that declare interfaces, as paths relative to the root."""
    for folder in FOLDERS:
        for header in sorted((ROOT / folder).rglob("*.h")):
            if INTERFACE.search(header.read_text()):
                yield header.relative_to(ROOT)


def include_text(header):
    """How a program includes it."""
    if header.parts[0] == "include":
        return f"<{header.relative_to('include')}>"
    return f'"{header.name}"'


def stubgen(program, header, *options):
    """Runs stubgen on one header, from the root, so that messages name files from there."""
    command = [program, "-I", "include", "--include", include_text(header), *options, str(header)]
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise Failed(str(header))


def index_line(header, interface, page):
    """One interface's entry in the index."""
    doc = interface["doc"] or ""
    first = re.split(r"(?<=[.:])\s|\n\n", doc, maxsplit=1)[0].replace("\n", " ").rstrip(":")
    own = sum(not method["inherited"] for method in interface["methods"])
    methods = "1 method" if own == 1 else f"{own} methods"
    return f"- [`{interface['name']}`]({page}): {first} {methods}, `{header}`.\n"


def make_pages(program, check):
    """All pages by name; records are checked or updated on the way."""
    pages, index = {}, []
    with tempfile.TemporaryDirectory() as folder:
        page, description = pathlib.Path(folder, "page.md"), pathlib.Path(folder, "page.json")
        for header in interface_headers():
            stubgen(program, header, "--check" if check else "--update",
                    "--emit-docs", str(page), "--emit-json", str(description))
            interfaces = json.loads(description.read_text())["interfaces"]
            name = interfaces[0]["name"] + ".md"
            if name in pages:
                print(f"{header}:1: error: another header has the page '{name}': interfaces of "
                      "one tree have different names", file=sys.stderr)
                raise Failed(str(header))
            pages[name] = page.read_text()
            index += [index_line(header, interface, name) for interface in interfaces]
    pages["README.md"] = (
        "<!-- Written by host/stubgen/reference.py; run that instead of editing. -->\n\n"
        "# Interfaces\n\n"
        "Every interface of the tree, made from the comments and annotations of its header. How\n"
        "one is written is told in [interfaces.md](../interfaces.md).\n\n" + "".join(sorted(index)))
    return pages


def compare(pages):
    """Names of pages that differ from what is committed, or should not be there."""
    for name, text in pages.items():
        file = PAGES / name
        if not file.exists() or file.read_text() != text:
            yield name
    for file in PAGES.glob("*.md"):
        if file.name not in pages:
            yield file.name


def write(pages):
    """Makes docs/reference/ hold these pages and no others."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for file in PAGES.glob("*.md"):
        if file.name not in pages:
            file.unlink()
    for name, text in pages.items():
        (PAGES / name).write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing, name what is old")
    parser.add_argument("stubgen", type=pathlib.Path, help="the interface compiler, as built")
    options = parser.parse_args()
    try:
        pages = make_pages(str(options.stubgen.resolve()), options.check)
    except Failed:
        return 1
    except OSError as error:
        print(f"reference.py: cannot run '{options.stubgen}': {error.strerror}", file=sys.stderr)
        return 1
    if not options.check:
        write(pages)
        return 0
    old = sorted(set(compare(pages)))
    for name in old:
        print(f"docs/reference/{name}: error: not what its header says now: run "
              "host/stubgen/reference.py STUBGEN", file=sys.stderr)
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
