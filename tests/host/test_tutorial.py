"""The tutorial shows code that is compiled: each of its blocks stands in a source of its program."""
import os
import re

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__)))))
FOLDER = os.path.join(ROOT, "core", "examples", "tutorial")


def read(*parts):
    with open(os.path.join(*parts)) as file:
        return file.read()


def blocks(page="tutorial.md"):
    return re.findall(r"^```c\n(.*?)^```$", read(ROOT, "docs", page), re.M | re.S)


def compiled():
    """The sources that the build file names, and the headers they include."""
    sources = {name: read(FOLDER, name)
               for name in re.findall(r"'(\w+\.c)'", read(FOLDER, "meson.build"))}
    headers = {name for text in sources.values() for name in re.findall(r'#include "(.+?)"', text)}
    return {**sources, **{name: read(FOLDER, name) for name in headers}}


def test_the_tutorial_shows_code():
    assert len(blocks()) > 10


def test_every_code_block_stands_in_a_compiled_file():
    texts = compiled().values()
    assert [block for block in blocks() if not any(block in text for text in texts)] == []


def test_every_file_of_the_program_is_shown():
    shown = blocks()
    assert [name for name, text in compiled().items()
            if not any(block in text for block in shown)] == []


def test_the_hole_that_is_shown_is_the_one_that_is_closed():
    hole = read(ROOT, "components", "security", "process_unchecked.c")
    assert [block for block in blocks("upgrade.md") if block not in hole] == [] != blocks("upgrade.md")
