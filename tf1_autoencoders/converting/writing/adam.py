"""Adam's slots and step count, from a checkpoint to Keras's Adam, so that training can continue.

Both compute m / (sqrt(v) + epsilon) times learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t). Only the default of
epsilon differs: 1e-8 in TensorFlow 1, 1e-7 in Keras. The one of the graph is kept.
"""
from __future__ import annotations

import re
from typing import Any, Callable, Container, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile, part_of
from tf1_autoencoders.converting.graph.foreign_graph import ForeignGraph, Saved, data_inputs
from tf1_autoencoders.converting.graph.roles import role_table
from tf1_autoencoders.converting.graph.tensors import Tensors
from tf1_autoencoders.converting.layers.network import Network
from tf1_autoencoders.converting.writing.keras_model import trainable_arrays
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import keras

# of tf1.train.AdamOptimizer; the inputs of ApplyAdam have them in this order, behind the variable, m, v, beta powers
DEFAULTS = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
SLOT = re.compile(r"slot: (?:(m|Adam)|(v|Adam_1))(?: of Adam)?$")

NO_PLACE = ("--with-optimizer: a weight of the Keras model is computed from variables, or is one of two copies, so "
            "that its slots have no place; leave the option out")


class Adam(NamedTuple):
    """The state of an Adam.

    | field     | meaning                                               |
    |-----------|-------------------------------------------------------|
    | m, v      | {variable: name of its slot}                          |
    | step      | how many steps were taken                             |
    | arguments | of keras.optimizers.Adam                              |
    | assumed   | names of the arguments that no file says              |
    """

    m: Dict[str, str]
    v: Dict[str, str]
    step: int
    arguments: Dict[str, float]
    assumed: List[str]


def read_adam(checkpoint: CheckpointFile, graph: Optional[ForeignGraph], variables: Container[str]) -> Adam:
    """Return the state of the Adam that trained some variables.

    Args:
        checkpoint: CheckpointFile.
        graph: ForeignGraph, which has the learning rate and the other constants; or None.
        variables: names of the variables in the checkpoint.

    Raises:
        UserError: the checkpoint has no slots of an Adam for them.
    """
    roles = role_table(checkpoint, graph)
    slots: List[Dict[str, str]] = [{}, {}]
    for role in roles:
        found = SLOT.match(role.role)
        if found and role.layer in variables:
            slots[0 if found.group(1) else 1][role.layer] = role.variable.name
    if not slots[0] or set(slots[0]) != set(slots[1]):
        raise UserError(f"--with-optimizer: expected the slots of an Adam, two for each trained variable; "
                        f"{checkpoint.path.name} has {len(slots[0])} and {len(slots[1])}; leave the option out")
    known: Dict[str, float] = {}
    for node in graph.nodes.values() if graph else ():
        inputs = data_inputs(node)
        if graph and node.op in ("ApplyAdam", "ResourceApplyAdam") and len(inputs) == 10 \
                and graph.saved_as(graph.variable_of(inputs[0]) or "").name in slots[0]:
            for name, tensor in zip(("", "power", *DEFAULTS), inputs[3:9]):
                value = _number(checkpoint, graph, tensor)
                if value is not None and 0 < value < (1 if name != "learning_rate" else 1e9):
                    known[name] = value
            break
    powers = [float(checkpoint.read(role.variable.name)) for role in roles
              if role.role == "beta power of Adam" and "beta2" in role.variable.name]
    arguments = {name: known.get(name, value) for name, value in DEFAULTS.items()}
    counters = [int(checkpoint.read(role.variable.name)) for role in roles if role.role == "counter"]
    step = _step(counters, known.get("power", powers[0] if powers else 0.0), arguments["beta_2"])
    return Adam(slots[0], slots[1], step, arguments, [name for name in DEFAULTS if name not in known])


def _number(checkpoint: CheckpointFile, graph: ForeignGraph, tensor: str) -> Optional[float]:
    """Return the number that a tensor is: a constant, or a variable of the checkpoint; else None."""
    variable = graph.variable_of(tensor)
    name = graph.saved_as(variable).name if variable else ""
    value = checkpoint.read(name) if name in checkpoint.variables else graph.constant_of(tensor)
    return float(value.reshape(())) if value is not None and value.size == 1 else None


def _step(counters: Sequence[int], power: float, beta_2: float) -> int:
    """Return the number of steps: beta_2^(step + 1) is stored, rounded; a counter that agrees says the step exactly."""
    if not 0 < power < 1:  # tf.keras stores no power; after 100,000 steps it is 0, and the correction 1
        return max((step for step in counters if step >= 0), default=100_000)
    estimate = np.log(power) / np.log(beta_2) - 1
    near = [step for step in counters if abs(step - estimate) <= 0.5 + 1e-3 * abs(estimate)]
    return near[0] if near else max(0, int(round(estimate)))


def set_adam(model: Any, adam: Adam, m: Sequence[np.ndarray], v: Sequence[np.ndarray]) -> None:
    """Compile a Keras model with an Adam that has this state.

    Args:
        model: the Keras model; its loss is the user's to name, with model.compile(model.optimizer, loss=...).
        adam: Adam.
        m, v: arrays for each of model.trainable_variables.
    """
    optimizer = keras.optimizers.Adam(**adam.arguments)
    optimizer.build(model.trainable_variables)
    optimizer.iterations.assign(adam.step)
    for slots, values in ((optimizer._momentums, m), (optimizer._velocities, v)):
        for slot, value in zip(slots, values):
            slot.assign(value)
    model.compile(optimizer=optimizer)


def slot_reader(checkpoint: CheckpointFile, names: Mapping[str, str]) -> Callable[[str], np.ndarray]:
    """Return the function that reads the slot {variable: slot} of a variable; zeros for a variable without."""
    def read(variable: str) -> np.ndarray:
        if variable in names:
            return checkpoint.read(names[variable])
        return np.zeros(checkpoint.variables[variable].shape, np.float32)
    return read


def moved_slots(adam: Adam, checkpoint: CheckpointFile, saved_as: Callable[[str], Saved], network: Network,
                model: Any) -> List[List[np.ndarray]]:
    """Return m and v for each trainable variable of a Keras model: they take the way of the weights.

    The way is tried first with a number of its own in place of each number of the variables: a conversion that only
    moves numbers moves those too. They are float32 bit patterns, which gives 2^31 distinct values.

    Args:
        adam: Adam.
        checkpoint: CheckpointFile.
        saved_as: function that returns where the checkpoint has a variable of the graph.
        network: Network that the model was built of.
        model: the Keras model.

    Raises:
        UserError: a weight of the model is computed from variables, or a variable goes to two places.
    """
    starts: Dict[str, int] = {}
    end = 1

    def numbers_in_place_of(variable: str) -> np.ndarray:
        nonlocal end
        shape = checkpoint.variables[variable].shape
        if variable not in starts:
            starts[variable], end = end, end + int(np.prod(shape))
        return np.arange(starts[variable], starts[variable] + int(np.prod(shape)),
                         dtype=np.int32).view(np.float32).reshape(shape)

    def moved(read: Callable[[str], np.ndarray]) -> List[np.ndarray]:
        graph, values = network.tensors.graph, {}
        for name, value in graph.weights.items():
            saved = saved_as(name)
            values[name] = part_of(read(saved.name), saved.part) if value.dtype == np.float32 else value
        slots = Tensors(graph, values)
        return trainable_arrays(model, network, lambda weight: weight.of_slots(slots))
    numbers = moved(numbers_in_place_of)
    places = np.concatenate([np.ascontiguousarray(array).view(np.int32).ravel() for array in numbers])
    if places.min() < 1 or places.max() >= end or len(np.unique(places)) != len(places):
        raise UserError(NO_PLACE)
    return [moved(slot_reader(checkpoint, names)) for names in (adam.m, adam.v)]
