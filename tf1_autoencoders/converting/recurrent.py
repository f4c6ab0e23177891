"""Recurrent layers of a graph: the cells of TensorFlow 1 in dynamic_rnn and static_rnn, as layers of Keras."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from tf1_autoencoders.converting.foreign_graph import data_inputs, split_name

if TYPE_CHECKING:
    from tf1_autoencoders.converting.network import Layer, Network

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


def recognise(network: Network, tensor: str) -> Optional[int]:
    """Return the number of the recurrent layer that gives a tensor, or None."""
    node = network.node(tensor)
    if node.op == "Transpose":
        return _sequence(network, tensor)
    if node.op == "Exit":
        value = _next_value(network, tensor)
        return _loop_layer(network, value, sequences=False, is_state=True) if value else None
    if node.op == "ReverseSequence":
        return _backwards(network, node)
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
    return _merged(network, tensor, "NextIteration")


def _first_value(network: Network, tensor: str) -> Optional[str]:
    """Return what a variable of a loop is before the first step."""
    return _merged(network, tensor, "Enter")


def _merged(network: Network, tensor: str, op: str) -> Optional[str]:
    """Return what enters a variable of a loop by an operation, or None if the tensor is no such variable."""
    node = network.node(tensor)
    for passed in ("Exit", "Identity", "Switch"):
        node = network.node(data_inputs(node)[0]) if node.op == passed else node
    parts = [network.node(part) for part in data_inputs(node)] if node.op == "Merge" else []
    return next((network.source(data_inputs(part)[0]) for part in parts if part.op == op), None)


def _loop_layer(network: Network, value: str, sequences: bool, lengths: str = "",
                is_state: bool = False) -> Optional[int]:
    """Recognise the cell that gives `value` in the body of a loop, and the cells below it; return the layer.

    With a sequence_length, what a step gives is chosen by Select between the new value and, behind the end, zeros for
    outputs and the former value for states.
    """
    value, own = _chosen(network, value)
    lengths = own or lengths
    cell = _match(network, value) or _match_by_c(network, value)
    if cell is None:
        return None
    first_values = []
    for state, new in ((cell.h, cell.place), (cell.c, cell.new_c)):
        if not state:
            continue
        following = _next_value(network, state)
        if following is None or _chosen(network, following) != (network.source(new), lengths):
            return None
        first_values.append(_first_value(network, state))
    read, mask = network.node(cell.x), None
    if read.op == "TensorArrayReadV3":
        sequence = _input_of_loop(network, data_inputs(read)[2], lengths)
        below, mask = sequence or (None, None)
    else:
        below = _loop_layer(network, network.source(cell.x), True, lengths)
        mask = _base(network, below).call["mask"][0] if lengths and below is not None else None
    if below is None:
        return None
    call: Dict[str, List[int]] = {} if mask is None else {"mask": [mask]}
    if not all(_is_zero(network, first) for first in first_values):
        if any(first is None or _is_zero(network, first) for first in first_values):
            return None
        call["initial_state"] = [network.visit(str(first)) for first in first_values]
    view = "c" if cell.new_c == network.source(value) else "sequence" if sequences else "h"
    if view == "h" and mask is not None and not is_state:
        view = "last output"  # zero behind the end of a sequence, where the state h stays
    return _add(network, cell, value, below, view, call)


def _chosen(network: Network, tensor: str) -> Tuple[str, str]:
    """Return (new value, lengths) of Select(time >= lengths, former value, new value), or (the tensor, "")."""
    node = network.node(tensor)
    if node.op in ("Select", "SelectV2"):
        condition, _, new = data_inputs(node)
        compared = network.node(condition)
        entered = network.node(data_inputs(compared)[1]) if compared.op == "GreaterEqual" else compared
        if entered.op == "Enter":
            return network.source(new), _lengths(network, data_inputs(entered)[0])
    return network.source(tensor), ""


def _lengths(network: Network, tensor: str) -> str:
    """Return the lengths of sequences as the program gave them, before they were cast."""
    node = network.node(tensor)
    return network.source(data_inputs(node)[0] if node.op == "Cast" else tensor)


def _backwards(network: Network, node: Any) -> Optional[int]:
    """Recognise what came out of a loop over reversed sequences, and is reversed again."""
    outputs, lengths = data_inputs(node)
    layer = _base(network, network.visit(outputs))
    flipped = network.layers[layer.call["mask"][0]] if "mask" in layer.call else layer
    if flipped.kind != "Flip" or not _along_steps(node) \
            or network.layers[flipped.inputs[0]].inputs[1] != network.visit(_lengths(network, lengths)):
        return None
    return network.add("Flip", node.name, [network.visit(outputs)])


def _along_steps(node: Any) -> bool:
    """Whether a ReverseSequence reverses [batch, time, ...] along the time."""
    return node.attr["seq_dim"].i == 1 and node.attr["batch_dim"].i == 0


def _input_of_loop(network: Network, flow: str, lengths: str) -> Optional[Tuple[int, Optional[int]]]:
    """Return (layer that gives the sequence which a loop reads, layer of its mask if the sequence has lengths)."""
    node = network.node(flow)
    if node.op == "Enter":
        node = network.node(data_inputs(node)[0])
    if node.op != "TensorArrayScatterV3":
        return None
    sequence = _untransposed(network, data_inputs(node)[2])
    if sequence is None or not lengths:
        return None if sequence is None else (network.visit(sequence), None)
    number, place, reverse = network.visit(lengths), f"{node.name}/mask", network.node(sequence)
    if reverse.op != "ReverseSequence":
        below = network.visit(sequence)
        return below, network.once("Mask", place, [below, number])
    x, reversed_by = data_inputs(reverse)
    if not _along_steps(reverse) or _lengths(network, reversed_by) != lengths:
        return None
    below = network.visit(x)
    mask = network.once("Mask", place, [below, number])
    return network.once("Flip", reverse.name, [below]), network.once("Flip", f"{place}_flipped", [mask])


def _is_zero(network: Network, tensor: Optional[str]) -> bool:
    """Whether a state is zero at the beginning."""
    if tensor is None:
        return False
    value = network.constant(tensor)
    if value is None and network.node(tensor).op == "Fill":
        value = network.constant(data_inputs(network.node(tensor))[1])
    return network.node(tensor).op == "ZerosLike" or value is not None and not np.any(value)


def _add(network: Network, cell: Cell, place: str, below: int, view: str,
         call: Optional[Dict[str, List[int]]] = None) -> int:
    """Return the layer of a cell, or a part of one that is there: outputs, last output, state h or c."""
    key = cell.kind, cell.key, below, str(call), view == "last output"
    if key not in network.recurrent:
        network.recurrent[key] = network.add(cell.kind, split_name(place)[0], [below], weights=cell.weights, call=call,
                                             variables=network.variables(*cell.key), **cell.arguments)
    number = network.recurrent[key]
    layer = network.layers[number]
    layer.views += [] if view in layer.views else [view]
    zeros = "mask" in layer.call and not {"sequence", "last output"}.isdisjoint(layer.views)
    for name, wanted in (("return_sequences", "sequence" in layer.views),
                         ("return_state", "c" in layer.views or len(layer.views) > 1),
                         ("zero_output_for_mask", zeros)):
        layer.arguments[name] = wanted or None
    return number if view == layer.views[0] else network.add("Part", split_name(place)[0], [number], view=view)


def _base(network: Network, number: int) -> Layer:
    """Return a layer, or the one that a Part is of."""
    layer = network.layers[number]
    return network.layers[layer.inputs[0]] if layer.kind == "Part" else layer


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
    layer = _base(network, number)
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
    return None if below is None else _add(network, cells[0], places[-1], below, "sequence" if sequences else "h")


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


def _untransposed(network: Network, tensor: str) -> Optional[str]:
    """Return x for a tensor that is x with its first two axes exchanged, else None."""
    node = network.node(tensor)
    order = network.constant(data_inputs(node)[1]) if node.op == "Transpose" else None
    return data_inputs(node)[0] if order is not None and order.tolist() == [1, 0, 2] else None


def _transposed(network: Network, tensor: str) -> Optional[int]:
    """Return the layer of x, for a tensor that is x with its first two axes exchanged."""
    x = _untransposed(network, tensor)
    return None if x is None else network.visit(x)


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
                    cell = _lstm_of(network, value, output_gate[0], c, forget, entered, candidate, new_c,
                                    network.node(squashed).op)
                    if cell is not None:
                        return cell
    return None


def _match_by_c(network: Network, value: str) -> Optional[Cell]:
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
    if not (_is_zero(network, h) or _first_value(network, h) is not None or state.op == node.op):
        return None
    return Cell("SimpleRNN", x, h, "", network.source(value), "", key, rnn_weights(kernel, bias),
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
