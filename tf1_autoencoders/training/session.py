"""The session: a tf1.Session that counts its seconds, and the choice of threads and precision."""
from __future__ import annotations

import time
from pathlib import Path

from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1


class Session:
    """A tf1.Session on a model's graph that counts the seconds spent inside run(); a context manager.

    Args:
        model: GraphModel.
        threads: CPU threads within and between operations; 0 leaves the number to TensorFlow. With one, operations run
            one after the other without a scheduler, which is the fastest where they are small.
        precision: float32, or bfloat16 for products and convolutions in that type: TensorFlow's graph rewriter puts the
            casts in; variables, their updates and what is sensitive stay float32.

    Raises:
        UserError: this CPU or this TensorFlow has no bfloat16.
    """

    one_thread_executor = "SINGLE_THREADED_EXECUTOR"

    def __init__(self, model, threads=0, precision="float32"):
        config = tf1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
        if threads == 1 and not tf1.version.VERSION.startswith("1."):  # there it knows no reference variables
            config.experimental.executor_type = self.one_thread_executor
        if precision == "bfloat16":
            check_bfloat16()
            rewriter = config.graph_options.rewrite_options
            rewriter.auto_mixed_precision_onednn_bfloat16 = rewriter.ON
        self.tf1_session = tf1.Session(graph=model.graph, config=config)
        self.seconds_in_run = 0.0

    def run(self, fetches, feed_dict=None):
        return self._timed(self.tf1_session.run, fetches, feed_dict)

    def callable(self, fetches):
        """A function without arguments that runs the fetches, prepared once: for steps, of which there are many."""
        with self.tf1_session.graph.as_default():
            prepared = self.tf1_session.make_callable(fetches)
        return lambda: self._timed(prepared)

    def _timed(self, run, *args):
        start = time.perf_counter()
        try:
            return run(*args)
        finally:
            self.seconds_in_run += time.perf_counter() - start

    def __enter__(self):  # the default graph stays as it is, so that eager Keras can be used in the block
        return self

    def __exit__(self, *_):
        self.tf1_session.close()


def check_bfloat16(cpu=Path("/proc/cpuinfo")):
    """Raises UserError where this CPU or this TensorFlow has no bfloat16, which would only make it slow."""
    if not hasattr(tf1.ConfigProto().graph_options.rewrite_options, "auto_mixed_precision_onednn_bfloat16"):
        raise UserError(f"--precision bfloat16: TensorFlow {tf1.version.VERSION} cannot rewrite a graph for it; "
                        "use a newer one, or leave it out")
    flags = set(cpu.read_text().split()) if cpu.exists() else set()
    if not flags & {"avx512_bf16", "amx_bf16"}:
        raise UserError("--precision bfloat16: this CPU says neither avx512_bf16 nor amx_bf16 in /proc/cpuinfo; "
                        "leave it out")
