"""The order in which every data set is looked for: the user's folder, this machine, a download, the drawn sample."""
from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from tf1_autoencoders.datasets import DRAWN_SAMPLE, LabelledImages, Source
from tf1_autoencoders.datasets.download import DownloadError
from tf1_autoencoders.utils.cli import warn
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.paths import display_path

Splits = Dict[str, LabelledImages]


class DatasetNotFound(UserError):
    """The folder does not contain the data set. Only reported if the user named the folder."""


DataDir = Union[str, Path, Sequence[Union[str, Path]], None]
FILES = {  # names of which at least one lies in a folder that holds the data set, packed or not
    "CIFAR-10": re.compile(r"data_batch_[1-5]|test_batch|cifar-10-(python|batches-py)(-target)?(_archive)?( ?\(\d+\))?"
                           r"(\.tar|\.tar\.gz|\.tgz)?"),
    "Fashion-MNIST": re.compile(r"(train|t10k)-(images-idx3|labels-idx1)-ubyte(\.gz)?")}
OTHER_VERSIONS = {  # the same images in files that are not read: names of the files
    "binary": re.compile(r"(data|test)_batch.*\.bin|cifar-10-binary.*"),
    "Matlab": re.compile(r"(data_|test_)?batch.*\.mat|cifar-10-matlab.*"),
    "CSV": re.compile(r"(fashion|cifar|train|test).*\.csv"),
    "parquet": re.compile(r".*\.parquet")}
EXPECTED = {
    "CIFAR-10": "a folder with cifar-10-batches-py/ or cifar-10-python.tar.gz in it, which is the Python version at "
                "https://www.cs.toronto.edu/~kriz/cifar.html",
    "Fashion-MNIST": "the four files of Fashion-MNIST, train-images-idx3-ubyte.gz and so on, which are at "
                     "https://github.com/zalandoresearch/fashion-mnist"}
NAMESAKES = re.compile(r"(k|e|q)?mnist", re.IGNORECASE)  # data sets whose files are named as Fashion-MNIST's
MAX_DEPTH = 3  # folders below a named one: datasets/fashion-mnist/data/fashion in a clone beside others
MAX_FOLDERS, MAX_ENTRIES = 1000, 10000  # folders that are looked into, and files and folders in each


def folders_with_files(folder: Path, name: str) -> List[Tuple[Path, List[str]]]:
    """Return (place, names of the data set's files there) of a folder and the folders in it, the nearest first.

    Args:
        folder: the folder to look into, MAX_DEPTH deep.
        name: key of FILES.

    Raises:
        DatasetNotFound: there are no such files; the sentence names the data set's other version if there is one.
        PermissionError: the folder cannot be read.
    """
    other = ""
    found = []
    for place, files in _walk(folder):
        names = [file for file in files if FILES[name].fullmatch(file)]
        if names:
            found.append((place, names))
        for version, pattern in OTHER_VERSIONS.items():
            match = next(filter(pattern.fullmatch, files), None)
            if match and not other:
                other = f"this is the {version} version ({(place / match).relative_to(folder)}); "
    if not found:
        raise DatasetNotFound(f"{display_path(folder)}: {other}expected {EXPECTED[name]}; name another folder with "
                              f"--data-dir, or leave it out to download {name}")
    return found


def _walk(folder: Path) -> Iterator[Tuple[Path, List[str]]]:
    """Yield (folder, sorted names of its files) of a folder and of the folders in it, the nearest first.

    A hidden folder and one of NAMESAKES are left out, and so is a folder in it that cannot be read.

    Raises:
        PermissionError: the folder itself cannot be read.
    """
    level = [folder]
    n_folders = 0
    for _ in range(MAX_DEPTH + 1):
        next_level: List[Path] = []
        for place in level[:MAX_FOLDERS - n_folders]:
            n_folders += 1
            try:
                with os.scandir(str(place)) as entries:
                    listed = sorted(itertools.islice(entries, MAX_ENTRIES), key=lambda entry: entry.name)
                yield place, [entry.name for entry in listed if entry.is_file()]
                next_level += [place / entry.name for entry in listed if entry.is_dir()
                               and not entry.name.startswith(".") and not NAMESAKES.fullmatch(entry.name)]
            except OSError as error:
                if place == folder and isinstance(error, PermissionError):
                    raise
        level = next_level


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
    try:
        return bool(folders_with_files(folder, name))
    except (DatasetNotFound, OSError):
        return False


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
