"""Section 3 of the report: a convolutional autoencoder that takes noise out of Fashion-MNIST.

    28x28 -> conv 64 - pool -> conv 32 - pool -> conv 16 - pool -> 4x4x16
          -> conv 16 - up -> conv 32 - up -> conv 64 (valid: 16 to 14) - up -> conv 1        3x3, relu, linear output

Source: the report, section 3, where it is written in Keras; for what it does not say, the notebook it was built from
(Kaggle, shivamb, "how autoencoders work") and imgaug, which draws that notebook's noise.

Departures: the graph is ours, the Keras twin is the report's listing. Adam's epsilon is TensorFlow 1's 1e-8 in both.
The published curve is that of a network that had been trained before: a fresh one comes to its first value in its
fourth epoch. So three more are trained here than the report prints (epochs_before), and the published epochs stand
beside the later ones: lined up so, the curves of three seeds are 0.03 apart from it (root mean square of log ratio);
after four epochs it would be 0.06, after two 0.07.
"""
from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np

from tf1_autoencoders.datasets import fashion_mnist
from tf1_autoencoders.graphs.graph_model import complete
from tf1_autoencoders.graphs.input_pipeline import ordered_batches
from tf1_autoencoders.graphs.layers import conv_layer, max_pool, mean_squared_error, upsample
from tf1_autoencoders.keras_twin import build
from tf1_autoencoders.training.row_order import check_batch_size, n_train
from tf1_autoencoders.utils.frameworks import keras, tf1

NUMBER = 3
TITLE = "Image denoising on Fashion-MNIST"
THREADS = 0  # CPU threads of the graph where --threads does not say otherwise; 0: as TensorFlow chooses
SAVE_EVERY = 1  # epoch from one checkpoint to the next


# Four noises: each takes pictures float32[n, 28, 28, 1] in 0..1, a strength and a numpy Generator, and gives pictures
# of the same shape in 0..1.

def salt_and_pepper(x, strength, random):
    """As imgaug's SaltAndPepper(strength): that share of the pixels becomes 255 * Beta(0.5, 0.5), rounded down."""
    replaced = random.random(x.shape, dtype=np.float32) < strength
    noisy = x.copy()
    noisy[replaced] = np.floor(255 * random.beta(0.5, 0.5, int(replaced.sum()))) / 255
    return noisy


def gaussian(x, strength, random):
    """Adds normal noise of standard deviation `strength`, clipped to 0..1."""
    return np.clip(x + strength * random.standard_normal(x.shape, dtype=np.float32), 0, 1)


def periodic(x, strength, random):
    """Adds a plane sine wave of amplitude `strength`, 2 to 8 periods a side, of random direction and phase, clipped."""
    n, height, width = x.shape[:3]
    periods, angle, phase = (random.uniform(low, high, (n, 1, 1, 1)).astype(np.float32)
                             for low, high in ((2, 8), (0, np.pi), (0, 2 * np.pi)))
    row = np.arange(height, dtype=np.float32)[:, None, None] / height
    column = np.arange(width, dtype=np.float32)[None, :, None] / width
    wave = np.sin(2 * np.pi * periods * (np.cos(angle) * column + np.sin(angle) * row) + phase)
    return np.clip(x + np.float32(strength) * wave, 0, 1)


def speckle(x, strength, random):
    """Multiplies by 1 + normal noise of standard deviation `strength`, clipped to 0..1."""
    return np.clip(x * (1 + strength * random.standard_normal(x.shape, dtype=np.float32)), 0, 1)


NOISES = {"salt-and-pepper": salt_and_pepper, "gaussian": gaussian, "periodic": periodic, "speckle": speckle}
STRENGTHS = {"salt-and-pepper": 0.1, "gaussian": 0.2, "periodic": 0.3, "speckle": 0.5}  # the first: source; rest: ours


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run of section 3 depends on."""

    side: int = 28  # pixels; listed
    n_filters_1: int = 64  # listed
    n_filters_2: int = 32  # listed
    n_filters_3: int = 16  # listed
    noise: str = "salt-and-pepper"  # key of NOISES; stated
    strength: float = STRENGTHS["salt-and-pepper"]  # share of the pixels, or standard deviation, or amplitude; source
    learning_rate: float = 0.001  # Keras's default for 'adam'; listed
    batch_size: int = 2048  # pictures; source (printed: 24 steps for 48000 of them)
    n_epochs: int = 10  # those that the report prints; printed
    epochs_before: int = 3  # trained before the first that the report prints; read from its curve
    patience: int = 10  # epochs without a better val_loss before the end; source
    validation_share: float = 0.2  # of the training pictures; printed
    fused: bool = True  # the decoder's upsampling and convolution in one, see layers.conv_layer; ours
    seed: int = 0  # of initial values, noise, split and shuffling; ours


PRESETS = {"report": Settings()}
PRESET_HELP = {"report": "the published run, and the epochs that went before it"}
CROSSCHECKS = PRESETS
EXACT = {"upsampling": build.exact_upsampling}  # what build_keras needs to round as the graph does


def load(settings, **where):
    """Fashion-MNIST, clean and with noise; `where` is data= and data_dir= of datasets.fashion_mnist.load.

    Returns:
        ({"train": (noisy, clean), "test": (noisy, clean)}, source), all float32[n, 28, 28, 1] in 0..1. The training
        pictures are in a random order of their own; the last validation_share of them are the validation pictures.
    """
    pictures = fashion_mnist.load(**where)
    random = np.random.default_rng(settings.seed)
    order = random.permutation(len(pictures["train"].x))
    clean = {"train": to_unit(pictures["train"].x[order]), "test": to_unit(pictures["test"].x)}
    return ({split: (NOISES[settings.noise](x, settings.strength, random), x) for split, x in clean.items()},
            pictures["train"].source)


def to_unit(x):
    """uint8[n, 28, 28] -> float32[n, 28, 28, 1] in 0..1."""
    return x[..., None].astype(np.float32) / np.float32(255)


def training_arrays(data):
    """What the graph's pipeline is fed with, of what load() gives: (noisy, clean)."""
    return data["train"]


def inputs_and_targets(arrays, settings=None):
    """The same as Keras's fit takes it."""
    return arrays[0], arrays[-1]


def resolve(settings, n_rows):
    """The settings, checked against data of n_rows pictures.

    Raises:
        UsageError: a batch would be larger than the data trained on.
    """
    check_batch_size(settings.batch_size, n_train(n_rows, settings.validation_share), "pictures to train on")
    return settings


def build_graph(settings):
    """The network as a TensorFlow 1 graph.

    Variables: conv2d, conv2d_1, ... conv2d_6, each kernel and bias. Metrics: loss, the MSE in squared units of 0..1.

    Returns:
        GraphModel; features (noisy) and outputs are float32[batch, side, side, 1].
    """
    with tf1.Graph().as_default():
        picture = [settings.side, settings.side, 1]
        pipeline = ordered_batches((picture, tf1.float32), (picture, tf1.float32))
        noisy, clean = pipeline.batch
        seeds = iter(range(10 * settings.seed, 10 * settings.seed + 7))
        linear = partial(conv_layer, fused=settings.fused)
        conv = partial(linear, activation=tf1.nn.relu)
        encoded = max_pool(conv(noisy, settings.n_filters_1, seed=next(seeds)))
        encoded = max_pool(conv(encoded, settings.n_filters_2, seed=next(seeds)))
        latent = max_pool(conv(encoded, settings.n_filters_3, seed=next(seeds)))
        decoded = upsample(conv(latent, settings.n_filters_3, seed=next(seeds)))
        decoded = upsample(conv(decoded, settings.n_filters_2, seed=next(seeds)))
        decoded = upsample(conv(decoded, settings.n_filters_1, padding="VALID", seed=next(seeds)))
        outputs = linear(decoded, 1, seed=next(seeds))
        assert outputs.shape.as_list() == clean.shape.as_list() == [None, *picture]

        loss = mean_squared_error(outputs, clean)
        train_op = tf1.train.AdamOptimizer(settings.learning_rate).minimize(loss)
        return complete(pipeline, noisy, outputs, loss, {"loss": loss}, train_op)


def build_keras(settings, adam=build.keras_adam, upsampling=build.keras_upsampling):
    """The report's listing, compiled: float32[batch, side, side, 1] -> the same."""
    layers = keras.layers
    input_layer = keras.Input(shape=(settings.side, settings.side, 1))

    encoded_layer1 = layers.Conv2D(settings.n_filters_1, (3, 3), activation="relu", padding="same",
                                   name="conv2d")(input_layer)
    encoded_layer1 = layers.MaxPool2D((2, 2), padding="same", name="max_pooling2d")(encoded_layer1)
    encoded_layer2 = layers.Conv2D(settings.n_filters_2, (3, 3), activation="relu", padding="same",
                                   name="conv2d_1")(encoded_layer1)
    encoded_layer2 = layers.MaxPool2D((2, 2), padding="same", name="max_pooling2d_1")(encoded_layer2)
    encoded_layer3 = layers.Conv2D(settings.n_filters_3, (3, 3), activation="relu", padding="same",
                                   name="conv2d_2")(encoded_layer2)
    latent_view = layers.MaxPool2D((2, 2), padding="same", name="max_pooling2d_2")(encoded_layer3)

    decoded_layer1 = layers.Conv2D(settings.n_filters_3, (3, 3), activation="relu", padding="same",
                                   name="conv2d_3")(latent_view)
    decoded_layer1 = upsampling("up_sampling2d")(decoded_layer1)
    decoded_layer2 = layers.Conv2D(settings.n_filters_2, (3, 3), activation="relu", padding="same",
                                   name="conv2d_4")(decoded_layer1)
    decoded_layer2 = upsampling("up_sampling2d_1")(decoded_layer2)
    decoded_layer3 = layers.Conv2D(settings.n_filters_1, (3, 3), activation="relu", name="conv2d_5")(decoded_layer2)
    decoded_layer3 = upsampling("up_sampling2d_2")(decoded_layer3)
    output_layer = layers.Conv2D(1, (3, 3), padding="same", name="conv2d_6")(decoded_layer3)

    model = keras.Model(input_layer, output_layer)
    model.compile(optimizer=adam(settings.learning_rate), loss="mse")
    return model
