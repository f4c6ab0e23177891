"""The pictures of the report, on matplotlib's Agg backend: each function returns a Figure, save() writes it."""
from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np

SIDE = 32  # pixels of a CIFAR-10 picture
DOTS_PER_INCH = 120
MEASURED, PUBLISHED = "#1f6feb", "#8a8a8a"


def _figure(width, height):
    """An empty Figure of width x height inches, with an Agg canvas and no pyplot state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # here: --help does without matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, constrained_layout=True)
    FigureCanvasAgg(figure)
    return figure


def _show(axes, row):
    """Draw grey levels 0..255, float32[1024], clipped as any display does."""
    axes.imshow(np.reshape(row, (SIDE, SIDE)), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def pictures(rows, titles, subtitle=""):
    """Grey pictures side by side, each float32[1024] or [1, 1024] under its title."""
    figure = _figure(2.6 * len(rows), 3.1 if subtitle else 2.9)
    for axes, row, title in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows, titles):
        _show(axes, row)
        axes.set_title(title, fontsize=11)
    if subtitle:
        figure.supxlabel(subtitle, fontsize=9)
    return figure


def grid(real, reconstructed, titles, heading):
    """Pictures in pairs: real above reconstructed, float32[n, 1024] each, with a title a column."""
    figure = _figure(1.15 * len(real) + 0.5, 3.1)
    upper, lower = figure.subplots(2, len(real), squeeze=False)
    for column, title in enumerate(titles):
        _show(upper[column], real[column])
        _show(lower[column], reconstructed[column])
        lower[column].set_xlabel(title, fontsize=8)
    upper[0].set_ylabel("real", fontsize=10)
    lower[0].set_ylabel("reconstructed", fontsize=10)
    figure.suptitle(heading, fontsize=11)
    return figure


def trace(measured, published):
    """The printed MSE over the epochs, {epoch: mse}, with the published one where it is given."""
    figure = _figure(6.4, 4.0)
    axes = figure.subplots()
    if published:
        axes.plot(list(published), list(published.values()), "o--", color=PUBLISHED, label="published")
    axes.plot(list(measured), list(measured.values()), "o-", color=MEASURED, label="measured")
    axes.set_xlabel("epoch")
    axes.set_ylabel("MSE of one batch (squared grey levels)")
    axes.set_title("Section 2: training MSE every tenth epoch", fontsize=11)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure


def save(figure, folder, name, source):
    """Write `figure` to folder/name.png, marked where its data is the drawn sample; returns the path.

    The file appears whole or not at all.

    Raises:
        OSError: the folder cannot be written to.
    """
    if source.is_sample:
        figure.text(0.995, 0.005, "drawn sample", ha="right", va="bottom", fontsize=8, color="#b00020")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    part, path = folder / (name + ".png.part"), folder / (name + ".png")
    part.write_bytes(content.getvalue())
    os.replace(str(part), str(path))
    return path
