"""`python -m tf1_autoencoders.crosscheck`: each graph against its Keras twin, at the section's real size, as a table.

Both start from the same weights, see the same batches and take the same number of Adam steps: with an optimiser that
calls TensorFlow 1's own Adam kernel (exact), and with Keras's own Adam. The differences that remain are those of
rounding, and the steps amplify them.
"""
from __future__ import annotations

import dataclasses
import sys

import numpy as np

from tf1_autoencoders.keras_twin import build
from tf1_autoencoders.keras_twin.weights import (
    graph_gradients,
    graph_weights,
    keras_gradients,
    keras_weights,
    names,
    set_keras_weights,
)
from tf1_autoencoders.reporting import tables
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.session import Session
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.frameworks import tf1

N_STEPS = 20


# Largest relative difference allowed over 20 steps at real size. Outputs and gradients differ by the order of float32
# sums at most, a few units in the 7th digit; with the exact Adam they stay together. Measured on TensorFlow 2.21: all 0
# in section 1 and in section 2's report and text but for the sum of the printed loss, 2e-6 in the weights of tuned.
TOLERANCES = {"exact": {"outputs": 2e-6, "gradients": 2e-6, "losses": 1e-6, "weights": 1e-5}, "Keras": {"losses": 2e-4}}
SECTION_TOLERANCES = {
    # Grey levels of 0..255 make section 2 amplify how Keras's Adam rounds: measured 2e-4.
    (2, "Keras"): {"losses": 1e-3},
    # Keras sums the gradient of the last bias, 1.6 million numbers, in another order than TensorFlow 1: measured
    # 2e-5 there; the graph convolves upsampled pictures in sums of another order too, measured 1e-6 in the outputs,
    # 1e-5 in the other gradients; and what the steps make of both, 4e-6 and 9e-4.
    (3, "exact"): {"outputs": 2e-6, "gradients": 5e-5, "losses": 1e-5, "weights": 1e-3},
    # Keras keeps the forget gate's bias as 1 + b, which rounds b to 1e-7: measured 2e-5 of its size.
    (4, "exact"): {"outputs": 2e-6, "gradients": 2e-6, "losses": 1e-6, "weights": 5e-5}}
ADAMS = {"exact": build.exact_adam, "Keras": build.keras_adam}


def relative_difference(values, references):
    """The largest difference over the largest reference, for arrays or {name: array}, name by name; the worst name."""
    if isinstance(references, dict):
        assert set(values) == set(references)
        return max(relative_difference(values[name], references[name]) for name in references)
    return float(np.max(np.abs(np.subtract(values, references, dtype=np.float64))) / np.max(np.abs(references)))


def compare(section, settings, arrays, adam="exact", n_steps=N_STEPS):
    """Build graph and twin, give both the same weights, compare them.

    Args:
        section: the section's module.
        settings: its settings, resolved.
        arrays: tuple of arrays as the graph's pipeline takes them, n_steps * batch_size rows or more.
        adam: key of ADAMS, how the twin steps.
        n_steps: Adam steps, each on the next batch.

    Returns:
        {quantity: relative difference} of outputs, gradients, losses (of each step), weights (after the last step).
    """
    size = settings.batch_size
    arrays = tuple(array[:n_steps * size] for array in arrays)
    exact = getattr(section, "EXACT", {}) if adam == "exact" else {}
    model, twin = section.build_graph(settings), section.build_keras(settings, ADAMS[adam], **exact)
    gradients = graph_gradients(model)

    with Session(model) as session:
        session.run(model.initializer)
        set_keras_weights(twin, graph_weights(session, model))
        trainers.GraphTrainer(session, model, arrays, size).start(np.arange(len(arrays[0])))
        outputs, gradients = session.run([model.outputs, gradients])
        trainers.GraphTrainer(session, model, arrays, size).start(np.arange(len(arrays[0])))
        losses = [session.run([model.loss, model.train_op])[0] for _ in range(n_steps)]
        weights = graph_weights(session, model)

    batches = [section.inputs_and_targets([array[k * size:(k + 1) * size] for array in arrays], settings)
               for k in range(n_steps)]
    step = step_of(twin)
    _, twin_outputs, twin_gradients = step(*batches[0])
    twin_losses = []
    for inputs, targets in batches:
        loss, _, gradients_now = step(inputs, targets)
        twin_losses.append(float(loss))
        twin.optimizer.apply_gradients(zip(gradients_now, twin.trainable_variables))
    pairs = {"outputs": (outputs, twin_outputs),
             "gradients": (dict(zip(names(model), gradients)), keras_gradients(twin, twin_gradients)),
             "losses": (losses, twin_losses), "weights": (weights, keras_weights(twin))}
    return {quantity: relative_difference(*pair) for quantity, pair in pairs.items()}


def step_of(twin):
    """A function of a batch that gives the twin's loss (with the layers' penalties), outputs and gradients.

    It is compiled as Keras's own train step is: TensorFlow then fuses the same operations as in a session.
    """
    @tf1.function
    def step(inputs, targets):
        with tf1.GradientTape() as tape:
            outputs = twin(inputs, training=True)
            loss = twin.compute_loss(inputs, targets, outputs)
        return loss, outputs, tape.gradient(loss, twin.trainable_variables)
    return step


def main(argv=None):
    parser = cli.Parser(prog="python -m tf1_autoencoders.crosscheck",
                            description="Compare each section's graph with its Keras twin: outputs, gradients, losses "
                                        "and weights\nafter the same Adam steps. Exit code 1 where one is beyond its "
                                        "tolerance.")
    parser.add_argument("--section", choices=[str(n) for n in SECTIONS], metavar="N",
                        help=f"one section only, of {', '.join(map(str, SECTIONS))} (default: all)")
    parser.add_argument("--steps", type=cli.whole_number(1, 1000, "expected 1 to 1000 steps"), default=N_STEPS,
                        metavar="N", help=f"Adam steps (default: {N_STEPS}, what the tolerances are for)")
    parser.add_argument("--seed", type=cli.whole_number(0), default=0, metavar="N",
                        help="of the initial weights (default: 0, what the tolerances are for)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, crosscheck, argv)


def crosscheck(args):
    """The command: a table, exit code 1 where a difference is beyond its tolerance."""
    rows = []
    for number in [int(args.section)] if args.section else SECTIONS:
        section = SECTIONS[number].module
        data, source = section.load(section.PRESETS["report"], data=args.data, data_dir=args.data_dir)
        arrays = section.training_arrays(data)
        for name, settings in section.CROSSCHECKS.items():
            settings = section.resolve(dataclasses.replace(settings, seed=args.seed), len(arrays[0]))
            needed = args.steps * settings.batch_size
            enough = tuple(np.resize(array, (needed, *array.shape[1:])) for array in arrays)
            for adam in ADAMS:
                relative = compare(section, settings, enough, adam, args.steps)
                for quantity, tolerance in SECTION_TOLERANCES.get((number, adam), TOLERANCES[adam]).items():
                    passed = relative[quantity] <= tolerance  # False for nan too
                    rows.append((number, name, adam, quantity, f"{relative[quantity]:.1e}", f"{tolerance:.0e}",
                                 "pass" if passed else "FAIL"))
        print(f"section {number}: {source}")
    print()
    print(*tables.markdown(("section", "settings", "Adam", "quantity", "largest relative difference", "tolerance",
                             "verdict"), rows), sep="\n")
    return 0 if all(row[-1] == "pass" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
