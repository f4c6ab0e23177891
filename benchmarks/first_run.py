"""Count how the first command of the README ends, over kernels, threads and seeds: with a horse, or collapsed.

    python -m benchmarks.first_run [--data-dir DIR]

Each run is a process of its own that trains section 2 as `run_all.py --section 2` does: once with each instruction set
of KERNELS and each number of threads, without a seed; and with each of the seeds, oneDNN on and off. A run without a
seed is trained again if its network collapses. Equal checksums stand for bit-identical weights (without Adam's slots).
"""
from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tf1_autoencoders.checkpointing.store import SETTINGS
from tf1_autoencoders.reporting import tables
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1

KERNELS = {"the CPU's own": {}, "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"}, "SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
           "oneDNN off": {"TF_ENABLE_ONEDNN_OPTS": "0"}}  # environment variables
SEEDED = ("the CPU's own", "oneDNN off")
HEADERS = ("kernels", "threads", "--seed", "ends with", "trained again", "seed of the network", "MSE, 1000 test horses",
           "MSE, image 13", "weights")


def train(kernels, threads, seed, arguments):
    """Train section 2 in a process of its own; return a row of the table.

    Raises:
        UserError: the run failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        given = [] if seed is None else ["--seed", str(seed)]
        command = [sys.executable, "-m", "tf1_autoencoders.run_all", "--section", "2", "--threads", str(threads),
                   "--results-dir", folder, "--checkpoint-dir", folder, "--no-live", *given, *arguments]
        result = subprocess.run(command, env={**os.environ, **KERNELS[kernels]}, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, universal_newlines=True)
        if result.returncode:
            raise UserError(f"the run of {kernels}, {threads} threads failed: {result.stderr.strip()[-300:]}")
        place = Path(folder) / "section2"
        metrics = {}
        for line in (place / "metrics.jsonl").read_text().splitlines():
            metrics.update(json.loads(line))
        newest = (place / "latest").resolve()
        before = json.loads((newest / "progress.json").read_text()).get("collapsed_before", [])
        return (kernels, threads, "none" if seed is None else seed, "collapsed" if metrics["collapsed"] else "a horse",
                len(before), json.loads((place / SETTINGS).read_text())["settings"]["seed"],
                f"{metrics['test_horses_mse']:.1f}", f"{metrics['image_13_mse']:.1f}",
                checksum_of_weights(newest / "model.ckpt"))


def checksum_of_weights(path):
    """Return the first eight digits of the sha256 of a checkpoint's weights, in the order of their names."""
    reader, digest = tf1.train.load_checkpoint(str(path)), hashlib.sha256()
    for name in sorted(reader.get_variable_to_shape_map()):
        if name.rpartition("/")[2] in ("kernel", "bias"):
            digest.update(reader.get_tensor(name).tobytes())
    return digest.hexdigest()[:8]


def measure(args):
    """Train all of them, and print a table and its summary."""
    arguments = ["--data", args.data]
    for folder in args.data_dir or ():
        arguments += ["--data-dir", folder]
    if args.epochs:
        arguments += ["--epochs", str(args.epochs)]
    runs = [(kernels, threads, None) for kernels in KERNELS for threads in (1, 2)]
    runs += [(kernels, 2, seed) for seed in range(1, 1 + args.seeds) for kernels in SEEDED]
    rows = []
    for number, run in enumerate(runs, 1):
        cli.status(f"run {number} of {len(runs)}")
        rows.append(train(*run, arguments))
    print(*tables.markdown_table(HEADERS, rows), sep="\n")
    horses, again = (sum(row[column] == value for row in rows) for column, value in ((3, "a horse"), (4, 0)))
    print("", f"{horses} of {len(rows)} runs end with a horse; {len(rows) - again} were trained again", sep="\n")


def main(argv=None):
    parser = cli.Parser(prog="python -m benchmarks.first_run", description=__doc__.split("\n\n    ")[0])
    parser.add_argument("--seeds", type=cli.whole_number(0), default=6, metavar="N",
                        help="seeds 1 to N, with oneDNN on and off (default: 6)")
    parser.add_argument("--epochs", type=cli.whole_number(1), metavar="N", help="epochs of each run (default: 100)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, measure, argv)


if __name__ == "__main__":
    sys.exit(main())
