"""The order in which every data set is looked for: the user's folder, this machine, a download, the drawn sample."""
from __future__ import annotations

import os
from pathlib import Path

from tf1_autoencoders.datasets import Pictures, Source
from tf1_autoencoders.datasets.download import DownloadError
from tf1_autoencoders.utils.cli import warn
from tf1_autoencoders.utils.errors import UserError


class NoCopy(UserError):
    """The folder does not have the data set's files; where no user named that folder, this is not worth a word."""


def find(name, splits, *, data, data_dir, folders, read, download, draw):
    """Read the splits, as a dict {split: Pictures}, from the first source that has them.

    A folder named by the user is taken as it is, even where its content is not the official one (the Source says so).
    Otherwise the folders are tried in turn; a copy that is damaged or not the official one there is passed over with a
    warning; then the data set is downloaded. With data="auto" the last resort, said on stderr, is the drawn sample.

    Args:
        name: of the data set, for messages.
        splits: names of the splits.
        data: "auto", "real" (an error instead of the drawn sample) or "sample" (nothing else).
        data_dir: the folder that the user named, or None.
        folders: where a copy may be; the first is the cache, into which `download` puts one.
        read: read(folder, splits, must_be_official=False) gives {split: Pictures}; raises UserError, or NoCopy where
            there is nothing to read.
        download: download() fills the cache; raises DownloadError or OSError.
        draw: draw(split) gives x uint8[n, ...] and y uint8[n] of the drawn sample.

    Raises:
        UserError: the folder named holds no readable copy, or data="real" and there is no copy to be had.
    """
    if data == "sample":
        return _drawn(name, splits, draw)
    if data_dir is not None:
        return read(Path(data_dir), splits)
    for folder in folders:
        try:
            return read(folder, splits, must_be_official=True)
        except NoCopy:
            pass
        except (UserError, OSError) as error:
            warn(f"{error}: this copy is passed over")
    try:
        download()
    except (DownloadError, OSError) as error:  # no network, or no place to put it
        if data == "real":
            raise UserError(f"no copy of {name} here, and the download failed ({error}); "
                            "name a folder that holds one with --data-dir") from error
        warn(f"No copy of {name} here, and the download failed ({error}): going on with the drawn sample "
             "(--data-dir names a folder that holds the real pictures).")
        return _drawn(name, splits, draw)
    return read(folders[0], splits, must_be_official=True)


def _drawn(name, splits, draw):
    source = Source(name, "drawn sample", "pictures drawn by tf1_autoencoders/datasets/sample.py")
    return {split: Pictures(*draw(split), source) for split in splits}


def keras_datasets():
    """The folder in which Keras keeps the data sets that it downloads; it need not exist."""
    return Path(os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")) / "datasets"
