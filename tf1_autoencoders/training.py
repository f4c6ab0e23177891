"""The only session loop: it trains and runs any GraphModel and knows no section."""
from __future__ import annotations

import math
import sys
import time
from typing import Dict, NamedTuple

import numpy as np
from tqdm import tqdm

from tf1_autoencoders.errors import UserError
from tf1_autoencoders.frameworks import tf1


class Measurement(NamedTuple):
    """What the model's metrics were, on one batch, after an epoch (counted from 0)."""

    epoch: int
    metrics: Dict[str, float]


class Session:
    """A tf1.Session on a model's graph that counts the seconds spent inside run(); a context manager.

    Args:
        model: GraphModel.
        threads: CPU threads within and between operations; 0 leaves the number to TensorFlow.
    """

    def __init__(self, model, threads=0):
        config = tf1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
        self.tf1_session = tf1.Session(graph=model.graph, config=config)
        self.seconds_in_run = 0.0

    def run(self, fetches, feed_dict=None):
        start = time.perf_counter()
        try:
            return self.tf1_session.run(fetches, feed_dict)
        finally:
            self.seconds_in_run += time.perf_counter() - start

    def __enter__(self):  # the default graph stays as it is, so that eager Keras can be used in the block
        return self

    def __exit__(self, *_):
        self.tf1_session.close()


def start_data(session, model, arrays, batch_size):
    """Feed the arrays to the input pipeline, once: from here on each batch comes from inside the graph."""
    feeds = dict(zip(model.data, arrays))
    session.run(model.data_initializer, {**feeds, model.batch_size: batch_size})


def fit(session, model, arrays, *, batch_size, n_epochs, steps_per_epoch, print_every, shuffle_seed=None,
        on_first_batch=None):
    """Train, and yield a Measurement after epochs 0, print_every, 2 * print_every, ...

    Without shuffling the arrays are fed once and batches run on across the end of the data and of the epoch; each
    Measurement takes a further batch from the same pipeline, as `mse.eval()` does in the report's source. With a
    shuffle_seed the rows are fed anew at each epoch, in an order that is a function of (shuffle_seed, epoch).

    Args:
        session: Session in which the model's variables have their values.
        model: GraphModel.
        arrays: tuple of float32 arrays [n, ...], one for each of model.data.
        batch_size, n_epochs, steps_per_epoch, print_every: whole numbers, 1 or more.
        shuffle_seed: whole number, 0 or more, or None for no shuffling.
        on_first_batch: called with the shape of a batch that is taken from the pipeline before training and not
            trained on, as the report's source does to print it; None: no batch is taken.

    Raises:
        UserError: a metric is no longer finite.
    """
    if shuffle_seed is None:
        start_data(session, model, arrays, batch_size)
        if on_first_batch:
            on_first_batch(session.run(model.features).shape)
    epochs = tqdm(range(n_epochs), desc="Training", unit="epoch", leave=False, file=sys.stderr, disable=None)
    for epoch in epochs:
        if shuffle_seed is not None:
            order = np.random.default_rng([shuffle_seed, epoch]).permutation(len(arrays[0]))
            start_data(session, model, [array[order] for array in arrays], batch_size)
        for _ in range(steps_per_epoch):
            session.run(model.train_op)
        if epoch % print_every == 0:
            metrics = {name: float(value) for name, value in session.run(model.metrics).items()}
            for name, value in metrics.items():
                if not math.isfinite(value):
                    raise UserError(f"epoch {epoch}: the {name} is {value}, training has diverged; "
                                    "try a smaller --learning-rate (nothing was saved)")
            epochs.set_postfix({name: f"{value:.4g}" for name, value in metrics.items()}, refresh=False)
            yield Measurement(epoch, metrics)


def predict(session, model, arrays, batch_size):
    """The model's outputs for every row of the arrays, float32[n, ...], in batches of `batch_size`."""
    n_rows = len(arrays[0])
    start_data(session, model, arrays, batch_size)
    outputs = [session.run(model.outputs) for _ in range(0, n_rows, batch_size)]
    return np.concatenate(outputs)[:n_rows]
