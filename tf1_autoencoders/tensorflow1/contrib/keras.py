"""tf.contrib.keras of TensorFlow 1.15: tf.keras, under the name that it had in 1.2."""
from __future__ import annotations

import sys

import tf1_autoencoders.tensorflow1 as tf


def __getattr__(name: str):
    if name in ("api", "python", "keras"):  # tensorflow.contrib.keras.api.keras.layers
        return sys.modules[__name__]
    return getattr(tf.keras, name)
