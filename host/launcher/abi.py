"""The cases of tests/abi: which there are, what each proves, and the program that is made of them.

A case is a file FOLDER/NAME.c with a main() of its own; abi.h tells what it may use. All are linked
into one static program, which is made again where a source is newer.
"""
import concurrent.futures
import functools
import os
import re
import subprocess

from launcher.tree import Trouble, built, environment, path

FOLDER = path("tests", "abi")
SHARED = ("abi.c", "abi.h")
PATH_ERRORS = ("EACCES", "EFAULT", "ELOOP", "ENAMETOOLONG", "ENOENT", "ENOTDIR")
WORKS = "works"
FLAGS = ["-std=gnu17", "-O1", "-g0", "-w", "-U_FORTIFY_SOURCE", "-fcf-protection=none", "-fno-pie",
         "-fno-strict-aliasing", "-pthread"]


def names():
    """FOLDER/NAME of each case, sorted."""
    found = []
    for where, _, files in os.walk(FOLDER):
        found += [os.path.relpath(os.path.join(where, name), FOLDER)[:-2] for name in files
                  if name.endswith(".c") and name not in SHARED]
    return sorted(found)


def source(name):
    with open(os.path.join(FOLDER, name + ".c")) as file:
        return file.read()


def first_argument_ends(text, at):
    """Where the comma behind the argument that begins at `at` stands."""
    depth = 0
    while depth or text[at] != ",":
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def proven(text):
    """(call, error or WORKS) for everything that the text of a case names; see abi.h."""
    found = {(call, WORKS) for call in re.findall(r"\b(?:works|shown|ends)\((\w+)", text)}
    found |= {(call, error) for error, call in re.findall(r"\bfails\((E\w+),\s+(\w+)", text)}
    for call in re.findall(r"\bfails_on_bad_paths\((\w+)", text):
        found |= {(call, error) for error in PATH_ERRORS}
    for match in re.finditer(r"\bgives\(", text):
        rest = text[first_argument_ends(text, match.end()) + 1:]
        found.add((re.match(r"\s*(\w+)", rest)[1], WORKS))
    return found


def difference(name):
    """Why the case is known not to agree yet, or None; such a case proves nothing."""
    said = re.search(r"^/\* Differs: (.*?)\.? \*/$", source(name), re.M | re.S)
    return said and re.sub(r"\s*\n \*\s*", " ", said[1])


def shown(text):
    """The calls that a test of Python's shows at work: in a line '# At work: swapon, swapoff'."""
    return {(call, WORKS) for line in re.findall(r"^# At work: (.*)$", text, re.M)
            for call in re.findall(r"\w+", line)}


def all_shown():
    """What works only with a machine of one's own: its disks, its components, its end."""
    found = set()
    for folder in (path("tests", "system"), path("tests", "kernel")):
        for name in sorted(os.listdir(folder)):
            if re.fullmatch(r"test_\w+\.py", name):
                with open(os.path.join(folder, name)) as file:
                    found |= shown(file.read())
    return found


@functools.cache
def all_proven():
    cases = (proven(source(name)) for name in names() if not difference(name))
    return frozenset(all_shown()).union(*cases)


def entry(name):
    return "case_" + re.sub(r"\W", "_", name)


def table(cases):
    return "\n".join(["#include <stddef.h>", *(f"int {entry(name)}(void);" for name in cases),
                      "const struct { const char *name; int (*main)(void); } abi_cases[] = {",
                      *(f'    {{"{name}", {entry(name)}}},' for name in cases),
                      "    {NULL, NULL}};", ""])


def is_newer(file, *than):
    return not os.path.exists(file) or any(os.path.getmtime(one) > os.path.getmtime(file)
                                           for one in than)


def run(*words):
    done = subprocess.run(words, env=environment(), capture_output=True, text=True)
    if done.returncode:
        raise Trouble("the cases of tests/abi cannot be built:\n" + done.stderr)


def cc(*words):
    run("gcc", *FLAGS, *words)


def compiled(name):
    file, target = os.path.join(FOLDER, name + ".c"), built("abi", entry(name) + ".o")
    shared = [os.path.join(FOLDER, "abi.h"), path("tests", "programs", "line.h"), __file__]
    if is_newer(target, file, *shared):
        cc("-c", file, "-o", target, "-I", FOLDER)
        if name != "abi":
            run("objcopy", "--redefine-sym", f"main={entry(name)}", target)
    return target


def program():
    """The program's file, up to date."""
    os.makedirs(built("abi"), exist_ok=True)
    cases, listed, result = names(), built("abi", "cases.c"), built("abi", "abi")
    text = table(cases)
    if not os.path.exists(listed) or open(listed).read() != text:
        with open(listed, "w") as file:
            file.write(text)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compiled, ["abi", *cases]))
    if is_newer(result, listed, *objects):
        cc("-static", "-o", result, listed, *objects)
    return result


def parted(output):
    """What the program wrote, by case: (lines, status)."""
    result, name, lines = {}, None, []
    for line in output.decode(errors="replace").splitlines():
        if line.startswith("== "):
            name, lines = line[3:], []
        elif line.startswith("-- ") and name:
            result[name], name = (lines, int(line[3:])), None
        else:
            lines.append(line)
    return result
