"""Find out how the report's section 3 was trained before its first printed epoch.

    python -m benchmarks.section3_readings [--seeds 3] [--out FILE]

The published curve of section 3 is that of a network that had been trained before. There are two ways in which a
notebook's cell trains a network further, and the number of earlier epochs is unknown:

- `fit` is called again. Adam goes on, and the progress bar of the report's Keras shows the mean of the epoch.
- The model is compiled and fitted again. Adam starts anew, and the progress bar shows the mean of the running means
  (tf1_autoencoders.utils.epoch_means).

For each seed, the command trains our graph in both ways after 1 to 6 earlier epochs, and prints how far each of the
twelve readings lies from the published losses: the root mean square of the log ratio over the 20 numbers. Beside it
stands the distance of the seeds from each other, which is what chance does. Each seed is saved when it ends; the same
command continues with the seeds that are missing.
"""
from __future__ import annotations

import dataclasses
import itertools
import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tf1_autoencoders.keras_twin.weights import graph_weights, set_graph_weights, weight_names
from tf1_autoencoders.reporting.metrics import log_distance
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.sections import section3_denoising as section
from tf1_autoencoders.sections.run import open_trainer
from tf1_autoencoders.training import loop
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.epoch_means import PREFIX
from tf1_autoencoders.utils.files import read_json, write_atomically
from tf1_autoencoders.utils.paths import RESULTS

N_BEFORE = range(1, 7)  # earlier epochs that are tried
WAYS = {"fitted again": "loss", "compiled and fitted again": PREFIX + "loss"}  # {way: metric that the bar shows}


def train(trainer, settings, n_rows, first_epoch, n_epochs):
    """Train for n_epochs, with the row orders of the epochs from first_epoch on; yield the metrics of each."""
    arguments = section.fit_arguments(settings, n_rows)
    arguments.update(n_epochs=first_epoch + n_epochs, patience=None)
    for _, metrics in loop.fit(trainer, progress=loop.Progress(epoch=first_epoch), **arguments):
        yield metrics


def start_optimizer_anew(trainer):
    """Give Adam's slots and powers their initial values, as compiling a Keras model does; the weights stay."""
    weights = weight_names(trainer.model)
    trainer.session.run([variable.initializer for variable in trainer.model.variables
                         if variable.op.name not in weights])


def readings_of_seed(settings, data):
    """Return {way: {earlier epochs: {published name: value}}} of one seed, as JSON can hold it."""
    arrays = section.training_arrays(data, settings)
    settings, n_rows = section.check_settings(settings, len(arrays[0])), len(arrays[0])
    n_printed = settings.n_epochs

    def printed(epochs, metric):
        return {name: value for number, metrics in enumerate(epochs, 1)
                for name, value in ((f"epoch {number} loss", metrics[metric]),
                                    (f"epoch {number} val_loss", metrics["val_loss"]))}
    results = {way: {} for way in WAYS}
    with open_trainer(section.SECTION, settings, arrays) as trainer:
        epochs, weights = [], {}
        for metrics in train(trainer, settings, n_rows, 0, max(N_BEFORE) + n_printed):
            epochs.append(metrics)
            weights[len(epochs)] = graph_weights(trainer.session, trainer.model)
        for n_before in N_BEFORE:
            again, anew = WAYS
            results[again][str(n_before)] = printed(epochs[n_before:n_before + n_printed], WAYS[again])
            set_graph_weights(trainer.session, trainer.model, weights[n_before])
            start_optimizer_anew(trainer)
            results[anew][str(n_before)] = printed(train(trainer, settings, n_rows, n_before, n_printed), WAYS[anew])
    return results


def table(seeds):
    """Return the table's rows: (way, earlier epochs, distance of the mean curve, of each seed, seeds' own distance)."""
    rows, published = [], section.SECTION.published
    for way, n_before in itertools.product(WAYS, map(str, N_BEFORE)):
        curves = [seed[way][n_before] for seed in seeds]
        mean = {name: float(np.exp(np.mean([np.log(curve[name]) for curve in curves]))) for name in published}
        own = [log_distance(a, b) for a, b in itertools.combinations(curves, 2)]
        rows.append((way, n_before, f"{log_distance(mean, published):.3f}",
                     ", ".join(f"{log_distance(curve, section.SECTION.published):.3f}" for curve in curves),
                     f"{np.mean(own):.3f}" if own else "",
                     ", ".join(f"{mean[f'epoch {epoch} loss']:.4f}" for epoch in (1, 2, 10))))
    return rows


def main(argv=None):
    parser = cli.Parser(prog="python -m benchmarks.section3_readings", description=__doc__.split("\n\n    ")[0])
    parser.add_argument("--seeds", type=cli.whole_number(1), default=3, metavar="K", help="seeds (default: 3)")
    parser.add_argument("--first-seed", type=cli.whole_number(0), default=0, metavar="N",
                        help="the first of the seeds (default: 0)")
    parser.add_argument("--out", default=str(RESULTS / "section3_readings.json"), metavar="FILE", type=cli.path_name,
                        help="file that holds the curves (default: results/section3_readings.json)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, compare_readings, argv)


def compare_readings(args):
    """Compute the seeds that the file lacks, save each, print the table."""
    file = Path(args.out)
    seeds = read_json(file) if file.exists() else []
    for seed in tqdm(range(args.first_seed + len(seeds), args.first_seed + args.seeds), desc="Seeds", unit="seed",
                     disable=None):
        settings = dataclasses.replace(section.PRESETS["report"], seed=seed)
        seeds.append(readings_of_seed(settings, section.load(settings, data=args.data, data_dir=args.data_dir)[0]))
        write_atomically(file, json.dumps(seeds).encode())
    published = ", ".join(f"{section.SECTION.published[f'epoch {epoch} loss']:.4f}" for epoch in (1, 2, 10))
    print(*markdown_table(("way", "earlier epochs", "distance of the mean curve", "of each seed",
                           "of two seeds", f"loss of epochs 1, 2, 10 (published: {published})"), table(seeds)),
          sep="\n")


if __name__ == "__main__":
    sys.exit(main())
