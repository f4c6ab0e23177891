"""Fixtures that several tests share: small networks with prime sizes, and real data if the machine has some."""
from __future__ import annotations

import dataclasses
import functools
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from tf1_autoencoders.datasets import cifar10, fashion_mnist
from tf1_autoencoders.sections import section2_horses
from tf1_autoencoders.utils.frameworks import NeedsKeras3

ROOT = Path(__file__).resolve().parent.parent


def slow(*values, **more):
    """Return a set of a test's parameters that `pytest` leaves out and `pytest -m slow` runs."""
    return pytest.param(*values, marks=pytest.mark.slow, **more)


def pytest_xdist_auto_num_workers(config):
    """Return the number of processes: one per core (at most 4, each takes 2 GB), none for tests that are named."""
    return min(os.cpu_count() or 1, 4) if config.args_source is pytest.Config.ArgsSource.TESTPATHS else 0


@pytest.fixture(autouse=True)
def no_data_set_and_no_network(monkeypatch, tmp_path):
    """Hide the machine's data sets and the network from the tests, unless a test asks for them."""
    monkeypatch.setattr(cifar10, "DATA", tmp_path / "data")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(cifar10, "URL", "http://127.0.0.1:9/cifar-10-python.tar.gz")  # nobody listens there
    monkeypatch.setattr(fashion_mnist, "DATA", tmp_path / "data")
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path / "debian")
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ("http://127.0.0.1:9/",))


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Let os.fsync look at the descriptor only: no test cuts the power, and a flush takes milliseconds."""
    monkeypatch.setattr(os, "fsync", os.fstat)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    """Skip a test of a Keras twin, with the package's own message, if TensorFlow brings an older Keras."""
    yield from _skipped_without_keras_3()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    yield from _skipped_without_keras_3()


def _skipped_without_keras_3():
    outcome = yield
    if outcome.excinfo and issubclass(outcome.excinfo[0], NeedsKeras3):
        outcome.force_exception(pytest.skip.Exception(str(outcome.excinfo[1])))


SMALL = dataclasses.replace(section2_horses.PRESETS["report"], n_input=37, n_hidden_1=13, n_hidden_2=7, n_hidden_3=11,
                            batch_size=5, steps_per_epoch=3, n_epochs=4, print_every=2, seed=1)
# Section 2's graph of some settings, built once: tests that only run it have sessions, and so variables, of their own.
section2_graph = functools.lru_cache(maxsize=None)(section2_horses.build_graph)


@pytest.fixture(scope="session")
def small_rows():
    """Return float32[101, 37] grey levels, with structure that a narrow network can learn."""
    random = np.random.default_rng(3)
    return np.clip(127 + 40 * random.normal(size=(101, 4)) @ random.normal(size=(4, 37)), 0, 255).astype(np.float32)


class Python2Pickler(pickle._Pickler):
    """Writes bytes and text as Python 2's `str`, as in CIFAR-10's files."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        raw = value.encode() if isinstance(value, str) else value
        self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        self.memoize(value)

    dispatch[bytes] = dispatch[str] = save_string


def batch_bytes(x, labels, **more):
    """Return the content of a CIFAR-10 batch file in the format of its authors."""
    import io
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump({b"batch_label": b"made by a test", b"labels": labels, b"data": x, **more})
    return file.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


@pytest.fixture(scope="session")
def _cifar_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifar") / "cifar-10-batches-py"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number, name in enumerate(cifar10.OFFICIAL_MD5):
        x = random.integers(0, 256, (200, 3072), dtype=np.uint8)
        x[:, 0], x[:, 1] = number, np.arange(200)
        (folder / name).write_bytes(batch_bytes(x, [k % 10 for k in range(200)]))
    return folder.parent


@pytest.fixture
def cifar_copy(_cifar_folder, monkeypatch):
    """Return a folder with cifar-10-batches-py/: noise in the official layout, 200 images a batch.

    The image's first two bytes are the number of its batch, and its number in the batch.
    """
    monkeypatch.setattr(cifar10, "IMAGES_PER_BATCH", 200)
    return _cifar_folder


@pytest.fixture
def real_cifar():
    """Return the folder of real images that TF1_AUTOENCODERS_CIFAR10 names; skip the test if it names none."""
    folder = os.environ.get("TF1_AUTOENCODERS_CIFAR10")
    if not folder:
        pytest.skip("needs the real images: set TF1_AUTOENCODERS_CIFAR10 to a folder with cifar-10-batches-py/")
    return folder
