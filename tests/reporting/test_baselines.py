"""The baselines: what a network has to be better than."""
import numpy as np
import pytest

from tf1_autoencoders.reporting import baselines


def rows(n, width, seed):
    """Return n rows that vary mostly along three directions."""
    random = np.random.default_rng(seed)
    directions = np.random.default_rng(0).normal(size=(3, width)) * [[9], [5], [2]]
    return (random.normal(size=(n, 3)) @ directions + 0.1 * random.normal(size=(n, width)) + 7).astype(np.float32)


def test_the_mean_image_is_that_of_the_training_rows():
    train, test = rows(11, 5, 1), rows(3, 5, 2)
    assert np.allclose(baselines.mean_image(train, test), train.mean(axis=0))
    assert baselines.mean_image(train, test).shape == test.shape


def test_the_components_are_those_of_the_singular_value_decomposition():
    train = rows(61, 13, 1)  # more rows than columns: the components come from the covariance
    _, _, expected = np.linalg.svd(train - train.mean(axis=0, dtype=np.float64), full_matrices=False)
    _, directions = baselines.principal_components(train, 2)
    assert np.abs(np.sum(directions * expected[:2], axis=1)) == pytest.approx([1, 1], abs=1e-9)


def test_three_components_reconstruct_rows_that_vary_in_three_directions():
    train, test = rows(61, 13, 1), rows(7, 13, 2)
    errors = [np.mean((reconstructed - test) ** 2) for reconstructed in baselines.reconstruct_by_pca(
        train, test, 1, 2, 3, 13)]
    assert errors == sorted(errors, reverse=True) and errors[2] < 0.02 and errors[3] < 1e-9


def test_the_components_of_fewer_rows_than_columns_reconstruct_these_rows():
    train = rows(7, 13, 1)
    coarse, whole = baselines.reconstruct_by_pca(train, train, 1, 6)  # seven rows deviate in six directions
    np.testing.assert_allclose(whole, train, atol=1e-9)
    assert np.mean((coarse - train) ** 2) > 1


def test_the_median_filter_removes_a_single_wrong_pixel_and_keeps_an_edge():
    image = np.zeros((1, 7, 7, 1), np.float32)
    image[:, :, 4:] = 1
    noisy = image.copy()
    noisy[0, 3, 1], noisy[0, 2, 5] = 1, 0
    assert np.array_equal(baselines.median_filter(noisy), image)


def test_the_median_filter_takes_the_middle_of_nine():
    images = np.random.default_rng(0).random((5, 8, 7, 1), dtype=np.float32)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    neighbours = [padded[:, row:row + 8, column:column + 7] for row in range(3) for column in range(3)]
    assert np.array_equal(baselines.median_filter(images), np.median(neighbours, axis=0))


def test_the_median_filter_of_many_images_is_that_of_each(monkeypatch):
    images = np.random.default_rng(5).uniform(size=(7, 6, 5, 1)).astype(np.float32)
    expected = np.concatenate([baselines.median_filter(image[np.newaxis]) for image in images])
    monkeypatch.setattr(baselines, "IMAGES_AT_ONCE", 3)
    assert np.array_equal(baselines.median_filter(images), expected)


def test_the_nearest_neighbour_is_the_row_at_the_smallest_distance(monkeypatch):
    train, test = rows(61, 13, 1), rows(7, 13, 2)
    expected = [int(np.argmin(np.linalg.norm(train - row, axis=1))) for row in test]
    monkeypatch.setattr(baselines, "IMAGES_AT_ONCE", 3)
    assert baselines.nearest_neighbours(train, test).tolist() == expected
