"""The sections that a command can be asked for."""
from __future__ import annotations

from typing import Any, Callable, NamedTuple

from tf1_autoencoders.sections import (
    section1,
    section1_reconstruction,
    section2,
    section2_horses,
    section3,
    section3_denoising,
    section4,
    section4_sequences,
)


class Section(NamedTuple):
    """A section of the report."""

    module: Any  # its file
    run: Callable  # (settings, results.Options) -> results.Report: the whole section
    measure: Callable  # (settings, data) -> {name: number}: its training only, for `spread`


SECTIONS = {module.NUMBER: Section(module, story.run, story.measure) for module, story in (
    (section1_reconstruction, section1), (section2_horses, section2), (section3_denoising, section3),
    (section4_sequences, section4))}
