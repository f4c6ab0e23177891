"""The table and the figure of a benchmark, made of the contents of benchmark.json."""
from __future__ import annotations

import io
import statistics

from benchmarks.measuring import ROWS
from tf1_autoencoders.reporting.tables import markdown_table

# Okabe and Ito's colours, which colour-blind readers can distinguish
COLOURS = {"graph": "#0072B2", "keras": "#E69F00", "jax": "#CC79A7", "pytorch": "#009E73",
           "tf115": "#8C8C8C"}
TOLERANCE = {1: 0.05, 2: 0.5, 3: 0.05, 4: 0.05}  # of the losses after training; grey levels amplify every rounding
HEADER = ("row", "seconds per epoch", "rows per second", "ratio to the graph (lowest to highest)", "GFLOP/s",
          "fraction of the products' rate", "peak memory, MB", "start-up, s", "loss")


def seconds(measurements):
    """Return the seconds of an epoch, round by round: the median of the round's laps."""
    return [statistics.median(measured["seconds"]) for measured in measurements]


def ratios(measurements, others):
    """Return the seconds of one row divided by the seconds of another, round by round."""
    return [mine / theirs for mine, theirs in zip(seconds(measurements), seconds(others))]


def spread(values, form="{:.2f}"):
    """Format the median of values, and their lowest and highest."""
    text = form.format(statistics.median(values))
    return text if len(values) < 2 else f"{text} ({form.format(min(values))} to {form.format(max(values))})"


def rates(section, row):
    """Return the operations per second of a row, round by round."""
    measurements = section["measurements"][row]
    flops = measurements[0]["flops"] or section["flops_per_row"] * section["rows_per_epoch"]
    return [flops / value for value in seconds(measurements)]


def implementations(section):
    """Return the rows that train."""
    return [row for row in section["measurements"] if ROWS[row].program != "matmul"]


def best_of_each(section):
    """Return our graph's rows, and of each other library the row with the lowest median."""
    best = {}
    for row in implementations(section):
        library = row if row.startswith("graph") else row.split("-")[0]
        if library not in best or statistics.median(seconds(section["measurements"][row])) < \
                statistics.median(seconds(section["measurements"][best[library]])):
            best[library] = row
    return list(best.values())


def best_rival(number, section):
    """Return the row of another library with the lowest median whose loss agrees with the graph's, or None."""
    rivals = [row for row in implementations(section) if not row.startswith("graph")
              and not wrong_row(number, section, row)]
    return min(rivals, key=lambda row: statistics.median(seconds(section["measurements"][row])), default=None)


def rounds(section):
    """Return the number of measured rounds."""
    return max(map(len, section["measurements"].values()), default=0)


def table(section):
    """Return the lines of a section's table in Markdown."""
    measurements, lines = section["measurements"], []
    for row in implementations(section):
        measured, suffix = measurements[row], "-bfloat16" * row.endswith("-bfloat16")
        reference = next((name + suffix for name in ("products", "square") if name + suffix in measurements), None)
        median = statistics.median(seconds(measured))
        fraction = "-" if reference is None else "{:.0%}".format(statistics.median(
            mine / highest for mine, highest in zip(rates(section, row), rates(section, reference))))
        lines.append((
            ROWS[row].label, f"{median:.3g}", f"{section['rows_per_epoch'] / median:,.0f}",
            spread(ratios(measured, measurements["graph"])) if "graph" in measurements else "-",
            f"{statistics.median(rates(section, row)) / 1e9:.1f}", fraction,
            f"{statistics.median(measurement['peak_bytes'] for measurement in measured) / 1e6:,.0f}",
            f"{statistics.median(measurement['start_up'] for measurement in measured):.1f}",
            f"{measured[-1]['loss']:.5g}"))
    return markdown_table(HEADER, lines)


def text(result):
    """Return the whole report in Markdown."""
    machine, lines = result["machine"], ["# Benchmark", ""]
    lines += [f"{machine['CPU']}, {machine['cores']} cores, {machine['memory']}, {machine['system']}, "
              f"{machine['date']}. Made by `python -m benchmarks.run`: in each round a fresh process for every row."]
    for number, section in result["sections"].items():
        lines += ["", f"## Section {number}: {section['title']}", "",
                  f"{rounds(section)} round{'s' * (rounds(section) != 1)}, "
                  f"{section['rows_per_epoch']:,} rows per epoch, batches of {section['batch_size']}, "
                  f"{section['flops_per_row'] / 1e6:.3g} million operations per row, float32 by default."]
        lines += [f"{ROWS[row].label.capitalize()}: {spread([rate / 1e9 for rate in rates(section, row)], '{:.1f}')} "
                  "GFLOP/s." for row in section["measurements"] if ROWS[row].program == "matmul"]
        lines += ["", *table(section)] if implementations(section) else []
        rival = best_rival(number, section)
        if rival and "graph" in section["measurements"]:
            quotients = spread(ratios(section["measurements"][rival], section["measurements"]["graph"]))
            lines += ["", f"The best rival is {ROWS[rival].label}: its epoch takes {quotients} times as long as our "
                          "graph's."]
        lines += [f"\nLeft out: {message}" for message in section["failed"].values()]
    lines += ["", *versions(result)]
    fractions = [measurement["others_share"] for section in result["sections"].values()
                 for measured in section["measurements"].values() for measurement in measured
                 if measurement["others_share"] is not None]
    if fractions:
        lines += ["", f"Other processes used {statistics.median(fractions):.1%} of the CPU during a measurement "
                      f"(median), at most {max(fractions):.1%}."]
    return "\n".join(lines) + "\n"


def versions(result):
    """Return a line for each implementation: its versions and threads."""
    found = {}
    for section in result["sections"].values():
        for row in implementations(section):
            found.setdefault(", ".join(f"{name} {value}" if name != "threads" else f"threads: {value}" for name, value
                                       in section["measurements"][row][0]["about"].items()), []).append(row)
    return [f"- {'; '.join(dict.fromkeys(ROWS[row].label for row in rows))}: {about}" for about, rows in found.items()]


def disagreements(result):
    """Return a sentence about each implementation whose data or loss differ from the graph's (or the first one's)."""
    return [sentence for number, section in result["sections"].items() for row in implementations(section)
            for sentence in wrong_row(number, section, row)]


def wrong_row(number, section, row):
    """Return [sentence] if a row was given other data, or reached another loss, than the graph; else []."""
    rows = implementations(section)
    expected = section["measurements"]["graph" if "graph" in rows else rows[0]][0]["loss"]
    for measured in section["measurements"][row]:
        if measured["sha256"] != section["sha256"]:
            return [f"section {number}: {ROWS[row].label} was given other data"]
        if not abs(measured["loss"] / expected - 1) < TOLERANCE[int(number)]:
            return [f"section {number}: {ROWS[row].label} reached a loss of {measured['loss']:.4g}, expected about "
                    f"{expected:.4g}"]
    return []


def figure_png(result):
    """Return a PNG as bytes: rows trained per second, a panel for each section, a bar for the best of each library."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [(number, section) for number, section in result["sections"].items() if implementations(section)]
    heights = [len(best_of_each(section)) + 1.2 for _, section in shown]
    figure = Figure(figsize=(8.6, 0.3 * sum(heights) + 0.6), dpi=120, constrained_layout=True)
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(shown), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, (number, section) in zip(panels, shown):
        rows, measurements = best_of_each(section), section["measurements"]
        for place, row in enumerate(rows):
            values = [section["rows_per_epoch"] / value for value in seconds(measurements[row])]
            middle = section["rows_per_epoch"] / statistics.median(seconds(measurements[row]))
            axes.barh(place, middle, color=COLOURS[row.split("-")[0]], height=0.72)
            axes.plot([min(values), max(values)], [place, place], color="black", linewidth=1)
            note = f" {middle:,.0f}"
            if row != "graph" and "graph" in rows:
                ratio = statistics.median(ratios(measurements[row], measurements["graph"]))
                note += f"    graph: {ratio:.2f} times as fast"
            axes.text(max(values), place, note, va="center", fontsize=9)
        axes.set_yticks(range(len(rows)))
        axes.set_yticklabels([ROWS[row].label for row in rows], fontsize=9)
        axes.invert_yaxis()
        axes.set_xticks([])
        axes.set_xlim(0, 1.6 * max(section["rows_per_epoch"] / min(seconds(measurements[row])) for row in rows))
        axes.set_title(f"Section {number}: {section['title']}, rows trained per second", fontsize=10, loc="left")
        for side in ("top", "right", "bottom"):
            axes.spines[side].set_visible(False)
    machine = result["machine"]
    n_rounds = " or ".join(map(str, sorted({rounds(section) for _, section in shown})))
    figure.supxlabel(f"{machine['CPU']}, {machine['cores']} cores, {machine['date']}; median of {n_rounds} rounds, "
                     "line: lowest to highest", fontsize=8)
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()
