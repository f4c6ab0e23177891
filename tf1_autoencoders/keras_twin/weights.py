"""Weights and gradients as {variable name: array}, to compare or exchange a graph and its Keras twin by name.

The names are those of TensorFlow 1.15. Only an LSTM's weights have another layout in Keras. For a layer `encoder`, a
graph has these variables, with the gates in the order i, j, f, o:

    encoder/rnn/lstm_cell/kernel    float32[n_in + units, 4 * units]
    encoder/rnn/lstm_cell/bias      float32[4 * units]; 1 is added to f at run time

The Keras layer has these weights, with the gates in the order i, f, c, o, where c is j:

    kernel                          float32[n_in, 4 * units]
    recurrent_kernel                float32[units, 4 * units]
    bias                            float32[4 * units]; the f part contains the 1

The two other differences are handled elsewhere: the scale of L2 in a section's build_keras (Keras's scale is half of
contrib's), and Adam's epsilon in keras_twin.build.
"""
from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from tf1_autoencoders.graphs.graph_model import GraphModel
from tf1_autoencoders.graphs.layers import FORGET_BIAS  # Keras's unit_forget_bias is the same 1

Arrays = Dict[str, np.ndarray]  # {variable name: array}


def graph_weights(session: Any, model: GraphModel) -> Arrays:
    """Return the values of a GraphModel's trainable variables, {name: array}.

    Args:
        session: tf1.Session or TimedSession on the model's graph.
        model: GraphModel.
    """
    return dict(zip(weight_names(model), session.run(list(model.weights))))


def set_graph_weights(session: Any, model: GraphModel, values: Arrays) -> None:
    """Set a GraphModel's trainable variables to {name: array}, strictly by name and shape.

    Raises:
        ValueError: a name is missing or unknown, or a shape differs.
    """
    _check_names_and_shapes({name: variable.shape.as_list()
                             for name, variable in zip(weight_names(model), model.weights)}, values)
    for name, variable in zip(weight_names(model), model.weights):
        # Feeding the initial value needs no new operation, so that a finalized graph can be set too.
        session.run(variable.initializer, {variable.initializer.inputs[1]: values[name]})


def weight_names(model: GraphModel) -> List[str]:
    """Return the names of a GraphModel's trainable variables, without TensorFlow's `:0`."""
    return [variable.op.name for variable in model.weights]


def keras_variables(keras_model: Any) -> Dict[str, Any]:
    """Return the Keras twin's trainable variables in Keras's own layout, {layer/weight: variable}.

    Except for LSTM layers, names and layout are also those of TensorFlow 1.15.
    """
    return {f"{layer.name}/{variable.name.split('/')[-1].split(':')[0]}": variable
            for layer in keras_model.layers for variable in layer.trainable_weights}


def keras_weights(keras_model: Any) -> Arrays:
    """Return the values of the Keras twin's trainable variables, {name: array}, with the graph's names and layout."""
    return to_tf1_layout({name: np.asarray(variable) for name, variable in keras_variables(keras_model).items()})


def keras_gradients(keras_model: Any, gradients: Sequence[Any]) -> Arrays:
    """Return a Keras twin's gradients as {name: array}, with the graph's names and layout.

    Args:
        keras_model: the Keras twin.
        gradients: one for each of keras_model.trainable_variables, in this order. Arrays of the same kind, e.g. Adam's
            slots, are converted likewise.
    """
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


def to_tf1_layout(values: Arrays, forget_bias: Optional[float] = None) -> Arrays:
    """Convert {layer/weight: array} in Keras's layout to {name: array} in TensorFlow 1's; only LSTM layers change.

    Args:
        values: arrays under the names of keras_variables.
        forget_bias: constant that Keras's forget-gate bias contains: 0 for gradients; None for weights, FORGET_BIAS.
    """
    forget_bias = FORGET_BIAS if forget_bias is None else forget_bias
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


def to_keras_layout(values: Arrays, forget_bias: Optional[float] = None) -> Arrays:
    """Convert {name: array} of to_tf1_layout back to Keras's layout, with the same forget_bias."""
    forget_bias = FORGET_BIAS if forget_bias is None else forget_bias
    converted: Arrays = {}
    for name, array in values.items():
        layer, lstm, weight = name.rpartition("/rnn/lstm_cell/")
        if not lstm:
            converted[name] = array
        elif weight == "kernel":
            kernel, n_units = _swap_gates(array), array.shape[1] // 4
            converted[f"{layer}/kernel"], converted[f"{layer}/recurrent_kernel"] = kernel[:-n_units], kernel[-n_units:]
        else:
            converted[f"{layer}/bias"] = _swap_gates(_with_forget_bias(array, forget_bias))
    return converted


def _swap_gates(array: np.ndarray) -> np.ndarray:
    """Swap the second and third block of the last axis: gates i, j, f, o <-> i, f, c, o, in either direction."""
    first, second, third, fourth = np.split(array, 4, axis=-1)
    return np.concatenate([first, third, second, fourth], axis=-1)


def _with_forget_bias(bias: np.ndarray, forget_bias: float) -> np.ndarray:
    """Add forget_bias to the third gate, f, of a bias float32[4 * units] in TensorFlow 1's order."""
    i, j, f, o = np.split(bias, 4)
    return np.concatenate([i, j, f + np.float32(forget_bias), o])


def _check_names_and_shapes(expected: Mapping[str, Sequence[int]], values: Arrays) -> None:
    """Raise ValueError unless `values` has exactly the names and shapes {name: shape} that are expected."""
    if set(expected) != set(values):
        missing, unknown = sorted(set(expected) - set(values)), sorted(set(values) - set(expected))
        raise ValueError(f"weights by name: missing {missing}, unknown {unknown}")
    for name, shape in expected.items():
        if list(np.shape(values[name])) != shape:
            raise ValueError(f"{name}: shape {list(np.shape(values[name]))}, expected {shape}")
