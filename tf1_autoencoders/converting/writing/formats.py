"""Writing: arrays and graphs in the formats of today, whole or not at all, with a note of where they come from."""
from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import os
import shutil
import tempfile
import uuid
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, NamedTuple, Sequence

import numpy as np

from tf1_autoencoders import __version__
from tf1_autoencoders.converting.graph.foreign_graph import control_inputs
from tf1_autoencoders.keras_twin import h5_weights
from tf1_autoencoders.utils.errors import UsageError, UserError, one_line, short_reason
from tf1_autoencoders.utils.files import sha256_of_file, write_atomically
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import display_path

# {module: (package that brings it, version that was tried)}
CONVERTERS = {"safetensors": ("safetensors", "0.8.0"), "onnx": ("onnx", "1.23.2"), "tf2onnx": ("tf2onnx", "1.17.0"),
              "onnxruntime": ("onnxruntime", "1.32.0"), "ai_edge_litert": ("ai-edge-litert", "2.3.0")}
ARRAYS = ("npz", "safetensors", "h5")  # formats that hold arrays by name
H5_ROUNDING = 1e-5  # an LSTM's bias b becomes b + 1 in tf.keras, and b + 1 - 1 when it is read
NOTE = "conversion.json"
RESERVED = "__metadata__"  # the name of the metadata in a safetensors file


class Signature(NamedTuple):
    """A function that a model offers.

    | field     | meaning                                               |
    |-----------|-------------------------------------------------------|
    | graph_def | GraphDef without variables                            |
    | inputs    | {name of the argument: tensor in the GraphDef}        |
    | outputs   | {name of the result: tensor in the GraphDef}          |
    """

    graph_def: Any
    inputs: Dict[str, str]
    outputs: Dict[str, str]


def require(module: str) -> Any:
    """Import a converter or runtime.

    Raises:
        UserError: the module is not installed.
    """
    package, version = CONVERTERS[module.split(".")[0]]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(f"{package} is not installed ({one_line(error)}); install the export extra with "
                        f"`pip install .[export]`, or `pip install {package}` ({version} was tried)") from error


def note(source: Path, **more: Any) -> Dict[str, str]:
    """Return the metadata of a written file: the source checkpoint, its checksum, and the program's version."""
    files = [Path(f"{source}.index"), source]
    checked = next(file for file in files if file.is_file())
    return {"source": source.name, "sha256 of " + checked.name: sha256_of_file(checked),
            "program": f"tf1-autoencoders {__version__}", "TensorFlow": str(tf1.version.VERSION),
            **{name: str(value) for name, value in more.items()}}


def check_target(path: Path, force: bool, suffix: str = "") -> Path:
    """Return the path to write to.

    Raises:
        UserError: the path already exists and `force` is false, or the folder is not there.
        UsageError: the suffix .keras is missing, without which Keras reads no file.
    """
    path = Path(path).expanduser()
    if suffix == ".keras" and path.suffix != suffix:
        raise UsageError(f"--out {display_path(path)}: expected a name that ends in .keras, Keras reads no other")
    if path.is_symlink() or path.exists():
        if not force:
            raise UserError(f"--out {display_path(path)}: already exists; choose another path, or "
                            "overwrite it with --force")
        if path.is_dir() and not (path / "saved_model.pb").is_file():
            raise UserError(f"--out {display_path(path)}: a folder that holds no SavedModel is not overwritten; choose "
                            "another path")
    if not path.parent.is_dir():
        raise UserError(f"--out {display_path(path)}: there is no folder {display_path(path.parent)}; make it first")
    return path


def replace_folder(path: Path, write: Callable[[Path], None]) -> Path:
    """Write a folder that appears whole or not at all, in place of an earlier one; return its path."""
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        write(part)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(str(path))
        elif path.exists() or path.is_symlink():
            path.unlink()
        os.rename(str(part), str(path))
    finally:
        shutil.rmtree(str(part), ignore_errors=True)
    return path


# ---- arrays ----

def write_arrays(to: str, path: Path, values: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write {name: array} in one of ARRAYS; .h5, tf.keras's, takes names layer/weight and has no room for metadata."""
    if to == "h5":
        h5_weights.write_h5(path, dict(values))
    else:
        {"npz": write_npz, "safetensors": write_safetensors}[to](path, values, metadata)


def read_arrays(to: str, path: Path) -> Dict[str, np.ndarray]:
    """Return what write_arrays wrote."""
    if to == "h5":
        return h5_weights.read_h5(path, None, "sigmoid")
    return {"npz": read_npz, "safetensors": read_safetensors}[to](path)


def write_npz(path: Path, values: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> Path:
    """Write {name: array} as .npz; the metadata is the archive's comment, so that names and arrays stay alone."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in values.items():
            array = io.BytesIO()
            np.lib.format.write_array(array, np.asarray(value), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), array.getvalue(), zipfile.ZIP_DEFLATED)
        archive.comment = json.dumps(dict(metadata)).encode()
    return write_atomically(path, content.getvalue())


def read_npz(path: Path) -> Dict[str, np.ndarray]:
    """Return {name: array} of a .npz file.

    Raises:
        UserError: the file is not what write_npz writes.
    """
    try:
        with np.load(str(path), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, MemoryError) as error:
        raise UserError(f"{display_path(path)}: not the arrays of a .npz file ({one_line(error)}); name another") \
            from error


def write_safetensors(path: Path, values: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> Path:
    """Write {name: array} as safetensors."""
    if RESERVED in values:
        raise UserError(f"--to safetensors: {RESERVED} is a variable's name, which the format reserves; try --to npz")
    arrays = {name: np.ascontiguousarray(value) for name, value in values.items()}
    for name, value in values.items():  # ascontiguousarray makes a vector of a scalar
        arrays[name] = arrays[name].reshape(np.shape(value))
    return write_atomically(path, require("safetensors.numpy").save(arrays, dict(metadata)))


def read_safetensors(path: Path) -> Dict[str, np.ndarray]:
    """Return {name: array} of a safetensors file.

    Raises:
        UserError: the file is damaged.
    """
    module = require("safetensors.numpy")
    try:
        return module.load_file(str(path))
    except Exception as error:  # SafetensorError is an Exception of its own
        raise UserError(f"{display_path(path)}: not a safetensors file ({one_line(error)}); name another") from error


# ---- graphs ----

def write_signatures(to: str, path: Path, signatures: Mapping[str, Signature], metadata: Mapping[str, str]) -> None:
    """Write signatures as savedmodel or frozen; or one of them as onnx, tflite or tflite-int8."""
    if to == "savedmodel":
        write_savedmodel(path, signatures, metadata)
    elif to == "frozen":
        write_frozen(path, signatures)
    else:
        signature, = signatures.values()
        if to == "onnx":
            write_onnx(path, signature, metadata)
        else:
            write_tflite(path, signature, int8=to == "tflite-int8")


def shared_graph(signatures: Mapping[str, Signature]) -> Any:
    """Return (tf1.Graph of all signatures, {signature: (inputs, outputs)} as tensors); equal constants are one."""
    tensors: Dict[str, Any] = {}
    shared: Dict[bytes, Any] = {}
    with tf1.Graph().as_default() as graph:
        for key, signature in signatures.items():
            constants = {}
            waited_for = {name for node in signature.graph_def.node for name in control_inputs(node)}
            own = tf1.GraphDef(versions=signature.graph_def.versions, library=signature.graph_def.library)
            for node in signature.graph_def.node:
                if node.op == "Const" and node.attr["value"].tensor.ByteSize() > 1000 and not node.input \
                        and node.name not in waited_for:
                    content = node.attr["value"].SerializeToString(deterministic=True)
                    if content not in shared:
                        with tf1.name_scope(""):
                            shared[content], = tf1.import_graph_def(tf1.GraphDef(node=[tf1.NodeDef(
                                name=node.name, op="Const", attr=node.attr)]), return_elements=[f"{node.name}:0"],
                                name=f"weights_{len(shared)}")
                    constants[f"{node.name}:0"] = shared[content]
                else:
                    own.node.add().CopyFrom(node)
            named = [_full(tensor) for tensor in (*signature.inputs.values(), *signature.outputs.values())]
            found = tf1.import_graph_def(own, input_map=constants or None, return_elements=named,
                                         name=key)
            tensors[key] = (dict(zip(signature.inputs, found)),
                            dict(zip(signature.outputs, found[len(signature.inputs):])))
    return graph, tensors


def without_case_collisions(signature: Signature) -> Signature:
    """Return a signature whose operations differ in more than upper and lower case.

    TensorFlow 2 renames the second of two such operations while it loads a SavedModel, and then does not find it.
    """
    names: Dict[str, str] = {}
    taken = set()
    for node in signature.graph_def.node:
        unique, k = node.name, 0
        while unique.lower() in taken:
            k += 1
            unique = f"{node.name}_{k}"
        taken.add(unique.lower())
        names[node.name] = unique
    if all(name == unique for name, unique in names.items()):
        return signature

    def renamed(tensor: str) -> str:
        name, colon, output = tensor.lstrip("^").partition(":")
        return "^" * tensor.startswith("^") + names.get(name, name) + colon + output
    graph_def = tf1.GraphDef()
    graph_def.CopyFrom(signature.graph_def)
    for node in graph_def.node:
        node.name = names[node.name]
        node.input[:] = map(renamed, node.input)
    return Signature(graph_def, *({argument: renamed(tensor) for argument, tensor in tensors.items()}
                                  for tensors in (signature.inputs, signature.outputs)))


def _full(tensor: str) -> str:
    return tensor if ":" in tensor else f"{tensor}:0"


def write_savedmodel(path: Path, signatures: Mapping[str, Signature], metadata: Mapping[str, str]) -> Path:
    """Write a SavedModel; the first signature is also `serving_default`."""
    graph, tensors = shared_graph({key: without_case_collisions(signature) for key, signature in signatures.items()})
    with graph.as_default():
        definitions = {key: tf1.saved_model.predict_signature_def(inputs, outputs)
                       for key, (inputs, outputs) in tensors.items()}
    definitions.setdefault("serving_default", next(iter(definitions.values())))

    def write(folder: Path) -> None:
        builder = tf1.saved_model.Builder(str(folder))
        with tf1.Session(graph=graph) as session:
            builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=definitions,
                                                 strip_default_attrs=True)  # 1.15 does not know the newer ones
        builder.save()
        extra = folder / "assets.extra"
        extra.mkdir()
        (extra / NOTE).write_text(json.dumps(dict(metadata), indent=1))
    return replace_folder(path, write)


def write_frozen(path: Path, signatures: Mapping[str, Signature]) -> Path:
    """Write a GraphDef with all signatures, whose weights are constants."""
    graph, _ = shared_graph(signatures)
    return write_atomically(path, graph.as_graph_def().SerializeToString())


def write_onnx(path: Path, signature: Signature, metadata: Mapping[str, str]) -> Path:
    """Write a signature as ONNX, with tf2onnx.

    Raises:
        UserError: the converter is not installed, or does not know an operation.
    """
    tf2onnx, onnx = require("tf2onnx"), require("onnx")
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)  # whose warnings say nothing to the user
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            model, _ = tf2onnx.convert.from_graph_def(
                signature.graph_def, input_names=[_full(tensor) for tensor in signature.inputs.values()],
                output_names=[_full(tensor) for tensor in signature.outputs.values()], opset=17)
    except Exception as error:  # of many kinds, by operation
        raise UserError(f"--to onnx: tf2onnx cannot convert the graph ({short_reason(error)}); try --to savedmodel") \
            from error
    onnx.helper.set_model_props(model, dict(metadata))
    return write_atomically(path, model.SerializeToString())


def write_tflite(path: Path, signature: Signature, int8: bool) -> Path:
    """Write a signature for LiteRT, in float32, or with weights in int8 (dynamic range).

    Raises:
        UserError: the converter does not know an operation.
    """
    loops = [node.name for node in signature.graph_def.node if node.op in ("TensorArrayV3", "While", "LoopCond")]
    if loops:
        raise UserError(f"--to tflite: LiteRT has no loop of TensorFlow 1 ({one_line(loops[0])}); try --to onnx or "
                        "--to keras")
    with tempfile.TemporaryDirectory() as folder:
        model = write_savedmodel(Path(folder) / "model", {"serving_default": signature}, {})
        try:
            converter = tf1.lite.TFLiteConverter.from_saved_model(str(model), signature_key="serving_default")
            if int8:
                converter.optimizations = [tf1.lite.Optimize.DEFAULT]
            content = converter.convert()
        except Exception as error:  # of many kinds, by operation
            raise UserError(f"--to tflite: the converter cannot convert the graph ({short_reason(error)}); try --to "
                            "savedmodel") from error
    return write_atomically(path, content)


def list_names(values: Sequence[str], n: int = 5) -> str:
    """Return some names in one line, with the number of those that are left out."""
    return ", ".join(one_line(name)[:80] for name in values[:n]) + (f" and {len(values) - n} more"
                                                                   if len(values) > n else "")
