"""Section 1 of the report: a dense autoencoder that reconstructs Fashion-MNIST.

    784 -> 2000 -> 1200 -> 500 -> 10 (sigmoid) -> 500 -> 1200 -> 2000 -> 784        relu, linear output, MSE, Adam

Source: the report, section 1, where it is written in Keras; for what it does not say, the notebook it was built from
(Kaggle, shivamb, "how autoencoders work"). Each setting carries its mark: stated, listed, printed, source.

Departures: the graph is ours, the Keras twin is the report's listing. Both step with Adam's epsilon of TensorFlow 1,
1e-8 (Keras has 1e-7). Split and shuffling have a seed (the report's have none, so its numbers are one draw).
"""
from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np

from tf1_autoencoders.datasets import fashion_mnist
from tf1_autoencoders.datasets.drawn_sample import CLASSES_FASHION_MNIST
from tf1_autoencoders.graphs.graph_model import complete
from tf1_autoencoders.graphs.input_pipeline import ordered_batches, streamed_batches
from tf1_autoencoders.graphs.layers import dense_layer, mean_squared_error
from tf1_autoencoders.keras_twin import build
from tf1_autoencoders.training.row_order import check_batch_size, n_train
from tf1_autoencoders.utils.frameworks import keras, tf1

NUMBER = 1
TITLE = "Image reconstruction on Fashion-MNIST"
THREADS = 0  # CPU threads of the graph where --threads does not say otherwise; 0: as TensorFlow chooses
SAVE_EVERY = 5  # epochs from one checkpoint to the next
CLASSES = CLASSES_FASHION_MNIST


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run of section 1 depends on."""

    n_input: int = 784  # pixels of a picture; printed
    n_hidden_1: int = 2000  # units; listed
    n_hidden_2: int = 1200  # units; listed
    n_hidden_3: int = 500  # units; listed
    n_latent: int = 10  # units of the code; listed
    learning_rate: float = 0.001  # Keras's default for 'adam'; source
    batch_size: int = 2048  # pictures; source (printed: 24 steps for 48000 of them)
    n_epochs: int = 20  # printed
    patience: int = 10  # epochs without a better val_loss before the end; source
    validation_share: float = 0.2  # of the training pictures; printed
    streamed: bool = False  # batches read from the arrays where they lie, not from a copy in the graph; ours
    seed: int = 0  # of initial values, split and shuffling; ours


PRESETS = {"report": Settings()}
PRESET_HELP = {"report": "the published run"}
CROSSCHECKS = PRESETS


def load(settings, **where):
    """Fashion-MNIST, preprocessed; `where` is data= and data_dir= of datasets.fashion_mnist.load.

    Returns:
        ({"train": (x, y), "test": (x, y)}, source): x float32[n, 784] in 0..1, y uint8[n] classes. The training
        pictures are in a random order of their own; the last validation_share of them are the validation pictures.
    """
    pictures = fashion_mnist.load(**where)
    train, test = pictures["train"], pictures["test"]
    order = np.random.default_rng(settings.seed).permutation(len(train.x))
    return {"train": (preprocess(train.x)[order], train.y[order]), "test": (preprocess(test.x), test.y)}, train.source


def preprocess(x):
    """Reshape, convert, normalise: uint8[n, 28, 28] -> float32[n, 784] in 0..1."""
    return x.reshape(len(x), -1).astype(np.float32) / np.float32(255)


def training_arrays(data):
    """What the graph's pipeline is fed with, of what load() gives: (float32[60000, 784],)."""
    return (data["train"][0],)


def inputs_and_targets(arrays, settings=None):
    """The same as Keras's fit takes it: the network's task is to give back what it sees."""
    return arrays[0], arrays[0]


def resolve(settings, n_rows):
    """The settings, checked against data of n_rows pictures.

    Raises:
        UsageError: a batch would be larger than the data trained on.
    """
    check_batch_size(settings.batch_size, n_train(n_rows, settings.validation_share), "pictures to train on")
    return settings


def build_graph(settings):
    """The network as a TensorFlow 1 graph.

    Variables: dense, dense_1, ... dense_7, each kernel and bias. Metrics: loss, the MSE in squared units of 0..1.
    Parts: latent float32[batch, n_latent], the code.

    Returns:
        GraphModel; features and outputs are float32[batch, n_input].
    """
    with tf1.Graph().as_default():
        batches = streamed_batches if settings.streamed else ordered_batches
        pipeline = batches(([settings.n_input], tf1.float32))
        features, = pipeline.batch
        seeds = iter(range(10 * settings.seed, 10 * settings.seed + 8))
        relu = partial(dense_layer, activation=tf1.nn.relu)
        hidden_1 = relu(features, settings.n_hidden_1, seed=next(seeds))
        hidden_2 = relu(hidden_1, settings.n_hidden_2, seed=next(seeds))
        hidden_3 = relu(hidden_2, settings.n_hidden_3, seed=next(seeds))
        latent = dense_layer(hidden_3, settings.n_latent, activation=tf1.nn.sigmoid, seed=next(seeds))
        hidden_5 = relu(latent, settings.n_hidden_3, seed=next(seeds))
        hidden_6 = relu(hidden_5, settings.n_hidden_2, seed=next(seeds))
        hidden_7 = relu(hidden_6, settings.n_hidden_1, seed=next(seeds))
        outputs = dense_layer(hidden_7, settings.n_input, seed=next(seeds))
        assert outputs.shape.as_list() == features.shape.as_list() == [None, settings.n_input]

        loss = mean_squared_error(outputs, features)
        train_op = tf1.train.AdamOptimizer(settings.learning_rate).minimize(loss)
        return complete(pipeline, features, outputs, loss, {"loss": loss}, train_op, latent=latent)


def build_keras(settings, adam=build.keras_adam):
    """The report's listing, compiled: float32[batch, n_input] -> the same."""
    input_layer = keras.Input(shape=(settings.n_input,))

    encode_layer1 = keras.layers.Dense(settings.n_hidden_1, activation="relu", name="dense")(input_layer)
    encode_layer2 = keras.layers.Dense(settings.n_hidden_2, activation="relu", name="dense_1")(encode_layer1)
    encode_layer3 = keras.layers.Dense(settings.n_hidden_3, activation="relu", name="dense_2")(encode_layer2)

    latent_view = keras.layers.Dense(settings.n_latent, activation="sigmoid", name="dense_3")(encode_layer3)

    decode_layer1 = keras.layers.Dense(settings.n_hidden_3, activation="relu", name="dense_4")(latent_view)
    decode_layer2 = keras.layers.Dense(settings.n_hidden_2, activation="relu", name="dense_5")(decode_layer1)
    decode_layer3 = keras.layers.Dense(settings.n_hidden_1, activation="relu", name="dense_6")(decode_layer2)

    output_layer = keras.layers.Dense(settings.n_input, name="dense_7")(decode_layer3)

    model = keras.Model(input_layer, output_layer)
    model.compile(optimizer=adam(settings.learning_rate), loss="mse")
    return model


def encoder_and_decoder(trainer):
    """The two halves of a trained network: functions of pictures [n, n_input] -> codes [n, n_latent], and back.

    Args:
        trainer: trainers.GraphTrainer or trainers.KerasTrainer.
    """
    model = trainer.model
    if hasattr(model, "graph"):
        latent = model.parts["latent"]
        return (lambda x: trainer.predict(x, fetch=latent),
                lambda codes: trainer.session.run(model.outputs, {latent: codes}))
    latent = model.get_layer("dense_3").output
    codes = keras.Input(shape=latent.shape[1:])
    decoded = codes
    for number in range(4, 8):
        decoded = model.get_layer(f"dense_{number}")(decoded)
    encoder, decoder = keras.Model(model.input, latent), keras.Model(codes, decoded)
    return (lambda x: encoder.predict(x, verbose=0)), (lambda codes: decoder.predict(codes, verbose=0))


def principal_components(codes):
    """Codes float32[n, n_latent] along their two directions of largest variance: float64[n, 2], by numpy's SVD."""
    centred = codes.astype(np.float64) - codes.mean(axis=0, dtype=np.float64)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(directions[np.arange(len(directions)), np.argmax(np.abs(directions), axis=1)])
    return centred @ (directions[:2] * signs[:2, None]).T


def between(code, other, n):
    """n codes from `code` to `other` in even steps, both included: float32[n, n_latent]."""
    share = np.linspace(0, 1, n, dtype=np.float32)[:, None]
    return (1 - share) * code + share * other
