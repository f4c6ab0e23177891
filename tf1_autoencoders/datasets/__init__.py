"""The data sets of the report as numpy arrays; no TensorFlow here."""
from __future__ import annotations

from typing import Any, NamedTuple


class Pictures(NamedTuple):
    """One split of a data set.

    | field  | dtype[shape]  | meaning                                                            |
    |--------|---------------|--------------------------------------------------------------------|
    | x      | uint8[n, ...] | pictures, 0..255, laid out as the data set's own files have them   |
    | y      | uint8[n]      | classes, 0..9                                                      |
    | source | Source        | where they come from                                               |
    """

    x: Any
    y: Any
    source: "Source"


class Source(NamedTuple):
    """Where pictures come from; is_sample means drawn here, and every result made from them must say so."""

    name: str  # of the data set, e.g. CIFAR-10
    kind: str  # official | unverified copy | drawn sample | drawn as in the report (section 4)
    where: str  # for people: the folder, or how it was made

    @property
    def is_sample(self):
        return self.kind == "drawn sample"

    def __str__(self):
        return f"{self.name}, {self.kind} ({self.where})"
