"""tf.contrib.learn.datasets of TensorFlow 1.15: MNIST's batches, iris, and tables of numbers.

Source of every name: tf.contrib.learn.datasets of TensorFlow 1.15.5.
"""
from __future__ import annotations

import collections
import csv

import numpy as np

from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.examples import (  # noqa: F401
    DataSet,
    Datasets,
    dense_to_one_hot,
    extract_images,
    extract_labels,
    maybe_download,
    read_data_sets,
)
from tf1_autoencoders.utils.errors import NotOffered

Dataset = collections.namedtuple("Dataset", ["data", "target"])
Dataset.__doc__ = "A table: `data`, an array [rows, columns], and `target`, an array [rows]."


def load_mnist(train_dir="MNIST-data"):
    """Return MNIST's three data sets, see read_data_sets."""
    return read_data_sets(train_dir)


def load_csv_with_header(filename, target_dtype, features_dtype, target_column=-1):
    """Return Dataset(data [rows, columns], target [rows]) of a file whose first line begins with rows, columns.

    Args:
        filename: CSV file.
        target_dtype, features_dtype: NumPy types of the two.
        target_column: position of the target in a row.
    """
    with open(filename, newline="") as file:
        lines = csv.reader(file)
        n_rows, n_columns = map(int, next(lines)[:2])
        data, target = np.zeros((n_rows, n_columns), features_dtype), np.zeros((n_rows,), target_dtype)
        for k, row in enumerate(lines):
            target[k] = np.asarray(row.pop(target_column), dtype=target_dtype)
            data[k] = np.asarray(row, dtype=features_dtype)
    return Dataset(data=data, target=target)


def load_csv_without_header(filename, target_dtype, features_dtype, target_column=-1):
    """Return Dataset(data [rows, columns], target [rows]) of a file without a first line; see load_csv_with_header."""
    data, target = [], []
    with open(filename, newline="") as file:
        for row in csv.reader(file):
            target.append(row.pop(target_column))
            data.append(np.asarray(row, dtype=features_dtype))
    return Dataset(data=np.array(data), target=np.array(target, dtype=target_dtype))


def load_iris(data_path=None):
    """Return Fisher's iris data: data float64[150, 4], target int64[150].

    Args:
        data_path: a CSV file, see load_csv_with_header; None takes the data from scikit-learn.

    Raises:
        NotOffered: scikit-learn is not installed.

    Source: Fisher (1936), as the UCI repository has it: two rows differ from scikit-learn's.
    """
    if data_path is not None:
        return load_csv_with_header(data_path, target_dtype=int, features_dtype=float)
    try:
        from sklearn import datasets
    except ImportError:
        raise NotOffered("learn.datasets.load_iris takes the data from scikit-learn: pip install scikit-learn, or give "
                         "a CSV file as data_path") from None
    iris = datasets.load_iris()
    data = np.array(iris.data)
    data[34], data[37] = [4.9, 3.1, 1.5, 0.1], [4.9, 3.1, 1.5, 0.1]
    return Dataset(data=data, target=np.array(iris.target, np.int64))


def load_boston(data_path=None):
    """Return the Boston housing data of a CSV file: data float64[506, 13], target float64[506].

    Raises:
        NotOffered: no file is given; 1.15 had the data in itself.
    """
    if data_path is None:
        raise NotOffered("learn.datasets.load_boston needs the data as a CSV file, data_path: a line 506,13 and 506 "
                         "rows of 13 columns and the target; scikit-learn has removed the data too")
    return load_csv_with_header(data_path, target_dtype=float, features_dtype=float)


DATASETS = {"iris": load_iris, "boston": load_boston}


def load_dataset(name, size="small", test_with_fake_data=False):
    """Return a data set by its name: "iris" or "boston".

    Raises:
        ValueError: another name.
    """
    if name not in DATASETS:
        raise ValueError(f"Name of dataset is not found: {name}; offered are {', '.join(DATASETS)}")
    return DATASETS[name]()


_REFUSED = dict.fromkeys(("text_datasets", "make_dataset", "synthetic", "shrink_csv"),
                         "scikit-learn's datasets make and load such data")
__getattr__ = _contrib.explain_missing(__name__, ("base", "mnist"), _REFUSED)
