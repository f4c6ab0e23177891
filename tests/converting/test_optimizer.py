"""--with-optimizer: one more step of Keras's Adam is one more step of the graph that TensorFlow 1.15.5 wrote."""
import json

import numpy as np
import pytest

from tests.converting.test_weight_map import lstm_model
from tf1_autoencoders.converting.writing.adam import _step
from tf1_autoencoders.converting.writing.weight_map import load_model
from tf1_autoencoders.utils.frameworks import keras, tf1

# Largest difference of a step, relative to the largest step: a weight below 2 (LSTM: bias + 1) is rounded to 1.2e-7
# before the step, after the step and in the conversion, and a step is about the learning rate, 0.01.
STEP = 3 * 1.2e-7 / 0.01


def squares(outputs, labels):
    return keras.ops.mean(keras.ops.square(outputs - labels))


def cross_entropy(outputs, labels):
    return keras.ops.mean(-keras.ops.sum(labels * keras.ops.log(outputs), axis=-1))


def step_of_graph(network, x, labels, folder):
    """Take a step of the original graph, and save; return the new checkpoint."""
    with tf1.Graph().as_default() as graph, tf1.Session() as session:
        saver = tf1.train.import_meta_graph(f"{network.path}.meta")
        saver.restore(session, str(network.path))
        feeds = {graph.get_tensor_by_name(f"{name}:0"): value for name, value in zip(network.inputs, x)}
        feeds[graph.get_tensor_by_name("y:0")] = labels
        for name, value in (("Placeholder:0", 1.0), ("keras_learning_phase:0", False)):
            if name.split(":")[0] in {operation.name for operation in graph.get_operations()}:
                feeds[graph.get_tensor_by_name(name)] = value
        session.run(graph.get_operation_by_name("Adam"), feeds)
        saver.save(session, str(folder / "next.ckpt"))
    return folder / "next.ckpt"


def difference_of_a_step(network, model, convert_again, tmp_path):
    """Return the largest difference between the steps of both, relative to the largest step, over all weights."""
    random = np.random.default_rng(0)
    x = [random.uniform(-1, 1, array.shape).astype(np.float32) for array in network.arrays]
    labels = random.dirichlet(np.ones(network.answer.shape[1]), len(network.answer)).astype(np.float32)
    before = [np.array(weight) for weight in model.trainable_variables]
    loss = cross_entropy if network.output == "prediction" else squares
    with tf1.GradientTape() as tape:
        value = loss(model(x if len(x) > 1 else x[0], training=False), labels)
    model.optimizer.apply(tape.gradient(value, [weight.value for weight in model.trainable_variables]),
                          model.trainable_variables)
    expected = convert_again(step_of_graph(network, x, labels, tmp_path)).trainable_variables
    steps = [(np.max(np.abs(np.asarray(wanted) - old)), np.max(np.abs(np.asarray(weight) - np.asarray(wanted))))
             for weight, wanted, old in zip(model.trainable_variables, expected, before)]
    assert min(step for step, _ in steps) > 0
    return max(gap / step for step, gap in steps)


@pytest.mark.parametrize("name", ["dense", "basic_lstm", "keras_graph", "moving_average"])
def test_one_more_step_of_keras_is_one_more_step_of_the_graph(name, foreign, run, tmp_path):
    network = foreign(name)
    ends = ["--output", network.output, *(part for tensor in network.inputs for part in ("--input", tensor))]

    def converted(path, *arguments):
        code, text = run(path, "--to", "keras", "--out", "model.keras", "--no-check", "--force", *ends, *arguments)
        assert code == 0, text
        return load_model(tmp_path / "model.keras", with_optimizer=bool(arguments)), text
    model, text = converted(network.path, "--with-optimizer")
    assert "Adam after 3 steps" in text and "learning_rate 0.01, beta_1 0.9, beta_2 0.999, epsilon 1e-08" in text
    assert difference_of_a_step(network, model, lambda path: converted(path)[0], tmp_path) < STEP


def test_one_more_step_after_a_map_too_and_what_no_file_says_is_assumed(foreign, run, tmp_path):
    network = foreign("basic_lstm")
    lstm_model().save(str(tmp_path / "empty.keras"))
    (tmp_path / "map.json").write_text(json.dumps({
        "rnn": {"kernel": "rnn/basic_lstm_cell/kernel", "bias": "rnn/basic_lstm_cell/bias", "forget_bias": 0.7},
        "out": {"kernel": "W_out", "bias": "b_out"}}))

    def filled(path, *arguments):
        code, text = run(path, "--to", "keras-weights", "--model", "empty.keras", "--map", "map.json", "--out",
                         "model.keras", "--force", *arguments)
        assert code == 0 and "bit-identical" in text, text
        return load_model(tmp_path / "model.keras", with_optimizer=bool(arguments)), text
    model, text = filled(network.path, "--with-optimizer")
    assert difference_of_a_step(network, model, lambda path: filled(path)[0], tmp_path) < STEP
    assert "assumed" not in text
    assert "learning_rate 0.001 (assumed" in filled(network.path, "--with-optimizer", "--no-meta")[1]


@pytest.mark.parametrize("step", [1, 100, 5_000, 40_000])
def test_the_step_count_comes_from_the_rounded_beta_power(step):
    power = np.float32(0.999)
    for _ in range(step):
        power *= np.float32(0.999)
    assert _step([7, step], float(power), 0.999) == step
    assert abs(_step([], float(power), 0.999) - step) <= 0.5 + 1e-3 * step  # without a counter


@pytest.mark.parametrize("name, form, code, message", [
    ("gru", "keras", 1, "expected the slots of an Adam"), ("dense", "npz", 2, "no other format has an optimiser")])
def test_without_an_adam_the_option_is_refused(name, form, code, message, foreign, run, tmp_path):
    found, text = run(foreign(name).path, "--to", form, "--with-optimizer", "--out", f"m.{form}")
    assert found == code and message in text and len(text.splitlines()) == 1 and not (tmp_path / f"m.{form}").exists()


def test_a_weight_that_is_computed_from_variables_has_no_slots(saved, run):
    """The kernel is a product of two variables: Keras would train the product."""
    def build():
        first, second = (tf1.Variable(np.ones([3, 3], np.float32) * k) for k in (1, 2))
        loss = tf1.reduce_mean(tf1.matmul(tf1.placeholder(tf1.float32, [None, 3], name="x"), first * second))
        tf1.train.AdamOptimizer().minimize(loss)
    code, text = run(saved(build), "--to", "keras", "--with-optimizer", "--out", "m.keras", "--output", "MatMul")
    assert code == 1 and "its slots have no place" in text and len(text.splitlines()) == 1
