"""Section 4: its data, its graph against the three Keras models, the exchange of weights, and predictions."""
import dataclasses
import functools
import itertools

import numpy as np
import pytest

from tests.conftest import slow
from tf1_autoencoders import crosscheck
from tf1_autoencoders.keras_twin.weights import (
    graph_weights,
    keras_gradients,
    keras_weights,
    set_graph_weights,
    set_keras_weights,
    weight_names,
)
from tf1_autoencoders.sections import section4_sequences as section4
from tf1_autoencoders.sections.run import keras_trainer
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.loop import fit
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.errors import UsageError
from tf1_autoencoders.utils.frameworks import tf1

SMALL = dataclasses.replace(section4.PRESETS["report"], n_in=5, n_out=3, cardinality=11, n_units=7, n_sequences=101,
                            n_test=13, batch_size=5, learning_rate=0.01, seed=1)
# Two float32 programs that sum in a different order differ in the 7th digit.
ROUNDING = 2e-6
# Keras adds the forget bias of 1 to the bias, so that the learnt part, about 0.1, is rounded to 6e-8.
FORGET_BIAS_ROUNDING = 1e-7
# 20 steps amplify such roundings, with the exact Adam and with Keras's.
STEPS = 2e-5
N_STEPS = 20
built = functools.lru_cache(maxsize=None)(section4.build_graph)  # each session has variables of its own
WAYS = list(itertools.product(section4.START_VECTORS, section4.FEEDBACKS))


@pytest.fixture(scope="module")
def small_data():
    return section4.load(SMALL)[0]


@pytest.fixture(scope="module")
def random_weights():
    """Return {name: array} for SMALL's network. No bias is zero, so that a test notices exchanged gates."""
    random = np.random.default_rng(3)
    model = built(SMALL)
    return {name: random.normal(scale=0.5, size=variable.shape.as_list()).astype(np.float32)
            for name, variable in zip(weight_names(model), model.weights)}


@pytest.fixture(scope="module")
def coders(random_weights, small_data):
    """Yield {"graph" or "Keras": (encoder, decoder)}, both with the same weights."""
    model = built(SMALL)
    twin = section4.build_keras(SMALL)
    set_keras_weights(twin, random_weights)
    with TimedSession(model) as session:
        set_graph_weights(session, model, random_weights)
        graph_trainer = trainers.GraphTrainer(session, model, small_data["train"], SMALL.batch_size)
        twins_trainer = keras_trainer(section4.SECTION, SMALL, twin, small_data["train"])
        yield {"graph": section4.graph_encoder_decoder(graph_trainer, SMALL),
               "Keras": section4.keras_encoder_decoder(twins_trainer, SMALL)}


def test_the_target_is_the_first_three_in_reverse_order():
    x1, x2, y = section4.load(section4.PRESETS["report"])[0]["train"]
    assert x1.shape == (100000, 6) and x2.shape == y.shape == (100000, 3)
    assert x1.dtype == x2.dtype == y.dtype == np.int32
    for k in range(3):
        np.testing.assert_array_equal(y[:, k], x1[:, 2 - k])


def test_the_seed_sequence_is_a_zero_and_the_target_one_step_late():
    _, x2, y = section4.load(section4.PRESETS["report"])[0]["train"]
    assert not x2[:, 0].any()
    np.testing.assert_array_equal(x2[:, 1:], y[:, :-1])


def test_the_values_1_to_50_are_equally_frequent():
    x1, _, _ = section4.load(section4.PRESETS["report"])[0]["train"]
    counts = np.bincount(x1.ravel(), minlength=51)
    assert len(counts) == 51 and counts[0] == 0
    assert counts[1:] == pytest.approx(np.full(50, 12000), rel=0.05)


def test_sequences_are_a_function_of_the_seed():
    (first, source), (again, _), (other, _) = (
        section4.load(dataclasses.replace(SMALL, seed=seed)) for seed in (1, 1, 2))
    for split in ("train", "test"):
        for array, array_again in zip(first[split], again[split]):
            np.testing.assert_array_equal(array, array_again)
        assert not np.array_equal(first[split][0], other[split][0])
    assert not source.is_sample


def test_the_sequences_are_the_same_as_with_numpy_1_18():
    # drawn with numpy 1.18.5 under Python 3.7, next to TensorFlow 1.15.5
    x1, _, _ = section4.load(section4.PRESETS["report"])[0]["train"]
    assert x1[[0, -1]].tolist() == [[43, 32, 26, 14, 16, 3], [48, 6, 26, 13, 43, 22]]


def test_test_sequences_are_unseen():
    data, _ = section4.load(section4.PRESETS["report"])
    assert len(data["test"][0]) == 1000
    assert not set(map(tuple, data["train"][0])) & set(map(tuple, data["test"][0]))


def test_decoding_one_hot_vectors_gives_the_original_numbers():
    tokens = np.array([[3, 0, 1], [2, 3, 3]])
    vectors = section4.one_hot(tokens, 5)
    assert vectors.shape == (2, 3, 5) and vectors.dtype == np.float32
    assert vectors[0, 0].tolist() == [0, 0, 0, 1, 0]
    np.testing.assert_array_equal(section4.one_hot_decode(vectors), tokens)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(UsageError, match="--batch-size 102: there are 101 sequences; choose 1 to 101"):
        section4.check_settings(dataclasses.replace(SMALL, batch_size=102), 101)


def test_an_example_is_printed_as_in_the_report():
    line = section4.format_example(np.array([14, 19, 20, 38, 27, 39]), np.array([20, 19, 14]), np.array([20, 19, 14]))
    assert line == "Input Sequence=[14, 19, 20, 38, 27, 39] SeedSequence=[20, 19, 14], PredictedSequence=[20, 19, 14]"


def test_the_keras_models_have_the_published_numbers_of_parameters():
    autoencoder, encoder, decoder = section4.define_models(51, 51)
    assert [model.count_params() for model in (encoder, decoder, autoencoder)] == [92160, 98739, 190899]
    assert not autoencoder.non_trainable_weights


def test_the_keras_models_have_the_layers_of_the_published_summaries():
    autoencoder, encoder, decoder = section4.define_models(51, 51)
    layers = {model.name: {layer.name: layer.count_params() for layer in model.layers}
              for model in (autoencoder, encoder, decoder)}
    inputs, lstm, lstm_1, dense = {"input_1": 0}, {"lstm": 92160}, {"lstm_1": 92160}, {"dense": 6579}
    assert layers == {"model": {**inputs, "input_2": 0, **lstm, **lstm_1, **dense}, "model_1": {**inputs, **lstm},
                      "model_2": {"input_2": 0, "input_3": 0, "input_4": 0, **lstm_1, **dense}}
    assert [tuple(shape) for shape in encoder.output_shape] == [(None, 128)] * 2
    assert [tuple(shape) for shape in decoder.input_shape] == [(None, None, 51), (None, 128), (None, 128)]
    assert [tuple(shape) for shape in decoder.output_shape] == [(None, None, 51), (None, 128), (None, 128)]
    assert tuple(autoencoder.output_shape) == (None, None, 51)


def test_the_graph_has_the_published_number_of_parameters():
    model = section4.build_graph(section4.PRESETS["report"])
    counts = {variable.op.name: int(np.prod(variable.shape.as_list())) for variable in model.weights}
    encoder, decoder, dense = (sum(count for name, count in counts.items() if name.startswith(scope))
                               for scope in ("encoder", "decoder", "dense"))
    assert (encoder, decoder + dense, encoder + decoder + dense) == (92160, 98739, 190899)


def test_the_graph_has_exactly_the_variables_of_tensorflow_1():
    model = built(SMALL)
    with model.graph.as_default():
        weight_names = {variable.op.name for variable in tf1.global_variables()}
    weights = {f"{layer}/{name}" for layer in ("encoder/rnn/lstm_cell", "decoder/rnn/lstm_cell", "dense")
               for name in ("kernel", "bias")}
    assert weight_names == weights | {f"{name}/{slot}" for name in weights for slot in ("Adam", "Adam_1")} | {
        "beta1_power", "beta2_power"}


def test_initial_values_are_a_function_of_the_seed_and_of_the_layer():
    def first_values(seed):
        model = section4.build_graph(dataclasses.replace(SMALL, seed=seed))
        with TimedSession(model) as session:
            session.run(model.initializer)
            return graph_weights(session, model)
    first, again, other = first_values(1), first_values(1), first_values(2)
    kernels = ["encoder/rnn/lstm_cell/kernel", "decoder/rnn/lstm_cell/kernel", "dense/kernel"]
    for name in kernels:
        np.testing.assert_array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])
    assert not np.array_equal(first[kernels[0]], first[kernels[1]])


def test_outputs_are_probabilities_from_which_loss_and_acc_follow(small_data, random_weights):
    model = built(SMALL)
    arrays = small_data["train"]
    with TimedSession(model) as session:
        set_graph_weights(session, model, random_weights)
        trainer = trainers.GraphTrainer(session, model, arrays, SMALL.batch_size)
        metrics = trainer.evaluate(np.arange(101))  # 20 batches of 5 and one of 1
        outputs = trainer.predict(*arrays)
    assert outputs.shape == (101, 3, 11)
    np.testing.assert_allclose(outputs.sum(axis=-1), 1, rtol=1e-5)
    targets = arrays[2]
    probabilities = np.take_along_axis(outputs, targets[..., None].astype(int), axis=-1)
    assert metrics["loss"] == pytest.approx(-np.log(probabilities.astype(np.float64)).mean(), rel=1e-5)
    assert metrics["acc"] == pytest.approx(np.mean(outputs.argmax(axis=-1) == targets), rel=1e-6)


def test_features_are_the_one_hot_vectors_of_the_sequence_and_its_seed_sequence(small_data):
    model = built(SMALL)
    with TimedSession(model) as session:
        sequences, seeds = trainers.GraphTrainer(session, model, small_data["train"], 5).first_batch(np.arange(5))
    x1, x2, _ = small_data["train"]
    np.testing.assert_array_equal(sequences, section4.one_hot(x1[:5], 11))
    np.testing.assert_array_equal(seeds, section4.one_hot(x2[:5], 11))


@pytest.mark.parametrize("adam", ["exact", slow("Keras")])
def test_graph_and_keras_agree_in_outputs_gradients_and_20_steps(adam, small_data):
    relative = crosscheck.compare(section4.SECTION, SMALL, small_data["train"], adam, N_STEPS)
    assert relative["outputs"] < ROUNDING and relative["gradients"] < ROUNDING
    assert relative["losses"] < ROUNDING and relative["weights"] < STEPS


def test_keras_computes_the_graphs_outputs_with_weights_that_distinguish_the_gates(small_data, random_weights):
    model, twin = built(SMALL), section4.build_keras(SMALL)
    set_keras_weights(twin, random_weights)
    with TimedSession(model) as session:
        set_graph_weights(session, model, random_weights)
        outputs = trainers.GraphTrainer(session, model, small_data["train"], 5).predict(*small_data["train"])
    (x1, x2), _ = section4.inputs_and_targets(small_data["train"], SMALL)
    assert crosscheck.relative_difference(outputs, twin.predict([x1, x2], verbose=0)) < ROUNDING


def test_weights_read_from_keras_are_those_that_were_set(random_weights):
    twin = section4.build_keras(SMALL)
    set_keras_weights(twin, random_weights)
    weights = keras_weights(twin)
    assert set(weights) == set(random_weights)
    for name, array in random_weights.items():
        np.testing.assert_allclose(weights[name], array, rtol=0, atol=FORGET_BIAS_ROUNDING if "bias" in name else 0)


def test_keras_has_another_order_of_gates_and_the_forget_bias_of_1_in_its_bias(random_weights):
    twin = section4.build_keras(SMALL)
    set_keras_weights(twin, random_weights)
    kernel, recurrent_kernel, bias = twin.get_layer("encoder").get_weights()
    i, j, f, o = np.split(random_weights["encoder/rnn/lstm_cell/kernel"], 4, axis=1)
    np.testing.assert_array_equal(kernel, np.concatenate([i, f, j, o], axis=1)[:11])
    np.testing.assert_array_equal(recurrent_kernel, np.concatenate([i, f, j, o], axis=1)[11:])
    i, j, f, o = np.split(random_weights["encoder/rnn/lstm_cell/bias"], 4)
    np.testing.assert_array_equal(bias, np.concatenate([i, f + np.float32(1), j, o]))


def test_keras_initial_bias_corresponds_to_tensorflow_1s_zero():
    weights = keras_weights(section4.build_keras(SMALL))
    assert not weights["encoder/rnn/lstm_cell/bias"].any() and not weights["decoder/rnn/lstm_cell/bias"].any()


def test_gradients_from_keras_are_renamed_without_a_forget_bias():
    twin = section4.build_keras(SMALL)
    zeros = [np.zeros(variable.shape, np.float32) for variable in twin.trainable_variables]
    gradients = keras_gradients(twin, zeros)
    assert set(gradients) == set(keras_weights(twin))
    assert not any(gradient.any() for gradient in gradients.values())


def test_lstm_weights_of_a_different_width_are_refused(random_weights):
    wider = {**random_weights, "decoder/rnn/lstm_cell/kernel": np.zeros((19, 28), np.float32)}
    with pytest.raises(ValueError, match=r"decoder/rnn/lstm_cell/kernel: shape \[19, 28\], expected \[18, 28\]"):
        set_keras_weights(section4.build_keras(SMALL), wider)


@pytest.mark.parametrize("start, feedback", WAYS)
def test_graph_and_keras_predict_the_same(start, feedback, coders, small_data):
    settings = dataclasses.replace(SMALL, start_vector=start, feedback=feedback)
    by_graph, by_keras = (section4.predict_sequence(*coders[kind], small_data["test"][0], settings)
                          for kind in ("graph", "Keras"))
    assert by_graph.shape == (13, 3, 11)
    assert crosscheck.relative_difference(by_graph, by_keras) < ROUNDING


def test_the_four_ways_of_predicting_differ(coders, small_data):
    outputs = [section4.predict_sequence(*coders["graph"], small_data["test"][0],
                                         dataclasses.replace(SMALL, start_vector=start, feedback=feedback))
               for start, feedback in WAYS]
    for first, second in itertools.combinations(outputs, 2):
        assert np.abs(first - second).max() > 1e-3


def test_the_decoder_predicts_as_in_training_if_it_is_fed_with_the_target(coders, random_weights, small_data):
    x1, x2, _ = small_data["test"]
    model = built(SMALL)
    with TimedSession(model) as session:
        set_graph_weights(session, model, random_weights)
        outputs = trainers.GraphTrainer(session, model, small_data["test"], 5).predict(*small_data["test"])
    encoder, decoder = coders["graph"]
    h, c = encoder(section4.one_hot(x1, 11))
    for t in range(3):
        vectors, h, c = decoder(section4.one_hot(x2[:, t:t + 1], 11), h, c)
        assert crosscheck.relative_difference(vectors[:, 0], outputs[:, t]) < ROUNDING


def test_the_decoder_is_fed_as_the_settings_say():
    fed, states = [], []

    def decoder(vectors, h, c):
        fed.append(vectors)
        states.append((h, c))
        return np.array([[[0.1, 0.3, 0.6]]], np.float32) if len(fed) == 1 else vectors[:, :, ::-1], h + 1, c + 2

    def fed_with(**ways):
        fed.clear()
        states.clear()
        section4.predict_sequence(lambda sequences: (10, 20), decoder, np.array([[1, 2]]),
                                  dataclasses.replace(SMALL, cardinality=3, **ways))
        assert states == [(10, 20), (11, 22), (12, 24)]
        return np.concatenate(fed)[:2, 0].tolist()

    softmax = np.array([0.1, 0.3, 0.6], np.float32).tolist()
    assert fed_with(start_vector="zeros", feedback="softmax") == [[0, 0, 0], softmax]
    assert fed_with(start_vector="one-hot", feedback="one-hot") == [[1, 0, 0], [0, 0, 1]]


def test_sequence_accuracy_counts_sequences_whose_numbers_are_all_right():
    y = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [1, 1, 1]])
    predicted = np.array([[1, 2, 3], [4, 5, 1], [7, 8, 9], [2, 2, 2]])
    assert section4.sequence_accuracy(predicted, y) == 0.5


def test_a_small_network_learns_to_reverse():
    settings = dataclasses.replace(SMALL, n_in=3, cardinality=5, n_units=23, n_sequences=1009, batch_size=31)
    data, _ = section4.load(settings)
    model = section4.build_graph(settings)
    with TimedSession(model) as session:
        session.run(model.initializer)
        trainer = trainers.GraphTrainer(session, model, data["train"], settings.batch_size)
        first, *_, last = (metrics for _, metrics in fit(
            trainer, n_epochs=19, rows_for_epoch=lambda epoch: np.random.default_rng(epoch).permutation(1009)))
        x1, _, y = data["test"]
        outputs = section4.predict_sequence(*section4.graph_encoder_decoder(trainer, settings), x1, settings)
    assert first["acc"] < 0.6 and last["acc"] > 0.98 and last["loss"] < 0.1 * first["loss"]
    assert section4.sequence_accuracy(section4.one_hot_decode(outputs), y) > 0.9
