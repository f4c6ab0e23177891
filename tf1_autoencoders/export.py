"""`python -m tf1_autoencoders.export --section N --to FORMAT`: a trained section in another format, proven."""
from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile
from tf1_autoencoders.converting import proof
from tf1_autoencoders.converting.graph.foreign_graph import ForeignGraph, Saved
from tf1_autoencoders.converting.graph.inference_graph import Ends, InferenceGraph
from tf1_autoencoders.converting.writing import formats, precision
from tf1_autoencoders.converting.writing.formats import Signature
from tf1_autoencoders.converting.writing.keras_model import write_keras
from tf1_autoencoders.converting.writing.options import SUFFIXES, add_shared_options
from tf1_autoencoders.graphs.graph_model import GraphModel
from tf1_autoencoders.keras_twin.build import keras_adam
from tf1_autoencoders.keras_twin.weights import set_graph_weights, set_keras_weights, weight_names
from tf1_autoencoders.sections import SECTIONS, one_section
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.sections.trained import warn_of_collapse
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import keras, tf1
from tf1_autoencoders.utils.paths import CHECKPOINTS, PRETRAINED, display_path

ONE_FILE_EACH = ("onnx", "tflite", "tflite-int8")  # formats that hold one function
FORMATS = ("savedmodel", "frozen", "keras", "h5", "npz", "safetensors", *ONE_FILE_EACH)
N_ROWS = 256


class Trained(NamedTuple):
    """A section with its trained weights.

    | field      | meaning                                                              |
    |------------|----------------------------------------------------------------------|
    | section    | the section's module                                                 |
    | settings   | its settings, with which the graph has common operations             |
    | model      | GraphModel                                                           |
    | path       | the checkpoint                                                       |
    | weights    | {variable: array}                                                    |
    """

    section: Section
    settings: Any
    model: GraphModel
    path: Path
    weights: Dict[str, np.ndarray]


def read_trained(section: Section, checkpoint: Optional[str], preset: Optional[str]) -> Trained:
    """Build a section's graph, and read its weights from a checkpoint.

    Args:
        section: the Section.
        checkpoint: path of a checkpoint; None for the newest run, else the checkpoint that comes with the project.
        preset: the settings of a checkpoint without settings.json.

    Raises:
        UserError: there is no checkpoint, or one of another architecture.
    """
    if preset is not None:
        cli.choose_from(section.presets, preset, "--preset")
    path = saver.checkpoint_path_from_argument(checkpoint) if checkpoint else saver.newest_good_checkpoint(
        [folder / f"section{section.number}" for folder in (CHECKPOINTS, PRETRAINED)])
    stored, _ = saver.read_settings(path, section.settings_class, section.former_names, section.number)
    warn_of_collapse(path)
    settings = stored or section.presets[preset or "report"]
    settings = dataclasses.replace(section.check_settings(settings, 10 * settings.batch_size),
                                   **section.export_overrides)
    model = section.build_graph(settings)
    shapes = {name: variable.shape.as_list() for name, variable in zip(weight_names(model), model.weights)}
    return Trained(section, settings, model, path, saver.read_arrays(path, shapes))


def frozen_signatures(trained: Trained) -> Dict[str, Signature]:
    """Return the section's functions as graphs without variables, training and input pipeline."""
    graph = ForeignGraph(tf1.MetaGraphDef(graph_def=trained.model.graph.as_graph_def()),
                         f"the graph of section {trained.section.number}")

    def value_of(saved: Saved) -> np.ndarray:
        return trained.weights[saved.name]
    signatures = {}
    for key, (inputs, outputs) in trained.section.signatures(trained.model).items():
        names = [{name: tensor.name.split(":")[0] for name, tensor in tensors.items()} for tensors in (inputs, outputs)]
        shapes = {names[0][name]: tensor.shape.as_list() for name, tensor in inputs.items()}
        ends = Ends(list(names[0].values()), [tensor.name for tensor in outputs.values()], {}, list(names[0].values()))
        frozen = InferenceGraph(graph, ends, value_of, shapes)
        signatures[key] = Signature(frozen.graph_def(), names[0],
                                    {name: tensor.name for name, tensor in outputs.items()})
    return signatures


# ---- the session's outputs ----

def session_values(trained: Trained) -> Dict[str, Tuple[Dict[str, np.ndarray], List[np.ndarray]]]:
    """Return {function: ({argument: 256 rows}, results)} of the session; rows of the drawn sample, or noise for states.

    A result of one function that another takes, such as the codes, is passed on.

    Raises:
        UserError: the section's inputs_and_targets gives another number of inputs than the graph has.
    """
    section, settings, model = trained.section, trained.settings, trained.model
    data, _ = section.load(settings, data="sample")
    arrays = [array[:N_ROWS] for array in section.training_arrays(data, settings)]
    x, _ = section.inputs_and_targets(arrays, settings)
    features = model.features if isinstance(model.features, tuple) else (model.features,)
    given = x if isinstance(x, list) else [x]
    if len(given) != len(features):
        raise UserError(f"section {section.number}: inputs_and_targets gives {len(given)} of the graph's "
                        f"{len(features)} features; return a list of all of them in {Path(section.file).name}, or "
                        "leave the comparison out with --no-check")
    feeds = dict(zip(features, given))
    random, values = np.random.default_rng(0), {}
    with TimedSession(model) as session:
        set_graph_weights(session, model, trained.weights)
        for key, (inputs, outputs) in section.signatures(model).items():
            rows = {}
            for name, tensor in inputs.items():
                if tensor.op.type == "Placeholder":
                    rows[name] = random.uniform(0, 1, [N_ROWS, *tensor.shape.as_list()[1:]]).astype(np.float32)
                else:
                    rows[name] = session.run(tensor, feeds)
            results = session.run(list(outputs.values()), {tensor: rows[name] for name, tensor in inputs.items()})
            values[key] = rows, results
    return values


# ---- writing ----

def write(trained: Trained, to: str, target: Path, metadata: Dict[str, str]) -> List[Tuple[str, Path]]:
    """Write one format; return (function, path) of each file that can be compared."""
    if to == "keras":
        twin = trained.section.build_keras(trained.settings, keras_adam)
        set_keras_weights(twin, trained.weights)
        model = keras.Model(twin.input, twin.output, name=f"section{trained.section.number}")  # without the training
        write_keras(target, model, metadata)
        return [(next(iter(trained.section.signatures(trained.model))), target)]
    signatures = frozen_signatures(trained)
    if to not in ONE_FILE_EACH:
        formats.write_signatures(to, target, signatures, metadata)
        return [(key, target) for key in signatures]
    files = file_names(trained, to, target)
    for key, path in files:
        formats.write_signatures(to, path, {key: signatures[key]}, metadata)
    return files


def file_names(trained: Trained, to: str, target: Path) -> List[Tuple[str, Path]]:
    """Return (function, path) of the files of a format that holds one function each."""
    suffix = SUFFIXES[to]
    stem = target.name[:-len(suffix)] if target.name.endswith(suffix) else target.name
    return [(key, target.with_name(f"{stem}_{key}{suffix}")) for key in trained.section.signatures(trained.model)]


def compare_functions(trained: Trained, to: str, files: Sequence[Tuple[str, Path]], tolerance: Optional[float]) -> int:
    """Compare each function of what was written with the session; return exit code 1 beyond the tolerance."""
    frozen = frozen_signatures(trained) if to == "tflite-int8" and not tolerance else {}
    values, signatures = session_values(trained), trained.section.signatures(trained.model)
    failed = 0
    for key, path in files:
        rows, expected = values[key]
        names = [list(part) for part in signatures[key]]
        if to != "savedmodel":
            names = [[tensor.name.split(":")[0] if n == 0 else tensor.name for tensor in part.values()]
                     for n, part in enumerate(signatures[key])]
        if to == "frozen":
            names = [[f"{key}/{name}" for name in part] for part in names]
        job = {"kind": "tflite" if to.startswith("tflite") else to, "path": str(path), "signature": key,
               "inputs": names[0], "outputs": names[1]}
        with tempfile.TemporaryDirectory() as folder:
            jobs = [job, proof.reference_job(frozen[key], precision.rounded_to_8_bits, folder)] if frozen else [job]
            differences = [proof.difference({str(k): value for k, value in enumerate(expected)}, found)
                           for found in proof.compare(jobs, rows)]
        failed |= proof.report(differences[0], tolerance or proof.allowed(differences[1:]), key)
    return failed


def export_arrays(trained: Trained, args: argparse.Namespace, target: Path, metadata: Dict[str, str]) -> int:
    """Write the variables by their TensorFlow 1 names, and read them back; .h5 has the trained weights only."""
    values = trained.weights if args.to == "h5" else CheckpointFile(trained.path).read_all()
    formats.write_arrays(args.to, target, values, metadata)
    print(f"written: {display_path(target)}, {len(values)} variables")
    if not args.check:
        return 0
    return proof.report_arrays(values, formats.read_arrays(args.to, target), formats.H5_ROUNDING * (args.to == "h5"))


def export(args: argparse.Namespace) -> int:
    """Write one section; return exit code 1 if what was written differs from the session."""
    cli.status("loading TensorFlow and the checkpoint")
    section = SECTIONS[int(args.section)]
    target = Path(args.out or f"section{section.number}{SUFFIXES[args.to]}")
    if args.to not in ONE_FILE_EACH:
        target = formats.check_target(target, args.force, SUFFIXES[args.to])
    trained = read_trained(section, args.checkpoint, args.preset)
    if args.to in ONE_FILE_EACH:
        for _, path in file_names(trained, args.to, target):
            formats.check_target(path, args.force)
    metadata = formats.note(trained.path, name=section.title, section=section.number,
                            settings=json.dumps(dataclasses.asdict(trained.settings)))
    if args.to in formats.ARRAYS:
        return export_arrays(trained, args, target, metadata)
    files = write(trained, args.to, target, metadata)
    for path in dict.fromkeys(path for _, path in files):
        print(f"written: {display_path(path)}")
    if not args.check:
        return 0
    cli.status("comparing with the session, in fresh processes")
    return compare_functions(trained, args.to, files, args.tolerance)


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = cli.Parser(
        prog="python -m tf1_autoencoders.export",
        description="Write a trained section in another format. What was written is run by the format's own runtime in "
                    "a fresh process\nand compared with the session; exit code 1 if they differ.")
    parser.add_argument("--section", type=one_section, required=True, metavar="N",
                        help=f"the section, one of {', '.join(map(str, SECTIONS))}")
    parser.add_argument("--to", choices=FORMATS, required=True, metavar="FORMAT", help=f"one of {', '.join(FORMATS)}")
    parser.add_argument("--checkpoint", metavar="PATH",
                        help="checkpoint, or its folder (default: checkpoints/sectionN, a run of your own, else "
                             "the one that comes with the project)")
    parser.add_argument("--preset", metavar="NAME",
                        help="the settings of a checkpoint without settings.json beside it (default: report)")
    add_shared_options(parser, "sectionN; onnx and tflite add the function's name", "the session")
    return cli.run_command(parser, export, argv)


if __name__ == "__main__":
    sys.exit(main())
