"""The order in which every data set is looked for: the user's folder, this machine, a download, the drawn sample."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Sequence, Tuple, Union

from tf1_autoencoders.datasets import DRAWN_SAMPLE, LabelledImages, Source
from tf1_autoencoders.datasets.download import DownloadError
from tf1_autoencoders.utils.cli import warn
from tf1_autoencoders.utils.errors import UserError

Splits = Dict[str, LabelledImages]


class DatasetNotFound(UserError):
    """The folder does not contain the data set. Only reported if the user named the folder."""


def find_dataset(name: str, splits: Sequence[str], *, data: str, data_dir: Union[str, Path, None],
                 folders: Sequence[Path], read: Callable[..., Splits], download: Callable[[], None],
                 draw: Callable[[str], Tuple[Any, Any]]) -> Splits:
    """Read the splits, as a dict {split: LabelledImages}, from the first source that has them.

    A folder named by the user is taken as it is, even if its content is not the official one (the Source says so).
    Otherwise the folders are tried in turn, and a copy that is damaged or not official is skipped with a warning. Then
    the data set is downloaded. With data="auto" the last resort, reported on stderr, is the drawn sample.

    Args:
        name: name of the data set, for messages.
        splits: names of the splits.
        data: "auto", "real" (an error instead of the drawn sample) or "sample" (only the drawn sample).
        data_dir: the folder that the user named, or None.
        folders: where a copy may be; the first is the cache, which `download` fills.
        read: read(folder, splits, must_be_official=False) returns {split: LabelledImages}; raises UserError, or
            DatasetNotFound if the folder has nothing to read.
        download: download() fills the cache; raises DownloadError or OSError.
        draw: draw(split) returns x uint8[n, ...] and y uint8[n] of the drawn sample.

    Raises:
        UserError: the folder that the user named holds no readable copy, or data="real" and no copy can be had.
    """
    if data == "sample":
        return _drawn_sample(name, splits, draw)
    if data_dir is not None:
        return read(Path(data_dir), splits)
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


def _drawn_sample(name: str, splits: Sequence[str], draw: Callable[[str], Tuple[Any, Any]]) -> Splits:
    source = Source(name, DRAWN_SAMPLE, "images drawn by tf1_autoencoders/datasets/drawn_sample.py")
    return {split: LabelledImages(*draw(split), source) for split in splits}


def keras_cache() -> Path:
    """Return the folder in which Keras keeps the data sets that it downloads; the folder need not exist."""
    home: Optional[str] = os.environ.get("KERAS_HOME")
    return Path(home or os.path.join(os.path.expanduser("~"), ".keras")) / "datasets"
