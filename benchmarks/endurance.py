"""Check that memory, open files and the graph do not grow during a long training with checkpoints.

    python -m benchmarks.endurance [--steps 10000] [--data-dir DIR]

The command trains section 2 as `run_all.py` does, with a checkpoint every ten epochs, and inspects its own process
after each evaluated epoch.
"""
from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from tf1_autoencoders.reporting import tables
from tf1_autoencoders.sections import section2_horses as section
from tf1_autoencoders.sections.run import Run, RunOptions
from tf1_autoencoders.utils import cli


def memory_and_open_files():
    """Return (resident memory in MB, number of open file descriptors) of this process, from /proc."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2 ** 20
    return resident, len(os.listdir("/proc/self/fd"))


def endure(args):
    """Train, and print a table of memory, open files and operations of the graph by steps."""
    data, source = section.load(None, data=args.data, data_dir=args.data_dir)
    arrays = section.training_arrays(data, section.PRESETS["report"])
    settings = section.check_settings(section.PRESETS["report"], len(arrays[0]))
    n_epochs = -(-args.steps // settings.steps_per_epoch)
    settings = dataclasses.replace(settings, n_epochs=n_epochs)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        with Run(section, settings, RunOptions(results_dir=folder, checkpoint_dir=folder)) as run:
            run.begin(source, arrays)
            trainer = run.open_trainer()
            for epoch, _ in run.fit():
                n_operations = len(trainer.graph.get_operations())
                rows.append(((epoch + 1) * settings.steps_per_epoch, *memory_and_open_files(), n_operations))
    every = max(1, len(rows) // 10)
    print("", *tables.markdown_table(("step", "resident memory, MB", "open files", "operations in the graph"), [
        (step, f"{memory:.1f}", *counts) for step, memory, *counts in rows[::every] + rows[-1:]]), sep="\n")
    steps, memory = np.array([row[:2] for row in rows[len(rows) // 10:]], float).T  # without the first tenth
    print("", f"memory grows by {1000 * np.polyfit(steps, memory, 1)[0]:+.3f} MB per 1000 steps "
              f"(least squares, from step {steps[0]:.0f} on)", sep="\n")


def main(argv=None):
    parser = cli.Parser(prog="python -m benchmarks.endurance", description=__doc__.split("\n\n    ")[0])
    parser.add_argument("--steps", type=cli.whole_number(500), default=10000, metavar="N",
                        help="training steps (default: 10000)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, endure, argv)


if __name__ == "__main__":
    sys.exit(main())
