#!/usr/bin/env python3
"""What more rows cost our graph: seconds per epoch and peak memory with 1, 2, 4 and 8 times as many.

    python -m benchmarks.growth --section 2

Each measurement is a process of its own; the sizes take turns, round by round.
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
HEADER = ("rows", "of data, MB", "seconds an epoch", "microseconds a row", "times the first's (lowest to highest)",
          "peak memory, MB", "of it a MB of more data")


def main(argv=None):
    parser = cli.Parser(prog="benchmarks/growth.py", description=__doc__)
    parser.add_argument("--section", required=True, choices=[*map(str, SECTIONS)], metavar="N", help="1, 2, 3 or 4")
    parser.add_argument("--rounds", type=cli.whole_number(1), default=3, metavar="R",
                        help="how often each size is measured, in turns (default: 3)")
    parser.add_argument("--laps", type=cli.whole_number(1), default=2, metavar="L",
                        help="timed epochs a process; in section 2, tens of epochs (default: 2)")
    parser.add_argument("--steps", type=cli.whole_number(1), metavar="S",
                        help="steps of the smallest epoch (default: run.py's)")
    parser.add_argument("--patience", type=cli.whole_number(0), default=60, metavar="SECONDS",
                        help="how long to wait for an idle machine before each measurement (default: 60)")
    return cli.run_command(parser, grow, argv)


def grow(args):
    """The command: measure, print a table."""
    number = int(args.section)
    settings = dataclasses.asdict(SECTIONS[number].PRESETS["report"])
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
    """The rows of the table: sizes is {times: (rows, MB of data)}."""
    first = min(sizes)
    table = []
    for times, (n_rows, megabytes) in sizes.items():
        epoch = statistics.median(report.seconds(measurements[times]))
        memory, at_first = (statistics.median(one["peak_bytes"] / 1e6 for one in measurements[k])
                            for k in (times, first))
        a_row = [ratio * sizes[first][0] / n_rows
                 for ratio in report.ratios(measurements[times], measurements[first])]
        more = "-" if times == first else f"{(memory - at_first) / (megabytes - sizes[first][1]):.2f}"
        table.append((f"{n_rows:,}", f"{megabytes:,.0f}", f"{epoch:.3g}", f"{1e6 * epoch / n_rows:.3g}",
                      report.spread(a_row), f"{memory:,.0f}", more))
    return table


if __name__ == "__main__":
    sys.exit(main())
