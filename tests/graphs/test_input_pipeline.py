"""Input pipelines: streamed batches are equal to batches from arrays that are copied into the graph."""
import dataclasses

import numpy as np
import pytest

from tf1_autoencoders.graphs.input_pipeline import aligned_copy, ordered_batches, streamed_batches
from tf1_autoencoders.keras_twin.weights import graph_weights
from tf1_autoencoders.sections import section1_reconstruction
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.loop import fit
from tf1_autoencoders.training.row_order import shuffled_rows
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.frameworks import tf1

SMALL = dataclasses.replace(section1_reconstruction.PRESETS["report"], n_input=37, n_hidden_1=13, n_hidden_2=11,
                            n_hidden_3=7, n_latent=3, batch_size=5)


@pytest.fixture
def mapped_array(tmp_path):
    """Return a memory-mapped file, float32[101, 37]."""
    array = np.random.default_rng(0).random((101, 37), dtype=np.float32)
    array.tofile(str(tmp_path / "array"))
    return np.memmap(str(tmp_path / "array"), np.float32, "r", shape=(101, 37))


def test_streamed_batches_are_equal_to_ordered_batches(mapped_array):
    order, row_numbers = np.array([3, 100, 0, 0, 7, 50, 2]), np.arange(101, dtype=np.int32)
    batches = []
    for make_pipeline in (ordered_batches, streamed_batches):
        with tf1.Graph().as_default(), tf1.Session() as session:
            pipeline = make_pipeline(([37], tf1.float32), ([], tf1.int32))
            if pipeline.load is None:
                pipeline.data[:] = mapped_array, row_numbers
            else:
                session.run(pipeline.load, dict(zip(pipeline.data, (mapped_array, row_numbers))))
            session.run(pipeline.start, {pipeline.order: order, pipeline.batch_size: 3})
            batches.append([session.run(pipeline.batch) for _ in range(3)])
            with pytest.raises(tf1.errors.OutOfRangeError):
                session.run(pipeline.batch)
    for (x, rows), (streamed_x, streamed_rows) in zip(*batches):
        assert x.tobytes() == streamed_x.tobytes() == mapped_array[rows].tobytes()
        assert rows.tolist() == streamed_rows.tolist()
    assert [len(rows) for _, rows in batches[0]] == [3, 3, 1]


def test_an_aligned_copy_is_used_where_it_is_and_another_array_is_copied():
    x = aligned_copy(np.arange(777, dtype=np.float32).reshape(111, 7))
    assert x.tolist() == np.arange(777).reshape(111, 7).tolist()
    for array, expected in ((x, -1), (x[1:], 14)):
        with tf1.Graph().as_default(), tf1.Session() as session:
            pipeline = ordered_batches(([7], tf1.float32))
            session.run(pipeline.load, {pipeline.data[0]: array})
            array[1, 0] = -1
            session.run(pipeline.start, {pipeline.order: [0, 1], pipeline.batch_size: 2})
            batch, = session.run(pipeline.batch)
            assert batch[1, 0] == expected


def test_training_from_a_file_is_bit_identical_to_training_from_memory(mapped_array):
    results = []
    for streamed in (False, True):
        model = section1_reconstruction.build_graph(dataclasses.replace(SMALL, stream_batches=streamed))
        with TimedSession(model, threads=1) as session:
            session.run(model.initializer)
            trainer = trainers.GraphTrainer(session, model, (mapped_array,), SMALL.batch_size)
            trace = list(fit(trainer, n_epochs=3, rows_for_epoch=lambda epoch: shuffled_rows(81, 1, epoch),
                             validation_rows=np.arange(81, 101)))
            results.append((trace, graph_weights(session, model), trainer.predict(mapped_array[:7])))
    (trace, weights, outputs), (streamed_trace, streamed_weights, streamed_outputs) = results
    assert trace == streamed_trace and outputs.tobytes() == streamed_outputs.tobytes()
    assert all(weights[name].tobytes() == streamed_weights[name].tobytes() for name in weights)
