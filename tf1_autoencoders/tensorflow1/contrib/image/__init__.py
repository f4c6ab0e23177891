"""tf.contrib.image of TensorFlow 1.15: images that are turned, moved and warped, and what is connected in them.

Source of every name: tf.contrib.image of TensorFlow 1.15.5.
"""
from __future__ import annotations

from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.image.components import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.image.matching import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.image.transforms import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.image.warps import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.image.warps import _interpolate_bilinear  # noqa: F401

_REFUSED = {"single_image_random_dot_stereograms": "no public program uses it, and its operation left TensorFlow",
            "distort_image_ops": "its operation left TensorFlow; tf.image.adjust_hue and adjust_saturation are near it"}
__getattr__ = _contrib.explain_missing(__name__, ("image_ops", "ops"), _REFUSED)
