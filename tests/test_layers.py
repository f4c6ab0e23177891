"""layers: what dense_layer promises."""
import numpy as np
import pytest

from tf1_autoencoders.frameworks import tf1
from tf1_autoencoders.layers import dense_layer


@pytest.fixture
def graph():
    with tf1.Graph().as_default() as graph:
        yield graph


def values(*fetches):
    with tf1.Session() as session:
        session.run(tf1.global_variables_initializer())
        return session.run(fetches)


def test_it_computes_x_times_kernel_plus_bias(graph):
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


def test_names_start_anew_in_every_graph():
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


def test_the_same_seed_draws_the_same_kernel_in_any_place_of_a_graph(graph):
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


def test_without_l2_nothing_is_collected(graph):
    dense_layer(tf1.placeholder(tf1.float32, [None, 7]), 5)
    assert not tf1.get_collection(tf1.GraphKeys.REGULARIZATION_LOSSES)


def test_an_unknown_width_of_the_input_is_refused(graph):
    with pytest.raises(ValueError, match="last dimension .* must be known"):
        dense_layer(tf1.placeholder(tf1.float32, [None, None]), 5)
