"""Our graph, trained as the package trains it."""
from __future__ import annotations

from benchmarks.tasks import Task
from tf1_autoencoders.keras_twin.weights import set_graph_weights
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.loop import fit
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.frameworks import tf1


class Contestant:
    """A section's graph in a session, behind training.fit.

    Args:
        task: Task.
        session: the class of its session.
        options: more arguments of the session.
    """

    def __init__(self, task: Task, session=TimedSession, **options):
        section = SECTIONS[task.number]
        self.task, self.take = task, task.turn()
        self.model = section.build_graph(section.Settings(**task.settings))
        self.threads = task.threads or section.THREADS
        self.session = session(self.model, self.threads, **options)
        self.session.run(self.model.initializer)
        set_graph_weights(self.session, self.model, task.weights)
        self.trainer = trainers.GraphTrainer(self.session, self.model, task.arrays, task.batch_size)

    def fit(self, n_rows, n_epochs, lap):
        measured = {} if self.task.number != 2 else dict(  # as runs/section2.py has it
            evaluate_every=self.task.epochs_per_lap, evaluation_rows=lambda epoch: self.take(self.task.batch_size))
        for _ in fit(self.trainer, n_epochs=n_epochs, rows_for_epoch=lambda epoch: self.take(n_rows), **measured):
            lap()

    def predict(self, n):
        return self.trainer.predict(*(array[:n] for array in self.task.arrays))

    def about(self):
        return {"TensorFlow": tf1.version.VERSION, "threads": self.threads or "TensorFlow's default"}
