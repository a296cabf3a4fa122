"""Sequences of hostile calls: those that reached most of the kernel, and damaged copies of them, leave it
whole (tests/fuzz/calls). With K42_LONG=1 a search for more, led by what they reach."""
import os

import pytest
from conftest import LONG, only_long
from launcher import fuzzing
from launcher.left import bring_program
from test_robustness import leaves_nothing

SUITE_TIMEOUT_SECONDS = 900
QUICK_CPUS = (2,)
COPIES = 20 if LONG else 0
pytestmark = pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="an unkind thing to do to Linux")


def test_inputs_are_done_again_and_nothing_is_left(machine):
    bring_program(machine)
    fuzzing.bring(machine, False, fuzzing.corpus())
    done = leaves_nothing(machine, "sh", "-c", fuzzing.again_words(COPIES), limit=600)
    assert f"{len(fuzzing.corpus())} files".encode() in done.output


@only_long
def test_a_search_ends_with_a_kernel_that_goes_on(capsys):
    said = fuzzing.search(600)
    with capsys.disabled():
        print("\n" + said[said.rfind("stat::number"):])
    assert "stat::number_of_executed_units" in said
