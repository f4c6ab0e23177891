"""Trained checkpoints of a section: which one to restore, the settings of its network, the mark beside its results."""
from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from tf1_autoencoders.checkpointing import saver, store
from tf1_autoencoders.datasets import DRAWN_SAMPLE
from tf1_autoencoders.reporting.baselines import FinalError
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.training.trainers import GraphTrainer
from tf1_autoencoders.utils.cli import warn
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import read_json
from tf1_autoencoders.utils.paths import CHECKPOINTS, PRETRAINED, display_path


class Trained(NamedTuple):
    """A trained network that a function has used.

    | field      | meaning                                                                 |
    |------------|-------------------------------------------------------------------------|
    | checkpoint | the restored checkpoint, without suffix                                 |
    | settings   | the section's Settings of the network                                   |
    | origin     | the checkpoint's settings.json: settings, data, versions; {} if missing |
    | mark       | what stands beside the result if drawn images are part of it, else ""   |
    """

    checkpoint: Path
    settings: Any
    origin: Dict[str, Any]
    mark: str


@contextlib.contextmanager
def open_trained(section: Section, checkpoint_path: Any = None, settings: Any = None,
                 is_sample: bool = False) -> Iterator[Tuple[Any, Trained]]:
    """Context manager: a trained network in a graph and a session of its own, as (GraphTrainer, Trained).

    Args:
        section: the Section.
        checkpoint_path: a checkpoint or its folder; None for choose_checkpoint.
        settings: Settings of the checkpoint, if no settings.json lies beside it; None for the report's.
        is_sample: whether the network will see the drawn sample.

    Raises:
        UserError: the checkpoint is missing, damaged or of another architecture; or settings contradict those saved
            beside the checkpoint.
    """
    asked, built = settings, None
    with contextlib.ExitStack() as stack:
        for attempt in range(saver.ATTEMPTS):
            path = choose_path(section, checkpoint_path, is_sample)
            try:
                settings, origin = settings_of_checkpoint(section, path, asked)
                if built != settings:
                    model = section.build_graph(section.check_settings(settings, 10 * settings.batch_size))
                    session, built = stack.enter_context(TimedSession(model)), settings
                saver.restore(session, model.weights_saver, model.weights, path)
                break
            except UserError:  # a run that is saving may remove the checkpoint, and has then saved a newer one
                if path.parent.is_dir() or attempt + 1 == saver.ATTEMPTS:
                    raise
        warn_of_collapse(path)
        empty = tuple(np.zeros([1, *data.shape.as_list()[1:]], data.dtype.as_numpy_dtype)
                      for data in model.pipeline.data)
        yield GraphTrainer(session, model, empty, 1), Trained(
            path, settings, origin, mark_of_mixture(is_sample, trained_on_sample(origin)))


def choose_trained(section: Section, checkpoint_path: Any = None, settings: Any = None,
                   is_sample: bool = False) -> Tuple[Path, Any, Dict[str, Any]]:
    """Return (checkpoint, settings, origin) of the network that open_trained opens; see there."""
    path = choose_path(section, checkpoint_path, is_sample)
    return (path, *settings_of_checkpoint(section, path, settings))


def choose_path(section: Section, checkpoint_path: Any, is_sample: bool) -> Path:
    """Return the checkpoint that a user means by `checkpoint_path`; for None, that of choose_checkpoint."""
    return choose_checkpoint(section, is_sample) if checkpoint_path is None else \
        saver.checkpoint_path_from_argument(checkpoint_path)


def choose_checkpoint(section: Section, is_sample: bool) -> Path:
    """Return the last run's checkpoint or the one that comes with the project, for images of one kind.

    A checkpoint that was trained on images of the same kind (real, or the drawn sample) comes first; among those, the
    last run in checkpoints/sectionN/, unless its network has collapsed, which a warning says.

    Args:
        section: the Section.
        is_sample: whether the images are the drawn sample.

    Raises:
        UserError: there is no checkpoint, or only a damaged one.
    """
    folders = [folder / f"section{section.number}" for folder in (CHECKPOINTS, PRETRAINED)]
    own = saver.newest_good_checkpoint(folders)
    own_fits = trained_on_sample(settings_of_checkpoint(section, own)[1]) == is_sample
    collapsed = final_error_of_collapsed(own)
    if own_fits and collapsed is None:
        return own
    shipped = saver.newest_good_checkpoint(folders[::-1])
    if trained_on_sample(settings_of_checkpoint(section, shipped)[1]) != is_sample:
        return own
    if own_fits and shipped != own:
        warn(f"{display_path(own)}: the network of this run has collapsed ({collapsed}); the one that comes with the "
             "project is used instead; name the run with --checkpoint to use it all the same")
    return shipped


def final_error_of_collapsed(path: Path) -> Optional[FinalError]:
    """Return the FinalError of a run's checkpoint if its network has collapsed; None if not, or if it is not known."""
    folders = (path.parent / store.LATEST, path.parent)
    for file in (folder / store.PROGRESS for folder in folders):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            error = FinalError(*read_json(file)["final_error"])
            return error if error.collapsed else None
    return None


def warn_of_collapse(path: Path) -> None:
    """Warn on stderr if a checkpoint's network has collapsed."""
    error = final_error_of_collapsed(path)
    if error is not None:
        warn(f"{display_path(path)}: the network of this run has collapsed ({error}); train again with another --seed")


def further_pretrained(section: Section) -> List[Path]:
    """Return the checkpoints, without suffix, that come with the project beside that of the section's preset report."""
    return [folder / "model.ckpt" for folder in sorted(PRETRAINED.glob(f"section{section.number}_*"))]


def settings_of_checkpoint(section: Section, path: Path, settings: Any = None) -> Tuple[Any, Dict[str, Any]]:
    """Return the settings of a checkpoint's network, and the checkpoint's origin.

    Args:
        section: the Section.
        path: the checkpoint, without suffix.
        settings: the section's Settings, for a checkpoint without settings.json beside it; None for the report's.

    Returns:
        (settings, origin): the content of settings.json, {} if there is no such file.

    Raises:
        UserError: `settings` is not of this section, or contradicts the settings saved beside the checkpoint.
    """
    if settings is not None and not isinstance(settings, section.settings_class):
        raise UserError(f"settings {settings!r}: expected a Settings of section {section.number}, such as "
                        "PRESETS['report']")
    stored, origin = saver.read_settings(path, section.settings_class, section.former_names, section.number)
    for name in section.network_settings if stored and settings else ():
        if getattr(stored, name) != getattr(settings, name):
            raise UserError(f"{display_path(path)}: trained with {name} {getattr(stored, name):g}, but the settings "
                            f"asked for have {getattr(settings, name):g}; leave out --preset")
    return stored or settings or section.settings_class(), origin


def trained_on_sample(origin: Mapping[str, Any]) -> bool:
    """Return whether a checkpoint was trained on the drawn sample, from its settings.json; False if there is none."""
    return bool(origin) and origin["data"]["kind"] == DRAWN_SAMPLE


def mark_of_mixture(is_sample: bool, on_sample: bool) -> str:
    """Return what stands beside the result of images of one kind and a network trained on another kind."""
    if is_sample:
        return f" ({DRAWN_SAMPLE})" if on_sample else f" ({DRAWN_SAMPLE}; network trained on real images)"
    return f" (network trained on the {DRAWN_SAMPLE})" if on_sample else ""
