"""Input pipelines: where the arrays lie."""
import numpy as np

from tf1_autoencoders.graphs.input_pipeline import aligned_copy, ordered_batches
from tf1_autoencoders.utils.frameworks import tf1


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
