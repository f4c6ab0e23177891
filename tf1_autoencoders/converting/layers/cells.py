"""One step of TensorFlow 1's recurrent cells in a graph, as the cell of a Keras layer with its weights."""
from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.converting.graph.tensors import Tensor
from tf1_autoencoders.converting.layers.formulas import ACTIVATIONS, Formula
from tf1_autoencoders.converting.layers.network import Network, Weight

LSTM = Formula("activation(new_c) * sigmoid(gates[3])",
               new_c="c * sigmoid(forget) + sigmoid(gates[0]) * activation(gates[1])",
               forget=("gates[2] + forget_bias", "gates[2]"), gates="[x, h] @ kernel + bias")
GRU = Formula("update * h + (1 - update) * activation([x, reset * h] @ kernel + bias)",
              update="gates[1]", reset="gates[0]", gates="sigmoid([x, h] @ gate_kernel + gate_bias)")
RNN = Formula("activation([x, h] @ kernel + bias)")


class Cell(NamedTuple):
    """One step of a recurrent cell in a graph.

    | field     | meaning                                                            |
    |-----------|--------------------------------------------------------------------|
    | kind      | LSTM, GRU or SimpleRNN                                             |
    | x, h, c   | the input, the states before the step; c is None but for an LSTM   |
    | new_h     | the output, which is the state h after the step                    |
    | new_c     | the LSTM's state c after the step                                  |
    | key       | names of the weights, the same in each step                        |
    | weights   | {name in Keras: Weight}                                            |
    | arguments | of the Keras layer                                                 |
    """

    kind: str
    x: Tensor
    h: Tensor
    c: Optional[Tensor]
    new_h: Tensor
    new_c: Optional[Tensor]
    key: Tuple[str, ...]
    weights: Dict[str, Weight]
    arguments: Dict[str, Any]


def match_cell(network: Network, tensor: Tensor) -> Optional[Cell]:
    """Return the cell whose output a tensor is, or None."""
    key = "cell", tensor
    if key not in network.memo:
        kinds = _lstm, _block_lstm, _gru, _rnn
        network.memo[key] = next(filter(None, (match(network, tensor) for match in kinds)), None)
    return network.memo[key]  # type: ignore[no-any-return]


def match_cell_by_c(network: Network, tensor: Tensor) -> Optional[Cell]:
    """Return the LSTM cell whose state c after the step a tensor is, or None."""
    if tensor.op == "LSTMBlockCell" and tensor.output == 1:
        return match_cell(network, network.tensors[f"{tensor.place}:6"])
    for squashed in tensor.users:
        for opened in squashed.users if squashed.op in ACTIVATIONS else ():
            cell = match_cell(network, opened)
            if cell is not None and cell.new_c is tensor:
                return cell
    return None


def _cell(network: Network, kind: str, bound: Dict[str, Any], output: Tensor, tensors: Sequence[str],
          layout: Callable[..., Dict[str, np.ndarray]], slots: Optional[Callable[..., Any]] = None,
          **arguments: Any) -> Optional[Cell]:
    """Return a cell whose weights a function brings into Keras's layout; another one may do it with their slots."""
    taken = tuple(bound[name] for name in tensors)
    if any(tensor.value is None for tensor in taken):
        return None

    def weight(name: str) -> Weight:
        return Weight(taken, lambda *arrays: layout(*arrays)[name],
                      slots and (lambda *arrays: slots(*arrays)[name]))  # type: ignore[misc]
    if bound["activation"] != "Tanh":
        arguments["activation"] = ACTIVATIONS[bound["activation"]]
    units = int(taken[-2].value.shape[1]) // (4 if kind == "LSTM" else 1)  # type: ignore[union-attr]
    return Cell(kind, bound["x"], bound["h"], bound.get("c"), output, bound.get("new_c"),
                tuple(network.tensors.variables(*taken)),
                {name: weight(name) for name in ("kernel", "recurrent_kernel", "bias")}, {"units": units, **arguments})


def _lstm(network: Network, tensor: Tensor) -> Optional[Cell]:
    bound = LSTM.match(tensor) if tensor.op == "Mul" else None
    if bound is None or "forget_bias" in bound and bound["forget_bias"].number is None:
        return None
    forget_bias = bound["forget_bias"].number if "forget_bias" in bound else 0.0
    return _cell(network, "LSTM", bound, tensor, ("kernel", "bias"),
                 lambda kernel, bias: lstm_weights(kernel, bias, forget_bias),
                 lambda kernel, bias: lstm_weights(kernel, bias, 0.0))


def _block_lstm(network: Network, tensor: Tensor) -> Optional[Cell]:
    """LSTMBlockCell, whose output 1 is c and 6 is h; its gates stand in the order of LSTM's formula"""
    if tensor.op != "LSTMBlockCell" or tensor.output != 6 or tensor.attribute("use_peephole") \
            or tensor.attr["cell_clip"].f > 0:
        return None
    bound: Dict[str, Any] = dict(zip(("x", "c", "h", "kernel", "", "", "", "bias"), tensor.inputs))
    bound.update(new_c=network.tensors[f"{tensor.place}:1"], activation="Tanh")
    forget_bias = float(tensor.attr["forget_bias"].f)
    return _cell(network, "LSTM", bound, tensor, ("kernel", "bias"),
                 lambda kernel, bias: lstm_weights(kernel, bias, forget_bias),
                 lambda kernel, bias: lstm_weights(kernel, bias, 0.0))


def _gru(network: Network, tensor: Tensor) -> Optional[Cell]:
    bound = GRU.match(tensor)
    return None if bound is None else _cell(network, "GRU", bound, tensor, (
        "gate_kernel", "gate_bias", "kernel", "bias"), gru_weights, reset_after=False)


def _rnn(network: Network, tensor: Tensor) -> Optional[Cell]:
    bound = RNN.match(tensor)
    if bound is None or not (is_zero(bound["h"]) or first_value(bound["h"]) or bound["h"].op == tensor.op):
        return None
    return _cell(network, "SimpleRNN", bound, tensor, ("kernel", "bias"), rnn_weights)


# ---- states ----

def next_value(tensor: Tensor) -> Optional[Tensor]:
    """Return what a variable of a loop becomes in each step, from the loop's Exit or from its value in the body."""
    return _merged(tensor, "NextIteration")


def first_value(tensor: Tensor) -> Optional[Tensor]:
    """Return what a variable of a loop is before the first step."""
    return _merged(tensor, "Enter")


def _merged(tensor: Tensor, op: str) -> Optional[Tensor]:
    """Return what enters a variable of a loop by an operation, or None if the tensor is no such variable."""
    for passed in ("Exit", "Identity", "Switch"):
        tensor = tensor.inputs[0] if tensor.op == passed else tensor
    parts = tensor.inputs if tensor.op == "Merge" else []
    return next((part.inputs[0] for part in parts if part.op == op), None)


def is_zero(tensor: Optional[Tensor]) -> bool:
    """Return whether a state is zero at the beginning."""
    if tensor is None:
        return False
    value = tensor.inputs[1].value if tensor.value is None and tensor.op == "Fill" else tensor.value
    return tensor.op == "ZerosLike" or value is not None and not np.any(value)


# ---- from TensorFlow 1's layout to Keras's ----

def lstm_weights(kernel: np.ndarray, bias: np.ndarray, forget_bias: float) -> Dict[str, np.ndarray]:
    """Return Keras's weights of an LSTM cell: gates i, j, f, o become i, f, c, o; the forget bias is added."""
    units = kernel.shape[1] // 4
    swap = np.concatenate([np.arange(k * units, (k + 1) * units) for k in (0, 2, 1, 3)])
    bias = bias.ravel().copy()
    if forget_bias:
        bias[2 * units:3 * units] += bias.dtype.type(forget_bias)
    return {"kernel": kernel[:-units, swap], "recurrent_kernel": kernel[-units:, swap], "bias": bias[swap]}


def gru_weights(gate_kernel: np.ndarray, gate_bias: np.ndarray, kernel: np.ndarray,
                bias: np.ndarray) -> Dict[str, np.ndarray]:
    """Return Keras's weights of a GRU cell, for reset_after=False: gates r, u and the candidate become z, r, h."""
    units, gate_bias = kernel.shape[1], gate_bias.ravel()
    swapped = np.concatenate([gate_kernel[:, units:], gate_kernel[:, :units], kernel], axis=1)
    return {"kernel": swapped[:-units], "recurrent_kernel": swapped[-units:],
            "bias": np.concatenate([gate_bias[units:], gate_bias[:units], bias.ravel()])}


def rnn_weights(kernel: np.ndarray, bias: np.ndarray) -> Dict[str, np.ndarray]:
    """Return Keras's weights of a BasicRNNCell."""
    units = kernel.shape[1]
    return {"kernel": kernel[:-units], "recurrent_kernel": kernel[-units:], "bias": bias.ravel()}
