"""Recurrent layers of a graph: the cells of TensorFlow 1 in dynamic_rnn and static_rnn, as layers of Keras."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from tf1_autoencoders.converting.graph.foreign_graph import data_inputs, split_name
from tf1_autoencoders.converting.layers.cells import (
    ADDS,
    CELL_ACTIVATIONS,
    Cell,
    first_value,
    is_zero,
    match_cell,
    match_cell_by_c,
    next_value,
)

if TYPE_CHECKING:
    from tf1_autoencoders.converting.layers.network import Layer, Network


def recognise(network: Network, tensor: str) -> Optional[int]:
    """Return the number of the recurrent layer that gives a tensor, or None."""
    node = network.node(tensor)
    if node.op == "Transpose":
        return _sequence(network, tensor)
    if node.op == "Exit":
        value = next_value(network, tensor)
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
    written = next_value(network, flow) if network.node(flow).op == "Exit" else None
    write = network.node(written) if written else None
    if write is None or write.op != "TensorArrayWriteV3":
        return None
    return _loop_layer(network, data_inputs(write)[2], sequences)


def _loop_layer(network: Network, value: str, sequences: bool, lengths: str = "",
                is_state: bool = False) -> Optional[int]:
    """Recognise the cell that gives `value` in the body of a loop, and the cells below it; return the layer.

    With a sequence_length, what a step gives is chosen by Select between the new value and, behind the end, zeros for
    outputs and the former value for states.
    """
    value, own = _chosen(network, value)
    lengths = own or lengths
    cell = match_cell(network, value) or match_cell_by_c(network, value)
    if cell is None:
        return None
    first_values = []
    for state, new in ((cell.h, cell.place), (cell.c, cell.new_c)):
        if not state:
            continue
        following = next_value(network, state)
        if following is None or _chosen(network, following) != (network.source(new), lengths):
            return None
        first_values.append(first_value(network, state))
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
    if not all(is_zero(network, first) for first in first_values):
        if any(first is None or is_zero(network, first) for first in first_values):
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
    """Return whether a ReverseSequence reverses [batch, time, ...] along the time."""
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
        cell = match_cell(network, value)
        n += 1
        if cell is None or cells and cell.key != cells[0].key or n > 100_000:
            return None
        if cells and cells[0].c and network.source(cells[0].c) != network.source(cell.new_c):
            return None
        cells.insert(0, cell)
        places.insert(0, value)
        if is_zero(network, cell.h):
            break
        value = network.source(cell.h)
    if cells[0].c and not is_zero(network, cells[0].c) or sequences and values != places:
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
