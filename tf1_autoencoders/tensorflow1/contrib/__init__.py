"""tf.contrib of TensorFlow 1.15: one file for each of its packages, each imported at its first use."""
from __future__ import annotations

import difflib
import importlib
import pkgutil

from tf1_autoencoders.utils.errors import NotOffered

_OFFERED = sorted(module.name for module in pkgutil.iter_modules(__path__))
# packages of contrib that are not offered, and what to do instead
_REFUSED = {
    "learn": "its estimators are gone; tf.keras or a session of your own trains the same network",
    "estimator": "Estimators left TensorFlow with 2.16; a session of your own trains the same network",
    "cudnn_rnn": "it needs CUDA's kernels of 1.15; contrib.rnn.LSTMBlockCell or tf.nn.rnn_cell have the same equations",
    "tpu": "it drove the TPUs of 1.15's time; leave TPUEstimator out and train with a session",
    "distributions": "pip install tensorflow-probability has the same classes, as tfp.distributions",
}


def __getattr__(name: str):
    if name in _OFFERED:
        return importlib.import_module(f"{__name__}.{name}")
    if name.startswith("__"):
        raise AttributeError(name)
    if name in _REFUSED:
        raise NotOffered(f"tf.contrib.{name} is not offered: {_REFUSED[name]}")
    near = difflib.get_close_matches(name, [*_OFFERED, *_REFUSED], 1)
    raise NotOffered(f"tf.contrib has no package {name!r}" + (f"; did you mean {near[0]!r}?" if near else
                         f"; offered are {', '.join(_OFFERED)}"))
