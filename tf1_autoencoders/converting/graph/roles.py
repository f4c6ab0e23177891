"""What each variable of a checkpoint is for, and what goes in and comes out of the graph beside it."""
from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set

from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile
from tf1_autoencoders.checkpointing.index import StoredVariable
from tf1_autoencoders.converting.graph.allowlist import READS, VARIABLES
from tf1_autoencoders.converting.graph.foreign_graph import (
    PASS_ON,
    PLACEHOLDERS,
    SOURCES,
    ForeignGraph,
    control_inputs,
    data_inputs,
    split_name,
)
from tf1_autoencoders.converting.graph.inference_graph import needed_nodes
from tf1_autoencoders.converting.graph.simplification import find_dropouts
from tf1_autoencoders.utils.errors import UserError, one_line

BETA_POWER = re.compile(r"(^|/)beta[12]_power(_\d+)?$")
COUNTER = re.compile(r"(^|/)(global_step|iterations|iter|step|local_step)(_\d+)?$")
STATISTIC = re.compile(r"/(moving_mean|moving_variance|moving_average)$")
MOVING_AVERAGE = re.compile(r"/ExponentialMovingAverage(_\d+)?$")
# the parts of a network; a chain of them ends at an output, where a loss, a metric or the program itself goes on
WITH_WEIGHTS = frozenset(("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Conv2D", "Conv3D",
                          "DepthwiseConv2dNative", "Conv2DBackpropInput", "Conv3DBackpropInputV2", "Gather", "GatherV2",
                          "ResourceGather"))
IN_A_CHAIN = PASS_ON | frozenset((
    "Add", "AddV2", "BiasAdd", "Mul", "RealDiv", "Relu", "Relu6", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus",
    "Softsign", "LeakyRelu", "Softmax", "Reshape", "Squeeze", "ExpandDims", "Transpose", "ConcatV2", "Pack", "Unpack",
    "Split", "StridedSlice", "MaxPool", "AvgPool", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "Pad",
    "ResizeNearestNeighbor", "ResizeBilinear", "DepthToSpace", "Switch", "Merge", "Enter", "Exit", "NextIteration",
    "TensorArrayWriteV3", "TensorArrayGatherV3", "Maximum", "Minimum", "Floor", "Rsqrt", "Select"))
NO_USE = frozenset(("Enter", "Assign", "AssignVariableOp", "Switch", "RefSwitch", "Transpose", "ExpandDims", "Tile"))
TRAINING = re.compile(r"(^|/)(gradients(_\d+)?|Initializer|save(_\d+)?|train(ing)?_op"
                      r"|\w*cross_entropy\w*|\w*loss(es)?(_\d+)?|mean_squared_error|zero_fraction(_\d+)?)/"
                      r"|/Assign(_\d+)?$|_grad/")


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
    """Return {variable: the operation of the network that it feeds}."""
    users: Dict[str, str] = {}
    for name, node in graph.nodes.items():
        if TRAINING.search(name + "/") or node.op in PASS_ON | VARIABLES | READS | NO_USE \
                or node.op.startswith(("Save", "Restore")) or "Apply" in node.op:
            continue
        for tensor in data_inputs(node):
            variable = _behind(graph, tensor)
            if variable:
                users.setdefault(variable, f"{node.op} {name}")
    return users


def _behind(graph: ForeignGraph, tensor: str) -> Optional[str]:
    """Return the variable behind a tensor, also if its axes were changed on the way."""
    for _ in range(9):
        variable = graph.variable_of(tensor)
        node = graph.nodes.get(split_name(tensor)[0])
        if variable or node is None or node.op not in NO_USE | PASS_ON or not data_inputs(node):
            return variable
        tensor = data_inputs(node)[0]
    return None


# ---- inputs and outputs ----

def find_outputs(graph: ForeignGraph) -> List[str]:
    """Return where the chains of layers end: tensors that only a loss, a metric or the program itself takes."""
    consumers = graph.consumers()
    of_inputs = _reachable(consumers, [name for name, node in graph.nodes.items()
                                       if node.op in PLACEHOLDERS or SOURCES.match(node.op)])
    of_weights = _reachable(consumers, graph.variables())
    forward = {name for name in of_inputs & of_weights if not TRAINING.search(name + "/")}
    chain: Set[str] = set()
    pending = [name for name in forward if graph.nodes[name].op in WITH_WEIGHTS]
    while pending:
        name = pending.pop()
        if name in chain:
            continue
        chain.add(name)
        pending += [user for user in consumers[name] if user in forward and graph.nodes[user].op in IN_A_CHAIN]
    needed: Set[str] = set()
    for name in chain:  # what a later layer takes, on whichever way
        if graph.nodes[name].op in WITH_WEIGHTS:
            needed |= {split_name(tensor)[0] for tensor in data_inputs(graph.nodes[name])}
    used = _reachable({name: [split_name(tensor)[0] for tensor in data_inputs(node)]
                       for name, node in graph.nodes.items()}, list(needed))
    ends = [name for name in graph.nodes if name in chain and name not in used
            and not any(user in chain for user in consumers[name])]
    # a loop or a condition also gives what nobody asked for
    return [name for name in ends if graph.nodes[name].op not in ("Exit", "Merge")
            and not (f"{_scope(name)}/while/LoopCond" in graph.nodes and not consumers[name])] or ends


def _reachable(consumers: Mapping[str, Sequence[str]], start: Sequence[str]) -> Set[str]:
    found: Set[str] = set()
    pending = list(start)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += consumers.get(name, ())
    return found


class Ends(NamedTuple):
    """What an inference graph begins and ends with: names of the inputs and outputs, values of other placeholders."""

    inputs: List[str]
    outputs: List[str]
    feeds: Dict[str, Any]


def find_ends(graph: ForeignGraph, inputs: Sequence[str], outputs: Sequence[str], feeds: Mapping[str, Any]) -> Ends:
    """Infer the inputs, outputs and feeds that the user did not give.

    Outputs that are not named are those of find_outputs, if they are one. Inputs that are not named are the
    placeholders that the outputs need. A bool placeholder that is not named is False (a network in use is not
    trained), and what a dropout keeps is everything.

    Raises:
        UserError: a name is unknown, or there are several outputs to choose from.
    """
    outputs = [_tensor(graph, name, "--output") for name in outputs]
    if not outputs:
        found = find_outputs(graph)
        if len(found) != 1:
            raise UserError(f"--output: expected the name of the tensor that the model gives; found "
                            f"{', '.join(found[:9]) or 'no chain of layers'}")
        outputs = found
    inputs = [_tensor(graph, name, "--input") for name in inputs]
    complete = {split_name(_tensor(graph, name, "--feed"))[0]: value for name, value in feeds.items()}
    pipelines = {name for name, node in graph.nodes.items() if SOURCES.match(node.op)}
    needed = needed_nodes(graph.nodes, outputs, {split_name(name)[0] for name in inputs} | set(complete) | pipelines)
    if not inputs:
        inputs = graph.sources([name for name in needed if name not in pipelines])
    for dropout in find_dropouts({name: graph.nodes[name] for name in needed}):
        if not any(_in_a_branch(graph, graph.nodes[name]) for name in dropout.feeds):
            complete.update({name: value for name, value in dropout.feeds.items()
                             if name not in complete and graph.constant_of(name) != value})
    for name in needed:
        node = graph.nodes[name]
        if node.op not in PLACEHOLDERS or name in complete or name in [split_name(tensor)[0] for tensor in inputs]:
            continue
        if node.attr["dtype"].type == 10 and node.op != "PlaceholderWithDefault":  # DT_BOOL
            complete[name] = False
        elif node.op != "PlaceholderWithDefault" and not (inputs and feeds):
            if not inputs or _all_inferred(inputs, graph):
                inputs = [*inputs, name]
    if not inputs:
        raise UserError(f"--output {one_line(outputs[0])}: depends on no placeholder; name the tensor that the model "
                        "is given with --input")
    return Ends(list(dict.fromkeys(inputs)), list(outputs), complete)


def _all_inferred(inputs: Sequence[str], graph: ForeignGraph) -> bool:
    """Return whether all inputs so far were inferred: placeholders then follow each other."""
    return all(graph.nodes[split_name(tensor)[0]].op in PLACEHOLDERS for tensor in inputs)


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
