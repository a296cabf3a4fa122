"""OpenJDK 17, unmodified: its compiler, and a program of many threads under each way of running it."""
import os

import pytest
from conftest import natively, only_long

PACKAGES = ("openjdk-17-jdk-headless",)
MEMORY = "3G"
SUITE_TIMEOUT_SECONDS = 1800
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")
LIMIT = 900
pytestmark = only_long
# What the program keeps needs some 24 MiB.
HOW = {"collected by G1": "-XX:+UseG1GC -Xmx40m", "collected beside": "-XX:+UseZGC -Xmx96m"}
# The scripts of the packages, which would have made links to them in /usr/bin, have not been run.
TOOLS = "PATH=/usr/lib/jvm/java-17-openjdk-amd64/bin:$PATH; cat > Check.java\n"
COMPILE = TOOLS + "javac Check.java >&2; echo $? >&2; tar cf - *.class\n"


def source():
    with open(os.path.join(SCRIPTS, "Check.java"), "rb") as file:
        return file.read()


def classes():
    """The program, compiled natively: the compiler has a test of its own."""
    done = natively(("sh", "-c", "cd /tmp\n" + COMPILE), source(), PACKAGES, limit=LIMIT)
    assert done.errors == b"0\n", done.errors.decode()
    return done.output


def same(machine, script, data):
    machine.same_sh(TOOLS.replace("cat > Check.java", "tar xf -") + script, data, limit=LIMIT)


@pytest.mark.parametrize("how", HOW)
def test_a_program_of_many_threads(machine, how):
    same(machine, f"java {HOW[how]} Check 2>&1; echo $?", classes())


def test_a_signal_ends_it(machine):
    same(machine, "java -Xmx64m Check TERM 2>&1; echo $?", classes())


def test_its_compiler(machine):
    machine.same_sh(TOOLS + "javac Check.java 2>&1; echo $?; ls; md5sum *.class; sed -i 's/long sum = 0/int sum = 0L/' Check.java\n"
                    "javac Check.java 2>&1; echo $?", source(), limit=LIMIT)
