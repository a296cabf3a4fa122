"""Draws the hits of each policy for each trace, with gnuplot."""
import os
import subprocess

SCRIPT = """set terminal png size 820,460 font 'sans,11' background '#ffffff'
set output '{file}'
set title 'Reads that found their page in memory, which holds half of the file'
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.85 border -1
set ylabel 'per cent'
set yrange [0:100]
set grid ytics lc '#dddddd'
set key outside right
plot {plots}
"""


def draw(rows, policies, shapes, folder):
    os.makedirs(folder, exist_ok=True)
    file = os.path.join(folder, "policies.png")
    hits = {(row["trace"], row["policy"]): 100 * row["hits"] for row in rows}
    data = "\n".join(f"{shape} " + " ".join(str(hits[shape, policy]) for policy in policies)
                     for shape in shapes)
    plots = ", ".join(f"{'$data' if not n else chr(39) * 2} using {n + 2}:xtic(1) title '{policy}'"
                      for n, policy in enumerate(policies))
    subprocess.run(["gnuplot"], text=True, timeout=60, check=True,
                   input=f"$data << END\n{data}\nEND\n" + SCRIPT.format(file=file, plots=plots))
    return file
