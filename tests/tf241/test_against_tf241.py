"""Graph and Keras twin compared with the report's listings in the real Keras of TensorFlow 2.4.1; its progress bar.

The values come from tests/tf241/original.py. Differences are relative: for each array the largest difference divided by
the largest reference, and of these the largest.
"""
from __future__ import annotations

import functools
import json
import os
import subprocess

import numpy as np
import pytest

from tests.conftest import slow
from tests.tf115.ours import column_difference, relative_difference, strip_prefix
from tests.tf241 import ours
from tf1_autoencoders.keras_twin import h5_weights
from tf1_autoencoders.reporting.published import METRICS as PUBLISHED
from tf1_autoencoders.utils.epoch_means import PREFIX, epoch_mean, progress_bar_mean

NAMES = ("section1", "section3", "section4")

# The largest differences allowed between this TensorFlow and 2.4.1. The numbers in brackets were measured (2.21, worst
# network); the tolerances are those of tests/tf115, or three times what was measured.
KERAS_TOLERANCES = {
    "forward": 3e-6, "gradients": 3e-6,  # (1e-6, 7e-7)
    "trace": 1e-6,  # (2e-7) 50 losses
    "final outputs": 2e-6,  # (5e-7)
    "final weights": 1e-4,  # (6e-7) Adam makes a full step even if a gradient is nothing but rounding
    "m": 1e-5, "v": 5e-6}  # (3e-6, 1e-6) the slots
# TensorFlow 1's Adam multiplies its beta powers at each step; the Adams of 2.4.1 and of Keras 3 compute them anew.
TF1_ADAM_TOLERANCES = {**KERAS_TOLERANCES, "trace": 5e-6, "final outputs": 5e-6, "m": 2e-4, "v": 3e-5}
# (1e-6, 1e-6, 5e-5, 9e-6)
TOLERANCES = {"graph": TF1_ADAM_TOLERANCES, "exact": TF1_ADAM_TOLERANCES, "Keras": KERAS_TOLERANCES}

original_values = functools.lru_cache(maxsize=None)(ours.original_values)
our_values = functools.lru_cache(maxsize=None)(ours.our_values)


@pytest.mark.parametrize("implementation, name", [  # quick: each graph, and one Keras twin with Keras's own Adam
    (implementation, name) if implementation == "graph" or (implementation, name) == ("Keras", "section4")
    else slow(implementation, name) for implementation in ours.IMPLEMENTATIONS for name in NAMES])
@pytest.mark.parametrize("column", ours.COLUMNS)
def test_from_the_same_weights_50_steps_are_those_of_the_listing_in_keras_2_4(implementation, name, column):
    _, expected = original_values(name)
    values = ours.comparable(our_values(implementation, name), expected)
    assert set(values) == set(expected) - ({f"initial/{key}" for key in strip_prefix("initial", expected)}
                                           if implementation != "graph" else set())
    assert column_difference(values, expected, column) < TOLERANCES[implementation][column]


@pytest.mark.parametrize("implementation", ["graph", *map(slow, ours.ADAMS)])
def test_trap_the_epsilon_of_tensorflow_1(implementation):
    values, (_, expected) = our_values(implementation, "section1", n_steps=20, adam_epsilon=1e-8), \
        original_values("section1")
    assert column_difference(values, expected, "trace") > 10 * TOLERANCES[implementation]["trace"]


@pytest.mark.skipif("TF1_AUTOENCODERS_TF241" not in os.environ, reason="needs TensorFlow 2.4.1, see tests/tf241")
def test_keras_2_4_loads_our_h5_weights(tmp_path):
    for name in NAMES:
        values = our_values("graph", name)
        weights = {key: value for key, value in strip_prefix("final", values).items()
                   if f"initial/{key}" in values}
        h5_weights.write_h5(tmp_path / f"{name}.h5", weights, ours.SCOPES.get(name))
        np.save(str(tmp_path / f"{name}.npy"), values["final_outputs"])
    process = subprocess.run([os.environ["TF1_AUTOENCODERS_TF241"], "-m", "tests.tf241.original", "check",
                              str(tmp_path)], stdout=subprocess.PIPE, universal_newlines=True)
    assert process.returncode == 0 and process.stdout.count("same outputs") == len(NAMES), process.stdout


# The progress bar. A call of `fit` is recorded with the text that the bar showed at the end of each epoch, the history,
# and the loss, hits and number of rows of each step.

PROGRESS_BAR = ours.FIXTURES / "progress_bar"
RECORDS = {file.stem: json.loads(file.read_text()) for file in sorted(PROGRESS_BAR.glob("*.json"))}
FITS = [(name, fit) for name in RECORDS for fit in RECORDS[name]]
AVERAGES = ("first fit", "recompiled")  # the fits whose bar averages the running means


def label(fit):
    """Return the label of a recorded fit without its seed."""
    return fit.rsplit(",", 1)[0]


def steps_of(name, fit):
    """Return ({metric: float[epochs, steps]}, int[steps]): the values of each step, and its number of rows."""
    with np.load(str(PROGRESS_BAR / f"{name}.npz")) as file:
        arrays = strip_prefix(fit, dict(file))
    if not arrays:
        pytest.skip("the steps of this fit are not recorded")
    values = {"loss": arrays["loss"]}
    if "hits" in arrays:
        values["acc"] = arrays["hits"] / (3.0 * arrays["size"])  # three numbers of a sequence are predicted
    return values, arrays["size"]


def as_shown(value):
    """Return a number as Keras's progress bar prints it."""
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


each_fit = pytest.mark.parametrize("name, fit", FITS)


@each_fit
def test_the_history_of_keras_2_4_is_the_mean_over_the_rows_of_the_epoch(name, fit):
    values, sizes = steps_of(name, fit)
    for metric, epochs in values.items():
        means = [epoch_mean(steps, sizes) for steps in epochs]
        assert relative_difference(means, RECORDS[name][fit]["history"][metric]) < 3e-6  # (1e-6) Keras's sum is float32


@pytest.mark.parametrize("name, fit", [(name, fit) for name, fit in FITS if label(fit) in AVERAGES])
def test_the_bar_of_keras_2_4_shows_the_average_of_running_means_in_the_first_fit_after_compile(name, fit):
    values, sizes = steps_of(name, fit)
    for metric, epochs in values.items():
        shown = RECORDS[name][fit]["shown"][metric]
        assert shown == [as_shown(progress_bar_mean(steps, sizes)) for steps in epochs]
        assert shown != [as_shown(mean) for mean in RECORDS[name][fit]["history"][metric]]


@each_fit
def test_the_bar_of_keras_2_4_shows_the_history_of_any_other_fit_and_of_the_validation(name, fit):
    shown, history = (RECORDS[name][fit][key] for key in ("shown", "history"))
    assert set(shown) == set(history)
    for metric, values in history.items():
        if metric.startswith("val_") or label(fit) not in AVERAGES:
            assert shown[metric] == [as_shown(value) for value in values]


def test_every_kind_of_fit_is_recorded():
    assert {label(fit) for name, fit in FITS} == {"first fit", "second fit", "recompiled", "recompiled, verbose=2",
                                                  "recompiled, evaluated before"}
    n_epochs = {name: [len(record["shown"]["loss"]) for fit, record in RECORDS[name].items()
                       if label(fit) == "first fit"] for name in NAMES}
    assert n_epochs == {"section1": [20], "section3": [3], "section4": [1, 1, 1]}


@pytest.mark.parametrize("metric", ["loss", "acc"])
def test_section_4s_published_epoch_is_the_bar_and_not_the_mean(metric):
    published = PUBLISHED[4][f"epoch 1 {PREFIX}{metric}"]
    shown, means = zip(*((float(record["shown"][metric][0]), record["history"][metric][0])
                         for record in RECORDS["section4"].values()))
    assert abs(np.mean(shown) - published) < 3 * np.std(shown, ddof=1) < abs(np.mean(means) - published) / 10
