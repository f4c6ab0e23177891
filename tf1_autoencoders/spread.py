"""`python -m tf1_autoencoders.spread`: train a section with K seeds; mean, standard deviation and range per number.

The report's runs have no seed, so each published number is one draw. The spread over seeds is what it is compared with.
Each seed's numbers are saved as soon as its training ends; the same command, also with a larger K, continues with the
seeds that are missing. The entry of the file holds the identity of the trainings, so that numbers of other settings,
data or versions are never mixed with them.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from tf1_autoencoders.checkpointing.store import first_difference
from tf1_autoencoders.reporting import comparison
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.sections import SECTIONS, one_section, plan
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.sections.run import RunOptions, measure, run_identity
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.files import make_writable_folder, write_atomically
from tf1_autoencoders.utils.interrupts import Interrupted
from tf1_autoencoders.utils.paths import display_path


def spread(args: argparse.Namespace) -> None:
    """Train each seed that the file lacks and add its numbers to the file; print a table."""
    section, file = SECTIONS[int(args.section)], Path(args.out)
    preset = cli.choose_from(section.presets, args.preset, "--preset")
    if file.is_dir():
        raise UsageError(f"--out {display_path(file)}: this is a folder; expected the name of a file, such as "
                         f"{display_path(file / comparison.OWN_BANDS.name)}")
    make_writable_folder(file.parent)
    comparison.read_bands(file)  # a damaged file is refused before the data is read
    cli.status(f"section {args.section}: loading TensorFlow and the data")
    data, source = section.load(preset, data=args.data, data_dir=args.data_dir)
    if source.is_sample:
        raise UserError("bands for the published numbers need the real data; name its folder with --data-dir")
    key = comparison.band_key(section.number, args.preset, args.backend)
    identity = spread_identity(section, preset, args, source, data)
    entry = None if args.restart else comparison.read_bands(file).get(key)
    entry = {"seeds": 0, "identity": identity, "values": {}} if entry is None else \
        checked_entry(entry, identity, f"{display_path(file)}: the seeds of {key}")
    n_saved = entry["seeds"]
    if n_saved:
        print(f"seeds that are in {display_path(file)} already: {n_saved}", flush=True)
    n_missing = max(0, args.seeds - n_saved)
    if n_missing:
        minutes = n_missing * plan.expected_minutes(section, preset)
        cli.warn(f"{n_missing} seed{'s' * (n_missing > 1)} to train: about {minutes:.0f} minutes ({plan.MEASURED_ON})"
                 if minutes >= 1 else f"{n_missing} seed{'s' * (n_missing > 1)} to train: a minute or less")
    if args.seeds < comparison.MIN_SEEDS:
        cli.warn(f"--seeds {args.seeds}: verdicts need {comparison.MIN_SEEDS} seeds that did not collapse; these are "
                 "saved, and judge no run")
    try:
        with tqdm(total=args.seeds, initial=min(n_saved, args.seeds), desc="Seeds", unit="run", disable=None) as bar:
            for seed in range(n_saved, args.seeds):
                settings = dataclasses.replace(preset, seed=seed)
                if seed != preset.seed:  # the seed decides the split, the noise and the drawn sequences too
                    data, _ = section.load(settings, data=args.data, data_dir=args.data_dir)
                measured = measure(section, settings, data, args.backend)
                entry = save_seed(file, key, entry, measured, replaces=args.restart and seed == n_saved)
                with tqdm.external_write_mode():
                    collapsed = "   collapsed" if measured.get(comparison.COLLAPSED) else ""
                    print(f"seed {seed}: {_last_number(section, measured)}{collapsed}", flush=True)
                bar.update()
    except KeyboardInterrupt as error:
        again = "without --restart " if args.restart else ""
        saved = f"no seed was replaced in {display_path(file)}" if args.restart and not entry["seeds"] else \
            f"{entry['seeds']} of {args.seeds} seeds are in {display_path(file)}, and the same command {again}" \
            "continues from there"
        raise Interrupted(getattr(error, "number", signal.SIGINT), f"interrupted; {saved}") from error
    values, n_collapsed = comparison.without_collapsed(entry["values"])
    print("", f"{key}, number of seeds: {entry['seeds']}, {n_collapsed} of them collapsed and left out, {source}", "",
          *markdown_table(("number", "mean", "standard deviation", "lowest", "median", "highest"),
                          [(name, *(f"{value:.4g}" for value in _summary_statistics(seed_values)))
                           for name, seed_values in values.items() if seed_values]),
          "", f"saved: {display_path(file)}", sep="\n")


def spread_identity(section: Section, preset: Any, args: argparse.Namespace, source: Any,
                    data: Mapping[str, Any]) -> Dict[str, Any]:
    """Return run_identity without the seed and without the code's checksum.

    Most edits of the code change no number, and an hour of training is not to be lost for them. After an edit that does
    change numbers, --restart computes all seeds anew.
    """
    arrays = section.training_arrays(data, preset)
    options = RunOptions(preset=args.preset, backend=args.backend)
    identity = run_identity(section, section.check_settings(preset, len(arrays[0])), options, source, arrays)
    del identity["settings"]["seed"], identity["code"]
    return identity


def checked_entry(entry: Dict[str, Any], identity: Dict[str, Any], shown: str) -> Dict[str, Any]:
    """Return an entry of the file of seed bands, to which seeds of this identity may be added.

    Raises:
        UserError: other trainings made the entry, or an older version that did not save their identity.
    """
    remedy = "give --restart to replace them, or another file with --out"
    if not isinstance(entry.get("identity"), dict):
        raise UserError(f"{shown} have no identity that says how they were computed; {remedy}")
    if entry["identity"] != identity:
        raise UserError(f"{shown} were computed otherwise ({first_difference(entry['identity'], identity)}); {remedy}")
    n_seeds = entry.get("seeds")
    if type(n_seeds) is not int or not 1 <= n_seeds <= 10 ** 6 or any(
            len(values) > n_seeds for values in entry["values"].values()):
        raise UserError(f"{shown}: their number is not that of their values; {remedy}")
    return entry


def save_seed(file: Path, key: str, entry: Dict[str, Any], measured: Mapping[str, float],
              replaces: bool) -> Dict[str, Any]:
    """Add the numbers of the next seed to the file; return the entry with these numbers.

    Args:
        replaces: whether the entry takes the place of the one in the file.

    Raises:
        UserError: another process has changed the entry.
    """
    bands = comparison.read_bands(file)
    if not replaces and bands.get(key, {}).get("seeds", 0) != entry["seeds"]:
        raise UserError(f"{display_path(file)}: another process adds seeds of {key}; wait for its end, or choose "
                        "another --out")
    values = {name: list(seed_values) for name, seed_values in entry["values"].items()}
    for name, value in measured.items():
        # an older entry does not say which of its seeds collapsed
        missing = [0.0] * entry["seeds"] if name == comparison.COLLAPSED else []
        values.setdefault(name, missing).append(float(f"{value:.6g}"))
    bands[key] = {**entry, "seeds": entry["seeds"] + 1, "values": values}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(band)}" for name, band in sorted(bands.items()))
    write_atomically(file, f"{{\n{lines}\n}}\n".encode())
    return bands[key]


def _last_number(section: Section, measured: Mapping[str, float]) -> str:
    """Return the last published number that a training measured, as text."""
    name = ([name for name in measured if name in section.published] or list(measured))[-1]
    return f"{name} {measured[name]:.6g}"


def _summary_statistics(values: Sequence[float]) -> Tuple[float, ...]:
    """Return mean, standard deviation, lowest, median and highest value."""
    deviation = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return tuple(map(float, (np.mean(values), deviation, np.min(values), np.median(values), np.max(values))))


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = cli.Parser(prog="python -m tf1_autoencoders.spread",
                        description="Train a section with several seeds and print mean, standard deviation and "
                                    "range of each of its numbers.\nEach seed is saved when its training ends; "
                                    "the same command continues with the seeds that are missing.")
    parser.add_argument("--section", required=True, type=one_section, metavar="N",
                        help=f"section of the report, one of {', '.join(map(str, SECTIONS))}")
    parser.add_argument("--preset", default="report", metavar="NAME", help="the section's settings (default: report)")
    parser.add_argument("--seeds", type=cli.whole_number(1), default=10, metavar="K",
                        help="number of seeds, 0 to K-1 (default: 10)")
    parser.add_argument("--backend", choices=("graph", "keras"), default="graph",
                        help="train the TensorFlow 1 graph or its Keras twin (default: graph)")
    parser.add_argument("--restart", action="store_true",
                        help="compute all seeds anew, in place of those in the file")
    parser.add_argument("--out", default=str(comparison.OWN_BANDS), metavar="FILE", type=cli.path_name,
                        help="file that the seed bands are added to (default: results/seed_bands.json, where the "
                             "verdicts of run_all.py look first)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, spread, argv)


if __name__ == "__main__":
    sys.exit(main())
