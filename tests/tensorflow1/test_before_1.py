"""Programs of TensorFlow before 1.0: how they are found, and that the checkpoints of 0.12.1 restore (tests/tf012)."""
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tf_keras")

from tests.tensorflow1.test_seeds import tf  # noqa: E402 (leaves eager execution on for other tests)
from tf1_autoencoders.programs import old_names  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
# relative to the largest value of an array: outputs, and gradients (of gates that nearly cancel)
OUTPUTS, GRADIENTS = 1e-6, 1e-4


@pytest.mark.parametrize("text, name, line", [
    ("import tensorflow as tf\ntf.pack([1, 2])", "tf.pack", 2),
    ("import tensorflow\ntensorflow.nn.rnn(cell, x)", "tensorflow.nn.rnn", 2),
    ("import tensorflow as tf\ntf.concat(1, [a, b])", "tf.concat(1, ...)", 2),
    ("from tensorflow.models.rnn import rnn_cell", "tensorflow.models.rnn.rnn_cell", 1),
    ("from tensorflow.python.ops import rnn\nrnn.bidirectional_rnn(f, b, x)", "rnn.bidirectional_rnn", 2),
    ("from tensorflow.python.ops import seq2seq as s", "tensorflow.python.ops.seq2seq", 1),
    ("import model", "tf.train.SummaryWriter", 3)])
def test_a_name_of_before_1_0_is_found_in_a_program_and_in_the_modules_beside_it(tmp_path, text, name, line):
    (tmp_path / "model.py").write_text("import tensorflow as tf\n\nwriter = tf.train.SummaryWriter('logs')\n")
    found = old_names.find(text, str(tmp_path / "program.py"))
    assert (found.name, found.line) == (name, line)


@pytest.mark.parametrize("text", [
    "import tensorflow as tf\ntf.concat([a, b], 1)\ntf.split(x, 2, 0)\ntf.nn.rnn_cell.GRUCell(3)\ntf.stack([x])",
    "import tensorflow as tf\ntry:\n    pack = tf.stack\nexcept AttributeError:\n    pack = tf.pack",
    "import tensorflow as tf\nif tf.__version__ < '1.0':\n    tf.nn.rnn(cell, x)",
    "import numpy as tf_\nclass a: pack = 1\na.pack", "import missing_module", "def broken(:"])
def test_a_program_of_1_x_and_one_that_asks_for_its_tensorflow_are_left_alone(tmp_path, text):
    assert old_names.find(text, str(tmp_path / "program.py")) is None


def test_a_softmax_loss_of_before_1_0_takes_the_logits_first():
    from tf1_autoencoders.tensorflow1 import seq2seq_before_1
    with tf.Graph().as_default():
        logits, target, seen = tf.zeros([2, 5]), tf.constant([1, 2]), []

        def loss(*arguments):
            seen.append(arguments)
            return tf.ones([2])
        seq2seq_before_1.sequence_loss([logits], [target], [tf.ones([2])], True, False, loss)
        seq2seq_before_1.model_with_buckets([target], [target], [target], [tf.ones([2])], [(1, 1)],
                                            lambda x, y: ([logits], None), softmax_loss_function=loss)
    assert [(first is logits, second is target) for first, second in seen] == [(True, True)] * 2


TWICE = """
import tensorflow as tf
embedding = tf.Variable([[1., 2.], [3., 4.], [5., 6.]])
loss = tf.reduce_sum(tf.square(tf.nn.embedding_lookup(embedding, [0, 2, 0])) * [[1.], [2.], [3.]])
steps = [optimizer.minimize(loss) for optimizer in (
    tf.train.AdamOptimizer(0.1), tf.train.AdagradOptimizer(0.1), tf.train.MomentumOptimizer(0.01, 0.9),
    tf.train.GradientDescentOptimizer(0.01))]
session = tf.Session()
for step in steps:
    session.run(tf.initialize_all_variables())
    for _ in range(3):
        session.run(step)
    print(" ".join("%.6f" % value for value in session.run(embedding).ravel()))
"""


@pytest.mark.slow
def test_a_row_that_a_batch_has_twice_is_trained_as_in_0_12(tmp_path):
    (tmp_path / "program.py").write_text(TWICE)
    done = subprocess.run([sys.executable, "-m", "tf1_autoencoders.run_tf1", "--before-1.0", tmp_path / "program.py"],
                          cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    measured = [[float(number) for number in line.split()] for line in done.stdout.splitlines()]
    # Adam, Adagrad, Momentum and plain descent in 0.12.1
    assert measured == [pytest.approx(values, abs=2e-6) for values in (
        [0.623389, 1.621593, 3, 4, 4.700214, 5.700176], [0.658326, 1.643824, 3, 4, 4.773238, 5.772951],
        [0.385216, 0.770431, 3, 4, 3.916080, 4.699296], [0.778688, 1.557376, 3, 4, 4.423680, 5.308416])], done.stderr


@pytest.mark.slow
def test_networks_of_0_12_have_its_variables_restore_its_checkpoints_and_compute_its_numbers():
    done = subprocess.run([sys.executable, "-m", "tf1_autoencoders.run_tf1", "tests/tf012/original.py", "compare",
                           "tests/tf012/fixtures"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)
    assert done.returncode == 0, done.stderr
    assert "tf.unpack is of TensorFlow before 1.0" in done.stderr.splitlines()[0]
    variables, formats, *networks = done.stdout.splitlines()
    assert (variables, formats) == ("the same 285 variables", "both formats are equal")
    assert len(networks) == 16
    for line in networks:
        name, outputs, gradients = re.match(r"(\w+) +outputs (\S+), \d+ gradients (\S+)$", line).groups()
        assert float(outputs) < OUTPUTS and float(gradients) < GRADIENTS, name
