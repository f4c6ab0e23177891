"""The report: one file a section. sections.contract says what each file defines."""
from __future__ import annotations

from typing import Dict

from tf1_autoencoders.sections import (
    section1_reconstruction,
    section2_horses,
    section3_denoising,
    section4_sequences,
)
from tf1_autoencoders.sections.contract import Section

SECTIONS: Dict[int, Section] = {module.SECTION.number: module.SECTION for module in (
    section1_reconstruction, section2_horses, section3_denoising, section4_sequences)}
