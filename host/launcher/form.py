"""./k42 format: one form for all C sources, as .clang-format says."""
import re
import subprocess

from launcher.progress import say
from launcher.tree import Trouble, environment, shown, sources

COMPLAINT = re.compile(r"^(.+?):\d+:\d+: error: ", re.M)


def badly_formed():
    """C sources that clang-format would change."""
    files = sources(".c", ".h")
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], stderr=subprocess.PIPE,
                          text=True, env=environment())
    bad = sorted(set(COMPLAINT.findall(done.stderr)))
    if done.returncode != 0 and not bad:
        raise Trouble(f"clang-format: {done.stderr.strip()}", "is .clang-format in order?")
    return bad


def format_sources(check):
    files = sources(".c", ".h")
    bad = badly_formed()
    if bad and not check:
        subprocess.run(["clang-format", "-i", *bad], check=True, env=environment())
    for file in bad:
        say(("not in form: " if check else "formatted ") + shown(file))
    outcome = "not in form" if check else "changed"
    advice = "; ./k42 format mends them" if check and bad else ""
    say(f"{len(files)} files, {len(bad)} {outcome}{advice}")
    return 1 if check and bad else 0
