"""Which rows of the data are trained on, and in which order: plain functions of numbers."""
from __future__ import annotations

import math

import numpy as np

from tf1_autoencoders.errors import UsageError


class RowsInTurn:
    """Rows of n in their order, over and over: the position in the data of the report's repeated batches."""

    def __init__(self, n_rows):
        self.n_rows, self.position = n_rows, 0

    def take(self, n):
        rows = np.arange(self.position, self.position + n) % self.n_rows
        self.position = (self.position + n) % self.n_rows
        return rows


def shuffled(rows, seed, epoch):
    """The rows (or, given a number, that many) in an order that is a function of (seed, epoch)."""
    return np.random.default_rng([seed, epoch]).permutation(rows)


def n_train(n_rows, validation_share):
    """How many of n_rows are trained on, as scikit-learn's train_test_split counts; the rest is for validation."""
    return n_rows - math.ceil(validation_share * n_rows)


def check_batch_size(batch_size, n_rows, what):
    """Raises UsageError where a batch would be larger than the data; `what` names the rows for the message."""
    if batch_size > n_rows:
        raise UsageError(f"--batch-size {batch_size}: there are {n_rows} {what}; choose 1 to {n_rows}")
