"""Measures of how far apart two sets of numbers are."""
from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np


def mean_squared_error(values: Any, references: Any) -> float:
    """Return the mean squared difference of two arrays of one shape, summed in float64."""
    return float(np.mean(np.square(np.subtract(values, references, dtype=np.float64))))


def peak_signal_to_noise_ratio(images: np.ndarray, clean: np.ndarray) -> float:
    """Return the PSNR in decibels of images [n, ...] in 0..1 against clean ones: the mean of -10 log10(MSE)."""
    squares = np.square(np.subtract(images, clean, dtype=np.float64)).reshape(len(clean), -1)
    return float(np.mean(-10 * np.log10(np.maximum(squares.mean(axis=1), 1e-12))))


def log_distance(values: Mapping[str, float], references: Mapping[str, float]) -> float:
    """Return the root mean square of log(value / reference), over the names that both mappings have."""
    ratios = [np.log(values[name] / references[name]) for name in references if name in values]
    return float(np.sqrt(np.mean(np.square(ratios))))


def progress_bar_mean(values: Sequence[float], sizes: Sequence[int]) -> float:
    """Return the number that the progress bar of TensorFlow 2.3 and 2.4 shows at the end of an epoch of a first `fit`.

    The bar averages the running means m_1, ..., m_K of the epoch's K steps, in which every step counts alike, and gets
    the last of them twice: (m_1 + ... + m_K + m_K) / (K + 1). The epoch's mean is m_K. Source: ProgbarLogger in
    tensorflow/python/keras/callbacks.py, which asks the model for its metrics before the first step has made them.

    Args:
        values: a loss or metric of each step.
        sizes: number of rows of each step, which weight the running means.
    """
    weights = np.asarray(sizes, np.float64)
    running_means = np.cumsum(np.asarray(values, np.float64) * weights) / np.cumsum(weights)
    return float((running_means.sum() + running_means[-1]) / (len(running_means) + 1))
