"""How a graph is trained: by this process alone, or together with others.

The three places where a graph differs then are methods of a Strategy: the batches, the optimiser, the metrics. The
Strategy here is that of one process, and adds nothing to the graph. A graph that is built inside `with scope(...)` has
another one, such as that of distributed.collectives.
"""
from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator, List


class Strategy:
    """The strategy of a process that trains alone."""

    def divide(self, batches: Any) -> Any:
        """Return a dataset of batches, each one tensor [n, ...], as the part of each that this process computes."""
        return batches

    def next_batch(self, iterator: Any) -> Any:
        """Return iterator.get_next(), for a dataset that `divide` returned."""
        return iterator.get_next()

    def wrap(self, optimizer: Any) -> Any:
        """Return the tf1.train.Optimizer, or one of the same methods that applies the gradients of the whole batch."""
        return optimizer

    def whole_batch_metrics(self, metrics: Dict[str, Any]) -> Dict[str, Any]:
        """Return metrics {name: mean over this process's part of a batch} as means over the whole batch."""
        return metrics

    def tensors(self) -> Dict[str, Any]:
        """Return the tensors that a trainer needs of this strategy, by name; call this after `wrap(...).minimize`."""
        return {}


_strategies: List[Strategy] = [Strategy()]  # the innermost `scope` is the last


@contextlib.contextmanager
def scope(strategy: Strategy) -> Iterator[None]:
    """Context manager: the graph that is built inside is trained in this way."""
    _strategies.append(strategy)
    try:
        yield
    finally:
        _strategies.pop()


def current() -> Strategy:
    """Return the Strategy of the innermost `scope`."""
    return _strategies[-1]


def wrap_optimizer(optimizer: Any) -> Any:
    """Return the optimiser as the current strategy needs it: the same object where this process trains alone."""
    return current().wrap(optimizer)
