"""TensorFlow 1.15's rule for the seed of an operation: the number of operations that the graph has at that moment.

With a graph-level seed alone, TensorFlow 1.15 seeds a random operation by (graph seed, number of operations), and
TensorFlow 2 by (graph seed, number of seeds given so far). Here the rule of 1.15 is put back for the graphs of this
namespace. Some functions make another number of operations today: `shift` adds the difference to a graph's count.

This file is the only one that replaces parts of TensorFlow.
"""
from __future__ import annotations

import contextlib
import weakref
from typing import Any, Iterator, Optional, Tuple

from tensorflow.python.eager import context
from tensorflow.python.framework import ops, random_seed

MAXIMUM = 2 ** 31 - 1

_graphs: weakref.WeakSet = weakref.WeakSet()  # graphs that were made by this namespace
_shifts: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # graph -> operations that 1.15 would have more
_everywhere = False  # whether every graph of the process follows the rule
_get_seed = random_seed.get_seed  # TensorFlow 2's rule


def follow_in(graph: Any) -> None:
    """Let a graph follow TensorFlow 1.15's rule."""
    _graphs.add(graph)


def follow_everywhere() -> None:
    """Let every graph of the process follow TensorFlow 1.15's rule: the process runs a TensorFlow 1 program."""
    global _everywhere
    _everywhere = True


def follows(graph: Any) -> bool:
    """Say whether a graph follows TensorFlow 1.15's rule; a function's graph does as the graph around it."""
    while graph not in _graphs:
        graph = getattr(graph, "outer_graph", None)
        if graph is None:
            return _everywhere
    return True


def count(graph: Optional[Any] = None) -> int:
    """Return the number of operations that a graph would have in TensorFlow 1.15."""
    graph = ops.get_default_graph() if graph is None else graph
    return graph.num_operations() + _shifts.get(graph, 0)


def shift(difference: int, graph: Optional[Any] = None) -> None:
    """Add to the count of a graph: what was just made had `difference` operations more in TensorFlow 1.15."""
    graph = ops.get_default_graph() if graph is None else graph
    _shifts[graph] = _shifts.get(graph, 0) + difference


@contextlib.contextmanager
def counted_as(number: int) -> Iterator[None]:
    """Context manager: whatever is made inside counts as `number` operations."""
    graph = ops.get_default_graph()
    before = count(graph)
    yield
    shift(before + number - count(graph), graph)


def get_seed(op_seed: Optional[int]) -> Tuple[Optional[int], Optional[int]]:
    """Return the two seeds of an operation, as `tf.get_seed` of TensorFlow 1.15 does."""
    if op_seed is None and not context.executing_eagerly():
        graph = ops.get_default_graph()
        if graph.seed is not None and follows(graph):
            if hasattr(graph, "_seed_used"):
                graph._seed_used = True
            seeds = graph.seed % MAXIMUM, count(graph) % MAXIMUM
            return seeds if seeds != (0, 0) else (0, MAXIMUM)
    return _get_seed(op_seed)


random_seed.get_seed = get_seed
