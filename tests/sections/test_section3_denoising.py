"""Section 3: its noises, its graph, and the graph against the report's Keras listing."""
import dataclasses

import numpy as np
import pytest

from tests.conftest import slow
from tf1_autoencoders import crosscheck
from tf1_autoencoders.reporting import published
from tf1_autoencoders.reporting.metrics import peak_signal_to_noise_ratio
from tf1_autoencoders.sections import section3_denoising as section
from tf1_autoencoders.sections.run import RunOptions, open_trainer
from tf1_autoencoders.training import trainers

SMALL = dataclasses.replace(section.PRESETS["report"], n_filters_1=5, n_filters_2=3, n_filters_3=2, batch_size=7,
                            seed=1)
# Convolutions sum in a different order, and Keras's UpSampling2D sums its gradient in another order than the graph.
ROUNDING = 1e-5
N_STEPS = 20

GREY = np.full((40, 28, 28, 1), 0.5, np.float32)


def noisy(kind, strength, x=GREY, seed=0):
    return section.TRAINING_NOISES[kind](x, strength, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", section.TRAINING_NOISES)
def test_a_noise_keeps_shape_and_range_leaves_its_input_alone_and_repeats_with_its_generator(kind):
    x = np.random.default_rng(1).random((5, 28, 28, 1), dtype=np.float32)
    before = x.copy()
    result = noisy(kind, section.TRAINING_STRENGTHS[kind], x)
    assert result.shape == x.shape and result.dtype == np.float32 and 0 <= result.min() and result.max() <= 1
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(result, noisy(kind, section.TRAINING_STRENGTHS[kind], x))
    assert not np.array_equal(result, noisy(kind, section.TRAINING_STRENGTHS[kind], x, seed=1))
    np.testing.assert_array_equal(noisy(kind, 0.0, x), x)


def test_salt_and_pepper_replaces_a_tenth_of_the_pixels_by_beta_distributed_levels():
    x = np.full((400, 28, 28, 1), 2.0, np.float32)  # the noise cannot draw this level
    result = noisy("salt-and-pepper", 0.1, x)
    replaced = result[result != 2]
    assert replaced.size / result.size == pytest.approx(0.1, abs=0.003)  # 5 standard deviations, for 313600 pixels
    levels = np.rint(replaced * 255)
    np.testing.assert_allclose(replaced * 255, levels, atol=1e-4)
    # 255 * Beta(0.5, 0.5), rounded down, has mean 127 and variance 255 ** 2 / 8, and its ends are the likeliest
    assert levels.mean() == pytest.approx(127, abs=2.5) and levels.var() == pytest.approx(255 ** 2 / 8, rel=0.02)
    fraction = np.bincount(levels.astype(int), minlength=256) / levels.size
    assert fraction[0] == pytest.approx(2 / np.pi * np.arcsin(np.sqrt(1 / 255)), rel=0.1)
    assert min(fraction[0], fraction[254]) > 5 * fraction[100:150].max()


def test_all_noises_give_each_image_one_of_the_four(monkeypatch):
    for number, name in enumerate(section.NOISES, start=1):
        monkeypatch.setitem(section.NOISES, name, lambda x, strength, random, number=number: x + number + strength)
    difference = noisy("all", 0.0, np.zeros((400, 28, 28, 1), np.float32))
    assert (difference == difference[:, :1, :1]).all()
    counts = np.bincount(difference[:, 0, 0, 0].astype(int), minlength=5)
    assert counts[0] == 0 and (counts[1:] > 60).all()  # 100 expected, with a standard deviation of 9
    strengths = np.array(list(section.NOISE_STRENGTHS.values()), np.float32)
    tripled = noisy("all", 3.0, np.zeros((40, 28, 28, 1), np.float32))[:, 0, 0, 0]
    assert set(tripled) <= set(np.arange(1, 5, dtype=np.float32) + 3 * strengths)


def test_gaussian_noise_has_its_standard_deviation():
    difference = noisy("gaussian", 0.1) - GREY
    assert difference.std() == pytest.approx(0.1, rel=0.02) and abs(difference.mean()) < 0.003


def test_speckle_grows_with_the_level():
    dark, bright = (np.full((40, 28, 28, 1), level, np.float32) for level in (0.2, 0.4))
    assert noisy("speckle", 0.2, dark).std() == pytest.approx(0.2 * 0.2, rel=0.03)
    assert noisy("speckle", 0.2, bright).std() == pytest.approx(0.4 * 0.2, rel=0.03)
    assert not noisy("speckle", 0.2, np.zeros_like(GREY)).any()


def test_periodic_noise_is_one_wave_per_image():
    difference = (noisy("periodic", 0.3) - GREY)[..., 0]
    assert np.abs(difference).max() <= 0.3 + 1e-6 and np.abs(difference).max() > 0.29
    spectrum = np.abs(np.fft.fft2(difference)) ** 2
    power = np.sort(spectrum.reshape(len(difference), -1), axis=1)[:, ::-1]
    assert (power[:, :12].sum(axis=1) / power.sum(axis=1)).min() > 0.6  # white noise would have 12 / 784 there


def test_a_network_that_makes_images_worse_is_said_to():
    noisy = {"psnr": 16.1, "ssim": 0.711}
    assert section.format_change({"psnr": 15.2, "ssim": 0.155}, noisy) == \
        "PSNR 15.2 dB, SSIM 0.155, which is worse than the noisy input by PSNR and SSIM"
    assert section.format_change({"psnr": 17.2, "ssim": 0.5}, noisy).endswith("worse than the noisy input by SSIM")
    assert section.format_change({"psnr": 17.2, "ssim": 0.8}, noisy) == "PSNR 17.2 dB, SSIM 0.800"
    assert "worse" not in section.format_change(noisy, noisy)


@pytest.mark.parametrize("backend", ["graph", "keras"])
def test_layers_have_the_published_shapes_and_parameters(backend):
    arrays = 2 * (np.zeros((7, 28, 28, 1), np.float32),)
    input_1, *layers = published.SUMMARIES[3][""]
    with open_trainer(section.SECTION, section.PRESETS["report"], arrays, RunOptions(backend=backend)) as trainer:
        rows = [(layer.name, *trainer.layer(layer.name)) for layer in layers]
        inputs, trainable = trainer.input_shapes, trainer.n_trainable([layer.name for layer in layers])
    assert inputs == [(None, *input_1.shape)]
    assert rows == [(layer.name, (None, *layer.shape), layer.n_parameters) for layer in layers]
    assert sum(n for _, _, n in rows) == trainable == 49761


@pytest.mark.parametrize("adam, tolerance, rate", [
    ("exact", 5e-5, dict(cosine_decay=True, decay_steps=N_STEPS)), slow("Keras", 2e-4, {})],
    ids=["exact Adam, decaying rate", "Keras's Adam, constant rate"])
def test_graph_and_keras_agree_in_outputs_gradients_and_20_steps(adam, tolerance, rate):
    clean = np.random.default_rng(2).random((N_STEPS * 7, 28, 28, 1), dtype=np.float32)
    arrays = noisy("gaussian", 0.2, clean), clean
    relative = crosscheck.compare(section.SECTION, dataclasses.replace(SMALL, **rate), arrays, adam, N_STEPS)
    assert relative["outputs"] < ROUNDING and relative["gradients"] < ROUNDING
    assert relative["losses"] < tolerance and relative["weights"] < tolerance


def test_a_decaying_rate_lasts_for_the_earlier_epochs_too():
    settings = dataclasses.replace(section.PRESETS["report"], cosine_decay=True)
    assert section.check_settings(settings, 60000).decay_steps == 13 * 24
    assert section.check_settings(section.PRESETS["long"], 60000).decay_steps == 500 * 24


def test_the_loss_compares_with_the_clean_image():
    from tf1_autoencoders.training.session import TimedSession
    clean = np.random.default_rng(2).random((7, 28, 28, 1), dtype=np.float32)
    model = section.build_graph(SMALL)
    with TimedSession(model) as session:
        session.run(model.initializer)
        trainer = trainers.GraphTrainer(session, model, (np.zeros_like(clean), clean), 7)
        loss = trainer.evaluate(np.arange(7))["loss"]
    assert loss == pytest.approx(np.mean(clean ** 2), rel=1e-5)  # the untrained network maps zeros to zeros


def test_psnr_follows_its_definition():
    clean = np.zeros((2, 28, 28, 1), np.float32)
    result = clean + np.array([0.1, 0.01], np.float32).reshape(2, 1, 1, 1)
    assert peak_signal_to_noise_ratio(result, clean) == pytest.approx((20 + 40) / 2, rel=1e-5)
