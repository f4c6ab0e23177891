"""One measurement in a process of its own: train a task, and print the result as one line of JSON.

benchmarks.run starts this module; it runs under Python 3.7 too.
"""
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="module of benchmarks/ with a class Implementation")
    parser.add_argument("task", help="file of the task")
    parser.add_argument("--options", type=json.loads, default={},
                        help="keyword arguments of Implementation, as JSON (default: none)")
    parser.add_argument("--started", type=float, default=time.time(),
                        help="time.time() before this process was started (default: now)")
    args = parser.parse_args()
    task = tasks.load_task(args.task)
    implementation = importlib.import_module("benchmarks." + args.program).Implementation(task, **args.options)
    implementation.fit(task.batch_size, 1, lambda: None)
    start_up = time.time() - args.started

    lap_times = [time.perf_counter()]
    n_warm_up, per_lap = tasks.WARM_UP_LAPS[task.number], task.epochs_per_lap
    implementation.fit(task.rows_per_epoch, 1 + per_lap * (n_warm_up - 1 + task.n_laps),
                       lambda: lap_times.append(time.perf_counter()))
    seconds = [(end - start) / per_lap for start, end in zip(lap_times[n_warm_up:], lap_times[n_warm_up + 1:])]
    assert len(seconds) == task.n_laps, lap_times
    peak = peak_bytes()
    outputs = implementation.predict(task.batch_size)
    print(json.dumps({
        "seconds": seconds, "start_up": start_up, "peak_bytes": peak, "sha256": task.sha256(),
        "loss": None if outputs is None else task.loss(outputs), "flops": getattr(implementation, "flops", None),
        "about": {"Python": platform.python_version(), **implementation.about()}}))


def peak_bytes() -> int:
    """Return the largest resident memory that this process has had, in bytes."""
    try:  # ru_maxrss would also count the process that started this one
        with open("/proc/self/status") as file:
            return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.exit(main())
