"""Draw the figures of docs/detective_story.md.

    python -m benchmarks.detective_story [--seeds 5] [--figures FOLDER] [--out FILE]

The first figure needs the real horses: the command trains section 2 by six readings of the report, with several seeds
each, and puts each printed error next to the published one. The two others are drawn from recorded numbers: the losses
of single steps in the real TensorFlow 2.4.1 (tests/tf241), and the seed bands of section 3. Each seed of the first
figure is saved when its training ends; the same command continues with those that are missing.
"""
from __future__ import annotations

import dataclasses
import io
import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tf1_autoencoders.reporting.comparison import SHIPPED_BANDS
from tf1_autoencoders.reporting.metrics import log_distance
from tf1_autoencoders.reporting.published import METRICS
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.sections.run import measure
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.epoch_means import mean_of_running_means, running_means
from tf1_autoencoders.utils.files import make_writable_folder, read_json, write_atomically
from tf1_autoencoders.utils.paths import RESULTS, display_path

ROOT = Path(__file__).resolve().parent.parent
STEPS = ROOT / "tests" / "tf241" / "fixtures" / "progress_bar" / "section4.npz"  # recorded in TensorFlow 2.4.1
SECTION = SECTIONS[2]
REPORT = SECTION.presets["report"]
READINGS = {  # {how the report is read: settings of section 2}
    "the tutorial: 300-150-300, 33 batches of 150": SECTION.presets["source"],
    "the prose: 200-150-200, 50 batches of 100, L2 minimised": SECTION.presets["text"],
    "more steps: 200-150-200, 50 batches of 150": dataclasses.replace(REPORT, steps_per_epoch=50),
    "a narrower code: 200-100-200, 33 batches of 150": dataclasses.replace(REPORT, n_hidden_2=100),
    "L2 minimised: 200-150-200, 33 batches of 150": dataclasses.replace(REPORT, l2_in_loss=True),
    "200-150-200, 33 batches of 150": REPORT}
N_BEFORE = 3  # epochs before the first that section 3 prints
BLACK, BLUE, ORANGE = "#000000", "#0072B2", "#D55E00"  # Okabe and Ito's, which colour-blind readers can distinguish


def empty_figure(n_axes, width, height):
    """Return a figure of width x height inches on the Agg backend, and its n_axes axes, at most three in a line."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, constrained_layout=True)
    FigureCanvasAgg(figure)
    n_rows = -(-n_axes // 3)
    return figure, figure.subplots(n_rows, n_axes // n_rows, squeeze=False, sharey=True).ravel()


def trace_figure(seeds_of_reading):
    """Draw section 2's published errors over those of each reading's seeds, {reading: [measured, ...]}."""
    figure, all_axes = empty_figure(len(seeds_of_reading), 13, 7)
    epochs = [int(name.split()[1]) for name in SECTION.published]
    for axes, (reading, seeds) in zip(all_axes, seeds_of_reading.items()):
        for k, seed in enumerate(seeds):
            axes.plot(epochs, [seed[name] for name in SECTION.published], color=BLUE, alpha=0.5, linewidth=1.2,
                      label=None if k else f"{len(seeds)} seeds")
        axes.plot(epochs, list(SECTION.published.values()), "-x", color=BLACK, linewidth=1.6, label="published")
        axes.set_title(reading.replace(": ", "\n"), fontsize=10)
        axes.set_xlabel("epoch")
        axes.set_ylabel("MSE of one batch")
        axes.set_ylim(900, 3600)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=9)
    return figure


def bar_figure(losses, sizes):
    """Draw an epoch in TensorFlow 2.4.1: the loss of each step, the mean so far, and what the progress bar showed.

    Args:
        losses, sizes: float[K] and int[K], the mean loss over each batch, and its rows.
    """
    means = running_means(losses, sizes)
    shown = [mean_of_running_means(means[:k + 1]) for k in range(len(means))]
    figure, (axes,) = empty_figure(1, 8, 4)
    steps = np.arange(1, len(losses) + 1)
    axes.plot(steps, losses, color="#999999", linewidth=0.6, label="loss of each step")
    axes.plot(steps, means, color=BLUE, linewidth=1.8, label=f"mean of the steps so far; at the end {means[-1]:.4f}")
    axes.plot(steps, shown, color=ORANGE, linewidth=1.8, label=f"progress bar; at the end {shown[-1]:.4f}")
    axes.axhline(METRICS[4]["epoch 1 progress_bar_loss"], color=BLACK, linestyle="--", linewidth=1,
                 label=f"published: {METRICS[4]['epoch 1 progress_bar_loss']}")
    axes.set_xlabel("step of the epoch")
    axes.set_ylabel("loss")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=9)
    return figure


def continued_figure(values):
    """Draw section 3's published losses at the beginning of a training, and after N_BEFORE epochs of it.

    Args:
        values: {"epoch E loss": losses over seeds}; epoch 1 is the first that the report prints, epoch -2 the first.
    """
    epochs = sorted(int(name.split()[1]) for name in values if name.endswith(" loss"))
    published = [METRICS[3][f"epoch {epoch} loss"] for epoch in range(1, 11)]
    figure, all_axes = empty_figure(2, 10, 3.8)
    for axes, first, title in zip(all_axes, (1, 1 + N_BEFORE), ("as it is printed", "three epochs later")):
        for k, losses in enumerate(zip(*(values[f"epoch {epoch} loss"] for epoch in epochs))):
            axes.plot(np.array(epochs) + N_BEFORE, losses, color=BLUE, alpha=0.5, linewidth=1.2,
                      label=None if k else f"{len(values[f'epoch {epochs[0]} loss'])} seeds")
        axes.plot(range(first, first + 10), published, "-x", color=BLACK, linewidth=1.6, label="published")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("epoch of the training")
        axes.set_ylabel("loss")
        axes.set_ylim(0, 0.12)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize=9)
    return figure


def save(figure, folder, name):
    content = io.BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return write_atomically(folder / f"story_{name}.png", content.getvalue())


def draw(args):
    """Train the seeds that the file lacks and save each; draw the three figures; print the distances."""
    file, folder = Path(args.out), Path(args.figures)
    make_writable_folder(folder)
    make_writable_folder(file.parent)
    seeds = read_json(file) if file.exists() else {}
    missing = [(reading, seed) for reading in READINGS for seed in range(len(seeds.get(reading, [])), args.seeds)]
    if missing:
        data, _ = SECTION.load(REPORT, data="real", data_dir=args.data_dir)
    for reading, seed in tqdm(missing, desc="Trainings", unit="run", disable=None):
        seeds.setdefault(reading, []).append(
            measure(SECTION, dataclasses.replace(READINGS[reading], seed=seed), data))
        write_atomically(file, json.dumps(seeds).encode())
    rows = []
    seeds = {reading: seeds[reading] for reading in READINGS}
    for reading, measured in seeds.items():
        alive = sorted(log_distance(seed, SECTION.published) for seed in measured if not seed["collapsed"])
        rows.append((reading, f"{len(measured) - len(alive)} of {len(measured)}",
                     *(f"{value:.2f}" for value in (alive[0], np.median(alive)) if alive)))
    print(*markdown_table(("reading", "collapsed", "nearest seed", "median"), rows), sep="\n")
    steps = np.load(STEPS)
    bands = read_json(SHIPPED_BANDS)["section 3, preset report"]["values"]
    for name, figure in {
            "trace": trace_figure(seeds), "continued": continued_figure(bands),
            "progress_bar": bar_figure(steps["first fit, seed 0/loss"][0], steps["first fit, seed 0/size"])}.items():
        print(f"figure: {display_path(save(figure, folder, name))}")


def main(argv=None):
    parser = cli.Parser(prog="python -m benchmarks.detective_story", description=__doc__.split("\n\n    ")[0])
    parser.add_argument("--seeds", type=cli.whole_number(1), default=5, metavar="K", help="seeds (default: 5)")
    parser.add_argument("--figures", default="docs", metavar="FOLDER", type=cli.path_name,
                        help="folder for the figures (default: docs)")
    parser.add_argument("--out", default=str(RESULTS / "detective_story.json"), metavar="FILE", type=cli.path_name,
                        help="file that holds the measured errors (default: results/detective_story.json)")
    parser.add_argument("--data-dir", action="append", metavar="DIR", type=cli.path_name,
                        help="folder that holds cifar-10-batches-py/ or cifar-10-python.tar.gz")
    return cli.run_command(parser, draw, argv)


if __name__ == "__main__":
    sys.exit(main())
