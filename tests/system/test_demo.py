"""./k42 demo: what it does, and that it says '0 errors' of nothing else."""
import json
import os
import re
import subprocess
import types

import pytest
from conftest import only_long
from launcher import demo, native, root
from launcher.tree import path

SUITE_TIMEOUT_SECONDS = 600
SUITE_ALONE = True  # beside others its two CPUs seldom meet, and no advisor sees a reason
K42 = path("k42")
GUESTS = os.environ.get("K42_GUEST", "k42").split(",")
pytestmark = pytest.mark.skipif(GUESTS != ["k42"], reason="is about K42")
NATIVE = pytest.mark.skipif(not native.is_possible(), reason="wants root for a native run")


def start(pace):
    return subprocess.Popen([K42, "demo", "--pace", str(pace), "--limit", "400"], text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


@NATIVE
def test_everything_is_changed_and_nobody_notices():
    root.parts(demo.PACKAGES)  # or that they are made now would be told of
    with start(0.5) as shown:
        said, errors = shown.communicate()
    assert shown.returncode == 0 and not errors, said + errors
    assert said.endswith("\n0 errors\n") and "NOT DONE" not in said
    for what in ("watch an object", "let the advisor choose", "load a policy", "upgrade a class",
                 "undo it all"):
        assert re.search(rf"^ *\d+ s  {what}  .* ms ", said, re.M), said
    assert re.search(r"choose: contention: \d CPUs .* met: fcm.shared became fcm.partitioned$",
                     said, re.M), said
    # An advisor undoes what did not help: beside a load that leaves its readers little to meet at.
    served = re.search(r"policy: fcm_head serves the text: (fcm\.\w+) became fcm\.head"
                       r"(; contention had (?:undone|taken back) its change: .+)?$", said, re.M)
    assert served and served[1] == ("fcm.shared" if served[2] else "fcm.partitioned"), said
    assert re.search(r"^longest pause any call saw: [\d.]+ ms, of [\d,]+ calls$", said, re.M), said
    sums = re.findall(r"(?:output|the same:) ([0-9a-f]{16})", said)
    assert len(sums) == 2 and len(set(sums)) == 1, said


def ctl(name, *words):
    return subprocess.run([K42, "ctl", "--guest", name, *words], capture_output=True, text=True,
                          timeout=60)


def cache_of_text(name):
    objects = json.loads(ctl(name, "objects", "--interface", "fcm", "--json").stdout)["objects"]
    return next((str(one["id"]) for one in objects for owner in one["owners"]
                 if owner.get("file") == demo.TEXT), None)


@only_long
@NATIVE
def test_a_read_that_fails_is_no_demo_without_errors():
    with start(3) as shown:
        name, number = str(shown.pid), None
        for line in iter(shown.stdout.readline, ""):
            if "watch an object" in line:
                break
        while not number:
            number = cache_of_text(name)
        spoilt = subprocess.Popen([K42, "ctl", "--guest", name, "interpose", number, "--method",
                                   "read", "--error", "EIO", "--calls", "3"])
        said, errors = shown.communicate()
        spoilt.kill()
        spoilt.wait()
    assert shown.returncode == 1, said + errors
    assert "\nERRORS: " in said and "0 errors" not in said
    assert "Input/output error" in said


def test_one_processor_is_too_few():
    done = subprocess.run([K42, "demo", "--cpus", "1"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "two processors" in done.stderr


# ---- the verdict alone ----

def judged(monkeypatch, capsys, wanted, came="done", **different):
    about = {"status": 0, "errors": b"", "output": b"1 a\n2 b\n", **different}
    workload = types.SimpleNamespace(**about, rounds=lambda: about["output"].count(b"\n"))
    show = types.SimpleNamespace(events=[(0, "watch", came, 1, 1, 5)],
                                 watch=types.SimpleNamespace(calls=3, longest_ns=5))
    monkeypatch.setattr(demo, "natively", lambda *_: wanted)
    return demo.verdict(show, workload, b"text"), capsys.readouterr().out


def test_the_same_output_is_no_error(monkeypatch, capsys):
    status, said = judged(monkeypatch, capsys, b"1 a\n2 b\n")
    assert status == 0 and said.endswith("\n0 errors\n")


@pytest.mark.parametrize("wanted, more", [
    (b"1 a\n2 c\n", {}), (b"1 a\n2 b\n3 c\n", {}), (b"1 a\n", {}), (None, {}),
    (b"1 a\n2 b\n", {"errors": b"grep: x\n"}), (b"1 a\n2 b\n", {"status": 1})])
def test_anything_else_is(monkeypatch, capsys, wanted, more):
    status, said = judged(monkeypatch, capsys, wanted, **more)
    assert status == 1 and "0 errors" not in said


def test_what_was_not_done_is_told(monkeypatch, capsys):
    status, said = judged(monkeypatch, capsys, b"1 a\n2 b\n", came="NOT DONE: no")
    assert status == 1 and "not done: watch" in said and not said.endswith("\n0 errors\n")
