"""The graph in a .meta file, as its program wrote it: nodes, variables, slots, Savers. Nothing of it is run here."""
from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

from tf1_autoencoders.checkpointing.checkpoint_file import SAVED_MODEL, refuse_lfs_pointer
from tf1_autoencoders.checkpointing.index import read_fields
from tf1_autoencoders.converting.graph.allowlist import (
    MAX_UNSTORED_BYTES,
    VARIABLES,
    allowed_node,
    op_definition,
    unstored_bytes,
)
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.files import read_bounded
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import display_path

MAX_META_BYTES, MAX_TEXT_BYTES = 1 << 30, 1 << 25  # of a .meta file; of a graph.pbtxt, which is slow to read
PASS_ON = frozenset(("Identity", "StopGradient", "PreventGradient", "Snapshot", "CheckNumerics", "RefIdentity"))
PLACEHOLDERS = frozenset(("Placeholder", "PlaceholderV2", "PlaceholderWithDefault"))
MAX_OF_A_CHECK = 200  # operations of a check that a constant waits for
OPEN_SHAPES_SINCE = 24  # version of a GraphDef, since when Placeholder's {} is the shape of a number
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
    return node, int(output) if output.isdecimal() and len(output) < 10 else 0


def cut_name(tensor: str) -> str:
    """Return the name of the placeholder that replaces a tensor: its node's, or one of its own for later outputs."""
    name, output = split_name(tensor)
    return f"{name}_output_{output}" if output else name


def rewire(nodes: Mapping[str, Any], tensors: Mapping[str, str]) -> None:
    """Rewire inputs: replace each tensor by the given one, {tensor: its replacement}."""
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


def constant_like(node: Any, value: Any) -> Any:
    """Return a NodeDef of a constant in place of a node, which waits for what the node takes and waits for.

    Without these control inputs, a constant of a loop would stand outside of the loop.
    """
    dtype = tf1.as_dtype(node.attr["dtype"].type or node.attr["T"].type).as_numpy_dtype
    replacement = constant(node.name, np.asarray(value, dtype))
    waited = [split_name(tensor)[0] for tensor in data_inputs(node)] + control_inputs(node)
    replacement.input.extend(f"^{name}" for name in dict.fromkeys(waited))
    return replacement


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


def bounded_constant(node: Any) -> np.ndarray:
    """Return the value of a Const, after a check that its shape does not claim more than MAX_UNSTORED_BYTES.

    Raises:
        UserError: the constant is damaged.
    """
    proto = node.attr["value"].tensor
    if unstored_bytes(proto) > MAX_UNSTORED_BYTES or any(dimension.size < 0 for dimension in proto.tensor_shape.dim):
        raise UserError(f"the constant {one_line(node.name)} claims more numbers than the file holds; name the .meta "
                        "file that TensorFlow wrote")
    try:
        return tf1.make_ndarray(proto)
    except Exception as error:
        raise UserError(f"the constant {one_line(node.name)} is damaged ({one_line(error)}); name the .meta file that "
                        "TensorFlow wrote") from error


def copied(node: Any, kept: Optional[Callable[[str], bool]] = None) -> Any:
    """Return a copy of a NodeDef for this machine, with those of its inputs whose nodes are kept."""
    copy = allowed_node(node)
    if kept:
        del copy.input[:]
        copy.input.extend(tensor for tensor in node.input if kept(split_name(tensor.lstrip("^"))[0]))
    return copy


class ForeignGraph:
    """A GraphDef with its nodes indexed by name.

    | attribute   | meaning                                                              |
    |-------------|----------------------------------------------------------------------|
    | source      | the file that the graph came from, for messages                      |
    | nodes       | {name: NodeDef}                                                      |
    | library     | FunctionDefLibrary                                                   |
    | collections | {name: list of bytes or names}                                       |
    | version     | the TensorFlow that wrote the file                                   |
    | saved       | {variable's node: Saved}, from the graph's Savers                    |
    | signature   | (inputs, outputs) that a SavedModel names, or None                   |
    """

    def __init__(self, meta_graph: Any, source: str) -> None:
        self.source = source
        self.library = meta_graph.graph_def.library
        self.versions = meta_graph.graph_def.versions
        self.nodes: Dict[str, Any] = {node.name: node for node in meta_graph.graph_def.node}
        self.version = one_line(meta_graph.meta_info_def.tensorflow_version)[:20] or "of unknown version"
        self.collections = {name: list(getattr(value, value.WhichOneof("kind") or "node_list").value)
                            for name, value in meta_graph.collection_def.items()}
        if len(self.nodes) < len(meta_graph.graph_def.node):
            raise UserError(f"{source}: two operations have the same name; name the .meta file that TensorFlow wrote")
        self.signature = _signature(meta_graph)
        for node in self.nodes.values():
            if control_inputs(node) and not data_inputs(node):
                self._keep_in_loop(node)
        for node in self.nodes.values():
            if node.op in PLACEHOLDERS:
                _restore_shape(node, self.versions.producer)
        self.saved = self._saved(meta_graph.saver_def.restore_op_name.rpartition("/")[0] + "/")

    @classmethod
    def read(cls, path: Path) -> ForeignGraph:
        """Read a .meta file, the graph.pbtxt that an Estimator writes, or the saved_model.pb of a SavedModel.

        Raises:
            UserError: the file is no MetaGraph, or is larger than MAX_META_BYTES.
        """
        from google.protobuf import text_format  # comes with TensorFlow
        meta_graph = tf1.MetaGraphDef()
        refuse_lfs_pointer(path)
        try:
            if path.name == SAVED_MODEL:
                meta_graph = _of_saved_model(read_bounded(path, MAX_META_BYTES))
            elif path.suffix == ".pbtxt":
                text_format.Parse(read_bounded(path, MAX_TEXT_BYTES), meta_graph.graph_def)
            else:
                meta_graph.ParseFromString(read_bounded(path, MAX_META_BYTES))
            if not meta_graph.graph_def.node:
                raise ValueError("no operation in it")
        except UserError as error:
            raise UserError(f"{display_path(path)}: {error}") from None
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

    def _keep_in_loop(self, node: Any) -> None:
        """Let a constant of a loop that waits for a check in the loop wait for a variable of the loop too.

        The check belongs to the training and falls away. Without anything to wait for, the constant would be outside.
        """
        pending, seen = control_inputs(node), set()  # type: List[str], Set[str]
        while pending and len(seen) < MAX_OF_A_CHECK:
            name = pending.pop(0)
            other = self.nodes.get(name)
            if other is None or name in seen or other.op in ("Enter", "RefEnter"):
                continue
            seen.add(name)
            sources = [self.nodes.get(split_name(tensor)[0]) for tensor in data_inputs(other)]
            if any(source is not None and source.op == "NextIteration" for source in sources):
                continue  # in the condition of the loop, before its variables
            if other.op == "Identity" and sources[:1] and sources[0] is not None and sources[0].op == "Switch":
                merge = self.nodes.get(split_name(data_inputs(sources[0])[0])[0]) if data_inputs(sources[0]) else None
                if merge is not None and merge.op == "Merge":
                    node.input.extend([f"^{name}"] * (f"^{name}" not in node.input))
                    return
            pending += [split_name(tensor.lstrip("^"))[0] for tensor in other.input]

    # ---- variables ----

    def variables(self) -> List[str]:
        """Return the names of the variables' nodes."""
        return [name for name, node in self.nodes.items() if node.op in VARIABLES]

    def behind(self, tensor: str) -> str:
        """Return the name of the node behind operations that only pass a tensor on."""
        for _ in range(len(self.nodes)):
            name, _ = split_name(tensor)
            inputs = data_inputs(self.nodes[name]) if name in self.nodes else []
            if not inputs or self.nodes[name].op not in PASS_ON:
                break
            tensor = inputs[0]
        return split_name(tensor)[0]

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
            if node.op not in functions and op_definition(node.op) is None:
                unknown.setdefault(node.op, []).append(name)
        return unknown


def _of_saved_model(content: bytes) -> Any:
    """Return the MetaGraphDef of a SavedModel; of several the one to serve.

    Raises:
        UserError: TensorFlow 2 wrote the SavedModel, whose network stands in functions.
        ValueError: there is none in it.
    """
    meta_graphs = [tf1.MetaGraphDef.FromString(bytes(value)) for number, value in read_fields(content) if number == 2]
    if not meta_graphs:
        raise ValueError("no graph in it")
    meta_graph = next((graph for graph in meta_graphs if "serve" in graph.meta_info_def.tags), meta_graphs[0])
    if meta_graph.object_graph_def.nodes:
        raise UserError("a SavedModel of TensorFlow 2, which tf.saved_model.load reads as it is; list its variables "
                        "with --no-meta")
    return meta_graph


def _signature(meta_graph: Any) -> Optional[Tuple[List[str], List[str]]]:
    """Return (inputs, outputs) of a MetaGraph's signature, the default one if there are several; None for none.

    One that takes texts is of no use: these are examples that are parsed in the graph.
    """
    def names(tensors: Mapping[str, Any]) -> List[str]:
        return [re.sub(":0$", "", tensors[key].name) for key in sorted(tensors)]
    for _, definition in sorted(meta_graph.signature_def.items(), key=lambda item: item[0] != "serving_default"):
        if definition.inputs and definition.outputs and all(
                tensor.name and tensor.dtype != tf1.string.as_datatype_enum for tensor in definition.inputs.values()):
            return names(definition.inputs), names(definition.outputs)
    return None


def _restore_shape(node: Any, producer: int) -> None:
    """Set the shape of a placeholder that a release up to 1.1 wrote: {} stood there for every shape with an open size.

    The true shape may stand in the private attribute _output_shapes, which these releases wrote too.
    """
    known = node.attr["_output_shapes"].list.shape if "_output_shapes" in node.attr else ()
    stated = "shape" in node.attr
    shape = node.attr["shape"].shape
    if not shape.dim and not shape.unknown_rank and node.op == "Placeholder":
        if known and (known[0].dim or known[0].unknown_rank):
            shape.CopyFrom(known[0])
        elif producer < OPEN_SHAPES_SINCE or not stated:
            shape.unknown_rank = True


def data_inputs(node: Any) -> List[str]:
    """Return the inputs of a NodeDef without its control inputs."""
    return [tensor for tensor in node.input if not tensor.startswith("^")]


def control_inputs(node: Any) -> List[str]:
    """Return the nodes that a NodeDef waits for."""
    return [tensor[1:] for tensor in node.input if tensor.startswith("^")]
