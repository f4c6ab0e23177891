"""The layers of a graph, in the words and arguments of Keras, and the register of what recognises them."""
from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

import numpy as np

from tf1_autoencoders.converting.graph.foreign_graph import PLACEHOLDERS
from tf1_autoencoders.converting.graph.inference_graph import InferenceGraph
from tf1_autoencoders.converting.graph.tensors import Tensor, Tensors

MAX_LAYERS = 20_000


class Weight(NamedTuple):
    """A weight of a layer, and where it comes from: `arrange` makes Keras's layout of the tensors' values.

    | field   | meaning                                                                             |
    |---------|-------------------------------------------------------------------------------------|
    | tensors | of the graph                                                                        |
    | arrange | function of their arrays; the weight in Keras's layout                              |
    | move    | the same for an optimiser's slots, if a constant is added to the weight; else None  |
    """

    tensors: Tuple[Tensor, ...]
    arrange: Callable[..., np.ndarray] = np.asarray
    move: Optional[Callable[..., np.ndarray]] = None

    @property
    def value(self) -> np.ndarray:
        return self.arrange(*[tensor.value for tensor in self.tensors])

    def of_slots(self, slots: Tensors) -> np.ndarray:
        """Return the slots of the weight, from the slots of the variables."""
        return (self.move or self.arrange)(*[slots[tensor.name].value for tensor in self.tensors])


Call = Dict[str, Union[int, List[int]]]


class Layer:
    """A layer that was recognised.

    | attribute | meaning                                                                       |
    |-----------|-------------------------------------------------------------------------------|
    | kind      | name of the class in keras.layers; or "Input"; or "ops." and a function of    |
    |           | keras.ops; or the operation if not known                                      |
    | name      | name of the layer, unique                                                     |
    | place     | the operation in the graph                                                    |
    | tensor    | name of the tensor in the graph that it gives, with its bias and activation   |
    | inputs    | numbers of the layers whose outputs it takes                                  |
    | arguments | of the class                                                                  |
    | call      | {argument of the call: number of a layer, or numbers}, such as mask            |
    | weights   | {name of the weight in Keras: Weight}                                         |
    | variables | names of the variables behind the weights                                     |
    | views     | of a recurrent layer: which of its outputs are taken, the layer's own first    |
    | note      | what it computes, where the kind does not say it                              |
    | known     | False for an operation that is no layer                                       |
    """

    def __init__(self, kind: str, name: str, place: str, inputs: Sequence[int] = (), known: bool = True,
                 variables: Sequence[str] = (), weights: Optional[Dict[str, Weight]] = None,
                 call: Optional[Call] = None, note: str = "", **arguments: Any) -> None:
        self.kind, self.name, self.place, self.inputs, self.known = kind, name, place, tuple(inputs), known
        self.variables, self.weights, self.arguments = list(variables), weights or {}, arguments
        self.call, self.views = call or {}, []  # type: Call, List[str]
        self.tensor, self.note = place, note

    def describe(self) -> str:
        """Return the layer in one line, as a call of Keras."""
        values = [f"{name}={value!r}" for name, value in self.arguments.items()
                  if value is not None and not isinstance(value, np.ndarray)]
        if not self.known:
            return f"{self.kind}: not recognised as a layer"
        return f"{self.note}{', as ' if self.note else ''}{self.kind}({', '.join(values)})"


class NotYetRecognised(Exception):
    """A layer takes tensors whose layers are not recognised yet: they come first, and then it once more."""

    def __init__(self, tensors: List[Tensor]) -> None:
        super().__init__(tensors)
        self.tensors = tensors


Recogniser = Callable[["Network", Tensor], Optional[int]]
RECOGNISERS: Dict[str, List[Tuple[int, Recogniser]]] = {}  # {operation: functions that are asked in this order}
FIRST, MIDDLE, LAST = range(3)


def recognises(*ops: str, order: int = MIDDLE) -> Callable[[Recogniser], Recogniser]:
    """Register a function that returns the number of the layer of an operation, or None.

    The function asks for the layers that it takes with network.number, before it adds its own with network.add.
    """
    def register(function: Recogniser) -> Recogniser:
        for op in ops:
            RECOGNISERS[op] = sorted([*RECOGNISERS.get(op, ()), (order, function)], key=lambda entry: entry[0])
        return function
    return register


class Network:
    """The layers between the inputs and outputs of an InferenceGraph; recognition.recognise makes it.

    | attribute | meaning                                                 |
    |-----------|---------------------------------------------------------|
    | tensors   | Tensors of the graph                                    |
    | layers    | list of Layer; each stands behind those that it takes   |
    | outputs   | numbers of the layers that give the outputs             |
    | memo      | what recognisers remember                               |
    """

    def __init__(self, graph: InferenceGraph) -> None:
        self.tensors = Tensors(graph)
        self.layers: List[Layer] = []
        self.memo: Dict[Any, Any] = {}
        self._numbers: Dict[Tensor, int] = {}
        self._names: Set[str] = set()
        for tensor in graph.inputs:
            self._visit(self.tensors[tensor])
        for tensor in graph.outputs:
            self._visit(self.tensors[tensor])
        self.outputs = [self.number(self.tensors[tensor]) for tensor in graph.outputs]

    @property
    def unknown(self) -> List[Layer]:
        """The operations that are no layer."""
        return [layer for layer in self.layers if not layer.known]

    def number(self, tensor: Tensor) -> int:
        """Return the number of the layer that gives a tensor."""
        return self.numbers([tensor])[0]

    def numbers(self, tensors: Sequence[Tensor]) -> List[int]:
        """Return the numbers of the layers that give some tensors.

        Raises:
            NotYetRecognised: see there.
        """
        missing = [tensor for tensor in tensors if tensor not in self._numbers]
        if missing:
            raise NotYetRecognised(missing)
        return [self._numbers[tensor] for tensor in tensors]

    def layer(self, number: int) -> Layer:
        """Return a layer, or the one that a Part is of."""
        layer = self.layers[number]
        return self.layers[layer.inputs[0]] if layer.kind == "Part" else layer

    def _visit(self, tensor: Tensor) -> None:
        """Recognise the layer that gives a tensor, and before it the layers that it takes."""
        pending, begun = [tensor], set()
        while pending:
            tensor = pending[-1]
            if tensor in self._numbers:
                pending.pop()
                continue
            begun.add(tensor)
            n_before = len(self.layers)
            try:
                self._numbers[tensor] = number = self._recognise(tensor)
                if number >= n_before or tensor.op not in ("Reshape", "Squeeze", "ExpandDims"):  # not passed on
                    self.layers[number].tensor = tensor.name
            except NotYetRecognised as needed:
                for other in reversed(needed.tensors):
                    if other in begun:  # depends on itself
                        self._numbers.setdefault(other, self.add(other.op, other.place, known=False))
                    else:
                        pending.append(other)

    def _recognise(self, tensor: Tensor) -> int:
        for _, recogniser in RECOGNISERS.get(tensor.op, ()) if len(self.layers) <= MAX_LAYERS else ():
            number = recogniser(self, tensor)
            if number is not None:
                return number
        inputs = [part for part in _outer_inputs(tensor) if part.value is None]
        return self.add(tensor.op, tensor.place, self.numbers(inputs) if len(self.layers) <= MAX_LAYERS else (),
                        known=False)

    def add(self, kind: str, place: str, inputs: Sequence[int] = (), **more: Any) -> int:
        """Append a layer; return its number."""
        variables = more.get("variables") or []
        scope = variables[0].rpartition("/")[0] if variables else ""
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", scope or place)
        name = name if kind == "Input" and name[0] != "_" else name.strip("_") or kind.lower()
        unique, k = name, 0
        while unique.lower() in self._names:
            k += 1
            unique = f"{name}_{k}"
        self._names.add(unique.lower())
        self.layers.append(Layer(kind, unique, place, inputs, **more))
        return len(self.layers) - 1

    def once(self, kind: str, place: str, inputs: Sequence[int], **more: Any) -> int:
        """Return the number of the layer of this kind on these inputs; append the layer if there is none."""
        key = f"{kind} of {inputs} {more}"
        if key not in self.memo:
            self.memo[key] = self.add(kind, place, inputs, **more)
        return int(self.memo[key])


    def ends_inside(self) -> List[Tuple[str, str]]:
        """Return (tensor, what it is) that a user may want as an output too: parts of the network end there.

        These are the narrowest layer, if the network widens again, and the end of a scope of several layers that
        layers of another such scope take: an encoder's code, the images of a generator.
        """
        found = []
        dense = [layer for layer in self.layers if layer.kind == "Dense"]
        if len(dense) > 2:
            code = min(dense, key=lambda layer: int(layer.arguments["units"]))
            if int(code.arguments["units"]) < min(int(dense[k].arguments["units"]) for k in (0, -1)):
                found.append((code.tensor, f"the narrowest layer, {code.arguments['units']} numbers"))
        scopes = [layer.variables[0].partition("/")[0] if "/" in "".join(layer.variables[:1]) else ""
                  for layer in self.layers]
        for layer, scope in zip(self.layers, scopes):
            below = layer.inputs[0] if layer.inputs else -1
            before = below
            while before >= 0 and not scopes[before]:
                before = self.layers[before].inputs[0] if self.layers[before].inputs else -1
            if before >= 0 and scope not in ("", scopes[before]) \
                    and min(scopes.count(scope), scopes.count(scopes[before])) > 1:
                found.append((self.layers[below].tensor, f"the end of {scopes[before]}"))
        return list({what: (tensor, what) for tensor, what in reversed(found)}.values())[::-1]

    def operation(self, name: str, place: str, call: Call, **arguments: Any) -> int:
        """Return the number of a function of keras.ops with these arguments; append it if there is none."""
        inputs = [number for part in call.values() for number in ([part] if isinstance(part, int) else part)]
        append = self.add if any(isinstance(value, np.ndarray) for value in arguments.values()) else self.once
        return append(f"ops.{name}", place, inputs, call=call, **arguments)


def _outer_inputs(tensor: Tensor) -> List[Tensor]:
    """Return the inputs of an operation; of a loop, what enters it."""
    if tensor.op not in ("Exit", "TensorArrayGatherV3"):
        return tensor.inputs
    found, pending, seen = [], [tensor], set()
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen.add(current)
        if current.op in PLACEHOLDERS or current.op == "Transpose":
            found.append(current)
        else:
            pending += current.inputs
    return found
