"""Larger unmodified programs: an interpreter and a database."""
import os

import pytest
from conftest import LONG

PACKAGES = ("python3", "sqlite3")
SUITE_TIMEOUT_SECONDS = 900
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")

MODES = ["delete", "wal", "memory"] if LONG else ["wal"]
DATABASE = b"""
create table words (id integer primary key, word text, n integer);
begin;
with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000)
insert into words select x, 'word' || (x * 7919 % 1000), x % 97 from c;
commit;
create index by_word on words (word);
select count(*), sum(n), count(distinct word) from words;
select word, count(*) from words group by word order by 2 desc, 1 limit 3;
begin; delete from words where n > 50; rollback;
delete from words where n > 90; vacuum;
select count(*) from words; pragma integrity_check;
"""


def run_script(machine, name):
    with open(os.path.join(SCRIPTS, name), "rb") as file:
        machine.same(["python3", "-"], file.read(), folder="/tmp", limit=300)


def test_python_does_what_it_does_natively(machine):
    run_script(machine, "check.py")


def test_python_talks_through_sockets(machine):
    run_script(machine, "sockets.py")


@pytest.mark.parametrize("mode", MODES)
def test_a_database_keeps_its_rows(machine, mode):
    machine.same_sh(f"{{ echo 'pragma journal_mode={mode};'; cat; }} | sqlite3 base; "
                    "sqlite3 base 'select max(id) from words'; ls", DATABASE, limit=300)
