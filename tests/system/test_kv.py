"""The key-value server as clients see it: unmodified redis-cli and redis-benchmark, and raw sockets.

Every test has a server of its own on a UNIX socket, but for the one about TCP; each server must
start, and at the end of its test stop cleanly.
"""
import os
import re
import subprocess
import sys
import time

import pytest
from conftest import LONG

SUITE_TIMEOUT_SECONDS = 600

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "core", "examples", "kv"))

from kv_check import Server, storm  # noqa: E402
from resp_client import ServerError, encode  # noqa: E402

BUILD = os.environ.get("K42_BUILD", os.path.join(ROOT, "build", "release"))
PROGRAM = os.path.join(BUILD, "core", "examples", "kv", "kv")
REQUESTS = 100000 if LONG else 20000
COMPONENT = os.path.join(BUILD, "core", "examples", "kv", "eviction_v2.so")


@pytest.fixture
def start():
    servers = []

    def start_server(*options):
        servers.append(Server(PROGRAM, *options))
        return servers[-1]

    yield start_server
    for server in servers:
        status, said = server.end()
        assert status == 0 and "ended cleanly" in said, said


@pytest.fixture
def server(start):
    return start()


@pytest.fixture
def redis(server):
    return server.client()


def error_of(redis, *words):
    with pytest.raises(ServerError) as raised:
        redis(*words)
    return str(raised.value)


def info(redis):
    return dict(line.split(":", 1) for line in redis("INFO").decode().splitlines() if ":" in line)


def wait_until(holds):
    """Waits for what must happen sooner or later; the suite's own limit ends a wait in vain."""
    while not holds():
        time.sleep(0.02)


# ---- values -------------------------------------------------------------------------------------


def test_a_value_set_is_got(redis):
    assert redis("SET", "key", b"a\0\r\n\xff") == "OK"
    assert redis("GET", "key") == b"a\0\r\n\xff"
    assert redis("STRLEN", "key") == 5
    assert redis("GET", "other") is None


def test_set_keeps_to_its_conditions(redis):
    assert redis("SET", "k", 1, "XX") is None
    assert redis("SET", "k", 1, "NX") == "OK"
    assert redis("SET", "k", 2, "NX") is None
    assert redis("SET", "k", 3, "XX", "GET") == b"1"
    assert redis("GET", "k") == b"3"


def test_set_says_what_is_wrong_with_its_options(redis):
    assert error_of(redis, "SET", "k", 1, "NX", "XX") == "ERR syntax error"
    assert error_of(redis, "SET", "k", 1, "EX") == "ERR syntax error"
    assert error_of(redis, "SET", "k", 1, "EX", 5, "PX", 5) == "ERR syntax error"
    assert error_of(redis, "SET", "k", 1, "EX", 0) == "ERR invalid expire time in 'SET' command"
    assert error_of(redis, "SET", "k", 1, "EX", "x") == (
        "ERR value is not an integer or out of range")
    assert redis("EXISTS", "k") == 0


def test_counters_count(redis):
    assert redis("INCR", "n") == 1
    assert redis("INCRBY", "n", 41) == 42
    assert redis("DECR", "n") == 41
    assert redis("DECRBY", "n", -1) == 42
    assert redis("GET", "n") == b"42"


def test_counters_refuse_what_is_no_number_and_what_would_overflow(redis):
    redis("MSET", "text", "abc", "most", 2**63 - 1)
    assert error_of(redis, "INCR", "text") == "ERR value is not an integer or out of range"
    assert error_of(redis, "INCR", "most") == "ERR increment or decrement would overflow"
    assert redis("MGET", "text", "most") == [b"abc", b"%d" % (2**63 - 1)]


def test_append_getset_setnx_and_getdel(redis):
    assert redis("APPEND", "k", "ab") == 2
    assert redis("APPEND", "k", "cd") == 4
    assert redis("GETSET", "k", "new") == b"abcd"
    assert redis("SETNX", "k", "no") == 0
    assert redis("SETNX", "other", "yes") == 1
    assert redis("GETDEL", "k") == b"new"
    assert redis("GETDEL", "k") is None


def test_many_keys_at_once(redis):
    assert redis("MSET", "a", 1, "b", 2) == "OK"
    assert redis("MGET", "a", "none", "b") == [b"1", None, b"2"]
    assert redis("DEL", "a", "none", "b", "b") == 2
    assert "wrong number of arguments" in error_of(redis, "MSET", "a", 1, "b")


def test_a_large_value_passes_whole(redis):
    value = os.urandom(8 << 20)
    redis("SET", "large", value)
    assert redis("GET", "large") == value


# ---- deadlines ----------------------------------------------------------------------------------


def test_a_key_goes_at_its_deadline_when_asked_for(redis):
    redis("SET", "k", 1, "PX", 30)
    wait_until(lambda: redis("GET", "k") is None)
    assert redis("TTL", "k") == -2


def test_a_key_goes_at_its_deadline_when_nobody_asks(redis):
    for n in range(200):
        redis("SET", f"k{n}", 1, "PX", 30)
    redis("SET", "stays", 1)
    wait_until(lambda: redis("DBSIZE") == 1)
    assert info(redis)["expired_keys"] == "200"


def test_deadlines_are_set_told_and_taken_back(redis):
    redis("SET", "k", 1)
    assert redis("TTL", "k") == -1
    assert redis("EXPIRE", "k", 100) == 1
    assert redis("TTL", "k") == 100
    assert 99000 < redis("PTTL", "k") <= 100000
    assert redis("PERSIST", "k") == 1
    assert redis("PERSIST", "k") == 0
    assert redis("TTL", "k") == -1
    assert redis("EXPIRE", "none", 100) == 0
    assert redis("EXPIRE", "k", -1) == 1
    assert redis("EXISTS", "k") == 0


def test_setting_drops_a_deadline_and_keepttl_keeps_it(redis):
    redis("SETEX", "k", 100, 1)
    redis("SET", "k", 2, "KEEPTTL")
    assert redis("TTL", "k") == 100
    redis("INCR", "k")
    assert redis("TTL", "k") == 100
    redis("SET", "k", 3)
    assert redis("TTL", "k") == -1


# ---- all keys -----------------------------------------------------------------------------------


def test_keys_match_patterns(redis):
    redis("MSET", "one", 1, "two", 2, "three", 3, "t*", 4)
    assert sorted(redis("KEYS", "t*")) == [b"t*", b"three", b"two"]
    assert redis("KEYS", "t\\*") == [b"t*"]
    assert redis("KEYS", "[no]?[a-f]") == [b"one"]
    assert redis("KEYS", "*e*e*") == [b"three"]
    assert redis("KEYS", "[^t]*") == [b"one"]


def scan(redis, between=lambda: None):
    cursor, found = b"0", []
    while True:
        cursor, keys = redis("SCAN", cursor, "COUNT", 50)
        found += keys
        if cursor == b"0":
            return found
        between()


def test_a_scan_shows_every_key_once_across_swaps(redis):
    classes = ["open", "chained"] * 1000
    redis("MSET", *(word for n in range(3000) for word in (f"k{n}", n)))
    found = scan(redis, lambda: redis("K42", "SWAP", "table", classes.pop()))
    assert sorted(found) == sorted(b"k%d" % n for n in range(3000))


@pytest.mark.parametrize("command", ["FLUSHDB", "FLUSHALL"])
def test_flushing_removes_every_key(redis, command):
    redis("MSET", *(word for n in range(3000) for word in (f"k{n}", n)))
    assert redis("DBSIZE") == 3000
    assert redis(command) == "OK"
    assert redis("DBSIZE") == 0
    assert info(redis)["used_memory"] == "0"


# ---- memory -------------------------------------------------------------------------------------


def test_a_full_store_refuses_writes_and_serves_reads(redis):
    redis("SET", "k", "x" * 1000)
    redis("CONFIG", "SET", "maxmemory", 500)
    assert error_of(redis, "SET", "other", 1) == (
        "OOM command not allowed when used memory > 'maxmemory'.")
    assert redis("GET", "k") == b"x" * 1000
    assert redis("DEL", "k") == 1
    assert redis("SET", "other", 1) == "OK"


@pytest.mark.parametrize("policy", ["lru", "lfu", "random"])
def test_eviction_keeps_to_the_limit(redis, policy):
    redis("CONFIG", "SET", "maxmemory", "100kb", "maxmemory-policy", f"allkeys-{policy}")
    for n in range(2000):
        redis("SET", f"k{n}", "x" * 100)
    # The limit is kept before each write, so that one may stand above it.
    assert int(info(redis)["used_memory"]) < 101 << 10
    assert redis("DBSIZE") + int(info(redis)["evicted_keys"]) == 2000
    assert redis("CONFIG", "GET", "maxmemory-policy") == [
        b"maxmemory-policy", f"allkeys-{policy}".encode()]


def test_lru_keeps_what_is_used(redis):
    redis("CONFIG", "SET", "maxmemory", "100kb", "maxmemory-policy", "allkeys-lru")
    redis("SET", "used", 1)
    for n in range(2000):
        redis("SET", f"k{n}", "x" * 100)
        assert redis("GET", "used") == b"1"


def test_keys_written_before_eviction_was_wanted_are_evicted_by_age(redis):
    for n in range(100):
        redis("SET", f"k{n}", "x" * 1000)
    redis("GET", "k0")
    redis("CONFIG", "SET", "maxmemory", "50kb", "maxmemory-policy", "allkeys-lru")
    redis("SET", "k99", "y")
    assert redis("EXISTS", "k0") == 1
    assert redis("EXISTS", "k1") == 0


# ---- the protocol -------------------------------------------------------------------------------


BROKEN = {
    "array_length": (b"*x\r\n", "Protocol error: invalid multibulk length"),
    "array_too_long": (b"*1048577\r\n", "Protocol error: invalid multibulk length"),
    "bulk_length": (b"*1\r\n$-3\r\n", "Protocol error: invalid bulk length"),
    "bulk_too_long": (b"*1\r\n$999999999999\r\n", "Protocol error: invalid bulk length"),
    "no_bulk": (b"*1\r\nPING\r\n", "Protocol error: expected '$'"),
    "no_line_end": (b"*1\r\n$4\r\nPINGxx", "Protocol error: bulk string without end of line"),
    "quotes": (b'SET "k\r\n', "Protocol error: unbalanced quotes in request"),
    "line_too_long": (b"x" * 70000, "Protocol error: too big inline request"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_request_ends_its_connection_and_touches_nothing_else(server, case):
    sent, wanted = BROKEN[case]
    other, broken = server.client(), server.client()
    other("SET", "k", 1)
    broken.send_bytes(encode(["SET", "before", 2]) + sent)
    assert broken.read_reply() == "OK"
    assert wanted in str(broken.read_reply())
    with pytest.raises(ConnectionError):
        broken.read_reply()
    assert other("MGET", "k", "before") == [b"1", b"2"]
    assert info(other)["protocol_errors"] == "1"


def test_requests_may_come_byte_by_byte(server):
    client = server.client()
    for byte in encode(["SET", "k", "value"]) + b'GET "k"\r\n':
        client.send_bytes(bytes([byte]))
    assert client.read_reply() == "OK"
    assert client.read_reply() == b"value"


def test_a_pipeline_is_answered_in_order(redis):
    replies = redis.pipeline([("INCR", "n") for _ in range(5000)])
    assert replies == list(range(1, 5001))


def test_a_client_that_does_not_read_holds_up_nobody_and_gets_all(server):
    other, slow = server.client(), server.client()
    value = b"x" * (1 << 20)
    other("SET", "k", value)
    slow.send_bytes(encode(["GET", "k"]) * 50)
    assert other("PING") == "PONG"
    assert [slow.read_reply() == value for _ in range(50)] == [True] * 50


def test_unknown_commands_get_redis_error(redis):
    assert error_of(redis, "NOSUCH", "a", "b").strip() == (
        "ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b'")
    assert error_of(redis, "GET") == "ERR wrong number of arguments for 'get' command"


def test_a_broken_connection_in_mid_request_is_forgotten(server):
    other = server.client()
    for _ in range(20):
        half = server.client()
        half.send_bytes(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\nxxx")
        half.close()
    assert other("EXISTS", "k") == 0
    wait_until(lambda: info(other)["connected_clients"] == "1")


# ---- Redis's own programs -----------------------------------------------------------------------


def redis_cli(server, *words, **more):
    done = subprocess.run(["redis-cli", "-s", server.address, *words], capture_output=True,
                          text=True, timeout=60, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_redis_cli_works(server):
    assert redis_cli(server, "PING") == "PONG\n"
    assert redis_cli(server, "SET", "k", "v") == "OK\n"
    assert redis_cli(server, input="GET k\nINCR n\n") == "v\n1\n"
    assert redis_cli(server, "--scan") in ("k\nn\n", "n\nk\n")
    assert "# Memory" in redis_cli(server, "INFO")


def test_redis_cli_works_over_tcp():
    process = subprocess.Popen([PROGRAM, "--port", "0"], stdout=subprocess.PIPE, text=True)
    port = re.search(r":(\d+)", process.stdout.readline())[1]
    try:
        done = subprocess.run(["redis-cli", "-p", port, "ECHO", "hello"], capture_output=True,
                              text=True, timeout=60)
        assert done.stdout == "hello\n"
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_a_pipe_of_many_requests_loads_the_store(server):
    requests = b"".join(encode(["SET", f"k{n}", n]) for n in range(20000))
    done = subprocess.run(["redis-cli", "-s", server.address, "--pipe"], input=requests,
                          capture_output=True, timeout=120)
    assert b"errors: 0, replies: 20000" in done.stdout, done.stdout
    assert server.client()("DBSIZE") == 20000


# ---- replacing parts ----------------------------------------------------------------------------


def test_swaps_keep_values_and_deadlines(redis):
    redis("SET", "plain", 1)
    redis("SETEX", "timed", 1000, 2)
    for table in ("open", "chained", "chained", "open", "open"):
        assert b"table." + table.encode() in redis("K42", "SWAP", "table", table)
        assert redis("MGET", "plain", "timed") == [b"1", b"2"]
        assert redis("TTL", "plain") == -1
        assert 0 < redis("TTL", "timed") <= 1000


def test_an_upgrade_is_made_and_taken_back_and_the_component_unloaded(redis):
    name = redis("K42", "LOAD", COMPONENT).decode()
    redis("K42", "UPGRADE", "eviction.lru")
    assert b"eviction.lru version 2" in redis("K42", "OBJECTS")
    assert "eviction.lru" in error_of(redis, "K42", "UNLOAD", name)
    redis("K42", "UPGRADE", "eviction.lru", "eager", 1)
    assert b"eviction.lru version 1" in redis("K42", "OBJECTS")
    assert redis("K42", "UNLOAD", name) == "OK"
    assert b"version 2" not in redis("K42", "CLASSES")


def test_the_server_ends_cleanly_with_a_component_in_use(redis):
    redis("K42", "LOAD", COMPONENT)
    redis("K42", "UPGRADE", "eviction.lru", "lazy")
    redis("SET", "k", 1)
    wait_until(lambda: b"eviction.lru version 2" in redis("K42", "OBJECTS"))


def test_the_monitor_counts_the_calls_made_while_it_watches(redis):
    redis("SET", "k", 1)
    redis("K42", "WATCH", "on")
    for _ in range(10):
        redis("GET", "k")
    redis("K42", "SWAP", "table", "open")
    redis("GET", "k")
    redis("K42", "WATCH", "off")
    redis("GET", "k")
    counted = re.search(rb"lookup +(\d+)", redis("K42", "LATENCY"))
    assert int(counted[1]) == 11


def test_the_server_ends_cleanly_while_the_monitor_watches(redis):
    redis("K42", "WATCH", "on")
    assert redis("PING") == "PONG"


def test_admin_commands_say_what_is_wrong(redis):
    assert "no class 'nosuch'" in error_of(redis, "K42", "SWAP", "table", "nosuch")
    assert "K42 SWAP table|eviction CLASS" in error_of(redis, "K42", "SWAP", "nothing", "open")
    assert "ERR" in error_of(redis, "K42", "SWAP", "table", "eviction.lru")
    assert "/no/such.so" in error_of(redis, "K42", "LOAD", "/no/such.so")
    assert "no component 'x'" in error_of(redis, "K42", "UNLOAD", "x")
    assert "already" in error_of(redis, "K42", "WATCH", "off")
    assert redis("PING") == "PONG"


def test_nothing_fails_and_no_key_is_lost_while_everything_is_replaced_under_load(server):
    for line in storm(server, COMPONENT, requests=REQUESTS, rounds=5, checkers=3):
        print(line)


def test_options_that_are_wrong_get_a_usage_line():
    for options in (["--nosuch"], ["--threads", "0"], ["--port", "x"], ["word"]):
        done = subprocess.run([PROGRAM, *options], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "usage: kv" in done.stderr
