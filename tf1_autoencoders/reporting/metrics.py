"""How far apart two sets of numbers are."""
from __future__ import annotations

import numpy as np


def mean_squared_error(values, references):
    """The mean over all numbers, summed in float64."""
    return float(np.mean(np.square(np.subtract(values, references, dtype=np.float64))))


def peak_signal_to_noise_ratio(pictures, clean):
    """PSNR in decibels of pictures [n, ...] in 0..1 against the clean ones: -10 log10(MSE), the mean over pictures."""
    squares = np.square(np.subtract(pictures, clean, dtype=np.float64)).reshape(len(clean), -1)
    return float(np.mean(-10 * np.log10(np.maximum(squares.mean(axis=1), 1e-12))))


def log_distance(values, references):
    """The root mean square of log(value / reference), over the names that {name: number} and {name: number} share."""
    ratios = [np.log(values[name] / references[name]) for name in references if name in values]
    return float(np.sqrt(np.mean(np.square(ratios))))
