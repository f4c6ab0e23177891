"""`python -m tf1_autoencoders.spread`: train a section with K seeds; mean, standard deviation and range per number.

The report's runs have no seed, so each published number is one draw. The spread over seeds is what it is compared with.
"""
from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from tf1_autoencoders.reporting import comparison
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.files import make_writable_folder, write_atomically
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import display_path


def spread(args: argparse.Namespace) -> None:
    """Train, print a table, add the values to the file of seed bands."""
    section, file = SECTIONS[int(args.section)], Path(args.out)
    preset = cli.choose_from(section.PRESETS, args.preset, "--preset")
    if file.is_dir():
        raise UsageError(f"--out {display_path(file)}: this is a folder; expected the name of a file, such as "
                         f"{display_path(file / comparison.OWN_BANDS.name)}")
    make_writable_folder(file.parent)
    comparison.read_bands(file)  # a damaged file is refused before the training, not after it
    data, source = section.load(preset, data=args.data, data_dir=args.data_dir)
    if source.is_sample:
        raise UserError("bands for the published numbers need the real data; name its folder with --data-dir")
    runs = []
    for seed in tqdm(range(args.seeds), desc="Seeds", unit="run", disable=None):
        runs.append(section.measure(dataclasses.replace(preset, seed=seed), data))
    values = {name: [run[name] for run in runs if name in run] for name in runs[0]}
    print(f"section {args.section}, preset {args.preset}, seeds 0 to {args.seeds - 1}, {source}", "",
          *markdown_table(("number", "mean", "standard deviation", "lowest", "median", "highest"),
                          [(name, *(f"{value:.4g}" for value in _summary_statistics(seed_values)))
                           for name, seed_values in values.items()]), sep="\n")
    bands = comparison.read_bands(file)
    bands[comparison.band_key(section.NUMBER, args.preset)] = {
        "seeds": args.seeds, "data": source.kind, "tensorflow": tf1.version.VERSION,
        "values": {name: [float(f"{value:.6g}") for value in seed_values] for name, seed_values in values.items()}}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(bands.items()))
    write_atomically(file, f"{{\n{lines}\n}}\n".encode())
    print("", f"saved: {display_path(file)}", sep="\n")


def _summary_statistics(values: Sequence[float]) -> Tuple[float, ...]:
    """Return mean, standard deviation, lowest, median and highest value."""
    deviation = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return tuple(map(float, (np.mean(values), deviation, np.min(values), np.median(values), np.max(values))))


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = cli.Parser(prog="python -m tf1_autoencoders.spread",
                        description="Train a section with several seeds and print mean, standard deviation and "
                                    "range of each of its numbers.")
    parser.add_argument("--section", required=True, choices=[str(n) for n in SECTIONS], metavar="N",
                        help=f"section of the report: {', '.join(map(str, SECTIONS))}")
    parser.add_argument("--preset", default="report", metavar="NAME", help="the section's settings (default: report)")
    parser.add_argument("--seeds", type=cli.whole_number(1), default=10, metavar="K",
                        help="number of seeds, 0 to K-1 (default: 10)")
    parser.add_argument("--out", default=str(comparison.OWN_BANDS), metavar="FILE",
                        help="file that the seed bands are added to (default: results/seed_bands.json, where the "
                             "verdicts of run_all.py look first)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, spread, argv)


if __name__ == "__main__":
    sys.exit(main())
