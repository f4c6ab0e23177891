"""Operations that Keras has as functions on tensors (keras.ops), where no layer was recognised."""
from __future__ import annotations

from typing import Any, Dict, List, Optional, Union

import numpy as np

from tf1_autoencoders.converting.graph.tensors import Tensor
from tf1_autoencoders.converting.layers.network import LAST, Network, recognises

UNARY = {"Abs": "abs", "Square": "square", "Sqrt": "sqrt", "Rsqrt": "rsqrt", "Log": "log", "Log1p": "log1p",
         "Expm1": "expm1", "Neg": "negative", "Sin": "sin", "Cos": "cos", "Floor": "floor", "Ceil": "ceil",
         "Sign": "sign", "Erf": "erf", "Reciprocal": "reciprocal", "Inv": "reciprocal", "LogicalNot": "logical_not",
         "ZerosLike": "zeros_like", "OnesLike": "ones_like"}
BINARY = {"Add": "add", "AddV2": "add", "BiasAdd": "add", "Sub": "subtract", "Mul": "multiply", "RealDiv": "divide",
          "Div": "divide", "Pow": "power", "Maximum": "maximum", "Minimum": "minimum", "Greater": "greater",
          "GreaterEqual": "greater_equal", "Less": "less", "LessEqual": "less_equal", "Equal": "equal",
          "NotEqual": "not_equal", "LogicalAnd": "logical_and", "LogicalOr": "logical_or",
          "FloorDiv": "floor_divide", "FloorMod": "mod"}
REDUCTIONS = {"Sum": "sum", "Mean": "mean", "Max": "max", "Min": "min", "Prod": "prod", "All": "all", "Any": "any"}
MAX_CONSTANT = 1 << 12  # numbers of a constant, which a .keras file holds as text


def operation(network: Network, place: str, name: str, arguments: Dict[str, Any]) -> Optional[int]:
    """Add a function of keras.ops whose arguments are tensors, lists of tensors, or values; None for a large constant.

    A constant that is made of variables is none of these: as an argument, it would not be trained any more.
    """
    call: Dict[str, Union[int, List[int]]] = {}
    values: Dict[str, Any] = {}
    for key, argument in arguments.items():
        if isinstance(argument, Tensor) and argument.value is not None:
            if argument.value.size > MAX_CONSTANT or network.tensors.variables(argument):
                return None
            values[key] = argument.value if argument.value.ndim else argument.value.item()
        elif isinstance(argument, Tensor):
            call[key] = network.number(argument)
        elif isinstance(argument, list) and argument and isinstance(argument[0], Tensor):
            if any(part.value is not None for part in argument):
                return None
            call[key] = network.numbers(argument)
        else:
            values[key] = argument
    return network.operation(name, place, call, **values)


@recognises(*UNARY, order=LAST)
def unary(network: Network, tensor: Tensor) -> Optional[int]:
    """square(x) and so on"""
    return operation(network, tensor.place, UNARY[tensor.op], {"x": tensor.inputs[0]})


@recognises(*BINARY, order=LAST)
def binary(network: Network, tensor: Tensor) -> Optional[int]:
    """x + y and so on, which may be of different shapes"""
    first, second = tensor.inputs
    if tensor.op == "BiasAdd" and tensor.attr["data_format"].s == b"NCHW" \
            or tensor.op == "Div" and not tensor.dtype.startswith("float"):
        return None
    return operation(network, tensor.place, BINARY[tensor.op], {"x1": first, "x2": second})


@recognises("Squeeze", order=LAST)
def squeeze(network: Network, tensor: Tensor) -> Optional[int]:
    """squeeze(x, axes), the batch too"""
    axes = tuple(tensor.attr["squeeze_dims"].list.i)
    return operation(network, tensor.place, "squeeze", {"x": tensor.inputs[0], "axis": axes}) if axes else None


@recognises("SquaredDifference", order=LAST)
def squared_difference(network: Network, tensor: Tensor) -> Optional[int]:
    """(x - y) ** 2"""
    first, second = tensor.inputs
    number = operation(network, tensor.place, "subtract", {"x1": first, "x2": second})
    return None if number is None else network.operation("square", tensor.place, {"x": number})


@recognises(*REDUCTIONS, order=LAST)
def reduction(network: Network, tensor: Tensor) -> Optional[int]:
    """reduce_sum(x, axes) and so on"""
    x, axes = tensor.inputs
    if axes.value is None or x.shape is None:
        return None
    reduced = tuple(int(axis) % max(1, len(x.shape)) for axis in np.ravel(axes.value))
    return operation(network, tensor.place, REDUCTIONS[tensor.op],
                     {"x": x, "axis": reduced, "keepdims": tensor.attribute("keep_dims")})


@recognises("ArgMax", "ArgMin", order=LAST)
def arg_max(network: Network, tensor: Tensor) -> Optional[int]:
    """argmax(x, axis)"""
    x, axis = tensor.inputs
    if axis.number is None or x.shape is None or int(axis.number) % len(x.shape) == 0:
        return None
    return operation(network, tensor.place, tensor.op.lower(), {"x": x, "axis": int(axis.number)})


@recognises("Cast", order=LAST)
def cast(network: Network, tensor: Tensor) -> Optional[int]:
    """cast(x, dtype)"""
    return operation(network, tensor.place, "cast", {"x": tensor.inputs[0], "dtype": tensor.dtype})


@recognises("Select", "SelectV2", order=LAST)
def select(network: Network, tensor: Tensor) -> Optional[int]:
    """where(condition, x, y); a vector of conditions for the rows of a matrix is another operation"""
    condition, first, second = tensor.inputs
    if tensor.op == "Select" and condition.shape != tensor.shape:
        return None
    return operation(network, tensor.place, "where", {"condition": condition, "x1": first, "x2": second})


@recognises("ClipByValue", order=LAST)
def clip(network: Network, tensor: Tensor) -> Optional[int]:
    """clip_by_value(x, low, high)"""
    x, low, high = tensor.inputs
    return operation(network, tensor.place, "clip", {"x": x, "x_min": low, "x_max": high})


@recognises("MatMul", "BatchMatMul", "BatchMatMulV2", order=LAST)
def product_of_tensors(network: Network, tensor: Tensor) -> Optional[int]:
    """matmul(x, y) of two tensors, as attention computes it"""
    if any(part.value is not None for part in tensor.inputs):
        return None
    numbers = network.numbers(tensor.inputs)
    for k, names in enumerate((("transpose_a", "adj_x"), ("transpose_b", "adj_y"))):
        if tensor.attribute(names[tensor.op != "MatMul"]):
            numbers[k] = network.operation("swapaxes", tensor.place, {"x": numbers[k]}, axis1=-2, axis2=-1)
    return network.operation("matmul", tensor.place, {"x1": numbers[0], "x2": numbers[1]})


# ---- moving numbers ----

@recognises("Transpose", order=LAST)
def transpose(network: Network, tensor: Tensor) -> Optional[int]:
    """transpose(x, axes), the batch too"""
    x, axes = tensor.inputs
    if axes.value is None:
        return None
    return operation(network, tensor.place, "transpose", {"x": x, "axes": tuple(map(int, axes.value))})


@recognises("ExpandDims", order=LAST)
def expand_dims(network: Network, tensor: Tensor) -> Optional[int]:
    """expand_dims(x, axis)"""
    x, axis = tensor.inputs
    if axis.number is None or x.shape is None or int(axis.number) % (len(x.shape) + 1) == 0:
        return None
    return operation(network, tensor.place, "expand_dims", {"x": x, "axis": int(axis.number)})


@recognises("Tile", order=LAST)
def tile(network: Network, tensor: Tensor) -> Optional[int]:
    """tile(x, repeats)"""
    x, repeats = tensor.inputs
    if repeats.value is None:
        return None
    return operation(network, tensor.place, "tile", {"x": x, "repeats": tuple(map(int, repeats.value))})


@recognises("Pack", order=LAST)
def stack(network: Network, tensor: Tensor) -> Optional[int]:
    """stack([x, y, ...], axis) along another axis than the batch"""
    axis = int(tensor.attr["axis"].i)
    return operation(network, tensor.place, "stack", {"x": list(tensor.inputs), "axis": axis}) if axis else None


@recognises("ReverseV2", order=LAST)
def flip(network: Network, tensor: Tensor) -> Optional[int]:
    """reverse(x, axes)"""
    x, axes = tensor.inputs
    if axes.value is None:
        return None
    return operation(network, tensor.place, "flip", {"x": x, "axis": tuple(map(int, axes.value))})


@recognises("Cumsum", order=LAST)
def cumulative_sum(network: Network, tensor: Tensor) -> Optional[int]:
    """cumsum(x, axis)"""
    x, axis = tensor.inputs
    if axis.number is None or tensor.attribute("exclusive") or tensor.attribute("reverse"):
        return None
    return operation(network, tensor.place, "cumsum", {"x": x, "axis": int(axis.number)})


@recognises("Pad", "MirrorPad", order=LAST)
def pad(network: Network, tensor: Tensor) -> Optional[int]:
    """pad(x, widths, mode)"""
    x, widths = tensor.inputs
    if widths.value is None or widths.value[0].any():
        return None
    mode = tensor.attr["mode"].s.decode().lower() if tensor.op == "MirrorPad" else "constant"
    return operation(network, tensor.place, "pad",
                     {"x": x, "pad_width": tuple(map(tuple, widths.value.tolist())), "mode": mode})


@recognises("GatherV2", order=LAST)
def take(network: Network, tensor: Tensor) -> Optional[int]:
    """gather(x, indices, axis) along another axis than the batch"""
    x, indices, axis = tensor.inputs
    if x.value is not None or indices.value is None or not axis.number or tensor.attr["batch_dims"].i:
        return None
    return operation(network, tensor.place, "take", {"x": x, "indices": indices, "axis": int(axis.number)})


@recognises("StridedSlice", order=LAST)
def strided_slice(network: Network, tensor: Tensor) -> Optional[int]:
    """x[:, 2:5, -1] and so on: the batch whole, bounds that are constants"""
    x, *bounds = tensor.inputs
    masks = {name: int(tensor.attr[f"{name}_mask"].i) for name in ("begin", "end", "shrink_axis", "new_axis",
                                                                   "ellipsis")}
    begins, ends, steps = (None if bound.value is None else bound.value.tolist() for bound in bounds)
    if begins is None or ends is None or steps is None or masks["ellipsis"]:
        return None
    key: List[Any] = []
    for k, (begin, end, step) in enumerate(zip(begins, ends, steps)):
        if masks["new_axis"] >> k & 1:
            key.append(None)
        elif masks["shrink_axis"] >> k & 1:
            key.append(begin)
        else:
            key.append(slice(None if masks["begin"] >> k & 1 else begin, None if masks["end"] >> k & 1 else end,
                             None if step == 1 else step))
    return _part(network, tensor, x, key)


@recognises("Slice", order=LAST)
def slice_of_sizes(network: Network, tensor: Tensor) -> Optional[int]:
    """slice(x, begin, size)"""
    x, begin, size = tensor.inputs
    if begin.value is None or size.value is None:
        return None
    return _part(network, tensor, x, [slice(first or None, None if n < 0 else first + n) for first, n in zip(
        begin.value.tolist(), size.value.tolist())])


@recognises("Unpack", order=LAST)
def unstack(network: Network, tensor: Tensor) -> Optional[int]:
    """unstack(x, axis)[k]"""
    return _part(network, tensor, tensor.inputs[0], [slice(None)] * int(tensor.attr["axis"].i) + [tensor.output])


@recognises("Split", order=LAST)
def split(network: Network, tensor: Tensor) -> Optional[int]:
    """split(x, n, axis)[k]"""
    axis, x = tensor.inputs
    n = int(tensor.attr["num_split"].i)
    if axis.number is None or x.shape is None:
        return None
    k = int(axis.number) % len(x.shape)
    size = x.shape[k]
    if size is None or size % n:
        return None
    width = size // n
    return _part(network, tensor, x, [slice(None)] * k + [slice(tensor.output * width, (tensor.output + 1) * width)])


def _part(network: Network, tensor: Tensor, x: Tensor, key: List[Any]) -> Optional[int]:
    """Add x[key], if it leaves the batch whole."""
    if not key or key[0] != slice(None):
        return None
    return operation(network, tensor.place, "getitem", {"x": x, "key": key})


@recognises("LRN", order=LAST)
def local_response_normalization(network: Network, tensor: Tensor) -> Optional[int]:
    """lrn(x): x / (bias + alpha * sum of squares of the neighbouring channels) ** beta"""
    attributes = {name: tensor.attr[name].f for name in ("bias", "alpha", "beta")}
    return network.operation("local_response_normalization", tensor.place, {"x": network.number(tensor.inputs[0])},
                             depth_radius=int(tensor.attr["depth_radius"].i), **attributes)


@recognises("SpaceToDepth", "DepthToSpace", order=LAST)
def depth_and_space(network: Network, tensor: Tensor) -> Optional[int]:
    """depth_to_space(x, size), space_to_depth(x, size) of NHWC"""
    x, size = tensor.inputs[0], int(tensor.attr["block_size"].i)
    if x.shape is None or None in x.shape[1:] or tensor.attr["data_format"].s not in (b"", b"NHWC"):
        return None
    height, width, channels = (int(n or 0) for n in x.shape[1:])
    if tensor.op == "DepthToSpace":
        parts, order = (height, width, size, size, channels // size ** 2), (0, 1, 3, 2, 4, 5)
        after = height * size, width * size, channels // size ** 2
    else:
        parts, order = (height // size, size, width // size, size, channels), (0, 1, 3, 2, 4, 5)
        after = height // size, width // size, channels * size ** 2
    number = network.operation("reshape", tensor.place, {"x": network.number(x)}, newshape=(-1, *parts))
    number = network.operation("transpose", tensor.place, {"x": number}, axes=order)
    return network.operation("reshape", tensor.place, {"x": number}, newshape=(-1, *after))


