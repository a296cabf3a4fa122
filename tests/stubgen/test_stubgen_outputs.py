"""What is written from a header: C that compiles, pages, descriptions; how failures are told."""
import json
import subprocess

import pytest
from stubgen_tool import ROOT, fine, method, program, run, run_on, sample, write

METHODS = (
    method("K42_METHOD_PAIR(find)(struct sample *self, K42_STRING(64) const char *name, "
           "K42_OUT k42_ref *found)",
           "/*\n     * Finds <one> by *name*.\n     *\n     *     find(sample, \"x*y\")\n     *\n"
           "     * Errors: -ENOENT; -EINVAL\n     * (no name).\n     */"),
    method("K42_METHOD(visit)(struct sample *self, K42_LOCAL long (*each)(int), unsigned char n)"))
TEXT = "/* A header about samples. */\n" + sample(*METHODS)

C = """/* Written by stubgen from "sample.h"; edit that instead. */
#include "sample.h"

#include <k42/object.h>

_Static_assert(K42_METHOD_COUNT(struct sample_ops) == 3,
               "written for another version of the header: run stubgen again");

K42_EXPORT extern const char *const sample_signatures[];
const char *const sample_signatures[] = {
    "describe(out:buf(size,4096) text, in:u64 size)",
    "find(in:string(64) name, out:ref(k42_object) found)->pair",
    "visit(local:ptr each, in:u8 n)",
};

static const char *const sample_method_names[] = {
    "describe",
    "find",
    "visit",
};

const struct k42_interface sample_interface = {
    .name = "sample",
    .version = 1,
    .methods = 3,
    .method_names = sample_method_names,
};
"""

PAGE_END = """## 1: `find`

```c
struct k42_pair find(struct sample *self, const char *name, k42_ref *found)
```

Finds &lt;one> by \\*name\\*.

    find(sample, "x*y")

**Errors:** -ENOENT; -EINVAL
(no name).

| parameter | type | direction | |
|---|---|---|---|
| `name` | `const char *` | in | a string, at most 64 bytes |
| `found` | `k42_ref *` | out |  |

## 2: `visit`

```c
k42_result visit(struct sample *self, long (*each)(int), unsigned char n)
```

Does it.

| parameter | type | direction | |
|---|---|---|---|
| `each` | `long (*)(int)` | local | does not cross address spaces |
| `n` | `unsigned char` | in |  |

Local: this method has no proxy in other address spaces.
"""


def compile_c(folder, source, compiler="gcc"):
    return subprocess.run(
        [compiler, "-std=gnu17", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-c", source, "-o",
         "out.o", "-I", str(ROOT / "include"), "-I", "."],
        cwd=folder, capture_output=True, text=True, timeout=60)


def test_the_c_source_names_methods_and_signatures(tmp_path):
    assert fine(tmp_path, TEXT, "--emit-c", "-").stdout == C


def test_version_and_atomicity_come_from_the_header(tmp_path):
    text = "#define SAMPLE_INTERFACE_VERSION (1 + 1)\n#define SAMPLE_INTERFACE_ATOMIC 1\n" + TEXT
    written = fine(tmp_path, text, "--emit-c", "-").stdout
    assert ".version = 2," in written and ".flags = K42_INTERFACE_ATOMIC," in written


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_c_source_compiles_without_warning(tmp_path, compiler):
    text = "#ifndef SAMPLE_H\n#define SAMPLE_H\n" + TEXT + "#endif\n"
    fine(tmp_path, text, "--emit-c", "out.c")
    assert compile_c(tmp_path, "out.c", compiler).stderr == ""


def test_c_made_from_an_older_header_does_not_compile(tmp_path):
    fine(tmp_path, TEXT, "--emit-c", "out.c")
    write(tmp_path, sample(*METHODS, method("K42_METHOD(more)(struct sample *self)")))
    assert "run stubgen again" in compile_c(tmp_path, "out.c").stderr


def test_the_factorys_source_compiles(tmp_path):
    header = ROOT / "include/k42/class.h"
    result = run("-I", ROOT / "include", "--include", "<k42/class.h>", "--emit-c",
                 tmp_path / "out.c", header)
    assert (result.returncode, result.stderr) == (0, "")
    assert compile_c(tmp_path, "out.c").stderr == ""


def test_the_page_tells_methods_parameters_and_errors(tmp_path):
    page = fine(tmp_path, TEXT, "--emit-docs", "-").stdout
    assert page.endswith(PAGE_END)
    assert ('Version 1, `#include "sample.h"`, ref type `sample_ref`.\n\n'
            'A header about samples.') in page


def test_a_comment_before_the_operations_is_the_interfaces(tmp_path):
    text = TEXT.replace("struct sample_ops {", "/* Samples things. */\nstruct sample_ops {")
    page = fine(tmp_path, text, "--emit-docs", "-").stdout
    assert "\nSamples things.\n" in page and "about samples" not in page


def test_the_description_is_json_and_complete(tmp_path):
    described = json.loads(fine(tmp_path, TEXT, "--emit-json", "-").stdout)
    interface, = described["interfaces"]
    find = interface["methods"][1]
    assert (interface["name"], interface["version"], interface["atomic"]) == ("sample", 1, False)
    assert [m["name"] for m in interface["methods"]] == ["describe", "find", "visit"]
    assert [m["local"] for m in interface["methods"]] == [False, False, True]
    assert find["pair"] and find["shape"] == "find(in:string(64),out:ref(k42_object))->pair"
    assert find["parameters"][0] == {"name": "name", "type": "const char *", "direction": "in",
                                     "limit": 64, "string": True}


def test_every_interface_of_a_header_is_written(tmp_path):
    other = sample(*METHODS).replace("sample", "other")
    written = fine(tmp_path, TEXT + other, "--emit-c", "-", ).stdout
    assert "sample_interface = {" in written and "other_interface = {" in written


def test_interfaces_of_included_headers_are_not_written(tmp_path):
    write(tmp_path, "#pragma once\n" + TEXT.replace("sample", "other"), "other.h")
    written = fine(tmp_path, '#include "other.h"\n' + TEXT, "--emit-c", "-").stdout
    assert "other_" not in written


def test_the_depfile_names_every_file_that_was_read(tmp_path):
    write(tmp_path, "#define LIMIT 64\n", "limit file.h")
    fine(tmp_path, '#include "limit file.h"\n' + TEXT, "--emit-c", "out.c", "--depfile", "out.d")
    depends = (tmp_path / "out.d").read_text()
    assert depends.startswith("out.c:") and "limit\\ file.h" in depends
    assert "include/k42/ref.h" in depends and "sample.h" in depends


def test_options_of_clangs_follow_two_dashes(tmp_path):
    header = write(tmp_path, TEXT.replace("64", "LIMIT"))
    result = run(header, "--emit-c", "-", "--", f"-I{ROOT}/include", "-DLIMIT=64")
    assert (result.returncode, result.stderr, result.stdout) == (0, "", C)


# ---- failures ----

def test_a_header_that_does_not_compile_gives_clangs_words(tmp_path):
    result = run_on(write(tmp_path, TEXT + "\nint x = ;\n"), "--emit-c", "out.c")
    assert result.returncode == 2
    assert result.stderr.startswith("sample.h:22: error: expected expression")
    assert not (tmp_path / "out.c").exists()


def test_an_error_in_an_included_file_is_told_there(tmp_path):
    write(tmp_path, "\nint x = ;\n", "bad.h")
    result = run_on(write(tmp_path, '#include "bad.h"\n' + TEXT))
    assert result.returncode == 2 and "bad.h:2: error: expected expression" in result.stderr


def test_nothing_is_written_from_a_header_that_breaks_a_rule(tmp_path):
    result = run_on(write(tmp_path, TEXT.replace("K42_OUT", "")), "--emit-c", "out.c")
    assert result.returncode == 1 and not (tmp_path / "out.c").exists()


def test_a_missing_header_is_named(tmp_path):
    result = run(tmp_path / "none.h")
    assert result.returncode == 2
    assert result.stderr == f"stubgen: cannot read '{tmp_path}/none.h': No such file or directory\n"


def test_a_folder_is_no_header(tmp_path):
    result = run(tmp_path)
    assert result.returncode == 2 and "Is a directory" in result.stderr


def test_an_output_that_cannot_be_written_is_named(tmp_path):
    result = run_on(write(tmp_path, TEXT), "--emit-c", "no/such/folder/out.c")
    assert result.returncode == 2
    assert result.stderr.startswith("stubgen: cannot write 'no/such/folder/out.c': No such file")


def test_a_full_disk_leaves_the_old_output(tmp_path):
    header = write(tmp_path, TEXT)
    (tmp_path / "out.c").write_text("old")
    limited = ["sh", "-c", 'ulimit -f 0; trap "" XFSZ; exec "$@"', "sh"]
    result = subprocess.run([*limited, program(), "-I", str(ROOT / "include"), "--emit-c", "out.c",
                             header.name], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2 and "cannot write 'out.c'" in result.stderr
    assert [(file.name, file.read_text()) for file in tmp_path.glob("out*")] == [("out.c", "old")]


@pytest.mark.parametrize("arguments, words", [
    ([], "no header given"), (["--nonsense", "a.h"], "unknown option --nonsense"),
    (["--emit-c"], "missing after --emit-c"),
    (["a.h", "b.h"], "one header at a time, not also b.h"),
    (["--check", "--update", "a.h"], "exclude each other"), (["-x", "a.h"], "unknown option -x"),
    (["--depfile", "d", "a.h"], "--depfile"),
    (["--emit-c", "a", "--emit-c", "b", "a.h"], "asked for twice")])
def test_misuse_is_told_in_one_line(arguments, words):
    result = run(*arguments)
    assert result.returncode == 2 and words in result.stderr
    assert result.stderr.count("\n") == 1 and "--help" in result.stderr


def test_help_shows_every_option():
    result = run("--help")
    assert result.returncode == 0
    for option in ("--check", "--update", "--emit-c", "--emit-docs", "--emit-json", "--depfile",
                   "--include", "--resource-dir", "-I", "-D"):
        assert option in result.stdout
