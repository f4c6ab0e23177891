"""The graph in a .meta file: pruned to what some outputs need, with weights as constants. Nothing of it is run here."""
from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

from tf1_autoencoders.checkpointing.index import read_fields
from tf1_autoencoders.converting.harmless import HARMLESS, READS, VARIABLES, page_for
from tf1_autoencoders.utils.errors import UserError, one_line, short_reason
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import display_path

MAX_META_BYTES = 1 << 30
MAX_PASSED_ON = 100  # operations one after the other that only pass a tensor on; a damaged graph may have a circle
MAX_CONSTANT_BYTES = 1 << 31  # of all constants together, as much as a graph can hold
PASS_ON = frozenset(("Identity", "StopGradient", "PreventGradient", "Snapshot", "CheckNumerics", "RefIdentity"))
PLACEHOLDERS = frozenset(("Placeholder", "PlaceholderV2", "PlaceholderWithDefault"))
WITHOUT_REF = {"RefEnter": "Enter", "RefExit": "Exit", "RefIdentity": "Identity", "RefMerge": "Merge",
               "RefNextIteration": "NextIteration", "RefSwitch": "Switch"}
APPLY = re.compile(r"^(Resource)?(Sparse)?Apply(\w+)$")
SLOTS = {"Adam": ("m", "v"), "AdaMax": ("m", "v"), "Adagrad": ("accumulator",), "Adadelta": ("accumulator", "update"),
         "RMSProp": ("mean square", "momentum"), "Momentum": ("momentum",), "Ftrl": ("accumulator", "linear"),
         "CenteredRMSProp": ("mean gradient", "mean square", "momentum"), "KerasMomentum": ("momentum",)}


SOURCES = re.compile(r"^(IteratorGetNext|QueueDequeue)")  # an input pipeline ends here, and the network begins


class Saved(NamedTuple):
    """Where a checkpoint has a variable of a graph: its name there, and the part ("" for the whole) of it."""

    name: str
    part: str


def split_name(tensor: str) -> Tuple[str, int]:
    """Return (name of the node, number of the output) of an input as a GraphDef has it."""
    node, _, output = tensor.partition(":")
    return node, int(output) if output.isdigit() else 0


def cut_name(tensor: str) -> str:
    """Return the name of the placeholder that replaces a tensor: its node's, or one of its own for later outputs."""
    name, output = split_name(tensor)
    return f"{name}_output_{output}" if output else name


def rewire(nodes: Mapping[str, Any], tensors: Mapping[str, str]) -> None:
    """Let nodes take other tensors: {tensor: the one that replaces it}."""
    for node in nodes.values():
        inputs = [tensors.get(tensor, tensor) for tensor in node.input]
        if inputs != list(node.input):
            del node.input[:]
            node.input.extend(inputs)


def constant(name: str, value: Any) -> Any:
    """Return a NodeDef of a constant."""
    value = np.asarray(value)
    node = tf1.NodeDef(name=name, op="Const")
    node.attr["dtype"].type = tf1.as_dtype(value.dtype).as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf1.make_tensor_proto(value))
    return node


def constant_in(nodes: Mapping[str, Any], tensor: str, weights: Mapping[str, np.ndarray] = {}) -> Any:  # noqa: B006
    """Return the value of a tensor that is a constant or a weight, possibly passed on, or None."""
    for _ in range(len(nodes)):
        name, _ = split_name(tensor)
        node = nodes.get(name)
        if node is None or name in weights or node.op == "Const":
            return weights.get(name) if node is None or name in weights else bounded_constant(node)
        if node.op not in PASS_ON | {"Enter"} or not data_inputs(node):
            return None
        tensor = data_inputs(node)[0]
    return None


def copied(node: Any, kept: Optional[Callable[[str], bool]] = None) -> Any:
    """Return a copy of a NodeDef for this machine, with those of its inputs whose nodes are kept."""
    copy = tf1.NodeDef()
    copy.CopyFrom(node)
    copy.device = ""
    for attribute in ("_class", "_output_shapes"):
        copy.attr.pop(attribute, None)
    if kept:
        inputs = [tensor for tensor in node.input if kept(split_name(tensor.lstrip("^"))[0])]
        del copy.input[:]
        copy.input.extend(inputs)
    return copy


class ForeignGraph:
    """A graph as nodes by name.

    | attribute   | meaning                                                              |
    |-------------|----------------------------------------------------------------------|
    | source      | the file that the graph came from, for messages                      |
    | nodes       | {name: NodeDef}                                                      |
    | library     | FunctionDefLibrary                                                   |
    | collections | {name: list of bytes or names}                                       |
    | version     | the TensorFlow that wrote the file                                   |
    | saved       | {variable's node: Saved}, from the graph's Savers                    |
    """

    def __init__(self, meta_graph: Any, source: str) -> None:
        self.source = source
        self.library = meta_graph.graph_def.library
        self.versions = meta_graph.graph_def.versions
        self.nodes: Dict[str, Any] = {node.name: node for node in meta_graph.graph_def.node}
        self.version = one_line(meta_graph.meta_info_def.tensorflow_version)[:20] or "unknown"
        self.collections = {name: list(getattr(value, value.WhichOneof("kind") or "node_list").value)
                            for name, value in meta_graph.collection_def.items()}
        if len(self.nodes) < len(meta_graph.graph_def.node):
            raise UserError(f"{source}: two operations have the same name; name the .meta file that TensorFlow wrote")
        self.saved = self._saved(meta_graph.saver_def.restore_op_name.rpartition("/")[0] + "/")

    @classmethod
    def read(cls, path: Path) -> ForeignGraph:
        """Read a .meta file, or the graph.pbtxt that an Estimator writes.

        Raises:
            UserError: the file is no MetaGraph, or is larger than MAX_META_BYTES.
        """
        from google.protobuf import text_format  # comes with TensorFlow
        meta_graph = tf1.MetaGraphDef()
        try:
            with open(str(path), "rb") as file:
                content = file.read(MAX_META_BYTES + 1)
            if len(content) > MAX_META_BYTES:
                raise ValueError(f"more than {MAX_META_BYTES} bytes")
            if path.suffix == ".pbtxt":
                text_format.Parse(content, meta_graph.graph_def)
            else:
                meta_graph.ParseFromString(content)
            if not meta_graph.graph_def.node:
                raise ValueError("no operation in it")
        except OSError as error:
            raise UserError(f"{display_path(path)}: {one_line(error)}; name a .meta file that can be read") from error
        except Exception as error:  # protobuf's DecodeError is no ValueError
            raise UserError(f"{display_path(path)}: not the .meta file of a checkpoint ({one_line(error)}); copy the "
                            "file again, or leave it out with --no-meta") from error
        return cls(meta_graph, display_path(path))

    def sources(self, names: Sequence[str]) -> List[str]:
        """Return the tensors of input pipelines that some nodes take, in the order of the outputs."""
        taken = {tensor for name in names for tensor in data_inputs(self.nodes[name])
                 if SOURCES.match(getattr(self.nodes.get(split_name(tensor)[0]), "op", ""))}
        return sorted(taken, key=lambda tensor: (list(self.nodes).index(split_name(tensor)[0]), split_name(tensor)[1]))

    # ---- variables ----

    def variables(self) -> List[str]:
        """Return the names of the variables' nodes."""
        return [name for name, node in self.nodes.items() if node.op in VARIABLES]

    def variable_of(self, tensor: str) -> Optional[str]:
        """Return the variable that a tensor is, or is read from, or None."""
        for _ in range(len(self.nodes)):
            name, _ = split_name(tensor)
            node = self.nodes.get(name)
            if node is None or node.op in VARIABLES:
                return name if node else None
            inputs = data_inputs(node)
            if node.op not in PASS_ON and node.op not in ("ReadVariableOp", "Enter", "RefEnter") or not inputs:
                return None
            tensor = inputs[0]
        return None

    def constant_of(self, tensor: str) -> Optional[np.ndarray]:
        """Return the value of a tensor that is a constant, possibly passed on, or None."""
        return constant_in(self.nodes, tensor)

    def _saved(self, scope: str) -> Dict[str, Saved]:
        """Return which name and part each variable has in a checkpoint, from the Savers; first that of the file."""
        saved: Dict[str, Saved] = {}
        for node in sorted(self.nodes.values(), key=lambda node: not node.name.startswith(scope)):
            n_first = {"SaveV2": 3, "SaveSlices": 3, "Save": 2}.get(node.op)
            inputs = data_inputs(node)
            if n_first is None or len(inputs) < n_first:
                continue
            names = self._strings(inputs[1])
            parts = self._strings(inputs[2]) if n_first == 3 else [""] * len(names)
            for name, part, tensor in zip(names, parts, inputs[n_first:]):
                variable = self.variable_of(tensor)
                if variable is not None:
                    saved.setdefault(variable, Saved(name, part))
        return saved

    def _strings(self, tensor: str) -> List[str]:
        node = self.nodes.get(split_name(tensor)[0])
        if node is None or node.op != "Const":
            return []
        return [text.decode(errors="replace") for text in node.attr["value"].tensor.string_val]

    def saved_as(self, variable: str) -> Saved:
        """Return where a checkpoint has a variable; without a Saver in the graph, under the variable's own name."""
        return self.saved.get(variable, Saved(variable, ""))

    def trainable(self) -> Optional[Set[str]]:
        """Return the nodes of the trainable variables, or None if the file does not say."""
        definitions = self.collections.get("trainable_variables")
        if not definitions:
            return None
        names = set()
        for definition in definitions:
            with contextlib.suppress(ValueError, IndexError, AttributeError, TypeError):
                names.add(split_name(dict(read_fields(definition))[1].decode())[0])  # of a VariableDef
        return names or None

    def consumers(self) -> Dict[str, List[str]]:
        """Return {node: names of the nodes that take one of its outputs}."""
        consumers: Dict[str, List[str]] = {name: [] for name in self.nodes}
        for name, node in self.nodes.items():
            for tensor in data_inputs(node):
                consumers.setdefault(split_name(tensor)[0], []).append(name)
        return consumers

    def slots(self) -> Dict[str, Tuple[str, str]]:
        """Return {variable: (variable whose slot it is, what it holds)}, from the operations of the optimisers."""
        slots: Dict[str, Tuple[str, str]] = {}
        for node in self.nodes.values():
            applied = APPLY.match(node.op)
            if not applied:
                continue
            variable, *others = [self.variable_of(tensor) for tensor in data_inputs(node)]
            kinds = SLOTS.get(applied.group(3).replace("V2", ""), ())
            for kind, other in zip(kinds, others):
                if variable and other:
                    slots[other] = variable, f"{kind} of {applied.group(3)}"
            if applied.group(3) in ("Adam", "AdaMax"):
                for other in others[2:4]:
                    if other:
                        slots[other] = "", "beta power of Adam"
        return slots

    def unknown_operations(self) -> Dict[str, List[str]]:
        """Return {operation that the installed TensorFlow does not have: names of its nodes}."""
        unknown: Dict[str, List[str]] = {}
        functions = {function.signature.name for function in self.library.function}
        for name, node in self.nodes.items():
            if node.op not in functions and not is_known(node.op):
                unknown.setdefault(node.op, []).append(name)
        return unknown


def is_known(op: str) -> bool:
    """Whether the installed TensorFlow has an operation."""
    with tf1.Graph().as_default() as graph:
        look_up = getattr(graph, "op_def_for_type", None) or graph._get_op_def
        try:
            look_up(op)
        except Exception:  # LookupError, NotFoundError, RuntimeError, by release
            return False
    return True


def data_inputs(node: Any) -> List[str]:
    """Return the inputs of a NodeDef without its control inputs."""
    return [tensor for tensor in node.input if not tensor.startswith("^")]


def control_inputs(node: Any) -> List[str]:
    """Return the nodes that a NodeDef waits for."""
    return [tensor[1:] for tensor in node.input if tensor.startswith("^")]


# ---- the part that the outputs need ----

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

    def __init__(self, graph: ForeignGraph, inputs: Sequence[str], outputs: Sequence[str],
                 feeds: Mapping[str, Any], value_of: Callable[[Saved], np.ndarray],
                 shapes: Optional[Mapping[str, Sequence[Optional[int]]]] = None) -> None:
        """Make the graph.

        Args:
            graph: ForeignGraph.
            inputs: tensors that the model is given; a tensor in the middle of the graph cuts it there.
            outputs: tensors that the model gives.
            feeds: {placeholder: value that it always has}.
            value_of: function that returns the value of a variable, or raises KeyError.
            shapes: {input: its shape}, for placeholders whose shape the program has left open.

        Raises:
            UserError: the outputs need another placeholder, a variable that the checkpoint does not have, or an
                operation that is not known or not harmless.
        """
        self.source, self.library, self.versions = graph.source, graph.library, graph.versions
        self.inputs, self.outputs = [cut_name(tensor) for tensor in inputs], list(outputs)
        self.tensors, self.feeds = list(inputs), dict(feeds)
        self.weights: Dict[str, np.ndarray] = {}
        self.nodes = {}
        self._value_of = value_of
        self._imported: Any = None
        self._dequeued: Optional[int] = None  # by a queue, and then in the shapes of the original's constants
        cut = {split_name(tensor)[0]: tensor for tensor in inputs}
        nodes = {name: copied(graph.nodes[name])
                 for name in needed_nodes(graph.nodes, outputs, set(cut) | set(feeds))}
        self.nodes = nodes
        for dropout in find_dropouts(nodes):
            if all(feeds.get(name) == value or graph.constant_of(name) == value
                   for name, value in dropout.feeds.items()):
                _make_identity(nodes[dropout.node], dropout.x)
        for tensor in inputs:
            if split_name(tensor)[0] in nodes:
                self._cut(graph, tensor)
        rewire(nodes, {tensor: cut_name(tensor) for tensor in inputs if split_name(tensor)[1]})
        for name in set(nodes) - set(needed_nodes(nodes, outputs, set())):
            del nodes[name]  # the sources of later outputs
        for name in list(nodes):
            if name in self.inputs:
                continue
            if name in feeds:
                self._set(name, feeds[name])
            elif nodes[name].op == "Print":
                _make_identity(nodes[name], data_inputs(nodes[name])[0])
            elif nodes[name].op == "PlaceholderWithDefault":
                nodes[name].op = "Identity"
                nodes[name].attr["T"].type = nodes[name].attr["dtype"].type
                for attribute in ("dtype", "shape"):
                    nodes[name].attr.pop(attribute, None)
        for tensor in [tensor for tensor in inputs if cut_name(tensor) in nodes]:
            node = nodes[cut_name(tensor)]
            shape = (shapes or {}).get(tensor) or assumed_shape(graph, node)
            if shape is not None:
                node.attr["shape"].shape.CopyFrom(tf1.TensorShape(shape).as_proto())
        check_operations(graph, nodes, READS | VARIABLES)
        self._freeze(graph)
        fold_conditions(nodes, self.constant_value)
        keep = set(needed_nodes(nodes, outputs, set()))
        for name in set(nodes) - keep:
            del nodes[name]
            self.weights.pop(name, None)
        for name in nodes:  # control inputs matter where a branch or a loop is entered
            nodes[name] = copied(nodes[name], lambda source: source in nodes)
        missing = [name for name, node in nodes.items() if node.op in PLACEHOLDERS and name not in self.inputs]
        if missing:
            raise UserError(f"{self.source}: the outputs also need the placeholder {missing[0]}; name it with --input, "
                            f"or give its value with --feed {missing[0]}=VALUE")
        unused = [tensor for tensor in inputs if cut_name(tensor) not in nodes]
        if unused:
            raise UserError(f"--input {unused[0]}: the outputs do not depend on it; leave it out or name other outputs")
        check_operations(graph, nodes, frozenset())

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

    def _set(self, name: str, value: Any) -> None:
        """Make a constant of a placeholder."""
        node = self.nodes[name]
        dtype = tf1.as_dtype(node.attr["dtype"].type or node.attr["T"].type).as_numpy_dtype
        self.nodes[name] = constant(name, np.asarray(value, dtype))

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
                raise UserError(f"{self.source}: the outputs need the variable {saved.name}, which the checkpoint does "
                                "not have; name the checkpoint that belongs to this .meta file") from None
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

    def constant_value(self, tensor: str) -> Optional[np.ndarray]:
        """Return the value of a tensor that is a constant, possibly passed on, or None."""
        return constant_in(self.nodes, tensor, self.weights)

    def graph_def(self, with_weights: bool = True) -> Any:
        """Return the GraphDef, whose weights are constants."""
        graph_def = tf1.GraphDef(versions=self.versions)
        if self.library.function:
            graph_def.library.CopyFrom(self.library)
        n_bytes = sum(value.nbytes for value in self.weights.values())
        if n_bytes > MAX_CONSTANT_BYTES - (1 << 20):
            raise UserError(f"{self.source}: {n_bytes} bytes of weights, more than the 2 GiB that a graph can hold; "
                            "convert by name, with --to npz")
        for name, node in self.nodes.items():
            graph_def.node.add().CopyFrom(constant(name, self.weights[name]) if name in self.weights else node)
        return graph_def

    @property
    def batch_size(self) -> Optional[int]:
        """The number of rows that the original computes with, if its program fixed the number; else None."""
        tensors = [self.imported().get_tensor_by_name(tensor if ":" in tensor else f"{tensor}:0")
                   for tensor in self.outputs]
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


def assumed_shape(graph: ForeignGraph, node: Any) -> Optional[List[Optional[int]]]:
    """Return the shape of a placeholder of unknown shape whose only use is a reshape to a known one, or None."""
    shape = node.attr["shape"].shape
    if node.op not in PLACEHOLDERS or len(shape.dim) or not (shape.unknown_rank or "shape" not in node.attr
                                                             or graph.nodes[node.name].op == "Placeholder"):
        return None
    for consumer in graph.nodes.values():
        inputs = data_inputs(consumer)
        if consumer.op == "Reshape" and split_name(inputs[0])[0] == node.name:
            target = graph.nodes.get(split_name(inputs[1])[0])
            sizes = bounded_constant(target).ravel().tolist() if target is not None and target.op == "Const" else []
            if len(sizes) > 1 and sizes[0] == -1 and min(sizes[1:]) > 0:
                return [None, int(np.prod(sizes[1:]))]
    return None


def import_graph(graph_def: Any, source: str) -> Any:
    """Return a tf1.Graph of a GraphDef.

    Raises:
        UserError: TensorFlow does not accept the graph.
    """
    with tf1.Graph().as_default() as graph:
        try:
            tf1.import_graph_def(graph_def, name="")
        except Exception as error:  # of many kinds, by operation
            raise UserError(f"{source}: TensorFlow does not accept the graph ({short_reason(error)}); name other "
                            "outputs") from error
    return graph


def output_type(graph: ForeignGraph, name: str, output: int) -> Tuple[int, Any]:
    """Return (dtype, TensorShapeProto) of an output of a node, as the node says or TensorFlow infers them."""
    attributes = graph.nodes[name].attr
    for types, shapes in (("output_types", "output_shapes"), ("component_types", "shapes")):
        if types in attributes and output < len(attributes[types].list.type):
            known, batch = attributes[shapes].list.shape, []
            if graph.nodes[name].op.startswith("QueueDequeue"):  # the queue knows the shapes of its elements
                known = graph.nodes[split_name(data_inputs(graph.nodes[name])[0])[0]].attr["shapes"].list.shape
                batch = [tf1.Dimension(None)] * graph.nodes[name].op.startswith(("QueueDequeueM", "QueueDequeueU"))
            shape = tf1.TensorShape(known[output] if output < len(known) else None)
            return attributes[types].list.type[output], tf1.TensorShape(batch).concatenate(shape).as_proto()
    nodes = needed_nodes(graph.nodes, [name], set())
    check_operations(graph, {node: graph.nodes[node] for node in nodes if node != name}, None)
    graph_def = tf1.GraphDef(versions=graph.versions, library=graph.library, node=[
        copied(graph.nodes[node], lambda source: source in nodes) for node in nodes])
    tensor = import_graph(graph_def, graph.source).get_operation_by_name(name).outputs[output]
    return tensor.dtype.base_dtype.as_datatype_enum, tensor.shape.as_proto()


def bounded_constant(node: Any) -> np.ndarray:
    """Return the value of a Const, after a check that its shape does not claim more than MAX_CONSTANT_BYTES.

    Raises:
        UserError: the constant is damaged.
    """
    proto, n = node.attr["value"].tensor, 1
    for dimension in proto.tensor_shape.dim:
        n *= dimension.size
    if not 0 <= n <= MAX_CONSTANT_BYTES // 8:
        raise UserError(f"the constant {one_line(node.name)} claims {n} numbers; name the .meta file that TensorFlow "
                        "wrote")
    try:
        return tf1.make_ndarray(proto)
    except Exception as error:
        raise UserError(f"the constant {one_line(node.name)} is damaged ({one_line(error)}); name the .meta file that "
                        "TensorFlow wrote") from error


def check_operations(graph: ForeignGraph, nodes: Mapping[str, Any], also: Any) -> None:
    """Raise UserError for an operation that is not known, or (unless `also` is None) not harmless.

    Args:
        graph: ForeignGraph, for its functions.
        nodes: {name: NodeDef}.
        also: operations that are allowed beside HARMLESS.
    """
    functions = {function.signature.name: function for function in graph.library.function}
    pending: List[Tuple[str, Any]] = list(nodes.items())
    seen: Set[str] = set()
    n_bytes = 0
    while pending:
        name, node = pending.pop()
        place = f"{one_line(node.op)} (at {one_line(name)[:80]})"
        called = [node.op] if node.op in functions else []
        called += [attribute.func.name for attribute in node.attr.values() if attribute.HasField("func")]
        for function in called:
            if function not in seen and function in functions:
                seen.add(function)
                pending += [(f"{function}/{inner.name}", inner) for inner in functions[function].node_def]
        if node.op == "Const":
            n_bytes += _claimed_bytes(node)
            if n_bytes > MAX_CONSTANT_BYTES:
                raise UserError(f"{graph.source}: the constant {one_line(name)[:80]} claims more than "
                                f"{MAX_CONSTANT_BYTES} bytes; name the .meta file that TensorFlow wrote")
        if node.op in functions:
            continue
        if also is not None and node.op not in HARMLESS and node.op not in also:
            problem = "which is not on the list of harmless operations" if is_known(node.op) else \
                "which the installed TensorFlow does not have"
            raise UserError(f"{graph.source}: the outputs need {place}, {problem}; name an --input behind the place, "
                            f"or see {page_for(node.op)}")
        if not is_known(node.op):
            raise UserError(f"{graph.source}: the outputs need {place}, which the installed TensorFlow does not have; "
                            f"see {page_for(node.op)}")


def _claimed_bytes(node: Any) -> int:
    n = 1
    for dimension in node.attr["value"].tensor.tensor_shape.dim:
        n *= max(0, dimension.size)
    return n * 4


def needed_nodes(nodes: Mapping[str, Any], outputs: Sequence[str], stop: Set[str]) -> List[str]:
    """Return the nodes that some tensors need, in the order of the graph.

    A node that is only waited for is needed where it is a branch's or a loop's pivot, without which a constant in the
    branch would be alive at the wrong time. Updates and checks that are waited for belong to the training.

    Raises:
        UserError: a tensor names no node.
    """
    needed: Set[str] = set()
    pending = [(split_name(tensor)[0], tensor) for tensor in outputs]
    while pending:
        name, tensor = pending.pop()
        if name in needed:
            continue
        if name not in nodes:
            raise UserError(f"{one_line(tensor)}: the graph has no such tensor; see --list for the names")
        needed.add(name)
        if name in stop:
            continue
        node = nodes[name]
        pending += [(split_name(tensor)[0], tensor) for tensor in data_inputs(node)]
        pending += [(waited, waited) for waited in control_inputs(node) if _is_pivot(nodes, waited)]
    return [name for name in nodes if name in needed]


def _is_pivot(nodes: Mapping[str, Any], name: str) -> bool:
    """Whether a node passes on an output of a Switch, and nothing else."""
    node = nodes.get(name)
    if node is None:
        return False
    if node.op in ("Switch", "RefSwitch"):
        return True
    inputs = data_inputs(node)
    return node.op == "Identity" and len(inputs) == 1 \
        and getattr(nodes.get(split_name(inputs[0])[0]), "op", "") in ("Switch", "RefSwitch")


def _make_reads_of_constants(nodes: Dict[str, Any], dtypes: Dict[str, int]) -> None:
    """Change what reads the variables {name: dtype}, which have become constants."""
    carried = dict(dtypes)  # node -> dtype: whose output is the constant
    changed = True
    while changed:
        changed = False
        for name, node in nodes.items():
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


# ---- simplification ----

def in_order(nodes: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of nodes, each after its inputs; the way back of a loop is not counted."""
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
    truth: Dict[str, bool] = {}

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
            known = condition(inputs[0])
            if known is not None:
                truth[name] = known
        if node.op == "Merge":
            if any(nodes[split_name(tensor)[0]].op == "NextIteration" for tensor in inputs
                   if split_name(tensor)[0] in nodes):
                continue
            alive = [tensor for tensor in inputs if not is_dead(tensor)]
            if not alive:
                dead.add((name, -1))
            elif len(alive) == 1 and len(inputs) > 1:
                _make_identity(node, alive[0])
        elif any(is_dead(tensor) for tensor in node.input):
            dead.add((name, -1))
        elif node.op == "Switch":
            known = condition(inputs[1])
            if known is not None:
                dead.add((name, int(not known)))
    taken = {(name, 1 - output) for name, output in dead if output >= 0}
    for name, _ in taken:
        _make_identity(nodes[name], data_inputs(nodes[name])[0])
    live = {f"{name}:{output}": name for name, output in taken if output}
    rewire(nodes, live)


def _make_identity(node: Any, tensor: str) -> None:
    """Turn a node into one that passes a tensor on."""
    node.op = "Identity"
    for attribute in list(node.attr):
        if attribute != "T":
            node.attr.pop(attribute)
    del node.input[:]
    node.input.append(tensor)


# ---- dropout ----

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
        """Whether a tensor is computed from a node that is wanted, in a few steps of arithmetic."""
        node = source(tensor)
        arithmetic = ("Add", "AddV2", "Mul", "Sub", "RealDiv")
        return node is not None and (wanted(node) or n_steps > 0 and node.op in arithmetic and any(
            reaches(part, wanted, n_steps - 1) for part in data_inputs(node)))

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
