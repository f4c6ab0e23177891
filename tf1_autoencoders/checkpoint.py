"""The only place that writes or reads model.ckpt: genuine tf1.train.Saver files, replaced as a whole or not at all."""
from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path

from tf1_autoencoders.errors import UserError
from tf1_autoencoders.frameworks import tf1
from tf1_autoencoders.paths import shown

NAME = "model.ckpt"
SETTINGS = "settings.json"


def prepare_folder(folder):
    """Make `folder` and try it with a small file, so that a run does not fail only at its end; returns it as a Path.

    Raises:
        UserError: it cannot be made or written to.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=str(folder)) as probe:
            probe.write(bytes(4096))
    except OSError as error:
        raise UserError(f"{shown(folder)}: {error.strerror}; expected a folder that can be written to, "
                        "choose another or free space") from error
    return folder


def save(session, saver, folder, settings):
    """Write model.ckpt and settings.json to `folder`; whatever was there stays until all of it is on disk.

    Args:
        session: training.Session.
        saver: model.saver, or model.weights_saver for a small checkpoint that cannot be trained further.
        folder: made where it is missing.
        settings: what the model was built with, a dict that JSON can hold.

    Returns:
        The path of the checkpoint without suffix, as Saver.restore takes it.

    Raises:
        UserError: the folder cannot be written to, or the disk is full.
    """
    folder = prepare_folder(folder)
    unfinished = tempfile.mkdtemp(prefix="unfinished-", dir=str(folder))
    try:
        with session.tf1_session.graph.as_default():  # elsewhere TensorFlow 2 takes the Saver for an eager one
            saver.save(session.tf1_session, os.path.join(unfinished, NAME), write_meta_graph=False)
        (Path(unfinished) / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n")
        for name in sorted(os.listdir(unfinished)):
            os.replace(os.path.join(unfinished, name), str(folder / name))
    except (OSError, tf1.errors.OpError) as error:
        raise UserError(f"{shown(folder)}: the checkpoint could not be written ({_reason(error)}); "
                        "free space or choose another --checkpoint-dir") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder / NAME


def find(folders):
    """The first of `folders` that holds a checkpoint, as the checkpoint's path without suffix.

    Raises:
        UserError: none does.
    """
    for folder in folders:
        if (Path(folder) / (NAME + ".index")).exists():
            return Path(folder) / NAME
    raise UserError(f"no checkpoint: looked for {NAME} in {' and in '.join(shown(folder) for folder in folders)}; "
                    "train one with `python run_all.py --section 2`")


def named(path):
    """The checkpoint that a user means by `path`: its folder, its path without suffix, or one of its files."""
    path = Path(path)
    if path.is_dir():
        return path / NAME
    return path.with_suffix("") if path.suffix in (".index", ".meta") or ".data-" in path.suffix else path


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
    file = Path(path).parent / SETTINGS
    try:
        stored = json.loads(file.read_text())
        values = {field.name: stored["settings"][field.name] for field in dataclasses.fields(settings_class)}
    except FileNotFoundError:
        return None, {}
    except KeyError as error:
        raise UserError(f"{shown(file)}: no value for {error}; train again, or remove the file "
                        "to use the checkpoint with --preset") from error
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{shown(file)}: not the settings of a run ({_reason(error)}); train again, or remove "
                        "the file to use the checkpoint with --preset") from error
    for field in dataclasses.fields(settings_class):
        value, sample = values[field.name], getattr(settings_class(), field.name)
        if type(value) is not type(sample) and not (value is None or sample is None):
            raise UserError(f"{shown(file)}: {field.name} is {value!r}, expected a value like {sample!r}; train again")
    return settings_class(**values), stored


def restore(session, saver, variables, path):
    """Give `variables` their values from the checkpoint at `path`, after a check of names and shapes.

    Raises:
        UserError: no checkpoint, a damaged one, or one of another architecture.
    """
    try:
        reader = tf1.train.load_checkpoint(str(path))
        stored = reader.get_variable_to_shape_map()
        for name in stored:
            reader.get_tensor(name)  # checks its sum, also where restoring would not read it
    except Exception as error:  # TensorFlow raises what its reader's status happens to be translated to
        if not Path(str(path) + ".index").exists():
            raise UserError(f"{shown(path)}: no checkpoint there (no {Path(path).name}.index); "
                            "train one with `python run_all.py --section 2`") from error
        raise _damaged(path, error) from error
    for variable in variables:
        name, expected = variable.op.name, variable.shape.as_list()
        if name not in stored:
            raise UserError(f"{shown(path)}: a checkpoint of another architecture: it has no variable {name}; "
                            "choose the --preset it was trained with")
        if stored[name] != expected:
            raise UserError(f"{shown(path)}: a checkpoint of another architecture: {name} has shape "
                            f"{stored[name]}, expected {expected}; choose the --preset it was trained with")
    try:
        with session.tf1_session.graph.as_default():
            saver.restore(session.tf1_session, str(path))
    except (tf1.errors.OpError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path, error):
    return UserError(f"{shown(path)}: the checkpoint is damaged ({_reason(error)}); "
                     "train again or name another with --checkpoint")


def _reason(error):
    """What went wrong, from an exception: of TensorFlow's long messages the line before the node's name."""
    text = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
    lines = text.split("\n\t [[")[0].strip().splitlines() or [type(error).__name__]
    return (lines[-1] if lines[0].startswith("Graph execution error") else lines[0]).split("; ")[-1][:160]
