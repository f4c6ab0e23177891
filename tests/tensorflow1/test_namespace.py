"""The namespace `tf1_autoencoders.tensorflow1` as a module that one imports."""
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tf_keras")

from tests.tensorflow1.test_seeds import tf  # noqa: E402  # the namespace, with eager execution left on
from tf1_autoencoders.utils.errors import NotOffered  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


# the packages of contrib in 1.15.5
PACKAGES = """autograph batching bayesflow checkpoint cloud cluster_resolver compiler constrained_optimization
copy_graph crf cudnn_rnn data deprecated distribute distributions eager estimator factorization feature_column ffmpeg
framework graph_editor grid_rnn image input_pipeline integrate keras kernel_methods labeled_tensor layers learn
legacy_seq2seq linear_optimizer lookup losses memory_stats metrics mixed_precision model_pruning nn opt optimizer_v2
periodic_resample predictor proto quantization quantize receptive_field recurrent reduce_slice_ops remote_fused_graph
resampler rnn rpc saved_model seq2seq signal slim solvers sparsemax specs staging stat_summarizer stateless
summary tensor_forest tensorboard testing tfprof timeseries tpu training util""".split()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_of_contrib_is_offered_or_refused_with_what_to_do(name):
    try:
        assert getattr(tf.contrib, name).__name__.endswith(f"contrib.{name}")
    except NotOffered as error:
        assert f"tf.contrib.{name} is not offered: " in str(error)


def test_what_is_not_offered_is_refused_by_name():
    with pytest.raises(NotOffered, match="tf.estimator is not offered.*session"):
        tf.estimator  # noqa: B018
    with pytest.raises(NotOffered, match="TensorFlow 2"):
        tf.enable_eager_execution()
    with pytest.raises(AttributeError, match="no attribute 'placehoder'; did you mean 'placeholder'"):
        tf.placehoder  # noqa: B018


def test_versions_are_those_of_1_15():
    assert tf.__version__ == tf.VERSION == tf.version.VERSION == "1.15.5"


def test_inside_its_graphs_shapes_variables_and_control_flow_are_those_of_tensorflow_1():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3])
        assert x.shape[1].value == 3
        assert tf.get_variable("v", [2]).dtype.name == "float32_ref"
        assert tf.cond(x[0, 0] > 0, lambda: x, lambda: -x).op.type == "Merge"


PROGRAM = """
import tf1_autoencoders.tensorflow1 as tf
import numpy as np
x = tf.placeholder(tf.float32, [None, 3])
y = tf.layers.dense(x, 2)
import keras
with tf.eager_mode():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print(keras.__version__[0], session.run(y, {x: np.ones((1, 3))}).shape, isinstance(y.graph, tf.Graph))
"""


@pytest.mark.slow
def test_graphs_at_the_top_of_a_program_and_keras_3_live_in_one_process():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, universal_newlines=True)
    assert done.stdout.split("\n")[0] == "3 (1, 2) True"
