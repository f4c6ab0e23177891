"""The trainer of one worker of several that train a network together; see distributed.collectives for the graph.

Every worker computes the same weights and the same metrics, to the byte, and takes the same decisions without asking.
A signal that one worker receives ends the training of all after the same step: the request travels with the gradients.
"""
from __future__ import annotations

import contextlib
import signal
from typing import Any, Callable, Iterator, List, Sequence

import numpy as np

from tf1_autoencoders.distributed.cluster import Cluster
from tf1_autoencoders.graphs.graph_model import GraphModel
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.training.trainers import GraphTrainer, Metrics
from tf1_autoencoders.utils.frameworks import tf1


class WorkerTrainer(GraphTrainer):
    """Trains one worker's copy of a GraphModel, which was built with the strategy collectives.Replicated.

    Args:
        session: TimedSession on the cluster's server.
        model: GraphModel.
        arrays: the whole arrays, the same in each worker.
        batch_size: rows of a whole batch.
        cluster: Cluster.
    """

    def __init__(self, session: TimedSession, model: GraphModel, arrays: Sequence[np.ndarray], batch_size: int,
                 cluster: Cluster) -> None:
        super().__init__(session, model, arrays, batch_size)
        self.cluster = cluster
        self.received: List[int] = []  # signals of this process
        self.agreed: List[int] = []  # signals that end the training of all workers
        self._asked = False
        session.run(model.tensors["worker_stop"].initializer)

    def prepare_step(self, measured: bool) -> Callable[[], Metrics]:
        stop, stop_sum = (self.model.tensors[name] for name in ("worker_stop", "worker_stop_sum"))
        step = self.session.callable([self.model.metrics if measured else {}, self.model.train_op, stop_sum])

        def step_together() -> Metrics:
            if self.received and not self._asked:
                self.session.run(stop.initializer, {stop.initializer.inputs[1]: np.float32(1)})
                self._asked = True
            metrics, _, asked = self.together(step)
            if asked and not self.agreed:
                self.agreed.append(self.received[0] if self.received else signal.SIGTERM)
            return metrics
        return step_together

    def evaluate(self, rows: np.ndarray) -> Metrics:
        return self.together(super().evaluate, rows)

    def first_batch(self, rows: np.ndarray) -> Any:
        with self._whole_batches():
            return super().first_batch(rows)

    def predict(self, *arrays: np.ndarray, batch_size: int = 1000, fetch: Any = None) -> np.ndarray:
        with self._whole_batches():
            return super().predict(*arrays, batch_size=batch_size, fetch=fetch)

    @contextlib.contextmanager
    def _whole_batches(self) -> Iterator[None]:
        """Context manager: the pipeline gives whole batches, and not this worker's share of each."""
        self.pipeline_feeds = {self.model.tensors["worker_share"]: (0, 1)}
        try:
            yield
        finally:
            self.pipeline_feeds = {}

    def sum_over_tasks(self, values: np.ndarray) -> np.ndarray:
        """Return the sum over the workers of int32[n], which each of them must ask for."""
        tensors = self.model.tensors
        return self.session.run(tensors["worker_messages"], {tensors["worker_message"]: values})

    def together(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return function(*args), which waits for the other workers.

        Raises:
            UserError: a worker is lost.
        """
        try:
            return function(*args)
        except tf1.errors.OpError as error:
            self.cluster.explain(error)
