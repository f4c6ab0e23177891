"""Train section 1 with codes of several widths, beside principal components of the same number: are ten numbers enough?

    python -m benchmarks.code_width [--widths 2 5 10 20] [--epochs 4] [--figures FOLDER] [--out FILE]

The report says that ten units were found by trial and error. The command trains the report's network with each width,
by the preset `tuned` (batches of 256, a decaying rate), which needs fewer epochs than the report's. Each network's
errors are saved when its training ends; the same command continues with the widths that are missing.
"""
from __future__ import annotations

import dataclasses
import io
import json
import sys
from pathlib import Path

from tqdm import tqdm

from benchmarks.detective_story import BLUE, ORANGE, empty_figure
from tf1_autoencoders.reporting.baselines import reconstruct_by_pca
from tf1_autoencoders.reporting.metrics import mean_squared_error
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.sections import section1_reconstruction as section
from tf1_autoencoders.sections.run import train_once
from tf1_autoencoders.training.row_order import n_training_rows
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.files import make_writable_folder, read_json, write_atomically
from tf1_autoencoders.utils.paths import RESULTS, display_path

N_IN_REPORT = section.PRESETS["report"].n_latent


def measure_width(settings, data):
    """Return {method: mean squared error over the validation images}, of a training and of principal components."""
    (x,) = arrays = section.training_arrays(data, settings)
    n = n_training_rows(len(x), settings.validation_split)
    with train_once(section.SECTION, settings, arrays) as (trainer, _):
        outputs = trainer.predict(x[n:])
    return {"network": mean_squared_error(outputs, x[n:]),
            "PCA": mean_squared_error(reconstruct_by_pca(x[:n], x[n:], settings.n_latent), x[n:])}


def width_figure(measured):
    """Draw the errors over the width of the code, {width: {method: error}}; the report's width is marked."""
    figure, (axes,) = empty_figure(1, 6.5, 3.8)
    for method, colour in (("PCA", ORANGE), ("network", BLUE)):
        axes.plot(list(measured), [errors[method] for errors in measured.values()], "-o", color=colour, label=method)
    axes.axvline(N_IN_REPORT, color="#777777", linestyle="--", linewidth=1, label=f"the report's {N_IN_REPORT}")
    axes.set_xscale("log")
    axes.set_xticks(list(measured), list(map(str, measured)))
    axes.minorticks_off()
    axes.set_xlabel("numbers in the code")
    axes.set_ylabel("MSE over the validation images")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return figure


def sweep(args):
    """Train the widths that the file lacks and save each; draw the figure; print the table."""
    file, folder = Path(args.out), Path(args.figures)
    make_writable_folder(folder)
    make_writable_folder(file.parent)
    measured = read_json(file) if file.exists() else {}
    keys = {width: f"{width} numbers, {args.epochs} epochs, seed {args.seed}" for width in sorted(args.widths)}
    missing = [width for width, key in keys.items() if key not in measured]
    settings = dataclasses.replace(section.PRESETS["tuned"], n_epochs=args.epochs, seed=args.seed)
    if missing:
        data, _ = section.load(settings, data="real", data_dir=args.data_dir)
    for width in tqdm(missing, desc="Widths", unit="width", disable=None):
        measured[keys[width]] = measure_width(dataclasses.replace(settings, n_latent=width), data)
        write_atomically(file, json.dumps(measured).encode())
    shown = {width: measured[key] for width, key in keys.items()}
    print(*markdown_table(("numbers in the code", "network", "PCA"), [
        (width, *(f"{errors[method]:.4f}" for method in ("network", "PCA"))) for width, errors in shown.items()]),
        sep="\n")
    content = io.BytesIO()
    width_figure(shown).savefig(content, format="png", metadata={"Software": None})
    print(f"figure: {display_path(write_atomically(folder / 'section1_code_width.png', content.getvalue()))}")


def main(argv=None):
    parser = cli.Parser(prog="python -m benchmarks.code_width", description=__doc__.split("\n\n    ")[0])
    parser.add_argument("--widths", type=cli.whole_number(1, 784), nargs="+", default=[2, 5, 10, 20], metavar="N",
                        help="numbers in the code (default: 2 5 10 20)")
    parser.add_argument("--epochs", type=cli.whole_number(1), default=4, metavar="N",
                        help="passes over the training images for each width (default: 4)")
    parser.add_argument("--seed", type=cli.whole_number(0, 2 ** 27), default=0, metavar="N", help="seed (default: 0)")
    parser.add_argument("--figures", default="docs", metavar="FOLDER", type=cli.path_name,
                        help="folder for the figure (default: docs)")
    parser.add_argument("--out", default=str(RESULTS / "code_width.json"), metavar="FILE", type=cli.path_name,
                        help="file that holds the errors (default: results/code_width.json)")
    parser.add_argument("--data-dir", action="append", metavar="DIR", type=cli.path_name,
                        help="folder that holds fashion-mnist/")
    return cli.run_command(parser, sweep, argv)


if __name__ == "__main__":
    sys.exit(main())
