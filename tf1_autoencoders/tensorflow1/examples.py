"""tensorflow.examples.tutorials.mnist.input_data of TensorFlow 1.15: MNIST's batches, in 1.15's order.

Data sets shuffle by NumPy's global generator, which is seeded from the graph's seed when they are made. A folder that
has the four files, MNIST's or others of that format, is read as it is; missing files are downloaded and verified.
"""
from __future__ import annotations

import collections
import gzip
import os
import sys
import types
from pathlib import Path

import numpy as np
from tensorflow.python.framework import dtypes, random_seed

from tf1_autoencoders.datasets.download import DownloadError, download

SOURCE = "https://storage.googleapis.com/cvdf-datasets/mnist/"
FILES = {  # bytes and sha256 of the official files (Y. LeCun, C. Cortes, C. Burges, 1998)
    "train-images-idx3-ubyte.gz": (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    "train-labels-idx1-ubyte.gz": (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    "t10k-images-idx3-ubyte.gz": (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    "t10k-labels-idx1-ubyte.gz": (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6")}
Datasets = collections.namedtuple("Datasets", ["train", "validation", "test"])


class DataSet:
    """Images and labels, in batches.

    Args:
        images: uint8[n, 28, 28, 1]; labels: uint8[n], or float64[n, 10] if one-hot.
        dtype: tf.float32 (the images are scaled to 0..1) or tf.uint8.
        reshape: whether an image is a row of 784 pixels.
        seed: of NumPy's generator; None takes the graph's seed.
        fake_data, one_hot: constant images, as 1.15's tests used them.
    """

    # whether batches come as before 1.0: NumPy's generator as it is, the files' order first, an epoch's rest left out
    of_before_1 = False

    def __init__(self, images, labels, fake_data=False, one_hot=False, dtype=dtypes.float32, reshape=True, seed=None):
        graph_seed, op_seed = random_seed.get_seed(seed)
        if not self.of_before_1:
            np.random.seed(graph_seed if seed is None else op_seed)
        dtype = dtypes.as_dtype(dtype).base_dtype
        if dtype not in (dtypes.uint8, dtypes.float32):
            raise TypeError(f"Invalid image dtype {dtype!r}, expected uint8 or float32")
        self.one_hot = one_hot
        if fake_data:
            self._num_examples = 10000
        else:
            assert len(images) == len(labels), f"images.shape: {images.shape} labels.shape: {labels.shape}"
            self._num_examples = len(images)
            if reshape:
                assert images.shape[3] == 1
                images = images.reshape(len(images), images.shape[1] * images.shape[2])  # also of no image
            if dtype == dtypes.float32:
                images = np.multiply(images.astype(np.float32), 1.0 / 255.0)
        self._images, self._labels = images, labels
        self._epochs_completed = self._index_in_epoch = 0

    images = property(lambda self: self._images)
    labels = property(lambda self: self._labels)
    num_examples = property(lambda self: self._num_examples)
    epochs_completed = property(lambda self: self._epochs_completed)

    def _shuffle(self):
        order = np.arange(self._num_examples)
        np.random.shuffle(order)
        self._images, self._labels = self._images[order], self._labels[order]

    def next_batch(self, batch_size, fake_data=False, shuffle=True):
        """Return the next images and labels; the rest of an epoch is joined with the beginning of the next one."""
        if fake_data:
            label = [1] + [0] * 9 if self.one_hot else 0
            return [[1] * 784 for _ in range(batch_size)], [label for _ in range(batch_size)]
        start = self._index_in_epoch
        if self._epochs_completed == 0 and start == 0 and shuffle and not self.of_before_1:
            self._shuffle()
        if start + batch_size <= self._num_examples:
            self._index_in_epoch = end = start + batch_size
            return self._images[start:end], self._labels[start:end]
        self._epochs_completed += 1
        start = self._num_examples if self.of_before_1 else start
        rest = self._images[start:], self._labels[start:]
        if shuffle:
            self._shuffle()
        self._index_in_epoch = end = batch_size - len(rest[0])
        return np.concatenate([rest[0], self._images[:end]]), np.concatenate([rest[1], self._labels[:end]])


def _read_idx(path):
    """Read an IDX file of bytes, compressed or not."""
    with open(path, "rb") as file:
        content = file.read()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    if content[:3] != b"\0\0\x08" or len(content) < 4:
        raise ValueError(f"{path}: not an IDX file of bytes, expected one of MNIST's four files")
    n_dimensions = content[3]
    shape = np.frombuffer(content, ">u4", n_dimensions, 4)
    return np.frombuffer(content, np.uint8, int(np.prod(shape)), 4 + 4 * n_dimensions).reshape(shape).copy()


def extract_images(f):
    """Return the images of an open file in gzip's format as uint8[n, rows, columns, 1]."""
    return _read_idx(f.name)[..., None]


def extract_labels(f, one_hot=False, num_classes=10):
    """Return the labels of an open file in gzip's format as uint8[n], or one-hot as float64[n, num_classes]."""
    labels = _read_idx(f.name)
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


def dense_to_one_hot(labels_dense, num_classes):
    """Return labels one-hot, float64[n, num_classes]."""
    one_hot = np.zeros((len(labels_dense), num_classes))
    one_hot[np.arange(len(labels_dense)), np.asarray(labels_dense).ravel()] = 1
    return one_hot


def maybe_download(filename, work_directory, source_url=None):
    """Return the path of one of MNIST's files in a folder; download it, verified, if the folder does not have it."""
    for name in (filename, filename[:-len(".gz")]):
        path = Path(os.path.expanduser(work_directory), name)
        if path.is_file():
            return str(path)
    path = Path(os.path.expanduser(work_directory), filename)
    url = (SOURCE if source_url is None else source_url.rpartition("/")[0] + "/") + filename
    size, sha256 = FILES[filename]
    try:
        download(url, path, size=size, sha256=sha256)
    except DownloadError as error:
        raise FileNotFoundError(f"{path} is missing and cannot be downloaded ({error}); put MNIST's four files "
                                f"({', '.join(FILES)}) into {work_directory}") from None
    return str(path)


def read_data_sets(train_dir, fake_data=False, one_hot=False, dtype=dtypes.float32, reshape=True, validation_size=5000,
                   seed=None, source_url=None):
    """Return MNIST as Datasets(train, validation, test), as input_data.read_data_sets of TensorFlow 1.15 did.

    Args:
        train_dir: folder with the four files; missing ones are downloaded into it.
        validation_size: how many of the training images, from the beginning, are for validation.
        source_url: another address of the files.
        fake_data, one_hot, dtype, reshape, seed: see DataSet.

    Raises:
        FileNotFoundError: a file is missing and could not be downloaded.
        ValueError: validation_size is not between 0 and the number of training images.
    """
    options = dict(dtype=dtype, reshape=reshape, seed=seed)
    if fake_data:
        return Datasets(*(DataSet([], [], fake_data=True, one_hot=one_hot, dtype=dtype, seed=seed) for _ in range(3)))
    arrays = []
    for name in FILES:
        path = maybe_download(name, train_dir, source_url)
        print("Extracting", path)  # as 1.15 did
        arrays.append(_read_idx(path))
    images, labels, test_images, test_labels = arrays
    if one_hot:
        labels, test_labels = dense_to_one_hot(labels, 10), dense_to_one_hot(test_labels, 10)
    if not 0 <= validation_size <= len(images):
        raise ValueError(f"Validation size should be between 0 and {len(images)}. Received: {validation_size}.")
    images, test_images = images[..., None], test_images[..., None]
    n = validation_size
    return Datasets(train=DataSet(images[n:], labels[n:], **options),
                    validation=DataSet(images[:n], labels[:n], **options),
                    test=DataSet(test_images, test_labels, **options))


def _module(name, **names):
    module = types.ModuleType(f"tensorflow.examples.{name}")
    module.__dict__.update(names)
    return module


# the paths that programs import: tensorflow.examples.tutorials.mnist.input_data
input_data = _module("tutorials.mnist.input_data", read_data_sets=read_data_sets, DataSet=DataSet,
                     maybe_download=maybe_download, dense_to_one_hot=dense_to_one_hot, extract_images=extract_images,
                     extract_labels=extract_labels, _DataSet=DataSet, _Datasets=Datasets)
mnist = _module("tutorials.mnist", input_data=input_data)
tutorials = _module("tutorials", mnist=mnist)
sys.modules.setdefault(f"{__name__}.tutorials", tutorials)
