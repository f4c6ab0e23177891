"""Fashion-MNIST: finding a copy, downloading one, reading its IDX files.

The official files are those of https://github.com/zalandoresearch/fashion-mnist (H. Xiao, K. Rasul, R. Vollgraf, 2017):
pictures and labels of 60000 training and 10000 test articles, each file an IDX array compressed with gzip.
"""
from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

import numpy as np

from tf1_autoencoders.datasets import Pictures, Source, drawn_sample, locate
from tf1_autoencoders.datasets.download import DownloadError, fetch
from tf1_autoencoders.datasets.gzip_reader import BadFile, Unpacked
from tf1_autoencoders.utils.errors import UserError, brief
from tf1_autoencoders.utils.files import file_sum
from tf1_autoencoders.utils.paths import DATA, shown

MIRRORS = ("https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
           "https://fashion-mnist.s3.eu-central-1.amazonaws.com/")
FOLDER = "fashion-mnist"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist
SPLITS = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
          "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
SHAPES = {"train-images-idx3-ubyte": (60000, 28, 28), "train-labels-idx1-ubyte": (60000,),
          "t10k-images-idx3-ubyte": (10000, 28, 28), "t10k-labels-idx1-ubyte": (10000,)}
ARCHIVES = {  # bytes and sha256 of the official .gz files
    "train-images-idx3-ubyte": (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    "train-labels-idx1-ubyte": (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    "t10k-images-idx3-ubyte": (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    "t10k-labels-idx1-ubyte": (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5")}
# Sums of what is in them, so that a copy is known however it was compressed. They were taken from Debian's files, which
# are the official ones without the name and the time in gzip's header: with those put back (times 1504176606 in the
# train files, 1504176627 in the t10k files) they have the sums above.
OFFICIAL_SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}
ROOM = 1 << 20  # bytes that a file may have beyond its content; gzip adds far fewer to what it cannot compress
AGAIN = "download it again or name another folder with --data-dir"


def load(splits=("train", "test"), *, data="auto", data_dir=None):
    """Read the splits, as a dict {split: Pictures} with x uint8[n, 28, 28], all from one source.

    n is 60000 for train and 10000 for test. search.find says how a copy is looked for; the places are the project's
    cache, Keras's and that of Debian's package dataset-fashion-mnist.

    Args:
        splits: names from SPLITS.
        data: "auto", "real" (an error instead of the drawn sample) or "sample" (nothing else).
        data_dir: folder with the four files, compressed (.gz) or not, in it or in its folder fashion-mnist/.

    Raises:
        UserError: the folder named holds no readable copy, or data="real" and there is no copy to be had.
    """
    return locate.find("Fashion-MNIST", splits, data=data, data_dir=data_dir,
                       folders=(DATA / FOLDER, locate.keras_datasets() / FOLDER, DEBIAN),
                       read=_read_copy, download=_download, draw=drawn_sample.fashion_mnist)


def _download():
    """Download those of the four files that the cache does not have yet, each checked."""
    mirrors = list(MIRRORS)
    for name, (size, sha256) in ARCHIVES.items():
        path = DATA / FOLDER / (name + ".gz")
        if path.is_file() and file_sum(path) == sha256:
            continue
        failures = []
        for mirror in tuple(mirrors):
            try:
                fetch(mirror + path.name, path, size=size, sha256=sha256, timeout=10.0)
                break
            except DownloadError as error:
                failures.append(str(error))
                mirrors.append(mirrors.pop(0))  # the next file asks this one last
        else:
            raise DownloadError("; ".join(failures))


def _read_copy(folder, splits, must_be_official=False):
    """Read the splits from a folder (see load).

    Raises:
        NoCopy: a file is not there.
        UserError: a file is damaged or, with must_be_official, has not the official content.
    """
    folders = (folder, folder / FOLDER)
    folder = next((place for place in folders if any(_path(place, name) for name in SHAPES)), folder)
    official, parts = True, {}
    for name in (name for split in splits for name in SPLITS[split]):
        path = _path(folder, name)
        if path is None:
            raise locate.NoCopy(f"{shown(folder)}: no {name}.gz in it, expected the four files of Fashion-MNIST; "
                                "name another folder with --data-dir, or leave it out to download them")
        content = _content(path, _size(SHAPES[name]))
        official = official and hashlib.sha256(content).hexdigest() == OFFICIAL_SHA256[name]
        if must_be_official and not official:
            raise UserError(f"{shown(path)}: not the official content (sha256 differs)")
        parts[name] = read_idx(content, shown(path), SHAPES[name])
    source = Source("Fashion-MNIST", "official" if official else "unverified copy", shown(folder))
    return {split: Pictures(*(parts[name] for name in SPLITS[split]), source) for split in splits}


def _path(folder, name):
    """Where the file lies in the folder, compressed or not, or None; the download writes compressed ones."""
    paths = (folder / (name + ".gz"), folder / name)
    return next((path for path in paths if os.path.isfile(str(path))), None)


def _size(shape):
    """Bytes of an IDX file that holds uint8[shape]."""
    return 4 + 4 * len(shape) + int(np.prod(shape))


def _content(path, size):
    """The bytes of an IDX file, unpacked; never more than size + 1 of them, whatever the file unpacks to.

    Raises:
        UserError: the file cannot be read, is far too large, or is not a whole gzip file with the sum it promises.
    """
    is_packed = path.suffix == ".gz"
    try:
        if path.stat().st_size > size + ROOM:
            raise UserError(f"{shown(path)}: {path.stat().st_size} bytes, expected at most {size}; {AGAIN}")
        with open(str(path), "rb") as file:
            content = Unpacked(file, size + 1) if is_packed else file
            return content.read(size + 1)  # the byte too many lets gzip come to its end, where it checks its sum
    except BadFile as error:
        raise UserError(f"{shown(path)}: not a whole gzip file ({error}); {AGAIN}") from error
    except OSError as error:
        raise UserError(f"{shown(path)}: {brief(error)}; {AGAIN}") from error


def read_idx(content, name, shape):
    """Read an IDX file: an array uint8[shape], a copy that may be written to.

    Args:
        content: the file's bytes, unpacked.
        name: of the file, for messages.
        shape: expected, (n, rows, columns) of pictures or (n,) of labels.

    Raises:
        UserError: another kind of file, another shape, another length than its header says, or labels beyond 9.
    """
    magic, n_header = bytes([0, 0, 8, len(shape)]), 4 + 4 * len(shape)  # 8 stands for uint8
    if content[:4] != magic or len(content) < n_header:
        problem = f"it starts with {content[:4]!r}, expected {magic!r}"
    elif content[4:n_header] != struct.pack(f">{len(shape)}I", *shape):
        claimed = struct.unpack(f">{len(shape)}I", content[4:n_header])
        problem = f"its header claims {_times(claimed)} bytes, expected {_times(shape)}"
    elif len(content) != _size(shape):
        found = "more" if len(content) > _size(shape) else len(content)
        problem = f"{found} bytes in it, expected {_size(shape)}"
    else:
        array = np.frombuffer(content, np.uint8, offset=n_header).reshape(shape).copy()
        if len(shape) > 1 or array.max() <= 9:
            return array
        problem = f"it has a label {array.max()}, expected 0 to 9"
    raise UserError(f"{name}: not the Fashion-MNIST file of that name ({problem}); {AGAIN}")


def _times(shape):
    return " x ".join(str(n) for n in shape)
