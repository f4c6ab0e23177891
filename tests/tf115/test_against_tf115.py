"""Graph and Keras twin compared with the values of the real TensorFlow 1.15.5, and each known trap as a test.

The values come from tests/tf115/original.py, in which each network is written as a program of 2019. The test of a trap
makes one mistake on purpose, and asserts that the same comparison detects the mistake.

Differences are relative: for each array the largest difference divided by the largest reference, and of these the
largest.
"""
from __future__ import annotations

import dataclasses
import functools
import os
import subprocess
import sys
from typing import Any, Dict, NamedTuple, Tuple

import h5py
import numpy as np
import pytest

from tests.conftest import slow
from tests.tf115 import ours
from tests.tf115.ours import relative_difference
from tf1_autoencoders import evaluate
from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.graphs import fused, layers
from tf1_autoencoders.keras_twin import build, h5_weights
from tf1_autoencoders.keras_twin import weights as weights_module
from tf1_autoencoders.keras_twin.weights import graph_weights, set_graph_weights, set_keras_weights
from tf1_autoencoders.sections import section4_sequences
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import keras, tf1

NAMES = list(ours.SIZES)  # of the small networks
KERAS_FIXTURES = ours.FIXTURES / "keras"
ADAMS = {"exact": build.exact_adam, "Keras": build.keras_adam}
IMPLEMENTATIONS = ("graph", *ADAMS)  # the graph, and the Keras twin with each Adam

# The largest differences allowed between TensorFlow 2 and 1.15.5. Both run the same operations in float32, but with
# kernels of different releases: one pass differs in the 7th digit, and 50 steps amplify this difference. The numbers in
# brackets were measured (2.21, worst network). Most tolerances are three times as large or more, to leave room for
# other processors and releases.
FORWARD = 3e-6  # (9e-7) hidden and final outputs, losses
GRADIENTS = 3e-6  # (8e-7)
EXACT_TOLERANCES = {
    "forward": FORWARD, "gradients": GRADIENTS,
    "trace": 1e-6,  # (2e-7) 50 losses
    "final outputs": 2e-6,  # (4e-7)
    "final weights": 1e-4,  # (3e-5) Adam makes a full step even if a gradient is nothing but rounding
    "m": 1e-5, "v": 5e-6}  # (3e-6, 1e-6) the slots
# Keras's own Adam computes the beta powers from scratch at each step and multiplies in another order.
KERAS_TOLERANCES = {**EXACT_TOLERANCES, "trace": 5e-6, "m": 5e-5, "v": 1e-5}  # (1e-6, 1e-5, 6e-6)
# On raw grey levels 0..255 and with a learning rate of 0.01, training amplifies rounding a hundredfold. 1.15.5 with two
# threads differs as much from 1.15.5 with one thread.
GREY_LEVEL_TOLERANCES = {"trace": 2e-4, "final outputs": 5e-3, "final weights": 5e-3, "m": 5e-2, "v": 5e-3}
# (2e-5, 9e-4, 9e-4, 8e-3, 1e-3)
FIRST_TEN = 5e-6  # the first ten losses of any network, on grey levels too
TOLERANCES = {(implementation, name): {**(KERAS_TOLERANCES if implementation == "Keras" else EXACT_TOLERANCES),
                                       **(GREY_LEVEL_TOLERANCES if name == "section2" else {})}
              for implementation in IMPLEMENTATIONS for name in NAMES}


class Original(NamedTuple):
    """A small network, its data, and the values that TensorFlow 1.15.5 computed."""

    section: Any
    settings: Any
    data: Tuple[Any, ...]
    values: Dict[str, Any]


@functools.lru_cache(maxsize=None)
def original(name):
    """Return the Original of a network."""
    values, section = ours.original_values(name), ours.section_module(name)
    data = tuple(ours.strip_prefix("data", values).values())
    return Original(section, ours.section_settings(name), data, values)


@functools.lru_cache(maxsize=None)
def our_values(implementation, name):
    """Return the values of an implementation, {key: array}, under the original's keys."""
    if implementation == "graph":
        return graph_values(name)
    return twin_values(name, ADAMS[implementation], exact=implementation == "exact")


def graph_values(name, n_steps=ours.N_STEPS, threads=1, **changes):
    """Train the graph from the original's initial values; return its values."""
    section, settings, data, values = original(name)
    model = section.build_graph(dataclasses.replace(settings, **changes))
    with TimedSession(model, threads) as session:
        return ours.run(session, model, data, settings.batch_size, ours.strip_prefix("hidden", values),
                        ours.strip_prefix("initial", values), n_steps)


def loaded_module(lazy):
    """Return the real module behind utils.frameworks.tf1 or keras, whose attributes a test can replace."""
    assert lazy.losses  # loads the module
    return lazy._module


def needs_keras_3():
    """Skip the test under an earlier Keras; the twins and exact_adam need Keras 3."""
    version = loaded_module(keras).__version__
    if int(version.split(".")[0]) < 3:
        pytest.skip(f"the Keras twins need Keras 3, this is Keras {version}")


def twin_and_batches(name, adam=build.exact_adam, exact=True, **changes):
    """Return the Keras twin with the original's initial values, and its batches [(inputs, targets)] of 50 steps."""
    needs_keras_3()
    section, settings, data, values = original(name)
    settings = dataclasses.replace(settings, **changes)
    twin = section.build_keras(settings, adam, **(section.exact_layers if exact else {}))
    set_keras_weights(twin, ours.strip_prefix("initial", values))
    return twin, [section.inputs_and_targets(ours.cyclic_batch(data, k, settings.batch_size), settings)
                  for k in range(ours.N_STEPS)]


def twin_values(name, adam=build.exact_adam, exact=True, n_steps=ours.N_STEPS, **changes):
    """Train the Keras twin from the original's initial values; return its values."""
    twin, batches = twin_and_batches(name, adam, exact, **changes)
    return ours.run_twin(twin, batches, ours.strip_prefix("hidden", original(name).values), n_steps)


def column_difference(implementation_or_values, name, column):
    """Return the relative difference from the original in a column.

    Args:
        implementation_or_values: one of IMPLEMENTATIONS, or values {key: array} with a trace of any length.
        name: the network.
        column: a column of TOLERANCES, or "forward" or "gradients".
    """
    values = implementation_or_values
    if isinstance(values, str):
        values = our_values(values, name)
    return ours.column_difference(values, original(name).values, column)


each_network = pytest.mark.parametrize("name", NAMES)
# Quick are each graph, the exact twin of two networks, and Keras's own Adam on one.
QUICK_TWINS = ("exact", "section2"), ("exact", "section4"), ("Keras", "section2_l2")
each_implementation_of_each_network = pytest.mark.parametrize("implementation, name", [
    (implementation, name) if implementation == "graph" or (implementation, name) in QUICK_TWINS
    else slow(implementation, name) for implementation in IMPLEMENTATIONS for name in NAMES])


def test_the_fixtures_hold_every_section_and_both_readings_of_section_2():
    assert NAMES == ["section1", "section2", "section2_l2", "section3", "section4"]
    assert not ours.SIZES["section2"]["l2_in_loss"] and ours.SIZES["section2_l2"]["l2_in_loss"]


@each_network
def test_the_seeds_give_bit_identical_initial_values_to_1_15(name):
    initial, expected = (ours.strip_prefix("initial", values)
                         for values in (our_values("graph", name), original(name).values))
    assert set(initial) == set(expected)
    for variable, value in expected.items():
        assert initial[variable].tobytes() == value.tobytes(), variable


@each_implementation_of_each_network
def test_hidden_layers_outputs_and_losses_are_those_of_1_15(implementation, name):
    hidden, expected = (ours.strip_prefix("hidden", values)
                        for values in (our_values(implementation, name), original(name).values))
    # Of the convolution that is computed in microbatches, the pooled output is there.
    in_microbatches = {"conv2d"} if (implementation, name) == ("graph", "section3") else set()
    assert set(hidden) == set(expected) - in_microbatches
    assert column_difference(implementation, name, "forward") < FORWARD


@each_implementation_of_each_network
def test_gradients_are_those_of_1_15(implementation, name):
    gradients, expected = (ours.strip_prefix("gradients", values)
                           for values in (our_values(implementation, name), original(name).values))
    assert set(gradients) == set(expected)
    assert column_difference(implementation, name, "gradients") < GRADIENTS


@each_implementation_of_each_network
def test_the_losses_of_50_steps_are_those_of_1_15(implementation, name):
    assert column_difference(implementation, name, "trace") < TOLERANCES[implementation, name]["trace"]
    trace, expected = our_values(implementation, name)["trace"], original(name).values["trace"]
    assert relative_difference(trace[:10], expected[:10]) < FIRST_TEN


@each_implementation_of_each_network
@pytest.mark.parametrize("column", ["final outputs", "final weights", "m", "v"])
def test_weights_slots_and_outputs_after_50_steps_are_those_of_1_15(implementation, name, column):
    assert column_difference(implementation, name, column) < TOLERANCES[implementation, name][column]


@each_network
@pytest.mark.parametrize("implementation", ["graph", "exact"])
def test_the_beta_powers_after_50_steps_are_bit_identical_to_those_of_1_15(implementation, name):
    for power in ("final/beta1_power", "final/beta2_power"):
        assert our_values(implementation, name)[power].tobytes() == original(name).values[power].tobytes()


# Checkpoints

@each_network
def test_a_checkpoint_of_1_15_restores_by_name_bit_identically_with_slots_and_powers(name):
    section, settings, data, values = original(name)
    expected = ours.strip_prefix("final", values)
    model = section.build_graph(settings)
    with model.graph.as_default():
        variables = tf1.global_variables()
    with TimedSession(model) as session:
        saver.restore(session, model.saver, variables, ours.FIXTURES / name / "model.ckpt")
        restored = ours.all_variables(session, model)
        trainer = trainers.GraphTrainer(session, model, ours.cyclic_batch(data, 0, settings.batch_size),
                                        settings.batch_size)
        trainer.feed_row_order(np.arange(settings.batch_size))
        outputs = session.run(model.outputs)
    assert set(restored) == set(expected)
    for variable, value in expected.items():
        assert restored[variable].tobytes() == value.tobytes(), variable
    assert relative_difference(outputs, values["final_outputs"]) < FORWARD


@pytest.mark.parametrize("name", ["section2", "section2_l2"])
def test_reconstruct_image_works_on_a_checkpoint_of_1_15(name):
    _, settings, (images,), values = original(name)
    result = evaluate.reconstruct_image(images, 5, checkpoint_path=ours.FIXTURES / name, settings=settings)
    np.testing.assert_array_equal(result.real, images[5:6])
    assert relative_difference(result.reconstructed, values["final_outputs"][5:6]) < FORWARD and result.origin == {}


def test_a_checkpoint_of_another_width_is_refused_with_the_variable_and_both_shapes():
    settings = dataclasses.replace(original("section2").settings, n_hidden_1=41)
    with pytest.raises(UserError, match=r"dense/kernel has shape \[121, 37\], expected \[121, 41\]; choose the"):
        evaluate.reconstruct_image(original("section2").data[0], 5, checkpoint_path=ours.FIXTURES / "section2",
                                   settings=settings)


@pytest.fixture
def tensorflow_1_15():
    """A function that runs original.py under the Python in TF1_AUTOENCODERS_TF115; without it the test is skipped."""
    python = os.environ.get("TF1_AUTOENCODERS_TF115")
    if not python:
        pytest.skip("needs TensorFlow 1.15.5: set TF1_AUTOENCODERS_TF115 to its python (tests/tf115/README.md)")

    def run(*arguments):
        return subprocess.run([python, "-m", "tests.tf115.original", *map(str, arguments)], stdout=subprocess.PIPE,
                              universal_newlines=True)
    return run


def test_our_checkpoints_restore_bit_identically_in_the_original(tensorflow_1_15, tmp_path):
    ours.write(tmp_path)
    for name in NAMES:
        process = tensorflow_1_15("restore", tmp_path / name / "model.ckpt", "--section",
                                  original(name).section.number)
        n_variables = len(ours.strip_prefix("final", original(name).values))
        assert process.returncode == 0 and process.stdout.count("bit-identical") == n_variables
        assert f"{n_variables} variables restored, 0 different" in process.stdout


def test_under_1_15_the_graphs_are_bit_identical_to_the_original(tensorflow_1_15):
    process = tensorflow_1_15("compare")
    assert process.returncode == 0 and process.stdout.endswith("pass\n"), process.stdout


# Traps. Each test makes a mistake, which the comparison above must detect well beyond its tolerance.

TRAP = 1e-3  # the smallest effect of a wrong formula, 300 times FORWARD and GRADIENTS


def outputs_difference(implementation, name):
    """Return the relative difference of the outputs on the first batch, with the original's initial values."""
    section, settings, data, values = original(name)
    if implementation == "twin":
        twin, batches = twin_and_batches(name)
        return relative_difference(np.asarray(twin(batches[0][0])), values["outputs"])
    # The traps replace operations of the plain layers, which a fused graph does not use.
    model = section.build_graph(dataclasses.replace(settings, **ours.unfused_setting(name)))
    with TimedSession(model) as session:
        set_graph_weights(session, model, ours.strip_prefix("initial", values))
        trainer = trainers.GraphTrainer(session, model, data, 1)
        outputs = trainer.predict(*ours.cyclic_batch(data, 0, settings.batch_size))
    return relative_difference(outputs, values["outputs"])


@pytest.mark.parametrize("implementation", ["graph", "twin"])
def test_without_a_mistake_no_trap_is_reported(implementation):
    assert outputs_difference(implementation, "section4") < FORWARD


def test_trap_l2_is_not_halved(monkeypatch):
    monkeypatch.setattr(layers, "l2_regularizer", lambda scale: lambda w: scale * tf1.reduce_sum(tf1.square(w)))
    values = graph_values("section2_l2", n_steps=3)
    for column in ("forward", "gradients", "trace"):
        assert column_difference(values, "section2_l2", column) > TRAP


def test_trap_keras_l2_has_the_scale_of_contrib(monkeypatch):
    needs_keras_3()
    doubled = type("Doubled", (), {"L2": staticmethod(lambda scale, l2=keras.regularizers.L2: l2(2 * scale))})
    monkeypatch.setattr(loaded_module(keras), "regularizers", doubled)
    values = twin_values("section2_l2", n_steps=3)
    for column in ("forward", "gradients", "trace"):
        assert column_difference(values, "section2_l2", column) > TRAP


@pytest.mark.slow
def test_trap_declared_l2_is_not_minimised_l2():
    assert column_difference(graph_values("section2_l2", n_steps=3, l2_in_loss=False), "section2_l2", "trace") > TRAP


@pytest.mark.slow
def test_trap_keras_epsilon_in_the_twin():
    values = twin_values("section1", n_steps=20, adam_epsilon=build.KERAS_EPSILON)
    assert column_difference(values, "section1", "trace") > 10 * EXACT_TOLERANCES["trace"]


@pytest.mark.slow
def test_trap_keras_epsilon_in_the_graph():
    values = graph_values("section1", n_steps=20, adam_epsilon=build.KERAS_EPSILON)
    assert column_difference(values, "section1", "trace") > 10 * EXACT_TOLERANCES["trace"]


@pytest.mark.slow
def test_trap_betas_in_double_precision():
    def adam(learning_rate, epsilon):
        return keras.optimizers.Adam(learning_rate, beta_1=0.9, beta_2=0.999, epsilon=epsilon)
    values = twin_values("section1", adam)
    assert column_difference(values, "section1", "v") > KERAS_TOLERANCES["v"]


@pytest.mark.slow
def test_trap_gates_in_the_order_of_keras_in_the_graph(monkeypatch):
    def split(gates, n, axis, tf1_split=tf1.split):
        i, f, j, o = tf1_split(gates, n, axis=axis)
        return i, j, f, o
    monkeypatch.setattr(loaded_module(tf1), "split", split)
    assert outputs_difference("graph", "section4") > TRAP


def test_trap_gates_not_swapped_on_the_way_to_keras(monkeypatch):
    monkeypatch.setattr(weights_module, "_swap_gates", lambda array: array)
    assert outputs_difference("twin", "section4") > TRAP


@pytest.mark.slow
def test_trap_no_forget_bias_in_the_graph(monkeypatch):
    monkeypatch.setattr(layers, "FORGET_BIAS", 0.0)
    assert outputs_difference("graph", "section4") > TRAP


def test_trap_no_forget_bias_on_the_way_to_keras(monkeypatch):
    monkeypatch.setattr(weights_module, "FORGET_BIAS", 0.0)
    assert outputs_difference("twin", "section4") > TRAP


def hard_sigmoid(x):
    """Compute the gate activation that is the default of the LSTM in TensorFlow 1.15's tf.keras."""
    return tf1.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)


@pytest.mark.slow
def test_trap_a_hard_sigmoid_in_the_graph(monkeypatch):
    monkeypatch.setattr(loaded_module(tf1), "sigmoid", hard_sigmoid)
    assert outputs_difference("graph", "section4") > TRAP


def test_trap_a_hard_sigmoid_in_keras(monkeypatch):
    needs_keras_3()

    class HardSigmoidLSTM(keras.layers.LSTM):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, recurrent_activation=hard_sigmoid, **kwargs)
    monkeypatch.setattr(keras.layers, "LSTM", HardSigmoidLSTM)
    assert outputs_difference("twin", "section4") > TRAP


@pytest.mark.parametrize("change_seed", [lambda seed: (seed or 0) + 1, lambda seed: None], ids=["another", "none"])
@pytest.mark.parametrize("name", ["section2", slow("section3"), slow("section4")])
def test_trap_operations_have_another_seed_or_none(name, change_seed, monkeypatch):
    glorot = tf1.glorot_uniform_initializer
    monkeypatch.setattr(loaded_module(tf1), "glorot_uniform_initializer", lambda seed: glorot(seed=change_seed(seed)))
    model = original(name).section.build_graph(original(name).settings)
    with TimedSession(model) as session:
        session.run(model.initializer)
        initial = graph_weights(session, model)
    for variable, value in ours.strip_prefix("initial", original(name).values).items():
        assert (initial[variable].tobytes() == value.tobytes()) == variable.endswith("bias")


@pytest.mark.parametrize("layer, identical", [("exact_upsampling", True), ("keras_upsampling", False)])
def test_trap_keras_upsampling_adds_its_gradient_in_another_order(layer, identical):
    needs_keras_3()
    random = np.random.default_rng(0)
    x = tf1.constant(random.random((3, 4, 5, 2), dtype=np.float32))
    slopes = random.normal(size=(3, 8, 10, 2)).astype(np.float32)

    def gradient(upsample):
        with tf1.GradientTape() as tape:
            tape.watch(x)
            total = tf1.reduce_sum(upsample(x) * slopes)
        return np.asarray(tape.gradient(total, x))

    graph_gradient, keras_gradient = gradient(layers.upsample), gradient(getattr(build, layer)("up_sampling2d"))
    assert (keras_gradient.tobytes() == graph_gradient.tobytes()) is identical
    assert relative_difference(keras_gradient, graph_gradient) < GRADIENTS


@pytest.mark.slow
def test_trap_the_exact_twin_of_section_3_needs_exact_upsampling():
    as_the_twin = dict(threads=0, kernels="plain")  # its threads, its operations
    expected = ours.strip_prefix("gradients", graph_values("section3", n_steps=1, **as_the_twin))

    def n_identical(values):
        return sum(value.tobytes() == expected[variable].tobytes()
                   for variable, value in ours.strip_prefix("gradients", values).items())

    # Measured: 13 and 1 of the 14 gradients. The network is too small for a tolerance to tell the two apart.
    assert n_identical(our_values("exact", "section3")) > 7 > n_identical(our_values("Keras", "section3"))


@pytest.mark.slow
def test_trap_fit_and_train_on_batch_return_a_running_mean():
    """Keras averages over the batches since reset_metrics(); newer releases call it in train_on_batch by themselves."""
    trace = original("section1").values["trace"][:5]
    twin, batches = twin_and_batches("section1", build.keras_adam)
    losses = []
    for inputs, targets in batches[:5]:
        twin.reset_metrics()
        losses.append(np.ravel(twin.train_on_batch(inputs, targets))[0])
    assert relative_difference(losses, trace) < FIRST_TEN

    twin, _ = twin_and_batches("section1", build.keras_adam)
    inputs, targets = map(np.concatenate, zip(*batches[:5]))
    loss, = twin.fit(inputs, targets, batch_size=len(batches[0][0]), shuffle=False, verbose=0).history["loss"]
    assert relative_difference(loss, trace[-1]) > TRAP and relative_difference(loss, np.mean(trace)) < FIRST_TEN


def test_trap_a_target_row_of_zeros_has_no_loss_but_a_gradient():
    logits, zeros = np.array([[1.0, 2.0, 4.0]], np.float32), np.zeros((1, 3), np.float32)
    with tf1.Graph().as_default(), tf1.Session() as session:
        x = tf1.constant(logits)
        loss = tf1.nn.softmax_cross_entropy_with_logits_v2(labels=zeros, logits=x)
        loss, gradient, softmax = session.run([loss, tf1.gradients(loss, x)[0], tf1.nn.softmax(x)])
    # Padding with zeros therefore does not exclude a row from the training, and no target of section 4 is such a row.
    assert loss.tolist() == [0] and relative_difference(gradient, softmax) < FORWARD
    _, settings, (_, _, y), _ = original("section4")
    assert (section4_sequences.one_hot(y, settings.cardinality).sum(axis=-1) == 1).all()


FINITE_DIFFERENCES = 1e-2  # (1e-4) float32, steps of 0.01
BLOCK_LSTM_ARGUMENTS = dict(
    seq_len_max=np.int64(4), cs_prev=np.zeros((3, 2), np.float32), h_prev=np.zeros((3, 2), np.float32),
    b=np.zeros(8, np.float32), cell_clip=-1, use_peephole=False,
    **dict.fromkeys(("wci", "wcf", "wco"), np.zeros(2, np.float32)))


def our_lstm(x, kernel, monkeypatch, module=fused):
    """Run lstm_layer on this kernel, with time as the first dimension, as BlockLSTM has it."""
    weights = {"kernel": kernel, "bias": BLOCK_LSTM_ARGUMENTS["b"]}
    monkeypatch.setattr(loaded_module(tf1), "get_variable", lambda name, *_, **__: weights[name])
    return tf1.transpose(module.lstm_layer(tf1.transpose(x, [1, 0, 2]), 2)[0], [1, 0, 2])


@pytest.mark.parametrize("lstm, right", [
    (our_lstm, True), (functools.partial(our_lstm, module=layers), True),
    (lambda x, w, _: tf1.raw_ops.BlockLSTM(x=x, w=w, forget_bias=1.0, **BLOCK_LSTM_ARGUMENTS).h, True),
    (lambda x, w, _: tf1.raw_ops.BlockLSTMV2(x=x, w=w, **BLOCK_LSTM_ARGUMENTS).h, False)],
    ids=["ours", "ours, not fused", "BlockLSTM", "BlockLSTMV2"])
def test_trap_finite_differences_show_that_the_gradient_of_block_lstm_v2_is_wrong(lstm, right, monkeypatch):
    if not hasattr(tf1.raw_ops, "BlockLSTMV2"):
        pytest.skip("TensorFlow 2.0 does not have BlockLSTMV2 yet")
    random = np.random.default_rng(0)
    x, w, slopes = (random.normal(size=shape).astype(np.float32) for shape in ((4, 3, 5), (5 + 2, 8), (4, 3, 2)))
    with tf1.Graph().as_default(), tf1.Session() as session:
        kernel = tf1.placeholder(tf1.float32, w.shape)
        total = tf1.reduce_sum(lstm(tf1.constant(x), kernel, monkeypatch) * slopes)
        gradient = session.run(tf1.gradients(total, [kernel])[0], {kernel: w})
        differences = np.zeros_like(w)
        for element in np.ndindex(*w.shape):
            step = np.zeros_like(w)
            step[element] = 0.01
            higher, lower = (session.run(total, {kernel: w + sign * step}) for sign in (1, -1))
            differences[element] = (higher - lower) / 0.02
    assert (relative_difference(gradient, differences) < FINITE_DIFFERENCES) is right


@pytest.mark.slow
def test_two_processes_write_bit_identical_files_for_every_section(tmp_path):
    processes = [subprocess.Popen([sys.executable, "-m", "tests.tf115.ours", str(tmp_path / folder)],
                                  stdout=subprocess.DEVNULL) for folder in ("first", "second")]
    assert [process.wait() for process in processes] == [0, 0]
    files = sorted(path.relative_to(tmp_path / "first") for path in (tmp_path / "first").rglob("*.*"))
    assert len(files) == 3 * len(NAMES)
    for file in files:
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes(), file


def h5_settings_and_scopes(section):
    """Return (Settings, {layer: TensorFlow 1 scope}) of a model that tests/tf115/keras_h5.py saves."""
    sizes = {"section1": dict(n_input=13, n_hidden_1=11, n_hidden_2=7, n_hidden_3=5, n_latent=3),
             "section4": dict(n_in=5, n_out=3, cardinality=11, n_units=7)}[section]
    scopes = {"lstm": "encoder", "lstm_1": "decoder"} if section == "section4" else {}
    return ours.section_module(section).settings_class(**sizes), scopes


@pytest.mark.parametrize("section", ["section1", "section4"])
def test_h5_weights_of_1_15s_keras_give_its_outputs_in_the_graph_and_in_the_twin(section):
    settings, scopes = h5_settings_and_scopes(section)
    module = ours.section_module(section)
    values = h5_weights.read_h5(KERAS_FIXTURES / f"{section}.h5", scopes, "sigmoid")
    stored = np.load(str(KERAS_FIXTURES / f"{section}.npz"))
    inputs, expected = [stored[f"arr_{k}"] for k in range(len(stored.files) - 1)], stored["answers"]
    model = module.build_graph(settings)
    with TimedSession(model) as session:
        set_graph_weights(session, model, values)
        features = model.features if isinstance(model.features, tuple) else (model.features,)
        assert relative_difference(session.run(model.outputs, dict(zip(features, inputs))), expected) < FORWARD
    twin = module.build_keras(settings)
    set_keras_weights(twin, values)
    assert relative_difference(np.asarray(twin(inputs if len(inputs) > 1 else inputs[0])), expected) < FORWARD


@pytest.mark.parametrize("section", ["section1", "section4"])
def test_h5_weights_are_read_as_they_were_written(section, tmp_path):
    _, scopes = h5_settings_and_scopes(section)
    values = h5_weights.read_h5(KERAS_FIXTURES / f"{section}.h5", scopes, "sigmoid")
    h5_weights.write_h5(tmp_path / f"{section}.h5", values, scopes)
    read_values = h5_weights.read_h5(tmp_path / f"{section}.h5", scopes, "sigmoid")
    assert list(read_values) == list(values)
    for name, value in values.items():
        assert relative_difference(read_values[name], value) < 1e-7, name  # b - 1 + 1 rounds


def test_a_file_that_is_not_h5_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "weights.h5").write_bytes(b"not an h5 file")
    with pytest.raises(ValueError, match="weights.h5: not the weights of a Keras 2 model"):
        h5_weights.read_h5(tmp_path / "weights.h5")


def test_a_file_of_model_save_holds_the_weights_and_the_activations(tmp_path):
    _, scopes = h5_settings_and_scopes("section4")
    saved = h5_weights.read_h5(KERAS_FIXTURES / "section4_model.h5", scopes)
    values = h5_weights.read_h5(KERAS_FIXTURES / "section4.h5", scopes, "sigmoid")
    assert list(saved) == list(values)
    for name, value in values.items():
        np.testing.assert_array_equal(saved[name], value)


def test_an_lstm_with_the_hard_sigmoid_gates_of_1_15s_keras_is_refused():
    with pytest.raises(ValueError, match="default_lstm_model.h5: the LSTM 'lstm' has recurrent_activation="
                                         "'hard_sigmoid'; expected 'sigmoid', as LSTMCell computes"):
        h5_weights.read_h5(KERAS_FIXTURES / "default_lstm_model.h5")


def test_an_lstm_in_a_file_without_activations_needs_the_word_of_the_caller():
    with pytest.raises(ValueError, match="section4.h5: holds an LSTM but not its recurrent_activation"):
        h5_weights.read_h5(KERAS_FIXTURES / "section4.h5")
    with pytest.raises(ValueError, match="section4.h5: the LSTM 'lstm' has recurrent_activation='hard_sigmoid'"):
        h5_weights.read_h5(KERAS_FIXTURES / "section4.h5", recurrent_activation="hard_sigmoid")
    assert h5_weights.read_h5(KERAS_FIXTURES / "section1.h5")  # no LSTM: no word is needed


@pytest.mark.parametrize("names, shape, reason", [
    (["gru/kernel:0", "gru/recurrent_kernel:0"], (4, 12), r"gru/recurrent_kernel has shape \[4, 12\]; expected that"),
    (["gru/forward/kernel:0", "gru/backward/kernel:0"], (4, 16), "gru has two weights named gru/kernel")])
def test_a_layer_that_is_not_one_lstm_is_refused(tmp_path, names, shape, reason):
    with h5py.File(str(tmp_path / "weights.h5"), "w") as file:
        file.attrs["layer_names"] = np.array(["gru"], "S")
        file.create_group("gru").attrs["weight_names"] = np.array(names, "S")
        for name in names:
            file["gru"][name] = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match=reason):
        h5_weights.read_h5(tmp_path / "weights.h5", recurrent_activation="sigmoid")


@pytest.mark.skipif("TF1_AUTOENCODERS_TF115" not in os.environ, reason="needs TensorFlow 1.15.5, see tests/tf115")
def test_1_15s_keras_loads_our_h5_weights(tmp_path):
    for section in ("section1", "section4"):
        _, scopes = h5_settings_and_scopes(section)
        values = h5_weights.read_h5(KERAS_FIXTURES / f"{section}.h5", scopes, "sigmoid")
        h5_weights.write_h5(tmp_path / f"{section}.h5", values, scopes)
    process = subprocess.run([os.environ["TF1_AUTOENCODERS_TF115"], str(ours.HERE / "keras_h5.py"), "check",
                              str(tmp_path)], stdout=subprocess.PIPE, universal_newlines=True)
    assert process.returncode == 0
    assert process.stdout.splitlines()[:2] == ["section1 same outputs", "section4 same outputs"]
