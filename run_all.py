#!/usr/bin/env python3
"""`python run_all.py --section 2`: run a section of the report, published values beside measured ones."""
from __future__ import annotations

import dataclasses
import sys

from tf1_autoencoders import console
from tf1_autoencoders.catalog import SECTIONS
from tf1_autoencoders.paths import CHECKPOINTS, RESULTS
from tf1_autoencoders.results import Options

# argument -> field of the section's Settings
OVERRIDES = {"epochs": "n_epochs", "batch_size": "batch_size", "steps_per_epoch": "steps_per_epoch",
             "learning_rate": "learning_rate", "l2": "l2_reg", "l2_in_loss": "l2_in_loss", "shuffle": "shuffle",
             "print_every": "print_every", "seed": "seed"}


def build_parser():
    presets = SECTIONS[2].module.PRESETS
    report = presets["report"]
    parser = console.Parser(
        prog="run_all.py",
        description="Train a section of the report from its data to its last picture and put the published values\n"
                    "beside the measured ones.",
        epilog="presets of section 2:\n" + "".join(
            f"  {name:<8}{SECTIONS[2].module.PRESET_HELP[name]}\n" for name in presets) +
        "\nexit codes: 0 done, 1 it could not be done, 2 an argument cannot be meant, 130 interrupted")
    parser.add_argument("--section", required=True, choices=[str(n) for n in SECTIONS], metavar="N",
                        help=f"section of the report: {', '.join(map(str, SECTIONS))}")
    parser.add_argument("--preset", choices=presets, default="report",
                        help="the settings to start from, see below (default: report)")

    group = parser.add_argument_group("settings, each in place of the preset's")
    group.add_argument("--epochs", type=console.whole_number(1), metavar="N",
                       help=f"passes over the data (report: {report.n_epochs})")
    group.add_argument("--batch-size", type=console.whole_number(1), metavar="N",
                       help=f"pictures a training step (report: {report.batch_size})")
    group.add_argument("--steps-per-epoch", type=console.whole_number(1), metavar="N",
                       help="training steps an epoch (report: the whole batches in the data, 33)")
    group.add_argument("--learning-rate", type=console.real_number(above=0), metavar="X",
                       help=f"of Adam, per step (report: {report.learning_rate})")
    group.add_argument("--l2", type=console.real_number(lowest=0), metavar="X",
                       help=f"scale of the L2 term, X/2 times the sum of squared kernels (report: {report.l2_reg})")
    group.add_argument("--l2-in-loss", choices=("yes", "no"),
                       help="minimise the L2 term, or report it only (report: no)")
    group.add_argument("--shuffle", choices=("yes", "no"), help="pictures in a new order each epoch (report: no)")
    group.add_argument("--print-every", type=console.whole_number(1), metavar="N",
                       help=f"epochs from one printed MSE to the next (report: {report.print_every})")
    group.add_argument("--seed", type=console.whole_number(0, 2 ** 27), metavar="N",
                       help=f"of initial values and shuffling (report: {report.seed})")

    console.add_data_arguments(parser)
    group = parser.add_argument_group("output")
    group.add_argument("--out", default=str(RESULTS), metavar="DIR",
                       help="folder for figures, metrics.jsonl and settings.json, in DIR/section2 (default: results)")
    group.add_argument("--checkpoint-dir", default=str(CHECKPOINTS), metavar="DIR",
                       help="folder for model.ckpt, in DIR/section2 (default: checkpoints)")
    group.add_argument("--weights-only", action="store_true",
                       help="leave Adam's slots out of the checkpoint: a third of the size, cannot be trained further")
    group.add_argument("--threads", type=console.whole_number(0), default=0, metavar="N",
                       help="CPU threads (default: 0, as many as TensorFlow chooses)")
    return parser


def run(args):
    """The command: preset, overrides, run."""
    section = SECTIONS[int(args.section)]
    chosen = {field: getattr(args, name) for name, field in OVERRIDES.items() if getattr(args, name) is not None}
    chosen = {field: {"yes": True, "no": False}.get(value, value) for field, value in chosen.items()}
    settings = dataclasses.replace(section.module.PRESETS[args.preset], **chosen)
    section.run(settings, Options(preset=args.preset, data=args.data, data_dir=args.data_dir, out=args.out,
                                  checkpoint_dir=args.checkpoint_dir, threads=args.threads,
                                  weights_only=args.weights_only))


def main(argv=None):
    return console.run_command(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
