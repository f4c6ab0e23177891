"""Time the training steps of public TensorFlow 1 programs, in the real TensorFlow 1.15.5 and here, in turns.

    python -m benchmarks.old_programs --corpus FOLDER --tf115-python PATH [--rounds N]

The programs are five of tests/programs.tsv, from clones that the user has made (docs/programs.md). A process runs one
program and measures each `session.run`, in seconds on the clock and of the processor; the step is the call with the
largest sum of times. Its first WARM_UP runs do not count. A round runs each program in both TensorFlows, in an order
that changes with the round; the ratio of a program is the median over the rounds of (median time of a step here) /
(median time of a step in 1.15.5). On a machine that others use, only the processor's time says something.
"""
from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ("2_BasicModels/logistic_regression.py", "3_NeuralNetworks/autoencoder.py",
            "3_NeuralNetworks/convolutional_network_raw.py", "3_NeuralNetworks/dynamic_rnn.py",
            "GAN/conditional_gan/cgan_tensorflow.py")
WARM_UP = 5  # runs of a step that do not count: the first ones build and optimise the graph


def measure(program: str, output: str) -> int:
    """Run a program in this process; write the durations of its step's runs, in seconds, to a file."""
    from tf1_autoencoders.programs import launch
    durations: dict = collections.defaultdict(list)

    def start() -> None:
        from tensorflow.python.client import session
        run = session.BaseSession.run

        def timed(self, fetches, *args, **kwargs):
            began = time.perf_counter(), time.process_time()
            result = run(self, fetches, *args, **kwargs)
            durations[str(fetches)].append((time.perf_counter() - began[0], time.process_time() - began[1]))
            return result
        session.BaseSession.run = timed

    code = launch.run(program, [], before=start)
    step = max(durations.values(), key=lambda runs: sum(clock for clock, _ in runs))
    pathlib.Path(output).write_text(json.dumps(step[WARM_UP:] or step))
    return code


def step_times(python: str, folder: pathlib.Path, name: str) -> list[float]:
    """Return the median times of a step of a program, clock and processor, in seconds, measured in a process."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), MPLBACKEND="Agg", TF_CPP_MIN_LOG_LEVEL="3")
    with tempfile.TemporaryDirectory() as temporary:
        output = os.path.join(temporary, "steps.json")
        subprocess.run([python, "-m", "benchmarks.old_programs", "--measure", name, output], cwd=folder, check=True,
                       env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return [statistics.median(column) for column in zip(*json.loads(pathlib.Path(output).read_text()))]


def main(argv: list[str] | None = None) -> int:
    """Measure, print a table; return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.old_programs", description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=pathlib.Path, required=True,
                        help="folder with the clones, as in tests.programs")
    parser.add_argument("--tf115-python", required=True, help="Python of the real TensorFlow 1.15.5")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each program (default: %(default)s)")
    args = parser.parse_args(argv)
    from tests import programs
    chosen = [program for program in programs.read_programs()
              if not program.original and any(program.path.endswith(name) for name in PROGRAMS)]
    times: dict = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        programs.write_mnist(work / "MNIST_data")
        for k, program in enumerate(chosen):
            clone = programs.find_clone(args.corpus, program)
            if clone is None:
                sys.exit(f"{args.corpus}: expected a clone of {program.repository}")
            (work / str(k)).mkdir()
            source = program.edit((clone / program.path).read_text(), work / "MNIST_data", None)
            (work / str(k) / "program.py").write_text(source)
        for number in range(args.rounds):
            for k, program in enumerate(chosen):
                pythons = [args.tf115_python, sys.executable][::1 if number % 2 else -1]
                found = {python: step_times(python, work / str(k), "program.py") for python in pythons}
                then, now = found[args.tf115_python], found[sys.executable]
                times[program].append((*then, *now))
                print(f"{program.path}: {then[0] * 1e3:.2f} ms in 1.15.5 (processor {then[1] * 1e3:.2f}), "
                      f"{now[0] * 1e3:.2f} ms here (processor {now[1] * 1e3:.2f})", file=sys.stderr, flush=True)
    print("| program | ms per step in 1.15.5 | here | ratio (lowest, highest) | ratio of processor time |\n"
          "| --- | --- | --- | --- | --- |")
    for program, rows in times.items():
        then, now = (statistics.median(row[k] for row in rows) * 1e3 for k in (0, 2))
        ratios, cpu = [row[2] / row[0] for row in rows], [row[3] / row[1] for row in rows]
        spreads = [f"{statistics.median(column):.2f} ({min(column):.2f}, {max(column):.2f})"
                   for column in (ratios, cpu)]
        print(f"| {program.repository} {program.path} | {then:.2f} | {now:.2f} | {' | '.join(spreads)} |")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        sys.exit(measure(*sys.argv[2:]))
    sys.exit(main())
