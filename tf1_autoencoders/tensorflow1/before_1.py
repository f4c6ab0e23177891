"""Names and arguments of TensorFlow before 1.0, for programs of 2015 and 2016.

`NAMES` are the names that 1.0 took away. `install` puts them into the namespace. Functions that kept their name and
changed their arguments take the arguments of both times, told apart by what is passed: `tf.concat(1, values)` and
`tf.concat(values, 1)`. Cells and `tf.nn.seq2seq` are those of then, with their names of variables, and get_variable's
default initialiser is uniform unit scaling. Written from how TensorFlow 0.12.1 behaves (tests/tf012).
"""
from __future__ import annotations

import importlib
import sys
import types
from typing import Any, Callable, Dict

from tensorflow.python.framework import ops
from tensorflow.python.ops import gen_logging_ops

from tf1_autoencoders.tensorflow1 import seeds

# names of before 1.0 that only changed: -> the name in 1.15
RENAMED = {
    "mul": "multiply", "sub": "subtract", "neg": "negative", "inv": "reciprocal", "pack": "stack", "unpack": "unstack",
    "select": "where", "complex_abs": "abs", "listdiff": "setdiff1d", "concat_v2": "concat", "split_v": "split",
    "merge_summary": "summary.merge", "merge_all_summaries": "summary.merge_all",
    "batch_cholesky": "cholesky", "batch_cholesky_solve": "cholesky_solve", "batch_fft": "spectral.fft",
    "batch_matrix_band_part": "matrix_band_part", "batch_matrix_determinant": "matrix_determinant",
    "batch_matrix_diag": "matrix_diag", "batch_matrix_diag_part": "matrix_diag_part",
    "batch_matrix_inverse": "matrix_inverse", "batch_matrix_set_diag": "matrix_set_diag",
    "batch_matrix_solve": "matrix_solve", "batch_matrix_solve_ls": "matrix_solve_ls",
    "batch_matrix_triangular_solve": "matrix_triangular_solve", "batch_self_adjoint_eig": "self_adjoint_eig",
    "batch_svd": "svd", "image.per_image_whitening": "image.per_image_standardization"}
# names of before 1.0 that are made here
MADE = ("batch_matmul", "op_scope", "variable_op_scope", "scalar_summary", "histogram_summary", "image_summary",
        "audio_summary", "train.SummaryWriter", "nn.rnn", "nn.state_saving_rnn", "nn.bidirectional_rnn", "nn.seq2seq")
NAMES = (*RENAMED, *MADE)
# modules of before 1.0 -> attribute of the namespace that has their names
MODULES = {"models.rnn.rnn": "nn", "models.rnn.rnn_cell": "nn.rnn_cell", "models.rnn.seq2seq": "nn.seq2seq",
           "python.ops.seq2seq": "nn.seq2seq"}

VERSION = "0.12.1"
installed = False


def _is_axis(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _summary(kind: str, n_options: int) -> Callable:
    """Return a summary of before 1.0, whose tag is written as it is given."""
    operation = getattr(gen_logging_ops, kind)

    def summary(tag, values, *options, collections=None, name=None):
        options, rest = options[:n_options], options[n_options:]
        collections, name = (*rest, *(None,) * 2)[:2] if rest else (collections, name)
        result = operation(tag, values, *options, name=name)
        for collection in collections or [ops.GraphKeys.SUMMARIES]:
            ops.add_to_collection(collection, result)
        return result
    return summary


def _made(tf: Any, cells: Any) -> Dict[str, Any]:
    """Return what MADE names, and the functions that take the arguments of both times."""
    concat, split, reverse = tf.concat, tf.split, tf.reverse
    nce_loss, sampled_softmax_loss, resize = tf.nn.nce_loss, tf.nn.sampled_softmax_loss, tf.image.resize_images
    softmax, sparse, sigmoid, weighted = (getattr(tf.nn, f"{name}_cross_entropy_with_logits") for name in (
        "softmax", "sparse_softmax", "sigmoid", "weighted"))

    class SummaryWriter(tf.summary.FileWriter):
        """tf.summary.FileWriter; the graph may be a GraphDef."""

        def __init__(self, logdir, graph=None, max_queue=10, flush_secs=120, graph_def=None):
            if graph is not None and not isinstance(graph, tf.Graph):
                graph, graph_def = None, graph
            super().__init__(logdir, graph, max_queue, flush_secs, graph_def)

    def concat_both(values=None, axis=None, name="concat", concat_dim=None):
        if concat_dim is not None:
            return concat(values, concat_dim, name)
        return concat(axis, values, name) if _is_axis(values) or not isinstance(values, (list, tuple)) and \
            isinstance(axis, (list, tuple)) else concat(values, axis, name)

    def split_both(value=None, num_or_size_splits=None, axis=0, num=None, name="split", split_dim=None, num_split=None):
        if _is_axis(value):  # split(0, 3, values)
            value, axis = axis, value
        return split(value, num_or_size_splits if num_split is None else num_split,
                     axis if split_dim is None else split_dim, num, name)

    def reverse_both(tensor, axis=None, name=None, dims=None):
        axis = dims if axis is None else axis
        if isinstance(axis, (list, tuple)) and axis and all(isinstance(flag, bool) for flag in axis):
            axis = [place for place, flag in enumerate(axis) if flag]
        return reverse(tensor, axis, name)

    def batch_matmul(x, y, adj_x=False, adj_y=False, name=None):
        return tf.matmul(x, y, adjoint_a=bool(adj_x), adjoint_b=bool(adj_y), name=name)

    def op_scope(values, name, default_name=None):
        return tf.name_scope(name, default_name, values)

    def variable_op_scope(values, name_or_scope, default_name=None, *args, **kwargs):
        return tf.variable_scope(name_or_scope, default_name, values, *args, **kwargs)

    def softmax_cross_entropy_with_logits(logits, labels, dim=-1, name=None):
        return softmax(labels=labels, logits=logits, dim=dim, name=name)

    def sparse_softmax_cross_entropy_with_logits(logits, labels, name=None):
        return sparse(labels=labels, logits=logits, name=name)

    def sigmoid_cross_entropy_with_logits(logits=None, targets=None, name=None, labels=None):
        return sigmoid(labels=targets if labels is None else labels, logits=logits, name=name)

    def weighted_cross_entropy_with_logits(logits=None, targets=None, pos_weight=None, name=None, labels=None):
        return weighted(targets if labels is None else labels, logits, pos_weight, name=name)

    def with_inputs_first(loss):
        def sampled_loss(weights, biases, inputs, labels, *args, **kwargs):
            if ops.convert_to_tensor(inputs).dtype.is_integer:
                inputs, labels = labels, inputs
            return loss(weights, biases, labels, inputs, *args, **kwargs)
        return sampled_loss

    def resize_images(images, size, *args, **kwargs):
        if _is_axis(size) and args:  # resize_images(images, height, width)
            size, args = [size, args[0]], args[1:]
        return resize(images, size, *args, **kwargs)

    seq2seq = importlib.import_module(f"{__package__}.seq2seq_before_1")
    return {"concat": concat_both, "split": split_both, "reverse": reverse_both, "batch_matmul": batch_matmul,
            "op_scope": op_scope, "variable_op_scope": variable_op_scope, "train.SummaryWriter": SummaryWriter,
            "scalar_summary": _summary("scalar_summary", 0), "histogram_summary": _summary("histogram_summary", 0),
            "image_summary": _summary("image_summary", 1), "audio_summary": _summary("audio_summary_v2", 2),
            "nn.softmax_cross_entropy_with_logits": softmax_cross_entropy_with_logits,
            "nn.sparse_softmax_cross_entropy_with_logits": sparse_softmax_cross_entropy_with_logits,
            "nn.sigmoid_cross_entropy_with_logits": sigmoid_cross_entropy_with_logits,
            "nn.weighted_cross_entropy_with_logits": weighted_cross_entropy_with_logits,
            "nn.nce_loss": with_inputs_first(nce_loss),
            "nn.sampled_softmax_loss": with_inputs_first(sampled_softmax_loss), "image.resize_images": resize_images,
            "nn.rnn_cell": cells, "nn.seq2seq": seq2seq, **{
                f"nn.{name}": getattr(cells, name) for name in (
                    "rnn", "state_saving_rnn", "bidirectional_rnn", "dynamic_rnn", "bidirectional_dynamic_rnn")}}


def _put_back_flags(flags: Any) -> None:
    """Let `FLAGS._parse_flags()` and `FLAGS.__flags` be what they were until 1.4."""
    def parse(self: Any, args: Any = None) -> None:
        self(sys.argv if args is None else [sys.argv[0], *args], known_only=True)

    def values(self: Any) -> Dict[str, Any]:
        return {flag.name: flag.value for name, found in self.flags_by_module_dict().items()
                if not name.startswith(("absl", "tensorflow")) for flag in found}

    absl_flags = type(flags.__dict__["__wrapped"])
    absl_flags._parse_flags = parse
    setattr(absl_flags, "__flags", property(values))  # without the class's name before it


def install(namespace: types.ModuleType) -> None:
    """Put the names and arguments of before 1.0 into TensorFlow 1.15's namespace, for the rest of the process."""
    global installed
    cells = importlib.import_module(f"{__package__}.cells_before_1")
    values = _made(namespace, cells)
    for old, new in RENAMED.items():
        values[old] = _attribute(namespace, new)
    values.update(concat_v2=namespace.concat, split_v=namespace.split)
    for path, value in values.items():
        owner, _, name = path.rpartition(".")
        setattr(_attribute(namespace, owner), name, value)
    ops_modules = {name: importlib.import_module(f"tensorflow.python.ops.{name}") for name in ("rnn", "array_ops")}
    for module, names in (("rnn", ("rnn", "bidirectional_rnn", "state_saving_rnn")), ("array_ops", ("pack", "unpack"))):
        for name in names:
            vars(ops_modules[module]).setdefault(name, values.get(f"nn.{name}", values.get(name)))
    namespace.__dict__.update(__version__=VERSION, VERSION=VERSION)
    _put_back_flags(namespace.app.flags.FLAGS)
    importlib.import_module(f"{__package__}.examples").DataSet.of_before_1 = True
    installed = True

    @seeds.replaces("tensorflow.python.ops.variable_scope:_VariableStore._get_default_initializer")
    def default_initializer(original, self, name, shape=None, dtype=None):
        """get_variable's default: 1.0 still had it, and 1.15 has Glorot's."""
        return (namespace.uniform_unit_scaling_initializer(), False) if dtype.is_floating else \
            original(self, name, shape, dtype)

    @seeds.replaces("tensorflow.python.training.optimizer:Optimizer._apply_sparse_duplicate_indices")
    def apply_each_index(original, self, grad, var):
        """A row of an embedding that a batch has twice: 1.0 began to sum its gradients before Adam squares them."""
        return self._apply_sparse(grad, var)


def _attribute(namespace: Any, path: str) -> Any:
    for name in path.split(".") if path else ():
        namespace = getattr(namespace, name)
    return namespace


def module_of(path: str) -> Any:
    """Return the module that stands for one of MODULES, or for the packages above it; None if it is another one."""
    if not installed:
        return None
    if path in MODULES:
        return _attribute(sys.modules["tensorflow"], MODULES[path])
    if path in ("models", "models.rnn"):
        package = types.ModuleType(f"tensorflow.{path}")
        package.__dict__.update({name.rpartition(".")[2]: module_of(name) for name in MODULES
                                 if name.startswith("models.rnn.")} if path == "models.rnn" else {})
        return package
    return None
