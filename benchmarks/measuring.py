"""The implementations that are measured, one measurement, and the state of the machine during it."""
from __future__ import annotations

import datetime
import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import time
from typing import Any, Dict, NamedTuple, Tuple

from tf1_autoencoders.utils.cli import warn
from tf1_autoencoders.utils.errors import UserError

IDLE = 0.05  # fraction of the CPU that other processes may use before a measurement


class Row(NamedTuple):
    """An implementation: a row of the table."""

    label: str
    program: str  # module of benchmarks/
    options: Dict[str, Any] = {}  # keyword arguments of its Implementation
    sections: Tuple[int, ...] = (1, 2, 3, 4)
    python: str = "tensorflow"  # key of pythons()


ROWS = {
    "graph": Row("our graph", "graph"),
    "graph-bfloat16": Row("our graph, bfloat16", "graph", {"precision": "bfloat16"}, (1, 3)),
    "keras": Row("our Keras twin, fit", "keras_fit"),
    "keras-best": Row("our Keras twin, fit, whole epochs", "keras_fit", {"whole_epochs": True}),
    "keras-jit": Row("our Keras twin, fit, whole epochs, jit_compile", "keras_fit",
                     {"whole_epochs": True, "jit_compile": True}),
    "jax": Row("JAX, lax.scan", "jax_scan", python="jax"),
    "jax-steps": Row("JAX, step by step", "jax_scan", {"scanned": False}, (1, 2, 4), "jax"),
    "pytorch": Row("PyTorch", "pytorch", python="torch"),
    "pytorch-compile": Row("PyTorch, torch.compile", "pytorch", {"compiled": "default"}, (1, 2, 4), "torch"),
    "pytorch-max-autotune": Row("PyTorch, torch.compile, max-autotune", "pytorch", {"compiled": "max-autotune"},
                                (1, 2, 4), "torch"),
    "pytorch-channels-last": Row("PyTorch, channels_last", "pytorch", {"channels_last": True}, (3,), "torch"),
    "pytorch-channels-last-compile": Row("PyTorch, channels_last, torch.compile", "pytorch",
                                         {"channels_last": True, "compiled": "default"}, (3,), "torch"),
    "pytorch-channels-last-max-autotune": Row("PyTorch, channels_last, torch.compile, max-autotune", "pytorch",
                                              {"channels_last": True, "compiled": "max-autotune"}, (3,), "torch"),
    "pytorch-time-first": Row("PyTorch, time first", "pytorch", {"time_first": True}, (4,), "torch"),
    "tf115": Row("TensorFlow 1.15.5", "original115", python="tf115"),
    "tf115-static": Row("TensorFlow 1.15.5, static_rnn", "original115", {"rnn": "static"}, (4,), "tf115"),
    "products": Row("its matrix products alone", "matmul", sections=(1, 2, 4)),
    "products-bfloat16": Row("its matrix products alone, bfloat16", "matmul", {"precision": "bfloat16"}, (1,)),
    "square": Row("a square matrix product", "matmul", {"square": True}),
    "square-bfloat16": Row("a square matrix product, bfloat16", "matmul", {"square": True, "precision": "bfloat16"},
                           (1, 3))}


def pythons(torch_python=None, jax_python=None, tf115_python=None):
    """Return {kind: path of an interpreter, or None} for Row.python."""
    torch, jax = (python or (sys.executable if importlib.util.find_spec(module) else None)
                  for python, module in ((torch_python, "torch"), (jax_python, "optax")))
    return {"tensorflow": sys.executable, "torch": torch, "jax": jax, "tf115": tf115_python}


def measure(row, python, task_path):
    """Run an implementation in a fresh process.

    Returns:
        The result that child.py prints, with others_share: the fraction of the CPU that other processes used meanwhile,
        or None if unknown.

    Raises:
        UserError: the implementation failed.
    """
    busy, own, start = _busy_seconds(), _seconds_of_children(), time.time()
    try:
        done = subprocess.run([python, "-m", "benchmarks.child", row.program, str(task_path), "--options",
                               json.dumps(row.options), "--started", repr(start)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    except OSError as error:
        raise UserError(f"{row.label}: {python}: {error.strerror}") from None
    if done.returncode:
        messages = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise UserError(f"{row.label}: {messages[-1]}")
    measured = json.loads(done.stdout.splitlines()[-1])
    others = None
    if busy is not None:
        others = _busy_seconds() - busy - (_seconds_of_children() - own)
        others = max(0.0, others / (time.time() - start) / os.cpu_count())
    return {**measured, "others_share": others}


def wait_until_idle(patience):
    """Wait up to `patience` seconds until other processes hardly use the CPU; warn if they still do."""
    end = time.time() + patience
    while True:
        fraction = _busy_fraction()
        if fraction is None or fraction < IDLE:
            return
        if time.time() > end:
            warn(f"other processes use {fraction:.0%} of the CPU: the following measurement is unreliable")
            return
        time.sleep(1)


def _busy_fraction():
    start, before = time.time(), _busy_seconds()
    if before is None:
        return None
    time.sleep(0.5)
    return (_busy_seconds() - before) / (time.time() - start) / os.cpu_count()


def _busy_seconds():
    """Return the CPU seconds that all processes, and other guests of the host, have used; None if unknown."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, *interrupts_and_stolen = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + sum(interrupts_and_stolen)) / os.sysconf("SC_CLK_TCK")


def _seconds_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def machine():
    """Describe the machine, {name: text}."""
    def first(path, start, otherwise):
        try:
            with open(path) as file:
                return next(line for line in file if line.startswith(start)).split(start)[1].strip(' \t:="\n')
        except (OSError, StopIteration):
            return otherwise

    memory = first("/proc/meminfo", "MemTotal", "").split()
    return {"CPU": first("/proc/cpuinfo", "model name", platform.processor() or platform.machine()),
            "cores": str(os.cpu_count()),
            "memory": f"{int(memory[0]) / 2 ** 20:.0f} GB" if memory else "unknown",
            "system": f"{first('/etc/os-release', 'PRETTY_NAME', platform.system())}, {platform.release()}",
            "date": datetime.date.today().isoformat()}
