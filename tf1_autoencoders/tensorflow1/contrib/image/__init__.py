"""tf.contrib.image of TensorFlow 1.15: images that are turned, moved and warped, and what is connected in them.

Source of every name: tf.contrib.image of TensorFlow 1.15.5.
"""
from __future__ import annotations

from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.image.components import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.image.transforms import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.image.warps import *  # noqa: F401, F403

_REFUSED = {"bipartite_match": "no public program uses it; scipy.optimize.linear_sum_assignment matches arrays",
            "single_image_random_dot_stereograms": "no public program uses it, and its operation left TensorFlow"}
__getattr__ = _contrib.explain_missing(__name__, ("image_ops", "ops"), _REFUSED)
