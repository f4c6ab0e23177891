"""What a run agrees on with the other tasks: Alone for a process without any, Workers for a task of a cluster.

Before the first step, the workers compare what they are about to train, and the chief gives all of them its weights,
its slots and its progress, so that only the chief needs a checkpoint.
"""
from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import time
from typing import Any, List, Mapping, Optional, Sequence

import numpy as np

from tf1_autoencoders.distributed.cluster import Cluster
from tf1_autoencoders.distributed.collectives import Replicated
from tf1_autoencoders.distributed.trainer import WorkerTrainer
from tf1_autoencoders.graphs import strategy
from tf1_autoencoders.graphs.graph_model import GraphModel
from tf1_autoencoders.training.loop import Progress
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.training.trainers import GraphTrainer
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1

# Messages of the tasks, in the order in which they are compared: {part of a run's identity: what a user can mend}
REMEDIES = {"section": "start the same command on each", "settings": "start the same command on each",
            "data": "give each the same data", "code": "install the same version of this project on each",
            "versions": "install the same versions on each", "precision": "start the same command on each"}


class Alone:
    """This process trains alone, with nobody to agree with.

    | name           | meaning                                                                              |
    |----------------|--------------------------------------------------------------------------------------|
    | n_tasks        | number of tasks that train together                                                  |
    | threads        | CPU threads of the server that runs the graph, or None                               |
    | server         | what runs the graph instead of this process, see session.TimedSession; or None       |
    | scope          | context manager in which the graph is built                                          |
    | make_trainer   | returns the trainer of a built graph                                                 |
    | join           | agrees on where the training begins; returns the Progress to begin with              |
    | interrupts     | returns the list of the signals that end the training, which may grow                |
    | leave          | waits for the end of the other tasks' training                                       |
    """

    n_tasks = 1
    threads: Optional[int] = None
    server: Any = None

    def scope(self, group_key: int) -> Any:
        return contextlib.nullcontext()

    def make_trainer(self, session: TimedSession, model: GraphModel, arrays: Sequence[np.ndarray],
                     batch_size: int) -> GraphTrainer:
        return GraphTrainer(session, model, arrays, batch_size)

    def join(self, trainer: Any, progress: Optional[Progress], identity: Mapping[str, Any]) -> Progress:
        assert progress is not None
        return progress

    def interrupts(self, trainer: Any, received: List[int]) -> List[int]:
        return received

    def leave(self, trainer: Any) -> None:
        pass


class Workers(Alone):
    """This process trains as a task of a cluster.

    Args:
        cluster: Cluster.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.server, self.n_tasks, self.threads = cluster, cluster.n_tasks, cluster.threads

    def scope(self, group_key: int) -> Any:
        self.server.watch()
        return strategy.scope(Replicated(self.server.task, self.n_tasks, group_key))

    def make_trainer(self, session: TimedSession, model: GraphModel, arrays: Sequence[np.ndarray],
                     batch_size: int) -> WorkerTrainer:
        return WorkerTrainer(session, model, arrays, batch_size, self.server)

    def interrupts(self, trainer: WorkerTrainer, received: List[int]) -> List[int]:
        trainer.received = received
        return trainer.agreed

    def join(self, trainer: WorkerTrainer, progress: Optional[Progress], identity: Mapping[str, Any]) -> Progress:
        """Compare the tasks' identities; take over the chief's variables and progress.

        Args:
            trainer: of this task's copy of the network.
            progress: the chief's Progress; None in the other tasks.
            identity: sections.run.run_identity of each task's run.

        Raises:
            UserError: a task trains something else; or a task is lost.
        """
        self.server.wait_for_all()
        self._compare(trainer, identity)
        state = json.dumps(dataclasses.asdict(progress)).encode() if progress is not None else b""
        size, = self._from_chief(trainer, np.array([len(state)], np.int32))
        padded = np.frombuffer(state.ljust(-(-size // 4) * 4), np.int32) if state else np.zeros(-(-size // 4), np.int32)
        shared = Progress(**json.loads(self._from_chief(trainer, padded).tobytes()[:size]))
        for variable in trainer.model.variables:
            value = np.atleast_1d(trainer.session.run(variable))
            bits = self._from_chief(trainer, np.ascontiguousarray(value).view(np.int32).ravel())
            value = bits.view(value.dtype).reshape(variable.shape.as_list())
            # Feeding the initial value needs no new operation, so that a finalized graph can be set too.
            trainer.session.run(variable.initializer, {variable.initializer.inputs[1]: value})
        return progress if progress is not None else shared

    def leave(self, trainer: WorkerTrainer) -> None:
        """Wait until every task has ended its training; a task that is lost from here on does no harm."""
        try:
            trainer.sum_over_tasks(np.zeros(1, np.int32))
        except tf1.errors.OpError:
            pass
        self.server.watch(False)
        if not self.server.is_chief:
            time.sleep(0.5)  # the answers to the other tasks leave this process

    def _compare(self, trainer: WorkerTrainer, identity: Mapping[str, Any]) -> None:
        cluster = self.server
        table = np.zeros((self.n_tasks, len(REMEDIES), 8), np.int32)
        for number, part in enumerate(REMEDIES):
            content = json.dumps(identity[part], sort_keys=True).encode()
            table[cluster.task, number] = np.frombuffer(hashlib.sha256(content).digest(), np.int32)
        table = trainer.together(trainer.sum_over_tasks, table.ravel()).reshape(table.shape)
        for number, (part, remedy) in enumerate(REMEDIES.items()):
            differing = [cluster.name(other) for other in range(self.n_tasks)
                         if not np.array_equal(table[other, number], table[0, number])]
            if differing:
                cluster.watch(False)
                raise UserError(f"{', '.join(differing)} and {cluster.name(0)} differ in their {part}; {remedy}")

    def _from_chief(self, trainer: WorkerTrainer, values: np.ndarray) -> np.ndarray:
        """Return the chief's int32[n] in every task; the others give an array of the same size."""
        return trainer.together(trainer.sum_over_tasks, values if self.server.is_chief else np.zeros_like(values))
