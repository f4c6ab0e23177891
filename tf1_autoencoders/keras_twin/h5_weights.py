"""The .h5 weights of TensorFlow 1.15's tf.keras, read and written by TensorFlow 1's variable names."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Union

import numpy as np

from tf1_autoencoders.keras_twin.weights import Arrays, to_keras_layout, to_tf1_layout


def read_h5(path: Union[str, Path], scopes: Optional[Mapping[str, str]] = None) -> Arrays:
    """Return the weights that tf.keras of TensorFlow 1.15 (or Keras 2) saved with save_weights, {name: array}.

    Args:
        path: the file.
        scopes: {layer of the file: scope of the graph} for names that differ, e.g. lstm: encoder.

    Raises:
        ValueError: the file is not such a file.
    """
    import h5py  # comes with TensorFlow
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
    """Write weights {name: array} in the form that load_weights of TensorFlow 1.15's tf.keras reads; see read_h5."""
    import h5py
    layers: Dict[str, Arrays] = {}
    layer_of = {scope: layer for layer, scope in (scopes or {}).items()}
    for name, array in to_keras_layout(values).items():
        scope, weight = name.rsplit("/", 1)
        layers.setdefault(layer_of.get(scope, scope), {})[weight] = array
    with h5py.File(str(path), "w") as file:
        file.attrs["layer_names"] = np.array(list(layers), "S")
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.2.4-tf"
        for layer, weights in layers.items():
            ordered = sorted(weights, key=("kernel", "recurrent_kernel", "bias").index)
            file.create_group(layer).attrs["weight_names"] = np.array([f"{layer}/{name}:0" for name in ordered], "S")
            for name in ordered:
                file[layer][f"{layer}/{name}:0"] = weights[name]


def _decode(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
