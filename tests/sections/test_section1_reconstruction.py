"""Section 1: its data, its graph, and the graph against the report's Keras listing."""
import dataclasses
import math

import numpy as np
import pytest

from tests.conftest import slow
from tf1_autoencoders import crosscheck
from tf1_autoencoders.datasets import LabelledImages, Source
from tf1_autoencoders.graphs.layers import dense_layer
from tf1_autoencoders.keras_twin.weights import graph_weights, set_keras_weights
from tf1_autoencoders.reporting import published
from tf1_autoencoders.sections import section1_reconstruction as section
from tf1_autoencoders.sections.run import RunOptions, keras_trainer, open_trainer
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.row_order import n_training_rows
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.errors import UsageError
from tf1_autoencoders.utils.frameworks import tf1

# The sizes are primes, so that a transposed shape cannot pass by chance.
SMALL = dataclasses.replace(section.PRESETS["report"], n_input=53, n_hidden_1=31, n_hidden_2=23, n_hidden_3=17,
                            n_latent=3, batch_size=7, n_epochs=2, seed=1)
ROUNDING = 5e-6  # of float32 sums in a different order, through eight layers
N_STEPS = 20


@pytest.fixture
def x():
    return np.random.default_rng(2).random((150, 53), dtype=np.float32)


@pytest.fixture
def few(monkeypatch):
    """Replace Fashion-MNIST by 100 + 20 images whose first pixel is their number."""
    def images(n):
        x = np.zeros((n, 28, 28), np.uint8)
        x[:, 0, 0] = np.arange(n)
        return LabelledImages(x, np.arange(n, dtype=np.uint8) % 10, Source("Fashion-MNIST", "official", "a test"))
    monkeypatch.setattr(section.fashion_mnist, "load", lambda **options: {"train": images(100), "test": images(20)})


def test_pixels_are_scaled_to_0_to_1(few):
    x = np.zeros((2, 28, 28), np.uint8)
    x[1, 27, 27] = 255
    result = section.preprocess(x)
    assert result.shape == (2, 784) and result.dtype == np.float32 and result[1, 783] == 1 and result.sum() == 1


def test_images_and_classes_are_shuffled_together_by_the_seed(few):
    (x, y), (again, _), (other, _) = (section.load(dataclasses.replace(SMALL, seed=seed))[0]["train"]
                                      for seed in (1, 1, 2))
    numbers = np.rint(x[:, 0] * 255).astype(int)
    assert sorted(numbers) == list(range(100)) and numbers.tolist() != list(range(100))
    np.testing.assert_array_equal(y, numbers % 10)
    assert np.array_equal(x, again) and not np.array_equal(x, other)


def test_48000_of_60000_images_are_trained_on():
    assert n_training_rows(60000, section.PRESETS["report"].validation_split) == 48000


def test_a_decaying_rate_lasts_for_all_steps_of_the_training():
    tuned = section.PRESETS["tuned"]
    assert section.check_settings(tuned, 60000).decay_steps == tuned.n_epochs * math.ceil(48000 / tuned.batch_size)
    assert section.check_settings(section.PRESETS["report"], 60000).decay_steps is None
    assert section.check_settings(dataclasses.replace(tuned, decay_steps=7), 60000).decay_steps == 7


def test_a_batch_larger_than_the_training_set_is_refused():
    with pytest.raises(UsageError, match="--batch-size 48001: there are 48000 images to train on"):
        section.check_settings(dataclasses.replace(SMALL, batch_size=48001), 60000)


def test_normal_draws_have_the_mean_and_covariance_of_the_codes():
    random = np.random.default_rng(0)
    codes = (0.5 + 0.1 * random.normal(size=(500, 1)) * [1, -1, 0.5]).astype(np.float32)
    drawn = section.sample_codes(codes, 4000, random)
    assert {way: sample.shape for way, sample in drawn.items()} == {"uniform": (4000, 3), "normal": (4000, 3)}
    assert all(sample.dtype == np.float32 and 0 <= sample.min() <= sample.max() <= 1 for sample in drawn.values())
    assert np.corrcoef(drawn["normal"], rowvar=False)[0] == pytest.approx([1, -1, 1], abs=1e-3)
    assert abs(np.corrcoef(drawn["uniform"], rowvar=False)[0, 1]) < 0.05
    assert drawn["normal"].std(axis=0) == pytest.approx(codes.std(axis=0), rel=0.05)


@pytest.mark.parametrize("codes", [np.full((7, 3), np.nan, np.float32), np.full((7, 1), 0.5, np.float32)])
def test_codes_that_are_no_numbers_or_a_single_one_can_be_drawn_from(codes):
    assert section.sample_codes(codes, 5, np.random.default_rng(0))["normal"].shape == (5, codes.shape[1])


def test_an_image_is_classified_by_the_nearest_one():
    train, classes = np.array([[0, 0], [10, 0], [0, 10]], np.float32), np.array([4, 5, 6])
    test = np.array([[1, 1], [9, 1], [1, 8], [8, 1]], np.float32)
    assert section.classify_by_neighbour(train, classes, test, np.array([4, 5, 6, 6])) == 0.75


@pytest.mark.parametrize("backend", ["graph", "keras"])
def test_layers_have_the_published_shapes_and_parameters(backend):
    arrays = (np.zeros((7, 784), np.float32),)
    input_1, *layers = published.SUMMARIES[1][""]
    with open_trainer(section.SECTION, section.PRESETS["report"], arrays, RunOptions(backend=backend)) as trainer:
        rows = [(layer.name, *trainer.layer(layer.name)) for layer in layers]
        inputs, trainable = trainer.input_shapes, trainer.n_trainable([layer.name for layer in layers])
    assert inputs == [(None, *input_1.shape)]
    assert rows == [(layer.name, (None, *layer.shape), layer.n_parameters) for layer in layers]
    assert sum(n for _, _, n in rows) == trainable == 9154194


@pytest.mark.parametrize("adam, tolerance, rate", [
    ("exact", 1e-5, dict(cosine_decay=True, decay_steps=N_STEPS)), slow("Keras", 1e-4, {})],
    ids=["exact Adam, decaying rate", "Keras's Adam, constant rate"])
def test_graph_and_keras_agree_in_outputs_gradients_and_20_steps(x, adam, tolerance, rate):
    relative = crosscheck.compare(section.SECTION, dataclasses.replace(SMALL, **rate), (x,), adam, N_STEPS)
    assert relative["outputs"] < ROUNDING and relative["gradients"] < ROUNDING
    assert relative["losses"] < tolerance and relative["weights"] < tolerance


def test_the_comparison_detects_a_different_activation_of_the_code(x, monkeypatch):
    def dense_with_tanh(x, units, *, activation=None, seed=None):
        return dense_layer(x, units, activation=tf1.nn.tanh if activation is tf1.nn.sigmoid else activation, seed=seed)
    monkeypatch.setattr(section, "dense_layer", dense_with_tanh)
    assert crosscheck.compare(section.SECTION, SMALL, (x,), "exact", 2)["outputs"] > 100 * ROUNDING


def test_encoder_and_decoder_are_the_two_halves_of_the_network(x):
    model, twin = section.build_graph(SMALL), section.build_keras(SMALL)
    encode, decode = section.keras_encoder_decoder(keras_trainer(section.SECTION, SMALL, twin, (x,)))
    with TimedSession(model) as session:
        session.run(model.initializer)
        set_keras_weights(twin, graph_weights(session, model))
        trainer = trainers.GraphTrainer(session, model, (x,), 7)
        graph_encode, graph_decode = section.graph_encoder_decoder(trainer)
        outputs, codes = trainer.predict(x), graph_encode(x)
        decoded = graph_decode(codes)
    assert codes.shape == (150, 3) and 0 <= codes.min() and codes.max() <= 1
    np.testing.assert_allclose(decoded, outputs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(encode(x), codes, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(decode(codes), outputs, rtol=1e-4, atol=1e-5)


def test_interpolated_codes_go_from_the_first_code_to_the_second_in_even_steps():
    steps = section.interpolate_codes(np.array([0, 1], np.float32), np.array([1, 3], np.float32), 5)
    np.testing.assert_allclose(steps, [[0, 1], [.25, 1.5], [.5, 2], [.75, 2.5], [1, 3]])


def test_principal_components_are_those_of_the_covariance_and_keep_their_sign():
    random = np.random.default_rng(0)
    codes = (random.normal(size=(500, 3)) * [5, 1, 3] + 7).astype(np.float32)
    points = section.principal_components(codes)
    assert points.shape == (500, 2)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-9)
    largest = np.sort(np.linalg.eigvalsh(np.cov(codes.T.astype(np.float64))))[::-1][:2]
    np.testing.assert_allclose(points.var(axis=0, ddof=1), largest, rtol=1e-6)
    np.testing.assert_allclose(section.principal_components(codes[::-1])[::-1], points, atol=1e-6)
