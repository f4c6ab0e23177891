"""`python -m tf1_autoencoders.spread`: train a section with K seeds; mean, standard deviation and range per number.

The report's runs have no seed, so that each published number is one draw: this is what to compare it with.
"""
from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tf1_autoencoders.reporting import comparison, tables
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import prepare, write_whole
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import shown


def main(argv=None):
    parser = cli.Parser(prog="python -m tf1_autoencoders.spread",
                            description="Train a section with several seeds and give mean, standard deviation and "
                                        "range of each number it prints.")
    parser.add_argument("--section", required=True, choices=[str(n) for n in SECTIONS], metavar="N",
                        help=f"section of the report: {', '.join(map(str, SECTIONS))}")
    parser.add_argument("--preset", default="report", metavar="NAME", help="its settings (default: report)")
    parser.add_argument("--seeds", type=cli.whole_number(1), default=10, metavar="K",
                        help="how many seeds, 0 to K-1 (default: 10)")
    parser.add_argument("--out", default=str(comparison.OWN), metavar="FILE",
                        help="file that the bands are added to (default: results/bands.json, where the verdicts of "
                             "run_all.py look first)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, spread, argv)


def spread(args):
    """The command: train, print a table, add the numbers to the file of bands."""
    section, file = SECTIONS[int(args.section)], Path(args.out)
    base = cli.choose(section.module.PRESETS, args.preset, "--preset")
    prepare(file.parent)
    comparison.read(file)  # a damaged one is refused before the training, not after it
    data, source = section.module.load(base, data=args.data, data_dir=args.data_dir)
    if source.is_sample:
        raise UserError("bands for the published numbers need the real data; name its folder with --data-dir")
    runs = []
    for seed in tqdm(range(args.seeds), desc="Seeds", unit="run", disable=None):
        runs.append(section.measure(dataclasses.replace(base, seed=seed), data))
    values = {name: [run.get(name) for run in runs if name in run] for name in runs[0]}
    print(f"section {args.section}, preset {args.preset}, seeds 0 to {args.seeds - 1}, {source}", "",
          *tables.markdown(("number", "mean", "standard deviation", "lowest", "median", "highest"),
                            [(name, *(f"{value:.4g}" for value in _statistics(numbers)))
                             for name, numbers in values.items()]), sep="\n")
    stored = comparison.read(file)
    stored[comparison.key(args.section, args.preset)] = {
        "seeds": args.seeds, "data": source.kind, "tensorflow": tf1.version.VERSION,
        "values": {name: [float(f"{value:.6g}") for value in numbers] for name, numbers in values.items()}}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(stored.items()))
    write_whole(file, f"{{\n{lines}\n}}\n".encode())
    print("", f"saved: {shown(file)}", sep="\n")


def _statistics(values):
    deviation = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return np.mean(values), deviation, np.min(values), np.median(values), np.max(values)


if __name__ == "__main__":
    sys.exit(main())
