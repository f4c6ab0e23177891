"""Graphs of other kinds: an input pipeline, random numbers, tf.Print. They are made by the installed TensorFlow."""
from types import SimpleNamespace

import numpy as np
import pytest

from tests.converting.test_convert import FORWARD
from tf1_autoencoders.checkpointing.checkpoint_file import find_meta
from tf1_autoencoders.converting import proof
from tf1_autoencoders.converting.graph.ends import find_ends
from tf1_autoencoders.converting.graph.foreign_graph import ForeignGraph
from tf1_autoencoders.converting.writing.weight_map import load_model
from tf1_autoencoders.graphs.layers import dense_layer
from tf1_autoencoders.utils.frameworks import tf1


def pipeline():
    rows = (np.ones([8, 3], "float32"), np.ones([8, 5], "float32"))
    dataset = tf1.data.Dataset.from_tensor_slices(rows).map(lambda a, b: (a, 2 * b)).batch(4)
    _, features = tf1.data.make_one_shot_iterator(dataset).get_next()
    dense_layer(dense_layer(features, 4, activation=tf1.nn.elu, seed=1), 2, seed=2)


@pytest.mark.parametrize("form", ["savedmodel", "keras"])
def test_a_network_behind_an_input_pipeline_is_cut_there(form, saved, run, in_this_process):
    path = saved(pipeline)
    assert find_ends(ForeignGraph.read(find_meta(path)), [], [], {}).inputs == ["IteratorGetNext:1"]
    code, text = run(path, "--to", form, "--out", f"out.{form}")
    assert code == 0 and "IteratorGetNext:1 -> dense_1/BiasAdd" in text and "pass" in text, text


def test_what_a_graph_draws_is_an_input_or_it_is_written_and_not_compared(saved, run, tmp_path, in_this_process):
    def build():
        hidden = dense_layer(tf1.placeholder(tf1.float32, [None, 3], name="x"), 4, seed=1)
        code = tf1.identity(hidden + tf1.random.normal(tf1.shape(hidden)), name="code")
        dense_layer(code, 2, seed=2)
    path = saved(build)
    for form in ("savedmodel", "keras"):  # of a variational autoencoder, the sample is an input
        code, text = run(path, "--to", form, "--out", f"sample.{form}")
        assert code == 0 and "x, random_normal/RandomStandardNormal -> dense_1/BiasAdd" in text and "pass" in text, text
    assert "random_normal/RandomStandardNormal draws random numbers: an input, which takes a sample" in text
    code, text = run(path, "--to", "savedmodel", "--out", "out", "--input", "x")
    assert code == 1 and "not compared: the outputs depend on random numbers" in text and (tmp_path / "out").is_dir()
    code, text = run(path, "--to", "savedmodel", "--out", "decoder", "--input", "code")
    assert code == 0 and "pass" in text, text


def test_a_placeholder_that_is_missing_is_named(saved, run):
    def build():
        x, scale = tf1.placeholder(tf1.float32, [None, 3], name="x"), tf1.placeholder(tf1.float32, [], name="scale")
        dense_layer(x * scale, 2, seed=1)
    code, text = run(saved(build), "--to", "savedmodel", "--out", "out", "--input", "x", "--feed", "x=1")
    assert code == 1 and "scale" in text and len(text.splitlines()) == 1


def queue():
    features, _ = tf1.train.batch([tf1.ones([3]), tf1.ones([])], 8)
    hidden = tf1.nn.dropout(dense_layer(features, 4, activation=tf1.nn.elu, seed=1), rate=0.4)
    dense_layer(hidden, 2, seed=2)


def test_a_network_behind_a_queue_is_cut_there_and_its_dropout_keeps_everything(saved, run, in_this_process):
    """The mask has the queue's eight rows, so that the original answers for eight rows only."""
    code, text = run(saved(queue), "--to", "keras", "--out", "out.keras")
    assert code == 0 and "batch -> dense_1/BiasAdd" in text and "over 8 rows" in text and "pass" in text, text
    assert "dropout/GreaterEqual/y = 0.0, assumed" in text and "dropout/Const = 1.0, assumed" in text


def test_the_values_come_from_the_saver_that_wrote_the_file(saved, run, in_this_process):
    def two_savers():
        dense_layer(tf1.placeholder(tf1.float32, [None, 3], name="x"), 2, seed=1)
        tf1.train.Saver({f"other/{variable.op.name}": variable for variable in tf1.global_variables()})
    code, text = run(saved(two_savers), "--to", "frozen", "--out", "out.pb")
    assert code == 0 and "pass" in text, text


def test_an_estimators_graph_pbtxt_stands_for_the_meta_file(saved, run, tmp_path, in_this_process):
    path = saved(lambda: dense_layer(tf1.placeholder(tf1.float32, [None, 3], name="x"), 2, seed=1))
    graph_def = tf1.MetaGraphDef.FromString(find_meta(path).read_bytes()).graph_def
    tf1.train.write_graph(graph_def, str(tmp_path), "graph.pbtxt")
    find_meta(path).unlink()
    code, text = run(path, "--to", "keras", "--out", "out.keras")
    assert code == 0 and "pass" in text, text
    (tmp_path / "graph.pbtxt").write_text("node { name: ")
    code, text = run(path, "--to", "keras", "--out", "out.keras", "--force")
    assert code == 1 and "graph.pbtxt: not the .meta file" in text and len(text.splitlines()) == 1


@pytest.mark.parametrize("build, arguments, message", [
    (lambda: tf1.matmul(tf1.ones([2, 3]), tf1.get_variable("w", [3, 2])), ["--output", "MatMul"], "on no placeholder"),
    (lambda: tf1.gather(tf1.get_variable("w", [3, 2]), tf1.strings.to_number(
        tf1.placeholder(tf1.string, [None]), tf1.int32), name="rows"), ["--output", "rows"], "StringToNumber")])
def test_what_cannot_be_tried_is_named(build, arguments, message, saved, run):
    code, text = run(saved(build), "--to", "savedmodel", "--out", "out", *arguments)
    assert code == 1 and message in text and len(text.splitlines()) == 1


def test_one_hot_numbers_are_an_embedding_of_the_identity(saved, run, in_this_process):
    path = saved(lambda: dense_layer(tf1.reshape(tf1.one_hot(tf1.placeholder(
        tf1.int32, [None, 2], name="x"), 3), [-1, 6]), 2, seed=1))
    code, text = run(path, "--to", "keras", "--out", "out.keras")
    assert code == 0 and "pass" in text, text


def test_the_layout_nchw_is_keras_channels_first(saved, run, tmp_path):
    """Compared with the same network in NHWC: TensorFlow has no kernels of NCHW for every processor."""
    random = np.random.default_rng(0)
    kernel, bias, upward = (random.uniform(-1, 1, size).astype("float32") for size in ((3, 3, 2, 4), 4, (3, 3, 5, 4)))
    moments = [random.uniform(0.5, 1, 4).astype("float32") for _ in range(4)]
    images = random.uniform(-1, 1, [3, 8, 8, 2]).astype("float32")

    def network(x, layout, window, shape):
        variables = [tf1.get_variable(name, initializer=value) for name, value in
                     (("kernel", kernel), ("bias", bias), ("upward", upward))]
        y = tf1.nn.bias_add(tf1.nn.conv2d(x, variables[0], window, "SAME", data_format=layout), variables[1],
                            data_format=layout)
        y = tf1.nn.fused_batch_norm(y, *moments, is_training=False, data_format=layout)[0]
        y = tf1.nn.max_pool(tf1.nn.relu(y), window, window, "SAME", data_format=layout)
        y = tf1.nn.conv2d_transpose(y, variables[2], shape, window, "SAME", data_format=layout)
        return tf1.reduce_mean(y, [2, 3] if layout == "NCHW" else [1, 2], name="out")
    path = saved(lambda: network(tf1.placeholder(tf1.float32, [3, 2, 8, 8], name="x"), "NCHW", [1, 1, 2, 2],
                                 [3, 5, 4, 4]))
    code, text = run(path, "--to", "keras", "--out", "out.keras", "--no-check", "--output", "out")
    assert code == 0, text
    with tf1.Graph().as_default(), tf1.Session() as session:
        expected = network(tf1.constant(images), "NHWC", [1, 2, 2, 1], [3, 4, 4, 5])
        session.run(tf1.global_variables_initializer())
        expected = session.run(expected)
    model = tf1.function(load_model(tmp_path / "out.keras"), jit_compile=True)  # XLA has NCHW for every processor
    found = np.asarray(model(images.transpose(0, 3, 1, 2)))
    assert np.max(np.abs(found - expected)) < FORWARD * np.max(np.abs(expected))


@pytest.mark.parametrize("message", [
    "Default MaxPoolingOp only supports NHWC on device type CPU",
    "The Conv2D op currently only supports the NHWC tensor format on the CPU. The op was given the format: NCHW",
    "The CPU implementation of FusedBatchNorm only supports NHWC tensor format for now."])
def test_a_comparison_that_needs_kernels_of_nchw_says_so(message):
    assert proof._reason(tf1.errors.UnimplementedError(None, None, message)) == \
        "the layout NCHW has no kernels in TensorFlow for this processor"


@pytest.mark.parametrize("size, n_rows", [(784, 256), (256 * 256, 4), (1 << 20, 2)])
def test_large_inputs_are_compared_in_few_rows(size, n_rows):
    """Else the convolutions of large images outgrow the memory of the comparison."""
    with tf1.Graph().as_default() as graph:
        tf1.placeholder(tf1.float32, [None, size], name="x")
    made = SimpleNamespace(nodes={node.name: node for node in graph.as_graph_def().node}, inputs=["x"], batch_size=None)
    assert proof.random_inputs(made)["x"].shape == (n_rows, size)
