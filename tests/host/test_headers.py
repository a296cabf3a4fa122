"""Every public header can be included alone, in each language and flavour it is meant for."""
import os
import subprocess

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
INCLUDE = os.path.join(ROOT, "include")
HEADERS = sorted(name for name in os.listdir(os.path.join(INCLUDE, "k42"))
                 if name.endswith(".h") and name != "kernel.h")
# For components alone, which are C.
KERNEL_HEADERS = ["kernel.h"] + sorted(f"kernel/{name}" for name in
                                       os.listdir(os.path.join(INCLUDE, "k42", "kernel")))
KERNEL_FLAGS = ["-ffreestanding", "-mgeneral-regs-only", "-DK42_KERNEL",
                *(f"-I{os.path.join(ROOT, name)}" for name in ("core", "kernel",
                                                               "kernel/arch/x86_64"))]
WARNINGS = ["-Wall", "-Wextra", "-Wundef", "-Werror"]
COMPILERS = {
    "gcc": ["gcc", "-std=gnu17", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes"],
    "clang": ["clang", "-std=gnu17", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes"],
    "g++": ["g++", "-std=gnu++17", "-Wshadow"],
}
FLAVOURS = {"gs": [], "tls": ["-DK42_TLS=1"]}


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("header", HEADERS)
def test_header_compiles_alone(header, compiler, flavour, tmp_path):
    unit = tmp_path / ("unit.cc" if compiler == "g++" else "unit.c")
    # Twice, so that a missing guard shows.
    unit.write_text(f"#include <k42/{header}>\n" * 2)
    command = [*COMPILERS[compiler], *WARNINGS, *FLAVOURS[flavour], "-O2", "-I", INCLUDE]
    done = subprocess.run([*command, "-c", str(unit), "-o", str(tmp_path / "unit.o")],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("header", KERNEL_HEADERS)
def test_header_for_components_compiles_alone(header, compiler, tmp_path):
    unit = tmp_path / "unit.c"
    unit.write_text(f"#include <k42/{header}>\n" * 2)
    command = [*COMPILERS[compiler], *WARNINGS, *KERNEL_FLAGS, "-O2", "-I", INCLUDE]
    done = subprocess.run([*command, "-c", str(unit), "-o", str(tmp_path / "unit.o")],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
