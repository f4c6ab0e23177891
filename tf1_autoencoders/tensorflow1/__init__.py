"""TensorFlow 1.15's namespace on today's TensorFlow: `import tf1_autoencoders.tensorflow1 as tf`.

It is `tensorflow.compat.v1` and what 1.15 had beside it: `tf.layers`, `tf.nn.rnn_cell` and `tf.keras` (from tf_keras,
which is Keras 2), `tf.contrib`, `tf.examples`, and functions that draw random numbers as 1.15 drew them.

    __init__      the namespace
    seeds         1.15's seeds; the only file that replaces parts of TensorFlow
    compositions  functions whose operations changed since 1.15
    contrib       one file for each package of contrib
    examples      tensorflow.examples.tutorials.mnist.input_data
    imports       what `import tensorflow` means while a program runs
    record        what a program computed, written and compared

Imported while eager execution is on, the namespace turns it off, as 1.15 had none. Imported inside `with
tf1.Graph().as_default()`, it leaves eager execution alone; its names are then for use inside of graphs.
"""
from __future__ import annotations

import importlib
import importlib.util
import sys
import types

import tensorflow.compat.v1 as _v1
from tensorflow.python.eager import context as _context

from tf1_autoencoders.tensorflow1 import compositions as _compositions  # noqa: F401 (it replaces functions)
from tf1_autoencoders.tensorflow1 import gradients as _gradients  # noqa: F401
from tf1_autoencoders.tensorflow1 import seeds as _seeds

if importlib.util.find_spec("tf_keras") is None:
    raise ImportError("TensorFlow 1's layers and cells need tf_keras: pip install 'tf1-autoencoders[tensorflow1]', "
                      "or pip install tf_keras")

_HERE = sys.modules[__name__]
_KERAS = "tf_keras.api._v1.keras"


class _Module(types.ModuleType):
    """A module of the namespace: the names of a module of compat.v1, its own before them, and lazy ones.

    `lazy` maps a name to the module that is imported at its first use.
    """

    def __init__(self, name: str, source=None, lazy=None, **own) -> None:
        super().__init__(name, getattr(source, "__doc__", None))
        self.__path__: list = []
        self.__dict__.update({key: value for key, value in vars(source or _v1).items() if not key.startswith("__")}
                             if source else {})
        for key in lazy or ():
            self.__dict__.pop(key, None)
        self._lazy = lazy or {}
        self.__dict__.update(own)

    def __getattr__(self, name: str):
        if name in self.__dict__.get("_lazy", ()):
            value = _lazily(self._lazy[name])
            setattr(self, name, value)
            return value
        raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")


def _lazily(name: str):
    """Import a module of the namespace; a module of tf_keras with 1.15's operations."""
    if name.startswith(_KERAS):
        importlib.import_module(f"{__name__}.keras_layers")
    return importlib.import_module(name)


def _names(module) -> dict:
    """Return the public names of a module of compat.v1."""
    return {name: getattr(module, name) for name in dir(module) if not name.startswith("__")
            and name not in ("keras", "layers", "rnn_cell", "estimator", "lite")}


_seeds.replace_everywhere()
globals().update(_names(_v1))
_lazy = {"keras": _KERAS, "layers": f"{_KERAS}.__internal__.legacy.layers", "contrib": f"{__name__}.contrib",
         "examples": f"{__name__}.examples"}
nn = _Module("tensorflow.nn", _v1.nn, {"rnn_cell": f"{_KERAS}.__internal__.legacy.rnn_cell"})
__version__ = VERSION = "1.15.5"

if _context.executing_eagerly():
    _v1.disable_v2_behavior()
    _seeds.follow_everywhere()


class Graph(_v1.Graph):
    """A graph that follows TensorFlow 1.15's rules, also in a process in which eager execution is on."""

    def __init__(self) -> None:
        super().__init__()
        _seeds.follow_in(self)


def __getattr__(name: str):
    if name in _lazy:
        value = _lazily(_lazy[name])
        setattr(_HERE, name, value)
        return value
    raise AttributeError(f"module 'tensorflow' has no attribute '{name}'")
