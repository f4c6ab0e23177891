"""The proof of a conversion: the same random inputs through the original graph and through what was written.

Both run in a fresh process with limits of time and memory, which calls main([JOB, BYTES]): a JSON file that compare()
writes, and the bytes of the models' files. The original is TensorFlow's own way back: its operations RestoreV2 read the
checkpoint into the graph's own variables, and the placeholders are fed. Nothing of the conversion is used.
"""
from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from tf1_autoencoders.checkpointing.checkpoint_file import files_of
from tf1_autoencoders.converting.fresh_process import bytes_on_disk, limit_memory, limit_time, run_fresh
from tf1_autoencoders.converting.graph.allowlist import READS, VARIABLES, check_operations
from tf1_autoencoders.converting.graph.foreign_graph import (
    PLACEHOLDERS,
    ForeignGraph,
    constant_like,
    copied,
    cut_name,
    data_inputs,
    rewire,
    split_name,
)
from tf1_autoencoders.converting.graph.inference_graph import InferenceGraph
from tf1_autoencoders.converting.graph.subgraph import import_graph, needed_nodes
from tf1_autoencoders.converting.writing.formats import (
    Signature,
    read_npz,
    require,
    write_frozen,
    write_npz,
)
from tf1_autoencoders.utils.errors import UserError, one_line, short_reason
from tf1_autoencoders.utils.frameworks import keras, tf1

SECONDS = 600  # for the models to answer; limit_time bounds the processor time too
TOLERANCE = 1e-5  # of the largest output: kernels that sum in another order change the 7th digit, many layers the 6th
N_ROWS, N_NUMBERS = 256, 1 << 18  # rows of random inputs: 256, or fewer of large inputs, whose convolutions take memory
LARGEST_TOLERANCE = 0.5  # a wider one, derived from rounding, would let any outputs pass
UNKNOWN_SIZE = 6  # of an axis that the graph leaves open, such as time


class Difference(NamedTuple):
    """Largest absolute difference in one of two models' outputs, and the largest value of this output."""

    largest: float
    scale: float
    n_rows: int

    @property
    def relative(self) -> float:
        """The largest difference relative to the largest output; nan if an output is no number."""
        return self.largest / self.scale if self.scale else self.largest


def random_inputs(graph: InferenceGraph, seed: int = 0) -> Dict[str, np.ndarray]:
    """Return random values for the inputs of a graph: floats from -1 to 1, numbers of rows where a table is read."""
    random = np.random.default_rng(seed)
    types = {name: (node.attr["dtype"].type, node.attr["shape"].shape)
             for name, node in graph.nodes.items() if node.op in PLACEHOLDERS}
    values = {}
    shapes = {name: [UNKNOWN_SIZE if dimension.size < 0 else dimension.size for dimension in shape.dim]
              for name, (_, shape) in types.items()}
    largest = max([int(np.prod(shape[1:], dtype=np.float64)) for shape in shapes.values()], default=1)
    n_rows = graph.batch_size or max(2, min(N_ROWS, N_NUMBERS // max(1, largest)))
    for tensor in graph.inputs:
        dtype, shape = types[split_name(tensor)[0]]
        size = shapes[split_name(tensor)[0]]
        if size and shape.dim[0].size < 0:
            size[0] = n_rows
        if shape.unknown_rank:
            raise UserError(f"--check: the shape of the input {tensor} is not known; name it with --shape "
                            f"{tensor}=?,784, or its value with --feed {tensor}=VALUE")
        if int(np.prod(size, dtype=np.float64)) > 1 << 28:
            raise UserError(f"--check: the input {tensor} has the shape {size}, too large to try; name a --shape")
        numbers = tf1.as_dtype(dtype).as_numpy_dtype
        kind = np.dtype(numbers).kind
        if kind not in "fiub":
            raise UserError(f"--check: the input {tensor} is {tf1.as_dtype(dtype).name}, and only numbers are tried; "
                            "name an --input behind it, or convert with --no-check")
        if kind in "iu" and not size:  # such as batch_size
            values[tensor] = np.asarray(n_rows, numbers)
        elif kind == "f":
            values[tensor] = random.uniform(-1, 1, size).astype(numbers)
        else:
            values[tensor] = random.integers(0, _n_choices(graph, tensor, shapes), size).astype(numbers)
    return values


def _n_choices(graph: InferenceGraph, tensor: str, shapes: Mapping[str, Sequence[int]]) -> int:
    """Return a limit for whole numbers: the rows of tables that they select from, or the lengths of sequences."""
    name = split_name(tensor)[0]
    rows = []
    for node in graph.nodes.values():
        inputs = data_inputs(node)
        if node.op in ("Gather", "GatherV2") and split_name(inputs[1])[0] == name:
            table = graph.constant_value(inputs[0])
            rows += [] if table is None else [len(table)]
    steps = [shape[1] for shape in shapes.values() if len(shape) > 1] if len(shapes[name]) == 1 else []
    return min(rows or steps, default=1) + (not rows)


# ---- in the parent ----

def compare(jobs: Sequence[Mapping[str, Any]], inputs: Mapping[str, np.ndarray]) -> List[Dict[str, np.ndarray]]:
    """Run several models on the same inputs in a fresh process.

    Args:
        jobs: arguments of run_model; their inputs are named as those of the first.
        inputs: {name: array}.

    Returns:
        for each job {"0": array, "1": array, ...}, the outputs in their order.

    Raises:
        UserError: a model could not be run.
    """
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        job.write_text(json.dumps(list(jobs)))
        write_npz(Path(folder) / "inputs.npz", {str(k): value for k, value in enumerate(inputs.values())}, {})
        try:
            n_bytes = bytes_on_disk(file for job_ in jobs for file in _files(Path(job_["path"])))
            run_fresh("tf1_autoencoders.converting.proof:main", [str(job), str(n_bytes)],
                      SECONDS, capture=True)
        except UserError as error:
            raise UserError(f"--check: {error}, or convert with --no-check") from None
        except subprocess.CalledProcessError as error:
            file = Path(folder) / "error.txt"
            last = (error.stderr.strip().splitlines() or ["no message"])[-1]
            raise UserError(file.read_text() if file.is_file() else
                            f"--check: the process that runs the models ended with {error.returncode} "
                            f"({one_line(last)}); free memory, or convert with --no-check") from None
        return [read_npz(Path(folder) / f"outputs_{k}.npz") for k in range(len(jobs))]


def _files(path: Path) -> List[Path]:
    """Return the files of a checkpoint or of a written model."""
    return list(path.rglob("*")) if path.is_dir() else files_of(path)


def difference(original: Mapping[str, np.ndarray], converted: Mapping[str, np.ndarray]) -> Difference:
    """Return the largest relative difference in an output of two models; inf where shapes differ, nan where numbers do.

    nan and infinity in both at the same place count as equal.
    """
    worst = Difference(0.0, 0.0, 0)
    for name, expected in original.items():
        found = converted.get(name)
        if found is None or found.shape != expected.shape:
            return Difference(float("inf"), 1.0, len(expected) if expected.ndim else 1)
        expected, found = expected.astype(np.float64), found.astype(np.float64)
        same = (expected == found) | np.isnan(expected) & np.isnan(found)
        with np.errstate(invalid="ignore"):
            gaps = np.where(same, 0, np.abs(expected - found))
        own = Difference(float(gaps.max(initial=0)), float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0)),
                         len(expected) if expected.ndim else 1)
        if not own.relative <= worst.relative or not worst.n_rows:  # nan is the worst
            worst = own
        if np.isnan(own.relative):
            break
    return worst


def reference_job(signature: Signature, change: Callable[[Any], Any], folder: str) -> Dict[str, Any]:
    """Return the job of a signature whose GraphDef was changed to compute more exactly or more coarsely.

    The difference from the same graph as it is gives the tolerance: with precision.rounded_to_8_bits that of 8 bits,
    with precision.in_float64 that of a network which float32 itself computes inexactly.
    """
    path = Path(folder) / f"reference_{change.__name__}.pb"
    write_frozen(path, {"": signature._replace(graph_def=change(signature.graph_def))})
    return {"kind": "frozen", "path": str(path), "inputs": list(signature.inputs.values()),
            "outputs": list(signature.outputs.values())}


def unchanged(graph_def: Any) -> Any:
    """Return a GraphDef as it is, for reference_job."""
    return graph_def


def allowed(references: Sequence[Difference]) -> float:
    """Return the relative tolerance, that of a reference_job too.

    LiteRT's steps of rounding are at most as wide as those of the reference, and both round to the nearest; float32's
    error is that of the original and of the written model. The largest of many such errors is a matter of chance,
    hence the factor 2.

    Raises:
        UserError: rounding alone changes the outputs so much that no comparison can judge them.
    """
    rounding = sum(difference.relative for difference in references)
    if not TOLERANCE + 2 * rounding <= LARGEST_TOLERANCE:  # nan too
        raise UserError(f"--check: rounding alone changes the outputs by {rounding:.2g} of the largest, so that no "
                        "comparison can judge them; choose another format, or give a --tolerance")
    return TOLERANCE + 2 * rounding


def report(found: Difference, tolerance: float, what: str) -> int:
    """Print a difference; return exit code 1 if it is beyond the tolerance."""
    passed = found.relative <= tolerance  # False for nan too
    print(f"{what}: largest difference over {found.n_rows} rows {found.largest:.2g}, relative to the largest output "
          f"{found.relative:.2g}, tolerance {tolerance:.2g}: {'pass' if passed else 'FAIL'}")
    return int(not passed)


def report_arrays(values: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray], tolerance: float = 0.0) -> int:
    """Print whether arrays came back to the byte; return exit code 1 if they differ beyond a relative tolerance."""
    equal = set(values) == set(found) and all(
        found[name].dtype == value.dtype and found[name].shape == value.shape
        and found[name].tobytes() == value.tobytes() for name, value in values.items())
    if equal:
        print("read back: bit-identical")
        return 0
    return report(difference(values, found), tolerance, "read back")


# ---- in the child ----

def run_model(job: Mapping[str, Any], inputs: Sequence[np.ndarray]) -> List[np.ndarray]:
    """Run one model with its format's own runtime.

    Args:
        job: {"kind": "original", "savedmodel", "layer", "frozen", "keras", "onnx" or "tflite", "path": str, "inputs":
            names, "outputs": names, and for the original "meta" and "feeds"}.
        inputs: arrays in the order of job["inputs"].
    """
    kind, path = job["kind"], job["path"]
    if kind == "original":
        return run_original(job, inputs)
    if kind == "frozen":
        graph_def = tf1.GraphDef.FromString(Path(path).read_bytes())
        with tf1.Session(graph=import_graph(graph_def, path)) as session:
            return session.run([_full(name) for name in job["outputs"]],
                               dict(zip(map(_full, job["inputs"]), inputs)))
    if kind == "savedmodel":
        signature = tf1.saved_model.load_v2(path).signatures[job.get("signature", "serving_default")]
        found = signature(**{name: tf1.constant(value) for name, value in zip(job["inputs"], inputs)})
        return [np.asarray(found[name]) for name in job["outputs"]]
    if kind == "keras":
        model = keras.saving.load_model(path, safe_mode=True)
        found = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        return [np.asarray(value) for value in (found if isinstance(found, (list, tuple)) else [found])]
    if kind == "onnx":
        session = require("onnxruntime").InferenceSession(path, providers=["CPUExecutionProvider"])
        return session.run([_full(name) for name in job["outputs"]], dict(zip(map(_full, job["inputs"]), inputs)))
    assert kind == "tflite", kind
    return _run_tflite(job, inputs)


def _full(tensor: str) -> str:
    return tensor if ":" in tensor else f"{tensor}:0"


def _run_tflite(job: Mapping[str, Any], inputs: Sequence[np.ndarray]) -> List[np.ndarray]:
    interpreter = require("ai_edge_litert.interpreter").Interpreter(model_path=job["path"])

    def index_of(details: Sequence[Any], tensor: str) -> int:
        """Return the number of a tensor; the converter puts the signature's name before the tensor's."""
        index, = [detail["index"] for detail in details
                  if f"/{detail['name']}".split(":")[0].endswith("/" + tensor.split(":")[0])]
        return index
    for name, value in zip(job["inputs"], inputs):
        interpreter.resize_tensor_input(index_of(interpreter.get_input_details(), name), value.shape)
    interpreter.allocate_tensors()
    for name, value in zip(job["inputs"], inputs):
        interpreter.set_tensor(index_of(interpreter.get_input_details(), name), value)
    interpreter.invoke()
    details = interpreter.get_output_details()
    if len(details) == 1:  # a name behind the last operation may be lost
        return [interpreter.get_tensor(details[0]["index"])]
    return [interpreter.get_tensor(index_of(details, name)) for name in job["outputs"]]


def run_original(job: Mapping[str, Any], inputs: Sequence[np.ndarray]) -> List[np.ndarray]:
    """Restore the part of a MetaGraph that the outputs need, as TensorFlow 1 does, and run it.

    Raises:
        UserError: see ForeignGraph.read and check_operations.
    """
    graph = ForeignGraph.read(Path(job["meta"]))
    cut = {split_name(name)[0] for name in job["inputs"]}
    names = needed_nodes(graph.nodes, job["outputs"], cut)
    kept = set(names)
    nodes = {name: copied(graph.nodes[name], lambda source: source in kept) for name in names if name not in cut}
    library = check_operations(graph.source, graph.library, nodes, READS | VARIABLES)
    for tensor, value in zip(job["inputs"], inputs):
        nodes[cut_name(tensor)] = placeholder = tf1.NodeDef(name=cut_name(tensor), op="Placeholder")
        placeholder.attr["dtype"].type = tf1.as_dtype(value.dtype).as_datatype_enum
        placeholder.attr["shape"].shape.CopyFrom(tf1.TensorShape([None, *value.shape[1:]] if value.ndim else [])
                                                 .as_proto())
    rewire(nodes, {tensor: cut_name(tensor) for tensor in job["inputs"] if split_name(tensor)[1]})
    others = {name: value for name, value in job.get("feeds", {}).items() if name in nodes}
    for name, value in others.items():
        if nodes[name].op not in PLACEHOLDERS:  # which cannot be fed inside of a loop
            nodes[name] = constant_like(nodes[name], value)
    graph_def = tf1.GraphDef(versions=graph.versions, library=library, node=nodes.values())
    imported = import_graph(graph_def, job["meta"])
    feeds = {_full(cut_name(name)): value for name, value in zip(job["inputs"], inputs)}
    feeds.update({_full(name): value for name, value in others.items() if nodes[name].op != "Const"})
    for name, node in nodes.items():  # in a branch that is not taken; TensorFlow asks for it all the same
        if node.op in ("Placeholder", "PlaceholderV2") and _full(name) not in feeds:
            sizes = [abs(dimension.size) for dimension in node.attr["shape"].shape.dim]  # 1 for an open size
            feeds[_full(name)] = np.zeros(sizes, tf1.as_dtype(node.attr["dtype"].type).as_numpy_dtype)
    with imported.as_default(), tf1.Session() as session:
        for name in [name for name in nodes if nodes[name].op in VARIABLES]:
            variable, saved = imported.get_operation_by_name(name).outputs[0], graph.saved_as(name)
            dtype = tf1.as_dtype(graph.nodes[name].attr["dtype"].type)
            restored, = tf1.raw_ops.RestoreV2(prefix=job["path"], tensor_names=[saved.name],
                                              shape_and_slices=[saved.part], dtypes=[dtype])
            session.run(tf1.raw_ops.AssignVariableOp(resource=variable, value=restored)
                        if nodes[name].op == "VarHandleOp" else tf1.assign(variable, restored, validate_shape=False))
        return session.run([_full(name) for name in job["outputs"]], feeds)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the jobs of a file; the outputs, or the sentence of an error, are written beside the file."""
    arguments = argv or sys.argv[1:]
    file = Path(arguments[0])
    limit_memory(int(arguments[1]))
    limit_time(int(arguments[1]))
    jobs = json.loads(file.read_text())
    tf1.enable_eager_execution()  # as TensorFlow 2 starts; 1.15 does not
    values = read_npz(file.with_name("inputs.npz"))
    inputs = [values[str(k)] for k in range(len(values))]
    for k, job in enumerate(jobs):
        try:
            outputs = run_model(job, inputs)
        except UserError as error:
            file.with_name("error.txt").write_text(str(error))
            return 1
        except Exception as error:  # of any runtime
            reason = _reason(error)
            advice = "name other outputs, or convert with --no-check" if job["kind"] == "original" else \
                "the converted model does not run; choose another format"
            file.with_name("error.txt").write_text(
                f"--check: {job['kind']} cannot be run ({reason}); {advice}")
            return 1
        write_npz(file.with_name(f"outputs_{k}.npz"), {str(n): np.asarray(value) for n, value in enumerate(outputs)},
                  {})
    return 0


def _reason(error: Exception) -> str:
    """Return why a model could not be run, in a few words."""
    if isinstance(error, (MemoryError, tf1.errors.ResourceExhaustedError)):
        return "more memory is asked for than the limit"
    if re.search(r"only supports (the )?NHWC", str(error)):  # without oneDNN, as on processors without AVX-512
        return "the layout NCHW has no kernels in TensorFlow for this processor"
    return short_reason(error)
