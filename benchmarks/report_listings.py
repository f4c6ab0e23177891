"""Run the report's own Keras listings, word for word from its text, through run_tf1, beside the published losses.

    python -m benchmarks.report_listings REPORT.txt [--section N] [--epochs N] [--data-dir DIR]

REPORT.txt is the report's text, which is not part of this repository. The listings of sections 1, 3 and 4 are taken
from it; the numbers of the lines are removed, and indents of 3 or 5 blanks that the text's layout made are mended.
Around them stand lines of ours: imports, the arrays, a seed, a callback that records the steps, and `fit` where the
report names it only in words. The report's progress bar averaged running means (utils/epoch_means.py), and the bar of
TensorFlow 1's mode shows the mean of the epoch. So each table has both averages, published, of TensorFlow 2.4.1
(tests/tf241, seed 0), and here; the second one is computed from the steps here. Section 3 was trained for three epochs
before the published ones (docs/reproduction.md), which the bar of a second `fit` shows as means.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np

from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils.epoch_means import mean_of_running_means, progress_bar_mean
from tf1_autoencoders.utils.errors import UserError

ROOT = pathlib.Path(__file__).resolve().parent.parent
WITNESS = ROOT / "tests" / "tf241" / "fixtures" / "progress_bar"
PROLOGUE = """import json
import numpy as np
import tensorflow as tf
from keras.callbacks import Callback, EarlyStopping
from keras.layers import Conv2D, Dense, Input, LSTM, MaxPool2D, UpSampling2D
from keras.models import Model

epochs = []


class Steps(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        epochs.append([])

    def on_batch_end(self, batch, logs):
        epochs[-1].append({{name: float(value) for name, value in logs.items()}})

    def on_epoch_end(self, epoch, logs):
        json.dump(epochs, open("steps.json", "w"))


def record_steps(model):
    fit = model.fit
    model.fit = lambda *args, callbacks=(), **kwargs: fit(*args, callbacks=[*callbacks, Steps()], **kwargs)


np.random.seed({seed})
tf.set_random_seed({seed})
arrays = np.load("arrays.npz")
"""
FIT = """
record_steps({model})
{model}.compile(optimizer='adam', loss='mse')
{model}.fit(arrays["x"], arrays["y"], epochs={epochs}, batch_size=2048, verbose=1,
    validation_data=(arrays["val_x"], arrays["val_y"]), callbacks=[EarlyStopping(monitor='val_loss', patience=10)])
"""
# section -> (text in its listing, epochs, name of its model)
LISTINGS = {1: ("Dense(2000, activation='relu')(input_layer)", 20, "model"),
            3: ("Conv2D(64, (3, 3), activation='relu', padding='same')(input_layer)", 13, "model_2"),
            4: ("def define_models(", 1, "autoencoder")}
EARLIER = {1: 0, 3: 3, 4: 0}  # epochs before the published ones


def listing(report: str, text: str) -> str:
    """Return the numbered listing of a report that contains a text, without the numbers.

    Raises:
        UserError: the report has no such listing.
    """
    for block in re.findall(r"^```\n(.*?)^```", report, flags=re.MULTILINE | re.DOTALL):
        lines = [re.fullmatch(r"\d+( *)(.*)", line) for line in block.splitlines() if line.strip()]
        if text in block and all(lines):
            return "\n".join(" " * (len(line[1]) // 4 * 4) + line[2] for line in lines if line) + "\n"
    raise UserError(f"the report has no numbered listing with {text!r}; name the text of the homework report")


def program_of(number: int, report: str, epochs: int, seed: int) -> str:
    """Return a section's program: lines of ours around the report's listings."""
    text, _, model = LISTINGS[number]
    program = PROLOGUE.format(seed=seed) + listing(report, text)
    if number != 4:
        return program + FIT.format(model=model, epochs=epochs)
    return (program + "autoencoder, encoder_model, decoder_model = define_models(51, 51)\nrecord_steps(autoencoder)\n"
            "inputs, seeds, outputs = (np.eye(51, dtype='float32')[arrays[name]] for name in ('x1', 'x2', 'y'))\n" +
            listing(report, "autoencoder.compile("))


def write_arrays(number: int, path: pathlib.Path, seed: int, data_dir: str | None) -> None:
    """Write a section's arrays, with the report's split into training and validation."""
    section = SECTIONS[number]
    settings = section.settings_class(seed=seed)
    data, _ = section.load(settings, data="real", data_dir=data_dir)
    arrays = section.training_arrays(data, settings)
    if number == 4:
        np.savez(path, x1=arrays[0], x2=arrays[1], y=arrays[2])
        return
    n = len(arrays[0]) * 4 // 5
    np.savez(path, x=arrays[0][:n], y=arrays[-1][:n], val_x=arrays[0][n:], val_y=arrays[-1][n:])


def shown(output: str) -> dict[str, list[str]]:
    """Return what a progress bar showed at the end of each epoch: {name: [text]}."""
    found: dict[str, list[str]] = {}
    for line in output.split("\n"):
        text = re.split(r"[\r\b]", line)[-1]
        for name, value in [] if "ETA:" in text else re.findall(r" - (\w+): ([-+.\de]+)", text):
            found.setdefault(name, []).append(value)
    return found


def bar_of_then(epochs: list[list[dict[str, float]]], name: str) -> list[str]:
    """Return what the report's bar would have shown for each epoch, from the steps that the callback recorded."""
    average = (lambda values, _: mean_of_running_means(values)) if name == "acc" else progress_bar_mean
    # Keras 2 hands a callback the loss of the step, and the accuracy of all steps so far
    return [f"{average([step[name] for step in steps], [step['size'] for step in steps]):.4f}" for steps in epochs]


def run(number: int, report: str, args: argparse.Namespace) -> tuple[dict[str, list[str]], list[Any]]:
    """Run a section's program; return what its progress bar showed, and the steps of each epoch."""
    source = program_of(number, report, args.epochs or LISTINGS[number][1], args.seed)
    with tempfile.TemporaryDirectory() as folder:
        write_arrays(number, pathlib.Path(folder, "arrays.npz"), args.seed, args.data_dir)
        pathlib.Path(folder, "listing.py").write_text(source, encoding="utf-8")
        done = subprocess.run([sys.executable, "-m", "tf1_autoencoders.run_tf1", "listing.py"], cwd=folder,
                              stdout=subprocess.PIPE, check=True, env=dict(os.environ, PYTHONPATH=str(ROOT)))
        return shown(done.stdout.decode()), json.loads(pathlib.Path(folder, "steps.json").read_text())


def print_table(number: int, published: dict[str, list[str]], here: dict[str, list[str]], epochs: list[Any]) -> None:
    """Print a section's table: each number published, of 2.4.1, and here."""
    fits, earlier = json.loads((WITNESS / f"section{number}.json").read_text()), EARLIER[number]
    witness = [fits[f"{fit} fit, seed 0"] for fit in ("first", "second")[:2 if earlier else 1]]
    columns: dict[str, list[str]] = {}
    for name in (name for name in ("loss", "val_loss", "acc") if name in here):
        start = {1: 0, 3: 20, 4: 30}[number] if name != "acc" else 0  # epochs of the sections before, in the report
        columns[f"{name}: report"] = [""] * earlier + published[name][start:][:LISTINGS[number][1] - earlier]
        columns[f"{name}: 2.4.1"] = [text for fit in witness for text in fit["shown"][name]]
        if name != "val_loss":
            n_averaged = earlier or len(epochs)  # of the first `fit`
            columns[f"{name}: here"] = bar_of_then(epochs[:n_averaged], name) + here[name][n_averaged:]
            columns[f"mean of {name}: 2.4.1"] = [f"{value:.4f}" for fit in witness for value in fit["history"][name]]
        columns[f"{'mean of ' * (name != 'val_loss')}{name}: here"] = here[name]
    print(f"section {number}\n| epoch | " + " | ".join(columns) + " |\n| --- |" + " --- |" * len(columns))
    for epoch in range(len(epochs)):
        cells = [column[epoch] if epoch < len(column) else "" for column in columns.values()]
        print(f"| {epoch + 1} | " + " | ".join(cells) + " |", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run the listings; print a table for each section; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report_listings", description=__doc__.split("\n")[0])
    parser.add_argument("report", type=pathlib.Path, help="the report's text")
    parser.add_argument("--section", type=int, choices=tuple(LISTINGS), help="one section only")
    parser.add_argument("--epochs", type=int, help="of sections 1 and 3, if not 20 and 3 + 10")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--data-dir", help="folder with Fashion-MNIST's files")
    args = parser.parse_args(argv)
    report = args.report.read_text(encoding="utf-8")
    for number in [args.section] if args.section else LISTINGS:
        print_table(number, shown(report), *run(number, report, args))
    return 0


if __name__ == "__main__":
    sys.exit(main())
