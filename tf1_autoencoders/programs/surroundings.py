"""What stood around TensorFlow 1 and is gone now: put back where it is a name only, otherwise named in one sentence."""
from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import sys
import types
from typing import Any, Dict, Optional

FIGURES = "TF1_AUTOENCODERS_FIGURES"  # see figures.py

NUMPY_NAMES = {"int": "builtins.int", "float": "builtins.float", "bool": "builtins.bool", "object": "builtins.object",
               "str": "builtins.str", "complex": "builtins.complex", "long": "builtins.int", "unicode": "builtins.str",
               "float_": "float64", "complex_": "complex128", "string_": "bytes_", "unicode_": "str_", "int0": "intp",
               "bool8": "bool_", "object0": "object_", "Inf": "inf", "Infinity": "inf", "infty": "inf", "PINF": "inf",
               "NaN": "nan", "product": "prod", "cumproduct": "cumprod", "alltrue": "all", "sometrue": "any",
               "row_stack": "vstack", "round_": "round", "trapz": "trapezoid", "in1d": "isin",
               "singlecomplex": "complex64", "cfloat": "complex128", "longfloat": "longdouble"}

# names that are gone -> what replaces them
GONE = {
    "scipy.misc": {
        "imread": "imageio.v2.imread(file)", "imsave": "imageio.imwrite(file, array)",
        "imresize": "numpy.array(PIL.Image.fromarray(array).resize((columns, rows)))",
        "toimage": "PIL.Image.fromarray(array)", "fromimage": "numpy.array(image)",
        "imrotate": "numpy.array(PIL.Image.fromarray(array).rotate(angle))", "imfilter": "PIL.ImageFilter",
        "imshow": "matplotlib.pyplot.imshow(array)", "bytescale": "numpy.interp to 0..255 and astype('uint8')",
        "face": "scipy.datasets.face()", "ascent": "scipy.datasets.ascent()", "logsumexp": "scipy.special.logsumexp",
        "comb": "scipy.special.comb", "factorial": "scipy.special.factorial"},
    "sklearn.externals": {"six": "import six"},
    "tensorflow.models": {"*": "the repository of tensorflow/models, beside the program"},
    "tensorflow.contrib.learn.python.learn.estimators": {"*": "a session of your own, or tf.keras"},
}
# modules that only moved -> where their names are today
MOVED = {"scipy.sparse.linalg.eigen": "scipy.sparse.linalg", "scipy.sparse.linalg.eigen.arpack": "scipy.sparse.linalg",
         "sklearn.externals.joblib": "joblib", "cPickle": "pickle"}
# classes whose arguments were renamed -> {name then: name today}
RENAMED_ARGUMENTS = {"sklearn.manifold": {"TSNE": {"n_iter": "max_iter"}},
                     "sklearn.preprocessing": {"OneHotEncoder": {"sparse": "sparse_output"}}}
# whole modules of Python and of libraries that are gone -> what replaces them
GONE_MODULES = {
    "urllib2": "urllib.request", "urlparse": "urllib.parse", "ConfigParser": "configparser",
    "Queue": "queue", "StringIO": "io.StringIO", "cStringIO": "io", "HTMLParser": "html.parser", "Tkinter": "tkinter",
    "commands": "subprocess", "imp": "importlib", "distutils": "setuptools", "sklearn.cross_validation":
    "sklearn.model_selection", "sklearn.grid_search": "sklearn.model_selection",
    "sklearn.datasets.mldata": "sklearn.datasets.fetch_openml", "matplotlib.finance": "mplfinance",
    "scipy.ndimage.filters": "scipy.ndimage", "pandas.util.testing": "pandas.testing"}


class Gone(ImportError):
    """A module or a name that the program uses has left its library; the message says what replaces it."""


def _numpy() -> None:
    import numpy as np
    for name, today in NUMPY_NAMES.items():
        if name not in vars(np):
            value = _builtin(today) if today.startswith("builtins.") else getattr(np, today, None)
            if value is not None:
                setattr(np, name, value)
    if "asscalar" not in vars(np):
        np.asscalar = lambda a: a.item()  # type: ignore[attr-defined]
    if "sctypes" not in vars(np):
        np.sctypes = {  # type: ignore[attr-defined]
            "int": [np.int8, np.int16, np.int32, np.int64], "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
            "float": [np.float16, np.float32, np.float64, np.longdouble],
            "complex": [np.complex64, np.complex128, np.clongdouble], "others": [bool, object, bytes, str, np.void]}
    if np.__version__.partition(".")[0] != "1":
        np.set_printoptions(legacy="1.25")  # [0.5] and not [np.float64(0.5)], unless the program asks for it
    array, reshape = np.array, np.reshape

    def array_of_lists(value: Any, *args: Any, **kwargs: Any) -> Any:
        """numpy.array; lists of unequal lengths become an array of objects, as before NumPy 1.24.

        copy=False copies where a copy is necessary, as before NumPy 2.
        """
        if kwargs.get("copy") is False:
            kwargs["copy"] = None
        try:
            return array(value, *args, **kwargs)
        except ValueError as error:
            if "inhomogeneous" not in str(error) or args or kwargs.get("dtype") is not None:
                raise
            return array(value, dtype=object, **{key: item for key, item in kwargs.items() if key != "dtype"})

    def reshape_with_newshape(a: Any, *args: Any, **kwargs: Any) -> Any:
        """numpy.reshape, whose shape was called newshape before NumPy 2.1."""
        if "newshape" in kwargs:
            kwargs["shape"] = kwargs.pop("newshape")
        return reshape(a, *args, **kwargs)

    np.array, np.reshape = array_of_lists, reshape_with_newshape  # type: ignore[assignment]


def _builtin(path: str) -> Any:
    import builtins
    return getattr(builtins, path.rpartition(".")[2])


def has_display() -> bool:
    """Return whether a window can be opened."""
    return sys.platform in ("darwin", "win32", "cygwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Adds a sentence to the import of a module that is gone, and the gone names to modules that are still there."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[importlib.machinery.ModuleSpec]:
        if name in MOVED:
            return importlib.util.spec_from_loader(name, self, is_package=True)
        if name not in (*GONE_MODULES, *GONE, *RENAMED_ARGUMENTS, "matplotlib"):
            return None
        found = None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                found = finder.find_spec(name, path, target)
                if found is not None:
                    break
        if found is None:
            if name in GONE_MODULES:
                raise Gone(f"the module {name} is gone: use {GONE_MODULES[name]}")
            return importlib.util.spec_from_loader(name, self, is_package=True) if _parent_exists(name) else None
        if found.loader is not None and name in (*GONE, *RENAMED_ARGUMENTS, "matplotlib"):
            found.loader = _Completing(found.loader)
        return found

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Optional[types.ModuleType]:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        if module.__name__ in MOVED:
            today = importlib.import_module(MOVED[module.__name__])
            module.__dict__.update({key: value for key, value in vars(today).items() if not key.startswith("__")})
        else:
            _complete(module)


def _parent_exists(name: str) -> bool:
    parent = name.rpartition(".")[0]
    try:
        return bool(parent) and importlib.util.find_spec(parent) is not None
    except (ImportError, ValueError):
        return False


class _Completing(importlib.abc.Loader):
    """Loads a module, and adds to it what it had in TensorFlow 1's time."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        self._loader.exec_module(module)
        _complete(module)

    def __getattr__(self, name: str) -> Any:  # get_source, get_data, ...
        return getattr(self._loader, name)


def _complete(module: types.ModuleType) -> None:
    if module.__name__ == "matplotlib":
        _without_windows(module)
        return
    for name, arguments in RENAMED_ARGUMENTS.get(module.__name__, {}).items():
        if name in vars(module):
            _take_old_arguments(vars(module)[name], arguments)
    if module.__name__ not in GONE:
        return
    names: Dict[str, str] = GONE[module.__name__]
    inner = module.__dict__.get("__getattr__")

    def find(name: str) -> Any:
        if not name.startswith("__"):
            if f"{module.__name__}.{name}" in MOVED:
                return importlib.import_module(f"{module.__name__}.{name}")
            if inner is not None:
                try:
                    return inner(name)
                except AttributeError:
                    pass
            replacement = names.get(name, names.get("*"))
            if replacement:
                raise Gone(f"{module.__name__}.{name} is gone: use {replacement}")
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    module.__dict__["__getattr__"] = find


def _take_old_arguments(cls: Any, arguments: Dict[str, str]) -> None:
    """Let a class be made with the names that its arguments had, too."""
    init = cls.__init__
    known = inspect.signature(init).parameters

    @functools.wraps(init)
    def init_with_old_names(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **{arguments[name] if name in arguments and name not in known else name: value
                             for name, value in kwargs.items()})

    cls.__init__ = init_with_old_names


def _without_windows(matplotlib: Any) -> None:
    """Write the figures of a program that asks matplotlib for windows to files, if there is no display."""
    use = matplotlib.use

    def use_without_windows(backend: str, *args: Any, **kwargs: Any) -> None:
        if backend.lower().startswith(("tk", "qt", "gtk", "wx", "macosx", "nbagg", "webagg")):
            return
        use(backend, *args, **kwargs)

    if os.environ.get("MPLBACKEND", "").endswith("programs.figures"):
        matplotlib.use = use_without_windows


def put_back(program: str) -> None:
    """Put back what a program of TensorFlow 1's time finds around TensorFlow.

    Args:
        program: path of the program; figures go beside it if there is no display.
    """
    _numpy()
    if not has_display() and "MPLBACKEND" not in os.environ:
        os.environ["MPLBACKEND"] = "module://tf1_autoencoders.programs.figures"
    os.environ.setdefault(FIGURES, os.path.splitext(os.path.abspath(program))[0])
    sys.meta_path.insert(0, _Finder())
    if "scipy.misc" in sys.modules:
        _complete(sys.modules["scipy.misc"])
