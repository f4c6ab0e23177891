"""Adam's slots and step count, from a checkpoint to Keras's Adam, so that training can continue.

Both compute m / (sqrt(v) + epsilon) times learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t). Only the default of
epsilon differs: 1e-8 in TensorFlow 1, 1e-7 in Keras. The one of the graph is kept.
"""
from __future__ import annotations

import re
from typing import Any, Callable, Container, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile, part_of
from tf1_autoencoders.converting.graph.foreign_graph import ForeignGraph, Saved, data_inputs
from tf1_autoencoders.converting.graph.roles import role_table
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


class Places:
    """Where each number of a checkpoint's variables goes in a model: the variables' values are replaced by numbers.

    A conversion that only moves numbers moves those too. The slots then go the same way. Indices are
    stored as float32 bit patterns, which gives 2^31 distinct values.
    """

    def __init__(self, checkpoint: CheckpointFile) -> None:
        self._checkpoint, self._starts, self._end = checkpoint, {}, 1  # type: ignore[var-annotated]

    def value_of(self, saved: Saved) -> np.ndarray:
        """Return the numbers in place of a variable, as an InferenceGraph asks for the values of variables."""
        variable = self._checkpoint.variables[saved.name]
        if variable.dtype != "float32":
            return part_of(self._checkpoint.read(saved.name), saved.part)
        n = int(np.prod(variable.shape))
        if saved.name not in self._starts:
            self._starts[saved.name], self._end = self._end, self._end + n
        start = self._starts[saved.name]
        numbers = np.arange(start, start + n, dtype=np.int32).view(np.float32).reshape(variable.shape)
        return part_of(numbers, saved.part)

    def check(self, model: Any, placed: Sequence[np.ndarray]) -> None:
        """Raise UserError unless the weights themselves went that way; only an LSTM's bias took up the forget bias."""
        for weight, moved in zip(model.trainable_variables, self.move(placed, self._checkpoint.read)):
            if not np.array_equal(weight, moved, equal_nan=True) and not weight.path.endswith("lstm_cell/bias"):
                raise UserError(NO_PLACE)

    def move(self, placed: Sequence[np.ndarray], read: Callable[[str], np.ndarray]) -> List[np.ndarray]:
        """Return the arrays of a model in which read(variable) took the way of the variable.

        Raises:
            UserError: a weight of the model is computed from variables, or a variable goes to two places.
        """
        numbers = [np.ascontiguousarray(array).view(np.int32) for array in placed]
        joined = np.concatenate([array.ravel() for array in numbers])
        if joined.min() < 1 or joined.max() >= self._end or len(np.unique(joined)) != len(joined):
            raise UserError(NO_PLACE)
        values = np.zeros(self._end, np.float32)
        for name, start in self._starts.items():
            value = read(name).ravel()
            values[start:start + len(value)] = value
        return [values[array] for array in numbers]
