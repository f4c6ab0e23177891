"""The package's side of the comparison with the original: the same values under the same keys, in any TensorFlow.

    python -m tests.tf115.ours FOLDER     train each small network for 50 steps, and write FOLDER/<network>/model.ckpt
                                          and FOLDER/<network>/values.npz

`python -m tests.tf115.original restore FOLDER/<network>/model.ckpt --section N` then restores them under 1.15.5.
"""
from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np

from tf1_autoencoders import crosscheck
from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.keras_twin.build import TF1_EPSILON
from tf1_autoencoders.keras_twin.weights import (
    graph_weights,
    keras_gradients,
    keras_weights,
    set_graph_weights,
    weight_names,
)
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.frameworks import keras, tf1

HERE = Path(__file__).resolve().parent
FIXTURES = HERE / "fixtures"
SIZES = json.loads((FIXTURES / "sizes.json").read_text())
N_STEPS = 50
# The last operation of a layer, by the kind of layer; a convolution of an upsampled image interleaves its pixels last
LAST_OPERATIONS = ("/halves", "/DepthToSpace", "/Elu", "/Relu", "/Sigmoid", "/rnn/lstm_cell/stack", "")


def section_module(name):
    """Return the Section of a network; `section2_l2` is a network of section 2."""
    return SECTIONS[int(name[len("section")])]


def section_settings(name, sizes=None, **changes):
    """Return the Settings of a network, small unless other sizes are given, with the epsilon of TensorFlow 1's Adam."""
    settings = section_module(name).settings_class(**(sizes or SIZES[name]), **changes)
    return dataclasses.replace(settings, adam_epsilon=TF1_EPSILON) if hasattr(settings, "adam_epsilon") else settings


def unfused_setting(name):
    """Return the settings with which a graph consists of the original's operations, {} if the section has no choice."""
    return dict(section_module(name).export_overrides)


def original_values(name):
    """Read what the original computed: {key: array}, see original.run."""
    with np.load(str(FIXTURES / name / "numbers.npz")) as file:
        return dict(file)


def strip_prefix(prefix, values):
    """Return the entries of `values` whose keys start with `prefix/`, with the prefix removed from the keys."""
    return {key[len(prefix) + 1:]: value for key, value in values.items() if key.startswith(prefix + "/")}


def add_prefix(prefix, values):
    """Return {prefix/name: value}; strip_prefix is the inverse."""
    return {f"{prefix}/{name}": value for name, value in values.items()}


def column_of_key(key):
    """Return the quantity that a key of `run` belongs to, as the tables and the tolerances name it."""
    first, last = key.split("/")[0], key.split("/")[-1]
    if first == "final":
        return {"Adam": "m", "Adam_1": "v"}.get(last, "final weights")
    return {"trace": "trace", "final_outputs": "final outputs", "gradients": "gradients"}.get(first, "forward")


def relative_difference(values, references):
    """Return the largest difference divided by the largest reference."""
    assert np.shape(values) == np.shape(references)
    largest = np.max(np.abs(np.subtract(values, references, dtype=np.float64)))
    return float(largest / np.max(np.abs(references))) if largest else 0.0  # a dead filter has only zeros


def column_difference(values, expected, column):
    """Return the largest relative difference of the arrays in a column, except initial values.

    Args:
        values, expected: {key: array}; the trace in `values` can be shorter.
        column: see column_of_key.
    """
    expected = {**expected, "trace": expected["trace"][:len(values["trace"])]}
    keys = [key for key in values if column_of_key(key) == column and not key.startswith("initial/")]
    return float(np.max([relative_difference(values[key], expected[key]) for key in keys]))


def cyclic_batch(data, k, batch_size):
    """Return batch k: rows k * batch_size, ... of each array, continuing at row 0 after the last row."""
    rows = np.arange(k * batch_size, (k + 1) * batch_size) % len(data[0])
    return tuple(array[rows] for array in data)


def hidden_tensor(model, layer):
    """Return the output tensor of a hidden layer of a GraphModel; None for a layer that is computed in microbatches.

    An encoder's state is one of the model's own tensors; every other layer is found by the names of its operations.
    """
    if layer.startswith("encoder_"):
        return model.tensors["encoder_states"]["hc".index(layer[-1])]
    operations = {operation.name for operation in model.graph.get_operations()}
    name = next((layer + operation for operation in LAST_OPERATIONS if layer + operation in operations), None)
    return model.graph.get_tensor_by_name(name + ":0") if name else None


def all_variables(session, model):
    """Return the weights, Adam's slots and the beta powers: {name: array}."""
    with model.graph.as_default():
        variables = tf1.global_variables()
    return {variable.op.name: value for variable, value in zip(variables, session.run(variables))}


def run(session, model, data, batch_size, hidden, initial=None, n_steps=N_STEPS):
    """Train a GraphModel and return its values under the keys of original.run.

    Args:
        session: session on the model's graph; the variables are not initialised yet.
        model: GraphModel; the original's batches come through its pipeline.
        data: arrays [n, ...], one for each of model.pipeline.batch.
        batch_size: rows per step.
        hidden: names of the hidden layers.
        initial: {variable name: array} to start from; None for the values of the initialisers.
        n_steps: number of steps of Adam.
    """
    with model.graph.as_default():
        gradients = dict(zip(weight_names(model), tf1.gradients(model.loss, list(model.weights))))
    fetches = {"outputs": model.outputs, "loss": model.loss, "loss_without_l2": model.loss}
    if "l2" in model.metrics:
        squared_error = model.metrics["mse"].op.inputs[0]  # before its conversion to squared grey levels
        fetches.update(l2=model.metrics["l2"], loss_without_l2=squared_error)
    tensors = {f"hidden/{layer}": hidden_tensor(model, layer) for layer in hidden}
    fetches.update({key: tensor for key, tensor in tensors.items() if tensor is not None})
    fetches.update({f"gradients/{variable}": gradient for variable, gradient in gradients.items()})

    # Each session.run takes a new batch from the pipeline, which therefore gets each batch as often as it is used.
    batches = [0, *(k for k in range(n_steps) for _ in range(2)), 0]
    arrays = tuple(map(np.concatenate, zip(*(cyclic_batch(data, k, batch_size) for k in batches))))
    trainers.GraphTrainer(session, model, arrays, batch_size).feed_row_order(np.arange(len(arrays[0])))

    session.run(model.initializer)
    values = {f"initial/{variable}": value for variable, value in graph_weights(session, model).items()}
    if initial is not None:
        set_graph_weights(session, model, initial)
    values.update(session.run(fetches))
    trace = []
    for _ in range(n_steps):  # two runs per step, as in the original
        trace.append(session.run(model.loss))
        session.run(model.train_op)
    values["trace"] = np.array(trace, np.float32)
    values["final_outputs"] = session.run(model.outputs)
    values.update({f"final/{variable}": value for variable, value in all_variables(session, model).items()})
    return values


def run_twin(twin, batches, hidden=(), n_steps=N_STEPS):
    """Train a Keras twin and return its values under the keys of original.run.

    Args:
        twin: Keras 3 model, compiled, with its initial weights.
        batches: [(inputs, targets)], one for each step.
        hidden: names of the hidden layers.
        n_steps: number of steps of the twin's optimiser.
    """
    step = crosscheck.compiled_step(twin)
    inputs, targets = batches[0]
    loss, outputs, gradients = step(inputs, targets)
    values = {"loss": loss, "outputs": outputs, **hidden_outputs(twin, hidden, inputs)}
    values.update(add_prefix("gradients", keras_gradients(twin, gradients)))
    trace = []
    for batch in batches[:n_steps]:
        loss, _, gradients = step(*batch)
        trace.append(loss)
        twin.optimizer.apply_gradients(zip(gradients, twin.trainable_variables))
    values["trace"], values["final_outputs"] = np.array(trace, np.float32), step(inputs, targets)[1]
    values.update(add_prefix("final", keras_weights(twin)))
    for slot, slot_arrays in (("Adam", twin.optimizer._momentums), ("Adam_1", twin.optimizer._velocities)):
        slots = keras_gradients(twin, slot_arrays)
        values.update({f"final/{variable}/{slot}": value for variable, value in slots.items()})
    if n_steps and hasattr(twin.optimizer, "beta_powers"):
        values.update({f"final/beta{k + 1}_power": power for k, power in enumerate(twin.optimizer.beta_powers)})
    return {key: np.asarray(value) for key, value in values.items()}


def hidden_outputs(twin, layers, inputs):
    """Return {hidden/<layer>: array} of a Keras twin.

    A layer of section 4 has several outputs: of the encoder the state is compared, of the decoder the outputs.
    """
    if not layers:
        return {}
    lstm_outputs = {"encoder_h": ("encoder", 1), "encoder_c": ("encoder", 2), "decoder": ("decoder", 0)}
    tensors = {}
    for layer in layers:
        name, index = lstm_outputs.get(layer, (layer, None))
        output = twin.get_layer(name).output
        tensors[layer] = output if index is None else output[index]
    arrays = keras.Model(twin.inputs, list(tensors.values()))(inputs if isinstance(inputs, list) else [inputs])
    return add_prefix("hidden", dict(zip(tensors, arrays)))


def write(folder):
    """Train each small network on the original's data; write its checkpoint and its variables to folder/<network>/."""
    for name, sizes in SIZES.items():
        section, data = section_module(name), tuple(strip_prefix("data", original_values(name)).values())
        model = section.build_graph(section_settings(name))
        with TimedSession(model, threads=1) as session:
            run(session, model, data, sizes["batch_size"], hidden=())
            values = all_variables(session, model)
            (Path(folder) / name).mkdir(parents=True, exist_ok=True)
            saver.save(session, model.saver, Path(folder) / name)
        np.savez(str(Path(folder) / name / "values.npz"), **values)
        print(f"{name}: {len(values)} variables, {sum(value.size for value in values.values())} values")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m tests.tf115.ours FOLDER")
    write(sys.argv[1])
