"""Layers and the loss of the TensorFlow 1 graphs, on get_variable, named as TensorFlow 1.15 names its own."""
from __future__ import annotations

import numpy as np

from tf1_autoencoders.frameworks import tf1

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
        smaller = _before_upsample(x) if fused and size == 3 else None
        if smaller is None:
            product = tf1.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding=padding)
        else:  # so that nothing asks for x itself
            product = _conv2d_of_upsampled(smaller, kernel, padding)
        outputs = tf1.nn.bias_add(product, bias)
        return outputs if activation is None else activation(outputs)


def _before_upsample(x):
    """The picture of which x is the upsample; None where x is anything else."""
    if x.op.type != "ResizeNearestNeighbor" or x.op.get_attr("align_corners"):
        return None
    smaller = x.op.inputs[0]
    sides, doubled = smaller.shape.as_list()[1:3], x.shape.as_list()[1:3]
    return smaller if None not in sides and doubled == [2 * side for side in sides] else None


def _conv2d_of_upsampled(x, kernel, padding):
    """tf1.nn.conv2d(upsample(x), kernel, padding=padding) without its four times as many pixels, but for rounding.

    Neighbours in a doubled picture are often one pixel of x, and the kernel's numbers that meet there can be added
    before they are multiplied. Which ones depends on whether the output's row and column are even or odd: four kernels
    on x, whose outputs depth_to_space puts side by side.
    """
    n_in, n_out = kernel.shape.as_list()[2:]
    sums = np.array(_SUMS[padding], np.float32)
    sums = np.einsum("pvr,qwc->vwpqrc", sums, sums)  # p, q: odd row, column; v, w: pixel of x; r, c: of the kernel
    kernels = tf1.transpose(tf1.tensordot(sums, kernel, 2), [0, 1, 4, 2, 3, 5])
    kernels = tf1.reshape(kernels, [*sums.shape[:2], n_in, 4 * n_out])
    return tf1.depth_to_space(tf1.nn.conv2d(x, kernels, strides=[1, 1, 1, 1], padding=padding), 2)


# Of an even and an odd row of the output: which of the kernel's three rows meet in each row of x that it sees.
_SUMS = {"SAME": [[[1, 0, 0], [0, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 0], [0, 0, 1]]],
         "VALID": [[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]]}


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
            outputs, c = _fused_lstm(x, tf1.convert_to_tensor(kernel), tf1.convert_to_tensor(bias), h, c)
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


def _fused_lstm(x, kernel, bias, h, c):
    """([h of every step], the last c) of lstm_layer by TensorFlow's LSTMBlockCell, a step an operation.

    Its gradient is backpropagation through time by hand: LSTMBlockCellGrad takes a step back to its gates, a product
    with the recurrent kernel takes the gates to the h before; and all steps' gates together make the kernel's
    gradient in one product, where TensorFlow would make one a step and add them.
    """
    n_steps, n_in, units = x.shape.as_list()[1], x.shape.as_list()[2], kernel.shape.as_list()[1] // 4
    no_peephole = tf1.zeros([units])

    @tf1.custom_gradient
    def layer(x, kernel, bias, h, c):
        weights = dict(w=kernel, b=bias, wci=no_peephole, wcf=no_peephole, wco=no_peephole, use_peephole=False)
        xs, cells, hs, cs = tf1.unstack(x, axis=1), [], [h], [c]
        for x_t in xs:
            cells.append(tf1.raw_ops.LSTMBlockCell(x=x_t, h_prev=hs[-1], cs_prev=cs[-1], forget_bias=FORGET_BIAS,
                                                   cell_clip=-1.0, **weights))
            hs.append(cells[-1].h)
            cs.append(cells[-1].cs)

        def gradient(*d_results):
            *d_hs, d_c = d_results
            d_gates, d_h = [None] * n_steps, None
            transposed = tf1.transpose(kernel)  # once, and before slices, where the graph's optimiser leaves it
            to_x, to_h = transposed[:, :n_in], transposed[:, n_in:]
            for t in reversed(range(n_steps)):
                cell = cells[t]
                d_h = d_hs[t] if d_h is None else d_hs[t] + d_h
                step = tf1.raw_ops.LSTMBlockCellGrad(
                    x=xs[t], h_prev=hs[t], cs_prev=cs[t], i=cell.i, cs=cell.cs, f=cell.f, o=cell.o, ci=cell.ci,
                    co=cell.co, h_grad=d_h, cs_grad=d_c, **weights)
                d_gates[t], d_c = step.dicfo, step.cs_prev_grad
                d_h = tf1.matmul(d_gates[t], to_h)
            all_gates = tf1.concat(d_gates, axis=0)
            seen = tf1.concat([tf1.concat(xs, axis=0), tf1.concat(hs[:-1], axis=0)], axis=1)
            d_x = tf1.stack([tf1.matmul(gates, to_x) for gates in d_gates], axis=1)
            return d_x, tf1.matmul(seen, all_gates, transpose_a=True), tf1.reduce_sum(all_gates, axis=0), d_h, d_c
        return (*hs[1:], cs[-1]), gradient
    *outputs, c = layer(x, kernel, bias, h, c)
    return outputs, c
