"""datasets.drawn_sample: the drawn images have the shapes, classes and rough statistics of the real ones."""
from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import slow
from tf1_autoencoders.datasets import drawn_sample

SETS = (drawn_sample.cifar10, drawn_sample.fashion_mnist)


class Drawn(dict):
    """{split: (x, y)} of a data set; a split is drawn at its first use, and only the slow tests use "train"."""

    def __init__(self, draw):
        super().__init__()
        self.draw = draw

    def __missing__(self, split):
        self[split] = self.draw(split)
        return self[split]


@pytest.fixture(scope="module")
def cifar10():
    return Drawn(drawn_sample.cifar10)


@pytest.fixture(scope="module")
def fashion_mnist():
    return Drawn(drawn_sample.fashion_mnist)


def pca_errors(rows, *components):
    """Return the mean squared deviation from the mean row, then the error of PCA with each number of components."""
    centred = rows - rows.mean(axis=0)
    variances = np.linalg.eigvalsh(centred.T @ centred / len(rows)) / rows.shape[1]
    return [variances.sum()] + [variances[:-count].sum() for count in components]


def test_the_classes_have_their_standard_names_in_their_standard_order():
    assert drawn_sample.CLASSES_CIFAR10 == (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    assert drawn_sample.CLASSES_FASHION_MNIST == (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


@pytest.mark.parametrize("split, count", [slow("train", 50000), ("test", 10000)])
def test_cifar10_has_rows_of_3072_bytes_and_balanced_classes_in_mixed_order(cifar10, split, count):
    x, y = cifar10[split]
    assert x.shape == (count, 3072) and x.dtype == np.uint8
    assert y.shape == (count,) and y.dtype == np.uint8
    assert np.bincount(y).tolist() == [count // 10] * 10
    assert len(set(y[:100])) == 10


@pytest.mark.parametrize("split, count", [slow("train", 60000), ("test", 10000)])
def test_fashion_mnist_has_28_x_28_bytes_and_balanced_classes_in_mixed_order(fashion_mnist, split, count):
    x, y = fashion_mnist[split]
    assert x.shape == (count, 28, 28) and x.dtype == np.uint8
    assert y.shape == (count,) and y.dtype == np.uint8
    assert np.bincount(y).tolist() == [count // 10] * 10
    assert len(set(y[:100])) == 10


def test_the_planes_of_a_cifar10_row_are_red_green_and_blue(cifar10):
    x, y = cifar10["test"]
    sky = x[y == 0].reshape(-1, 3, 32, 32)[:, :, :4].mean(axis=(0, 2, 3))
    frogs = x[y == 6].reshape(-1, 3, 32, 32)[:, :, 14:20, 12:20].mean(axis=(0, 2, 3))
    assert sky[2] > sky[0]
    assert frogs[1] > max(frogs[0], frogs[2])


@pytest.mark.slow
def test_the_same_call_draws_bit_identical_images_whatever_was_drawn_before(cifar10, fashion_mnist):
    for draw, first in zip(SETS[::-1], (fashion_mnist, cifar10)):
        for again, before in zip(draw("test"), first["test"]):
            assert np.array_equal(again, before)


@pytest.mark.slow
def test_train_and_test_images_differ(cifar10, fashion_mnist):
    for splits in cifar10, fashion_mnist:
        train = {row.tobytes() for row in splits["train"][0]}
        assert not any(row.tobytes() in train for row in splits["test"][0])


@pytest.mark.parametrize("split", [slow("train"), "test"])
def test_the_images_of_a_split_are_all_different(cifar10, fashion_mnist, split):
    for x, _ in cifar10[split], fashion_mnist[split]:
        assert len({row.tobytes() for row in x}) == len(x)


def test_test_image_13_is_a_horse(cifar10):
    assert drawn_sample.CLASSES_CIFAR10[cifar10["test"][1][13]] == "horse"


def test_cifar10_has_the_brightness_and_contrast_of_photographs(cifar10):
    x, _ = cifar10["test"]
    grey = x[:5000].reshape(-1, 3, 1024).mean(axis=1)
    assert 100 < grey.mean() < 140
    assert 50 < grey.std() < 70


@pytest.mark.slow
def test_the_grey_horses_deviate_and_compress_like_photographs(cifar10):
    x, y = cifar10["train"]
    deviation, ten, many = pca_errors(x[y == 7].reshape(-1, 3, 1024).mean(axis=1, dtype=np.float32), 10, 150)
    assert 2000 < deviation < 3500
    assert 800 < ten < 1600
    assert 100 < many < 350


def test_the_garments_deviate_and_compress_like_those_of_fashion_mnist(fashion_mnist):
    x, _ = fashion_mnist["test"]
    deviation, ten = pca_errors(x[:3000].reshape(-1, 784) / 255, 10)
    assert 0.05 < deviation < 0.1
    assert 0.02 < ten < 0.035


def test_the_background_of_the_garments_is_black(fashion_mnist):
    x, _ = fashion_mnist["test"]
    assert 0.3 < (x == 0).mean() < 0.75
    assert x.max() == 255


@pytest.mark.parametrize("draw", SETS)
def test_an_unknown_split_is_refused_in_one_sentence(draw):
    with pytest.raises(ValueError, match=r"^The split must be 'train' or 'test', not 'valid'\.$"):
        draw("valid")


def test_levels_above_255_are_clipped_and_never_wrap():
    x, _ = drawn_sample.draw("test", 60000, dict.fromkeys("0123456789"), 28,
                             lambda rng, n, drawing: np.full((n, 1, 28, 28), 300, np.float32))
    assert x.min() == 255


def test_a_picture_is_mirrored_and_keeps_its_levels():
    opacity, brightness = drawn_sample.place(np.random.default_rng(0), 40, 28, "9........0", (28, 28), 0, 0)
    ends = brightness[:, 14, [1, -2]]
    assert sorted(set(map(tuple, (5 * ends).round().tolist()))) == [(0, 9), (9, 0)]
    assert (opacity[:, 14, [1, -2]] > 0.5).all() and not opacity[:, 14, 8:20].any()
