"""The report: one file a section. sections.contract says what each file defines."""
from __future__ import annotations

import argparse
from typing import Dict, List

from tf1_autoencoders.sections import (
    section1_reconstruction,
    section2_horses,
    section3_denoising,
    section4_sequences,
)
from tf1_autoencoders.sections.contract import Section

SECTIONS: Dict[int, Section] = {module.SECTION.number: module.SECTION for module in (
    section1_reconstruction, section2_horses, section3_denoising, section4_sequences)}


def section_numbers(text: str) -> List[int]:
    """An argparse type: the sections that "all", "2" or "1,2" names, in the report's order."""
    names = {str(number): number for number in SECTIONS}
    chosen = list(names) if text == "all" else text.split(",")
    for name in chosen:
        if name not in names:
            raise argparse.ArgumentTypeError(f"{text}: expected all, or some of {', '.join(names)} such as 1,2")
    return sorted({names[name] for name in chosen})


def one_section(text: str) -> str:
    """An argparse type: the number of one section, as text."""
    if text not in map(str, SECTIONS):
        raise argparse.ArgumentTypeError(f"{text}: expected one section at a time, of {', '.join(map(str, SECTIONS))}")
    return text
