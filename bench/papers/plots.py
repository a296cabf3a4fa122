"""Pictures with gnuplot, as PNG: panels of lines over numbers of CPUs, and groups of bars."""
import collections
import os
import subprocess

Panel = collections.namedtuple("Panel", "title x y lines")  # lines: (name, [(x, y, low, high)])
COLOURS = ("#c0392b", "#2471a3", "#1e8449", "#7d3c98", "#b9770e", "#566573", "#117a65")
WIDTH, HEIGHT = 480, 380


def run(folder, name, panels, script, width=WIDTH):
    os.makedirs(folder, exist_ok=True)
    file = os.path.join(folder, name + ".png")
    head = f"""set terminal pngcairo size {width * panels},{HEIGHT} font 'Sans,9' background '#ffffff'
set output '{file}'
set multiplot layout 1,{panels}
set border 3 lc rgb '#555555'
set tics nomirror
set grid y lc rgb '#dddddd'
set style fill solid 0.85
"""
    subprocess.run(["gnuplot"], input=head + script + "\nunset multiplot\n", text=True, check=True,
                   timeout=60, stdout=subprocess.DEVNULL)
    return file


def lines(folder, name, panels):
    """One panel beside the other; each line with the spread of its points."""
    script = ""
    for number, panel in enumerate(panels):
        drawn = [(title, points) for title, points in panel.lines if points]
        if not drawn:
            continue
        values = "".join("$p%d_%d << END\n%s\nEND\n" % (
            number, i, "\n".join(" ".join(map(str, point)) for point in points))
            for i, (_, points) in enumerate(drawn))
        ticks = ",".join(str(x) for x in sorted({point[0] for _, points in drawn
                                                 for point in points}))
        plots = ", ".join(f"$p{number}_{i} using 1:2:3:4 with yerrorlines lw 2 pt {5 + 2 * i} "
                          f"lc rgb '{COLOURS[i % len(COLOURS)]}' title '{title}'"
                          for i, (title, _) in enumerate(drawn))
        script += f"""{values}set title '{panel.title}'
set xlabel '{panel.x}'
set ylabel '{panel.y}'
set logscale x 2
set xtics ({ticks})
set xrange [0.85:*]
set yrange [0:*]
set key bottom right
plot {plots}
"""
    return run(folder, name, len(panels), script)


def bars(folder, name, title, unit, groups, width=WIDTH + 160):
    """A bar for each (label, value)."""
    data = "\n".join(f'"{label}" {value} {COLOURS[i % len(COLOURS)].replace("#", "0x")}'
                     for i, (label, value) in enumerate(groups))
    return run(folder, name, 1, f"""$bars << END
{data}
END
set title '{title}'
set ylabel '{unit}'
set yrange [0:*]
set xrange [-0.6:{len(groups) - 0.4}]
set boxwidth 0.6
set xtics rotate by -20
unset key
plot $bars using 0:2:3:xtic(1) with boxes lc rgb variable
""", width)
