"""tf.contrib on today's TensorFlow against what TensorFlow 1.15.5 recorded (tests/tf115/contrib_calls.py)."""
import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tf_keras")

from tests.tensorflow1.test_seeds import tf  # noqa: E402  # the namespace, with eager execution left on
from tests.tf115 import contrib_calls  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-6  # relative to the largest value: rounding of float32 by other kernels
RECORDED = contrib_calls.load()
QUICK = ("fully_connected_regularized", "batch_norm", "rnn.static_rnn", "seq2seq_greedy", "crf_decode")
# no package of ours asks for these: the user of the program has them
NEEDS = {"opt_Scipy": "scipy", "learn_iris": "sklearn"}
TF115 = os.environ.get("TF1_AUTOENCODERS_TF115")
pytestmark = pytest.mark.filterwarnings("ignore")


def is_missing(name):
    return name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None


def marked(name):
    marks = [pytest.mark.slow] if name not in QUICK else []
    if is_missing(name):
        marks.append(pytest.mark.skip(reason=f"{NEEDS[name]} is not installed"))
    return pytest.param(name, marks=marks)


def run(python, module, *arguments):
    subprocess.run([python, "-m", module, *map(str, arguments)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def facts():
    from tests.tensorflow1 import contrib_facts  # it imports the namespace
    with tf.Graph().as_default():
        return {name: contrib_facts.answer(question) for name, question in contrib_facts.questions().items()}


@pytest.fixture(scope="module")
def computed(request, tmp_path_factory):
    """What the package computed, by one process for the slow programs: a TensorFlow 1 program, without eager mode."""
    folder = tmp_path_factory.mktemp("contrib")
    items = [item for item in request.session.items if item.fspath == request.fspath and hasattr(item, "callspec")]
    wanted = {item.callspec.params.get("name") for item in items} - {*QUICK}
    run(sys.executable, "tests.tf115.contrib_calls", "run", folder, *(name for name in contrib_calls.CALLS
                                                                      if name in wanted and not is_missing(name)))
    return contrib_calls.load(folder / "programs.npz")


@pytest.mark.parametrize("name", [marked(name) for name in contrib_calls.CALLS])
def test_a_call_makes_and_computes_what_it_did_in_tensorflow_1(name, request):
    facts, values = RECORDED[name]
    made, ours = contrib_calls.record(tf, name) if name in QUICK else request.getfixturevalue("computed")[name]
    for fact in ("variables", "collections", "updates", "output", "operations"):
        assert made[fact] == facts[fact], fact
    assert set(ours) == set(values)
    for key in values:
        if key.startswith("initial/"):
            assert ours[key].tobytes() == values[key].tobytes(), key
    for kind, difference in contrib_calls.relative_differences(ours, values).items():
        assert difference <= TOLERANCE, f"{kind} differs by {difference:.1e}"


@pytest.mark.slow
@pytest.mark.parametrize("name", contrib_calls.SAVED)
def test_a_checkpoint_of_tensorflow_1_is_restored_by_the_same_program_and_gives_its_answers(name, tmp_path):
    with zipfile.ZipFile(contrib_calls.CHECKPOINTS) as archive:
        archive.extractall(tmp_path)
    (facts, values), restored = RECORDED[name], contrib_calls.restored(tf, name, tmp_path)
    for variable, _ in facts["variables"]:
        assert restored[variable].tobytes() == values["final/" + variable].tobytes(), variable
    if name in contrib_calls.ANSWERS:
        ours, theirs = restored[":end"], values["end"]
        assert np.abs(ours - theirs).max() <= TOLERANCE * np.abs(theirs).max()
        ids = theirs == np.round(theirs)  # the sequences, among the other values
        assert ids.any() and np.array_equal(ours[ids], theirs[ids])


@pytest.mark.slow
@pytest.mark.skipif(not TF115, reason="TF1_AUTOENCODERS_TF115 is not set")
def test_tensorflow_1_restores_checkpoints_of_the_package(tmp_path):
    run(sys.executable, "tests.tf115.contrib_calls", "run", tmp_path, *contrib_calls.SAVED)
    run(TF115, "tests.tf115.contrib_calls", "restore", tmp_path)


@pytest.mark.parametrize("name, expected", [
    ("text", "a=1,b=0.5,c=x,d=[1, 2],e=True,f=None"),
    ("json", '{"a": 1, "b": 0.5, "c": "x", "d": [1, 2], "e": true, "f": null}'),
    ("parse", {"a": 3, "b": 0.001, "c": "hello world", "d": [3, 4, 5], "e": False, "f": None}),
    ("unknown", ["ValueError", "Unknown hyperparameter type for zz"]),
    ("type", ["ValueError", "Could not parse hparam 'a' of type 'int' with value '1.5'"]),
    ("malformed", ["ValueError", "Malformed hyperparameter value: a"]),
    ("bool", ["ValueError", "Could not parse hparam 'e' of type 'bool' with value 'maybe'"]),
    ("twice", ["ValueError", "Multiple assignments to variable 'a' in a=1,a=2"]),
    ("empty", {"a": 1, "b": 0.5, "c": "x", "d": [1, 2], "e": True, "f": None}),
    ("cast", {"a": 1, "b": 2.0, "c": "x", "d": [1, 2], "e": True, "f": None}),
    ("float", ["ValueError", "Could not cast hparam 'a' of type"]),
    ("single", ["ValueError", "Must pass a list for multi-valued parameter: d."]),
    ("reserved", ["ValueError", "Hyperparameter name is reserved: a"]),
    ("dict", {"a": 5, "b": 0.5, "c": "q", "d": [1, 2], "e": True, "f": None}),
    ("in", [True, 3, 1]), ("equals", {"a": 1, "b": 0.5, "c": "a=b", "d": [1, 2], "e": True, "f": None}),
    ("nothing", {"a": 1, "b": 0.5, "c": "", "d": [], "e": True, "f": None})])
def test_hparams_answer_as_in_tensorflow_1(facts, name, expected):
    value = facts[f"hparams {name}"]
    if isinstance(expected, list) and expected[0] == "ValueError":
        assert value[0] == "ValueError" and value[1].startswith(expected[1])
    else:
        assert value == expected


def test_words_get_the_numbers_of_tensorflow_1(facts):
    numbers = {"<UNK>": 0, "Hello": 1, "hello": 2, "world": 3, "it's": 4, "me-too": 5, "ABC": 6, "dEF": 7, "another": 8,
               "WORLD": 9, "line": 10}
    assert facts["words"] == [[[1, 2, 3, 4, 5], [8, 9, 10, 0, 0], [0, 0, 0, 0, 0]], numbers, [[2, 0, 3, 0, 0]],
                              ["Hello hello <UNK>"]]
    assert facts["trimmed words"] == [[[1, 2, 1, 0], [2, 2, 0, 1]], {"<UNK>": 0, "a": 1, "b": 2}]


def test_a_vocabulary_that_tensorflow_1_saved_is_restored(facts):
    assert facts["old vocabulary"] == {"<UNK>": 0, "one": 1, "two": 2, "Three": 3}


def test_an_argument_scope_sets_defaults_and_the_call_wins(facts):
    assert facts["arg_scope"] == [[0, 5, 2], [0, 6, 2], [0, 5, 7], [0, 5, 2], True]


@pytest.mark.parametrize("name, kind, words", [
    ("scope without list", "TypeError", "put it in brackets"), ("scope undecorated", "ValueError", "add_arg_scope"),
    ("scope and arguments", "ValueError", "no further arguments"), ("l2 int", "ValueError", "integer"),
    ("l2 negative", "ValueError", "less than 0"), ("mode", "TypeError", "FAN_IN"),
    ("outputs", "ValueError", "2.5"), ("rank", "ValueError", "rank 4, got 2"),
    ("decoder", "TypeError", "Decoder"), ("start tokens", "ValueError", "vector"),
    ("attention layers", "ValueError", "2 vs 1"), ("logits", "ValueError", "Lengths"),
    ("no weights", "ValueError", "No weights"), ("optimizer", "ValueError", "provided Foo")])
def test_wrong_arguments_are_named_with_the_error_type_of_tensorflow_1(facts, name, kind, words):
    assert facts[f"wrong {name}"][0] == kind and words in facts[f"wrong {name}"][1]


@pytest.mark.parametrize("path, words", [
    ("rnn.LSTMCel", "did you mean 'LSTMCell'?"), ("leyers", "did you mean 'layers'?"),
    ("crf.crf_decod", "did you mean 'crf_decode'?"), ("opt.AGNOptimizer", "SyncReplicasOptimizer"),
    ("seq2seq.BasicDecoderr", "did you mean 'BasicDecoder'?"),
    ("factorization", "KMeans"), ("tensor_forest", "random forests"), ("learn.DNNClassifier", "tf.keras"),
    ("distributions.MultivariateNormalDiag", "tensorflow-probability"), ("estimator", "session"),
    ("cudnn_rnn", "LSTMBlockCell"), ("tpu", "session"), ("layers.real_valued_column", "tf.feature_column"),
    ("slim.nets.inception_v3", "tf.keras.applications")])
def test_what_is_not_offered_is_refused_in_one_sentence(facts, path, words):
    kind, message = facts[f"name {path}"]
    assert kind == "NotOffered" and words in message and "\n" not in message


@pytest.mark.parametrize("path, module", [
    ("layers.python.layers.initializers", "layers"), ("rnn.python.ops.core_rnn_cell", "rnn"),
    ("slim.python.slim.nets.resnet_v1", "slim.nets.resnet_v1"), ("learn.python.learn.datasets.mnist", "learn.datasets"),
    ("framework.python.ops", "framework"), ("seq2seq.python.ops.attention_wrapper", "seq2seq"),
    ("legacy_seq2seq.python.ops.seq2seq", "legacy_seq2seq"), ("crf.python.ops.crf", "crf"),
    ("opt.python.training.lazy_adam_optimizer", "opt"), ("distributions.python.ops.distributions", "distributions"),
    ("keras.api.keras", "keras"), ("metrics.python.ops.set_ops", "metrics")])
def test_the_deep_paths_of_tensorflow_1_lead_to_their_package(facts, path, module):
    assert facts[f"module {path}"] == module
    assert facts["module rnn.NoSuchCell"][0] == "NotOffered"


def test_every_public_name_has_a_docstring(facts):
    assert facts["undocumented"] == []


@pytest.mark.slow
def test_slim_trains_continues_evaluates_and_restores_as_in_tensorflow_1(tmp_path):
    run(sys.executable, "tests.tensorflow1.contrib_facts", tmp_path / "facts.json")
    training = json.loads((tmp_path / "facts.json").read_text())
    assert training["checkpoint"] == "model.ckpt-8"
    assert training["losses"] == pytest.approx([0.13893790543079376, 0.07087500393390656], rel=1e-6)  # 1.15.5's
    assert (training["mean"], training["mse"]) == pytest.approx((0.8801775, 0.0642209), rel=1e-6)
    assert training["restored"] == pytest.approx([1.8135063648223877, 0.1449422389268875, -0.4808618724346161,
                                                  1.250059962272644, 1.773451328277588, 0.0], rel=1e-6)
    assert training["biases"] == pytest.approx(0.658535361289978, rel=1e-6)
