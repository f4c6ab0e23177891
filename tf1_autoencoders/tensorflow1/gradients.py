"""Gradients whose operations changed since TensorFlow 1.15, composed as 1.15 composed them.

What is drawn after `minimize` or `tf.gradients` depends on how many operations the gradients made. The values are those
of TensorFlow 2. Each function has TensorFlow's own gradient as its first argument, then the operation and the gradients
of its outputs, as a registered gradient has.
"""
from __future__ import annotations

import warnings
import weakref

import numpy as np
from tensorflow.python.framework import ops, tensor_util
from tensorflow.python.framework import tensor as tensor_lib
from tensorflow.python.ops import (
    array_ops,
    gen_array_ops,
    gen_math_ops,
    math_grad,
    math_ops,
    tensor_array_grad,
    tensor_array_ops,
)

from tf1_autoencoders.tensorflow1 import seeds

_broadcasts_done: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # graph -> pairs of shapes it has met


def _skipped(op) -> tuple:
    """Return the numbers of the inputs whose gradient nobody asked for."""
    try:
        return op.skip_input_indices or ()
    except AttributeError:
        return ()


def _skips_a_scalar(op) -> bool:
    return 1 in _skipped(op) and op.inputs[1].shape.rank == 0


def _all_known_and_equal(*tensors) -> bool:
    shapes = [x.shape.as_list() if x.shape.is_fully_defined() else None for x in tensors]
    return None not in shapes and all(shape == shapes[0] for shape in shapes)


def _broadcast(x, y, grad):
    """Return (shape, axes to sum, whether to sum) for both inputs of a broadcasting operation.

    If the shapes are known, 1.15 computed the axes once for each pair of shapes in a graph.
    """
    if not (x.shape.is_fully_defined() and y.shape.is_fully_defined() and isinstance(grad, tensor_lib.Tensor)):
        return _dynamic_broadcast(*(array_ops.shape_internal(t, optimize=False) for t in (x, y)))
    shapes = [tuple(t.shape.as_list()) for t in (x, y)]
    done = _broadcasts_done.setdefault(ops.get_default_graph(), set())
    if tuple(shapes) not in done:
        done.add(tuple(shapes))
        seeds.shift(3)  # two constants and the operation that compares them
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    grad_shape = tuple(grad.shape.as_list()) if grad.shape.is_fully_defined() else None
    return tuple((shapes[k], tuple(axis for axis in range(rank) if padded[k][axis] == 1 != padded[1 - k][axis]),
                  shapes[k] != grad_shape) for k in (0, 1))


def _dynamic_broadcast(x_shape, y_shape):
    x_axes, y_axes = gen_array_ops.broadcast_gradient_args(x_shape, y_shape)
    return (x_shape, x_axes, True), (y_shape, y_axes, True)


def _summed(value, shape, axes, must_sum=True):
    """Sum a gradient over the axes along which an input was broadcast."""
    return array_ops.reshape(math_ops.reduce_sum(value, axes), shape) if must_sum else value


def _of_broadcasting(op, grad, x_gradient, y_gradient):
    """Gradients of a broadcasting operation from functions that make the unsummed ones; 1.15 looked at shapes first."""
    x, y = op.inputs
    x_info, y_info = _broadcast(x, y, grad)
    skipped = _skipped(op)
    return (None if 0 in skipped else _summed(x_gradient(), *x_info),
            None if 1 in skipped else _summed(y_gradient(), *y_info))


@seeds.replaces_gradient("Add", "AddV2")
def add(original, op, grad):
    if _skips_a_scalar(op) or isinstance(grad, tensor_lib.Tensor) and _all_known_and_equal(*op.inputs, grad):
        return original(op, grad)
    return _of_broadcasting(op, grad, lambda: grad, lambda: grad)


@seeds.replaces_gradient("Sub")
def sub(original, op, grad):
    if _skips_a_scalar(op) or isinstance(grad, tensor_lib.Tensor) and _all_known_and_equal(*op.inputs, grad):
        return original(op, grad)
    return _of_broadcasting(op, grad, lambda: grad, lambda: -grad)


@seeds.replaces_gradient("Mul")
def mul(original, op, grad):
    if _skips_a_scalar(op) or isinstance(grad, tensor_lib.Tensor) and _all_known_and_equal(*op.inputs, grad):
        return original(op, grad)
    x, y = op.inputs
    return _of_broadcasting(op, grad, lambda: gen_math_ops.mul(grad, math_ops.conj(y)),
                            lambda: gen_math_ops.mul(math_ops.conj(x), grad))


@seeds.replaces_gradient("Pow")
def power(original, op, grad):
    if _skips_a_scalar(op):
        return original(op, grad)
    x, y = map(math_ops.conj, op.inputs)

    def y_gradient():
        mask = math_ops.not_equal(x, 0) if x.dtype.is_complex else x > 0
        safe = array_ops.where(mask, x, array_ops.ones_like(x))
        log = array_ops.where(mask, math_ops.log(safe), array_ops.zeros_like(x))
        return grad * math_ops.conj(op.outputs[0]) * log

    return _of_broadcasting(op, grad, lambda: grad * y * math_ops.pow(x, y - 1), y_gradient)


@seeds.replaces_gradient("SquaredDifference")
def squared_difference(original, op, grad):
    x, y = op.inputs
    skipped = _skipped(op)
    with ops.control_dependencies([grad]):
        value = math_ops.scalar_mul(2.0, grad) * (x - y)
    if isinstance(grad, tensor_lib.Tensor) and _all_known_and_equal(x, y, grad):
        return value, -value
    x_info, y_info = _broadcast(x, y, grad)
    return (None if 0 in skipped else _summed(value, *x_info), None if 1 in skipped else -_summed(value, *y_info))


def _always_summed(op, x_gradient, y_gradient):
    """Gradients of a broadcasting operation whose shapes 1.15 always compared while the graph ran."""
    x_info, y_info = _dynamic_broadcast(array_ops.shape(op.inputs[0]), array_ops.shape(op.inputs[1]))
    return _summed(x_gradient(), *x_info), _summed(y_gradient(), *y_info)


def _quotient(divide):
    def gradient(original, op, grad):
        x, y = map(math_ops.conj, op.inputs)
        return _always_summed(op, lambda: divide(grad, y), lambda: grad * divide(divide(-x, y), y))
    return gradient


seeds.replaces_gradient("RealDiv")(_quotient(math_ops.realdiv))
seeds.replaces_gradient("Div")(_quotient(math_ops.divide))
seeds.replaces_gradient("DivNoNan")(_quotient(math_ops.div_no_nan))


@seeds.replaces_gradient("FloorMod")
def floor_mod(original, op, grad):
    x, y = map(math_ops.conj, op.inputs)
    return _always_summed(op, lambda: grad, lambda: grad * math_ops.negative(math_ops.floor_div(x, y)))


def _selection(compare):
    def gradient(original, op, grad):
        if _skips_a_scalar(op):
            return original(op, grad)
        x, y = op.inputs
        skipped = _skipped(op)
        x_shape, y_shape = array_ops.shape(x), array_ops.shape(y)
        zeros = array_ops.zeros(array_ops.shape(grad), grad.dtype)
        mask = compare(x, y)
        x_info, y_info = _dynamic_broadcast(x_shape, y_shape)
        return (None if 0 in skipped else _summed(array_ops.where(mask, grad, zeros), *x_info),
                None if 1 in skipped else _summed(array_ops.where(mask, zeros, grad), *y_info))
    return gradient


seeds.replaces_gradient("Maximum")(_selection(math_ops.greater_equal))
seeds.replaces_gradient("Minimum")(_selection(math_ops.less_equal))


@seeds.replaces_gradient("SelectV2")
def select(original, op, grad):
    condition, *values = op.inputs
    zeros = array_ops.zeros([], dtype=grad.dtype.base_dtype)
    results = [None]
    output_shape = None
    for value, arguments in zip(values, ((grad, zeros), (zeros, grad))):
        result = array_ops.where_v2(condition, *arguments)
        shape = array_ops.shape(value)
        output_shape = array_ops.shape(op.outputs[0]) if output_shape is None else output_shape
        axes, _ = gen_array_ops.broadcast_gradient_args(shape, output_shape)
        results.append(array_ops.reshape(math_ops.reduce_sum(result, axes, keepdims=True), shape))
    return results


@seeds.replaces_gradient("Atan2")
def atan2(original, op, grad):
    y, x = op.inputs
    with ops.control_dependencies([grad]):
        inverse = grad / (math_ops.square(x) + math_ops.square(y))
        return x * inverse, -y * inverse


def _floored_quotient(x, y):
    """x // y, with 1 for a divisor of 0."""
    return x // math_ops.maximum(y, 1)


@seeds.replaces("tensorflow.python.ops.math_grad:_SumGrad")
@seeds.replaces_gradient("Sum")
def total(original, op, grad):
    shape = op.inputs[0].shape
    axes = tensor_util.constant_value(op.inputs[1])
    if shape.rank is not None and axes is not None and (
            shape.is_fully_defined() or np.array_equal(axes, np.arange(shape.rank))):
        return original(op, grad)
    input_shape = array_ops.shape(op.inputs[0])
    with ops.colocate_with(input_shape):
        kept = math_ops.reduced_shape(input_shape, op.inputs[1])
        scaling = _floored_quotient(input_shape, kept)
    return [array_ops.tile(array_ops.reshape(grad, kept), scaling), None]


@seeds.replaces_gradient("Mean")
def mean(original, op, grad):
    if op.inputs[0].shape.is_fully_defined() and op.outputs[0].shape.is_fully_defined():
        return original(op, grad)
    summed = math_grad._SumGrad(op, grad)[0]
    input_shape, output_shape = array_ops.shape(op.inputs[0]), array_ops.shape(op.outputs[0])
    factor = _floored_quotient(math_ops.reduce_prod(input_shape), math_ops.reduce_prod(output_shape))
    return math_ops.truediv(summed, math_ops.cast(factor, summed.dtype)), None


@seeds.replaces_gradient("Max", "Min")
def extremum(original, op, grad):
    input_shape = array_ops.shape(op.inputs[0])
    kept = math_ops.reduced_shape(input_shape, op.inputs[1])
    y, grad = array_ops.reshape(op.outputs[0], kept), array_ops.reshape(grad, kept)
    chosen = math_ops.cast(math_ops.equal(y, op.inputs[0]), grad.dtype)
    number = array_ops.reshape(math_ops.reduce_sum(chosen, op.inputs[1]), kept)
    return [math_ops.divide(chosen, number) * grad, None]


@seeds.replaces_gradient("BatchMatMulV2")
def batch_matmul(original, op, grad):
    x, y = op.inputs
    ranks = x.shape.rank, y.shape.rank
    if all(shape.is_fully_defined() for shape in (x.shape, y.shape)) and x.shape.as_list() == y.shape.as_list():
        return original(op, grad)
    before = seeds.count()
    results = original(op, grad)
    if seeds.count() == before + 2 and None not in ranks:  # 1.15 compared the leading sizes
        results = [_summed(result, *info) for result, info in zip(results, _leading_broadcast(x, y))]
    return results


def _leading_broadcast(x, y):
    shapes = [array_ops.shape(t) for t in (x, y)]
    axes = gen_array_ops.broadcast_gradient_args(shapes[0][:-2], shapes[1][:-2])
    return zip(shapes, axes)


@seeds.replaces_gradient("SparseSoftmaxCrossEntropyWithLogits")
def sparse_softmax(original, op, grad, gradient_of_gradient):
    seeds.shift(1)  # PreventGradient: 1.15 had no second derivative
    return original(op, grad, gradient_of_gradient)


@seeds.replaces_gradient("StridedSlice")
def strided_slice(original, op, grad):
    begin, end, strides = op.inputs[1:]
    names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    shape = array_ops.shape(op.inputs[0], out_type=begin.dtype)
    return array_ops.strided_slice_grad(shape, begin, end, strides, grad,
                                        **{name: op.get_attr(name) for name in names}), None, None, None


@seeds.replaces_gradient("Gather", "GatherV2")
def gather(original, op, grad):
    seeds.shift(1)  # the shape of the parameters was an int64, and then cast
    return original(op, grad)


@seeds.replaces_gradient("Reshape")
def reshape(original, op, grad):
    grad = ops.convert_to_tensor(grad) if isinstance(grad, tensor_lib.Tensor) else grad
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Converting sparse IndexedSlices")
        return [array_ops.reshape(grad, array_ops.shape(op.inputs[0])), None]


@seeds.replaces_gradient("TensorArrayWriteV3")
def tensor_array_write(original, op, flow):
    """TensorFlow 2 orders the read of the gradient after its write by two operations more."""
    handle, index, _, old_flow = op.inputs
    return [None, None, _gradient_array(op, handle, flow).read(index), flow]


@seeds.replaces_gradient("TensorArrayScatterV3")
def tensor_array_scatter(original, op, flow):
    handle, indices, _, old_flow = op.inputs
    return [None, None, _gradient_array(op, handle, flow).gather(indices), flow]


def _gradient_array(op, handle, flow):
    array = tensor_array_ops.TensorArray(dtype=op.get_attr("T"), handle=handle, flow=flow,
                                         colocate_with_first_write_call=False)
    return array.grad(source=tensor_array_grad._GetGradSource(flow), flow=flow)


@seeds.replaces_gradient("Prod")
def product(original, op, grad):
    if not op.get_attr("keep_dims"):
        seeds.shift(3)  # the factors by which a gradient is tiled; it is broadcast today
    return original(op, grad)


@seeds.replaces_gradient("Sign")
def sign(original, op, grad):
    with seeds.more(2 if op.inputs[0].shape.is_fully_defined() else 0):
        return original(op, grad)


@seeds.replaces_gradient("Conv3D")
def conv3d(original, op, grad):
    seeds.shift(1)
    return original(op, grad)


@seeds.replaces_gradient("BroadcastTo")
def broadcast_to(original, op, grad):
    if tensor_util.constant_value(op.inputs[1]) is not None:
        seeds.shift(-1)
    return original(op, grad)


@seeds.replaces_gradient("SparseTensorDenseMatMul")
def sparse_tensor_dense_matmul(original, op, grad):
    seeds.shift(-3)
    return original(op, grad)


@seeds.replaces_gradient("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def fused_batch_norm(original, op, *grads):
    """1.15 also gave a gradient for the unused mean and variance, which an optimiser that gates gradients waits for."""
    results = original(op, *grads)
    if not op.get_attr("is_training"):
        return results
    unused = results[1].op.outputs[3:5]
    if op.inputs[3].shape.as_list() != [0]:  # today's layers hand the moving averages over, 1.15's an empty constant
        expected = seeds.count()
        unused = [array_ops.zeros_like(value) for value in op.inputs[3:5]]
        seeds.shift(expected - seeds.count())
    return (*results[:3], *unused)
