"""The trainer of one task of several that train a network together; see graphs.replicas for the graph.

Before the first step, the tasks compare what they are about to train, and the chief gives all of them its weights,
its slots and its progress, so that only the chief needs a checkpoint. From then on every task computes the same
weights and the same metrics, to the byte, and takes the same decisions without asking. A signal that one task receives
ends the training of all after the same step: the request travels with the gradients.
"""
from __future__ import annotations

import dataclasses
import hashlib
import json
import signal
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import numpy as np

from tf1_autoencoders.graphs.graph_model import GraphModel
from tf1_autoencoders.training.cluster import Cluster
from tf1_autoencoders.training.loop import Progress
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.training.trainers import GraphTrainer, Metrics
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1

# Messages of the tasks, in the order in which they are compared: {part of a run's identity: what a user can mend}
REMEDIES = {"section": "start the same command on each", "settings": "start the same command on each",
            "data": "give each the same data", "code": "install the same version of this project on each",
            "versions": "install the same versions on each", "precision": "start the same command on each"}


class ReplicaTrainer(GraphTrainer):
    """Trains one task's copy of a GraphModel, which was built inside graphs.replicas.replicated.

    Args:
        session: TimedSession on the cluster's server.
        model: GraphModel.
        arrays: the whole arrays, the same in each task.
        batch_size: rows of a whole batch.
        cluster: Cluster.
    """

    def __init__(self, session: TimedSession, model: GraphModel, arrays: Sequence[np.ndarray], batch_size: int,
                 cluster: Cluster) -> None:
        super().__init__(session, model, arrays, batch_size)
        self.cluster = cluster
        self._received: List[int] = []
        self._agreed: List[int] = []
        self._asked = False
        session.run(model.tensors["replica_stop"].initializer)

    def agreed_interrupts(self, received: List[int]) -> List[int]:
        self._received = received
        return self._agreed

    def prepare_step(self, measured: bool) -> Callable[[], Metrics]:
        stop, stop_sum = (self.model.tensors[name] for name in ("replica_stop", "replica_stop_sum"))
        step = self.session.callable([self.model.metrics if measured else {}, self.model.train_op, stop_sum])

        def step_together() -> Metrics:
            if self._received and not self._asked:
                self.session.run(stop.initializer, {stop.initializer.inputs[1]: np.float32(1)})
                self._asked = True
            metrics, _, asked = self._together(step)
            if asked and not self._agreed:
                self._agreed.append(self._received[0] if self._received else signal.SIGTERM)
            return metrics
        return step_together

    def evaluate(self, rows: np.ndarray) -> Metrics:
        return self._together(super().evaluate, rows)

    def join(self, progress: Optional[Progress], identity: Mapping[str, Any]) -> Progress:
        """Compare the tasks' identities; take over the chief's variables and progress.

        Args:
            progress: the chief's Progress; None in the other tasks.
            identity: sections.run.run_identity of each task's run.

        Raises:
            UserError: a task trains something else; or a task is lost.
        """
        self.cluster.wait_for_all()
        self._compare(identity)
        state = json.dumps(dataclasses.asdict(progress)).encode() if progress is not None else b""
        size, = self._from_chief(np.array([len(state)], np.int32))
        padded = np.frombuffer(state.ljust(-(-size // 4) * 4), np.int32) if state else np.zeros(-(-size // 4), np.int32)
        shared = Progress(**json.loads(self._from_chief(padded).tobytes()[:size]))
        for variable in self.model.variables:
            value = np.atleast_1d(self.session.run(variable))
            bits = self._from_chief(np.ascontiguousarray(value).view(np.int32).ravel())
            value = bits.view(value.dtype).reshape(variable.shape.as_list())
            # Feeding the initial value needs no new operation, so that a finalized graph can be set too.
            self.session.run(variable.initializer, {variable.initializer.inputs[1]: value})
        return progress if progress is not None else shared

    def leave(self) -> None:
        """Wait until every task has ended its training; a task that is lost from here on does no harm."""
        try:
            self._sum(np.zeros(1, np.int32))
        except tf1.errors.OpError:
            pass
        self.cluster.watch(False)
        if not self.cluster.is_chief:
            time.sleep(0.5)  # the answers to the other tasks leave this process

    def _compare(self, identity: Mapping[str, Any]) -> None:
        n_tasks, task = self.cluster.n_tasks, self.cluster.task
        table = np.zeros((n_tasks, len(REMEDIES), 8), np.int32)
        for number, part in enumerate(REMEDIES):
            content = json.dumps(identity[part], sort_keys=True).encode()
            table[task, number] = np.frombuffer(hashlib.sha256(content).digest(), np.int32)
        table = self._together(self._sum, table.ravel()).reshape(table.shape)
        for number, (part, remedy) in enumerate(REMEDIES.items()):
            differing = [self.cluster.name(other) for other in range(n_tasks)
                         if not np.array_equal(table[other, number], table[0, number])]
            if differing:
                self.cluster.watch(False)
                raise UserError(f"{', '.join(differing)} and {self.cluster.name(0)} differ in their {part}; {remedy}")

    def _from_chief(self, values: np.ndarray) -> np.ndarray:
        """Return the chief's int32[n] in every task; the others give an array of the same size."""
        return self._together(self._sum, values if self.cluster.is_chief else np.zeros_like(values))

    def _sum(self, values: np.ndarray) -> np.ndarray:
        """Return the sum over the tasks of int32[n]."""
        tensors: Dict[str, Any] = self.model.tensors
        return self.session.run(tensors["replica_messages"], {tensors["replica_message"]: values})

    def _together(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return function(*args), which waits for the other tasks.

        Raises:
            UserError: a task is lost.
        """
        try:
            return function(*args)
        except tf1.errors.OpError as error:
            self.cluster.explain(error)
