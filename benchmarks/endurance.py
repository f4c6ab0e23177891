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
from tf1_autoencoders.sections.run import Run, RunOptions
from tf1_autoencoders.sections.section2_horses import SECTION
from tf1_autoencoders.utils import cli


def memory_and_open_files():
    """Return (resident memory in MB, number of open file descriptors) of this process, from /proc."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2 ** 20
    return resident, len(os.listdir("/proc/self/fd"))


def endure(args):
    """Train, and print a table of memory, open files and operations of the graph by steps."""
    settings, rows = SECTION.presets["report"], []
    steps_per_epoch = 5000 // settings.batch_size  # of the horses
    settings = dataclasses.replace(settings, n_epochs=-(-args.steps // steps_per_epoch))
    with tempfile.TemporaryDirectory() as folder:
        options = RunOptions(results_dir=folder, checkpoint_dir=folder, data=args.data, data_dir=args.data_dir)
        with Run(SECTION, settings, options) as run:
            for epoch, _ in run.fit():
                n_operations = len(run.trainer.graph.get_operations())
                rows.append(((epoch + 1) * steps_per_epoch, *memory_and_open_files(), n_operations))
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
