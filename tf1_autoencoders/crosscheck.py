"""`python -m tf1_autoencoders.crosscheck`: each graph against its Keras twin, at the section's real size, as a table.

Graph and twin take the same Adam steps on the same batches. Before each step, the twin gets the graph's weights;
outputs, losses and gradients are compared; then both optimisers apply the graph's gradients, and the new weights are
compared. Thus no step amplifies the rounding of the step before, for any seed and any number of steps. The twin's
optimiser is once an Adam that calls TensorFlow 1's own kernel (exact), and once Keras's own Adam.
"""
from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from tf1_autoencoders.graphs.graph_model import GraphModel
from tf1_autoencoders.keras_twin.build import exact_adam, keras_adam
from tf1_autoencoders.keras_twin.weights import (
    graph_weights,
    keras_gradients,
    keras_variables,
    set_keras_weights,
    to_keras_layout,
)
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.sections import SECTIONS, section_numbers
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.training.trainers import GraphTrainer
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.frameworks import keras, tf1

N_STEPS = 20
HEADER = ("section", "settings", "Adam", "quantity", "largest relative difference", "tolerance", "verdict")
OPTIMIZERS = {"exact": exact_adam, "Keras": keras_adam}  # by their name in a section's crosscheck_tolerances


def relative_difference(values: Any, references: Any) -> float:
    """Return the largest difference over the largest reference, for arrays, or the largest of {name: array}."""
    if isinstance(references, dict):
        assert set(values) == set(references)
        return max(relative_difference(values[name], references[name]) for name in references)
    return float(np.max(np.abs(np.subtract(values, references, dtype=np.float64))) / np.max(np.abs(references)))


def compare(section: Section, settings: Any, arrays: Tuple[np.ndarray, ...], optimizer: str = "exact",
            n_steps: int = N_STEPS) -> Dict[str, float]:
    """Build graph and twin, and compare each of n_steps training steps that both begin with the same weights.

    Args:
        section: the Section.
        settings: the section's settings, checked.
        arrays: arrays as the graph's pipeline takes them, n_steps * batch_size rows or more.
        optimizer: key of OPTIMIZERS, which the twin uses.
        n_steps: Adam steps, each on the next batch.

    Returns:
        {quantity: largest relative difference of any step} of outputs, kernels' gradients, biases' gradients,
        losses and weights. The weights are those after both optimisers have applied the graph's gradients, in
        Keras's layout.
    """
    size = settings.batch_size
    exact_layers = section.exact_layers if optimizer == "exact" else {}
    model, twin = section.build_graph(settings), section.build_keras(settings, OPTIMIZERS[optimizer], **exact_layers)
    gradients, step = applied_gradients(model), compiled_step(twin)
    largest = dict.fromkeys(("outputs", "gradients", "bias gradients", "losses", "weights"), 0.0)

    with TimedSession(model) as session:
        session.run(model.initializer)
        weights, trainer = graph_weights(session, model), GraphTrainer(session, model, arrays, size)
        for k in tqdm(range(n_steps), unit="step", leave=False, disable=None):
            batch = tuple(array[k * size:(k + 1) * size] for array in arrays)
            set_keras_weights(twin, weights)
            trainer.feed_row_order(np.arange(k * size, (k + 1) * size))
            loss, outputs, graph_step, _ = session.run([model.loss, model.outputs, gradients, model.train_op])
            weights = graph_weights(session, model)

            twin_loss, twin_outputs, twin_gradients = step(*section.inputs_and_targets(batch, settings))
            keras_step = keras_gradients(twin, twin_gradients)
            variables, in_keras_layout = keras_variables(twin), to_keras_layout(graph_step, forget_bias=0)
            twin.optimizer.apply_gradients([(tf1.constant(in_keras_layout[name]), variable)
                                            for name, variable in variables.items()])
            pairs = {"outputs": (outputs, twin_outputs),
                     "gradients": (kernels(graph_step), kernels(keras_step)),
                     "bias gradients": (bias_gradients(graph_step, keras_step), bias_gradients(keras_step, keras_step)),
                     "losses": (loss, float(twin_loss)),
                     "weights": (to_keras_layout(weights),
                                 {name: np.asarray(value) for name, value in variables.items()})}
            for quantity, pair in pairs.items():
                # Not max(), which drops nan.
                largest[quantity] = float(np.maximum(largest[quantity], relative_difference(*pair)))
    return largest


def rounding(section: Section, settings: Any, arrays: Tuple[np.ndarray, ...]) -> Dict[str, float]:
    """Return how far float32 is from float64: the twin's largest relative difference from itself in float64.

    Args:
        section, settings, arrays: as for compare; the step is the first one, on the first batch.

    Returns:
        {quantity: largest relative difference} of outputs, kernels' gradients, biases' gradients and losses.
    """
    batch = tuple(array[:settings.batch_size] for array in arrays)
    model, results = section.build_graph(settings), []
    with TimedSession(model) as session:
        session.run(model.initializer)
        weights = graph_weights(session, model)
    for dtype in ("float32", "float64"):
        with keras_dtype(dtype):
            twin = section.build_keras(settings, exact_adam, **section.exact_layers)
            set_keras_weights(twin, weights)
            inputs, targets = (tf1.nest.map_structure(lambda array: tf1.constant(array, dtype), side)  # noqa: B023
                               for side in section.inputs_and_targets(batch, settings))
            loss, outputs, gradients = compiled_step(twin)(inputs, targets)
        results.append((float(loss), np.asarray(outputs), keras_gradients(twin, gradients)))
    (loss, outputs, single), (exact_loss, exact_outputs, double) = results
    return {"outputs": relative_difference(outputs, exact_outputs),
            "gradients": relative_difference(kernels(single), kernels(double)),
            "bias gradients": relative_difference(bias_gradients(single, double), bias_gradients(double, double)),
            "losses": relative_difference(loss, exact_loss)}


@contextlib.contextmanager
def keras_dtype(dtype: str) -> Iterator[None]:
    """Context manager: Keras's layers and losses of the block compute in this type, "float32" or "float64"."""
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")


def applied_gradients(model: GraphModel) -> Dict[str, Any]:
    """Return the tensors that a GraphModel's Adam applies, {name of the variable: gradient}.

    Gradients that tf1.gradients computes anew would differ from them by rounding, which Adam can amplify.
    """
    return {operation.inputs[0].op.name: operation.inputs[-1] for operation in model.graph.get_operations()
            if operation.type in ("ApplyAdam", "ResourceApplyAdam")}


def kernels(gradients: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return the gradients of kernels among {name: gradient}."""
    return {name: gradient for name, gradient in gradients.items() if not name.endswith("/bias")}


def bias_gradients(gradients: Mapping[str, np.ndarray], references: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Return {bias: its gradient, followed by the reference gradient of its layer's kernel}.

    The kernel's numbers give a bias the scale of its layer: a bias's gradient is a sum over all rows and pixels, in
    which most of the terms can cancel, so that its own size is no measure of its rounding.
    """
    return {name: np.append(gradients[name], references[name[:-len("bias")] + "kernel"])
            for name in references if name.endswith("/bias")}


def compiled_step(twin: Any) -> Callable[[Any, Any], Tuple[Any, Any, Any]]:
    """Return a function of a batch that gives the twin's loss (with the layers' penalties), outputs and gradients.

    The function is compiled as Keras's own train step is, so that TensorFlow fuses the same operations as in a
    session. The prefix tf1 is TensorFlow's eager half here.
    """
    @tf1.function
    def step(inputs: Any, targets: Any) -> Tuple[Any, Any, Any]:
        with tf1.GradientTape() as tape:
            outputs = twin(inputs, training=True)
            loss = twin.compute_loss(inputs, targets, outputs)
        return loss, outputs, tape.gradient(loss, twin.trainable_variables)
    return step


def crosscheck(args: argparse.Namespace) -> int:
    """Print the table; return exit code 1 if a difference is beyond its tolerance."""
    rows: List[Tuple[Any, ...]] = []
    failed = False
    if set(args.section) == set(SECTIONS):
        cli.warn("section 3 takes most of the time; --section N compares one section")
    for number in args.section:
        section, rows = SECTIONS[number], []
        cli.status(f"section {number}: loading TensorFlow and the data")
        data, source = section.load(section.presets["report"], data=args.data, data_dir=args.data_dir)
        for name, preset in {"report": section.presets["report"], **section.further_crosschecks}.items():
            arrays = section.training_arrays(data, preset)
            settings = section.check_settings(dataclasses.replace(preset, seed=args.seed), len(arrays[0]))
            n_rows = args.steps * settings.batch_size
            enough = tuple(np.resize(array, (n_rows, *array.shape[1:])) for array in arrays)
            for optimizer, tolerances in section.crosscheck_tolerances.items():
                cli.status(f"section {number}: {name}, {optimizer} Adam, {args.steps} steps")
                differences = compare(section, settings, enough, optimizer, args.steps)
                for quantity, tolerance in tolerances.items():
                    passed = differences[quantity] <= tolerance  # False for nan too
                    rows.append((number, name, optimizer, quantity, f"{differences[quantity]:.1e}", f"{tolerance:.0e}",
                                 "pass" if passed else "FAIL"))
            if args.rounding:
                cli.status(f"section {number}: {name}, float32 and float64")
                rows += [(number, name, "", f"{quantity}, the twin in float32 and float64", f"{difference:.1e}", "", "")
                         for quantity, difference in rounding(section, settings, enough).items()]
        print(f"section {number}: {source}", "", *markdown_table(HEADER, rows), "", sep="\n", flush=True)
        failed = failed or any(row[-1] != "pass" for row in rows)
    return int(failed)


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = cli.Parser(prog="python -m tf1_autoencoders.crosscheck",
                        description="Compare each section's graph with its Keras twin: outputs, gradients, losses "
                                    "and weights\nafter the same Adam steps. Exit code 1 if a difference is beyond its "
                                    "tolerance.")
    parser.add_argument("--section", type=section_numbers, default="all", metavar="N",
                        help=f"one section, of {', '.join(map(str, SECTIONS))}, or several, such as 1,2 (default: all)")
    parser.add_argument("--steps", type=cli.whole_number(1, 1000, "expected 1 to 1000 steps"), default=N_STEPS,
                        metavar="N", help=f"Adam steps (default: {N_STEPS})")
    parser.add_argument("--seed", type=cli.whole_number(0, 2 ** 27), default=0, metavar="N",
                        help="seed of the initial weights (default: 0)")
    parser.add_argument("--rounding", action="store_true",
                        help="also print how far the twin's own first step is from the same step in float64")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, crosscheck, argv)


if __name__ == "__main__":
    sys.exit(main())
