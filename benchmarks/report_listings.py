"""Run the report's own Keras listings, word for word from its text, through run_tf1, beside the published losses.

    python -m benchmarks.report_listings REPORT.txt [--section N] [--epochs N] [--data-dir DIR]

REPORT.txt is the report's text, which is not part of this repository. The listings of sections 1, 3 and 4 are taken
from it; the numbers of the lines are removed, and indents of 3 or 5 blanks that the text's layout made are mended.
Around them stand lines of ours: imports, the arrays, a seed, and `fit` where the report names it only in words. The
columns are what the progress bar showed: published, of TensorFlow 2.4.1 (tests/tf241, seed 0), and here.
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

import numpy as np

from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils.errors import UserError

ROOT = pathlib.Path(__file__).resolve().parent.parent
WITNESS = ROOT / "tests" / "tf241" / "fixtures" / "progress_bar"
PROLOGUE = """import numpy as np
import tensorflow as tf
from keras.callbacks import EarlyStopping
from keras.layers import Conv2D, Dense, Input, LSTM, MaxPool2D, UpSampling2D
from keras.models import Model

np.random.seed({seed})
tf.set_random_seed({seed})
arrays = np.load("arrays.npz")
"""
FIT = """
{model}.compile(optimizer='adam', loss='mse')
{model}.fit(arrays["x"], arrays["y"], epochs={epochs}, batch_size=2048, verbose=1,
    validation_data=(arrays["val_x"], arrays["val_y"]), callbacks=[EarlyStopping(monitor='val_loss', patience=10)])
"""
# section -> (text in its listing, epochs of the report, name of its model)
LISTINGS = {1: ("Dense(2000, activation='relu')(input_layer)", 20, "model"),
            3: ("Conv2D(64, (3, 3), activation='relu', padding='same')(input_layer)", 10, "model_2"),
            4: ("def define_models(", 1, "autoencoder")}


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
    return (program + "autoencoder, encoder_model, decoder_model = define_models(51, 51)\n"
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


def main(argv: list[str] | None = None) -> int:
    """Run the listings; print a table for each section; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report_listings", description=__doc__.split("\n")[0])
    parser.add_argument("report", type=pathlib.Path, help="the report's text")
    parser.add_argument("--section", type=int, choices=tuple(LISTINGS), help="one section only")
    parser.add_argument("--epochs", type=int, help="of sections 1 and 3, if not the report's number")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--data-dir", help="folder with Fashion-MNIST's files")
    args = parser.parse_args(argv)
    report = args.report.read_text(encoding="utf-8")
    for number in [args.section] if args.section else LISTINGS:
        source = program_of(number, report, args.epochs or LISTINGS[number][1], args.seed)
        with tempfile.TemporaryDirectory() as folder:
            write_arrays(number, pathlib.Path(folder, "arrays.npz"), args.seed, args.data_dir)
            pathlib.Path(folder, "listing.py").write_text(source, encoding="utf-8")
            done = subprocess.run([sys.executable, "-m", "tf1_autoencoders.run_tf1", "listing.py"], cwd=folder,
                                  stdout=subprocess.PIPE, check=True,
                                  env=dict(os.environ, PYTHONPATH=str(ROOT)))
        witness = json.loads((WITNESS / f"section{number}.json").read_text())["first fit, seed 0"]["shown"]
        here, published = shown(done.stdout.decode()), shown(report)
        names = [name for name in ("loss", "val_loss", "acc") if name in here]
        start = {1: 0, 3: 20, 4: 30}[number]  # epochs of the sections before, in the report's text
        print(f"section {number}\n| epoch | " + " | ".join(f"{name}: report | 2.4.1 | here" for name in names) + " |")
        print("| --- |" + " --- |" * 3 * len(names))
        for epoch, _ in enumerate(here["loss"]):
            cells = []
            for name in names:
                offset = start if name != "acc" else 0
                of_report = published[name][offset:]
                cells += [of_report[epoch] if epoch < len(of_report) else "", (witness[name] + [""] * 99)[epoch],
                          here[name][epoch]]
            print(f"| {epoch + 1} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
