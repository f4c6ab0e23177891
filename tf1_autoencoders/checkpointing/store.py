"""A folder of numbered checkpoints in which a kill at any instant loses nothing; it knows nothing of what they hold.

    checkpoints/section2/
      step-00001650/    a checkpoint: complete before it has this name, never changed after
        model.ckpt.index, model.ckpt.data-00000-of-00001, checkpoint     tf1.train.Saver's, readable by any TensorFlow
        settings.json, progress.json                                     what the run is, and how far it had come
        sums.json                                                        size and sha256 of each of the others
      step-00003300/
      latest -> step-00003300                                            replaced by one rename
      model.ckpt.index -> latest/model.ckpt.index, ...                   so that the report's `model.ckpt` is the latest
      ended                                                              the last of a run that came to its end

A save writes into a folder with a temporary name, flushes each file and the folder to disk, renames the folder, flushes
its parent, and then moves the link. What counts is the numbers and the sums, never the clock. All links are relative,
so that the folder can be moved; each step-... can be taken out and used alone.
"""
from __future__ import annotations

import errno
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any, Dict, NamedTuple

from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import UNFINISHED, file_sum, flush, lock, prepare, read_json, replace_link
from tf1_autoencoders.utils.paths import shown

SETTINGS, PROGRESS, SUMS = "settings.json", "progress.json", "sums.json"
KEEP = 3  # checkpoints of a run; the older ones are there in case that the newest is damaged
LATEST, ENDED, UNFINISHED = "latest", "ended", UNFINISHED
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)  # a file system without symbolic links


class Checkpoint(NamedTuple):
    """A checkpoint whose sums are right."""

    path: Path  # its folder
    number: int  # training steps done
    settings: Dict[str, Any]  # of settings.json
    progress: Dict[str, Any]  # of progress.json


def read(path):
    """The checkpoint in the folder `path`, every byte of it checked.

    Raises:
        UserError: it is damaged.
    """
    path = Path(path)
    try:
        sums = read_json(path / SUMS)
        names = {file.name for file in path.iterdir()} - {SUMS}
        for name in sorted(names | set(sums)):
            if name not in names:
                raise ValueError(f"{name} is missing")
            if sums.get(name) != _size_and_sum(path / name):
                raise ValueError(f"{name} is not what was saved")
        if (path / SUMS).read_text() != _json(sums):
            raise ValueError(f"{SUMS} is not what was saved")
        settings, progress = (json.loads((path / name).read_text()) for name in (SETTINGS, PROGRESS))
        number = progress["n_steps"]
        if not isinstance(settings, dict) or number != _number(path):
            raise ValueError(f"{PROGRESS} is of step {number}")
    except OSError as error:
        name = Path(error.filename or path).name
        raise _damaged(path, f"{name} is missing" if isinstance(error, FileNotFoundError) else
                       f"{name}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _damaged(path, str(error) if type(error) is ValueError else f"{SUMS} is not what was saved") from error
    return Checkpoint(path, number, settings, progress)


def _damaged(path, reason):
    return UserError(f"{shown(path)}: the checkpoint is damaged ({reason}); train again or name another one")


def _number(path):
    match = re.match(r"step-(\d{8,})\Z", path.name)
    return int(match.group(1)) if match else None


def _size_and_sum(path):
    return {"size": path.stat().st_size, "sha256": file_sum(path)}


def _json(content):
    return json.dumps(content, indent=1) + "\n"


def steps(folder):
    """The folders of the checkpoints in a store, good or not, newest first; [] for what is no store."""
    found = [path for path in Path(folder).glob("step-*") if _number(path) is not None]
    return sorted(found, key=_number, reverse=True)


def good(folder, problems):
    """Yield the good checkpoints of a store, newest first; sentences on damaged ones go to the list `problems`."""
    for path in steps(folder):
        try:
            yield read(path)
        except UserError as error:
            problems.append(str(error).split("; ")[0])


class Store:
    """The folder of one run's checkpoints, held by this process; a context manager.

    Args:
        folder: made where it is missing.

    Raises:
        UserError: it cannot be written to, or another run holds it.
    """

    def __init__(self, folder):
        self.folder = prepare(folder)
        self._lock = lock(self.folder, "--checkpoint-dir")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lock.close()

    def begin(self, settings, resume, say):
        """Find what an earlier run left here, and make room for the run at hand where that is another one.

        Args:
            settings: dict, what the run at hand is; a checkpoint with the same is of the same run.
            resume: whether the user asked to go on from what is there.
            say: function of a sentence, called for what the user must know.

        Returns:
            The Checkpoint to go on from; None to start at the beginning.

        Raises:
            UserError: there is a run, and no good checkpoint in it; or resume, and no run with these settings.
        """
        for left in self.folder.glob(UNFINISHED + "*"):  # by a kill
            shutil.rmtree(str(left)) if left.is_dir() and not left.is_symlink() else left.unlink()
        problems, others = [], []
        for found in good(self.folder, problems):
            if found.settings == settings:
                break
            others.append(found)
        else:
            found = None
        if others and found:
            problems += [f"{shown(other.path)}: a checkpoint of another run" for other in others]
        for problem in problems if found or others else ():
            say(f"{problem}; it is left out")
        if found and (resume or not self._has_ended(found)):
            if self._links_are_wrong(found):
                say(f"{shown(self.folder / LATEST)}: not the latest checkpoint; put right")
                self._link(found.path)
            return found
        if problems and not found and not others:
            raise UserError(f"{shown(self.folder)}: no good checkpoint left of the run there ({'; '.join(problems)}); "
                            "remove the folder or choose another --checkpoint-dir to start at the beginning")
        if resume:
            there = f"holds another run ({difference(others[0].settings, settings)})" if others else "holds no run"
            raise UserError(f"--resume: {shown(self.folder)} {there}; leave --resume out to start at the beginning"
                            + (", which keeps that run aside" if others else ""))
        newest = found or (others[0] if others else None)
        if newest or any(not file.name.startswith(".") for file in self.folder.iterdir()):
            say(self._set_aside(newest))
        return None

    def _set_aside(self, newest):
        """Give the folder of a former run another name, so that it is not overwritten; says so in a sentence."""
        ended = "former" if newest is None else "finished" if self._has_ended(newest) else "unfinished"
        for number in range(1, 10 ** 6):
            aside = self.folder.with_name(f"{self.folder.name}.before-{number}")
            kept = next(good(aside, []), None)
            if newest and kept and (newest.settings, newest.progress) == (kept.settings, kept.progress):
                shutil.rmtree(str(aside))  # the same run, come to the same end
            if not aside.exists():
                break
        os.rename(str(self.folder), str(aside))
        for path in steps(aside):
            if newest and path.name != newest.path.name:
                shutil.rmtree(str(path))
        self.folder.mkdir()
        flush(self.folder.parent)
        return f"the {ended} run that was in {shown(self.folder)} is kept in {shown(aside)}"

    def end(self):
        """Note that the run has come to its end, not only its training; without that it is taken up again."""
        (self.folder / ENDED).write_text(steps(self.folder)[0].name)

    def _has_ended(self, newest):
        try:
            return (self.folder / ENDED).read_bytes() == newest.path.name.encode()
        except OSError:
            return False

    def save(self, number, write, settings, progress):
        """Add a checkpoint; what was there stays until it is complete and on disk.

        Args:
            number: training steps done.
            write: function of a folder, puts the checkpoint's own files there; raises OSError where it cannot.
            settings, progress: dicts that JSON can hold; progress has n_steps, the number.

        Raises:
            UserError: it could not be written.
        """
        target = self.folder / f"step-{number:08d}"
        unfinished = self.folder / (UNFINISHED + target.name)
        try:
            unfinished.mkdir()
            write(unfinished)
            for name, content in ((SETTINGS, settings), (PROGRESS, progress)):
                (unfinished / name).write_text(_json(content))
            sums = {file.name: _size_and_sum(file) for file in sorted(unfinished.iterdir())}
            (unfinished / SUMS).write_text(_json(sums))
            for file in unfinished.iterdir():
                flush(file)
            flush(unfinished)
            if target.exists():  # one that was found damaged: the run comes to this step again
                self._remove(target)
            os.rename(str(unfinished), str(target))
            flush(self.folder)
            self._link(target)
            for path in steps(self.folder)[KEEP:]:
                self._remove(path)
        except OSError as error:
            shutil.rmtree(str(unfinished), ignore_errors=True)
            left = steps(self.folder)
            raise UserError(f"{shown(self.folder)}: the checkpoint could not be written ({error.strerror or error}); "
                            "free space or choose another --checkpoint-dir" +
                            (f", and the same command goes on from {left[0].name}" if left else "")) from error

    def _remove(self, path):
        """Remove a checkpoint: out of sight in one rename, then file by file."""
        unseen = self.folder / f"{UNFINISHED}removal-of-{path.name}"
        os.rename(str(path), str(unseen))
        shutil.rmtree(str(unseen))

    def _link(self, target):
        """Make `latest` the checkpoint `target`, and its files seen in the store's own folder."""
        names = [file.name for file in target.iterdir() if file.name not in (PROGRESS, SUMS)]
        try:
            replace_link(self.folder / LATEST, target.name)
            for name in names:
                if _link_of(self.folder / name) != os.path.join(LATEST, name):
                    replace_link(self.folder / name, os.path.join(LATEST, name))
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            for name in names:
                copy = self.folder / (UNFINISHED + name)
                shutil.copyfile(str(target / name), str(copy))
                os.replace(str(copy), str(self.folder / name))
        flush(self.folder)

    def _links_are_wrong(self, newest):
        """Whether `latest`, or what leads to it, is missing, damaged or of another checkpoint."""
        def same(file):
            return (self.folder / file.name).exists() and _size_and_sum(self.folder / file.name) == _size_and_sum(file)
        return not all(same(file) for file in newest.path.iterdir() if file.name not in (PROGRESS, SUMS))


def difference(there, here):
    """In words: the first value that differs between two dicts of settings, of a run there and of the one at hand."""
    for name in sorted(set(there) | set(here)):
        one, other = there.get(name), here.get(name)
        if one != other:
            if isinstance(one, dict) and isinstance(other, dict):
                return difference(one, other)
            return f"{name} is {one!r} there, {other!r} here"
    return "no difference"


def _link_of(path):
    return os.readlink(str(path)) if path.is_symlink() else None
