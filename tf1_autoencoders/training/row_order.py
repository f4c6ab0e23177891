"""Which rows of the data each epoch takes, and in which order: plain functions of numbers."""
from __future__ import annotations

import math

import numpy as np

from tf1_autoencoders.utils.errors import UsageError


def cyclic_rows(first: int, n: int, n_rows: int) -> np.ndarray:
    """Return n row numbers from `first` on, counted round the end of n_rows: int64[n].

    These are the rows that `Dataset.repeat().batch()` takes, whose batches run across the end of the data.
    """
    return np.arange(first, first + n) % n_rows


def shuffled_rows(n_rows: int, seed: int, epoch: int) -> np.ndarray:
    """Return all row numbers in an order that depends on (seed, epoch) only: int64[n_rows]."""
    return np.random.default_rng([seed, epoch]).permutation(n_rows)


def n_training_rows(n_rows: int, validation_split: float) -> int:
    """Return how many of n_rows are trained on; the rest is the validation split.

    The count is that of scikit-learn's train_test_split, which rounds the validation split up.
    """
    return n_rows - math.ceil(validation_split * n_rows)


def check_batch_size(batch_size: int, n_rows: int, rows: str) -> None:
    """Raise UsageError if a batch would be larger than the data; `rows` names the rows in the message."""
    if batch_size > n_rows:
        raise UsageError(f"--batch-size {batch_size}: there are {n_rows} {rows}; choose 1 to {n_rows}")
