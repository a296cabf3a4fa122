"""PostMark, Debian's package, unmodified: small files made, read, appended to and removed.

On a folder of the host (9P), with the page caches of all files of one class from the start, and with
the advisors on. Its cost is the processor time that the guest's kernel charges it, in a guest whose
clock counts instructions; waiting for the host is not in it.
"""
import re
import tempfile

import plots
from guests import advisors_are_there, guest
from rows import median, row

NAME = "postmark"
CLASSES = ("shared", "small", "partitioned", "stream")
WITHIN = "within 3 % of the better"
SETTINGS = """set location /srv
set seed 42
set number {files}
set transactions {transactions}
set size 500 9770
set read 4096
set write 4096
set buffering false
set report terse
run
quit
"""
SCRIPT = """cat > /tmp/settings << 'END'
{settings}END
TIMEFORMAT='cost %3U %3S'
time postmark /tmp/settings
"""


def cost_of(one, transactions):
    """Instructions of a transaction, creating and removing the pool included."""
    settings = SETTINGS.format(files=transactions // 4, transactions=transactions)
    said = one.sh("{ " + SCRIPT.format(settings=settings) + "} 2>&1")
    cost = re.search(r"cost ([\d.]+) ([\d.]+)", said)
    if not cost:
        raise AssertionError(said)
    return (float(cost[1]) + float(cost[2])) * 1e9 / transactions


def observe(asked, note):
    transactions, rounds = (400, 1) if asked.quick else (6000, 3)
    ways = {f"fcm.{name}": f"file-cache={name} advisors=off" for name in CLASSES}
    if advisors_are_there():
        ways["adaptive"] = ""
    else:
        note("postmark: this kernel has no advisors, so there is no adaptive cache to measure")
    costs = {}
    for way, append in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            with guest(counting=True, shares=[(folder, "/srv")], packages=("postmark",),
                       append=append) as one:
                costs[way] = [cost_of(one, transactions) for _ in range(rounds)]
    best = min(median(seen) for way, seen in costs.items() if way != "adaptive")
    return [row(NAME, "a transaction", way, "instructions", seen, peer="fcm.shared",
                theirs=costs["fcm.shared"],
                target=WITHIN if way == "adaptive" else None,
                reached=(lambda value, _: value <= 1.03 * best) if way == "adaptive" else None)
            for way, seen in costs.items()]


def draw(found, folder):
    return [plots.bars(folder, "papers-postmark", "PostMark: a transaction", "instructions",
                       [(one["variant"], one["value"]) for one in found])]
