"""The only place that writes or reads model.ckpt: genuine tf1.train.Saver files, checked before they are used."""
from __future__ import annotations

import dataclasses
import os
import reprlib
from pathlib import Path

from tf1_autoencoders.checkpointing import store
from tf1_autoencoders.checkpointing.index import LARGEST, read
from tf1_autoencoders.utils.cli import warn
from tf1_autoencoders.utils.errors import UserError, brief
from tf1_autoencoders.utils.files import read_json
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import shown

NAME = "model.ckpt"


def write(session, saver, folder):
    """Write model.ckpt to an existing folder, as it comes from the Saver; store.Store.save makes it safe.

    Args:
        session: training.Session.
        saver: model.saver, or model.weights_saver for a small checkpoint that cannot be trained further.
        folder: where to.

    Raises:
        OSError: it could not be written.
    """
    try:
        with session.tf1_session.graph.as_default():  # elsewhere TensorFlow 2 takes the Saver for an eager one
            saver.save(session.tf1_session, os.path.join(str(folder), NAME), write_meta_graph=False,
                       write_state=False)
    except tf1.errors.OpError as error:
        raise OSError(0, _reason(error)) from error
    _write_state(folder)


def write_arrays(values, folder):
    """Write arrays {name: array} as a model.ckpt, without a graph; for TensorFlow 2.

    Raises:
        OSError: it could not be written.
    """
    try:
        tf1.raw_ops.SaveV2(prefix=os.path.join(str(folder), NAME), tensor_names=list(values),
                           shape_and_slices=[""] * len(values), tensors=list(values.values()))
    except tf1.errors.OpError as error:
        raise OSError(0, _reason(error)) from error
    _write_state(folder)


def _write_state(folder):
    """The file `checkpoint`, as a Saver writes it that has saved once; by itself it would list what is elsewhere."""
    (Path(folder) / "checkpoint").write_text(f'model_checkpoint_path: "{NAME}"\nall_model_checkpoint_paths: "{NAME}"\n')


def find(folders):
    """The newest good checkpoint of the first of `folders` that holds one, as a path without suffix.

    Of a folder that training has filled (store.Store), every byte is checked; what is damaged is left out, and said.

    Raises:
        UserError: there is none, or in the first folder with checkpoints no good one.
    """
    for folder in map(Path, folders):
        problems = []
        for found in store.good(folder, problems):
            for problem in problems:
                warn(f"{problem}; the one before it is used")
            latest = folder / NAME
            is_latest = (folder / store.LATEST).is_symlink() and (folder / store.LATEST).resolve() == \
                found.path.resolve() and latest.with_name(NAME + ".index").exists()
            return latest if is_latest else found.path / NAME
        if problems:
            raise UserError(f"{shown(folder)}: no good checkpoint ({'; '.join(problems)}); "
                            "train again or name another with --checkpoint")
        if (folder / (NAME + ".index")).exists():
            return folder / NAME
    raise UserError(f"no checkpoint: looked for {NAME} in {' and in '.join(shown(folder) for folder in folders)}; "
                    "train one with `python run_all.py --section 2`")


def named(path):
    """The checkpoint that a user means by `path`: its folder, its path without suffix, or one of its files.

    Raises:
        UserError: it is one of a training's (store.Store), and damaged.
    """
    path = Path(path)
    if path.is_dir():
        path = path / NAME
    elif path.suffix in (".index", ".meta") or ".data-" in path.suffix:
        path = path.with_suffix("")
    if path.name == NAME and store.steps(path.parent):
        return find([path.parent])
    if (path.parent / store.SUMS).exists():
        store.read(path.parent)
    return path


def read_settings(path, settings_class):
    """What settings.json beside a checkpoint says.

    Args:
        path: the checkpoint, as find() gives it.
        settings_class: the section's frozen dataclass of settings.

    Returns:
        (settings, whole file as a dict), or (None, {}) where there is none: a checkpoint from elsewhere.

    Raises:
        UserError: the file is there, and does not hold these settings.
    """
    file = Path(path).parent / store.SETTINGS
    try:
        stored = read_json(file)
        values = {field.name: stored["settings"][field.name] for field in dataclasses.fields(settings_class)}
    except FileNotFoundError:
        return None, {}
    except KeyError as error:
        raise UserError(f"{shown(file)}: {brief(error)} in it; train again, or remove the file "
                        "to use the checkpoint with --preset") from error
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{shown(file)}: not the settings of a run ({brief(error)}); train again, or remove "
                        "the file to use the checkpoint with --preset") from error
    for field in dataclasses.fields(settings_class):
        value, sample = values[field.name], getattr(settings_class(), field.name)
        kind = int if sample is None else type(sample)  # None stands for a number of steps or pictures, yet to be known
        if not (value is None and field.type.startswith("Optional")) and (
                type(value) is not kind or kind in (int, float) and not -1e9 < value < 1e9):
            raise UserError(f"{shown(file)}: {field.name} is {brief(reprlib.repr(value))}, "
                            f"expected a value like {sample!r}; train again")
    return settings_class(**values), stored


def restore(session, saver, variables, path):
    """Give `variables` their values from the checkpoint at `path`, after a check of names and shapes.

    Raises:
        UserError: no checkpoint, a damaged one, or one of another architecture.
    """
    _open(path, {variable.op.name: variable.shape.as_list() for variable in variables})
    try:
        with session.tf1_session.graph.as_default():
            saver.restore(session.tf1_session, str(path))
    except (tf1.errors.OpError, ValueError) as error:
        raise _damaged(path, error) from error


def read_arrays(path, shapes):
    """The arrays {name: array} of a checkpoint, strictly those of {name: shape}; without a graph.

    Raises:
        UserError: as restore().
    """
    reader = _open(path, shapes)
    return {name: reader.get_tensor(name) for name in shapes}


def _open(path, shapes):
    """A reader of the checkpoint at `path`, all of whose sums are right and that has what {name: shape} asks for."""
    index, data = Path(str(path) + ".index"), Path(str(path) + ".data-00000-of-00001")
    if not index.exists():
        raise UserError(f"{shown(path)}: no checkpoint there (no {index.name}); "
                        "train one with `python run_all.py --section 2`")
    try:
        if not index.is_file() or not data.is_file():
            raise ValueError(f"no file {data.name}")
        with open(str(index), "rb") as file:
            stored = read(file.read(LARGEST + 1), data.stat().st_size)
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    for name, expected in shapes.items():
        if name not in stored:
            raise UserError(f"{shown(path)}: a checkpoint of another architecture: it has no variable {name}; "
                            "choose the --preset it was trained with")
        if stored[name] != list(expected):
            raise UserError(f"{shown(path)}: a checkpoint of another architecture: {name} has shape "
                            f"{stored[name]}, expected {list(expected)}; choose the --preset it was trained with")
    try:
        reader = tf1.train.load_checkpoint(str(path))
        for name in stored:
            reader.get_tensor(name)  # checks its sum, also where restoring would not read it
    except Exception as error:  # TensorFlow raises what its reader's status happens to be translated to
        raise _damaged(path, error) from error
    return reader


def _damaged(path, error):
    return UserError(f"{shown(path)}: the checkpoint is damaged ({_reason(error)}); "
                     "train again or name another with --checkpoint")


def _reason(error):
    """What went wrong, from an exception: of TensorFlow's long messages the line before the node's name."""
    text = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
    lines = text.split("\n\t [[")[0].strip().splitlines() or [type(error).__name__]
    return brief((lines[-1] if lines[0].startswith("Graph execution error") else lines[0]).split("; ")[-1])
