"""The .h5 weights of tf.keras in TensorFlow 1.15, as {TensorFlow 1 variable name: array}."""
from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional, Union

import numpy as np

from tf1_autoencoders.keras_twin.weights import Arrays, to_keras_layout, to_tf1_layout
from tf1_autoencoders.utils.files import write_atomically

ORDER = ("kernel", "depthwise_kernel", "pointwise_kernel", "recurrent_kernel", "bias", "gamma", "beta", "moving_mean",
         "moving_variance", "embeddings")  # of a layer's weights, in which load_weights takes them
LSTM_ARGUMENTS = {"activation": "tanh", "recurrent_activation": "sigmoid", "go_backwards": False}  # LSTMCell's


def read_h5(path: Union[str, Path], scopes: Optional[Mapping[str, str]] = None,
            recurrent_activation: Optional[str] = None) -> Arrays:
    """Read weights that tf.keras of TensorFlow 1.15, or Keras 2, saved with save_weights or model.save.

    The gates of our LSTMs are sigmoids, as LSTMCell's are. Those of tf.keras in 1.15 are not by default: there,
    recurrent_activation is "hard_sigmoid", with which the same weights give other outputs. A file of model.save holds
    the activation, which is then checked; a file of save_weights does not, so that the caller must say it.

    Args:
        path: the .h5 file.
        scopes: {layer in the file: scope in the graph} for layers whose names differ, e.g. {"lstm": "encoder"}.
        recurrent_activation: the argument that the LSTMs of a file of save_weights were made with; needed only for a
            file that holds an LSTM and no activations.

    Returns:
        {TensorFlow 1 variable name: float32 array}, as weights.set_graph_weights and set_keras_weights take it.

    Raises:
        ValueError: the file does not contain the weights of a Keras 2 model; a layer is recurrent but not an LSTM, or
            wraps several layers; or an LSTM's activations are unknown, or not those of LSTMCell.
    """
    import h5py  # comes with TensorFlow, and is imported here because few runs need it
    values: Arrays = {}
    try:
        with h5py.File(str(path), "r") as file:
            config = file.attrs.get("model_config")  # only model.save writes it
            group = file if config is None else file["model_weights"]
            for layer in map(_decode, group.attrs["layer_names"]):
                for weight in map(_decode, group[layer].attrs["weight_names"]):
                    name = f"{(scopes or {}).get(layer, layer)}/{weight.split('/')[-1].split(':')[0]}"
                    if name in values:
                        raise ValueError(f"{path}: {layer} has two weights named {name}; expected one layer, not a "
                                         "model or wrapper of several")
                    values[name] = np.asarray(group[layer][weight])
    except (OSError, KeyError) as error:
        raise ValueError(f"{path}: not the weights of a Keras 2 model ({error}); write it with save_weights") from None
    _check_lstms(path, values, config, recurrent_activation)
    return to_tf1_layout(values)


def _check_lstms(path: Union[str, Path], values: Arrays, config: Any, recurrent_activation: Optional[str]) -> None:
    """Raise ValueError unless every recurrent layer of the file computes what LSTMCell does."""
    recurrent = {name: array.shape for name, array in values.items() if name.endswith("/recurrent_kernel")}
    for name, (units, n_columns) in recurrent.items():
        if n_columns != 4 * units:
            raise ValueError(f"{path}: {name} has shape {[units, n_columns]}; expected that of an LSTM, "
                             f"{[units, 4 * units]}")
    if config is not None:
        lstms = list(_lstm_configs(json.loads(_decode(config))))
    elif recurrent and recurrent_activation is None:
        raise ValueError(f"{path}: holds an LSTM but not its recurrent_activation, whose default in TensorFlow 1.15 is "
                         "'hard_sigmoid'; give recurrent_activation='sigmoid' if the layer was made with it")
    else:
        lstms = [{"name": name.rpartition("/")[0], "recurrent_activation": recurrent_activation} for name in recurrent]
    for lstm in lstms:
        for argument, expected in LSTM_ARGUMENTS.items():
            if lstm.get(argument, expected) != expected:
                raise ValueError(f"{path}: the LSTM {lstm['name']!r} has {argument}={lstm[argument]!r}; expected "
                                 f"{expected!r}, as LSTMCell computes; build and train the layer with it")


def _lstm_configs(config: Any) -> Iterator[Dict[str, Any]]:
    """Yield the arguments of every LSTM in a model's configuration, however deeply its models are nested."""
    if isinstance(config, dict):
        if config.get("class_name") == "LSTM":
            yield config["config"]
        config = list(config.values())
    for part in config if isinstance(config, list) else ():
        yield from _lstm_configs(part)


def write_h5(path: Union[str, Path], values: Arrays, scopes: Optional[Mapping[str, str]] = None) -> None:
    """Write weights in the form that load_weights of tf.keras in TensorFlow 1.15 reads; the file appears whole.

    Args:
        path: the .h5 file.
        values: {TensorFlow 1 variable name: array}, with names layer/weight and weights of ORDER.
        scopes: {layer in the file: scope in the graph}, as for read_h5.
    """
    import h5py
    layers: Dict[str, Arrays] = {}
    layer_names = {scope: layer for layer, scope in (scopes or {}).items()}
    for name, array in to_keras_layout(values).items():
        scope, weight = name.rsplit("/", 1)
        layers.setdefault(layer_names.get(scope, scope), {})[weight] = array
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs["layer_names"] = np.array(list(layers), "S")
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"2.2.4-tf"
        for layer, weights in layers.items():
            names = sorted(weights, key=ORDER.index)
            file.create_group(layer).attrs["weight_names"] = np.array([f"{layer}/{name}:0" for name in names], "S")
            for name in names:
                file[layer][f"{layer}/{name}:0"] = weights[name]
    write_atomically(Path(path), content.getvalue())


def _decode(name: Any) -> str:
    """Return a name of an .h5 file as text; h5py 2 gives bytes."""
    return name.decode() if isinstance(name, bytes) else str(name)
