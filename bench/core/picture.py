"""Draws what was seen, with gnuplot, as SVG."""

import os
import subprocess

from rows import median, quantile

WAYS = (("direct", "direct call"), ("ops-pointer", "ops pointer"), ("k42", "k42"),
        ("k42+safe-point", "k42, safe point"), ("k42+enter-exit", "k42, enter+exit"),
        ("urcu-qsbr", "liburcu qsbr"), ("urcu-qsbr+quiescent", "qsbr, quiescent"),
        ("urcu-memb", "liburcu memb"), ("k42-interposed", "k42, interposed"),
        ("refcount", "refcount"), ("rwlock", "rwlock"))
THREADED = (("ops-pointer", "ops pointer, unprotected"), ("k42", "k42"),
            ("k42+enter-exit", "k42, enter and exit at each call"), ("urcu-memb", "liburcu memb"),
            ("refcount", "atomic reference count"), ("rwlock", "pthread rwlock"))
STYLE = """set terminal svg size 820,460 font 'sans,13' background '#ffffff'
set border 3 lc '#555555'
set tics nomirror textcolor '#333333'
set grid ytics lc '#dddddd'
"""


def _draw(directory, name, script, blocks):
    """Runs gnuplot; `blocks` are the inline data that the script calls $data0, $data1, ..."""
    data = "".join(f"$data{i} << END\n{block}\nEND\n" for i, block in enumerate(blocks))
    path = os.path.join(directory, name + ".svg")
    subprocess.run(["gnuplot"], input=f"{STYLE}set output '{path}'\n{data}{script}\n", text=True,
                   timeout=60, check=True)
    return path


def draw_calls(seen, directory):
    """A bar for each way of reaching a method, with the middle half of its observations."""
    lines = []
    for variant, label in WAYS:
        values = seen["call", variant]
        lines.append(f'"{label}" {median(values)} {quantile(values, 0.25)} '
                     f"{quantile(values, 0.75)} {1 if variant.startswith('k42') else 2}")
    highest = max(median(seen["call", variant]) for variant, _ in WAYS)
    script = f"""set title 'One call, one thread: median, and the middle half of all observations'
set ylabel 'ns'
set yrange [0:{1.3 * highest}]
set style fill solid 0.85
set boxwidth 0.6
set xtics rotate by -30
unset key
plot $data0 using 0:2:($5 == 1 ? 0x1f6f8b : 0xa0a0a0):xtic(1) with boxes lc rgb variable, \\
     '' using 0:2:3:4 with yerrorbars lc '#222222' pt -1"""
    return _draw(directory, "calls", script, ["\n".join(lines)])


def draw_threads(seen, directory, cpus):
    """Calls a second of one object, against the number of threads."""
    blocks = ["\n".join(f"{n} {median(seen[f'threads-{n}', variant])}"
                        for n in range(1, cpus + 1)) for variant, _ in THREADED]
    plots = ", ".join(f"$data{i} using 1:2 with linespoints lw 2 pt 7 ps 0.7 title '{label}'"
                      for i, (_, label) in enumerate(THREADED))
    script = f"""set title 'Calls of one object by several threads'
set xlabel 'threads, each on a CPU of its own'
set ylabel 'million calls a second'
set logscale y
set xtics 1
set xrange [0.9:{cpus + 0.1}]
set key top left maxrows 3
set yrange [*:10000]
plot {plots}"""
    return _draw(directory, "threads", script, blocks)


def draw_pause(seen, directory):
    """How many windows had a turn longer than x: with a swap, and without."""
    kinds = (("k42", "a swap"), ("computing", "computing instead"), ("resting", "no swap"))
    blocks = []
    for variant, _ in kinds:
        values = sorted(seen["pause", variant])
        step = max(1, len(values) // 2000)
        blocks.append("\n".join(f"{value} {1 - i / len(values)}"
                                for i, value in enumerate(values)
                                if i % step == 0 or len(values) - i < 200))
    plots = ", ".join(f"$data{i} using 1:2 with lines lw 2 title '{label}'"
                      for i, (_, label) in enumerate(kinds))
    script = f"""set title 'What callers notice of a swap, all CPUs busy with calls'
set xlabel 'longest enter-call-exit during the window, us'
set ylabel 'share of windows above'
set logscale xy
set key top right
plot {plots}"""
    return _draw(directory, "pause", script, blocks)


def draw(seen, directory, cpus):
    """Whatever there are observations for. Returns the pictures' paths."""
    os.makedirs(directory, exist_ok=True)
    drawn = []
    if seen["call", "k42"]:
        drawn.append(draw_calls(seen, directory))
    if cpus > 1 and seen["threads-2", "k42"]:
        drawn.append(draw_threads(seen, directory, cpus))
    if seen["pause", "k42"]:
        drawn.append(draw_pause(seen, directory))
    return drawn
