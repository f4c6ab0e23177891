#!/usr/bin/env python3
"""Train section 1 on more data than the allowed memory, from a copy in the graph and streamed from a file.

    python -m benchmarks.streaming

The command makes a file of random images and allows the training process less memory than the file has (RLIMIT_DATA).
Then it reports whether one epoch succeeds from a copy in the graph, and from batches that are streamed. The network is
narrow, so that the matrix products do not hide the cost of reading.
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
    """Train in both ways, and print a table with a row for each."""
    if args.child:
        return train(json.loads(args.child))
    n_rows = args.data * 10 ** 6 // (784 * 4) // BLOCK * BLOCK
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "images"
        with open(str(file), "wb") as opened:
            for block in range(n_rows // BLOCK):
                np.random.default_rng(block).random((BLOCK, 784), dtype=np.float32).tofile(opened)
        for streamed in (False, True):
            task = dict(file=str(file), n_rows=n_rows, streamed=streamed, allowed=args.allowed)
            command = [sys.executable, "-m", "benchmarks.streaming", "--child", json.dumps(task)]
            done = subprocess.run(command, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, universal_newlines=True)
            result = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
            rows.append(("streamed" if streamed else "in the graph", f"{n_rows:,}", f"{args.data:,}",
                         f"{args.allowed:,}",
                         f"loss {result['loss']:.4f}" if result else f"fails (exit code {done.returncode})",
                         f"{result['seconds']:.1f}" if result else "-", f"{result['own']:,.0f}" if result else "-"))
    print(*tables.markdown_table(("batches", "rows", "data, MB", "allowed memory, MB", "one epoch", "seconds",
                                  "private memory at the end, MB"), rows), sep="\n")
    return 0 if rows[1][4].startswith("loss") else 1


def train(task):
    """Train one epoch within the allowed memory, and print a line of JSON."""
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, (task["allowed"] * 10 ** 6,) * 2)
    images = np.memmap(task["file"], np.float32, "r", shape=(task["n_rows"], 784))
    settings = dataclasses.replace(section.PRESETS["report"], stream_batches=task["streamed"], **NARROW)
    model = section.build_graph(settings)
    with TimedSession(model) as session:
        session.run(model.initializer)
        trainer = trainers.GraphTrainer(session, model, (images,), settings.batch_size)
        start = time.perf_counter()
        (_, metrics), = fit(trainer, n_epochs=1, rows_for_epoch=lambda epoch: shuffled_rows(len(images), 0, epoch))
        seconds = time.perf_counter() - start
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(json.dumps({"seconds": seconds, "own": int(status["RssAnon"].split()[0]) / 1e3, **metrics}))


if __name__ == "__main__":
    sys.exit(main())
