"""./k42 test: builds the variants, runs the suites side by side, adds up.

Suites run on as many threads as there are processors; those that must be alone run at the end. What
takes long starts first.
"""
import concurrent.futures
import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time

from launcher import descent, suites, variants
from launcher.progress import say
from launcher.tree import Trouble, built, shown
from launcher.verdicts import judge

# Variants whose kernels tests in Python boot.
GUESTS = ("release", "debug")


class Running:
    """The processes under way, so that an interrupted run leaves none behind."""

    def __init__(self):
        self.lock, self.processes, self.stopped = threading.Lock(), set(), False

    def start(self, command, log, suite):
        with self.lock:
            if self.stopped:
                raise KeyboardInterrupt
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=subprocess.STDOUT, env=suite.settings,
                                       cwd=suite.where, start_new_session=True)
            self.processes.add(process)
        return process

    def forget(self, process):
        with self.lock:
            self.processes.discard(process)
        end_group(process)

    def stop(self):
        with self.lock:
            self.stopped = True
            for process in self.processes:
                end_group(process)


def end_group(process):
    """Ends a suite's process and whatever it started."""
    if process.poll() is None:
        descent.end(process)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def without_randomised_addresses():
    """ThreadSanitizer of gcc 12 dies on some kernels' address randomisation; switch it off."""
    prefix = ["setarch", "-R"]
    try:
        works = subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        works = False
    return prefix if works else []


def run_suite(suite, running):
    """Runs one suite to its end; returns the verdict and the seconds it took."""
    os.makedirs(os.path.dirname(suite.log), exist_ok=True)
    os.makedirs(built("tmp"), exist_ok=True)
    if os.path.exists(suite.junit):
        os.remove(suite.junit)
    command = suite.command
    if suite.variant == "tsan":
        command = without_randomised_addresses() + command
    began, timed_out = time.monotonic(), False
    with open(suite.log, "w") as log:
        process = running.start(command, log, suite)
        try:
            process.wait(suite.timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            end_group(process)
            process.wait()
        finally:
            running.forget(process)
    with open(suite.log, errors="replace") as log:
        text = log.read()
    return judge(suite, process.returncode, text, timed_out), time.monotonic() - began


def tell(suite, verdict, took):
    skipped = f", {verdict.skipped} skipped" if verdict.skipped else ""
    failed = f", {verdict.failed} FAILED" if verdict.failed else ""
    say(f"{suite.title:<44} {verdict.passed:>4} passed{failed}{skipped}  {took:.1f} s")
    if verdict.failed:
        complain(suite, verdict)


def complain(suite, verdict):
    say("\n".join("    " + line for line in verdict.complaints[:30]))
    say(f"    all of it: {shown(suite.log)}")


def recall(failures):
    """Says again what failed: it stands far above by the time all suites have ended."""
    for suite, verdict in failures:
        say(f"{suite.title}: {verdict.failed} FAILED")
        complain(suite, verdict)


def run_all(chosen):
    """Runs suites, longest first; returns cases passed and failed, and says again which failed."""
    running, verdicts = Running(), []
    chosen = sorted(chosen, key=lambda suite: -suite.priority)
    together = [suite for suite in chosen if not suite.alone]
    rounds = ((together, os.cpu_count() or 1), ([s for s in chosen if s.alone], 1))
    try:
        for batch, workers in rounds:
            with concurrent.futures.ThreadPoolExecutor(workers) as pool:
                jobs = {pool.submit(run_suite, suite, running): suite for suite in batch}
                try:
                    for job in concurrent.futures.as_completed(jobs):
                        verdict, took = job.result()
                        tell(jobs[job], verdict, took)
                        verdicts.append((jobs[job], verdict))
                except BaseException:
                    running.stop()
                    pool.shutdown(cancel_futures=True)
                    raise
    finally:
        running.stop()
    recall([(suite, verdict) for suite, verdict in verdicts if verdict.failed])
    return (sum(verdict.passed for _, verdict in verdicts),
            sum(verdict.failed for _, verdict in verdicts))


def needed_variants(pattern):
    """Those with a suite whose name contains the pattern, as far as one can tell before building.

    A variant whose tests have changed since it was configured cannot tell.
    """
    names = list(variants.VARIANTS)
    if not pattern:
        return names
    if any(pattern.startswith(name + "/") for name in names):
        return [pattern.partition("/")[0]]
    guests = GUESTS if any(suites.matches(one, pattern) for one in suites.python_suites()) else ()
    return [name for name in names if name in guests or not variants.knows_its_tests(name)
            or any(suites.matches(one, pattern) for one in suites.compiled_suites(name))]


def prepare(pattern):
    """Builds what the pattern needs; returns the suites, and how many variants did not build. Without
    a pattern some variants show only that they build: their suites are for --long, or by name."""
    chosen, broken = [], 0
    for name in needed_variants(pattern):
        only = not pattern and variants.find(name).quick
        try:
            variants.announce_build(name, only or ())
        except Trouble as trouble:
            say(f"{name}: {trouble}")
            broken += 1
            continue
        if not only:
            chosen += suites.compiled_suites(name)
    chosen += suites.python_suites()
    return [suite for suite in chosen if suites.matches(suite, pattern)], broken


def list_suites(pattern):
    chosen, _ = prepare(pattern)
    say("\n".join(sorted(suite.title for suite in chosen)))
    return 0 if chosen else 1


def test(pattern):
    shutil.rmtree(built("test"), ignore_errors=True)
    chosen, broken = prepare(pattern)
    if not chosen and not broken:
        raise Trouble(f"no suite's name contains '{pattern}'", "./k42 test --list names them")
    passed, failed = run_all(chosen)
    return conclude(passed, failed + broken)


def conclude(passed, failed):
    """The last line, and the exit status."""
    say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
