"""Run a TensorFlow 1 program, unmodified, on today's TensorFlow: with a seed, with its old numbers."""
from __future__ import annotations

import argparse
import sys
from typing import Optional, Sequence

from tf1_autoencoders.programs import launch, record
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError


def build_parser() -> cli.Parser:
    parser = cli.Parser(
        prog="python -m tf1_autoencoders.run_tf1", usage="%(prog)s [options] PROGRAM [ARG ...]",
        description="Run a TensorFlow 1 program, a .py file or a notebook, unmodified, on today's TensorFlow.\n"
                    "With a graph-level seed (tf.set_random_seed) its initial values and batches are those of "
                    "TensorFlow 1.15.",
        epilog="Everything after PROGRAM belongs to the program. The exit code is the program's, and 2 if it cannot be "
               "run.\n"
               "Example: compare a program with the real TensorFlow 1.15.5 in a Python 3.7 of its own:\n"
               "  python -m tf1_autoencoders.run_tf1 --record today.json PROGRAM.py\n"
               "  tf115/bin/python -m tf1_autoencoders.run_tf1 --record old.json PROGRAM.py\n"
               "  python -m tf1_autoencoders.run_tf1 --compare old.json today.json")
    parser.add_argument("--record", metavar="FILE",
                        help="also write the variables, their initial values' checksums and the results of each "
                             "session.run to FILE (JSON)")
    parser.add_argument("--compare", nargs=2, metavar=("A", "B"),
                        help="compare two files of --record: what is equal, and the first thing that is not")
    age = parser.add_mutually_exclusive_group()
    age.add_argument("--before-1.0", dest="before_1_0", action="store_true", default=None,
                     help="the program is of TensorFlow before 1.0 (tf.pack, tf.nn.rnn, tf.concat(1, values)); without "
                          "this option, its names tell")
    age.add_argument("--since-1.0", dest="before_1_0", action="store_false", default=None,
                     help="the program is of TensorFlow 1, although it has names of before 1.0")
    parser.add_argument("program", nargs="?", metavar="PROGRAM", help="a .py file, or a notebook (.ipynb)")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARG", help="arguments of the program")
    return parser


def execute(args: argparse.Namespace) -> int:
    """Run the program, or compare two records; return the exit code."""
    if args.compare:
        if args.program:
            raise UsageError("--compare reads two records and runs no program; leave the program out")
        return record.compare(*args.compare)
    if not args.program:
        raise UsageError("no program given, expected a .py file or a notebook (see --help)")
    recorder = record.Recorder(args.record) if args.record else None
    try:
        return launch.run(args.program, args.arguments, before=recorder and recorder.start,
                          before_1_0=args.before_1_0)
    finally:
        if recorder:
            recorder.write()


def main(argv: Optional[Sequence[str]] = None) -> int:
    return cli.run_command(build_parser(), execute, argv)


if __name__ == "__main__":
    sys.exit(main())
