"""Programs that take too much fail by themselves: the guest goes on, and says what was wrong."""
import pytest
from conftest import LONG
from launcher.left import calm

SUITE_TIMEOUT_SECONDS = 600


@pytest.fixture(autouse=True)
def the_guest_goes_on(machine):
    yield
    done = machine.run(["sh", "-c", "echo alive; ls / | wc -l; seq 100 | tail -n 1"])
    assert done.status == 0 and done.output.split()[0] == b"alive"
    assert done.output.split()[2] == b"100"


def test_a_fork_bomb_stops_at_its_limit(machine):
    done = machine.sh("f() { echo forked >> count; f | f; }; ulimit -u 40; "
                      "exec setpriv --reuid=1234 --clear-groups sh -c "
                      "'ulimit -u 40; f() { f | f & }; f; sleep 1; f; echo over'", shell="/bin/bash",
                      limit=100)
    assert b"over" in done.output or done.status


def test_processes_without_end_are_all_ended_with_their_command(machine):
    machine.sh("for i in $(seq 60); do (sleep 1000; :) & done; exit 0", limit=100)
    assert machine.run(["sh", "-c", "ps -eo comm | grep -c sleep"]).output == b"0\n"


def test_memory_that_is_not_to_be_had_is_refused(machine):
    done = machine.sh("ulimit -v 50000; head -c 100000000 /dev/zero | tail -n 1 | wc -c", limit=200)
    assert b"exhausted" in done.errors or b"annot allocate" in done.errors


@pytest.mark.skipif(not LONG, reason="only with --long: fills the machine's memory")
def test_a_program_that_touches_more_memory_than_there_is_ends_alone(machine):
    done = machine.sh("(echo start; head -c 3G /dev/zero | tail -n 1 > /dev/null); echo went on",
                      limit=400)
    assert done.output == b"start\nwent on\n"


def test_a_full_file_system_says_so(machine):
    done = machine.sh("mkdir m; mount -t tmpfs -o size=1M none m; dd if=/dev/zero of=m/f bs=64K; "
                      "echo $?; rm m/f; echo fits > m/f; cat m/f; umount m")
    assert b"No space left" in done.errors and done.output == b"1\nfits\n"


def test_files_are_limited(machine):
    machine.same_sh("ulimit -n 20; i=3; while eval \"exec $i< /dev/null\"; do i=$((i + 1)); done; "
                    "echo $i", shell="/bin/bash")


def test_output_that_is_too_large_is_stopped(machine):
    machine.same_sh("ulimit -f 8; (head -c 100000 /dev/zero > f; echo $?) 2> /dev/null; "
                    "stat -c %s f", shell="/bin/bash")


def test_endless_recursion_ends_its_program(machine):
    done = machine.sh("ulimit -s 512; bash -c 'f() { f; }; f' 2> /dev/null; echo $?", limit=300)
    assert done.output == b"139\n"


def test_cpu_time_is_limited(machine):
    done = machine.sh("(ulimit -t 1; while :; do :; done); echo $?", shell="/bin/bash", limit=100)
    assert done.output == b"137\n"


def test_a_soft_limit_of_time_warns_first(machine):
    done = machine.sh("(ulimit -S -t 1; while :; do :; done); echo $?", shell="/bin/bash", limit=100)
    assert done.output == b"152\n"


def test_what_runs_is_counted_in_the_average_of_load(machine):
    with calm(machine):  # a storm runs, too
        done = average_of_load(machine)
    before, now, _, _, tasks, _ = done.output.decode().splitlines()[-1].split()
    # What ran before is forgotten by and by, and there is one that runs.
    assert before != now and abs(float(now) - 1) <= abs(float(before) - 1) + 0.1
    running, threads = map(int, tasks.split("/"))
    assert 2 <= running <= threads


def average_of_load(machine):
    return machine.sh("read -r before rest < /proc/loadavg; while :; do :; done & "
                      "for i in $(seq 60); do read -r one rest < /proc/loadavg; "
                      "[ $one != $before ] && break; sleep 1; done; uptime; kill $!; echo $before $one $rest",
                      shell="/bin/bash", limit=100)


@pytest.mark.parametrize("length, status", [(100_000, 0), (3_000_000, 126)])
def test_arguments_may_be_long_but_not_endless(machine, length, status):
    done = machine.sh(f"x=$(head -c {length} /dev/zero | tr '\\0' x); "
                      "set -- $(yes xxxxxxxxx | head -n " + str(length // 10) + "); "
                      "env true \"$@\"; echo $?", limit=200)
    assert done.output == f"{status}\n".encode()


def test_hundreds_of_processes_wait_at_once(machine):
    done = machine.sh("mkfifo p; exec 3<> p; for i in $(seq 300); do (read -N 1 x <&3; echo $x) & "
                      "done > out; yes x | head -n 150 >&3; wait; grep -c x out",
                      shell="/bin/bash", limit=300)
    assert done.output == b"150\n"
