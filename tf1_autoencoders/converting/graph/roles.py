"""What each variable of a checkpoint is for, and what goes in and comes out of the graph beside it."""
from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Set

from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile
from tf1_autoencoders.checkpointing.index import StoredVariable
from tf1_autoencoders.converting.graph.allowlist import READS, VARIABLES
from tf1_autoencoders.converting.graph.ends import IN_A_CHAIN, TRAINING
from tf1_autoencoders.converting.graph.foreign_graph import (
    PASS_ON,
    ForeignGraph,
    data_inputs,
    split_name,
)

BETA_POWER = re.compile(r"(^|/)beta[12]_power(_\d+)?$")
COUNTER = re.compile(r"(^|/)(global_step|iterations|iter|step|local_step)(_\d+)?$")
STATISTIC = re.compile(r"/(moving_mean|moving_variance|moving_average)$")
MOVING_AVERAGE = re.compile(r"/ExponentialMovingAverage(_\d+)?$")
NO_USE = frozenset(("Enter", "Assign", "AssignVariableOp", "Switch", "RefSwitch", "Transpose", "ExpandDims", "Tile"))


class Role(NamedTuple):
    """A row of the table of a checkpoint's variables.

    | field    | meaning                                                                           |
    |----------|-----------------------------------------------------------------------------------|
    | variable | StoredVariable                                                                    |
    | role     | weight, slot of an optimiser, beta power, moving average, statistic or counter    |
    | layer    | the scope or operation that it seems to belong to                                 |
    """

    variable: StoredVariable
    role: str
    layer: str


def role_table(checkpoint: CheckpointFile, graph: Optional[ForeignGraph]) -> List[Role]:
    """Return the role of each variable, from the graph where there is one, else from the names."""
    rows = []
    nodes: Dict[str, str] = {}
    slots: Mapping[str, Any] = {}
    trainable: Optional[Set[str]] = None
    feeds: Dict[str, str] = {}
    if graph:
        for node in graph.variables():
            nodes.setdefault(graph.saved_as(node).name, node)
        slots, trainable, feeds = graph.slots(), graph.trainable(), used_by(graph)
    for name, variable in checkpoint.variables.items():
        node = nodes.get(name, "")
        role, layer = _role_by_name(variable, checkpoint.variables)
        if node in slots:
            owner, kind = slots[node]
            role = kind if not owner else f"slot: {kind}"
            layer = graph.saved_as(owner).name if graph and owner else layer
        elif node:
            if trainable is not None and role == "weight" and node not in trainable:
                role = "variable that is not trained"
            if role.startswith("slot") and trainable and node in trainable:
                role, layer = "weight", _scope(name)
            if role == "weight" and node in feeds:
                layer = feeds[node]
        rows.append(Role(variable, role, layer))
    return rows


def _scope(name: str) -> str:
    return name.rpartition("/")[0]


def _role_by_name(variable: StoredVariable, variables: Mapping[str, StoredVariable]) -> Any:
    """Return (role, layer) as the variable's name says."""
    name = variable.name
    if BETA_POWER.search(name):
        return "beta power of Adam", ""
    if COUNTER.search(name) and not variable.shape:
        return "counter", ""
    if MOVING_AVERAGE.search(name):
        return "moving average", MOVING_AVERAGE.sub("", name)
    if STATISTIC.search(name):
        return "batch-norm statistic", _scope(name)
    base, _, suffix = name.rpartition("/")
    slot = re.search(r"/\.OPTIMIZER_SLOT/[^/]+/(\w+)", variable.key)
    if slot:
        suffix = slot.group(1)
    while base and suffix:
        owner = variables.get(base)
        if owner is not None and owner.name != name and owner.shape in (variable.shape, ()):
            return f"slot: {suffix}", base
        base = base.partition("/")[2]  # an optimiser's scope may stand before the variable's name
    if not variable.dtype.startswith(("float", "bfloat")) and not variable.shape:
        return "counter", ""
    return "weight", _scope(name)


def used_by(graph: ForeignGraph) -> Dict[str, str]:
    """Return {variable: the operation of the network that it feeds}; a layer's comes before any other."""
    layers: Dict[str, str] = {}
    others: Dict[str, str] = {}
    for name, node in graph.nodes.items():
        if TRAINING.search(name + "/") or node.op in PASS_ON | VARIABLES | READS | NO_USE \
                or node.op.startswith(("Save", "Restore")) or "Apply" in node.op:
            continue
        for tensor in data_inputs(node):
            variable = _behind(graph, tensor)
            if variable:
                (layers if node.op in IN_A_CHAIN else others).setdefault(variable, f"{node.op} {name}")
    return {**others, **layers}


def _behind(graph: ForeignGraph, tensor: str) -> Optional[str]:
    """Return the variable behind a tensor, also if its axes were changed on the way."""
    for _ in range(9):
        variable = graph.variable_of(tensor)
        node = graph.nodes.get(split_name(tensor)[0])
        if variable or node is None or node.op not in NO_USE | PASS_ON or not data_inputs(node):
            return variable
        tensor = data_inputs(node)[0]
    return None
