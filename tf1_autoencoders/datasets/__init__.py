"""The data sets of the report as numpy arrays, without TensorFlow."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

DRAWN_SAMPLE = "drawn sample"


class Source(NamedTuple):
    """The origin of data; every result made from the drawn sample must say so."""

    name: str  # name of the data set, e.g. CIFAR-10
    kind: str  # official | unverified copy | drawn sample | drawn as in the report (section 4)
    where: str  # for people: the folder, or how the data was made

    @property
    def is_sample(self) -> bool:
        return self.kind == DRAWN_SAMPLE

    @property
    def mark(self) -> str:
        """What stands beside a result made from this data: nothing, or that the data is the drawn sample."""
        return f" ({DRAWN_SAMPLE})" if self.is_sample else ""

    def __str__(self) -> str:
        return f"{self.name}, {self.kind} ({self.where})"


class LabelledImages(NamedTuple):
    """One split of a data set.

    | field  | dtype[shape]  | meaning                                                            |
    |--------|---------------|--------------------------------------------------------------------|
    | x      | uint8[n, ...] | images, 0..255, in the layout of the data set's own files          |
    | y      | uint8[n]      | classes, 0..9                                                      |
    | source | Source        | origin of the images                                               |
    """

    x: np.ndarray
    y: np.ndarray
    source: Source
