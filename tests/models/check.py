#!/usr/bin/env python3
"""Checks the Spin models of the runtime, and that each mutant of a model is caught.

A model is verified in one or more configurations (sets of definitions); it passes when the whole
state space has been searched without an error. A mutant is the model with one mistake in it (an
#ifdef); it passes when the search finds an error of the expected kind, so that the properties are
known to be able to fail.

Work files go under build/models/ of the source tree (or --work). Needs spin and gcc.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

# About two minutes of one processor with --quick; more when the machine is busy.
SUITE_TIMEOUT_SECONDS = 900

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
MEMORY_MIB = 1900
SEARCH_DEPTH = 1000000

# What a search reports: an assertion by (part of) its text, a deadlock, or a missed promise.
DEADLOCK = r"invalid end state"
NEVER_ENDS = r"acceptance cycle"


def assertion(text):
    return r"assertion violated.*" + re.escape(text)


class Configuration:
    def __init__(self, name, definitions, says, liveness=False, large=False):
        self.name = name
        self.definitions = definitions.split()
        self.says = says
        self.liveness = liveness
        self.large = large  # its state space: left out with --quick


class Mutant:
    def __init__(self, name, configuration, expected, says):
        self.name = name
        self.configuration = configuration
        self.expected = expected
        self.says = says


DANGLING = assertion("!(freed[")
OTHER_OBJECT = assertion("==ref")
SLOT_LEFT = assertion("slot[")
MAY_RUN = assertion("may_run[")
MEDIATOR_GONE = assertion("mediator_exists[")

ASLEEP = assertion("!((asleep[")
ENTRY_GONE = assertion("exists[target]")

MODELS = {
    "entry": (
        [
            Configuration("destroy", "DESTROY=2 REUSE TRIM", "two destroyers, id used again"),
            Configuration("reuse", "DESTROY=1 REUSE", "one destroyer, id used again"),
            Configuration("swap", "SWAP TRIM", "a swap, done or failed"),
            Configuration("interpose", "INTERPOSE TRIM", "an interposer comes and goes"),
            Configuration("swap-destroy", "SWAP DESTROY=2 REUSE CALLS=1", "a destroy during a swap",
                          large=True),
            Configuration("swap-interpose", "SWAP INTERPOSE CALLS=1", "a swap behind an interposer",
                          large=True),
            Configuration(
                "all", "SWAP INTERPOSE DESTROY=1 CPUS=1 CALLS=1", "everything, one caller"
            ),
        ],
        [
            Mutant("MISSES_NOT_AWAITED", "swap", SLOT_LEFT, "redirects while a miss is answered"),
            Mutant("MISSES_NOT_AWAITED_BY_DESTROY", "destroy", SLOT_LEFT, "the same of destroy"),
            Mutant("A_SLOT_NOT_EMPTIED", "swap", SLOT_LEFT, "redirects only the first CPU"),
            Mutant("SLOTS_NOT_EMPTIED_BY_DESTROY", "destroy", DANGLING + "|" + SLOT_LEFT,
                   "slots lead to the dead object"),
            Mutant("MISS_ANSWERS_THE_DEAD", "destroy", DANGLING + "|" + SLOT_LEFT,
                   "a miss does not look at DEAD"),
            Mutant("MISS_DOES_NOT_WAIT_FOR_BUSY", "swap", SLOT_LEFT,
                   "a miss overtakes a redirection"),
            Mutant("TOUCHED_TOO_LATE", "swap", SLOT_LEFT,
                   "the CPU is marked after the slot is set"),
            Mutant("ID_REUSED_BEFORE_THE_GRACE_PERIOD", "reuse", OTHER_OBJECT,
                   "an old ref reaches the next object"),
            Mutant("FREED_BEFORE_THE_GRACE_PERIOD", "all", DANGLING,
                   "destroy frees what callers run in"),
            Mutant("DESTROY_READS_THEN_WRITES", "destroy", assertion("destroyed==1"),
                   "two destroyers succeed"),
            Mutant("DESTROY_IGNORES_THE_SWAP", "all", DANGLING,
                   "the mediator is destroyed, not the new object"),
            Mutant("DOOMED_FORGOTTEN", "all", assertion("made["), "the swap's end forgets it"),
            Mutant("DOOMED_READ_THEN_CLEARED", "all", assertion("made["),
                   "a destroy comes between reading DOOMED and clearing SWAPPING"),
            Mutant("MEDIATOR_FREED_EARLY", "swap", DANGLING,
                   "no grace period before the mediator goes"),
            Mutant("INTERPOSER_FREED_EARLY", "interpose", DANGLING,
                   "nor before the interposer goes"),
            Mutant("BUSY_NOT_CLEARED", "swap", DEADLOCK + "|" + assertion("busy"),
                   "misses wait for ever"),
        ],
    ),
    "generations": (
        [
            Configuration("two-grace-periods", "READERS=3 WAITERS=1 ROUNDS=2",
                          "one after the other; three readers on two CPUs", large=True),
            Configuration("two-waiters", "READERS=2 WAITERS=2", "at the same time",
                          large=True),
            Configuration("progress", "LIVENESS CPUS=1 READERS=2 WAITERS=1 ROUNDS=2",
                          "readers of one CPU re-enter for ever", liveness=True),
            Configuration("progress-two-cpus", "LIVENESS CPUS=2 READERS=2 WAITERS=1",
                          "readers of two CPUs re-enter for ever", liveness=True),
        ],
        [
            Mutant("NO_BARRIER", "two-waiters", DANGLING, "an entry is still in a store buffer"),
            Mutant("BARRIER_TOO_EARLY", "two-waiters", DANGLING, "the barrier comes before T"),
            Mutant("ONE_PARITY", "two-waiters", DANGLING, "one count seen at zero is enough"),
            Mutant("PARITY_READ_AGAIN", "two-waiters", assertion("own["),
                   "leaving counts down the parity of now"),
            Mutant("A_CPU_FORGOTTEN", "two-waiters", DANGLING, "one leaf is not watched"),
            Mutant("SHARES_THE_CURRENT_ONE", "two-waiters", DANGLING,
                   "a waiter is content with one that began before it"),
            Mutant("NO_ADVANCE", "progress", NEVER_ENDS, "the generation stays"),
            Mutant("ADVANCE_ALWAYS", "progress", NEVER_ENDS,
                   "advances although the other count is used"),
            Mutant("ADVANCE_ON_A_LOOK_NOT_COUNTED", "progress", NEVER_ENDS,
                   "looks again to decide, and forgets what it saw"),
            Mutant("BOTH_ZERO_AT_ONCE", "progress", NEVER_ENDS, "wants one moment without anybody"),
        ],
    ),
    "mediator": (
        [
            Configuration("cross", "", "X and Y swapped, X calls Y and Y calls X"),
            Configuration("cross-no-deadline", "NO_DEADLINE", "the same, deadlines never pass"),
            Configuration("recursion", "DEPTH=3", "X calls Y calls X, Y calls X calls Y",
                          large=True),
            Configuration("again", "ONE_OBJECT", "X swapped twice, X calls X", large=True),
            Configuration("destroy", "DESTROY", "X destroyed meanwhile",
                          large=True),
            Configuration("three-callers", "NO_DEADLINE NO_IMPORT_FAILURE CALLERS=3 PARTS=1",
                          "three callers, deadlines never pass", large=True),
        ],
        [
            Mutant("ZERO_BECOMES_ONE", "cross", MAY_RUN, "a closed mediator lets a call in"),
            Mutant("READS_THE_WORD_THEN_COUNTS", "cross", MAY_RUN,
                   "enters without compare-and-swap"),
            Mutant("ABORT_READS_THEN_WRITES", "cross", MAY_RUN,
                   "aborts after the last exit closed it"),
            Mutant("ABORT_AFTER_CLOSING", "cross", MAY_RUN, "aborts although it is closed"),
            Mutant("ABORT_LEAVES_THE_MEDIATOR", "cross", MEDIATOR_GONE + "|" + DEADLOCK,
                   "the entry is not led back"),
            Mutant("ABORT_WAKES_NOBODY", "cross", DEADLOCK, "waiting callers sleep on"),
            Mutant("TICKET_TAKEN_TWICE", "cross", assertion("tickets["),
                   "swapper and last caller both transfer"),
            Mutant("LAST_EXIT_FORGETS_THE_TICKET", "cross", DEADLOCK, "nobody transfers"),
            Mutant("PART_CLAIMED_TWICE", "cross", assertion(""), "two helpers do the same part"),
            Mutant("HELPERS_NOT_AWAITED", "cross", assertion(""),
                   "installs while a part is going over"),
            Mutant("FAILED_IMPORT_INSTALLED", "cross", assertion(""),
                   "a failed import goes unnoticed"),
            Mutant("WOKEN_INTO_THE_OLD", "cross", MAY_RUN, "the woken do not resolve again"),
            Mutant("NO_FORWARD_PHASE", "cross", MAY_RUN,
                   "calls from before the mediator are ignored"),
            Mutant("MEDIATOR_FREED_EARLY", "cross", MEDIATOR_GONE + "|" + assertion("exists["),
                   "no grace period before the mediator goes"),
            Mutant("NOBODY_PASSES", "cross-no-deadline", DEADLOCK, "callers wait for themselves"),
            Mutant("ONLY_RECURSION_PASSES", "cross-no-deadline", DEADLOCK,
                   "two swaps wait for each other's callers"),
            Mutant("CHAIN_READ_BEFORE_THE_WORD", "cross-no-deadline", DEADLOCK,
                   "whether to pass is decided before the target is seen to block"),
            Mutant("DOOMED_FORGOTTEN", "destroy", assertion("current["),
                   "the swap's end forgets it"),
        ],
    ),
    "wait": (
        [
            Configuration("plain", "", "two calls that wait, two putters, a passer-by"),
            Configuration("interrupt", "INTERRUPT", "one of the calls may be interrupted"),
            Configuration("astray", "ASTRAY", "one of the calls may end with another object"),
            Configuration("deadline", "INTERRUPT DEADLINE", "the other's deadline may pass",
                          large=True),
            Configuration("three", "PUTTERS=3", "more things than takers",
                          large=True),
        ],
        [
            Mutant("SLEEPS_WITHOUT_ANOTHER_ATTEMPT", "plain", ASLEEP,
                   "sleeps without an attempt after it is in the table"),
            Mutant("NOT_PASSED_ON", "plain", ASLEEP,
                   "keeps a notification that it did not need"),
            Mutant("LOOKS_BEFORE_IT_CHANGES", "plain", ASLEEP,
                   "reads the count of waiters before it changes the object"),
            Mutant("BLOCKS_ALTHOUGH_WOKEN", "plain", ASLEEP,
                   "forgets a wake-up that came before the block"),
            Mutant("LEAVES_WITHOUT_THE_LOCK", "plain", ENTRY_GONE,
                   "its entry goes while a notifier is at it"),
            Mutant("GIVES_UP_A_NOTIFICATION", "deadline", ASLEEP,
                   "ends by deadline or interrupt although it was notified"),
            Mutant("KEEPS_WHAT_LED_ELSEWHERE", "astray", ASLEEP,
                   "keeps a notification of what it does not use any more"),
            Mutant("WAKES_BEFORE_THE_FLAG", "interrupt", ASLEEP,
                   "an interrupt wakes before it says so"),
        ],
    ),
}


def command(arguments, folder, seconds):
    """Runs one command; returns (status, output), status 124 when it took too long."""
    try:
        done = subprocess.run(arguments, cwd=folder, timeout=seconds, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return 124, "still running after %d s" % seconds


def search(model, configuration, mutant, work, seconds):
    """Generates, compiles and runs one verifier; returns its output, or raises RuntimeError."""
    folder = os.path.join(work, model, mutant or configuration.name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    definitions = ["-D" + definition for definition in configuration.definitions]
    if mutant:
        definitions.append("-DMUTANT_" + mutant)
    source = os.path.join(HERE, model + ".pml")
    status, output = command(["spin"] + definitions + ["-a", source], folder, seconds)
    if status != 0 or not os.path.exists(os.path.join(folder, "pan.c")):
        raise RuntimeError("spin did not accept %s: %s" % (source, output.strip()))
    kind = ["-DNFAIR=3"] if configuration.liveness else ["-DSAFETY"]
    # A search of seconds is over before a compiler that optimises it.
    optimise = "-O0" if mutant else "-O2" if configuration.large else "-O1"
    status, output = command(
        ["gcc", "-w", optimise, "-DCOLLAPSE", "-DMEMLIM=%d" % MEMORY_MIB] + kind
        + ["-o", "pan", "pan.c"], folder, seconds)
    if status != 0:
        raise RuntimeError("gcc did not compile the verifier: " + output.strip())
    run = ["./pan", "-m%d" % SEARCH_DEPTH, "-w20" if mutant else "-w24"]
    run += ["-a", "-f"] if configuration.liveness else []
    status, output = command(run, folder, seconds)
    with open(os.path.join(folder, "pan.out"), "w") as file:
        file.write(output)
    if status == 124:
        raise RuntimeError("the search was " + output)
    return output


def states(output):
    found = re.search(r"^\s*([0-9.e+]+) states, stored", output, re.M)
    return int(float(found.group(1))) if found else 0


def finding(output):
    """The error that a search reports, or None; RuntimeError when it did not see everything."""
    found = re.search(r"^pan:\d+: (.*?)(?: \(at depth|$)", output, re.M)
    if found and "max search depth" not in found.group(1):
        return found.group(1).strip()
    if "errors: 0" not in output or "MEMLIM" in output or "max search depth too small" in output:
        raise RuntimeError("the search is not complete: " + output.strip()[-300:])
    return None


def check_model(model, configuration, arguments):
    output = search(model, configuration, None, arguments.work, arguments.timeout)
    found = finding(output)
    if found:
        raise RuntimeError("%s; see the trail in %s" % (
            found, os.path.join(arguments.work, model, configuration.name)))
    return "%d states" % states(output)


def check_mutant(model, mutant, arguments):
    configuration = next(c for c in MODELS[model][0] if c.name == mutant.configuration)
    found = finding(search(model, configuration, mutant.name, arguments.work, arguments.timeout))
    if not found:
        raise RuntimeError("not caught: the properties do not see this mistake")
    if not re.search(mutant.expected, found):
        raise RuntimeError("caught by '%s', expected /%s/" % (found, mutant.expected))
    return "caught: " + found


def cases(arguments):
    """(name, sentence, function) of everything that was asked for."""
    for model, (configurations, mutants) in MODELS.items():
        if arguments.model and model != arguments.model:
            continue
        if not arguments.mutant:
            for configuration in configurations:
                if configuration.large and arguments.quick:
                    continue
                yield ("%s/%s" % (model, configuration.name), configuration.says,
                       lambda m=model, c=configuration: check_model(m, c, arguments))
        for mutant in mutants:
            if arguments.mutant in (None, mutant.name):
                yield ("%s/mutant/%s" % (model, mutant.name), mutant.says,
                       lambda m=model, x=mutant: check_mutant(m, x, arguments))


def write_junit(path, results):
    suite = xml.Element("testsuite", name="models", tests=str(len(results)),
                        failures=str(sum(1 for r in results if r[3])))
    for name, seconds, said, failed in results:
        case = xml.SubElement(suite, "testcase", classname="models", name=name,
                              time="%.2f" % seconds)
        if failed:
            xml.SubElement(case, "failure", message=said)
        else:
            xml.SubElement(case, "system-out").text = said
    xml.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def main():
    parser = argparse.ArgumentParser(description="Checks the Spin models and their mutants.")
    parser.add_argument("--list", action="store_true", help="name everything, check nothing")
    parser.add_argument("--model", choices=list(MODELS), help="only this model and its mutants")
    parser.add_argument("--mutant", metavar="NAME", help="only this mutant")
    parser.add_argument("--quick", action="store_true",
                        help="without the searches that take longest; all mutants")
    parser.add_argument("--junit", metavar="FILE", help="write the results there")
    parser.add_argument("--work", default=os.path.join(TREE, "build", "models"),
                        help="folder for work files (default: build/models)")
    parser.add_argument("--timeout", type=int, default=600, help="seconds for each step of a case")
    arguments = parser.parse_args()
    arguments.work = os.path.abspath(arguments.work)

    chosen = list(cases(arguments))
    if not chosen:
        sys.exit("check.py: no mutant is called '%s'; --list names them" % arguments.mutant)
    if arguments.list:
        for name, says, _ in chosen:
            print("%-52s %s" % (name, says))
        return 0
    for tool in ("spin", "gcc"):
        if not shutil.which(tool):
            sys.exit("check.py: %s was not found; install the packages spin and gcc" % tool)

    results = []
    for name, _, check in chosen:
        begin = time.monotonic()
        try:
            said, failed = check(), False
        except RuntimeError as error:
            said, failed = str(error), True
        seconds = time.monotonic() - begin
        results.append((name, seconds, said, failed))
        print("%s %-52s %5.1f s  %s" % ("FAILED" if failed else "ok    ", name, seconds, said),
              flush=True)
    if arguments.junit:
        write_junit(arguments.junit, results)
    failures = sum(1 for result in results if result[3])
    print("%d passed, %d failed" % (len(results) - failures, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
