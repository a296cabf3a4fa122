"""What experiments find: rows, as all benchmarks of the project give them, and what they are made of.

A row has a value beside a peer's (`ratio` is our cost over the peer's, so below 1 is better), the
spread of its observations, and perhaps a target. `experiment` and `variant` (a class, a policy) say
what it belongs to.
"""


def quantile(values, share):
    """The observation below which that share of all lies; of the sorted list, the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values):
    return quantile(values, 0.5)


def row(experiment, name, variant, unit, seen, cpus=1, peer=None, theirs=None, more_is_better=False,
        target=None, reached=None, share=0.5):
    """`seen` and `theirs` are observations; `reached` says of (value, ratio) whether the target is."""
    value = quantile(seen, share)
    peer_value = quantile(theirs, share) if theirs else None
    ratio = None
    if peer_value and value:
        ratio = peer_value / value if more_is_better else value / peer_value
    return {"bench": "papers", "experiment": experiment, "name": name, "variant": variant,
            "cpus": cpus, "value": value, "low": quantile(seen, 0.1), "high": quantile(seen, 0.9),
            "unit": unit, "peer": peer, "peer_value": peer_value, "ratio": ratio, "target": target,
            "reached": reached(value, ratio) if reached else None}


def shown(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


HEADING = ("experiment", "row", "variant", "CPUs", "value", "p10 to p90", "unit", "peer",
           "its value", "ratio", "target", "reached")


def cells(one):
    """A row in words, in the order of HEADING."""
    return (one["experiment"], one["name"], one["variant"], str(one["cpus"]), shown(one["value"]),
            f"{shown(one['low'])} to {shown(one['high'])}", one["unit"], one["peer"] or "",
            shown(one["peer_value"]), f"{one['ratio']:.3f}" if one["ratio"] else "",
            one["target"] or "", {None: "", True: "yes", False: "NO"}[one["reached"]])


def table(rows):
    lines = [HEADING, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADING))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)


def markdown(rows):
    """The same for the book."""
    lines = ["| " + " | ".join(HEADING) + " |", "|" + "---|" * len(HEADING)]
    return "\n".join(lines + ["| " + " | ".join(cells(one)) + " |" for one in rows])
