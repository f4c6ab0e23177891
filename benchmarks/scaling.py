#!/usr/bin/env python3
"""Measure training with several workers on this machine, next to one process and to a model of a step.

    python -m benchmarks.scaling --section 1 2 3 4

Each worker has one core to itself, as far as there are cores, and the workers have a network of their own whose bytes
are counted. Beside them, each round measures one process with as many cores, and one process with one core that trains
on a worker's share of each batch: the rest of a worker's step is the reduction of the gradients. The model of a step,

    seconds of the share + reductions · latency + 2 (W - 1) / W · bytes of the gradients / bandwidth,

takes latency and bandwidth from reductions that run alone. Before the laps, 50 steps are compared with one process.
"""
from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks import measuring, tasks
from tf1_autoencoders.distributed.cluster import JOB, TF_CONFIG
from tf1_autoencoders.distributed.launcher import LoopbackNamespace, free_ports
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.files import write_atomically
from tf1_autoencoders.utils.paths import RESULTS, display_path

N_COMPARED = 50  # steps whose losses and weights are compared with one process
# Section 2 of the report trains on grey levels, which amplify every rounding; it is also compared on scaled pixels.
SCALED_PIXELS = dict(pixel_center=127.5, pixel_scale=1 / 255, learning_rate=0.0003)
STEPS = {1: 6, 2: 33, 3: 3, 4: 300}  # of an epoch; a lap of section 2 has ten epochs
REDUCTIONS = {1: 2, 2: 1, 3: 2, 4: 2}  # per step: the gradients, and the metrics where each step is measured
HEADER = ("section", "workers", "ms a step", "one process with as many cores, ms", "ratio (lowest to highest)",
          "a worker's share alone, ms", "share of the reduction", "model, ms", "MB a step and worker",
          "2 (W - 1) / W of the gradients, MB")
COMPARED_HEADER = ("section", "beside one process", f"losses of {N_COMPARED} steps", "weights, largest difference",
                   "weights, root mean square", "workers bit-identical")


def main(argv=None):
    parser = cli.Parser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--section", nargs="+", type=int, choices=[*SECTIONS], default=[*SECTIONS], metavar="N",
                        help="sections (default: 1 2 3 4)")
    parser.add_argument("--workers", nargs="+", type=cli.whole_number(2, 16), default=[2, 3], metavar="W",
                        help="numbers of workers (default: 2 3)")
    parser.add_argument("--rounds", type=cli.whole_number(1), default=3, metavar="R",
                        help="number of rounds, each of which measures everything once (default: 3)")
    parser.add_argument("--patience", type=cli.whole_number(0), default=60, metavar="SECONDS",
                        help="how long to wait for an idle machine before each measurement (default: 60)")
    parser.add_argument("--out", type=cli.path_name, default=str(RESULTS / "scaling.json"), metavar="FILE",
                        help="file for the measurements (default: results/scaling.json)")
    parser.add_argument("--table", type=cli.path_name, metavar="FILE",
                        help="print the tables of a file of measurements, without measuring")
    return cli.run_command(parser, scale, argv)


def scale(args):
    """Measure, save, and print the tables."""
    if args.table:
        try:
            result = json.loads(Path(args.table).read_text())
            tables = measured_table(result), compared_table(result)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise UserError(f"--table {display_path(args.table)}: not a file of measurements ({one_line(error)}); give "
                            "the --out of an earlier run") from error
    else:
        result = {"machine": measuring.machine(), "sections": {}}
        namespace = LoopbackNamespace()
        try:
            for number in args.section:
                result["sections"][str(number)] = {**measure_section(number, args, namespace),
                                                   "compared": compare_section(number, args, namespace)}
                write_atomically(Path(args.out), json.dumps(result, indent=1).encode())
        finally:
            namespace.close()
        tables = measured_table(result), compared_table(result)
    for header, lines in zip((HEADER, COMPARED_HEADER), tables):
        print(*markdown_table(header, lines), "", sep="\n")
    return 0


# ---- Measuring ----

def measure_section(number, args, namespace):
    """Return the measurements of a section, as JSON can hold them."""
    settings = dataclasses.asdict(SECTIONS[number].presets["report"])
    cores = sorted(os.sched_getaffinity(0))
    whole, by_workers = [], {W: {"together": [], "alone": [], "share": []} for W in args.workers}
    with tempfile.TemporaryDirectory() as scratch:
        def seconds(name, n_cores, **changes):
            task = make_task(number, scratch, name, **{"threads": n_cores, **changes})
            measuring.wait_until_idle(args.patience)
            return seconds_of(run(task, cores[:n_cores])[0])

        for _ in tqdm(range(args.rounds), unit="round", disable=None):
            whole.append(seconds("whole", len(cores), threads=0))
            for W, measured in by_workers.items():
                measured["share"].append(seconds(f"share{W}", 1, batch_size=settings["batch_size"] // W))
                measured["alone"].append(seconds(f"alone{W}", min(W, len(cores))))
                task = make_task(number, scratch, "together", threads=1)
                measuring.wait_until_idle(args.patience)
                chief, *_ = run(task, cores, n_workers=W, namespace=namespace)
                measured["together"].append({
                    "seconds": seconds_of(chief), "bytes": float(chief["bytes_per_step"]) / W,
                    "reductions": chief["reduction_seconds"].tolist()})
    n_weights = sum(int(np.prod(shape)) + shape[-1] for shape in tasks.kernel_shapes(number, settings).values())
    return {"n_weights": n_weights, "n_cores": len(cores), "whole": {"seconds": whole},
            "workers": {str(W): measured for W, measured in by_workers.items()}}


def compare_section(number, args, namespace):
    """Train the first steps with each number of workers, and with one process; return {preset: {by: differences}}.

    `by` is a number of workers, or "other kernels": one process with those of Eigen in place of oneDNN's, which adds
    up in another order. So much do two runs of one process differ that differ in rounding only.
    """
    cores, compared = sorted(os.sched_getaffinity(0)), {}
    for preset, changes in {"report": {}, **({"scaled pixels": SCALED_PIXELS} if number == 2 else {})}.items():
        with tempfile.TemporaryDirectory() as scratch:
            task = make_task(number, scratch, "compared", n_laps=0, threads=1, **changes)
            expected = run(task, cores[:1], n_steps=N_COMPARED)[0]
            compared[preset] = {str(W): differences(run(
                task, cores, n_workers=W, namespace=namespace, n_steps=N_COMPARED), expected) for W in args.workers}
            compared[preset]["other kernels"] = differences(
                run(task, cores[:1], n_steps=N_COMPARED, TF_ENABLE_ONEDNN_OPTS="0"), expected)
    return compared


def make_task(number, folder, name, n_laps=3, threads=1, **changes):
    """Write the task of a section, with changed settings, unless it is there; return its file."""
    file = Path(folder) / f"{name}.npz"
    if not file.exists():
        settings = {**dataclasses.asdict(SECTIONS[number].presets["report"]), **changes}
        tasks.save_task(tasks.make_task(number, settings, n_steps=STEPS[number], n_laps=n_laps, threads=threads), file)
    return file


def run(task, cores, n_workers=0, namespace=None, n_steps=0, **variables):
    """Train a task in a process on the cores, or in n_workers processes with a core each; return what each wrote."""
    environment = {**{name: value for name, value in os.environ.items() if name != TF_CONFIG}, **variables}
    addresses = [f"127.0.0.1:{port}" for port in free_ports(n_workers)]
    processes, files = [], [task.with_name(f"{task.stem} {k}.npz") for k in range(max(1, n_workers))]
    for k, file in enumerate(files):
        if n_workers:
            environment[TF_CONFIG] = json.dumps({"cluster": {JOB: addresses}, "task": {"type": JOB, "index": k}})

        def prepare(pinned=(cores[k % len(cores)],) if n_workers else cores):
            if n_workers:
                namespace.join()
            os.sched_setaffinity(0, pinned)
        processes.append(subprocess.Popen(
            [sys.executable, "-m", "benchmarks.replica", str(task), str(file), "--steps", str(n_steps)],
            env=environment, preexec_fn=prepare, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
    try:
        errors = [process.communicate()[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    for process, error in zip(processes, errors):
        if process.returncode:
            raise UserError(f"{task.stem}: " + (error.decode().strip().splitlines() or ["no message"])[-1])
    results = []
    for file in files:
        with np.load(file) as stored:
            results.append({name: stored[name] for name in stored.files})
    return results


def seconds_of(result):
    return float(np.median(result["step_seconds"]))


def differences(workers, expected):
    """Compare the first steps of all workers with those of one process.

    Returns:
        {"weights": the largest difference of a weight, relative to the largest value of its variable;
        "root mean square": of a variable's differences, relative to that of its values, the worst variable;
        "losses": the largest relative difference of a step's loss;
        "bit-identical": whether all workers have the same weights and losses}.
    """
    weights = [name for name in expected if name.startswith("weights/")]

    def largest(norm):
        return max(float(norm(worker[name] - expected[name]) / norm(expected[name]))
                   for worker in workers for name in weights)
    return {"weights": largest(lambda values: np.abs(values).max()),
            "root mean square": largest(lambda values: np.sqrt(np.mean(np.square(values, dtype=np.float64)))),
            "losses": max(float(np.abs(worker["losses"] / expected["losses"] - 1).max()) for worker in workers),
            "bit-identical": all(worker[name].tobytes() == workers[0][name].tobytes()
                                 for worker in workers for name in [*weights, "losses"])}


# ---- Tables ----

def gradient_bytes(section):
    return 4 * section["n_weights"]


def network_of(section, number):
    """Return (seconds of latency per hop, bytes per second) of the reductions that two workers ran alone.

    A reduction of W workers is a ring: each piece of the values makes 2 (W - 1) hops.
    """
    measured = section["workers"].get("2") or next(iter(section["workers"].values()))
    n_workers = 2 if "2" in section["workers"] else int(next(iter(section["workers"])))
    small, large = np.median([one["reductions"] for one in measured["together"]], axis=0)
    moved = 2 * (n_workers - 1) / n_workers * gradient_bytes(section)
    return small / (2 * (n_workers - 1)), moved / max(large - small, 1e-9)


def modelled(compute, n, section, number, bandwidth):
    """Return the modelled seconds of a step with n workers."""
    if n == 1:
        return compute
    hop, _ = network_of(section, number)
    return compute + REDUCTIONS[number] * 2 * (n - 1) * hop + 2 * (n - 1) / n * gradient_bytes(section) / bandwidth


def measured_table(result):
    """Return the lines of the table of what was measured."""
    lines = []
    for name, section in result["sections"].items():
        number = int(name)
        lines.append((name, 1, f"{1e3 * statistics.median(section['whole']['seconds']):.2f}", *["-"] * 7))
        for W, measured in section["workers"].items():
            W = int(W)
            together = [one["seconds"] for one in measured["together"]]
            step, alone, share = (statistics.median(values) for values in (
                together, measured["alone"], measured["share"]))
            ratios = sorted(mine / other for mine, other in zip(together, measured["alone"]))
            shared_cores = -(-W // section["n_cores"])  # workers that share a core
            model = modelled(share * shared_cores, W, section, number, network_of(section, number)[1])
            lines.append((
                name, W, f"{1e3 * step:.2f}", f"{1e3 * alone:.2f}",
                f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})", f"{1e3 * share:.2f}",
                f"{max(0.0, 1 - share * shared_cores / step):.0%}", f"{1e3 * model:.2f}",
                f"{statistics.median(one['bytes'] for one in measured['together']) / 1e6:.2f}",
                f"{2 * (W - 1) / W * gradient_bytes(section) / 1e6:.2f}"))
    return lines


def compared_table(result):
    """Return the lines of the table of the first steps beside those of one process."""
    lines = []
    for name, section in result["sections"].items():
        for preset, compared in section["compared"].items():
            label = name if preset == "report" else f"{name}, {preset}"
            for by, values in compared.items():
                lines.append((label, f"{by} workers" if by.isdigit() else f"one process, {by}",
                              *(f"{values[of]:.1e}" for of in ("losses", "weights", "root mean square")),
                              "-" if not by.isdigit() else "yes" if values["bit-identical"] else "NO"))
    return lines


if __name__ == "__main__":
    sys.exit(main())
