"""Small programs that call tf.contrib, run under the real TensorFlow 1.15.5 and under tf1_autoencoders.tensorflow1.

    tf115/bin/python -m tests.tf115.contrib_calls write [CALL ...] rewrite contrib.npz, contrib_checkpoints.zip
    tf115/bin/python -m tests.tf115.contrib_calls restore FOLDER   restore checkpoints that the package wrote
    python -m tests.tf115.contrib_calls run FOLDER [CALL ...]      write the same files for the package to FOLDER

A program of CALLS takes a `Call`, which makes the placeholders with their values, and returns the output. `record`
builds the program with a graph-level seed only, so that the initial values depend on the number of operations, and
returns names, numbers of operations and values. TensorFlow 1.15.5 made the fixture (fixtures/contrib.npz);
tests/tensorflow1/test_contrib.py compares the package with it.
"""
from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

FIXTURE = Path(__file__).resolve().parent / "fixtures" / "contrib.npz"
CHECKPOINTS = FIXTURE.with_name("contrib_checkpoints.zip")
SAVED = ("fully_connected_normalized", "batch_norm_parameters", "conv2d_transpose", "rnn.AttentionCellWrapper",
         "rnn.LSTMBlockCell_peephole", "slim")  # programs whose checkpoints are exchanged
GRAPHS_ONLY = ("slim_nets_vgg_16", "slim_nets_alexnet", "slim_nets_resnet_v1_50")  # too large to store values of
N_STEPS = 20
EPSILON = 1e-3  # of Adam: by the usual 1e-8, a gradient that cancels out to rounding would move a weight as any other
# In a loop, an operation of one step can draw before that of the step before: 1.15.5 itself differs from run to run
# after some steps of training.
FEWER_STEPS = {"rnn.DropoutWrapper": 5, "rnn.dropout_layers": 5}
MOST_VALUES = 32  # of a large array, this many evenly spaced elements are kept
COLLECTIONS = ("variables", "trainable_variables", "model_variables", "local_variables", "moving_average_variables",
               "regularization_losses", "losses", "summaries", "outputs", "weights", "biases", "activations")
CALLS = {}


def call(function):
    """Register a program under its name, with spaces for underscores."""
    CALLS[function.__name__.replace("__", ".")] = function
    return function


class Call:
    """What a program may use: `tf`, and placeholders whose values are drawn by NumPy with a fixed seed."""

    def __init__(self, tf):
        self.tf, self.layers, self.feeds = tf, tf.contrib.layers, {}
        self._values = np.random.RandomState(7)

    def floats(self, *shape):
        """Return a float32 placeholder of this shape (its first dimension unknown) with normally distributed values."""
        placeholder = self.tf.placeholder(self.tf.float32, (None,) + shape[1:])
        self.feeds[placeholder] = self._values.standard_normal(shape).astype(np.float32)
        return placeholder

    def fixed(self, *shape):
        """Return a float32 placeholder whose shape is fully known."""
        placeholder = self.tf.placeholder(self.tf.float32, shape)
        self.feeds[placeholder] = self._values.standard_normal(shape).astype(np.float32)
        return placeholder

    def integers(self, high, *shape):
        """Return an int32 placeholder with values in [0, high)."""
        placeholder = self.tf.placeholder(self.tf.int32, (None,) + shape[1:])
        self.feeds[placeholder] = self._values.randint(0, high, shape).astype(np.int32)
        return placeholder

    def booleans(self, value):
        """Return a scalar bool placeholder with this value."""
        placeholder = self.tf.placeholder(self.tf.bool, ())
        self.feeds[placeholder] = value
        return placeholder

    def sequence(self, n_steps, batch, width):
        """Return n_steps tensors [batch, width], for static_rnn."""
        return self.tf.unstack(self.floats(batch, n_steps, width), n_steps, axis=1)

    def recurrent(self, cell, batch=3, n_steps=4, width=5):
        """Return the outputs and the final state of dynamic_rnn over a cell, joined in one row per example."""
        outputs, state = self.tf.nn.dynamic_rnn(cell, self.floats(batch, n_steps, width), dtype=self.tf.float32)
        return self.joined([outputs] + self.tf.nest.flatten(state))

    def network(self, name):
        """Return a module of slim.nets, which 1.15.5 imports under its full name only."""
        if hasattr(self.tf, "_seeds"):
            return getattr(self.tf.contrib.slim.nets, name)
        return importlib.import_module(f"tensorflow.contrib.slim.python.slim.nets.{name}")

    def mixed(self, tensor):
        """Return a dense layer of the tensor: without it, normalized values would have no gradient but rounding."""
        return self.layers.fully_connected(self.layers.flatten(tensor), 3, activation_fn=self.tf.nn.tanh)

    def joined(self, tensors):
        """Return the tensors, each reshaped to [batch, -1], side by side."""
        return self.tf.concat([self.tf.reshape(tensor, [self.tf.shape(tensor)[0], -1]) for tensor in tensors], 1)


def relative_differences(values, references):
    """Return {kind of value: the largest difference over the largest reference} of two results of `record`.

    The gradients of all variables are one kind, because a gradient that cancels out to rounding has no size of its own;
    so are the final values.
    """
    kinds = {}
    for key, reference in references.items():
        kinds.setdefault(key.split("/")[0], []).append((values[key], reference))
    return {kind: float(max(np.max(np.abs(np.subtract(value, reference, dtype=np.float64)), initial=0)
                            for value, reference in pairs)
                        / max(max(np.max(np.abs(reference), initial=0) for _, reference in pairs), 1e-30))
            for kind, pairs in kinds.items()}


def sample(array):
    """Return at most MOST_VALUES of an array's values as float32."""
    flat = np.asarray(array, np.float32).ravel()
    return flat if flat.size <= MOST_VALUES else flat[np.linspace(0, flat.size - 1, MOST_VALUES).astype(int)]


def one_thread(tf):
    """Return the configuration of a session whose sums do not depend on threads."""
    return tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)


def count(tf, graph):
    """Return the number of operations that 1.15.5 counts in this graph when an operation asks for its seed."""
    return tf._seeds.count(graph) if hasattr(tf, "_seeds") else graph._last_id


def name_of(member):
    """Return the name of a collection's member without the output number."""
    return getattr(member, "name", str(member)).split(":")[0]


def record(tf, name, n_steps=N_STEPS, initial=None, folder=None):
    """Build a program of CALLS and return what it made.

    Args:
        tf: TensorFlow 1.15.5, or tf1_autoencoders.tensorflow1.
        name: a key of CALLS.
        n_steps: steps of Adam after the first values.
        initial: {variable: array}, values that the variables get after their initialization; None for none.
        folder: where to write the checkpoint `<name>.ckpt` after the training; None writes no checkpoint.

    Returns:
        (facts, values). facts: `operations` created by the program, `variables` [[name, shape]], `collections` {name:
        [names]}, `updates` number of update operations, `output` name of the output. values: {key: float32 array},
        `initial/<variable>`, `output`, `loss`, `gradient/<variable>`, `trace`, `final/<variable>`.
    """
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(2017)
        program = Call(tf)
        output = CALLS[name](program)
        facts = {"operations": count(tf, graph), "output": name_of(output)}
        facts["collections"] = {key: [name_of(member) for member in tf.get_collection(key)] for key in COLLECTIONS
                                if tf.get_collection(key)}
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        facts["updates"] = len(updates)
        variables, trainable = tf.global_variables(), tf.trainable_variables()
        facts["variables"] = [[variable.op.name, variable.shape.as_list()] for variable in variables]
        if name in GRAPHS_ONLY:
            return facts, {}
        loss = tf.reduce_mean(tf.square(tf.cast(output, tf.float32) - 0.25))
        losses = tf.get_collection("regularization_losses") + tf.get_collection("losses")
        loss = tf.add_n([loss] + losses) if losses else loss
        fetches = {"output": output, "loss": loss}
        if trainable:
            gradients = tf.gradients(loss, trainable)
            fetches.update({"gradient/" + variable.op.name: tf.convert_to_tensor(gradient)
                            for variable, gradient in zip(trainable, gradients) if gradient is not None})
            if n_steps:
                with tf.control_dependencies(updates):
                    train_op = tf.train.AdamOptimizer(0.01, epsilon=EPSILON).minimize(loss)
        with tf.Session(config=one_thread(tf)) as session:
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()])
            values = {"initial/" + variable.op.name: np.asarray(session.run(variable), np.float32).ravel()
                      for variable in variables}
            for variable in variables if initial else []:
                value = initial[variable.op.name].reshape(variable.shape.as_list())
                variable.load(value.astype(variable.dtype.as_numpy_dtype), session)
            values.update({key: sample(value) for key, value in session.run(fetches, program.feeds).items()})
            if trainable and n_steps:
                trace = []
                for _ in range(FEWER_STEPS.get(name, n_steps)):
                    trace.append(session.run(loss, program.feeds))
                    session.run(train_op, program.feeds)
                values["trace"] = np.array(trace, np.float32)
                values.update({"final/" + variable.op.name: sample(session.run(variable)) for variable in variables})
            if folder is not None:
                tf.train.Saver(variables).save(session, str(Path(folder) / (name + ".ckpt")), write_meta_graph=False,
                                               write_state=False)
    return facts, values


def restored(tf, name, folder):
    """Restore `<name>.ckpt` of a folder into the program; return {variable: sample of its value}."""
    with tf.Graph().as_default():
        CALLS[name](Call(tf))
        variables = tf.global_variables()
        with tf.Session(config=one_thread(tf)) as session:
            tf.train.Saver(variables).restore(session, str(Path(folder) / (name + ".ckpt")))
            return {variable.op.name: sample(session.run(variable)) for variable in variables}


def load(path=FIXTURE):
    """Return {program: (facts, values)} of a file that `write` or `run` made."""
    with np.load(str(path)) as stored:
        facts, flat = json.loads(str(stored["facts"])), stored["values"]
    programs, start = {}, 0
    for name, fact in facts.items():
        values = {}
        for key, size in fact.pop("sizes"):
            values[key], start = flat[start:start + size], start + size
        programs[name] = fact, values
    return programs


# ---- contrib.layers

@call
def fully_connected(c):
    return c.layers.fully_connected(c.layers.fully_connected(c.floats(3, 5), 4), 2, activation_fn=None)


@call
def fully_connected_regularized(c):
    l2, l1 = c.layers.l2_regularizer(0.1), c.layers.l1_regularizer(0.2)
    return c.layers.fully_connected(c.floats(3, 5), 4, c.tf.nn.tanh, weights_regularizer=l2, biases_regularizer=l1,
                                    biases_initializer=c.tf.random_normal_initializer(stddev=0.1), scope="dense")


@call
def fully_connected_normalized(c):
    hidden = c.layers.fully_connected(c.floats(5, 6), 4, normalizer_fn=c.layers.batch_norm,
                                      normalizer_params={"is_training": True, "scale": True, "decay": 0.9})
    return c.layers.fully_connected(hidden, 3, activation_fn=c.tf.nn.sigmoid, biases_initializer=None)


@call
def fully_connected_rank3(c):
    return c.layers.fully_connected(c.layers.fully_connected(c.floats(2, 3, 5), 4), 2)


@call
def fully_connected_collections(c):
    return c.layers.fully_connected(c.floats(3, 5), 4, outputs_collections="outputs", trainable=True, scope="a/b",
                                    variables_collections={"weights": ["weights"], "biases": ["biases"]})


@call
def fully_connected_reuse(c):
    first = c.layers.fully_connected(c.floats(3, 5), 4, scope="shared")
    return first + c.layers.fully_connected(c.floats(3, 5), 4, scope="shared", reuse=True)


@call
def linear_relu_elu(c):
    hidden = c.layers.elu(c.layers.relu6(c.layers.relu(c.floats(3, 5), 4), 3), 3)
    return c.layers.linear(hidden, 2)


@call
def legacy_fully_connected(c):
    hidden = c.layers.legacy_relu(c.floats(3, 5), 4)
    return c.layers.legacy_linear(hidden, 2, weight_regularizer=c.layers.l2_regularizer(0.1))


@call
def conv2d(c):
    hidden = c.layers.conv2d(c.floats(2, 6, 6, 3), 4, 3)
    return c.layers.conv2d(hidden, 2, [3, 2], stride=2, padding="VALID", activation_fn=None)


@call
def conv2d_options(c):
    hidden = c.layers.convolution2d(c.floats(2, 7, 7, 3), 4, 3, rate=2, normalizer_fn=c.layers.batch_norm)
    return c.layers.conv2d(hidden, 3, 3, weights_initializer=c.tf.truncated_normal_initializer(stddev=0.05),
                           weights_regularizer=c.layers.l2_regularizer(0.05), biases_initializer=None)


@call
def conv1d(c):
    return c.layers.conv1d(c.layers.convolution(c.floats(2, 7, 3), 4, 3), 2, 3, stride=2, padding="VALID")


@call
def conv3d(c):
    return c.layers.conv3d(c.floats(2, 4, 4, 4, 2), 3, 3, stride=2)


@call
def conv2d_transpose(c):
    hidden = c.layers.conv2d_transpose(c.floats(2, 4, 4, 3), 4, 3, stride=2)
    return c.layers.convolution2d_transpose(hidden, 2, [3, 2], 2, "VALID", activation_fn=c.tf.nn.tanh)


@call
def conv2d_transpose_normalized(c):
    return c.layers.conv2d_transpose(c.fixed(2, 3, 3, 2), 3, 4, 2, normalizer_fn=c.layers.batch_norm,
                                     weights_regularizer=c.layers.l2_regularizer(0.05))


@call
def conv3d_transpose(c):
    return c.layers.conv3d_transpose(c.floats(2, 2, 2, 2, 2), 3, 3, stride=2)


@call
def conv2d_in_plane(c):
    return c.layers.conv2d_in_plane(c.floats(2, 6, 6, 3), [3, 2], weights_regularizer=c.layers.l2_regularizer(0.05))


@call
def separable_conv2d(c):
    hidden = c.layers.separable_conv2d(c.floats(2, 6, 6, 3), 4, 3)
    return c.layers.separable_convolution2d(hidden, 2, [3, 3], depth_multiplier=2, stride=2, padding="VALID",
                                            weights_regularizer=c.layers.l2_regularizer(0.05), activation_fn=None)


@call
def separable_conv2d_depthwise(c):
    return c.layers.separable_conv2d(c.floats(2, 6, 6, 3), None, 3, 2, normalizer_fn=c.layers.batch_norm)


@call
def pooling(c):
    images = c.floats(2, 7, 7, 2)
    pooled = c.layers.avg_pool2d(c.layers.max_pool2d(images, 2, stride=1, padding="SAME"), [3, 3], scope="pool")
    return c.layers.flatten(pooled) + c.layers.flatten(c.layers.max_pool2d(images, 3))


@call
def pooling3d(c):
    volumes = c.floats(2, 4, 4, 4, 2)
    return c.layers.max_pool3d(volumes, 2) + c.layers.avg_pool3d(volumes, [2, 2, 2])


@call
def pool(c):
    images = c.floats(2, 7, 7, 2)
    return c.tf.contrib.slim.pool(images, [2, 2], "AVG", stride=2) * 2.0


@call
def flatten(c):
    return c.layers.flatten(c.floats(2, 3, 4, 2), outputs_collections="outputs", scope="flat")


@call
def dropout(c):
    hidden = c.layers.dropout(c.floats(3, 6))
    hidden = c.layers.fully_connected(hidden, 5)
    return c.layers.fully_connected(c.layers.dropout(hidden, 0.8, is_training=c.booleans(True)), 4)


@call
def dropout_options(c):
    hidden = c.layers.dropout(c.floats(3, 6), 0.7, noise_shape=[3, 1], scope="drop", outputs_collections="outputs")
    return c.layers.fully_connected(c.layers.dropout(hidden, 0.5, is_training=False), 4)


@call
def batch_norm(c):
    hidden = c.layers.fully_connected(c.layers.batch_norm(c.floats(4, 5)), 4)
    return c.layers.fully_connected(c.layers.batch_norm(hidden, is_training=False, scale=True), 3)


@call
def batch_norm_images(c):
    hidden = c.layers.batch_norm(c.floats(3, 4, 4, 2), decay=0.9, activation_fn=c.tf.nn.relu)
    hidden = c.layers.batch_norm(c.layers.conv2d(hidden, 2, 3), scale=True, center=False, is_training=c.booleans(True))
    return c.mixed(hidden)


@call
def batch_norm_in_place(c):
    hidden = c.layers.batch_norm(c.floats(4, 5), 0.9, updates_collections=None, is_training=c.booleans(True))
    images = c.layers.batch_norm(c.floats(4, 3, 3, 2), updates_collections=None, scale=True, scope="bn")
    return c.layers.fully_connected(hidden, 2) + c.layers.fully_connected(c.layers.flatten(images), 2)


@call
def batch_norm_not_fused(c):
    hidden = c.layers.batch_norm(c.floats(4, 5), fused=False, scale=True, updates_collections=None)
    images = c.layers.batch_norm(c.floats(4, 3, 3, 2), fused=False, is_training=c.booleans(False))
    return c.layers.fully_connected(hidden, 2) + c.layers.fully_connected(c.layers.flatten(images), 2)


@call
def batch_norm_rank3(c):
    return c.layers.batch_norm(c.floats(4, 3, 5), updates_collections="updates")


@call
def batch_norm_parameters(c):
    initializers = {"beta": c.tf.random_normal_initializer(), "gamma": c.tf.random_uniform_initializer(0.5, 2.0),
                    "moving_mean": c.tf.ones_initializer()}
    return c.layers.batch_norm(c.floats(4, 5), scale=True, param_initializers=initializers,
                               zero_debias_moving_mean=True,
                               param_regularizers={"gamma": c.layers.l2_regularizer(0.1)})


@call
def batch_norm_reuse(c):
    first = c.layers.batch_norm(c.floats(4, 5), scope="bn")
    # in a collection of its own: two updates of one variable would run in any order
    second = c.layers.batch_norm(c.floats(4, 5), scope="bn", reuse=True, updates_collections="others")
    return c.mixed(first + second)


@call
def batch_norm_renorm(c):
    return c.layers.batch_norm(c.floats(4, 5), renorm=True, renorm_decay=0.9)


@call
def layer_norm(c):
    hidden = c.layers.layer_norm(c.layers.fully_connected(c.floats(4, 5), 6))
    images = c.layers.layer_norm(c.floats(4, 3, 3, 2), center=False, activation_fn=c.tf.nn.relu, scope="images")
    return c.layers.fully_connected(hidden, 2) + c.layers.fully_connected(c.layers.flatten(images), 2)


@call
def layer_norm_axes(c):
    return c.layers.layer_norm(c.floats(2, 3, 4, 2), begin_norm_axis=2, begin_params_axis=2)


@call
def instance_norm(c):
    return c.mixed(c.layers.instance_norm(c.layers.conv2d(c.floats(2, 4, 4, 3), 2, 3), activation_fn=c.tf.nn.relu))


@call
def group_norm(c):
    return c.mixed(c.layers.group_norm(c.layers.conv2d(c.floats(2, 4, 4, 3), 4, 3), groups=2))


@call
def bias_add(c):
    return c.layers.bias_add(c.floats(3, 5), activation_fn=c.tf.nn.relu, regularizer=c.layers.l2_regularizer(0.1),
                             initializer=c.tf.random_normal_initializer())


@call
def one_hot_encoding(c):
    return c.layers.fully_connected(c.layers.one_hot_encoding(c.integers(5, 6), 5), 3)


@call
def embed_sequence(c):
    return c.layers.embed_sequence(c.integers(7, 3, 4), 7, 5, regularizer=c.layers.l2_regularizer(0.1), scope="words")


@call
def embed_sequence_unique(c):
    return c.layers.embed_sequence(c.integers(7, 3, 4), vocab_size=7, embed_dim=5, unique=True)


@call
def bow_encoder(c):
    ids = c.integers(7, 3, 4)
    return c.layers.bow_encoder(ids, 7, 5) + c.layers.bow_encoder(ids, 7, 5, sparse_lookup=False, scope="dense")


@call
def embedding_lookup_unique(c):
    table = c.tf.get_variable("table", [7, 3], initializer=c.layers.xavier_initializer())
    return c.layers.embedding_lookup_unique(table, c.integers(7, 3, 4))


@call
def safe_embedding_lookup_sparse(c):
    tf = c.tf
    table = tf.get_variable("table", [7, 3], initializer=c.layers.xavier_initializer())
    ids = tf.SparseTensor([[0, 0], [0, 1], [2, 0], [3, 1]], tf.constant([1, 3, -1, 6], tf.int64), [5, 2])
    return c.layers.safe_embedding_lookup_sparse([table], ids, combiner="mean", default_id=2)


@call
def initializers(c):
    make = [c.layers.xavier_initializer(), c.layers.xavier_initializer(uniform=False),
            c.layers.xavier_initializer_conv2d(), c.layers.variance_scaling_initializer(),
            c.layers.variance_scaling_initializer(1.0, "FAN_AVG", uniform=True),
            c.layers.variance_scaling_initializer(1.5, "FAN_OUT"), c.layers.xavier_initializer(seed=3)]
    matrices = [c.tf.get_variable(f"matrix{k}", [4, 3], initializer=one) for k, one in enumerate(make)]
    kernels = [c.tf.get_variable(f"kernel{k}", [3, 3, 2, 3], initializer=one) for k, one in enumerate(make)]
    vector = c.tf.get_variable("vector", [3], initializer=make[0])
    return c.tf.add_n(matrices) + vector + c.tf.reduce_mean(c.tf.add_n(kernels), [0, 1, 2])


@call
def initializers_as_tensors(c):
    tf = c.tf
    first = tf.Variable(c.layers.xavier_initializer()([4, 3]), name="first")
    return first + tf.Variable(c.layers.variance_scaling_initializer(factor=1.0)(shape=[4, 3]), name="second")


@call
def regularizers(c):
    both = c.layers.l1_l2_regularizer(0.1, 0.2)
    total = c.layers.sum_regularizer([c.layers.l1_regularizer(0.1), c.layers.l2_regularizer(0.3), None])
    first = c.tf.get_variable("first", [4, 3], regularizer=both)
    second = c.tf.get_variable("second", [4, 3], regularizer=total)
    third = c.tf.get_variable("third", [4, 3], regularizer=c.layers.l2_regularizer(0.0))
    c.layers.apply_regularization(c.layers.l2_regularizer(0.1), [third])
    return first + second + third


@call
def apply_regularization(c):
    c.layers.fully_connected(c.floats(3, 5), 4, variables_collections={"weights": ["weights"]})
    return c.layers.apply_regularization(c.layers.l1_regularizer(0.1))


@call
def stack_repeat(c):
    hidden = c.layers.stack(c.floats(3, 5), c.layers.fully_connected, [4, 3], scope="fc")
    images = c.layers.repeat(c.floats(3, 4, 4, 2), 2, c.layers.conv2d, 3, [3, 3], scope="conv")
    images = c.layers.repeat(images, 2, c.layers.conv2d, 2, [1, 1])
    return c.layers.stack(hidden, c.layers.linear, [4, 2]) + c.layers.linear(c.layers.flatten(images), 2)


@call
def stack_of_tuples(c):
    return c.layers.stack(c.floats(3, 5, 5, 2), c.layers.conv2d, [(3, [3, 3]), (2, [1, 1], 2)])


@call
def unit_norm(c):
    return c.mixed(c.layers.unit_norm(c.layers.fully_connected(c.floats(3, 5), 4), 1))


@call
def maxout(c):
    return c.layers.maxout(c.layers.linear(c.floats(3, 5), 6), 2)


@call
def softmax(c):
    return c.layers.softmax(c.layers.linear(c.floats(2, 3, 5), 4))


@call
def images_to_sequence(c):
    return c.layers.sequence_to_images(c.layers.images_to_sequence(c.floats(2, 3, 4, 5)), 3)


@call
def spatial_softmax(c):
    return c.layers.spatial_softmax(c.layers.conv2d(c.floats(2, 4, 5, 2), 3, 3))


@call
def spatial_softmax_temperature(c):
    return c.layers.spatial_softmax(c.layers.conv2d(c.floats(2, 4, 5, 2), 3, 3), temperature=0.5)


@call
def scale_gradient(c):
    return c.layers.fully_connected(c.layers.scale_gradient(c.layers.linear(c.floats(3, 5), 4), 0.1), 2)


@call
def arg_scope(c):
    arg_scope, layers = c.tf.contrib.framework.arg_scope, c.layers
    with arg_scope([layers.conv2d, layers.fully_connected], activation_fn=c.tf.nn.elu,
                   weights_regularizer=layers.l2_regularizer(0.1)) as scope:
        with arg_scope([layers.conv2d], padding="VALID", normalizer_fn=layers.batch_norm):
            hidden = layers.conv2d(c.floats(2, 5, 5, 2), 3, 3)
    with arg_scope(scope):
        with arg_scope([layers.batch_norm], is_training=False, scale=True):
            hidden = layers.batch_norm(hidden)
        return layers.fully_connected(layers.flatten(hidden), 3)


@call
def optimize_loss(c):
    hidden = c.layers.fully_connected(c.floats(3, 5), 4, normalizer_fn=c.layers.batch_norm)
    loss = c.tf.reduce_mean(c.tf.square(hidden))
    step = c.tf.train.get_or_create_global_step()
    return c.layers.optimize_loss(loss, step, 0.1, "SGD", clip_gradients=0.5) + c.layers.linear(c.floats(3, 2), 1)


@call
def optimize_loss_options(c):
    tf = c.tf
    loss = tf.reduce_mean(tf.square(c.layers.linear(c.floats(3, 5), 4)))
    return c.layers.optimize_loss(
        loss, tf.train.create_global_step(), learning_rate=0.1, optimizer=tf.train.AdamOptimizer, name="train",
        learning_rate_decay_fn=lambda rate, step: tf.train.exponential_decay(rate, step, 10, 0.5),
        summaries=["loss", "learning_rate", "gradient_norm", "global_gradient_norm"], gradient_noise_scale=0.1,
        gradient_multipliers={"fully_connected/weights:0": 2.0})


@call
def summaries(c):
    hidden = c.layers.fully_connected(c.floats(3, 5), 4, outputs_collections="activations")
    c.layers.summarize_activation(hidden)
    c.layers.summarize_tensor(c.tf.reduce_mean(hidden), "mean")
    c.layers.summarize_tensors(c.tf.trainable_variables())
    c.layers.summarize_activations()
    c.layers.summarize_collection("trainable_variables", name_filter="weights")
    return hidden


# ---- contrib.framework

@call
def framework_variables(c):
    framework, tf = c.tf.contrib.framework, c.tf
    with tf.variable_scope("model"):
        first = framework.model_variable("first", [3, 4], initializer=c.layers.xavier_initializer(),
                                         regularizer=c.layers.l2_regularizer(0.1))
        second = framework.variable("second", [4], initializer=tf.zeros_initializer(), trainable=False)
    framework.local_variable(tf.zeros([2]), name="third")
    framework.global_variable(tf.zeros([2]), name="fourth")
    assert [v.op.name for v in framework.get_variables("model", "first")] == ["model/first"]
    assert [v.op.name for v in framework.get_variables_by_name("second")] == ["model/second"]
    assert framework.get_unique_variable("model/second") is second
    assert [v.op.name for v in framework.get_variables_to_restore(exclude=["model/first"])] == [
        "model/second", "fourth"]
    assert [v.op.name for v in framework.get_model_variables()] == ["model/first"]
    assert [v.op.name for v in framework.get_local_variables()] == ["third"]
    return first + second


@call
def framework_checks(c):
    framework, tf = c.tf.contrib.framework, c.tf
    step = framework.get_or_create_global_step()
    assert framework.get_global_step() is step
    hidden = framework.with_shape([3, 5], c.floats(3, 5))
    return framework.with_same_shape(hidden, c.floats(3, 5)) + framework.smart_cond(
        c.booleans(True), lambda: tf.ones([5]), lambda: tf.zeros([5]))


@call
def framework_others(c):
    framework, tf = c.tf.contrib.framework, c.tf
    with tf.variable_scope("a") as scope:
        first = framework.variable("x", [2], initializer=tf.ones_initializer())
        second = framework.model_variable("y", [2], initializer=tf.ones_initializer())
        third = tf.get_variable("z", [2], initializer=tf.ones_initializer(), trainable=False)
    names = [[one.op.name for one in found] for found in (
        framework.get_trainable_variables(scope), framework.get_variables_by_suffix("y"),
        framework.filter_variables([first, second, third], ["a/[xz]"], ["z"]), framework.get_variables("a/z"))]
    assert names == [["a/x", "a/y"], ["a/y"], ["a/x"], ["a/z"]], names
    framework.add_model_variable(third)
    framework.add_model_variable(third)
    assert framework.get_variable_full_name(third) == "a/z" and framework.get_name_scope() == ""
    assert framework.is_tensor(first) and not framework.is_tensor(3)
    chooser = framework.VariableDeviceChooser(num_tasks=2)
    assert [chooser(first.op) for _ in range(3)] == [f"/job:ps/task:{k}/device:CPU:0" for k in (0, 1, 0)]
    assert framework.assert_same_float_dtype([first, second]) == tf.float32
    framework.assert_scalar_int(tf.constant(3))
    step = framework.create_global_step()
    framework.assert_global_step(step)
    assert framework.assert_or_get_global_step() is step
    operation, feeds = framework.assign_from_values({"a/x": np.array([3.0, 4.0], np.float32)})
    c.feeds.update(feeds)
    placeholder = c.floats(3, 2)
    assert placeholder in framework.get_placeholders(tf.get_default_graph())
    predictions, labels = framework.remove_squeezable_dimensions(placeholder, c.floats(3, 2, 1))
    doubled = framework.py_func(lambda value: value * 2, args=(predictions,), output_types=tf.float32,
                                output_shapes=tf.TensorShape([None, 2]))
    with tf.control_dependencies([operation]):
        return doubled + labels + tf.identity(third) + second


@call
def framework_sort(c):
    framework, values = c.tf.contrib.framework, c.floats(3, 5)
    order = framework.argsort(values, direction="DESCENDING")
    return framework.sort(values) + c.tf.cast(order, c.tf.float32)


@call
def framework_reduce_sum_n(c):
    return c.tf.contrib.framework.reduce_sum_n([c.layers.linear(c.floats(3, 5), 4), c.floats(3, 4)])


# ---- contrib.rnn

def _cells(tf):
    rnn = tf.contrib.rnn
    return {
        "BasicRNNCell": lambda: rnn.BasicRNNCell(4),
        "BasicLSTMCell": lambda: rnn.BasicLSTMCell(4, forget_bias=0.5),
        "LSTMCell": lambda: rnn.LSTMCell(4),
        "LSTMCell_peepholes": lambda: rnn.LSTMCell(4, use_peepholes=True, cell_clip=0.5, num_proj=3, proj_clip=0.4,
                                                   initializer=tf.random_uniform_initializer(-0.3, 0.3)),
        "GRUCell": lambda: rnn.GRUCell(4),
        "MultiRNNCell": lambda: rnn.MultiRNNCell([rnn.BasicLSTMCell(4), rnn.GRUCell(3)]),
        "MultiRNNCell_joined": lambda: rnn.MultiRNNCell([rnn.GRUCell(4), rnn.GRUCell(3)], state_is_tuple=False),
        "DropoutWrapper": lambda: rnn.DropoutWrapper(rnn.BasicLSTMCell(4), input_keep_prob=0.8, output_keep_prob=0.5),
        "DropoutWrapper_state": lambda: rnn.DropoutWrapper(rnn.GRUCell(4), state_keep_prob=0.5, seed=3),
        "DropoutWrapper_variational": lambda: rnn.DropoutWrapper(
            rnn.GRUCell(4), 0.5, 0.6, 0.7, variational_recurrent=True, input_size=5, dtype=tf.float32),
        "ResidualWrapper": lambda: rnn.ResidualWrapper(rnn.GRUCell(5)),
        "DeviceWrapper": lambda: rnn.DeviceWrapper(rnn.GRUCell(4), "/cpu:0"),
        "InputProjectionWrapper": lambda: rnn.InputProjectionWrapper(rnn.GRUCell(4), 3),
        "InputProjectionWrapper_relu": lambda: rnn.InputProjectionWrapper(rnn.GRUCell(4), 3, tf.nn.relu),
        "OutputProjectionWrapper": lambda: rnn.OutputProjectionWrapper(rnn.BasicLSTMCell(4), 3),
        "OutputProjectionWrapper_relu": lambda: rnn.OutputProjectionWrapper(rnn.GRUCell(4), 3, tf.nn.relu),
        "AttentionCellWrapper": lambda: rnn.AttentionCellWrapper(rnn.BasicLSTMCell(4), 3),
        "AttentionCellWrapper_joined": lambda: rnn.AttentionCellWrapper(rnn.GRUCell(4), 2, 3, 5, state_is_tuple=False),
        "HighwayWrapper": lambda: rnn.HighwayWrapper(rnn.GRUCell(5)),
        "HighwayWrapper_separate": lambda: rnn.HighwayWrapper(rnn.GRUCell(5), couple_carry_transform_gates=False),
        "LayerNormBasicLSTMCell": lambda: rnn.LayerNormBasicLSTMCell(4, dropout_keep_prob=0.8),
        "LayerNormBasicLSTMCell_plain": lambda: rnn.LayerNormBasicLSTMCell(4, layer_norm=False),
        "LSTMBlockCell": lambda: rnn.LSTMBlockCell(4),
        "LSTMBlockCell_peephole": lambda: rnn.LSTMBlockCell(4, cell_clip=0.5, use_peephole=True),
        "GRUBlockCell": lambda: rnn.GRUBlockCell(4),
        "GRUBlockCellV2": lambda: rnn.GRUBlockCellV2(4),
        "CoupledInputForgetGateLSTMCell": lambda: rnn.CoupledInputForgetGateLSTMCell(4),
        "CoupledInputForgetGateLSTMCell_all": lambda: rnn.CoupledInputForgetGateLSTMCell(
            4, use_peepholes=True, num_proj=3, proj_clip=0.3, layer_norm=True),
        "UGRNNCell": lambda: rnn.UGRNNCell(4),
        "IntersectionRNNCell": lambda: rnn.IntersectionRNNCell(4, num_in_proj=4),
        "NASCell": lambda: rnn.NASCell(4),
        "NASCell_projected": lambda: rnn.NASCell(4, num_proj=3, use_bias=True),
        "GLSTMCell": lambda: rnn.GLSTMCell(4, num_proj=4, number_of_groups=2),
        "IndRNNCell": lambda: rnn.IndRNNCell(4),
        "IndyGRUCell": lambda: rnn.IndyGRUCell(4),
        "IndyLSTMCell": lambda: rnn.IndyLSTMCell(4),
        "SRUCell": lambda: rnn.SRUCell(4),
    }


def _register_cells():
    class Names:  # the keys only: no cell is made before a program runs
        contrib = type("contrib", (), {"rnn": None})

    for name in _cells(Names):
        sizes = {"GLSTMCell": {"width": 4}, "AttentionCellWrapper": {"n_steps": 7, "batch": 5},
                 "AttentionCellWrapper_joined": {"n_steps": 7, "batch": 5}}.get(name, {})
        CALLS[f"rnn.{name}"] = lambda c, name=name, sizes=sizes: c.recurrent(_cells(c.tf)[name](), **sizes)


_register_cells()


@call
def rnn__EmbeddingWrapper(c):
    cell = c.tf.contrib.rnn.EmbeddingWrapper(c.tf.contrib.rnn.GRUCell(4), 7, 5)
    outputs, state = c.tf.nn.dynamic_rnn(cell, c.integers(7, 3, 4, 1), dtype=c.tf.float32)
    return c.joined([outputs, state])


@call
def rnn__PhasedLSTMCell(c):
    cell = c.tf.contrib.rnn.PhasedLSTMCell(4)
    times = c.tf.cumsum(c.tf.abs(c.floats(3, 4, 1)), 1)
    outputs, state = c.tf.nn.dynamic_rnn(cell, (times, c.floats(3, 4, 5)), dtype=c.tf.float32)
    return c.joined([outputs, state.c, state.h])


@call
def rnn__ConvLSTMCell(c):
    cell = c.tf.contrib.rnn.Conv2DLSTMCell(input_shape=[4, 4, 2], output_channels=3, kernel_shape=[3, 3])
    outputs, state = c.tf.nn.dynamic_rnn(cell, c.floats(2, 3, 4, 4, 2), dtype=c.tf.float32)
    return c.joined([outputs] + list(state))


@call
def rnn__ConvLSTMCell_1d_3d(c):
    rnn = c.tf.contrib.rnn
    line = rnn.Conv1DLSTMCell(input_shape=[5, 2], output_channels=2, kernel_shape=[3])
    volume = rnn.Conv3DLSTMCell(input_shape=[2, 2, 2, 2], output_channels=2, kernel_shape=[2, 2, 2], use_bias=False)
    outputs = [c.tf.nn.dynamic_rnn(line, c.floats(2, 3, 5, 2), dtype=c.tf.float32, scope="line")[0],
               c.tf.nn.dynamic_rnn(volume, c.floats(2, 2, 2, 2, 2, 2), dtype=c.tf.float32, scope="volume")[0]]
    return c.joined(outputs)


@call
def rnn__ConvLSTMCell_skip(c):
    cell = c.tf.contrib.rnn.ConvLSTMCell(1, [5, 2], 3, [3], skip_connection=True)
    outputs, state = cell(c.floats(2, 5, 2), cell.zero_state(2, c.tf.float32))
    return c.joined([outputs] + list(state))


@call
def rnn__static_rnn(c):
    cell = c.tf.contrib.rnn.BasicLSTMCell(4)
    outputs, state = c.tf.contrib.rnn.static_rnn(cell, c.sequence(3, 2, 5), dtype=c.tf.float32)
    return c.joined(outputs + list(state))


@call
def rnn__static_rnn_lengths(c):
    outputs, state = c.tf.contrib.rnn.static_rnn(c.tf.contrib.rnn.GRUCell(4), c.sequence(3, 2, 5), dtype=c.tf.float32,
                                                 sequence_length=c.integers(3, 2))
    return c.joined(outputs + [state])


@call
def rnn__static_bidirectional_rnn(c):
    rnn = c.tf.contrib.rnn
    outputs, forward, backward = rnn.static_bidirectional_rnn(rnn.BasicLSTMCell(4), rnn.LSTMCell(3),
                                                              c.sequence(3, 2, 5), dtype=c.tf.float32)
    return c.joined(outputs + list(forward) + list(backward))


@call
def rnn__stack_bidirectional_rnn(c):
    rnn = c.tf.contrib.rnn
    outputs, forward, backward = rnn.stack_bidirectional_rnn(
        [rnn.GRUCell(3), rnn.GRUCell(2)], [rnn.GRUCell(3), rnn.GRUCell(2)], c.sequence(3, 2, 5), dtype=c.tf.float32)
    return c.joined(outputs + list(forward) + list(backward))


@call
def rnn__stack_bidirectional_dynamic_rnn(c):
    rnn = c.tf.contrib.rnn
    outputs, forward, backward = rnn.stack_bidirectional_dynamic_rnn(
        [rnn.GRUCell(3), rnn.GRUCell(2)], [rnn.GRUCell(3), rnn.GRUCell(2)], c.floats(2, 3, 5), dtype=c.tf.float32,
        sequence_length=c.integers(4, 2))
    return c.joined([outputs] + list(forward) + list(backward))


@call
def rnn__LSTMBlockFusedCell(c):
    cell = c.tf.contrib.rnn.LSTMBlockFusedCell(4, use_peephole=True, cell_clip=0.5)
    outputs, state = cell(c.fixed(3, 2, 5), dtype=c.tf.float32, sequence_length=c.tf.constant([2, 3]))
    return c.joined([c.tf.contrib.rnn.transpose_batch_time(outputs), state.c, state.h])


@call
def rnn__LSTMBlockFusedCell_plain(c):
    outputs, state = c.tf.contrib.rnn.LSTMBlockFusedCell(4)(c.tf.stack(c.sequence(3, 2, 5)), dtype=c.tf.float32)
    return c.joined([c.tf.contrib.rnn.transpose_batch_time(outputs), state.c, state.h])


@call
def rnn__FusedRNNCellAdaptor(c):
    rnn = c.tf.contrib.rnn
    fused = rnn.TimeReversedFusedRNN(rnn.FusedRNNCellAdaptor(rnn.BasicRNNCell(4), use_dynamic_rnn=True))
    outputs, state = fused(c.fixed(3, 2, 5), dtype=c.tf.float32)
    return c.joined([rnn.transpose_batch_time(outputs), state])


@call
def rnn__dropout_layers(c):
    rnn, tf = c.tf.contrib.rnn, c.tf
    cells = [rnn.DropoutWrapper(rnn.LSTMCell(4), output_keep_prob=0.7) for _ in range(2)]
    outputs, _ = tf.nn.dynamic_rnn(rnn.MultiRNNCell(cells), c.floats(3, 4, 5), dtype=tf.float32)
    return c.layers.fully_connected(outputs[:, -1], 2, activation_fn=None)


# ---- contrib.slim, contrib.losses, contrib.metrics

@call
def slim(c):
    slim, tf = c.tf.contrib.slim, c.tf
    with slim.arg_scope([slim.conv2d, slim.fully_connected], weights_regularizer=slim.l2_regularizer(0.01),
                        weights_initializer=tf.truncated_normal_initializer(0.0, 0.1), normalizer_fn=slim.batch_norm):
        net = slim.repeat(c.floats(3, 8, 8, 2), 2, slim.conv2d, 3, [3, 3], scope="conv1")
        net = slim.max_pool2d(net, [2, 2], scope="pool1")
        net = slim.flatten(net)
        net = slim.stack(net, slim.fully_connected, [4, 3], scope="fc")
        net = slim.dropout(net, 0.5, scope="dropout")
        return slim.fully_connected(net, 2, activation_fn=None, normalizer_fn=None, scope="logits")


def _small_resnet(c, version, **options):
    """Return the logits of a ResNet with two blocks of two units."""
    resnet_utils, module = c.network("resnet_utils"), c.network(f"resnet_v{version}")
    make = getattr(module, f"resnet_v{version}_block")
    blocks = [make("block1", base_depth=2, num_units=2, stride=2), make("block2", base_depth=3, num_units=2, stride=1)]
    with c.tf.contrib.slim.arg_scope(resnet_utils.resnet_arg_scope()):
        logits, end_points = getattr(module, f"resnet_v{version}")(c.floats(8, 8, 8, 3), blocks, 3, scope="resnet",
                                                                   include_root_block=False, **options)
    for name, tensor in end_points.items():
        c.tf.add_to_collection("outputs", c.tf.identity(tensor, name=name.replace("/", "_")))
    return c.layers.flatten(logits)


@call
def slim_nets_resnet_v1(c):
    return _small_resnet(c, 1, is_training=False)


@call
def slim_nets_resnet_v2(c):
    return _small_resnet(c, 2, is_training=False, output_stride=1)


@call
def slim_nets_vgg_16(c):
    vgg = c.network("vgg")
    with c.tf.contrib.slim.arg_scope(vgg.vgg_arg_scope()):
        return vgg.vgg_16(c.fixed(1, 224, 224, 3), 5)[0]


@call
def slim_nets_alexnet(c):
    alexnet = c.network("alexnet")
    with c.tf.contrib.slim.arg_scope(alexnet.alexnet_v2_arg_scope()):
        logits, end_points = alexnet.alexnet_v2(c.fixed(1, 224, 224, 3), 5)
    assert list(end_points)[-1] == "alexnet_v2/fc8"
    return logits


@call
def slim_nets_resnet_v1_50(c):
    resnet_v1 = c.network("resnet_v1")
    with c.tf.contrib.slim.arg_scope(resnet_v1.resnet_arg_scope()):
        return resnet_v1.resnet_v1_50(c.fixed(1, 64, 64, 3), 5)[0]


@call
def slim_losses(c):
    slim, tf = c.tf.contrib.slim, c.tf
    logits = slim.fully_connected(c.floats(3, 5), 4, activation_fn=None)
    slim.losses.softmax_cross_entropy(logits, tf.one_hot(c.integers(4, 3), 4))
    slim.losses.sparse_softmax_cross_entropy(logits, tf.cast(c.integers(4, 3), tf.int64))
    slim.losses.sigmoid_cross_entropy(logits, tf.one_hot(c.integers(4, 3), 4), label_smoothing=0.1)
    slim.losses.mean_squared_error(logits, c.floats(3, 4), weights=0.5)
    slim.losses.absolute_difference(logits, c.floats(3, 4))
    slim.losses.log_loss(tf.nn.sigmoid(logits), tf.one_hot(c.integers(4, 3), 4))
    slim.losses.cosine_distance(tf.nn.l2_normalize(logits, 1), tf.nn.l2_normalize(c.floats(3, 4), 1), dim=1)
    slim.losses.mean_pairwise_squared_error(logits, c.floats(3, 4))
    return slim.losses.get_total_loss()


@call
def losses_weighted(c):
    losses, tf = c.tf.contrib.losses, c.tf
    predictions = c.layers.linear(c.floats(3, 5), 4)
    losses.mean_squared_error(predictions, c.floats(3, 4), weights=tf.constant([[1.0], [0.0], [2.0]]))
    losses.compute_weighted_loss(tf.square(predictions), 0.3)
    losses.add_loss(tf.reduce_sum(losses.hinge_loss(predictions, tf.one_hot(c.integers(4, 3), 4))))
    return predictions


@call
def slim_train_op(c):
    slim, tf = c.tf.contrib.slim, c.tf
    net = slim.fully_connected(c.floats(3, 5), 4, normalizer_fn=slim.batch_norm)
    slim.losses.mean_squared_error(net, c.floats(3, 4))
    total = slim.losses.get_total_loss()
    return slim.learning.create_train_op(total, tf.train.GradientDescentOptimizer(0.1), clip_gradient_norm=0.5,
                                         summarize_gradients=True,
                                         gradient_multipliers={"fully_connected/weights": 2.0})


@call
def sequence_loss(c):
    tf = c.tf
    logits = c.layers.linear(c.floats(3, 4, 5), 6)
    return tf.contrib.seq2seq.sequence_loss(logits, c.integers(6, 3, 4), tf.ones([3, 4]))


@call
def sequence_loss_by_step(c):
    tf = c.tf
    logits = c.layers.linear(c.floats(3, 4, 5), 6)
    by_step = tf.contrib.seq2seq.sequence_loss(logits, c.integers(6, 3, 4), tf.abs(c.floats(3, 4)),
                                               average_across_timesteps=False, name="loss")
    whole = tf.contrib.seq2seq.sequence_loss(logits, c.integers(6, 3, 4), tf.ones([3, 4]),
                                             average_across_batch=False, average_across_timesteps=False)
    return by_step + whole


@call
def metrics_streaming(c):
    metrics, tf = c.tf.contrib.metrics, c.tf
    classes, labels, scores = c.integers(2, 9), c.integers(2, 9), tf.sigmoid(c.floats(9))
    values, targets = c.fixed(9, 3), c.fixed(9, 3)
    three, wide = tf.cast(c.integers(3, 9), tf.int64), c.floats(9, 3)
    updates = [update for _, update in (
        metrics.streaming_accuracy(classes, labels), metrics.streaming_precision(classes, labels),
        metrics.streaming_recall(classes, labels), metrics.streaming_auc(scores, labels),
        metrics.streaming_mean(values), metrics.streaming_mean_squared_error(values, targets),
        metrics.streaming_mean_absolute_error(values, targets),
        metrics.streaming_root_mean_squared_error(values, targets),
        metrics.streaming_mean_cosine_distance(values, targets, dim=1), metrics.streaming_percentage_less(scores, 0.4),
        metrics.streaming_mean_relative_error(values, targets, tf.abs(targets) + 1.0),
        metrics.streaming_true_positives(classes, labels), metrics.streaming_false_positives(classes, labels),
        metrics.streaming_false_negatives(classes, labels), metrics.streaming_recall_at_k(wide, three, 2),
        metrics.streaming_sparse_precision_at_k(wide, three, 2),
        metrics.streaming_sensitivity_at_specificity(scores, labels, 0.5))]
    updates += [tf.reduce_sum(update) for _, update in (
        metrics.streaming_mean_iou(classes, labels, 2), metrics.streaming_mean_tensor(values),
        metrics.streaming_precision_at_thresholds(scores, labels, [0.3, 0.6]),
        metrics.streaming_recall_at_thresholds(scores, labels, [0.3, 0.6]))]
    return tf.stack([tf.cast(update, tf.float32) for update in updates])


@call
def training_gradients(c):
    training, tf = c.tf.contrib.training, c.tf
    loss = tf.reduce_mean(tf.square(c.layers.linear(c.floats(3, 5), 4)))
    pairs = tf.train.GradientDescentOptimizer(0.1).compute_gradients(loss)
    pairs = training.multiply_gradients(pairs, {"fully_connected/weights": 3.0})
    pairs = training.clip_gradient_norms_fn(0.5)(training.clip_gradient_norms(pairs, 0.6))
    training.add_gradients_summaries(pairs)
    return pairs[0][0]


@call
def layers_others(c):
    layers = c.layers
    sparse = layers.dense_to_sparse(c.integers(3, 3, 4))
    hidden = layers.convolution3d(layers.convolution3d_transpose(c.floats(2, 2, 2, 2, 2), 2, 3), 2, 3)
    plane = layers.convolution2d_in_plane(c.floats(2, 4, 4, 2), 3, stride=2)
    hidden = layers.linear(layers.flatten(hidden), 3) + layers.linear(layers.flatten(plane), 3)
    return hidden + c.tf.reduce_sum(c.tf.cast(sparse.values, c.tf.float32))


@call
def metrics_accuracy(c):
    return c.tf.contrib.metrics.accuracy(c.integers(2, 9), c.integers(2, 9))


# ---- commands

def write_programs(tf, file, names, folder, n_steps=N_STEPS):
    """Record programs in a file, which keeps its others, and write the checkpoints of those in SAVED to a folder."""
    programs = load(file) if file.exists() else {}
    for name in names:
        programs[name] = record(tf, name, n_steps, folder=folder if name in SAVED else None)
        facts = programs[name][0]
        print(f"{name:40} {facts['operations']:5} operations, {len(facts['variables']):3} variables", flush=True)
    programs = {name: programs[name] for name in CALLS if name in programs}
    facts = {name: dict(fact, sizes=[[key, int(value.size)] for key, value in values.items()])
             for name, (fact, values) in programs.items()}
    flat = [value for _, values in programs.values() for value in values.values()]
    np.savez_compressed(str(file), facts=np.array(json.dumps(facts)), values=np.concatenate(flat))


def write(args):
    """Run the command: record programs under 1.15.5; without names, all of them and the checkpoints of some."""
    import tensorflow as tf
    tf.logging.set_verbosity(tf.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        write_programs(tf, FIXTURE, args.calls or CALLS, folder)
        if not args.calls:
            with zipfile.ZipFile(str(CHECKPOINTS), "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(Path(folder).iterdir()):  # the date is fixed: two runs write the same bytes
                    archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED)
    print(f"{len(load())} programs, {FIXTURE.stat().st_size} and {CHECKPOINTS.stat().st_size} bytes")
    return 0


def run(args):
    """Run the command: record programs with the package, restore 1.15.5's checkpoints, and write what came out.

    FOLDER gets programs.npz and the checkpoints as `write` makes them, and restored.npz, {"<program>:<variable>":
    sample of the value after 1.15.5's checkpoint was restored}.
    """
    import tf1_autoencoders.tensorflow1 as tf
    tf.logging.set_verbosity(tf.logging.ERROR)
    folder = Path(args.folder)
    write_programs(tf, folder / "programs.npz", args.calls or CALLS, folder, args.steps)
    with tempfile.TemporaryDirectory() as theirs:
        with zipfile.ZipFile(str(CHECKPOINTS)) as archive:
            archive.extractall(theirs)
        values = {f"{name}:{variable}": value for name in SAVED if name in (args.calls or CALLS)
                  for variable, value in restored(tf, name, theirs).items()}
    np.savez_compressed(str(folder / "restored.npz"), **values)
    return 0


def restore(args):
    """Run the command: restore the package's checkpoints under 1.15.5, and compare with its final values."""
    import tensorflow as tf
    tf.logging.set_verbosity(tf.logging.ERROR)
    programs, failed = load(Path(args.folder) / "programs.npz"), 0
    for name in SAVED:
        for variable, value in restored(tf, name, args.folder).items():
            same = value.tobytes() == programs[name][1]["final/" + variable].tobytes()
            failed += not same
            print(f"{name:30} {variable:50} {'bit-identical' if same else 'DIFFERENT'}")
    return int(bool(failed))


def main(argv=None):
    parser = argparse.ArgumentParser(description="Programs that call tf.contrib.")
    commands = parser.add_subparsers(dest="command", metavar="write | restore | run")
    commands.required = True
    for name, function, what in (("write", write, "rewrite the fixtures (1.15.5)"),
                                 ("run", run, "record the programs with the package"),
                                 ("restore", restore, "restore checkpoints of the package (1.15.5)")):
        subparser = commands.add_parser(name, help=what)
        subparser.set_defaults(function=function)
        if name != "write":
            subparser.add_argument("folder", metavar="FOLDER", help="has or gets programs.npz and <program>.ckpt")
        if name != "restore":
            subparser.add_argument("calls", nargs="*", metavar="CALL", help="programs (default: all)")
        if name == "run":
            subparser.add_argument("--steps", type=int, default=N_STEPS, help="steps of Adam (default: %(default)s)")
    args = parser.parse_args(argv)
    if (args.command == "run") == (sys.version_info < (3, 8)):
        sys.exit(f"contrib_calls.py {args.command}: this Python does not have the TensorFlow that it needs (README.md)")
    return args.function(args)


if __name__ == "__main__":
    sys.exit(main())
