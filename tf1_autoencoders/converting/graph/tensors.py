"""The tensors of a graph whose weights are constants, for reading: inputs, shapes, users, and values where known."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Optional

import numpy as np

from tf1_autoencoders.converting.graph.foreign_graph import PASS_ON, data_inputs, split_name
from tf1_autoencoders.converting.graph.inference_graph import InferenceGraph

MAX_FOLDED = 1 << 28  # numbers that go into an operation on constants
MAX_RANGE = 1 << 20


def _range(node: Any, start: Any, limit: Any, step: Any) -> np.ndarray:
    if step == 0 or abs((limit - start) / step) > MAX_RANGE:
        raise ValueError("too long")
    return np.arange(start, limit, step)


# what is computed of constants; each function takes the node and the values of its inputs
FOLDABLE: Dict[str, Callable[..., Any]] = {
    "Enter": lambda node, x: x, "Add": lambda node, x, y: x + y, "AddV2": lambda node, x, y: x + y,
    "Sub": lambda node, x, y: x - y, "Mul": lambda node, x, y: x * y, "RealDiv": lambda node, x, y: x / y,
    "Neg": lambda node, x: -x, "Sqrt": lambda node, x: np.sqrt(x), "Rsqrt": lambda node, x: 1 / np.sqrt(x),
    "Square": lambda node, x: np.square(x), "Maximum": lambda node, x, y: np.maximum(x, y),
    "ExpandDims": lambda node, x, axis: np.expand_dims(x, int(axis)),
    "Reshape": lambda node, x, shape: np.reshape(x, shape), "Transpose": lambda node, x, axes: np.transpose(x, axes),
    "Squeeze": lambda node, x: np.squeeze(x, tuple(node.attr["squeeze_dims"].list.i) or None),
    "ConcatV2": lambda node, *parts: np.concatenate(parts[:-1], int(parts[-1])),
    "Pack": lambda node, *parts: np.stack(parts, node.attr["axis"].i), "Range": _range}
_UNKNOWN: Any = object()


class Tensor:
    """A tensor of a graph, behind operations that only pass it on. Of each there is one object.

    | attribute | meaning                                                              |
    |-----------|----------------------------------------------------------------------|
    | node      | NodeDef that computes it                                             |
    | place, op | the node's name and operation                                        |
    | output    | number of the node's output                                          |
    | inputs    | tensors that the node takes                                          |
    | value     | array, if it depends on constants and weights only, else None        |
    | shape     | list of sizes, None for an unknown one; None if the rank is unknown  |
    | users     | tensors: the first outputs of the nodes that take it                 |
    | n_uses    | how often it is taken, as an output of the graph too; not its shape  |
    """

    def __init__(self, tensors: Tensors, node: Any, output: int) -> None:
        self._tensors, self.node, self.output = tensors, node, output
        self.place, self.op, self.attr = str(node.name), str(node.op), node.attr
        self.name = f"{node.name}:{output}" if output else self.place
        self._inputs: Optional[List[Tensor]] = None
        self._value: Any = _UNKNOWN

    def __repr__(self) -> str:
        return f"{self.op} {self.name}"

    @property
    def inputs(self) -> List[Tensor]:
        if self._inputs is None:
            self._inputs = [self._tensors[name] for name in data_inputs(self.node)]
        return self._inputs

    @property
    def shape(self) -> Optional[List[Optional[int]]]:
        shape = self._tensors.imported.get_tensor_by_name(f"{self.place}:{self.output}").shape
        return None if shape.rank is None else shape.as_list()

    @property
    def dtype(self) -> str:
        return str(self._tensors.imported.get_tensor_by_name(f"{self.place}:{self.output}").dtype.name)

    @property
    def users(self) -> List[Tensor]:
        return self._tensors.users.get(self, [])

    @property
    def n_uses(self) -> int:
        return sum(user.op != "Shape" for user in self.users) + self._tensors.outputs.count(self)

    @property
    def value(self) -> Optional[np.ndarray]:
        pending = [(self, False)]
        while pending:
            tensor, inputs_known = pending.pop()
            if inputs_known:
                tensor._value = tensor._fold()
            elif tensor._value is _UNKNOWN:
                tensor._value = None  # in a loop, a tensor that depends on itself is no constant
                pending.append((tensor, True))
                pending += [(part, False) for part in (tensor.inputs if tensor.op in FOLDABLE else ())]
        return self._value

    def _fold(self) -> Optional[np.ndarray]:
        value = self._tensors.constant_value(self.name)
        if value is not None or self.op not in FOLDABLE:
            return value
        values = [part._value for part in self.inputs]
        if any(part is None or part is _UNKNOWN for part in values) or sum(part.size for part in values) > MAX_FOLDED:
            return None
        try:
            with np.errstate(all="ignore"):
                return np.asarray(FOLDABLE[self.op](self.node, *values))
        except (ValueError, TypeError, IndexError):
            return None

    @property
    def number(self) -> Optional[float]:
        """The value, if it is one number."""
        return float(self.value.reshape(())) if self.value is not None and self.value.size == 1 else None

    def attribute(self, name: str) -> bool:
        """Return whether an attribute of the node is True."""
        return bool(self.attr[name].b)


class Tensors:
    """The tensors of an InferenceGraph by name; other arrays may stand for its weights."""

    def __init__(self, graph: InferenceGraph, weights: Optional[Mapping[str, np.ndarray]] = None) -> None:
        """Index the graph.

        Args:
            graph: InferenceGraph.
            weights: {node: array} in place of graph.weights; None for these.

        Raises:
            UserError: TensorFlow does not accept the graph.
        """
        self.graph, self.imported = graph, graph.imported()
        self._weights = graph.weights if weights is None else weights
        self._tensors: Dict[str, Tensor] = {}
        self.users: Dict[Tensor, List[Tensor]] = {}
        for name, node in graph.nodes.items():
            if node.op not in PASS_ON:
                for tensor in data_inputs(node):
                    self.users.setdefault(self[tensor], []).append(self[name])
        self.outputs = [self[name] for name in graph.outputs]

    def __getitem__(self, name: str) -> Tensor:
        passed: List[str] = []
        nodes = self.graph.nodes
        while name not in self._tensors:
            passed.append(name)
            place, output = split_name(name)
            node = nodes[place]
            inputs = data_inputs(node)
            if node.op not in PASS_ON or not inputs or nodes[split_name(inputs[0])[0]].op == "Switch" \
                    or len(passed) > len(nodes):
                own = f"{place}:{output}"
                self._tensors[name] = self._tensors.get(own) or self._tensors.setdefault(
                    own, Tensor(self, node, output))
                break
            name = inputs[0]
        tensor = self._tensors[name]
        self._tensors.update(dict.fromkeys(passed, tensor))  # so that a long chain is followed once
        return tensor

    def constant_value(self, name: str) -> Optional[np.ndarray]:
        """Return the value of a constant or weight, else None."""
        return self.graph.constant_value(name, self._weights)

    def reads_shape_of(self, tensor: Tensor, x: Tensor) -> bool:
        """Return whether a tensor of sizes is computed from the shape of x, and of nothing else."""
        pending, shapes = [tensor], []  # type: List[Tensor], List[Tensor]
        while pending and len(shapes) < 100:
            current = pending.pop()
            if current.op in ("Shape", "ShapeN", "Size"):
                shapes.append(current.inputs[0])
            elif current.value is None:
                if not current.inputs or current.op == "Merge":
                    return False
                pending += current.inputs
        return bool(shapes) and all(source is x or source.op == "Transpose" and source.inputs[0] is x
                                    for source in shapes)

    def variables(self, *tensors: Tensor) -> List[str]:
        """Return the names of the weights that some tensors are made of."""
        found: List[str] = []
        pending, seen = list(reversed(tensors)), set()
        while pending:
            tensor = pending.pop()
            if tensor in seen:
                continue
            seen.add(tensor)
            if tensor.place in self.graph.weights:
                found.append(tensor.place)
            pending += reversed(tensor.inputs)
        return found
