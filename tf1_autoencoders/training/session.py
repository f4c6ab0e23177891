"""The session: a tf1.Session that counts its seconds, with the number of threads and the precision of a run."""
from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any, Callable, Dict

from tf1_autoencoders.graphs.graph_model import GraphModel
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import EIGEN_KERNELS, tf1


class TimedSession:
    """A tf1.Session on a model's graph that counts the seconds spent inside run(); a context manager.

    The session is a `with tf1.Session() as session` of TensorFlow 1, but the default graph stays as it is, so that
    eager Keras can be used in the block.

    Args:
        model: GraphModel.
        threads: CPU threads; 0 leaves the number to TensorFlow. Each operation uses all of them, or only one if
            model.small_ops: several operations then run at the same time, and the result does not depend on the
            number. With 1, the operations run one after the other without a scheduler.
        precision: "float32", or "bfloat16" for products and convolutions in that type. TensorFlow's graph rewriter
            inserts the casts; variables, their updates and sensitive operations stay float32.
        server: what runs the graph, with a number of threads of its own, in place of this process: an object with the
            `target` of a tf1.Session, and `configure` to adapt its tf1.ConfigProto; or None.

    Raises:
        UserError: this CPU or this TensorFlow has no bfloat16.
    """

    one_thread_executor = "SINGLE_THREADED_EXECUTOR"

    def __init__(self, model: GraphModel, threads: int = 0, precision: str = "float32", server: Any = None) -> None:
        threads = threads if server is None else 0
        config = tf1.ConfigProto(intra_op_parallelism_threads=1 if model.small_ops else threads,
                                 inter_op_parallelism_threads=threads, use_per_session_threads=server is None)
        if threads == 1 and not tf1.version.VERSION.startswith("1."):
            # 1.15's executor knows no reference variables
            config.experimental.executor_type = self.one_thread_executor
        if precision == "bfloat16":
            check_bfloat16()
            rewriter = config.graph_options.rewrite_options
            rewriter.auto_mixed_precision_onednn_bfloat16 = rewriter.ON
        if server is None:
            self.tf1_session = tf1.Session(graph=model.graph, config=config)
        else:
            self.tf1_session = tf1.Session(server.target, graph=model.graph, config=server.configure(config))
        self.seconds_in_run = 0.0

    def run(self, fetches: Any, feed_dict: Any = None) -> Any:
        """Run the graph as tf1.Session.run does."""
        return self._timed(self.tf1_session.run, fetches, feed_dict)

    def callable(self, fetches: Any) -> Callable[[], Any]:
        """Return a function without arguments that runs the fetches, prepared once because steps are many."""
        with self.tf1_session.graph.as_default():
            prepared = self.tf1_session.make_callable(fetches)
        return lambda: self._timed(prepared)

    def _timed(self, run: Callable[..., Any], *args: Any) -> Any:
        start = time.perf_counter()
        try:
            return run(*args)
        finally:
            self.seconds_in_run += time.perf_counter() - start

    def __enter__(self) -> TimedSession:
        return self

    def __exit__(self, *_: Any) -> None:
        self.tf1_session.close()


CPU_INFO = Path("/proc/cpuinfo")  # of Linux
ONEDNN_VARIABLES = ("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", EIGEN_KERNELS)  # of the environment


def check_bfloat16(cpu: Path = CPU_INFO) -> None:
    """Raise UserError if this CPU or this TensorFlow has no bfloat16, which would only make the training slow."""
    if not hasattr(tf1.ConfigProto().graph_options.rewrite_options, "auto_mixed_precision_onednn_bfloat16"):
        raise UserError(f"--precision bfloat16: TensorFlow {tf1.version.VERSION} cannot rewrite a graph for bfloat16; "
                        "use a newer TensorFlow, or leave the option out")
    flags = set(cpu.read_text().split()) if cpu.exists() else set()
    if not flags & {"avx512_bf16", "amx_bf16"}:
        raise UserError("--precision bfloat16: this CPU names neither avx512_bf16 nor amx_bf16 in /proc/cpuinfo; "
                        "leave the option out")


def describe_machine(threads: int, cpu: Path = CPU_INFO) -> Dict[str, Any]:
    """Return what decides how TensorFlow rounds here, beside the run's own options; JSON can hold it.

    Each value changed the weights when it was measured (docs/equality.md), except the name of the CPU, which stands for
    what the list of its vector instructions leaves open, such as the sizes of its caches.

    Args:
        threads: as for TimedSession; for 0, the cores that the process may use are counted, as TensorFlow does.
        cpu: file that describes the CPU; its values are empty where the system has no such file.
    """
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    info = cpu.read_text() if cpu.exists() else ""
    instructions = sorted(set(re.findall(r"\b(?:avx|fma|amx|asimd|sve|bf16|i8mm)\w*", info)))
    return {"cpu": "".join(re.findall(r"model name\s*: (.*)", info)[:1]), "instructions": " ".join(instructions),
            "threads": threads or n_cores, **{name: os.environ.get(name) for name in ONEDNN_VARIABLES}}
