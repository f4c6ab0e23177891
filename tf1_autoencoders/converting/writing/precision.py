"""The same graph with fewer or with more bits: how far rounding alone may lead its outputs."""
from __future__ import annotations

from typing import Any, List, Mapping, Sequence, Set, Tuple

import numpy as np

from tf1_autoencoders.converting.graph.foreign_graph import PASS_ON, constant, data_inputs, split_name
from tf1_autoencoders.converting.graph.subgraph import import_graph
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1

SMALLEST_IN_8_BITS = 1024  # numbers of a kernel that LiteRT's converter rounds
# What bounds the values that are rounded to 8 bits, as (operation, name, names of its inputs): for weights, the largest
# absolute value and its negative; for the inputs of a product, the least and the most of them, with 0 between.
SYMMETRIC = (("Neg", "negative", ["least"]), ("Maximum", "high", ["negative", "most"]), ("Neg", "low", ["high"]))
WITH_ZERO = (("Minimum", "low", ["least", "zero"]), ("Maximum", "high", ["most", "zero"]))


def rounded_to_8_bits(graph_def: Any) -> Any:
    """Return a GraphDef whose products take weights and inputs of 8 bits: how far rounding alone may lead.

    LiteRT's dynamic range rounds the weights of each channel and the inputs of each row; here each whole tensor is
    rounded, which is coarser. As there, small kernels keep their 32 bits.
    """
    rounded = tf1.GraphDef()
    rounded.CopyFrom(graph_def)
    nodes = {node.name: node for node in rounded.node}

    def round_input(node: Any, place: int, bounds: Sequence[Tuple[str, str, List[str]]]) -> None:
        """Round an input of a node, from the least to the most of its values or what `bounds` makes of them."""
        name, x = f"{node.name}/8_bits_{place}", node.input[place]
        constants = {"axes": np.arange(2 if node.op == "MatMul" else 4, dtype=np.int32), "zero": np.float32(0)}
        for key, array in constants.items():
            rounded.node.add().CopyFrom(constant(f"{name}/{key}", array))
            rounded.node[-1].input.append(f"^{split_name(x)[0]}")  # in the loop where x is
        extremes = [(op, key, [x, f"{name}/axes"]) for op, key in (("Min", "least"), ("Max", "most"))]
        of_these = [(op, key, [f"{name}/{source}" for source in sources]) for op, key, sources in bounds]
        for op, key, sources in extremes + of_these:
            rounded.node.add(name=f"{name}/{key}", op=op, input=sources).attr["T"].type = tf1.float32.as_datatype_enum
        quantized = rounded.node.add(name=name, op="FakeQuantWithMinMaxVars", input=[x, f"{name}/low", f"{name}/high"])
        quantized.attr["narrow_range"].b = bounds is SYMMETRIC
        node.input[place] = name

    for node in list(rounded.node):
        if node.op not in ("MatMul", "Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput"):
            continue
        kernel = nodes[node.input[1].split(":")[0]]
        while kernel.op in PASS_ON | {"Enter"} and kernel.input:
            kernel = nodes[kernel.input[0].split(":")[0]]
        if kernel.op == "Const":
            value = tf1.make_ndarray(kernel.attr["value"].tensor)
            if value.size < SMALLEST_IN_8_BITS or value.dtype != np.float32:
                continue
        elif not _is_constant(nodes, kernel.name):
            continue
        round_input(node, 1, SYMMETRIC)
        round_input(node, 2 * (node.op == "Conv2DBackpropInput"), WITH_ZERO)
    return rounded


def _is_constant(nodes: Mapping[str, Any], name: str) -> bool:
    """Return whether a node's outputs depend on constants only, such as a normalised weight; LiteRT computes them."""
    pending = [name]
    seen: Set[str] = set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        inputs = [split_name(source)[0] for source in data_inputs(nodes[name])]
        if not inputs and nodes[name].op != "Const":
            return False
        pending += inputs
    return True


def in_float64(graph_def: Any) -> Any:
    """Return a GraphDef that computes with 64 bits where the given one does with 32: how far rounding alone may lead.

    Raises:
        UserError: the graph has functions, or an operation that has no kernel of 64 bits.
    """
    if graph_def.library.function:
        raise UserError("a graph with functions is not computed with 64 bits")
    precise = tf1.GraphDef()
    precise.CopyFrom(graph_def)
    single, double = tf1.float32.as_datatype_enum, tf1.float64.as_datatype_enum
    for node in precise.node:
        for name in node.attr:
            value, kind = node.attr[name], node.attr[name].WhichOneof("value")
            if kind == "type" and value.type == single:
                value.type = double
            elif kind == "list":
                value.list.type[:] = [double if dtype == single else dtype for dtype in value.list.type]
            elif kind == "tensor" and value.tensor.dtype == single:
                value.tensor.CopyFrom(tf1.make_tensor_proto(tf1.make_ndarray(value.tensor).astype(np.float64)))
    import_graph(precise, "the graph with 64 bits")
    return precise
