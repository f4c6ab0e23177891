"""The one door to TensorFlow and Keras: `tf1` is tensorflow.compat.v1, `keras` is the Keras of that TensorFlow.

Both are imported at their first use, not when this module is imported, so that `--help` and a mistyped argument are
answered at once. The import is quiet: TensorFlow's start-up messages and deprecation warnings are shown only after
show_messages().
"""
from __future__ import annotations

import contextlib
import importlib
import os
import sys
import types
import warnings
from typing import TYPE_CHECKING, Any, Iterator, Sequence

from tf1_autoencoders.utils.errors import UserError

EIGEN_KERNELS = "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL"  # oneDNN's, inside Eigen's products
_show_messages = False


class NeedsKeras3(UserError):
    """The Keras twins are written for Keras 3; the graphs need no Keras."""


def show_messages() -> None:
    """Make TensorFlow print its own messages; call this before the first use of `tf1` or `keras`."""
    global _show_messages
    _show_messages = True


def shows_messages() -> bool:
    """Return whether TensorFlow prints its own messages."""
    return _show_messages


@contextlib.contextmanager
def stderr_closed() -> Iterator[None]:
    """Context manager: discard what TensorFlow's libraries write to file descriptor 2, whatever the log level."""
    sys.stderr.flush()
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


def _import_quietly(names: Sequence[str]) -> types.ModuleType:
    """Import the first of `names` that this TensorFlow has, without TensorFlow's messages."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault(EIGEN_KERNELS, "0")  # else Eigen's products round as the CPU's instructions make them
    os.environ["TF_OVERRIDE_GLOBAL_THREADPOOL"] = "1"  # else a process's first session decides the threads of all
    if _show_messages:
        return _import_first(names)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with stderr_closed():
        module = _import_first(names)
        logging = importlib.import_module("tensorflow.compat.v1").logging
    logging.set_verbosity(logging.ERROR)
    return module


def _import_first(names: Sequence[str]) -> types.ModuleType:
    for name in names[:-1]:
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(name)
    try:
        return importlib.import_module(names[-1])
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise
        raise UserError(f"{sys.executable} has no TensorFlow; activate the environment that has it, or run "
                        "`pip install -r requirements.txt`") from None


class _LazyModule(types.ModuleType):
    """A module that is imported when one of its attributes is first used."""

    def __init__(self, name: str, *candidates: str) -> None:
        super().__init__(name)
        self._candidates = candidates

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # inspection (doctest, pickle, pytest) must not import TensorFlow
            raise AttributeError(attribute)
        module = self.__dict__.get("_module")
        if module is None:
            module = _import_quietly(self._candidates)
            if self.__name__ == "keras" and int(module.__version__.split(".")[0]) < 3:
                raise NeedsKeras3(f"Keras {module.__version__}: the Keras twins need Keras 3, which comes with "
                                  "TensorFlow 2.16 and later; the graphs run here too (--backend graph)")
            self._module = module
        return getattr(module, attribute)


if TYPE_CHECKING:  # what an editor and a type checker see
    import keras
    import tensorflow.compat.v1 as tf1
else:
    tf1 = _LazyModule("tf1", "tensorflow.compat.v1")
    keras = _LazyModule("keras", "keras", "tensorflow.keras")  # TensorFlow 1.15 has no package keras
