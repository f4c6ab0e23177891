"""Small checkpoints in the style of the usual tutorials, for tests/converting; runs under TensorFlow 1.15.5 only.

    python -m tests.tf115.foreign write     write fixtures/foreign.zip: for each network model.ckpt with its .meta,
                                            and answers.npz with inputs, outputs and the placeholders' names;
                                            each time the same bytes

Nothing here imports the package. Each function builds a network as a program of 2016 to 2019 did, and returns its
inputs, its outputs, its loss and the values that the other placeholders have when the network is used.
"""
from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
import zipfile

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.control_flow_pb2 import CondContextDef, WhileContextDef

FIXTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "foreign.zip")
rnn_cell = tf.nn.rnn_cell
slim = tf.contrib.slim


def mean_square(outputs):
    return tf.reduce_mean(tf.square(outputs - tf.placeholder(tf.float32, outputs.shape, name="y")))


def dense():
    """Aymeric Damien's style: dictionaries of tf.Variable without names, dropout with a placeholder."""
    x, keep_prob = tf.placeholder(tf.float32, [None, 11], name="x"), tf.placeholder(tf.float32)
    weights = {"h1": tf.Variable(tf.random_normal([11, 7])), "out": tf.Variable(tf.random_normal([7, 5]))}
    biases = {"b1": tf.Variable(tf.random_normal([7])), "out": tf.Variable(tf.random_normal([5]))}
    hidden = tf.nn.dropout(tf.nn.relu(tf.add(tf.matmul(x, weights["h1"]), biases["b1"])), keep_prob)
    logits = tf.add(tf.matmul(hidden, weights["out"]), biases["out"])
    labels = tf.placeholder(tf.float32, [None, 5], name="y")
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits))
    return [x], tf.nn.softmax(logits, name="prediction"), loss, {keep_prob: 1.0}


def conv_batch_norm():
    """tf.layers with batch normalisation and a placeholder that says whether the network is trained."""
    x, training = tf.placeholder(tf.float32, [None, 8, 8, 3], name="images"), tf.placeholder(tf.bool, name="training")
    y = tf.layers.conv2d(x, 5, 3, padding="same", use_bias=False)
    y = tf.nn.relu(tf.layers.batch_normalization(y, training=training))
    y = tf.layers.max_pooling2d(y, 2, 2)
    y = tf.layers.conv2d_transpose(y, 4, 3, strides=2, padding="same", activation=tf.nn.elu)
    y = tf.layers.average_pooling2d(y, 2, 2)
    y = tf.layers.dropout(tf.layers.flatten(y), 0.4, training=training)
    y = tf.layers.batch_normalization(tf.layers.dense(y, 6), training=training)
    outputs = tf.layers.dense(y, 3, activation=tf.nn.sigmoid)
    return [x], outputs, mean_square(outputs), {training: False}


def slim_network():
    """tf.contrib.slim with arg_scope, a separable convolution and a global pooling."""
    x = tf.placeholder(tf.float32, [None, 9, 9, 2], name="x")
    with slim.arg_scope([slim.conv2d, slim.separable_conv2d], normalizer_fn=slim.batch_norm,
                        normalizer_params={"is_training": False, "scale": True}):
        y = slim.conv2d(x, 4, [3, 3], stride=2, scope="conv1")
        y = slim.separable_conv2d(y, 6, [3, 3], 1, activation_fn=tf.nn.relu6, scope="separable")
    y = tf.concat([y, slim.conv2d(x, 3, [1, 1], stride=2, scope="shortcut")], 3)
    outputs = slim.fully_connected(tf.reduce_mean(y, [1, 2]), 3, activation_fn=None, scope="logits")
    return [x], outputs, mean_square(outputs), {}


def basic_lstm():
    """Next number of a series: BasicLSTMCell in dynamic_rnn, the last output into a dense layer."""
    x = tf.placeholder(tf.float32, [None, 6, 2], name="X")
    outputs, _ = tf.nn.dynamic_rnn(rnn_cell.BasicLSTMCell(5, forget_bias=0.7), x, dtype=tf.float32)
    weight, bias = tf.get_variable("W_out", [5, 1]), tf.get_variable("b_out", [1])
    prediction = tf.matmul(outputs[:, -1], weight) + bias
    return [x], prediction, mean_square(prediction), {}


def gru():
    """An embedding, a GRUCell in dynamic_rnn, its final state into a dense layer."""
    x = tf.placeholder(tf.int32, [None, 7], name="tokens")
    embedded = tf.nn.embedding_lookup(tf.get_variable("embedding", [13, 4]), x)
    _, state = tf.nn.dynamic_rnn(rnn_cell.GRUCell(5), embedded, dtype=tf.float32)
    outputs = tf.layers.dense(state, 3, activation=tf.nn.softmax)
    return [x], outputs, mean_square(outputs), {}


def static_multi():
    """MultiRNNCell of two LSTMs and a BasicRNNCell in static_rnn."""
    x = tf.placeholder(tf.float32, [None, 4, 3], name="x")
    cells = [rnn_cell.LSTMCell(4), rnn_cell.BasicLSTMCell(3), rnn_cell.BasicRNNCell(2)]
    outputs, _ = tf.nn.static_rnn(rnn_cell.MultiRNNCell(cells), tf.unstack(x, axis=1), dtype=tf.float32)
    prediction = tf.layers.dense(outputs[-1], 2)
    return [x], prediction, mean_square(prediction), {}


def dynamic_multi():
    """MultiRNNCell in dynamic_rnn, all outputs into a dense layer."""
    x = tf.placeholder(tf.float32, [None, None, 3], name="x")
    outputs, _ = tf.nn.dynamic_rnn(rnn_cell.MultiRNNCell([rnn_cell.LSTMCell(4), rnn_cell.GRUCell(3)]), x,
                                   dtype=tf.float32)
    prediction = tf.layers.dense(outputs, 2)
    return [x], prediction, tf.reduce_mean(tf.square(prediction)), {}


def moving_average():
    """Two inputs, a residual connection, and moving averages of the weights in the checkpoint."""
    a, b = tf.placeholder(tf.float32, [None, 6], name="a"), tf.placeholder(tf.float32, [None, 4], name="b")
    y = tf.layers.dense(tf.concat([a, b], 1), 6, activation=tf.nn.tanh)
    outputs = tf.layers.dense(y + a, 2, name="out")
    return [a, b], outputs, mean_square(outputs), {}


def keras_graph():
    """tf.keras of 1.15 in a graph, saved with tf.train.Saver."""
    layers = tf.keras.layers
    x = tf.keras.Input(shape=(6, 6, 2))
    y = layers.Conv2D(3, 3, activation="relu")(x)
    y = layers.DepthwiseConv2D(2, padding="same")(y)
    y = layers.Flatten()(layers.LeakyReLU(0.2)(y))
    outputs = layers.Dense(4, activation="softmax")(layers.Dropout(0.3)(y))
    return [x], outputs, mean_square(outputs), {tf.keras.backend.learning_phase(): False}


def partitioned():
    """A large layer in three parts."""
    x = tf.placeholder(tf.float32, [None, 10], name="x")
    with tf.variable_scope("big", partitioner=tf.fixed_size_partitioner(3)):
        kernel, bias = tf.get_variable("kernel", [10, 5]), tf.get_variable("bias", [5])
    outputs = tf.matmul(x, tf.convert_to_tensor(kernel)) + tf.convert_to_tensor(bias)
    return [x], outputs, mean_square(outputs), {}


def bidirectional():
    """bidirectional_dynamic_rnn over sequences of several lengths: outputs, and both states of one direction."""
    x, lengths = tf.placeholder(tf.float32, [None, 5, 3], name="x"), tf.placeholder(tf.int32, [None], name="lengths")
    outputs, (_, last) = tf.nn.bidirectional_dynamic_rnn(rnn_cell.LSTMCell(4), rnn_cell.BasicLSTMCell(2), x,
                                                         sequence_length=lengths, dtype=tf.float32)
    tagged = tf.reduce_mean(tf.layers.dense(tf.concat(outputs, 2), 3), axis=1)
    return [x, lengths], tf.layers.dense(tf.concat([tagged, last.c, last.h], 1), 2), tf.constant(0.0), {}


def encoder_decoder():
    """The encoder's state is the decoder's first state; the encoder is a GRU over a dense layer's outputs."""
    x, y = tf.placeholder(tf.float32, [None, None, 3], name="x"), tf.placeholder(tf.int32, [None, None], name="targets")
    _, state = tf.nn.dynamic_rnn(rnn_cell.GRUCell(4), tf.layers.dense(x, 5, activation=tf.tanh), dtype=tf.float32)
    outputs, _ = tf.nn.dynamic_rnn(rnn_cell.GRUCell(4), tf.one_hot(y, 6), initial_state=state, scope="decoder")
    return [x, y], tf.layers.dense(outputs, 6), tf.constant(0.0), {}


NETWORKS = {function.__name__: function for function in (
    dense, conv_batch_norm, slim_network, basic_lstm, gru, static_multi, dynamic_multi, moving_average, keras_graph,
    partitioned, bidirectional, encoder_decoder)}
V1_FORMAT = ("dense",)  # written in both formats
# their gradients would be most of the fixture
WITHOUT_TRAINING = ("static_multi", "slim_network", "dynamic_multi", "bidirectional", "encoder_decoder")


def train_op_of(name, loss):
    """Return the operation of a step, with one of the usual optimisers for each network."""
    step = tf.train.get_or_create_global_step()
    if name in WITHOUT_TRAINING:
        return tf.assign_add(step, 1)
    optimizer = {"gru": tf.train.RMSPropOptimizer(0.01), "conv_batch_norm": tf.train.MomentumOptimizer(0.01, 0.9),
                 "partitioned": tf.train.AdagradOptimizer(0.01)}.get(name, tf.train.AdamOptimizer(0.01))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train_op = optimizer.minimize(loss, global_step=step)
    if name == "moving_average":
        with tf.control_dependencies([train_op]):
            return tf.train.ExponentialMovingAverage(0.9).apply(tf.trainable_variables())
    return train_op


def sort_maps(path):
    """Write a .meta file anew with protobuf's maps in order, which have an order of chance otherwise."""
    with open(path, "rb") as meta:
        meta_graph = tf.MetaGraphDef.FromString(meta.read())
    for name, kind in (("cond_context", CondContextDef), ("while_context", WhileContextDef)):
        if name in meta_graph.collection_def:
            contexts = meta_graph.collection_def[name].bytes_list.value
            contexts[:] = [kind.FromString(context).SerializeToString(deterministic=True) for context in contexts]
    with open(path, "wb") as meta:
        meta.write(meta_graph.SerializeToString(deterministic=True))


def write_network(name, folder):
    """Build a network, take three steps on noise, write checkpoint and answers into a folder."""
    random = np.random.RandomState(5)
    tf.keras.backend.clear_session()
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        inputs, outputs, loss, used_with = NETWORKS[name]()
        train_op = train_op_of(name, loss)
        saver = tf.train.Saver()
        session.run(tf.global_variables_initializer())
        for variable in tf.global_variables():  # so that no bias and no mean is 0 and no gain 1
            if variable in tf.trainable_variables() or "moving" in variable.op.name:
                noise = random.uniform(0.2, 0.9, variable.shape) * random.choice([-1, 1], variable.shape)
                variable.load(np.abs(noise) if "variance" in variable.op.name else noise, session)
        labels = [operation.outputs[0] for operation in session.graph.get_operations()
                  if operation.type == "Placeholder" and operation.name == "y"]

        def values(tensor, n):
            shape = [n if k == 0 else size or 5 for k, size in enumerate(tensor.shape.as_list())]
            limit = {"lengths": 6, "targets": 6}.get(tensor.op.name, 13)
            return random.randint(0, limit, shape) if tensor.dtype == tf.int32 else random.uniform(-1, 1, shape)
        for _ in range(3):
            session.run(train_op, {**{tensor: values(tensor, 9) for tensor in inputs + labels}, **used_with})
        saver.save(session, os.path.join(folder, "model.ckpt"), write_state=False)
        sort_maps(os.path.join(folder, "model.ckpt.meta"))
        if name in V1_FORMAT:
            tf.train.Saver(write_version=tf.train.SaverDef.V1).save(
                session, os.path.join(folder, "v1.ckpt"), write_state=False, write_meta_graph=False)
        feeds = {tensor: values(tensor, 9) for tensor in inputs}
        batch = {tensor: values(tensor, 9) for tensor in inputs + labels}
        assert np.isfinite(session.run(loss, {**batch, **used_with}))
        np.savez_compressed(
            os.path.join(folder, "answers.npz"), inputs=[tensor.name for tensor in inputs], output=outputs.name,
            feeds=["{}={}".format(tensor.op.name, value) for tensor, value in used_with.items()],
            answer=session.run(outputs, {**feeds, **used_with}),
            **{"x{}".format(k): feeds[tensor] for k, tensor in enumerate(inputs)})


def write_object_based(folder):
    """Write the weights of a tf.keras model and its Adam as tf.train.Checkpoint and save_weights do."""
    tf.keras.backend.clear_session()
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        model = tf.keras.Sequential([tf.keras.layers.Dense(4, input_shape=(3,), name="hidden"),
                                     tf.keras.layers.Dense(2, name="out")])
        optimizer = tf.train.AdamOptimizer(0.01)
        train_op = optimizer.minimize(tf.reduce_mean(tf.square(model.outputs[0])))
        checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
        session.run(tf.global_variables_initializer())
        session.run(train_op, {model.inputs[0]: np.ones([2, 3])})
        checkpoint.write(os.path.join(folder, "model.ckpt"), session=session)
        np.savez_compressed(os.path.join(folder, "answers.npz"), **{
            variable.op.name.replace("/", "|"): value
            for variable, value in zip(tf.global_variables(), session.run(tf.global_variables()))})


def main(command):
    assert command == "write", command
    folder = tempfile.mkdtemp()
    for name in [*NETWORKS, "object_based"]:
        os.makedirs(os.path.join(folder, name))
        if name == "object_based":
            write_object_based(os.path.join(folder, name))
        else:
            write_network(name, os.path.join(folder, name))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for root, _, files in sorted(os.walk(folder)):
            for file in sorted(files):
                with open(os.path.join(root, file), "rb") as opened:
                    info = zipfile.ZipInfo(os.path.relpath(os.path.join(root, file), folder))  # without the time
                    archive.writestr(info, opened.read(), zipfile.ZIP_DEFLATED)
    shutil.rmtree(folder)
    with open(FIXTURE, "wb") as opened:
        opened.write(content.getvalue())
    print("{}: {} networks, {} bytes".format(FIXTURE, len(NETWORKS) + 1, len(content.getvalue())))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
