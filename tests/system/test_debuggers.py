"""Debian's strace and gdb, unmodified, on programs that run in the guest."""
import os
import re
import subprocess

import pytest
from launcher import component
from launcher.tree import built, path

SUITE_TIMEOUT_SECONDS = 600
PACKAGES = ("strace", "gdb")

PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

volatile int counter;

__attribute__((noinline)) int inner(int n) {
    counter += n;
    return n * 2;
}

__attribute__((noinline)) int outer(int n) {
    int twice = inner(n + 1);
    return twice + 1;
}

static void *work(void *) {
    outer(4);
    return NULL;
}

static void *sleeps(void *) {
    for (;;)
        pause();
}

int main(int count, char **) {
    pthread_t thread;
    if (count == 1) {
        printf("%d\n", outer(20));
        return counter;
    }
    if (count == 2) {
        pthread_create(&thread, NULL, work, NULL);
        pthread_join(thread, NULL);
        return 0;
    }
    if (count == 4) {
        pthread_create(&thread, NULL, sleeps, NULL);
        usleep(100000);
        *(volatile int *)8 = outer(1);
    }
    for (;;) {
        outer(1);
        usleep(10000);
    }
}
"""


@pytest.fixture(scope="module")
def program(machine):
    """The program with what debuggers want to know of it, in the guest."""
    source = built("tmp", "debugged.c")
    os.makedirs(os.path.dirname(source), exist_ok=True)
    with open(source, "w") as file:
        file.write(PROGRAM)
    made = source[:-2]
    subprocess.run(["gcc", "-g", "-O0", "-o", made, source], check=True)
    with open(made, "rb") as file:
        machine.run(["sh", "-c", "cat > /tmp/debugged && chmod +x /tmp/debugged"], file.read())
    return "/tmp/debugged"


def lines(done):
    return done.output.decode(errors="replace") + done.errors.decode(errors="replace")


def gdb(machine, commands, *words, before="", after=""):
    asked = " ".join(f"-ex '{command}'" for command in commands)
    return lines(machine.sh(f"{before}\ngdb -nx -batch {asked} {' '.join(words)}\n{after}", limit=300))


# ---- strace ----

def test_calls_of_a_program_are_told(machine):
    said = lines(machine.sh("strace -e trace=openat,close,write cat /etc/hostname"))
    assert re.search(r'^openat\(AT_FDCWD, "/etc/hostname", O_RDONLY\) += 3$', said, re.M), said
    assert re.search(r'write\(1, "k42\\n", 4.*\) += 4$', said, re.M | re.S), said
    assert "+++ exited with 0 +++" in said


def test_children_are_followed(machine):
    said = lines(machine.sh("strace -f -e trace=execve,exit_group sh -c 'cat /dev/null; exit 7'; echo $?"))
    assert len(re.findall(r"execve\(", said)) >= 2, said
    assert re.search(r"\[pid +\d+\] \+\+\+ exited with 0 \+\+\+", said), said
    assert "+++ exited with 7 +++" in said and said.count("\n7\n") == 1 or said.startswith("7\n"), said


def test_calls_are_counted(machine):
    said = lines(machine.sh("strace -c -f sh -c 'ls / | wc -l'"))
    assert re.search(r"^100[.,]00 .* total$", said, re.M), said


def test_a_running_program_is_watched_and_left(machine):
    said = lines(machine.sh("sleep 100 & sleep 0.1; timeout 1 strace -p $! -e trace=all 2>&1; "
                            "kill -0 $! && echo still there; kill $!"))
    assert "attached" in said and "detached" in said and "still there" in said, said


def test_a_call_is_made_to_fail(machine):
    said = lines(machine.sh("strace -e trace=openat -e inject=openat:error=EACCES:when=3 "
                            "cat /etc/hostname"))
    assert "EACCES" in said and "(INJECTED)" in said, said


# ---- gdb ----

def test_a_breakpoint_stops_a_program(machine, program):
    said = gdb(machine, ["break inner", "run", "bt", "next", "print counter", "finish", "continue"],
               program)
    assert re.search(r"^Breakpoint 1, inner \(n=21\)", said, re.M), said
    assert re.search(r"^#1 .* in outer \(n=20\)", said, re.M), said
    assert re.search(r"^#2 .* in main ", said, re.M), said
    assert "$1 = 21" in said and "Value returned is $2 = 42" in said, said
    assert re.search(r"exited with code 025\]", said), said


def test_a_running_program_is_attached_to(machine, program):
    said = gdb(machine, ["bt", "break inner", "continue", "bt", "detach"], "-p $!",
               before=f"{program} a b & sleep 0.3", after="kill -0 $! && echo still there; kill $!")
    assert re.search(r"in main \(", said), said
    assert re.search(r"^Breakpoint 1, inner \(n=2\)", said, re.M), said
    assert "still there" in said, said


def test_variables_are_set_and_functions_called(machine, program):
    said = gdb(machine, ["break inner", "run", "delete", "set var n = 100", "print outer(1)",
                         "continue"], program)
    assert "$1 = 5" in said and "exited with code 0146]" in said, said


def test_a_variable_is_watched(machine, program):
    """By the processor's debug registers."""
    said = gdb(machine, ["break main", "run", "watch counter", "continue", "bt", "continue"], program)
    assert "Hardware watchpoint 2: counter" in said, said
    assert re.search(r"^Old value = 0\nNew value = 21\n", said, re.M), said
    assert re.search(r"^#0 +inner \(n=21\)", said, re.M), said
    assert "exited with code 025]" in said, said


def test_threads_are_seen(machine, program):
    said = gdb(machine, ["break inner", "run", "info threads", "thread apply all bt", "continue"],
               f"--args {program} a")
    assert re.search(r"^\* 2 +Thread .* inner \(n=5\)", said, re.M), said
    assert re.search(r"^#\d+ .* in main ", said, re.M), said
    assert "exited normally" in said, said


def test_instructions_are_stepped(machine, program):
    said = gdb(machine, ["break outer", "run", "stepi 20", "info registers rip", "continue"], program)
    assert re.search(r"^rip +0x", said, re.M), said
    assert "exited with code 025" in said, said


# ---- cores ----

def test_a_core_says_how_it_ended(machine, program):
    said = gdb(machine, ["bt", "print counter", "info sharedlibrary", "thread apply all bt"],
               program, "core-debugged-11", before="echo 'core-%e-%s' > /proc/sys/kernel/core_pattern\n"
               f"ulimit -c unlimited; {program} a b c; echo status $?",
               after="echo core > /proc/sys/kernel/core_pattern")
    assert "status 139" in said and "terminated with signal SIGSEGV" in said, said
    assert re.search(r"^#0 +main \(count=4\)", said, re.M) and "$1 = 2" in said, said
    assert "libc.so.6" in said and re.search(r"^#\d+ .* in sleeps \(", said, re.M), said


def test_without_a_limit_for_it_there_is_no_core(machine, program):
    said = lines(machine.sh(f"ulimit -c 0; {program} a b c; echo status $?; ls", shell="/bin/bash"))
    assert "status 139" in said and "dumped" not in said and "core" not in said, said
    said = lines(machine.sh(f"ulimit -c 8; {program} a b c; echo status $?; du -k core",
                            shell="/bin/bash"))
    assert re.search(r"^([0-8])\tcore$", said, re.M), said


# ---- processes that are replaced meanwhile ----

SWAPS = """(turns=0; while [ ! -e over ]; do
    k42ctl swap --class process.linux --attempts 4 --deadline 100ms
    k42ctl upgrade /tmp/process_v2.k42
    k42ctl upgrade process.linux 1
    k42ctl unload process_v2 && turns=$((turns + 1))
done > swapped 2>&1; echo $turns > turns) & swaps=$!
until [ -s swapped ]; do sleep 0.01; done
%s
touch over; wait $swaps; echo turns $(cat turns); tail -n 3 swapped
"""


@pytest.fixture(scope="module")
def other_version(machine):
    """The next version of processes, whose blocks and records lie otherwise."""
    if machine.kernel != "k42":
        pytest.skip("Linux has no objects")
    made = built("tmp", f"process_v2-{machine.variant}.k42")
    component.build(path("components", "process_v2.c"), made, variant=machine.variant)
    with open(made, "rb") as file:
        machine.run(["sh", "-c", "cat > /tmp/process_v2.k42"], file.read())


def test_children_are_followed_while_processes_are_swapped(machine, other_version):
    work = "for i in 1 2 3 4 5 6 7 8 9 10; do (exit 3); cat /dev/null; done"
    said = lines(machine.sh(SWAPS % f"strace -f -o told sh -c '{work}'; echo status $?; "
                            "grep -c 'exited with 3 ' told; grep -c 'exited with 0 ' told", limit=300))
    assert "status 0\n10\n11\n" in said, said
    assert int(re.search(r"^turns (\d+)", said, re.M)[1]) > 0, said


def test_a_breakpoint_stops_a_program_while_processes_are_swapped(machine, program, other_version):
    said = lines(machine.sh(SWAPS % f"gdb -nx -batch -ex 'break inner' -ex run -ex bt -ex 'next' "
                            f"-ex 'next' -ex 'continue' {program}", limit=300))
    assert re.search(r"^Breakpoint 1, inner \(n=21\)", said, re.M), said
    assert "exited with code 025]" in said, said
    assert int(re.search(r"^turns (\d+)", said, re.M)[1]) > 0, said
