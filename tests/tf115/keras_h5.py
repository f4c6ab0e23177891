"""Weights of tf.keras in TensorFlow 1.15.5, for tests/tf115/test_against_tf115.py; runs under 1.15.5 only.

    python -m tests.tf115.keras_h5 write           write fixtures/keras/*.h5 with inputs and outputs of two models, and
                                                   *_model.h5 of model.save
    python -m tests.tf115.keras_h5 check FOLDER    load FOLDER/*.h5 into the same models; exit code 1 if outputs differ
"""
from __future__ import annotations

import os
import sys

import numpy as np
import tensorflow as tf

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "keras")
TOLERANCE = 1e-6  # for outputs below 3; the forget gate's bias was converted to b - 1 and back, which rounds
layers = tf.keras.layers


def reconstruction():
    """Build section 1's listing at the sizes 13-11-7-5-3-5-7-11-13; return (model, inputs)."""
    input_layer = tf.keras.Input(shape=(13,))
    x = input_layer
    for k, (units, activation) in enumerate([(11, "relu"), (7, "relu"), (5, "relu"), (3, "sigmoid"), (5, "relu"),
                                             (7, "relu"), (11, "relu"), (13, None)]):
        x = layers.Dense(units, activation=activation, name="dense_{}".format(k) if k else "dense")(x)
    return tf.keras.Model(input_layer, x), [np.random.RandomState(1).rand(17, 13).astype(np.float32)]


def sequences():
    """Build section 4's autoencoder with 7 units on one-hots of width 11; return (model, inputs).

    The gates are sigmoids, as in the report's Keras; the default of 1.15.5's tf.keras is a hard sigmoid.
    """
    encoder_inputs, decoder_inputs = tf.keras.Input(shape=(None, 11)), tf.keras.Input(shape=(None, 11))
    _, h, c = layers.LSTM(7, return_state=True, recurrent_activation="sigmoid", name="lstm")(encoder_inputs)
    decoder = layers.LSTM(7, return_sequences=True, return_state=True, recurrent_activation="sigmoid", name="lstm_1")
    decoded, _, _ = decoder(decoder_inputs, initial_state=[h, c])
    outputs = layers.Dense(11, activation="softmax", name="dense")(decoded)
    random = np.random.RandomState(2)
    return tf.keras.Model([encoder_inputs, decoder_inputs], outputs), [
        np.eye(11, dtype=np.float32)[random.randint(11, size=(17, n))] for n in (5, 3)]


def default_lstm():
    """Build an LSTM of 3 units as 1.15.5's tf.keras makes it by default, whose gates are hard sigmoids."""
    inputs = tf.keras.Input(shape=(4, 2))
    return tf.keras.Model(inputs, layers.LSTM(3, name="lstm")(inputs)), [
        np.random.RandomState(4).rand(5, 4, 2).astype(np.float32)]


MODELS = {"section1": reconstruction, "section4": sequences}
SAVED_MODELS = {"section4": sequences, "default_lstm": default_lstm}  # with model.save


def main(command, folder=FIXTURES):
    failed = False
    for name, build in MODELS.items():
        np.random.seed(3)
        model, inputs = build()
        path = os.path.join(folder, name)
        if command == "write":
            os.makedirs(folder, exist_ok=True)
            model.set_weights([np.random.normal(0, 0.5, array.shape) for array in model.get_weights()])
            model.save_weights(path + ".h5")
            np.savez_compressed(path + ".npz", *inputs, answers=model.predict(inputs))
        else:
            model.load_weights(path + ".h5")
            expected = np.load(os.path.join(FIXTURES, name + ".npz"))["answers"]
            difference = np.max(np.abs(model.predict(inputs) - expected))
            print(name, "same outputs" if difference < TOLERANCE else "OUTPUTS DIFFER by {:.0e}".format(difference))
            failed = failed or difference >= TOLERANCE
    for name, build in SAVED_MODELS.items() if command == "write" else ():
        np.random.seed(3)
        model, _ = build()
        model.set_weights([np.random.normal(0, 0.5, array.shape) for array in model.get_weights()])
        model.save(os.path.join(folder, name + "_model.h5"), include_optimizer=False)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
