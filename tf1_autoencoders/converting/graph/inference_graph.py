"""The part of a foreign graph that some outputs need: pruned, checked against the allowlist, with frozen weights."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile, part_of
from tf1_autoencoders.converting.graph.allowlist import READS, VARIABLES, check_operations
from tf1_autoencoders.converting.graph.foreign_graph import (
    PASS_ON,
    PLACEHOLDERS,
    ForeignGraph,
    Saved,
    constant,
    constant_in,
    constant_like,
    control_inputs,
    copied,
    cut_name,
    data_inputs,
    rewire,
    split_name,
)
from tf1_autoencoders.converting.graph.simplification import find_dropouts, fold_conditions, in_order, make_identity
from tf1_autoencoders.converting.graph.subgraph import assumed_shape, import_graph, needed_nodes, output_type
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.frameworks import tf1

MAX_GRAPH_BYTES = 1 << 31  # of a GraphDef
WITHOUT_REF = {"RefEnter": "Enter", "RefExit": "Exit", "RefIdentity": "Identity", "RefMerge": "Merge",
               "RefNextIteration": "NextIteration", "RefSwitch": "Switch"}


def value_reader(checkpoint: CheckpointFile) -> Any:
    """Return the function with which an InferenceGraph asks for the values of variables."""
    def value_of(saved: Saved) -> np.ndarray:
        if saved.name not in checkpoint.variables:
            raise KeyError(saved.name)
        try:
            return part_of(checkpoint.read(saved.name), saved.part)
        except ValueError as error:
            raise UserError(f"{saved.name[:80]}: {one_line(error)}; name the .meta file of this checkpoint") from error
    return value_of


class Ends(NamedTuple):
    """What an inference graph begins and ends with.

    | field   | meaning                                                                          |
    |---------|----------------------------------------------------------------------------------|
    | inputs  | tensors that the model is given; one in the middle of the graph cuts it there    |
    | outputs | tensors that the model gives                                                     |
    | feeds   | {placeholder or constant: value that it always has}                              |
    | named   | those of the inputs that the user named: others are left out where not needed    |
    """

    inputs: Sequence[str]
    outputs: Sequence[str]
    feeds: Mapping[str, Any]
    named: Sequence[str] = ()


class InferenceGraph:
    """What some outputs need of a graph, with inputs cut, placeholders set, and weights as constants.

    | attribute | meaning                                                                                |
    |-----------|----------------------------------------------------------------------------------------|
    | nodes     | {name: NodeDef}; the weights are nodes of the kind Const without a value               |
    | weights   | {name of such a node: array}                                                           |
    | inputs    | names of the placeholders                                                              |
    | tensors   | names of the tensors that the placeholders stand for                                   |
    | outputs   | names of the tensors                                                                   |
    | feeds     | {placeholder of the original: value that it always has}                                |
    """

    def __init__(self, graph: ForeignGraph, ends: Ends, value_of: Callable[[Saved], np.ndarray],
                 shapes: Optional[Mapping[str, Sequence[Optional[int]]]] = None) -> None:
        """Make the graph, in passes over its nodes.

        Args:
            graph: ForeignGraph.
            ends: Ends.
            value_of: function that returns the value of a variable, or raises KeyError.
            shapes: {input: its shape}, for placeholders whose shape the program has left open.

        Raises:
            UserError: the outputs need another placeholder, a variable that the checkpoint does not have, or an
                operation that is not known or not allowed.
        """
        self.source, self.versions = graph.source, graph.versions
        self.tensors, self.outputs, self.feeds = list(ends.inputs), list(ends.outputs), dict(ends.feeds)
        self.weights: Dict[str, np.ndarray] = {}
        self._value_of = value_of
        self._imported: Any = None
        self._dequeued: Optional[int] = None  # by a queue, and then in the shapes of the original's constants
        stop = {split_name(tensor)[0] for tensor in self.tensors} | set(self.feeds)
        self.nodes = {name: copied(graph.nodes[name]) for name in needed_nodes(graph.nodes, self.outputs, stop)}
        self._remove_dropouts(graph)
        self._cut_inputs(graph)
        self._set_placeholders()
        self._set_shapes(graph, shapes or {})
        check_operations(graph.source, graph.library, self.nodes, READS | VARIABLES)
        self._freeze(graph)
        fold_conditions(self.nodes, self.constant_value)
        self._prune()
        for name in self.nodes:  # control inputs matter where a branch or a loop is entered
            self.nodes[name] = copied(self.nodes[name], lambda source: source in self.nodes)
        self._check_inputs(ends)
        self.library = check_operations(graph.source, graph.library, self.nodes)

    @property
    def inputs(self) -> List[str]:
        return [cut_name(tensor) for tensor in self.tensors]

    def _remove_dropouts(self, graph: ForeignGraph) -> None:
        """Make an Identity of each dropout that keeps everything."""
        for dropout in find_dropouts(self.nodes):
            if all(self.feeds.get(name) == value or graph.constant_of(name) == value
                   for name, value in dropout.feeds.items()):
                make_identity(self.nodes[dropout.node], dropout.x)

    def _cut_inputs(self, graph: ForeignGraph) -> None:
        """Make placeholders of the tensors that the model is given."""
        for tensor in self.tensors:
            if split_name(tensor)[0] in self.nodes:
                self._cut(graph, tensor)
        rewire(self.nodes, {tensor: cut_name(tensor) for tensor in self.tensors if split_name(tensor)[1]})
        self._prune()  # of the sources of later outputs

    def _prune(self) -> None:
        """Remove what the outputs do not need."""
        for name in set(self.nodes) - set(needed_nodes(self.nodes, self.outputs, set())):
            del self.nodes[name]
            self.weights.pop(name, None)

    def _set_placeholders(self) -> None:
        """Make constants of the placeholders that always have one value, and an Identity of those with a default."""
        for name in [name for name in self.nodes if name not in self.inputs]:
            node = self.nodes[name]
            if name in self.feeds:
                self.nodes[name] = constant_like(node, self.feeds[name])
            elif node.op == "Print":
                make_identity(node, data_inputs(node)[0])
            elif node.op == "PlaceholderWithDefault":
                node.op = "Identity"
                node.attr["T"].type = node.attr["dtype"].type
                for attribute in ("dtype", "shape"):
                    node.attr.pop(attribute, None)

    def _set_shapes(self, graph: ForeignGraph, shapes: Mapping[str, Sequence[Optional[int]]]) -> None:
        """Set the shapes of placeholders that the user names, or that the graph shows."""
        for tensor in self.tensors:
            node = self.nodes.get(cut_name(tensor))
            shape = None if node is None else shapes.get(tensor) or assumed_shape(graph, node)
            if node is not None and shape is not None:
                node.attr["shape"].shape.CopyFrom(tf1.TensorShape(shape).as_proto())

    def _check_inputs(self, ends: Ends) -> None:
        """Leave out the inputs that turned out not to be needed.

        Raises:
            UserError: the user named such an input, or the outputs need another placeholder.
        """
        missing = [name for name, node in self.nodes.items() if node.op in PLACEHOLDERS and name not in self.inputs]
        if missing:
            raise UserError(f"{self.source}: the outputs also need the placeholder {missing[0]}; name it with --input, "
                            f"or give its value with --feed {missing[0]}=VALUE")
        unused = [tensor for tensor in self.tensors if cut_name(tensor) not in self.nodes]
        for tensor in unused:
            if tensor in ends.named:
                raise UserError(f"--input {tensor}: the outputs do not depend on it; leave it out or name other "
                                "outputs")
            self.tensors.remove(tensor)
        if not self.tensors:
            raise UserError(f"--output {one_line(self.outputs[0])}: depends on no placeholder; name the tensor that "
                            "the model is given with --input")

    def _cut(self, graph: ForeignGraph, tensor: str) -> None:
        """Make a placeholder of a tensor that the model is given."""
        name, output = split_name(tensor)
        node = graph.nodes[name]
        if node.op in ("Placeholder", "PlaceholderV2"):
            return
        dtype, shape = (node.attr["dtype"].type, node.attr["shape"].shape) if node.op == "PlaceholderWithDefault" \
            else output_type(graph, name, output)
        if node.op.startswith("QueueDequeueMany"):
            n_rows = graph.constant_of(data_inputs(node)[1])
            self._dequeued = None if n_rows is None else int(n_rows)
        placeholder = tf1.NodeDef(name=cut_name(tensor), op="Placeholder")
        placeholder.attr["dtype"].type = dtype
        placeholder.attr["shape"].shape.CopyFrom(shape)
        self.nodes[placeholder.name] = placeholder

    def _freeze(self, graph: ForeignGraph) -> None:
        """Make a constant of each variable, and an Identity of what reads it."""
        nodes, handles = self.nodes, {}
        for name, node in list(nodes.items()):
            if node.op not in VARIABLES:
                continue
            saved = graph.saved_as(name)
            try:
                value = self._value_of(saved)
            except KeyError:
                advice = "the Saver left it out, name other outputs" if graph.saved and name not in graph.saved else \
                    "name the checkpoint that belongs to this .meta file"
                raise UserError(f"{self.source}: the outputs need the variable {saved.name}, which the checkpoint does "
                                f"not have; {advice}") from None
            dtype, shape = node.attr["dtype"].type, node.attr["shape"].shape
            expected = [dimension.size for dimension in shape.dim]
            if tf1.as_dtype(value.dtype).as_datatype_enum != dtype or not shape.unknown_rank and expected and (
                    len(expected) != value.ndim
                    or any(size not in (-1, n) for size, n in zip(expected, value.shape))):
                raise UserError(f"{self.source}: the variable {saved.name} has the shape {expected} there, and "
                                f"{list(value.shape)} in the checkpoint; name the checkpoint that belongs to the file")
            handles[name] = node.op == "VarHandleOp", dtype
            self.weights[name] = value
            weight = tf1.NodeDef(name=name, op="Const")
            weight.attr["dtype"].type = dtype
            nodes[name] = weight
        _make_reads_of_constants(nodes, {name: dtype for name, (_, dtype) in handles.items()})

    def constant_value(self, tensor: str, weights: Optional[Mapping[str, np.ndarray]] = None) -> Optional[np.ndarray]:
        """Return the value of a tensor that is a constant, possibly passed on, or None; other weights may be given."""
        return constant_in(self.nodes, tensor, self.weights if weights is None else weights)

    def graph_def(self, with_weights: bool = True) -> Any:
        """Return the GraphDef, whose weights are constants."""
        graph_def = tf1.GraphDef(versions=self.versions)
        if self.library.function:
            graph_def.library.CopyFrom(self.library)
        n_bytes = sum(value.nbytes for value in self.weights.values())
        if n_bytes > MAX_GRAPH_BYTES - (1 << 20):
            raise UserError(f"{self.source}: {n_bytes} bytes of weights, more than the 2 GiB that a graph can hold; "
                            "convert by name, with --to npz")
        for name, node in self.nodes.items():
            graph_def.node.add().CopyFrom(constant(name, self.weights[name]) if name in self.weights else node)
        return graph_def

    @property
    def batch_size(self) -> Optional[int]:
        """The number of rows that the original computes with, if its program fixed the number; else None."""
        graph = self.imported()
        tensors = [graph.get_tensor_by_name(tensor if ":" in tensor else f"{tensor}:0")
                   for tensor in (*self.outputs, *self.inputs)]
        for name, node in self.nodes.items():  # a state of zeros, with which a loop begins
            if node.op == "Enter" and split_name(data_inputs(node)[0])[0] not in self.weights:
                state = graph.get_operation_by_name(name).inputs[0]
                tensors += [state] if state.op.type in ("Const", "Fill") and state.shape.ndims == 2 else []
        sizes = [tensor.shape.as_list()[0] for tensor in tensors if tensor.shape.ndims]
        return self._dequeued or next((size for size in sizes if size is not None), None)

    def imported(self) -> Any:
        """Return a tf1.Graph of it, from which dtypes and shapes can be read; nothing of it is run.

        Raises:
            UserError: TensorFlow does not accept the graph.
        """
        if self._imported is None:
            self._imported = import_graph(self.graph_def(), self.source)
        return self._imported


def _make_reads_of_constants(nodes: Dict[str, Any], dtypes: Dict[str, int]) -> None:
    """Change what reads the variables {name: dtype}, which have become constants."""
    carried = dict(dtypes)  # node -> dtype: whose output is the constant
    changed, names = True, list(in_order(nodes))  # in this order, two rounds are enough
    while changed:
        changed = False
        for name, node in ((name, nodes[name]) for name in names):
            inputs = data_inputs(node)
            if name in carried or not inputs or node.op not in PASS_ON | {"Enter", "Switch", *WITHOUT_REF}:
                continue
            source = split_name(inputs[0])[0]
            if source in carried:
                carried[name], changed = carried[source], True
    for name, node in list(nodes.items()):
        node.op = WITHOUT_REF.get(node.op, node.op)
        if name in carried and name not in dtypes:
            node.attr["T"].type = carried[name]
        if node.op not in READS:
            continue
        handle, *rest = data_inputs(node)
        dtype = carried.get(split_name(handle)[0])
        waits = [f"^{waited}" for waited in control_inputs(node)]
        if dtype is None:
            raise UserError(f"the operation {one_line(name)} reads a variable inside of a function, which is not "
                            "supported; name an --input behind the place")
        if node.op in ("VarIsInitializedOp", "IsVariableInitialized"):
            nodes[name] = constant(name, True)
            continue
        read = tf1.NodeDef(name=name, op={"ReadVariableOp": "Identity", "ResourceGather": "GatherV2",
                                          "VariableShape": "Shape"}[node.op], input=[handle, *rest, *waits])
        if node.op == "ReadVariableOp":
            read.attr["T"].type = dtype
        elif node.op == "VariableShape":
            read.attr["T"].type = dtype
            read.attr["out_type"].type = node.attr["out_type"].type or tf1.int32.as_datatype_enum
        else:
            axis = f"{name}/axis"
            nodes[axis] = constant(axis, np.int32(node.attr["batch_dims"].i))
            read.attr["batch_dims"].i = node.attr["batch_dims"].i
            nodes[axis].input.extend(waits)
            read.input.insert(2, axis)
            read.attr["Tparams"].type, read.attr["Taxis"].type = dtype, tf1.int32.as_datatype_enum
            read.attr["Tindices"].type = node.attr["Tindices"].type
        nodes[name] = read
