"""Published beside measured: do the published number and this run's lie in the spread of the seeds measured here?"""
from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.utils.epoch_means import PREFIX
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.files import read_json
from tf1_autoencoders.utils.paths import RESULTS, display_path

SHIPPED_BANDS = Path(__file__).resolve().parent / "seed_bands.json"  # measured on the real data by `spread`
OWN_BANDS = RESULTS / "seed_bands.json"  # written by `spread`; takes precedence
HEADER = ("number", "published", "this run", "true mean", "seeds: mean ± std (n)", "published is", "this run is")
REPORT = "report"  # the preset of the published run
NOT_JUDGED = "not judged"  # begins the verdict on a number that no band of seeds can judge
MISS_RATE = 0.05  # of the prediction interval: how often a further seed of the same kind lies outside
COLLAPSED = "collapsed"  # a number of each run: 1 if its network has collapsed, which no band counts
MIN_SEEDS = 5  # in a file of bands; fewer do not judge


class SeedBands(NamedTuple):
    """The values that a section's preset gave over seeds, on one backend.

    | field       | meaning                                                                     |
    |-------------|-----------------------------------------------------------------------------|
    | values      | {name: one value per seed that did not collapse}; {} if none were measured  |
    | n_collapsed | number of seeds that are left out because their network collapsed           |
    | file        | where they stand, for people; "" if none were measured                      |
    """

    values: Dict[str, List[float]]
    n_collapsed: int
    file: str = ""

    def __str__(self) -> str:
        if not self.values:
            return ""
        n, left_out = max(map(len, self.values.values())), self.n_collapsed
        return f"judged by {n} seeds in {self.file}" + (f" ({left_out} more collapsed)" if left_out else "")

    def seeds(self, names: Iterable[str]) -> List[Dict[str, float]]:
        """Return {name: value} of each seed that has all the names."""
        columns = {name: self.values.get(name, []) for name in names}
        return [dict(zip(columns, values)) for values in zip(*columns.values())]


def read_bands(file: Path) -> Dict[str, Any]:
    """Read a file of seed bands.

    Returns:
        {band_key(section, preset): {"values": {name: [one value per seed]}, ...}}; {} if there is no file.

    Raises:
        UserError: `spread` did not write the file.
    """
    try:
        bands = read_json(file)
        if not isinstance(bands, dict) or not all(
                isinstance(entry, dict) and isinstance(entry.get("values"), dict) for entry in bands.values()):
            raise ValueError("it has no table of values for each section")
        for entry in bands.values():
            for name, values in entry["values"].items():
                if type(values) is not list or not all(_is_number(value) for value in values):
                    raise ValueError(f"{name[:80]} is not a list of numbers below 1e18")
        return bands
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise UserError(f"{display_path(file)}: not the bands that `spread` writes ({one_line(error)}); "
                        "remove the file") from error


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e18  # neither NaN nor more than numpy's int64


def seed_bands(section_number: int, preset: str, backend: str = "graph") -> SeedBands:
    """Return the values over seeds of a section's preset, without those of collapsed runs.

    A file of one's own takes precedence over the one that comes with the project, if it has MIN_SEEDS of them.

    Raises:
        UserError: `spread` did not write a file of bands.
    """
    for file in (OWN_BANDS, SHIPPED_BANDS):
        entry = read_bands(file).get(band_key(section_number, preset, backend))
        if entry:
            values, n_collapsed = without_collapsed(entry["values"])
            if max(map(len, values.values()), default=0) >= MIN_SEEDS:
                return SeedBands(values, n_collapsed, display_path(file))
    return SeedBands({}, 0)


def without_collapsed(values: Mapping[str, Sequence[float]]) -> Tuple[Dict[str, List[float]], int]:
    """Return {name: values of the seeds whose networks did not collapse}, without COLLAPSED, and how many did."""
    collapsed = values.get(COLLAPSED, [])
    return {name: [value for k, value in enumerate(of_seeds) if not any(collapsed[k:k + 1])]
            for name, of_seeds in values.items() if name != COLLAPSED}, sum(map(bool, collapsed))


def band_key(section_number: int, preset: str, backend: str = "graph") -> str:
    """Return the key of a section's preset in the file of seed bands; the graph's key does not name the backend."""
    return f"section {section_number}, preset {preset}" + (f", backend {backend}" if backend != "graph" else "")


def prediction_interval(values: Sequence[float]) -> Tuple[float, float]:
    """Return the interval that a further draw from the same normal distribution misses with probability MISS_RATE.

    The interval is mean ± t * s * sqrt(1 + 1 / n), with the quantile t of Student's distribution for n - 1 degrees of
    freedom. The rule is right for any number n of seeds; with n = 3, mean ± 2 s would be missed by 22 % of the draws.

    Args:
        values: two numbers or more.
    """
    n = len(values)
    half = students_quantile(1 - MISS_RATE / 2, n - 1) * float(np.std(values, ddof=1)) * math.sqrt(1 + 1 / n)
    return float(np.mean(values)) - half, float(np.mean(values)) + half


@lru_cache(maxsize=None)
def students_quantile(probability: float, degrees: int) -> float:
    """Return the quantile of Student's t distribution, for a probability of 0.5 or more, from a table of its integral.

    Args:
        probability: 0.5 to 0.9999.
        degrees: degrees of freedom, 1 or more.
    """
    # With t = sqrt(degrees) * tan(angle), the density becomes cos(angle) ** (degrees - 1), on a bounded interval.
    angles = np.linspace(0, math.pi / 2, 100001)
    density = np.cos(angles) ** (degrees - 1)
    below = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return math.sqrt(degrees) * math.tan(float(np.interp(2 * probability - 1, below / below[-1], angles)))


def verdict(number: float, values: Sequence[float]) -> str:
    """Return whether a number is in the prediction interval of the values over seeds, or how far from their mean."""
    if len(values) < 2:
        return "no band"
    low, high = prediction_interval(values)
    if low <= number <= high:
        return "inside"
    mean = float(np.mean(values))
    return f"{abs(number / mean - 1):.0%} {'below' if number < mean else 'above'} the mean"


def is_outside(text: str) -> bool:
    """Return whether this verdict is one on a number outside the interval."""
    return text.endswith("the mean")


def miss_rate(values: Sequence[float]) -> float:
    """Return the fraction of the values that lie outside the prediction interval of the others (leave-one-out)."""
    rest = [[*values[:k], *values[k + 1:]] for k in range(len(values))]
    return float(np.mean([verdict(value, others) != "inside" for value, others in zip(values, rest)]))


def compare_with_published(published: Mapping[str, float], bands: SeedBands, measured: Mapping[str, float],
                           changed: Sequence[str] = (), preset: str = REPORT,
                           collapsed: bool = False) -> List[Tuple[str, ...]]:
    """Return a row under HEADER for each published number that was measured.

    There are two questions. Is the published number one that these seeds could have given? Is this run's? If the run
    has other settings than its preset, or its network has collapsed, there is no verdict on the run. Seeds of another
    preset than the report's say nothing about the published number.

    Args:
        published, measured: {name: value}.
        bands: SeedBands of the run's preset and backend.
        changed: names of the settings in which the run differs from its preset, the seed apart.
        preset: of the run and of the bands.
        collapsed: whether the run's network has collapsed.
    """
    reason = "its network has collapsed" if collapsed else f"{', '.join(changed)} changed" if changed else ""
    rows: List[Tuple[str, ...]] = []
    for name, value in published.items():
        if name in measured:
            values = bands.values.get(name, [])
            band = f"{format_number(np.mean(values))} ± {format_number(np.std(values, ddof=1))} ({len(values)})" \
                if len(values) > 1 else "-"
            true_mean = measured.get(name.replace(PREFIX, "")) if PREFIX in name else None
            rows.append((name, format_number(value), format_number(measured[name]), format_number(true_mean), band,
                         verdict(value, values) if preset == REPORT else f"{NOT_JUDGED}: the run's preset is {preset}",
                         f"{NOT_JUDGED}: {reason}" if reason else verdict(measured[name], values)))
    return rows


def count_verdicts(rows: Sequence[Sequence[str]]) -> List[str]:
    """Return two lines: how many published numbers, and how many of this run's, lie inside the spread over seeds.

    Args:
        rows: of compare_with_published.
    """
    columns = [dict(zip(HEADER, row)) for row in rows]
    published, measured = ([row.get(name, "no band") for row in columns] for name in HEADER[-2:])
    lines = []
    for verdicts, what in ((published, "published numbers"), (measured, "numbers of this run")):
        judged = [text for text in verdicts if text != "no band" and not text.startswith(NOT_JUDGED)]
        if judged:
            lines.append(_inside_the_spread(judged.count("inside"), len(judged), what))
    lines += [f"{what} {text}" for what, verdicts in (("The published numbers are", published),
                                                      ("This run is", measured))
              for text in sorted({text for text in verdicts if text.startswith(NOT_JUDGED)})]
    return lines or ["The spread over seeds was not measured"]


def _inside_the_spread(n_inside: int, n_numbers: int, what: str) -> str:
    return f"{n_inside} of {n_numbers} {what} lie inside the spread of the seeds"


class Tally(NamedTuple):
    """How many published numbers lie inside the spread, and how many would leave it by chance."""

    n_inside: int
    n_numbers: int
    expected_outside: float  # numbers of a run like ours, by leave-one-out over our own seeds

    def __str__(self) -> str:
        return (f"{_inside_the_spread(self.n_inside, self.n_numbers, 'published numbers')}; by chance, "
                f"{self.expected_outside:.1f} numbers of a run of ours would lie outside")


def tally(published: Mapping[str, float], bands: SeedBands) -> Tally:
    """Count the published numbers, {name: value}, that lie inside the spread over seeds."""
    numbers = {name: bands.values[name] for name in published if len(bands.values.get(name, [])) > 2}
    return Tally(sum(verdict(published[name], values) == "inside" for name, values in numbers.items()), len(numbers),
                 sum(map(miss_rate, numbers.values())))


def format_number(value: Optional[Any]) -> str:
    """Format a number as the report prints its kind: losses with four decimals, grey levels with one; None as ""."""
    return "" if value is None else f"{value:.4f}" if value < 10 else f"{value:.1f}"
