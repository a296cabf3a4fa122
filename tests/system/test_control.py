"""k42ctl: what it tells of a running kernel's objects, what it changes, and what it says when it
cannot."""
import json
import os
import re
import struct
import subprocess

import pytest
from launcher.tree import path

K42 = path("k42")
SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = "2"
GUESTS = os.environ.get("K42_GUEST", "k42").split(",")
pytestmark = pytest.mark.skipif(GUESTS != ["k42"], reason="Linux has no objects")

# However slow all is.
PATIENT = "--deadline 10s"
AS_NOBODY = "chroot --userspec=65534:65534 / "
# A program between two FIFOs that a shell has open; ends when told so.
# What has come through it has been read by cat, not by the shell that is about to become it.
PIPELINE = ("mkfifo /tmp/in /tmp/out; cat < /tmp/in > /tmp/out & exec 5> /tmp/in 6< /tmp/out; "
            "echo begin >&5; read -u 6 begun; ")
END = "; exec 5>&- 6<&-; wait; rm -f /tmp/in /tmp/out"


def run(machine, script, **more):
    done = machine.run(["bash", "-c", script], **more)
    assert done.status == 0 and not done.errors, done
    return done.output.decode()


def ask(machine, words, before="", after=""):
    return json.loads(run(machine, f"{before}k42ctl {words} --json{after}"))


def refuses(machine, words, status=1):
    done = machine.run(["bash", "-c", words])
    assert done.status == status and not done.output, done
    return done.errors.decode()


def outcomes(machine, lines):
    """Status and whatever is said, of k42ctl with each of these words."""
    script = "while read -r words; do k42ctl $words 2>&1; echo \"@@@ $?\"; done"
    said = run(machine, script, data="".join(f"{words}\n" for words in lines).encode())
    found = re.findall(r"(.*?)@@@ (\d+)\n", said, re.S)
    return {words: (int(status), text) for words, (text, status) in zip(lines, found, strict=True)}


def no_hook_is_left(machine):
    """Those of a program that has ended go once nobody is inside them."""
    run(machine, """until [ "$(k42ctl stats | grep -c '^hooks  *0$')" = 1 ]; do :; done""")


# ---- looking ----

def test_the_objects_of_a_pipeline_are_told_with_their_owners(machine):
    output = run(machine, PIPELINE + "echo $!; k42ctl objects --json" + END)
    pid, told = output.split("\n")[0], json.loads(output.split("\n")[1])
    by_id = {one["id"]: one for one in told["objects"]}
    assert len(by_id) == len(told["objects"]) > 100

    def owned(part, **wanted):
        return [one for one in told["objects"] for owner in one["owners"]
                if owner["part"] == part and str(owner["pid"]) == pid
                and all(owner.get(key) == value for key, value in wanted.items())]
    assert [one["interface"] for one in owned("process")] == ["process"]
    assert [one["interface"] for one in owned("address space")] == ["space"]
    assert [one["interface"] for one in owned("descriptors")] == ["descriptors"]
    assert [one["interface"] for one in owned("open file", descriptor=0, file="/tmp/in")] == ["file"]
    assert [one["interface"] for one in owned("behind", descriptor=0)] == ["pipe"]
    assert [one["interface"] for one in owned("behind", descriptor=1)] == ["pipe"]
    caches = owned("page cache", file="/usr/bin/cat")
    assert caches and caches[0]["interface"] == "fcm" and caches[0]["pages"] > 0


def test_people_get_a_tree_and_counts(machine):
    lines = run(machine, PIPELINE + "k42ctl objects" + END).split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("process") and
              line.split()[-1] == "cat")
    under = lines[at:at + 12]
    assert any(line.startswith("  file 0") and line.endswith("/tmp/in") for line in under)
    assert any(line.startswith("    pipe") and " pipe." in line for line in under)
    assert any(line.startswith("OTHERS, BY CLASS") for line in lines)


def test_one_object_is_shown_in_its_own_words(machine):
    text = run(machine, PIPELINE + "k42ctl show $(k42ctl objects --file /tmp/in --what medium | "
               "tail -n 1 | cut -c 1-6)" + END)
    assert "class       pipe." in text and "state       pipe of 65536 bytes" in text
    assert "behind /tmp/in, descriptor 0 of cat" in text


def test_classes_are_told_with_traits_and_instances(machine):
    told = {one["name"]: one for one in ask(machine, "classes")["classes"] if one["current"]}
    assert told["fcm.shared"]["traits"] == "behind=file sharing=low"
    assert told["process.linux"]["instances"] > 0 and told["process.linux"]["swappable"]
    assert told["run_queue.fair"]["atomic"]
    only = ask(machine, "classes --interface fcm")["classes"]
    assert {one["interface"] for one in only} == {"fcm"} and len(only) > 2


def test_many_objects_are_told_completely(machine):
    """More than fit into one answer, of one class and of one process."""
    long = "x" * 160
    told = run(machine, f"""mkdir /tmp/many; cd /tmp/many; ulimit -n 1000
        for n in $(seq 700); do : > {long}-$n; done
        for n in $(seq 320); do eval "exec $((n + 20))< {long}-$n"; done
        k42ctl objects --class node.ramfs.regular --json; k42ctl objects --json
        cd /; rm -r /tmp/many""", limit=200).split("\n")
    assert len(json.loads(told[0])["objects"]) > 700
    names = {owner["file"] for one in json.loads(told[1])["objects"] for owner in one["owners"]
             if owner["part"] == "open file"}
    assert {f"/tmp/many/{long}-{n}" for n in range(1, 321)} <= names


def test_everybody_may_look_but_names_of_others_files_are_not_told(machine):
    told = json.loads(run(machine, AS_NOBODY + "k42ctl objects --json"))
    assert len(told["objects"]) > 100
    named = {owner["process"] for one in told["objects"] for owner in one["owners"]
             if owner.get("file")}
    assert named == {"k42ctl"}


# ---- swapping ----

def test_the_cache_of_a_file_is_swapped_while_it_is_read(machine):
    output = run(machine, """seq 100000 > /tmp/numbers; sum=$(cksum < /tmp/numbers)
        (for n in $(seq 8); do [ "$(cksum < /tmp/numbers)" = "$sum" ] || echo lost; done) & reader=$!
        n=0; while kill -0 $reader 2> /dev/null; do
            k42ctl swap --file /tmp/numbers %s --json; n=$((n + 1)); done
        rm /tmp/numbers""" % PATIENT)
    told = [json.loads(line) for line in output.split("\n") if line]
    assert len(told) > 2 and sum(one["swapped"] for one in told) > 2
    assert all(one["swaps"][0]["to"].startswith("fcm.") for one in told)


def test_all_pipes_are_swapped_at_once_and_lose_nothing(machine):
    output = run(machine, PIPELINE + """echo before >&5
        k42ctl swap --interface pipe %s --json; echo after >&5
        read -u 6 one; read -u 6 two; echo $one $two""" % PATIENT + END)
    told, lines = output.split("\n", 1)
    assert json.loads(told)["swapped"] >= 5 and json.loads(told)["failed"] == 0
    assert lines == "before after\n"


def test_what_a_process_has_is_swapped_and_goes_on(machine):
    output = run(machine, PIPELINE + f"k42ctl swap --pid $! --what all {PATIENT} --json; echo x >&5; "
                 "read -u 6 x; echo $x" + END)
    told, rest = output.split("\n", 1)
    assert json.loads(told)["swapped"] >= 8 and json.loads(told)["failed"] == 0 and rest == "x\n"


def test_a_class_is_chosen_by_traits(machine):
    told = ask(machine, f"swap --class process.linux --select lock=one {PATIENT}")
    assert told["swapped"] > 2 and {one["to"] for one in told["swaps"]} == {"process.linux"}


def test_a_deadline_names_who_held_it_up(machine):
    """A reader is nearly always inside, and then no swap can end by its deadline."""
    said = run(machine, """echo hello > /tmp/held
        until k42ctl interpose --file /tmp/held --method read --delay 300ms -- sh -c '
            (while [ -e /tmp/held ]; do cat /tmp/held; done > /dev/null 2> /dev/null) &
            while :; do
                said=$(k42ctl swap --file /tmp/held --deadline 1ms --attempts 1 2>&1)
                case $said in *"(cat) in read"*) break;; esac
            done
            echo "$said"' 2> /tmp/why; do grep -q "try again" /tmp/why || break; done
        cat /tmp/why >&2; rm /tmp/held /tmp/why""")
    assert re.fullmatch(r"k42ctl: object \d+: deadline passed while .*, held up by thread \d+ "
                        r"\(cat\) in read; --deadline and --attempts give it more time\n", said)


def test_only_root_changes_anything(machine):
    for words, what in (("swap --interface pipe", "swap objects"),
                        ("watch --interface pipe", "place hooks"),
                        ("interpose --interface pipe --delay 1ms", "place hooks")):
        said = refuses(machine, AS_NOBODY + f"k42ctl {words}")
        assert said == f"k42ctl: only root may {what} (CAP_SYS_ADMIN)\n"


# ---- watching ----

def test_a_watched_pipe_counts_the_calls_that_were_made(machine):
    output = run(machine, """mkfifo /tmp/fifo; exec 5<> /tmp/fifo 6< /tmp/fifo; cat <&6 > /dev/null & cat=$!
        k42ctl watch --file /tmp/fifo --what medium --json -- \\
            dd if=/dev/zero of=/tmp/fifo bs=1000 count=37 status=none
        kill $cat; exec 5>&- 6<&-; rm /tmp/fifo""")
    methods = {one["method"]: one for one in json.loads(output)["objects"][0]["methods"]}
    write = methods["write"]
    assert write["calls"] - write["waits"] - write["failed"] == 37
    assert methods["attach"]["calls"] == 1 and methods["detach"]["calls"] == 1
    assert write["total_ns"] >= write["longest_ns"] > 0
    assert sum(one["calls"] for one in write["within_ns"]) == write["calls"]


def test_what_is_watched_can_be_swapped_and_stays_watched(machine):
    output = run(machine, """seq 10 > /tmp/watched
        k42ctl watch --file /tmp/watched --json -- sh -c 'cat /tmp/watched > /dev/null
            k42ctl swap --file /tmp/watched %s > /dev/null; cat /tmp/watched > /dev/null'
        rm /tmp/watched""" % PATIENT)
    methods = {one["method"]: one for one in json.loads(output)["objects"][0]["methods"]}
    assert methods["read"]["calls"] == 4


def test_hooks_go_with_whoever_placed_them(machine):
    """What is being swapped takes none, and then the watch ends at once."""
    run(machine, """watch() { k42ctl watch --pid 1 --interval 1000s & watch=$!; }; watch
        until [ "$(k42ctl stats | grep -c '^hooks  *1$')" = 1 ]; do kill -0 $watch || watch; done
        kill -KILL $watch; wait $watch 2> /dev/null || :""")
    no_hook_is_left(machine)


def test_calls_are_answered_with_an_error_as_often_as_asked(machine):
    done = machine.run(["bash", "-c", """echo hello > /tmp/x
        k42ctl interpose --file /tmp/x --method read --error EIO --calls 2 -- \\
            sh -c 'cat /tmp/x; cat /tmp/x; cat /tmp/x'; cat /tmp/x; rm /tmp/x"""])
    assert done.output == b"hello\nhello\n"
    assert done.errors == b"cat: /tmp/x: Input/output error\n" * 2


def test_calls_are_delayed(machine):
    output = run(machine, """echo hello > /tmp/x
        k42ctl interpose --file /tmp/x --method read --delay 20ms -- \\
            k42ctl watch --file /tmp/x --json -- cat /tmp/x; rm /tmp/x""")
    methods = {one["method"]: one for one in json.loads(output.split("\n")[1])["objects"][0]["methods"]}
    assert methods["read"]["total_ns"] >= methods["read"]["calls"] * 20000000 > 0


# ---- what cannot be done ----

CANNOT = {
    "swap 4000000000": "there is no object 4000000000",
    "show 4000000000": "there is no object 4000000000: No such file or directory; "
                       "'k42ctl objects' lists them",
    "swap --class file.contrl": "there is no class file.contrl; the nearest is file.control",
    "swap --interface pipe zzzzzzzzzzzzzzz": "there is no class zzzzzzzzzzzzzzz; "
                                             "'k42ctl classes' lists them",
    "swap --class fr.zero": "there is no object of class fr.zero",
    "swap --interface tree": "there is no interface tree; 'k42ctl classes' lists them",
    "swap --file /none": "cannot find /none: No such file or directory",
    "swap --file /tmp": "/tmp has no page cache: it is no regular file; "
                        "--what node means its node",
    "swap --file /etc/hostname --what x": "--what x is nothing that a file has; it has cache, open, "
                                          "node, medium, all",
    "swap --file /dev/full --what open": "nobody has /dev/full open",
    "swap --pid 32000": "there is no process 32000",
    "swap --pid x": "x is no number of a process",
    "watch 4000000000": "there is no object 4000000000; 'k42ctl objects' lists them",
    "interpose 0 --delay 1ms": "0 is no object",
    "classes --interface tree": "there is no interface tree; 'k42ctl classes' lists them",
}


def test_what_cannot_be_done_is_said_with_what_would_have_worked(machine):
    said = outcomes(machine, CANNOT)
    assert {words: (1, f"k42ctl: {text}\n") for words, text in CANNOT.items()} == said


def test_a_class_of_another_interface_is_refused_by_name(machine):
    said = refuses(machine, "k42ctl swap --file /usr/bin/bash file.control")
    assert re.search(r"is a (fcm\.\w+), which has interface fcm; file\.control has not; "
                     r"of interface fcm there are .*\1", said) and "fcm.shared" in said


def test_a_method_that_is_not_there_is_refused_with_those_that_are(machine):
    said = refuses(machine, "k42ctl interpose --file /usr/bin/bash --method raed --delay 1ms")
    assert "has no method raed; it has describe, " in said and " read, write" in said
    no_hook_is_left(machine)


def test_an_atomic_interface_takes_no_hooks(machine):
    """Named by its number: in a storm nobody knows its class."""
    told = ask(machine, "objects")["objects"]
    queue = next(one["id"] for one in told if one["interface"] == "run_queue")
    said = refuses(machine, f"k42ctl watch {queue}")
    assert "has an atomic interface, which takes no hooks" in said


WRONG = ["", "none", "swap", "swap --deadline 1h 7", "swap --attempts x 7", "swap 7 --what",
         "swap a b 7", "swap 7 x --select y", "watch", "watch 7 --interval x", "interpose 7", "show",
         "show x", "interpose 7 --error ENONE", "stats x", "objects x", "classes x",
         "interpose 7 --delay 2s", "reboot x", "watch 7 --"]


def test_wrong_words_have_a_status_of_their_own(machine):
    for words, (status, said) in outcomes(machine, WRONG).items():
        assert status == 2 and said.startswith("k42ctl: ") and "'k42ctl help" in said, words


def test_help_tells_of_every_command(machine):
    names = ("objects", "show", "classes", "stats", "swap", "watch", "interpose", "reboot")
    told = outcomes(machine, ["help", *(f"help {name}" for name in names)])
    for name in names:
        assert f"  {name} " in told["help"][1]
        assert told[f"help {name}"][1].startswith(f"usage: k42ctl {name} ")


# ---- the device itself ----

def head(length, version=1, kind=5, count=0, spare=0, next=0):
    return struct.pack("<IHHIIQ", length, version, kind, count, spare, next)


REFUSED = [(b"x" * 5, "Invalid argument"), (head(32), "Invalid argument"),
           (head(24, version=2), "Protocol error"), (head(24, kind=99), "Function not implemented"),
           (head(24, count=1), "Invalid argument"), (head(24, next=1), "Invalid argument"),
           (head(9000) + bytes(8976), "Invalid argument")]


def test_malformed_requests_are_refused(machine):
    script = "".join("printf '%s' > /tmp/request; dd if=/tmp/request of=/dev/k42 bs=16k "
                     "conv=notrunc status=none\n" % "".join(f"\\{byte:03o}" for byte in asked)
                     for asked, _ in REFUSED)
    done = machine.run(["bash", "-c", script + "rm /tmp/request"])
    assert [line.rsplit(": ", 1)[1] for line in done.errors.decode().splitlines()] == [
        error for _, error in REFUSED], done


def test_a_conversation_that_is_not_answered_leaves_nothing(machine):
    machine.run(["sh", "-c", "cat > /tmp/request; for n in 1 2 3; do "
                 "cat /tmp/request > /dev/k42; done; rm /tmp/request"], head(24))
    assert run(machine, "dd if=/dev/k42 bs=64 status=none | wc -c") == "0\n"


# ---- from the host ----

def ctl(*words):
    return subprocess.run([K42, "ctl", *words], capture_output=True, text=True, timeout=60)


def guest(*words):
    """A guest that ./k42 run has started and that answers."""
    started = subprocess.Popen([K42, "run", "--cpus", "1", "--limit", "100", "--", *words],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert b"ready\n" in iter(started.stdout.readline, b"")
    return started


def test_a_guest_is_controlled_from_another_terminal():
    with guest("sh", "-c", "echo ready; read -r line; echo $line") as first:
        name = str(first.pid)
        told = ctl("--guest", name, "swap", "--interface", "pipe", *PATIENT.split(), "--json")
        assert told.returncode == 0 and json.loads(told.stdout)["swapped"] >= 4
        said = ctl("--guest", name, "swap", "--class", "file.contrl")
        assert (said.returncode, said.stderr) == (
            1, "k42ctl: there is no class file.contrl; the nearest is file.control\n")
        watching = subprocess.Popen([K42, "ctl", "--guest", name, "watch", "--pid", "1"],
                                    stdout=subprocess.PIPE)
        assert watching.stdout.readline().split()[:2] == [b"REF", b"METHOD"]
        assert json.loads(ctl("--guest", name, "stats", "--json").stdout)["hooks"] == 1
        watching.kill()
        watching.communicate()
        while json.loads(ctl("--guest", name, "stats", "--json").stdout)["hooks"]:
            pass
        output, _ = first.communicate(b"goes on\n", timeout=60)
        assert output == b"goes on\n" and first.returncode == 0
    missing = ctl("--guest", name, "stats")
    assert missing.returncode == 1 and f"k42: no guest is called {name}" in missing.stderr
