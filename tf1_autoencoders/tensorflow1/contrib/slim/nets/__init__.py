"""slim.nets of TensorFlow 1.15: VGG, AlexNet and ResNet, as functions of images that return (logits, end points).

Source of every name: tf.contrib.slim.nets of TensorFlow 1.15.5; the papers stand in the modules. `end points` are
{name: tensor} of all layers. `is_training` switches dropout and batch normalization, `reuse` and `scope` are those of
the variable scope, `num_classes` is the number of logits, `spatial_squeeze` takes the two dimensions of size 1 out.
"""
from __future__ import annotations

import importlib

from tf1_autoencoders.tensorflow1 import contrib as _contrib

_LAZY = ("alexnet", "resnet_utils", "resnet_v1", "resnet_v2", "vgg")  # imported at their first use
_missing = _contrib.explain_missing(__name__, (), {
    name: "tf.keras.applications has InceptionV3 with trained weights" for name in
    ("inception", "inception_v1", "inception_v2", "inception_v3")} | {"overfeat": "slim.nets.alexnet is its neighbour"})


def __getattr__(name):
    return importlib.import_module(f"{__name__}.{name}") if name in _LAZY else _missing(name)
