"""The part of a foreign graph that some tensors need, and the dtypes and shapes in it; nothing here is run."""
from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from tf1_autoencoders.converting.graph.allowlist import ALLOWED_OPS, READS, VARIABLES, check_operations, op_definition
from tf1_autoencoders.converting.graph.foreign_graph import (
    PLACEHOLDERS,
    ForeignGraph,
    control_inputs,
    copied,
    data_inputs,
    split_name,
)
from tf1_autoencoders.utils.errors import UserError, one_line, short_reason
from tf1_autoencoders.utils.frameworks import tf1

MAX_OUTPUTS = 10_000  # of an operation


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
    """Return whether a node passes on an output of a Switch, and nothing else."""
    node = nodes.get(name)
    if node is None:
        return False
    if node.op in ("Switch", "RefSwitch"):
        return True
    inputs = data_inputs(node)
    return node.op == "Identity" and len(inputs) == 1 \
        and getattr(nodes.get(split_name(inputs[0])[0]), "op", "") in ("Switch", "RefSwitch")


def assumed_shape(graph: ForeignGraph, node: Any) -> Optional[List[Optional[int]]]:
    """Return the shape of a placeholder of unknown shape as its first use shows, or None.

    Uses that show are a reshape to a known shape, a product with a variable, and a convolution with one.
    """
    shape = node.attr["shape"].shape
    if node.op not in PLACEHOLDERS or len(shape.dim) or not shape.unknown_rank:
        return None
    for consumer in graph.nodes.values():
        inputs = data_inputs(consumer)
        if not inputs or graph.behind(inputs[0]) != node.name or len(inputs) < 2:
            continue
        if consumer.op == "Reshape":
            target = graph.constant_of(inputs[1])
            sizes = [] if target is None else target.ravel().tolist()
            if len(sizes) > 1 and sizes[0] == -1 and min(sizes[1:]) > 0:
                return [None, int(np.prod(sizes[1:]))]
        kernel = graph.nodes.get(graph.variable_of(inputs[1]) or "")
        sizes = [dimension.size for dimension in kernel.attr["shape"].shape.dim] if kernel is not None else []
        if consumer.op in ("MatMul", "BatchMatMul", "BatchMatMulV2") and len(sizes) == 2 \
                and not (consumer.attr["transpose_a"].b or consumer.attr["adj_x"].b):
            transposed = consumer.attr["transpose_b"].b or consumer.attr["adj_y"].b
            return [None, sizes[1] if transposed else sizes[0]]
        if consumer.op == "Conv2D" and len(sizes) == 4 and consumer.attr["data_format"].s != b"NCHW":
            return [None, None, None, sizes[2]]
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
    dtypes = _output_dtypes(graph.nodes[name])
    if output >= len(dtypes):
        raise UserError(f"{graph.source}: the dtype of {one_line(name)}:{output} is not known; name another --input")
    forbidden = {other for other, node in graph.nodes.items()
                 if node.op not in ALLOWED_OPS | READS | VARIABLES | PLACEHOLDERS}
    if name in forbidden:
        return dtypes[output], tf1.TensorShape(None).as_proto()
    needed = needed_nodes(graph.nodes, [name], forbidden)
    kept = set(needed)
    nodes = {other: copied(graph.nodes[other], lambda source: source in kept) for other in needed}
    for other in forbidden & kept:
        nodes[other] = tf1.NodeDef(name=other, op="Placeholder")
        nodes[other].attr["dtype"].type = (*_output_dtypes(graph.nodes[other]), 0)[0]
    library = check_operations(graph.source, graph.library, nodes, READS | VARIABLES)
    graph_def = tf1.GraphDef(versions=graph.versions, library=library, node=nodes.values())
    tensor = import_graph(graph_def, graph.source).get_operation_by_name(name).outputs[output]
    return tensor.dtype.base_dtype.as_datatype_enum, tensor.shape.as_proto()


def _output_dtypes(node: Any) -> List[int]:
    """Return the dtypes of a node's outputs, as its operation declares them; [] if it is not known."""
    dtypes: List[int] = []
    for argument in getattr(op_definition(node.op), "output_arg", ()):
        if argument.type_list_attr:
            dtypes += node.attr[argument.type_list_attr].list.type
        else:
            dtype = argument.type or node.attr[argument.type_attr].type
            dtypes += [dtype] * min(node.attr[argument.number_attr].i if argument.number_attr else 1, MAX_OUTPUTS)
    return dtypes
