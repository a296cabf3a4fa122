"""Policies that are programs: they serve objects for as long as k42ctl runs them, whatever ends it."""
import os
import re

import conftest
import pytest
from conftest import only_long
from launcher import component, session
from launcher.tree import path
from test_components import put, sh

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)
GUESTS = os.environ.get("K42_GUEST", "k42").split(",")
pytestmark = pytest.mark.skipif(GUESTS != ["k42"], reason="Linux has no policies that are programs")


PACKAGES = ("python3", "sqlite3")
FILES = ["components/fcm_loop.c", "components/pipe_v2.c"] + sorted(
    f"tests/policies/{name}" for name in os.listdir(path("tests", "policies")))

# A file that is read until told to end; whatever cannot be read, or is not what it was, is said.
READ = """rm -f /tmp/over; yes 12345678 | head -c 300000 > /srv/f; sum=$(md5sum < /srv/f)
(while [ ! -e /tmp/over ]; do [ "$(md5sum < /srv/f)" = "$sum" ] || echo "lost"; done) & reader=$!
class() { k42ctl objects --file ${1:-/srv/f} --json | grep -o '"class":"[a-z_.]*"' | cut -d'"' -f 4; }
until_is() { until [ "$(class)" = "$1" ]; do sleep 0.05; done; }
before=$(class)
"""
END = "\ntouch /tmp/over; wait $reader\n"


@pytest.fixture(scope="module")
def guest(machine, tmp_path_factory):
    """With all components in /c, and a folder of the host, whose files have page caches, in /srv."""
    folder, shared = tmp_path_factory.mktemp("policies"), tmp_path_factory.mktemp("shared")
    storm = f"chaos={conftest.CHAOS},1" if conftest.CHAOS else ""
    with session.Session("k42", machine.cpus, "512M", variant=machine.variant, append=storm,
                         packages=PACKAGES, shares=[(str(shared), "/srv")]) as one:
        one.wait_until_ready()
        one.run(["mkdir", "-p", "/c"])
        for source in FILES:
            name = os.path.basename(source)[:-2]
            built = component.build(path(source), str(folder / name), variant=machine.variant)
            with open(built, "rb") as file:
                put(one, f"/c/{name}.k42", file.read())
        yield one


def works(guest, script, **more):
    status, said = sh(guest, READ + "set -e\n" + script + "\n" + END, **more)
    assert status == 0 and "lost" not in said, said
    return said


def loaded(guest):
    _, said = sh(guest, "k42ctl classes --json | grep -o '\"component\":\"[a-z_0-9]*\"' | sort -u")
    return said


# ---- whatever ends it, what was before is back ----

@pytest.mark.parametrize("signal", ["INT", "TERM", "KILL"])
def test_a_policy_serves_a_file_until_its_program_is_ended(guest, signal):
    before = loaded(guest)
    said = works(guest, f"""k42ctl policy run /c/fcm_loop.k42 --on file:/srv/f > /tmp/said & run=$!
until_is fcm.loop
grep 'fcm_loop (fcm.loop) serves 1 objects until this is ended' /tmp/said
kill -{signal} $run; wait $run || echo status $?
until_is $before
until ! k42ctl classes --class fcm.loop > /dev/null 2>&1; do sleep 0.05; done; cat /tmp/said""")
    assert ("status 137" in said) == (signal == "KILL"), said
    assert ("what was before is back: 1 objects; 0 were gone" in said) == (signal != "KILL"), said
    assert loaded(guest) == before


def test_a_policy_serves_as_long_as_a_command_runs(guest):
    said = works(guest, """k42ctl policy run /c/fcm_loop.k42 --on file:/srv/f -- \\
    sh -c "k42ctl objects --file /srv/f --json | grep -o fcm.loop; exit 7" || echo status $?
[ $(class) = $before ]""")
    assert "fcm.loop\n" in said and "status 7" in said, said


# ---- the next version ----

def test_the_next_version_replaces_one_with_no_moment_in_between(guest):
    said = works(guest, """k42ctl policy run /c/version_1.k42 --on file:/srv/f > /tmp/one & one=$!
until_is fcm.versions
id=$(k42ctl objects --file /srv/f --json | grep -o '"id":[0-9]*' | cut -d: -f2)
rm -f /tmp/seen; (until [ -e /tmp/seen ]; do k42ctl show $id | grep '  class '; done) > /tmp/shown & watcher=$!
k42ctl policy run /c/version_2.k42 --on file:/srv/f > /tmp/two & two=$!
wait $one; cat /tmp/one
until grep 'had another' /tmp/two; do sleep 0.05; done
k42ctl show $id | grep '  class '
touch /tmp/seen; wait $watcher; echo shown; sort -u /tmp/shown; echo "and then"
kill -INT $two; wait $two; cat /tmp/two
until_is $before
until ! k42ctl classes --class fcm.versions > /dev/null 2>&1; do sleep 0.05; done""")
    assert "another policy has replaced this one" in said, said
    assert "1 of them had another policy that was run" in said, said
    shown = said[said.index("shown\n") + 6:said.index("and then")].splitlines()
    # Each is of a version when there is another by now, too, or not yet.
    assert {re.sub(r" \(there is another by now\)| +", " ", line).rstrip() for line in shown} <= {
        " class fcm.versions, version 1", " class fcm.versions, version 2"}, said
    assert "what was before is back: 1 objects" in said, said


# ---- the watchdog ----

def test_a_policy_that_answers_errors_is_taken_back(guest):
    status, said = sh(guest, READ + """
k42ctl policy run /c/answers_errors.k42 --on file:/srv/f 2>&1; echo status $?
[ $(class) = $before ] && echo same""" + END)
    assert "status 3" in said and "same" in said, said
    assert "calls failed; 10 % may; what was before is back: 1 objects" in said, said


def test_a_policy_that_delays_calls_is_taken_back(guest):
    said = works(guest, """k42ctl policy run /c/delays.k42 --on file:/srv/f --stall 300ms 2>&1 || echo status $?
[ $(class) = $before ] && echo same""", limit=200)
    assert "status 3" in said and "same" in said, said
    assert "a call of read by md5sum (thread " in said, said


def test_a_policy_that_makes_a_number_worse_is_taken_back(guest):
    said = works(guest, """k42ctl policy run /c/slower.k42 --on file:/srv/f --watch latency 2>&1 || echo status $?
[ $(class) = $before ] && echo same""")
    assert "status 3" in said and "same" in said, said
    assert re.search(r"the policy is worse: latency of a call were [\d.]+ before, and are [\d.]+: more "
                     r"than 10 % worse; what was before is back: 1 objects", said), said


# ---- what is served ----

MORE = """for f in g h; do cp /srv/f /srv/$f; done; exec 6< /srv/f 7< /srv/g 8< /srv/h
"""


def test_what_a_process_has_is_served_and_what_it_gets_meanwhile(guest):
    said = works(guest, MORE + """k42ctl policy run /c/version_1.k42 --on pid:$$ > /tmp/said & run=$!
until grep serves /tmp/said; do sleep 0.05; done
for f in g h; do until [ $(class /srv/$f) = fcm.versions ]; do sleep 0.05; done; done
yes | head -c 10000 > /srv/i; exec 9< /srv/i
until [ $(class /srv/i) = fcm.versions ]; do sleep 0.05; done
kill -INT $run; wait $run
for f in f g h i; do [ $(class /srv/$f) = $before ]; done; cat /tmp/said""")
    assert re.search(r"what was before is back: [4-9] objects; 0 were", said), said


def test_a_class_is_served_with_what_is_made_meanwhile(guest):
    said = works(guest, MORE + """k42ctl policy run /c/version_1.k42 --on class:$before -- sh -c '
    k42ctl objects --file /srv/g; yes | head -c 10000 > /srv/j; exec 9< /srv/j
    until k42ctl objects --file /srv/j | grep fcm.versions; do sleep 0.1; done'
for f in f g h j; do [ $(class /srv/$f) = $before ]; done""")
    assert said.count("fcm.versions (hooked)") == 2, said


def test_what_somebody_else_has_swapped_is_left_alone(guest):
    said = works(guest, """k42ctl policy run /c/version_1.k42 --on file:/srv/f -- \\
    sh -c 'k42ctl swap --file /srv/f fcm.stream --deadline 10s > /dev/null'
class; k42ctl swap --file /srv/f $before --deadline 10s > /dev/null""")
    assert "0 objects; 1 were gone or changed by others\nfcm.stream\n" in said, said


# ---- canaries ----

def test_a_canary_that_is_no_worse_is_widened(guest):
    said = works(guest, MORE + """k42ctl policy run /c/version_1.k42 --on pid:$$ --canary \\
    --watch errors --window 2s -- k42ctl objects --class fcm.versions""")
    assert re.search(r"object \d+, called \d+ times in a window, is the canary\n"
                     r"errors of a call: 0.000 with the policy, 0.000 before", said), said
    assert "all of pid:" in said and "fcm.versions (hooked)" in said, said


@only_long
def test_a_canary_that_is_worse_is_rolled_back(guest):
    said = works(guest, MORE + """k42ctl policy run /c/slower.k42 --on pid:$$ --canary --window 3s 2>&1 || echo status $?
for f in f g h; do [ $(class /srv/$f) = $before ]; done""", limit=200)
    assert "status 3" in said, said
    assert re.search(r"latency of a call: .* more than 10% worse, so what was before comes back|"
                     "the policy is worse|too seldom to compare", said), said


# ---- what cannot be run ----

CANNOT = {
    "policy run /c/version_1.k42 --on class:none": (1, "there is no class none"),
    "policy run /c/version_1.k42 --on x": (2, "--on takes file:PATH, pid:N, container:N or class:C"),
    "policy run /etc/passwd --on file:/srv/f": (1, "the policy is refused: it is not signed"),
    "policy run /c/version_1.k42 --on file:/srv/f --watch zzz": (
        1, "nothing is counted that is called zzz"),
    "policy run /c/version_1.k42 --on file:/srv/f --class zzz": (
        1, "component versions has no class of its interface, fcm, called zzz"),
    "policy run /c/pipe_v2.k42 --on file:/srv/f": (1, "nothing of file:/srv/f has it"),
    "policy run /c/version_1.k42 --on file:/etc/hostname": (
        1, "no format that fcm.ramfs exports and fcm.versions imports"),
    "policy run /c/version_1.k42 --on file:/none": (1, "cannot find /none"),
    "policy run /c/version_1.k42": (2, "--on is missing"),
    "policy stop": (2, "policy is followed by run"),
}


def test_what_cannot_be_run_is_said_and_leaves_nothing(guest):
    before = loaded(guest)
    for words, (wanted, reason) in CANNOT.items():
        status, said = sh(guest, f"exec 6< /srv/f; k42ctl {words}")
        assert status == wanted and reason in said, (words, said)
    status, said = sh(guest, "chroot --userspec=65534:65534 / k42ctl policy run /c/version_1.k42 "
                             "--on file:/srv/f")
    assert status == 1 and "only root may" in said, said
    assert loaded(guest) == before


# ---- the tutorial ----

def tutorial(kind):
    with open(path("docs", "policy.md")) as file:
        return re.findall(rf"^```{kind}\n(.*?)^```$", file.read(), re.M | re.S)


def test_the_tutorial_does_what_it_says(guest, tmp_path):
    """Its code is built as it stands there, and its commands are run."""
    source = tmp_path / "fcm_head.c"
    source.write_text("\n".join(tutorial("c")))
    built = component.build(str(source), str(tmp_path / "fcm_head.k42"))
    with open(built, "rb") as file:
        put(guest, "/c/fcm_head.k42", file.read())
    status, said = sh(guest, "rm -f /srv/base /tmp/asked\nset -e\n" + "".join(tutorial("sh")),
                      limit=200)
    assert status == 0, said
    classes = re.findall(r"^ *\d+ +(fcm\.\w+) ", said, re.M)
    assert len(classes) == 3 and classes[0] == classes[2] and classes[1] == "fcm.head", said
    assert re.search(r"before\|2000\|\w+\nduring\|2001\nafter\|2001\|during\nok\n$", said), said


def test_the_tutorials_code_is_the_component():
    with open(path("components", "fcm_head.c")) as file:
        text = file.read()
    assert [block for block in tutorial("c") if block not in text] == []
