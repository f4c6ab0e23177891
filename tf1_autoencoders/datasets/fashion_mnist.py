"""Fashion-MNIST: finding a copy, downloading one, reading its IDX files.

The official files are those of https://github.com/zalandoresearch/fashion-mnist (H. Xiao, K. Rasul, R. Vollgraf, 2017):
images and labels of 60000 training and 10000 test articles, each file an IDX array compressed with gzip.
"""
from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path
from typing import Any, Dict, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.datasets import LabelledImages, Source, drawn_sample, locate
from tf1_autoencoders.datasets.download import DownloadError, download
from tf1_autoencoders.datasets.gzip_reader import MalformedFile, bounded_reader
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.files import sha256_of_file
from tf1_autoencoders.utils.paths import DATA, display_path

MIRRORS = ("https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
           "https://fashion-mnist.s3.eu-central-1.amazonaws.com/")
FOLDER_NAME = "fashion-mnist"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # where the package dataset-fashion-mnist puts the files
SPLITS = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
          "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
SHAPES = {"train-images-idx3-ubyte": (60000, 28, 28), "train-labels-idx1-ubyte": (60000,),
          "t10k-images-idx3-ubyte": (10000, 28, 28), "t10k-labels-idx1-ubyte": (10000,)}
ARCHIVES = {  # bytes and sha256 of the official .gz files
    "train-images-idx3-ubyte": (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
    "train-labels-idx1-ubyte": (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
    "t10k-images-idx3-ubyte": (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
    "t10k-labels-idx1-ubyte": (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5")}
# Checksums of the unpacked content, so that a copy is recognised however it was compressed. They were taken from
# Debian's files, which are the official ones without the name and the time in gzip's header: with name and time put
# back (times 1504176606 in the train files, 1504176627 in the t10k files), the files have the checksums above.
OFFICIAL_SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}
GZIP_OVERHEAD = 1 << 20  # bytes that a file may have beyond its content; gzip adds far fewer to random content
REMEDY = "download it again or name another folder with --data-dir"


def load(splits: Sequence[str] = ("train", "test"), *, data: str = "auto",
         data_dir: locate.DataDir = None) -> Dict[str, LabelledImages]:
    """Read the splits, as a dict {split: LabelledImages} with x uint8[n, 28, 28], all from one source.

    n is 60000 for train and 10000 for test. locate.find_dataset says how a copy is looked for; the places
    are the cache ./data, Keras's cache, and the folder of Debian's package dataset-fashion-mnist.

    Args:
        splits: names from SPLITS.
        data: "auto", "real" (an error instead of the drawn sample) or "sample" (only the drawn sample).
        data_dir: folder, or list of folders, with the four files in it, compressed or not, at most locate.MAX_DEPTH
            folders deep.

    Raises:
        UserError: the folder that the user named holds no readable copy, or data="real" and no copy can be had.
    """
    return locate.find_dataset("Fashion-MNIST", splits, data=data, data_dir=data_dir, folders=_usual_folders(),
                               read=_read_copy, download=_download, draw=drawn_sample.fashion_mnist)


def plan(*, data: str = "auto", data_dir: locate.DataDir = None) -> str:
    """Return where load would take the images from; see locate.plan_dataset."""
    return locate.plan_dataset("Fashion-MNIST", data=data, data_dir=data_dir, folders=_usual_folders(),
                               find_copy=_find_copy, n_bytes=sum(size for size, _ in ARCHIVES.values()))


def test_rows(**data_options: Any) -> Tuple[np.ndarray, Source]:
    """Return (uint8[10000, 784] grey levels, source) of the test images; data_options are load's."""
    images = load(("test",), **data_options)["test"]
    return images.x.reshape(len(images.x), -1), images.source


def _usual_folders() -> Tuple[Path, ...]:
    return DATA / FOLDER_NAME, locate.keras_cache() / FOLDER_NAME, DEBIAN_FOLDER


def _find_copy(folder: Path, names: Sequence[str] = tuple(SHAPES)) -> Path:
    """Return the folder that holds the files, or the nearest within; raise DatasetNotFound if one is missing."""
    places = [place for place, _ in locate.folders_with_files(folder, "Fashion-MNIST")]
    missing = {place: [name for name in names if _find_file(place, name) is None] for place in places}
    place = next((place for place in places if not missing[place]), places[0])
    if missing[place]:
        raise locate.DatasetNotFound(f"{display_path(place)}: no {missing[place][0]}.gz in it, expected the four files "
                                     "of Fashion-MNIST; name another folder with --data-dir, or leave it out to "
                                     "download them")
    return place


def _download() -> None:
    """Download the files that the cache does not have yet, and verify each."""
    mirrors = list(MIRRORS)
    for name, (size, sha256) in ARCHIVES.items():
        path = DATA / FOLDER_NAME / (name + ".gz")
        if path.is_file() and sha256_of_file(path) == sha256:
            continue
        failures = []
        for mirror in tuple(mirrors):
            try:
                download(mirror + path.name, path, size=size, sha256=sha256, timeout=10.0)
                break
            except DownloadError as error:
                failures.append(str(error))
                mirrors.append(mirrors.pop(0))  # the next file asks this mirror last
        else:
            raise DownloadError("; ".join(failures))


def _read_copy(folder: Path, splits: Sequence[str], must_be_official: bool = False) -> Dict[str, LabelledImages]:
    """Read the splits from a folder (see load).

    Raises:
        DatasetNotFound: a file is missing.
        UserError: a file is damaged or, with must_be_official, its content is not the official one.
    """
    names = [name for split in splits for name in SPLITS[split]]
    folder = _find_copy(folder, names)
    official, parts = True, {}
    for name in names:
        path = _find_file(folder, name)
        assert path is not None, "_find_copy has found it"
        content = _read_content(path, _idx_size(SHAPES[name]))
        official = official and hashlib.sha256(content).hexdigest() == OFFICIAL_SHA256[name]
        if must_be_official and not official:
            raise UserError(f"{display_path(path)}: not the official content (sha256 differs)")
        parts[name] = read_idx(content, display_path(path), SHAPES[name])
    source = Source("Fashion-MNIST", "official" if official else "unverified copy", display_path(folder))
    return {split: LabelledImages(parts[SPLITS[split][0]], parts[SPLITS[split][1]], source) for split in splits}


def _find_file(folder: Path, name: str) -> Optional[Path]:
    """Return the path of a file in the folder, compressed (as the download writes it) or not, or None."""
    paths = (folder / (name + ".gz"), folder / name)
    return next((path for path in paths if os.path.isfile(str(path))), None)


def _idx_size(shape: Tuple[int, ...]) -> int:
    """Return the bytes of an IDX file that holds uint8[shape]."""
    return 4 + 4 * len(shape) + int(np.prod(shape))


def _read_content(path: Path, size: int) -> bytes:
    """Return the bytes of an IDX file, unpacked if its first bytes are gzip's; never more than size + 1.

    Raises:
        UserError: the file cannot be read, is far too large, or is no complete gzip file with a right checksum.
    """
    try:
        if path.stat().st_size > size + GZIP_OVERHEAD:
            raise UserError(f"{display_path(path)}: {path.stat().st_size} bytes, expected at most {size}; {REMEDY}")
        with open(str(path), "rb") as file:
            # one byte more lets gzip reach its end, where it verifies its checksum
            return bounded_reader(file, size + 1).read(size + 1)
    except MalformedFile as error:
        raise UserError(f"{display_path(path)}: not a whole gzip file ({error}); {REMEDY}") from error
    except OSError as error:
        may_not = isinstance(error, PermissionError)
        remedy = "make the file readable, or name another folder with --data-dir" if may_not else REMEDY
        raise UserError(f"{display_path(path)}: {one_line(error)}; {remedy}") from error


def read_idx(content: bytes, name: str, shape: Tuple[int, ...]) -> np.ndarray:
    """Read an IDX file; return a writable array uint8[shape].

    Args:
        content: the file's bytes, unpacked.
        name: name of the file, for messages.
        shape: expected shape, (n, rows, columns) of images or (n,) of labels.

    Raises:
        UserError: the file is of another kind or shape, its length contradicts its header, or a label is above 9.
    """
    magic, n_header = bytes([0, 0, 8, len(shape)]), 4 + 4 * len(shape)  # 8 stands for uint8
    if content[:4] != magic or len(content) < n_header:
        problem = f"it starts with {content[:4]!r}, expected {magic!r}"
    elif content[4:n_header] != struct.pack(f">{len(shape)}I", *shape):
        claimed = struct.unpack(f">{len(shape)}I", content[4:n_header])
        problem = f"its header claims {_format_shape(claimed)} bytes, expected {_format_shape(shape)}"
    elif len(content) != _idx_size(shape):
        found = "more" if len(content) > _idx_size(shape) else len(content)
        problem = f"{found} bytes in it, expected {_idx_size(shape)}"
    else:
        array = np.frombuffer(content, np.uint8, offset=n_header).reshape(shape).copy()
        if len(shape) > 1 or array.max() <= 9:
            return array
        problem = f"it has a label {array.max()}, expected 0 to 9"
    raise UserError(f"{name}: not the Fashion-MNIST file of that name ({problem}); {REMEDY}")


def _format_shape(shape: Sequence[int]) -> str:
    return " x ".join(str(n) for n in shape)
