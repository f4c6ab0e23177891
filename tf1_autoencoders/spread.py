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

from tf1_autoencoders import console
from tf1_autoencoders.catalog import SECTIONS
from tf1_autoencoders.paths import RESULTS, shown


def main(argv=None):
    parser = console.Parser(prog="python -m tf1_autoencoders.spread",
                            description="Train a section with several seeds and give mean, standard deviation and "
                                        "range of each number it prints.")
    parser.add_argument("--section", required=True, choices=[str(n) for n in SECTIONS], metavar="N",
                        help=f"section of the report: {', '.join(map(str, SECTIONS))}")
    parser.add_argument("--preset", default="report", metavar="NAME", help="its settings (default: report)")
    parser.add_argument("--seeds", type=console.whole_number(1), default=10, metavar="K",
                        help="how many seeds, 0 to K-1 (default: 10)")
    parser.add_argument("--out", default=str(RESULTS), metavar="DIR",
                        help="folder for spread_sectionN_PRESET.json (default: results)")
    console.add_data_arguments(parser)
    return console.run_command(parser, spread, argv)


def spread(args):
    """The command: train, print a table, save everything as JSON."""
    section = SECTIONS[int(args.section)]
    base = console.choose(section.module.PRESETS, args.preset, "--preset")
    data, source = section.module.load(data=args.data, data_dir=args.data_dir)
    runs = []
    for seed in tqdm(range(args.seeds), desc="Seeds", unit="run", disable=None):
        runs.append(section.measure(dataclasses.replace(base, seed=seed), data))
    table = {name: [run[name] for run in runs] for name in runs[0]}
    mark = " (drawn sample)" if source.is_sample else ""
    print(f"section {args.section}, preset {args.preset}, seeds 0 to {args.seeds - 1}, {source}{mark}", "",
          *console.markdown(("number" + mark, "mean", "standard deviation", "lowest", "median", "highest"),
                            [(name, *(f"{value:.4g}" for value in _statistics(values)))
                             for name, values in table.items()]),
          sep="\n")
    file = Path(args.out) / f"spread_section{args.section}_{args.preset}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"section": int(args.section), "preset": args.preset, "seeds": args.seeds,
                                "data": source.kind, "values": table}, indent=1) + "\n")
    print("", f"saved: {shown(file)}", sep="\n")


def _statistics(values):
    deviation = np.std(values, ddof=1) if len(values) > 1 else 0.0
    return np.mean(values), deviation, np.min(values), np.median(values), np.max(values)


if __name__ == "__main__":
    sys.exit(main())
