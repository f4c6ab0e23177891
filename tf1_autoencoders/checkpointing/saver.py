"""The only place that writes or reads model.ckpt: genuine tf1.train.Saver files, checked before they are used."""
from __future__ import annotations

import dataclasses
import os
import re
import reprlib
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from tf1_autoencoders.checkpointing import store
from tf1_autoencoders.checkpointing.index import MAX_INDEX_BYTES, n_numbers, read_index
from tf1_autoencoders.utils.cli import warn
from tf1_autoencoders.utils.errors import UserError, one_line, short_reason
from tf1_autoencoders.utils.files import read_bounded, read_json
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import display_path

CHECKPOINT_NAME = "model.ckpt"
MOST_STRANGERS = 16  # times the network's numbers: slots and counters, whose checksums are checked too
ATTEMPTS = 5  # to find a checkpoint in a folder in which a run is saving


def save(session: Any, saver: Any, folder: Path) -> None:
    """Write model.ckpt into an existing folder, as the Saver writes it; store.Store.save makes the folder safe.

    Args:
        session: training.session.TimedSession.
        saver: model.saver, or model.weights_saver for a small checkpoint that cannot be trained further.
        folder: an existing folder.

    Raises:
        OSError: the checkpoint could not be written.
    """
    try:
        with session.tf1_session.graph.as_default():  # without a default graph, TensorFlow 2 takes the Saver for eager
            saver.save(session.tf1_session, os.path.join(str(folder), CHECKPOINT_NAME), write_meta_graph=False,
                       write_state=False)
    except tf1.errors.OpError as error:
        raise OSError(0, short_reason(error)) from error
    _save_state_file(folder)


def save_arrays(values: Mapping[str, np.ndarray], folder: Path) -> None:
    """Write arrays {name: array} as a model.ckpt, without a graph; needs TensorFlow 2.

    Raises:
        OSError: the checkpoint could not be written.
    """
    try:
        tf1.raw_ops.SaveV2(prefix=os.path.join(str(folder), CHECKPOINT_NAME), tensor_names=list(values),
                           shape_and_slices=[""] * len(values), tensors=list(values.values()))
    except tf1.errors.OpError as error:
        raise OSError(0, short_reason(error)) from error
    _save_state_file(folder)


def _save_state_file(folder: Path) -> None:
    """Write the file `checkpoint` as a Saver that has saved once; the Saver itself would list other folders too."""
    (Path(folder) / "checkpoint").write_text(f'model_checkpoint_path: "{CHECKPOINT_NAME}"\n'
                                             f'all_model_checkpoint_paths: "{CHECKPOINT_NAME}"\n')


def newest_good_checkpoint(folders: Iterable[Union[str, Path]]) -> Path:
    """Return the newest good checkpoint of the first of `folders` that holds one, as a path without suffix.

    In a folder that a training has filled (store.Store), every byte is checked. Damaged checkpoints are skipped with a
    warning. The path lies in the checkpoint's own folder, which never changes, and not behind `latest`, which a run may
    move to another checkpoint between two reads. A run that removes a checkpoint meanwhile has saved a newer one, which
    is then looked for.

    Raises:
        UserError: no folder has a checkpoint, or the first folder with checkpoints has no good one.
    """
    paths = [Path(folder) for folder in folders]
    for folder in paths:
        for _ in range(ATTEMPTS):
            problems: List[str] = []
            newest = store.checkpoint_folders(folder)
            good = next(store.good_checkpoints(folder, problems), None)
            if not problems or newest == store.checkpoint_folders(folder):
                break
        if good:
            for problem in problems:
                warn(f"{problem}; the checkpoint before it is used")
            return good.path / CHECKPOINT_NAME
        if problems:
            raise UserError(f"{display_path(folder)}: no good checkpoint ({'; '.join(problems)}); "
                            "train again or name another with --checkpoint")
        if (folder / (CHECKPOINT_NAME + ".index")).exists():
            return folder / CHECKPOINT_NAME
    places = " and in ".join(display_path(folder) for folder in paths)
    raise UserError(f"no checkpoint: looked for {CHECKPOINT_NAME} in {places}; {_how_to_train(paths[0])}")


def checkpoint_path_from_argument(path: Union[str, Path]) -> Path:
    """Return the checkpoint that a user means by `path`: its folder, its path without suffix, or one of its files.

    Raises:
        UserError: there is no checkpoint; or the checkpoint belongs to a training (store.Store), and is damaged.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise UserError(f"checkpoint_path {path!r}: expected the path of a checkpoint or of its folder")
    path = _path_without_suffix(Path(path).expanduser())
    if not Path(str(path) + ".index").exists():
        raise _missing_error(path)
    return path


def _path_without_suffix(path: Path) -> Path:
    if path.is_dir():
        path = path / CHECKPOINT_NAME
    elif path.suffix in (".index", ".meta") or ".data-" in path.suffix:
        path = path.with_suffix("")
    if path.name == CHECKPOINT_NAME and store.checkpoint_folders(path.parent):
        return newest_good_checkpoint([path.parent])
    if store.has_checksums(path.parent):
        store.read_checkpoint(path.parent)
    return path


def _missing_error(path: Path) -> UserError:
    return UserError(f"{display_path(path)}: no checkpoint there (no {path.name}.index); {_how_to_train(path.parent)}")


def _how_to_train(folder: Path) -> str:
    """Return how to train a checkpoint of a folder, whose name says the section if it is one of a run's."""
    number = re.match(r"section([0-9]+)", folder.name)
    return f"train one with `python run_all.py --section {number.group(1) if number else 'N'}`"


def read_settings(path: Path, settings_class: Any,
                  former_names: Optional[Mapping[str, Optional[str]]] = None,
                  section_number: Optional[int] = None) -> Tuple[Any, Dict[str, Any]]:
    """Read settings.json beside a checkpoint.

    Args:
        path: the checkpoint, as newest_good_checkpoint returns it.
        settings_class: the section's frozen dataclass of settings, whose BOUNDS say which values a file may have:
            {name of a number: (lowest, highest)} and {name of a text: the texts}.
        former_names: {name of a setting: the name that older files have; None if they lack the setting, which then has
            its default}.
        section_number: of the section that the checkpoint is to be of; None for any.

    Returns:
        (settings, the whole file as a dict), or (None, {}) if there is no such file: the checkpoint comes from
        another program.

    Raises:
        UserError: the file does not hold these settings, or those of another section.
    """
    file = Path(path).parent / store.SETTINGS
    try:
        content = read_json(file)
        number = content.get("section", section_number) if isinstance(content, dict) else section_number
        if section_number is not None and type(number) is int and number != section_number:
            raise UserError(f"{display_path(Path(path).parent)}: this is a checkpoint of section {number}; expected "
                            f"one of section {section_number}")
        stored = dict(content["settings"])
        for name, former in (former_names or {}).items():
            if name not in stored and former is None:
                stored[name] = getattr(settings_class, name)
            elif name not in stored and former in stored:
                stored[name] = stored[former]
        values = {field.name: stored[field.name] for field in dataclasses.fields(settings_class)}
        for text in (content["preset"], content["data"]["name"], content["data"]["kind"]):
            if not isinstance(text, str):
                raise ValueError("preset, and name and kind of the data, must be texts")
    except FileNotFoundError:
        return None, {}
    except KeyError as error:
        raise UserError(f"{display_path(file)}: {one_line(error)} in it; train again, or remove the file "
                        "to use the checkpoint with --preset") from error
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{display_path(file)}: not the settings of a run ({one_line(error)}); train again, or remove "
                        "the file to use the checkpoint with --preset") from error
    for field in dataclasses.fields(settings_class):
        value, default = values[field.name], getattr(settings_class(), field.name)
        kind = int if default is None else type(default)  # None stands for a number that is not known yet
        bounds = getattr(settings_class, "BOUNDS", {}).get(field.name, (-1e9, 1e9))
        is_right = value is None and str(field.type).startswith("Optional") or type(value) is kind and (
            value in bounds if kind is str else kind is bool or bounds[0] <= value <= bounds[1])
        if not is_right:
            expected = f"one of {', '.join(bounds)}" if kind is str else \
                f"{bounds[0]:g} to {bounds[1]:g}" if kind in (int, float) else "true or false"
            raise UserError(f"{display_path(file)}: {field.name} is {one_line(reprlib.repr(value))}, expected a value "
                            f"like {default!r}, {expected}; train again")
    return settings_class(**values), content


def restore(session: Any, saver: Any, variables: Iterable[Any], path: Path) -> None:
    """Restore `variables` from the checkpoint at `path`, after a check of names and shapes.

    Raises:
        UserError: the checkpoint is missing, damaged, or of another architecture.
    """
    _open_checked(path, {variable.op.name: variable.shape.as_list() for variable in variables})
    try:
        with session.tf1_session.graph.as_default():
            saver.restore(session.tf1_session, str(path))
    except (tf1.errors.OpError, ValueError) as error:
        raise _damaged_error(path, error) from error


def read_arrays(path: Path, shapes: Mapping[str, Sequence[int]]) -> Dict[str, np.ndarray]:
    """Return the arrays {name: array} of a checkpoint, exactly those of {name: shape}; needs no graph.

    Raises:
        UserError: as restore().
    """
    reader = _open_checked(path, shapes)
    return {name: reader.get_tensor(name) for name in shapes}


def _open_checked(path: Path, shapes: Mapping[str, Sequence[int]]) -> Any:
    """Return a reader of the checkpoint at `path`, whose checksums are right and that holds {name: shape}."""
    index, data = Path(str(path) + ".index"), Path(str(path) + ".data-00000-of-00001")
    if not index.exists():
        raise _missing_error(path)
    try:
        if not data.is_file():
            raise ValueError(f"no file {data.name}")
        stored = read_index(read_bounded(index, MAX_INDEX_BYTES), data.stat().st_size)
    except (OSError, ValueError) as error:
        raise _damaged_error(path, error) from error
    n_expected, n_stored = (sum(n_numbers(shape) for shape in all_.values()) for all_ in (shapes, stored))
    if n_stored > MOST_STRANGERS * (n_expected + (1 << 20)):
        raise UserError(f"{display_path(path)}: a checkpoint of another architecture: {n_stored:,} numbers, expected "
                        f"{n_expected:,}; choose the --preset it was trained with")
    for name, expected in shapes.items():
        if name not in stored:
            raise UserError(f"{display_path(path)}: a checkpoint of another architecture: it has no variable {name}; "
                            "choose the --preset it was trained with")
        if stored[name] != list(expected):
            raise UserError(f"{display_path(path)}: a checkpoint of another architecture: {name} has shape "
                            f"{stored[name]}, expected {list(expected)}; choose the --preset it was trained with")
    try:
        reader = tf1.train.load_checkpoint(str(path))
        for name in stored:
            reader.get_tensor(name)  # verifies the variable's checksum, even if restoring would not read it
    except Exception as error:  # TensorFlow translates its reader's status to exceptions of several kinds
        raise _damaged_error(path, error) from error
    return reader


def _damaged_error(path: Path, error: Exception) -> UserError:
    return UserError(f"{display_path(path)}: the checkpoint is damaged ({short_reason(error)}); "
                     "train again or name another with --checkpoint")
