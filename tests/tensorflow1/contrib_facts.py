"""What tf.contrib answers beside graphs, for test_contrib.py.

    python -m tests.tensorflow1.contrib_facts FILE

is a TensorFlow 1 program: it trains and evaluates with slim, and writes what came out as JSON. Threads of
slim.learning.train do not inherit a default graph, so that it needs a process of its own.
"""
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

import tf1_autoencoders.tensorflow1 as tf
from tests.tf115 import contrib_calls
from tf1_autoencoders.tensorflow1 import contrib

layers, learn, slim = tf.contrib.layers, tf.contrib.learn, tf.contrib.slim
VOCABULARY = contrib_calls.FIXTURE.with_name("vocabulary.pickle")
HPARAMS = {
    "text": str, "json": lambda h: h.to_json(),
    "parse": lambda h: h.parse("a=3,b=1e-3,c=hello world,d=[3,4,5],e=false"),
    "unknown": lambda h: h.parse("zz=1"), "type": lambda h: h.parse("a=1.5"), "malformed": lambda h: h.parse("a"),
    "bool": lambda h: h.parse("e=maybe"), "twice": lambda h: h.parse("a=1,a=2"), "empty": lambda h: h.parse(""),
    "cast": lambda h: h.set_hparam("b", 2), "float": lambda h: h.set_hparam("a", 2.0),
    "single": lambda h: h.set_hparam("d", 3), "reserved": lambda h: h.add_hparam("a", 1),
    "dict": lambda h: h.override_from_dict({"a": 5, "c": "q"}), "in": lambda h: ["a" in h, h.get("zz", 3), h.get("a")],
    "equals": lambda h: h.parse("c=a=b"), "nothing": lambda h: h.parse("c=,d=[]")}
WRONG = {
    "scope without list": lambda: enter(layers.conv2d, padding="VALID"),
    "scope undecorated": lambda: enter([tf.ones], shape=[1]), "scope and arguments": lambda: enter({}, a=1),
    "l2 int": lambda: layers.l2_regularizer(1), "l2 negative": lambda: layers.l2_regularizer(-1.0),
    "mode": lambda: layers.variance_scaling_initializer(mode="X"),
    "outputs": lambda: layers.fully_connected(tf.ones([3, 2]), 2.5),
    "rank": lambda: layers.conv2d(tf.ones([3, 3]), 2, 3),
    "no weights": lambda: layers.apply_regularization(layers.l2_regularizer(0.1), []),
    "decoder": lambda: tf.contrib.seq2seq.dynamic_decode(3),
    "start tokens": lambda: tf.contrib.seq2seq.GreedyEmbeddingHelper(tf.ones([3, 2]), 1, 2),
    "attention layers": lambda: tf.contrib.seq2seq.AttentionWrapper(
        tf.nn.rnn_cell.GRUCell(2), tf.contrib.seq2seq.LuongAttention(2, tf.ones([2, 3, 2])), [3, 4]),
    "logits": lambda: tf.contrib.legacy_seq2seq.sequence_loss([tf.ones([2, 3])], [], []),
    "optimizer": lambda: layers.optimize_loss(tf.reduce_sum(tf.Variable([1.0])), None, 0.1, "Foo")}
NAMES = ("rnn.LSTMCel", "leyers", "crf.crf_decod", "opt.AGNOptimizer", "seq2seq.BasicDecoderr", "learn.DNNClassifier",
         "distributions.MultivariateNormalDiag", "estimator", "cudnn_rnn", "tpu", "layers.real_valued_column",
         "slim.nets.inception_v3", "factorization", "tensor_forest")
MODULES = ("layers.python.layers.initializers", "rnn.python.ops.core_rnn_cell", "slim.python.slim.nets.resnet_v1",
           "learn.python.learn.datasets.mnist", "framework.python.ops", "rnn.NoSuchCell",
           "seq2seq.python.ops.attention_wrapper", "legacy_seq2seq.python.ops.seq2seq", "crf.python.ops.crf",
           "opt.python.training.lazy_adam_optimizer", "distributions.python.ops.distributions", "keras.api.keras",
           "metrics.python.ops.set_ops")


def hparams(change):
    values = tf.contrib.training.HParams(a=1, b=0.5, c="x", d=[1, 2], e=True, f=None)
    result = change(values)
    return values.values() if result in (None, values) else result


def enter(*args, **kwargs):
    with slim.arg_scope(*args, **kwargs):
        pass


@slim.add_arg_scope
def scoped(x, y=1, z=2):
    return [x, y, z]


def scopes():
    with slim.arg_scope([scoped], y=5) as scope:
        results = [scoped(0), scoped(0, y=6)]
        with slim.arg_scope([scoped], z=7):
            results.append(scoped(0))
    with slim.arg_scope(scope):
        return results + [scoped(0), slim.has_arg_scope(scoped)]


def words():
    processor = learn.preprocessing.VocabularyProcessor(5)
    rows = processor.fit_transform(["Hello hello world, it's me-too ABC dEF", "another WORLD line", ""])
    with tempfile.NamedTemporaryFile() as file:
        processor.save(file.name)
        again = learn.preprocessing.VocabularyProcessor.restore(file.name)
    return [[row.tolist() for row in rows], again.vocabulary_._mapping,
            [row.tolist() for row in again.transform(["hello unknown world"])], list(again.reverse([[1, 2, 0]]))]


def trimmed_words():
    processor = learn.preprocessing.VocabularyProcessor(4, min_frequency=1)
    rows = [row.tolist() for row in processor.fit_transform(["a b a c", "b b d a"])]
    return [rows, processor.vocabulary_._mapping]


def find(path):
    value = tf.contrib
    for part in path.split("."):
        value = getattr(value, part)
    return str(value)


def undocumented():
    return sorted(f"{package}.{name}" for package in ("layers", "framework", "rnn", "losses", "training", "seq2seq",
                                                      "metrics", "crf", "legacy_seq2seq", "opt")
                  for name, value in vars(getattr(tf.contrib, package)).items()
                  if not name.startswith("_") and getattr(value, "__module__", "").startswith("tf1_autoencoders")
                  and not value.__doc__)


def training():
    """Train for five steps, continue to eight, evaluate, restore."""
    def network():
        x = tf.constant(np.linspace(-1, 1, 12).reshape(4, 3), tf.float32)
        net = slim.fully_connected(x, 4, normalizer_fn=slim.batch_norm, normalizer_params={"decay": 0.5})
        return slim.fully_connected(net, 2, activation_fn=None)

    facts, folder = {"losses": []}, tempfile.mkdtemp()
    for steps in (5, 8):
        with tf.Graph().as_default():
            tf.set_random_seed(3)
            slim.losses.mean_squared_error(network(), tf.ones([4, 2]))
            train_op = slim.learning.create_train_op(slim.losses.get_total_loss(),
                                                     tf.train.GradientDescentOptimizer(0.1))
            facts["losses"].append(float(slim.learning.train(train_op, folder, number_of_steps=steps)))
    path = tf.train.latest_checkpoint(folder)
    facts["checkpoint"] = os.path.basename(path)
    with tf.Graph().as_default():
        y, metrics = network(), slim.metrics
        values, updates = metrics.aggregate_metric_map({
            "mean": metrics.streaming_mean(y), "mse": metrics.streaming_mean_squared_error(y, tf.ones([4, 2]))})
        result = slim.evaluation.evaluate_once("", path, tempfile.mkdtemp(), num_evals=2,
                                               eval_op=list(updates.values()), final_op=values)
        facts.update({name: float(value) for name, value in result.items()})
    with tf.Graph().as_default(), tf.Session() as session:
        network()
        names = slim.get_variables_to_restore(exclude=["fully_connected_1/biases"])
        restore = slim.assign_from_checkpoint_fn(path, names)
        session.run(tf.global_variables_initializer())
        restore(session)
        facts["restored"] = [float(np.sum(value)) for value in session.run(tf.global_variables())]
        session.run(*slim.assign_from_checkpoint(path, slim.get_variables("fully_connected_1")))
        facts["biases"] = float(np.sum(session.run(slim.get_unique_variable("fully_connected_1/biases"))))
    return facts


def questions():
    """Return {name: function that gives the answer}."""
    found = {f"hparams {name}": lambda change=change: hparams(change) for name, change in HPARAMS.items()}
    found.update({f"wrong {name}": call for name, call in WRONG.items()})
    found.update({f"name {path}": lambda path=path: find(path) for path in NAMES})
    found.update({f"module {path}": lambda path=path: contrib.module_of(path.split(".")).__name__.split("contrib.")[1]
                  for path in MODULES})
    found.update({"words": words, "trimmed words": trimmed_words, "arg_scope": scopes, "undocumented": undocumented})
    found["old vocabulary"] = lambda: learn.preprocessing.VocabularyProcessor.restore(
        str(VOCABULARY)).vocabulary_._mapping
    return found


def answer(question):
    """Return what a question gives, or [type, message] of its error."""
    try:
        return question()
    except Exception as error:
        return [type(error).__name__, str(error)]


if __name__ == "__main__":
    tf.logging.set_verbosity(tf.logging.ERROR)
    Path(sys.argv[1]).write_text(json.dumps(training()))
