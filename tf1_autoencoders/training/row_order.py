"""Which rows of the data are trained on, and in which order: plain functions of numbers."""
from __future__ import annotations

import math

import numpy as np

from tf1_autoencoders.utils.errors import UsageError


def in_turn(first, n, n_rows):
    """n of n_rows in their order, over and over, from `first` on: what the report's repeated batches take."""
    return np.arange(first, first + n) % n_rows


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
