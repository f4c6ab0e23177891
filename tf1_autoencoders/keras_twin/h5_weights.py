"""The .h5 weights of tf.keras in TensorFlow 1.15, as {TensorFlow 1 variable name: array}."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Union

import numpy as np

from tf1_autoencoders.keras_twin.weights import Arrays, to_keras_layout, to_tf1_layout


def read_h5(path: Union[str, Path], scopes: Optional[Mapping[str, str]] = None) -> Arrays:
    """Read weights that tf.keras of TensorFlow 1.15, or Keras 2, saved with save_weights.

    Args:
        path: the .h5 file.
        scopes: {layer in the file: scope in the graph} for layers whose names differ, e.g. {"lstm": "encoder"}.

    Returns:
        {TensorFlow 1 variable name: float32 array}, as weights.set_graph_weights and set_keras_weights take it.

    Raises:
        ValueError: the file does not contain the weights of a Keras 2 model.
    """
    import h5py  # comes with TensorFlow, and is imported here because few runs need it
    values = {}
    try:
        with h5py.File(str(path), "r") as file:
            for layer in map(_decode, file.attrs["layer_names"]):
                for weight in map(_decode, file[layer].attrs["weight_names"]):
                    name = weight.split("/")[-1].split(":")[0]
                    values[f"{(scopes or {}).get(layer, layer)}/{name}"] = np.asarray(file[layer][weight])
    except (OSError, KeyError) as error:
        raise ValueError(f"{path}: not the weights of a Keras 2 model ({error}); write it with save_weights") from None
    return to_tf1_layout(values)


def write_h5(path: Union[str, Path], values: Arrays, scopes: Optional[Mapping[str, str]] = None) -> None:
    """Write weights in the form that load_weights of tf.keras in TensorFlow 1.15 reads.

    Args:
        path: the .h5 file.
        values: {TensorFlow 1 variable name: array}.
        scopes: {layer in the file: scope in the graph}, as for read_h5.
    """
    import h5py
    layers: Dict[str, Arrays] = {}
    layer_names = {scope: layer for layer, scope in (scopes or {}).items()}
    for name, array in to_keras_layout(values).items():
        scope, weight = name.rsplit("/", 1)
        layers.setdefault(layer_names.get(scope, scope), {})[weight] = array
    with h5py.File(str(path), "w") as file:
        file.attrs["layer_names"] = np.array(list(layers), "S")
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.2.4-tf"
        for layer, weights in layers.items():
            names = sorted(weights, key=("kernel", "recurrent_kernel", "bias").index)  # the order of load_weights
            file.create_group(layer).attrs["weight_names"] = np.array([f"{layer}/{name}:0" for name in names], "S")
            for name in names:
                file[layer][f"{layer}/{name}:0"] = weights[name]


def _decode(name: Any) -> str:
    """Return a name of an .h5 file as text; h5py 2 gives bytes."""
    return name.decode() if isinstance(name, bytes) else str(name)
