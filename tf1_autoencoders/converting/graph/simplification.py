"""Simplifies a graph: folds tf.cond with a constant predicate and removes dropout."""
from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

import numpy as np

from tf1_autoencoders.converting.graph.foreign_graph import PASS_ON, bounded_constant, data_inputs, rewire, split_name

MAX_PASSED_ON = 100  # operations one after the other that only pass a tensor on; a damaged graph may have a circle


def in_order(nodes: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of nodes, each after its inputs; back edges of loops are ignored."""
    state: Dict[str, int] = {}
    for start in nodes:
        pending = [start]
        while pending:
            name = pending[-1]
            if state.get(name) == 2 or name not in nodes:
                pending.pop()
                continue
            if state.get(name) == 1:
                state[name] = 2
                pending.pop()
                yield name
                continue
            state[name] = 1
            node = nodes[name]
            inputs = [] if node.op == "NextIteration" else [
                split_name(tensor.lstrip("^"))[0] for tensor in node.input]
            pending += [source for source in inputs if state.get(source) is None]


def fold_conditions(nodes: Dict[str, Any], value_of: Callable[[str], Optional[np.ndarray]]) -> None:
    """Decide each tf.cond whose condition is a constant: the branch that is not taken becomes unreachable."""
    dead: Set[Tuple[str, int]] = set()  # tensors; output -1 stands for the whole node
    truth: Dict[str, Optional[bool]] = {}  # None: no constant

    def is_dead(tensor: str) -> bool:
        name, output = split_name(tensor.lstrip("^"))
        return (name, -1) in dead or (name, output) in dead and not tensor.startswith("^")

    def condition(tensor: str) -> Optional[bool]:
        name, _ = split_name(tensor)
        if name in truth:
            return truth[name]
        value = value_of(tensor)
        return bool(value) if value is not None and value.shape == () and value.dtype == bool else None

    for name in in_order(nodes):
        node = nodes[name]
        inputs = data_inputs(node)
        if node.op == "LogicalNot":
            known = condition(inputs[0])
            if known is not None:
                truth[name] = not known
        elif node.op in PASS_ON and inputs:
            truth[name] = condition(inputs[0])
        if node.op == "Merge":
            if any(nodes[split_name(tensor)[0]].op == "NextIteration" for tensor in inputs
                   if split_name(tensor)[0] in nodes):
                continue
            alive = [tensor for tensor in inputs if not is_dead(tensor)]
            if not alive:
                dead.add((name, -1))
            elif len(alive) == 1 and len(inputs) > 1:
                make_identity(node, alive[0])
        elif any(is_dead(tensor) for tensor in node.input):
            dead.add((name, -1))
        elif node.op == "Switch":
            known = condition(inputs[1])
            if known is not None:
                dead.add((name, int(not known)))
    taken = {(name, 1 - output) for name, output in dead if output >= 0}
    for name, _ in taken:
        make_identity(nodes[name], data_inputs(nodes[name])[0])
    live = {f"{name}:{output}": name for name, output in taken if output}
    rewire(nodes, live)


def make_identity(node: Any, tensor: str) -> None:
    """Turn a node into one that passes a tensor on."""
    node.op = "Identity"
    for attribute in list(node.attr):
        if attribute != "T":
            node.attr.pop(attribute)
    del node.input[:]
    node.input.append(tensor)


class Dropout(NamedTuple):
    """A dropout in a graph.

    | field | meaning                                                                      |
    |-------|------------------------------------------------------------------------------|
    | node  | applies the mask                                                             |
    | x     | tensor before the mask and its scale                                         |
    | feeds | {node: value with which everything is kept}: the rate, or what is kept of 1  |
    """

    node: str
    x: str
    feeds: Dict[str, float]


def find_dropouts(nodes: Mapping[str, Any]) -> List[Dropout]:
    """Return the dropouts of a graph, as TensorFlow 1.0 to 2.21 write them."""
    def source(tensor: str) -> Any:
        node = nodes.get(split_name(tensor)[0])
        for _ in range(MAX_PASSED_ON):
            if node is None or node.op not in PASS_ON | {"Cast", "Enter"} or not data_inputs(node):
                return node
            node = nodes.get(split_name(data_inputs(node)[0])[0])
        return None

    def reaches(tensor: str, wanted: Callable[[Any], bool], n_steps: int = 4) -> bool:
        """Return whether a tensor is computed from a node that is wanted, in a few steps of arithmetic."""
        node = source(tensor)
        arithmetic = ("Add", "AddV2", "Mul", "Sub", "RealDiv")
        return node is not None and (wanted(node) or n_steps > 0 and node.op in arithmetic and any(
            reaches(part, wanted, n_steps - 1) for part in data_inputs(node)[:2]))  # a hostile one may have a thousand

    def is_random(tensor: str) -> bool:
        return reaches(tensor, lambda node: node.op == "RandomUniform")

    def number(node: Any) -> float:
        value = bounded_constant(node) if node.op == "Const" else np.zeros(0)
        return float(value.reshape(())) if value.size == 1 and value.dtype.kind == "f" else float("nan")
    found = []
    for name, node in nodes.items():
        inputs = data_inputs(node)
        if node.op not in ("Mul", "SelectV2") or len(inputs) < 2:
            continue
        mask, x = source(inputs[node.op == "Mul"]), inputs[node.op == "SelectV2"]
        if mask is not None and mask.op == "GreaterEqual" and is_random(data_inputs(mask)[0]):
            rate, value = source(data_inputs(mask)[1]), 0.0  # random >= rate
        else:
            total = source(data_inputs(mask)[0]) if mask is not None and mask.op == "Floor" else None
            parts = [part for part in (data_inputs(total) if total is not None else ()) if not is_random(part)]
            if len(parts) != 1:
                continue
            rate, value = source(parts[0]), 1.0  # floor(keep_prob + random)
        if rate is not None and rate.op == "Sub":  # 1 - keep_prob
            parts = [part for part in data_inputs(rate) if getattr(source(part), "op", "Const") != "Const"]
            rate, value = (source(parts[0]), 1 - value) if parts else (rate, value)
        if rate is None:
            continue
        feeds, scaled = {rate.name: value}, source(x)
        if scaled is not None and scaled.op in ("Mul", "RealDiv"):
            before, scale = data_inputs(scaled)
            root = rate.name
            if reaches(scale, lambda node, root=root: node.name == root):  # type: ignore[misc]
                x = before
            elif source(scale) is not None and abs(number(source(scale)) * (1 - number(rate)) - 1) < 1e-6:
                x, feeds = before, {**feeds, source(scale).name: 1.0}  # TensorFlow 2: a constant of its own
        found.append(Dropout(name, x, feeds))
    return found
