"""Layers that multiply by a kernel, and pooling and upsampling, which move over images as convolutions do."""
from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from tf1_autoencoders.converting.graph.tensors import Tensor
from tf1_autoencoders.converting.layers.network import Network, Weight, recognises

WITH_BIAS = ("Dense", "Conv2D", "Conv2DTranspose", "DepthwiseConv2D")


class Window(NamedTuple):
    """Strides, padding and layout of a convolution or pooling; `axes` are height and width, `channels` the other."""

    strides: Tuple[int, int]
    padding: str
    axes: Tuple[int, int]
    channels: int
    layout: Dict[str, str]  # the argument data_format, where it is not the default


def is_nchw(tensor: Tensor) -> bool:
    return bool(tensor.attr["data_format"].s == b"NCHW")


def _window(tensor: Tensor) -> Optional[Window]:
    """Return strides and padding of an operation, or None for what Keras does not have."""
    strides, padding = list(tensor.attr["strides"].list.i), tensor.attr["padding"].s.decode().lower()
    axes, channels = ((2, 3), 1) if is_nchw(tensor) else ((1, 2), 3)
    if len(strides) != 4 or strides[0] != 1 or strides[channels] != 1 or padding not in ("same", "valid"):
        return None
    return Window((strides[axes[0]], strides[axes[1]]), padding, axes, channels,
                  {"data_format": "channels_first"} if channels == 1 else {})


def dense(network: Network, place: str, x: Tensor, kernel: Tensor, weight: Weight) -> int:
    """Add a Dense layer without a bias."""
    return network.add("Dense", place, [network.number(x)], variables=network.tensors.variables(kernel),
                       weights={"kernel": weight}, units=weight.value.shape[1], activation=None, use_bias=False)


@recognises("MatMul")
def product(network: Network, tensor: Tensor) -> Optional[int]:
    """x @ kernel"""
    x, kernel = tensor.inputs
    if x.value is not None or kernel.value is None or tensor.attribute("transpose_a"):
        return None
    transposed = tensor.attribute("transpose_b")
    return dense(network, tensor.place, x, kernel, Weight((kernel,), np.transpose if transposed else np.asarray))


@recognises("BatchMatMul", "BatchMatMulV2")
def product_of_each_row(network: Network, tensor: Tensor) -> Optional[int]:
    """x @ kernel, or x @ tile(kernel[newaxis]): one copy of the matrix for each row"""
    x, kernel = tensor.inputs
    if kernel.value is None and kernel.op == "Tile":
        kernel = kernel.inputs[0]
    value = kernel.value
    if x.value is not None or value is None or tensor.attribute("adj_x") or tensor.attribute("adj_y") \
            or value.ndim != 2 and (value.ndim != 3 or len(value) != 1):
        return None
    return dense(network, tensor.place, x, kernel, Weight((kernel,), lambda array: array.reshape(array.shape[-2:])))


@recognises("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput")
def convolution(network: Network, tensor: Tensor) -> Optional[int]:
    """conv2d(x, kernel), depthwise_conv2d(x, kernel), conv2d_transpose(x, kernel)"""
    window, weight = _window(tensor), Weight((tensor.inputs[1],))
    kernel = tensor.inputs[1].value
    dilations = list(tensor.attr["dilations"].list.i) or [1, 1, 1, 1]
    if window is None or kernel is None or kernel.ndim != 4 or dilations[0] != 1 or dilations[window.channels] != 1:
        return None
    x = tensor.inputs[2 if tensor.op == "Conv2DBackpropInput" else 0]
    before = x.shape
    if tensor.op == "Conv2D":
        groups = (before[window.channels] or 0) // kernel.shape[2] or 1 if before else 1
        kind, own = "Conv2D", {"filters": kernel.shape[3], "groups": groups}
    elif tensor.op == "DepthwiseConv2dNative":
        kind, own = "DepthwiseConv2D", {"depth_multiplier": kernel.shape[3]}
    else:
        kind, own = "Conv2DTranspose", {"filters": kernel.shape[2]}
        after = tensor.shape
        for k, size, stride in zip(window.axes, kernel.shape, window.strides):  # the size that Keras would give
            n = before[k] if before else None
            expected = None if n is None else n * stride + (max(size - stride, 0) if window.padding == "valid" else 0)
            if after and after[k] is not None and after[k] != expected:
                return None
    return network.add(kind, tensor.place, [network.number(x)], weights={"kernel": weight}, **own,
                       variables=network.tensors.variables(tensor.inputs[1]), kernel_size=kernel.shape[:2],
                       strides=window.strides, padding=window.padding,
                       dilation_rate=tuple(dilations[k] for k in window.axes), activation=None, use_bias=False,
                       **window.layout)


@recognises("MaxPool", "AvgPool")
def pooling(network: Network, tensor: Tensor) -> Optional[int]:
    """max_pool(x), avg_pool(x)"""
    window, size = _window(tensor), list(tensor.attr["ksize"].list.i)
    if window is None or len(size) != 4 or size[0] != 1 or size[window.channels] != 1:
        return None
    return network.add({"MaxPool": "MaxPooling2D", "AvgPool": "AveragePooling2D"}[tensor.op], tensor.place,
                       [network.number(tensor.inputs[0])], pool_size=tuple(size[k] for k in window.axes),
                       strides=window.strides, padding=window.padding, **window.layout)


@recognises("ResizeNearestNeighbor", "ResizeBilinear")
def upsampling(network: Network, tensor: Tensor) -> Optional[int]:
    """resize(x, size) to a multiple of the image's size"""
    x, size = tensor.inputs
    nearest = tensor.op == "ResizeNearestNeighbor"
    if x.shape is None or tensor.attribute("align_corners") or not (nearest or tensor.attribute("half_pixel_centers")):
        return None
    before, after = x.shape[1:3], _size_after(tensor)
    factors = _factors_of_own_size(x, size)
    if after is None and factors is not None and None in before and nearest:
        sizes = factors
    else:
        if after is None and factors is not None and None not in before:
            after = [n * factor for n, factor in zip(before, factors)]  # type: ignore[operator]
        if after is None or None in before or any(new % old for new, old in zip(after, before)):  # type: ignore
            return None
        sizes = [new // old for new, old in zip(after, before)]  # type: ignore[operator]
    return network.add("UpSampling2D", tensor.place, [network.number(x)], size=tuple(sizes),
                       interpolation="nearest" if nearest else "bilinear")


def _size_after(tensor: Tensor) -> Optional[List[int]]:
    """Return height and width of what a resize gives, if they are known."""
    if tensor.inputs[1].value is not None:
        return [int(n) for n in tensor.inputs[1].value]
    known: Any = (tensor.shape or [])[1:3]
    return known if known and None not in known else None


def _factors_of_own_size(x: Tensor, size: Tensor) -> Optional[List[int]]:
    """Return the two factors by which a size is a multiple of the size of x, as Keras computes it, or None."""
    if size.op != "Mul":
        return None
    factors = [part.value for part in size.inputs if part.value is not None and part.value.shape == (2,)]
    own = any(part.op == "StridedSlice" and part.inputs[0].op == "Shape" and part.inputs[0].inputs[0] is x
              for part in size.inputs)
    return [int(factor) for factor in factors[0]] if own and len(factors) == 1 else None
