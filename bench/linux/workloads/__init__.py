"""Workloads: whole programs of Debian's packages, unmodified, that do a fixed amount of work.

A workload is set up, then its command is run some times in the guest, each from its first process to
its last: only that is measured, by the guest's clock. Each has a folder of its own, in memory, and
says by a pattern what its command writes when it has done its work; without that there is no figure,
nor when what the pattern finds is not the same every time and in both kernels.
"""
import dataclasses
import os
import re
import sys
from typing import Callable

from launcher.tree import Trouble, path

sys.path.insert(0, path("tests", "system", "scripts"))

import big_program  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = "/tmp/base"  # where the scripts of the servers want to be
SECONDS = 1200
NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


def text(*names):
    with open(os.path.join(*names)) as file:
        return file.read()


def script(name):
    """One that system tests have, too."""
    return text(path("tests", "system", "scripts", name))


def here(name):
    return lambda _: text(HERE, name).encode()


@dataclasses.dataclass(frozen=True)
class Workload:
    about: str
    command: str  # {n} in it is the amount of work
    amount: tuple = (1, 1)  # in general, and with --quick
    packages: tuple = ()
    before: str = ""  # the set-up, which finds `data` of that amount at its standard input
    after: str = ""  # ends what the set-up has started
    said: str = ""
    data: Callable = lambda _: b""
    memory: str = "1G"
    words: tuple = ()  # put before the shell
    booted: bool = False  # the boot belongs to it


def statements(rows):
    """For sqlite3: rows in one transaction, in many, looked for, changed and removed."""
    yield ("create table word(id integer primary key, name text, number int);"
           "create index by_name on word(name); begin;")
    for row in range(rows):
        yield f"insert into word values({row}, 'word {row * 7919 % 10007}', {row * 31 % 1009});"
    yield "commit;"
    for row in range(rows, rows + rows // 20):
        yield f"insert into word values({row}, 'later {row}', 0);"
    for row in range(rows // 4):
        yield f"select count(*), max(number) from word where name = 'word {row * 13 % 10007}';"
    yield ("update word set name = name || ' changed' where number < 300;"
           "select number % 10, count(*), sum(length(name)) from word group by 1 order by 1;"
           "delete from word where number > 700; pragma integrity_check; select 'rows', count(*) > 0 from word;")


TABLE = {
    "python-start": Workload(
        "python3 started, with three modules imported, so many times",
        packages=("python3",), amount=(20, 5), before="python3 -c 'import json, re, decimal'",
        command="for n in $(seq {n}); do python3 -c 'import json, re, decimal; print(\"begun\")'; done",
        said=r"^begun\n"),
    "python": Workload(
        "a script for python3: objects, numbers, text, containers",
        packages=("python3",), amount=(40, 4), before="cat > work.py", data=here("work.py"),
        command="python3 work.py {n}", said=r"^done \d+$"),
    "sqlite": Workload(
        "statements for sqlite3 on a file: inserted, looked for, changed, removed",
        packages=("sqlite3",), amount=(20000, 2000), before="cat > statements",
        data=lambda rows: "\n".join(statements(rows)).encode(),
        command="rm -f base; sqlite3 base < statements", said=r"(?s)\A.*^ok\nrows\|1$"),
    "gcc": Workload(
        "gcc -O2 compiles a file of so many functions",
        packages=("gcc", "libc6-dev"), amount=(40, 4), before="tar xf -",
        data=lambda functions: big_program.tar(1, functions),
        command="gcc -O2 -c part_0.c && cksum part_0.o", said=r"^\d+ \d+ part_0\.o$"),
    "pgbench": Workload(
        "four clients of a PostgreSQL server, so many transfers each",
        packages=("postgresql-15",), amount=(200, 20), words=NOBODY, memory="2G",
        before=script("postgres.sh") + "make; start; pgbench -i -q -n && ask checkpoint",
        command="pgbench -n -c 4 -j 1 -t {n}", after="stop", said=r"^number of failed transactions: 0 "),
    "redis": Workload(
        "redis-benchmark, 20 clients of a server, so many requests of eight kinds each",
        packages=("redis-server", "redis-tools", "procps"), amount=(4000, 400),
        before=script("redis.sh") + "start",
        command="redis-benchmark -s socket -e -q -n {n} -c 20 -r 1000 -t set,get,incr,lpush,lpop,sadd,hset,zadd",
        after="stop nosave", said=r"ZADD: (?=[\d.]+ requests per second)"),
    "java": Workload(
        "a program in Java: objects that are collected, containers, text, threads",
        packages=("openjdk-17-jdk-headless",), amount=(10, 2), memory="3G", data=here("Work.java"),
        before="PATH=/usr/lib/jvm/java-17-openjdk-amd64/bin:$PATH; cat > Work.java; javac Work.java",
        command="java -XX:+UseSerialGC -Xmx64m Work {n}", said=r"^done -?\d+$"),
    # It has no option for an amount of work. A file that is not open, closed, is where it ends.
    "dbench": Workload(
        "so many operations of dbench's file of those of a file server's client",
        packages=("dbench",), amount=(60000, 6000),
        before="(head -n {n} /usr/share/dbench/client.txt; echo 'Close 999999 NT_STATUS_OK') > load",
        command="dbench -c load -D {folder} -t 3600 1; true",
        said=r"^\({line}\) ERROR: handle 999999 was not found$"),
    "postmark": Workload(
        "so many transactions of PostMark on 500 small files in memory",
        packages=("postmark",), amount=(20000, 2000), before="mkdir files; cat > settings",
        data=lambda transactions: (
            f"set location {FOLDER}/files\nset seed 42\nset number 500\nset transactions {transactions}\n"
            "set size 500 9770\nset read 4096\nset write 4096\nset buffering false\nrun\nquit\n").encode(),
        command="postmark settings", said=r"^Data:\n\s+[\d.]+ megabytes read"),
}
TABLE["boot-prompt"] = Workload(
    "from the machine's start to the prompt of a login shell, all these packages in the root tree",
    packages=tuple(sorted({name for one in TABLE.values() for name in one.packages})), memory="4G",
    command="bash -l -i < /dev/null", said=r"[#$] ", booted=True)

# What a run took is written before what its command wrote. Time in which the processor had nothing
# to do is not the program's where instructions are counted, since the clock leaps over it.
SCRIPT = r"""rm -rf {folder}; mkdir -m 777 {folder}; cd {folder} || exit 99
{before}
[ $? = 0 ] || {{ echo "it could not be set up" >&2; exit 98; }}
for turn in $(seq {runs}); do
    read -r _ idle < /proc/uptime
    begin=$EPOCHREALTIME
    {{ {command}
    }} > said.$turn 2>&1
    status=$?
    end=$EPOCHREALTIME
    read -r _ idle_then < /proc/uptime
    echo "took ${{begin/./}} ${{end/./}} ${{idle/./}} ${{idle_then/./}} $status"
    cat said.$turn
done
{after}
"""
TOOK = re.compile(r"^took (\d+) (\d+) (\d+) (\d+) (\d+)\n", re.M)


def words(one, amount, runs):
    """The command that sets a workload up and runs it."""
    parts = {name: getattr(one, name).replace("{n}", str(amount)).replace("{folder}", FOLDER)
             for name in ("before", "command", "after")}
    return [*one.words, "bash", "-c", SCRIPT.format(folder=FOLDER, runs=runs, **parts)]


def observations(one, amount, output):
    """Of each run nanoseconds, how many of them were idle, and what it said; Trouble unless it did its
    work."""
    found = TOOK.split(output)[1:]
    pattern = re.compile(one.said.replace("{line}", str(amount + 1)), re.M)
    for at in range(0, len(found), 6):
        begin, end, idle, idle_then, status = map(int, found[at:at + 5])
        said = pattern.search(found[at + 5])
        if status or not said:
            raise Trouble(failure(status, found[at + 5]))
        yield 1000 * (end - begin), 10_000_000 * (idle_then - idle), said[0]


def failure(status, output):
    last = output.strip().splitlines()[-1:] or ["nothing"]
    return f"it ended with {status} and wrote last: {last[0]}"


def run(guest, one, quick, runs):
    """What each run took in a guest, as observations() says."""
    amount = one.amount[quick]
    done = guest.run(words(one, amount, runs), one.data(amount), limit=SECONDS)
    seen = list(observations(one, amount, done.output.decode(errors="replace")))
    if len(seen) != runs:
        raise Trouble(failure(done.status, (done.output + done.errors).decode(errors="replace")))
    return seen
