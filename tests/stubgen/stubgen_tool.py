"""What the tests of the interface compiler share: the program, a folder to work in, headers.

The program is the one named by K42_STUBGEN, that of the build in K42_BUILD, or one compiled here.
"""
import functools
import os
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LLVM = "/usr/lib/llvm-14"
LINE = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+): error: (?P<text>.*)$", re.M)

# Everything around the methods. Methods begin on line 5.
AROUND = """#include <k42/object.h>
struct sample;
struct sample_ops {
    struct k42_object_ops object;
%s
};
struct sample { const struct sample_ops *ops; };
K42_DECLARE_REF(sample);
extern const struct k42_interface sample_interface;
"""


@functools.lru_cache(maxsize=None)
def program():
    """Path of stubgen."""
    if os.environ.get("K42_STUBGEN"):
        return os.environ["K42_STUBGEN"]
    built = pathlib.Path(os.environ.get("K42_BUILD", "/nonexistent"), "host", "stubgen", "stubgen")
    if built.exists():
        return str(built)
    folder = tempfile.TemporaryDirectory(prefix="stubgen")
    program.folder = folder  # kept until this process ends
    path = os.path.join(folder.name, "stubgen")
    sources = sorted(str(file) for file in (ROOT / "host" / "stubgen").glob("*.c"))
    subprocess.run(["cc", "-std=gnu17", "-O1", "-isystem", f"{LLVM}/include", *sources,
                    "-o", path, f"-L{LLVM}/lib", "-lclang-14"], check=True, timeout=300)
    return path


def run(*arguments, cwd=None):
    """Runs stubgen as it is."""
    return subprocess.run([program(), *map(str, arguments)], cwd=cwd, capture_output=True,
                          text=True, errors="replace", timeout=60)


def run_on(header, *options):
    """Runs stubgen on a header in its own folder."""
    return run("-I", ROOT / "include", *options, header.name, cwd=header.parent)


def breaches(result):
    """[(line, text)] of what stubgen reported about the header."""
    return [(int(found["line"]), found["text"]) for found in LINE.finditer(result.stderr)]


def method(declaration, comment="/* Does it. */"):
    """A method with its comment: the comment on line 5, the declaration from line 6."""
    return f"    {comment}\n    {declaration};"


def sample(*methods):
    """A header of an interface 'sample' with these methods."""
    return AROUND % "\n".join(methods)


def write(folder, text, name="sample.h"):
    """Puts a header into a folder."""
    header = folder / name
    header.write_text(text)
    return header


def only_breach(folder, text):
    """The one breach that a header has, as (line, text)."""
    result = run_on(write(folder, text))
    found = breaches(result)
    assert result.returncode == 1, result.stderr
    assert len(found) == 1, result.stderr
    return found[0]


def fine(folder, text, *options):
    """Asserts that a header breaks no rule."""
    result = run_on(write(folder, text), *options)
    assert (result.returncode, result.stderr) == (0, "")
    return result
