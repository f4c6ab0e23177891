#!/usr/bin/env python3
"""Measure the start-up of commands: --help, evaluate and run_tf1 next to a bare import of TensorFlow, and
reading the data.

    python -m benchmarks.startup --data-dir DIR

The commands are timed from outside. Reading is timed inside a fresh process. A first round, which is not counted, warms
the disk's cache.
"""
from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from benchmarks import measuring, report
from tf1_autoencoders.reporting import tables
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
READING = """
import time
from tf1_autoencoders.sections import section1_reconstruction, section2_horses
start = time.perf_counter()
{read}
print(time.perf_counter() - start)
"""
HORSES = ("section2_horses.training_arrays(section2_horses.load(section2_horses.PRESETS['report'], "
          "data='real', data_dir={folder!r})[0], section2_horses.PRESETS['report'])")
GARMENTS = "section1_reconstruction.fashion_mnist.load(data='real', data_dir={folder!r})"
IMPORT = "import tensorflow"


def main(argv=None):
    parser = cli.Parser(prog="benchmarks/startup.py", description=__doc__)
    parser.add_argument("--rounds", type=cli.whole_number(1), default=5, metavar="R",
                        help="number of rounds, each of which measures everything once (default: 5)")
    parser.add_argument("--data-dir", metavar="DIR", help="folder with the data sets, as for run_all.py")
    return cli.run_command(parser, measure, argv)


def measure(args):
    """Measure, and print a table with a row for each command and each data set."""
    folder = args.data_dir and str(Path(args.data_dir).resolve())
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "program.py"
        program.write_text("import tensorflow as tf\n")
        commands = {
            "run_all.py --help": [str(ROOT / "run_all.py"), "--help"], IMPORT: ["-c", IMPORT],
            "run_tf1 of a program that imports": ["-m", "tf1_autoencoders.run_tf1", str(program)],
            "evaluate --image 13": ["-m", "tf1_autoencoders.evaluate", "--image", "13", "--results-dir", scratch,
                                    *(["--data-dir", folder] if folder else ["--data", "sample"])]}
        readings = {f"reading {name}": ["-c", READING.format(read=read.format(folder=folder))]
                    for name, read in (("CIFAR-10's horses", HORSES), ("Fashion-MNIST", GARMENTS)) if folder}
        seconds = {name: [] for name in (*commands, *readings)}
        for k in tqdm(range(args.rounds + 1), unit="round", leave=False, disable=None):
            measuring.wait_until_idle(60)
            taken = {name: once(name, command)[0] for name, command in commands.items()}
            taken.update((name, float(once(name, command)[1])) for name, command in readings.items())
            for name in seconds if k else ():
                seconds[name].append(taken[name])
    machine = measuring.machine()
    print(f"{machine['CPU']}, {machine['cores']} cores, {machine['date']}", "", *tables.markdown_table(
        ("command", "seconds (lowest to highest)", f"ratio to {IMPORT} (lowest to highest)"),
        [(name, report.spread(taken),
          report.spread([mine / theirs for mine, theirs in zip(taken, seconds[IMPORT])]))
         for name, taken in seconds.items()]), sep="\n")


def once(name, command):
    """Run a command once; return (seconds from start to end, its output).

    Raises:
        UserError: the command failed; the message is the last line of its errors.
    """
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *command], cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)
    taken = time.perf_counter() - start
    if done.returncode:
        raise UserError(f"{name}: {(done.stderr.strip().splitlines() or [f'exit code {done.returncode}'])[-1]}")
    return taken, done.stdout


if __name__ == "__main__":
    sys.exit(main())
