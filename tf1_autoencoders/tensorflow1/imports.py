"""What `import tensorflow`, `tensorflow.contrib.x`, `tensorflow.examples...` and `keras` mean while a program runs.

`install` puts the namespace in the place of the package tensorflow. Deep paths of contrib's implementation
(`tensorflow.contrib.layers.python.layers.initializers`) are the package that they belong to,
`tensorflow.contrib.layers`.
"""
from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from typing import Any, Optional

NAMESPACE = "tf1_autoencoders.tensorflow1"


def target_of(name: str) -> Optional[str]:
    """Return the module that stands for a module name of TensorFlow 1.15; None if the name needs no stand-in."""
    parts = name.split(".")
    if parts[:2] == ["tensorflow", "contrib"]:
        return ".".join([NAMESPACE, "contrib", *parts[2:3]])
    if parts[:2] == ["tensorflow", "examples"]:
        return f"{NAMESPACE}.examples"
    if parts[0] == "keras" or parts[:2] == ["tensorflow", "keras"]:
        rest = parts[1:] if parts[0] == "keras" else parts[2:]
        return ".".join(["tf_keras.api._v1.keras", *rest])
    return None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of TensorFlow 1.15 under the names that they had."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[importlib.machinery.ModuleSpec]:
        return importlib.util.spec_from_loader(name, self) if target_of(name) else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = importlib.import_module(str(target_of(spec.name)))
        alias = types.ModuleType(spec.name, module.__doc__)
        alias.__dict__.update({key: value for key, value in vars(module).items() if not key.startswith("__")})
        alias.__path__ = []  # type: ignore[attr-defined]
        alias.__getattr__ = lambda attribute: getattr(module, attribute)  # type: ignore[method-assign]
        return alias

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def install() -> types.ModuleType:
    """Let `import tensorflow` and `import keras` mean TensorFlow 1.15's namespace and Keras 2; return the namespace."""
    namespace = importlib.import_module(NAMESPACE)
    for name in [name for name in sys.modules if name == "keras" or name.startswith("keras.")]:
        del sys.modules[name]
    sys.modules["tensorflow"] = namespace
    sys.meta_path.insert(0, _Finder())
    return namespace
