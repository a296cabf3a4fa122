"""Draws how the two kernels compare, with gnuplot, as SVG."""
import os
import subprocess

SCRIPT = """set terminal svg size 900,480 font 'sans,13' background '#ffffff'
set output '{file}'
set title 'Cost of {subject} on K42 where Linux is 1: {what}'
set style data histogram
set style fill solid 0.85 border -1
set boxwidth 0.8
set logscale y 2
set xtics rotate by -40 textcolor '#333333'
set grid ytics lc '#dddddd'
set arrow from graph 0,first 1 to graph 1,first 1 nohead lc '#222222' lw 2
unset key
plot $data using 2:($2 <= 1 ? 0x1f6f8b : 0xc05030):xtic(1) with histograms lc rgb variable
"""


def draw(found, folder):
    """One picture for each unit and number of processors for which there are both figures, of calls
    and of programs."""
    os.makedirs(folder, exist_ok=True)
    groups, drawn = {}, []
    for one in found:
        if one["ratio"]:
            groups.setdefault((one["of"], one["unit"], one["cpus"]), []).append(one)
    for (of, unit, cpus), rows in groups.items():
        begins, subject = ("linux-programs", "a program") if of == "program" else ("linux", "an operation")
        file = os.path.join(folder, f"{begins}-{unit}-{cpus}.svg")
        lines = "\n".join(f'"{one["name"]}" {one["ratio"]}' for one in rows)
        what = "instructions" if unit == "instructions" else f"time with {cpus} CPUs"
        subprocess.run(["gnuplot"], text=True, timeout=60, check=True,
                       input=f"$data << END\n{lines}\nEND\n" + SCRIPT.format(file=file, what=what, subject=subject))
        drawn.append(file)
    return drawn
