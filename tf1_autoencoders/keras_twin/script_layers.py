"""A Keras model as JSON: its layers with their inputs and weights, for the script of a page that computes them.

The structure is read from the model itself, so that no architecture is written a second time in script.
"""
from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np

# kind of layer: {argument of Keras: the only value that the script computes}
FIXED: Dict[str, Dict[str, Any]] = {
    "InputLayer": {},
    "Conv2D": {"strides": (1, 1), "dilation_rate": (1, 1), "groups": 1, "use_bias": True},
    "MaxPooling2D": {"strides": (2, 2), "pool_size": (2, 2), "padding": "same"},
    "UpSampling2D": {"size": (2, 2), "interpolation": "nearest"},
    "Dense": {"use_bias": True},
    "LSTM": {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True, "go_backwards": False}}
ACTIVATIONS = ("linear", "relu", "sigmoid", "softmax")


class Weights:
    """The weights of several models, one behind another; a weight that models share is held once."""

    def __init__(self) -> None:
        self._arrays: List[np.ndarray] = []
        self._variables: List[Any] = []  # kept, because an id is a variable's own only while the variable lives
        self._places: Dict[Tuple[int, ...], List[int]] = {}
        self._n = 0

    def place(self, *variables: Any) -> List[int]:
        """Add a weight if it is new, of one or more Keras variables; return its first number and its length."""
        key = tuple(map(id, variables))
        if key not in self._places:
            array = np.concatenate([np.asarray(variable, np.float32).ravel() for variable in variables])
            self._arrays.append(array)
            self._variables += variables
            self._places[key] = [self._n, array.size]
            self._n += array.size
        return self._places[key]

    def joined(self) -> np.ndarray:
        """Return all weights as one array float32[n]."""
        return np.concatenate(self._arrays)


def script_layers(model: Any, weights: Weights) -> Dict[str, Any]:
    """Return a functional Keras model as JSON can hold it, for the script's function `run`.

    Args:
        model: keras.Model of the layers in FIXED.
        weights: Weights, to which the model's are added.

    Returns:
        {"layers": [layer], "outputs": [[number, number of its output]]}. The model's inputs have the numbers from 0 and
        the layers the next ones; Keras's names would depend on the layers that the process has made before. A layer is
        {"kind": class in keras.layers, "shape": of its first output, "inputs": as the outputs above, "weights":
        [[first number, length]], ...}. An LSTM's inputs are the sequence, then the state if one is given; its two
        kernels are one weight, as of a dense layer of [input, state].

    Raises:
        ValueError: a layer is none that the script computes.
    """
    config, layers = model.get_config(), []
    numbers: Dict[str, int] = {}
    for entry in config["layers"]:
        if entry["class_name"] == "InputLayer":
            numbers[entry["name"]] = len(numbers)
    for entry in config["layers"]:
        kind, name, arguments = entry["class_name"], entry["name"], entry["config"]
        _check(kind, name, arguments)
        layer = model.get_layer(name)
        if kind == "InputLayer":
            continue
        node, = entry["inbound_nodes"]
        given = [*node["args"], *node["kwargs"].get("initial_state", [])]
        sizes = {"Conv2D": {"size": arguments.get("kernel_size", [0])[0], "padding": arguments.get("padding")},
                 "LSTM": {"units": arguments.get("units"), "sequences": arguments.get("return_sequences")}}
        activation = {"activation": arguments["activation"]} if kind in ("Conv2D", "Dense") else {}
        output = layer.output[0] if isinstance(layer.output, (list, tuple)) else layer.output
        together = [layer.weights[:2], layer.weights[2:]] if kind == "LSTM" else [[w] for w in layer.weights]
        layers.append({"kind": kind, "shape": list(output.shape[1:]),
                       "inputs": [[numbers[history[0]], history[2]] for history in
                                  (tensor["config"]["keras_history"] for tensor in given)],
                       **sizes.get(kind, {}), **activation,
                       "weights": [weights.place(*variables) for variables in together]})
        numbers[name] = len(numbers)
    outputs = config["output_layers"]
    outputs = outputs if isinstance(outputs[0], (list, tuple)) else [outputs]
    return {"layers": layers, "outputs": [[numbers[name], output] for name, _, output in outputs]}


def _check(kind: str, name: str, arguments: Dict[str, Any]) -> None:
    """Raise ValueError unless the script computes this layer with these arguments."""
    if kind not in FIXED:
        raise ValueError(f"layer {name}: a {kind}; expected one of {', '.join(FIXED)}")
    expected = {**FIXED[kind], **({"data_format": "channels_last"} if "data_format" in arguments else {})}
    for argument, value in expected.items():
        found = tuple(arguments[argument]) if isinstance(arguments[argument], list) else arguments[argument]
        if found != value:
            raise ValueError(f"layer {name}: {argument} {found!r}; expected {value!r}")
    if kind in ("Conv2D", "Dense") and arguments["activation"] not in ACTIVATIONS:
        raise ValueError(f"layer {name}: activation {arguments['activation']!r}; expected one of "
                         f"{', '.join(ACTIVATIONS)}")
    kernel = arguments.get("kernel_size", (1, 1))
    if kernel[0] != kernel[1] or kernel[0] % 2 == 0:
        raise ValueError(f"layer {name}: kernel_size {tuple(kernel)}; expected an odd square")
