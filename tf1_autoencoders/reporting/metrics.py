"""Measures of how far apart two sets of numbers are."""
from __future__ import annotations

from typing import Any, Mapping

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
