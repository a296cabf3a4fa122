#!/usr/bin/env python3
"""Replaces every part of the key-value server under load, and compares every key.

Starts the server, loads it with redis-benchmark, and meanwhile swaps its table and its eviction
policy, upgrades the policy from a component and back, and interposes the latency monitor. Checkers
keep keys of their own, know what each must hold, and compare every reply as it comes and every key
at the end; what they add to counters that all of them share must add up. Nothing may fail: no
request, no reply, no key, no clean end.

    kv_check.py --server build/release/core/examples/kv/kv \\
                --component build/release/core/examples/kv/eviction_v2.so
"""
import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from resp_client import Client, ServerError  # noqa: E402

KEYS_PER_CHECKER = 400
SHARED_COUNTERS = 4
BATCH = 16
# What a loaded machine may answer before it succeeds: a thread was off its CPU for too long.
FOR_NOW = ("-ETIMEDOUT", "-EBUSY", "-EIO")
ATTEMPTS = 200
ANY_NUMBER = object()


class Server:
    """A server on a UNIX socket in a folder of its own."""

    def __init__(self, program, *options):
        self.folder = tempfile.mkdtemp(prefix="kv-")
        self.address = os.path.join(self.folder, "socket")
        self.process = subprocess.Popen([program, "--unix", self.address, *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        ready = self.process.stdout.readline()
        if not ready.startswith("kv: ready"):
            raise RuntimeError("the server did not start: " + ready + self.process.stdout.read())

    def client(self):
        return Client(self.address)

    def end(self):
        """Asks it to end, and gives its status and what it said."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=60)
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.process.returncode, said


class Checker(threading.Thread):
    """Writes and reads keys of its own and compares each reply with a model."""

    def __init__(self, server, number):
        super().__init__(name=f"checker-{number}", daemon=True)
        self.random = random.Random(number)
        self.prefix = f"check:{number}:"
        self.client = server.client()
        self.model = {}
        self.added = [0] * SHARED_COUNTERS
        self.stopping = threading.Event()
        self.requests = 0
        self.failures = []

    def key(self):
        return f"{self.prefix}{self.random.randrange(KEYS_PER_CHECKER)}"

    def value(self):
        return b"%d" % self.random.randrange(10 ** self.random.randrange(1, 17))

    def plan_set(self):
        key, value = self.key(), self.value()
        self.model[key] = value
        return ("SET", key, value), "OK"

    def plan_get(self):
        key = self.key()
        return ("GET", key), self.model.get(key)

    def plan_delete(self):
        key = self.key()
        return ("DEL", key), int(self.model.pop(key, None) is not None)

    def plan_increment(self):
        key, more = self.key(), self.random.randrange(1000)
        self.model[key] = b"%d" % (int(self.model.get(key, b"0")) + more)
        return ("INCRBY", key, more), int(self.model[key])

    def plan_exchange(self):
        key, value = self.key(), self.value()
        old, self.model[key] = self.model.get(key), value
        return ("GETSET", key, value), old

    def plan_set_absent(self):
        key, value = self.key(), self.value()
        absent = key not in self.model
        self.model.setdefault(key, value)
        return ("SETNX", key, value), int(absent)

    def plan_set_many(self):
        pairs = {self.key(): self.value() for _ in range(5)}
        self.model.update(pairs)
        return ("MSET", *(word for pair in pairs.items() for word in pair)), "OK"

    def plan_get_many(self):
        keys = [self.key() for _ in range(5)]
        return ("MGET", *keys), [self.model.get(key) for key in keys]

    def plan_expire(self):
        key = self.key()
        return ("EXPIRE", key, 100000), int(key in self.model)

    def plan_length(self):
        key = self.key()
        return ("STRLEN", key), len(self.model.get(key, b""))

    def plan_shared(self):
        number, more = self.random.randrange(SHARED_COUNTERS), self.random.randrange(1000)
        self.added[number] += more
        return ("INCRBY", f"shared:{number}", more), ANY_NUMBER

    PLANS = [plan_set, plan_set, plan_get, plan_get, plan_delete, plan_increment, plan_exchange,
             plan_set_absent, plan_set_many, plan_get_many, plan_expire, plan_length, plan_shared]

    def compare(self, request, wanted, got):
        if wanted is ANY_NUMBER and isinstance(got, int):
            return
        if type(got) is not type(wanted) or got != wanted:
            self.failures.append(f"{request!r}: wanted {wanted!r}, got {got!r}")

    def run(self):
        try:
            while not self.stopping.is_set() and not self.failures:
                planned = [self.random.choice(self.PLANS)(self) for _ in range(BATCH)]
                replies = self.client.pipeline([request for request, _ in planned])
                for (request, wanted), got in zip(planned, replies):
                    self.compare(request, wanted, got)
                self.requests += BATCH
        except (OSError, ValueError) as error:
            self.failures.append(f"{self.name}: {error!r}")

    def finish(self):
        """Compares every key, and that there are no others."""
        self.stopping.set()
        self.join()
        if self.failures:
            return
        for key in (f"{self.prefix}{n}" for n in range(KEYS_PER_CHECKER)):
            self.compare(("GET", key), self.model.get(key), self.client("GET", key))
        names = {name.decode() for name in self.client("KEYS", self.prefix + "*")}
        if names != set(self.model):
            self.failures.append(f"{self.name}: KEYS shows other keys: {names ^ set(self.model)}")


class Operator:
    """Replaces the server's parts, one after the other."""

    def __init__(self, server, component):
        self.client = server.client()
        self.component = os.path.abspath(component)
        self.retries = 0
        self.rounds = 0

    def do(self, *words):
        for _ in range(ATTEMPTS):
            try:
                return self.client("K42", *words)
            except ServerError as error:
                if not any(reason in str(error) for reason in FOR_NOW):
                    raise
                self.retries += 1
        raise RuntimeError(f"K42 {' '.join(words)} did not succeed in {ATTEMPTS} attempts")

    def round(self):
        self.do("SWAP", "table", "open")
        name = self.do("LOAD", self.component).decode()
        self.do("UPGRADE", "eviction.lru", ("eager", "lazy")[self.rounds % 2])
        self.do("WATCH", "on")
        self.do("SWAP", "table", "chained")
        self.do("SWAP", "table", "table.open")
        self.do("LATENCY")
        self.do("WATCH", "off")
        self.do("UPGRADE", "eviction.lru", "eager", "1")
        for policy in ("lfu", "random", "lru"):
            self.do("SWAP", "eviction", policy)
        self.do("SWAP", "table", "chained")
        self.do("UNLOAD", name)
        self.rounds += 1


class Load:
    """redis-benchmark, unmodified, again and again."""

    def __init__(self, server, requests):
        program = shutil.which("redis-benchmark")
        if not program:
            raise RuntimeError("redis-benchmark is needed to load the server; "
                               "Debian's package redis-tools brings it")
        self.command = [program, "-s", server.address, "-c", "20", "-n", str(requests), "-q", "-r",
                        "10000", "-t", "set,get,incr,mset"]
        self.lines = []
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        self.said = self.process.stdout.read()

    def running(self):
        return self.process.poll() is None

    def abandon(self):
        if self.running():
            self.process.kill()
        self.process.wait()
        self.reader.join()

    def finish(self):
        """Waits for its end and takes in what it printed; errors raise."""
        self.process.wait()
        self.reader.join()
        results = re.findall(r"([A-Z]+(?: \(10 keys\))?: [0-9.]+ requests per second[^\r\n]*)",
                             self.said)
        if self.process.returncode != 0 or len(results) != 4 or "rror" in self.said:
            raise RuntimeError(f"redis-benchmark failed ({self.process.returncode}): {self.said}")
        self.lines = [line.strip() for line in results]


def replace_under_load(operator, load, workers, rounds):
    """Goes on until the load has ended and there were rounds enough, or a checker complains."""
    while load.running() or operator.rounds < rounds:
        operator.round()
        if any(worker.failures for worker in workers):
            break
        if not load.running() and operator.rounds < rounds:
            load.finish()
            load.start()
    load.finish()
    for worker in workers:
        worker.finish()
    for number in range(SHARED_COUNTERS):
        wanted = sum(worker.added[number] for worker in workers)
        got = int(operator.client("GET", f"shared:{number}") or 0)
        if got != wanted:
            workers[0].failures.append(f"shared:{number} is {got}, and {wanted} was added")


def storm(server, component, requests, rounds, checkers):
    """Everything at once; what happened, as lines of text. Raises when anything failed."""
    operator = Operator(server, component)
    workers = [Checker(server, number) for number in range(checkers)]
    load = Load(server, requests)
    began = time.monotonic()
    try:
        for worker in workers:
            worker.start()
        replace_under_load(operator, load, workers, rounds)
    finally:
        load.abandon()
        for worker in workers:
            worker.stopping.set()
    failures = [failure for worker in workers for failure in worker.failures]
    if failures:
        raise RuntimeError("\n".join(failures[:20]))
    info = dict(line.split(":", 1) for line in operator.client("INFO").decode().splitlines()
                if ":" in line)
    if info["protocol_errors"] != "0":
        raise RuntimeError(f"{info['protocol_errors']} requests were no requests")
    return [*load.lines,
            f"{operator.rounds} rounds in {time.monotonic() - began:.1f} s: {info['swaps']} swaps, "
            f"{info['swap_aborts']} attempts given up and repeated, {operator.retries} commands "
            "repeated",
            f"{sum(worker.requests for worker in workers)} requests checked against models, "
            f"{sum(len(worker.model) for worker in workers)} keys compared at the end: all right"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, help="the program kv")
    parser.add_argument("--component", required=True, help="eviction_v2.so")
    parser.add_argument("--requests", type=int, default=100000, help="of each kind of benchmark")
    parser.add_argument("--rounds", type=int, default=3, help="at least as many")
    parser.add_argument("--checkers", type=int, default=3)
    given = parser.parse_args()
    server = Server(given.server)
    problem = None
    try:
        for line in storm(server, given.component, given.requests, given.rounds, given.checkers):
            print(line)
    except (RuntimeError, OSError, ServerError) as error:
        problem = error
    status, said = server.end()
    if problem or status != 0 or "ended cleanly" not in said:
        print(f"kv_check: {problem or 'the server did not end cleanly'}\n"
              f"server's status {status}, and it said:\n{said}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
