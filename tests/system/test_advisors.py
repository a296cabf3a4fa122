"""Advisors: what they see in how files and pipes are used, what they do, and what they leave alone."""
import json
import os
import random
import re
import subprocess
import time

import pytest
from conftest import CHAOS, CPUS, KERNELS, LONG, only_long
from launcher import session, variants

SUITE_TIMEOUT_SECONDS = 900
pytestmark = pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="Linux has no advisors")
# A storm gives policies and caches other classes all the time.
calm = pytest.mark.skipif(bool(CHAOS), reason="is about what advisors do by themselves")

LARGE, MEDIUM, SMALL = 48 << 20, 1 << 20, 3000
PAGES, FRAMES = 1024, 512  # of a file, and of its memory
PATIENCE = 120  # seconds; a guest may be slow
NAMES = ["contention", "order", "loop", "small", "paging", "pipes", "offsets"]
# A loop that goes on as long as a file is there.
WHILE = "while [ -e /tmp/go ]; do %s; done > /dev/null 2>&1 &"


@pytest.fixture(scope="module", params=[(cpus, variant) for variant in KERNELS or ["release"]
                                        for cpus in CPUS or ([1, 2, 4] if LONG else [2])],
                ids=lambda one: "-".join(map(str, one)))
def guest(request, tmp_path_factory):
    cpus, variant = request.param
    folder = tmp_path_factory.mktemp("shared")
    for name, size in ("large", LARGE), ("medium", MEDIUM):
        (folder / name).write_bytes(random.Random(size).randbytes(size))
    for number in range(20):
        (folder / f"small{number}").write_bytes(bytes([number]) * SMALL)
    (folder / "numbered").write_bytes(
        b"".join(number.to_bytes(4, "little") + bytes(4092) for number in range(PAGES)))
    storm = f"chaos={CHAOS},{cpus}" if CHAOS else ""
    with session.Session("k42", cpus, "192M", variant=variant, append=storm,
                         shares=[(str(folder), "/srv")]) as started:
        started.wait_until_ready()
        started.cpus = cpus
        with open(os.path.join(variants.folder("release"), "tests", "programs", "reads"),
                  "rb") as program:
            done = started.run(["sh", "-c", "cat > /tmp/reads; chmod +x /tmp/reads"], program.read())
        assert done.status == 0
        yield started
        names = sorted(os.listdir(folder))
        assert run(started, "cd /srv; cksum " + " ".join(names)) == subprocess.run(
            ["cksum", *names], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture(autouse=True)
def all_on(guest):
    run(guest, "k42ctl advisors on > /dev/null; : > /tmp/go")
    yield
    run(guest, "rm -f /tmp/go; wait")


def run(guest, script):
    done = guest.run(["bash", "-c", script], limit=PATIENCE + 60)
    assert done.status == 0 and not done.errors, done
    return done.output.decode()


def advisors(guest):
    told = json.loads(run(guest, "k42ctl advisors --json"))["advisors"]
    return {one["name"]: one for one in told}


def decisions(guest, **wanted):
    told = json.loads(run(guest, "k42ctl advisors --log --json"))["decisions"]
    return [one for one in told if all(one[key] == value for key, value in wanted.items())]


def cache(guest, name):
    """Number and class of a file's page cache."""
    told = json.loads(run(guest, f"exec 9< {name}; k42ctl objects --file {name} --json"))["objects"]
    return next((one["id"], one["class"]) for one in told if one["interface"] == "fcm")


def until(guest, load, found):
    """Has a load run again and again until something is found."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        run(guest, load)
        if got := found():
            return got
    pytest.fail(f"not in {PATIENCE} s: {advisors(guest)} {decisions(guest)}")


def decided(guest, load, **wanted):
    """The first decision about what a load calls for. In a storm no advisor has an object for long
    enough, so there is none to wait for: the load runs, and at the end all files are compared."""
    if not CHAOS:
        return until(guest, load, lambda: decisions(guest, **wanted))[0]
    run(guest, load)
    return None


# ---- what they see, and do ----

def test_each_advisor_is_told_of(guest):
    told = advisors(guest)
    assert list(told) == NAMES
    assert {one["mode"] for one in told.values()} == {"on"}
    lines = run(guest, "k42ctl advisors").split("\n")
    assert lines[0].split() == ["ADVISOR", "MODE", "SAW", "WATCHED", "ADVISED", "CHANGED", "SETTLED",
                                "UNDONE", "BACK", "GAINED"]
    assert [line.split()[0] for line in lines[1:1 + len(NAMES)]] == NAMES


def test_a_large_file_that_is_read_in_order_passes_through_and_goes_back_when_it_is_jumped_in(guest):
    number, before = cache(guest, "/srv/large")
    assert before == "fcm.shared" or CHAOS
    slowly = ("for n in $(seq 0 23); do dd if=/srv/large of=/dev/null bs=64k count=32 "
              "skip=$((n * 32)) status=none; sleep 0.1; done")
    made = decided(guest, slowly, advisor="order", object=number, deed="changed")
    if CHAOS:
        return
    assert made["from"] == "fcm.shared" and made["to"] == "fcm.stream"
    assert "in order" in made["reason"]
    jumping = ("dd if=/srv/large iflag=nocache count=0 status=none; "  # what is there goes
               "for n in $(seq 60); do dd if=/srv/large of=/dev/null bs=4k count=1 "
               "skip=$((RANDOM * 7919 % 12000)) status=none; done")
    back = until(guest, jumping, lambda: [
        one for one in decisions(guest, advisor="order", object=number)
        if one["deed"] in ("taken back", "undone")])
    assert back[0]["to"] == "fcm.shared" and cache(guest, "/srv/large") == (number, "fcm.shared")
    told = advisors(guest)["order"]
    assert told["saw"] >= told["changed"] >= 1


@only_long
@calm
def test_a_file_that_is_read_again_and_again_and_does_not_fit_gets_a_policy_for_loops(tmp_path):
    (tmp_path / "large").write_bytes(random.Random(1).randbytes(1 << 20) * 96)
    with session.Session("k42", 1, "128M", shares=[(str(tmp_path), "/srv")]) as small:
        small.wait_until_ready()
        end, changed = time.monotonic() + PATIENCE, []
        while not changed and time.monotonic() < end:
            run(small, "exec 5< /srv/large; for n in 1 2 3 4; do "
                       "dd if=/srv/large of=/dev/null bs=64k status=none; done")
            changed = decisions(small, advisor="loop", deed="changed")
        assert changed and changed[0]["to"] == "pm.mru", changed
        assert "pm.mru" in run(small, "cat /proc/k42/replacement")


def test_a_file_that_two_processors_read_is_spread_over_them(guest):
    if guest.cpus < 2:
        pytest.skip("one processor")
    number, _ = cache(guest, "/srv/medium")
    reader = WHILE % "cat $(yes /srv/medium | head -n 200)"
    made = decided(guest, f"{reader} {reader} sleep 5; rm /tmp/go; wait; : > /tmp/go",
                   advisor="contention", object=number, deed="changed")
    if CHAOS:
        return
    assert made["to"] == "fcm.partitioned" and re.search(f"[2-{guest.cpus}] CPUs", made["reason"]), made
    assert advisors(guest)["contention"]["watched"] >= 1


@only_long
@calm
def test_a_file_that_several_processors_no_longer_read_is_spread_no_more(guest):
    if guest.cpus < 2:
        pytest.skip("one processor")
    number, _ = cache(guest, "/srv/medium")
    reader = WHILE % "cat $(yes /srv/medium | head -n 200)"
    until(guest, f"exec 9< /srv/medium; {reader} {reader} sleep 5; rm /tmp/go; wait; : > /tmp/go",
          lambda: cache(guest, "/srv/medium") == (number, "fcm.partitioned"))
    until(guest, "exec 9< /srv/medium; for n in $(seq 20); do cat /srv/medium > /dev/null; sleep 0.1; done",
          lambda: cache(guest, "/srv/medium") == (number, "fcm.shared"))
    assert [one for one in decisions(guest, advisor="contention", object=number)
            if one["deed"] in ("taken back", "undone")]


def test_a_small_file_that_is_only_read_is_kept_as_its_bytes_until_it_is_written_to(guest):
    number, _ = cache(guest, "/srv/small1")
    reading = "for n in $(seq 20); do cat /srv/small1 > /dev/null; done; sleep 0.2"
    made = decided(guest, reading, advisor="small", object=number, deed="changed")
    if CHAOS:
        return
    assert made["to"] == "fcm.small"
    until(guest, reading,
          lambda: decisions(guest, advisor="small", object=number, deed="settled"))
    written = "head -c 300000 /srv/medium >> /srv/small1; sleep 0.5"
    until(guest, written, lambda: decisions(guest, advisor="small", object=number, deed="taken back"))
    assert cache(guest, "/srv/small1") == (number, "fcm.shared")


# The file has memory for half of its pages, of which the advisors choose the policy, for as long as
# the script runs. `until` has something done until the log says what is waited for of that policy.
PAGED = f"""exec 3< /srv/numbered; echo 3 any {FRAMES} > /proc/k42/replacement
pm() {{ grep ' {FRAMES} 1 ' /proc/k42/replacement; }}
number=$(pm | cut -d ' ' -f 1); echo $number
until_said() {{
    local what=$1 end=$((SECONDS + {PATIENCE})); shift
    until k42ctl advisors --log | grep "paging: object $number.* $what, "; do
        [ $SECONDS -lt $end ] || {{ k42ctl advisors; k42ctl advisors --log; return 1; }}
        "$@" || return 1
    done
}}
reads() {{ /tmp/reads /srv/numbered $1 {PAGES}; }}
"""


def of_pm(line):
    """Class and pages that came, of a line of /proc/k42/replacement."""
    values = line.split()
    return values[1], int(values[10])


@calm
def test_a_policy_that_does_not_suit_a_loop_is_changed_and_back_when_the_loop_ends(guest):
    lines = run(guest, PAGED + f"""pm
until_said changed reads loop || exit 1
reads loop; pm; reads loop; reads loop; pm
until_said '\\(taken back\\|undone\\)' reads random || exit 1
pm""").splitlines()
    _, began, changed, before, after, back, ended = lines
    assert of_pm(began)[0] == "pm.clock" and of_pm(before)[0] == "pm.mru", lines
    assert "pm.clock to pm.mru" in changed and "it went back" in changed
    assert of_pm(after)[1] - of_pm(before)[1] <= 2 * PAGES * 3 // 4, lines
    assert "pm.mru to pm.clock" in back and of_pm(ended)[0] in ("pm.clock", "pm.arc"), lines
    told = advisors(guest)["paging"]
    assert told["saw"] >= told["changed"] >= 1 and told["watched"] >= 1


@only_long
@calm
def test_of_a_policy_it_may_only_advise_about_it_says_what_it_would_choose(guest):
    run(guest, "k42ctl advisors advise paging > /dev/null")
    lines = run(guest, PAGED + "until_said 'would change' reads loop || exit 1; pm").splitlines()
    assert "pm.clock to pm.mru" in lines[1] and of_pm(lines[2])[0] == "pm.clock"


@only_long
@calm
def test_a_policy_that_somebody_has_named_stays(guest):
    named = PAGED.replace(" any ", " pm.clock ")
    lines = run(guest, named + "for n in $(seq 20); do reads loop || exit 1; done; pm").splitlines()
    assert of_pm(lines[-1])[0] == "pm.clock" and of_pm(lines[-1])[1] >= 19 * PAGES
    assert not decisions(guest, object=int(lines[0]))


@only_long
def test_pages_at_random_are_read_right_under_whatever_policy_is_tried(guest):
    """Of pages that are used alike none can keep the right ones: what is tried is undone."""
    lines = run(guest, PAGED + "for n in $(seq 40); do reads random || exit 1; done").splitlines()
    made = decisions(guest, object=int(lines[0]))
    assert CHAOS or all(one["to"] in ("pm.arc", "pm.clock") for one in made), made


# Two write into a pipe, then one.
PIPE = """mkfifo /tmp/fifo; exec 5<> /tmp/fifo; dd="dd status=none bs=1k"
    $dd if=/dev/zero count=2000 >&5 & $dd if=/dev/zero count=2000 >&5 &
    $dd of=/dev/null count=4000 iflag=fullblock <&5
    $dd if=/dev/zero of=/tmp/fifo count=3000 & $dd if=/tmp/fifo of=/dev/null count=3000
    wait; exec 5>&-; rm /tmp/fifo"""


def test_pipes_follow_their_advisor(guest):
    def counts():
        told = advisors(guest)["pipes"]
        return told["returned"], told["advised"], told["changed"]

    run(guest, "k42ctl advisors off pipes > /dev/null")
    began = counts()
    until(guest, PIPE, lambda: counts()[0] > began[0])
    off = counts()
    assert off[1:] == began[1:]
    run(guest, "k42ctl advisors advise pipes > /dev/null")
    until(guest, PIPE, lambda: counts()[1] > off[1])
    advised = counts()
    assert advised[2] == off[2]
    run(guest, "k42ctl advisors on pipes > /dev/null")
    until(guest, PIPE, lambda: counts()[2] > advised[2])
    assert counts()[1] == advised[1]
    last = decisions(guest, advisor="pipes", deed="changed")[-1]
    assert (last["from"], last["to"]) == ("pipe.general", "pipe.spsc")


# ---- what they do not ----

def test_who_may_only_advise_changes_nothing_but_says_what_it_would_do(guest):
    run(guest, "k42ctl advisors advise > /dev/null")
    number, before = cache(guest, "/srv/small2")
    swaps = advisors(guest)
    said = decided(guest, "for n in $(seq 20); do cat /srv/small2 > /dev/null; done; sleep 0.2",
                   advisor="small", object=number, deed="would change")
    assert CHAOS or (said["from"], said["to"]) == ("fcm.shared", "fcm.small")
    now = advisors(guest)
    assert [one["changed"] for one in now.values()] == [one["changed"] for one in swaps.values()]
    assert CHAOS or cache(guest, "/srv/small2") == (number, before)


@only_long
def test_who_is_off_neither_looks_nor_acts(guest):
    run(guest, "k42ctl advisors off > /dev/null")
    run(guest, "sleep 1")
    before = advisors(guest)
    run(guest, "for n in $(seq 40); do cat /srv/small3; sleep 0.1; done > /dev/null; "
               "dd if=/srv/large of=/dev/null bs=64k status=none")
    now = advisors(guest)
    for name in ("contention", "order", "loop", "small"):
        assert before[name] == now[name]


@only_long
def test_what_somebody_has_chosen_is_left_alone(guest):
    number, _ = cache(guest, "/srv/small4")
    run(guest, f"k42ctl swap {number} fcm.shared --deadline 10s > /dev/null")
    other, _ = cache(guest, "/srv/small5")
    decided(guest, "for n in $(seq 20); do cat /srv/small4 /srv/small5 > /dev/null; done; sleep 0.2",
            advisor="small", object=other, deed="changed")
    assert not decisions(guest, object=number)
    assert CHAOS or cache(guest, "/srv/small4") == (number, "fcm.shared")


@only_long
def test_files_that_go_while_they_are_thought_of_harm_nobody(guest):
    run(guest, """for n in $(seq 30); do
            for m in 1 2 3 4; do head -c 3000 /srv/medium > /srv/gone$m; cat /srv/gone$m > /dev/null; done
            sleep 0.1; for m in 1 2 3 4; do cmp -n 3000 /srv/medium /srv/gone$m; done; rm /srv/gone*
        done""")
    assert run(guest, "cmp /srv/small8 /srv/small8; echo right") == "right\n"


# ---- words ----

def test_only_root_tells_advisors_what_to_do(guest):
    done = guest.run(["bash", "-c", "chroot --userspec=65534:65534 / k42ctl advisors off"])
    assert done.status == 1 and done.errors == (
        b"k42ctl: only root may tell advisors what to do (CAP_SYS_ADMIN)\n")
    assert run(guest, "chroot --userspec=65534:65534 / k42ctl advisors --json | head -c 14") == (
        '{"advisors":[{')


def test_wrong_words_are_refused_with_what_would_have_worked(guest):
    for words, status, text in (
            ("on tides", 1, "there is no advisor tides; 'k42ctl advisors' lists them"),
            ("perhaps", 2, "advisors are 'on', 'advise' or 'off', not perhaps"),
            ("on small x", 2, "advisors does not know x"), ("--log x", 2, "does not know x")):
        done = guest.run(["bash", "-c", f"k42ctl advisors {words}"])
        assert done.status == status and text in done.errors.decode()


# ---- at the same time ----

@only_long
def test_a_storm_of_swaps_and_advisors_lose_nothing(guest):
    sums = run(guest, "cd /srv; cksum large medium small6 small7")
    reader = WHILE % "cksum /srv/medium /srv/small6 /srv/small7"
    out = run(guest, f"k42ctl chaos on --rate 1000; {reader} {reader} cd /srv; "
                     "for n in 1 2 3; do cksum large medium small6 small7; done; "
                     "k42ctl chaos off; rm /tmp/go; wait")
    assert out == sums * 3


def test_the_mode_at_boot_is_an_option(tmp_path):
    with session.Session("k42", 1, "192M", append="advisors=advise") as started:
        started.wait_until_ready()
        assert {one["mode"] for one in advisors(started).values()} == {"advise"}
