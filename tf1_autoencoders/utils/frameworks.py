"""The one door to TensorFlow and Keras: `tf1` is tensorflow.compat.v1, `keras` is the Keras of that TensorFlow.

Both are loaded at their first use, not at import, so that `--help` and a mistyped argument are answered at once.
Loading is quiet: TensorFlow's start-up messages and deprecation warnings are shown only after show_messages().
"""
from __future__ import annotations

import contextlib
import importlib
import os
import sys
import types
import warnings

from tf1_autoencoders.utils.errors import UserError

_messages = False


class NeedsKeras3(UserError):
    """The Keras twins are written for Keras 3; the graphs need no Keras."""


def show_messages():
    """Let TensorFlow print its own messages; call it before the first use of `tf1` or `keras`."""
    global _messages
    _messages = True


@contextlib.contextmanager
def _stderr_closed():
    """TensorFlow's libraries write to file descriptor 2 while they load, whatever the log level says."""
    sys.stderr.flush()
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def _load(names):
    """Import the first of `names` that this TensorFlow has."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if _messages:
        return _first_of(names)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _stderr_closed():
        module = _first_of(names)
        logging = importlib.import_module("tensorflow.compat.v1").logging
    logging.set_verbosity(logging.ERROR)
    return module


def _first_of(names):
    for name in names[:-1]:
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(name)
    return importlib.import_module(names[-1])


class _LoadedAtFirstUse(types.ModuleType):
    def __init__(self, name, *candidates):
        super().__init__(name)
        self._candidates = candidates

    def __getattr__(self, attribute):
        if attribute.startswith("__"):  # inspection (doctest, pickle, pytest) must not load TensorFlow
            raise AttributeError(attribute)
        module = self.__dict__.get("_module")
        if module is None:
            module = _load(self._candidates)
            if self.__name__ == "keras" and int(module.__version__.split(".")[0]) < 3:
                raise NeedsKeras3(f"Keras {module.__version__}: the Keras twins need Keras 3, which comes with "
                                  "TensorFlow 2.16 and later; the graphs run here too (--backend graph)")
            self._module = module
        return getattr(module, attribute)


tf1 = _LoadedAtFirstUse("tf1", "tensorflow.compat.v1")
keras = _LoadedAtFirstUse("keras", "keras", "tensorflow.keras")  # TensorFlow 1.15 has no keras package
