"""Stacks of bidirectional networks."""
from __future__ import annotations

from typing import Any, List, Tuple

import tf1_autoencoders.tensorflow1 as tf


def _checked_stack(cells_fw, cells_bw, states_fw, states_bw):
    """Raise ValueError unless both directions have a list of as many cells, and states for each or none."""
    for what, cells in (("cells_fw", cells_fw), ("cells_bw", cells_bw)):
        if not isinstance(cells, list) or not cells:
            raise ValueError(f"{what} must be a list of cells, one for each layer; got {cells!r}")
    if len(cells_fw) != len(cells_bw):
        raise ValueError(f"Forward and backward cells must have the same depth; got {len(cells_fw)} and "
                         f"{len(cells_bw)}.")
    for what, states in (("initial_states_fw", states_fw), ("initial_states_bw", states_bw)):
        if states is not None and (not isinstance(states, list) or len(states) != len(cells_fw)):
            raise ValueError(f"{what} must be a list of state tensors, one for each layer; got {states!r}")


def stack_bidirectional_rnn(cells_fw, cells_bw, inputs, initial_states_fw=None, initial_states_bw=None, dtype=None,
                            sequence_length=None, scope=None):
    """Return (outputs, forward states, backward states) of layers of bidirectional networks, over a list of steps.

    Args:
        cells_fw, cells_bw: lists of RNNCells, one for each layer.
        inputs: list of float[batch, inputs].
        initial_states_fw, initial_states_bw: lists of states, one for each layer; None for zeros.
        dtype: type of the zeros.
        sequence_length: int[batch]; None for all steps.
        scope: default `stack_bidirectional_rnn`; layer k is `cell_<k>` in it.

    Returns:
        The outputs are float[batch, units of both directions], one for each step; the states one for each layer.

    Raises:
        ValueError: see _checked_stack.
    """
    _checked_stack(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states: List[Tuple[Any, Any]] = []
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for k, (forward, backward) in enumerate(zip(cells_fw, cells_bw)):
            with tf.variable_scope(f"cell_{k}") as cell_scope:
                inputs, state_fw, state_bw = tf.nn.static_bidirectional_rnn(
                    forward, backward, inputs, initial_state_fw=initial_states_fw and initial_states_fw[k],
                    initial_state_bw=initial_states_bw and initial_states_bw[k], sequence_length=sequence_length,
                    dtype=dtype, scope=cell_scope)
            states.append((state_fw, state_bw))
    return inputs, tuple(one for one, _ in states), tuple(one for _, one in states)


def stack_bidirectional_dynamic_rnn(cells_fw, cells_bw, inputs, initial_states_fw=None, initial_states_bw=None,
                                    dtype=None, sequence_length=None, parallel_iterations=None, time_major=False,
                                    scope=None, swap_memory=False):
    """Return (outputs, forward states, backward states) of layers of bidirectional networks, over one tensor.

    Args:
        inputs: float[batch, time, inputs]; time first with time_major.
        parallel_iterations, swap_memory: as for tf.nn.dynamic_rnn.
        others: as for stack_bidirectional_rnn.

    Returns:
        The outputs are float[batch, time, units of both directions].

    Raises:
        ValueError: see _checked_stack.
    """
    _checked_stack(cells_fw, cells_bw, initial_states_fw, initial_states_bw)
    states: List[Tuple[Any, Any]] = []
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for k, (forward, backward) in enumerate(zip(cells_fw, cells_bw)):
            with tf.variable_scope(f"cell_{k}"):
                outputs, pair = tf.nn.bidirectional_dynamic_rnn(
                    forward, backward, inputs, initial_state_fw=initial_states_fw and initial_states_fw[k],
                    initial_state_bw=initial_states_bw and initial_states_bw[k], sequence_length=sequence_length,
                    parallel_iterations=parallel_iterations, dtype=dtype, swap_memory=swap_memory,
                    time_major=time_major)
                inputs = tf.concat(outputs, 2)
            states.append(pair)
    return inputs, tuple(one for one, _ in states), tuple(one for _, one in states)
