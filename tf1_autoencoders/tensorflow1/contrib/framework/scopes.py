"""Argument scopes: default arguments of functions for a part of a program."""
from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import weakref
from typing import Callable, Dict

import tf1_autoencoders.tensorflow1 as tf

_scopes_of_graphs: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # graph -> its stack of argument scopes
_scoped_functions: Dict[str, Callable] = {}


def _scopes():
    """Return the default graph's stack of argument scopes."""
    return _scopes_of_graphs.setdefault(tf.get_default_graph(), [{}])


def current_arg_scope():
    """Return the innermost argument scope: {key of a function: {argument: value}}."""
    return _scopes()[-1]


def arg_scope_func_key(op):
    """Return the key of a function in an argument scope."""
    return getattr(op, "_key_op", str(op))


def has_arg_scope(func):
    """Say whether a function was decorated with add_arg_scope."""
    return arg_scope_func_key(func) in _scoped_functions


def arg_scoped_arguments(func):
    """Return the names of a decorated function's arguments that have a default, which an argument scope may set."""
    parameters = inspect.signature(_scoped_functions[arg_scope_func_key(func)]).parameters.values()
    return tuple(one.name for one in parameters if one.default is not one.empty)


def add_arg_scope(func):
    """Return a function whose arguments can be set by `arg_scope`; used as a decorator.

    The function is called with the values of the innermost scope; arguments of the call win over them.
    """
    key = str(func)

    @functools.wraps(func)
    def with_scope(*args, **kwargs):
        scope = current_arg_scope()
        if key in scope:
            kwargs = {**scope[key], **kwargs}
        return func(*args, **kwargs)

    with_scope._key_op = key  # type: ignore[attr-defined]
    _scoped_functions[key] = func
    return with_scope


@contextlib.contextmanager
def arg_scope(list_ops_or_scope, **kwargs):
    """Context manager: set default arguments of functions.

    Args:
        list_ops_or_scope: list or tuple of functions decorated with add_arg_scope; or a scope that an earlier
            arg_scope gave, which is then the scope again.
        kwargs: the arguments; they join those of the scopes around.

    Yields:
        The scope, {key of a function: {argument: value}}.

    Raises:
        ValueError: a scope comes with arguments, or a function is not decorated.
        TypeError: `list_ops_or_scope` is neither list, tuple nor scope.
    """
    stack = _scopes()
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError("arg_scope: a scope that is used again takes no further arguments; "
                             f"got {', '.join(sorted(kwargs))}")
        scope = copy.copy(list_ops_or_scope)
    elif not isinstance(list_ops_or_scope, (list, tuple)):
        raise TypeError("arg_scope: expected a list or tuple of functions, or a scope (dict); got "
                        f"{list_ops_or_scope!r}: put it in brackets")
    else:
        scope = copy.copy(current_arg_scope())
        for function in list_ops_or_scope:
            if not has_arg_scope(function):
                raise ValueError(f"arg_scope: {getattr(function, '__name__', function)!r} is not decorated with "
                                 "@add_arg_scope")
            key = arg_scope_func_key(function)
            scope[key] = {**scope.get(key, {}), **kwargs}
    stack.append(scope)
    try:
        yield scope
    finally:
        stack.pop()
