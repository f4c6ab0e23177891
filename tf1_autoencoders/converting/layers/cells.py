"""One step of TensorFlow 1's recurrent cells in a graph, as the cell of a Keras layer with its weights."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from tf1_autoencoders.converting.graph.foreign_graph import data_inputs, split_name

if TYPE_CHECKING:
    from tf1_autoencoders.converting.layers.network import Network

CELL_ACTIVATIONS = {"Tanh": "tanh", "Relu": "relu", "Elu": "elu", "Sigmoid": "sigmoid", "Softsign": "softsign"}
ADDS = ("Add", "AddV2", "BiasAdd")


class Cell(NamedTuple):
    """One step of a recurrent cell in a graph.

    | field     | meaning                                                                  |
    |-----------|--------------------------------------------------------------------------|
    | kind      | LSTM, GRU or SimpleRNN                                                   |
    | x, h, c   | tensors: the input, the states before the step; c is "" but for an LSTM  |
    | place     | tensor: the output, which is the state h after the step                  |
    | new_c     | tensor: the LSTM's state c after the step                                |
    | key       | tensors of the weights, the same in each step                            |
    | weights   | in Keras's layout                                                        |
    | arguments | of the Keras layer                                                       |
    """

    kind: str
    x: str
    h: str
    c: str
    place: str
    new_c: str
    key: Tuple[str, ...]
    weights: Dict[str, np.ndarray]
    arguments: Dict[str, Any]


def match_cell(network: Network, value: str) -> Optional[Cell]:
    """Return the cell whose output a tensor is, or None."""
    for matched in (_match_lstm, _match_gru, _match_rnn):
        cell = matched(network, value)
        if cell is not None:
            return cell
    return None


def _linear(network: Network, tensor: str) -> Optional[Tuple[str, str, str, np.ndarray, np.ndarray, Tuple[str, ...]]]:
    """Match [x, h] @ kernel + bias; return (x, h, name of the node, kernel, bias, their tensors)."""
    node = network.node(tensor)
    if node.op not in ADDS:
        return None
    product, bias_tensor = data_inputs(node)
    matmul, bias = network.node(product), network.constant(bias_tensor)
    if matmul.op != "MatMul" or bias is None or matmul.attr["transpose_a"].b or matmul.attr["transpose_b"].b:
        return None
    joined, kernel_tensor = data_inputs(matmul)
    kernel, concat = network.constant(kernel_tensor), network.node(joined)
    if kernel is None or concat.op != "ConcatV2" or len(data_inputs(concat)) != 3:
        return None
    x, h, axis = data_inputs(concat)
    if network.constant(axis) not in (1, -1):
        return None
    return (network.source(x), network.source(h), node.name, kernel, bias.reshape(-1),
            tuple(network.variables(kernel_tensor, bias_tensor)))


def _gate(network: Network, tensor: str) -> Optional[Tuple[str, int]]:
    """Return (the tensor that is split, number of the part) of a gate before its activation."""
    node = network.node(tensor)
    return (data_inputs(node)[1], split_name(network.source(tensor))[1]) if node.op == "Split" else None


def _pairs(network: Network, tensor: str, ops: Tuple[str, ...]) -> List[Tuple[str, str]]:
    """Return the inputs of a node of two inputs in both orders, if it is one of `ops`."""
    node = network.node(tensor)
    inputs = data_inputs(node)
    return [(inputs[0], inputs[1]), (inputs[1], inputs[0])] if node.op in ops and len(inputs) == 2 else []


def _match_lstm(network: Network, value: str) -> Optional[Cell]:
    """Match h' = tanh(c') * sigmoid(o), c' = c * sigmoid(f + forget_bias) + sigmoid(i) * tanh(j)."""
    for squashed, opened in _pairs(network, value, ("Mul",)):
        if network.node(opened).op != "Sigmoid" or network.node(squashed).op not in CELL_ACTIVATIONS:
            continue
        output_gate = _gate(network, data_inputs(network.node(opened))[0])
        new_c = network.source(data_inputs(network.node(squashed))[0])
        if output_gate is None or output_gate[1] != 3:
            continue
        for kept, added in _pairs(network, new_c, ("Add", "AddV2")):
            for c, forget in _pairs(network, kept, ("Mul",)):
                for entered, candidate in _pairs(network, added, ("Mul",)):
                    cell = _lstm_of(network, value, output_gate[0], c, forget, entered, candidate, new_c,
                                    network.node(squashed).op)
                    if cell is not None:
                        return cell
    return None


def match_cell_by_c(network: Network, value: str) -> Optional[Cell]:
    """Return the LSTM cell whose state c after the step a tensor is, or None."""
    for name, node in network.graph.nodes.items():
        if node.op == "Mul":
            squashed = [network.node(tensor) for tensor in data_inputs(node)]
            if any(part.op in CELL_ACTIVATIONS and network.source(data_inputs(part)[0]) == network.source(value)
                   for part in squashed):
                cell = _match_lstm(network, name)
                if cell is not None and cell.new_c == network.source(value):
                    return cell
    return None


def _lstm_of(network: Network, output: str, gates: str, c: str, forget: str, entered: str, candidate: str, new_c: str,
             activation: str) -> Optional[Cell]:
    if network.node(forget).op != "Sigmoid" or network.node(entered).op != "Sigmoid" \
            or network.node(candidate).op != activation:
        return None
    inner, forget_bias = data_inputs(network.node(forget))[0], 0.0
    for part, added in _pairs(network, inner, ("Add", "AddV2")):
        value = network.constant(added)
        if value is not None and value.size == 1:
            inner, forget_bias = part, float(value.reshape(()))
            break
    parts = [_gate(network, tensor) for tensor in (data_inputs(network.node(entered))[0],
                                                   data_inputs(network.node(candidate))[0], inner)]
    if parts != [(gates, 0), (gates, 1), (gates, 2)]:
        return None
    linear = _linear(network, gates)
    if linear is None:
        return None
    x, h, _, kernel, bias, key = linear
    forget_bias *= network.with_forget_bias
    return Cell("LSTM", x, h, network.source(c), output, new_c, key, lstm_weights(kernel, bias, forget_bias),
                {"units": kernel.shape[1] // 4, **_not_default(activation)})


def _not_default(activation: str) -> Dict[str, str]:
    return {} if activation == "Tanh" else {"activation": CELL_ACTIVATIONS[activation]}


def _match_gru(network: Network, value: str) -> Optional[Cell]:
    """Match h' = u * h + (1 - u) * tanh([x, r * h] @ kernel + bias), r and u halves of sigmoid([x, h] @ ... + ...)."""
    for kept, new in _pairs(network, value, ("Add", "AddV2")):
        for update, h in _pairs(network, kept, ("Mul",)):
            for rest, candidate in _pairs(network, new, ("Mul",)):
                part, sub = _gate(network, update), network.node(rest)
                if part is None or part[1] != 1 or sub.op != "Sub" or network.node(candidate).op not in \
                        CELL_ACTIVATIONS or network.node(part[0]).op != "Sigmoid":
                    continue
                one, subtracted = data_inputs(sub)
                gates = _linear(network, data_inputs(network.node(part[0]))[0])
                inner = _linear(network, data_inputs(network.node(candidate))[0])
                if gates is None or inner is None or network.source(subtracted) != network.source(update) \
                        or network.constant(one) is None or np.any(network.constant(one) != 1):
                    continue
                resets = [_gate(network, reset) for reset, state in _pairs(network, inner[1], ("Mul",))
                          if network.source(state) == network.source(h)]
                if (part[0], 0) not in resets or gates[0] != inner[0] or gates[1] != network.source(h):
                    continue
                return _gru_of(network, value, gates, inner, network.node(candidate).op)
    return None


def _gru_of(network: Network, value: str, gates: Any, inner: Any, activation: str) -> Cell:
    x, h, _, gate_kernel, gate_bias, gate_key = gates
    _, _, _, kernel, bias, key = inner
    return Cell("GRU", x, h, "", value, "", (*gate_key, *key), gru_weights(gate_kernel, gate_bias, kernel, bias),
                {"units": kernel.shape[1], "reset_after": False, **_not_default(activation)})


def _match_rnn(network: Network, value: str) -> Optional[Cell]:
    """Match h' = tanh([x, h] @ kernel + bias), where h is a state of the same width."""
    node = network.node(value)
    if node.op not in CELL_ACTIVATIONS:
        return None
    linear = _linear(network, data_inputs(node)[0])
    if linear is None:
        return None
    x, h, _, kernel, bias, key = linear
    state = network.node(h)
    if not (is_zero(network, h) or first_value(network, h) is not None or state.op == node.op):
        return None
    return Cell("SimpleRNN", x, h, "", network.source(value), "", key, rnn_weights(kernel, bias),
                {"units": kernel.shape[1], **_not_default(node.op)})


# ---- states ----

def next_value(network: Network, tensor: str) -> Optional[str]:
    """Return what a variable of a loop becomes in each step, from the loop's Exit or from its value in the body."""
    return _merged(network, tensor, "NextIteration")


def first_value(network: Network, tensor: str) -> Optional[str]:
    """Return what a variable of a loop is before the first step."""
    return _merged(network, tensor, "Enter")


def _merged(network: Network, tensor: str, op: str) -> Optional[str]:
    """Return what enters a variable of a loop by an operation, or None if the tensor is no such variable."""
    node = network.node(tensor)
    for passed in ("Exit", "Identity", "Switch"):
        node = network.node(data_inputs(node)[0]) if node.op == passed else node
    parts = [network.node(part) for part in data_inputs(node)] if node.op == "Merge" else []
    return next((network.source(data_inputs(part)[0]) for part in parts if part.op == op), None)


def is_zero(network: Network, tensor: Optional[str]) -> bool:
    """Return whether a state is zero at the beginning."""
    if tensor is None:
        return False
    value = network.constant(tensor)
    if value is None and network.node(tensor).op == "Fill":
        value = network.constant(data_inputs(network.node(tensor))[1])
    return network.node(tensor).op == "ZerosLike" or value is not None and not np.any(value)


# ---- from TensorFlow 1's layout to Keras's ----

def lstm_weights(kernel: np.ndarray, bias: np.ndarray, forget_bias: float) -> Dict[str, np.ndarray]:
    """Return Keras's weights of an LSTM cell: gates i, j, f, o become i, f, c, o; the forget bias is added."""
    units = kernel.shape[1] // 4
    swap = np.concatenate([np.arange(k * units, (k + 1) * units) for k in (0, 2, 1, 3)])
    bias = bias.copy()
    if forget_bias:
        bias[2 * units:3 * units] += bias.dtype.type(forget_bias)
    return {"kernel": kernel[:-units, swap], "recurrent_kernel": kernel[-units:, swap], "bias": bias[swap]}


def gru_weights(gate_kernel: np.ndarray, gate_bias: np.ndarray, kernel: np.ndarray,
                bias: np.ndarray) -> Dict[str, np.ndarray]:
    """Return Keras's weights of a GRU cell, for reset_after=False: gates r, u and the candidate become z, r, h."""
    units = kernel.shape[1]
    swapped = np.concatenate([gate_kernel[:, units:], gate_kernel[:, :units], kernel], axis=1)
    return {"kernel": swapped[:-units], "recurrent_kernel": swapped[-units:],
            "bias": np.concatenate([gate_bias[units:], gate_bias[:units], bias])}


def rnn_weights(kernel: np.ndarray, bias: np.ndarray) -> Dict[str, np.ndarray]:
    """Return Keras's weights of a BasicRNNCell."""
    units = kernel.shape[1]
    return {"kernel": kernel[:-units], "recurrent_kernel": kernel[-units:], "bias": bias}
