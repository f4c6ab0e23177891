"""The training loop, which graphs and Keras twins share."""
import dataclasses
import math
import os

import numpy as np
import pytest

from tests.conftest import SMALL, section2_graph
from tf1_autoencoders.keras_twin import build
from tf1_autoencoders.keras_twin.weights import graph_weights, set_graph_weights, set_keras_weights
from tf1_autoencoders.sections import section1_reconstruction, section2_horses
from tf1_autoencoders.sections.run import keras_trainer
from tf1_autoencoders.training import row_order, trainers
from tf1_autoencoders.training.loop import fit
from tf1_autoencoders.training.session import TimedSession, check_bfloat16, describe_machine
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1

SHUFFLED = dataclasses.replace(SMALL, shuffle=True, pixel_center=127.5, pixel_scale=1 / 255, learning_rate=0.003)


def train(settings, x):
    """Train section 2's network from its initial values; return ([(epoch, mse)], final weights)."""
    model = section2_graph(settings)
    with TimedSession(model) as session:
        session.run(model.initializer)
        trainer = trainers.GraphTrainer(session, model, (x,), settings.batch_size)
        trace = [(epoch, metrics["mse"]) for epoch, metrics in
                 fit(trainer, **section2_horses.fit_arguments(settings, len(x)))]
        return trace, graph_weights(session, model)


def test_the_first_epoch_and_every_nth_after_it_are_evaluated(small_rows):
    trace, _ = train(SMALL, small_rows)
    assert [epoch for epoch, _ in trace] == [0, 2]


def test_training_lowers_the_mse(small_rows):
    trace, _ = train(dataclasses.replace(SMALL, n_epochs=31, print_every=30), small_rows)
    assert trace[-1][1] < 0.5 * trace[0][1]


def test_the_same_seed_gives_bit_identical_weights(small_rows):
    for settings in (SMALL, SHUFFLED):
        (trace, weights), (trace_again, weights_again) = train(settings, small_rows), train(settings, small_rows)
        assert trace == trace_again
        assert all(np.array_equal(weights[name], weights_again[name]) for name in weights)


def test_a_different_seed_gives_different_weights(small_rows):
    _, weights = train(SMALL, small_rows)
    _, others = train(dataclasses.replace(SMALL, seed=2), small_rows)
    assert not np.array_equal(weights["dense/kernel"], others["dense/kernel"])


def test_each_printed_mse_belongs_to_the_next_batch_of_the_pipeline(small_rows):
    """The position after e epochs is (1 + steps * e + prints) * batch mod n, as in the report's source."""
    settings = dataclasses.replace(SMALL, learning_rate=1e-12, n_epochs=5, print_every=2)  # the weights hardly change
    trace, weights = train(settings, small_rows)
    model = section2_graph(settings)
    with TimedSession(model) as session:
        set_graph_weights(session, model, weights)
        errors = (trainers.GraphTrainer(session, model, (small_rows,), 5).predict(small_rows) - small_rows) ** 2
    for prints, (epoch, mse) in enumerate(trace):
        start = (1 + settings.steps_per_epoch * (epoch + 1) + prints) * settings.batch_size
        taken = np.arange(start, start + settings.batch_size) % len(small_rows)
        assert mse == pytest.approx(errors[taken].mean(), rel=1e-5)


def test_the_order_of_rows_is_a_function_of_seed_and_epoch():
    orders = [row_order.shuffled_rows(10, seed, epoch).tolist() for seed, epoch in [(4, 0), (4, 1), (5, 0), (4, 0)]]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert orders[0] == orders[3] and len({tuple(order) for order in orders}) == 3


def test_cyclic_rows_continue_at_the_start_after_the_last_row():
    assert [row_order.cyclic_rows(first, 3, 7).tolist() for first in (0, 3, 6)] == [[0, 1, 2], [3, 4, 5], [6, 0, 1]]


def test_the_validation_split_is_rounded_up():
    assert [row_order.n_training_rows(n, 0.2) for n in (10, 11, 14, 60000)] == [8, 8, 11, 48000]


@pytest.fixture
def both(small_rows):
    """Yield the trainers of a graph and its Keras twin, with the same weights and the same rows."""
    model, twin = section2_graph(SHUFFLED), section2_horses.build_keras(SHUFFLED, build.exact_adam)
    with TimedSession(model) as session:
        session.run(model.initializer)
        set_keras_weights(twin, graph_weights(session, model))
        yield (trainers.GraphTrainer(session, model, (small_rows,), 5),
               keras_trainer(section2_horses.SECTION, SHUFFLED, twin, (small_rows,)))


def test_both_trainers_take_the_requested_rows_in_the_requested_order(both, small_rows):
    asked = np.array([6, 5, 99, 3, 0, 1, 2])
    for trainer in both:
        np.testing.assert_array_equal(trainer.first_batch(asked)[:5], small_rows[asked[:5]])


def test_both_trainers_go_through_the_same_loop_with_the_same_result(both):
    graph, keras = [list(fit(trainer, n_epochs=3, rows_for_epoch=lambda epoch: row_order.shuffled_rows(81, 1, epoch),
                                      validation_rows=np.arange(81, 101))) for trainer in both]
    assert [epoch for epoch, _ in graph] == [epoch for epoch, _ in keras] == [0, 1, 2]
    for (_, metrics), (_, twins) in zip(graph, keras):
        assert set(metrics) == set(twins) == {"progress_bar_mse", "progress_bar_l2", "mse", "l2", "val_mse", "val_l2"}
        assert all(metrics[name] == pytest.approx(twins[name], rel=1e-5) for name in ("mse", "val_mse", "val_l2"))


def test_the_mean_over_an_epoch_weights_a_short_last_batch_by_its_rows(both, small_rows):
    graph, _ = both
    asked = np.arange(12)  # batches of 5, 5, 2
    errors = (graph.predict(small_rows) - small_rows)[asked] ** 2
    model, session = graph.model, graph.session
    trainer = trainers.GraphTrainer(session, model, (small_rows,), 5)
    assert trainer.evaluate(asked)["mse"] == pytest.approx(errors.mean(), rel=1e-5)


def test_predict_returns_every_row_once_at_any_batch_size(both, small_rows):
    for trainer in both:
        parts = trainer.predict(small_rows, batch_size=10)
        assert parts.shape == (101, 37)
        np.testing.assert_allclose(parts, trainer.predict(small_rows), rtol=1e-4, atol=1e-3)


class Losses:
    """A trainer with a given sequence of validation losses."""

    batch_size = 1

    def __init__(self, *losses):
        self.losses = list(losses)

    def train(self, rows, measured, progress, on_step):
        return {"loss": 1.0}

    def evaluate(self, rows):
        return {"loss": self.losses.pop(0)}


def epochs_of(losses, patience):
    return [epoch for epoch, _ in fit(Losses(*losses), n_epochs=len(losses), rows_for_epoch=lambda epoch: [0],
                                               validation_rows=[0], patience=patience)]


def test_early_stopping_waits_as_keras_does():
    """EarlyStopping(patience=2) of Keras ends after the second epoch in a row that is not below the best."""
    assert epochs_of([5, 4, 4, 3, 3, 3, 1], patience=2) == [0, 1, 2, 3, 4, 5]
    assert epochs_of([5, 4, 3, 2, 1, 0], patience=1) == [0, 1, 2, 3, 4, 5]
    assert epochs_of([1, 2, 0], patience=1) == [0, 1]


def test_a_training_that_diverges_is_an_error_in_one_sentence(small_rows):
    with pytest.raises(UserError, match="epoch 0: the mse is (inf|nan), the training has diverged; try a smaller"):
        train(dataclasses.replace(SMALL, learning_rate=1e30), small_rows)
    with pytest.raises(UserError, match="the val_loss is nan"):
        epochs_of([math.nan], patience=1)


def test_the_first_loss_does_not_depend_on_the_number_of_threads(small_rows):
    losses = []
    for threads in (1, 2):
        model = section2_graph(SHUFFLED)
        with TimedSession(model, threads) as session:
            session.run(model.initializer)
            losses.append(trainers.GraphTrainer(session, model, (small_rows,), 5).evaluate(np.arange(20))["mse"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_the_graph_is_finalized_before_training(small_rows):
    model = section2_horses.build_graph(SMALL)
    with TimedSession(model) as session:
        trainers.GraphTrainer(session, model, (small_rows,), 5)
        with model.graph.as_default(), pytest.raises(RuntimeError, match="finalized"):
            tf1.constant(1)


def test_bfloat16_is_refused_if_the_cpu_does_not_support_it(tmp_path):
    if not hasattr(tf1.ConfigProto().graph_options.rewrite_options, "auto_mixed_precision_onednn_bfloat16"):
        with pytest.raises(UserError, match="--precision bfloat16: TensorFlow .* cannot rewrite a graph for bfloat16"):
            check_bfloat16()
        return
    (tmp_path / "cpuinfo").write_text("flags : fpu avx512f avx512_vnni")
    for cpu in (tmp_path / "cpuinfo", tmp_path / "nothing"):
        with pytest.raises(UserError, match="--precision bfloat16: this CPU names neither avx512_bf16 nor amx_bf16"):
            check_bfloat16(cpu)
    (tmp_path / "cpuinfo").write_text("flags : fpu avx512f avx512_bf16")
    check_bfloat16(tmp_path / "cpuinfo")


def test_bfloat16_rounds_to_three_digits():
    """Train section 1 at a size that the rewriter accepts; without bfloat16, the test above covers the error."""
    try:
        check_bfloat16()
    except UserError as error:
        pytest.skip(str(error))
    settings = dataclasses.replace(section1_reconstruction.PRESETS["report"], n_input=256, n_hidden_1=128,
                                   n_hidden_2=64, n_hidden_3=32, batch_size=64)
    x, losses = np.random.default_rng(0).random((256, 256), dtype=np.float32), []
    for precision in ("float32", "bfloat16"):
        model = section1_reconstruction.build_graph(settings)
        with TimedSession(model, 1, precision) as session:
            session.run(model.initializer)
            trainer = trainers.GraphTrainer(session, model, (x,), 64)
            losses.append([metrics["loss"] for _, metrics in fit(
                trainer, n_epochs=4, rows_for_epoch=lambda epoch: row_order.shuffled_rows(256, 1, epoch))])
    assert losses[0] != losses[1] and losses[1] == pytest.approx(losses[0], rel=0.01)


def test_a_machine_is_described_by_its_cpu_its_usable_cores_and_onednns_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    monkeypatch.setenv("TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL", "0")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 5}, raising=False)
    core = "model name\t: AMD EPYC\nflags\t\t: fpu sse2 avx fma avx2\n"
    (tmp_path / "cpuinfo").write_text(core + "\n" + core)
    described = describe_machine(0, tmp_path / "cpuinfo")
    assert described == {"cpu": "AMD EPYC", "instructions": "avx avx2 fma", "threads": 3, "ONEDNN_MAX_CPU_ISA": "AVX2",
                         "TF_ENABLE_ONEDNN_OPTS": None, "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL": "0"}
    assert describe_machine(2, tmp_path / "cpuinfo")["threads"] == 2
    assert describe_machine(1, tmp_path / "nothing")["instructions"] == ""
