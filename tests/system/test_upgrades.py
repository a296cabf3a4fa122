"""Whole classes are upgraded, in each way and back, while programs use their objects; and what those
programs do is what they do on Linux. Versions come by hand, or from a directory that is watched."""
import json
import os
import re
import shutil
import time

import pytest
from conftest import LONG
import reference
from launcher import component, session
from launcher.tree import path

SUITE_TIMEOUT_SECONDS = 600
pytestmark = pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="Linux has no objects")
PACKAGES = ("python3", "sqlite3")
CPUS = [int(text) for text in (os.environ.get("K42_CPUS") or "2").split(",")]
VARIANTS = (os.environ.get("K42_KERNEL") or "release").split(",")

# Component -> the class that it brings a version 2 of.
VERSIONS = {"pipe_v2": "pipe.spsc", "fcm_shared_v2": "fcm.shared", "process_v2": "process.linux"}

# What is done meanwhile, in a folder: page caches by files and a data base, pipes by pipelines, processes
# by forks, signals and exit statuses. What it writes depends on nothing else.
WORK = """cd $1 && rm -f * || exit 99
seq 60000 > numbers
for round in $(seq $2); do
    sort -rn numbers | head -n 1000 | md5sum
    cat numbers | tr 1 2 | grep -c 22
    printf %06d $round | dd of=numbers bs=1 seek=$((round * 5000)) conv=notrunc 2> /dev/null
    md5sum < numbers
    pids=; sum=0
    for i in $(seq 12); do (exit $i) & pids+=" $!"; done
    for pid in $pids; do wait $pid; sum=$((sum + $?)); done
    sleep 100 & kill -TERM $!; wait $!; echo $sum $?
    trap 'echo got it' USR1; sh -c "kill -USR1 $$"; trap - USR1
    sqlite3 base 'create table if not exists t(a, b);
        insert into t select value, value * '$round' from (with recursive c(value) as
            (values(1) union all select value + 1 from c where value < 300) select value from c);
        select count(*), sum(b) from t;' 2>&1
    { echo a; sh -c 'echo b'; echo c; } | cat
done 2>/dev/null
python3 - <<'END'
import os, subprocess
for n in range(3):
    p = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print(n, len(p.communicate(b"x" * 100000)[0]))
print(sum(open("numbers", "rb").read()))
END
"""

# All upgrades in all ways, until the work is over and at least once. How many instances there are of a
# version is said where it is certain. What is converted lazily is waited for, as far as it is used.
TURNS = """set -e
count() { k42ctl classes --class $1 |
          awk -v v=$2 '$3 == v {print $4 == "(old)" ? $5 : $4; n = 1} END {if (!n) print 0}'; }
mkdir -p /srv/busy; bash /tmp/work /srv/busy $1 > /tmp/out & work=$!
rounds=0
while [ $rounds = 0 ] || kill -0 $work 2> /dev/null; do
    for pair in $2; do
        file=/c/${pair%=*}.k42 component=${pair%=*} class=${pair#*=}
        for mode in eager lazy new; do
            k42ctl upgrade $file --$mode > /tmp/said; echo $class $mode: $(cat /tmp/said)
            if [ $mode = eager ]; then echo $class old: $(count $class 1); fi
            echo x > /srv/$class.$mode$rounds; exec 9< /srv/$class.$mode$rounds
            read -r line <&9
            (exit 0); cat /srv/busy/numbers | cat | tail -c 10 > /dev/null
            if [ $mode = new ]; then echo $class new: $(count $class 2); fi
            k42ctl upgrade $class 1 > /dev/null
            echo $class left: $(count $class 2)
            k42ctl unload $component > /dev/null
        done
    done
    rounds=$((rounds + 1))
done
wait $work; cat /tmp/out >&2; k42ctl stats --json >> /tmp/stats; echo rounds $rounds
"""


# Further components: the tutorial's, and one that fails on purpose.
OTHERS = [path("components", "security", "process_unchecked.c"),
          path("components", "security", "process_checked.c"),
          path("tests", "system", "components", "pipe_refusing.c")]


class Upgraded:
    """A guest, with all components in /c, and a folder whose updates it takes in."""

    def __init__(self, guest, built, updates):
        self.guest, self.built, self.updates = guest, built, updates

    def run(self, script, *words, limit=100):
        return self.guest.run(["bash", "-c", "PATH=/usr/sbin:$PATH; " + script, *words], limit=limit)

    def says(self, script, **more):
        done = self.run(script, **more)
        assert done.status == 0, done
        return done.output.decode()

    def events(self):
        """What has been told of updates: (file, word, sentence)."""
        told = json.loads(self.says("k42ctl updates --json"))["updates"]
        return [(one["file"], one["word"], one["text"]) for one in told]

    def wait_for(self, file, word, limit=60):
        """The sentences about a file, once there is such a word."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            told = [one for one in self.events() if one[0] == file]
            if word in [one[1] for one in told]:
                return told
            time.sleep(0.1)
        pytest.fail(f"{file} is not {word}: {self.events()}")

    def version(self, class_):
        """The version that is made now."""
        return int(self.says(f"k42ctl classes --class {class_} | awk '$3 ~ /^[0-9]+$/ && $4 != "
                             "\"(old)\" {print $3}'"))


@pytest.fixture(scope="module", params=[(cpus, variant) for variant in VARIANTS for cpus in CPUS],
                ids=lambda one: "-".join(map(str, one)))
def guest(request, tmp_path_factory):
    cpus, variant = request.param
    folder, built, updates = (tmp_path_factory.mktemp(name) for name in ("shared", "built", "new"))
    for source in [path("components", name + ".c") for name in VERSIONS] + OTHERS:
        name = os.path.basename(source)[:-2] + ".k42"
        component.build(source, str(built / name), variant=variant)
    shutil.copy(path("components", "security", "fix.sh"), built)
    with session.Session("k42", cpus, "1G", PACKAGES, variant=variant,
                         shares=[(str(folder), "/srv"), (str(built), "/c"),
                                 (str(updates), session.UPDATES)]) as one:
        one.wait_until_ready()
        one.run(["sh", "-c", "cat > /tmp/work"], WORK.encode())
        with open(path("tests", "system", "scripts", "kept.py"), "rb") as file:
            one.run(["sh", "-c", "cat > /tmp/kept.py"], file.read())
        yield Upgraded(one, built, updates)


def test_each_version_comes_and_goes_in_each_way_while_programs_run(guest):
    rounds = "60" if LONG else "1"
    pairs = " ".join(f"{name}={class_}" for name, class_ in VERSIONS.items())
    wanted = reference.run(["bash", "-c", WORK, "work", "/tmp", rounds], packages=PACKAGES)
    done = guest.run(TURNS, "turns", rounds, pairs, limit=1500 if LONG else 200)
    said = done.output.decode()
    assert done.status == 0, (said[-2000:], done.errors[-2000:])
    assert done.errors == wanted.output
    for class_ in VERSIONS.values():
        assert re.search(rf"^{class_} eager: \d+ instances: [1-9]\d* converted", said, re.M), said
        assert re.search(rf"^{class_} lazy: [1-9]\d* instances are converted as", said, re.M), said
        assert re.search(rf"^{class_} new: new instances are of that version; [1-9]", said, re.M)
        assert max(map(int, re.findall(rf"^{class_} new: (\d+)", said, re.M))) > 0, said
        assert set(re.findall(rf"^{class_} old: (\d+)", said, re.M)) == {"0"}, said
        assert set(re.findall(rf"^{class_} left: (\d+)", said, re.M)) == {"0"}, said


def test_what_the_host_has_to_be_asked_for_is_waited_for(guest):
    """What is known of a host's file is believed for a second after it was opened."""
    done = guest.run("""python3 - <<'END'
import ctypes, fcntl, time
with open("/c/pipe_v2.k42", "rb+") as file:
    time.sleep(1.5)
    fcntl.lockf(file, fcntl.LOCK_EX, 0, 0, 2)
    time.sleep(1.5)
    call = ctypes.CDLL(None, use_errno=True).syscall
    print(call(313, file.fileno(), b"", 0), ctypes.get_errno())
END
k42ctl unload pipe_v2""")
    assert done.output.decode().splitlines() == ["0 0", "pipe_v2 is unloaded"], done


def test_pipes_and_processes_keep_what_they_have_and_who_waits_at_them(guest):
    """From the one layout to the other and back, in each way."""
    commands = []
    for name in ("pipe_v2", "process_v2"):
        class_ = VERSIONS[name]
        for mode in ("eager", "lazy", "new") if LONG else ("eager",):
            commands += [f"k42ctl upgrade /c/{name}.k42 --{mode}", f"k42ctl upgrade {class_} 1",
                         f"k42ctl unload {name}"]
    done = guest.run('exec python3 /tmp/kept.py "$@"', "kept", *commands, limit=200)
    assert (done.status, done.output) == (0, b"kept\n"), done


# One pipe and one process, as k42ctl shows them.
SHOWN = """
shown() { k42ctl show $(k42ctl objects $1 $2 --json | grep -o '"id":[0-9]*,"class":"'$3 |
                        grep -o '[0-9]*' | head -n 1) | grep state; }
mkfifo /tmp/kept; exec 5<> /tmp/kept; printf abc >&5; read -r -n 3 line <&5; printf de >&5
pipe() { for one in $(k42ctl objects --class pipe.spsc --json | grep -o '"id":[0-9]*' | cut -d: -f2)
         do k42ctl show $one; done 2> /dev/null | grep ' 5 in it'; }
k42ctl upgrade /c/pipe_v2.k42 > /dev/null; printf fgh >&5; pipe
k42ctl upgrade pipe.spsc 1 > /dev/null; k42ctl unload pipe_v2 > /dev/null; pipe
printf '\\n' >&5; read -r line <&5; echo "$line"; exec 5>&-; rm /tmp/kept
sleep 1000 & first=$!; k42ctl upgrade /c/process_v2.k42 > /dev/null; (exit 3); sleep 1001 &
shown --pid $$ process.linux; echo first $first
k42ctl upgrade process.linux 1 > /dev/null; k42ctl unload process_v2 > /dev/null
shown --pid $$ process.linux; kill %1 %2
"""


def test_a_version_shows_what_it_knows_besides_and_forgets_it_on_the_way_back(guest):
    lines = [line.removeprefix("  state").strip() for line in guest.says(SHOWN).splitlines()]
    pipe = "pipe of 65536 bytes, 5 in it, 1 read, 1 write"
    assert lines[:3] == [pipe + "; at most 5; written to 1 times, which waited 0 times", pipe, "defgh"]
    first = lines[4].split()[1]
    assert re.fullmatch(r"process \d+: 1 threads, .*; children: \d+, \d+ so far, \d+ at most, the eldest "
                        rf"is {first}, for \d+ ms", lines[3]), lines
    assert re.fullmatch(r"process \d+: 1 threads, .*, parent \d+", lines[5]), lines


def test_a_hole_is_closed_while_a_server_answers(guest):
    lines = guest.says("bash /c/fix.sh /c").splitlines()
    told = [line for line in lines if "intruder" in line or "server" in line]
    assert told == ["the intruder may open 1064 files",
                    "the intruder is refused: no more than 1064 files",
                    "the server has answered, 0 of its answers were wrong"], lines
    assert sum(" converted, " in line for line in lines) == 3
    assert guest.says("k42ctl classes --class process.linux").count("process.linux ") == 1


# A pipe with three bytes in it, which does not convert; how many pipes are of each version.
REFUSED = """
count() { k42ctl classes --class pipe.spsc |
          awk -v v=$1 '$3 == v {print $4 == "(old)" ? $5 : $4; n = 1} END {if (!n) print 0}'; }
cat /dev/null | cat; mkfifo /tmp/kept; exec 5<> /tmp/kept; printf abc >&5
k42ctl upgrade /c/pipe_refusing.k42; echo status $?
echo old $(count 1) new $(count 9); echo one | { cat; sleep 0.1; } | cat
printf '\n' >&5; read -r line <&5; echo "$line"
k42ctl upgrade pipe_refusing; echo again $? old $(count 1)
printf de >&5
k42ctl upgrade pipe.spsc 1; echo back $? left $(count 9)
k42ctl unload pipe_refusing; printf 'f\n' >&5; read -r line <&5; echo "$line"
exec 5>&-; rm /tmp/kept
"""


def test_instances_that_fail_stay_as_they_are_beside_the_others_until_they_can(guest):
    done = guest.run(REFUSED)
    said, errors = done.output.decode(), done.errors.decode()
    assert "status 1\n" in said and "again 0 old 0\n" in said and "back 0 left 0\n" in said, done
    found = re.search(r"class pipe.spsc is version 9 from now on, but 1 of (\d+) instances stay as they "
                      r"are; object \d+ goes on as it was", errors)
    assert found and int(found[1]) > 1, errors
    mixed = re.search(r"^old 1 new (\d+)$", said, re.M)
    assert mixed and int(mixed[1]) >= 1, said
    assert "one\nabc\n" in said and said.endswith("pipe_refusing is unloaded\ndef\n"), said


# ---- a directory that is watched ----

def put(guest, name, data):
    """As who knows that it is watched does it: at once."""
    scratch = guest.updates / ".scratch"
    scratch.write_bytes(data)
    os.rename(scratch, guest.updates / name)


def test_newer_versions_are_taken_in_within_policy_and_told_of(guest):
    """In turn: one that is cut short, mended; one that the policy keeps out, and then lets in; one that
    takes another's place; one that is older than what is there; one that is no component."""
    data = {name: (guest.built / (name + ".k42")).read_bytes()
            for name in ("pipe_v2", "process_unchecked", "process_checked", "pipe_refusing")}
    put(guest, "policy", b"# no processes\nprocess.*  never\nnot_this.k42 never\npipe.*  new\n")
    put(guest, "pipes.k42", data["pipe_v2"][:7000])
    put(guest, "process.k42", data["process_unchecked"])
    put(guest, "not_this.k42", data["pipe_refusing"])
    put(guest, "text.k42", b"#!/bin/sh\n")
    told = guest.wait_for("pipes.k42", "refused")
    assert len(told) == 1 and "not signed, or cut short" in told[0][2], told
    assert "keeps class process.linux" in guest.wait_for("process.k42", "left")[0][2]
    guest.wait_for("not_this.k42", "left")
    guest.wait_for("text.k42", "refused")
    assert (guest.version("pipe.spsc"), guest.version("process.linux")) == (1, 1)
    put(guest, "pipes.k42", data["pipe_v2"])
    told = guest.wait_for("pipes.k42", "taken")
    assert re.search(r"class pipe.spsc is version 2 instead of 1, new: \d+ instances, 0 converted",
                     told[1][2]) and len(told) == 2, told
    assert len([one for one in guest.events() if one[0] == "text.k42"]) == 1

    put(guest, "policy", b"pipe.*  perhaps\n")
    assert "line 1 is not a pattern" in guest.wait_for("policy", "refused")[0][2]
    (guest.updates / "not_this.k42").unlink()
    put(guest, "policy", b"")
    told = guest.wait_for("process.k42", "taken")
    assert re.search(r"version 2 instead of 1, eager: (\d+) instances, [1-9]", told[-1][2]), told
    put(guest, "process_fixed.k42", data["process_checked"])
    told = guest.wait_for("process_fixed.k42", "replaces")
    assert "version 3 instead of 2" in told[0][2] and "process_unchecked" in told[1][2], told
    put(guest, "process_again.k42", data["process_unchecked"])
    told = guest.wait_for("process_again.k42", "left")
    assert "version 2 of class process.linux is not newer than the present one, 3" in told[0][2], told
    assert "updates: process_fixed.k42 taken: class process.linux" in guest.says("dmesg")
    guest.run("for c in pipe.spsc process.linux; do k42ctl upgrade $c 1; done")
