"""Headers that are cut off, spoilt or not headers at all end in a message, never in a crash."""
import random

import pytest
from stubgen_tool import method, run_on, sample, write

TEXT = "/* A header. */\n#define SAMPLE_INTERFACE_VERSION 2\n" + sample(
    method("K42_METHOD(read)"
           "(struct sample *self, K42_OUT K42_BUF(size, 64) char *to, size_t size)"),
    method("K42_METHOD_PAIR(find)(struct sample *self, K42_STRING(9) const char *name)"))


def survives(folder, content):
    """Whatever it makes of the content, stubgen says so and ends by itself."""
    header = folder / "sample.h"
    header.write_bytes(content)
    result = run_on(header, "--emit-c", "-", "--emit-docs", "out.md", "--emit-json", "out.json")
    assert result.returncode in (0, 1, 2), (content, result.stderr)
    assert (result.returncode == 0) == (result.stderr == ""), content


def test_a_header_cut_off_anywhere_never_crashes_it(tmp_path):
    content = TEXT.encode()
    for length in range(0, len(content), 7):
        survives(tmp_path, content[:length])


@pytest.mark.parametrize("seed", range(4))
def test_a_header_with_bytes_changed_never_crashes_it(tmp_path, seed):
    chance = random.Random(seed)
    for _ in range(15):
        content = bytearray(TEXT.encode())
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(25, len(content))
            content[place] = chance.choice(b"(){}*/,;\"'\\#\n\0 a9\xff")
        survives(tmp_path, bytes(content))


def test_a_header_with_lines_shuffled_never_crashes_it(tmp_path):
    chance = random.Random(42)
    for _ in range(15):
        lines = TEXT.splitlines(keepends=True)
        chance.shuffle(lines)
        survives(tmp_path, "".join(lines).encode())


def test_noise_never_crashes_it(tmp_path):
    chance = random.Random(1)
    for size in (0, 1, 2, 3, 4, 100, 5000):
        survives(tmp_path, chance.randbytes(size))


@pytest.mark.parametrize("content", [
    "/*", "*/", "//", "/**/", "*/ struct a_ops {", "struct k42_object_ops { int x; };",
    "struct k42_object_ops object;", "struct _ops { struct k42_object_ops object; };",
    "#include <k42/object.h>\nstruct _ops { struct k42_object_ops object; };\n",
    "#include <k42/object.h>\nstruct { struct k42_object_ops object; } x;\n",
    "#include <k42/object.h>\nunion u_ops { struct k42_object_ops object; };\n",
    "#include \"sample.h\"\n",
    "#include <k42/object.h>\nstruct a_ops { struct k42_object_ops object; "
    "K42_METHOD(*b)(void); };\n",
    "#include <k42/object.h>\nstruct a_ops { struct k42_object_ops object; "
    "k42_result (*b[2])(struct a *self); K42_METHOD(c)(); int : 3; };\n",
    "#include <k42/object.h>\nstruct a;struct a_ops { struct k42_object_ops object; "
    "K42_METHOD(c)(struct a *self, __attribute__((annotate(\"k42:buf(\"))) char *x, "
    "__attribute__((annotate(\"k42:buf()\"))) char *y, "
    "__attribute__((annotate(\"k42:)(\"))) char *z, "
    "__attribute__((annotate(\"k42:nonsense\"))) char *w); };\n",
])
def test_odd_headers_never_crash_it(tmp_path, content):
    survives(tmp_path, content.encode())


def test_a_deep_type_is_followed_to_its_end(tmp_path):
    nested = "struct s0 { long a; };\n" + "".join(
        f"struct s{i} {{ struct s{i - 1} a, b[3]; }};\n" for i in range(1, 12))
    text = sample(method("K42_METHOD(t)(struct sample *self, K42_IN const struct s11 *p)")).replace(
        "struct sample;\n", "struct sample;\n" + nested)
    result = run_on(write(tmp_path, text))
    assert (result.returncode, result.stderr) == (0, "")

