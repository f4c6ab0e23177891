"""Layers and the loss of the TensorFlow 1 graphs, on get_variable, named as TensorFlow 1.15 names its own."""
from __future__ import annotations

from tf1_autoencoders.graphs import fused as fused_layers
from tf1_autoencoders.utils.frameworks import tf1

FORGET_BIAS = 1.0  # LSTMCell's default: added to the forget gate at run time, so that the stored bias starts at zero


def l2_regularizer(scale):
    """The penalty scale / 2 * sum(w ** 2) of tf.contrib.layers.l2_regularizer; None, no penalty, where scale is 0."""
    return (lambda weights: scale * tf1.nn.l2_loss(weights)) if scale else None


def dense_layer(x, units, *, activation=None, l2=0.0, seed=None, name=None, reuse=None):
    """activation(x @ kernel + bias), as tf.layers.dense of TensorFlow 1.15 with the Xavier initialiser.

    Variables: `dense/kernel` float32[n_in, units], Xavier (Glorot) uniform, and `dense/bias` float32[units], zeros;
    the next layer of the same graph is `dense_1`, and so on.

    Args:
        x: float32[batch, n_in], or float32[batch, time, n_in] for a layer that sees each time step alone; n_in known
            when the graph is built.
        units: width of the layer.
        activation: a function of a tensor, or None for a linear layer.
        l2: adds l2 / 2 * sum(kernel ** 2) to the collection REGULARIZATION_LOSSES (nothing where it is 0).
        seed: operation seed of the kernel's initialiser; 1.15 and 2.x draw the same values from it.
        name: of the layer, instead of a number of its own.
        reuse: True takes the variables of the layer of that name; name must be given.

    Returns:
        float32[batch, units], or [batch, time, units].

    Raises:
        ValueError: n_in is not known.
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


def mean_squared_error(outputs, targets):
    """The mean of (outputs - targets) ** 2 over all numbers: float32[], for two tensors of the same shape.

    tf1.reduce_mean(tf1.square(outputs - targets)) as (sum(d ** 2) / 2) / (n / 2), where l2_loss is the first half: its
    gradient is one operation on d in place of four, and the same to the byte.
    """
    return tf1.nn.l2_loss(outputs - targets) / (tf1.cast(tf1.size(outputs), tf1.float32) / 2)


def conv_layer(x, filters, *, size=3, padding="SAME", activation=None, seed=None, fused=True):
    """activation(conv2d(x, kernel) + bias) with stride 1, as tf.layers.conv2d of TensorFlow 1.15 with its defaults.

    Variables: `conv2d/kernel` float32[size, size, n_in, filters], Glorot uniform, and `conv2d/bias` float32[filters],
    zeros; the next layer of the same graph is `conv2d_1`, and so on.

    Args:
        x: float32[batch, height, width, n_in].
        filters: number of output channels.
        size: height and width of the kernel, pixels.
        padding: "SAME" keeps height and width; "VALID" takes size - 1 from each.
        activation: a function of a tensor, or None for a linear layer.
        seed: operation seed of the kernel's initialiser.
        fused: True convolves, where x is upsample(smaller) and size 3, the smaller picture instead, to the same outputs
            but for rounding, with fewer operations on less memory; False makes one conv2d of every x.

    Returns:
        float32[batch, height, width, filters].
    """
    n_in = x.shape.as_list()[-1]
    with tf1.variable_scope(None, default_name="conv2d"):
        kernel = tf1.get_variable("kernel", [size, size, n_in, filters], tf1.float32,
                                  initializer=tf1.glorot_uniform_initializer(seed=seed))
        bias = tf1.get_variable("bias", [filters], tf1.float32, initializer=tf1.zeros_initializer())
        smaller = fused_layers._before_upsample(x) if fused and size == 3 else None
        if smaller is None:
            product = tf1.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding=padding)
        else:  # so that nothing asks for x itself
            product = fused_layers._conv2d_of_upsampled(smaller, kernel, padding)
        outputs = tf1.nn.bias_add(product, bias)
        return outputs if activation is None else activation(outputs)


def max_pool(x):
    """The largest of each 2 x 2 pixels, stride 2, an odd side padded: float32[batch, 7, 7, c] -> [batch, 4, 4, c]."""
    return tf1.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME", name="max_pooling2d")


def upsample(x):
    """Each pixel twice in both directions: float32[batch, h, w, c] -> [batch, 2 h, 2 w, c]."""
    _, height, width, _ = x.shape.as_list()
    return tf1.image.resize_nearest_neighbor(x, [2 * height, 2 * width], name="up_sampling2d")


def lstm_layer(x, units, *, initial_state=None, seed=None, fused=True):
    """A long short-term memory over a fixed number of time steps, as TensorFlow 1.15's LSTMCell in static_rnn.

    With the gates i, j, f, o, which are the four blocks of [x_t, h] @ kernel + bias in this order, each step makes
    c = sigmoid(f + 1) * c + sigmoid(i) * tanh(j) and h = sigmoid(o) * tanh(c).

    Variables: `rnn/lstm_cell/kernel` float32[n_in + units, 4 * units], Glorot uniform, and `rnn/lstm_cell/bias`
    float32[4 * units], zeros. They are not numbered: each layer of a graph stands in a variable_scope of its own, and
    one with reuse=True takes the variables that are there.

    Args:
        x: float32[batch, time, n_in], time and n_in known when the graph is built.
        units: width of h and c.
        initial_state: (h, c), each float32[batch, units]; None for zeros.
        seed: operation seed of the kernel's initialiser.
        fused: True makes each step one operation and takes the gradient by hand, which is faster; False makes the
            operations of LSTMCell one by one, which gives its outputs and gradients to the byte under 1.15.5.

    Returns:
        (outputs, (h, c)): h of every step, float32[batch, time, units], and the state after the last.

    Raises:
        ValueError: time or n_in is not known.
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
            outputs, c = fused_layers._fused_lstm(
                x, tf1.convert_to_tensor(kernel), tf1.convert_to_tensor(bias), h, c, FORGET_BIAS)
            for tensor in (*outputs, c):
                tensor.set_shape([None, units])  # which a custom gradient loses
            h = outputs[-1]
        else:  # unrolled too, since a loop in the graph costs more here than its steps
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
