"""Programs that ./k42 bench linux measures: what it takes for a figure, and what it leaves out."""
import os
import subprocess
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path[:0] = [os.path.join(ROOT, "host"), os.path.join(ROOT, "bench", "linux")]

import workloads  # noqa: E402
from launcher import session  # noqa: E402
from launcher.tree import Trouble  # noqa: E402

ONE = workloads.Workload("for tests", command="seq {n}", amount=(3, 2), said=r"^3$", data=lambda n: b"x" * n,
                         before="cat > given; test $(wc -c < given) = {n}")


def observed(output, one=ONE):
    return list(workloads.observations(one, 3, output))


def test_a_run_is_its_time_its_idle_time_and_what_it_said():
    assert observed("took 1000 1500 7 9 0\n1\n2\n3\ntook 2000 2100 9 9 0\n1\n2\n3\n") == [
        (500_000, 20_000_000, "3"), (100_000, 0, "3")]


@pytest.mark.parametrize("output", ["took 1 2 0 0 0\n1\n2\n", "took 1 2 0 0 7\n1\n2\n3\n"])
def test_a_program_that_did_not_do_its_work_is_no_figure(output):
    with pytest.raises(Trouble, match="wrote last"):
        observed(output)


class Here:
    """A guest that is this machine, whose folder is the test's."""

    def run(self, words, data, limit):
        done = subprocess.run(words, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit)
        return session.Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(workloads, "FOLDER", str(tmp_path / "base"))
    return Here()


def test_a_command_is_run_so_often_on_so_much(here):
    seen = workloads.run(here, ONE, quick=False, runs=2)
    assert len(seen) == 2 and all(took > 0 and said == "3" for took, _, said in seen)


def test_less_work_is_no_figure(here):
    with pytest.raises(Trouble, match="wrote last: 2"):
        workloads.run(here, ONE, quick=True, runs=1)


def test_what_cannot_be_set_up_says_so(here):
    broken = workloads.Workload("for tests", command="true", before="no_such_program")
    with pytest.raises(Trouble, match="it ended with 98 .* it could not be set up"):
        workloads.run(here, broken, quick=True, runs=1)


def test_rows_are_chosen_by_name_and_by_kind():
    import run
    assert run.chosen("calls", ["stat", "boot"]) == (["stat", "boot"], [])
    assert run.chosen("sqlite,boot", ["stat", "boot"]) == (["boot"], ["sqlite"])
    assert run.chosen("programs", ["stat"]) == ([], list(workloads.TABLE))
    with pytest.raises(SystemExit, match="no row is called sqlight"):
        run.chosen("sqlight", ["stat"])


def test_programs_that_write_different_things_in_both_kernels_are_no_figure():
    import run
    figures = run.Figures()
    figures.agree("python", "done 1")
    figures.agree("python", "done 1")
    with pytest.raises(Trouble, match="something else"):
        figures.agree("python", "done 2")
