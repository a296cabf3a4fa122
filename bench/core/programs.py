"""Builds the benchmark programs against an installed libk42 and runs them.

The programs find the library as any other program does: through pkg-config. Each prints one
observation a line, "row variant value"; run() gathers them.
"""

import collections
import concurrent.futures
import glob
import hashlib
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CFLAGS = ("-std=gnu17 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Werror -pthread "
          "-fno-strict-aliasing -falign-functions=64 -falign-loops=64").split()
PLACEMENTS = range(4)
URCU = ["-lurcu-memb", "-lurcu-qsbr", "-lurcu-common"]
LTTNG = ["-llttng-ust", "-ldl"]

# Program: its own sources, those compiled at every placement, and libraries.
PROGRAMS = {
    "calls": (["calls", "subject", "loop", "tally", "measure"], "loops", URCU),
    "threads": (["threads", "subject", "loop", "tally", "measure"], "loops", URCU),
    "grace": (["grace", "measure"], None, URCU),
    "swaps": (["swaps", "tally", "measure"], None, URCU),
    "pause": (["pause", "callers", "tally", "measure"], None, []),
    "upgrade": (["upgrade", "callers", "tally", "measure"], None, []),
    "memory": (["memory", "tally", "measure"], None, []),
    "trace": (["trace", "loop", "measure"], "trace_loops", LTTNG),
}


class BuildError(Exception):
    """Says what could not be built and why."""


def _package_flags(prefix, package):
    directories = glob.glob(os.path.join(prefix, "lib*", "pkgconfig"))
    directories += glob.glob(os.path.join(prefix, "lib*", "*", "pkgconfig"))
    environment = {**os.environ, "PKG_CONFIG_PATH": ":".join(directories)}

    def ask(*arguments):
        done = subprocess.run(["pkg-config", *arguments, package], env=environment,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"{package} is not installed under {prefix}: "
                             f"{done.stderr.strip()}; './k42 install' puts it there")
        return done.stdout.split()

    library = ask("--variable=libdir")[0]
    return ask("--cflags"), [*ask("--libs"), "-Wl,-rpath," + library], library


def _compile(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command)}\n{done.stderr.strip()}")


def _fingerprint(texts, paths):
    digest = hashlib.sha256("\n".join(texts).encode())
    for path in sorted(paths):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def build(prefix, package, directory):
    """Builds all programs into a directory; what is up to date is left alone."""
    cflags, libs, library = _package_flags(prefix, package)
    compiler = os.environ.get("CC", "gcc")
    inputs = glob.glob(os.path.join(HERE, "*.[ch]"))
    inputs += glob.glob(os.path.join(prefix, "include", "k42", "*.h"))
    inputs += glob.glob(os.path.join(library, "libk42*.so"))
    stamp = os.path.join(directory, "stamp")
    now = _fingerprint([compiler, *CFLAGS, *cflags, *libs, repr(PROGRAMS)], inputs)
    os.makedirs(directory, exist_ok=True)
    if os.path.exists(stamp) and open(stamp, encoding="ascii").read() == now:
        return
    compiles, links = {}, []
    for program, (sources, placed, libraries) in PROGRAMS.items():
        objects = []
        for source, extra in ([(source, []) for source in sources] +
                              [(placed, [f"-DPLACEMENT={n}"]) for n in PLACEMENTS if placed]):
            path = os.path.join(directory, source + "".join(extra).replace("-D", ".") + ".o")
            compiles[path] = [compiler, *CFLAGS, *cflags, "-I" + HERE, *extra, "-c",
                              os.path.join(HERE, source + ".c"), "-o", path]
            objects.append(path)
        links.append([compiler, "-pthread", *objects, *libs, *libraries, "-o",
                      os.path.join(directory, program)])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(_compile, compiles.values()))
        list(pool.map(_compile, links))
    with open(stamp, "w", encoding="ascii") as file:
        file.write(now)


def run(program, options, samples, timeout, **run_arguments):
    """Runs a program and adds its observations to samples[row, variant]."""
    arguments = [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=timeout,
                          check=False, **run_arguments)
    if done.returncode:
        raise RuntimeError(f"{os.path.basename(program)} {' '.join(arguments)} ended with "
                           f"{done.returncode}: {done.stderr.strip() or 'it said nothing'}")
    if done.stderr:
        print(done.stderr, end="", file=sys.stderr)
    for line in done.stdout.splitlines():
        row, variant, value = line.split()
        samples[row, variant].append(float(value))


def no_samples():
    return collections.defaultdict(list)
