"""TensorFlow 1.15's namespace on today's TensorFlow: `import tf1_autoencoders.tensorflow1 as tf`.

It is `tensorflow.compat.v1` and what 1.15 had beside it: `tf.layers`, `tf.nn.rnn_cell` and `tf.keras` (from tf_keras,
which is Keras 2), `tf.contrib`, `tf.examples`, and functions that draw random numbers as 1.15 drew them.

    __init__      the namespace
    seeds         1.15's seeds; the only file that replaces parts of TensorFlow
    compositions  functions whose operations changed since 1.15
    data_sets     data sets and parsing, likewise
    gradients     gradients whose operations changed
    keras_layers  layers whose operations changed
    contrib       one file for each package of contrib
    examples      tensorflow.examples.tutorials.mnist.input_data
    before_1      names and arguments of TensorFlow before 1.0, for a program that uses them
    cells_before_1, seq2seq_before_1    tf.nn.rnn_cell and tf.nn.seq2seq of before 1.0

The import turns eager execution off, as 1.15 had it. Keras 3 can be used in the same process inside `with
tf.eager_mode()`. An import inside `with Graph().as_default()`, which is inside a graph already, leaves eager execution
alone; then this namespace's names are for use inside of its own graphs, `with tf.Graph().as_default()`.
"""
from __future__ import annotations

import contextlib as _contextlib
import difflib as _difflib
import importlib as _importlib
import sys as _sys
import types as _types
from importlib.util import find_spec as _find_spec

import tensorflow.compat.v1 as _v1
from tensorflow.python.eager import context as _context
from tensorflow.python.util import deprecation as _deprecation

from tf1_autoencoders.utils.errors import NotOffered as _NotOffered
from tf1_autoencoders.utils.errors import short_reason as _short_reason

if _find_spec("tf_keras") is None:
    raise ImportError("TensorFlow 1's layers and cells need tf_keras, which is not installed: pip install "
                      "'.[tensorflow1]' in the project's folder, or pip install tf_keras")

from tf1_autoencoders.tensorflow1 import compositions as _compositions  # noqa: E402, F401 (they replace functions)
from tf1_autoencoders.tensorflow1 import data_sets as _data_sets  # noqa: E402, F401
from tf1_autoencoders.tensorflow1 import gradients as _gradients  # noqa: E402, F401
from tf1_autoencoders.tensorflow1 import seeds as _seeds  # noqa: E402

_HERE = _sys.modules[__name__]
_KERAS = "tf_keras.api._v1.keras"
# names of 1.15 that are not offered -> what to do instead
_REFUSED = {
    "estimator": "Estimators left TensorFlow with 2.16; a session of your own, or tf.keras, trains the same network",
    "enable_eager_execution": "the program asks for eager execution, which is TensorFlow 2's own way; run it with "
                              "python, and tensorflow.compat.v1 in the place of tensorflow",
    "enable_v2_behavior": "the program asks for TensorFlow 2; run it with python",
    "function": "the program asks for tf.function, which is TensorFlow 2's own way; run it with python"}


class _Module(_types.ModuleType):
    """A module of the namespace: the names of a module of compat.v1, with others before them, some of them lazy."""

    def __init__(self, name: str, source, lazy=None, **own) -> None:
        super().__init__(name, getattr(source, "__doc__", None))
        self.__path__: list = []
        self.__dict__.update(_names(source))
        for key in lazy or ():
            self.__dict__.pop(key, None)
        self._lazy = lazy or {}
        self.__dict__.update(own)

    def __getattr__(self, name: str):
        if name in self.__dict__.get("_lazy", ()):
            value = _import_lazily(self._lazy[name])
            setattr(self, name, value)
            return value
        raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")

    def __dir__(self):
        return sorted({*self.__dict__, *self._lazy})


def _import_lazily(name: str):
    """Import a module of the namespace; a module of tf_keras with 1.15's operations."""
    if name.startswith(_KERAS):
        _importlib.import_module(f"{__name__}.keras_layers")
    return _importlib.import_module(name)


def _names(module) -> dict:
    """Return the public names of a module of compat.v1, with what stands for the functions that changed."""
    lazy = ("keras", "layers", "rnn_cell", "estimator", "lite")
    return {name: _seeds.stand_in_for(getattr(module, name)) for name in dir(module)
            if not name.startswith("__") and name not in lazy}


def _refused(name: str):
    def refuse(*args, **kwargs):
        raise _NotOffered(f"tf.{name} is not offered: {_REFUSED[name]}")
    refuse.__name__ = name
    return refuse


@_seeds.replaces("tensorflow.python.framework.load_library:load_op_library")
def _load_op_library(original, library_filename):
    """Load operations that are compiled for today's TensorFlow; the error says what to do with others."""
    try:
        return original(library_filename)
    except (_v1.errors.OpError, OSError) as error:  # some programs catch it
        error.__cause__ = _NotOffered(
            f"tf.load_op_library fails ({_short_reason(error)}): compile the operation for today's TensorFlow, with "
            "the flags of tf.sysconfig.get_compile_flags() and get_link_flags(), or write it with tf.py_func")
        raise


_seeds.replace_everywhere()
_seeds.warn_of_misfits()
globals().update(_names(_v1))
_lazy = {"keras": _KERAS, "layers": f"{_KERAS}.__internal__.legacy.layers", "contrib": f"{__name__}.contrib",
         "examples": f"{__name__}.examples", "lite": "tensorflow._api.v2.compat.v1.lite"}
nn = _Module("tensorflow.nn", _v1.nn, {"rnn_cell": f"{_KERAS}.__internal__.legacy.rnn_cell"})
version = _Module("tensorflow.version", _v1.version, VERSION="1.15.5")
compat = _Module("tensorflow.compat", _v1.compat, v1=_HERE)
pywrap_tensorflow = _Module("tensorflow.pywrap_tensorflow", _types.ModuleType("pywrap_tensorflow"),
                            NewCheckpointReader=_v1.train.NewCheckpointReader)
__version__ = VERSION = "1.15.5"
for _name in ("enable_eager_execution", "enable_v2_behavior", "function"):
    globals()[_name] = _refused(_name)


def eager_mode():
    """Context manager: eager execution, for Keras 3 and other code of TensorFlow 2 in a process of this namespace."""
    return _context.eager_mode()


if _context.executing_eagerly():
    _shown, _deprecation._PRINT_DEPRECATION_WARNINGS = _deprecation._PRINT_DEPRECATION_WARNINGS, False
    _v1.disable_v2_behavior()
    _deprecation._PRINT_DEPRECATION_WARNINGS = _shown
    _seeds.follow_everywhere()
else:
    class Graph(_v1.Graph):
        """A graph that follows TensorFlow 1.15's rules in a process in which eager execution is on."""

        def __init__(self) -> None:
            super().__init__()
            _seeds.follow_in(self)

        @_contextlib.contextmanager
        def as_default(self):  # type: ignore[override]
            """Context manager: this graph is the default graph, and TensorFlow 2's switches stand as in 1.15."""
            with _seeds.switches_of_1(), super().as_default() as graph:
                yield graph


def __getattr__(name: str):
    if name in _lazy:
        value = _import_lazily(_lazy[name])
        setattr(_HERE, name, value)
        return value
    if name in _REFUSED:
        raise _NotOffered(f"tf.{name} is not offered: {_REFUSED[name]}")
    if name.startswith("__"):
        raise AttributeError(name)
    near = _difflib.get_close_matches(name, list(globals()), 1)
    raise AttributeError(f"module 'tensorflow' has no attribute '{name}'" +
                         (f"; did you mean '{near[0]}'?" if near and not name.startswith("_") else ""))


def __dir__():
    return sorted({*(name for name in globals() if not name.startswith("_")), *_lazy})
