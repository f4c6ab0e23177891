"""What tutorials compute beside layers becomes functions of keras.ops in a Keras model, equal to the graph."""
import numpy as np
import pytest

from tests.converting.test_cases import change_meta, converts, placeholder, variable
from tf1_autoencoders.converting.writing.weight_map import load_model
from tf1_autoencoders.utils.frameworks import keras, tf1


def matmul(x, name, n):
    return tf1.matmul(x, variable(name, x.shape[-1], n))


def over_the_last_axis(x, name, n):
    return tf1.tensordot(x, variable(name, x.shape[-1], n), 1)


def attention():
    x = placeholder(None, 5, 4)
    q, k, v = (over_the_last_axis(x, name, 6) for name in "qkv")
    weights = tf1.nn.softmax(tf1.matmul(q, k, transpose_b=True) / tf1.sqrt(tf1.constant(6.0)))
    return matmul(tf1.reduce_sum(tf1.matmul(weights, v), 1), "out", 3)


def additive_attention():
    """A score for each step, then the mean of the steps weighted by its softmax."""
    x = placeholder(None, 5, 4)
    scores = over_the_last_axis(tf1.tanh(over_the_last_axis(x, "w", 6)), "score", 1)
    weights = tf1.expand_dims(tf1.nn.softmax(tf1.squeeze(scores, [2])), 2)
    return matmul(tf1.reduce_sum(x * weights, 1), "out", 3)


def layer_normalization():
    x = matmul(placeholder(None, 4), "w", 6)
    mean, variance = tf1.nn.moments(x, [1], keepdims=True)
    y = tf1.nn.batch_normalization(x, mean, variance, variable("beta", 6), variable("gamma", 6), 1e-6)
    return matmul(y, "w2", 2)


def normalised_over_steps():
    """The statistics are those of all steps, the gain is one for each channel."""
    x = placeholder(None, 5, 4)
    mean, variance = tf1.nn.moments(x, [1, 2], keepdims=True)
    return matmul(tf1.reduce_mean((x - mean) * (tf1.rsqrt(variance + 1e-6) * variable("gamma", 4)), 1), "w", 2)


def instance_normalization():
    x = tf1.nn.conv2d(placeholder(None, 6, 6, 2), variable("w", 3, 3, 2, 4), 1, "SAME")
    mean, variance = tf1.nn.moments(x, [1, 2], keepdims=True)
    y = variable("scale", 4) * ((x - mean) / tf1.sqrt(variance + 1e-5)) + variable("offset", 4)
    y = tf1.pad(y, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
    return tf1.nn.conv2d(y, variable("w2", 3, 3, 4, 1), 1, "VALID")


def batch_and_time_joined():
    """A character network: one product for all steps of all rows, whose output has a row for each step."""
    x = placeholder(None, 5, 4)
    y = tf1.matmul(tf1.reshape(tf1.nn.tanh(x), [-1, 4]), variable("w", 4, 3)) + variable("b", 3)
    return tf1.nn.softmax(y)


def batch_and_time_joined_and_parted():
    y = matmul(tf1.reshape(placeholder(None, 5, 4), [-1, 4]), "w", 6)
    y = tf1.reshape(y, [-1, 5, 6]) * tf1.constant(np.linspace(0, 1, 5, dtype="float32")[:, np.newaxis])
    return matmul(tf1.reduce_max(y, 1), "w2", 2)


def pixel_shuffle():
    y = tf1.nn.conv2d(placeholder(None, 4, 6, 2), variable("w", 3, 3, 2, 8), 1, "SAME")
    return tf1.nn.conv2d(tf1.space_to_depth(tf1.nn.depth_to_space(y, 2), 4), variable("w2", 1, 1, 32, 1), 1, "SAME")


def parts_of_a_tensor():
    x = placeholder(None, 4, 6)
    first, second = tf1.split(x, 2, axis=2)
    y = tf1.stack([first[:, 0], second[:, -1], tf1.slice(x, [0, 1, 2], [-1, 1, 3])[:, 0]], axis=1)
    y = tf1.concat([y, tf1.reverse(y, [2]), tf1.tile(y[:, :1], [1, 3, 1]),
                    tf1.gather(x, [1, 0, 1], axis=1)[:, :, 1:4]], 2)
    return matmul(tf1.reshape(tf1.transpose(y, [0, 2, 1]), [-1, 36]), "w", 2)


def elementwise():
    x = placeholder(None, 6)
    y = tf1.where(x > 0.1, tf1.square(x), tf1.abs(x)) + tf1.cast(x < 0.0, tf1.float32)
    y = tf1.clip_by_value(y, 0.05, 0.5) + tf1.nn.l2_normalize(x, 1) + tf1.cumsum(x, 1) ** 2.0
    return matmul(y * tf1.one_hot(tf1.argmax(x, 1), 6), "w", 2)


def normalised_over_the_batch():
    """A graph that was saved while it was trained: its statistics are those of the batch."""
    x = matmul(placeholder(None, 4), "w", 6)
    mean, variance = tf1.nn.moments(x, [0])
    return matmul(tf1.nn.batch_normalization(x, mean, variance, None, None, 1e-3), "w2", 2)


def local_response_normalization():
    x = tf1.nn.conv2d(placeholder(None, 6, 6, 2), variable("w", 3, 3, 2, 7), 1, "SAME")
    return tf1.nn.conv2d(tf1.nn.lrn(x, 2, bias=1.5, alpha=0.3, beta=0.75), variable("w2", 3, 3, 7, 1), 1, "SAME")


def fused_normalization_in_training():
    x = tf1.nn.conv2d(placeholder(None, 6, 6, 2), variable("w", 3, 3, 2, 4), 1, "SAME")
    y, _, _ = tf1.nn.fused_batch_norm(x, variable("gamma", 4), variable("beta", 4), epsilon=0.01, is_training=True)
    return tf1.nn.conv2d(y, variable("w2", 3, 3, 4, 1), 1, "SAME")


@pytest.mark.parametrize("build", [attention, additive_attention, layer_normalization, normalised_over_steps,
                                   instance_normalization, batch_and_time_joined,
                                   batch_and_time_joined_and_parted, pixel_shuffle, parts_of_a_tensor, elementwise,
                                   normalised_over_the_batch, fused_normalization_in_training,
                                   local_response_normalization])
def test_what_is_no_layer_is_a_function_of_keras(build, saved, run, in_this_process):
    converts(run, saved(lambda: tf1.identity(build(), name="y")), "keras", "--output", "y")


def static_bidirectional(tf):
    steps = tf.unstack(placeholder(None, 5, 4), axis=1)
    outputs, _, _ = tf.contrib.rnn.static_bidirectional_rnn(
        tf.nn.rnn_cell.BasicLSTMCell(3), tf.nn.rnn_cell.GRUCell(3), steps, dtype=tf.float32)
    return matmul(outputs[-1], "w", 2)  # the last step forwards, and the first one backwards


def static_backwards(tf):
    steps = tf.unstack(placeholder(None, 5, 4), axis=1)[::-1]
    outputs, _ = tf.contrib.rnn.static_rnn(tf.nn.rnn_cell.GRUCell(3), steps, dtype=tf.float32)
    return tf.stack(outputs[::-1], axis=1)


def legacy_decoder(tf):
    """A character network of 2016: steps that are split and squeezed, outputs that are joined beside each other."""
    steps = [tf.squeeze(step, [1]) for step in tf.split(placeholder(6, 5, 4), 5, 1)]
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.BasicLSTMCell(3) for _ in range(2)])
    outputs, _ = tf.contrib.legacy_seq2seq.rnn_decoder(steps, cell.zero_state(6, tf.float32), cell)
    return matmul(tf.reshape(tf.concat(outputs, 1), [-1, 3]), "w", 2)


def block_cells(tf):
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.contrib.rnn.LSTMBlockCell(3, forget_bias=0.5) for _ in range(2)])
    outputs, state = tf.nn.dynamic_rnn(cell, placeholder(None, 5, 4), dtype=tf.float32)
    return matmul(tf.concat([outputs[:, -1], state[0].c, state[1].h], 1), "w", 2)


def block_cells_unrolled(tf):
    cell, steps = tf.contrib.rnn.LSTMBlockCell(3), tf.unstack(placeholder(None, 5, 4), axis=1)
    return matmul(tf.contrib.rnn.static_rnn(cell, steps, dtype=tf.float32)[0][-1], "w", 2)


def residual_cells(tf):
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.contrib.rnn.ResidualWrapper(tf.nn.rnn_cell.GRUCell(4)) for _ in range(2)])
    outputs, _ = tf.nn.dynamic_rnn(cell, placeholder(None, 5, 4), dtype=tf.float32)
    return tf.concat([matmul(outputs[:, -1], "w", 2), matmul(tf.reduce_sum(outputs, 1), "w2", 2)], 1)


@pytest.mark.parametrize("build", [static_bidirectional, static_backwards, legacy_decoder, block_cells,
                                   block_cells_unrolled, residual_cells])
def test_recurrent_networks_of_contrib_are_layers_of_keras(build, saved, run, in_this_process):
    pytest.importorskip("tf_keras")
    with tf1.Graph().as_default():  # the namespace then leaves eager execution on for the other tests of this process
        from tf1_autoencoders import tensorflow1
    with tensorflow1._seeds.switches_of_1():  # loops as TensorFlow 1 has them
        path = saved(lambda: tf1.identity(build(tensorflow1), name="y"))
    converts(run, path, "keras", "--output", "y")


def test_a_normalisation_over_the_last_axis_is_a_layer(saved, run, tmp_path, in_this_process):
    converts(run, saved(layer_normalization), "keras")
    layers = load_model(tmp_path / "out.keras").layers
    assert [type(layer) for layer in layers[2:-1]] == [keras.layers.LayerNormalization]


def test_a_vector_that_is_added_is_said_to_be_added_and_keeps_its_slots(saved, run, in_this_process):
    def build():
        y = tf1.square(placeholder(None, 4) + variable("shift", 4)) * variable("gain", 4)
        tf1.train.AdamOptimizer().minimize(tf1.reduce_sum(tf1.matmul(y, variable("w", 4, 2), name="y")))
    path = saved(build)
    assert ": plus a vector, as BatchNormalization(epsilon=0.0, scale=False)  [shift]" in run(path)[1]
    assert "3 variables with slots" in converts(run, path, "keras", "--with-optimizer")


def test_a_product_over_the_last_axis_with_a_shape_that_the_graph_reads_is_one_dense_layer(saved, run, tmp_path,
                                                                                           in_this_process):
    def build():
        x = placeholder(None, 7, 4)
        y = tf1.matmul(tf1.reshape(x, [-1, 4]), variable("w", 4, 3))
        tf1.reshape(y, tf1.concat([tf1.shape(x)[:2], [3]], 0), name="y")
    converts(run, saved(build), "keras")
    assert [type(layer) for layer in load_model(tmp_path / "out.keras").layers[1:]] == [keras.layers.Dense]


def test_rows_that_are_parted_again_need_no_reshape(saved, run, in_this_process):
    """Several layers on the rows of all steps, whose number is not known before the graph runs."""
    def build():
        x = placeholder(None, None, 4)
        y = tf1.nn.tanh(tf1.matmul(tf1.reshape(x, [-1, 4]), variable("w", 4, 3)) + variable("b", 3))
        y = tf1.matmul(y, variable("w2", 3, 2))
        tf1.nn.softmax(tf1.reshape(y, tf1.stack([tf1.shape(x)[0], -1, 2])), name="y")
    assert "Reshape" not in run(saved(build))[1].split("output: ")[1]
    converts(run, saved(build), "keras")


def test_rows_that_are_not_those_of_the_batch_are_not_guessed(saved, run, in_this_process):
    def build():
        x, other = placeholder(None, None, 4), placeholder(None, None, name="other")
        y = tf1.nn.tanh(tf1.matmul(tf1.reshape(x, [-1, 4]), variable("w", 4, 3)))
        tf1.nn.relu(tf1.reshape(y, tf1.stack([tf1.shape(other)[1], -1, 3])), name="y")
    code, text = run(saved(build), "--to", "keras", "--out", "out.keras")
    assert code == 1 and "Reshape at Reshape_1" in text, text


def test_operations_that_differ_only_in_case_are_written_and_loaded(saved, run, in_this_process):
    def build():
        tf1.nn.relu(tf1.matmul(placeholder(None, 4), variable("w", 4, 3), name="first"), name="second")

    def rename(meta_graph):
        for node in meta_graph.graph_def.node:
            node.name = {"first": "Add", "second": "add"}.get(node.name, node.name)
            node.input[:] = ["Add" if tensor == "first" else tensor for tensor in node.input]
    path = saved(build)
    change_meta(path, rename)
    for form in ("savedmodel", "frozen", "keras"):
        assert "x -> add" in converts(run, path, form)
