"""Recognises the layers of a graph: importing the files of a kind of layer puts its functions into the register."""
from __future__ import annotations

from tf1_autoencoders.converting.graph.inference_graph import InferenceGraph
from tf1_autoencoders.converting.layers import arithmetic, linear, operations, recurrent, shapes  # noqa: F401
from tf1_autoencoders.converting.layers.network import Network


def recognise(graph: InferenceGraph) -> Network:
    """Return the layers between the inputs and outputs of a graph.

    Raises:
        UserError: TensorFlow does not accept the graph.
    """
    return Network(graph)
