"""Reads what a suite reported and counts its cases.

A suite that crashes, runs out of time, stops early or reports nothing counts as at least one
failure, so that the absence of bad news is never taken for success.
"""
import re
import xml.etree.ElementTree as ElementTree

PLAN = re.compile(r"^1\.\.(\d+)")
CASE = re.compile(r"^(not )?ok\s+(\d+)\s*(.*)")


class Verdict:
    def __init__(self, passed=0, failed=0, skipped=0, complaints=()):
        self.passed, self.failed, self.skipped = passed, failed, skipped
        self.complaints = list(complaints)

    def blame(self, complaint):
        """Something wrong that no case stands for: one failure more."""
        self.failed += 1
        self.complaints.append(complaint)


def read_tap(text):
    """TAP as cmocka writes it: a plan per group, and comments after a case that failed."""
    verdict, planned, seen, failing = Verdict(), 0, 0, False
    for line in text.splitlines():
        plan, case = PLAN.match(line), CASE.match(line)
        if plan:
            planned += int(plan[1])
        elif case:
            seen += 1
            failing = bool(case[1]) and "# SKIP" not in line
            if "# SKIP" in line:
                verdict.skipped += 1
            elif failing:
                verdict.failed += 1
                verdict.complaints.append(case[3].lstrip("- "))
            else:
                verdict.passed += 1
        elif failing and line.startswith("#"):
            verdict.complaints.append("  " + line[1:].strip())
    if seen < planned:
        verdict.failed += planned - seen
        verdict.complaints.append(f"{planned - seen} of {planned} cases did not report")
    return verdict


def read_junit(file):
    """A report in JUnit's form, as pytest writes it."""
    try:
        cases = list(ElementTree.parse(file).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return Verdict()
    verdict = Verdict()
    for case in cases:
        wrong = next((child for child in case if child.tag in ("failure", "error")), None)
        if wrong is not None:
            verdict.failed += 1
            verdict.complaints.append(case.get("name"))
            verdict.complaints += ["  " + line for line in (wrong.text or "").splitlines()[-12:]]
        elif case.find("skipped") is not None:
            verdict.skipped += 1
        else:
            verdict.passed += 1
    return verdict


def ending(status):
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"


def judge(suite, status, text, timed_out):
    """The verdict on one suite that has ended."""
    if suite.protocol == "tap":
        verdict = read_tap(text)
    elif suite.protocol == "junit":
        verdict = read_junit(suite.junit)
    else:
        verdict = Verdict(passed=1) if status == 0 and not timed_out else Verdict()
    if timed_out:
        verdict.blame(f"did not end within {suite.timeout} s")
    elif status != 0 and not verdict.failed:
        verdict.blame(ending(status))
    if verdict.passed + verdict.failed + verdict.skipped == 0:
        verdict.blame("reported no test case")
    if verdict.failed and not (suite.protocol == "junit" and verdict.complaints):
        verdict.complaints += ["  | " + line for line in text.splitlines()[-20:]]
    return verdict
