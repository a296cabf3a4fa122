"""Whole classes are upgraded, in each way and back, while programs use their objects; and what those
programs do is what they do on Linux."""
import os
import re

import pytest
import reference
from launcher import component, session
from launcher.tree import path

SUITE_TIMEOUT_SECONDS = 600
pytestmark = pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42",
                                reason="Linux has no objects")
PACKAGES = ("python3", "sqlite3")
LONG = os.environ.get("K42_LONG") == "1"
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
TURNS = """export PATH=/usr/sbin:$PATH; set -e
count() { k42ctl classes --class $1 |
          awk -v v=$2 '$3 == v {print $4 == "(old)" ? $5 : $4; n = 1} END {if (!n) print 0}'; }
mkdir -p /srv/work; bash /tmp/work /srv/work $1 > /tmp/out & work=$!
rounds=0
while [ $rounds = 0 ] || kill -0 $work 2> /dev/null; do
    for pair in $2; do
        file=/c/${pair%=*}.k42 component=${pair%=*} class=${pair#*=}
        for mode in eager lazy new; do
            k42ctl upgrade $file --$mode > /tmp/said; echo $class $mode: $(cat /tmp/said)
            if [ $mode = eager ]; then echo $class old: $(count $class 1); fi
            echo x > /srv/fresh$rounds; exec 9< /srv/fresh$rounds; read -r line <&9
            (exit 0); cat /srv/work/numbers | cat | tail -c 10 > /dev/null
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


@pytest.fixture(scope="module", params=[(cpus, variant) for variant in VARIANTS for cpus in CPUS],
                ids=lambda one: "-".join(map(str, one)))
def guest(request, tmp_path_factory):
    cpus, variant = request.param
    folder, built = tmp_path_factory.mktemp("shared"), tmp_path_factory.mktemp("components")
    for name in VERSIONS:
        component.build(path("components", name + ".c"), str(built / (name + ".k42")),
                        variant=variant)
    with session.Session("k42", cpus, "1G", PACKAGES, variant=variant,
                         shares=[(str(folder), "/srv"), (str(built), "/c")]) as one:
        one.wait_until_ready()
        one.run(["sh", "-c", "cat > /tmp/work"], WORK.encode())
        yield one


def test_each_version_comes_and_goes_in_each_way_while_programs_run(guest):
    rounds = "60" if LONG else "1"
    pairs = " ".join(f"{name}={class_}" for name, class_ in VERSIONS.items())
    wanted = reference.run(["bash", "-c", WORK, "work", "/tmp", rounds], packages=PACKAGES)
    done = guest.run(["bash", "-c", TURNS, "turns", rounds, pairs], limit=1500 if LONG else 200)
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
