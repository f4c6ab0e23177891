"""`python run_all.py`: the whole report, or one section of it, with the published values beside the measured ones."""
from __future__ import annotations

import argparse
import dataclasses
import sys
import time
import webbrowser
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from tf1_autoencoders.distributed import launcher
from tf1_autoencoders.distributed.cluster import Cluster, ClusterPlan, plan_from_environment, plan_from_file
from tf1_autoencoders.distributed.coordination import Workers
from tf1_autoencoders.play import panels_of_runs
from tf1_autoencoders.reporting import comparison
from tf1_autoencoders.reporting.html_report import write_html_report
from tf1_autoencoders.reporting.language import LANGUAGES
from tf1_autoencoders.reporting.run_log import TRANSCRIPT
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.sections import SECTIONS, plan, section_numbers
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.sections.run import RunOptions, has_checkpoints, run_section, train_as_worker
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.paths import CHECKPOINTS, RESULTS, display_path
from tf1_autoencoders.utils.progress_bar import ProgressBar

RETRIES = 3  # how often a run without --seed is repeated with the next seed, if its network collapses


def _defaults(name: str) -> str:
    """Return the report preset's value of a setting, for the sections that have this setting."""
    return ", ".join(f"section {number}: {getattr(section.presets['report'], name)}"
                     for number, section in SECTIONS.items() if hasattr(section.presets["report"], name))


COMMON_OPTIONS = (  # settings that several sections have; a section's own are its OPTIONS
    cli.SettingOption("--epochs", "n_epochs", type=cli.whole_number(1), metavar="N",
                      help=f"passes over the data ({_defaults('n_epochs')})"),
    cli.SettingOption("--batch-size", "batch_size", type=cli.whole_number(1), metavar="N",
                      help=f"rows of a training step ({_defaults('batch_size')})"),
    cli.SettingOption("--learning-rate", "learning_rate", type=cli.real_number(above=0, highest=100), metavar="X",
                      help=f"learning rate of Adam ({_defaults('learning_rate')})"),
    cli.SettingOption("--patience", "patience", type=cli.whole_number(1), metavar="N",
                      help=f"epochs to continue without a better val_loss ({_defaults('patience')})"),
    cli.SettingOption("--seed", "seed", type=cli.whole_number(0, 2 ** 27), metavar="N",
                      help="seed of initial values, shuffling, split, noise and drawn sequences (default: 0; where "
                           f"its network collapses, the next one, up to {RETRIES} times, unless several workers "
                           "train)"))


def build_parser() -> argparse.ArgumentParser:
    presets = "".join(f"  section {number}: {name:<8}{section.preset_help[name]}\n"
                      for number, section in SECTIONS.items() for name in section.presets)
    threads, save_every = (", ".join(f"section {number}: {getattr(section, name)}"
                                     for number, section in SECTIONS.items()) for name in ("threads", "save_every"))
    parser = cli.Parser(
        prog="run_all.py",
        description="Run the whole report, or one section of it, from the data to the last figure,\n"
                    "and put the published values beside the measured ones.",
        epilog=f"presets:\n{presets}\n"
               "exit codes: 0 done, 1 failed, 2 invalid argument, 130 interrupted (Ctrl-C), 143 terminated (SIGTERM);\n"
               "            after 130 and 143 the same command continues the run",
        essential=("section", "preset", "data", "data_dir", "lang", "page_only", "open", "dry_run"),
        essential_epilog="sections:\n" + "".join(f"  {number}  {section.title} (about {section.minutes:g} minutes)\n"
                                                 for number, section in SECTIONS.items())
                         + "\nexamples:\n"
                         "  run_all.py --section 2 --open    the horses, half a minute; the page opens in the browser\n"
                         "  run_all.py --dry-run             what a run of all sections would do, and how long\n"
                         "  run_all.py                       all four sections")
    parser.add_argument("--section", default="all", type=section_numbers, metavar="N",
                        help=f"one section, of {', '.join(map(str, SECTIONS))}, or several, such as 1,2 (default: all)")
    parser.add_argument("--preset", default="report", metavar="NAME",
                        help="the settings to start from, which --help-all lists (default: report)")
    parser.add_argument("--backend", choices=("graph", "keras"), default="graph",
                        help="train the TensorFlow 1 graph or its Keras twin (default: graph)")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32",
                        help="number type of the graph's products and convolutions; bfloat16 is faster if the CPU has "
                             "it, and rounds to three digits (default: float32)")

    group = parser.add_argument_group("several workers (docs/distributed.md)")
    group.add_argument("--workers", type=cli.whole_number(1, 64), metavar="W",
                       help="train with W processes on this machine, each on its share of every batch (default: 1)")
    group.add_argument("--cluster", dest="cluster_file", metavar="FILE", type=cli.path_name,
                       help='train with the tasks of a JSON file such as {"worker": ["host:2222", "host:2223"]}, of '
                            "which this process is --task; the same command runs on each machine. TF_CONFIG in the "
                            "environment does the same. TensorFlow's servers have no password: use a private network")
    group.add_argument("--task", type=cli.whole_number(0, 1023), metavar="K",
                       help="number of this task in --cluster; task 0 prints, saves and draws")
    group.add_argument("--cluster-timeout", type=cli.real_number(lowest=3, highest=86400), default=60.0, metavar="S",
                       help="seconds without an answer after which a worker counts as lost, and the run ends "
                            "(default: 60)")
    group.add_argument("--restarts", type=cli.whole_number(0, 1000), default=0, metavar="K",
                       help="with --workers: start all workers again, up to K times, if one is lost (default: 0)")

    parser.add_argument("--dry-run", action="store_true",
                        help="say what the run would do: settings, data, folders, minutes and memory; change nothing")

    group = parser.add_argument_group("settings, each in place of the preset's")
    for option in COMMON_OPTIONS:
        option.add_to(group)
    for number, section in SECTIONS.items():
        group = parser.add_argument_group(f"settings of section {number}")
        for option in section.options:
            option.add_to(group)

    cli.add_data_arguments(parser)
    group = parser.add_argument_group("output")
    group.add_argument("--results-dir", default=str(RESULTS), metavar="DIR", type=cli.path_name,
                       help="folder for report.html, and for figures, metrics.jsonl and settings.json in DIR/sectionN "
                            "(default: results)")
    group.add_argument("--checkpoint-dir", default=str(CHECKPOINTS), metavar="DIR", type=cli.path_name,
                       help="folder for model.ckpt, in DIR/sectionN (default: checkpoints)")
    group.add_argument("--resume", action="store_true",
                       help="continue the saved run in DIR/sectionN, or fail if it does not match; unfinished runs "
                            "with the same settings are continued even without this option")
    group.add_argument("--save-every", type=cli.whole_number(1), metavar="N",
                       help=f"epochs from one checkpoint to the next ({save_every}); Ctrl-C saves too")
    group.add_argument("--keep", type=cli.whole_number(1, 1000), default=RunOptions.keep, metavar="N",
                       help=f"how many of the newest checkpoints of a run to keep (default: {RunOptions.keep})")
    group.add_argument("--weights-only", action="store_true",
                       help="leave Adam's slots out of the last checkpoint, which makes it a third of the size")
    group.add_argument("--tensorboard", action="store_true",
                       help="write TensorBoard event files, in DIR/sectionN/tensorboard")
    group.add_argument("--lang", choices=tuple(LANGUAGES), default="en",
                       help="language of report.html, the program's output in it apart: English or Persian "
                            "(default: en)")
    group.add_argument("--page-only", action="store_true",
                       help="write report.html again from the finished runs in --results-dir, without a run: for "
                            "instance with --lang fa")
    group.add_argument("--open", action="store_true", help="open report.html in the browser at the end")
    group.add_argument("--no-live", action="store_false", dest="live",
                       help="leave the panels out of report.html in which sections 3 and 4, and the map of section 1, "
                            "run with this run's weights (1 MB)")
    group.add_argument("--threads", type=cli.whole_number(0, 1024), metavar="N",
                       help=f"CPU threads; 0 lets TensorFlow choose (default: {threads}; 0 with --backend keras)")
    return parser


def settings_from_arguments(section: Section, args: argparse.Namespace, only_section: bool) -> Any:
    """Return the section's preset with the arguments' values in it.

    Raises:
        UsageError: there is no such preset; or the section, the only one asked for, has no such setting.
    """
    settings = cli.choose_from(section.presets, args.preset if only_section else "report", "--preset")
    names = {field.name for field in dataclasses.fields(settings)}
    changes = {}
    for option in (*COMMON_OPTIONS, *(option for other in SECTIONS.values() for option in other.options)):
        value = getattr(args, option.setting)
        if value is not None and option.setting in names:
            changes[option.setting] = value
        elif value is not None and only_section:
            shown = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
            raise UsageError(f"{option.flag} {shown}: section {section.number} has no such setting; leave it out")
    return section.with_options(settings, **changes)


def cluster_plan(args: argparse.Namespace) -> Optional[ClusterPlan]:
    """Return the tasks that --cluster or TF_CONFIG names, None if this process trains alone or launches workers.

    Raises:
        UsageError: the arguments contradict each other, or name no cluster.
    """
    if (args.cluster_file is None) != (args.task is None):
        raise UsageError("--cluster and --task: give both, or neither")
    plan = plan_from_file(Path(args.cluster_file), args.task) if args.cluster_file else plan_from_environment()
    several = plan is not None or (args.workers or 1) > 1
    if plan is not None and args.workers not in (None, len(plan.addresses)):
        raise UsageError(f"--workers {args.workers}: the cluster has {len(plan.addresses)} tasks; leave the option out")
    for flag, value, wanted in (("--backend", args.backend, "graph"), ("--precision", args.precision, "float32")):
        if several and value != wanted:
            raise UsageError(f"{flag} {value}: several workers train the graph in float32; leave the option out")
    if args.restarts and not several:
        raise UsageError(f"--restarts {args.restarts}: only with --workers")
    return plan


def run(args: argparse.Namespace) -> int:
    """Run one section, or all in the report's order, in the way that the arguments ask for; return the exit code."""
    if args.page_only:
        return show_page(args)
    settings = settings_of_sections(args)
    options = RunOptions(**{field.name: getattr(args, field.name) for field in dataclasses.fields(RunOptions)
                            if field.name not in ("tasks", "bar", "retries")})
    if args.seed is None and args.workers in (None, 1) and plan_from_environment() is None and not args.cluster_file:
        options = dataclasses.replace(options, retries=RETRIES)
    resumed = [number for number in settings if has_checkpoints(args.checkpoint_dir, number)] if args.resume else []
    if args.resume and not resumed:
        raise UserError(f"--resume: no run in {display_path(args.checkpoint_dir)}; leave the option out to start at "
                        "the beginning")
    if args.dry_run:
        return describe(settings, options)
    cluster_of = cluster_plan(args)
    if cluster_of is None and (args.workers or 1) > 1:
        return launch(settings, options, args)
    if cluster_of is not None:
        cluster = Cluster(cluster_of, args.threads or 0, args.cluster_timeout)
        options = dataclasses.replace(options, tasks=Workers(cluster))
        if not cluster.is_chief:
            return work(settings, options, cluster)
    return report(settings, options, resumed, args)


def settings_of_sections(args: argparse.Namespace) -> Dict[int, Any]:
    """Return {number: settings} of the sections to run.

    Raises:
        UsageError: the arguments contradict each other, or see settings_from_arguments.
    """
    only_section = len(args.section) == 1
    if not only_section and args.preset != "report":
        raise UsageError(f"--preset {args.preset}: presets are for one section; name it with --section")
    if args.precision != "float32" and args.backend != "graph":
        raise UsageError(f"--precision {args.precision}: only the graph has it; leave out --backend {args.backend}")
    return {number: settings_from_arguments(SECTIONS[number], args, only_section) for number in args.section}


def describe(settings: Dict[int, Any], options: RunOptions) -> int:
    """Print what the run would do, for --dry-run."""
    cli.status("loading TensorFlow, whose version is part of a run's identity")
    for number in settings:
        print(*plan.describe_plan(SECTIONS[number], settings[number], options), "", sep="\n", flush=True)
    print(plan.MEASURED_ON, "dry run: nothing was read, downloaded or written", sep="\n")
    return 0


def launch(settings: Dict[int, Any], options: RunOptions, args: argparse.Namespace) -> int:
    """Train with several processes on this machine, for --workers; return the chief's exit code."""
    slow = [number for number in settings if not SECTIONS[number].pays_with_workers]
    if slow:
        cli.warn(f"--workers {args.workers}: {args.workers} processes on one machine train section"
                 f"{'s' * (len(slow) > 1)} {', '.join(map(str, slow))} more slowly than one process does (docs/"
                 "distributed.md)")
    for number in settings:  # the workers have no network of their own to download the data from
        SECTIONS[number].load(settings[number], **options.data_options)
    return launcher.run_workers(args.command, args.workers, args.restarts, args.cluster_timeout)


def work(settings: Dict[int, Any], options: RunOptions, cluster: Cluster) -> int:
    """Train as a task of a cluster that is not its chief."""
    print(f"{cluster.name(cluster.task)} of {cluster.n_tasks}: trains with {cluster.name(0)}, which prints", flush=True)
    for number in settings:
        train_as_worker(SECTIONS[number], settings[number], options)
    return 0


def report(settings: Dict[int, Any], options: RunOptions, resumed: Sequence[int], args: argparse.Namespace) -> int:
    """Run the sections, the `resumed` ones with --resume; then print one table and write the results page."""
    start, tallies, judged_by = time.perf_counter(), [], []
    rows: List[Tuple[Any, ...]] = []
    bar = ProgressBar([plan.expected_minutes(SECTIONS[number], settings[number]) for number in settings],
                      ["" if len(settings) == 1 else f"section {number} of {max(SECTIONS)}" for number in settings])
    for number in settings:
        finished = run_section(SECTIONS[number], settings[number],
                               dataclasses.replace(options, bar=bar, resume=number in resumed))
        rows += [(number, *row) for row in finished.comparison]
        log = finished.log
        judged_by += [f"section {number}: {log.bands}"] if log.bands.file else []
        tallies += [comparison.tally({name: value for name, value in log.published.items() if name in log.measured},
                                     log.bands)]  # the numbers that stand in the table, and that the page counts
        print(flush=True)
    if rows:
        outside = [row for row in rows if any(comparison.is_outside(text) for text in row[-2:])]
        print(f"Published beside measured: {len(outside) or 'none'} of {len(rows)} numbers outside the spread of the "
              "seeds; the page has a table of all", "", sep="\n")
        if outside:
            print(*markdown_table(("section", *comparison.HEADER), outside), "", sep="\n")
        if judged_by:
            print(*judged_by, sep="\n")
    if any(tally.n_numbers for tally in tallies):
        print(comparison.Tally(*map(sum, zip(*tallies))))
    print(f"{(time.perf_counter() - start) / 60:.1f} minutes")
    return show_page(args)


def show_page(args: argparse.Namespace) -> int:
    """Write the results page from the transcripts in --results-dir, say where it lies, and open it on request.

    Raises:
        UserError: there is no finished run, or a transcript is damaged.
    """
    folder = Path(args.results_dir)
    if not list(folder.glob(f"section[0-9]/{TRANSCRIPT}")):
        raise UserError(f"--results-dir {display_path(folder)}: no finished run in it, of which a page could be "
                        "written; leave --page-only out to run the report")
    live = panels_of_runs(folder, Path(args.checkpoint_dir)) if args.live else None
    page = write_html_report(folder, LANGUAGES[args.lang], live)
    print(f"page: {display_path(page)}")
    if args.open:
        if not webbrowser.open(page.resolve().as_uri()):
            cli.warn(f"--open: no browser could be started; open {display_path(page)} yourself")
    else:
        print("open the page with a browser, or add --open")
    return 0


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = build_parser()
    parser.set_defaults(command=launcher.this_command() if argv is None else ["-m", "tf1_autoencoders.run_all", *argv])
    return cli.run_command(parser, run, argv)


if __name__ == "__main__":
    sys.exit(main())
