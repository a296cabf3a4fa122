"""Commands in a guest have streams, a status, a folder and an environment of their own, and leave
nothing behind for the next one."""
import os
import struct

import pytest

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (1, 4)


def test_output_and_errors_are_kept_apart(machine):
    done = machine.run(["sh", "-c", "echo out; echo err >&2"])
    assert (done.output, done.errors, done.status) == (b"out\n", b"err\n", 0)


@pytest.mark.parametrize("status", [0, 1, 77, 255])
def test_the_exit_status_is_passed_on(machine, status):
    assert machine.run(["sh", "-c", f"exit {status}"]).status == status


@pytest.mark.parametrize("number", [2, 9, 11, 15])
def test_a_signal_is_128_and_its_number(machine, number):
    assert machine.run(["sh", "-c", f"kill -{number} $$"]).status == 128 + number


def test_a_missing_program_has_status_127(machine):
    done = machine.run(["no-such-program"])
    assert done.status == 127 and b"no-such-program" in done.errors


def test_a_file_that_is_no_program_has_status_126(machine):
    assert machine.run(["/etc/passwd"]).status == 126


def test_input_arrives_byte_for_byte(machine):
    data = os.urandom(3_000_000) + bytes(range(256)) * 100
    done = machine.run(["cat"], data)
    assert done.status == 0 and done.output == data


def test_output_without_input_arrives_whole(machine):
    assert len(machine.run(["head", "-c", "5000000", "/dev/zero"]).output) == 5000000


def test_input_that_nobody_reads_is_dropped(machine):
    assert machine.run(["true"], b"x" * 2_000_000).status == 0
    assert machine.run(["cat"], b"next").output == b"next"


def test_arguments_are_passed_unchanged(machine):
    words = ["a b", "", "*", "$HOME", "'\"\\", "ä\n-"]
    done = machine.run(["printf", "%s\\0", *words])
    assert done.output.decode() == "".join(word + "\0" for word in words)


def test_environment_and_folder_are_set(machine):
    done = machine.run(["sh", "-c", 'echo "$ANSWER"; pwd'], environment={"ANSWER": "42 = 6 * 7"},
                       folder="/usr/share")
    assert done.output == b"42 = 6 * 7\n/usr/share\n"


def test_what_a_command_leaves_running_ends_with_it(machine):
    done = machine.run(["sh", "-c", "sleep 1000 & (setsid sleep 1000 &) ; echo started"])
    assert done.output == b"started\n"
    assert b"sleep" not in machine.run(["ps", "-eo", "comm"]).output


# One that spins, one that sleeps, one that is stopped, and one that has ended.
STATES = r"""
is() { read -r line < /proc/$1/stat; line=${line##*) }; [ ${line%% *} = $2 ]; }
sh -c 'while :; do :; done' & all=$!
sleep 1000 & all=$all,$! sleeps=$!
sleep 1000 & all=$all,$! stopped=$!; kill -STOP $stopped
# It ends when its parent has become what does not ask for it.
sh -c 'until read -r name < /proc/$$/comm && [ $name = sleep ]; do :; done & echo $! > /tmp/ended
    exec sleep 1000' & parent=$!
until is $sleeps S && is $stopped T && read -r ended < /tmp/ended && is $ended Z; do :; done 2>&-
ps -o state= -p $all,$ended
top -b -n 1 -p $all,$ended | awk '$1 ~ /^[0-9]+$/ {print $1, $8}' | sort -n | cut -d ' ' -f 2
kill -9 ${all//,/ } $parent"""


def test_ps_and_top_say_who_runs_sleeps_is_stopped_and_has_ended(machine):
    assert machine.run(["bash", "-c", STATES]).output == b"R\nS\nT\nZ\n" * 2


def test_commands_have_pipes_and_no_terminal(machine):
    assert machine.run(["sh", "-c", "for i in 0 1 2; do test -t $i || echo $i; done; "
                        "test -p /dev/stdin && echo pipe"]).output == b"0\n1\n2\npipe\n"


def test_many_commands_follow_each_other(machine):
    for number in range(20):
        assert machine.run(["echo", str(number)]).output == f"{number}\n".encode()


def test_the_guest_has_the_processors_it_was_given(machine):
    assert int(machine.run(["nproc"]).output) == machine.cpus


def test_programs_can_read_what_the_kernel_was_told(machine):
    assert b" k42.ports" in machine.run(["cat", "/proc/cmdline"]).output


def elf(kind=2, machine_type=62, entry=0x400078, headers=1, offset=64, size=56):
    """The head of a program that has one segment, and is otherwise nothing."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", kind, machine_type, 1, entry, offset, 0, 0, 64, size, headers, 0, 0, 0)
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 128, 128, 4096)


MALFORMED = {
    "empty": b"",
    "magic only": b"\x7fELF",
    "half a head": elf()[:40],
    "no segments": elf(headers=0),
    "segments behind the end": elf(offset=1 << 40),
    "segments of odd size": elf(size=8),
    "another machine": elf(machine_type=183),
    "no program": elf(kind=1),
    "text": b"\x00\x01\x02 no program",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_program_is_refused(machine, name):
    """A shell says "Exec format error", or takes what has no zero byte for a script."""
    machine.same_sh("cat > bad; chmod +x bad; ./bad; echo $?", MALFORMED[name], shell="/bin/bash")


def test_exec_of_a_folder_is_refused(machine):
    assert machine.run(["env", "/usr"]).status == 126


@pytest.mark.parametrize("line", ["#!", "#!/no/such/interpreter", "#!/usr", "#!" + "x" * 300])
def test_a_script_whose_interpreter_is_not_one_is_refused(machine, line):
    machine.same_sh("cat > script; chmod +x script; env ./script; echo $?", line.encode() + b"\n")
