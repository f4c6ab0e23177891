"""With a graph-level seed alone, a call draws what TensorFlow 1.15.5 drew (tests/tf115/api_calls.py)."""
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tf_keras")

from tests.tf115 import api_calls  # noqa: E402
from tf1_autoencoders.utils.frameworks import tf1  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("ignore")

with tf1.Graph().as_default():  # the namespace then leaves eager execution on for the other tests of this process
    import tf1_autoencoders.tensorflow1 as tf
    from tf1_autoencoders.tensorflow1 import seeds

with open(api_calls.FIXTURE) as file:
    EXPECTED = json.load(file)
CASES = api_calls.cases()
# calls that still make another number of operations than in 1.15.5; docs/programs.md names them
OTHER_COUNT = (
    "tf.einsum(", "swish", "embedding_lookup_sparse", "linear_model", "tf.signal.", "FtrlOptimizer",
    "keras.Sequential(", "keras.layers.LSTM", "keras.layers.Embedding", "keras.layers.BatchNormalization",
    "decode_image", "dynamic_size=True",
    "polynomial_decay", "sharded=True", "resize_image_with_crop_or_pad(X(None", "weighted_moments", "saturate_cast",
    "tf.repeat(", "sparse_transpose", "tf.linalg.expm", "of tf.extract_image_patches",
    "tf.gather(x, [0, 1], axis=1)", "of tf.unsorted_segment_sum")
# the same number and other values: epochs after the first, another kernel, another order of a sum, another class
OTHER_VALUES = (".shuffle(20).repeat()", "shuffle_and_repeat", "seed=3).repeat(2)", "sample_distorted_bounding_box",
                "tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x + tf.random_normal", "use_resource=True)")
UNEQUAL = OTHER_COUNT + OTHER_VALUES
QUICK = ("tf.Variable(tf.random_normal", "tf.random_uniform(", "tf.nn.dropout(tf.ones", "L.dropout(tf.ones",
         "L.dense(X(None", "L.conv2d(", "L.flatten(", "tf.losses.mean", "tf.nn.dynamic_rnn(R.Multi", "tf.random_crop",
         "tf.data.Dataset.range", "tf.train.string_input", "x = tf.sparse_placeholder",
         "gradients of n ", "gradients of tf.reduce_mean",
         "tf.train.AdamOptimizer()")


def is_known_to_differ(name):
    return any(part in name for part in UNEQUAL)


def run(name):
    return api_calls.run_case(tf, seeds.count, name, CASES[name])


def test_calls_of_every_kind_make_the_operations_and_the_values_of_1_15():
    names = [name for name in EXPECTED if name.startswith(QUICK) and not is_known_to_differ(name)]
    assert len(names) > 60
    assert {name: run(name) for name in names} == {name: EXPECTED[name] for name in names}


@pytest.mark.slow
def test_all_calls_do_except_those_that_the_documentation_names():
    """In a process of its own: a TensorFlow 1 program turns eager execution off."""
    done = subprocess.run([sys.executable, "-m", "tests.tf115.api_calls", "compare"], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, universal_newlines=True)
    assert f" of {len(EXPECTED)} calls are equal" in done.stdout
    unequal = [line for line in done.stdout.splitlines()[:-1] if line in EXPECTED]
    assert [name for name in unequal if not is_known_to_differ(name)] == []
    assert len(unequal) < 0.05 * len(EXPECTED)


def test_the_first_operation_of_a_graph_whose_seed_is_0_is_not_seeded_by_two_zeros():
    with tf.Graph().as_default():
        tf.set_random_seed(0)
        assert [tf.get_seed(seed) for seed in (None, 0, 3)] == [(0, 2147483647), (0, 2147483647), (0, 3)]
        for _ in range(5):
            tf.constant(1)
        assert tf.get_seed(None) == tf.random.get_seed(None) == (0, 5)


@pytest.mark.parametrize("count", [None, 3])
def test_shuffled_rows_that_are_repeated_have_the_order_of_1_15(count):
    """The rows are those that 1.15.5 printed; where it drew for all epochs at once, those of the first epoch."""
    def batches(with_structure):
        with tf.Graph().as_default():
            tf.set_random_seed(11)
            tf.constant(1)
            dataset = tf.data.Dataset.from_tensor_slices(np.arange(12)).shuffle(12).repeat(count).batch(6)
            assert tf.get_seed(None) == (11, 19)
            if with_structure:
                iterator = tf.data.Iterator.from_structure(tf.int64, tf.TensorShape([None]))
                initializer = iterator.make_initializer(dataset)
            else:
                iterator = dataset.make_initializable_iterator()
                initializer = iterator.initializer
            following = iterator.get_next()
            with tf.Session() as session:
                session.run(initializer)
                return [session.run(following).tolist() for _ in range(6)]
    assert batches(True)[:3] == [[1, 6, 7, 5, 4, 8], [11, 0, 2, 9, 10, 3], [3, 9, 2, 4, 5, 11]]
    together = batches(False)
    assert together[:2] == [[3, 9, 1, 0, 8, 4], [11, 7, 6, 10, 5, 2]]
    epochs = [sum(together[k:k + 2], []) for k in (0, 2, 4)]
    assert all(sorted(rows) == list(range(12)) for rows in epochs) and len(set(map(tuple, epochs))) == 3


def test_shuffle_and_repeat_of_contrib_shuffles_each_epoch_anew_after_that_of_1_15():
    with tf.Graph().as_default():
        tf.set_random_seed(3)
        dataset = tf.data.Dataset.range(6).apply(tf.contrib.data.shuffle_and_repeat(6, 3, seed=2)).batch(6)
        following = dataset.make_one_shot_iterator().get_next()
        with tf.Session() as session:
            epochs = [session.run(following).tolist() for _ in range(3)]
    assert epochs[0] == [1, 5, 3, 0, 2, 4]  # as 1.15.5 printed
    assert len(set(map(tuple, epochs))) == 3 and all(sorted(rows) == list(range(6)) for rows in epochs)


def test_graphs_outside_the_namespace_keep_the_rule_and_the_operations_of_tensorflow_2():
    from tensorflow.python.framework import random_seed
    with tf1.Graph().as_default() as graph:
        tf1.set_random_seed(1)
        assert [random_seed.get_seed(None) for _ in range(2)] == [(1, 0), (1, 1)]
        tf1.random_uniform([2])
        assert graph.num_operations() == 2
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        tf.random_uniform([2])
        assert graph.num_operations() == 7
        assert random_seed.get_seed(None) == (1, 7)


def test_this_release_of_tensorflow_has_all_the_places_that_are_replaced():
    assert seeds.misfits == []


def test_a_place_that_a_release_does_not_have_is_said_in_one_line(capsys, monkeypatch):
    monkeypatch.setattr(seeds, "misfits", [])
    seeds.replaces("tensorflow.python.ops.nn_ops:no_such_function")(lambda original: None)
    seeds.warn_of_misfits()
    message, = capsys.readouterr().err.splitlines()
    assert "no_such_function" in message and "seeds" in message


def test_the_seeds_of_operations_are_kept_where_the_program_gives_them():
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        drawn = session.run(tf.random_normal([2], seed=7))
    with tf1.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(3)
        np.testing.assert_array_equal(drawn, session.run(tf1.random_normal([2], seed=7)))
