"""What anybody would try first on the same data: the mean image, principal components, neighbours, a median filter.

A network's error means little without the error of something simple beside it.
"""
from __future__ import annotations

from typing import List, NamedTuple, Tuple

import numpy as np

from tf1_autoencoders.reporting.metrics import mean_squared_error

IMAGES_AT_ONCE = 1000  # in median_filter, which needs the memory of ten copies, and in nearest_neighbours
COLLAPSE_THRESHOLD = 0.9  # fraction of a constant answer's error above which a network counts as collapsed


class FinalError(NamedTuple):
    """The error of a trained network beside that of the best answer that is the same for every input.

    | field    | meaning                                                     |
    |----------|-------------------------------------------------------------|
    | measure  | what both are, such as "MSE over 1000 training images"      |
    | network  | the network's                                               |
    | constant | the constant answer's                                       |
    | answer   | the constant answer, such as "the mean image"               |
    """

    measure: str
    network: float
    constant: float
    answer: str = "the mean image"

    @property
    def collapsed(self) -> bool:
        """Return whether the network is hardly better than the constant answer, or no better."""
        return not self.network <= COLLAPSE_THRESHOLD * self.constant  # so that NaN is a collapse

    def __str__(self) -> str:
        return f"{self.measure} {self.network:.4g}, that of {self.answer} {self.constant:.4g}"


def error_against_the_mean_image(outputs: np.ndarray, targets: np.ndarray) -> FinalError:
    """Return the FinalError of outputs for training images, both float[n, ...], against the mean of the targets."""
    rows = targets.reshape(len(targets), -1)
    return FinalError(f"MSE over {len(targets)} training images", mean_squared_error(outputs, targets),
                      mean_squared_error(mean_image(rows, rows), rows))


def mean_image(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the mean of the training rows in place of each test row: float [n, width] -> float64[n_test, width]."""
    return np.broadcast_to(train.mean(axis=0, dtype=np.float64), test.shape)


def principal_components(train: np.ndarray, n_components: int) -> Tuple[np.ndarray, np.ndarray]:
    """Return the mean and the directions of largest variance of the training rows.

    Args:
        train: float[n, width].
        n_components: number of directions, at most n and at most the width.

    Returns:
        (mean float64[width], directions float64[n_components, width], orthonormal, the largest variance first).
    """
    mean = train.mean(axis=0, dtype=np.float64)
    if len(train) < train.shape[1]:
        return mean, np.linalg.svd(train - mean, full_matrices=False)[2][:n_components]
    # The eigenvectors of the covariance are the right singular vectors of the rows; of many rows they cost less.
    blocks = (block - mean for block in np.array_split(train, -(-len(train) // 4096)))
    _, directions = np.linalg.eigh(sum(block.T @ block for block in blocks))
    return mean, directions.T[::-1][:n_components]


def reconstruct_by_pca(train: np.ndarray, test: np.ndarray, *numbers: int) -> List[np.ndarray]:
    """Return the test rows projected on that many principal components of the training rows, for each of the numbers.

    test float[n_test, width] -> [float64[n_test, width], ...].

    No linear autoencoder with as many code units as components has a smaller squared error on the training rows.
    """
    mean, directions = principal_components(train, max(numbers))
    return [(test - mean) @ directions[:n].T @ directions[:n] + mean for n in numbers]


def nearest_neighbours(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the number of the training row at the smallest distance from each test row: int64[n_test].

    Args:
        train, test: float[n, width] and float[n_test, width].
    """
    train, squares = train.astype(np.float32), np.square(train, dtype=np.float64).sum(axis=1).astype(np.float32)
    # Of (test - train) ** 2, the square of the test row is the same for all training rows.
    return np.concatenate([np.argmin(squares - 2 * (rows.astype(np.float32) @ train.T), axis=1)
                           for rows in np.array_split(test, -(-len(test) // IMAGES_AT_ONCE))])


def median_filter(images: np.ndarray) -> np.ndarray:
    """Return the median of each pixel's 3 x 3 neighbourhood, edges repeated: float[n, h, w, 1] -> the same shape."""
    if len(images) > IMAGES_AT_ONCE:
        return np.concatenate([median_filter(images[k:k + IMAGES_AT_ONCE])
                               for k in range(0, len(images), IMAGES_AT_ONCE)])
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    low, middle, high = _sorted_three(padded[:, :-2], padded[:, 1:-1], padded[:, 2:])  # of each column of three pixels
    # The median of nine is that of the largest low, the median middle and the smallest high of three sorted columns.
    width = images.shape[2]
    lows, middles, highs = (_sorted_three(*(values[:, :, k:k + width] for k in range(3)))
                            for values in (low, middle, high))
    return _sorted_three(lows[2], middles[1], highs[0])[1]


def _sorted_three(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the smallest, the middle and the largest of three arrays, element by element."""
    smaller, larger = np.minimum(a, b), np.maximum(a, b)
    return np.minimum(smaller, c), np.maximum(smaller, np.minimum(larger, c)), np.maximum(larger, c)
