"""Layers of the TensorFlow 1 graphs, written on get_variable and named as TensorFlow 1.15 names its own."""
from __future__ import annotations

from tf1_autoencoders.frameworks import tf1


def l2_regularizer(scale):
    """The penalty scale / 2 * sum(w ** 2) of tf.contrib.layers.l2_regularizer; None, no penalty, where scale is 0."""
    return (lambda weights: scale * tf1.nn.l2_loss(weights)) if scale else None


def dense_layer(x, units, *, activation=None, l2=0.0, seed=None):
    """activation(x @ kernel + bias), as tf.layers.dense of TensorFlow 1.15 with the Xavier initialiser.

    Variables: `dense/kernel` float32[n_in, units], Xavier (Glorot) uniform, and `dense/bias` float32[units], zeros;
    the next layer of the same graph is `dense_1`, and so on.

    Args:
        x: float32[batch, n_in], n_in known when the graph is built.
        units: width of the layer.
        activation: a function of a tensor, or None for a linear layer.
        l2: adds l2 / 2 * sum(kernel ** 2) to the collection REGULARIZATION_LOSSES (nothing where it is 0).
        seed: operation seed of the kernel's initialiser; 1.15 and 2.x draw the same values from it.

    Returns:
        float32[batch, units].

    Raises:
        ValueError: n_in is not known.
    """
    n_in = x.shape.as_list()[-1]
    if n_in is None:
        raise ValueError(f"dense_layer: the last dimension of {x.name} must be known, its shape is {x.shape}")
    with tf1.variable_scope(None, default_name="dense"):
        kernel = tf1.get_variable("kernel", [n_in, units], tf1.float32,
                                  initializer=tf1.glorot_uniform_initializer(seed=seed),
                                  regularizer=l2_regularizer(l2))
        bias = tf1.get_variable("bias", [units], tf1.float32, initializer=tf1.zeros_initializer())
        outputs = tf1.nn.bias_add(tf1.matmul(x, kernel), bias)
        return outputs if activation is None else activation(outputs)
