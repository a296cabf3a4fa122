"""Records and reference pages that are committed are those of the headers as they are now."""
import subprocess
import sys

from stubgen_tool import ROOT, program

REFERENCE = ROOT / "host" / "stubgen" / "reference.py"


def test_records_and_pages_are_what_the_headers_say():
    result = subprocess.run([sys.executable, REFERENCE, "--check", program()],
                            capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stderr) == (0, "")


def test_a_program_that_is_not_there_is_told():
    result = subprocess.run([sys.executable, REFERENCE, "--check", "/nonexistent"],
                            capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and "cannot run '/nonexistent'" in result.stderr
