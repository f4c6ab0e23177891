"""A folder of numbered checkpoints in which a kill at any instant loses nothing. The folder knows no network.

    checkpoints/section2/
      step-00001650/    a checkpoint: complete before it has this name, never changed afterwards
        model.ckpt.index, model.ckpt.data-00000-of-00001, checkpoint     tf1.train.Saver's files, for any TensorFlow
        settings.json, progress.json                                     the run's identity, and how far it had come
        checksums.json                                                   size and sha256 of each of the other files
      step-00003300/
      latest -> step-00003300                                            replaced by one rename
      model.ckpt.index -> latest/model.ckpt.index, ...                   so that the report's `model.ckpt` is the latest
      ended                                                              name of the last checkpoint of a finished run

A save writes into a folder with a temporary name, flushes each file and the folder to disk, renames the folder, flushes
its parent, and then moves the link. Only the numbers and the checksums count, never the clock. All links are relative,
so that the folder can be moved. Each step-... folder can be taken out and used alone.
"""
from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Union

from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import (
    MAX_JSON_BYTES,
    UNFINISHED_PREFIX,
    fsync,
    lock_folder,
    make_folder,
    make_writable_folder,
    read_bounded,
    read_json,
    replace_link,
    sha256_of_file,
    write_atomically,
)
from tf1_autoencoders.utils.paths import display_path

SETTINGS, PROGRESS, CHECKSUMS = "settings.json", "progress.json", "checksums.json"
MAX_FILE_BYTES = 1 << 31  # of a checkpoint's file; the report's largest has 110 MB
N_KEPT = 3  # checkpoints of a run, unless told otherwise; the older ones serve if the newest is damaged
LATEST, FINISHED = "latest", "ended"
ASIDE = ".before-"  # between the name and the number of a run that was set aside
NO_SYMLINK_ERRORS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)  # a file system without symbolic links


class Checkpoint(NamedTuple):
    """A checkpoint whose checksums are right."""

    path: Path  # its folder
    number: int  # training steps done
    settings: Dict[str, Any]  # of settings.json
    progress: Dict[str, Any]  # of progress.json


def read_checkpoint(path: Union[str, Path]) -> Checkpoint:
    """Return the checkpoint in the folder `path`, after a check of every byte.

    Raises:
        UserError: the checkpoint is damaged.
    """
    path = Path(path)
    try:
        checksums = read_json(path / CHECKSUMS)
        names = {file.name for file in path.iterdir()} - {CHECKSUMS}
        for name in sorted(names | set(checksums)):
            if name not in names:
                raise ValueError(f"{name} is missing")
            if not _is_as_recorded(path / name, checksums.get(name)):
                raise ValueError(f"{name} is not what was saved")
        if read_bounded(path / CHECKSUMS, MAX_JSON_BYTES).decode() != _to_json(checksums):
            raise ValueError(f"{CHECKSUMS} is not what was saved")
        settings, progress = (read_json(path / name) for name in (SETTINGS, PROGRESS))
        number = progress["n_steps"]
        if not isinstance(settings, dict) or type(number) is not int or number != _step_number(path):
            raise ValueError(f"{PROGRESS} is of step {number}")
    except OSError as error:
        name = Path(error.filename or path).name
        raise _damaged_error(path, f"{name} is missing" if isinstance(error, FileNotFoundError) else
                             f"{name}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _damaged_error(path, str(error) if type(error) is ValueError
                             else f"{CHECKSUMS} is not what was saved") from error
    return Checkpoint(path, number, settings, progress)


def has_checksums(path: Path) -> bool:
    """Return whether a folder is a checkpoint of a store, intact or not."""
    return (path / CHECKSUMS).exists()


def _damaged_error(path: Path, reason: str) -> UserError:
    return UserError(f"{display_path(path)}: the checkpoint is damaged ({reason}); train again or name another one")


def _step_number(path: Path) -> Optional[int]:
    match = re.match(r"step-(\d{8,})\Z", path.name)
    return int(match.group(1)) if match else None


def _size_and_checksum(path: Path) -> Dict[str, Any]:
    return {"size": path.stat().st_size, "sha256": sha256_of_file(path)}


def _is_as_recorded(path: Path, recorded: Any) -> bool:
    """Return whether a file has the recorded size and checksum; only a regular file of that size is read."""
    state = path.stat()
    return isinstance(recorded, dict) and stat.S_ISREG(state.st_mode) and recorded.get("size") == state.st_size \
        and state.st_size <= MAX_FILE_BYTES and recorded == _size_and_checksum(path)


def _to_json(content: Any) -> str:
    return json.dumps(content, indent=1) + "\n"


def checkpoint_folders(folder: Union[str, Path]) -> List[Path]:
    """Return the folders of the checkpoints in a store, good or not, newest first; [] for any other folder."""
    folders = [path for path in Path(folder).glob("step-*") if _step_number(path) is not None]
    return sorted(folders, key=lambda path: _step_number(path) or 0, reverse=True)


def good_checkpoints(folder: Union[str, Path], problems: List[str]) -> Iterator[Checkpoint]:
    """Yield the good checkpoints of a store, newest first; add sentences on damaged ones to the list `problems`."""
    for path in checkpoint_folders(folder):
        try:
            yield read_checkpoint(path)
        except UserError as error:
            problems.append(str(error).split("; ")[0])


def is_finished(newest: Checkpoint) -> bool:
    """Return whether a store's newest good checkpoint is the end of a finished run."""
    try:
        return read_bounded(newest.path.parent / FINISHED, 1000) == newest.path.name.encode()
    except (OSError, ValueError):
        return False


class Store:
    """The folder of one run's checkpoints, locked by this process; a context manager.

    Args:
        folder: made if it is missing.
        n_kept: the newest checkpoints that a save leaves, 1 or more.

    Raises:
        UserError: the folder cannot be written to, or another run is using it, or TensorFlow cannot take its name.
    """

    def __init__(self, folder: Union[str, Path], n_kept: int = N_KEPT) -> None:
        try:
            str(folder).encode()
        except UnicodeEncodeError:  # bytes that are not of the encoding of this locale
            raise UserError(f"{display_path(folder)}: TensorFlow cannot write to a folder whose name is not in the "
                            f"encoding {sys.getfilesystemencoding()}; set PYTHONUTF8=1, or choose another "
                            "--checkpoint-dir") from None
        self.folder, self._n_kept = make_writable_folder(folder), n_kept
        self._lock = lock_folder(self.folder, "--checkpoint-dir")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: Any) -> None:
        self._lock.close()

    def open_run(self, identity: Dict[str, Any], resume: bool, say: Callable[[str], None]) -> Optional[Checkpoint]:
        """Find what an earlier run left here, and set the earlier run aside if it is another one.

        Args:
            identity: everything that determines the result of the current run; a checkpoint with the same settings.json
                belongs to the same run.
            resume: whether the user asked to continue the saved run.
            say: function of a sentence, called for what the user must know.

        Returns:
            The Checkpoint to continue from; None to start at the beginning.

        Raises:
            UserError: there is a run without a good checkpoint; or resume, and no run has this identity.
        """
        for leftover in self.folder.glob(UNFINISHED_PREFIX + "*"):  # of a kill
            shutil.rmtree(str(leftover)) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()
        problems: List[str] = []
        others: List[Checkpoint] = []
        same: Optional[Checkpoint] = None
        for checkpoint in good_checkpoints(self.folder, problems):
            if checkpoint.settings == identity:
                same = checkpoint
                break
            others.append(checkpoint)
        if others and same:
            problems += [f"{display_path(other.path)}: a checkpoint of another run" for other in others]
        for problem in problems if same or others else ():
            say(f"{problem}; it is skipped")
        if same and (resume or not is_finished(same)):
            if self._links_are_wrong(same):
                say(f"{display_path(self.folder / LATEST)}: not the latest checkpoint; the link is repaired")
                self._link(same.path)
            return same
        if problems and not same and not others:
            raise UserError(f"{display_path(self.folder)}: no good checkpoint left of the run there "
                            f"({'; '.join(problems)}); remove the folder or choose another --checkpoint-dir to start "
                            "at the beginning")
        if resume:
            saved = "holds no run" if not others else \
                f"holds another run ({first_difference(others[0].settings, identity)})"
            raise UserError(f"--resume: {display_path(self.folder)} {saved}; leave --resume out to start at the "
                            "beginning" + (", which keeps that run aside" if others else ""))
        newest = same or (others[0] if others else None)
        if newest or any(not file.name.startswith(".") for file in self.folder.iterdir()):
            say(self._set_aside(newest))
        return None

    def _set_aside(self, newest: Optional[Checkpoint]) -> str:
        """Rename the folder of a former run, so that it is not overwritten; return a sentence about it."""
        state = "former" if newest is None else "finished" if is_finished(newest) else "unfinished"
        for number in range(1, 10 ** 6):
            aside = self.folder.with_name(f"{self.folder.name}{ASIDE}{number}")
            kept = next(good_checkpoints(aside, []), None)
            if newest and kept and (newest.settings, newest.progress) == (kept.settings, kept.progress):
                shutil.rmtree(str(aside))  # the same run with the same end
            if not aside.exists():
                break
        os.rename(str(self.folder), str(aside))
        for path in checkpoint_folders(aside):
            if newest and path.name != newest.path.name:
                shutil.rmtree(str(path))
        make_folder(self.folder)
        return f"the {state} run that was in {display_path(self.folder)} is kept in {display_path(aside)}"

    def mark_finished(self) -> None:
        """Note that the whole run is finished, not only its training; without this note the run is continued."""
        write_atomically(self.folder / FINISHED, checkpoint_folders(self.folder)[0].name.encode())
        fsync(self.folder)

    def save(self, number: int, write: Callable[[Path], None], identity: Dict[str, Any],
             progress: Dict[str, Any]) -> None:
        """Add a checkpoint; the earlier checkpoints stay until the new one is complete and on disk.

        Args:
            number: training steps done.
            write: function of a folder that writes the checkpoint's own files there, or raises OSError.
            identity, progress: dicts that JSON can hold; progress has n_steps, the number.

        Raises:
            UserError: the checkpoint could not be written.
        """
        target = self.folder / f"step-{number:08d}"
        unfinished = self.folder / (UNFINISHED_PREFIX + target.name)
        try:
            unfinished.mkdir()
            write(unfinished)
            for name, content in ((SETTINGS, identity), (PROGRESS, progress)):
                (unfinished / name).write_text(_to_json(content))
            checksums = {file.name: _size_and_checksum(file) for file in sorted(unfinished.iterdir())}
            (unfinished / CHECKSUMS).write_text(_to_json(checksums))
            for file in unfinished.iterdir():
                fsync(file)
            fsync(unfinished)
            if target.exists():  # a damaged checkpoint: the run has come to its step again
                self._remove(target)
            os.rename(str(unfinished), str(target))
            fsync(self.folder)
            self._link(target)
            for path in checkpoint_folders(self.folder)[self._n_kept:]:
                self._remove(path)
        except OSError as error:
            shutil.rmtree(str(unfinished), ignore_errors=True)
            left = checkpoint_folders(self.folder)
            raise UserError(f"{display_path(self.folder)}: the checkpoint could not be written "
                            f"({error.strerror or error}); free space or choose another --checkpoint-dir" +
                            (f", and the same command continues from {left[0].name}" if left else "")) from error

    def _remove(self, path: Path) -> None:
        """Remove a checkpoint: out of sight in one rename, then file by file."""
        hidden = self.folder / f"{UNFINISHED_PREFIX}removal-of-{path.name}"
        os.rename(str(path), str(hidden))
        shutil.rmtree(str(hidden))

    def _link(self, target: Path) -> None:
        """Make `latest` the checkpoint `target`, and show its files in the store's own folder."""
        names = [file.name for file in target.iterdir() if file.name not in (PROGRESS, CHECKSUMS)]
        try:
            replace_link(self.folder / LATEST, target.name)
            for name in names:
                if _link_target(self.folder / name) != os.path.join(LATEST, name):
                    replace_link(self.folder / name, os.path.join(LATEST, name))
        except OSError as error:
            if error.errno not in NO_SYMLINK_ERRORS:
                raise
            for name in names:
                copy = self.folder / (UNFINISHED_PREFIX + name)
                shutil.copyfile(str(target / name), str(copy))
                os.replace(str(copy), str(self.folder / name))
        fsync(self.folder)

    def _links_are_wrong(self, newest: Checkpoint) -> bool:
        """Return whether `latest`, or a link through it, is missing, damaged or of another checkpoint."""
        def is_same(file: Path) -> bool:
            shown = self.folder / file.name
            return shown.exists() and _is_as_recorded(shown, _size_and_checksum(file))
        return not all(is_same(file) for file in newest.path.iterdir()
                       if file.name not in (PROGRESS, CHECKSUMS))


def first_difference(saved: Dict[str, Any], current: Dict[str, Any]) -> str:
    """Return which value first differs between the identities of a saved run and of this one, settings first."""
    for name in sorted(set(saved) | set(current), key=lambda name: (name != "settings", name)):
        first, second = saved.get(name), current.get(name)
        if first != second:
            if isinstance(first, dict) and isinstance(second, dict):
                checksums = [key for key in set(first) | set(second) if first.get(key) != second.get(key)]
                if all(key.startswith("sha256") for key in checksums):
                    return f"the {name} has changed"
                return first_difference(first, second)
            return f"{name} was {first!r} in the saved run and is {second!r} now"
    return "no difference"


def _link_target(path: Path) -> Optional[str]:
    return os.readlink(str(path)) if path.is_symlink() else None
