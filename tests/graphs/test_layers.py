"""The layers: values, gradients, initial values and names, as in TensorFlow 1.15."""
import functools
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import slow
from tf1_autoencoders.graphs import fused, layers, strategy
from tf1_autoencoders.graphs.layers import cosine_decay, dense_layer, lstm_layer, mean_squared_error
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1

EITHER = pytest.mark.parametrize("module", [layers, fused], ids=["plain", "fused"])


@pytest.fixture
def graph():
    with tf1.Graph().as_default() as graph:
        yield graph


def values(*fetches):
    """Initialise the variables of the default graph and return the values of the fetches."""
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        return session.run(fetches)


def test_a_decaying_rate_follows_a_half_cosine_to_zero(graph):
    rate, global_step = cosine_decay(0.5, 8)
    train_op = tf1.train.GradientDescentOptimizer(rate).minimize(tf1.get_variable("w", []), global_step=global_step)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        rates = [session.run([rate, train_op])[0] for _ in range(10)]
    np.testing.assert_allclose(rates[:8], 0.25 * (1 + np.cos(np.pi * np.arange(8) / 8)), rtol=1e-5)
    assert rates[8:] == [0, 0]
    assert cosine_decay(0.5, None) == (0.5, None)


def test_dense_computes_the_activation_of_x_times_kernel_plus_bias(graph):
    x = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    outputs = dense_layer(tf1.constant(x), 11, activation=tf1.nn.elu, seed=1)
    kernel, bias = tf1.trainable_variables()
    outputs, kernel, bias = values(outputs, kernel, bias)
    linear = x @ kernel + bias
    np.testing.assert_allclose(outputs, np.where(linear > 0, linear, np.expm1(linear)), rtol=1e-5, atol=1e-6)


def test_variables_are_named_as_tensorflow_1_names_them(graph):
    x = tf1.placeholder(tf1.float32, [None, 7])
    dense_layer(dense_layer(x, 5), 3)
    assert [variable.op.name for variable in tf1.trainable_variables()] == [
        "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]


def test_every_graph_counts_its_layers_from_the_start():
    for _ in range(2):
        with tf1.Graph().as_default():
            dense_layer(tf1.placeholder(tf1.float32, [None, 7]), 5)
            assert tf1.trainable_variables()[0].op.name == "dense/kernel"


def test_the_kernel_is_xavier_uniform_and_the_bias_zero(graph):
    dense_layer(tf1.placeholder(tf1.float32, [None, 600]), 400, seed=3)
    kernel, bias = values(*tf1.trainable_variables())
    limit = np.sqrt(6 / (600 + 400))
    assert np.abs(kernel).max() <= limit
    assert np.abs(kernel).max() > 0.99 * limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.01)
    assert not bias.any()


def test_the_same_seed_draws_the_same_kernel_anywhere_in_a_graph(graph):
    x = tf1.placeholder(tf1.float32, [None, 7])
    dense_layer(x, 5, seed=1)
    dense_layer(x, 5, seed=2)
    dense_layer(x, 5, seed=1)
    first, _, second, _, third, _ = values(*tf1.trainable_variables())
    np.testing.assert_array_equal(first, third)
    assert not np.array_equal(first, second)


def test_initial_values_are_those_of_tensorflow_1_15(graph):
    # tf.layers.dense(x, 3, kernel_initializer=tf.contrib.layers.xavier_initializer(seed=7)) of TensorFlow 1.15.5
    dense_layer(tf1.placeholder(tf1.float32, [None, 2]), 3, seed=7)
    expected = [[-0.03518354892730713, 0.013590216636657715, -0.5364531874656677],
                [-0.8221485614776611, 0.9486775398254395, 0.3606410026550293]]
    np.testing.assert_array_equal(values(tf1.trainable_variables()[0])[0], np.array(expected, np.float32))


def test_l2_counts_half_the_squared_sum_of_the_kernel_only(graph):
    dense_layer(tf1.constant(np.ones((1, 7), np.float32)), 5, l2=0.25, seed=1)
    kernel, bias = tf1.trainable_variables()
    penalty, kernel = values(tf1.losses.get_regularization_loss(), kernel)
    assert penalty == pytest.approx(0.25 / 2 * np.sum(kernel.astype(np.float64) ** 2), rel=1e-6)


def test_without_l2_there_are_no_regularization_losses(graph):
    dense_layer(tf1.placeholder(tf1.float32, [None, 7]), 5)
    assert not tf1.get_collection(tf1.GraphKeys.REGULARIZATION_LOSSES)


def test_an_unknown_width_of_the_input_is_refused(graph):
    with pytest.raises(ValueError, match="last dimension .* must be known"):
        dense_layer(tf1.placeholder(tf1.float32, [None, None]), 5)


def test_dense_is_applied_to_each_time_step_separately(graph):
    x = np.random.default_rng(0).normal(size=(5, 3, 7)).astype(np.float32)
    outputs = dense_layer(tf1.constant(x), 11, seed=1)
    assert outputs.shape.as_list() == [5, 3, 11]
    outputs, kernel = values(outputs, tf1.trainable_variables()[0])
    np.testing.assert_allclose(outputs, x @ kernel, rtol=1e-5, atol=1e-6)


def test_dense_reuses_the_variables_of_a_layer_by_its_name(graph):
    x = tf1.constant(np.ones((2, 7), np.float32))
    outputs, reused_outputs = dense_layer(x, 5, seed=1), dense_layer(x, 5, name="dense", reuse=True)
    assert len(tf1.trainable_variables()) == 2
    np.testing.assert_array_equal(*values(outputs, reused_outputs))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_lstm(x, kernel, bias, h, c):
    """Run an LSTM over x [batch, time, n_in] in float64, with gates in TensorFlow 1's order; return (all h, last c)."""
    units, outputs = h.shape[1], []
    for t in range(x.shape[1]):
        gates = np.concatenate([x[:, t], h], axis=1).astype(np.float64) @ kernel + bias
        i, j, f, o = (gates[:, k * units:(k + 1) * units] for k in range(4))
        c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(j)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1), c


@EITHER
@pytest.mark.parametrize("given_state", [False, True])
def test_lstm_computes_its_formula(graph, given_state, module):
    random = np.random.default_rng(0)
    x, h, c = (random.normal(size=shape).astype(np.float32) for shape in ((5, 3, 7), (5, 11), (5, 11)))
    if not given_state:
        h, c = np.zeros_like(h), np.zeros_like(c)
    outputs, state = module.lstm_layer(tf1.constant(x), 11, initial_state=(h, c) if given_state else None, seed=1)
    assert outputs.shape.as_list() == [5, 3, 11]
    kernel, bias = tf1.trainable_variables()
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        bias.load(random.normal(size=44), session)  # zeros would not show a bias at the wrong gate
        outputs, (last_h, last_c), kernel, bias = session.run([outputs, state, kernel, bias])
    expected, expected_c = numpy_lstm(x, kernel, bias, h, c)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(last_c, expected_c, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(last_h, outputs[:, -1])


@EITHER
def test_lstm_gradients_agree_with_finite_differences(graph, module):
    random = np.random.default_rng(0)
    x = random.normal(size=(3, 5, 2)).astype(np.float32)
    outputs, (_, c) = module.lstm_layer(tf1.constant(x), 3, seed=1)
    weights = random.normal(size=(3, 5, 3))
    loss = tf1.reduce_sum(outputs * weights.astype(np.float32)) + tf1.reduce_sum(c)
    variables = tf1.trainable_variables()
    *gradients, kernel, bias = values(*tf1.gradients(loss, variables), *variables)

    def numpy_loss(kernel, bias):
        outputs, c = numpy_lstm(x, kernel, bias, np.zeros((3, 3)), np.zeros((3, 3)))
        return np.sum(outputs * weights) + np.sum(c)

    for index, gradient in enumerate(gradients):
        for element in np.ndindex(gradient.shape):
            losses = []
            for step in (1e-5, -1e-5):
                arrays = [kernel.astype(np.float64), bias.astype(np.float64)]
                arrays[index][element] += step
                losses.append(numpy_loss(*arrays))
            assert gradient[element] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-4, abs=1e-5)


def test_fused_lstm_has_the_gradients_of_the_plain_lstm_for_every_input(graph):
    random = np.random.default_rng(0)
    x, h, c = (tf1.constant(random.normal(size=shape).astype(np.float32)) for shape in ((5, 3, 7), (5, 11), (5, 11)))
    weights, gradients = random.normal(size=(5, 3, 11)).astype(np.float32), []
    for module in (fused, layers):
        with tf1.variable_scope("shared", reuse=tf1.AUTO_REUSE):
            outputs, (last_h, last_c) = module.lstm_layer(x, 11, initial_state=(h, c), seed=1)
        loss = tf1.reduce_sum(outputs * weights) + tf1.reduce_sum(last_h ** 2) + tf1.reduce_sum(tf1.sin(last_c))
        gradients.append(tf1.gradients(loss, [x, h, c, *tf1.trainable_variables()]))
    for of_fused, plain in zip(*values(*gradients)):
        np.testing.assert_allclose(of_fused, plain, rtol=1e-5, atol=1e-6)


def test_the_gradient_of_mean_squared_error_is_bit_identical_to_that_of_the_mean_of_squares(graph):
    random = np.random.default_rng(0)
    outputs, targets = (tf1.constant(random.normal(size=(13, 7)).astype(np.float32)) for _ in range(2))
    ours, plain = mean_squared_error(outputs, targets), tf1.reduce_mean(tf1.square(outputs - targets))
    (our_loss, our_gradient), (plain_loss, plain_gradient) = values(
        *[[loss, *tf1.gradients(loss, outputs)] for loss in (ours, plain)])
    assert our_loss == pytest.approx(plain_loss, rel=1e-6) and our_gradient.tobytes() == plain_gradient.tobytes()


@pytest.mark.parametrize("height, width", [(4, 4), (5, 7), (3, 2)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_fused_convolution_of_an_upsampled_image_differs_only_by_rounding(graph, padding, height, width):
    random, results = np.random.default_rng(0), []
    x = tf1.constant(random.normal(size=(5, height, width, 3)).astype(np.float32))
    weights = random.normal(size=(5, *(2 * side - 2 * (padding == "VALID") for side in (height, width)), 2))
    for module in (fused, layers):
        outputs = module.conv_layer(module.upsample(x), 2, padding=padding, seed=1)
        weighted = tf1.reduce_sum(outputs * weights.astype(np.float32))
        gradients = tf1.gradients(weighted, [x, *tf1.trainable_variables()[-2:]])  # two layers, the same initial values
        assert [operation.type for operation in graph.get_operations()].count("DepthToSpace") == 1
        results.append([outputs, *gradients])
    assert outputs.shape.as_list() == list(weights.shape)
    for of_fused, plain in zip(*values(*results)):
        assert np.abs(of_fused - plain).max() < 1e-6 * np.abs(plain).max()


def test_a_fused_network_never_computes_an_upsampled_image(graph):
    upsampled = fused.upsample(tf1.placeholder(tf1.float32, [None, 4, 4, 2]))
    tf1.gradients(fused.conv_layer(upsampled, 3), tf1.trainable_variables())
    assert upsampled.whole.shape.as_list() == [None, 8, 8, 2] and not upsampled.whole.consumers()


def test_convolution_of_another_image_is_the_plain_one(graph):
    x = tf1.constant(np.random.default_rng(0).normal(size=(2, 6, 8, 3)).astype(np.float32))
    of_fused, plain = values(*(module.conv_layer(x, 2, seed=1) for module in (fused, layers)))
    assert of_fused.tobytes() == plain.tobytes()


@EITHER
@pytest.mark.parametrize("padding", ["same", "EXPLICIT", [[0, 0], [1, 1], [1, 1], [0, 0]]])
def test_an_unknown_padding_is_refused(graph, padding, module):
    image = tf1.placeholder(tf1.float32, [None, 4, 4, 2])
    for make in (lambda: module.conv_layer(module.upsample(image), 3, padding=padding),
                 lambda: module.conv_max_pool(image, 3, padding=padding)):
        with pytest.raises(ValueError, match="conv_layer: padding=.*; expected \"SAME\" or \"VALID\"$"):
            make()


def test_one_setting_names_the_layers():
    assert fused.layers_named("fused") is fused and fused.layers_named("plain") is layers
    with pytest.raises(UserError, match="the setting kernels is 'fast'; expected fused or plain"):
        fused.layers_named("fast")


def test_lstm_variables_are_named_as_tensorflow_1_names_them(graph):
    x = tf1.placeholder(tf1.float32, [None, 3, 7])
    with tf1.variable_scope("encoder"):
        lstm_layer(x, 5)
    shapes = {variable.op.name: variable.shape.as_list() for variable in tf1.trainable_variables()}
    assert shapes == {"encoder/rnn/lstm_cell/kernel": [12, 20], "encoder/rnn/lstm_cell/bias": [20]}


def test_lstm_run_step_by_step_gives_the_outputs_of_the_whole_sequence(graph):
    x = tf1.constant(np.random.default_rng(0).normal(size=(2, 3, 7)).astype(np.float32))
    with tf1.variable_scope("decoder"):
        outputs, last_state = lstm_layer(x, 5, seed=1)
    state, step_outputs = None, []
    for t in range(3):
        with tf1.variable_scope("decoder", reuse=True):
            output, state = lstm_layer(x[:, t:t + 1], 5, initial_state=state)
        step_outputs.append(output)
    assert len(tf1.trainable_variables()) == 2
    outputs, step_outputs, last_state, state = values(outputs, tf1.concat(step_outputs, axis=1), last_state, state)
    np.testing.assert_allclose(step_outputs, outputs, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(state, last_state, rtol=1e-6, atol=1e-7)


def test_a_second_lstm_in_the_same_scope_is_refused(graph):
    x = tf1.placeholder(tf1.float32, [None, 3, 7])
    lstm_layer(x, 5)
    with pytest.raises(ValueError, match="already exists"):
        lstm_layer(x, 5)


def test_lstm_outputs_are_those_of_tensorflow_1_15(graph):
    # tf.nn.dynamic_rnn(tf.nn.rnn_cell.LSTMCell(3, initializer=tf.glorot_uniform_initializer(seed=7)), x) of 1.15.5
    outputs, (_, c) = lstm_layer(tf1.constant([[[1, 2], [-1, 0.5], [0.25, 0]]], tf1.float32), 3, seed=7)
    outputs, c = values(outputs, c)
    expected = [[[-0.3176755905151367, 0.06890302151441574, -0.0367022268474102],
                 [-0.17008446156978607, -0.04997217282652855, -0.13933077454566956],
                 [-0.15178480744361877, -0.03246201202273369, -0.06132258474826813]]]
    np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(c, [[-0.32696735858917236, -0.0609501376748085, -0.12059877812862396]], rtol=1e-6)


def test_an_unknown_number_of_time_steps_is_refused(graph):
    with pytest.raises(ValueError, match="all but the first dimension .* must be known"):
        lstm_layer(tf1.placeholder(tf1.float32, [None, None, 7]), 5)


def test_the_plain_lstm_takes_a_batch_of_0_and_the_fused_one_gives_its_result_or_an_error(graph):
    x = tf1.placeholder(tf1.float32, [None, 3, 7])
    with tf1.variable_scope("plain"):
        plain, _ = lstm_layer(x, 5)
    with tf1.variable_scope("fused"):
        of_fused, _ = fused.lstm_layer(x, 5)
    gradients = tf1.gradients(plain, tf1.trainable_variables("plain"))
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        outputs, *gradients = session.run([plain, *gradients], {x: np.zeros((0, 3, 7))})
        assert outputs.shape == (0, 3, 5) and not any(gradient.any() for gradient in gradients)
        try:
            assert session.run(of_fused, {x: np.zeros((0, 3, 7))}).shape == (0, 3, 5)  # TensorFlow 1.15 to 2.4
        except tf1.errors.InvalidArgumentError as error:
            assert "is empty, has shape: (0,5)" in str(error)


def test_second_derivatives_of_the_plain_lstm_are_those_of_finite_differences(graph):
    x = np.random.default_rng(0).normal(size=(1, 2, 2)).astype(np.float32)
    direction = np.random.default_rng(1).normal(size=x.shape).astype(np.float32)
    fed = tf1.placeholder(tf1.float32, x.shape)
    outputs, _ = lstm_layer(fed, 3, seed=1)
    gradient, = tf1.gradients(tf1.reduce_sum(outputs ** 2), fed)
    second, = tf1.gradients(tf1.reduce_sum(gradient * direction), fed)
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        step = np.float32(1 / 64)
        differences = (session.run(gradient, {fed: x + step * direction}) -
                       session.run(gradient, {fed: x - step * direction})) / (2 * step)
        np.testing.assert_allclose(session.run(second, {fed: x}), differences, rtol=0.01, atol=1e-4)


def test_second_derivatives_of_the_fused_lstm_are_refused(graph):
    x = tf1.constant(np.ones((2, 3, 7), np.float32))
    gradient, = tf1.gradients(fused.lstm_layer(x, 5)[0], x)
    with pytest.raises(LookupError, match=r"the fused LSTM has no second derivatives; .* graphs.layers.lstm_layer$"):
        tf1.gradients(gradient, x)


@pytest.mark.parametrize("n_rows", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("height, width, padding", [(6, 8, "SAME"), (7, 5, "SAME"), (9, 8, "VALID")])
def test_a_pooled_convolution_in_microbatches_equals_the_plain_one(graph, n_rows, height, width, padding):
    random, results = np.random.default_rng(0), []
    x = tf1.constant(random.normal(size=(n_rows, height, width, 3)).astype(np.float32).round())  # with equal pixels
    for pool in (functools.partial(fused.conv_max_pool, n_microbatches=3), layers.conv_max_pool):
        pooled = pool(x, 5, padding=padding, seed=1)
        weights = np.random.default_rng(1).normal(size=(n_rows, *pooled.shape.as_list()[1:])).astype(np.float32)
        gradients = tf1.gradients(tf1.reduce_sum(pooled * weights), [x, *tf1.trainable_variables()[-2:]])
        results.append([pooled, *gradients])
    in_microbatches, plain = values(*results)
    for one, other in zip(in_microbatches, plain):
        assert one.shape == other.shape and np.abs(one - other).max() <= 1e-6 * np.abs(other).max()


def test_a_pooled_convolution_in_microbatches_never_computes_the_whole_batch(graph):
    x = tf1.placeholder(tf1.float32, [None, 8, 8, 1])
    tf1.gradients(fused.conv_max_pool(x, 5, n_microbatches=3), tf1.trainable_variables())
    assert not graph.get_tensor_by_name("conv2d/BiasAdd:0").consumers()


@pytest.mark.parametrize("n_rows", [1, 2, 7, 150])
def test_dense_layers_in_halves_equal_plain_ones(graph, n_rows):
    x = tf1.constant(np.random.default_rng(1).normal(size=(n_rows, 37)).astype(np.float32))

    def network(module):
        hidden = module.dense_layer(x, 11, activation=tf1.nn.elu, seed=1, name="a", reuse=tf1.AUTO_REUSE)
        outputs = module.dense_layer(hidden, 37, seed=2, name="b", reuse=tf1.AUTO_REUSE)
        loss = module.mean_squared_error(outputs, x)
        gradients = tf1.gradients(loss, [*tf1.trainable_variables(), x])
        return [fused.whole(hidden), fused.whole(outputs), *gradients], loss

    (in_halves, loss_of_halves), (plain, loss) = network(fused), network(layers)
    for one, other in zip(*values(in_halves, plain)):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6 * np.abs(other).max())
    np.testing.assert_allclose(*values(loss_of_halves, loss), rtol=1e-6)


@pytest.mark.parametrize("transposed", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("inner", [7, fused.INNER_BLOCK, 2 * fused.INNER_BLOCK + 3])
def test_a_portable_product_is_the_product_whatever_its_inner_dimension(graph, inner, transposed):
    random = np.random.default_rng(1)
    a, b = (random.normal(size=shape).astype(np.float32) for shape in ((5, inner), (inner, 9)))
    fed = [tf1.constant(x.T if turned else x) for x, turned in zip((a, b), transposed)]
    product, = values([fused.portable_matmul(*fed, *transposed)])
    np.testing.assert_allclose(product[0], a.astype(np.float64) @ b, rtol=0, atol=1e-6 * np.abs(a @ b).max())


def test_no_product_of_a_dense_layer_in_halves_is_left_to_onednn(graph):
    x = tf1.placeholder(tf1.float32, [None, 300])
    tf1.gradients(fused.dense_layer(fused.dense_layer(x, 5), 3).whole, [x, *tf1.trainable_variables()])
    assert not [operation.name for operation in graph.get_operations() if operation.type == "MatMul"]


PRODUCTS = """
import hashlib, numpy as np
from tf1_autoencoders.graphs.fused import portable_matmul
from tf1_autoencoders.utils.frameworks import tf1
random = np.random.default_rng(1)
a, b = (random.normal(size=shape).astype(np.float32) for shape in ((75, 1024), (1024, 200)))
with tf1.Graph().as_default(), tf1.Session() as session:
    for matmul in (portable_matmul, tf1.matmul):
        print(hashlib.sha256(session.run(matmul(tf1.constant(a), tf1.constant(b))).tobytes()).hexdigest())
"""


@slow
@pytest.mark.skipif(platform.machine() != "x86_64", reason="these vector instructions are those of x86-64")
def test_a_portable_product_has_the_same_digits_whatever_the_vector_instructions():
    """Of oneDNN, whose own products differ: what a test on one machine can see of the CPUs that the digits are for."""
    digits = [subprocess.run([sys.executable, "-c", PRODUCTS],
                             env={**os.environ, "ONEDNN_MAX_CPU_ISA": name}, cwd=Path(fused.__file__).parents[2],
                             stdout=subprocess.PIPE, check=True).stdout.split() for name in ("SSE41", "AVX2")]
    (portable, of_onednn), (other_portable, other_of_onednn) = digits
    assert portable == other_portable
    assert of_onednn != other_of_onednn


def test_a_dense_layer_in_halves_takes_the_halves_of_the_layer_before(graph):
    x = tf1.placeholder(tf1.float32, [None, 7])
    hidden = fused.dense_layer(x, 5)
    outputs = fused.dense_layer(hidden, 3)
    fused.mean_squared_error(outputs, x[:, :3])
    assert not hidden.whole.consumers() and not outputs.whole.consumers()


def test_an_optimiser_is_itself_unless_a_strategy_wraps_it(graph):
    class Doubling(strategy.Strategy):
        def wrap(self, optimizer):
            return [optimizer, optimizer]
    optimizer = tf1.train.GradientDescentOptimizer(0.1)
    with strategy.scope(Doubling()):
        assert strategy.wrap_optimizer(optimizer) == [optimizer, optimizer]
    assert strategy.wrap_optimizer(optimizer) is optimizer
