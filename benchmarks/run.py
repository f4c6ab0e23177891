#!/usr/bin/env python3
"""Measure how fast each section's graph trains, next to its Keras twin, JAX, PyTorch and TensorFlow 1.15.5.
    python -m benchmarks.run --torch-python PATH --jax-python PATH --tf115-python PATH     everything, into results/
    python -m benchmarks.run --section 2 --rows graph,keras --rounds 3   some of it
    python -m benchmarks.run --table results/benchmark.json              table and figure again, without measuring

Each measurement is a process of its own. Each round measures every row of the table once. See benchmarks/README.md.
"""
from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from benchmarks import measuring, report, tasks
from benchmarks.measuring import ROWS
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.files import write_atomically
from tf1_autoencoders.utils.paths import RESULTS, display_path


def build_parser():
    parser = cli.Parser(prog="benchmarks/run.py", description=__doc__)
    parser.add_argument("--section", default="all", choices=["all", *map(str, SECTIONS)], metavar="N",
                        help="one section (default: all)")
    parser.add_argument("--rounds", type=cli.whole_number(1), default=5, metavar="R",
                        help="number of rounds, each of which measures every row once (default: 5)")
    parser.add_argument("--rows", metavar="ROW,ROW",
                        help=f"some of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--laps", type=cli.whole_number(1), default=3, metavar="L",
                        help="timed epochs per process; in section 2, tens of epochs (default: 3)")
    parser.add_argument("--steps", type=cli.whole_number(1), metavar="S",
                        help="steps per epoch (default: " + ", ".join(
                            f"section {number}: {steps}" for number, steps in tasks.N_STEPS.items()) + ")")
    parser.add_argument("--threads", type=cli.whole_number(0), default=0, metavar="T",
                        help="CPU threads of each implementation (default: 0, the implementation's choice)")
    parser.add_argument("--torch-python", metavar="PATH",
                        help="a Python with PyTorch (default: the running one, if it has PyTorch)")
    parser.add_argument("--jax-python", metavar="PATH",
                        help="a Python with JAX and optax (default: the running one, if it has them)")
    parser.add_argument("--tf115-python", metavar="PATH", help="a Python 3.7 with TensorFlow 1.15.5")
    parser.add_argument("--patience", type=cli.whole_number(0), default=60, metavar="SECONDS",
                        help="how long to wait for an idle machine before each measurement (default: 60)")
    parser.add_argument("--out", metavar="DIR", help="folder for benchmark.json, .md and .png (default: results/)")
    parser.add_argument("--table", metavar="FILE",
                        help="a benchmark.json: write its table and figure again, without measuring")
    return parser


def main(argv=None):
    return cli.run_command(build_parser(), run, argv)


def run(args):
    """Measure, or read the measurements of --table; write table and figure."""
    if args.table:
        try:
            text = Path(args.table).read_text()
        except OSError as error:
            raise UserError(f"{args.table}: {error.strerror}; expected a benchmark.json of this command") from None
        try:
            result = json.loads(text)
            return write(result, Path(args.out or Path(args.table).parent), with_json=False)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{args.table}: not a benchmark.json of this command ({error})") from None
    folder = Path(args.out or RESULTS)
    folder.mkdir(parents=True, exist_ok=True)  # an unwritable folder fails before the measuring
    pythons = measuring.pythons(args.torch_python, args.jax_python, args.tf115_python)
    rows = choose_rows(args.rows, pythons)
    numbers = [number for number in SECTIONS if args.section in ("all", str(number))]
    result = {"machine": measuring.machine(), "sections": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for number in numbers:
            module = SECTIONS[number]
            task = tasks.make_task(number, dataclasses.asdict(module.presets["report"]), n_laps=args.laps,
                                   n_steps=args.steps, threads=args.threads)
            path = Path(scratch) / "task.npz"
            tasks.save_task(task, path)
            result["sections"][str(number)] = {
                "title": module.title, "batch_size": task.batch_size, "rows_per_epoch": task.rows_per_epoch,
                "flops_per_row": tasks.flops_per_row(number, task.settings), "sha256": task.sha256(),
                **take_turns([row for row in rows if number in ROWS[row].sections], path, pythons, args.rounds,
                             args.patience, f"Section {number}")}
            write_json(result, folder)  # saves the measurements so far
    return write(result, folder)


def choose_rows(names, pythons):
    """Return the rows that --rows names, or all, without those whose interpreter is missing."""
    rows = names.split(",") if names else list(ROWS)
    for row in rows:
        if row not in ROWS:
            raise UsageError(f"--rows {row}: expected some of {', '.join(ROWS)}")
    for kind, library in ("torch", "PyTorch"), ("jax", "JAX"), ("tf115", "TensorFlow 1.15.5"):
        if pythons[kind] is None and any(ROWS[row].python == kind for row in rows):
            cli.warn(f"{library} is left out: name a Python that has it with --{kind}-python")
    return [row for row in rows if pythons[ROWS[row].python]]


def take_turns(rows, task_path, pythons, rounds, patience, title):
    """Measure the rows in the order A B C A B C; leave a row that fails out of the result.

    Returns:
        {"measurements": {row: [result of measuring.measure, one per round]}, "failed": {row: message}}.
    """
    measurements, failed = {row: [] for row in rows}, {}
    with tqdm(total=rounds * len(rows), desc=title, unit="run", leave=False, disable=None) as bar:
        for _ in range(rounds):
            for row in rows:
                bar.update()
                if row in failed:
                    continue
                bar.set_postfix_str(ROWS[row].label)
                measuring.wait_until_idle(patience)
                try:
                    measurements[row].append(measuring.measure(ROWS[row], pythons[ROWS[row].python], task_path))
                except UserError as error:
                    failed[row] = str(error)
                    cli.warn(f"left out: {error}")
    return {"measurements": {row: measurements[row] for row in rows if row not in failed}, "failed": failed}


def write_json(result, folder):
    return write_atomically(folder / "benchmark.json", (json.dumps(result, indent=1) + "\n").encode())


def write(result, folder, with_json=True):
    """Print the report and write the files; return exit code 1 if the implementations disagree."""
    text = report.text(result)
    print(text)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [write_json(result, folder)] if with_json else []
    paths.append(write_atomically(folder / "benchmark.md", text.encode()))
    if any(map(report.implementations, result["sections"].values())):
        paths.append(write_atomically(folder / "benchmark.png", report.figure_png(result)))
    print("saved:", ", ".join(map(display_path, paths)))
    sentences = report.disagreements(result)
    for sentence in sentences:
        cli.warn(sentence)
    return int(bool(sentences))


if __name__ == "__main__":
    sys.exit(main())
