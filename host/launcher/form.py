"""./k42 format: one form for all C sources, as .clang-format says."""
import subprocess

from launcher.progress import say
from launcher.tree import environment, shown, sources

AT_A_TIME = 100


def badly_formed():
    """C sources that clang-format would change."""
    return [file for file in sources(".c", ".h")
            if subprocess.run(["clang-format", "--dry-run", "-Werror", file],
                              stderr=subprocess.DEVNULL, env=environment()).returncode != 0]


def format_sources(check):
    files = sources(".c", ".h")
    bad = badly_formed()
    if not check:
        for start in range(0, len(bad), AT_A_TIME):
            subprocess.run(["clang-format", "-i", *bad[start:start + AT_A_TIME]], check=True,
                           env=environment())
    for file in bad:
        say(("not in form: " if check else "formatted ") + shown(file))
    say(f"{len(files)} files, {len(bad)} " + ("not in form; ./k42 format mends them" if check and bad
                                              else "not in form" if check else "changed"))
    return 1 if check and bad else 0
