"""tf.contrib of TensorFlow 1.15: a file or folder for each of its packages, which is imported at its first use.

The packages keep 1.15.5's arguments, defaults, names of variables, collections and numbers of operations; they were
written anew, from how 1.15.5 behaves. A name that 1.15 had and that is not offered is refused in one sentence that says
what to do instead.
"""
from __future__ import annotations

import difflib
import importlib
import pkgutil
import sys
import types
from typing import Any, Callable, Dict, Iterable, Optional

from tf1_autoencoders.utils.errors import NotOffered

_OFFERED = sorted(module.name for module in pkgutil.iter_modules(__path__))
# packages of contrib that are not offered, and what to do instead
_REFUSED = {
    "estimator": "Estimators left TensorFlow with 2.16; a session of your own trains the same network",
    "cudnn_rnn": "it needs CUDA's kernels of 1.15; contrib.rnn.LSTMBlockCell or tf.nn.rnn_cell have the same equations",
    "tpu": "it drove the TPUs of 1.15's time; leave TPUEstimator out and train with a session",
    "eager": "eager execution needs TensorFlow 2 itself: run the program with `import tensorflow.compat.v1 as tf`",
    "tensor_forest": "its operations left TensorFlow; scikit-learn has random forests",
    "factorization": "scikit-learn has KMeans; tf.raw_ops has its operations (KmeansPlusPlusInitialization, ...)",
    "boosted_trees": "its operations left TensorFlow; scikit-learn has gradient boosting",
    "kernel_methods": "its estimators are gone; scikit-learn's RBFSampler has random Fourier features",
    "memory_stats": "its operations left TensorFlow; tf.RunOptions with a trace has the memory of each operation",
    "tfprof": "tf.profiler has it",
    "tensorrt": "NVIDIA's own package has it",
    "lite": "tf.lite has it",
    "quantize": "pip install tensorflow-model-optimization has it",
    "predictor": "tf.saved_model.load with a session runs an exported model",
    "gan": "pip install tensorflow-gan has it",
    "summary": "tf.summary has what graphs need",
    "nn": "tf.nn has the functions of networks; alpha_dropout stands in arXiv:1706.02515",
    "graph_editor": "tf.import_graph_def with input_map replaces parts of a graph",
    "grid_rnn": "write the cell with tf.nn.rnn_cell.LSTMCell over slices of the inputs",
    "bayesflow": "pip install tensorflow-probability has its successors",
    "autograph": "tf.autograph has it",
    "checkpoint": "tf.train.Checkpoint has it",
    "cluster_resolver": "tf.distribute.cluster_resolver has it",
    "compiler": "tf.xla.experimental.jit_scope has it",
    "copy_graph": "tf.import_graph_def copies the operations of a graph",
    "distribute": "tf.distribute has its strategies",
    "feature_column": "tf.feature_column has it",
    "ffmpeg": "its operations left TensorFlow; tf.audio.decode_wav reads WAV, and pip install tensorflow-io the others",
    "integrate": "scipy.integrate has odeint, and pip install tensorflow-probability has it in the graph",
    "mixed_precision": "tf.mixed_precision.experimental has loss scales",
    "model_pruning": "pip install tensorflow-model-optimization has it",
    "optimizer_v2": "tf.train has the same optimisers",
    "quantization": "tf.quantization has it",
    "recurrent": "tf.nn.dynamic_rnn has it",
    "resampler": "its operation left TensorFlow; tf.gather_nd of the four neighbours computes it",
    "saved_model": "tf.saved_model has it",
    "solvers": "scipy.sparse.linalg has it",
    "sparsemax": "tf.nn.top_k sorts what arXiv:1602.02068 asks for",
    "timeseries": "its estimators are gone; tf.nn.dynamic_rnn in a session of your own trains a network on a series",
    **dict.fromkeys((
        "batching", "cloud", "constrained_optimization", "deprecated", "input_pipeline", "labeled_tensor",
        "linear_optimizer", "periodic_resample", "proto", "receptive_field", "reduce_slice_ops", "remote_fused_graph",
        "rpc", "specs", "stat_summarizer", "testing"), "nothing took its place when contrib left TensorFlow"),
}


def refusal(path: str, name: str, known: Iterable[str], refused: Dict[str, str]) -> NotOffered:
    """Return the error for a name that a package does not have, as one sentence.

    Args:
        path: the package, as a program writes it: `tf.contrib.rnn`.
        name: the missing name.
        known: the names that the package has.
        refused: {name that 1.15 had: what to do instead}.
    """
    if name in refused:
        return NotOffered(f"{path}.{name} is not offered: {refused[name]}")
    near = difflib.get_close_matches(name, [one for one in {*known, *refused} if not one.startswith("_")], 1)
    return NotOffered(f"{path} has no {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def explain_missing(module_name: str, inner: Iterable[str] = (), refused: Optional[Dict[str, str]] = None
                    ) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package of contrib.

    Args:
        module_name: `__name__` of the package.
        inner: names of modules that 1.15 had inside of the package; each of them is the package itself.
        refused: {name that 1.15 had and that is not offered: what to do instead}.
    """
    path = "tf.contrib" + module_name[len(__name__):]

    def missing(name: str) -> Any:
        module = sys.modules[module_name]
        if name in inner or name == "python":
            return module
        if name.startswith("__"):
            raise AttributeError(name)
        raise refusal(path, name, vars(module), refused or {})

    return missing


def module_of(parts: Iterable[str]) -> types.ModuleType:
    """Return the module that stands for a module of 1.15's contrib.

    Args:
        parts: the parts of its name after `tensorflow.contrib`: ("layers", "python", "layers", "initializers").

    Raises:
        NotOffered: contrib has no such module, or the module is not offered.
    """
    module = sys.modules[__name__]
    for part in parts:
        found = getattr(module, part)
        if isinstance(found, types.ModuleType):
            module = found
        elif not isinstance(found, types.FunctionType):  # else it stands for the file that 1.15 had it in
            raise NotOffered(f"tf.contrib has no module {part!r}")
    return module


def __getattr__(name: str) -> types.ModuleType:
    if name in _OFFERED:
        return importlib.import_module(f"{__name__}.{name}")
    if name.startswith("__"):
        raise AttributeError(name)
    raise refusal("tf.contrib", name, _OFFERED, _REFUSED)
