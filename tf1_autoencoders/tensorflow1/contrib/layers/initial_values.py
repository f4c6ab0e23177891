"""Initial values of weights: Glorot's and He's."""
from __future__ import annotations

import math

import tf1_autoencoders.tensorflow1 as tf


def variance_scaling_initializer(factor=2.0, mode="FAN_IN", uniform=False, seed=None, dtype=tf.float32):
    """Return an initializer whose values have variance factor / n: He's initialization by default.

    Args:
        factor: positive number.
        mode: n is the number of inputs ("FAN_IN"), of outputs ("FAN_OUT") or their mean ("FAN_AVG").
        uniform: uniform distribution, or a normal one cut off at two standard deviations.
        seed: the operation's seed.
        dtype: floating-point type.

    Raises:
        TypeError: an unknown mode, or a type that is not floating-point.

    Source: arXiv:1502.01852.
    """
    if not tf.as_dtype(dtype).is_floating:
        raise TypeError(f"Cannot create initializer for non-floating point type {dtype!r}.")
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError(f"Unknown mode {mode!r}; expected FAN_IN, FAN_OUT or FAN_AVG")

    def initializer(shape, dtype=dtype, partition_info=None):
        if not tf.as_dtype(dtype).is_floating:
            raise TypeError(f"Cannot create initializer for non-floating point type {dtype!r}.")
        sizes = [float(size) for size in shape] or [1.0]
        field = math.prod(sizes[:-2])
        fan_in, fan_out = field * (sizes[-2] if len(sizes) > 1 else sizes[-1]), field * sizes[-1]
        n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2.0}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / n)
            return tf.random_uniform(shape, -limit, limit, dtype, seed=seed)
        return tf.truncated_normal(shape, 0.0, math.sqrt(1.3 * factor / n), dtype, seed=seed)

    return initializer


def xavier_initializer(uniform=True, seed=None, dtype=tf.float32):
    """Return Glorot's initializer: variance 2 / (inputs + outputs).

    Args:
        uniform: uniform distribution in +-sqrt(6 / (inputs + outputs)), or a normal one cut off.
        seed: the operation's seed.
        dtype: floating-point type.

    Source: Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward neural networks.
    """
    return variance_scaling_initializer(factor=1.0, mode="FAN_AVG", uniform=uniform, seed=seed, dtype=dtype)


xavier_initializer_conv2d = xavier_initializer
