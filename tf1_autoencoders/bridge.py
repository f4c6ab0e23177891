"""Weights and gradients as {variable name: array}, under TensorFlow 1.15's names, between a graph and its Keras twin.

The numeric traps between the two, each dealt with where it arises: L2 (Keras's scale is twice contrib's) and Adam's
epsilon (1e-8 here, 1e-7 in Keras) in the section's build_keras; the layout of an LSTM layer's weights here. The layer
that Keras calls `encoder` has these in a graph:

    encoder/rnn/lstm_cell/kernel    [n_in + units, 4 * units], gates i, j, f, o
    encoder/rnn/lstm_cell/bias      [4 * units], the same; 1 is added to f at run time

and in Keras a kernel [n_in, 4 * units], a recurrent_kernel [units, 4 * units] and a bias whose f part holds the 1, with
gates i, f, c, o (c is j).
"""
from __future__ import annotations

import numpy as np

from tf1_autoencoders.frameworks import keras, tf1

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # the defaults of tf1.train.AdamOptimizer
FORGET_BIAS = 1.0  # of TensorFlow 1's LSTMCell, and of Keras's unit_forget_bias


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
        session.run(variable.initializer, {variable.initializer.inputs[1]: values[name]})


def names(model):
    """The names of a GraphModel's trainable variables, without TensorFlow's `:0`."""
    return [variable.op.name for variable in model.weights]


def graph_gradients(model):
    """The tensors d loss / d weight of a GraphModel, in the order of model.weights; adds operations to the graph."""
    with model.graph.as_default():
        return tf1.gradients(model.loss, list(model.weights))


def keras_variables(keras_model):
    """The Keras twin's trainable variables, in its own layout: {layer/weight: variable}.

    These are TensorFlow 1.15's names and layout too, but for those of LSTM layers.
    """
    return {f"{layer.name}/{variable.name.split('/')[-1].split(':')[0]}": variable
            for layer in keras_model.layers for variable in layer.trainable_weights}


def keras_weights(keras_model):
    """The Keras twin's trainable variables, {name: array}."""
    return to_tensorflow1({name: np.asarray(variable) for name, variable in keras_variables(keras_model).items()})


def keras_gradients(keras_model, gradients):
    """Gradients in the order of keras_model.trainable_variables as {name: array}, to compare with a graph's."""
    variables = keras_variables(keras_model)
    assert [*map(id, variables.values())] == [*map(id, keras_model.trainable_variables)]
    return to_tensorflow1(dict(zip(variables, map(np.asarray, gradients))), forget_bias=0)


def set_keras_weights(keras_model, values):
    """Give the Keras twin's trainable variables the values of {name: array}, strictly by name and shape.

    Raises:
        ValueError: a name is missing or unknown, or a shape differs.
    """
    _check({name: list(array.shape) for name, array in keras_weights(keras_model).items()}, values)
    values = to_keras(values)
    for name, variable in keras_variables(keras_model).items():
        variable.assign(values[name])


def to_tensorflow1(values, forget_bias=FORGET_BIAS):
    """{layer/weight: array} in Keras's layout -> {name: array} in TensorFlow 1's; other layers than LSTM pass through.

    Args:
        values: as keras_variables names them.
        forget_bias: what the f part of an LSTM's bias holds too much: the 1 in weights, 0 in gradients.
    """
    converted = {}
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


def to_keras(values):
    """The weights {name: array} of to_tensorflow1, back in Keras's layout."""
    converted = {}
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


def _swap_gates(array):
    """The four blocks of the last axis, i j f o <-> i f c o: the second and the third change places, either way."""
    first, second, third, fourth = np.split(array, 4, axis=-1)
    return np.concatenate([first, third, second, fourth], axis=-1)


def _with_forget_bias(bias, forget_bias):
    """A bias float32[4 * units] in TensorFlow 1's order, with forget_bias added to the third gate, f."""
    i, j, f, o = np.split(bias, 4)
    return np.concatenate([i, j, f + np.float32(forget_bias), o])


def keras_adam(learning_rate):
    """Keras's own Adam with the numbers of tf1.train.AdamOptimizer.

    Epsilon is TensorFlow 1's 1e-8 (Keras has 1e-7), and the betas are rounded to float32 first, as they are in a
    TensorFlow 1 graph: Keras takes 1 - beta in double precision otherwise.
    """
    return keras.optimizers.Adam(learning_rate, beta_1=float(np.float32(BETA_1)), beta_2=float(np.float32(BETA_2)),
                                 epsilon=EPSILON)


def keras_upsampling(name):
    """Keras's layer that doubles height and width; its gradient adds the four pixels in an order of its own."""
    return keras.layers.UpSampling2D((2, 2), name=name)


def exact_upsampling(name):
    """The same by the operation that the graph uses, so that the gradient is rounded as there."""
    def resize(x):
        return tf1.image.resize_nearest_neighbor(x, [2 * x.shape[1], 2 * x.shape[2]])
    return keras.layers.Lambda(resize, output_shape=lambda shape: (shape[0], 2 * shape[1], 2 * shape[2], shape[3]),
                               name=name)


def exact_adam(learning_rate):
    """A Keras 3 optimiser that steps exactly as tf1.train.AdamOptimizer does, to the byte.

    The same kernel (ResourceApplyAdam) on the same numbers: beta powers that are multiplied step by step in float32,
    where Keras computes a power anew.
    """
    class ExactAdam(keras.optimizers.Adam):
        def build(self, variables):
            super().build(variables)
            self.beta_powers = [tf1.Variable(np.float32(beta), trainable=False, use_resource=True)
                                for beta in (BETA_1, BETA_2)]

        def update_step(self, gradient, variable, learning_rate):
            index = self._get_variable_index(variable)
            tf1.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=self.beta_powers[0], beta2_power=self.beta_powers[1],
                lr=tf1.cast(learning_rate, tf1.float32), beta1=np.float32(BETA_1), beta2=np.float32(BETA_2),
                epsilon=np.float32(EPSILON), grad=gradient)

        def apply(self, gradients, variables=None):
            super().apply(gradients, variables)
            for power, beta in zip(self.beta_powers, (BETA_1, BETA_2)):
                power.assign(power * np.float32(beta))

    return ExactAdam(learning_rate)


def _check(expected, values):
    if set(expected) != set(values):
        missing, unknown = sorted(set(expected) - set(values)), sorted(set(values) - set(expected))
        raise ValueError(f"weights by name: missing {missing}, unknown {unknown}")
    for name, shape in expected.items():
        if list(np.shape(values[name])) != shape:
            raise ValueError(f"{name}: shape {list(np.shape(values[name]))}, expected {shape}")
