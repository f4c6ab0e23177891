"""Weights and gradients as {variable name: array}, under TensorFlow 1.15's names, between a graph and its Keras twin.

The traps between the two are dealt with where they arise: L2 (Keras's scale is half of contrib's) and Adam's epsilon
(1e-8 in TensorFlow 1, 1e-7 in Keras) in the section's build_keras, the layout of an LSTM layer's weights here. The
layer that Keras calls `encoder` has these variables in a graph:

    encoder/rnn/lstm_cell/kernel    [n_in + units, 4 * units], gates i, j, f, o
    encoder/rnn/lstm_cell/bias      [4 * units], the same gates; 1 is added to f at run time

and in Keras a kernel [n_in, 4 * units], a recurrent_kernel [units, 4 * units] and a bias whose f part holds the 1, with
gates i, f, c, o (c is j).
"""
from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence

import numpy as np

from tf1_autoencoders.graphs.graph_model import GraphModel
from tf1_autoencoders.graphs.layers import FORGET_BIAS  # Keras's unit_forget_bias is the same 1
from tf1_autoencoders.utils.frameworks import tf1

Arrays = Dict[str, np.ndarray]


def graph_weights(session: Any, model: GraphModel) -> Arrays:
    """Return the trainable variables of a GraphModel, {name: array}, e.g. dense/kernel float32[1024, 200]."""
    return dict(zip(weight_names(model), session.run(list(model.weights))))


def set_graph_weights(session: Any, model: GraphModel, values: Arrays) -> None:
    """Set a GraphModel's trainable variables to {name: array}, strictly by name and shape.

    Raises:
        ValueError: a name is missing or unknown, or a shape differs.
    """
    _check_names_and_shapes({name: variable.shape.as_list()
                             for name, variable in zip(weight_names(model), model.weights)}, values)
    for name, variable in zip(weight_names(model), model.weights):
        session.run(variable.initializer, {variable.initializer.inputs[1]: values[name]})


def weight_names(model: GraphModel) -> List[str]:
    """Return the names of a GraphModel's trainable variables, without TensorFlow's `:0`."""
    return [variable.op.name for variable in model.weights]


def graph_gradients(model: GraphModel) -> List[Any]:
    """Return the tensors d loss / d weight of a GraphModel, in the order of model.weights; the graph grows."""
    with model.graph.as_default():
        return tf1.gradients(model.loss, list(model.weights))


def keras_variables(keras_model: Any) -> Dict[str, Any]:
    """Return the Keras twin's trainable variables, in its own layout: {layer/weight: variable}.

    Except for LSTM layers, these are TensorFlow 1.15's names and layout too.
    """
    return {f"{layer.name}/{variable.name.split('/')[-1].split(':')[0]}": variable
            for layer in keras_model.layers for variable in layer.trainable_weights}


def keras_weights(keras_model: Any) -> Arrays:
    """Return the Keras twin's trainable variables, {name: array}."""
    return to_tf1_layout({name: np.asarray(variable) for name, variable in keras_variables(keras_model).items()})


def keras_gradients(keras_model: Any, gradients: Sequence[Any]) -> Arrays:
    """Return gradients, in the order of keras_model.trainable_variables, as {name: array} like a graph's."""
    variables = keras_variables(keras_model)
    assert [*map(id, variables.values())] == [*map(id, keras_model.trainable_variables)]
    return to_tf1_layout(dict(zip(variables, map(np.asarray, gradients))), forget_bias=0)


def set_keras_weights(keras_model: Any, values: Arrays) -> None:
    """Set the Keras twin's trainable variables to {name: array}, strictly by name and shape.

    Raises:
        ValueError: a name is missing or unknown, or a shape differs.
    """
    _check_names_and_shapes({name: list(array.shape) for name, array in keras_weights(keras_model).items()}, values)
    values = to_keras_layout(values)
    for name, variable in keras_variables(keras_model).items():
        variable.assign(values[name])


def to_tf1_layout(values: Arrays, forget_bias: float = FORGET_BIAS) -> Arrays:
    """Convert {layer/weight: array} in Keras's layout to {name: array} in TensorFlow 1's; only LSTM layers change.

    Args:
        values: arrays under the names of keras_variables.
        forget_bias: constant that Keras adds to the forget-gate bias: 1 for weights, 0 for gradients.
    """
    converted: Arrays = {}
    for name, array in values.items():
        layer, weight = name.rsplit("/", 1)
        if f"{layer}/recurrent_kernel" not in values:
            converted[name] = array
        elif weight == "kernel":
            kernel = np.concatenate([array, values[f"{layer}/recurrent_kernel"]])
            converted[f"{layer}/rnn/lstm_cell/kernel"] = _swap_gates(kernel)
        elif weight == "bias":
            converted[f"{layer}/rnn/lstm_cell/bias"] = _with_forget_bias(_swap_gates(array), -forget_bias)
    return converted


def to_keras_layout(values: Arrays) -> Arrays:
    """Convert the weights {name: array} of to_tf1_layout back to Keras's layout."""
    converted: Arrays = {}
    for name, array in values.items():
        layer, lstm, weight = name.rpartition("/rnn/lstm_cell/")
        if not lstm:
            converted[name] = array
        elif weight == "kernel":
            kernel, n_units = _swap_gates(array), array.shape[1] // 4
            converted[f"{layer}/kernel"], converted[f"{layer}/recurrent_kernel"] = kernel[:-n_units], kernel[-n_units:]
        else:
            converted[f"{layer}/bias"] = _swap_gates(_with_forget_bias(array, FORGET_BIAS))
    return converted


def _swap_gates(array: np.ndarray) -> np.ndarray:
    """Exchange the second and third block of the last axis: gates i j f o <-> i f c o, in either direction."""
    first, second, third, fourth = np.split(array, 4, axis=-1)
    return np.concatenate([first, third, second, fourth], axis=-1)


def _with_forget_bias(bias: np.ndarray, forget_bias: float) -> np.ndarray:
    """Return a bias float32[4 * units] in TensorFlow 1's order, with forget_bias added to the third gate, f."""
    i, j, f, o = np.split(bias, 4)
    return np.concatenate([i, j, f + np.float32(forget_bias), o])


def _check_names_and_shapes(expected: Mapping[str, Sequence[int]], values: Arrays) -> None:
    if set(expected) != set(values):
        missing, unknown = sorted(set(expected) - set(values)), sorted(set(values) - set(expected))
        raise ValueError(f"weights by name: missing {missing}, unknown {unknown}")
    for name, shape in expected.items():
        if list(np.shape(values[name])) != shape:
            raise ValueError(f"{name}: shape {list(np.shape(values[name]))}, expected {shape}")
