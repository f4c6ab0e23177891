"""training: the session loop."""
import dataclasses

import numpy as np
import pytest
from conftest import SMALL

from tf1_autoencoders import bridge, runs, section2_horses, training
from tf1_autoencoders.errors import UserError


def train(settings, rows, say=lambda shape: None):
    """([(epoch, mse)], final weights) of a run from its first values."""
    model = section2_horses.build_graph(settings)
    with training.Session(model) as session:
        trace = [(epoch, metrics["mse"]) for epoch, metrics in
                 runs.train_section2(session, model, settings, rows, say)]
        return trace, bridge.graph_weights(session, model)


def test_it_measures_the_first_epoch_and_every_nth_after_it(small_rows):
    trace, _ = train(SMALL, small_rows)
    assert [epoch for epoch, _ in trace] == [0, 2]


def test_training_lowers_the_mse(small_rows):
    trace, _ = train(dataclasses.replace(SMALL, n_epochs=31, print_every=30), small_rows)
    assert trace[-1][1] < 0.5 * trace[0][1]


def test_the_same_seed_gives_the_same_bytes(small_rows):
    for settings in (SMALL, dataclasses.replace(SMALL, shuffle=True)):
        (trace, weights), (trace_again, weights_again) = train(settings, small_rows), train(settings, small_rows)
        assert trace == trace_again
        assert all(np.array_equal(weights[name], weights_again[name]) for name in weights)


def test_another_seed_gives_other_weights(small_rows):
    _, weights = train(SMALL, small_rows)
    _, others = train(dataclasses.replace(SMALL, seed=2), small_rows)
    assert not np.array_equal(weights["dense/kernel"], others["dense/kernel"])


def test_the_shape_of_the_first_batch_is_said_as_the_report_prints_it(small_rows):
    said = []
    train(SMALL, small_rows, said.append)
    assert said == [(5, 37)]


def test_each_printed_mse_is_that_of_the_next_batch_of_the_pipeline(small_rows):
    """The position after e epochs is (1 + steps * e + prints) * batch mod n, as in the report's source."""
    settings = dataclasses.replace(SMALL, learning_rate=1e-12, n_epochs=5, print_every=2)  # weights that stay
    trace, weights = train(settings, small_rows)
    model = section2_horses.build_graph(settings)
    with training.Session(model) as session:
        bridge.set_graph_weights(session, model, weights)
        errors = (training.predict(session, model, (small_rows,), 101) - small_rows) ** 2
    for prints, (epoch, mse) in enumerate(trace):
        start = (1 + settings.steps_per_epoch * (epoch + 1) + prints) * settings.batch_size
        rows = np.arange(start, start + settings.batch_size) % len(small_rows)
        assert mse == pytest.approx(errors[rows].mean(), rel=1e-5)


def test_shuffling_shows_every_row_once_an_epoch_in_an_order_of_its_own():
    settings = dataclasses.replace(SMALL, n_input=1)
    rows = np.arange(10, dtype=np.float32)[:, None]
    model = section2_horses.build_graph(settings)
    seen = []
    with training.Session(model) as session:
        session.run(model.initializer)
        run = session.run
        session.run = lambda fetches, feeds=None: (
            seen.append(run([model.features, fetches])[0]) if fetches is model.train_op else run(fetches, feeds))
        list_of = training.fit(session, model, (rows,), batch_size=5, n_epochs=2, steps_per_epoch=2, print_every=9,
                               shuffle_seed=4)
        next(list_of), list(list_of)
    first, second = np.concatenate(seen[:2])[:, 0], np.concatenate(seen[2:])[:, 0]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first.tolist() != second.tolist() != list(range(10))


def test_predict_answers_every_row_once_whatever_the_batch(small_rows):
    model = section2_horses.build_graph(SMALL)
    with training.Session(model) as session:
        session.run(model.initializer)
        whole = training.predict(session, model, (small_rows,), 101)
        parts = training.predict(session, model, (small_rows,), 10)
    assert parts.shape == (101, 37)
    np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-3)


def test_a_training_that_diverges_is_an_error_in_one_sentence(small_rows):
    with pytest.raises(UserError, match="epoch 0: the mse is (inf|nan), training has diverged; try a smaller"):
        train(dataclasses.replace(SMALL, learning_rate=1e30), small_rows)
