"""The installed library is complete: a program needs nothing but what pkg-config says about it."""
import os
import shutil
import subprocess

import pytest

SUITE_TIMEOUT_SECONDS = 600

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
SOURCES = os.path.join(ROOT, "tests", "installed")
EXAMPLES_FOLDER = os.path.join(ROOT, "core", "examples")
EXAMPLES = sorted(name for name in os.listdir(EXAMPLES_FOLDER)
                  if os.path.exists(os.path.join(EXAMPLES_FOLDER, name, "Makefile")))
PACKAGES = ["k42", "k42-tls"]
# What examples do alone, and say then.
RUNS = {"search": (["--searches", "20"], "every page and every hold is accounted for"),
        "tutorial": ([], "")}
STRICT = ["-std=gnu17", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-O2"]

# Code, data and relocations of the library itself; a table or a thread's stack is megabytes.
LIBRARY_KIB = 1024


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    where = tmp_path_factory.mktemp("prefix")
    run(os.path.join(ROOT, "k42"), "install", "--prefix", str(where))
    return where


def pkg_config(prefix, *words):
    settings = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    return run("pkg-config", *words, env=settings).split()


def compile_with(prefix, package, source, program, compiler="gcc", options=()):
    flags = pkg_config(prefix, "--cflags", "--libs", package)
    run(compiler, *STRICT, *options, os.path.join(SOURCES, source), "-o", str(program), *flags)


def start(prefix, program, *words):
    return run(str(program), *words, env={**os.environ, "LD_LIBRARY_PATH": str(prefix / "lib")})


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("package", PACKAGES)
def test_a_program_builds_and_runs_with_pkg_config_alone(prefix, package, compiler, tmp_path):
    compile_with(prefix, package, "counter.c", tmp_path / "counter", compiler)
    start(prefix, tmp_path / "counter")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_program_runs_with_the_static_library(prefix, package, tmp_path):
    cflags = pkg_config(prefix, "--cflags", package)
    libs = [f"-l:lib{package}.a" if word == f"-l{package}" else word
            for word in pkg_config(prefix, "--static", "--libs", package)]
    run("gcc", *STRICT, *cflags, os.path.join(SOURCES, "counter.c"), "-o",
        str(tmp_path / "counter"), *libs)
    assert package not in run("ldd", str(tmp_path / "counter"))
    run(str(tmp_path / "counter"))


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_builds_outside_the_tree(prefix, example, package, tmp_path):
    where = tmp_path / example
    shutil.copytree(os.path.join(EXAMPLES_FOLDER, example), where)
    run("make", "-C", str(where), f"PACKAGE={package}",
        env={**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")})
    assert f"lib{package}.so.0" in run("readelf", "-d", str(where / example))
    if example in RUNS:
        words, said = RUNS[example]
        assert said in start(prefix, where / example, *words)


def test_a_program_of_the_other_flavour_is_refused(prefix, tmp_path):
    flags = pkg_config(prefix, "--cflags", "k42-tls") + pkg_config(prefix, "--libs", "k42")
    linked = subprocess.run(["gcc", os.path.join(SOURCES, "counter.c"), "-o",
                             str(tmp_path / "counter"), *flags], capture_output=True, text=True)
    if linked.returncode == 0:
        started = subprocess.run([str(tmp_path / "counter")], capture_output=True, text=True,
                                 env={**os.environ, "LD_LIBRARY_PATH": str(prefix / "lib")})
        assert started.returncode == 1 and "k42_init gave" in started.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_a_program_that_never_calls_pays_nothing(prefix, package, tmp_path):
    run("gcc", *STRICT, os.path.join(SOURCES, "idle.c"), "-o", str(tmp_path / "without"))
    compile_with(prefix, package, "idle.c", tmp_path / "with",
                 options=["-DWITH_K42", "-Wl,--no-as-needed"])
    assert f"lib{package}.so.0" in run("readelf", "-d", str(tmp_path / "with"))
    _, without_kib = map(int, start(prefix, tmp_path / "without").split())
    threads, with_kib = map(int, start(prefix, tmp_path / "with").split())
    assert threads == 1
    assert with_kib - without_kib <= LIBRARY_KIB


@pytest.mark.parametrize("package", PACKAGES)
def test_exported_symbols_bear_the_librarys_name(prefix, package):
    table = run("nm", "-D", "--defined-only", str(prefix / "lib" / f"lib{package}.so"))
    names = [line.split()[-1] for line in table.splitlines()]
    assert names and [name for name in names if not name.startswith("k42_")] == []


def test_every_header_and_manual_page_is_installed(prefix):
    # What components of the kernel include besides is no part of the library.
    headers = set(os.listdir(os.path.join(ROOT, "include", "k42"))) - {"kernel", "kernel.h"}
    assert sorted(os.listdir(prefix / "include" / "k42")) == sorted(headers)
    for page in os.listdir(os.path.join(ROOT, "docs", "man")):
        section = page.rsplit(".", 1)[-1]
        if section in ("3", "7"):
            assert (prefix / "share" / "man" / f"man{section}" / page).exists()
