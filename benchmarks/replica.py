"""One worker of benchmarks.scaling, or one process that trains alone; benchmarks.scaling starts this module."""
from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import graph, tasks
from tf1_autoencoders.distributed.cluster import Cluster, plan_from_environment
from tf1_autoencoders.distributed.collectives import Replicated
from tf1_autoencoders.distributed.coordination import Alone, Workers
from tf1_autoencoders.keras_twin.weights import graph_weights
from tf1_autoencoders.training import loop
from tf1_autoencoders.utils.frameworks import tf1

N_REDUCTIONS = 20  # of each size that are timed
GROUP_KEY = 99  # of the reductions that are timed alone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", help="file of the task")
    parser.add_argument("out", help=".npz file for the weights and losses of the first steps, and the times")
    parser.add_argument("--steps", type=int, default=0, help="first steps, whose losses are kept (default: 0)")
    args = parser.parse_args()
    task, plan = tasks.load_task(args.task), plan_from_environment()
    cluster = None if plan is None else Cluster(plan, task.threads, timeout=60)
    group = Alone() if cluster is None else Workers(cluster)
    implementation = graph.Implementation(task, group=group)
    if cluster is not None:
        cluster.wait_for_all()
    result = {"losses": first_losses(implementation, task, args.steps)}
    result.update(("weights/" + name, value)
                  for name, value in graph_weights(implementation.session, implementation.model).items())
    if task.n_laps:
        result.update(step_times(implementation, task))
    if cluster is not None and task.n_laps:
        sizes = [1, sum(weights.size for weights in task.weights.values()) + 1]
        result["reduction_seconds"] = [time_reduction(cluster, key, size) for key, size in enumerate(sizes, 1)]
    np.savez(args.out, **result)
    group.leave(implementation.trainer)


def first_losses(implementation, task, n_steps):
    """Train for some steps; return float64[n_steps], their losses."""
    next_rows = task.make_next_rows()
    rows = next_rows(n_steps * task.batch_size) if n_steps else None
    if n_steps:
        rows = np.resize(rows, n_steps * task.batch_size).reshape(n_steps, task.batch_size)
    return np.array([next(iter(epoch.metrics.values())) for epoch in loop.fit(  # the loss is the first metric
        implementation.trainer, n_epochs=n_steps, rows_for_epoch=lambda epoch: rows[epoch])] if n_steps else [])


def step_times(implementation, task):
    """Return {"step_seconds": of each lap, "bytes_per_step": that all workers sent in the laps}."""
    times, sent = [time.perf_counter()], []

    def on_lap():
        times.append(time.perf_counter())
        sent.append(bytes_sent())
    n_warm_up, per_lap = tasks.WARM_UP_LAPS[task.number], task.epochs_per_lap
    implementation.fit(task.rows_per_epoch, 1 + per_lap * (n_warm_up - 1 + task.n_laps), on_lap)
    n_steps = task.n_steps * per_lap
    return {"step_seconds": np.diff(times)[n_warm_up:] / n_steps,
            "bytes_per_step": (sent[-1] - sent[n_warm_up - 1]) / (n_steps * task.n_laps)}


def bytes_sent():
    """Return the bytes that the loopback interface of this network namespace has carried."""
    loopback = [line for line in Path("/proc/self/net/dev").read_text().splitlines() if line.strip().startswith("lo:")]
    return int(loopback[0].split(":")[1].split()[8])


def time_reduction(cluster, instance_key, size):
    """Return the median seconds of one CollectiveReduce of float32[size], alone."""
    with tf1.Graph().as_default() as one_operation:
        values = tf1.placeholder_with_default(np.zeros(1, np.float32), [1])
        replicated = Replicated(cluster.task, cluster.n_tasks, GROUP_KEY)
        total = replicated.sum_over_tasks(tf1.tile(values, [size]), instance_key).op
    seconds = []
    with tf1.Session(cluster.target, graph=one_operation, config=cluster.configure(tf1.ConfigProto())) as session:
        run = session.make_callable(total)
        for _ in range(N_REDUCTIONS):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[2:])


if __name__ == "__main__":
    sys.exit(main())
