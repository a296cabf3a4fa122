"""./k42 run as a person or a script uses it: streams, status, signals, folders, a terminal, and what
it says when the guest fails."""
import json
import os
import signal
import subprocess
import time

import pexpect
import pytest
from conftest import only_long
from launcher.descent import descendants

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
K42 = os.path.join(ROOT, "k42")
GUESTS = os.environ.get("K42_GUEST", "k42").split(",")
SUITE_TIMEOUT_SECONDS = 600
LIMIT = "200"


@pytest.fixture(params=GUESTS)
def kernel(request):
    return request.param


def words(kernel, *more):
    return [K42, "run", "--kernel", kernel, "--cpus", "2", "--limit", LIMIT, *more]


def run(kernel, *more, data=b""):
    return subprocess.run(words(kernel, *more), input=data, capture_output=True)


def test_streams_and_status_are_the_launchers_own(kernel):
    data = os.urandom(300_000)
    done = run(kernel, "--", "sh", "-c", "cat; echo err >&2; exit 7", data=data)
    assert (done.returncode, done.stdout, done.stderr) == (7, data, b"err\n")


def test_ctrl_c_reaches_the_command(kernel):
    guest = subprocess.Popen(words(kernel, "--", "sh", "-c",
                                   "trap 'echo interrupted; exit 9' INT; echo ready; "
                                   "while :; do sleep 0.1; done"),
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    assert guest.stdout.readline() == b"ready\n"
    guest.send_signal(signal.SIGINT)
    output, _ = guest.communicate(timeout=60)
    assert (output, guest.returncode) == (b"interrupted\n", 9)


def test_a_folder_of_the_host_is_visible(kernel, tmp_path):
    (tmp_path / "in").write_text("from the host\n")
    done = run(kernel, "-v", f"{tmp_path}:/srv/shared", "--", "sh", "-c",
               "cat /srv/shared/in; echo from the guest > /srv/shared/out")
    assert done.stdout == b"from the host\n" and not done.returncode
    assert (tmp_path / "out").read_text() == "from the guest\n"


def wait_for_guest(bench):
    while bench.poll() is None:
        if guests := [one for one, name in descendants(bench.pid).items() if "qemu" in name]:
            return guests
        time.sleep(0.05)
    return []


def ignore_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize("before", [None, ignore_interrupts], ids=["in front", "in the background"])
def test_a_benchmark_that_is_terminated_leaves_no_guest(before):
    bench = subprocess.Popen([K42, "bench", "storm", "--seconds", "600", "--cpus", "1"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, preexec_fn=before)
    guests = wait_for_guest(bench)
    bench.terminate()
    _, errors = bench.communicate(timeout=100)
    assert guests and bench.returncode == 130, errors
    assert not [guest for guest in guests if os.path.exists(f"/proc/{guest}")]


def test_a_command_that_takes_too_long_is_ended(kernel):
    began = time.monotonic()
    done = subprocess.run([K42, "run", "--kernel", kernel, "--limit", "3", "--", "sleep", "1000"],
                          stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 124 and b"--limit" in done.stderr
    assert time.monotonic() - began < 150


PROMPT = "root@k42:~# "
# A command that says when it is there to be interrupted, in other words than it is typed in.
WAITS = "sh -c 'echo $((6*7)) waits; exec sleep 1000'"


@pytest.fixture
def terminal(kernel):
    child = pexpect.spawn(K42, words(kernel)[1:], dimensions=(30, 100), timeout=100,
                          encoding="utf-8", env={**os.environ, "TERM": "xterm"})
    child.expect_exact("./k42 help run")
    child.expect_exact(PROMPT)
    yield child
    child.close(force=True)


def test_a_person_gets_a_shell_with_a_terminal(terminal):
    for line, answer in (("tty", "/dev/"), ("stty size", "30 100"), ("echo $((6*7))", "42"),
                         ("echo $TERM", "xterm")):
        terminal.sendline(line)
        terminal.expect_exact(line)
        terminal.expect_exact(answer)
        terminal.expect_exact(PROMPT)
    terminal.sendline("exit 5")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 5


def test_keys_do_what_they_do_in_a_shell(terminal):
    terminal.sendline(WAITS)
    terminal.expect_exact("42 waits")
    terminal.sendcontrol("c")
    terminal.expect_exact(PROMPT)
    terminal.sendline("echo status $?")
    terminal.expect_exact("status 130")
    terminal.expect_exact(PROMPT)
    terminal.sendline(WAITS)
    terminal.expect_exact("42 waits")
    terminal.sendcontrol("z")
    terminal.expect_exact("Stopped")
    terminal.expect_exact(PROMPT)
    terminal.sendline("kill %1; wait; cat")
    terminal.expect_exact("wait; cat")
    terminal.sendline("typed")
    terminal.expect("typed\r+\n.*typed")
    terminal.sendcontrol("d")
    terminal.expect_exact(PROMPT)
    terminal.sendline("sleep 1 &")
    terminal.expect_exact("[1]")
    terminal.expect_exact(PROMPT)  # a key that comes before the shell takes keys is a line's end
    terminal.sendcontrol("d")
    terminal.expect(pexpect.EOF)


def test_ctrl_bracket_leaves(terminal):
    terminal.sendcontrol("]")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


@pytest.mark.parametrize("kernel, option", [
    pytest.param("linux", "rdinit=/none", marks=only_long), ("k42", "init=/none")])
def test_a_panic_is_shown_and_has_a_status_of_its_own(kernel, option):
    done = run(kernel, "--append", option, "--", "true")
    assert done.returncode == 125
    assert b"kernel panicked" in done.stderr and done.stderr.count(b"\n  ") > 3


def test_wrong_words_are_explained(tmp_path):
    done = run("linux", "-v", str(tmp_path / "missing"), "--", "true")
    assert done.returncode == 1 and b"is not a folder" in done.stderr
    done = run("linux", "--packages", "no-such-package", "--", "true")
    assert done.returncode == 1 and b"no-such-package" in done.stderr
    assert subprocess.run([K42, "build", "--", "x"], capture_output=True).returncode == 2


def test_the_terminal_is_put_back(tmp_path):
    script = f"stty -a > {tmp_path}/before; {' '.join(words('linux'))} < /dev/tty; " \
             f"stty -a > {tmp_path}/after"
    child = pexpect.spawn("sh", ["-c", script], timeout=100, encoding="utf-8")
    child.expect_exact(PROMPT)
    child.sendline("exit")
    child.expect(pexpect.EOF)
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()


@only_long
def test_costs_are_measured_beside_those_of_linux():
    done = subprocess.run([K42, "bench", "linux", "--quick", "--json", "--only", "getpid,boot",
                           "--cpus", "2"], capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(row["name"], row["unit"]) for row in rows} == {
        ("getpid", "instructions"), ("boot", "instructions"), ("getpid", "ns")}
    assert all(row["bench"] == "linux" and row["peer_value"] > 0 for row in rows)
    assert 200 < rows[0]["peer_value"] < 700  # instructions of a system call


def test_the_second_run_of_root_does_nothing():
    done = subprocess.run([K42, "root"], capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
