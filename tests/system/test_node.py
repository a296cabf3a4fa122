"""node, unmodified: a loop of events, threads behind it, workers beside it, code made while it runs."""
import os

import pytest
from conftest import only_long

PACKAGES = ("nodejs",)
MEMORY = "2G"
SUITE_TIMEOUT_SECONDS = 1200
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")
LIMIT = 600
pytestmark = only_long
HOW = {"usual": "", "interpreted": "--jitless", "little memory": "--max-old-space-size=40 --max-semi-space-size=1",
       "one thread": "--v8-pool-size=0 --single-threaded-gc"}


@pytest.mark.parametrize("how", HOW)
def test_what_it_uses_of_its_system(machine, how):
    with open(os.path.join(SCRIPTS, "check_node.js"), "rb") as file:
        script = file.read()
    # There is no WebAssembly without a compiler.
    if how == "interpreted":
        script = script.replace(b"new WebAssembly", b"globalThis.WebAssembly && new WebAssembly")
        script = script.replace(b"wasm.exports.add(40, 2)", b"typeof wasm")
    machine.same_sh(f"cat > check.js; node {HOW[how]} check.js 2> errors; echo $?; grep -c 'nobody catches' errors",
                    script, limit=LIMIT)
