"""Parallel search in one file with a shared, a partitioned and an adaptive page cache.

On this machine's processors: the kernel's page caches in a program, nanoseconds a page. In guests:
dash, xargs and grep on 1, 2, 4 and 8 emulated processors, instructions a search (which is all that
emulated processors tell) and how often CPUs met at a page. The adaptive one begins as a shared one,
and the advisors are on; for the others they are off.
"""
import os
import re
import tempfile

import host_programs
import plots
from launcher import sample_text

from guests import advisors_are_there, calm, guest
from rows import median, row

NAME = "search"
FIXED = ("fcm.shared", "fcm.partitioned")
ALL = (*FIXED, "adaptive")
WITHIN = "within 3 % of the better"
FILE = "/srv/text"
PAGES = 512
WORDS = 400
SEARCH = "seq {searches} | xargs -P {cpus} -I _ sh -c 'grep -c needle " + FILE + "' | sort | uniq -c"


def write_text(folder):
    with open(os.path.join(folder, "text"), "wb") as file:
        file.write(sample_text.text(PAGES, {"needle": WORDS}))


def aim(variant, best):
    """The target of an adaptive cache, where the better of the fixed ones costs so much."""
    if variant in FIXED:
        return {}
    return {"target": WITHIN, "reached": lambda value, _: value <= 1.03 * best}


# ---- on this machine's processors ----

def on_the_host(asked):
    seen = host_programs.run("page_search", rounds=6 if asked.quick else 150, most=8)
    for what, name in (("search", "page read and searched"), ("look", "page found")):
        for threads in (1, 2, 4, 8):
            costs = {variant: seen[f"{what}-{threads}", variant] for variant in ALL}
            best = min(median(costs[variant]) for variant in FIXED)
            for variant in ALL:
                about = {"cpus": min(threads, os.cpu_count())}
                yield row(NAME, f"{name}, {threads} threads", variant, "ns", costs[variant],
                          peer="fcm.shared", theirs=costs["fcm.shared"], **about,
                          **(aim(variant, best) if what == "search" else {}))
                yield row(NAME, f"{name}, {threads} threads: CPUs met", variant, "per 1000 pages",
                          seen[f"met-{what}-{threads}", variant], **about)


# ---- in guests ----

def prepared(one, variant):
    """The file in memory, its cache of the class wanted."""
    one.sh(f"cat {FILE} > /dev/null; cat {FILE} > /dev/null")
    if variant in FIXED:
        one.ask(f"swap --file {FILE} {variant} --deadline 10s", FILE)


def cache_of(one):
    """The file's page cache: its class, and how often CPUs met there."""
    objects = one.ask("objects --interface fcm", FILE)["objects"]
    caches = [at for at in objects for owner in at["owners"] if owner.get("file") == FILE]
    said = one.sh(f"k42ctl show {caches[0]['id']}")
    return caches[0]["class"], int(re.search(r"CPUs met (\d+) times", said)[1])


def searched(one, cpus, searches):
    """One measurement; every search must find all words."""
    took, lines = one.timed(SEARCH.format(cpus=cpus, searches=searches))
    if [line.split() for line in lines] != [[str(searches), str(WORDS)]]:
        raise AssertionError(f"searches found {lines}")
    return took / searches


def in_a_guest(folder, cpus, variant, counting, rounds):
    """Costs of a search, and how often CPUs met in a thousand pages."""
    append = "" if variant == "adaptive" else "advisors=off"
    with guest(cpus, counting, shares=[(folder, "/srv")], append=append) as one:
        prepared(one, variant)
        searches = 4 * cpus
        searched(one, cpus, searches)
        _, before = cache_of(one)
        costs = [searched(one, cpus, searches) for _ in range(rounds)]
        is_now, after = cache_of(one)
        if variant in FIXED and is_now != variant:
            raise AssertionError(f"the cache was to stay {variant} and is {is_now}")
        return calm(costs), (after - before) * 1000 / (searches * rounds * PAGES)


def in_guests(asked, variants):
    rounds = 2 if asked.quick else 5
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        write_text(folder)
        for cpus in asked.cpus or ((1, 2) if asked.quick else (1, 2, 4, 8)):
            costs, met = {}, {}
            for variant in variants:
                costs[variant], _ = in_a_guest(folder, cpus, variant, True, rounds)
                _, met[variant] = in_a_guest(folder, cpus, variant, False, rounds)
            best = min(median(costs[variant]) for variant in FIXED)
            for variant in variants:
                yield row(NAME, "a search by grep", variant, "instructions", costs[variant],
                          cpus=cpus, peer="fcm.shared", theirs=costs["fcm.shared"],
                          **aim(variant, best))
                yield row(NAME, "a search by grep: CPUs met", variant, "per 1000 pages",
                          [met[variant]], cpus=cpus)


def observe(asked, note):
    variants = ALL if advisors_are_there() else FIXED
    if variants == FIXED:
        note("search: this kernel has no advisors, so guests have no adaptive cache to measure")
    return [*on_the_host(asked), *in_guests(asked, variants)]


def draw(found, folder):
    def line(name, variant):
        return [(threads, one["value"], one["low"], one["high"]) for threads in (1, 2, 4, 8)
                for one in found
                if one["name"] == f"{name}, {threads} threads" and one["variant"] == variant]
    host = [plots.Panel(title, "threads", "ns", [(variant, line(name, variant)) for variant in ALL])
            for name, title in (("page found", "A cached page found and held (host, 2 cores)"),
                                ("page read and searched", "The same, copied and searched"))]
    names = dict.fromkeys(one["variant"] for one in found if one["name"] == "a search by grep")
    counted = plots.Panel(
        "A search by grep in a guest", "emulated CPUs", "million instructions",
        [(variant, [(one["cpus"], *(one[key] / 1e6 for key in ("value", "low", "high")))
                    for one in found
                    if one["name"] == "a search by grep" and one["variant"] == variant])
         for variant in names])
    return [plots.lines(folder, "papers-search", [*host, counted])]
