"""Published beside measured: is a published number inside the spread that the seeds have here?"""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tf1_autoencoders.errors import UserError
from tf1_autoencoders.paths import RESULTS, shown
from tf1_autoencoders.published import NUMBERS

SHIPPED = Path(__file__).resolve().parent / "bands.json"  # measured on the real data by `spread`
OWN = RESULTS / "bands.json"  # what `spread` writes; takes precedence

NOTES = {}  # section -> why its published numbers lie where they do

HEADER = ("number", "published", "measured", "seeds: mean ± std", "verdict")


def bands(section, preset):
    """{number's name: values over seeds} measured for a section's preset; {} where none were.

    Raises:
        UserError: the file is not what `spread` writes.
    """
    for file in (OWN, SHIPPED):
        try:
            stored = json.loads(file.read_text()).get(key(section, preset))
            if stored:
                return {name: [float(value) for value in values] for name, values in stored["values"].items()}
        except FileNotFoundError:
            continue
        except (ValueError, AttributeError, KeyError, TypeError, OSError) as error:
            raise UserError(f"{shown(file)}: not the bands that `spread` writes ({error}); remove it") from error
    return {}


def key(section, preset):
    """Under which the bands of a section's preset stand in the file."""
    return f"section {section}, preset {preset}"


def verdict(published, values):
    """In words: where a published number lies in the spread of the values that the seeds gave here.

    Inside is within two standard deviations of the mean, or between the lowest and the highest value.
    """
    if len(values) < 2:
        return "no band"
    mean, deviation = np.mean(values), np.std(values, ddof=1)
    low, high = min(min(values), mean - 2 * deviation), max(max(values), mean + 2 * deviation)
    if low <= published <= high:
        return "inside"
    return f"{abs(published / mean - 1):.0%} {'below' if published < mean else 'above'} the mean"


def compare(section, preset, measured):
    """Rows under HEADER for each published number of a section that was measured; measured is {name: value}."""
    spread = bands(section, preset)
    rows = []
    for name, value in NUMBERS[section].items():
        if name in measured:
            values = spread.get(name, [])
            band = f"{np.mean(values):.4g} ± {np.std(values, ddof=1):.2g} ({len(values)})" if len(values) > 1 else "-"
            rows.append((name, f"{value:.4g}" if value < 1 else f"{value:.5g}", f"{measured[name]:.4g}"
                         if measured[name] < 1 else f"{measured[name]:.5g}", band, verdict(value, values)))
    return rows
