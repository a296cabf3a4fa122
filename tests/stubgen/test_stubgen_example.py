"""The example of docs/interfaces.md is an interface, and what the chapter shows of it is true."""
import re

from stubgen_tool import ROOT, fine, run_on, write

CHAPTER = (ROOT / "docs" / "interfaces.md").read_text()
EXAMPLE = re.search(r"```c\n(.*?)```", CHAPTER, re.S)[1]


def test_the_example_keeps_the_rules(tmp_path):
    fine(tmp_path, EXAMPLE)


def test_the_signatures_shown_are_the_examples(tmp_path):
    written = fine(tmp_path, EXAMPLE, "--emit-c", "-").stdout
    signatures = re.search(r"_signatures\[\] = \{\n(.*?)\};", written, re.S)[1]
    assert "\n" + re.sub(r'"(.*)",', r"\1", signatures) + "\n" in CHAPTER


def test_the_record_shown_is_the_examples(tmp_path):
    assert run_on(write(tmp_path, EXAMPLE, "counter.h"), "--update").returncode == 0
    lines = (tmp_path / "counter.ids").read_text().splitlines()[3:7]
    assert "".join(f"    {line}\n" for line in lines) in CHAPTER
