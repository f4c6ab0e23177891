"""Our graph, trained as the package trains it."""
from __future__ import annotations

from typing import Any, Callable, Dict

import numpy as np

from benchmarks.tasks import Task
from tf1_autoencoders.distributed.coordination import Alone
from tf1_autoencoders.keras_twin.weights import set_graph_weights
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.training.loop import fit
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.frameworks import tf1


class Implementation:
    """A section's graph in a session, trained by training.loop.fit.

    Args:
        task: Task.
        session_class: class of the session.
        group: coordination.Workers, or Alone to train alone.
        options: further arguments of the session.
    """

    def __init__(self, task: Task, session_class: Callable[..., TimedSession] = TimedSession,
                 group: Alone = Alone(), **options: Any) -> None:
        section = SECTIONS[task.number]
        self.task, self.next_rows = task, task.make_next_rows()
        with group.scope(task.number):
            self.model = section.build_graph(section.settings_class(**task.settings))
        self.threads = task.threads or section.threads
        self.session = session_class(self.model, self.threads, server=group.server, **options)
        self.session.run(self.model.initializer)
        set_graph_weights(self.session, self.model, task.weights)
        self.trainer = group.make_trainer(self.session, self.model, task.arrays, task.batch_size)

    def fit(self, n_rows: int, n_epochs: int, on_lap: Callable[[], None]) -> None:
        evaluation: Dict[str, Any] = {}
        if self.task.number == 2:  # as in section2_horses.fit_arguments
            evaluation = dict(evaluate_every=self.task.epochs_per_lap,
                              evaluation_rows=lambda epoch: self.next_rows(self.task.batch_size))
        for _ in fit(self.trainer, n_epochs=n_epochs, rows_for_epoch=lambda epoch: self.next_rows(n_rows),
                     **evaluation):
            on_lap()

    def predict(self, n: int) -> np.ndarray:
        return self.trainer.predict(*(array[:n] for array in self.task.arrays))

    def about(self) -> Dict[str, Any]:
        return {"TensorFlow": tf1.version.VERSION, "threads": self.threads or "TensorFlow's default"}
