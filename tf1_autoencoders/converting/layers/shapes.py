"""Inputs, tables, and layers that only move numbers or reduce axes."""
from __future__ import annotations

from typing import List, Optional, Sequence

import numpy as np

from tf1_autoencoders.converting.graph.foreign_graph import PLACEHOLDERS
from tf1_autoencoders.converting.graph.tensors import Tensor
from tf1_autoencoders.converting.layers.arithmetic import ACTIVATIONS
from tf1_autoencoders.converting.layers.formulas import ADDS
from tf1_autoencoders.converting.layers.network import FIRST, Network, Weight, recognises

MAX_DEPTH = 1 << 14  # of one-hot numbers


@recognises(*PLACEHOLDERS)
def placeholder(network: Network, tensor: Tensor) -> int:
    shape = tensor.shape
    return network.add("Input", tensor.place, shape=None if shape is None else tuple(shape[1:]), dtype=tensor.dtype)


@recognises("ConcatV2")
def concatenation(network: Network, tensor: Tensor) -> Optional[int]:
    """concat([x, y, ...], axis) along another axis than the batch"""
    *parts, axis = tensor.inputs
    n, shape = axis.number, tensor.shape
    if n is None or (int(n) % len(shape) if shape else max(0, int(n))) == 0:
        return None
    return network.add("Concatenate", tensor.place, network.numbers(parts), axis=int(n))


@recognises("Gather", "GatherV2", "ResourceGather")
def embedding(network: Network, tensor: Tensor) -> Optional[int]:
    """gather(table, x)"""
    table, x, *axis = tensor.inputs
    if table.value is None or table.value.ndim != 2 or axis and axis[0].number != 0:
        return None
    return network.add("Embedding", tensor.place, [network.number(x)], variables=network.tensors.variables(table),
                       weights={"embeddings": Weight((table,))}, input_dim=table.value.shape[0],
                       output_dim=table.value.shape[1])


@recognises("OneHot")
def one_hot(network: Network, tensor: Tensor) -> Optional[int]:
    """one_hot(x, depth), as the table of the identity"""
    x, depth, on, off = tensor.inputs
    n = int(depth.number or 0)
    if on.number != 1 or off.number != 0 or tensor.attr["axis"].i != -1 or not 0 < n < MAX_DEPTH:
        return None
    return network.add("Embedding", tensor.place, [network.number(x)], input_dim=n, output_dim=n, trainable=False,
                       weights={"embeddings": Weight((), lambda: np.eye(n, dtype="float32"))})


@recognises("Mean", "Max")
def global_pooling(network: Network, tensor: Tensor) -> Optional[int]:
    """reduce_mean(x, axes), reduce_max(x, axes) over all steps or over the image"""
    x, axes = tensor.inputs
    rank, reduced = len(x.shape or ()), [] if axes.value is None else sorted(np.ravel(axes.value).tolist())
    if (rank, reduced) not in ((3, [1]), (4, [1, 2]), (4, [2, 3])):
        return None
    return network.add(f"Global{'Average' if tensor.op == 'Mean' else 'Max'}Pooling{rank - 2}D", tensor.place,
                       [network.number(x)], keepdims=tensor.attribute("keep_dims"),
                       data_format="channels_first" if reduced == [2, 3] else None)


@recognises("Transpose")
def permutation(network: Network, tensor: Tensor) -> Optional[int]:
    """transpose(x, axes) that leaves the batch where it is"""
    x, axes = tensor.inputs
    if axes.value is None or axes.value[0] != 0:
        return None
    return network.add("Permute", tensor.place, [network.number(x)], dims=tuple(axes.value[1:].tolist()))


@recognises("Pad")
def padding(network: Network, tensor: Tensor) -> Optional[int]:
    """pad(x, widths) of images"""
    x, widths = tensor.inputs
    if widths.value is None or widths.value.shape != (4, 2) or widths.value[[0, 3]].any():
        return None
    return network.add("ZeroPadding2D", tensor.place, [network.number(x)],
                       padding=tuple(map(tuple, widths.value[1:3].tolist())))


@recognises("Reshape", order=FIRST)
def rows_that_are_parted_again(network: Network, tensor: Tensor) -> Optional[int]:
    """reshape(layers(reshape(x, [-1, n])), [..., m]): layers on the last axis of x, which need no reshape"""
    if _joined_rows(network, tensor) is not None:
        return network.number(tensor.inputs[0])
    end = tensor
    while end is tensor or _acts_on_rows(end):
        if end.n_uses != 1 or not end.users:
            return None
        end = end.users[0]
    return network.number(_before_transpose(tensor.inputs[0])) if _joined_rows(network, end) is tensor else None


def _joined_rows(network: Network, tensor: Tensor) -> Optional[Tensor]:
    """Return the reshape to [-1, n] whose rows a reshape parts again, behind layers that act on each row, or None."""
    if tensor.op != "Reshape":
        return None
    flat = tensor.inputs[0]
    while _acts_on_rows(flat) and flat.n_uses == 1:
        flat = next((part for part in flat.inputs if part.value is None), flat.inputs[0])
    if flat.op != "Reshape" or flat is tensor.inputs[0] or flat.n_uses != 1:
        return None
    x = _before_transpose(flat.inputs[0])
    before, joined, after = x.shape, flat.shape, tensor.shape
    if before is None or joined is None or after is None or len(before) != len(after) or len(after) < 3 \
            or len(joined) != 2 or before[-1] is None:
        return None
    if joined[1] is None and flat.users[0].op == "MatMul" and flat.users[0].inputs[1].value is not None:
        joined[1] = len(flat.users[0].inputs[1].value)
    if joined[1] != before[-1]:
        return None
    if before[:-1] != after[:-1] and not (  # or the sizes are those of x, which the graph reads
            all(old == new or new is None for old, new in zip(before[:-1], after[:-1]))
            and network.tensors.reads_shape_of(tensor.inputs[1], x)):
        return None
    return flat if before.count(None) < 2 or network.tensors.reads_shape_of(tensor.inputs[1], x) else None


def _before_transpose(tensor: Tensor) -> Tensor:
    """Return x for a transpose of x that leaves the axes where they are, as Tensordot has one."""
    if tensor.op != "Transpose":
        return tensor
    axes = tensor.inputs[1]
    as_they_are = axes.op == "ConcatV2" if axes.value is None else axes.value.tolist() == list(range(len(axes.value)))
    return tensor.inputs[0] if as_they_are else tensor


def _acts_on_rows(tensor: Tensor) -> bool:
    """Return whether an operation computes each row by itself, from a row and constants."""
    if tensor.op == "MatMul":
        return tensor.inputs[0].value is None and tensor.inputs[1].value is not None \
            and not tensor.attribute("transpose_a")
    constants = [part.value is not None for part in tensor.inputs]
    return tensor.op in ACTIVATIONS or tensor.op in (*ADDS, "Mul", "Sub") and constants.count(False) == 1


@recognises("Reshape", "Squeeze", "ExpandDims")
def reshape(network: Network, tensor: Tensor) -> Optional[int]:
    """reshape(x, shape) and others that leave the batch alone"""
    x = tensor.inputs[0]
    before, after = x.shape, _shape_after(tensor)
    if not before or not after:
        return None
    number, n_before = network.number(x), _product(before[1:])
    if n_before is not None and after.count(None) == 2 and after[0] is None and not _joins_rows(network, number):
        rest = _product([size for size in after[1:] if size is not None])
        after = [None if k == 0 else n_before // max(1, rest or 1) if size is None else size
                 for k, size in enumerate(after)]
    if before == after or before[1:] == after[1:] and None not in after[1:]:
        return number
    if n_before is not None and None not in after[1:] and _product(after[1:]) == n_before:
        if len(after) == 2 and len(before) > 2:
            return network.add("Flatten", tensor.place, [number])
        return network.add("Reshape", tensor.place, [number], target_shape=tuple(after[1:]))
    if tensor.op in ("Squeeze", "ExpandDims") and after[0] is None and after[1:].count(None) == 1 \
            and before[1:].count(None) == 1:
        return network.add("Reshape", tensor.place, [number],
                           target_shape=tuple(-1 if size is None else size for size in after[1:]))
    if tensor.op == "Reshape" and None not in after[1:]:  # which joins batch and time, or parts them
        return network.operation("reshape", tensor.place, {"x": number}, newshape=(-1, *after[1:]))
    return None


def _joins_rows(network: Network, number: int) -> bool:
    """Return whether the rows of a layer's output may be others than those of the batch."""
    pending, seen = [number], set()
    while pending:
        number = pending.pop()
        if number in seen:
            continue
        seen.add(number)
        if network.layers[number].kind == "ops.reshape":
            return True
        pending += network.layers[number].inputs
    return False


def _product(shape: Sequence[Optional[int]]) -> Optional[int]:
    return None if None in shape else int(np.prod(shape, dtype=np.int64))  # type: ignore[arg-type]


def _shape_after(tensor: Tensor) -> Optional[List[Optional[int]]]:
    """Return the shape that an operation gives, with None for the batch and for what follows from the rest."""
    before, after = tensor.inputs[0].shape, tensor.shape
    if tensor.op == "Squeeze" and after is None and before and not tensor.attr["squeeze_dims"].list.i:
        return [before[0], *(size for size in before[1:] if size != 1)]  # for batches of more than one row
    if tensor.op != "Reshape":
        return after
    wanted = tensor.inputs[1]
    if wanted.value is not None:
        return [None if k == 0 or size < 0 else int(size) for k, size in enumerate(np.ravel(wanted.value))]
    if wanted.op != "Pack":
        return after
    first, *sizes = [part.number for part in wanted.inputs]
    if first is not None or None in sizes:
        return after
    return [None, *(int(size) if size is not None and size >= 0 else None for size in sizes)]
