#!/usr/bin/env python3
"""How fast each section's graph trains, beside its Keras twin, PyTorch and TensorFlow 1.15.5: a table and a picture.

    python -m benchmarks.run --torch-python PATH --tf115-python PATH     everything, into results/
    python -m benchmarks.run --section 2 --rows graph,keras --rounds 3   some of it
    python -m benchmarks.run --table results/benchmark.json              table and picture anew, nothing measured

Each measurement is a process of its own; the rows take turns, round by round. README.md beside this file says more.
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
                        help="how often each row is measured, in turns (default: 5)")
    parser.add_argument("--rows", metavar="ROW,ROW",
                        help=f"of {', '.join(ROWS)} (default: all but pytorch-compile)")
    parser.add_argument("--laps", type=cli.whole_number(1), default=3, metavar="L",
                        help="timed epochs a process; in section 2, tens of epochs (default: 3)")
    parser.add_argument("--steps", type=cli.whole_number(1), metavar="S",
                        help="steps an epoch (default: " + ", ".join(
                            f"section {number}: {steps}" for number, steps in tasks.N_STEPS.items()) + ")")
    parser.add_argument("--threads", type=cli.whole_number(0), default=0, metavar="T",
                        help="CPU threads of each implementation (default: 0, its own choice)")
    parser.add_argument("--torch-python", metavar="PATH",
                        help="a Python with PyTorch (default: this one, if it has it)")
    parser.add_argument("--tf115-python", metavar="PATH", help="a Python 3.7 with TensorFlow 1.15.5")
    parser.add_argument("--patience", type=cli.whole_number(0), default=60, metavar="SECONDS",
                        help="how long to wait for an idle machine before each measurement (default: 60)")
    parser.add_argument("--out", metavar="DIR", help="folder for benchmark.json, .md and .png (default: results/)")
    parser.add_argument("--table", metavar="FILE",
                        help="a benchmark.json: write its table and picture anew, measure nothing")
    return parser


def main(argv=None):
    return cli.run_command(build_parser(), run, argv)


def run(args):
    """The command."""
    if args.table:
        try:
            result = json.loads(Path(args.table).read_text())
            return write(result, Path(args.out or Path(args.table).parent), anew=True)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{args.table}: not a benchmark.json of this command ({error})") from None
    folder = Path(args.out or RESULTS)
    folder.mkdir(parents=True, exist_ok=True)  # before the measuring, not after it
    pythons = measuring.pythons(args.torch_python, args.tf115_python)
    rows = chosen(args.rows, pythons)
    numbers = [number for number in SECTIONS if args.section in ("all", str(number))]
    result = {"machine": measuring.machine(), "sections": {}}
    with tempfile.TemporaryDirectory() as scratch:
        for number in numbers:
            module = SECTIONS[number]
            task = tasks.make_task(number, dataclasses.asdict(module.PRESETS["report"]), n_laps=args.laps,
                              n_steps=args.steps, threads=args.threads)
            path = Path(scratch) / "task.npz"
            tasks.save_task(task, path)
            result["sections"][str(number)] = {
                "title": module.TITLE, "batch_size": task.batch_size, "rows_per_epoch": task.rows_per_epoch,
                "flops_per_row": tasks.flops_per_row(number, task.settings), "sha256": task.sha256(),
                **take_turns([row for row in rows if number in ROWS[row].sections], path, pythons, args.rounds,
                             args.patience, f"Section {number}")}
            write_json(result, folder)  # what was measured so far survives whatever comes
    return write(result, folder)


def chosen(names, pythons):
    """The rows to measure, of those that --rows names and of those whose interpreter is there."""
    rows = names.split(",") if names else [row for row in ROWS if not ROWS[row].asked]
    for row in rows:
        if row not in ROWS:
            raise UsageError(f"--rows {row}: expected some of {', '.join(ROWS)}")
    for kind, what in ("torch", "PyTorch"), ("tf115", "TensorFlow 1.15.5"):
        if pythons[kind] is None and any(ROWS[row].python == kind for row in rows):
            cli.warn(f"{what} is left out: --{kind}-python names a Python that has it")
    return [row for row in rows if pythons[ROWS[row].python]]


def take_turns(rows, task_path, pythons, rounds, patience, title):
    """Measure A B C A B C; a row that fails is left out from then on, and its measurements with it.

    Returns:
        {"measurements": {row: [what measuring.measure gave, a round each]}, "failed": {row: message}}.
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


def write(result, folder, anew=False):
    """Print the report, write the files; exit code 1 where an implementation computed something else."""
    text = report.text(result)
    print(text)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [] if anew else [write_json(result, folder)]
    paths.append(write_atomically(folder / "benchmark.md", text.encode()))
    if any(map(report.implementations, result["sections"].values())):
        paths.append(write_atomically(folder / "benchmark.png", report.figure_png(result)))
    print("saved:", ", ".join(map(display_path, paths)))
    said = report.disagreements(result)
    for sentence in said:
        cli.warn(sentence)
    return int(bool(said))


if __name__ == "__main__":
    sys.exit(main())
