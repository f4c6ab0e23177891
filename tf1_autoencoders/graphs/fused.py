"""Two layers with fewer operations, for speed; graphs.layers has them operation by operation.

    conv2d_of_upsampled   replaces upsample + conv2d by one conv2d on the smaller image and a depth_to_space
    lstm                  replaces the operations of each LSTM step by one LSTMBlockCell, with a gradient by hand

Both compute the same sums in another order: outputs and gradients differ from the plain layers by rounding, measured
1e-6 of the largest value.
"""
from __future__ import annotations

from typing import Any, Callable, List, Optional, Tuple

import numpy as np

from tf1_autoencoders.utils.frameworks import tf1


def input_of_upsample(x: Any) -> Optional[Any]:
    """Return the image whose upsample is x; None if x is anything else."""
    if x.op.type != "ResizeNearestNeighbor" or x.op.get_attr("align_corners"):
        return None
    smaller = x.op.inputs[0]
    sides, doubled = smaller.shape.as_list()[1:3], x.shape.as_list()[1:3]
    return smaller if None not in sides and doubled == [2 * side for side in sides] else None


def conv2d_of_upsampled(x: Any, kernel: Any, padding: str) -> Any:
    """Return tf1.nn.conv2d(upsample(x), kernel, padding=padding) without the upsampled image, except for rounding.

    Neighbours in a doubled image are often one pixel of x, so the kernel's numbers that meet there can be added before
    they are multiplied. Which numbers meet depends on whether the output's row and column are even or odd. This gives
    four kernels on x, whose outputs depth_to_space puts side by side.
    """
    n_in, n_out = kernel.shape.as_list()[2:]
    sums = np.array(KERNEL_SUMS[padding], np.float32)
    sums = np.einsum("pvr,qwc->vwpqrc", sums, sums)  # p, q: odd row, column; v, w: pixel of x; r, c: of the kernel
    kernels = tf1.transpose(tf1.tensordot(sums, kernel, 2), [0, 1, 4, 2, 3, 5])
    kernels = tf1.reshape(kernels, [*sums.shape[:2], n_in, 4 * n_out])
    return tf1.depth_to_space(tf1.nn.conv2d(x, kernels, strides=[1, 1, 1, 1], padding=padding), 2)


# For an even and an odd row of the output: the rows of the kernel that meet in each row of x.
KERNEL_SUMS = {"SAME": [[[1, 0, 0], [0, 1, 1], [0, 0, 0]], [[0, 0, 0], [1, 1, 0], [0, 0, 1]]],
         "VALID": [[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]]}


def lstm(x: Any, kernel: Any, bias: Any, h: Any, c: Any, forget_bias: float) -> Tuple[List[Any], Any]:
    """Return ([h of every step], the last c) of lstm_layer, with one LSTMBlockCell per step.

    The gradient is backpropagation through time by hand. LSTMBlockCellGrad gives the gradient of a step's gates, and a
    product with the recurrent kernel gives that of the h before. The gates of all steps together give the kernel's
    gradient in one product, where TensorFlow would compute one product per step and add them.
    """
    n_steps, n_in, units = x.shape.as_list()[1], x.shape.as_list()[2], kernel.shape.as_list()[1] // 4
    no_peephole = tf1.zeros([units])

    @tf1.custom_gradient
    def layer(x: Any, kernel: Any, bias: Any, h: Any, c: Any) -> Tuple[Tuple[Any, ...], Callable[..., Any]]:
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
            transposed = tf1.transpose(kernel)  # once, and before the slices, where the graph optimiser leaves it alone
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
            inputs = tf1.concat([tf1.concat(xs, axis=0), tf1.concat(hs[:-1], axis=0)], axis=1)
            d_x = tf1.stack([tf1.matmul(gates, to_x) for gates in d_gates], axis=1)
            return d_x, tf1.matmul(inputs, all_gates, transpose_a=True), tf1.reduce_sum(all_gates, axis=0), d_h, d_c
        return (*hs[1:], cs[-1]), gradient
    *outputs, c = layer(x, kernel, bias, h, c)
    return outputs, c
