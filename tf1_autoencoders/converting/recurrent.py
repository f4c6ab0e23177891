"""Recurrent layers of a graph: the cells of TensorFlow 1 in dynamic_rnn and static_rnn, as layers of Keras."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from tf1_autoencoders.converting.foreign_graph import data_inputs, split_name

if TYPE_CHECKING:
    from tf1_autoencoders.converting.network import Network

CELL_ACTIVATIONS = {"Tanh": "tanh", "Relu": "relu", "Elu": "elu", "Sigmoid": "sigmoid", "Softsign": "softsign"}
ADDS = ("Add", "AddV2", "BiasAdd")


class Cell(NamedTuple):
    """One step of a recurrent cell in a graph.

    | field     | meaning                                                                  |
    |-----------|--------------------------------------------------------------------------|
    | kind      | LSTM, GRU or SimpleRNN                                                   |
    | x, h, c   | tensors: the input, the states before the step; c is "" but for an LSTM  |
    | new_c     | tensor: the LSTM's state c after the step                                |
    | key       | tensors of the weights, the same in each step                            |
    | weights   | in Keras's layout                                                        |
    | arguments | of the Keras layer                                                       |
    """

    kind: str
    x: str
    h: str
    c: str
    new_c: str
    key: Tuple[str, ...]
    weights: Dict[str, np.ndarray]
    arguments: Dict[str, Any]


def recognise(network: Network, tensor: str) -> Optional[int]:
    """Return the number of the recurrent layer that gives a tensor, or None."""
    node = network.node(tensor)
    if node.op == "Transpose":
        return _sequence(network, tensor)
    if node.op == "Exit":
        value = _next_value(network, tensor)
        return _loop_layer(network, value, sequences=False) if value else None
    if node.op in ("StridedSlice", "Unpack", "GatherV2"):
        return _last_of_sequence(network, tensor)
    if node.op == "Pack":
        return _static_layer(network, data_inputs(node), True) if node.attr["axis"].i == 1 else None
    if node.op in ("Mul", *ADDS, *CELL_ACTIVATIONS):
        return _static_layer(network, [tensor], False)
    return None


# ---- dynamic_rnn ----

def _sequence(network: Network, tensor: str, sequences: bool = True) -> Optional[int]:
    """Recognise the outputs of a loop, which are transposed to [batch, time, ...]."""
    gathered, axes = data_inputs(network.node(tensor))
    node = network.node(gathered)
    order = network.constant(axes)
    if node.op != "TensorArrayGatherV3" or order is None or order.tolist() != [1, 0, 2]:
        return None
    return _outputs_of_loop(network, gathered, sequences)


def _outputs_of_loop(network: Network, gathered: str, sequences: bool) -> Optional[int]:
    flow = data_inputs(network.node(gathered))[2]
    written = _next_value(network, flow) if network.node(flow).op == "Exit" else None
    write = network.node(written) if written else None
    if write is None or write.op != "TensorArrayWriteV3":
        return None
    return _loop_layer(network, data_inputs(write)[2], sequences)


def _next_value(network: Network, tensor: str) -> Optional[str]:
    """Return what a variable of a loop becomes in each step, from the loop's Exit or from its value in the body."""
    merge = _merge(network, tensor)
    for part in data_inputs(merge) if merge is not None else ():
        if network.node(part).op == "NextIteration":
            return network.source(data_inputs(network.node(part))[0])
    return None


def _first_value(network: Network, tensor: str) -> Optional[str]:
    """Return what a variable of a loop is before the first step."""
    merge = _merge(network, tensor)
    for part in data_inputs(merge) if merge is not None else ():
        if network.node(part).op == "Enter":
            return network.source(data_inputs(network.node(part))[0])
    return None


def _merge(network: Network, tensor: str) -> Any:
    node = network.node(tensor)
    if node.op in ("Exit", "Identity"):
        node = network.node(data_inputs(node)[0])
    if node.op == "Switch":
        node = network.node(data_inputs(node)[0])
    return node if node.op == "Merge" else None


def _loop_layer(network: Network, value: str, sequences: bool) -> Optional[int]:
    """Recognise the cell that gives `value` in the body of a loop, and the cells below it; return the layer."""
    cell = _match(network, value)
    if cell is None:  # the state c of an LSTM is asked for, or the loop has a sequence_length
        return None
    for state, new in ((cell.h, value), (cell.c, cell.new_c)):
        if state and (_next_value(network, state) != network.source(new)
                      or not _is_zero(network, _first_value(network, state))):
            return None
    read = network.node(cell.x)
    if read.op == "TensorArrayReadV3":
        below = _input_of_loop(network, data_inputs(read)[2])
    else:
        below = _loop_layer(network, network.source(cell.x), True)
    return None if below is None else _add(network, cell, value, below, sequences)


def _input_of_loop(network: Network, flow: str) -> Optional[int]:
    """Return the layer that gives the sequence which a loop reads."""
    node = network.node(flow)
    if node.op == "Enter":
        node = network.node(data_inputs(node)[0])
    if node.op != "TensorArrayScatterV3":
        return None
    transposed = network.node(data_inputs(node)[2])
    if transposed.op != "Transpose":
        return None
    sequence, axes = data_inputs(transposed)
    order = network.constant(axes)
    return network.visit(sequence) if order is not None and order.tolist() == [1, 0, 2] else None


def _is_zero(network: Network, tensor: Optional[str]) -> bool:
    """Whether a state is zero at the beginning."""
    if tensor is None:
        return False
    value = network.constant(tensor)
    if value is None and network.node(tensor).op == "Fill":
        value = network.constant(data_inputs(network.node(tensor))[1])
    return network.node(tensor).op == "ZerosLike" or value is not None and not np.any(value)


def _add(network: Network, cell: Cell, place: str, below: int, sequences: bool) -> int:
    arguments = dict(cell.arguments, return_sequences=True) if sequences else cell.arguments
    return network.add(cell.kind, split_name(place)[0], [below], weights=cell.weights,
                       variables=network.variables(*cell.key), **arguments)


def _last_of_sequence(network: Network, tensor: str) -> Optional[int]:
    """Recognise outputs[:, -1], outputs[-1] of transposed outputs, and the last of unstacked outputs."""
    node = network.node(tensor)
    inputs = data_inputs(node)
    source = network.node(inputs[0])
    if node.op == "Unpack":
        axis, last = node.attr["axis"].i, split_name(tensor)[1] == node.attr["num"].i - 1
    elif node.op == "GatherV2":
        index, along = network.constant(inputs[1]), network.constant(inputs[2])
        if index is None or index.shape or along not in (0, 1) or source.op != "Transpose":
            return None
        axis = int(along)
        outputs = inputs[0] if axis == 1 else data_inputs(source)[0]  # before [batch, time] was exchanged
        last = int(index) + 1 == _n_steps(network, network.visit(outputs))
    else:
        begin = network.constant(inputs[1])
        if begin is None:
            return None
        shrink, start = node.attr["shrink_axis_mask"].i, node.attr["begin_mask"].i
        axis = {1: 0, 2: 1}.get(shrink, -1)
        last = 0 <= axis < len(begin) and int(begin[axis]) == -1 and (axis == 0 or bool(start & 1)) \
            and all(start >> k & 1 and node.attr["end_mask"].i >> k & 1 for k in range(2, len(begin)))
    if not last or source.op != "Transpose":
        return None
    if axis == 1:
        return _sequence(network, inputs[0], sequences=False)
    order = network.constant(data_inputs(source)[1])
    inner = data_inputs(source)[0]
    if axis == 0 and order is not None and order.tolist() == [1, 0, 2] and network.node(inner).op == "Transpose":
        return _sequence(network, inner, sequences=False)
    return None


def _n_steps(network: Network, number: int) -> Optional[int]:
    """Return how many steps the sequence has that a layer gives, if the input says so."""
    layer = network.layers[number]
    while layer.kind in ("LSTM", "GRU", "SimpleRNN", "Embedding") and len(layer.inputs) == 1:
        layer = network.layers[layer.inputs[0]]
    shape = layer.arguments.get("shape") if layer.kind == "Input" else None
    return shape[0] if shape else None


# ---- static_rnn ----

def _static_layer(network: Network, values: List[str], sequences: bool) -> Optional[int]:
    """Recognise cells that follow each other, one for each step; `values` are the outputs of the last or of all."""
    values = [network.source(value) for value in values]
    cells: List[Cell] = []
    places: List[str] = []
    value, n = values[-1], 0
    while True:
        cell = _match(network, value)
        n += 1
        if cell is None or cells and cell.key != cells[0].key or n > 100_000:
            return None
        if cells and cells[0].c and network.source(cells[0].c) != network.source(cell.new_c):
            return None
        cells.insert(0, cell)
        places.insert(0, value)
        if _is_zero(network, cell.h):
            break
        value = network.source(cell.h)
    if cells[0].c and not _is_zero(network, cells[0].c) or sequences and values != places:
        return None
    below = _steps(network, [cell.x for cell in cells])
    return None if below is None else _add(network, cells[0], places[-1], below, sequences)


def _steps(network: Network, tensors: List[str]) -> Optional[int]:
    """Return the layer that gives a sequence, whose steps are these tensors."""
    sources = [network.source(tensor) for tensor in tensors]
    node = network.node(sources[0])
    if [split_name(source) for source in sources] == [(node.name, k) for k in range(len(sources))]:
        if node.op == "Unpack" and node.attr["num"].i == len(sources):
            if node.attr["axis"].i == 1:
                return network.visit(data_inputs(node)[0])
            return _transposed(network, data_inputs(node)[0]) if node.attr["axis"].i == 0 else None
        if node.op == "Split" and node.attr["num_split"].i == len(sources):
            axis, value = data_inputs(node)
            inner = network.node(value)
            if network.constant(axis) == 0 and inner.op == "Reshape":
                return _transposed(network, data_inputs(inner)[0])
        return None
    return _static_layer(network, sources, True)


def _transposed(network: Network, tensor: str) -> Optional[int]:
    """Return the layer of x, for a tensor that is x with its first two axes exchanged."""
    node = network.node(tensor)
    if node.op != "Transpose":
        return None
    order = network.constant(data_inputs(node)[1])
    return network.visit(data_inputs(node)[0]) if order is not None and order.tolist() == [1, 0, 2] else None


# ---- cells ----

def _match(network: Network, value: str) -> Optional[Cell]:
    """Return the cell whose output a tensor is, or None."""
    for match in (_match_lstm, _match_gru, _match_rnn):
        with_cell = match(network, value)
        if with_cell is not None:
            return with_cell
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
                    cell = _lstm_of(network, output_gate[0], c, forget, entered, candidate, new_c,
                                    network.node(squashed).op)
                    if cell is not None:
                        return cell
    return None


def _lstm_of(network: Network, gates: str, c: str, forget: str, entered: str, candidate: str, new_c: str,
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
    return Cell("LSTM", x, h, network.source(c), new_c, key, lstm_weights(kernel, bias, forget_bias),
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
                return _gru_of(network, gates, inner, network.node(candidate).op)
    return None


def _gru_of(network: Network, gates: Any, inner: Any, activation: str) -> Cell:
    x, h, _, gate_kernel, gate_bias, gate_key = gates
    _, _, _, kernel, bias, key = inner
    return Cell("GRU", x, h, "", "", (*gate_key, *key), gru_weights(gate_kernel, gate_bias, kernel, bias),
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
    if not (_is_zero(network, h) or _merge(network, h) is not None or state.op == node.op):
        return None
    return Cell("SimpleRNN", x, h, "", "", key, rnn_weights(kernel, bias),
                {"units": kernel.shape[1], **_not_default(node.op)})


# ---- from TensorFlow 1's layout to Keras's ----

def lstm_weights(kernel: np.ndarray, bias: np.ndarray, forget_bias: float) -> Dict[str, np.ndarray]:
    """Return Keras's weights of an LSTM cell: gates i, j, f, o become i, f, c, o; the bias takes up the forget bias."""
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
