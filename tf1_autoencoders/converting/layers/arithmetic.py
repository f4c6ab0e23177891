"""Layers without a kernel of their own: biases, activations, normalisations, scales, and merges of tensors."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from tf1_autoencoders.converting.graph.tensors import Tensor
from tf1_autoencoders.converting.layers.formulas import Formula
from tf1_autoencoders.converting.layers.linear import WITH_BIAS, dense, is_nchw
from tf1_autoencoders.converting.layers.network import FIRST, Network, Weight, recognises

ACTIVATIONS = {"Relu": "relu", "Relu6": "relu6", "Elu": "elu", "Selu": "selu", "Sigmoid": "sigmoid", "Tanh": "tanh",
               "Softplus": "softplus", "Softsign": "softsign", "Exp": "exponential", "LogSoftmax": "log_softmax",
               "Softmax": "softmax"}
MERGES = {"Add": "Add", "AddV2": "Add", "AddN": "Add", "Sub": "Subtract", "Mul": "Multiply", "Maximum": "Maximum",
          "Minimum": "Minimum"}
LEAKY_RELU = Formula("maximum(x, slope * x)")
BATCH_NORMALIZATION = Formula("x * scale + (beta - mean * scale)",
                              scale=("gamma * rsqrt(variance + epsilon)", "rsqrt(variance + epsilon)"))
LAYER_NORMALIZATION = Formula("x * scale + (beta - mean * scale)", scale="gamma * rsqrt(variance + epsilon)",
                              mean="mean(x, axes)", variance="mean(squared_difference(x, mean), axes_too)")
SCALE_AND_OFFSET = Formula("x * scale + offset")


@recognises(*ACTIVATIONS)
def activation(network: Network, tensor: Tensor) -> int:
    """relu(x) and so on; part of the layer below if nothing else takes x"""
    x = tensor.inputs[0]
    number = network.number(x)
    layer = network.layers[number]
    if layer.kind in WITH_BIAS and layer.arguments["activation"] is None and x.n_uses == 1:
        layer.arguments["activation"] = ACTIVATIONS[tensor.op]
        return number
    return network.add("Activation", tensor.place, [number], activation=ACTIVATIONS[tensor.op])


@recognises("LeakyRelu")
def leaky_relu(network: Network, tensor: Tensor) -> int:
    """leaky_relu(x)"""
    return network.add("LeakyReLU", tensor.place, [network.number(tensor.inputs[0])],
                       negative_slope=round(float(tensor.attr["alpha"].f), 7))


@recognises("Maximum")
def composed_leaky_relu(network: Network, tensor: Tensor) -> Optional[int]:
    """maximum(x, slope * x)"""
    bound = LEAKY_RELU.match(tensor)
    slope = bound["slope"].number if bound else None
    if bound is None or slope is None or not 0 <= slope <= 1:
        return None
    return network.add("LeakyReLU", tensor.place, [network.number(bound["x"])], negative_slope=round(slope, 7))


@recognises(*MERGES)
def merge(network: Network, tensor: Tensor) -> Optional[int]:
    """x + y and so on, of tensors of one rank"""
    shapes = [part.shape for part in tensor.inputs]
    if any(part.value is not None for part in tensor.inputs) or None in shapes \
            or len({len(shape or ()) for shape in shapes}) > 1:
        return None
    return network.add(MERGES[tensor.op], tensor.place, network.numbers(tensor.inputs))


@recognises("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def fused_batch_normalization(network: Network, tensor: Tensor) -> Optional[int]:
    """fused_batch_norm(x, gamma, beta, mean, variance): in use, or saved while in training"""
    x, gamma, beta = tensor.inputs[:3]
    if tensor.output or tensor.attribute("is_training") and (is_nchw(tensor) or gamma.value is None
                                                             or beta.value is None):
        return None
    if tensor.attribute("is_training"):
        number = network.operation("normalize_over_the_batch", tensor.place, {"x": network.number(x)},
                                   epsilon=round(float(tensor.attr["epsilon"].f), 9))
        return _affine(network, tensor.place, number, Weight((gamma,)), Weight((beta,)),
                       network.tensors.variables(gamma, beta))
    return _batch_normalization(network, tensor.place, tensor.inputs[0], tensor.inputs[1:5],
                                float(tensor.attr["epsilon"].f), **{"axis": 1} if is_nchw(tensor) else {})


@recognises("Add", "AddV2", order=FIRST)
def composed_batch_normalization(network: Network, tensor: Tensor) -> Optional[int]:
    """x * scale + (beta - mean * scale), with scale = gamma * rsqrt(variance + epsilon) or without gamma"""
    bound = BATCH_NORMALIZATION.match(tensor)
    if bound is None or bound["x"].value is not None or "gamma" in bound and bound["gamma"].value is None:
        return None
    variance, epsilon = bound["variance"], bound["epsilon"]
    if epsilon.number is None:
        variance, epsilon = epsilon, variance
    return None if epsilon.number is None else _batch_normalization(
        network, tensor.place, bound["x"], [bound.get("gamma"), bound["beta"], bound["mean"], variance], epsilon.number)


@recognises("Add", "AddV2", order=FIRST)
def layer_normalization(network: Network, tensor: Tensor) -> Optional[int]:
    """The same with the mean and the variance of x over its last axis"""
    bound = LAYER_NORMALIZATION.match(tensor)
    if bound is None or bound["epsilon"].number is None or bound["beta"].value is None or bound["gamma"].value is None:
        return None
    last = len(bound["x"].shape or ()) - 1
    if any(bound[axes].value is None or np.ravel(bound[axes].value).tolist() not in ([last], [-1])
           for axes in ("axes", "axes_too")):
        return None
    return network.add("LayerNormalization", tensor.place, [network.number(bound["x"])],
                       epsilon=round(bound["epsilon"].number, 12),
                       weights={name: Weight((bound[name],), np.ravel) for name in ("gamma", "beta")},
                       variables=network.tensors.variables(bound["gamma"], bound["beta"]))


def _batch_normalization(network: Network, place: str, x: Tensor, parts: Sequence[Optional[Tensor]], epsilon: float,
                         **more: Any) -> Optional[int]:
    """Add a batch normalisation with gamma (or None), beta, mean and variance."""
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    found = {name: part for name, part in zip(names, parts) if part is not None and part.value is not None}
    if set(names) - set(found) - {"gamma"}:
        return None
    more.update({} if "gamma" in found else {"scale": False})
    return network.add("BatchNormalization", place, [network.number(x)], epsilon=round(epsilon, 9),
                       weights={name: Weight((part,), np.ravel) for name, part in found.items()},
                       variables=network.tensors.variables(*[part for part in parts if part is not None]), **more)


@recognises("BiasAdd", "Add", "AddV2", "Sub", "Mul", "RealDiv")
def scale_or_offset(network: Network, tensor: Tensor) -> Optional[int]:
    """x + bias, x * scale and so on: one number for each channel, or one for all; a bias is part of the layer below"""
    constants = [part for part in tensor.inputs if part.value is not None]
    if len(constants) != 1:
        return None
    other, = constants
    x = tensor.inputs[1 - tensor.inputs.index(other)]
    value, shape = np.asarray(other.value), x.shape
    channels = 1 if tensor.op == "BiasAdd" and is_nchw(tensor) else -1
    if shape is None or value.size > 1 and (value.shape[-1] != value.size or shape[channels] not in (value.size, 1)):
        return None
    variables = network.tensors.variables(other)
    if tensor.op == "Mul" and shape[-1:] == [1] and value.ndim == 1 and value.size > 1:  # one column times a vector
        return dense(network, tensor.place, x, other, Weight((other,), lambda array: array.reshape(1, -1)))
    if value.size > 1 and shape[channels] != value.size:
        return None
    if channels == 1 and shape[-1] in (None, value.size):  # Keras 3.15 adds a bias of this size along the width
        return _affine(network, tensor.place, network.number(x), None, Weight((other,)), variables, axis=1)
    if tensor.op in ("BiasAdd", "Add", "AddV2"):
        scaled = SCALE_AND_OFFSET.match(tensor) if x.op == "Mul" and x.n_uses == 1 and value.size > 1 else None
        if scaled and scaled["scale"].value is None:
            scaled["x"], scaled["scale"] = scaled["scale"], scaled["x"]
        if scaled and scaled["scale"].value is not None and scaled["scale"].value.size > 1:
            return _affine(network, tensor.place, network.number(scaled["x"]), Weight((scaled["scale"],), np.ravel),
                           Weight((other,), np.ravel), network.tensors.variables(scaled["scale"], other))
        number = network.number(x)
        layer = network.layers[number]
        units: Any = shape[channels] if layer.kind == "DepthwiseConv2D" else \
            layer.arguments.get("units", layer.arguments.get("filters"))
        if layer.kind in WITH_BIAS and not layer.arguments["use_bias"] and layer.arguments["activation"] is None \
                and x.n_uses == 1 and value.size in (1, units):
            layer.arguments["use_bias"] = True
            layer.weights["bias"] = Weight((other,), lambda array: np.broadcast_to(np.ravel(array), (units,)).copy())
            layer.variables += variables
            return number
    return None if channels == 1 else _scale(network, tensor, x, other, variables)


def _scale(network: Network, tensor: Tensor, x: Tensor, other: Tensor, variables: List[str]) -> Optional[int]:
    """Add x times a constant, or plus or minus one."""
    value, width = np.asarray(other.value), (x.shape or [None])[-1]
    if value.dtype.kind != "f" or tensor.op == "RealDiv" and x is not tensor.inputs[0]:
        return None

    subtracted = tensor.op == "Sub" and x is not tensor.inputs[0]  # from the constant
    scales: Dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "Mul": np.asarray, "RealDiv": lambda array: 1 / array if np.all(array) else np.ones_like(array)}
    offsets: Dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "Add": np.asarray, "AddV2": np.asarray, "BiasAdd": np.asarray,
        "Sub": np.asarray if subtracted else np.negative}
    scale, offset = scales.get(tensor.op), offsets.get(tensor.op)
    if subtracted:
        scale = lambda array: -np.ones_like(array)  # noqa: E731
    if value.size == 1 and not variables:
        return network.add("Rescaling", tensor.place, [network.number(x)],
                           scale=float(scale(value).reshape(())) if scale else 1.0,
                           offset=float(offset(value).reshape(())) if offset else 0.0)
    if width is None:
        return None

    def widened(part: Optional[Callable[[np.ndarray], np.ndarray]]) -> Optional[Weight]:
        return part and Weight((other,), lambda array: np.broadcast_to(np.ravel(part(array)), (width,)).copy())
    return _affine(network, tensor.place, network.number(x), widened(scale), widened(offset), variables)


def _affine(network: Network, place: str, x: int, scale: Optional[Weight], offset: Optional[Weight],
            variables: List[str], **more: Any) -> int:
    """Add x * scale + offset for the layer x, as the batch normalisation whose mean is 0 and whose variance is 1."""
    size = np.shape((scale or offset).value)  # type: ignore[union-attr]
    weights = {"gamma": scale, "beta": offset, "moving_mean": Weight((), lambda: np.zeros(size, np.float32)),
               "moving_variance": Weight((), lambda: np.ones(size, np.float32))}
    note = " and ".join(["times a vector"] * bool(scale) + ["plus a vector"] * bool(offset))
    return network.add("BatchNormalization", place, [x], variables=variables, epsilon=0.0,
                       weights={name: weight for name, weight in weights.items() if weight}, note=note,
                       scale=None if scale else False, center=None if offset else False, **more)
