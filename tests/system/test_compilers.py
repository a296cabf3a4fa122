"""Compilers, linkers and what drives them, unmodified: the same files to the byte as natively."""
import os
import sys

import pytest

PACKAGES = ("gcc", "g++", "clang", "cmake", "ninja-build")
MEMORY = "3G"
SUITE_TIMEOUT_SECONDS = 1800
LONG = os.environ.get("K42_LONG") == "1"
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")
sys.path.insert(0, SCRIPTS)
pytestmark = pytest.mark.skipif(not LONG, reason="takes long: K42_LONG=1")

import big_program  # noqa: E402

# 50,000 lines of C.
FILES, FUNCTIONS, LIMIT = 40, 58, 1700
UNPACK = "tar xf - || exit 98\n"
SUMS = "find . -name '*.[oa]' | sort | xargs md5sum; md5sum program; ./program\n"


def sources():
    return big_program.tar(FILES, FUNCTIONS)


def test_gcc_and_make_build_a_program(machine):
    machine.same_sh(UNPACK + "make -s -j2 CC=gcc 2>&1; echo $?\n" + SUMS
                    + "make -n CC=gcc; touch main.c; make -n CC=gcc; make -s CC=gcc; md5sum program\n"
                    "echo 'int wrong(void) { return x; }' > part_7.c; make CC=gcc 2>&1; echo $?; nm main.o",
                    sources(), limit=LIMIT)
