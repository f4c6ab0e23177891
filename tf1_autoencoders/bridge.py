"""Weights and gradients as {variable name: array}, under TensorFlow 1.15's names, between a graph and its Keras twin.

The numeric traps between the two, each dealt with where it arises: L2 (Keras's scale is twice contrib's) and Adam's
epsilon (1e-8 here, 1e-7 in Keras) in the section's build_keras.
"""
from __future__ import annotations

import numpy as np

from tf1_autoencoders.frameworks import tf1


def graph_weights(session, model):
    """The trainable variables of a GraphModel, {name: array}, e.g. dense/kernel float32[1024, 200]."""
    return dict(zip(names(model), session.run(list(model.weights))))


def set_graph_weights(session, model, values):
    """Give a GraphModel's trainable variables the values of {name: array}, strictly by name and shape.

    Raises:
        ValueError: a name is missing or unknown, or a shape differs.
    """
    _check({name: variable.shape.as_list() for name, variable in zip(names(model), model.weights)}, values)
    for name, variable in zip(names(model), model.weights):
        variable.load(values[name], session.tf1_session)


def names(model):
    """The names of a GraphModel's trainable variables, without TensorFlow's `:0`."""
    return [variable.op.name for variable in model.weights]


def graph_gradients(model):
    """The tensors d loss / d weight of a GraphModel, in the order of model.weights; adds operations to the graph."""
    with model.graph.as_default():
        return tf1.gradients(model.loss, list(model.weights))


def keras_variables(keras_model):
    """The Keras twin's trainable variables under TensorFlow 1.15's names: {layer/weight: variable}."""
    return {f"{layer.name}/{variable.name.split('/')[-1].split(':')[0]}": variable
            for layer in keras_model.layers for variable in layer.trainable_weights}


def keras_weights(keras_model):
    """The Keras twin's trainable variables, {name: array}."""
    return {name: np.asarray(variable) for name, variable in keras_variables(keras_model).items()}


def set_keras_weights(keras_model, values):
    """Give the Keras twin's trainable variables the values of {name: array}, strictly by name and shape.

    Raises:
        ValueError: a name is missing or unknown, or a shape differs.
    """
    variables = keras_variables(keras_model)
    _check({name: list(variable.shape) for name, variable in variables.items()}, values)
    for name, variable in variables.items():
        variable.assign(values[name])


def _check(expected, values):
    if set(expected) != set(values):
        missing, unknown = sorted(set(expected) - set(values)), sorted(set(values) - set(expected))
        raise ValueError(f"weights by name: missing {missing}, unknown {unknown}")
    for name, shape in expected.items():
        if list(np.shape(values[name])) != shape:
            raise ValueError(f"{name}: shape {list(np.shape(values[name]))}, expected {shape}")
