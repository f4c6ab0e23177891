"""The figures of the report, on matplotlib's Agg backend: each function returns a Figure, save() writes it."""
from __future__ import annotations

import functools
import io
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from tf1_autoencoders.utils.errors import printable
from tf1_autoencoders.utils.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 120
IMAGES_ACROSS = 26  # images that fit into a line of the map of codes
MARK = "#b00020"
DARK_GROUND, DARK_INK, DARK_MARK = "#121212", "#ececec", "#ff8f98"  # page.css has the same
METRIC_COLOURS = ("#1f6feb", "#8250df", "#d1480f")  # of the first, the second and the third metric


def _empty_figure(width: float, height: float) -> Figure:
    """Return an empty figure of width x height inches, with an Agg canvas and no pyplot state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # imported here: --help does without matplotlib
    from matplotlib.figure import Figure

    _ignore_matplotlibrc()
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, constrained_layout=True)
    FigureCanvasAgg(figure)
    return figure


@functools.lru_cache(maxsize=None)
def _ignore_matplotlibrc() -> None:
    """Use matplotlib's own defaults: a file matplotlibrc of the working directory could even start LaTeX."""
    import matplotlib
    matplotlib.rcdefaults()


def _draw_image(axes: Any, pixels: np.ndarray, highest: float) -> None:
    """Draw grey levels 0..highest of any shape with side * side pixels, clipped as any display does."""
    side = int(round(pixels.size ** 0.5))
    axes.imshow(np.reshape(pixels, (side, side)), cmap="gray", vmin=0, vmax=highest, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


def images(rows: Sequence[np.ndarray], titles: Sequence[str], subtitle: str = "", highest: float = 255,
           notes: Sequence[str] = ()) -> Figure:
    """Draw grey images side by side, each under its title and above its note."""
    figure = _empty_figure(2.6 * len(rows), (3.1 if subtitle else 2.9) + 0.4 * bool(notes))
    for axes, row, title in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows, titles):
        _draw_image(axes, row, highest)
        axes.set_title(title, fontsize=11, loc="left")  # the mark of save() stands at the right of the last title
    for axes, note in zip(figure.axes, notes):
        axes.set_xlabel(note, fontsize=9)
    if subtitle:
        figure.supxlabel(subtitle, fontsize=9)
    return figure


def grid(rows: Mapping[str, np.ndarray], heading: str, titles: Optional[Sequence[str]] = None,
         highest: float = 255) -> Figure:
    """Draw rows of images, {name of the row: images [n, ...]}, with a title below each column if titles are given."""
    n = len(next(iter(rows.values())))
    figure = _empty_figure(1.0 * n + 1.2, 1.08 * len(rows) + 0.7)
    all_axes = figure.subplots(len(rows), n, squeeze=False)
    for row_axes, (name, row) in zip(all_axes, rows.items()):
        for axes, image in zip(row_axes, row):
            _draw_image(axes, image, highest)
        row_axes[0].set_ylabel(name, fontsize=9, rotation=0, ha="right", va="center")
    for axes, title in zip(all_axes[-1], titles or []):
        axes.set_xlabel(title, fontsize=8)
    figure.suptitle(heading, fontsize=11)
    return figure


def curves(measured: Mapping[str, float], published: Mapping[str, float], title: str,
           bands: Mapping[str, Sequence[float]] = MappingProxyType({})) -> Figure:
    """Draw values named "epoch E METRIC" over their epochs, over the band of the seeds.

    Args:
        measured, published: {name: value} of this run and of the report.
        title: text above the axes.
        bands: {name: values over seeds}; the band is shaded from the lowest to the highest value, around their mean.
    """
    figure = _empty_figure(5.4, 5.6)  # so narrow that the legend can be read on a phone
    axes = figure.subplots()
    metrics = list(dict.fromkeys(name.split(" ", 2)[2] for name in measured))
    for metric, colour in zip(metrics, METRIC_COLOURS):
        epochs, of_seeds = _points(metric, {name: values for name, values in bands.items() if len(values) > 1})
        if epochs:
            low, mean, high = (function(of_seeds, axis=1) for function in (np.min, np.mean, np.max))
            axes.fill_between(epochs, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(epochs, mean, ":", color=colour, linewidth=1, label=f"{metric}, mean and range of the seeds")
        for values, style, origin in ((measured, "-o", "this run"), (published, "--x", "published")):
            epochs, numbers = _points(metric, values)
            if epochs:
                axes.plot(epochs, numbers, style, color=colour, alpha=1 if origin == "this run" else 0.55, markersize=4,
                          linewidth=1.4, label=f"{metric}, {origin}")
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("epoch, as the report counts them")
    axes.set_title(title, fontsize=11)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=10, loc="upper center", bbox_to_anchor=(0.5, -0.13))
    return figure


def _points(metric: str, values: Mapping[str, Any]) -> Tuple[List[int], List[Any]]:
    """Return the epochs of a metric, in their order, and its values, from {"epoch E METRIC": value}."""
    points = sorted((int(name.split()[1]), value) for name, value in values.items()
                    if name.startswith("epoch ") and name.split(" ", 2)[2] == metric)
    return [epoch for epoch, _ in points], [value for _, value in points]


def scatter(points: np.ndarray, classes: np.ndarray, names: Sequence[str], title: str, images: np.ndarray) -> Figure:
    """Draw images float[n, side * side] in 0..1 at points float[n, 2], in the colours of their classes uint8[n].

    An image that would cover an earlier one is left out, and is a dot; `names` are the classes' names.
    """
    figure = _empty_figure(8.4, 6)
    axes = figure.subplots()
    for number, name in enumerate(names):
        x, y = points[classes == number].T
        axes.scatter(x, y, s=3, color=f"C{number}", alpha=0.5, label=name, linewidths=0)
    _draw_images_at(axes, points, classes, images)
    axes.set_xlabel("first principal component")
    axes.set_ylabel("second principal component")
    axes.set_title(title, fontsize=11)
    axes.legend(frameon=False, fontsize=11, markerscale=4, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _draw_images_at(axes: Any, points: np.ndarray, classes: np.ndarray, images: np.ndarray) -> None:
    """Draw the images that fit, bright pixels in their class's colour on white, as one canvas over the axes."""
    from matplotlib.colors import to_rgb

    if not np.isfinite(points).all():  # the codes of a training that diverged
        return
    side = int(round(images.shape[1] ** 0.5))
    shape = np.array([IMAGES_ACROSS * side, IMAGES_ACROSS * side * 3 // 4])  # width, height of the canvas in pixels
    low, high = points.min(axis=0), points.max(axis=0)
    extent = np.where(high > low, high - low, 1)
    corners = np.round((points - low) / extent * (shape - side)).astype(int)
    canvas = np.zeros((shape[1], shape[0], 4), np.float32)  # red, green, blue, opacity
    for k in non_overlapping(corners, side + 2):  # with a gap between
        column, row = corners[k]
        ink = np.clip(images[k], 0, 1).reshape(side, side, 1)[::-1]  # row 0 of the canvas is at the bottom
        tile = canvas[row:row + side, column:column + side]
        tile[..., :3], tile[..., 3] = 1 - ink * (1 - np.array(to_rgb(f"C{classes[k]}"))), 1
    half = extent * side / (shape - side) / 2  # of an image, in the units of the points
    axes.imshow(canvas, origin="lower", aspect="auto", zorder=3,
                extent=(low[0] - half[0], high[0] + half[0], low[1] - half[1], high[1] + half[1]))


def non_overlapping(corners: np.ndarray, side: int) -> List[int]:
    """Return the numbers of the squares, at corners int[n, 2], that overlap no earlier one of them."""
    chosen: List[int] = []
    for k, corner in enumerate(corners):
        if not np.any(np.all(np.abs(corners[chosen] - corner) < side, axis=1)):
            chosen.append(k)
    return chosen


def texts(figure: Figure) -> List[str]:
    """Return the words that a figure shows, each once; a page of another language explains them."""
    from matplotlib.text import Text

    shown = [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
    return list(dict.fromkeys(text for text in shown if any(letter.isalpha() for letter in text)))


def darken(figure: Figure) -> None:
    """Change a figure to a dark ground with light lines and texts; images stay as they are."""
    from matplotlib.colors import to_hex
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    lighter = {"#000000": DARK_INK, MARK: DARK_MARK}
    artists: List[Any] = figure.findobj(lambda artist: isinstance(artist, (Text, Line2D)))
    for artist in artists:
        artist.set_color(lighter.get(to_hex(artist.get_color()), artist.get_color()))
    patches: List[Any] = figure.findobj(Patch)  # the grounds of the figure and of its axes, and the axes' frames
    for patch in patches:
        if to_hex(patch.get_facecolor()) == "#ffffff":
            patch.set_facecolor(DARK_GROUND)
        if to_hex(patch.get_edgecolor()) == "#000000":
            patch.set_edgecolor(DARK_INK)


def save(figure: Figure, folder: Union[str, Path], name: str, mark: str = "") -> Path:
    """Write a figure to folder/name.png; return the path. The file appears whole or not at all.

    Args:
        mark: text for the upper right corner, which says that the data is the drawn sample; see datasets.Source.

    Raises:
        OSError: the folder cannot be written to.
    """
    if mark:
        figure.text(0.995, 0.995, mark.strip(" ()"), ha="right", va="top", fontsize=8, color=MARK)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    from matplotlib.text import Text
    for text in figure.findobj(Text):  # a dollar sign in the name of a file begins no formula
        text.set_text("\n".join(printable(line).replace("$", r"\$") for line in text.get_text().split("\n")))
    content = io.BytesIO()
    comment = {"Comment": mark.strip(" ()")} if mark else {}
    figure.savefig(content, format="png", metadata={"Software": None, **comment})
    return write_atomically(folder / (name + ".png"), content.getvalue())
