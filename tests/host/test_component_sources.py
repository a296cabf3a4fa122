"""Components are C files that include headers of include/k42/ and nothing else, and compile without a
warning, whichever compiler the kernel was made with."""
import glob
import os
import re
import subprocess
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import component  # noqa: E402

FOLDERS = ["components", "components/security", "tests/system/components", "tests/policies"]
SOURCES = sorted(os.path.relpath(source, ROOT) for folder in FOLDERS
                 for source in glob.glob(os.path.join(ROOT, folder, "*.c")))


@pytest.mark.parametrize("source", SOURCES)
def test_a_component_includes_headers_of_k42_alone(source):
    with open(os.path.join(ROOT, source)) as file:
        included = re.findall(r"^#include (.*)$", file.read(), re.M)
    assert included and all(re.fullmatch(r"<k42/[\w/]+\.h>", header) for header in included)
    assert all(os.path.exists(os.path.join(ROOT, "include", header.strip("<>"))) for header in included)


@pytest.mark.parametrize("variant", ["release", "debug", "clang"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_component_compiles_without_a_warning(source, variant):
    done = subprocess.run([*component.compiler(variant), "-Werror", "-fsyntax-only",
                           os.path.join(ROOT, source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
