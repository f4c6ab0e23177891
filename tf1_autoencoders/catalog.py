"""The sections that a command can be asked for."""
from __future__ import annotations

from typing import Any, Callable, NamedTuple

from tf1_autoencoders import runs, section2_horses


class Section(NamedTuple):
    """A section of the report: its file, and its run to the last picture, and a run for its numbers only."""

    module: Any
    run: Callable
    measure: Callable


SECTIONS = {2: Section(section2_horses, runs.section2, runs.measure_section2)}
