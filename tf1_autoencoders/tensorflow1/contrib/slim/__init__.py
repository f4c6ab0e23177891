"""tf.contrib.slim of TensorFlow 1.15: the names of contrib.layers and contrib.framework, training and evaluation.

Source of every name: tf.contrib.slim of TensorFlow 1.15.5. `slim.losses` and `slim.metrics` are contrib's packages,
`slim.utils` is contrib.layers, `slim.nets` has the networks.
"""
from __future__ import annotations

import importlib

from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib import layers, losses, metrics
from tf1_autoencoders.tensorflow1.contrib.framework import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.framework import arg_scope_func_key  # noqa: F401
from tf1_autoencoders.tensorflow1.contrib.layers import *  # noqa: F401, F403

initializers = optimizers = regularizers = summaries = utils = layers
__all__ = ["layers", "losses", "metrics"]

_LAZY = ("evaluation", "learning", "model_analyzer", "nets")  # imported at their first use
_DATA = "tf.data reads and decodes the same files"
_REFUSED = dict.fromkeys(("dataset", "dataset_data_provider", "data_decoder", "data_provider", "parallel_reader",
                          "prefetch_queue", "queues", "tfexample_decoder", "data"), _DATA)
_missing = _contrib.explain_missing(__name__, ("slim",), {**layers._REFUSED, **_REFUSED})


def __getattr__(name):
    return importlib.import_module(f"{__name__}.{name}") if name in _LAZY else _missing(name)
