"""Runs one file of Python's own test suite and tells how each of its cases ended.

    python3 cases.py NAME TOLD

It runs in the guest, in python's own regrtest, whose class of results is replaced by one that appends
a line for each case to the file TOLD: how it ended, and its name; what was said about one that did not
pass follows behind "|". So cases may do with descriptors what they like, and what was told before the
process died is not lost. results.py reads that file.
"""
import sys

MOST_LINES = 40  # of what is said about one case
# Regrtest makes its limits on waiting from this one, which is not meant to be reached.
PATIENCE_SECONDS = "6000"


def main(name, told):
    from test import libregrtest
    from test.support import testresult

    def tell(test, outcome, about):
        with open(told, "a", errors="backslashreplace") as file:
            file.write("".join(line + "\n" for line in (f"{outcome} {' '.join(test.id().split())}", *about)))

    class Result(testresult.RegressionTestResult):
        """What ends a case may be told more than once, of its parts, and of what stands around several."""
        case, outcome, about = None, None, ()

        def startTest(self, test):
            super().startTest(test)
            self.case, self.outcome, self.about = test, None, ()

        def stopTest(self, test):
            super().stopTest(test)
            tell(test, self.outcome or "passed", self.about)
            self.case = None

        def ended(self, outcome, test, error=None):
            lines = self._exc_info_to_string(error, test).splitlines() if error else []
            about = ["| " + line for line in lines[-MOST_LINES:]]
            if not self.case:
                tell(test, outcome, about)
            elif self.outcome != "failed":
                self.outcome, self.about = outcome, about

        def addError(self, test, err):
            super().addError(test, err)
            self.ended("failed", test, err)

        def addFailure(self, test, err):
            super().addFailure(test, err)
            self.ended("failed", test, err)

        def addSubTest(self, test, subtest, err):
            super().addSubTest(test, subtest, err)
            if err:
                self.ended("failed", test, err)

        def addSkip(self, test, reason):
            super().addSkip(test, reason)
            self.ended("skipped", test)

        def addExpectedFailure(self, test, err):
            super().addExpectedFailure(test, err)
            self.ended("expected", test)

        def addUnexpectedSuccess(self, test):
            super().addUnexpectedSuccess(test)
            self.ended("failed", test)

    testresult.RegressionTestResult = Result
    sys.argv = ["regrtest", "--timeout", PATIENCE_SECONDS, name]
    libregrtest.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
