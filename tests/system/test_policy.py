"""Policies that are programs: they serve objects for as long as k42ctl runs them, whatever ends it."""
import os
import re

import conftest
import pytest
from launcher import component, session
from launcher.tree import path
from test_components import put, sh

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)
GUESTS = os.environ.get("K42_GUEST", "k42").split(",")
pytestmark = pytest.mark.skipif(GUESTS != ["k42"], reason="Linux has no policies that are programs")

PACKAGES = ()
FILES = ["components/fcm_loop.c", "components/fcm_whole.c", "components/pipe_v2.c"] + sorted(
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
    assert {re.sub(r" +", " ", line) for line in shown} <= {
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
    said = works(guest, """k42ctl policy run /c/delays.k42 --on file:/srv/f --stall 500ms 2>&1 || echo status $?
[ $(class) = $before ] && echo same""", limit=200)
    assert "status 3" in said and "same" in said, said
    assert "a call of read by md5sum (thread " in said, said
