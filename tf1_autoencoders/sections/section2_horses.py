"""Section 2 of the report: a stacked autoencoder on the grey horses of CIFAR-10, in low-level TensorFlow 1.

    1024 -> 200 -> 150 -> 200 -> 1024        ELU, linear output, Xavier, MSE, Adam

Source: the report, section 2; where it is silent, the tutorial it was built from (guru99, "autoencoder-deep-learning";
the same code is notebook 22_autoencoder of thomaspernet/Tensorflow, after chapter 15 of A. Geron's handson-ml). Each
setting carries its mark: stated, printed, source (the tutorial), or trace (read from the published trace: of the
readings tried, only this one reproduces it bump for bump).

Departures: every initialiser has a seed of its own, so that a run can be repeated (the report's cannot); the
checkpoint lies in checkpoints/section2/ and not in the working directory. The preset "tuned" is ours.
"""
from __future__ import annotations

import dataclasses
from functools import partial
from typing import Optional

import numpy as np

from tf1_autoencoders.datasets import cifar10
from tf1_autoencoders.graphs.graph_model import complete
from tf1_autoencoders.graphs.input_pipeline import ordered_batches, repeated_batches
from tf1_autoencoders.graphs.layers import dense_layer, mean_squared_error
from tf1_autoencoders.keras_twin import build
from tf1_autoencoders.training.row_order import check_batch_size
from tf1_autoencoders.utils.frameworks import keras, tf1

NUMBER = 2
TITLE = "Stacked autoencoder on CIFAR-10 horses"
THREADS = 0  # CPU threads of the graph where --threads does not say otherwise; 0: as TensorFlow chooses
SAVE_EVERY = 10  # epochs from one checkpoint to the next
HORSE = 7  # the class
FIRST_LOOK = 53  # the horse that the report shows before training
TEST_IMAGE = 13  # the test picture that it reconstructs


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run of section 2 depends on; the defaults are the report's reading."""

    n_input: int = 1024  # grey pixels of a picture; printed
    n_hidden_1: int = 200  # units; stated
    n_hidden_2: int = 150  # units; trace (the drawing is lost)
    n_hidden_3: int = 200  # units; trace, source (as n_hidden_1)
    learning_rate: float = 0.01  # of Adam; stated
    decay: bool = False  # bring the rate down to 0 along a half cosine; ours
    l2_reg: float = 0.0001  # contrib's scale: l2_reg / 2 * sum(kernel ** 2) a layer; stated
    l2_in_loss: bool = False  # is the L2 term minimised, or declared only; trace, source (stated otherwise)
    batch_size: int = 150  # pictures; printed (stated: 100)
    steps_per_epoch: Optional[int] = None  # None: the whole batches in the data, 5000 // 150 = 33; source
    n_epochs: int = 100  # stated
    print_every: int = 10  # epochs; printed
    shuffle: bool = False  # rows in a new order every epoch; source (it does not)
    pixel_center: float = 0.0  # grey levels, subtracted from what the network sees; ours
    pixel_scale: float = 1.0  # then a factor on it; ours (the source feeds grey levels 0..255 as they are)
    seed: int = 0  # of initial values and shuffling; ours


PRESETS = {
    "report": Settings(),
    "text": Settings(batch_size=100, l2_in_loss=True),  # as its prose has it: 50 batches of 100, L2 minimised
    "source": Settings(n_hidden_1=300, n_hidden_3=300),  # the tutorial's widths
    "tuned": Settings(learning_rate=0.003, decay=True, shuffle=True, pixel_center=127.5, pixel_scale=1 / 255)}
CROSSCHECKS = {"report": PRESETS["report"], "text (L2 minimised)": PRESETS["text"], "tuned": PRESETS["tuned"]}
PRESET_HELP = {
    "report": "the published run, as its trace tells it: 200-150-200, 33 steps of 150, L2 declared, not minimised",
    "text": "as the report's prose has it: 50 steps of 100, L2 minimised",
    "source": "the tutorial behind it: 300-150-300",
    "tuned": "ours: the report's widths, epochs and batch, with centred pixels, shuffling and a decaying rate"}


def keras_metrics(settings, model, values):
    """The metrics of build_graph, from what Keras gives for build_keras's model: {"loss": float} -> mse and l2."""
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    l2_loss = settings.l2_reg / 2 * sum(float(np.sum(np.square(kernel))) for kernel in kernels)
    squared_error = values["loss"] - l2_loss if settings.l2_in_loss else values["loss"]
    return {"mse": squared_error / settings.pixel_scale ** 2, "l2": l2_loss}


def resolve(settings, n_rows):
    """The settings with steps_per_epoch as a number, for data of n_rows pictures.

    Raises:
        UsageError: a batch would be larger than the data.
    """
    check_batch_size(settings.batch_size, n_rows, "horses")
    return dataclasses.replace(settings, steps_per_epoch=settings.steps_per_epoch or n_rows // settings.batch_size)


def widths(settings):
    """Of the input, the hidden layers and the output."""
    return (settings.n_input, settings.n_hidden_1, settings.n_hidden_2, settings.n_hidden_3, settings.n_input)


def load(settings, splits=("train", "test"), **where):
    """The splits of CIFAR-10 in grey, whatever the settings; `where` is data= and data_dir= of datasets.cifar10.load.

    Returns:
        ({split: (x, y)}, source): x float32[n, 1024] grey levels 0..255, y uint8[n] classes.
    """
    pictures = cifar10.load(splits, **where)
    return ({split: (to_grey(pictures[split].x), pictures[split].y) for split in splits},
            pictures[splits[0]].source)


def to_grey(x):
    """The mean of the three channels: uint8[n, 3072] -> float32[n, 1024], grey levels 0..255."""
    channels = x.reshape(len(x), 3, -1)
    return (channels[:, 0].astype(np.uint16) + channels[:, 1] + channels[:, 2]) / np.float32(3)


def horses(x, y):
    """The rows of class 7, as the report picks them with np.where."""
    return x[np.where(y == HORSE)]


def training_arrays(data):
    """What the graph's pipeline is fed with, of what load() gives: (float32[5000, 1024],)."""
    return (horses(*data["train"]),)


def inputs_and_targets(arrays, settings=None):
    """The same as Keras's fit takes it: the network's task is to give back what it sees."""
    return arrays[0], arrays[0]


def pipeline_check(picture):
    """One picture through the pipeline with batch size 1: float32[1, n_input] in, the same out."""
    with tf1.Graph().as_default():
        pipeline = repeated_batches(picture.shape[1])
        with tf1.Session() as session:
            session.run(pipeline.load, {pipeline.data[0]: picture, pipeline.batch_size: 1})
            return session.run(pipeline.batch[0])


def build_graph(settings):
    """The network as a TensorFlow 1 graph.

    Variables: dense, dense_1, dense_2, dense_3, each kernel and bias, with Adam's slots, beta1_power, beta2_power
    (and global_step where the learning rate decays). Metrics: mse, in squared grey levels, and l2, the whole L2 term.

    Args:
        settings: Settings; with decay, steps_per_epoch must be a number.

    Returns:
        GraphModel; features and outputs are float32[batch, n_input] in grey levels.
    """
    with tf1.Graph().as_default():
        pipeline = (ordered_batches(([settings.n_input], tf1.float32)) if settings.shuffle
                    else repeated_batches(settings.n_input))
        features, = pipeline.batch
        pixels = (features - settings.pixel_center) * settings.pixel_scale

        seeds = iter(range(10 * settings.seed, 10 * settings.seed + 4))
        dense = partial(dense_layer, l2=settings.l2_reg)
        hidden_1 = dense(pixels, settings.n_hidden_1, activation=tf1.nn.elu, seed=next(seeds))
        hidden_2 = dense(hidden_1, settings.n_hidden_2, activation=tf1.nn.elu, seed=next(seeds))
        hidden_3 = dense(hidden_2, settings.n_hidden_3, activation=tf1.nn.elu, seed=next(seeds))
        decoded = dense(hidden_3, settings.n_input, seed=next(seeds))
        outputs = decoded / settings.pixel_scale + settings.pixel_center
        assert outputs.shape.as_list() == features.shape.as_list() == [None, settings.n_input]

        squared_error = mean_squared_error(decoded, pixels)
        l2_loss = tf1.losses.get_regularization_loss()
        loss = squared_error + l2_loss if settings.l2_in_loss else squared_error

        learning_rate, global_step = settings.learning_rate, None
        if settings.decay:
            global_step = tf1.train.get_or_create_global_step()
            learning_rate = tf1.train.cosine_decay(learning_rate, global_step,
                                                   settings.n_epochs * settings.steps_per_epoch)
        train_op = tf1.train.AdamOptimizer(learning_rate).minimize(loss, global_step=global_step)

        return complete(pipeline, features, outputs, loss,
                        {"mse": squared_error / settings.pixel_scale ** 2, "l2": l2_loss}, train_op)


def build_keras(settings, adam=build.keras_adam):
    """The same network in Keras, compiled: float32[batch, n_input] grey levels -> the same.

    Layers: dense, dense_1, dense_2, dense_3, as Keras would number them in a new process.
    """
    def dense(units, name, activation=None):
        # Keras's L2(l) is l * sum(w ** 2); contrib's l2_regularizer(s), which the report uses, is half of that.
        penalty = keras.regularizers.L2(settings.l2_reg / 2) if settings.l2_in_loss else None
        return keras.layers.Dense(units, activation, kernel_regularizer=penalty, name=name)

    inputs = keras.Input((settings.n_input,))
    encoded = dense(settings.n_hidden_1, "dense", "elu")((inputs - settings.pixel_center) * settings.pixel_scale)
    encoded = dense(settings.n_hidden_2, "dense_1", "elu")(encoded)
    decoded = dense(settings.n_hidden_3, "dense_2", "elu")(encoded)
    decoded = dense(settings.n_input, "dense_3")(decoded)
    model = keras.Model(inputs, decoded / settings.pixel_scale + settings.pixel_center)

    learning_rate = settings.learning_rate
    if settings.decay:
        learning_rate = keras.optimizers.schedules.CosineDecay(
            learning_rate, settings.n_epochs * settings.steps_per_epoch)
    model.compile(optimizer=adam(learning_rate),
                  loss=lambda real, made: tf1.reduce_mean(tf1.square((made - real) * settings.pixel_scale)))
    return model
