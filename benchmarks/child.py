"""One measurement in a process of its own: train a task, print what it took as one line of JSON. run.py starts it."""
from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import tasks


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="module of benchmarks/ with a Contestant")
    parser.add_argument("task", help="file of the task")
    parser.add_argument("--options", type=json.loads, default={}, help="the Contestant's keyword arguments, as JSON")
    parser.add_argument("--started", type=float, default=time.time(), help="time.time() before this process")
    args = parser.parse_args()
    task = tasks.load(args.task)
    contestant = importlib.import_module("benchmarks." + args.program).Contestant(task, **args.options)
    contestant.fit(task.batch_size, 1, lambda: None)
    start_up = time.time() - args.started

    laps = [time.perf_counter()]
    warm_up, per_lap = tasks.LAPS_OF_WARM_UP[task.number], task.epochs_per_lap
    contestant.fit(task.rows_per_epoch, 1 + per_lap * (warm_up - 1 + task.n_laps),
                   lambda: laps.append(time.perf_counter()))
    seconds = [(end - start) / per_lap for start, end in zip(laps[warm_up:], laps[warm_up + 1:])]
    assert len(seconds) == task.n_laps, laps
    peak = peak_bytes()
    outputs = contestant.predict(task.batch_size)
    print(json.dumps({
        "seconds": seconds, "start_up": start_up, "peak_bytes": peak, "sha256": task.sha256(),
        "loss": None if outputs is None else task.loss(outputs), "flops": getattr(contestant, "flops", None),
        "about": {"Python": platform.python_version(), **contestant.about()}}))


def peak_bytes():
    """The most memory that this process has held."""
    try:  # ru_maxrss would also count the process that started this one
        with open("/proc/self/status") as file:
            return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.exit(main())
