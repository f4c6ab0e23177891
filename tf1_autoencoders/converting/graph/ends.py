"""Where a network begins and ends in a graph: its inputs, its outputs, and what it is given besides."""
from __future__ import annotations

import re
from typing import Any, Container, Dict, Iterable, List, Mapping, Optional, Sequence, Set

import numpy as np

from tf1_autoencoders.converting.graph.allowlist import VARIABLES
from tf1_autoencoders.converting.graph.foreign_graph import (
    PASS_ON,
    PLACEHOLDERS,
    SOURCES,
    ForeignGraph,
    control_inputs,
    copied,
    data_inputs,
    split_name,
)
from tf1_autoencoders.converting.graph.inference_graph import Ends
from tf1_autoencoders.converting.graph.simplification import Dropout, find_dropouts, in_order, make_identity
from tf1_autoencoders.converting.graph.subgraph import needed_nodes
from tf1_autoencoders.utils.errors import UserError, one_line

DT_BOOL = 10
# the parts of a network; a chain of them ends at an output, where a loss, a metric or the program itself goes on
WITH_WEIGHTS = frozenset(("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Conv2D", "Conv3D",
                          "DepthwiseConv2dNative", "Conv2DBackpropInput", "Conv3DBackpropInputV2", "Gather", "GatherV2",
                          "ResourceGather"))
IN_A_CHAIN = PASS_ON | frozenset((
    "MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Gather", "GatherV2", "Add", "AddV2", "BiasAdd", "Mul",
    "RealDiv", "Relu", "Relu6", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "Softsign", "LeakyRelu", "Softmax",
    "Reshape", "Squeeze", "ExpandDims", "Transpose", "ConcatV2", "Pack", "Unpack", "Split", "StridedSlice", "MaxPool",
    "AvgPool", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "Pad", "ReverseSequence",
    "ResizeNearestNeighbor", "ResizeBilinear", "DepthToSpace", "Switch", "Merge", "Enter", "Exit", "NextIteration",
    "TensorArrayWriteV3", "TensorArrayGatherV3", "Maximum", "Minimum", "Floor", "Rsqrt", "Select",
    "SparseSegmentMean", "SparseSegmentSqrtN", "SparseSegmentSum", "SegmentMean", "SegmentSum"))
RANDOM = frozenset(("RandomUniform", "RandomStandardNormal", "TruncatedNormal", "RandomUniformInt", "Multinomial"))
OF_A_SHAPE = frozenset(("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"))  # no numbers of the input
TRAINING = re.compile(r"(^|/)(gradients(_\d+)?|Initializer|save(_\d+)?|train(ing)?_op"
                      r"|\w*cross_entropy\w*|\w*loss(es)?(_\d+)?|mean_squared_error|zero_fraction(_\d+)?)/"
                      r"|/Assign(_\d+)?$|_grad/")


# ---- outputs ----

def find_outputs(graph: ForeignGraph, stored: Optional[Container[str]] = None) -> List[str]:
    """Return where the chains of layers end: tensors that only a loss, a metric or the program itself takes.

    Args:
        graph: ForeignGraph.
        stored: names of the variables that the checkpoint has: outputs that need no other are preferred.
    """
    present = [name for name in graph.variables() if stored is None or graph.saved_as(name).name in stored]
    return _find_outputs(graph, present) or _find_outputs(graph, graph.variables())


def _find_outputs(graph: ForeignGraph, variables: Sequence[str]) -> List[str]:
    shapes = {name for name, node in graph.nodes.items() if node.op in OF_A_SHAPE}
    all_consumers = graph.consumers()
    consumers = {name: [user for user in users if user not in shapes] for name, users in all_consumers.items()}
    entries = {tensor: [user for user in users if user not in shapes] for tensor, users in _entries(graph).items()}
    of_weights = _reachable(consumers, variables)
    of_inputs = _reachable(consumers, {user for users in entries.values() for user in users})
    of_missing = _reachable(consumers, set(graph.variables()) - set(variables))
    forward = {name for name in of_inputs & of_weights - of_missing if not TRAINING.search(name + "/")}
    seeds = {name for name in forward if graph.nodes[name].op in WITH_WEIGHTS and any(
        source in of_weights - of_inputs and not _is_vector(graph, name, source)
        for source in _sources(graph.nodes[name]))}
    of_labels = _of_labels(graph, consumers, entries, seeds)
    forward -= of_labels
    chain: Set[str] = set()
    pending = list(seeds & forward)
    while pending:
        name = pending.pop()
        if name not in chain:
            chain.add(name)
            pending += [user for user in consumers[name] if user in forward and graph.nodes[user].op in IN_A_CHAIN]
    with_weights = [graph.nodes[name] for name in chain if graph.nodes[name].op in WITH_WEIGHTS]
    used = _ancestors(graph, {source for node in with_weights for source in _sources(node)})  # by a later layer
    ends = [name for name in graph.nodes if name in chain and name not in used
            and not any(user in chain for user in consumers[name])]
    of_last_layers = _reachable(consumers, seeds & forward - used)  # not so of attention's weights, or a penalty
    ends = [name for name in ends if name in of_last_layers] or ends
    ends = list(dict.fromkeys(part for name in ends for part in _parts(
        graph, _before_a_loss(graph, consumers, of_labels, name))))
    # a loop or a condition also gives what nobody asked for, and some tensors only say their shape
    asked_for = [name for name in ends if graph.nodes[name].op not in ("Exit", "Merge")
                 and not (f"{name.rpartition('/')[0]}/while/LoopCond" in graph.nodes and not consumers[name])
                 and not (all_consumers[name] and shapes.issuperset(all_consumers[name]))]
    return _without_copies(graph, asked_for or ends)


def _is_vector(graph: ForeignGraph, name: str, source: str) -> bool:
    """Return whether a node gathers from a table that was flattened: scores of a CRF's transitions, no embedding."""
    return "Gather" in graph.nodes[name].op and graph.nodes[source].op == "Reshape"


def _before_a_loss(graph: ForeignGraph, consumers: Mapping[str, Sequence[str]], of_labels: Set[str], name: str) -> str:
    """Return the tensor before reshapes that belong to a loss: the loss takes that tensor too, as it was.

    Or they stand in a branch out of which no layer comes, as those of a CRF.
    """
    while graph.nodes[name].op in ("Reshape", "Squeeze", "ExpandDims", "Identity", "Switch") and consumers[name]:
        source = _sources(graph.nodes[name])[0]
        if of_labels.isdisjoint(consumers[source]) and "Switch" not in (graph.nodes[name].op, graph.nodes[source].op):
            break
        name = source
    return name


def _parts(graph: ForeignGraph, name: str) -> List[str]:
    """Return the tensors whose rows a node joins, if no input leads to two of them: a GAN's answers on two batches."""
    node = graph.nodes[name]
    axis = graph.constant_of(data_inputs(node)[-1]) if node.op == "ConcatV2" else None
    parts = _sources(node)[:-1] if axis is not None and not np.any(axis) else []
    inputs = [{source for source in _ancestors(graph, [part]) if graph.nodes[source].op in PLACEHOLDERS | RANDOM
               and _may_be_labels(graph.nodes[source])} for part in parts]
    apart = sum(map(len, inputs)) == len(set().union(*inputs))
    return parts if parts and all(inputs) and apart else [name]


def _without_copies(graph: ForeignGraph, names: Sequence[str]) -> List[str]:
    """Return the first of the nodes that compute the same of the same: programs that build their network again."""
    kinds: Dict[Any, int] = {}  # {operation with its attributes and inputs: number}
    numbers: Dict[str, int] = {}
    for name in in_order(graph.nodes) if len(names) > 1 else ():
        node = graph.nodes[name]
        attributes = sorted((key, node.attr[key].SerializeToString(deterministic=True)) for key in node.attr
                            if not key.startswith("_"))
        taken = [(numbers.get(split_name(tensor)[0], split_name(tensor)[0]), split_name(tensor)[1])
                 for tensor in data_inputs(node)]
        own = name if node.op in VARIABLES | PLACEHOLDERS | RANDOM or not taken and node.op != "Const" else ""
        numbers[name] = kinds.setdefault((node.op, own, tuple(attributes), tuple(taken)), len(kinds))
    return list({numbers.get(name, name): name for name in reversed(names)}.values())[::-1]


def _sources(node: Any) -> List[str]:
    return [split_name(tensor)[0] for tensor in data_inputs(node)]


def _entries(graph: ForeignGraph) -> Dict[str, List[str]]:
    """Return {tensor with which a network may begin: nodes that take it}: placeholders, pipelines, random numbers."""
    kinds = {name for name, node in graph.nodes.items() if node.op in PLACEHOLDERS | RANDOM or SOURCES.match(node.op)}
    entries: Dict[str, List[str]] = {}
    for name, node in graph.nodes.items():
        for tensor in data_inputs(node):
            if split_name(tensor)[0] in kinds:
                entries.setdefault(tensor, []).append(name)
    return entries


def _of_labels(graph: ForeignGraph, consumers: Mapping[str, Sequence[str]], entries: Mapping[str, Sequence[str]],
               seeds: Set[str]) -> Set[str]:
    """Return the nodes of losses and metrics: what depends on labels, and what stands in one scope with that.

    A label is an array with which no layer computes. A scope is that of a loss if no layer stands in it.
    """
    before = _ancestors(graph, seeds)
    labels = [users for tensor, users in entries.items()
              if not before & set(users) and _may_be_labels(graph.nodes[split_name(tensor)[0]])]
    found = {name for name in _reachable(consumers, [user for users in labels for user in users])
             if not TRAINING.search(name + "/")}
    scopes = set().union(*map(_scopes, found)) - set().union(*map(_scopes, seeds))
    return found | {name for name in graph.nodes if scopes and not scopes.isdisjoint(_scopes(name))}


def _may_be_labels(node: Any) -> bool:
    """Return whether a placeholder can be an array of labels; numbers and conditions are for training and dropout."""
    shape = node.attr["shape"].shape
    scalar = "shape" in node.attr and not shape.dim and not shape.unknown_rank
    return node.op not in RANDOM | {"PlaceholderWithDefault"} and node.attr["dtype"].type != DT_BOOL and not (
        node.op in PLACEHOLDERS and scalar)


def _scopes(name: str) -> Set[str]:
    """Return the scopes in which a node stands."""
    parts = name.split("/")[:-1]
    return {"/".join(parts[:n + 1]) for n in range(len(parts))}


def _reachable(arrows: Mapping[str, Iterable[str]], start: Iterable[str]) -> Set[str]:
    found: Set[str] = set()
    pending = list(start)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += arrows.get(name, ())
    return found


def _ancestors(graph: ForeignGraph, names: Iterable[str]) -> Set[str]:
    return _reachable({name: _sources(node) for name, node in graph.nodes.items()}, names)


# ---- inputs and feeds ----

def find_ends(graph: ForeignGraph, inputs: Sequence[str], outputs: Sequence[str], feeds: Mapping[str, Any],
              stored: Optional[Container[str]] = None) -> Ends:
    """Infer the inputs, outputs and feeds that the user did not give.

    Outputs that are not named are those of a SavedModel's signature, else of find_outputs. Inputs that are not named
    are the placeholders, the input pipeline and the random numbers that the outputs need. A bool placeholder that is
    not named is False (a network in use is not trained), and what a dropout keeps is everything.

    Args:
        graph: ForeignGraph.
        inputs, outputs: names of tensors; empty for those that are inferred.
        feeds: {placeholder: value that it always has}.
        stored: names of the variables that the checkpoint has.

    Raises:
        UserError: a name is unknown, or no output was found.
    """
    by_user = [_tensor(graph, name, "--input") for name in inputs]
    if graph.signature and not outputs:
        inputs, outputs = inputs or graph.signature[0], graph.signature[1]
    outputs = [_tensor(graph, name, "--output") for name in outputs] or find_outputs(graph, stored)
    if not outputs:
        raise UserError("--output: expected the name of the tensor that the model gives; found no chain of layers")
    named = [_tensor(graph, name, "--input") for name in inputs]
    complete = {split_name(_tensor(graph, name, "--feed"))[0]: value for name, value in feeds.items()}
    pipelines = {name for name, node in graph.nodes.items() if SOURCES.match(node.op)}
    given = {split_name(name)[0] for name in named} | set(complete)
    needed = needed_nodes(graph.nodes, outputs, given | pipelines)
    dropouts = find_dropouts({name: graph.nodes[name] for name in needed})
    for dropout in dropouts:
        if not any(_in_a_branch(graph, graph.nodes[name]) for name in dropout.feeds):
            complete.update({name: value for name, value in dropout.feeds.items()
                             if name not in complete and graph.constant_of(name) != value})
    for name in needed:
        node = graph.nodes[name]
        if node.op == "Placeholder" and name not in given and node.attr["dtype"].type == DT_BOOL:
            complete.setdefault(name, False)
    found = list(named)
    if not named:
        found = graph.sources([name for name in needed if name not in pipelines])
    if not named or not feeds and all(graph.nodes[split_name(tensor)[0]].op in PLACEHOLDERS for tensor in named):
        found += [name for name in needed if graph.nodes[name].op in ("Placeholder", "PlaceholderV2")
                  and name not in given and name not in complete]
    if not named:
        found += _samples(graph, outputs, given | pipelines | set(complete), dropouts)
    if not found:
        raise UserError(f"--output {one_line(outputs[0])}: depends on no placeholder; name the tensor that the model "
                        "is given with --input")
    return Ends(list(dict.fromkeys(found)), list(outputs), complete, by_user)


def _samples(graph: ForeignGraph, outputs: Sequence[str], stop: Set[str], dropouts: Sequence[Dropout]) -> List[str]:
    """Return the operations outside of loops and dropouts whose random numbers the outputs need."""
    nodes = dict(graph.nodes)
    for dropout in dropouts:
        nodes[dropout.node] = copied(nodes[dropout.node])
        make_identity(nodes[dropout.node], dropout.x)
    return [name for name in needed_nodes(nodes, outputs, stop) if nodes[name].op in RANDOM and "while/" not in name]


def _tensor(graph: ForeignGraph, name: str, option: str) -> str:
    node, output = split_name(name)
    if node not in graph.nodes:
        near = [other for other in graph.nodes if other.endswith(f"/{node}") or node and node in other][:3]
        hint = f" (near: {', '.join(near)})" if near else ""
        raise UserError(f"{option} {name}: the graph has no such tensor{hint}; see --list for the names")
    return f"{node}:{output}" if output else node


def _in_a_branch(graph: ForeignGraph, node: Any) -> bool:
    """Return whether a constant belongs to a branch of a tf.cond, which another placeholder decides about."""
    for waited in control_inputs(node):
        for tensor in data_inputs(graph.nodes[waited]) if waited in graph.nodes else ():
            switch = graph.nodes[split_name(tensor)[0]]
            if switch.op == "Switch" and graph.nodes[split_name(data_inputs(switch)[0])[0]].op != "Merge":
                return True
    return False
