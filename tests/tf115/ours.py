"""The package's side of the comparison with the original: the same numbers under the same keys, in any TensorFlow.

    python -m tests.tf115.ours FOLDER     train each small network for 50 steps, into FOLDER/<name>/model.ckpt and
                                          values.npz

`python -m tests.tf115.original restore FOLDER/<name>/model.ckpt --section N` then restores them under 1.15.5.
"""
from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.keras_twin.weights import graph_gradients, graph_weights, set_graph_weights, weight_names
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.frameworks import tf1

HERE = Path(__file__).resolve().parent
FIXTURES = HERE / "fixtures"
SIZES = json.loads((FIXTURES / "sizes.json").read_text())
N_STEPS = 50
HIDDEN_OPERATIONS = ("/Elu", "/Relu", "/Sigmoid", "/rnn/lstm_cell/stack", "")  # what ends a layer, by its kind


def section_of(name):
    """The section's module: `section2_l2` is a network of section 2."""
    return SECTIONS[int(name[len("section")])]


def unfused(name):
    """The setting with which a graph is made of the original's operations one by one, where it has that choice."""
    return dict(fused=False) if hasattr(section_of(name).Settings, "fused") else {}


def numbers_in(name):
    """What the original made: {key: array}, see original.run."""
    with np.load(str(FIXTURES / name / "numbers.npz")) as file:
        return dict(file)


def under(prefix, numbers):
    """The entries of numbers whose keys start with `prefix/`, without it."""
    return {key[len(prefix) + 1:]: value for key, value in numbers.items() if key.startswith(prefix + "/")}


def batch_of(data, k, batch_size):
    """Batch k: rows k * batch_size, ... of each array, counted round the end of the data."""
    rows = np.arange(k * batch_size, (k + 1) * batch_size) % len(data[0])
    return tuple(array[rows] for array in data)


def hidden_tensor(model, layer):
    """The output of a hidden layer of a GraphModel: a part of it, or found by the names of its operations."""
    if layer.startswith("encoder_"):
        return model.tensors["encoder_states"]["hc".index(layer[-1])]
    operations = {operation.name for operation in model.graph.get_operations()}
    name = next(layer + end for end in HIDDEN_OPERATIONS if layer + end in operations)
    return model.graph.get_tensor_by_name(name + ":0")


def all_variables(session, model):
    """Weights, slots and beta powers: {name: array}."""
    with model.graph.as_default():
        variables = tf1.global_variables()
    return {variable.op.name: value for variable, value in zip(variables, session.run(variables))}


def run(session, model, data, batch_size, hidden, initial=None, n_steps=N_STEPS):
    """The numbers of a GraphModel, as original.run gives them for the original.

    Args:
        session: whose graph is the model's; its variables have no values yet.
        model: GraphModel; the original's batches come through its pipeline.
        data: arrays [n, ...], one for each of model.pipeline.batch.
        batch_size: rows a step.
        hidden: names of the hidden layers.
        initial: {variable name: array} to start from; None for what the initialisers give.
        n_steps: of Adam.
    """
    gradients = dict(zip(weight_names(model), graph_gradients(model)))
    fetches = {"outputs": model.outputs, "loss": model.loss, "loss_without_l2": model.loss}
    if "l2" in model.metrics:
        squared_error = model.metrics["mse"].op.inputs[0]  # before it is brought back to grey levels
        fetches.update(l2=model.metrics["l2"], loss_without_l2=squared_error)
    fetches.update({f"hidden/{layer}": hidden_tensor(model, layer) for layer in hidden})
    fetches.update({f"gradients/{variable}": gradient for variable, gradient in gradients.items()})

    # The pipeline gives each session.run a new batch: so it holds every batch as often as it is asked for below.
    batches = [0, *(k for k in range(n_steps) for _ in range(2)), 0]
    laid_out = tuple(map(np.concatenate, zip(*(batch_of(data, k, batch_size) for k in batches))))
    trainers.GraphTrainer(session, model, laid_out, batch_size).feed_row_order(np.arange(len(laid_out[0])))

    session.run(model.initializer)
    numbers = {f"initial/{variable}": value for variable, value in graph_weights(session, model).items()}
    if initial is not None:
        set_graph_weights(session, model, initial)
    numbers.update(session.run(fetches))
    trace = []
    for _ in range(n_steps):  # two runs a step, as the original has them
        trace.append(session.run(model.loss))
        session.run(model.train_op)
    numbers["trace"] = np.array(trace, np.float32)
    numbers["final_outputs"] = session.run(model.outputs)
    numbers.update({f"final/{variable}": value for variable, value in all_variables(session, model).items()})
    return numbers


def write(folder):
    """Train each small network on the original's data; its checkpoint and all of its values to folder/<name>/."""
    for name, sizes in SIZES.items():
        section, data = section_of(name), tuple(under("data", numbers_in(name)).values())
        model = section.build_graph(section.Settings(**sizes))
        with TimedSession(model, threads=1) as session:
            run(session, model, data, sizes["batch_size"], hidden=())
            values = all_variables(session, model)
            (Path(folder) / name).mkdir(parents=True, exist_ok=True)
            saver.save(session, model.saver, Path(folder) / name)
        np.savez(str(Path(folder) / name / "values.npz"), **values)
        print(f"{name}: {len(values)} variables, {sum(value.size for value in values.values())} numbers")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m tests.tf115.ours FOLDER")
    write(sys.argv[1])
