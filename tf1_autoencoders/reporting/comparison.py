"""Published beside measured: is a published number inside the spread of the seeds measured here?"""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.files import read_json
from tf1_autoencoders.utils.paths import RESULTS, display_path

SHIPPED_BANDS = Path(__file__).resolve().parent / "seed_bands.json"  # measured on the real data by `spread`
OWN_BANDS = RESULTS / "seed_bands.json"  # written by `spread`; takes precedence
HEADER = ("number", "published", "measured", "seeds: mean ± std", "verdict")


def read_bands(file: Path) -> Dict[str, Any]:
    """Read a file of seed bands.

    Returns:
        {band_key(section, preset): {"values": {name: [one value per seed]}, ...}}; {} if there is no file.

    Raises:
        UserError: `spread` did not write the file.
    """
    try:
        bands = read_json(file)
        for entry in bands.values():
            for name, values in entry["values"].items():
                if type(values) is not list or not all(_is_number(value) for value in values):
                    raise ValueError(f"{name[:80]} is not a list of numbers below 1e18")
        return bands
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, KeyError, TypeError, OSError) as error:
        raise UserError(f"{display_path(file)}: not the bands that `spread` writes ({one_line(error)}); "
                        "remove the file") from error


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e18  # neither NaN nor more than numpy's int64


def seed_bands(section_number: int, preset: str) -> Dict[str, List[float]]:
    """Return {name: values over seeds} measured for a section's preset; {} if none were measured.

    Raises:
        UserError: `spread` did not write a file of bands.
    """
    for file in (OWN_BANDS, SHIPPED_BANDS):
        entry = read_bands(file).get(band_key(section_number, preset))
        if entry:
            return entry["values"]
    return {}


def band_key(section_number: int, preset: str, backend: str = "graph") -> str:
    """Return the key of a section's preset in the file of seed bands; the graph's key does not name the backend."""
    return f"section {section_number}, preset {preset}" + (f", backend {backend}" if backend != "graph" else "")


def verdict(published: float, values: Sequence[float]) -> str:
    """Say where a published number lies in the spread of the values over seeds.

    Inside means within two standard deviations of the mean, or between the lowest and the highest value.
    """
    if len(values) < 2:
        return "no band"
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    low, high = min(min(values), mean - 2 * deviation), max(max(values), mean + 2 * deviation)
    if low <= published <= high:
        return "inside"
    return f"{abs(published / mean - 1):.0%} {'below' if published < mean else 'above'} the mean"


def compare_with_published(published: Mapping[str, float], bands: Mapping[str, Sequence[float]],
                           measured: Mapping[str, float]) -> List[Tuple[str, ...]]:
    """Return a row under HEADER for each published number that was measured.

    Args:
        published, measured: {name: value}.
        bands: {name: values over seeds}.
    """
    rows: List[Tuple[str, ...]] = []
    for name, value in published.items():
        if name in measured:
            values = bands.get(name, [])
            band = f"{_format_number(np.mean(values))} ± {_format_number(np.std(values, ddof=1))} ({len(values)})" \
                if len(values) > 1 else "-"
            rows.append((name, _format_number(value), _format_number(measured[name]), band, verdict(value, values)))
    return rows


def _format_number(value: Any) -> str:
    """Format a number as the report prints its kind: losses with four decimals, grey levels with one."""
    return f"{value:.4f}" if value < 10 else f"{value:.1f}"
