"""What is reported: rows made of observations, with their targets.

A row compares one figure of ours with one of a peer, both taken in the same run. `value` is the
median of our observations unless the row says otherwise; `ratio` is our cost over the peer's, so
that below 1 is better (for throughputs it is the inverse).
"""

import dataclasses


def quantile(values, share):
    """The observation below which that share of all lies; of the sorted list, the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values):
    return quantile(values, 0.5)


@dataclasses.dataclass
class Row:
    name: str
    unit: str
    ours: list  # observations
    peer: str = None
    theirs: list = None
    share: float = 0.5  # which quantile is compared
    higher_is_better: bool = False
    cpus: int = 1
    target: str = ""  # in words
    reached: object = None  # of (value, peer_value, ratio); None: there is no target

    @property
    def value(self):
        return quantile(self.ours, self.share)

    @property
    def peer_value(self):
        return quantile(self.theirs, self.share) if self.theirs else None

    @property
    def best(self):
        return max(self.ours) if self.higher_is_better else min(self.ours)

    @property
    def ratio(self):
        if not self.theirs:
            return None
        ours, theirs = self.value, self.peer_value
        if self.higher_is_better:
            ours, theirs = theirs, ours
        return ours / theirs if theirs > 0 else None

    @property
    def verdict(self):
        if not self.reached:
            return ""
        return "yes" if self.reached(self.value, self.peer_value, self.ratio) else "NO"


def call_rows(seen, cpus):
    call = seen["call", "k42"]
    yield Row("call", "ns", call, "ops-pointer call", seen["call", "ops-pointer"],
              target="ratio <= 1.1", reached=lambda value, peer, ratio: ratio <= 1.1)
    for variant, peer in (("direct", "direct call"), ("rwlock", "pthread_rwlock_t + call"),
                          ("refcount", "atomic refcount + call"),
                          ("urcu-qsbr", "liburcu-qsbr read side + call"),
                          ("urcu-memb", "liburcu-memb read side + call")):
        yield Row("call-vs-" + variant, "ns", call, peer, seen["call", variant])
    yield Row("call-enter-exit", "ns", seen["call", "k42+enter-exit"],
              "liburcu-memb read side + call", seen["call", "urcu-memb"])
    yield Row("call-safe-point", "ns", seen["call", "k42+safe-point"],
              "liburcu-qsbr + quiescent state", seen["call", "urcu-qsbr+quiescent"])
    yield Row("enter-exit", "ns", seen["enter-exit", "k42"], "liburcu-memb",
              seen["enter-exit", "urcu-memb"], target="ratio <= 1",
              reached=lambda value, peer, ratio: ratio <= 1)
    yield Row("interposed-call", "ns", seen["call", "k42-interposed"], "call, not interposed",
              call)


ROUNDS_TOGETHER = 10


def _speedups(seen, variant, threads):
    """All threads' rate over the rate of one, each the mean of some rounds.

    A loop of a few instructions runs in one of two modes, 1 to 1.5 in speed, which the processor
    falls into at its start; a single round may compare the one with the other.
    """
    one, many = seen["threads-1", variant], seen[f"threads-{threads}", variant]
    groups = range(0, len(one), ROUNDS_TOGETHER)
    return [sum(many[i:i + ROUNDS_TOGETHER]) / sum(one[i:i + ROUNDS_TOGETHER]) for i in groups]


def thread_rows(seen, cpus):
    for threads in range(2, cpus + 1):
        wanted = 0.95 * threads
        yield Row(f"call-{threads}-threads", "x one", _speedups(seen, "k42", threads),
                  "ops-pointer call", _speedups(seen, "ops-pointer", threads),
                  higher_is_better=True, cpus=threads, target=f">= {wanted:.1f}",
                  reached=lambda value, peer, ratio, wanted=wanted: value >= wanted)
        for variant, peer in (("urcu-memb", "liburcu-memb read side + call"),
                              ("refcount", "atomic refcount + call"),
                              ("rwlock", "pthread_rwlock_t + call")):
            yield Row(f"call-{threads}-threads-vs-{variant}", "M/s",
                      seen[f"threads-{threads}", "k42+enter-exit"], peer,
                      seen[f"threads-{threads}", variant], higher_is_better=True, cpus=threads)


def grace_rows(seen, cpus):
    for row in ("grace-period", "grace-period-busy"):
        yield Row(row, "ns", seen[row, "k42"], "liburcu-memb synchronize_rcu",
                  seen[row, "urcu-memb"], cpus=cpus)


def swap_rows(seen, cpus):
    yield Row("swap-idle", "us", seen["swap-idle", "k42"],
              "liburcu: new pointer, synchronize_rcu", seen["swap-idle", "urcu-memb"], cpus=cpus,
              target="<= 20", reached=lambda value, peer, ratio: value <= 20)


def pause_rows(seen, cpus):
    ours = seen["pause", "k42"]
    yield Row("swap-load", "us", seen["swap-load", "k42"], cpus=cpus)
    for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1)):
        row = Row("pause-" + name, "us", ours, "same loop, no swaps", seen["pause", "resting"],
                  share, cpus=cpus)
        if name == "p99":
            row.target = "<= 50 more"
            row.reached = lambda value, peer, ratio: value - peer <= 50
        yield row
        yield Row(f"pause-{name}-computing", "us", ours, "same loop, computing instead",
                  seen["pause", "computing"], share, cpus=cpus)


def upgrade_rows(seen, cpus):
    for label, count in (("1k", 1000), ("100k", 100000), ("1m", 1000000)):
        if seen[f"upgrade-{count}", "k42"]:
            yield Row(f"upgrade-{label}", "ms", seen[f"upgrade-{count}", "k42"])
        if not seen[f"upgrade-{count}-pause", "k42"]:
            continue
        yield Row(f"upgrade-{label}-busy", "ms", seen[f"upgrade-{count}-busy", "k42"], cpus=cpus)
        ours = seen[f"upgrade-{count}-pause", "k42"]
        row = Row(f"upgrade-{label}-max-pause", "us", ours, "same loop, no upgrade",
                  seen[f"upgrade-{count}-pause", "resting"], cpus=cpus)
        if label == "1m":
            row.target = "<= 1000 more"
            row.reached = lambda value, peer, ratio: value - peer <= 1000
        yield row
        yield Row(f"upgrade-{label}-max-pause-computing", "us", ours,
                  "same loop, computing instead", seen[f"upgrade-{count}-pause", "computing"],
                  cpus=cpus)


def trace_rows(seen, cpus):
    yield Row("trace-on", "ns", seen["trace-on", "k42"], "LTTng-UST event",
              seen["trace-on", "lttng-ust"], target="<= 40, ratio < 1",
              reached=lambda value, peer, ratio: value <= 40 and ratio < 1)
    off = seen["trace-off", "k42"]
    yield Row("trace-off", "ns", off, "LTTng-UST event", seen["trace-off", "lttng-ust"],
              target="<= 1", reached=lambda value, peer, ratio: value <= 1)
    yield Row("trace-off-vs-empty", "ns", off, "empty loop", seen["trace-off", "empty-loop"])


def memory_rows(seen, cpus):
    yield Row("bytes-per-object", "bytes", seen["bytes-per-object", "k42"], cpus=2, target="<= 64",
              reached=lambda value, peer, ratio: value <= 64)
    yield Row("bytes-per-object-resident", "bytes", seen["bytes-per-object", "resident"], cpus=2)


def remarks(seen):
    """What explains the figures, in sentences."""
    aborted = len(seen["swap-load", "aborted"])
    if aborted:
        yield f"{aborted} of {len(seen['pause', 'k42'])} swaps under load missed their deadline"
    for row, what in (("pause", "swaps"), ("upgrade-1000000-pause", "upgrades of a million")):
        slept = seen[row + "-slept", "k42"]
        if slept:
            share = 100 * sum(slept) / len(slept)
            yield (f"during {what}, the longest turn was a wait for the runtime in {share:.1f} % of "
                   "windows; in the others the caller ran or was preempted")
