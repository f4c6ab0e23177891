"""TensorFlow 1.15's rule for the seed of an operation: the number of operations that the graph has at that moment.

With a graph-level seed alone, TensorFlow 1.15 seeds a random operation by (graph seed, number of operations), and
TensorFlow 2 by (graph seed, number of seeds given so far). Here the rule of 1.15 is put back for the graphs of this
namespace. Some functions make another number of operations today: `shift` adds the difference to a graph's count.

This file is the only one that replaces parts of TensorFlow.
"""
from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import weakref
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from tensorflow.python.eager import context
from tensorflow.python.framework import ops, random_seed, versions

MAXIMUM = 2 ** 31 - 1

_graphs: weakref.WeakSet = weakref.WeakSet()  # graphs that were made by this namespace
_shifts: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # graph -> operations that 1.15 would have more
_everywhere = False  # whether every graph of the process follows the rule
_get_seed = random_seed.get_seed  # TensorFlow 2's rule
_replaced: Dict[int, Tuple[Any, Callable]] = {}  # id of a function of TensorFlow -> (the function, what stands for it)
misfits: List[str] = []  # places that this release of TensorFlow does not have


def follow_in(graph: Any) -> None:
    """Make a graph follow TensorFlow 1.15's rule."""
    _graphs.add(graph)


def follow_everywhere() -> None:
    """Make every graph of the process follow TensorFlow 1.15's rule: the process runs a TensorFlow 1 program."""
    global _everywhere
    _everywhere = True


def follows(graph: Any) -> bool:
    """Return whether a graph follows TensorFlow 1.15's rule; a function's graph does as the graph around it."""
    while graph not in _graphs:
        graph = getattr(graph, "outer_graph", None)
        if graph is None:
            return _everywhere
    return True


@contextlib.contextmanager
def switches_of_1() -> Iterator[None]:
    """Context manager: reference variables, Dimension objects in shapes and the control flow of TensorFlow 1."""
    from tensorflow.python import tf2
    from tensorflow.python.framework import tensor_shape
    from tensorflow.python.ops import control_flow_util, resource_variables_toggle
    is_2 = tf2.enabled()
    tf2.disable()  # Keras's default initialisers
    before = (resource_variables_toggle._DEFAULT_USE_RESOURCE, tensor_shape._TENSORSHAPE_V2_OVERRIDE,
              control_flow_util.ENABLE_CONTROL_FLOW_V2)
    resource_variables_toggle._DEFAULT_USE_RESOURCE = False
    tensor_shape._TENSORSHAPE_V2_OVERRIDE = False
    control_flow_util.ENABLE_CONTROL_FLOW_V2 = False
    try:
        yield
    finally:
        if is_2:
            tf2.enable()
        (resource_variables_toggle._DEFAULT_USE_RESOURCE, tensor_shape._TENSORSHAPE_V2_OVERRIDE,
         control_flow_util.ENABLE_CONTROL_FLOW_V2) = before


def count(graph: Optional[Any] = None) -> int:
    """Return the number of operations that a graph would have in TensorFlow 1.15."""
    graph = ops.get_default_graph() if graph is None else graph
    return graph.num_operations() + _shifts.get(graph, 0)


def shift(difference: int, graph: Optional[Any] = None) -> None:
    """Add to the count of a graph: what was just made had `difference` operations more in TensorFlow 1.15."""
    graph = ops.get_default_graph() if graph is None else graph
    _shifts[graph] = _shifts.get(graph, 0) + difference


@contextlib.contextmanager
def more(difference: int) -> Iterator[None]:
    """Context manager: what is made inside had `difference` operations more in TensorFlow 1.15."""
    graph = ops.get_default_graph()
    yield
    shift(difference, graph)


@contextlib.contextmanager
def counts_as(n: int) -> Iterator[None]:
    """Context manager: what is made inside had n operations in TensorFlow 1.15."""
    graph = ops.get_default_graph()
    before = count(graph)
    yield
    shift(n - (count(graph) - before), graph)


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


def replaces(*places: str) -> Callable:
    """Decorator: let a function stand for functions of TensorFlow in the graphs that follow 1.15's rules.

    Args:
        places: "module:name" or "module:class.name". The decorated function has one argument more in front,
            TensorFlow's own function; outside of those graphs that one is called.
    """
    def decorate(function: Callable) -> Callable:
        for place in places:
            module, _, path = place.partition(":")
            owner, _, name = path.rpartition(".")
            try:
                parent: Any = importlib.import_module(module)
                parent = getattr(parent, owner) if owner else parent
                original = getattr(parent, name)
            except (ImportError, AttributeError):
                misfits.append(place)
                continue
            stand_in = _stand_in(function, original)
            setattr(parent, name, stand_in)
            _replaced[id(original)] = original, stand_in
        return function
    return decorate


def replaces_gradient(*types: str) -> Callable:
    """Decorator: let a function stand for the gradients of operations; its first argument is TensorFlow's own."""
    def decorate(function: Callable) -> Callable:
        for kind in types:
            try:
                entry = ops.gradient_registry._registry[kind]
                entry["type"] = _stand_in(function, entry["type"])
            except (AttributeError, KeyError):
                misfits.append(f"the gradient of {kind}")
        return function
    return decorate


def warn_of_misfits() -> None:
    """Warn in one line on stderr that seeds give other numbers on a release that does not have all places."""
    if misfits:
        more = f" and {len(misfits) - 3} others" if len(misfits) > 3 else ""
        print(f"TensorFlow {versions.VERSION}: some seeds give other numbers than in TensorFlow 1.15, because this "
              f"release has no {', '.join(misfits[:3])}{more}", file=sys.stderr)


def _stand_in(function: Callable, original: Callable) -> Callable:
    @functools.wraps(original)
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        if not context.executing_eagerly() and follows(ops.get_default_graph()):
            return function(original, *args, **kwargs)
        return original(*args, **kwargs)
    return stand_in


def stand_in_for(value: Any) -> Any:
    """Return what stands for a function of TensorFlow; any other value as it is."""
    return _replaced[id(value)][1] if id(value) in _replaced else value


def replace_everywhere() -> None:
    """Replace a function in the modules of TensorFlow that imported it under a name of their own, too."""
    for name, module in list(sys.modules.items()):
        if name.startswith("tensorflow.") and module is not None:
            for key, value in list(vars(module).items()):
                if id(value) in _replaced and _replaced[id(value)][0] is value:
                    setattr(module, key, _replaced[id(value)][1])


random_seed.get_seed = get_seed
_replaced[id(_get_seed)] = _get_seed, get_seed  # tf.get_seed and its other names
