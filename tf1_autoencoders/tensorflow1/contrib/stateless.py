"""tf.contrib.stateless of TensorFlow 1.15: the functions that are tf.random's today."""
from __future__ import annotations

from tensorflow.compat.v1 import random as _random

from tf1_autoencoders.tensorflow1 import contrib as _contrib

stateless_multinomial = _random.stateless_multinomial
stateless_random_normal = _random.stateless_normal
stateless_random_uniform = _random.stateless_uniform
stateless_truncated_normal = _random.stateless_truncated_normal
__getattr__ = _contrib.explain_missing(__name__)
