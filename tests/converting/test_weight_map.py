"""A map takes weights into a Keras model without the graph: what it computes is what TensorFlow 1.15.5 computed."""
import json

import numpy as np
import pytest

from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile
from tf1_autoencoders.converting.writing.weight_map import suggest_map
from tf1_autoencoders.utils.frameworks import keras

FORWARD = 3e-6  # as in test_convert.py


def lstm_model():
    layers = keras.layers
    return keras.Sequential([keras.Input((6, 2)), layers.LSTM(5, name="rnn"), layers.Dense(1, name="out")])


def gru_model(reset_after=False):
    layers = keras.layers
    return keras.Sequential([keras.Input((7,)), layers.Embedding(13, 4), layers.GRU(5, reset_after=reset_after),
                             layers.Dense(3, activation="softmax", name="dense")])


def dense_model():
    layers = keras.layers
    return keras.Sequential([keras.Input((11,)), layers.Dense(7, activation="relu", name="first"),
                             layers.Dense(5, activation="softmax", name="second")])


@pytest.mark.parametrize("name, build, change", [
    ("basic_lstm", lstm_model, {"rnn": {"forget_bias": 0.7}}), ("gru", gru_model, {}), ("dense", dense_model, {})])
def test_the_suggested_map_gives_the_answers_of_1_15(name, build, change, foreign, run, tmp_path):
    build().save(str(tmp_path / "model.keras"))
    network = foreign(name)
    assert run(network.path, "--suggest-map", "model.keras", "--out", "map.json")[0] == 0
    weight_map = json.loads((tmp_path / "map.json").read_text())
    for layer, parts in change.items():
        weight_map[layer].update(parts)
    (tmp_path / "map.json").write_text(json.dumps(weight_map))
    code, text = run(network.path, "--to", "keras-weights", "--model", "model.keras", "--map", "map.json", "--out",
                     "filled.keras")
    assert code == 0 and "bit-identical" in text, text
    found = np.asarray(keras.saving.load_model(str(tmp_path / "filled.keras"))(network.arrays[0].astype("float32")))
    assert np.max(np.abs(found - network.answer)) < FORWARD * np.max(np.abs(network.answer))


def test_what_is_ambiguous_is_said_and_not_guessed(foreign, run, tmp_path):
    layers = keras.layers
    twins = keras.Sequential([keras.Input((5,)), layers.Dense(5), layers.Dense(5)])
    twins.save(str(tmp_path / "twins.keras"))
    from tf1_autoencoders.utils.frameworks import tf1
    tf1.raw_ops.SaveV2(prefix=str(tmp_path / "m"), tensor_names=["Variable", "Variable_2", "b1", "b2"],
                       shape_and_slices=[""] * 4, tensors=[tf1.zeros([5, 5])] * 2 + [tf1.zeros([5])] * 2)
    doubts = suggest_map(twins, CheckpointFile(tmp_path / "m")).doubts
    assert any("Variable is the first of 2 with this shape" in doubt for doubt in doubts)
    code, text = run(tmp_path / "m", "--to", "keras-weights", "--model", "twins.keras")
    assert code == 1 and "the map is not certain" in text


@pytest.mark.parametrize("weight_map, message", [
    ({}, "the layer first is missing"), ({"first": {}, "second": {}, "third": {}}, "the layer third is unknown"),
    ({"first": {"kernel": "Variable_1", "bias": "Variable_2"}, "second": {}}, "has the shape"),
    ({"first": {"kernel": "nothing"}, "second": {}}, "expected a variable"), ([], "not a map"),
    ({"first": {"kernel": [1]}}, "not a map")])
def test_a_map_that_does_not_fit_is_one_sentence(weight_map, message, foreign, run, tmp_path):
    dense_model().save(str(tmp_path / "model.keras"))
    (tmp_path / "map.json").write_text(json.dumps(weight_map))
    code, text = run(foreign("dense").path, "--to", "keras-weights", "--model", "model.keras", "--map", "map.json")
    assert code == 1 and message in text and len(text.splitlines()) == 1
    assert not (tmp_path / "model.ckpt.keras").exists()


def test_a_gru_of_another_kind_is_refused(foreign, run, tmp_path):
    gru_model(reset_after=True).save(str(tmp_path / "model.keras"))
    code, text = run(foreign("gru").path, "--to", "keras-weights", "--model", "model.keras")
    assert code == 1 and "reset_after=False" in text


def test_a_model_that_would_run_code_is_refused(foreign, run, tmp_path):
    model = keras.Sequential([keras.Input((11,)), keras.layers.Lambda(lambda x: x), keras.layers.Dense(2)])
    model.save(str(tmp_path / "evil.keras"))
    code, text = run(foreign("dense").path, "--suggest-map", "evil.keras")
    assert code == 1 and "loaded safely" in text and len(text.splitlines()) == 1
