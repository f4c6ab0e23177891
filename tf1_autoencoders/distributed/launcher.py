"""Start, watch and end the workers of `--workers W` on this machine.

Each worker is the same command again, with TF_CONFIG in its environment. TensorFlow's server listens on every network
interface, whatever address it is given, and asks nobody for a password. The workers therefore run in a network
namespace of their own, which has a loopback interface only, where the system lets a user make one.
"""
from __future__ import annotations

import ctypes
import json
import math
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from tf1_autoencoders.distributed.cluster import EXIT_LOST, JOB, LAUNCHER, TF_CONFIG
from tf1_autoencoders.utils.cli import warn
from tf1_autoencoders.utils.interrupts import deferred_signals
from tf1_autoencoders.utils.paths import PACKAGE

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # of Linux's unshare
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1  # of Linux's network devices
GRACE = 5.0  # seconds that the other workers have to end by themselves, after one has failed


def run_workers(command: Sequence[str], n_workers: int, restarts: int, timeout: float) -> int:
    """Run a command in n_workers processes; start them again, up to `restarts` times, if one is lost.

    Args:
        command: arguments of Python, such as ["-m", "tf1_autoencoders.run_all"].
        n_workers: number of processes, 2 or more.
        restarts: number of times that all are started again.
        timeout: seconds that the workers have to end after a signal.

    Returns:
        The exit code of the chief, which fails if it loses another worker during the training; EXIT_LOST if the chief
        was killed. The workers have said why.
    """
    namespace, code = None, 0
    try:
        namespace = LoopbackNamespace()
    except (OSError, AttributeError, ImportError):  # AttributeError, ImportError: a system without namespaces
        warn("TensorFlow's servers of the workers listen on all network interfaces here, without a password; run this "
             "command on a private network only")
    try:
        for attempt in range(restarts + 1):
            code = _run_once(command, n_workers, timeout, namespace)
            if code != EXIT_LOST:
                break
            if attempt < restarts:
                warn(f"starting all {n_workers} workers again ({attempt + 1} of {restarts})")
    finally:
        if namespace is not None:
            namespace.close()
    return code


def this_command() -> List[str]:
    """Return the arguments with which Python runs the command of this process again."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return [*(["-m", spec.name] if spec else sys.argv[:1]), *sys.argv[1:]]


def _run_once(command: Sequence[str], n_workers: int, timeout: float, namespace: Optional[LoopbackNamespace]) -> int:
    """Start the workers, wait for their end, and return the exit code of run_workers.

    When one has failed, the others notice by themselves. The chief is always waited for: after the training it needs
    no other worker, and draws. Another worker has GRACE seconds when one has failed or the chief has ended. A worker
    that is stopped (SIGSTOP) when nobody asks for it counts as lost after `timeout` seconds. No checkpoint is lost by
    a kill.
    """
    addresses = [f"127.0.0.1:{port}" for port in free_ports(n_workers)]
    with deferred_signals() as received:
        workers = [_start_worker(command, addresses, task, namespace) for task in range(n_workers)]
        signalled = failed = math.inf  # when all were signalled; when the first had failed, or the chief had ended
        stopped: Dict[int, float] = {}  # {task: when it was first seen stopped}
        killed = set()
        try:
            while any(worker.poll() is None for worker in workers):
                now = time.monotonic()
                if received and signalled == math.inf:
                    signalled = now
                    for worker in workers:
                        worker.send_signal(received[0])
                if signalled == failed == math.inf and (
                        any(worker.poll() for worker in workers) or workers[0].poll() is not None):
                    failed = now
                stopped = {task: stopped.get(task, now) for task, worker in enumerate(workers) if _is_stopped(worker)}
                for task, worker in enumerate(workers):
                    end = min(signalled + timeout, failed + GRACE if task else math.inf)  # a last step and a checkpoint
                    if task in stopped:
                        end = min(end, failed, stopped[task] + timeout)
                    if worker.poll() is None and now > end and task not in killed:
                        if task in stopped and failed == math.inf:
                            warn(f"worker {task} ({addresses[task]}) is stopped and does not answer; this command ends "
                                 "it now, and continues from the last checkpoint if it is run again")
                        worker.kill()
                        killed.add(task)
                time.sleep(0.05)
        finally:
            for worker in workers:
                worker.kill()  # does nothing to those that have ended
                worker.wait()
    for task, worker in enumerate(workers):
        if worker.returncode < 0 and task not in killed:
            warn(f"worker {task} ({addresses[task]}) was ended by signal {-worker.returncode}")
    code = workers[0].returncode
    return EXIT_LOST if code < 0 else code


def _is_stopped(worker: Any) -> bool:
    """Return whether a child process is stopped (SIGSTOP)."""
    if worker.poll() is not None or not hasattr(os, "waitid"):
        return False
    try:
        return os.waitid(os.P_PID, worker.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # it has just ended
        return False


def _start_worker(command: Sequence[str], addresses: List[str], task: int,
                  namespace: Optional[LoopbackNamespace]) -> Any:
    """Start one worker: this command again, in a session of its own, so that Ctrl-C reaches the launcher only."""
    paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ, LAUNCHER: str(os.getpid()), "PYTHONPATH": os.pathsep.join(paths),
        TF_CONFIG: json.dumps({"cluster": {JOB: addresses}, "task": {"type": JOB, "index": task}})}
    chief = task == 0
    worker = subprocess.Popen(
        [sys.executable, *command], env=environment, start_new_session=True,
        preexec_fn=namespace.join if namespace else None, stdin=subprocess.DEVNULL,
        stdout=None if chief else subprocess.PIPE, stderr=None if chief else subprocess.STDOUT)
    if not chief:
        threading.Thread(target=_forward_lines, args=(worker.stdout,), daemon=True).start()
    return worker


def _forward_lines(stream: Any) -> None:
    for line in stream:
        warn(line.decode(errors="replace").rstrip())


def free_ports(n: int) -> List[int]:
    """Return n port numbers of this machine that nobody listens on."""
    sockets = [socket.socket() for _ in range(n)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class LoopbackNamespace:
    """A network namespace with a loopback interface only, which lives as long as a process that this object holds.

    Raises:
        OSError: the system does not let this user make one.
    """

    def __init__(self) -> None:
        self._libc, self._uid, self._gid = ctypes.CDLL(None, use_errno=True), os.getuid(), os.getgid()
        try:
            self._holder = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                                            stdin=subprocess.PIPE, preexec_fn=self._make, start_new_session=True)
        except subprocess.SubprocessError as error:  # _make failed in the new process
            raise OSError(str(error)) from error

    def _make(self) -> None:
        """Move the process that calls this, which has one thread, into a new namespace."""
        import fcntl  # of Unix
        if self._libc.unshare(CLONE_NEWNET) != 0:  # root may; another user may inside a user namespace of his own
            self._check(self._libc.unshare(CLONE_NEWUSER | CLONE_NEWNET))
            for file, content in (("setgroups", "deny"), ("uid_map", f"{self._uid} {self._uid} 1"),
                                  ("gid_map", f"{self._gid} {self._gid} 1")):
                Path("/proc/self", file).write_text(content)
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))

    def join(self) -> None:
        """Move the process that calls this, which has one thread, into the namespace."""
        folder = f"/proc/{self._holder.pid}/ns"
        if os.readlink(f"{folder}/user") != os.readlink("/proc/self/ns/user"):
            self._enter(f"{folder}/user", CLONE_NEWUSER)
        self._enter(f"{folder}/net", CLONE_NEWNET)

    def close(self) -> None:
        """End the process that holds the namespace."""
        self._holder.kill()
        self._holder.communicate()

    def _enter(self, path: str, kind: int) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        self._check(self._libc.setns(descriptor, kind))
        os.close(descriptor)

    def _check(self, result: int) -> None:
        if result != 0:
            raise OSError(ctypes.get_errno(), "no namespace")
