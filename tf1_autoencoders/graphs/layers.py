"""The layers and the loss of TensorFlow 1, built on get_variable and named as TensorFlow 1.15 names its own.

Each layer stands here operation by operation. With fused=True, two layers take the faster form in graphs.fused.
"""
from __future__ import annotations

from typing import Any, Callable, Optional, Tuple

from tf1_autoencoders.graphs import fused as fused_layers
from tf1_autoencoders.utils.frameworks import tf1

FORGET_BIAS = 1.0  # LSTMCell's default, added to the forget gate at run time; the stored bias starts at zero


def l2_regularizer(scale: float) -> Optional[Callable[[Any], Any]]:
    """Return the penalty scale / 2 * sum(w ** 2) of tf.contrib.layers.l2_regularizer; None if scale is 0."""
    return (lambda weights: scale * tf1.nn.l2_loss(weights)) if scale else None


def dense_layer(x: Any, units: int, *, activation: Optional[Callable[[Any], Any]] = None, l2: float = 0.0,
                seed: Optional[int] = None, name: Optional[str] = None, reuse: Optional[bool] = None) -> Any:
    """Return activation(x @ kernel + bias), as tf.layers.dense of TensorFlow 1.15 with the Xavier initialiser.

    Variables: `dense/kernel` float32[n_in, units], Xavier (Glorot) uniform, and `dense/bias` float32[units], zeros;
    the next layer of the same graph is `dense_1`, and so on.

    Args:
        x: float32[batch, n_in], or float32[batch, time, n_in] for a layer that is applied to each time step alone.
            n_in must be known when the graph is built.
        units: width of the layer.
        activation: a function of a tensor, or None for a linear layer.
        l2: adds l2 / 2 * sum(kernel ** 2) to the collection REGULARIZATION_LOSSES, and nothing if l2 is 0.
        seed: operation seed of the kernel's initialiser; 1.15 and 2.x draw the same values from this seed.
        name: name of the layer, instead of a number.
        reuse: True reuses the variables of the layer of that name; name must be given.

    Returns:
        float32[batch, units], or [batch, time, units].

    Raises:
        ValueError: n_in is unknown.
    """
    n_in = x.shape.as_list()[-1]
    if n_in is None:
        raise ValueError(f"dense_layer: the last dimension of {x.name} must be known, its shape is {x.shape}")
    with tf1.variable_scope(name, default_name="dense", reuse=reuse):
        kernel = tf1.get_variable("kernel", [n_in, units], tf1.float32,
                                  initializer=tf1.glorot_uniform_initializer(seed=seed),
                                  regularizer=l2_regularizer(l2))
        bias = tf1.get_variable("bias", [units], tf1.float32, initializer=tf1.zeros_initializer())
        product = tf1.matmul(x, kernel) if len(x.shape) == 2 else tf1.tensordot(x, kernel, 1)
        outputs = tf1.nn.bias_add(product, bias)
        return outputs if activation is None else activation(outputs)


def mean_squared_error(outputs: Any, targets: Any) -> Any:
    """Return the mean of (outputs - targets) ** 2 over all numbers: float32[], for two tensors of the same shape.

    The line of TensorFlow 1 is tf1.reduce_mean(tf1.square(outputs - targets)). Here it is (sum(d ** 2) / 2) / (n / 2),
    whose first half is l2_loss: its gradient is one operation instead of four, and bit-identical.
    """
    return tf1.nn.l2_loss(outputs - targets) / (tf1.cast(tf1.size(outputs), tf1.float32) / 2)


def conv_layer(x: Any, filters: int, *, size: int = 3, padding: str = "SAME",
               activation: Optional[Callable[[Any], Any]] = None, seed: Optional[int] = None, fused: bool = True
               ) -> Any:
    """Return activation(conv2d(x, kernel) + bias) with stride 1, as tf.layers.conv2d of TensorFlow 1.15.

    Variables: `conv2d/kernel` float32[size, size, n_in, filters], Glorot uniform, and `conv2d/bias` float32[filters],
    zeros; the next layer of the same graph is `conv2d_1`, and so on.

    Args:
        x: float32[batch, height, width, n_in].
        filters: number of output channels.
        size: height and width of the kernel, pixels.
        padding: "SAME" keeps height and width; "VALID" takes size - 1 from each.
        activation: a function of a tensor, or None for a linear layer.
        seed: operation seed of the kernel's initialiser.
        fused: True convolves the smaller image if x is upsample(smaller) and size is 3, with equal outputs except for
            rounding, fewer operations and less memory; False makes one conv2d of every x.

    Returns:
        float32[batch, height, width, filters].
    """
    n_in = x.shape.as_list()[-1]
    with tf1.variable_scope(None, default_name="conv2d"):
        kernel = tf1.get_variable("kernel", [size, size, n_in, filters], tf1.float32,
                                  initializer=tf1.glorot_uniform_initializer(seed=seed))
        bias = tf1.get_variable("bias", [filters], tf1.float32, initializer=tf1.zeros_initializer())
        smaller = fused_layers.input_of_upsample(x) if fused and size == 3 else None
        if smaller is None:
            product = tf1.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding=padding)
        else:  # nothing uses x itself then
            product = fused_layers.conv2d_of_upsampled(smaller, kernel, padding)
        outputs = tf1.nn.bias_add(product, bias)
        return outputs if activation is None else activation(outputs)


def max_pool(x: Any) -> Any:
    """Return the largest of each 2 x 2 pixels, stride 2, odd sides padded: [batch, 7, 7, c] -> [batch, 4, 4, c]."""
    return tf1.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME", name="max_pooling2d")


def upsample(x: Any) -> Any:
    """Repeat each pixel in both directions: float32[batch, h, w, c] -> [batch, 2 h, 2 w, c]."""
    _, height, width, _ = x.shape.as_list()
    return tf1.image.resize_nearest_neighbor(x, [2 * height, 2 * width], name="up_sampling2d")


def lstm_layer(x: Any, units: int, *, initial_state: Optional[Tuple[Any, Any]] = None, seed: Optional[int] = None,
               fused: bool = True) -> Tuple[Any, Tuple[Any, Any]]:
    """Run a long short-term memory over a fixed number of time steps, as TensorFlow 1.15's LSTMCell in static_rnn.

    The gates i, j, f, o are the four blocks of [x_t, h] @ kernel + bias, in this order. Each step computes
    c = sigmoid(f + 1) * c + sigmoid(i) * tanh(j) and h = sigmoid(o) * tanh(c).

    Variables: `rnn/lstm_cell/kernel` float32[n_in + units, 4 * units], Glorot uniform, and `rnn/lstm_cell/bias`
    float32[4 * units], zeros. The variables are not numbered: each layer of a graph stands in a variable_scope of
    its own, and a scope with reuse=True reuses the variables.

    Args:
        x: float32[batch, time, n_in]; time and n_in must be known when the graph is built.
        units: width of h and c.
        initial_state: (h, c), each float32[batch, units]; None for zeros.
        seed: operation seed of the kernel's initialiser.
        fused: True makes each step one operation, with a gradient by hand, which is faster; False makes the operations
            of LSTMCell one by one, whose outputs and gradients are bit-identical to LSTMCell under 1.15.5.

    Returns:
        (outputs, (h, c)): h of every step, float32[batch, time, units], and the state after the last step.

    Raises:
        ValueError: time or n_in is unknown.
    """
    _, n_steps, n_in = x.shape.as_list()
    if n_steps is None or n_in is None:
        raise ValueError(f"lstm_layer: all but the first dimension of {x.name} must be known, its shape is {x.shape}")
    with tf1.variable_scope("rnn"), tf1.variable_scope("lstm_cell"):
        kernel = tf1.get_variable("kernel", [n_in + units, 4 * units], tf1.float32,
                                  initializer=tf1.glorot_uniform_initializer(seed=seed))
        bias = tf1.get_variable("bias", [4 * units], tf1.float32, initializer=tf1.zeros_initializer())
        if initial_state is None:
            zeros = tf1.zeros([tf1.shape(x)[0], units])
            initial_state = zeros, zeros
        h, c = initial_state
        if fused:
            outputs, c = fused_layers.lstm(
                x, tf1.convert_to_tensor(kernel), tf1.convert_to_tensor(bias), h, c, FORGET_BIAS)
            for tensor in (*outputs, c):
                tensor.set_shape([None, units])  # a custom gradient loses the shape
            h = outputs[-1]
        else:  # unrolled too, because a loop in the graph costs more than its steps
            outputs = []
            for x_t in tf1.unstack(x, axis=1):
                gates = tf1.nn.bias_add(tf1.matmul(tf1.concat([x_t, h], axis=1), kernel), bias)
                i, j, f, o = tf1.split(gates, 4, axis=1)
                c = tf1.sigmoid(f + FORGET_BIAS) * c + tf1.sigmoid(i) * tf1.tanh(j)
                h = tf1.sigmoid(o) * tf1.tanh(c)
                outputs.append(h)
        outputs = tf1.stack(outputs, axis=1)
        assert outputs.shape.as_list()[1:] == [n_steps, units] and h.shape.as_list()[1:] == [units]
        return outputs, (h, c)
