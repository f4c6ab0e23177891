#!/usr/bin/env python3
"""Try TensorFlow 1's idioms of distributed training on the installed TensorFlow; print a row for each.

    python -m tests.cluster_idioms

The table of docs/porting.md was made with this command, once for each release. Each idiom trains x, from 3, on x² with
gradient descent, on this machine's loopback: one parameter server, and one or two workers, each a process of its own.
A gradient step of rate 0.1 multiplies the loss by 0.64, so that every loss must be 9 · 0.64^k.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tf1_autoencoders.distributed.launcher import free_ports
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.frameworks import tf1

N_STEPS = 5
TIMEOUT = 90  # seconds for an idiom
IDIOMS = {  # {name: numbers of workers}
    "replica_device_setter": (1, 2), "MonitoredTrainingSession": (1, 2), "Supervisor": (1, 2),
    "SyncReplicasOptimizer": (1, 2)}


# ---- One task: a process of its own ----

def network(server, cluster, task, wrap=lambda optimizer: optimizer):
    """Return (loss, step, optimizer, train) of a worker's graph, whose variables are on the parameter server."""
    with tf1.device(tf1.train.replica_device_setter(cluster=cluster, worker_device=f"/job:worker/task:{task}")):
        x = tf1.get_variable("x", initializer=3.0)
        step = tf1.train.get_or_create_global_step()
        loss = tf1.square(x)
        optimizer = wrap(tf1.train.GradientDescentOptimizer(0.1))
        train = optimizer.minimize(loss, global_step=step)
    assert x.device == "/job:ps/task:0" and loss.device == f"/job:worker/task:{task}", (x.device, loss.device)
    return loss, step, optimizer, train


def config(task):
    """Return the session's configuration: a worker waits for the parameter server, and not for the other workers."""
    return tf1.ConfigProto(device_filters=["/job:ps", f"/job:worker/task:{task}"])


def steps(session, loss, step, train, is_enough):
    """Train until is_enough(number of steps, of all workers); yield the loss before each step."""
    while not is_enough(session.run(step)):
        yield float(session.run([loss, train])[0])


def replica_device_setter(server, cluster, task, n_workers, folder):
    loss, step, _, train = network(server, cluster, task)
    with tf1.Session(server.target, config=config(task)) as session:
        if task == 0:
            session.run(tf1.global_variables_initializer())
        while session.run(tf1.report_uninitialized_variables()).size:
            time.sleep(0.1)
        return list(steps(session, loss, step, train, lambda n: n >= N_STEPS))


def MonitoredTrainingSession(server, cluster, task, n_workers, folder):
    losses = []
    for n_steps in (N_STEPS, 2 * N_STEPS):  # the second session restores the checkpoint of the first
        with tf1.Graph().as_default():
            loss, step, _, train = network(server, cluster, task)
            hooks = [tf1.train.StopAtStepHook(last_step=n_steps)]
            with tf1.train.MonitoredTrainingSession(
                    server.target, is_chief=task == 0, checkpoint_dir=folder, hooks=hooks, config=config(task),
                    save_checkpoint_steps=1) as session:
                while not session.should_stop():
                    losses.append(float(session.run([loss, train])[0]))
        if n_workers > 1:
            return losses
    assert tf1.train.load_checkpoint(folder).get_tensor("global_step") == 2 * N_STEPS
    return losses


def Supervisor(server, cluster, task, n_workers, folder):
    loss, step, _, train = network(server, cluster, task)
    supervisor = tf1.train.Supervisor(is_chief=task == 0, logdir=folder, global_step=step, recovery_wait_secs=1)
    with supervisor.managed_session(server.target, config=config(task)) as session:
        return list(steps(session, loss, step, train, lambda n: n >= N_STEPS))


def SyncReplicasOptimizer(server, cluster, task, n_workers, folder):
    loss, step, optimizer, train = network(server, cluster, task, lambda inner: tf1.train.SyncReplicasOptimizer(
        inner, replicas_to_aggregate=n_workers, total_num_replicas=n_workers))
    hooks = [optimizer.make_session_run_hook(task == 0), tf1.train.StopAtStepHook(last_step=N_STEPS)]
    losses = []
    with tf1.train.MonitoredTrainingSession(
            server.target, is_chief=task == 0, hooks=hooks, config=config(task),
            stop_grace_period_secs=1) as session:  # else it waits 120 s for the thread that applies the gradients
        while not session.should_stop():
            losses.append(float(session.run([loss, train])[0]))
    return losses


def run_task(idiom, job, task, cluster, folder):
    """Be a parameter server, or a worker that prints its losses."""
    tf1.disable_eager_execution()
    tf1.logging.set_verbosity(tf1.logging.ERROR)
    spec = tf1.train.ClusterSpec(cluster)
    server = tf1.train.Server(spec, job_name=job, task_index=task)
    if job == "ps":
        server.join()
    print("LOSSES", json.dumps(globals()[idiom](server, spec, task, len(cluster["worker"]), folder)), flush=True)


# ---- The command ----

def try_idiom(idiom, n_workers):
    """Run an idiom; return what happened, in words."""
    ports = free_ports(1 + n_workers)
    cluster = {"ps": [f"127.0.0.1:{ports[0]}"], "worker": [f"127.0.0.1:{port}" for port in ports[1:]]}
    start = time.time()
    with tempfile.TemporaryDirectory() as folder:
        tasks = [subprocess.Popen([sys.executable, "-m", "tests.cluster_idioms", "--task", idiom, job, str(task),
                                   json.dumps(cluster), folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  universal_newlines=True)
                 for job, addresses in cluster.items() for task in range(len(addresses))]
        try:
            outputs = [task.communicate(timeout=TIMEOUT) for task in tasks[1:]]
        except subprocess.TimeoutExpired:
            return f"does not end within {TIMEOUT} s"
        finally:
            for task in tasks:
                task.kill()
                task.communicate()
    losses = []
    for output, errors in outputs:
        line = [line for line in output.splitlines() if line.startswith("LOSSES ")]
        if not line:
            return "fails: " + (errors.strip().splitlines() or ["without a word"])[-1]
        losses.append(json.loads(line[0][len("LOSSES "):]))
    expected = [9 * 0.64 ** k for k in range(40)]
    wrong = [loss for of_worker in losses for loss in of_worker
             if min(abs(loss - value) / value for value in expected) > 1e-5]
    if wrong:
        return f"wrong losses: {wrong}"
    exactly = "; one loss a step, 9 to {:.3g}".format(losses[0][-1]) if n_workers == 1 and all(
        abs(loss - value) < 1e-5 * value for loss, value in zip(losses[0], expected)) else \
        "; runs of train_op: " + " + ".join(str(len(of_worker)) for of_worker in losses)
    return f"works, {time.time() - start:.0f} s{exactly}"


def main(argv=None):
    parser = cli.Parser(prog="python -m tests.cluster_idioms", description=__doc__.split("\n\n    ")[0])
    parser.add_argument("--task", nargs=5, help=argparse.SUPPRESS)  # of try_idiom: the arguments of run_task
    return cli.run_command(parser, try_all, argv)


def try_all(args):
    """Print a row for each idiom and number of workers; return exit code 1 if one failed."""
    if args.task:
        idiom, job, task, cluster, folder = args.task
        return run_task(idiom, job, int(task), json.loads(cluster), folder)
    failed = False
    for idiom, numbers in IDIOMS.items():
        for n_workers in numbers:
            outcome = try_idiom(idiom, n_workers)
            failed |= not outcome.startswith("works")
            print(f"| {tf1.version.VERSION} | {idiom} | {n_workers} | {outcome} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
