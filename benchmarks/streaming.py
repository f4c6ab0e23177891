#!/usr/bin/env python3
"""Section 1 on more data than the memory it is allowed: from a copy in the graph, and streamed from a file.

    python -m benchmarks.streaming

makes a file of random pictures, allows the process that trains on it less memory than that (RLIMIT_DATA), and says what
becomes of one epoch in either way. The network is a narrow one, so that reading is not hidden behind products.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tf1_autoencoders.reporting import tables
from tf1_autoencoders.sections import section1_reconstruction as section
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.loop import fit
from tf1_autoencoders.training.row_order import shuffled_rows
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils import cli

NARROW = dict(n_hidden_1=64, n_hidden_2=32, n_hidden_3=16)
BLOCK = 10000  # rows written at a time


def main(argv=None):
    parser = cli.Parser(prog="benchmarks/streaming.py", description=__doc__)
    parser.add_argument("--data", type=cli.whole_number(100), default=4000, metavar="MB",
                        help="size of the file (default: 4000)")
    parser.add_argument("--allowed", type=cli.whole_number(1), default=2000, metavar="MB",
                        help="memory for the process (default: 2000)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return cli.run_command(parser, stream, argv)


def stream(args):
    """The command: a row for each way."""
    if args.child:
        return train(json.loads(args.child))
    n_rows = args.data * 10 ** 6 // (784 * 4) // BLOCK * BLOCK
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "pictures"
        with open(str(file), "wb") as opened:
            for block in range(n_rows // BLOCK):
                np.random.default_rng(block).random((BLOCK, 784), dtype=np.float32).tofile(opened)
        for streamed in (False, True):
            task = dict(file=str(file), n_rows=n_rows, streamed=streamed, allowed=args.allowed)
            command = [sys.executable, "-m", "benchmarks.streaming", "--child", json.dumps(task)]
            done = subprocess.run(command, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, universal_newlines=True)
            made = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
            rows.append(("streamed" if streamed else "in the graph", f"{n_rows:,}", f"{args.data:,}",
                         f"{args.allowed:,}",
                         f"loss {made['loss']:.4f}" if made else f"fails (exit code {done.returncode})",
                         f"{made['seconds']:.1f}" if made else "-", f"{made['own']:,.0f}" if made else "-"))
    print(*tables.markdown_table(("batches", "rows", "of data, MB", "memory allowed, MB", "one epoch", "seconds",
                             "memory of its own at the end, MB"), rows), sep="\n")
    return 0 if rows[1][4].startswith("loss") else 1


def train(task):
    """One epoch within the memory allowed; prints a line of JSON."""
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, (task["allowed"] * 10 ** 6,) * 2)
    pictures = np.memmap(task["file"], np.float32, "r", shape=(task["n_rows"], 784))
    settings = dataclasses.replace(section.PRESETS["report"], stream_batches=task["streamed"], **NARROW)
    model = section.build_graph(settings)
    with TimedSession(model) as session:
        session.run(model.initializer)
        trainer = trainers.GraphTrainer(session, model, (pictures,), settings.batch_size)
        start = time.perf_counter()
        (_, metrics), = fit(trainer, n_epochs=1, rows_for_epoch=lambda epoch: shuffled_rows(len(pictures), 0, epoch))
        seconds = time.perf_counter() - start
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(json.dumps({"seconds": seconds, "own": int(status["RssAnon"].split()[0]) / 1e3, **metrics}))


if __name__ == "__main__":
    sys.exit(main())
