"""Two averages of an epoch's batches: the mean over its rows, and what the progress bar of an older Keras showed.

In TensorFlow 2.3 and 2.4, in the first `fit` after `compile` with verbose=1, the progress bar does not show the epoch's
mean loss. It shows the mean of the running means: after each step, `fit` hands the bar the mean of all steps so far,
and the bar averages these once more, as if each were the value of a step. The bar asks the model for the names of its
metrics, which it would show as they are, before the first batch has created them. `history` and val_loss are right, and
so is the bar of a second `fit` of the same compiled model. The bar of Keras 3.0 to 3.10 does so in every `fit`.
"""
from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

import numpy as np

PREFIX = "progress_bar_"  # a metric's name with this prefix is what the progress bar showed


def batch_sizes(n: int, batch_size: int) -> List[int]:
    """Return the sizes of the batches that n rows are split into; the last batch may be short."""
    return [min(batch_size, n - k) for k in range(0, n, batch_size)]


def epoch_mean(values: Sequence[float], sizes: Sequence[int]) -> float:
    """Return the mean over rows of the means over batches, as Keras weights a short last batch.

    Args:
        values: the mean of a metric over each batch.
        sizes: rows of each batch.
    """
    return float(np.average(values, weights=sizes))


def running_means(values: Sequence[float], sizes: Sequence[int]) -> np.ndarray:
    """Return the epoch_mean of the first batch, of the first two, ... of all: float64[n_batches]."""
    weights = np.asarray(sizes, np.float64)
    return np.cumsum(np.multiply(values, weights)) / np.cumsum(weights)


def mean_of_running_means(means: Any) -> float:
    """Return what the progress bar showed at the end of an epoch, from the running means after each of its K steps.

    The bar counts each running mean once and the last one twice, since the end of the epoch updates the bar again:
    (m_1 + ... + m_K + m_K) / (K + 1).

    Args:
        means: float[K].

    Source: ProgbarLogger in callbacks.py and Progbar in generic_utils.py of Keras in TensorFlow 2.4.1.
    """
    return float((np.sum(means) + means[-1]) / (len(means) + 1))


def progress_bar_mean(values: Sequence[float], sizes: Sequence[int]) -> float:
    """Return what the progress bar showed for an epoch, from the mean over each batch; see the module's docstring.

    Args:
        values: the mean of a metric over each batch, in the order of the steps.
        sizes: rows of each batch.
    """
    return mean_of_running_means(running_means(values, sizes))


def epoch_metrics(batch_metrics: Sequence[Mapping[str, Any]], sizes: Sequence[int]) -> Dict[str, float]:
    """Return {progress_bar_NAME: what the bar showed} and {NAME: the epoch's mean} of each metric.

    Args:
        batch_metrics: {metric: mean over the batch} of each batch.
        sizes: rows of each batch.
    """
    values = {name: [float(batch[name]) for batch in batch_metrics] for name in batch_metrics[0]}
    return {**{PREFIX + name: progress_bar_mean(of_batches, sizes) for name, of_batches in values.items()},
            **{name: epoch_mean(of_batches, sizes) for name, of_batches in values.items()}}
