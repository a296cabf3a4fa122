"""Unmodified programs behind pseudo-terminals: a shell with jobs, script, expect, vim, tmux."""
import os

import pytest

SUITE_TIMEOUT_SECONDS = 1200
QUICK_CPUS = (2,)
PACKAGES = ("bsdutils", "python3", "tmux", "vim-tiny", "expect", "procps")
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")


def test_a_shell_has_jobs_and_a_window(machine):
    with open(os.path.join(SCRIPTS, "pty_shell.py"), "rb") as file:
        machine.same_sh("cat > shell.py; python3 shell.py < /dev/null", file.read(), limit=400)


def test_script_keeps_what_was_shown(machine):
    machine.same_sh("script -q -e -c 'tty | tr 0-9 N; stty size; echo to; exit 5' log < /dev/null"
                    " > shown; echo $?; cat shown; grep -v '^Script' log", limit=200)


def test_expect_talks_with_a_shell(machine):
    machine.same_sh("expect -", br"""
set timeout 200
log_user 0
spawn sh
expect -re {[$#] $}
send "stty -echo; PS1=; echo be\"\"gun\r"
expect begun
send "read x; echo got \$x\r"
sleep 1
send "words\r"
expect "got words"
puts "answered"
send "exit 4\r"
expect eof
puts [lindex [wait] 3]
""", limit=400)


def test_vim_edits_a_file(machine):
    machine.same_sh("cat > typed; printf 'one\\ntwo\\n' > file; expect typed; cat file", br"""
set timeout 200
log_user 0
set env(TERM) xterm
spawn vim.tiny -u NONE -N file
expect "two"
send "Gothree\033"
send ":%s/two/zwei/\r"
send ":wq\r"
expect eof
puts [lindex [wait] 3]
""", limit=400)


TMUX = """export TERM=xterm LC_ALL=C.UTF-8
t() { tmux -S /tmp/test/socket -f /dev/null "$@"; }
await() { while ! grep -q "$1" file 2> /dev/null; do sleep 0.1; done; }
t new-session -d -x 80 -y 24 'PS1= exec sh'
t send-keys 'stty size; tty | tr 0-9 N; echo do""ne > file' Enter
await done
until t capture-pane -p | grep NN* > /dev/null; do sleep 0.1; done
t capture-pane -p | grep -v '^$'
t split-window 'stty size > second; echo there > file; exec cat'
await there
cat second
t list-panes -F '#{pane_index} #{pane_width} #{pane_height}'
t kill-server 2> /dev/null
t list-panes 2> /dev/null; echo $?
"""


def test_tmux_has_windows(machine):
    machine.same_sh(TMUX, limit=400)


SWAPPED = """cat > transfer.py
while [ ! -e over ]; do
    for class in file.ptmx file.tty terminal.line; do
        k42ctl swap --class $class --attempts 4 --deadline 100ms > /dev/null 2>&1
    done
done & swapper=$!
python3 transfer.py; touch over; wait $swapper
while read class live swaps; do
    case $class in file.ptmx|file.tty|terminal.line) [ $swaps -gt 0 ] || echo $class: $swaps;; esac
done < /proc/k42/classes
"""


@pytest.mark.skipif(os.environ.get("K42_GUEST", "k42") != "k42", reason="Linux has no objects")
def test_both_ends_are_swapped_and_nothing_is_lost(machine):
    with open(os.path.join(SCRIPTS, "pty_transfer.py"), "rb") as file:
        done = machine.sh(SWAPPED, file.read(), limit=400)
    assert (done.output, done.errors) == (b"over\n", b""), done
