"""Programs in Go and Rust, whose runtimes bring schedulers, signals and stacks of their own.

They are built once, natively; the guest and this machine run the same file.
"""
import os

import pytest
from conftest import natively, only_long

SUITE_TIMEOUT_SECONDS = 1200
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")
LIMIT, BUILD_LIMIT = 600, 600
GO = ("goroutines.go", ("golang-go",),
      "CGO_ENABLED=0 GOFLAGS=-trimpath go build -o program source.go")
RUST = ("threads.rs", ("rustc",), "rustc --edition 2021 -O -C strip=symbols -o program source.rs")
pytestmark = only_long


def built(language):
    """The program, as its language's own tools make it."""
    name, packages, command = language
    with open(os.path.join(SCRIPTS, name), "rb") as file:
        source = file.read()
    ending = name.rpartition(".")[2]
    done = natively(("sh", "-c", f"cd /tmp; cat > source.{ending}; {command} >&2 && cat program"), source,
                    packages, limit=BUILD_LIMIT)
    assert done.status == 0, done.errors.decode()
    return done.output


def same(machine, language, around="./program"):
    machine.same_sh(f"ulimit -c 0; cat > program; chmod +x program; {around} 2> errors; echo $?; head -n 3 errors | grep -v "
                    "'^$' | sed 's/goroutine.*/goroutine/'", built(language), limit=LIMIT)


# How many threads run goroutines, and how much is collected, decides what meets what.
@pytest.mark.parametrize("around", ["", "GOMAXPROCS=1", "GOMAXPROCS=8", "GOGC=5", "GODEBUG=asyncpreemptoff=0,gcstoptheworld=1"])
def test_goroutines(machine, around):
    same(machine, GO, f"env {around} ./program")


def test_threads_in_rust(machine):
    same(machine, RUST)


def test_threads_in_rust_on_one_processor(machine):
    same(machine, RUST, "taskset -c 0 ./program")
