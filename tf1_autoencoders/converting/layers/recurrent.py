"""Recurrent layers of a graph: the cells of TensorFlow 1 in dynamic_rnn and static_rnn, as layers of Keras."""
from __future__ import annotations

from typing import Any, List, Optional, Sequence, Tuple

from tf1_autoencoders.converting.graph.tensors import Tensor
from tf1_autoencoders.converting.layers.cells import Cell, first_value, is_zero, match_cell, match_cell_by_c, next_value
from tf1_autoencoders.converting.layers.formulas import ACTIVATIONS, ADDS
from tf1_autoencoders.converting.layers.network import FIRST, Call, Network, recognises

MAX_STEPS = 100_000


# ---- dynamic_rnn ----

@recognises("Transpose", order=FIRST)
def sequence(network: Network, tensor: Tensor) -> Optional[int]:
    """The outputs of a loop, which are transposed to [batch, time, ...]"""
    return _outputs_of_loop(network, tensor.inputs[0], True) if _swaps_batch_and_time(tensor) else None


@recognises("Exit", order=FIRST)
def final_state(network: Network, tensor: Tensor) -> Optional[int]:
    """A state h or c behind a loop"""
    value = next_value(tensor)
    return _loop_layer(network, value, sequences=False, is_state=True) if value else None


@recognises("ReverseSequence", order=FIRST)
def backwards(network: Network, tensor: Tensor) -> Optional[int]:
    """What came out of a loop over reversed sequences, and is reversed again"""
    outputs, lengths = tensor.inputs
    number = network.number(outputs)
    layer = network.layer(number)
    flipped = network.layers[int(layer.call["mask"])] if "mask" in layer.call else layer  # type: ignore[arg-type]
    if flipped.kind != "ops.flip" or not _along_steps(tensor) \
            or network.layers[flipped.inputs[0]].inputs[1] != network.number(_before_cast(lengths)):
        return None
    return network.operation("flip", tensor.place, {"x": number}, axis=1)


def _swaps_batch_and_time(tensor: Tensor) -> bool:
    order = tensor.inputs[1].value if tensor.op == "Transpose" else None
    return order is not None and order.tolist() == [1, 0, 2]


def _outputs_of_loop(network: Network, gathered: Tensor, sequences: bool) -> Optional[int]:
    flow = gathered.inputs[2] if gathered.op == "TensorArrayGatherV3" else None
    write = next_value(flow) if flow and flow.op == "Exit" else None
    if write is None or write.op != "TensorArrayWriteV3":
        return None
    return _loop_layer(network, write.inputs[2], sequences)


def _loop_layer(network: Network, value: Tensor, sequences: bool, lengths: Optional[Tensor] = None,
                is_state: bool = False) -> Optional[int]:
    """Recognise the cell that gives `value` in the body of a loop, and the cells below it; return the layer.

    With a sequence_length, what a step gives is chosen by Select between the new value and, behind the end, zeros for
    outputs and the former value for states.
    """
    value, own = _chosen(value)
    lengths = own or lengths
    cell = match_cell(network, value) or match_cell_by_c(network, value)
    if cell is None:
        return None if lengths else _residual(network, value, sequences)
    first_values = []
    for state, new in ((cell.h, cell.new_h), (cell.c, cell.new_c)):
        if state is None or new is None:
            continue
        following = next_value(state)
        if following is None or _chosen(following) != (new, lengths):
            return None
        first_values.append(first_value(state))
    mask: Any = None
    if cell.x.op == "TensorArrayReadV3":
        below, mask = _input_of_loop(network, cell.x.inputs[2], lengths) or (None, None)
    else:
        below = _loop_layer(network, cell.x, True, lengths)
        mask = network.layer(below).call["mask"] if lengths and below is not None else None
    if below is None:
        return None
    call: Call = {} if mask is None else {"mask": mask}
    if not all(is_zero(first) for first in first_values):
        if any(first is None or is_zero(first) for first in first_values):
            return None
        call["initial_state"] = network.numbers([first for first in first_values if first])
    view = "c" if cell.new_c is value else "sequence" if sequences else "h"
    if view == "h" and mask is not None and not is_state:
        view = "last output"  # zero behind the end of a sequence, where the state h stays
    return _add(network, cell, value, below, view, call)


def _residual(network: Network, value: Tensor, sequences: bool) -> Optional[int]:
    """Recognise x + what a cell makes of x, as ResidualWrapper has it, in the body of a loop; return the layer."""
    for x, made in (value.inputs, value.inputs[::-1]) if value.op in ADDS else ():
        cell = match_cell(network, made)
        if cell is not None and cell.x is x:
            number = _loop_layer(network, made, sequences)
            below = _loop_layer(network, x, True) if x.op != "TensorArrayReadV3" else \
                (_input_of_loop(network, x.inputs[2], None) or [None])[0]
            if number is None or below is None:
                return None
            if not sequences:
                below = network.operation("getitem", value.place, {"x": below}, key=[slice(None), -1])
            return network.once("Add", value.place, [below, number])
    return None


def _chosen(tensor: Tensor) -> Tuple[Tensor, Optional[Tensor]]:
    """Return (new value, lengths) of Select(time >= lengths, former value, new value), or (the tensor, None)."""
    if tensor.op in ("Select", "SelectV2"):
        condition, _, new = tensor.inputs
        entered = condition.inputs[1] if condition.op == "GreaterEqual" else condition
        if entered.op == "Enter":
            return new, _before_cast(entered.inputs[0])
    return tensor, None


def _before_cast(lengths: Tensor) -> Tensor:
    """Return the lengths of sequences as the program gave them."""
    return lengths.inputs[0] if lengths.op == "Cast" else lengths


def _along_steps(tensor: Tensor) -> bool:
    """Return whether a ReverseSequence reverses [batch, time, ...] along the time."""
    return bool(tensor.attr["seq_dim"].i == 1 and tensor.attr["batch_dim"].i == 0)


def _input_of_loop(network: Network, flow: Tensor, lengths: Optional[Tensor]) -> Optional[Tuple[int, Optional[int]]]:
    """Return (layer that gives the sequence which a loop reads, layer of its mask if the sequence has lengths)."""
    scatter = flow.inputs[0] if flow.op == "Enter" else flow
    if scatter.op != "TensorArrayScatterV3" or not _swaps_batch_and_time(scatter.inputs[2]):
        return None
    x = scatter.inputs[2].inputs[0]
    if lengths is None:
        return network.number(x), None
    reverse, place = x, f"{scatter.place}/mask"
    if reverse.op == "ReverseSequence":
        x, reversed_by = reverse.inputs
        if not _along_steps(reverse) or _before_cast(reversed_by) is not lengths:
            return None
    below, number = network.numbers([x, lengths])
    mask = network.operation("mask", place, {"x": below, "lengths": number})
    if reverse is x:
        return below, mask
    flipped, flipped_mask = (network.operation("flip", reverse.place, {"x": layer}, axis=1) for layer in (below, mask))
    return flipped, flipped_mask


def _add(network: Network, cell: Cell, value: Tensor, below: int, view: str,
         call: Optional[Call] = None) -> int:
    """Return the layer of a cell, or a part of one that is there: outputs, last output, state h or c."""
    key = cell.kind, cell.key, below, str(call), view == "last output"
    if key not in network.memo:
        network.memo[key] = network.add(cell.kind, value.place, [below], weights=cell.weights, call=call,
                                        variables=cell.key, **cell.arguments)
    number = int(network.memo[key])
    layer = network.layers[number]
    layer.views += [] if view in layer.views else [view]
    zeros = "mask" in layer.call and not {"sequence", "last output"}.isdisjoint(layer.views)
    for name, wanted in (("return_sequences", "sequence" in layer.views),
                         ("return_state", "c" in layer.views or len(layer.views) > 1),
                         ("zero_output_for_mask", zeros)):
        layer.arguments[name] = wanted or None
    return number if view == layer.views[0] else network.once("Part", value.place, [number], view=view)


# ---- the last step ----

@recognises("StridedSlice", "Unpack", "GatherV2", order=FIRST)
def last_output(network: Network, tensor: Tensor) -> Optional[int]:
    """outputs[:, -1], outputs[-1] of transposed outputs, and the last of unstacked outputs"""
    source = tensor.inputs[0]
    axis = {"StridedSlice": _axis_of_slice, "Unpack": _axis_of_unpack}[tensor.op](tensor) \
        if tensor.op != "GatherV2" else _axis_of_gather(network, tensor)
    if axis is None or source.op != "Transpose":
        return None
    outputs = source if axis == 1 else source.inputs[0]
    if not _swaps_batch_and_time(source) or not _swaps_batch_and_time(outputs):
        return None
    return _outputs_of_loop(network, outputs.inputs[0], False)


def _axis_of_unpack(tensor: Tensor) -> Optional[int]:
    """Return the axis of which an output of Unpack is the last part."""
    return int(tensor.attr["axis"].i) if tensor.output == tensor.attr["num"].i - 1 else None


def _axis_of_gather(network: Network, tensor: Tensor) -> Optional[int]:
    """Return the axis of which a GatherV2 takes the last part."""
    source, index, axis = tensor.inputs
    if index.value is None or index.value.shape or axis.number not in (0, 1) or source.op != "Transpose":
        return None
    outputs = source if axis.number == 1 else source.inputs[0]  # before [batch, time] was exchanged
    return int(axis.number) if int(index.value) + 1 == _n_steps(network, network.number(outputs)) else None


def _axis_of_slice(tensor: Tensor) -> Optional[int]:
    """Return the axis of which a StridedSlice takes the last part, and all of the others."""
    begin = tensor.inputs[1].value
    start, end = tensor.attr["begin_mask"].i, tensor.attr["end_mask"].i
    axis = {1: 0, 2: 1}.get(tensor.attr["shrink_axis_mask"].i)
    if begin is None or axis is None or axis >= len(begin) or begin[axis] != -1:
        return None
    whole = (axis == 0 or start & 1) and all(start >> k & end >> k & 1 for k in range(2, len(begin)))
    return axis if whole else None


def _n_steps(network: Network, number: int) -> Optional[int]:
    """Return how many steps the sequence has that a layer gives, if the input says so."""
    layer = network.layer(number)
    while layer.kind in ("LSTM", "GRU", "SimpleRNN", "Embedding") and len(layer.inputs) == 1:
        layer = network.layers[layer.inputs[0]]
    shape = layer.arguments.get("shape") if layer.kind == "Input" else None
    return shape[0] if shape else None


# ---- static_rnn ----

@recognises("Pack", order=FIRST)
def unrolled_sequence(network: Network, tensor: Tensor) -> Optional[int]:
    """stack(outputs, axis=1)"""
    return _static_layer(network, tensor.inputs, True) if tensor.attr["axis"].i == 1 else None


@recognises("ConcatV2", order=FIRST)
def joined_sequence(network: Network, tensor: Tensor) -> Optional[int]:
    """concat(outputs, 1): the outputs of all steps beside each other"""
    *values, axis = tensor.inputs
    if axis.number != 1 or len(values) < 2 or not values[0].shape or len(values[0].shape) != 2:
        return None
    number, units = _static_layer(network, values, True), values[0].shape[1]
    return None if number is None or units is None else network.operation(
        "reshape", tensor.place, {"x": number}, newshape=(-1, len(values) * units))


@recognises("Mul", "LSTMBlockCell", *ADDS, *ACTIVATIONS, order=FIRST)
def unrolled_output(network: Network, tensor: Tensor) -> Optional[int]:
    """The output of the last step"""
    return _static_layer(network, [tensor], False)


def _static_layer(network: Network, values: Sequence[Tensor], sequences: bool) -> Optional[int]:
    """Recognise cells that follow each other, one for each step; `values` are the outputs of the last or of all."""
    cells: List[Cell] = []
    places: List[Tensor] = []
    value = values[-1]
    while True:
        cell = match_cell(network, value)
        if cell is None or len(cells) == MAX_STEPS or cells and (
                cell.key != cells[-1].key or cells[-1].c is not cell.new_c and cells[-1].c is not None):
            return None
        cells.append(cell)
        places.append(value)
        if is_zero(cell.h):
            break
        value = cell.h
    cells.reverse()
    forwards, backwards = list(values) == places[::-1], list(values) == places
    if cells[0].c and not is_zero(cells[0].c) or sequences and not forwards and not backwards:
        return None
    below = _steps(network, [cell.x for cell in cells])
    if below is None:
        return None
    number = _add(network, cells[0], places[0], below, "sequence" if sequences else "h")
    return number if forwards or not sequences else network.operation("flip", places[-1].place, {"x": number}, axis=1)


def _steps(network: Network, tensors: List[Tensor]) -> Optional[int]:
    """Return the layer that gives a sequence, whose steps are these tensors: parts of one, or what cells give."""
    tensors = [_before_squeeze(tensor) for tensor in tensors]
    split, n = tensors[0], len(tensors)
    first, last = split.output, tensors[-1].output
    direction = 1 if first <= last else -1
    if [(tensor.node is split.node, tensor.output) for tensor in tensors] != \
            [(True, first + direction * k) for k in range(n)]:
        return _static_layer(network, tensors, True)
    if split.op == "Unpack":
        x, axis, n_parts = split.inputs[0], split.attr["axis"].i, split.attr["num"].i
    elif split.op == "Split" and split.inputs[0].number == 0 and split.inputs[1].op == "Reshape":
        x, axis, n_parts = split.inputs[1].inputs[0], 0, split.attr["num_split"].i
    elif split.op == "Split" and split.inputs[0].number == 1:
        x, axis, n_parts = split.inputs[1], 1, split.attr["num_split"].i
    else:
        return _static_layer(network, tensors, True) if n == 1 else None
    if axis != 1 and not (axis == 0 and _swaps_batch_and_time(x)):
        return None
    number, place = network.number(x if axis == 1 else x.inputs[0]), f"{split.place}/steps"
    if n != n_parts:
        key = [slice(None), slice(min(first, last), max(first, last) + 1)]
        number = network.operation("getitem", place, {"x": number}, key=key)
    return number if direction == 1 else network.operation("flip", place, {"x": number}, axis=1)


def _before_squeeze(tensor: Tensor) -> Tensor:
    """Return the part of a sequence, float32[batch, 1, width], of which a step is squeezed; else the tensor."""
    is_step = tensor.op == "Squeeze" and list(tensor.attr["squeeze_dims"].list.i) == [1]
    return tensor.inputs[0] if is_step and tensor.inputs[0].op == "Split" else tensor
