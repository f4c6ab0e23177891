"""Graphs of other kinds: an input pipeline, random numbers, tf.Print. They are made by the installed TensorFlow."""
import numpy as np
import pytest

from tf1_autoencoders.converting.checkpoint_file import find_meta
from tf1_autoencoders.converting.foreign_graph import ForeignGraph
from tf1_autoencoders.converting.roles import find_ends
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


def test_a_graph_that_draws_random_numbers_is_written_and_not_compared(saved, run, tmp_path, in_this_process):
    def build():
        hidden = dense_layer(tf1.placeholder(tf1.float32, [None, 3], name="x"), 4, seed=1)
        code = tf1.identity(hidden + tf1.random.normal(tf1.shape(hidden)), name="code")
        dense_layer(code, 2, seed=2)
    path = saved(build)
    code, text = run(path, "--to", "savedmodel", "--out", "out")
    assert code == 1 and "not compared: the outputs depend on random numbers" in text and (tmp_path / "out").is_dir()
    code, text = run(path, "--to", "savedmodel", "--out", "decoder", "--input", "code")
    assert code == 0 and "pass" in text, text


def test_a_placeholder_that_is_missing_is_named(saved, run):
    def build():
        x, scale = tf1.placeholder(tf1.float32, [None, 3], name="x"), tf1.placeholder(tf1.float32, [], name="scale")
        dense_layer(x * scale, 2, seed=1)
    code, text = run(saved(build), "--to", "savedmodel", "--out", "out", "--input", "x", "--feed", "x=1")
    assert code == 1 and "scale" in text and len(text.splitlines()) == 1
