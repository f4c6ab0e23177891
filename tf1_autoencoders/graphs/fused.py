"""Faster or smaller forms of five layers of graphs.layers, under the same names: the same functions and variables,
computed with other operations.

    function             instead of                                    computes
    conv_layer           upsample, then conv2d on the doubled image    conv2d on the smaller image, then depth_to_space
    lstm_layer           the separate operations of each LSTM step,    one LSTMBlockCell per step,
                         with TensorFlow's gradient of each of them    with a gradient written by hand
    conv_max_pool        conv2d, bias, relu and max_pool of a batch    the same operations for one microbatch after the
                                                                       other, and again for the gradient
    dense_layer,         the operations of a dense layer, or of the    the same operations twice, on half of the rows,
    mean_squared_error   mean of its squared errors                    which two threads compute at the same time, with
                                                                       the same digits on all CPUs that were tried

All of them add the same products in another order. Their outputs and gradients therefore differ from those of the
plain layers by rounding, measured at no more than 1e-6 of the largest value.

`layers_named` is the only place that chooses between the two modules.
"""
from __future__ import annotations

import functools
import sys
from typing import Any, Callable, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from tf1_autoencoders.graphs import layers
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1


def layers_named(kernels: str) -> Any:
    """Return the module of layers that a setting `kernels` names: this one for "fused", graphs.layers for "plain".

    Raises:
        UserError: it is neither of the two.
    """
    if kernels not in ("fused", "plain"):
        raise UserError(f"the setting kernels is {str(kernels)[:40]!r}; expected fused or plain")
    return sys.modules[__name__] if kernels == "fused" else layers


# ---- Convolution of an upsampled image ----

# KERNEL_SUMS[padding][parity][k][r] is 1 if row r of a 3 x 3 kernel meets row k of the smaller image's window, for an
# output row of that parity (0 for even, 1 for odd). The same table holds for columns.
KERNEL_SUMS = {
    "SAME": [[[1, 0, 0], [0, 1, 1], [0, 0, 0]],
             [[0, 0, 0], [1, 1, 0], [0, 0, 1]]],
    "VALID": [[[1, 1, 0], [0, 0, 1]],
              [[1, 0, 0], [0, 1, 1]]]}


class Upsampled(NamedTuple):
    """What `upsample` returns: an image before and after its sides are doubled."""

    smaller: Any  # float32[batch, h, w, c]
    whole: Any  # float32[batch, 2 h, 2 w, c], which TensorFlow does not compute unless something uses it


def upsample(x: Any) -> Upsampled:
    """Return layers.upsample(x), and x, with which conv_layer computes."""
    return Upsampled(x, layers.upsample(x))


def conv_layer(x: Union[Upsampled, Any], filters: int, *, padding: str = "SAME",
               activation: Optional[layers.Activation] = None, seed: Optional[int] = None) -> Any:
    """Return layers.conv_layer(x, filters, ...) with a kernel of 3 x 3 pixels.

    If x is Upsampled, the smaller image is convolved; the outputs are equal except for rounding, with fewer operations
    and less memory.
    """
    if not isinstance(x, Upsampled):
        return layers.conv_layer(x, filters, padding=padding, activation=activation, seed=seed)
    layers.check_padding(padding)
    with tf1.variable_scope(None, default_name="conv2d"):
        kernel, bias = layers.kernel_and_bias([3, 3, x.smaller.shape.as_list()[-1], filters], seed)
        return conv2d_of_upsampled(x.smaller, kernel, bias, activation, padding)


def conv2d_of_upsampled(x: Any, kernel: Any, bias: Any, activation: Optional[Callable[[Any], Any]],
                        padding: str) -> Any:
    """Return layers.conv_layer's outputs for the image upsample(x), except for rounding, without the upsampled image.

    In the upsampled image, neighbouring pixels often come from one pixel of x. The kernel's weights for these pixels
    can be added before the multiplication. Which weights belong together depends on whether the output's row and column
    are even or odd. This gives four kernels on x, and depth_to_space interleaves their outputs. Bias and activation
    come before depth_to_space, where TensorFlow computes them together with the convolution.

    Args:
        x: float32[batch, h, w, n_in], the image before upsampling.
        kernel: float32[3, 3, n_in, n_out].
        bias: float32[n_out].
        activation: a function of each element of a tensor, or None.
        padding: "SAME" or "VALID".

    Returns:
        float32[batch, 2 h, 2 w, n_out]; with "VALID", [batch, 2 h - 2, 2 w - 2, n_out].
    """
    n_in, n_out = kernel.shape.as_list()[2:]
    row_sums = np.array(KERNEL_SUMS[padding], np.float32)
    # p, q: parity of the output's row and column; v, w: row and column of x; r, c: row and column of the kernel
    sums = np.einsum("pvr,qwc->vwpqrc", row_sums, row_sums)
    kernels = tf1.transpose(tf1.tensordot(sums, kernel, 2), [0, 1, 4, 2, 3, 5])
    kernels = tf1.reshape(kernels, [*sums.shape[:2], n_in, 4 * n_out])
    product = tf1.nn.conv2d(x, kernels, strides=[1, 1, 1, 1], padding=padding)
    outputs = tf1.nn.bias_add(product, tf1.tile(bias, [4]))
    return tf1.depth_to_space(outputs if activation is None else activation(outputs), 2)


# ---- Convolution and pooling in microbatches ----

N_MICROBATCHES = 16  # of a batch in section 3's first convolution, whose outputs would be 0.4 GB for 2048 images


def conv_max_pool(x: Any, filters: int, *, padding: str = "SAME", seed: Optional[int] = None,
                  n_microbatches: int = N_MICROBATCHES) -> Any:
    """Return layers.conv_max_pool(x, filters, ...), and hold neither the convolution's outputs nor their gradient for
    more than a microbatch. The outputs are equal, and the gradients equal except for rounding.

    Args:
        x, filters, padding, seed: see layers.conv_layer.
        n_microbatches: number of parts of the batch that are computed one after the other.
    """
    layers.check_padding(padding)
    with tf1.variable_scope(None, default_name="conv2d"):
        kernel, bias = layers.kernel_and_bias([3, 3, x.shape.as_list()[-1], filters], seed)
        # For its shape only; TensorFlow never computes this tensor, because nothing uses it.
        tf1.nn.bias_add(tf1.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding=padding), bias)
    pooled = pool_in_microbatches(x, tf1.convert_to_tensor(kernel), tf1.convert_to_tensor(bias), padding,
                                  n_microbatches)
    return tf1.identity(pooled, name="max_pooling2d")


def pool_in_microbatches(images: Any, kernel: Any, bias: Any, padding: str, n_microbatches: int) -> Any:
    """Return max_pool(relu(conv2d(images, kernel) + bias)), computed in microbatches.

    The microbatches go through convolution and pooling one after the other. The gradient computes the convolution of a
    microbatch again (gradient checkpointing), instead of holding the outputs of all of them until then.

    Each pooled value comes from one pixel, and no other pixel of its window has a gradient. relu's gradient is zero
    where the pooled value is zero. The gradients of relu and bias are therefore computed from the pooled values, which
    are a quarter as many.

    Args:
        images: float32[batch, height, width, n_in].
        kernel: tensor float32[3, 3, n_in, c].
        bias: tensor float32[c].
        padding: "SAME" or "VALID".
        n_microbatches: number of microbatches.

    Returns:
        float32[batch, (height + 1) // 2, (width + 1) // 2, c] of the convolution's height and width.
    """
    convolution = dict(strides=[1, 1, 1, 1], padding=padding)

    def conv_and_pool(images: Any, kernel: Any, bias: Any) -> Tuple[Any, Any]:
        activated = tf1.nn.relu(tf1.nn.bias_add(tf1.nn.conv2d(images, kernel, **convolution), bias))
        return activated, tf1.nn.max_pool(activated, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")

    @tf1.custom_gradient
    def run_parts(images: Any, kernel: Any, bias: Any) -> Tuple[Any, Callable[..., Any]]:
        parts = microbatches_of(images, n_microbatches)
        pooled: List[Any] = []
        for part, n_rows in parts:
            pooled.append(conv_and_pool(after(pooled, part), kernel, bias)[1][:n_rows])
        outputs = tf1.concat(pooled, axis=0)

        def gradient(d_outputs: Any) -> Tuple[Any, Any, Any]:
            d_linear = tf1.raw_ops.ReluGrad(gradients=d_outputs, features=outputs)
            d_images: List[Any] = []
            d_kernels: List[Any] = []
            for (part, n_rows), (d_part, _) in zip(parts, microbatches_of(d_linear, n_microbatches)):
                activated, largest = conv_and_pool(after([d_linear, *d_kernels], part), kernel, bias)
                d_product, = tf1.gradients(largest, activated, d_part)
                d_image = tf1.nn.conv2d_backprop_input(tf1.shape(part), kernel, d_product, **convolution)
                d_images.append(d_image[:n_rows])
                d_kernel = tf1.nn.conv2d_backprop_filter(part, kernel.shape.as_list(), d_product, **convolution)
                d_kernels.append(d_kernel * tf1.cast(tf1.minimum(n_rows, 1), d_kernel.dtype))
            return tf1.concat(d_images, axis=0), tf1.add_n(d_kernels), tf1.raw_ops.BiasAddGrad(out_backprop=d_linear)
        return outputs, gradient

    with tf1.name_scope("in_parts"):
        return run_parts(images, kernel, bias)


def microbatches_of(x: Any, n_microbatches: int) -> List[Tuple[Any, Any]]:
    """Divide the rows of a tensor, in order, into microbatches as equal as possible; return [(rows, their number)].

    If there are fewer rows than microbatches, one may have no row of its own. It then holds a row of another one beside
    the number 0, because oneDNN's convolution returns a wrong shape for no rows.
    """
    n = tf1.shape(x)[0]
    bounds = [k * n // n_microbatches for k in range(n_microbatches + 1)]
    return [(x[first:tf1.maximum(last, first + 1)], last - first) for first, last in zip(bounds, bounds[1:])]


def after(tensors: List[Any], x: Any) -> Any:
    """Return x for operations that begin only when the last of the tensors, if there are any, is known."""
    with tf1.control_dependencies(tensors[-1:]):
        return tf1.identity(x)


# ---- LSTM ----

def lstm_layer(x: Any, units: int, *, initial_state: Optional[layers.LSTMState] = None,
               seed: Optional[int] = None) -> Tuple[Any, layers.LSTMState]:
    """Return layers.lstm_layer(x, units, ...), each step as one operation; the results are equal except for rounding.

    Raises:
        LookupError: tf1.gradients asks for second derivatives.
        InvalidArgumentError: session.run feeds a batch of 0, under TensorFlow 2.
    """
    def run_steps(x: Any, kernel: Any, bias: Any, state: layers.LSTMState) -> Tuple[List[Any], layers.LSTMState]:
        hs, c = fused_lstm(x, tf1.convert_to_tensor(kernel), tf1.convert_to_tensor(bias), *state, layers.FORGET_BIAS)
        return hs, (hs[-1], c)
    return layers.lstm_layer(x, units, initial_state=initial_state, seed=seed, run_steps=run_steps)


def fused_lstm(x: Any, kernel: Any, bias: Any, h: Any, c: Any, forget_bias: float) -> Tuple[List[Any], Any]:
    """Run the steps of layers.lstm_layer with one LSTMBlockCell per step.

    The gradient is backpropagation through time, written by hand. LSTMBlockCellGrad returns the gradient of a step's
    gates, whose product with the recurrent kernel is the gradient of the previous h. The gates of all steps together
    give the kernel's gradient in one product, where TensorFlow would compute one product per step and add them.
    LSTMBlockCellGrad has no gradient, so that second derivatives are refused.

    Args:
        x: float32[batch, time, n_in]; time and n_in must be known when the graph is built.
        kernel: tensor float32[n_in + units, 4 * units], gates i, j, f, o.
        bias: tensor float32[4 * units].
        h, c: initial state, each float32[batch, units].
        forget_bias: constant that is added to the forget gate.

    Returns:
        ([h of every step], c after the last step), each float32[batch, units].
    """
    _refuse_second_derivatives()
    n_steps, n_in, units = x.shape.as_list()[1], x.shape.as_list()[2], kernel.shape.as_list()[1] // 4
    no_peephole = tf1.zeros([units])

    @tf1.custom_gradient
    def run_steps(x: Any, kernel: Any, bias: Any, h: Any, c: Any) -> Tuple[Tuple[Any, ...], Callable[..., Any]]:
        weights = dict(w=kernel, b=bias, wci=no_peephole, wcf=no_peephole, wco=no_peephole, use_peephole=False)
        xs, cells, hs, cs = tf1.unstack(x, axis=1), [], [h], [c]
        for x_t in xs:
            cells.append(tf1.raw_ops.LSTMBlockCell(x=x_t, h_prev=hs[-1], cs_prev=cs[-1], forget_bias=forget_bias,
                                                   cell_clip=-1.0, **weights))
            hs.append(cells[-1].h)
            cs.append(cells[-1].cs)

        def gradient(*d_results: Any) -> Tuple[Any, ...]:
            *d_hs, d_c = d_results
            d_gates: List[Any] = [None] * n_steps
            d_h: Any = None
            # Each part of the kernel is transposed once. With the third dimension, the graph optimiser does not move
            # the transposition into the products, which would repeat it at each step.
            x_part, h_part = (tf1.transpose(part[tf1.newaxis], [0, 2, 1])[0] for part in (kernel[:n_in], kernel[n_in:]))
            for t in reversed(range(n_steps)):
                cell = cells[t]
                d_h = d_hs[t] if d_h is None else d_hs[t] + d_h
                d_cell = tf1.raw_ops.LSTMBlockCellGrad(
                    x=xs[t], h_prev=hs[t], cs_prev=cs[t], i=cell.i, cs=cell.cs, f=cell.f, o=cell.o, ci=cell.ci,
                    co=cell.co, h_grad=d_h, cs_grad=d_c, **weights)
                d_gates[t], d_c = d_cell.dicfo, d_cell.cs_prev_grad
                d_h = tf1.matmul(d_gates[t], h_part)
            all_d_gates = tf1.concat(d_gates, axis=0)
            all_inputs = tf1.concat([tf1.concat(xs, axis=0), tf1.concat(hs[:-1], axis=0)], axis=1)
            d_x = tf1.stack([tf1.matmul(d_gate, x_part) for d_gate in d_gates], axis=1)
            d_kernel = tf1.matmul(all_inputs, all_d_gates, transpose_a=True)
            return d_x, d_kernel, tf1.reduce_sum(all_d_gates, axis=0), d_h, d_c
        return (*hs[1:], cs[-1]), gradient

    *outputs, c = run_steps(x, kernel, bias, h, c)
    for tensor in (*outputs, c):
        tensor.set_shape([None, units])  # a custom gradient loses the shape
    return outputs, c


# ---- Dense layers, the two halves of a batch in parallel ----

class Halves(NamedTuple):
    """The outputs of a dense_layer: those of the first and the second half of a batch's rows, and of all rows.

    TensorFlow does not concatenate the halves unless something uses `whole`.
    """

    first: Any  # float32[(batch + 1) // 2, units]
    second: Any  # float32[batch // 2, units]
    whole: Any  # float32[batch, units]


def whole(x: Union[Halves, Any]) -> Any:
    """Return the tensor of all rows, of Halves or a tensor."""
    return x.whole if isinstance(x, Halves) else x


def halves(x: Union[Halves, Any]) -> List[Any]:
    """Return the first and the second half of the rows; the first has one row more if their number is odd.

    Args:
        x: tensor [batch, ...], or Halves.
    """
    if isinstance(x, Halves):
        return [x.first, x.second]
    middle = (tf1.shape(x)[0] + 1) // 2
    return [x[:middle], x[middle:]]


def mean_squared_error(outputs: Union[Halves, Any], targets: Any) -> Any:
    """Return layers.mean_squared_error; two threads can compute the sums of the two halves."""
    first, second = (tf1.nn.l2_loss(output - target) for output, target in zip(halves(outputs), halves(targets)))
    return (first + second) / (tf1.cast(tf1.size(targets), tf1.float32) / 2)


def gate_gradients(kernels: str) -> int:
    """Return the argument gate_gradients of tf1.train.Optimizer.minimize for a network of dense layers.

    GATE_OP, TensorFlow 1's default, computes all gradients of an operation before one of them is used. GATE_NONE lets
    the next layer begin before the gradient of this layer's kernel is known. The gradients are the same. The reference
    variables of TensorFlow 1.15 are always gated: they may change while they are read.
    """
    is_gated = kernels == "plain" or tf1.version.VERSION.startswith("1.")
    return tf1.train.Optimizer.GATE_OP if is_gated else tf1.train.Optimizer.GATE_NONE


def dense_layer(x: Union[Halves, Any], units: int, *, activation: Optional[layers.Activation] = None, l2: float = 0.0,
                seed: Optional[int] = None, name: Optional[str] = None, reuse: Optional[bool] = None) -> Halves:
    """Return layers.dense_layer(x, units, ...) for x float32[batch, n_in] or Halves of another dense_layer.

    `activation` must be a function of each element.
    """
    with tf1.variable_scope(name, default_name="dense", reuse=reuse):
        kernel, bias = layers.kernel_and_bias([whole(x).shape.as_list()[-1], units], seed, l2)
        return dense_in_halves(x, tf1.convert_to_tensor(kernel), tf1.convert_to_tensor(bias), activation)


def dense_in_halves(x: Union[Halves, Any], kernel: Any, bias: Any,
                    activation: Optional[Callable[[Any], Any]]) -> Halves:
    """Return activation(x @ kernel + bias); two threads can compute it, each with the operations for half of the rows.

    TensorFlow divides each operation among the threads that an operation may use. For products as small as those of
    section 2, this costs as much time as it saves. Two chains of operations, each in one thread, seldom wait for each
    other. An output's row, and the gradient of an input's row, do not depend on the other rows. The gradients of kernel
    and bias are computed from all rows at once, as in the plain layer.

    Args:
        x: float32[batch, n_in], or Halves.
        kernel: tensor float32[n_in, units].
        bias: tensor float32[units].
        activation: a function of each element of a tensor, or None.
    """
    all_rows = None if isinstance(x, Halves) else x

    @tf1.custom_gradient
    def run_halves(kernel: Any, bias: Any, *parts: Any) -> Tuple[Tuple[Any, ...], Callable[..., Any]]:
        linear = [tf1.nn.bias_add(portable_matmul(part, kernel), bias) for part in parts]
        outputs = linear if activation is None else [activation(part) for part in linear]

        def gradient(*d_parts: Any) -> Tuple[Any, ...]:
            if activation is not None:
                d_parts = tuple(tf1.gradients(output, part, d_part)[0]
                                for output, part, d_part in zip(outputs, linear, d_parts))
            d_linear = tf1.concat(d_parts, axis=0)
            rows = tf1.concat(parts, axis=0) if all_rows is None else all_rows
            return (portable_matmul(rows, d_linear, transpose_a=True), tf1.raw_ops.BiasAddGrad(out_backprop=d_linear),
                    *(portable_matmul(d_part, kernel, transpose_b=True) for d_part in d_parts))
        return tuple(outputs), gradient

    first, second = run_halves(kernel, bias, *halves(x))
    outputs = tf1.concat([first, second], axis=0, name="halves")
    outputs.set_shape([None, bias.shape[0]])
    return Halves(first, second, outputs)


INNER_BLOCK = 256  # of a product's inner dimension, which Eigen adds up without another division


def portable_matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """Return tf1.matmul(a, b, ...), whose sums have the same order on the x86-64 CPUs that were tried.

    MatMul is oneDNN's, whose order of the sums depends on the CPU's vector instructions. SparseMatMul, told that
    nothing is sparse, is Eigen's, which was compiled for all CPUs alike once utils.frameworks has turned off the
    kernels that TensorFlow adds to it. Eigen divides the inner dimension by the sizes of the CPU's caches, where it is
    longer than 288 for the smallest first-level cache of today's CPUs, 32 KiB. Here it is therefore divided into blocks
    of INNER_BLOCK, if it is known when the graph is built: a layer's width is, a batch's size is not.

    Args:
        a, b: float32 tensors of two dimensions.
    """
    def product(a: Any, b: Any) -> Any:
        return tf1.raw_ops.SparseMatMul(a=a, b=b, transpose_a=transpose_a, transpose_b=transpose_b, a_is_sparse=False,
                                        b_is_sparse=False)
    inner = b.shape.as_list()[1 if transpose_b else 0]
    if inner is None or inner <= INNER_BLOCK:
        return product(a, b)
    blocks = [slice(first, first + INNER_BLOCK) for first in range(0, inner, INNER_BLOCK)]
    products = [product(a[block] if transpose_a else a[:, block], b[:, block] if transpose_b else b[block])
                for block in blocks]
    return sum(products[1:], products[0])


@functools.lru_cache(maxsize=None)
def _refuse_second_derivatives() -> None:
    """Register, once a process, an error that says what to do where TensorFlow's says that there is no gradient."""
    @tf1.RegisterGradient("LSTMBlockCellGrad")
    def refuse(operation: Any, *_: Any) -> None:
        raise LookupError(f"{operation.name}: the fused LSTM has no second derivatives; build the layer with "
                          "graphs.layers.lstm_layer")
