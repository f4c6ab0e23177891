"""`python -m tf1_autoencoders.crosscheck`: each graph against its Keras twin, at the section's real size, as a table.

Both start from the same weights, see the same batches and take the same number of Adam steps: once with an optimiser
that calls TensorFlow 1's own Adam kernel (exact), and once with Keras's own Adam. The remaining differences are those
of rounding, amplified by the steps.
"""
from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.keras_twin.build import exact_adam, keras_adam
from tf1_autoencoders.keras_twin.weights import (
    graph_gradients,
    graph_weights,
    keras_gradients,
    keras_weights,
    set_keras_weights,
    weight_names,
)
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.training.trainers import GraphTrainer
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.frameworks import tf1

N_STEPS = 20
OPTIMIZERS = {"exact": exact_adam, "Keras": keras_adam}  # by their name in CROSSCHECK_TOLERANCES


def relative_difference(values: Any, references: Any) -> float:
    """Return the largest difference over the largest reference, for arrays, or the largest of {name: array}."""
    if isinstance(references, dict):
        assert set(values) == set(references)
        return max(relative_difference(values[name], references[name]) for name in references)
    return float(np.max(np.abs(np.subtract(values, references, dtype=np.float64))) / np.max(np.abs(references)))


def compare(section: Section, settings: Any, arrays: Tuple[np.ndarray, ...], optimizer: str = "exact",
            n_steps: int = N_STEPS) -> Dict[str, float]:
    """Build graph and twin, give both the same weights, compare them.

    Args:
        section: the section's module.
        settings: the section's settings, checked.
        arrays: arrays as the graph's pipeline takes them, n_steps * batch_size rows or more.
        optimizer: key of OPTIMIZERS, which the twin uses.
        n_steps: Adam steps, each on the next batch.

    Returns:
        {quantity: relative difference} of outputs, gradients, losses (of each step), weights (after the last step).
    """
    size = settings.batch_size
    arrays = tuple(array[:n_steps * size] for array in arrays)
    exact_layers = section.EXACT_LAYERS if optimizer == "exact" else {}
    model, twin = section.build_graph(settings), section.build_keras(settings, OPTIMIZERS[optimizer], **exact_layers)
    gradients = graph_gradients(model)

    with TimedSession(model) as session:
        session.run(model.initializer)
        set_keras_weights(twin, graph_weights(session, model))
        GraphTrainer(session, model, arrays, size).feed_row_order(np.arange(len(arrays[0])))
        outputs, gradients = session.run([model.outputs, gradients])
        GraphTrainer(session, model, arrays, size).feed_row_order(np.arange(len(arrays[0])))
        losses = [session.run([model.loss, model.train_op])[0] for _ in range(n_steps)]
        weights = graph_weights(session, model)

    batches = [section.inputs_and_targets([array[k * size:(k + 1) * size] for array in arrays], settings)
               for k in range(n_steps)]
    step = compiled_step(twin)
    _, twin_outputs, twin_gradients = step(*batches[0])
    twin_losses = []
    for inputs, targets in batches:
        loss, _, step_gradients = step(inputs, targets)
        twin_losses.append(float(loss))
        twin.optimizer.apply_gradients(zip(step_gradients, twin.trainable_variables))
    pairs = {"outputs": (outputs, twin_outputs),
             "gradients": (dict(zip(weight_names(model), gradients)), keras_gradients(twin, twin_gradients)),
             "losses": (losses, twin_losses), "weights": (weights, keras_weights(twin))}
    return {quantity: relative_difference(*pair) for quantity, pair in pairs.items()}


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
    rows = []
    for number in [int(args.section)] if args.section else SECTIONS:
        section = SECTIONS[number]
        data, source = section.load(section.PRESETS["report"], data=args.data, data_dir=args.data_dir)
        arrays = section.training_arrays(data)
        for name, preset in section.CROSSCHECK_PRESETS.items():
            settings = section.check_settings(dataclasses.replace(preset, seed=args.seed), len(arrays[0]))
            n_rows = args.steps * settings.batch_size
            enough = tuple(np.resize(array, (n_rows, *array.shape[1:])) for array in arrays)
            for optimizer, tolerances in section.CROSSCHECK_TOLERANCES.items():
                differences = compare(section, settings, enough, optimizer, args.steps)
                for quantity, tolerance in tolerances.items():
                    passed = differences[quantity] <= tolerance  # False for nan too
                    rows.append((number, name, optimizer, quantity, f"{differences[quantity]:.1e}", f"{tolerance:.0e}",
                                 "pass" if passed else "FAIL"))
        print(f"section {number}: {source}", flush=True)
    print()
    print(*markdown_table(("section", "settings", "Adam", "quantity", "largest relative difference", "tolerance",
                           "verdict"), rows), sep="\n")
    return 0 if all(row[-1] == "pass" for row in rows) else 1


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = cli.Parser(prog="python -m tf1_autoencoders.crosscheck",
                        description="Compare each section's graph with its Keras twin: outputs, gradients, losses "
                                    "and weights\nafter the same Adam steps. Exit code 1 if a difference is beyond its "
                                    "tolerance.")
    parser.add_argument("--section", choices=[str(n) for n in SECTIONS], metavar="N",
                        help=f"one section only, of {', '.join(map(str, SECTIONS))} (default: all)")
    parser.add_argument("--steps", type=cli.whole_number(1, 1000, "expected 1 to 1000 steps"), default=N_STEPS,
                        metavar="N", help=f"Adam steps (default: {N_STEPS}, which the tolerances are made for)")
    parser.add_argument("--seed", type=cli.whole_number(0, 2 ** 27), default=0, metavar="N",
                        help="seed of the initial weights (default: 0, which the tolerances are made for)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, crosscheck, argv)


if __name__ == "__main__":
    sys.exit(main())
