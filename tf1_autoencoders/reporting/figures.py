"""The pictures of the report, on matplotlib's Agg backend: each function returns a Figure, save() writes it."""
from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from tf1_autoencoders.utils.files import write_whole

DOTS_PER_INCH = 120
COLOURS = ("#1f6feb", "#d1480f")  # of the first and the second metric


def _figure(width, height):
    """An empty Figure of width x height inches, with an Agg canvas and no pyplot state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # here: --help does without matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, constrained_layout=True)
    FigureCanvasAgg(figure)
    return figure


def _show(axes, pixels, highest):
    """Draw grey levels 0..highest, any shape of side * side numbers, clipped as any display does."""
    side = int(round(pixels.size ** 0.5))
    axes.imshow(np.reshape(pixels, (side, side)), cmap="gray", vmin=0, vmax=highest, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def pictures(rows, titles, subtitle="", highest=255):
    """Grey pictures side by side, each under its title."""
    figure = _figure(2.6 * len(rows), 3.1 if subtitle else 2.9)
    for axes, row, title in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows, titles):
        _show(axes, row, highest)
        axes.set_title(title, fontsize=11, loc="left")  # to the right of the last is the place of save's mark
    if subtitle:
        figure.supxlabel(subtitle, fontsize=9)
    return figure


def grid(rows, heading, titles=None, highest=255):
    """Rows of pictures, {name of the row: pictures [n, ...]}, with a title below each column where given."""
    n = len(next(iter(rows.values())))
    figure = _figure(1.0 * n + 1.2, 1.08 * len(rows) + 0.7)
    drawn = figure.subplots(len(rows), n, squeeze=False)
    for line, (name, row) in zip(drawn, rows.items()):
        for axes, picture in zip(line, row):
            _show(axes, picture, highest)
        line[0].set_ylabel(name, fontsize=9, rotation=0, ha="right", va="center")
    for axes, title in zip(drawn[-1], titles or []):
        axes.set_xlabel(title, fontsize=8)
    figure.suptitle(heading, fontsize=11)
    return figure


def curves(measured, published, title):
    """Numbers named "epoch E METRIC" over their epochs, {name: value} of ours and of the report."""
    figure = _figure(6.8, 4.2)
    axes = figure.subplots()
    metrics = list(dict.fromkeys(name.split(" ", 2)[2] for name in measured))
    for metric, colour in zip(metrics, COLOURS):
        for numbers, style, whose in ((measured, "-o", "measured"), (published, "--x", "published")):
            points = sorted((int(name.split()[1]), value) for name, value in numbers.items()
                            if name.split(" ", 2)[2] == metric)
            if points:
                axes.plot(*zip(*points), style, color=colour, alpha=1 if whose == "measured" else 0.55, markersize=4,
                          linewidth=1.4, label=f"{metric}, {whose}")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("epoch, as the report counts them")
    axes.set_title(title, fontsize=11)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=9)
    return figure


def scatter(points, classes, names, title):
    """Points float[n, 2], coloured by class, uint8[n], with the classes' names."""
    figure = _figure(7.2, 5.4)
    axes = figure.subplots()
    for kind, name in enumerate(names):
        axes.scatter(*points[classes == kind].T, s=3, color=f"C{kind}", alpha=0.5, label=name, linewidths=0)
    axes.set_xlabel("first principal component")
    axes.set_ylabel("second principal component")
    axes.set_title(title, fontsize=11)
    axes.legend(frameon=False, fontsize=8, markerscale=4, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def save(figure, folder, name, source):
    """Write `figure` to folder/name.png, marked where its data is the drawn sample; returns the path.

    The file appears whole or not at all.

    Raises:
        OSError: the folder cannot be written to.
    """
    if source.is_sample:
        figure.text(0.995, 0.995, "drawn sample", ha="right", va="top", fontsize=8, color="#b00020")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return write_whole(folder / (name + ".png"), content.getvalue())
