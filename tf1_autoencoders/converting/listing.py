"""What `convert` prints of a checkpoint: its variables with their roles, and the network as the graph has it."""
from __future__ import annotations

import argparse
from typing import Optional

from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile
from tf1_autoencoders.converting.graph.allowlist import ALLOWED_OPS, page_for
from tf1_autoencoders.converting.graph.ends import RANDOM, find_ends, find_outputs
from tf1_autoencoders.converting.graph.foreign_graph import PLACEHOLDERS, ForeignGraph, split_name
from tf1_autoencoders.converting.graph.inference_graph import Ends, InferenceGraph, value_reader
from tf1_autoencoders.converting.graph.roles import role_table
from tf1_autoencoders.converting.layers.recognition import recognise
from tf1_autoencoders.converting.writing import formats
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import display_path

MAX_SHOWN = 40  # layers of each network


def print_list(checkpoint: CheckpointFile, graph: Optional[ForeignGraph], args: argparse.Namespace) -> None:
    """Print the variables with their roles, and the network as the graph has it."""
    variables = checkpoint.variables.values()
    print(f"checkpoint: {display_path(checkpoint.path)}, format {checkpoint.form}, {len(variables)} variables, "
          f"{sum(variable.n_bytes for variable in variables):,} bytes", "", sep="\n")
    rows = []
    for variable, role, layer in role_table(checkpoint, graph):
        parts = f", {variable.n_parts} parts" if variable.n_parts > 1 else ""
        rows.append((one_line(variable.name), list(variable.shape), variable.dtype, f"{variable.n_bytes:,}",
                     role + parts, one_line(layer) if layer else ""))
    print(*markdown_table(("variable", "shape", "dtype", "bytes", "role", "belongs to"), rows), "", sep="\n")
    if graph is None:
        print("no .meta file beside the checkpoint: the roles come from the names")
        return
    print(f"graph: {graph.source}, written by TensorFlow {graph.version}, {len(graph.nodes):,} operations")
    for name, node in graph.nodes.items():
        if node.op in PLACEHOLDERS and node.attr["dtype"].type != tf1.string.as_datatype_enum:  # a Saver's
            shape, dtype = node.attr["shape"].shape, node.attr["dtype"].type
            sizes = ", ".join("?" if dimension.size < 0 else str(dimension.size) for dimension in shape.dim)
            print(f"placeholder: {one_line(name)}, {tf1.as_dtype(dtype).name if dtype else '?'}"
                  + (" of unknown shape" if shape.unknown_rank else f"[{sizes}]"))
    outputs = args.output or graph.signature and graph.signature[1] or find_outputs(graph, checkpoint.variables)
    for output in outputs:
        print_network(checkpoint, graph, output, args)
    if not outputs:
        print("outputs: no chain of layers found; name a tensor with --output")
    for op, names in graph.unknown_operations().items():
        print(f"unknown to TensorFlow {tf1.version.VERSION}: {one_line(op)} ({formats.list_names(names, 3)}), "
              f"see {page_for(op)}")
    harmful = sorted({node.op for node in graph.nodes.values()} & {"ReadFile", "WriteFile", "PyFunc", "EagerPyFunc",
                                                                   "PyFuncStateless"} - ALLOWED_OPS)
    if harmful:
        print(f"not run, and stripped where the outputs do not need it: {', '.join(harmful)}")


def print_network(checkpoint: CheckpointFile, graph: ForeignGraph, output: str, args: argparse.Namespace) -> None:
    """Print the layers that give one output, or why they cannot be listed."""
    print("", f"output: {one_line(output)}", sep="\n")
    try:
        ends = find_ends(graph, args.input or [], [output], dict(args.feed or []))
        print_assumed(graph, ends, args)
        network = recognise(InferenceGraph(graph, ends, value_reader(checkpoint), dict(args.shape or [])))
    except UserError as error:
        print(f"  its layers cannot be listed: {error}")
        return
    layers = network.layers
    for k, layer in enumerate(layers[:MAX_SHOWN]):
        taken = "" if layer.inputs in ((), (k - 1,)) else f"  <- {', '.join(layers[n].name for n in layer.inputs)}"
        names = f"  [{formats.list_names(layer.variables, 4)}]" if layer.variables else ""
        print(f"  {layer.name}: {layer.describe()}{taken}{names}  -> {one_line(layer.tensor)}")
    if len(layers) > MAX_SHOWN:
        print(f"  and {len(layers) - MAX_SHOWN} more layers")
    for tensor, what in network.ends_inside():
        print(f"  inside: --output {one_line(tensor)}, {one_line(what)}")


def print_assumed(graph: ForeignGraph, ends: Ends, args: argparse.Namespace) -> None:
    """Print which placeholders were given a value that the user did not name, and which inputs are samples."""
    for tensor in ends.inputs:
        if graph.nodes[split_name(tensor)[0]].op in RANDOM and tensor not in ends.named:
            print(f"  {one_line(tensor)} draws random numbers: an input, which takes a sample")
    for name, value in ends.feeds.items():
        if name not in dict(args.feed or []):
            print(f"  {one_line(name)} = {value}, assumed for a network in use; change with --feed NAME=VALUE")
