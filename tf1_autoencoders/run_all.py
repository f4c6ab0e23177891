#!/usr/bin/env python3
"""`python run_all.py`: the whole report, or one section of it, published values beside measured ones."""
from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path

from tf1_autoencoders.checkpointing import store
from tf1_autoencoders.reporting import comparison, html_report, tables
from tf1_autoencoders.reporting.run_log import Options
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.paths import CHECKPOINTS, RESULTS, shown

# argument -> field of the settings, where the section has it
OVERRIDES = {"epochs": "n_epochs", "batch_size": "batch_size", "steps_per_epoch": "steps_per_epoch",
             "learning_rate": "learning_rate", "l2": "l2_reg", "l2_in_loss": "l2_in_loss", "shuffle": "shuffle",
             "print_every": "print_every", "noise": "noise", "strength": "strength", "epochs_before": "epochs_before",
             "patience": "patience", "seed": "seed"}


def build_parser():
    modules = {number: section.module for number, section in SECTIONS.items()}
    horses, denoising = modules[2].PRESETS["report"], modules[3]
    presets = "".join(f"  section {number}: {name:<8}{module.PRESET_HELP[name]}\n"
                      for number, module in modules.items() for name in module.PRESETS)

    def defaults(field):
        return ", ".join(f"section {number}: {getattr(module.PRESETS['report'], field)}"
                         for number, module in modules.items() if hasattr(module.PRESETS["report"], field))

    parser = cli.Parser(
        prog="run_all.py",
        description="Run the whole report, or one section of it, from the data to the last picture,\n"
                    "and put the published values beside the measured ones.",
        epilog=f"presets:\n{presets}\n"
               "exit codes: 0 done, 1 it could not be done, 2 an argument cannot be meant,\n"
               "            130 interrupted (Ctrl-C), 143 terminated (SIGTERM); the same command goes on from there")
    parser.add_argument("--section", default="all", choices=["all", *(str(n) for n in SECTIONS)], metavar="N",
                        help=f"one section only, of {', '.join(map(str, SECTIONS))} (default: all)")
    parser.add_argument("--preset", default="report", metavar="NAME",
                        help="the settings to start from, see below (default: report)")
    parser.add_argument("--backend", choices=("graph", "keras"), default="graph",
                        help="train the TensorFlow 1 graph or its Keras twin (default: graph)")

    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32",
                        help="of the graph's products and convolutions; bfloat16 is faster where the CPU has it, and "
                             "rounds to three digits (default: float32)")

    group = parser.add_argument_group("settings, each in place of the preset's")
    group.add_argument("--epochs", type=cli.whole_number(1), metavar="N",
                       help=f"passes over the data ({defaults('n_epochs')})")
    group.add_argument("--batch-size", type=cli.whole_number(1), metavar="N",
                       help=f"rows a training step ({defaults('batch_size')})")
    group.add_argument("--learning-rate", type=cli.real_number(above=0), metavar="X",
                       help=f"of Adam, per step ({defaults('learning_rate')})")
    group.add_argument("--patience", type=cli.whole_number(1), metavar="N",
                       help=f"epochs to go on without a better val_loss ({defaults('patience')})")
    group.add_argument("--seed", type=cli.whole_number(0, 2 ** 27), metavar="N",
                       help="of initial values, shuffling, split, noise and drawn sequences (default: 0)")
    group = parser.add_argument_group("settings of section 2")
    group.add_argument("--steps-per-epoch", type=cli.whole_number(1), metavar="N",
                       help="training steps an epoch (default: the whole batches in the data, 33)")
    group.add_argument("--l2", type=cli.real_number(lowest=0), metavar="X",
                       help=f"scale of the L2 term, X/2 times the sum of squared kernels (default: {horses.l2_reg})")
    group.add_argument("--l2-in-loss", choices=("yes", "no"),
                       help="minimise the L2 term, or report it only (default: no)")
    group.add_argument("--shuffle", choices=("yes", "no"), help="pictures in a new order each epoch (default: no)")
    group.add_argument("--print-every", type=cli.whole_number(1), metavar="N",
                       help=f"epochs from one printed MSE to the next (default: {horses.print_every})")
    group = parser.add_argument_group("settings of section 3")
    group.add_argument("--noise", choices=denoising.NOISES, help="what is to be taken out (default: salt-and-pepper)")
    group.add_argument("--strength", type=cli.real_number(lowest=0), metavar="X",
                       help="of the noise: share of pixels, standard deviation or amplitude in 0..1 (defaults: " +
                            ", ".join(f"{noise} {strength}" for noise, strength in denoising.STRENGTHS.items()) + ")")
    group.add_argument("--epochs-before", type=cli.whole_number(0), metavar="N",
                       help="epochs trained before those that the report prints (default: "
                            f"{denoising.PRESETS['report'].epochs_before}; 0 where --epochs is given)")

    cli.add_data_arguments(parser)
    group = parser.add_argument_group("output")
    group.add_argument("--out", default=str(RESULTS), metavar="DIR",
                       help="folder for report.html, and for figures, metrics.jsonl and settings.json in DIR/sectionN "
                            "(default: results)")
    group.add_argument("--checkpoint-dir", default=str(CHECKPOINTS), metavar="DIR",
                       help="folder for model.ckpt, in DIR/sectionN (default: checkpoints)")
    group.add_argument("--resume", action="store_true",
                       help="go on from the run in DIR/sectionN, to the same bytes, or refuse; an unfinished run with "
                            "the same settings is taken up without it, a finished one only with it")
    group.add_argument("--save-every", type=cli.whole_number(1), metavar="N",
                       help="epochs from one checkpoint to the next ("
                            + ", ".join(f"section {number}: {module.SAVE_EVERY}" for number, module in modules.items())
                            + "); Ctrl-C saves too")
    group.add_argument("--weights-only", action="store_true",
                       help="leave Adam's slots out of the last checkpoint: a third of the size")
    group.add_argument("--tensorboard", action="store_true",
                       help="write TensorBoard event files, in DIR/sectionN/tensorboard")
    group.add_argument("--threads", type=cli.whole_number(0), metavar="N",
                       help="CPU threads; 0: as many as TensorFlow chooses (default: "
                            + ", ".join(f"section {number}: {module.THREADS}" for number, module in modules.items())
                            + "; 0 with --backend keras)")
    return parser


def settings_of(section, args, only):
    """The section's preset with the arguments' values in it.

    Raises:
        UsageError: no such preset; or the section (the only one asked for) has no such setting.
    """
    module = section.module
    settings = cli.choose(module.PRESETS, args.preset if only else "report", "--preset")
    fields = {field.name for field in dataclasses.fields(settings)}
    chosen = {}
    for argument, field in OVERRIDES.items():
        value = getattr(args, argument)
        if value is None:
            continue
        if field in fields:
            chosen[field] = {"yes": True, "no": False}.get(value, value)
        elif only:
            raise UsageError(f"--{argument.replace('_', '-')} {value}: section {module.NUMBER} has no such setting; "
                             "leave it out")
    if "noise" in chosen and "strength" not in chosen:
        chosen["strength"] = module.STRENGTHS[chosen["noise"]]
    if "epochs_before" in fields and "n_epochs" in chosen and "epochs_before" not in chosen:
        chosen["epochs_before"] = 0
    return dataclasses.replace(settings, **chosen)


def run(args):
    """The command: one section, or all in the report's order; then one table and the results page."""
    numbers = list(SECTIONS) if args.section == "all" else [int(args.section)]
    only = len(numbers) == 1
    if not only and args.preset != "report":
        raise UsageError(f"--preset {args.preset}: presets are for one section; name it with --section")
    if args.precision != "float32" and args.backend != "graph":
        raise UsageError(f"--precision {args.precision}: only the graph has it; leave out --backend {args.backend}")
    settings = {number: settings_of(SECTIONS[number], args, only) for number in numbers}
    options = Options(preset=args.preset, backend=args.backend, data=args.data, data_dir=args.data_dir, out=args.out,
                      checkpoint_dir=args.checkpoint_dir, threads=args.threads, weights_only=args.weights_only,
                      tensorboard=args.tensorboard, precision=args.precision, save_every=args.save_every)
    begun = [number for number in numbers if store.steps(Path(args.checkpoint_dir) / f"section{number}")]
    if args.resume and not begun:
        raise UserError(f"--resume: no run in {shown(args.checkpoint_dir)}; leave it out to start at the beginning")
    start, compared = time.perf_counter(), []
    for number in numbers:
        report = SECTIONS[number].run(settings[number], dataclasses.replace(
            options, resume=args.resume and number in begun))
        compared += [(number, *row) for row in report.close()]
        print(flush=True)
    if compared:
        print("Published beside measured", "",
              *tables.markdown(("section", *comparison.HEADER), compared), "", sep="\n")
    print(f"page: {shown(html_report.write(args.out))}   {(time.perf_counter() - start) / 60:.1f} minutes")


def main(argv=None):
    return cli.run_command(build_parser(), run, argv)


if __name__ == "__main__":
    sys.exit(main())
