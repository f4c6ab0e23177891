"""The tasks of a cluster, as TF_CONFIG or a file names them, and TensorFlow's server of this one.

TensorFlow's runtime moves the data between the tasks (gRPC, collective operations). What is added here is certainty:
the tasks exchange heartbeats, and a task that stops answering ends the training on all others, with one sentence that
names the lost task. Without heartbeats, a task would wait for ever for one that was stopped or unplugged, and under
1.15 also for one that was killed.
"""
from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, NoReturn, Optional

from tf1_autoencoders.utils.errors import UsageError, UserError, one_line
from tf1_autoencoders.utils.files import read_json
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import display_path

TF_CONFIG = "TF_CONFIG"  # the environment variable of TensorFlow's own launchers
LAUNCHER = "TF1_AUTOENCODERS_LAUNCHER"  # process id of the launcher of local workers, without which they end
JOB = "worker"
ADDRESS = re.compile(r"[A-Za-z0-9.\-\[\]:_]+:[0-9]{1,5}")
EXIT_LOST = 1


class ClusterPlan(NamedTuple):
    """Who the tasks are, and which of them this process is."""

    addresses: List[str]  # host:port of each task; task 0 is the chief, which prints, saves and draws
    task: int

    @property
    def local_tasks(self) -> int:
        """Return how many tasks have the host of this one, and share its cores."""
        host = self.addresses[self.task].rpartition(":")[0]
        return sum(address.rpartition(":")[0] == host for address in self.addresses)


def plan_from_environment() -> Optional[ClusterPlan]:
    """Return the plan in TF_CONFIG; None if there is none, or a cluster of one task.

    Raises:
        UsageError: TF_CONFIG is not of the form {"cluster": {"worker": [...]}, "task": {"type": "worker", "index": 0}}.
    """
    text = os.environ.get(TF_CONFIG)
    if not text:
        return None
    try:
        content = json.loads(text)
        jobs, task = content["cluster"], content["task"]
        kind, index = task["type"], task["index"]
        if not isinstance(kind, str):
            raise ValueError("the task's type is no text")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{TF_CONFIG}: expected JSON such as "
                         '{"cluster": {"worker": ["host:2222", "host:2223"]}, "task": {"type": "worker", "index": 0}} '
                         f"({one_line(error)})") from error
    _check_jobs(TF_CONFIG, jobs)
    plan = _checked_plan(TF_CONFIG, jobs, index + len(jobs.get("chief", ())) if kind == JOB and type(index) is int
                         else index)
    if kind not in jobs:
        raise UsageError(f"{TF_CONFIG}: the task is a {kind}; expected one of {', '.join(jobs)}")
    return plan if len(plan.addresses) > 1 else None


def plan_from_file(file: Path, task: int) -> ClusterPlan:
    """Return the plan in a JSON file such as {"worker": ["host:2222", "host:2223"]}, for the task of a number.

    Raises:
        UsageError: the file is not of this form, or has no such task.
    """
    try:
        return _checked_plan(f"--cluster {display_path(file)}", read_json(file), task)
    except (OSError, ValueError) as error:
        raise UsageError(f"--cluster {display_path(file)}: not a JSON file ({one_line(error)})") from error


def _check_jobs(where: str, jobs: Any) -> None:
    if not isinstance(jobs, dict) or not jobs or set(jobs) - {"chief", JOB} \
            or not all(isinstance(addresses, list) for addresses in jobs.values()):
        raise UsageError(f'{where}: expected the job "worker", and "chief" if wanted, each with a list of host:port')


def _checked_plan(where: str, jobs: Any, task: Any) -> ClusterPlan:
    _check_jobs(where, jobs)
    addresses = []
    for job in ("chief", JOB):
        for address in jobs.get(job, []):
            if not isinstance(address, str) or not ADDRESS.fullmatch(address) \
                    or not 0 < int(address.rpartition(":")[2]) < 1 << 16:
                raise UsageError(f"{where}: {str(address)[:80]} is no address; expected host:port")
            addresses.append(address)
    if len(jobs.get("chief", [])) > 1 or len(set(addresses)) < len(addresses):
        raise UsageError(f"{where}: duplicate address, or more than one chief; each task needs an address of its own")
    if type(task) is not int or not 0 <= task < len(addresses):
        raise UsageError(f"{where}: there is no task {str(task)[:20]}; expected 0 to {len(addresses) - 1}")
    return ClusterPlan(addresses, task)


class Cluster:
    """This process as a task of a cluster: its server is running, and it exchanges heartbeats with the other tasks.

    Args:
        plan: ClusterPlan.
        threads: CPU threads of the server; 0 for this task's share of the cores of its machine.
        timeout: seconds without an answer after which a task counts as lost.

    Raises:
        UserError: the server cannot listen on its address.
    """

    _servers: Dict[str, Any] = {}  # by address, for the process's whole life: TensorFlow has no way to end a server

    def __init__(self, plan: ClusterPlan, threads: int, timeout: float) -> None:
        self.addresses, self.task, self.n_tasks = plan.addresses, plan.task, len(plan.addresses)
        self.threads = threads or max(1, _n_cores() // plan.local_tasks)
        self.timeout = timeout
        self._watched, self._lock = False, threading.Lock()
        address = self.addresses[self.task]
        if address not in self._servers:
            self._servers[address] = self._start_server(address)
        self.target = self._servers[address].target
        self._answered = {task: time.monotonic() for task in range(self.n_tasks) if task != self.task}
        self._unseen = set(self._answered)
        self.watch()
        for task in self._answered:
            threading.Thread(target=self._heartbeat_loop, args=(task,), daemon=True).start()
        self._launcher = int(os.environ.get(LAUNCHER, 0))
        if self._launcher:
            threading.Thread(target=self._end_with_the_launcher, daemon=True).start()

    def _start_server(self, address: str) -> Any:
        _check_port_is_free(address)
        config = tf1.ConfigProto(intra_op_parallelism_threads=self.threads, inter_op_parallelism_threads=self.threads)
        config.experimental.collective_group_leader = f"/job:{JOB}/replica:0/task:0"
        try:
            return tf1.train.Server(tf1.train.ClusterSpec({JOB: self.addresses}), job_name=JOB, task_index=self.task,
                                    config=config)
        except tf1.errors.OpError as error:
            raise UserError(f"{address}: TensorFlow's server of this task cannot listen there "
                            f"({one_line(error.message)}); choose another address") from error

    @property
    def is_chief(self) -> bool:
        """Return whether this task prints, saves and draws."""
        return self.task == 0

    def configure(self, config: Any) -> Any:
        """Return a session's ConfigProto with the leader of the collective operations, and this task's devices only.

        Without the filter, 1.15 would place every task's operations on task 0.
        """
        config.experimental.collective_group_leader = f"/job:{JOB}/replica:0/task:0"
        config.device_filters.append(f"/job:{JOB}/task:{self.task}")
        return config

    def name(self, task: int) -> str:
        """Return how messages name a task."""
        return f"worker {task} ({self.addresses[task]})"

    # ---- Heartbeats ----

    def watch(self, watched: bool = True) -> None:
        """Start ending this process when a task is lost; with False, stop doing so."""
        with self._lock:
            self._answered = dict.fromkeys(self._answered, time.monotonic())
            self._watched = watched

    def wait_for_all(self) -> None:
        """Return when every task has answered once.

        An operation that is sent to a server before it listens fails, and TensorFlow 2 then fails all later ones.
        """
        while self._unseen:
            time.sleep(0.02)

    def _heartbeat_loop(self, task: int) -> None:
        every = self.timeout / 6
        while True:
            if not self._watched:
                time.sleep(0.05)
            elif self.ping(task, every):
                self._answered[task] = time.monotonic()
                self._unseen.discard(task)
                time.sleep(every)
            elif time.monotonic() - self._answered[task] > self.timeout - 2 * every:
                self._end(f"{self.name(task)} does not answer")

    def _end_with_the_launcher(self) -> None:
        while os.getppid() == self._launcher:
            time.sleep(0.5)
        self._end("the command that started this worker is gone")

    def _end(self, reason: str) -> None:
        with self._lock:
            if self._watched:
                try:
                    print(f"{self.name(self.task)}: {reason}; the run ends here, and the same command continues from "
                          "its last checkpoint", file=sys.stderr, flush=True)
                finally:  # whether or not somebody still reads
                    os._exit(EXIT_LOST)  # the main thread may wait inside TensorFlow, where no exception reaches it

    def ping(self, task: int, seconds: float) -> bool:
        """Return whether a task's server computes a constant within the seconds.

        (Session.list_devices would be enough, but in TensorFlow 2 no other thread of Python runs while it waits.)
        """
        # Without the filter, the task would wait for the answers of all others before it gives its own.
        config = tf1.ConfigProto(operation_timeout_in_ms=max(1, int(1000 * seconds)),
                                 device_filters=[f"/job:{JOB}/task:{task}"])
        start = time.monotonic()
        try:
            with tf1.Graph().as_default(), tf1.Session(f"grpc://{self.addresses[task]}", config=config) as session:
                session.run(tf1.constant(0))
            return True
        except tf1.errors.OpError:
            time.sleep(max(0.0, min(1.0, seconds - (time.monotonic() - start))))  # a refused connection fails at once
            return False

    def explain(self, error: Exception) -> NoReturn:
        """Raise the UserError that says which task's loss made an operation of TensorFlow fail."""
        self.watch(False)
        lost = [self.name(task) for task in self._answered if not self.ping(task, min(5.0, self.timeout / 6))]
        reason = f"{', '.join(lost)} is gone" if lost else \
            f"another worker ended the training, whose message says why ({one_line(getattr(error, 'message', error))})"
        raise UserError(f"{reason}; the run ends here, and the same command continues from its last checkpoint") \
            from error


def _check_port_is_free(address: str) -> None:
    """Raise UserError if another program listens on the port; TensorFlow would only log the reason."""
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", int(port)))
        except (OSError, OverflowError) as error:
            raise UserError(f"{address}: this worker cannot listen there ({one_line(error)}); choose another port, "
                            "or end the program that has it") from error


def _n_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
