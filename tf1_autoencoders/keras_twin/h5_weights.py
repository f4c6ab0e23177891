"""The .h5 weights of TensorFlow 1.15's tf.keras, read and written by TensorFlow 1's variable names."""
from __future__ import annotations

import numpy as np

from tf1_autoencoders.keras_twin.weights import to_keras, to_tensorflow1


def read_h5(path, scopes=None):
    """The weights that tf.keras of TensorFlow 1.15 (or Keras 2) saved with save_weights("....h5"), {name: array}.

    Args:
        path: the file.
        scopes: {layer of the file: scope of the graph} where they differ, e.g. lstm: encoder.

    Raises:
        ValueError: it is not such a file.
    """
    import h5py  # comes with TensorFlow
    values = {}
    try:
        with h5py.File(str(path), "r") as file:
            for layer in map(_str, file.attrs["layer_names"]):
                for weight in map(_str, file[layer].attrs["weight_names"]):
                    name = weight.split("/")[-1].split(":")[0]
                    values[f"{(scopes or {}).get(layer, layer)}/{name}"] = np.asarray(file[layer][weight])
    except (OSError, KeyError) as error:
        raise ValueError(f"{path}: not the weights of a Keras 2 model ({error}); write it with save_weights") from None
    return to_tensorflow1(values)


def write_h5(path, values, scopes=None):
    """Write weights {name: array} so that load_weights of TensorFlow 1.15's tf.keras reads them; see read_h5."""
    import h5py
    layers, layer_of = {}, {scope: layer for layer, scope in (scopes or {}).items()}
    for name, array in to_keras(values).items():
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


def _str(name):
    return name.decode() if isinstance(name, bytes) else str(name)
