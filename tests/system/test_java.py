"""OpenJDK 17, unmodified: its compiler, and a program of many threads under each way of running it."""
import os

import pytest

PACKAGES = ("openjdk-17-jdk-headless",)
MEMORY = "3G"
SUITE_TIMEOUT_SECONDS = 1800
LONG = os.environ.get("K42_LONG") == "1"
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")
LIMIT = 900
pytestmark = pytest.mark.skipif(not LONG, reason="takes long: K42_LONG=1")
# What the program keeps needs some 24 MiB.
HOW = {"collected by G1": "-XX:+UseG1GC -Xmx40m", "collected in parallel": "-XX:+UseParallelGC -Xmx48m",
       "collected beside": "-XX:+UseZGC -Xmx96m", "collected one by one": "-XX:+UseSerialGC -Xmx40m",
       "interpreted": "-Xint -Xmx64m", "compiled": "-XX:TieredStopAtLevel=1 -Xmx64m"}
COMPILE = "cat > Check.java; javac Check.java 2>&1; echo $?; ls; md5sum *.class\n"


def source():
    with open(os.path.join(SCRIPTS, "Check.java"), "rb") as file:
        return file.read()


@pytest.mark.parametrize("how", HOW)
def test_a_program_of_many_threads(machine, how):
    machine.same_sh(COMPILE + f"java {HOW[how]} Check 2>&1; echo $?", source(), limit=LIMIT)


@pytest.mark.parametrize("signal", ["TERM", "INT", "KILL"])
def test_signals_end_it(machine, signal):
    machine.same_sh(COMPILE + f"java -Xmx64m Check {signal} 2>&1; echo $?", source(), limit=LIMIT)


def test_its_own_tools(machine):
    machine.same_sh(COMPILE + "java -version 2>&1; javap -c Check | md5sum; jar cfe check.jar Check *.class; jar tf check.jar\n"
                    "java -Xmx64m -jar check.jar; echo 'System.out.println(6 * 7)' | jshell -s -; java Check.java > said; tail -n 1 said",
                    source(), limit=LIMIT)
