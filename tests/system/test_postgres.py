"""PostgreSQL, unmodified: many processes around one memory, killed at work and in good order."""
import os
import re

from conftest import only_long

PACKAGES = ("postgresql-15",)
SUITE_TIMEOUT_SECONDS = 1800
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")
SECONDS, ROWS, CLIENTS, LIMIT = 60, 5000, 4, 1500
pytestmark = only_long


def read(name):
    with open(os.path.join(SCRIPTS, name)) as file:
        return file.read()


def words(script):
    """Runs it as somebody who may own a database, in a fresh folder."""
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "sh", "-c",
            f"rm -rf /tmp/base; mkdir -m 700 /tmp/base\n{read('postgres.sh')}\n{script}"]


def server(machine, script):
    """What a script with a server and tables for transfers says."""
    done = machine.run(words("make; start; pgbench -i -q -n --foreign-keys > made 2>&1 || cat made\n"
                             "ask checkpoint\n" + script), limit=LIMIT)
    return (done.output + done.errors).decode()


def told(pattern, said):
    found = re.search(pattern, said, re.M)
    assert found, said
    return found[1]


def transferred(said):
    """The transfers that clients saw done, and those that the tables tell of."""
    return (int(told(r"^number of transactions actually processed: (\d+)", said)),
            int(told(r"^transfers (\d+)", said)))


def test_a_database_answers_as_it_does_natively(machine):
    machine.same(words("make; start\n"
                       f"psql -X -a -v rows={ROWS} -f - 2>&1 | sed 's/PID [0-9]*/PID/'\n"
                       "stop smart; pg_checksums --check | grep Bad; grep -c PANIC log"),
                 read("postgres.sql").encode(), limit=LIMIT)


def test_transfers_keep_their_sums(machine):
    said = server(machine, f"pgbench -n -c {CLIENTS} -j 2 -T {SECONDS} 2>&1\n"
                  "echo transfers $(transfers) $(sums); check")
    seen, kept = transferred(said)
    assert seen == kept > 0 and f"transfers {kept} t\n" in said, said
    assert "number of failed transactions: 0 " in said, said
    assert "indexes right\n" in said and "Bad checksums:  0\n" in said, said


WORK = f"""pgbench -n -c {CLIENTS} -j 2 -T 3600 > bench 2>&1 & bench=$!
until [ "$(transfers)" -gt 50 ]; do sleep 0.1; done
"""
TELL = """wait $bench; echo pgbench ended $?; cat bench
until pg_isready -q; do sleep 0.1; done
echo transfers $(transfers) $(sums); check; cat log
"""


def recovered(said):
    """One more transfer than was seen for each client may have been done."""
    seen, kept = transferred(said)
    assert 50 < seen <= kept <= seen + CLIENTS and f"transfers {kept} t\n" in said, said
    assert "automatic recovery in progress" in said, said
    assert "indexes right\n" in said and "Bad checksums:  0\n" in said, said


def test_after_one_of_its_processes_was_killed_all_begin_anew(machine):
    said = server(machine, WORK + "kill -9 $(ask \"select min(pid) from pg_stat_activity "
                  "where application_name = 'pgbench'\")\n" + TELL)
    recovered(said)
    assert "pgbench ended 2\n" in said, said
    assert "was terminated by signal 9: Killed" in said, said
    assert "all server processes terminated; reinitializing" in said, said


def test_after_the_first_of_its_processes_was_killed_nothing_is_lost(machine):
    """The others see it by the end of a pipe, and go; the next server takes the lock over."""
    said = server(machine, WORK + "kill -9 $(head -n 1 data/postmaster.pid)\n"
                  "wait $bench; until (start) > none; do sleep 0.1; done\n" + TELL)
    recovered(said)
