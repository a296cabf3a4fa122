"""Components: loaded, used, upgraded and unloaded under a running workload; and refused with a
reason, leaving nothing, when they are not as they should be."""
import hashlib
import os
import re
import struct
import subprocess

import pytest
import test_upgrades
from conftest import CHAOS
from launcher import component, keys, session, variants
from launcher.left import bring_program
from launcher.left import calm as calm_of
from launcher.tree import Trouble, path
from test_robustness import leaves_nothing

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)
GUESTS = os.environ.get("K42_GUEST", "k42").split(",")
pytestmark = pytest.mark.skipif(GUESTS != ["k42"], reason="Linux has modules of its own")

# A storm chooses classes by itself, those that a component brought like all others.
calm = pytest.mark.skipif(bool(CHAOS), reason="is about which class an object has")
EXAMPLES = sorted(name[:-2] for name in os.listdir(path("components")) if name.endswith(".c"))
TRAILER = 80

# Works until it is told to end, or the script fails; whatever is lost is said.
WORK = """rm -f /tmp/end /tmp/over /tmp/chosen; trap 'touch /tmp/end /tmp/over /tmp/chosen' EXIT
while [ ! -e /tmp/end ]; do
    x=$(seq 300 | sort -rn | tail -n 1); [ "$x" = 1 ] || echo "lost: $x"
    [ "$(cat /tmp/text | wc -c)" = 30000 ] || echo "lost: text"
done & worker=$!
"""
END = "\ntouch /tmp/end; wait $worker\n"


@pytest.fixture(scope="module")
def built(machine, tmp_path_factory):
    """Every example, as bytes; the first one asks for all that is built."""
    folder = tmp_path_factory.mktemp("components")
    return {name: open(component.build(path("components", name + ".c"),
                                       str(folder / (name + ".k42")), variant=machine.variant),
                       "rb").read()
            for name in EXAMPLES}


@pytest.fixture
def guest(machine, built):
    """With all examples in /c, also one that takes the place of another that ended."""
    if machine.run(["test", "-d", "/c"]).status:
        machine.run(["sh", "-c", "mkdir /c; yes 12345678 | head -c 30000 > /tmp/text"])
        bring_program(machine)
        for name, data in built.items():
            put(machine, f"/c/{name}.k42", data)
    return machine


def put(machine, place, data):
    machine.run(["sh", "-c", f"cat > {place}"], data)


def sh(machine, script, **more):
    done = machine.run(["bash", "-c", script], **more)
    return done.status, done.output.decode() + done.errors.decode()


def works(machine, script, **more):
    """A script under load, all of whose commands succeed."""
    status, said = sh(machine, f"{WORK}set -e\n{script}\n{END}", **more)
    assert status == 0 and "lost" not in said, said
    return said


# ---- the examples ----

def test_every_example_is_tested_here_or_upgraded_to():
    with open(__file__) as file:
        text = file.read()
    assert [name for name in EXAMPLES if f"/c/{name}.k42" not in text
            and name not in (*test_upgrades.VERSIONS, "fcm_head")] == []  # the latter: test_policy.py


@calm
def test_a_policy_of_turns_is_loaded_used_and_unloaded(guest):
    said = works(guest, """
k42ctl load /c/run_queue_batch.k42
k42ctl swap --class run_queue.fair run_queue.batch
! k42ctl unload run_queue_batch
k42ctl classes --class run_queue.batch
k42ctl swap --class run_queue.batch run_queue.fair
k42ctl unload run_queue_batch
! k42ctl unload run_queue_batch
""")
    assert re.search(r"^run_queue_batch is loaded, in ", said)
    assert f"component run_queue_batch still has {guest.cpus} instances of class run_queue.batch " \
        "version 1, the first is object " in said
    assert said.endswith("k42ctl: there is no component run_queue_batch\n"), said


# At work: finit_module, init_module, delete_module
def test_linux_s_own_calls_load_and_unload(guest):
    with open(os.path.join(variants.folder("release"), "tests", "programs", "modules"),
              "rb") as program:
        put(guest, "/tmp/modules", program.read())
    works(guest, """chmod +x /tmp/modules
for how in image file; do
    /tmp/modules $how /c/run_queue_batch.k42
    if /tmp/modules $how /c/run_queue_batch.k42; then exit 9; fi
    /tmp/modules unload run_queue_batch
    if /tmp/modules unload run_queue_batch; then exit 9; fi
done""")


def test_a_monitor_watches_and_leaves_no_hook(guest):
    works(guest, "k42ctl load /c/monitor.k42; cat /bin/* > /dev/null; k42ctl unload monitor; "
                 "dmesg > /tmp/log")
    _, log = sh(guest, "grep monitor: /tmp/log; k42ctl stats --json")
    assert re.search(r"monitor: watches [1-9]\d* page caches\n", log)
    assert re.search(r"monitor: get_page: [1-9]\d* calls, \d+ ns each\n", log)
    assert '"hooks":0' in log.replace(" ", "")


# For each component: what a storm makes of it, and what that is to become of.
CHOSEN = """k42ctl load /c/run_queue_batch.k42; k42ctl load /c/pm_bip.k42
k42ctl chaos on --rate 1000 --seed 3
for class in run_queue.batch pm.bip; do
    until awk -v class=$class '$1 == class && $3 > 2 {seen = 1} END {exit !seen}' /proc/k42/classes; do sleep 0.1; done
done
! k42ctl unload run_queue_batch --to run_queue.none
k42ctl unload pm_bip --to pm.clock
k42ctl unload run_queue_batch --to run_queue.fair
k42ctl chaos off
if grep -e run_queue.batch -e pm.bip /proc/k42/classes; then exit 9; fi
"""


def test_a_component_whose_classes_a_storm_chooses_is_unloaded(machine, built):
    """In a guest of its own: afterwards objects are of any class."""
    with session.Session("k42", machine.cpus, "512M", variant=machine.variant) as one:
        one.wait_until_ready()
        one.run(["sh", "-c", "mkdir -p /c; yes 12345678 | head -c 30000 > /tmp/text"])
        for name in ("run_queue_batch", "pm_bip"):
            put(one, f"/c/{name}.k42", built[name])
        said = works(one, CHOSEN, limit=200)
    assert "there is no class run_queue.none" in said, said
    assert "run_queue_batch is unloaded" in said and "pm_bip is unloaded" in said, said


@calm
def test_unloading_says_what_does_not_become_of_that_class(guest):
    said = works(guest, """
k42ctl load /c/run_queue_batch.k42; k42ctl swap --class run_queue.fair run_queue.batch
! k42ctl unload run_queue_batch --to pm.clock
k42ctl swap --class run_queue.batch run_queue.fair; k42ctl swap --class run_queue.fair run_queue.batch
k42ctl unload run_queue_batch --to run_queue.fair
if grep run_queue.batch /proc/k42/classes; then exit 9; fi
""")
    assert re.search(r"object \d+ does not become of class pm.clock: ", said), said


@calm
def test_an_advisor_decides_by_load_and_back(guest):
    """It is waited for as long as need be: time decides nothing. A crowd is six for each processor;
    quiet it is only when the load has ended as well, and nobody looks for it all the time."""
    said = works(guest, f"crowd={6 * guest.cpus}" + """
k42ctl load /c/run_queue_batch.k42; k42ctl load /c/advisor.k42
for i in $(seq $crowd); do while [ ! -e /tmp/chosen ]; do :; done & done
until dmesg | grep -q 'advisor: .* run_queue.batch now'; do sleep 0.1; done
touch /tmp/chosen /tmp/end
until dmesg | grep -q 'advisor: .* run_queue.fair now'; do sleep 0.5; done
k42ctl unload advisor
if k42ctl objects --class run_queue.batch > /dev/null 2>&1; then
    k42ctl swap --class run_queue.batch run_queue.fair; fi
k42ctl unload run_queue_batch; rm /tmp/chosen
""", limit=200)
    assert "run_queue_batch is unloaded" in said


# Ten pipelines of three pipes each, in use until they are told to end; and how many pipes there are
# of a version.
PIPELINES = """rm -f /tmp/over
for i in $(seq 10); do
    { while [ ! -e /tmp/over ]; do echo line $i; sleep 0.3; done | cat | cat | sort -u > /tmp/p$i
      [ "$(cat /tmp/p$i)" = "line $i" ] || echo "lost: $i"; } & pipelines+=" $!"
done
count() { k42ctl classes --class pipe.spsc | awk -v v=$1 '$3 == v {print $4 == "(old)" ? $5 : $4}'; }
until [ $(count 1) -ge 30 ]; do sleep 0.1; done
"""


@calm
def test_a_version_replaces_another_in_use_in_each_way_and_goes_again(guest):
    said = works(guest, PIPELINES + """
k42ctl upgrade /c/pipe_v2.k42
echo eager $(count 2)
! k42ctl unload pipe_v2
k42ctl upgrade pipe.spsc 1
k42ctl unload pipe_v2
k42ctl load /c/pipe_v2.k42 > /dev/null
k42ctl upgrade pipe_v2 --lazy
until [ $(count 2) -ge 30 ]; do sleep 0.1; done
k42ctl upgrade pipe.spsc 1 --eager
k42ctl upgrade pipe_v2 --new
until [ $(count 2) -ge 1 ]; do sleep 0.1; done
echo new $(count 1)
k42ctl upgrade pipe.spsc 1
k42ctl unload pipe_v2
touch /tmp/over; wait $pipelines
k42ctl classes --class pipe.spsc
""", limit=200)
    assert re.search(r"\d+ instances: [3-9]\d+ converted, ", said), said
    assert int(re.search(r"eager (\d+)", said)[1]) >= 30
    assert re.search(r"component pipe_v2 still has \d+ instances of class pipe.spsc version 2", said)
    assert re.search(r"\d+ instances are converted as they are used", said)
    assert int(re.search(r"new (\d+)", said)[1]) >= 30
    assert said.count("pipe_v2 is unloaded") == 2
    assert len(re.findall(r"^pipe.spsc ", said, re.M)) == 1, said


# All versions come and go, with bytes in a pipe that begin and end within pages, and with children.
ROUND_TRIPS = """set -e; mkfifo /tmp/kept; exec 5<> /tmp/kept; head -c 30000 /tmp/text >&5; head -c 5000 <&5 | wc -c
sleep 1000 & child=$!
for pair in pipe_v2=pipe.spsc process_v2=process.linux fcm_shared_v2=fcm.shared; do
    k42ctl upgrade /c/${pair%=*}.k42; k42ctl upgrade ${pair#*=} 1; k42ctl unload ${pair%=*}
done > /dev/null
head -c 25000 <&5 | cmp - <(tail -c 25000 /tmp/text)
exec 5>&-; rm /tmp/kept; kill $child; ! wait $child"""


def test_versions_that_come_and_go_leave_nothing(guest):
    leaves_nothing(guest, "bash", "-c", ROUND_TRIPS)


# ---- what is refused ----

def resigned(data, change):
    """The component without its signature, changed, and signed again."""
    body = bytearray(data[:-TRAILER])
    change(body)
    scratch = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"k42-resigned.{os.getpid()}")
    try:
        return component.sign(bytes(body), component.key_file(), scratch)
    finally:
        os.remove(scratch)


def program_header(body, kind, number=0):
    """Where the number-th program header of that kind is."""
    offset, count = struct.unpack_from("<Q", body, 32)[0], struct.unpack_from("<H", body, 56)[0]
    found = [offset + 56 * i for i in range(count)
             if struct.unpack_from("<I", body, offset + 56 * i)[0] == kind]
    return found[number]


def make_writable(body):
    struct.pack_into("<I", body, program_header(body, 1) + 4, 7)


def for_another_machine(body):
    struct.pack_into("<H", body, 18, 183)


def relocate_text(body):
    """The first relocation, which is relative, goes to the first byte of text."""
    at = program_header(body, 1, 1)
    offset, address = struct.unpack_from("<QQ", body, at + 8)
    dynamic = struct.unpack_from("<Q", body, program_header(body, 2) + 16)[0] - address + offset
    while struct.unpack_from("<Q", body, dynamic)[0] != 7:
        dynamic += 16
    table = struct.unpack_from("<Q", body, dynamic + 8)[0] - address + offset
    struct.pack_into("<Q", body, table, 0)


def renamed(old, new):
    def change(body):
        at = body.index(old)
        body[at:at + len(old)] = new
    return change


def other_version(symbol):
    """A symbol's version, as if it had been compiled against other headers."""
    def change(body):
        at = body.index(symbol + b".") + len(symbol) + 1
        body[at:at + 8] = b"01234567"
    return change


def with_other_key(data, folder):
    key = str(folder / "other.pem")
    keys.make(key)
    return component.sign(data[:-TRAILER], key, str(folder / "bytes"))


def refused_files(data, folder):
    """What is wrong -> the file, and the reason that is given."""
    def changed(change):
        return resigned(data, change)
    flipped = bytearray(data)
    flipped[5000] ^= 1
    return {
        "empty": (b"", "Exec format error"),
        "text": (b"#!/bin/sh\n", "not signed"),
        "cut": (data[:len(data) // 2], "not signed, or cut short"),
        "unsigned": (data[:-TRAILER], "not signed"),
        "other-key": (with_other_key(data, folder), "signed with another key"),
        "changed": (bytes(flipped), "changed after it was signed"),
        "cut-and-signed": (resigned(data[:9000] + data[-TRAILER:], lambda body: None),
                           "cut short"),
        "other-machine": (changed(for_another_machine), "another machine"),
        "written-text": (changed(make_writable), "both written and executed"),
        "relocated-text": (changed(relocate_text), "text is to be relocated"),
        "no-symbol": (changed(renamed(b"k42_format_text.", b"k42_format_teXt.")),
                      "needs k42_format_teXt"),
        "no-version": (changed(renamed(b"run_body_self.", b"run_body_self_")), "has no version"),
        "wrong-version": (changed(other_version(b"k42_format_text")),
                          "another version of k42_format_text.01234567"),
        "wrong-interface": (changed(other_version(b"run_queue_interface")),
                            "another version of run_queue_interface.01234567"),
    }


LOAD_ALL = """for f in /r/*; do k42ctl load $f; echo "${f#/r/} $?"; done 2>&1
for f in monitor run_queue_batch; do k42ctl load /c/$f.k42; k42ctl unload $f; done > /dev/null
"""


def test_what_is_wrong_is_refused_with_a_reason_and_nothing_is_left_of_that(guest, built, tmp_path):
    """Nor of what is right, loaded and unloaded."""
    files = refused_files(built["run_queue_batch"], tmp_path)
    sh(guest, "rm -rf /r; mkdir /r")
    for name, (data, _) in files.items():
        put(guest, f"/r/{name}", data)
    classes = "k42ctl classes | awk '{print $1, $3}'"
    before = sh(guest, classes)
    with calm_of(guest):  # a storm remembers the classes that it has met
        lines = leaves_nothing(guest, "bash", "-c", LOAD_ALL).output.decode().splitlines()
    for name, (_, reason) in files.items():
        at = lines.index(f"{name} 1")
        assert reason in lines[at - 1], f"{name}: {lines[at - 1]}"
    assert len(lines) == 2 * len(files), lines
    assert sh(guest, classes) == before


def test_only_who_may_loads(guest):
    status, said = sh(guest, "chmod -R a+r /c; chroot --userspec=65534:65534 / k42ctl load "
                             "/c/monitor.k42")
    assert status == 1 and "only root" in said


# ---- another machine: one that lets unsigned ones in, has a folder of the host, little memory ----

LARGE, ROUND_PAGES = 48 << 20, 256
SMALL = bytes(range(256)) * 2000

# A file is read meanwhile as well, in a way of its own.
READ = """sum=$(md5sum < /srv/small)
while [ ! -e /tmp/end ]; do [ "$(md5sum < /srv/small)" = "$sum" ] || echo "lost: small"; done & reader=$!
"""
READ_END = "\ntouch /tmp/end; wait $reader"


@pytest.fixture(scope="module")
def lenient(machine, built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    (folder / "small").write_bytes(SMALL)
    (folder / "large").write_bytes(b"k42 " * (LARGE // 4))
    (folder / "loop").write_bytes(b"k42 " * (ROUND_PAGES * 1024))
    with session.Session("k42", machine.cpus, "160M", append="k42.unsigned", variant=machine.variant,
                         shares=[(str(folder), "/srv")]) as one:
        one.wait_until_ready()
        one.run(["sh", "-c", "mkdir -p /c; yes 12345678 | head -c 30000 > /tmp/text"])
        yield one


def test_a_kernel_with_the_option_lets_unsigned_ones_in(lenient, built):
    put(lenient, "/tmp/m", built["monitor"][:-TRAILER])
    _, said = sh(lenient, "k42ctl load /tmp/m; k42ctl unload monitor; dmesg | grep unsigned")
    assert "m is not signed; the option k42.unsigned lets it in" in said
    changed = bytearray(built["monitor"])
    changed[5000] ^= 1
    put(lenient, "/tmp/m", bytes(changed))
    status, said = sh(lenient, "k42ctl load /tmp/m")
    assert status == 1 and "changed after it was signed" in said


@calm
def test_a_policy_of_reading_ahead_serves_a_file_in_use(lenient, built):
    put(lenient, "/c/fcm_whole.k42", built["fcm_whole"])
    said = works(lenient, READ + """exec 5< /srv/small; k42ctl load /c/fcm_whole.k42
k42ctl swap --file /srv/small fcm.whole --deadline 10s
tail -c 7000 /srv/small | md5sum; md5sum < /srv/small
k42ctl show $(k42ctl objects --class fcm.whole --json | grep -o '"id":[0-9]*' | cut -d: -f2)
! k42ctl unload fcm_whole
k42ctl swap --class fcm.whole fcm.shared --deadline 10s; k42ctl unload fcm_whole; md5sum < /srv/small""" + READ_END)
    assert said.count(hashlib.md5(SMALL).hexdigest()) == 2, said
    assert hashlib.md5(SMALL[-7000:]).hexdigest() in said, said


def test_a_policy_of_one_cache_serves_a_file_larger_than_memory(lenient, built):
    put(lenient, "/c/fcm_loop.k42", built["fcm_loop"])
    said = works(lenient, READ + """exec 5< /srv/large; k42ctl load /c/fcm_loop.k42
k42ctl swap --file /srv/large fcm.loop --deadline 10s
for i in 1 2; do dd if=/srv/large bs=1M status=none | tail -c 100 | md5sum; done
k42ctl unload fcm_loop --to fcm.shared""" + READ_END, limit=200)
    assert said.count(hashlib.md5(b"k42 " * 25).hexdigest()) == 2, said


# A program goes round through twice what it has frames for, and tells after each round what it has read
# and what its PM says: class, frames, limit and pages that came. Another policy comes while it goes.
ROUNDS = """rm -f /tmp/over; trap 'touch /tmp/over' EXIT; set -e; k42ctl load /c/pm_bip.k42; exec 3< /srv/loop; echo 3 pm.clock 128 > /proc/k42/replacement
line() { awk '$4 == 128 && $5 {print $1, $2, $3, $11, $7}' /proc/k42/replacement; }
pm=$(line | cut -d ' ' -f 1); : > /tmp/told
(while [ ! -e /tmp/over ]; do dd if=/srv/loop bs=64K status=none | cksum; line; done) > /tmp/told & loop=$!
rounds() { from=$(wc -l < /tmp/told); until [ $(($(wc -l < /tmp/told) - from)) -ge 6 ]; do sleep 0.1; done; }
rounds; k42ctl swap $pm pm.bip --deadline 10s; rounds; k42ctl swap $pm pm.2q --deadline 10s; rounds
k42ctl swap $pm pm.bip --deadline 10s; ! k42ctl unload pm_bip; k42ctl swap --class pm.bip pm.clock --deadline 10s; k42ctl unload pm_bip
touch /tmp/over; wait $loop; echo told; cat /tmp/told; rm /tmp/over"""


@calm
def test_a_policy_of_replacement_comes_into_a_running_loop_and_finds_more_in_memory(lenient, built):
    """Twice what fits: who keeps what came last finds nothing, who keeps what is there nearly half."""
    put(lenient, "/c/pm_bip.k42", built["pm_bip"])
    status, said = sh(lenient, ROUNDS, limit=200)
    assert status == 0, said
    lines = [line.split() for line in said[said.index("told\n") + 5:].splitlines()]
    assert {tuple(line[1:]) for line in lines if len(line) == 2} == {(str(ROUND_PAGES * 4096),)}
    assert len({line[0] for line in lines if len(line) == 2}) == 1, lines
    told = [(line[1], *map(int, line[2:])) for line in lines if len(line) == 5]
    assert all(100 <= used <= 128 and present <= 128 for _, used, _, present in told), told
    came = {"pm.clock": [], "pm.bip": [], "pm.2q": []}
    for (before, _, first, _), (now, _, last, _) in zip(told, told[1:]):
        if before == now and (now != "pm.clock" or not came["pm.bip"]):
            came[now].append(last - first)
    assert min(came["pm.clock"]) > 240 and max(came["pm.bip"]) < 200, came
    assert came["pm.2q"][0] < 200, "it has found what was there"


# ---- ./k42 build ----

@pytest.mark.parametrize("text, reason", [
    ("int f(void) { return 1 }", "error: expected"),
    ("double f(double x) { return x * 2; }", "SSE register return with SSE disabled"),
    ("#include <k42/kernel.h>\nvoid g(void);\nK42_EXPORT void f(void);\nvoid f(void) { g(); }",
     "uses what the kernel does not offer: g"),
], ids=["wrong", "floating-point", "not-offered"])
def test_what_cannot_be_loaded_is_not_built(tmp_path, text, reason):
    source = tmp_path / "one.c"
    source.write_text(text)
    with pytest.raises(Trouble) as trouble:
        component.build(str(source), str(tmp_path / "one.k42"))
    assert reason in str(trouble.value)
    assert os.listdir(tmp_path) == ["one.c"]


def test_the_command_builds_where_it_is_told(tmp_path):
    output = tmp_path / "here.k42"
    done = subprocess.run([path("k42"), "build", path("components", "monitor.c"), "-o",
                           str(output), "--unsigned"], capture_output=True, text=True)
    assert done.returncode == 0 and "not signed" in done.stdout, done
    assert not output.read_bytes().endswith(b"K42SIGN1")
