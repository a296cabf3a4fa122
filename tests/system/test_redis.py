"""Redis, unmodified: one process that serves many, and copies of it that write its memory to files."""
import os
import re

from conftest import LONG, only_long

PACKAGES = ("redis-server", "redis-tools", "procps")
SUITE_TIMEOUT_SECONDS = 1200
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")
REQUESTS, ROWS, LIMIT = (20000, 20000, 900) if LONG else (500, 500, 300)
BENCHMARKS = {"set": "SET", "get": "GET", "incr": "INCR", "lpush": "LPUSH", "rpush": "RPUSH",
              "lpop": "LPOP", "rpop": "RPOP", "sadd": "SADD", "hset": "HSET", "spop": "SPOP",
              "zadd": "ZADD", "zpopmin": "ZPOPMIN", "mset": r"MSET \(10 keys\)",
              "lrange_300": r"LRANGE_300 \(first 300 elements\)"}


def words(script):
    with open(os.path.join(SCRIPTS, "redis.sh")) as file:
        return ["sh", "-c", f"rm -rf /tmp/base; mkdir /tmp/base\n{file.read()}\n{script}"]


def said(machine, script):
    done = machine.run(words(script), limit=LIMIT)
    return (done.output + done.errors).decode()


SESSION = b"""SET a 1
APPEND a 2
INCR a
GETRANGE a 0 0
SETBIT bits 1000 1
BITCOUNT bits
RPUSH l a b c d
LRANGE l 1 -2
LINSERT l BEFORE c x
LPOS l x
SADD s1 a b c
SADD s2 b c d
SINTERCARD 2 s1 s2
ZADD z 1 one 2 two 3 three
ZRANGEBYSCORE z (1 +inf WITHSCORES
HSET h f 1 g 2
HINCRBYFLOAT h f 0.5
HGETALL h
PFADD p a b c d e a
PFCOUNT p
GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
GEODIST g Palermo Catania km
XADD x 1-1 field value
XGROUP CREATE x group 0
XREADGROUP GROUP group me STREAMS x >
XPENDING x group
MULTI
INCR counter
LPUSH counter x
INCR counter
EXEC
EVAL "local s = 0; for i = 1, 1000 do s = s + i end; return {s, redis.call('get', KEYS[1])}" 1 a
OBJECT ENCODING l
LPUSH a x
SORT l ALPHA DESC
DUMP a
PEXPIREAT a 1
WAIT 0 0
CONFIG GET maxmemory-policy
NOSUCH
DEBUG DIGEST
DBSIZE
"""


def test_it_answers_as_it_does_natively(machine):
    machine.same(words("start; cat > session; ask < session\n"
                       "(ask blpop empty 0 > popped) & sleep 0.1; ask rpush empty first second; wait $!\n"
                       "cat popped; ask lrange empty 0 -1; stop nosave; ls"), SESSION, limit=LIMIT)


@only_long
def test_many_are_served_at_once(machine):
    told = said(machine, f"start; redis-benchmark -s socket -e -q -n {REQUESTS} -c 20 -P 4 -r 1000 "
                f"-t {','.join(BENCHMARKS)} | tr '\\r' '\\n' > bench; cat bench\n"
                "echo errors $(told total_error_replies); stop nosave")
    missing = [name for name in BENCHMARKS.values()
               if not re.search(rf"^{name}: [\d.]+ requests per second", told, re.M)]
    assert missing == [] and "errors 0\n" in told and "ended 0\n" in told, told


def test_what_a_copy_saved_is_loaded(machine):
    """While the server changes what it shares with its copy."""
    told = said(machine, f"start; fill {ROWS}; ask debug digest > then; ask dbsize >> then\n"
                "ask bgsave\n"
                f"redis-benchmark -s socket -q -n {REQUESTS} -r 1000 -t lpush,set > none\n"
                "while [ $(told rdb_bgsave_in_progress) = 1 ]; do sleep 0.1; done\n"
                "echo saved $(told rdb_last_bgsave_status)\n"
                "kill -9 $server; wait $server; redis-check-rdb dump.rdb | grep RDB\n"
                "start; ask debug digest > now; ask dbsize >> now; cmp then now && echo equal; stop nosave")
    assert "errors: 0, replies" in told and "saved ok\n" in told, told
    assert "RDB looks OK!" in told and "\nequal\n" in told and "ended 0\n" in told, told


@only_long
def test_what_was_written_ahead_is_done_again(machine):
    """Killed after its file was written anew amid changes, and once more while it changes on."""
    told = said(machine, f"start --appendonly yes --appendfsync everysec; fill {ROWS}; ask bgrewriteaof\n"
                f"redis-benchmark -s socket -q -n {REQUESTS} -r 1000 -t lpush,set,zadd,incr > none\n"
                "while [ $(told aof_rewrite_in_progress) = 1 ]; do sleep 0.1; done\n"
                "echo rewritten $(told aof_last_bgrewrite_status); ask debug digest > then\n"
                "kill -9 $server; wait $server\n"
                "redis-check-aof appendonlydir/appendonly.aof.manifest | tail -n 1\n"
                "start --appendonly yes; ask debug digest > now; cmp then now && echo equal\n"
                "redis-benchmark -s socket -q -n 100000000 -r 1000 -t incr,lpush > none 2>&1 & bench=$!\n"
                "until [ $(told total_commands_processed) -gt 1000 ]; do sleep 0.1; done\n"
                "kill -9 $server $bench; wait $server $bench\n"
                "start --appendonly yes; ask set last one; stop nosave")
    assert "rewritten ok\n" in told and "All AOF files and manifest are valid" in told, told
    assert "\nequal\n" in told and "OK\nended 0\n" in told, told


@only_long
def test_a_full_server_forgets_what_it_may(machine):
    told = said(machine, "start --maxmemory 3mb --maxmemory-policy allkeys-lru\n"
                f"redis-benchmark -s socket -q -n {4 * REQUESTS} -d 2000 -r 100000 -t set > none\n"
                "echo evicted $(told evicted_keys) $(told used_memory); ask flushall async; stop nosave")
    evicted, used = map(int, re.search(r"^evicted (\d+) (\d+)", told, re.M).groups())
    assert evicted > 0 and used < 4 << 20 and "ended 0\n" in told, told
