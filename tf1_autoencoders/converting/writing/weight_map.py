"""Fills a Keras model from a checkpoint without a graph, by an editable JSON map.

A map is JSON, {layer of the Keras model: {part: variable of the checkpoint}}. The parts are the layer's weights as
Keras names them. For recurrent layers they are those of TensorFlow 1, whose layout is converted:

    LSTM       kernel, bias, and the number forget_bias (1.0 unless the program said otherwise)
    GRU        gates_kernel, gates_bias, candidate_kernel, candidate_bias (the layer needs reset_after=False)
    SimpleRNN  kernel, bias
"""
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile
from tf1_autoencoders.converting.graph.roles import role_table
from tf1_autoencoders.converting.layers.cells import gru_weights, lstm_weights, rnn_weights
from tf1_autoencoders.keras_twin.h5_weights import ORDER
from tf1_autoencoders.keras_twin.weights import to_tf1_layout
from tf1_autoencoders.utils.errors import UserError, one_line, short_reason
from tf1_autoencoders.utils.files import open_regular, read_json
from tf1_autoencoders.utils.frameworks import keras
from tf1_autoencoders.utils.paths import display_path

WeightMap = Dict[str, Dict[str, Any]]  # {layer: {part: name of a variable, or a number}}
RECURRENT = {"LSTM": ("kernel", "bias"), "SimpleRNN": ("kernel", "bias"),
             "GRU": ("gates_kernel", "gates_bias", "candidate_kernel", "candidate_bias")}
# other names that programs gave to Keras's parts
ALIASES = {"kernel": ("kernel", "weights", "w", "weight", "depthwise_kernel", "depthwise_weights"),
           "bias": ("bias", "biases", "b"), "gates_kernel": ("gates/kernel",), "gates_bias": ("gates/bias",),
           "candidate_kernel": ("candidate/kernel",), "candidate_bias": ("candidate/bias",),
           "embeddings": ("embeddings", "embedding")}


class Suggestion(NamedTuple):
    """A map that was proposed, and what is uncertain in it: sentences for the user."""

    weight_map: WeightMap
    doubts: List[str]


def load_model(path: Path, with_optimizer: bool = False) -> Any:
    """Load a .keras model without running code of it.

    Raises:
        UserError: the file is no model, or one that only runs with code of its own.
    """
    try:
        if path.suffix != ".keras":  # Keras would read other formats too, and in these run code
            raise ValueError("its name does not end in .keras")
        open_regular(path).close()
        return keras.saving.load_model(str(path), compile=with_optimizer, safe_mode=True)
    except Exception as error:  # Keras raises many kinds
        raise UserError(f"{display_path(path)}: not a Keras model that can be loaded safely "
                        f"({short_reason(error)}); save one with model.save('model.keras')") from error


def layers_with_weights(model: Any) -> List[Any]:
    """Return the layers of a model that have weights, also those inside of models in the model."""
    layers: List[Any] = []
    for layer in model.layers:
        if hasattr(layer, "layers"):
            layers += layers_with_weights(layer)
        elif layer.weights:
            layers.append(layer)
    return layers


def expected_parts(layer: Any) -> Dict[str, Tuple[int, ...]]:
    """Return {part: shape} that a map needs for a layer, in TensorFlow 1's layout."""
    kind = type(layer).__name__
    if kind not in RECURRENT:
        return {_weight_name(weight): tuple(weight.shape) for weight in layer.weights
                if "seed" not in _weight_name(weight)}
    shapes = {_weight_name(weight): tuple(weight.shape) for weight in layer.weights}
    n_in, units = shapes["kernel"][0], layer.units
    if kind == "GRU":
        return {"gates_kernel": (n_in + units, 2 * units), "gates_bias": (2 * units,),
                "candidate_kernel": (n_in + units, units), "candidate_bias": (units,)}
    return {"kernel": (n_in + units, shapes["kernel"][1]), "bias": (shapes["kernel"][1],)}


def _weight_name(weight: Any) -> str:
    return str(weight.path).rsplit("/", 1)[-1]


def suggest_map(model: Any, checkpoint: CheckpointFile) -> Suggestion:
    """Propose which variables belong to which parts of a Keras model: by name, then by shape in their order."""
    free = {role.variable.name: role.variable.shape for role in role_table(checkpoint, None)
            if role.role in ("weight", "batch-norm statistic")}
    wanted = [(layer, part, shape) for layer in layers_with_weights(model)
              for part, shape in expected_parts(layer).items()]
    chosen: Dict[Tuple[str, str], str] = {}
    doubts: List[str] = []
    for layer, part, shape in wanted:  # by name
        found = [name for name, size in free.items() if size == shape and _has_name(name, layer.name, part)]
        if len(found) == 1:
            chosen[layer.name, part] = found[0]
            del free[found[0]]
    for layer, part, shape in wanted:  # by the end of the name and the shape, then by the shape alone
        if (layer.name, part) in chosen:
            continue
        candidates = [name for name, size in free.items() if size == shape and _has_part(name, part)] or \
            [name for name, size in free.items() if size == shape]
        if not candidates:
            doubts.append(f"{layer.name}/{part} {list(shape)}: no variable of this shape is left")
            continue
        name = sorted(candidates, key=_natural)[0]
        if len(candidates) > 1:
            doubts.append(f"{layer.name}/{part} {list(shape)}: {name} is the first of {len(candidates)} with this "
                          f"shape ({one_line(', '.join(sorted(candidates, key=_natural)))})")
        chosen[layer.name, part] = name
        del free[name]
    weight_map: WeightMap = {}
    for layer, part, _ in wanted:
        if (layer.name, part) in chosen:
            weight_map.setdefault(layer.name, {})[part] = chosen[layer.name, part]
    for layer in layers_with_weights(model):
        if type(layer).__name__ == "LSTM" and layer.name in weight_map:
            weight_map[layer.name]["forget_bias"] = 1.0
            doubts.append(f"{layer.name}/forget_bias: 1.0 is TensorFlow's default; a checkpoint does not hold it")
    doubts += [f"{name} {list(size)}: no part of the model takes it" for name, size in free.items()]
    return Suggestion(weight_map, doubts)


def _natural(name: str) -> List[Any]:
    """Return a key that sorts Variable_2 before Variable_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _has_name(name: str, layer: str, part: str) -> bool:
    """Return whether a variable's last scopes are a layer's name, and its own name is the part's."""
    return any(f"/{name}".replace("/", "_").endswith("_" + f"{layer}/{alias}".replace("/", "_"))
               for alias in ALIASES.get(part, (part,)))


def _has_part(name: str, part: str) -> bool:
    return any(f"/{name}".endswith(f"/{alias}") for alias in ALIASES.get(part, (part,)))


def read_map(path: Path) -> WeightMap:
    """Read a map.

    Raises:
        UserError: the file is no map.
    """
    try:
        content = read_json(path)
        if not isinstance(content, dict) or not all(
                isinstance(parts, dict) and all(isinstance(value, (str, int, float)) for value in parts.values())
                for parts in content.values()):
            raise ValueError("expected {layer: {part: variable}}")
    except (OSError, ValueError) as error:
        raise UserError(f"--map {display_path(path)}: not a map ({one_line(error)}); make one with --suggest-map") \
            from error
    return content


def mapped_weights(model: Any, weight_map: Mapping[str, Mapping[str, Any]], checkpoint: CheckpointFile,
                   read: Optional[Callable[[str], np.ndarray]] = None) -> List[np.ndarray]:
    """Return what a map takes from a checkpoint for each of model.weights, strictly, in Keras's layout.

    Args:
        model: the Keras model.
        weight_map: WeightMap.
        checkpoint: CheckpointFile.
        read: function that returns the array for a variable's name, such as its slot; the forget bias is then left
            out. None for the variable itself.

    Raises:
        UserError: a layer, part or variable is missing or unknown, or a shape differs.
    """
    layers = {layer.name: layer for layer in layers_with_weights(model)}
    for name in sorted(set(layers) ^ set(weight_map)):
        where = "the model has weights for it" if name in layers else "the model has no such layer with weights"
        raise UserError(f"--map: the layer {one_line(name)} is {'missing' if name in layers else 'unknown'} ({where}); "
                        "correct the map")
    arrays: Dict[int, np.ndarray] = {}
    for name, layer in layers.items():
        parts = {}
        for part, shape in expected_parts(layer).items():
            variable = weight_map[name].get(part)
            if not isinstance(variable, str) or variable not in checkpoint.variables:
                raise UserError(f"--map: {name}/{part} is {one_line(repr(variable))}, expected a variable of the "
                                "checkpoint; see --list")
            parts[part] = (read or checkpoint.read)(variable)
            if parts[part].shape != shape and parts[part].size == np.prod(shape) and part == "bias":
                parts[part] = parts[part].reshape(shape)  # [1, n] of a program that added a row
            if parts[part].shape != shape:
                raise UserError(f"--map: {name}/{part} has the shape {list(shape)}, {variable} "
                                f"{list(parts[part].shape)}; correct the map")
        forget_bias = weight_map[name].get("forget_bias", 1.0)
        unknown = set(weight_map[name]) - set(parts) - {"forget_bias"}
        if unknown or isinstance(forget_bias, str):
            raise UserError(f"--map: {name}/{one_line(sorted(unknown or ['forget_bias'])[0])} is no part of the layer, "
                            "or no number; correct the map")
        converted = _keras_weights(layer, parts, 0.0 if read else float(forget_bias))
        arrays.update({id(weight): array for weight, array in zip(layer.weights, converted)})
    return [arrays.get(id(weight), np.asarray(weight)) for weight in model.weights]


def _keras_weights(layer: Any, parts: Mapping[str, np.ndarray], forget_bias: float) -> Sequence[np.ndarray]:
    """Return the weights of a layer in Keras's layout and order."""
    kind = type(layer).__name__
    if kind == "GRU" and layer.reset_after:
        raise UserError(f"--map: the layer {layer.name} has reset_after=True, TensorFlow 1's GRUCell computes as with "
                        "reset_after=False; build the model so")
    if kind == "LSTM":
        converted = lstm_weights(parts["kernel"], parts["bias"], forget_bias)
    elif kind == "GRU":
        converted = gru_weights(parts["gates_kernel"], parts["gates_bias"], parts["candidate_kernel"],
                                parts["candidate_bias"])
    elif kind == "SimpleRNN":
        converted = rnn_weights(parts["kernel"], parts["bias"])
    else:
        converted = dict(parts)
    return [converted.get(_weight_name(weight), np.asarray(weight)) for weight in layer.weights]


# ---- for a file of tf.keras's weights ----

def named_layers(checkpoint: CheckpointFile) -> Dict[str, np.ndarray]:
    """Return the weights of a checkpoint as {layer/weight: array}, as their own names have it; LSTMs as read_h5 does.

    Raises:
        UserError: a name has no layer, or no weight of a layer that read_h5 knows.
    """
    values = {}
    for role in role_table(checkpoint, None):
        if role.role not in ("weight", "batch-norm statistic"):
            continue
        name = role.variable.name
        scope, _, part = name.rpartition("/")
        part = next((standard for standard, names in ALIASES.items() if part in names), part)
        layer = scope.replace("/", "_")
        if not scope or part not in ORDER or re.search(r"(gru|rnn)_cell(_\d+)?(/|$)", scope):
            raise UserError(f"--to h5: {name} names no layer of tf.keras; keep the .meta file beside the checkpoint, "
                            "or name a Keras model whose layers take the variables with --model")
        lstm = "/rnn/lstm_cell" if re.search(r"lstm_cell(_\d+)?$", scope) else ""
        values[f"{layer}{lstm}/{part}"] = checkpoint.read(name)
    return values


def layer_arrays(model: Any) -> Dict[str, np.ndarray]:
    """Return the weights of a Keras model as {layer/weight: array}; LSTMs as read_h5 does.

    Raises:
        UserError: a layer is recurrent and no LSTM, which the file cannot say.
    """
    values = {}
    for layer in layers_with_weights(model):
        if type(layer).__name__ in ("GRU", "SimpleRNN", "Bidirectional"):
            raise UserError(f"--to h5: of recurrent layers the file takes LSTM only, {layer.name} is a "
                            f"{type(layer).__name__}; try --to keras")
        values.update({f"{layer.name}/{_weight_name(weight)}": np.asarray(weight) for weight in layer.weights
                       if _weight_name(weight) in ORDER})
    return to_tf1_layout(values)


def as_text(weight_map: WeightMap) -> str:
    """Return a map as JSON that a person can edit."""
    return json.dumps(weight_map, indent=2) + "\n"
