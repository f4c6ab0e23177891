"""Measures of how far apart two sets of numbers are."""
from __future__ import annotations

from typing import Any, Mapping

import numpy as np


def mean_squared_error(values: Any, references: Any) -> float:
    """Return the mean squared difference of two arrays of one shape, summed in float64."""
    return float(np.mean(_squared_differences(values, references)))


def peak_signal_to_noise_ratio(images: np.ndarray, clean: np.ndarray) -> float:
    """Return the PSNR in decibels of images [n, ...] in 0..1 against clean ones: the mean of -10 log10(MSE)."""
    squares = _squared_differences(images, clean).reshape(len(clean), -1)
    return float(np.mean(-10 * np.log10(np.maximum(squares.mean(axis=1), 1e-12))))


def _squared_differences(values: Any, references: Any) -> np.ndarray:
    """Return (values - references) ** 2 as float64, in the memory of one such array."""
    differences = np.subtract(values, references, dtype=np.float64)
    differences *= differences
    return differences


def structural_similarity(images: np.ndarray, clean: np.ndarray) -> float:
    """Return the mean SSIM of images [n, height, width, 1] in 0..1 against clean ones: 1 for equal images.

    Means, variances and the covariance are taken under a Gaussian window of 11 x 11 pixels with sigma 1.5, wherever
    the window lies inside the image; the constants are 0.01 ** 2 and 0.03 ** 2.

    Source: Wang, Bovik, Sheikh and Simoncelli (2004), Image Quality Assessment: From Error Visibility to Structural
    Similarity.
    """
    window = np.exp(-np.arange(-5, 6) ** 2 / (2 * 1.5 ** 2))
    window /= window.sum()

    def blur(x: np.ndarray) -> np.ndarray:
        for axis in (1, 2):
            n = x.shape[axis] - len(window) + 1
            x = sum(weight * np.take(x, range(k, k + n), axis) for k, weight in enumerate(window))
        return x
    x, y = (np.asarray(values, np.float64).reshape(values.shape[:3]) for values in (images, clean))
    mean_x, mean_y = blur(x), blur(y)
    variance_x, variance_y = blur(x * x) - mean_x ** 2, blur(y * y) - mean_y ** 2
    covariance = blur(x * y) - mean_x * mean_y
    return float(np.mean((2 * mean_x * mean_y + 1e-4) * (2 * covariance + 9e-4)
                         / ((mean_x ** 2 + mean_y ** 2 + 1e-4) * (variance_x + variance_y + 9e-4))))


def log_distance(values: Mapping[str, float], references: Mapping[str, float]) -> float:
    """Return the root mean square of log(value / reference), over the names that both mappings have."""
    ratios = [np.log(values[name] / references[name]) for name in references if name in values]
    return float(np.sqrt(np.mean(np.square(ratios))))
