"""The order in which every data set is looked for: the user's folder, this machine, a download, the drawn sample."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from tf1_autoencoders.datasets import DRAWN_SAMPLE, LabelledImages, Source
from tf1_autoencoders.datasets.download import DownloadError
from tf1_autoencoders.utils.cli import warn
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.paths import display_path

Splits = Dict[str, LabelledImages]


class DatasetNotFound(UserError):
    """The folder does not contain the data set. Only reported if the user named the folder."""


DataDir = Union[str, Path, Sequence[Union[str, Path]], None]
FILES = {  # names of which at least one lies in a folder that holds the data set
    "CIFAR-10": ("cifar-10-batches-py", "cifar-10-python.tar.gz", "test_batch"),
    "Fashion-MNIST": tuple(folder + name + suffix for folder in ("", "fashion-mnist/") for suffix in ("", ".gz")
                           for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                        "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"))}


def find_dataset(name: str, splits: Sequence[str], *, data: str, data_dir: DataDir,
                 folders: Sequence[Path], read: Callable[..., Splits], download: Callable[[], None],
                 draw: Callable[[str], Tuple[Any, Any]]) -> Splits:
    """Read the splits, as a dict {split: LabelledImages}, from the first source that has them.

    A folder named by the user is taken as it is, even if its content is not the official one (the Source says so). If
    the named folders hold only the other data set, one line says so, and this one comes from the usual places.
    There, the folders are tried in turn, and a copy that is damaged or not official is skipped with a warning. Then
    the data set is downloaded. With data="auto" the last resort, reported on stderr, is the drawn sample.

    Args:
        name: name of the data set, for messages.
        splits: names of the splits.
        data: "auto", "real" (an error instead of the drawn sample) or "sample" (only the drawn sample).
        data_dir: the folder or folders that the user named, or None.
        folders: where a copy may be; the first is the cache, which `download` fills.
        read: read(folder, splits, must_be_official=False) returns {split: LabelledImages}; raises UserError, or
            DatasetNotFound if the folder has nothing to read.
        download: download() fills the cache; raises DownloadError or OSError.
        draw: draw(split) returns x uint8[n, ...] and y uint8[n] of the drawn sample.

    Raises:
        UserError: a folder that the user named is missing, empty or not readable, or the folders hold no readable
            copy; or data="real" and no copy can be had.
    """
    if data == "sample":
        return _drawn_sample(name, splits, draw)
    named = named_folders(data_dir)
    for k, folder in enumerate(named):
        try:
            return read(folder, splits)
        except DatasetNotFound:
            if k + 1 < len(named):
                continue
            others = [other for other in FILES if other != name and any(_holds(place, other) for place in named)]
            if not others or any(_holds(place, name) for place in named):
                raise
            warn(f"--data-dir holds {others[0]} and no {name}: {name} is looked for in the usual places")
    for folder in folders:
        try:
            return read(folder, splits, must_be_official=True)
        except DatasetNotFound:
            pass
        except (UserError, OSError) as error:
            warn(f"{error}: this copy is skipped")
    try:
        download()
    except (DownloadError, OSError) as error:  # no network, or no space for the files
        if data == "real":
            raise UserError(f"no copy of {name} here, and the download failed ({error}); "
                            "name a folder that holds one with --data-dir") from error
        warn(f"No copy of {name} here, and the download failed ({error}): the drawn sample is used instead "
             "(--data-dir names a folder that holds the real images).")
        return _drawn_sample(name, splits, draw)
    return read(folders[0], splits, must_be_official=True)


def plan_dataset(name: str, *, data: str, data_dir: DataDir, folders: Sequence[Path],
                 find_copy: Callable[[Path], Path], n_bytes: int) -> str:
    """Return where find_dataset would look first for the data set, without reading, downloading or writing anything.

    Args:
        find_copy: function of a folder that returns the copy in it; raises DatasetNotFound if there is none.
        n_bytes: size of the download.
        name, data, data_dir, folders: see find_dataset.

    Raises:
        UserError: a folder that the user named is missing, empty or not readable, or holds no copy.
    """
    if data == "sample":
        return f"{name}: the {DRAWN_SAMPLE}, drawn by the program"
    plans: List[str] = []

    def read(folder: Path, splits: Sequence[str], must_be_official: bool = False) -> Splits:
        if not plans:
            plans.append(f"the copy in {display_path(find_copy(folder))}, to be verified")
        return {}

    def download() -> None:
        plans.append(f"a download of {n_bytes / 1e6:.0f} MB into {display_path(folders[0])}" +
                     ("" if data == "real" else f"; the {DRAWN_SAMPLE} if the download fails"))

    find_dataset(name, (), data=data, data_dir=data_dir, folders=folders, read=read, download=download,
                 draw=lambda split: (None, None))
    return f"{name}: {plans[0]}"


def _holds(folder: Path, name: str) -> bool:
    return any((folder / file).exists() for file in FILES[name])


def named_folders(data_dir: DataDir) -> List[Path]:
    """Return the folders that a user named with --data-dir.

    Raises:
        UserError: a folder is missing, empty or not readable.
    """
    given = [data_dir] if isinstance(data_dir, (str, Path)) else list(data_dir or ())
    return [_check_folder(Path(folder).expanduser()) for folder in given]


def _check_folder(folder: Path) -> Path:
    """Return a folder that a user named with --data-dir.

    Raises:
        UserError: there is no such folder, or the folder is empty or not readable.
    """
    shown = f"--data-dir {display_path(folder)}"
    try:
        if not folder.exists():
            raise UserError(f"{shown}: no such folder; name the folder that holds the data set")
        if not folder.is_dir():
            raise UserError(f"{shown}: a file, expected the folder that holds the data set")
        if next(folder.iterdir(), None) is None:
            raise UserError(f"{shown}: the folder is empty; name the folder that holds the data set, or leave the "
                            "option out to download it")
    except OSError as error:
        raise UserError(f"{shown}: {error.strerror}; make the folder readable, or name another one") from error
    return folder


def _drawn_sample(name: str, splits: Sequence[str], draw: Callable[[str], Tuple[Any, Any]]) -> Splits:
    source = Source(name, DRAWN_SAMPLE, "images drawn by tf1_autoencoders/datasets/drawn_sample.py")
    return {split: LabelledImages(*draw(split), source) for split in splits}


def keras_cache() -> Path:
    """Return the folder in which Keras keeps the data sets that it downloads; the folder need not exist."""
    home: Optional[str] = os.environ.get("KERAS_HOME")
    return Path(home or os.path.join(os.path.expanduser("~"), ".keras")) / "datasets"
