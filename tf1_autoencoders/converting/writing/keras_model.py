"""A Keras 3 model of the layers that were recognised in a graph."""
from __future__ import annotations

import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Tuple

import numpy as np

from tf1_autoencoders.converting.layers.network import Layer, Network, Weight
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.files import write_atomically
from tf1_autoencoders.utils.frameworks import keras

MAX_LAYERS = 300
def local_response_normalization(x: Any, depth_radius: int, bias: float, alpha: float, beta: float) -> Any:
    """Return tf.nn.lrn(x) by functions of keras.ops, for x float32[batch, height, width, channels]."""
    channels = x.shape[-1]
    squares = keras.ops.pad(keras.ops.square(x), [[0, 0], [0, 0], [0, 0], [depth_radius, depth_radius]])
    total = sum(squares[..., k:k + channels] for k in range(2 * depth_radius + 1))
    return x * keras.ops.power(bias + alpha * total, -beta)


def normalize_over_the_batch(x: Any, epsilon: float) -> Any:
    """Return x, float32[batch, ..., channels], less the mean and divided by the standard deviation of each channel."""
    mean, variance = keras.ops.moments(x, axes=list(range(len(x.shape) - 1)), keepdims=True)
    return (x - mean) / keras.ops.sqrt(variance + epsilon)


OPERATIONS: Dict[str, Callable[..., Any]] = {  # which keras.ops does not have under these names
    "getitem": lambda x, key: x[tuple(key)],
    "local_response_normalization": local_response_normalization,
    "normalize_over_the_batch": normalize_over_the_batch,
    "mask": lambda x, lengths: keras.ops.less_equal(  # the steps of a sequence that are within its length
        keras.ops.cumsum(keras.ops.ones_like(x[:, :, 0]), axis=1),
        keras.ops.expand_dims(keras.ops.cast(lengths, "float32"), 1))}
MERGING = ("Add", "Subtract", "Multiply", "Maximum", "Minimum", "Concatenate")


def build_keras(network: Network) -> Any:
    """Return the Keras model of a Network, with its weights.

    Raises:
        UserError: an operation of the network is no layer, which is named with its place; or a layer does not fit.
    """
    if network.unknown:
        places = "; ".join(f"{layer.kind} at {layer.place}" for layer in network.unknown[:5])
        more = f" and {len(network.unknown) - 5} more" if len(network.unknown) > 5 else ""
        raise UserError(f"--to keras: not recognised as a layer: {places}{more}; nothing was written, --to savedmodel "
                        "takes any graph")
    if len(network.layers) > MAX_LAYERS:  # Keras follows a model by recursion
        raise UserError(f"--to keras: {len(network.layers)} layers, more than the {MAX_LAYERS} that Keras can save; "
                        "try --to savedmodel")
    tensors: List[Any] = []
    inputs = []
    parts: Dict[int, Dict[str, Any]] = {}  # {layer with return_state: {view: tensor}}
    for layer in network.layers:
        try:
            if layer.kind == "Input":
                shape = layer.arguments["shape"]
                if shape is None:
                    raise ValueError("its shape is not known, name it with --shape")
                tensors.append(keras.Input(shape, dtype=layer.arguments["dtype"], name=layer.name))
                inputs.append(tensors[-1])
                continue
            taken = [tensors[number] for number in layer.inputs]
            call = {name: tensors[numbers] if isinstance(numbers, int) else [tensors[number] for number in numbers]
                    for name, numbers in layer.call.items()}
            if layer.kind.startswith("ops."):
                name = layer.kind[len("ops."):]
                tensors.append((OPERATIONS.get(name) or getattr(keras.ops, name))(**call, **layer.arguments))
                continue
            if layer.kind == "Part":
                tensors.append(parts[layer.inputs[0]][layer.arguments["view"]])
                continue
            made = getattr(keras.layers, layer.kind)(
                name=layer.name, **{name: value for name, value in layer.arguments.items() if value is not None})
            output = made(taken if layer.kind in MERGING else taken[0], **call)
            if layer.arguments.get("return_state"):
                parts[len(tensors)] = dict(zip(("sequence", "h", "c"), output))
                output = parts[len(tensors)][layer.views[0]]
            tensors.append(output)
            if layer.weights:
                made.set_weights([value for _, value in _in_order(made, layer, lambda weight: weight.value)])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise UserError(f"--to keras: the {layer.kind} at {layer.place} does not fit ({one_line(error)}); nothing "
                            "was written, --to savedmodel takes any graph") from error
    outputs = [tensors[number] for number in network.outputs]
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs if len(outputs) > 1 else outputs[0])


def trainable_arrays(model: Any, network: Network, value_of: Callable[[Weight], np.ndarray]) -> List[np.ndarray]:
    """Return an array for each of the trainable variables of the Keras model of a Network, from their Weights."""
    arrays = {id(variable): value for layer in network.layers if layer.weights
              for variable, value in _in_order(model.get_layer(layer.name), layer, value_of)}
    return [arrays[id(variable)] for variable in model.trainable_variables]


def _in_order(made: Any, layer: Layer, value_of: Callable[[Weight], np.ndarray]) -> List[Tuple[Any, np.ndarray]]:
    """Return (variable, value) for the weights of a Keras layer, in its order."""
    names = [weight.path.rsplit("/", 1)[-1] for weight in made.weights]
    if len(names) != len(layer.weights):
        raise ValueError(f"the weights {', '.join(layer.weights)} for {', '.join(names)}")
    if set(names) != set(layer.weights):
        names = list(layer.weights)
    values = [value_of(layer.weights[name]) for name in names]
    return [(weight, np.reshape(value, tuple(weight.shape)) if np.size(value) == np.prod(weight.shape) else value)
            for value, weight in zip(values, made.weights)]


def write_keras(path: Path, model: Any, metadata: Mapping[str, str]) -> Path:
    """Write a model as .keras; the metadata is the archive's comment."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "model.keras")
        model.save(file)
        with zipfile.ZipFile(file, "a") as archive:
            archive.comment = json.dumps(dict(metadata)).encode()
        with open(file, "rb") as opened:
            return write_atomically(path, opened.read())
