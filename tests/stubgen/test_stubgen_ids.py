"""Method numbers are stable: what a record knows of a version cannot be changed under it."""
import os

import pytest
from stubgen_tool import breaches, method, run_on, sample, write

ADD = method("K42_METHOD(add)(struct sample *self, long n)")
FIND = method("K42_METHOD_PAIR(find)(struct sample *self, K42_STRING(64) const char *name)")
READ = method("K42_METHOD(read)"
              "(struct sample *self, K42_OUT K42_BUF(size, 512) void *to, size_t size)")

RECORD = """# What callers of 'sample' are compiled against.
# Kept by stubgen: run it with --update, never edit.

interface sample version 1
0 describe(out:buf(#2,4096),in:u64)
1 add(in:i64)
2 find(in:string(64))->pair
"""


def versioned(version, *methods):
    return sample(*methods).replace(
        "struct sample;\n", f"struct sample;\n#define SAMPLE_INTERFACE_VERSION {version}\n")


def recorded(folder, text):
    """A header whose methods are recorded."""
    header = write(folder, text)
    result = run_on(header, "--update")
    assert (result.returncode, result.stderr) == (0, "")
    return header


def record(folder):
    return (folder / "sample.ids").read_text()


def refused(folder, text, *words, option="--check"):
    """The changed header has one breach of its record, with these words; returns its line."""
    before = record(folder)
    result = run_on(write(folder, text), option)
    found = breaches(result)
    assert result.returncode == 1 and len(found) == 1, result.stderr
    for word in words:
        assert word in found[0][1]
    assert record(folder) == before
    return found[0][0]


def test_an_update_records_every_method_in_order(tmp_path):
    recorded(tmp_path, sample(ADD, FIND))
    assert record(tmp_path) == RECORD


def test_a_recorded_header_passes_the_check(tmp_path):
    result = run_on(recorded(tmp_path, sample(ADD, FIND)), "--check")
    assert (result.returncode, result.stderr) == (0, "")


def test_an_update_of_what_is_recorded_changes_nothing(tmp_path):
    header = recorded(tmp_path, sample(ADD, FIND))
    before = os.stat(tmp_path / "sample.ids").st_mtime_ns
    run_on(header, "--update")
    assert os.stat(tmp_path / "sample.ids").st_mtime_ns == before


def test_an_interface_without_record_fails_the_check(tmp_path):
    result = run_on(write(tmp_path, sample(ADD)), "--check")
    assert result.returncode == 1 and "run stubgen --update sample.h" in result.stderr


def test_without_check_no_record_is_needed(tmp_path):
    assert run_on(write(tmp_path, sample(ADD))).returncode == 0


@pytest.mark.parametrize("option", ["--check", "--update"])
def test_a_removed_method_is_refused(tmp_path, option):
    recorded(tmp_path, sample(ADD, FIND))
    refused(tmp_path, sample(ADD), "method 'find', number 2 of version 1", "is gone",
            "SAMPLE_INTERFACE_VERSION", option=option)


@pytest.mark.parametrize("option", ["--check", "--update"])
def test_a_changed_signature_is_refused(tmp_path, option):
    recorded(tmp_path, sample(ADD, FIND))
    line = refused(tmp_path, sample(ADD.replace("long n", "int n"), FIND), "'add(in:i32)'",
                   "'add(in:i64)'", option=option)
    assert line == 6


@pytest.mark.parametrize("old, new", [
    ("512", "1024"), ("K42_OUT", "K42_INOUT"), ("size_t size", "uint32_t size"),
    ("K42_METHOD", "K42_METHOD_PAIR"), ("K42_OUT K42_BUF(size, 512)", "K42_LOCAL")])
def test_whatever_a_caller_relies_on_is_part_of_the_signature(tmp_path, old, new):
    recorded(tmp_path, sample(READ))
    refused(tmp_path, sample(READ.replace(old, new)), "'read' is now")


def test_a_grown_struct_is_a_changed_signature(tmp_path):
    stat = method("K42_METHOD(stat)(struct sample *self, K42_OUT struct held *held)")
    text = sample(stat).replace(
        "struct sample;\n", "struct sample; struct held { long a; };\n")
    recorded(tmp_path, text)
    refused(tmp_path, text.replace("long a;", "long a, b;"), "struct(held,16)", "struct(held,8)")


def test_a_renamed_parameter_is_no_change(tmp_path):
    recorded(tmp_path, sample(READ))
    renamed = READ.replace("size", "length").replace("length_t", "size_t")
    result = run_on(write(tmp_path, sample(renamed)), "--check")
    assert (result.returncode, result.stderr) == (0, "")


def test_reordered_methods_are_refused_each(tmp_path):
    recorded(tmp_path, sample(ADD, FIND))
    result = run_on(write(tmp_path, sample(FIND, ADD)), "--check")
    texts = [text for _, text in breaches(result)]
    assert len(texts) == 2
    assert "'find' is number 1, but version 1 of 'sample' has it as number 2" in texts[0]
    assert "'add' is number 2, but version 1 of 'sample' has it as number 1" in texts[1]


def test_an_appended_method_fails_the_check_until_it_is_recorded(tmp_path):
    recorded(tmp_path, sample(ADD, FIND))
    line = refused(tmp_path, sample(ADD, FIND, READ), "'read' is new", "--update")
    assert line == 10
    recorded(tmp_path, sample(ADD, FIND, READ))
    assert record(tmp_path) == RECORD + "3 read(out:buf(#2,512),in:u64)\n"


def test_a_raised_version_begins_a_section_and_keeps_the_old_one(tmp_path):
    recorded(tmp_path, sample(ADD, FIND))
    refused(tmp_path, versioned(2, READ), "version 2", "--update")
    recorded(tmp_path, versioned(2, READ))
    assert record(tmp_path) == RECORD + (
        "\ninterface sample version 2\n0 describe(out:buf(#2,4096),in:u64)\n"
        "1 read(out:buf(#2,512),in:u64)\n")


def test_a_raised_version_is_held_stable_in_turn(tmp_path):
    recorded(tmp_path, sample(ADD))
    recorded(tmp_path, versioned(2, READ, ADD))
    refused(tmp_path, versioned(2, READ), "'add', number 2 of version 2")


def test_a_version_never_falls(tmp_path):
    recorded(tmp_path, versioned(3, ADD))
    refused(tmp_path, versioned(2, ADD), "version 2", "version 3", "only rise", option="--update")


def test_nothing_is_recorded_of_a_header_that_breaks_a_rule(tmp_path):
    result = run_on(write(tmp_path, sample(ADD.replace("long n", "long *n"))), "--update")
    assert result.returncode == 1 and not (tmp_path / "sample.ids").exists()


def test_nothing_is_recorded_when_one_of_two_interfaces_is_refused(tmp_path):
    other = sample(ADD).replace("sample", "other")
    recorded(tmp_path, sample(ADD, FIND))
    result = run_on(write(tmp_path, other + sample(ADD)), "--update")
    assert result.returncode == 1 and not (tmp_path / "other.ids").exists()


@pytest.mark.parametrize("text", [
    "1 add(in:i64)\n", "interface other version 1\n", "interface sample version\n",
    "interface sample version 1 or 2\n", "interface sample version 1\n1 add(in:i64)\n",
    "interface sample version 2\ninterface sample version 1\n", "\x00\xff garbage",
    "interface sample version 1\n0\n", "interface " + "x" * 500 + " version 1\n"])
def test_a_spoilt_record_is_refused_with_its_line(tmp_path, text):
    header = write(tmp_path, sample(ADD))
    (tmp_path / "sample.ids").write_text(text, encoding="latin-1")
    result = run_on(header, "--update")
    assert result.returncode == 1
    assert result.stderr.startswith("sample.ids:") or "sample.ids" in result.stderr
    assert (tmp_path / "sample.ids").read_text(encoding="latin-1") == text


def test_a_record_that_cannot_be_read_is_named(tmp_path):
    header = write(tmp_path, sample(ADD))
    (tmp_path / "sample.ids").mkdir()
    result = run_on(header, "--check")
    assert result.returncode == 2 and "sample.ids" in result.stderr
