"""The words after ./k42: reads them, does what they say, reports trouble in one line and a hint."""
import argparse
import os
import re
import signal
import subprocess
import sys
import threading

from launcher import (beside, calls, component, debugger, demo, form, fuzzing, inside, iso, long_tests,
                      packages, qemu, running, session, testing, variants)
from launcher.progress import say
from launcher.tree import Terminated, Trouble

ABOUT = "K42: an operating system whose live objects can be replaced while it runs."
DEFAULT_RUN = "shell"  # or "search"
LEAST_MEMORY_KIB = 16 << 10  # of a guest; what a root tree takes comes on top
MORE = "On Debian 12 a command installs the packages it needs, as root or through sudo. " \
       "Everything built lies under build/."


class Words(argparse.ArgumentParser):
    """Wrong words get one line and a hint rather than a page."""

    def __init__(self, **more):
        super().__init__(allow_abbrev=False, **more)

    def error(self, message):
        message = message.splitlines()[0]
        print(f"k42: {message}\nUsage: ./k42 COMMAND ...; './k42 help' tells more",
              file=sys.stderr)
        sys.exit(2)


def wrong(wanted, text):
    return argparse.ArgumentTypeError(f"wants {wanted}, not '{text}'")


def processors(text):
    if not re.fullmatch(r"\d{1,3}", text) or not 1 <= int(text) <= qemu.CPUS_MAX:
        raise wrong(f"a number of processors from 1 to {qemu.CPUS_MAX}", text)
    return int(text)


def memory_size(text):
    size = re.fullmatch(r"(\d{1,9})([kKmMgGtT]?)", text)
    unit = "kmgt".index((size[2] or "m").lower()) if size else 0
    if not size or int(size[1]) << 10 * unit < LEAST_MEMORY_KIB:
        raise wrong(f"an amount of memory such as 512M or 2G, at least {LEAST_MEMORY_KIB >> 10}M",
                    text)
    return text


def seconds(text):
    try:
        if 0 < float(text) < float("inf"):
            return float(text)
    except ValueError:
        pass
    raise wrong("a number of seconds greater than 0", text)


def machine_words(one, memory, limit):
    """What commands that start a guest have in common."""
    one.add_argument("--cpus", metavar="N", type=processors, default=2,
                     help="processors (default: 2)")
    one.add_argument("--mem", metavar="M", type=memory_size, default=memory,
                     help=f"memory, in MiB unless K, M, G or T is behind it (default: {memory})")
    one.add_argument("--append", metavar="TEXT", default="",
                     help="options for the kernel, e.g. test=boot")
    one.add_argument("--limit", metavar="SECONDS", type=seconds, default=limit,
                     help=f"end the guest after this time (default: {limit or 'never'})")


def words():
    parser = Words(prog="./k42", description=ABOUT, epilog=MORE)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name, about, usage=None, more=None):
        return commands.add_parser(name, help=about, usage=usage, epilog=more,
                                   description=about[0].upper() + about[1:] + ".")

    one = command("build", "compile the library, examples and tests, or a component of one C file",
                  "./k42 build [--variant V] [--guest | FILE.c [-o FILE] [--key FILE | --unsigned]]")
    one.add_argument("source", nargs="?", metavar="FILE.c",
                     help="make a component of it that the running kernel can load")
    one.add_argument("-o", dest="output", metavar="FILE",
                     help="where the component goes (default: below build/components)")
    one.add_argument("--key", metavar="FILE",
                     help="the private key that signs it (default: build/keys/component.pem)")
    one.add_argument("--unsigned", action="store_true", help="do not sign it")
    one.add_argument("--guest", action="store_true",
                     help="only what a guest is made of: the kernel and what it starts with")
    one.add_argument("--variant", metavar="V", default="release",
                     help="one of " + ", ".join(variants.VARIANTS) + ", or all (default: release)")
    one = command("run", "start a shell or one command in a guest, or show the search example",
                  "./k42 run [OPTION ...] [search | -- COMMAND ARGUMENT ...]")
    one.add_argument("example", nargs="?", choices=["search"],
                     help="a cache that swaps itself under load, on this machine")
    one.add_argument("--kernel", choices=session.KERNELS, default="k42",
                     help="which kernel runs it (default: k42)")
    one.add_argument("-v", dest="volume", metavar="DIR[:PLACE]", action="append", default=[],
                     help="make a folder of this machine visible (default place: /mnt/NAME)")
    one.add_argument("--updates", metavar="DIR",
                     help="take newer versions of the kernel's classes in from there, as they appear")
    one.add_argument("--packages", metavar="P,...", default="",
                     help="more of Debian's packages for the root tree")
    one.add_argument("-t", "--terminal", action="store_true",
                     help="run the command on the guest's console rather than with three streams")
    machine_words(one, "1G", None)
    one = command("demo", "change a kernel in all ways under a workload, and show that nobody notices")
    one.add_argument("--pace", metavar="SECONDS", type=seconds, default=6,
                     help="between two changes (default: 6)")
    machine_words(one, "512M", None)
    one = command("ctl", "ask or change something of the kernel that './k42 run' has started",
                  "./k42 ctl [--guest NAME] COMMAND ...",
                  "'./k42 ctl help' tells of the commands, which are k42ctl's in the guest.")
    one.add_argument("--guest", metavar="NAME", help="which one, when several run")
    one = command("root", "make a root tree of Debian packages, as an archive")
    one.add_argument("--packages", metavar="P,...", default="", help="more than the usual ones")
    one.add_argument("--output", metavar="FILE", help="where to (default: below build/root)")
    one.add_argument("--update", action="store_true", help="look for newer versions")
    one = command("boot", "boot the kernel in an emulator; its exit status is the guest's",
                  more="With --append test=GROUP it runs its own checks; test=help names the groups.")
    machine_words(one, "512M", 60)
    one = command("gdb", "start a guest under the debugger",
                  "./k42 gdb [OPTION ...] [-- COMMAND ARGUMENT ...]")
    one.add_argument("-x", dest="execute", metavar="COMMAND", action="append", default=[],
                     help="a command for gdb instead of asking for some; may be repeated")
    one.add_argument("--packages", metavar="P,...", default="", help="more for the root tree")
    machine_words(one, "1G", None)
    one = command("iso", "make a disc that boots on machines with a BIOS or UEFI")
    one.add_argument("--packages", metavar="P,...", default="", help="more for the root tree")
    one.add_argument("--output", metavar="FILE", help="where to (default: build/k42.iso)")
    one.add_argument("--append", metavar="TEXT", default="", help="options for the kernel")
    one = command("test", "build all variants and run all tests; ends with 'N passed, N failed'",
                  more="docs/running.md says which settings system tests take from the environment.")
    one.add_argument("pattern", nargs="?", metavar="PATTERN",
                     help="only suites whose name (VARIANT/NAME) contains this")
    one.add_argument("--list", action="store_true", help="name the suites, run nothing")
    one.add_argument("--long", nargs="?", const="", metavar="AREA",
                     help=f"run the long tests of one area ({', '.join(long_tests.table())}), or all; "
                     "goes on where it stopped")
    one = command("fuzz", "search for system calls that harm the kernel, led by what they reach in it",
                  "./k42 fuzz [--seconds N] [--add] | ./k42 fuzz FILE ...",
                  "An input that ends the kernel is kept; with FILE such inputs are done again.")
    one.add_argument("--seconds", metavar="N", type=seconds, default=300,
                     help="how long it searches (default: 300)")
    one.add_argument("--add", action="store_true", help="add what it finds to tests/fuzz/corpus/calls")
    one.add_argument("inputs", metavar="FILE", nargs="*", help="inputs to do again")
    one = command("bench", "measure the library, or the kernel, beside its alternatives")
    one.add_argument("name", nargs="?", metavar="NAME",
                     help="which benchmark: " + ", ".join(running.benchmarks()))
    one.add_argument("--list", action="store_true", help="name the benchmarks; of linux: its rows")
    one.add_argument("--json", action="store_true", help="write the results as JSON")
    one.add_argument("--quick", action="store_true", help="fewer rounds, rougher numbers")
    one.add_argument("--only", metavar="ROW,...", help="only what yields these rows")
    one.add_argument("--instructions", action="store_true",
                     help="of linux and storm: count instructions, time nothing")
    one.add_argument("--seconds", metavar="N", help="of storm: how long each rages")
    one.add_argument("--cpus", metavar="N,...", help="with so many processors (of a kernel)")
    one.add_argument("--write", action="store_true",
                     help="of papers and storm: put what is told into docs/")
    one = command("install", "install libraries, headers and manual pages")
    one.add_argument("--prefix", metavar="DIR", required=True, help="where to, e.g. /usr/local")
    one = command("format", "bring all C sources into form")
    one.add_argument("--check", action="store_true", help="change nothing, say what would change")
    command("calls", "write docs/linux.md, the table of Linux's calls, anew from the sources")
    one = command("help", "tell about all commands, or one")
    one.add_argument("about", nargs="?", metavar="COMMAND", choices=list(commands.choices))
    return parser, commands


def show_help(parser, commands, about):
    if about:
        commands.choices[about].print_help()
        return 0
    parser.print_help()
    say("\nusage of each command:")
    for one in commands.choices.values():
        say("  " + " ".join(one.format_usage().split()[1:]))
    say("\nvariants:\n" + variants.describe())
    return 0


def build(asked):
    if asked.source and asked.guest:
        raise Trouble("--guest and FILE.c do not go together: a component is built by itself")
    if asked.source:
        return component.announce(asked.source, asked.output, asked.key, not asked.unsigned,
                                  asked.variant)
    chosen = asked.variant
    for name in variants.VARIANTS if chosen == "all" else [chosen]:
        variants.find(name)
        variants.announce_build(name, variants.GUEST if asked.guest else ())
    return 0


def wants_guest(asked):
    """Whether ./k42 run means a guest; without further words it shows what DEFAULT_RUN says."""
    if asked.example:
        return False
    return DEFAULT_RUN == "shell" or len(sys.argv) > 2


def do(asked):
    if asked.command == "bench" and asked.list and not asked.name:
        say("\n".join(running.benchmarks()))
        return 0
    if asked.command == "ctl":
        return beside.run(asked.guest, asked.words, session.ENVIRONMENT)
    packages.ensure(for_guest=asked.command == "run" and wants_guest(asked))
    if asked.command == "build":
        return build(asked)
    if asked.command == "run":
        return inside.run(asked) if wants_guest(asked) else running.search()
    if asked.command == "root":
        return inside.make_root(asked)
    if asked.command == "demo":
        return demo.run(asked)
    if asked.command == "gdb":
        return debugger.run(asked)
    if asked.command == "iso":
        return iso.run(asked)
    if asked.command == "boot":
        return running.boot(asked)
    if asked.command == "test":
        if asked.long is not None:
            return long_tests.test_long(asked.long, asked.pattern)
        return (testing.list_suites if asked.list else testing.test)(asked.pattern)
    if asked.command == "fuzz":
        return fuzzing.run(asked)
    if asked.command == "bench":
        options = ["--" + name for name in ("json", "quick", "instructions", "write", "list")
                   if getattr(asked, name)]
        for name in ("only", "cpus", "seconds"):
            options += ["--" + name, getattr(asked, name)] if getattr(asked, name) else []
        return running.bench(asked.name, options)
    if asked.command == "install":
        say("installed under " + variants.install(asked.prefix))
        return 0
    if asked.command == "calls":
        return calls.write()
    return form.format_sources(asked.check)


def end_on_terminate():
    """A SIGTERM unwinds like Ctrl-C, so that what was started is ended too."""
    def interrupt(*_):
        raise Terminated
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)


def split(arguments):
    """What the launcher reads of the words, and what is the guest's: behind --, and of ctl all that
    does not come first."""
    if arguments[:1] == ["ctl"]:
        mark = 3 if arguments[1:2] == ["--guest"] else 1
        if arguments[1:2] not in (["--help"], ["-h"]):
            return arguments[:mark], arguments[mark:]
    mark = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:mark], arguments[mark + 1:]


def main(arguments):
    parser, commands = words()
    arguments, behind = split(arguments)
    asked = parser.parse_args(arguments)
    asked.words = behind
    if asked.command == "ctl" and not asked.words:
        asked.words = ["help"]
    if asked.words and asked.command not in ("run", "gdb", "ctl"):
        parser.error(f"{asked.command} takes no command after --")
    if asked.command in (None, "help"):
        return show_help(parser, commands, getattr(asked, "about", None))
    if asked.command == "bench" and not asked.name and not asked.list:
        parser.error("bench needs the NAME of a benchmark, or --list")
    if asked.command == "build" and not asked.source and (asked.output or asked.key
                                                          or asked.unsigned):
        parser.error("-o, --key and --unsigned go with a FILE.c")
    if asked.command == "test" and asked.long is not None and asked.list:
        parser.error("--list names what the quick run has; tests/long.json what --long has")
    if asked.command == "test" and asked.long == "" and asked.pattern:
        parser.error("--long takes an AREA before a PATTERN")
    end_on_terminate()
    try:
        return do(asked)
    except Trouble as trouble:
        print(f"k42: {trouble}" + (f"\n  {trouble.hint}" if trouble.hint else ""), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("k42: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except subprocess.CalledProcessError as error:
        print(f"k42: {error}", file=sys.stderr)
        return 1
