"""The package's side of the comparison with Keras in TensorFlow 2.4.1: graph and Keras twin from the same weights.

    python -m tests.tf241.ours [FOLDER]     print the largest differences from the values in FOLDER (default: fixtures/)

`python -m tests.tf241.original write [--full FOLDER]` made these values. Weights come from the .h5 files that
TensorFlow 2.4.1's `save_weights` wrote. The keys are those of tests/tf115, so that the same functions compare them.
"""
from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from tests.tf115.ours import column_difference, cyclic_batch, run, run_twin, section_module, strip_prefix
from tf1_autoencoders.keras_twin import build, h5_weights
from tf1_autoencoders.keras_twin.weights import set_keras_weights, to_tf1_layout
from tf1_autoencoders.training.session import TimedSession

FIXTURES = Path(__file__).resolve().parent / "fixtures"
N_STEPS = 50
SCOPES = {"section4": {"lstm": "encoder", "lstm_1": "decoder"}}  # layer in the .h5 file -> scope in the graph
ADAMS = {"exact": build.exact_adam, "Keras": build.keras_adam}
IMPLEMENTATIONS = ("graph", *ADAMS)  # the graph, and the Keras twin with each Adam
COLUMNS = ("forward", "gradients", "trace", "final outputs", "final weights", "m", "v")


def settings(name, folder=FIXTURES, **changes):
    """Return the section's Settings at the sizes of the original's network, with Keras's epsilon as by default."""
    sizes = json.loads((Path(folder) / "sizes.json").read_text())[name]
    return section_module(name).settings_class(**{**sizes, **changes})


def original_values(name, folder=FIXTURES):
    """Return (data, values) of the original: its arrays [n, ...], and {key: array} under the keys of tests/tf115."""
    with np.load(str(Path(folder) / name / "numbers.npz")) as file:
        stored = dict(file)
    values = {key: stored[key] for key in ("outputs", "loss", "trace", "final_outputs")}
    for prefix, key in (("gradients", "gradients/{}"), ("m", "final/{}/Adam"), ("v", "final/{}/Adam_1")):
        in_keras_layout = {rename_layer(name, weight): array for weight, array in strip_prefix(prefix, stored).items()}
        values.update({key.format(variable): array
                       for variable, array in to_tf1_layout(in_keras_layout, forget_bias=0).items()})
    for prefix in ("initial", "final"):
        weights = h5_weights.read_h5(Path(folder) / name / f"{prefix}.h5", SCOPES.get(name), "sigmoid")
        values.update({f"{prefix}/{variable}": array for variable, array in weights.items()})
    return tuple(strip_prefix("data", stored).values()), values


def rename_layer(name, weight):
    """Return layer/weight with the graph's scope in place of the layer's name."""
    layer, weight = weight.split("/")
    return f"{SCOPES.get(name, {}).get(layer, layer)}/{weight}"


def our_values(implementation, name, folder=FIXTURES, n_steps=N_STEPS, **changes):
    """Train the graph or the Keras twin from the original's initial weights on its batches; return {key: array}.

    Args:
        implementation: one of IMPLEMENTATIONS.
        name, folder: the network, and where the original's values are.
        n_steps: number of steps of Adam.
        changes: of the settings.
    """
    section, sizes = section_module(name), settings(name, folder, **changes)
    data, values = original_values(name, folder)
    initial = strip_prefix("initial", values)
    if implementation == "graph":
        model = section.build_graph(sizes)
        with TimedSession(model, threads=1) as session:
            ours = run(session, model, data, sizes.batch_size, (), initial, n_steps)
        return {key: value for key, value in ours.items() if key not in ("loss_without_l2",)}
    exact_layers = section.exact_layers if implementation == "exact" else {}
    twin = section.build_keras(sizes, ADAMS[implementation], **exact_layers)
    set_keras_weights(twin, initial)
    return run_twin(twin, [section.inputs_and_targets(cyclic_batch(data, k, sizes.batch_size), sizes)
                           for k in range(n_steps)], n_steps=n_steps)


def comparable(values, expected):
    """Return the entries of `values` that the original has too: Keras has no beta powers."""
    return {key: value for key, value in values.items() if key in expected}


def main(folder=FIXTURES):
    print(f"| section | implementation | {' | '.join(COLUMNS)} |\n|---|---|{'---|' * len(COLUMNS)}")
    for name in json.loads((Path(folder) / "sizes.json").read_text()):
        _, expected = original_values(name, folder)
        for implementation in IMPLEMENTATIONS:
            values = comparable(our_values(implementation, name, folder), expected)
            cells = [f"{column_difference(values, expected, column):.0e}" for column in COLUMNS]
            print(f"| {name[7:]} | {implementation} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
