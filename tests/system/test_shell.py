"""Long scripts run alike in a guest and natively, under dash and bash."""
import os

import pytest
from conftest import LONG

SUITE_TIMEOUT_SECONDS = 900
QUICK_CPUS = (4,)
BLOCKS, BYTES = (60, 1_000_000) if LONG else (12, 100_000)
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")


def script(name):
    with open(os.path.join(SCRIPTS, name), "rb") as file:
        return file.read()


@pytest.mark.parametrize("name, shell", [("posix.sh", "dash"), ("posix.sh", "bash"),
                                         ("bash.sh", "bash")])
def test_a_script_does_what_it_does_natively(machine, name, shell):
    machine.same_sh(f"cat > ../script; {shell} ../script", script(name), limit=150)


BLOCK = """f{0}() {{ echo "f{0} $1 $(($1 * {0} % 97))"; return $(($1 % 5)); }}
f{0} {1}; case $? in 0) echo none ;; [12]) echo few ;; *) echo more ;; esac
cat <<END{0} | tr a-z A-Z
document {0} of $0, $(f{0} 1 | wc -c) bytes
END{0}
trap 'echo trapped {0}' USR1; kill -USR1 $$; trap - USR1
(sleep 0.00{2}; exit {2}) & wait $!; echo "child $?"
"""


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_script_of_many_lines(machine, shell):
    text = "".join(BLOCK.format(i, i * 7 % 31, i % 8) for i in range(BLOCKS))
    machine.same_sh(f"cat > ../script; {shell} ../script", text.encode() + b"exit 9\n", limit=300)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_pipeline_of_20_stages_passes_all_bytes(machine, shell):
    step = r"tr '\000-\176' '\001-\177'"
    stages = " | ".join([f"head -c {BYTES} /dev/zero", *[step] * 18, "md5sum"])
    machine.same_sh(f"cat > ../script; {shell} ../script", (stages + "; echo $?\n").encode(),
                    limit=300)


def test_a_shell_reads_its_script_from_a_pipe(machine):
    machine.same(["sh"], b"read x\nthis is data\necho $x; cat\nrest\n")


def test_a_file_of_commands_runs_by_its_first_line(machine):
    machine.same_sh("printf '#!/bin/sed -f\\ns/a/b/\\n' > s; chmod +x s; echo banana | ./s; "
                    "printf '#!/usr/bin/env -S awk -f\\n{print NR, $0}' > a; chmod +x a; ls | ./a; "
                    "printf 'echo without $#' > n; chmod +x n; ./n 1 2")


def test_scripts_run_scripts_to_some_depth(machine):
    machine.same_sh("printf '#!/bin/sh\\n[ $1 -gt 0 ] || exit 9\\n$0 $(($1 - 1))\\n"
                    "echo $1 $?; exit 8' > r; chmod +x r; ./r 20")


def test_a_job_has_a_process_group_of_its_own(machine):
    machine.same_sh("set -m; sh -c 'ps -o pgid= -p $$' > job & wait; ps -o pgid= -p $$ > self; "
                    "cmp -s job self || echo own group", shell="/bin/bash")
