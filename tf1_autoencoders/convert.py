"""`python -m tf1_autoencoders.convert CHECKPOINT`: anybody's TensorFlow 1 checkpoint, listed or written anew."""
from __future__ import annotations

import argparse
import ast
import contextlib
import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile, files_of, find_checkpoint, find_meta
from tf1_autoencoders.converting import proof
from tf1_autoencoders.converting.fresh_process import bytes_on_disk, limit_memory, limit_time, run_fresh, use_reserve
from tf1_autoencoders.converting.graph.ends import RANDOM, find_ends
from tf1_autoencoders.converting.graph.foreign_graph import ForeignGraph
from tf1_autoencoders.converting.graph.inference_graph import InferenceGraph, value_reader
from tf1_autoencoders.converting.layers.recognition import recognise
from tf1_autoencoders.converting.listing import print_assumed, print_list
from tf1_autoencoders.converting.writing import formats, precision
from tf1_autoencoders.converting.writing.adam import Adam, moved_slots, read_adam, set_adam, slot_reader
from tf1_autoencoders.converting.writing.keras_model import build_keras, write_keras
from tf1_autoencoders.converting.writing.options import SUFFIXES, add_shared_options
from tf1_autoencoders.converting.writing.weight_map import (
    as_text,
    layer_arrays,
    load_model,
    mapped_weights,
    named_layers,
    read_map,
    suggest_map,
)
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError, UserError, one_line, short_reason
from tf1_autoencoders.utils.files import write_atomically
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import display_path

OF_GRAPH = ("savedmodel", "frozen", "keras", "onnx", "tflite", "tflite-int8")
WITH_MAP = "keras-weights"
SECONDS = 1800  # for a whole conversion


def feed(text: str) -> Tuple[str, Any]:
    """An argparse type: NAME=VALUE, with a number, True or False."""
    name, _, value = text.partition("=")
    try:
        parsed = ast.literal_eval(value)
        if not name or not isinstance(parsed, (bool, int, float)):
            raise ValueError
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise argparse.ArgumentTypeError(f"{text}: expected NAME=VALUE with a number, True or False") from None
    return name, parsed


def shape(text: str) -> Tuple[str, List[Optional[int]]]:
    """An argparse type: NAME=?,28,28, with ? for sizes that may change."""
    name, _, sizes = text.partition("=")
    parts = sizes.split(",")
    if not name or not all(part == "?" or part.isdigit() and 0 < int(part) < 1 << 20 for part in parts):
        raise argparse.ArgumentTypeError(f"{text}: expected NAME=?,28,28, with ? for a size that may change")
    return name, [None if part == "?" else int(part) for part in parts]


# ---- --to ----

def convert_by_name(checkpoint: CheckpointFile, graph: Optional[ForeignGraph], args: argparse.Namespace,
                    target: Path) -> int:
    """Write all variables under their names, or for h5 the weights of layers; and read them back."""
    if args.to != "h5":
        left_out = [name for name, variable in checkpoint.variables.items() if variable.dtype == "string"
                    or args.to == "safetensors" and variable.dtype.startswith("complex")]
        for name in left_out:
            print(f"left out: {one_line(name)}, {checkpoint.variables[name].dtype}, which {args.to} does not hold")
        values = {name: checkpoint.read(name) for name in checkpoint.variables if name not in left_out}
    elif args.model:
        values = layer_arrays(filled_model(checkpoint, graph, args))
    elif graph:
        values = layer_arrays(build_keras(recognise(cut_graph(checkpoint, graph, args))))
    else:
        values = named_layers(checkpoint)
    formats.write_arrays(args.to, target, values, formats.note(checkpoint.path))
    print(f"written: {display_path(target)}, {len(values)} variables")
    if not args.check:
        return 0
    return proof.report_arrays(values, formats.read_arrays(args.to, target), formats.H5_ROUNDING * (args.to == "h5"))


def filled_model(checkpoint: CheckpointFile, graph: Optional[ForeignGraph], args: argparse.Namespace) -> Any:
    """Return the Keras model of --model with the weights that a map takes from the checkpoint."""
    if not args.model:
        raise UsageError(f"--to {WITH_MAP}: expected --model MODEL.keras, the model that takes the weights")
    model = load_model(Path(args.model))
    if args.map:
        weight_map = read_map(Path(args.map))
    else:
        weight_map, doubts = suggest_map(model, checkpoint)
        doubts = [doubt for doubt in doubts if "with this shape" in doubt or "is left" in doubt]
        if doubts:
            raise UserError(f"--to {args.to}: the map is not certain ({doubts[0]}); make one with --suggest-map, "
                            "correct it, and name it with --map")
    model.set_weights(mapped_weights(model, weight_map, checkpoint))
    if args.with_optimizer:
        adam = read_adam(checkpoint, graph, {name for parts in weight_map.values() for name in parts.values()})
        slots = []
        for names in (adam.m, adam.v):
            arrays = mapped_weights(model, weight_map, checkpoint, slot_reader(checkpoint, names))
            moved = {id(weight): array for weight, array in zip(model.weights, arrays)}
            slots.append([moved[id(weight)] for weight in model.trainable_variables])
        keep_adam(model, adam, *slots)
    return model


def keep_adam(model: Any, adam: Adam, m: Sequence[np.ndarray], v: Sequence[np.ndarray]) -> None:
    """Compile a model with an Adam of this state, and say so."""
    set_adam(model, adam, m, v)
    values = ", ".join(f"{name} {value:.7g}" + (" (assumed; set it before you continue training)"
                                                if name in adam.assumed else "")
                       for name, value in adam.arguments.items())
    print(f"Adam after {adam.step} steps, {len(adam.m)} variables with slots: {values}")


def convert_with_map(checkpoint: CheckpointFile, graph: Optional[ForeignGraph], args: argparse.Namespace,
                     target: Path) -> int:
    """Write a Keras model with the weights that a map takes from the checkpoint, and read it back."""
    model = filled_model(checkpoint, graph, args)
    write_keras(target, model, formats.note(checkpoint.path, model=Path(args.model).name))
    print(f"written: {display_path(target)}, {len(model.weights)} weights")
    return check_keras(model, target) if args.check else 0


def check_keras(model: Any, target: Path) -> int:
    """Read a Keras model back, with its optimiser; return exit code 1 if it differs."""
    def arrays(model: Any) -> Dict[str, np.ndarray]:
        variables = [*model.weights, *getattr(getattr(model, "optimizer", None), "variables", ())]
        return {str(k): np.asarray(variable) for k, variable in enumerate(variables)}
    return proof.report_arrays(arrays(model), arrays(load_model(target, with_optimizer=True)))


def print_suggestion(checkpoint: CheckpointFile, args: argparse.Namespace) -> None:
    """Print or write the map for a Keras model; what is uncertain goes to stderr."""
    target = formats.check_target(Path(args.out), args.force) if args.out else None
    suggestion = suggest_map(load_model(Path(args.suggest_map)), checkpoint)
    if target:
        write_atomically(target, as_text(suggestion.weight_map).encode())
        print(f"written: {display_path(target)}")
    else:
        print(as_text(suggestion.weight_map), end="")
    for doubt in suggestion.doubts:
        cli.warn(f"not certain: {doubt}")


def cut_graph(checkpoint: CheckpointFile, graph: ForeignGraph, args: argparse.Namespace) -> InferenceGraph:
    """Return the part of the graph that the outputs need."""
    ends = find_ends(graph, args.input or [], args.output or [], dict(args.feed or []), checkpoint.variables)
    print_assumed(graph, ends, args)
    return InferenceGraph(graph, ends, value_reader(checkpoint), dict(args.shape or []))


def keras_of_graph(checkpoint: CheckpointFile, graph: ForeignGraph, args: argparse.Namespace,
                   inference: InferenceGraph) -> Any:
    """Return the Keras model of a graph, with the state of its Adam if the user asks for it."""
    network = recognise(inference)
    model = build_keras(network)
    if args.with_optimizer:
        adam = read_adam(checkpoint, graph, {graph.saved_as(name).name for layer in network.layers
                                             for name in layer.variables})
        keep_adam(model, adam, *moved_slots(adam, checkpoint, graph.saved_as, network, model))
    return model


def convert_graph(checkpoint: CheckpointFile, graph: ForeignGraph, args: argparse.Namespace, target: Path) -> int:
    """Write the part of the graph that the outputs need, and compare it with the original."""
    inference = cut_graph(checkpoint, graph, args)
    inference.imported()  # refuses what TensorFlow does not accept, before anything is written
    inputs, outputs = inference.inputs, inference.outputs
    metadata = formats.note(checkpoint.path, inputs=", ".join(inputs), outputs=", ".join(outputs))
    signature = formats.Signature(inference.graph_def(), _arguments(inputs), _arguments(outputs))
    if args.to == "keras":
        model = keras_of_graph(checkpoint, graph, args, inference)
    limit_time(None)  # what was read is known by now, and converters take their time
    if args.to == "keras":
        write_keras(target, model, metadata)
    else:
        key = "" if args.to == "frozen" else "serving_default"
        formats.write_signatures(args.to, target, {key: signature}, metadata)
    if args.to == "savedmodel":
        inputs, outputs = list(signature.inputs), list(signature.outputs)
    print(f"written: {display_path(target)}, {', '.join(inference.tensors)} -> {', '.join(inference.outputs)}")
    if not args.check:
        return 0
    if args.with_optimizer and check_keras(model, target):
        return 1
    drawn = [name for name, node in inference.nodes.items() if node.op in RANDOM]
    if drawn:
        print(f"not compared: the outputs depend on random numbers ({one_line(drawn[0])}); name an --input behind them")
        return 1
    original = {"kind": "original", "path": str(checkpoint.path), "meta": str(_meta(checkpoint, args)),
                "feeds": inference.feeds, "inputs": inference.tensors, "outputs": inference.outputs}
    cli.status("comparing with the original in a fresh process")
    kind = "tflite" if args.to.startswith("tflite") else args.to
    written = {"kind": kind, "path": str(target), "inputs": inputs, "outputs": outputs}
    return compare(original, written, signature, proof.random_inputs(inference), args)


def compare(original: Dict[str, Any], written: Dict[str, Any], signature: formats.Signature,
            values: Mapping[str, np.ndarray], args: argparse.Namespace) -> int:
    """Compare two jobs of proof.run_model on the same inputs; return exit code 1 if they differ."""
    with tempfile.TemporaryDirectory() as folder:
        def references(change: Callable[[Any], Any]) -> List[Dict[str, Any]]:
            """Return the jobs of the written graph with 32 bits and with other ones: rounding alone makes the gap."""
            return [proof.reference_job(signature, proof.unchanged, folder),
                    proof.reference_job(signature, change, folder)]
        in_8_bits = args.to == "tflite-int8" and not args.tolerance
        jobs = [original, written, *(references(precision.rounded_to_8_bits) if in_8_bits else ())]
        expected, found, *answers = proof.compare(jobs, values)
        difference = proof.difference(expected, found)
        if proof.TOLERANCE < difference.relative < float("inf") and not answers and not args.tolerance:
            with contextlib.suppress(UserError):  # without a reference, the tolerance stays
                answers = proof.compare(references(precision.in_float64), values)
    rounding = [proof.difference(*answers)] if answers else []
    if rounding and not in_8_bits:
        print(f"float32 itself is {rounding[0].relative:.2g} from the same graph with 64 bits")
    return proof.report(difference, args.tolerance or proof.allowed(rounding), "random inputs")


def _arguments(tensors: Sequence[str]) -> Dict[str, str]:
    """Return {name that Python and serving accept: tensor}."""
    names: Dict[str, str] = {}
    for tensor in tensors:
        name = "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in tensor)
        name = name if name[:1].isalpha() else f"tensor_{name}"
        while name in names:
            name += "_1"
        names[name] = tensor
    return names


def _meta(checkpoint: CheckpointFile, args: argparse.Namespace) -> Optional[Path]:
    return None if args.no_meta else find_meta(checkpoint.path, args.meta)


def check_arguments(args: argparse.Namespace) -> None:
    """Find what is wrong with the arguments without TensorFlow, which needs seconds to load.

    Raises:
        UsageError: the arguments contradict each other.
        UserError: there is no checkpoint.
    """
    if args.no_meta and args.meta:
        raise UsageError("--no-meta --meta: expected one of the two")
    if args.list and (args.to or args.suggest_map):
        raise UsageError(f"--list {f'--to {args.to}' if args.to else '--suggest-map'}: expected one of the two")
    if args.map and not args.model:
        raise UsageError(f"--map {args.map}: is for --model MODEL.keras, which the map's variables go into; leave the "
                         "option out")
    find_checkpoint(args.checkpoint)


def convert(args: argparse.Namespace) -> int:
    """List or convert a checkpoint; return exit code 1 if what was written differs from the original."""
    check_arguments(args)
    cli.status("loading TensorFlow and the checkpoint")
    checkpoint = CheckpointFile(args.checkpoint)
    meta = _meta(checkpoint, args)
    if args.suggest_map:
        print_suggestion(checkpoint, args)
        return 0
    if args.with_optimizer and args.to not in ("keras", WITH_MAP):
        raise UsageError(f"--with-optimizer: expected --to keras or {WITH_MAP}, no other format has an optimiser")
    graph = ForeignGraph.read(meta) if meta and (args.to != WITH_MAP or args.with_optimizer) else None
    if not args.to:
        print_list(checkpoint, graph, args)
        return 0
    target = formats.check_target(Path(args.out or checkpoint.path.name + SUFFIXES[args.to]), args.force,
                                  SUFFIXES[args.to])
    if args.to in formats.ARRAYS:
        return convert_by_name(checkpoint, graph, args, target)
    if args.to == WITH_MAP:
        return convert_with_map(checkpoint, graph, args, target)
    if graph is None:
        raise UserError(f"--to {args.to}: needs the graph, and there is no {checkpoint.path.name}.meta; name the file "
                        "with --meta, or convert by name with --to npz")
    return convert_graph(checkpoint, graph, args, target)


def build_parser() -> argparse.ArgumentParser:
    parser = cli.Parser(
        prog="python -m tf1_autoencoders.convert",
        description="List a TensorFlow 1 checkpoint of any program, or convert it: by name, or with its .meta file the "
                    "graph itself.\nWhat was written is compared with the original; exit code 1 if they differ.")
    parser.add_argument("checkpoint", metavar="CHECKPOINT",
                        help="the checkpoint without suffix, one of its files, or its folder")
    parser.add_argument("--list", action="store_true", help="show the variables, their roles and the network (default)")
    parser.add_argument("--to", choices=(*formats.ARRAYS, WITH_MAP, *OF_GRAPH), metavar="FORMAT",
                        help=f"write {', '.join(formats.ARRAYS)} (by name), {WITH_MAP} (into --model), or "
                             f"{', '.join(OF_GRAPH)} (needs the .meta file)")
    add_shared_options(parser, "the checkpoint's name here", "the original")
    parser.add_argument("--meta", metavar="FILE", help="the .meta file (default: the one beside the checkpoint)")
    parser.add_argument("--no-meta", action="store_true", help="do not read a .meta file")
    parser.add_argument("--input", action="append", metavar="TENSOR",
                        help="an input tensor of the model; may be repeated (default: the placeholders needed)")
    parser.add_argument("--output", action="append", metavar="TENSOR",
                        help="a tensor that the model gives; may be repeated (default: the end of the layers)")
    parser.add_argument("--feed", action="append", type=feed, metavar="NAME=VALUE",
                        help="value of another placeholder, e.g. keep_prob=1 or training=False")
    parser.add_argument("--shape", action="append", type=shape, metavar="NAME=?,28,28",
                        help="shape of an input that the program left open")
    parser.add_argument("--model", metavar="MODEL.keras", help=f"the Keras model that --to {WITH_MAP} or h5 fills")
    parser.add_argument("--map", metavar="FILE",
                        help="which variable goes where, as --suggest-map writes it (default: its suggestion, if that "
                             "is certain)")
    parser.add_argument("--suggest-map", metavar="MODEL.keras",
                        help="propose the map for a Keras model, by name, order and shape; say what is not certain")
    parser.add_argument("--with-optimizer", action="store_true",
                        help=f"keep Adam's slots and step count for Keras's Adam (--to keras and {WITH_MAP})")
    return parser


def work(argv: Sequence[str]) -> int:
    """Run the command in this process, with limits of memory and time, without the messages of libraries."""
    stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.stderr = stderr

    def limited(args: argparse.Namespace) -> int:
        n_bytes = bytes_on_disk(files_of(Path(args.checkpoint).expanduser()))
        tf1.version.VERSION  # noqa: B018  imported while there is memory
        limit = limit_memory(n_bytes)
        limit_time(n_bytes)
        try:
            return convert(args)
        except KeyboardInterrupt:  # the process that waits for this one says so
            sys.stderr = open(os.devnull, "w")
            raise
        except UserError:
            raise
        except Exception as error:  # a foreign graph can be damaged in more ways than can be foreseen
            if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError" \
                    or isinstance(error, OSError) and error.errno == errno.ENOMEM:
                use_reserve()
                raise UserError(f"{args.checkpoint}: the files ask for more than the {limit >> 20:,} MiB of memory "
                                "that a checkpoint of this size may have; name other outputs, or convert by name with "
                                "--to npz --no-meta") from None
            if args.verbose or isinstance(error, OSError):
                raise
            raise UserError(f"{args.checkpoint}: a part of it is damaged, or unlike any that is known "
                            f"({type(error).__name__}: {short_reason(error)}); name other outputs, convert by name "
                            "with --to npz --no-meta, or see the place with --verbose") from error
    return cli.run_command(build_parser(), limited, argv)


def main(argv: Optional[Sequence[str]] = None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)

    def fresh(args: argparse.Namespace) -> int:
        check_arguments(args)
        try:
            run_fresh("tf1_autoencoders.convert:work", argv, SECONDS)
        except UserError as error:
            raise UserError(f"{args.checkpoint}: {error}") from None
        except subprocess.CalledProcessError as error:
            return error.returncode
        return 0
    return cli.run_command(build_parser(), fresh, argv)


if __name__ == "__main__":
    sys.exit(main())
