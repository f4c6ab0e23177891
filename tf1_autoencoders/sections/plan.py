"""`run_all.py --dry-run`: what a run of a section would do, without reading data, downloading or writing anything."""
from __future__ import annotations

import dataclasses
import textwrap
from pathlib import Path
from typing import Any, List

from tf1_autoencoders.checkpointing.store import checkpoint_folders, first_difference, good_checkpoints, is_finished
from tf1_autoencoders.datasets import Source
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.sections.run import RunOptions, n_threads, run_identity, runs_to_repeat
from tf1_autoencoders.utils.files import check_not_shipped
from tf1_autoencoders.utils.paths import display_path

MEASURED_ON = ("minutes and memory: as measured for the preset report, the graph and float32, the minutes on two cores "
               "of an AMD EPYC and scaled by the epochs; two cores of an Intel Xeon took 2.2 times as long")


def describe_plan(section: Section, settings: Any, options: RunOptions) -> List[str]:
    """Return lines of text: settings, data, folders, and the minutes and memory to expect.

    Args:
        section: the Section.
        settings: the section's settings.
        options: RunOptions.

    Raises:
        UserError: the run would stop at once for the same reason, as far as that is known without the data.
    """
    where, n_rows = section.data_plan(settings, **options.data_options)
    settings = section.check_settings(settings, n_rows)
    checkpoints = Path(options.checkpoint_dir) / f"section{section.number}"
    results = Path(options.results_dir) / checkpoints.name
    for folder in (checkpoints, results):
        check_not_shipped(folder)
    values = ", ".join(f"{name} {value}" for name, value in dataclasses.asdict(settings).items())
    return [f"section {section.number}: {section.title}",
            *textwrap.wrap(f"preset {options.preset}, backend {options.backend}, precision {options.precision}, "
                           f"threads {n_threads(section, options) or 'as TensorFlow chooses'}, {values}", 118,
                           initial_indent="  settings: ", subsequent_indent="    "),
            f"  data: {where}",
            f"  checkpoints: {display_path(checkpoints)} {_describe_start(section, settings, options, checkpoints)}",
            f"  results: {display_path(results)} {'would be written anew' if results.exists() else 'would be made'}",
            f"  to expect: about {expected_minutes(section, settings):.1f} minutes and {section.memory_gb:g} GB of "
            "memory"]


def expected_minutes(section: Section, settings: Any) -> float:
    """Return the minutes that a run takes on the machine of MEASURED_ON."""
    return float(section.minutes * settings.n_epochs / section.presets["report"].n_epochs)


def _describe_start(section: Section, settings: Any, options: RunOptions, folder: Path) -> str:
    """Return what a run would find in its folder of checkpoints, and do with it; see Store.open_run, which decides."""
    if not folder.exists():
        return "would be made"
    problems: List[str] = []
    saved = next(good_checkpoints(folder, problems), None)
    if saved is None:
        return f"has no good checkpoint, and the run would stop ({problems[0]})" if checkpoint_folders(folder) else \
            "has no checkpoint; other files in it would be kept aside"
    current = run_identity(section, settings, options, Source("", "", ""), ())
    repeated = runs_to_repeat(folder, {**current, "data": None}, options)
    if repeated:
        seed = settings.seed + len(repeated)
        return (f"has the unfinished run of seed {seed}, which repeats one whose network has collapsed, and would be "
                f"continued from {saved.path.name} if the data is the same")
    difference = first_difference(*({**identity, "data": None} for identity in (saved.settings, current)))
    state = "finished" if is_finished(saved) else "unfinished"
    if difference != "no difference":
        return f"has another run, {state}, which would be kept aside ({difference})"
    if state == "finished" and not options.resume:
        return "has the finished run of these settings, which would be kept aside; the training would start anew"
    return (f"has the {state} run of these settings, which would be continued from {saved.path.name} if the data is "
            "the same")
