"""Published beside measured: is a published number inside the spread that the seeds have here?"""
from __future__ import annotations

from pathlib import Path

import numpy as np

from tf1_autoencoders.reporting.published import NUMBERS
from tf1_autoencoders.utils.errors import UserError, brief
from tf1_autoencoders.utils.files import read_json
from tf1_autoencoders.utils.paths import RESULTS, shown

SHIPPED = Path(__file__).resolve().parent / "seed_bands.json"  # measured on the real data by `spread`
OWN = RESULTS / "seed_bands.json"  # what `spread` writes; takes precedence

# Section -> why its published numbers lie where they do.
NOTES = {
    1: "The first epoch's mean loss is above that of every seed, in the graph and in Keras alike, while the val_loss "
       "after it is inside: the published network started from worse values, and was level after one epoch. The "
       "bands are of three seeds, so that a number or two in forty leaves them by chance.",
    2: "Every published number is inside. About one seed in ten collapses (its hidden layers die), which makes the "
       "later bands wide; the default seed is a typical one.",
    3: "Every published number is inside, once the curve is lined up with the fourth epoch of a fresh network: the "
       "published network had been trained for about three epochs before.",
    4: "The published network learned more slowly than that of any seed, in the graph and in Keras alike: its loss is "
       "the running mean here after 1200 of the 3125 steps. Keras's initial values, its epsilon, hard sigmoid gates, "
       "no forget bias and other readings of the seed sequence were tried, none gives these numbers; a learning rate "
       "of 0.0003 comes near the loss, but would not get five examples of five right."}

HEADER = ("number", "published", "measured", "seeds: mean ± std", "verdict")


def read(file):
    """A file of bands, {key(section, preset): {"values": {number: [value a seed]}, ...}}; {} where there is none.

    Raises:
        UserError: the file is not what `spread` writes.
    """
    try:
        stored = read_json(file)
        for entry in stored.values():
            for name, values in entry["values"].items():
                if type(values) is not list or not all(_is_number(value) for value in values):
                    raise ValueError(f"{name[:80]} is not a list of numbers below 1e18")
        return stored
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, KeyError, TypeError, OSError) as error:
        raise UserError(f"{shown(file)}: not the bands that `spread` writes ({brief(error)}); remove it") from error


def _is_number(value):
    return type(value) in (int, float) and abs(value) < 1e18  # neither NaN nor more than numpy's int64


def bands(section, preset):
    """{number's name: values over seeds} measured for a section's preset; {} where none were.

    Raises:
        UserError: a file of bands is not what `spread` writes.
    """
    for file in (OWN, SHIPPED):
        stored = read(file).get(key(section, preset))
        if stored:
            return stored["values"]
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
            band = f"{_text(np.mean(values))} ± {_text(np.std(values, ddof=1))} ({len(values)})" \
                if len(values) > 1 else "-"
            rows.append((name, _text(value), _text(measured[name]), band, verdict(value, values)))
    return rows


def _text(value):
    """A number as the report prints its kind: losses with four digits behind the point, grey levels with one."""
    return f"{value:.4f}" if value < 10 else f"{value:.1f}"
