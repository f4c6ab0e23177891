"""The layers and the loss of TensorFlow 1, operation by operation, with the variable names of TensorFlow 1.15.

`tf.layers` and `tf.nn.rnn_cell` are gone from TensorFlow 2.16 and later. The functions here build the same operations
on `get_variable`, which remains. graphs.fused has faster forms of some of them, under the same names.
"""
from __future__ import annotations

from typing import Any, Callable, Optional, Sequence, Tuple

from tf1_autoencoders.utils.frameworks import tf1

Activation = Callable[[Any], Any]  # a function of a tensor, e.g. tf1.nn.elu
LSTMState = Tuple[Any, Any]  # (h, c), each float32[batch, units]

FORGET_BIAS = 1.0  # LSTMCell's default, added to the forget gate at run time; the stored bias starts at zero


def l2_regularizer(scale: float) -> Optional[Callable[[Any], Any]]:
    """Return the function scale / 2 * sum(w ** 2), as tf.contrib.layers.l2_regularizer does; None if scale is 0."""
    return (lambda weights: scale * tf1.nn.l2_loss(weights)) if scale else None


def dense_layer(x: Any, units: int, *, activation: Optional[Activation] = None, l2: float = 0.0,
                seed: Optional[int] = None, name: Optional[str] = None, reuse: Optional[bool] = None) -> Any:
    """Return activation(x @ kernel + bias), as tf.layers.dense of TensorFlow 1.15 does with the Xavier initialiser.

    Variables: `dense/kernel` float32[n_in, units], Xavier (Glorot) uniform, and `dense/bias` float32[units], zeros.
    The next layer of the same graph is `dense_1`, and so on.

    Args:
        x: float32[batch, n_in], or float32[batch, time, n_in] for a layer that is applied to each time step alone.
            n_in must be known when the graph is built.
        units: width of the layer.
        activation: a function of a tensor, or None for a linear layer.
        l2: adds l2 / 2 * sum(kernel ** 2) to the collection REGULARIZATION_LOSSES, and nothing if l2 is 0.
        seed: operation seed of the kernel's initialiser; 1.15 and 2.x draw the same values from this seed.
        name: name of the layer; None for `dense` with the next free number.
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
        kernel, bias = kernel_and_bias([n_in, units], seed, l2)
        product = tf1.matmul(x, kernel) if len(x.shape) == 2 else tf1.tensordot(x, kernel, 1)
        outputs = tf1.nn.bias_add(product, bias)
        return outputs if activation is None else activation(outputs)


def kernel_and_bias(shape: Sequence[int], seed: Optional[int], l2: float = 0.0) -> Tuple[Any, Any]:
    """Make the variables of a layer in the current scope: kernel float32[shape], Glorot uniform; bias, zeros.

    Args:
        shape: of the kernel; the bias has its last dimension.
        seed: operation seed of the kernel's initialiser.
        l2: see dense_layer.
    """
    kernel = tf1.get_variable("kernel", shape, tf1.float32, initializer=tf1.glorot_uniform_initializer(seed=seed),
                              regularizer=l2_regularizer(l2))
    return kernel, tf1.get_variable("bias", shape[-1:], tf1.float32, initializer=tf1.zeros_initializer())


def cosine_decay(learning_rate: float, n_steps: Optional[int]) -> Tuple[Any, Any]:
    """Return (rate, global_step): a rate that falls from learning_rate to 0 along a half cosine, by tf1's cosine_decay.

    `minimize(loss, global_step=global_step)` counts the steps. If n_steps is None, the rate stays as it is, and there
    is no counter.
    """
    if n_steps is None:
        return learning_rate, None
    global_step = tf1.train.get_or_create_global_step()
    return tf1.train.cosine_decay(learning_rate, global_step, n_steps), global_step


def mean_squared_error(outputs: Any, targets: Any) -> Any:
    """Return the mean of (outputs - targets) ** 2 over all elements.

    The line in a TensorFlow 1 program was tf.reduce_mean(tf.square(outputs - targets)). Here the same mean is
    l2_loss(d) / (n / 2), because tf.nn.l2_loss(d) is sum(d ** 2) / 2. The gradient is then one operation instead of
    four, and is bit-identical. The mean itself may differ in the last digit.

    Args:
        outputs, targets: float32 tensors of the same shape, with n elements.

    Returns:
        float32[].
    """
    return tf1.nn.l2_loss(outputs - targets) / (tf1.cast(tf1.size(targets), tf1.float32) / 2)


def conv_layer(x: Any, filters: int, *, size: int = 3, padding: str = "SAME", activation: Optional[Activation] = None,
               seed: Optional[int] = None) -> Any:
    """Return activation(conv2d(x, kernel) + bias) with stride 1, as tf.layers.conv2d of TensorFlow 1.15 does.

    Variables: `conv2d/kernel` float32[size, size, n_in, filters], Glorot uniform, and `conv2d/bias` float32[filters],
    zeros. The next layer of the same graph is `conv2d_1`, and so on.

    Args:
        x: float32[batch, height, width, n_in].
        filters: number of output channels.
        size: height and width of the kernel, pixels.
        padding: "SAME" keeps height and width; "VALID" removes size - 1 pixels from each.
        activation: a function of each element of a tensor, or None for a linear layer.
        seed: operation seed of the kernel's initialiser.

    Returns:
        float32[batch, height, width, filters].

    Raises:
        ValueError: padding is neither "SAME" nor "VALID".
    """
    check_padding(padding)
    with tf1.variable_scope(None, default_name="conv2d"):
        kernel, bias = kernel_and_bias([size, size, x.shape.as_list()[-1], filters], seed)
        product = tf1.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding=padding)
        outputs = tf1.nn.bias_add(product, bias)
        return outputs if activation is None else activation(outputs)


def check_padding(padding: Any) -> None:
    """Raise ValueError unless a convolution's padding is "SAME" or "VALID"."""
    if padding not in ("SAME", "VALID"):
        raise ValueError(f'conv_layer: padding={padding!r}; expected "SAME" or "VALID"')


def conv_max_pool(x: Any, filters: int, *, padding: str = "SAME", seed: Optional[int] = None) -> Any:
    """Return max_pool(conv_layer(x, filters)) with relu between the two; see both."""
    return max_pool(conv_layer(x, filters, padding=padding, activation=tf1.nn.relu, seed=seed))


def max_pool(x: Any) -> Any:
    """Return the largest value of each window of 2 x 2 pixels, as tf.layers.max_pooling2d of TensorFlow 1.15 does with
    stride 2.

    Odd sides are padded: float32[batch, 7, 7, c] -> [batch, 4, 4, c].

    Args:
        x: float32[batch, height, width, c].
    """
    return tf1.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME", name="max_pooling2d")


def upsample(x: Any) -> Any:
    """Repeat each pixel in both directions: float32[batch, h, w, c] -> [batch, 2 h, 2 w, c]."""
    _, height, width, _ = x.shape.as_list()
    return tf1.image.resize_nearest_neighbor(x, [2 * height, 2 * width], name="up_sampling2d")


def lstm_layer(x: Any, units: int, *, initial_state: Optional[LSTMState] = None, seed: Optional[int] = None,
               run_steps: Optional[Callable[..., Tuple[Sequence[Any], LSTMState]]] = None) -> Tuple[Any, LSTMState]:
    """Run an LSTM over a fixed number of time steps, as LSTMCell in static_rnn of TensorFlow 1.15 does.

    Variables: `rnn/lstm_cell/kernel` float32[n_in + units, 4 * units], Glorot uniform, and `rnn/lstm_cell/bias`
    float32[4 * units], zeros. The variables are not numbered. Each LSTM of a graph needs a variable_scope of its own; a
    scope with reuse=True reuses the variables.

    Args:
        x: float32[batch, time, n_in]; time and n_in must be known when the graph is built.
        units: width of h and c.
        initial_state: (h, c), each float32[batch, units]; None for zeros.
        seed: operation seed of the kernel's initialiser.
        run_steps: lstm_steps, whose outputs and gradients under TensorFlow 1.15.5 are bit-identical to those of
            LSTMCell, or a faster form of the same function.

    Returns:
        (outputs, (h, c)): h of every step, float32[batch, time, units], and the state after the last step.

    Raises:
        ValueError: time or n_in is unknown, or the scope already has an LSTM and does not reuse its variables.
    """
    _, n_steps, n_in = x.shape.as_list()
    if n_steps is None or n_in is None:
        raise ValueError(f"lstm_layer: all but the first dimension of {x.name} must be known, its shape is {x.shape}")
    with tf1.variable_scope("rnn"), tf1.variable_scope("lstm_cell"):
        kernel, bias = kernel_and_bias([n_in + units, 4 * units], seed)
        if initial_state is None:
            zeros = tf1.zeros([tf1.shape(x)[0], units])
            initial_state = zeros, zeros
        hs, (h, c) = (run_steps or lstm_steps)(x, kernel, bias, initial_state)
        outputs = tf1.stack(hs, axis=1)
        assert outputs.shape.as_list()[1:] == [n_steps, units] and h.shape.as_list()[1:] == [units]
        return outputs, (h, c)


def lstm_steps(x: Any, kernel: Any, bias: Any, state: LSTMState) -> Tuple[Sequence[Any], LSTMState]:
    """Return (h of every step, the last state); unrolled, because a loop in the graph costs more than its steps."""
    hs = []
    for x_t in tf1.unstack(x, axis=1):
        state = lstm_step(x_t, *state, kernel, bias)
        hs.append(state[0])
    return hs, state


def lstm_step(x_t: Any, h: Any, c: Any, kernel: Any, bias: Any) -> LSTMState:
    """Return (h, c) after one time step: the operations of LSTMCell.call in TensorFlow 1.15.

    Args:
        x_t: float32[batch, n_in], the input of this step.
        h, c: float32[batch, units], the state after the previous step.
        kernel: float32[n_in + units, 4 * units]; its four blocks of columns are the gates i, j, f, o.
        bias: float32[4 * units].
    """
    gates = tf1.nn.bias_add(tf1.matmul(tf1.concat([x_t, h], axis=1), kernel), bias)
    i, j, f, o = tf1.split(gates, 4, axis=1)
    c = tf1.sigmoid(f + FORGET_BIAS) * c + tf1.sigmoid(i) * tf1.tanh(j)
    h = tf1.sigmoid(o) * tf1.tanh(c)
    return h, c
