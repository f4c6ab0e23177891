"""What `import tensorflow`, `tensorflow.contrib.x`, `tensorflow.python.x` and `keras` mean while a program runs.

`install` puts TensorFlow 1.15's namespace in the place of the package tensorflow, in every form in which programs
import it. Deep paths of contrib's implementation (`tensorflow.contrib.layers.python.layers.initializers`) are the
package that they belong to (`tensorflow.contrib.layers`). Modules of `tensorflow.python` are today's; names that have
left them since 1.15 are found in the namespace.
"""
from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
import warnings
from typing import Any, Optional

from tf1_autoencoders.programs.surroundings import Gone
from tf1_autoencoders.utils.errors import NotOffered, UsageError

NAMESPACE = "tf1_autoencoders.tensorflow1"
KERAS = "tf_keras.api._v1.keras"
# modules of tensorflow.python that are gone -> attribute of the namespace that has their names
GONE = {
    "ops.rnn_cell": "nn.rnn_cell", "ops.rnn_cell_impl": "nn.rnn_cell", "ops.rnn_cell_ops": "nn.rnn_cell",
    "layers.core": "layers", "layers.convolutional": "layers", "layers.layers": "layers", "layers.base": "layers",
    "layers.normalization": "layers", "layers.pooling": "layers", "layers.utils": "layers", "layers": "layers",
    "estimator": "estimator"}


def _attribute(path: str) -> Any:
    value: Any = importlib.import_module(NAMESPACE)
    for name in path.split(".") if path else ():
        value = getattr(value, name)
    return value


def _target(name: str) -> Any:
    """Return the module that stands for a module name of TensorFlow 1.15; None if today's module is meant."""
    parts = name.split(".")
    if parts[:3] == ["tensorflow", "compat", "v1"]:  # the whole namespace, in 1.15 as here
        parts = ["tensorflow", *parts[3:]]
    if parts[0] == "keras":
        return _keras_module(parts[1:])
    if parts[0] != "tensorflow" or len(parts) == 1:
        return None
    if parts[1] == "contrib":
        return importlib.import_module(f"{NAMESPACE}.contrib").module_of(parts[2:])
    if parts[1] == "examples":
        value = importlib.import_module(f"{NAMESPACE}.examples")
        for part in parts[2:]:
            value = getattr(value, part)
        return value
    if parts[1] == "keras":
        return _keras_module(parts[2:])
    if parts[1] == "models" or parts[1:3] == ["python", "ops"]:
        from tf1_autoencoders.tensorflow1 import before_1
        found = before_1.module_of(".".join(parts[1:]))
        if found is not None:
            return found
    if parts[1] == "python":
        if parts[2:3] == ["keras"]:
            return _keras_module(parts[3:])
        gone = GONE.get(".".join(parts[2:]))
        return None if gone is None else _attribute(gone)
    if parts[1] in ("compat", "core", "lite", "dtensor", "compiler", "security", "tools", "_api", "include", "tsl"):
        return None
    try:
        value = _attribute(".".join(parts[1:]))  # import tensorflow.nn as nn
    except AttributeError:
        return None
    return value if isinstance(value, types.ModuleType) else None


def _keras_module(parts: Any) -> Any:
    """Return a module of Keras 2: of its public interface, else of its implementation under the old path."""
    importlib.import_module(f"{NAMESPACE}.keras_layers")
    for prefix in (KERAS, "tf_keras.src", "tf_keras"):
        try:
            return importlib.import_module(".".join([prefix, *parts]))
        except ModuleNotFoundError as error:
            if not str(error.name).startswith("tf_keras"):
                raise
    if parts and parts[0] in ("layers", "engine"):  # keras.layers.recurrent, keras.engine.topology
        return importlib.import_module(f"{KERAS}.layers")
    return None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of TensorFlow 1.15 under the names that they had."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[importlib.machinery.ModuleSpec]:
        if not name.startswith(("tensorflow.", "keras")) or name.split(".")[0] not in ("tensorflow", "keras"):
            return None
        try:
            module = _target(name)
        except NotOffered as error:
            raise Gone(str(error)) from None
        except AttributeError as error:
            raise ModuleNotFoundError(str(error), name=name) from None
        return importlib.util.spec_from_loader(name, self, is_package=True) if module is not None else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Alias(spec.name, _target(spec.name))

    def exec_module(self, module: types.ModuleType) -> None:
        pass


class _Alias(types.ModuleType):
    """A module under another name."""

    def __init__(self, name: str, module: Any) -> None:
        super().__init__(name, module.__doc__)
        self.__path__: list = []
        self.__dict__["_module"] = module
        self.__all__ = [key for key in dir(module) if not key.startswith("_")]

    def __getattr__(self, name: str) -> Any:
        module = self.__dict__["_module"]
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        try:
            return getattr(module, name)
        except AttributeError:
            if self.__name__.startswith("keras.layers."):  # from keras.layers.normalization import BatchNormalization
                return getattr(importlib.import_module(f"{KERAS}.layers"), name)
            if name in module.__name__.split(".") or self.__name__.startswith("tensorflow.contrib.") and \
                    name in ("python", "ops", "layers", "kernels", "framework", "training"):
                return self  # a folder of contrib's implementation: contrib.rnn.python.ops
            raise


def _with_old_names(namespace: types.ModuleType) -> None:
    """Put names of 1.15 back into modules of tensorflow.python: control_flow_ops.cond, array_ops.stack."""
    # module below tensorflow.python -> other modules that have its names today; the namespace is the last one
    places = {"ops.control_flow_ops": ("ops.cond", "ops.while_loop", "ops.control_flow_case",
                                       "ops.control_flow_assert"),
              "ops.array_ops": ("ops.array_ops_stack",), "ops.math_ops": (), "ops.nn_ops": (), "ops.random_ops": (),
              "ops.variable_scope": (), "ops.rnn": (), "ops.init_ops": (),
              "framework.ops": ("framework.tensor", "framework.indexed_slices", "framework.tensor_conversion")}
    for name, others in places.items():
        module = importlib.import_module(f"tensorflow.python.{name}")

        def find(attribute: str, module: Any = module, others: Any = others) -> Any:
            if not attribute.startswith("__"):
                for other in others:
                    found = importlib.import_module(f"tensorflow.python.{other}")
                    if hasattr(found, attribute):
                        return getattr(found, attribute)
                if hasattr(namespace, attribute):
                    return getattr(namespace, attribute)
            raise AttributeError(f"module {module.__name__!r} has no attribute {attribute!r}")

        module.__dict__.setdefault("__getattr__", find)
    shape = namespace.TensorShape
    for name, functions in {
            "pywrap_tensorflow": {"NewCheckpointReader": namespace.pywrap_tensorflow.NewCheckpointReader,
                                  "EventsWriter": importlib.import_module(
                                      "tensorflow.python.client._pywrap_events_writer").EventsWriter},
            "framework.graph_util": {
                "convert_variables_to_constants": namespace.graph_util.convert_variables_to_constants},
            "framework.tensor_shape": {"scalar": lambda: shape([]), "vector": lambda length: shape([length]),
                                       "matrix": lambda rows, columns: shape([rows, columns])},
            "ops.variable_scope": {"variable": namespace.Variable},
            "util.nest": {"is_sequence": importlib.import_module("tensorflow.python.util.nest").is_nested}}.items():
        module = importlib.import_module(f"tensorflow.python.{name}")
        for attribute, function in functions.items():
            module.__dict__.setdefault(attribute, function)


def install() -> types.ModuleType:
    """Make `import tensorflow` TensorFlow 1.15's namespace and `import keras` Keras 2; return the namespace.

    Raises:
        UsageError: TensorFlow or tf_keras is not installed.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # tensorflow.compat.v1.layers, and processes that the program starts
    try:
        namespace = importlib.import_module(NAMESPACE)
    except ImportError as error:  # tf_keras is not installed, or TensorFlow itself
        raise UsageError(error) from None
    for name in [name for name in sys.modules if f"{name}.".startswith(("keras.", "tensorflow.python.keras."))]:
        del sys.modules[name]
    real = sys.modules["tensorflow"]
    namespace.__dict__.setdefault("python", importlib.import_module("tensorflow.python"))
    namespace.__path__ = [*namespace.__path__, *real.__path__]  # type: ignore[attr-defined]  # tensorflow.core
    for name in ("tensorflow", "tensorflow.compat.v1"):
        sys.modules[name] = namespace
    sys.meta_path.insert(0, _Finder())
    _with_old_names(namespace)
    return namespace


def hide_deprecations() -> None:
    """Silence the warnings of TensorFlow and tf_keras about functions of TensorFlow 1 that are deprecated."""
    from tensorflow.python.util import deprecation
    deprecation._PRINT_DEPRECATION_WARNINGS = False
    warnings.filterwarnings("ignore", message=r"`tf\.(layers|nn)\..* is deprecated")
