#!/usr/bin/env python3
"""Run the graph tests and the comparison with TensorFlow 1.15.5 on many releases of TensorFlow; print a table.

    python -m tests.release_matrix                           every release of RELEASES, into docs/matrix.md
    python -m tests.release_matrix --only 2.16.2 2.21.0      some of them, to the terminal

Each release gets a virtual environment of its own, which is removed before the next one is made (about 2.5 GB of disk).
Pythons are searched in the folders of --pythons, then as python3.X on the PATH.
"""
from __future__ import annotations

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from tf1_autoencoders.reporting import tables
from tf1_autoencoders.utils import cli

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLD = ["protobuf<3.21", "numpy<1.19", "h5py<3"]
RELEASES = [  # (TensorFlow, Python, further requirements)
    ("1.15.5", "3.7", OLD), ("2.0.4", "3.7", OLD), ("2.1.4", "3.7", OLD), ("2.2.3", "3.8", OLD), ("2.3.4", "3.8", OLD),
    ("2.4.4", "3.8", ["protobuf<3.21"]), ("2.5.3", "3.9", ["protobuf<3.21", "numpy<1.24"]),
    ("2.6.5", "3.9", ["protobuf<3.21", "numpy<1.24"]), ("2.7.4", "3.9", ["protobuf<3.21", "numpy<1.24"]),
    ("2.8.4", "3.9", ["protobuf<3.21", "numpy<1.24"]), ("2.9.3", "3.9", ["numpy<1.24"]),
    ("2.10.1", "3.9", ["numpy<1.24"]), ("2.11.1", "3.9", ["numpy<1.24"]), ("2.12.1", "3.10", ["numpy<1.24"]),
    ("2.13.1", "3.10", []), ("2.14.1", "3.10", ["numpy<2"]), ("2.15.1", "3.11", ["numpy<2"]),
    ("2.16.2", "3.11", ["numpy<2"]), ("2.17.1", "3.12", ["numpy<2"]), ("2.18.1", "3.12", []), ("2.19.1", "3.12", []),
    ("2.20.0", "3.13", []), ("2.21.0", "3.10", []), ("2.21.0", "3.11", []), ("2.21.0", "3.12", []),
    ("2.21.0", "3.13", [])]
TESTS = ["graphs", "sections", "training/test_training.py", "distributed/test_distributed.py",
         "checkpointing/test_saver.py", "tf115/test_against_tf115.py"]
HEADER = ("TensorFlow", "Python", "numpy", "Keras", "passed", "skipped", "failed",
          "1.15.5: forward", "gradients", "trace", "final weights")

# This code runs in the environment. It prints the versions, and the graph's largest differences from 1.15.5 over the
# sections. Section 2 on grey levels amplifies rounding and is left to the tests.
DIFFERENCES = """
import json
import numpy
from tf1_autoencoders.utils.frameworks import tf1
from importlib import import_module
try:
    keras = import_module("keras").__version__
except ImportError:
    keras = tf1.keras.__version__
from tests.tf115 import test_against_tf115 as original
names = [name for name in original.NAMES if name != "section2"]
print("RESULT", json.dumps([numpy.__version__, keras] + [
    max(original.column_difference("graph", name, of) for name in names)
    for of in ("forward", "gradients", "trace", "final weights")]))
"""


def find_python(version, folders):
    """Return the path of python3.X; None if there is none."""
    places = [path for folder in folders for path in glob.glob(os.path.join(folder, version + ".*", "bin", "python"))]
    return next(iter(sorted(places)), None) or shutil.which("python" + version)


def run(*command, **kwargs):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, **kwargs)


def try_release(tensorflow, version, needs, python, log):
    """Make an environment, test in it, remove it; return a row of the table."""
    environment = tempfile.mkdtemp(prefix="matrix-")
    venv_python = os.path.join(environment, "bin", "python")
    try:
        creation = run(python, "-m", "venv", environment)
        if creation.returncode:
            return (tensorflow, version, "-", "-", "no environment: " + creation.stdout.strip(), *[""] * 6)
        installation = run(venv_python, "-m", "pip", "install", "--quiet", "tensorflow==" + tensorflow, "tqdm",
                           "pytest", *needs)
        log.write(installation.stdout)
        if installation.returncode:
            return (tensorflow, version, "-", "-", "does not install", *[""] * 6)
        tested = run(venv_python, "-m", "pytest", "-q", "-m", "", "-p", "no:cacheprovider",
                     *(f"tests/{name}" for name in TESTS))
        log.write(tested.stdout)
        counts = [next(iter(re.findall(rf"(\d+) {word}", tested.stdout.strip().splitlines()[-1])), "0")
                  for word in ("passed", "skipped", "failed|\\d+ error")]
        compared = run(venv_python, "-c", DIFFERENCES)
        log.write(compared.stdout)
        result = re.search("^RESULT (.*)$", compared.stdout, re.M)
        numpy, keras, *differences = json.loads(result.group(1)) if result else ("?", "?", *[float("nan")] * 4)
        return (tensorflow, version, numpy, keras, *counts, *(f"{value:.0e}" for value in differences))
    finally:
        shutil.rmtree(environment, ignore_errors=True)


def main(argv=None):
    parser = cli.Parser(prog="python -m tests.release_matrix", description=__doc__)
    releases = list(dict.fromkeys(release for release, _, _ in RELEASES))
    parser.add_argument("--only", nargs="+", choices=releases, metavar="RELEASE",
                        help=f"some of {', '.join(releases)} (default: all)")
    parser.add_argument("--pythons", nargs="*", default=[os.path.expanduser("~/.pyenv/versions")], metavar="DIR",
                        help="folders that hold Pythons as X.Y.Z/bin/python (default: ~/.pyenv/versions)")
    parser.add_argument("--log", default=os.devnull, metavar="FILE",
                        help="file for the output of pip and pytest (default: none)")
    return cli.run_command(parser, try_all, argv)


def try_all(args):
    """Print the table; return exit code 1 if a test failed."""
    rows = []
    with open(args.log, "w") as log:
        for tensorflow, version, needs in RELEASES:
            if args.only and tensorflow not in args.only:
                continue
            python = find_python(version, args.pythons)
            if python is None:
                print(f"no Python {version} here: TensorFlow {tensorflow} is left out", file=sys.stderr)
                continue
            rows.append(try_release(tensorflow, version, needs, python, log))
            print(*rows[-1], flush=True)
    table = "\n".join(tables.markdown_table(HEADER, rows)) + "\n"
    if not args.only:
        os.makedirs(os.path.join(ROOT, "docs"), exist_ok=True)
        with open(os.path.join(ROOT, "docs", "matrix.md"), "w") as file:
            file.write("# Every TensorFlow from 1.15.5 on\n\nMade by `python -m tests.release_matrix`. Tests of "
                       "the Keras twins are skipped if TensorFlow brings no Keras 3, and tests on real images always. "
                       "The differences are relative to the largest value, the worst of the sections.\n\n" + table)
    print("", table, sep="\n")
    return 0 if all(row[6] == "0" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
