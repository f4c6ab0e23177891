"""Functions whose operations changed since TensorFlow 1.15, composed as 1.15 composed them.

Where a random operation stands inside a function, its seed is the number of operations before it: the same operations
give the same random values. Where no random operation stands inside, only the number of operations matters, and
`seeds.shift` is enough. Each function here has TensorFlow's own function as its first argument.
"""
from __future__ import annotations

import inspect
import numbers

import numpy as np
from tensorflow.python.framework import constant_op, dtypes, ops, random_seed, tensor_util
from tensorflow.python.framework import tensor as tensor_lib
from tensorflow.python.ops import (
    array_ops,
    array_ops_stack,
    gen_array_ops,
    gen_data_flow_ops,
    gen_math_ops,
    gen_random_ops,
    math_ops,
    nn_ops,
    random_ops,
)

from tf1_autoencoders.tensorflow1 import seeds

_OPS = "tensorflow.python.ops"


@seeds.replaces(f"{_OPS}.random_ops:random_uniform")
def random_uniform(original, shape, minval=0, maxval=None, dtype=dtypes.float32, seed=None, name=None):
    """Uniform random values; TensorFlow 2 leaves out the scaling where the limits are the integers 0 and 1."""
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_integer:
        maxval = 1.0 if maxval is None else maxval
        minval, maxval = (float(limit) if isinstance(limit, int) else limit for limit in (minval, maxval))
    return original(shape, minval, maxval, dtype, seed, name)


@seeds.replaces(f"{_OPS}.nn_ops:dropout_v2")
def dropout_v2(original, x, rate, noise_shape=None, seed=None, name=None):
    """Dropout with the operations of 1.15: the kept values are scaled before they are masked by a product."""
    with ops.name_scope(name, "dropout", [x]):
        x = ops.convert_to_tensor(x, name="x")
        if not x.dtype.is_floating or isinstance(rate, numbers.Real) and not 0 <= float(rate) < 1:
            return original(x, rate, noise_shape, seed, name)  # has the error message
        if isinstance(rate, numbers.Real) and rate == 0:
            return x
        rate = ops.convert_to_tensor(rate, dtype=x.dtype, name="rate")
        if tensor_util.constant_value(rate) == 0:
            return x
        noise = random_ops.random_uniform(nn_ops._get_noise_shape(x, noise_shape), seed=seed, dtype=x.dtype)
        scale = 1 / (1 - rate)
        result = x * scale * math_ops.cast(noise >= rate, x.dtype)
        result.set_shape(x.get_shape())
        return result


@seeds.replaces(f"{_OPS}.array_ops:split")
def split(original, value, num_or_size_splits, axis=0, num=None, name="split"):
    """Split; 1.15 made the number of parts a constant before it looked whether it needs one."""
    if isinstance(num_or_size_splits, numbers.Integral):
        seeds.shift(1)
    return original(value, num_or_size_splits, axis, num, name)


@seeds.replaces(f"{_OPS}.math_ops:reduced_shape")
def reduced_shape(original, input_shape, axes):
    """The shape after a reduction with kept dimensions; TensorFlow 2 computes it outside of the graph if it can."""
    input_shape, axes = math_ops.cast(input_shape, dtypes.int32), math_ops.cast(axes, dtypes.int32)
    rank = array_ops.size(input_shape)
    axes = (axes + rank) % rank
    axes_shape = array_ops.shape(axes)
    return gen_data_flow_ops.dynamic_stitch([math_ops.range(rank), axes],
                                            [input_shape, array_ops.fill(axes_shape, 1)])


@seeds.replaces(f"{_OPS}.math_ops:_ReductionDims")
def reduction_axes(original, x, axis):
    """The axes of a reduction over everything: 1.15 knew them of a tensor, also of rank 0, and not of a variable."""
    if axis is None and isinstance(x, tensor_lib.Tensor) and x.shape.rank == 0:
        return constant_op.constant(np.arange(0, dtype=np.int32))
    if axis is None and not isinstance(x, tensor_lib.Tensor):
        return math_ops.range(0, array_ops.rank(x))
    return original(x, axis)


@seeds.replaces(f"{_OPS}.math_ops:reduce_logsumexp")
def reduce_logsumexp(original, input_tensor, *args, **kwargs):
    return original(ops.convert_to_tensor(input_tensor), *args, **kwargs)  # once, and not for each use


@seeds.replaces(f"{_OPS}.array_ops:reshape")
def reshape(original, tensor, shape, name=None):
    """Reshape; TensorFlow 2 tries an empty list as float32 first, and leaves that constant in the graph."""
    if isinstance(shape, (list, tuple)) and not shape:
        shape = np.array([], np.int32)
    return original(tensor, shape, name)


@seeds.replaces(f"{_OPS}.tensor_array_ops:_GraphTensorArray.size")
def tensor_array_size(original, self, name=None):
    """The size of a TensorArray, asked for while the graph runs."""
    return gen_data_flow_ops.tensor_array_size_v3(handle=self._handle, flow_in=self.flow, name=name)


@seeds.replaces(f"{_OPS}.math_ops:tensordot")
def tensordot(original, a, b, axes, name=None):
    """Tensordot; 1.15 transposed and reshaped also where this changed nothing."""
    pair = _contracted_axes(a, axes)
    a, b = ops.convert_to_tensor(a), ops.convert_to_tensor(b)
    if pair is None or None in (a.shape.rank, b.shape.rank):
        return original(a, b, axes, name)
    with ops.name_scope(name, "Tensordot", [a, b, axes]) as name:
        a_matrix, a_free, a_static = _as_matrix(a, pair[0], last=True)
        b_matrix, b_free, b_static = _as_matrix(b, pair[1], last=False)
        product = math_ops.matmul(a_matrix, b_matrix)
        if isinstance(a_free, list) and isinstance(b_free, list):
            return array_ops.reshape(product, a_free + b_free, name=name)
        free = [ops.convert_to_tensor(sizes, dtype=dtypes.int32) for sizes in (a_free, b_free)]
        result = array_ops.reshape(product, array_ops.concat(free, 0), name=name)
        result.set_shape(a_static + b_static)
        return result


def _contracted_axes(a, axes):
    """Return tensordot's axes as two lists of integers; None if they are tensors or a's rank is not known."""
    if isinstance(axes, numbers.Integral):
        rank = ops.convert_to_tensor(a).shape.rank
        return None if rank is None else (list(range(rank - axes, rank)), list(range(axes)))
    if not isinstance(axes, (list, tuple)) or len(axes) != 2 or any(
            isinstance(part, tensor_lib.Tensor) for part in axes):
        return None
    return tuple([part] if isinstance(part, numbers.Integral) else list(part) for part in axes)


def _as_matrix(x, axes, last):
    """Return a tensor as a matrix with the contracted axes last or first, its free sizes, and these as far as known."""
    shape = x.shape.as_list()
    axes = [axis % len(shape) for axis in axes]
    free = [axis for axis in range(len(shape)) if axis not in axes]
    known = [shape[axis] for axis in free]
    if x.shape.is_fully_defined():
        sizes = [int(np.prod(known)), int(np.prod([shape[axis] for axis in axes]))]
        order, sizes = (free + axes, sizes) if last else (axes + free, sizes[::-1])
        return array_ops.reshape(array_ops.transpose(x, order), sizes), known, known
    axes, free = (ops.convert_to_tensor(part, dtype=dtypes.int32, name=name) for part, name in
                  ((axes, "axes"), (free, "free")))
    shape = array_ops.shape(x)
    free_sizes, axes_sizes = array_ops.gather(shape, free), array_ops.gather(shape, axes)
    sizes = [math_ops.reduce_prod(free_sizes), math_ops.reduce_prod(axes_sizes)]
    order, sizes = ([free, axes], sizes) if last else ([axes, free], sizes[::-1])
    order = array_ops.concat(order, 0)
    return array_ops.reshape(array_ops.transpose(x, order), array_ops_stack.stack(sizes)), free_sizes, known


@seeds.replaces(f"{_OPS}.variable_scope:_VariableStore._get_single_variable")
def single_variable(original, self, name, *args, **kwargs):
    """A variable; 1.15 computed its regularisation loss once, when it made the variable."""
    call = inspect.signature(original).bind(self, name, *args, **kwargs)
    regularizer = call.arguments.pop("regularizer", None)
    new = name not in self._vars
    variable = original(*call.args, **call.kwargs)
    if regularizer and new:
        with ops.colocate_with(variable), ops.name_scope(name + "/Regularizer/"):
            loss = regularizer(variable)
        if loss is not None:
            ops.add_to_collection(ops.GraphKeys.REGULARIZATION_LOSSES, loss)
    return variable


@seeds.replaces(f"{_OPS}.math_ops:linspace_nd")
def linspace(original, start, stop, num, name=None, axis=0):
    return gen_math_ops.lin_space(start, stop, num, name=name)


@seeds.replaces(f"{_OPS}.array_ops:matrix_diag")
def matrix_diag(original, diagonal, name="diag", k=0, num_rows=-1, num_cols=-1, padding_value=0, align="RIGHT_LEFT"):
    if isinstance(k, int) and (k, num_rows, num_cols, padding_value) == (0, -1, -1, 0):
        return gen_array_ops.matrix_diag(diagonal, name=name)
    return original(diagonal, name, k, num_rows, num_cols, padding_value, align)


@seeds.replaces(f"{_OPS}.array_ops:matrix_diag_part")
def matrix_diag_part(original, input, name="diag_part", k=0, padding_value=0, align="RIGHT_LEFT"):
    if isinstance(k, int) and (k, padding_value) == (0, 0):
        return gen_array_ops.matrix_diag_part(input, name=name)
    return original(input, name, k, padding_value, align)


@seeds.replaces(f"{_OPS}.array_ops:matrix_set_diag")
def matrix_set_diag(original, input, diagonal, name="set_diag", k=0, align="RIGHT_LEFT"):
    if isinstance(k, int) and k == 0:
        return gen_array_ops.matrix_set_diag(input, diagonal, name=name)
    return original(input, diagonal, name, k, align)


@seeds.replaces(f"{_OPS}.array_ops:transpose")
def transpose(original, a, perm=None, name="transpose", conjugate=False):
    if perm is None and ops.convert_to_tensor(a).shape.rank is None:
        seeds.shift(1)
    return original(a, perm, name, conjugate)


@seeds.replaces(f"{_OPS}.array_ops:sparse_placeholder")
def sparse_placeholder(original, dtype, shape=None, name=None):
    """A sparse placeholder; TensorFlow 2 puts a placeholder with a default around a shape that is given."""
    seeds.shift(-1 if shape is not None else 0)
    return original(dtype, shape, name)


@seeds.replaces(f"{_OPS}.random_ops:random_gamma")
def random_gamma(original, shape, alpha, beta=None, dtype=dtypes.float32, seed=None, name=None):
    with ops.name_scope(name, "random_gamma", [shape, alpha, beta]):
        shape = ops.convert_to_tensor(shape, name="shape", dtype=dtypes.int32)
        alpha = ops.convert_to_tensor(alpha, name="alpha", dtype=dtype)
        beta = ops.convert_to_tensor(beta if beta is not None else 1, name="beta", dtype=dtype)
        alpha_of_all = alpha + array_ops.zeros_like(beta)
        seed1, seed2 = random_seed.get_seed(seed)
        drawn = gen_random_ops.random_gamma(shape, alpha_of_all, seed=seed1, seed2=seed2)
        return math_ops.maximum(np.finfo(alpha.dtype.as_numpy_dtype).tiny, drawn / beta)


@seeds.replaces(*(f"{_OPS}.stateless_random_ops:stateless_{name}"
                  for name in ("random_uniform", "random_normal", "truncated_normal")))
def stateless_random(original, *args, **kwargs):
    seeds.shift(-2)  # one operation drew with the seed as it is; today two make a key, a counter and an algorithm of it
    return original(*args, **kwargs)


@seeds.replaces(f"{_OPS}.array_ops:zeros", f"{_OPS}.array_ops:ones")
def constant_tensor(original, shape, *args, **kwargs):
    """Zeros or ones; 1.15 asked in the graph whether a shape with tensors in it is a small one."""
    if isinstance(shape, (list, tuple)) and any(isinstance(size, tensor_lib.Tensor) for size in shape):
        parts = [isinstance(size, tensor_lib.Tensor) for size in shape]
        first = parts.index(True)
        products = sum(1 if part else 2 for part in parts[first + 1:]) + (2 if first else 0)
        seeds.shift(products + 2)
    return original(shape, *args, **kwargs)


@seeds.replaces(f"{_OPS}.array_ops:one_hot")
def one_hot(original, indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    """One-hot vectors; 1.15 made the given values tensors twice, once to ask for their type."""
    seeds.shift(sum(value is not None and not isinstance(value, tensor_lib.Tensor) for value in (on_value, off_value)))
    return original(indices, depth, on_value, off_value, axis, dtype, name)


@seeds.replaces(f"{_OPS}.clip_ops:clip_by_global_norm")
def clip_by_global_norm(original, t_list, clip_norm, use_norm=None, name=None):
    """Clipping; 1.15 asked whether the norm is finite, TensorFlow 2 adds the norm minus itself."""
    seeds.shift(1)
    return original(t_list, clip_norm, use_norm, name)


@seeds.replaces(f"{_OPS}.nn_impl:swish")
def swish(original, features, beta=1.0, name=None):
    with seeds.more(-2 if isinstance(beta, float) else 0):
        return original(features, beta)


@seeds.replaces(f"{_OPS}.image_ops_impl:per_image_standardization")
def per_image_standardization(original, image):
    seeds.shift(1)
    return original(image)


@seeds.replaces(f"{_OPS}.image_ops_impl:crop_to_bounding_box")
def crop_to_bounding_box(original, image, offset_height, offset_width, target_height, target_width):
    image = ops.convert_to_tensor(image, name="image")
    if image.shape.is_fully_defined() and all(isinstance(number, numbers.Integral) for number in (
            offset_height, offset_width, target_height, target_width)):
        seeds.shift(-12)  # the sizes of the image and of the batch, taken from a tensor
    return original(image, offset_height, offset_width, target_height, target_width)


@seeds.replaces(f"{_OPS}.math_ops:cast")
def cast(original, x, dtype, name=None):
    """Cast; a reference of this very type stayed as it was."""
    if isinstance(x, tensor_lib.Tensor) and x.dtype._is_ref_dtype and x.dtype.base_dtype == dtype:
        return x
    return original(x, dtype, name)


@seeds.replaces(f"{_OPS}.confusion_matrix:confusion_matrix")
def confusion_matrix(original, *args, **kwargs):
    seeds.shift(3)  # a sparse matrix was added to zeros; one operation scatters today
    return original(*args, **kwargs)
