#!/usr/bin/env python3
"""Measure seconds per epoch and peak memory of our graph with 1, 2, 4 and 8 times as many rows.

    python -m benchmarks.growth --section 2

Each measurement is a process of its own. Each round measures every size once.
"""
from __future__ import annotations

import dataclasses
import statistics
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from benchmarks import measuring, report, tasks
from tf1_autoencoders.reporting import tables
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils import cli

TIMES = (1, 2, 4, 8)
HEADER = ("rows", "data, MB", "seconds per epoch", "microseconds per row",
          "ratio to the smallest (lowest to highest)", "peak memory, MB", "MB of memory per MB of added data")


def main(argv=None):
    parser = cli.Parser(prog="benchmarks/growth.py", description=__doc__)
    parser.add_argument("--section", required=True, choices=[*map(str, SECTIONS)], metavar="N", help="1, 2, 3 or 4")
    parser.add_argument("--rounds", type=cli.whole_number(1), default=3, metavar="R",
                        help="number of rounds, each of which measures every size once (default: 3)")
    parser.add_argument("--laps", type=cli.whole_number(1), default=2, metavar="L",
                        help="timed epochs per process; in section 2, tens of epochs (default: 2)")
    parser.add_argument("--steps", type=cli.whole_number(1), metavar="S",
                        help="steps of the smallest epoch (default: as in benchmarks.run)")
    parser.add_argument("--patience", type=cli.whole_number(0), default=60, metavar="SECONDS",
                        help="how long to wait for an idle machine before each measurement (default: 60)")
    return cli.run_command(parser, grow, argv)


def grow(args):
    """Measure, and print the table."""
    number = int(args.section)
    settings = dataclasses.asdict(SECTIONS[number].presets["report"])
    sizes, measurements = {}, {times: [] for times in TIMES}
    with tempfile.TemporaryDirectory() as scratch:
        for times in TIMES:
            task = tasks.make_task(number, settings, n_laps=args.laps, n_steps=args.steps, multiple=times)
            tasks.save_task(task, Path(scratch) / f"{times}.npz")
            sizes[times] = task.rows_per_epoch, sum(array.nbytes for array in task.arrays) / 1e6
        for times in tqdm(TIMES * args.rounds, unit="run", leave=False, disable=None):
            measuring.wait_until_idle(args.patience)
            measurements[times].append(measuring.measure(measuring.ROWS["graph"], sys.executable,
                                                         Path(scratch) / f"{times}.npz"))
    machine = measuring.machine()
    print(f"section {number}, {machine['CPU']}, {machine['cores']} cores, {machine['memory']}, {machine['date']}", "",
          *tables.markdown_table(HEADER, lines(sizes, measurements)), sep="\n")


def lines(sizes, measurements):
    """Return the lines of the table.

    Args:
        sizes: {multiple of the rows: (rows, MB of data)}.
        measurements: {multiple of the rows: results of measuring.measure, one per round}.
    """
    first = min(sizes)
    table = []
    for times, (n_rows, megabytes) in sizes.items():
        epoch = statistics.median(report.seconds(measurements[times]))
        memory, first_memory = (statistics.median(measured["peak_bytes"] / 1e6 for measured in measurements[k])
                                for k in (times, first))
        row_ratios = [ratio * sizes[first][0] / n_rows
                      for ratio in report.ratios(measurements[times], measurements[first])]
        more = "-" if times == first else f"{(memory - first_memory) / (megabytes - sizes[first][1]):.2f}"
        table.append((f"{n_rows:,}", f"{megabytes:,.0f}", f"{epoch:.3g}", f"{1e6 * epoch / n_rows:.3g}",
                      report.spread(row_ratios), f"{memory:,.0f}", more))
    return table


if __name__ == "__main__":
    sys.exit(main())
