"""Programs of names that few programs call: a value each, or what the session answers to a question."""
import os
import tempfile

import numpy as np

from tests.tf115.contrib_programs import call


@call
def others_framework(c):
    framework, tf = c.tf.contrib.framework, c.tf
    layers = c.layers
    assert "activation_fn" in framework.arg_scoped_arguments(layers.conv2d)
    with framework.arg_scope([layers.conv2d], stride=2):
        assert list(framework.current_arg_scope().values()) == [{"stride": 2}]
    assert framework.smart_constant_value(tf.constant(True)) and framework.smart_constant_value(0) == 0
    assert framework.smart_constant_value(c.booleans(True)) is None
    assert framework.get_graph_from_inputs([tf.constant(1)]) is tf.get_default_graph()
    assert framework.deprecated("2020-01-01", "call another one")(lambda: 5)() == 5
    assert framework.deprecated_args("2020-01-01", "leave it out", "x")(lambda x=3: x)() == 3
    assert framework.deprecated_arg_values("2020-01-01", "other values", x=9)(lambda x=3: x)() == 3
    assert framework.TensorSpec([3], tf.float32).shape.as_list() == [3]
    variable = tf.get_variable("variable", [3], initializer=tf.ones_initializer())
    sparse = framework.convert_to_tensor_or_sparse_tensor(tf.SparseTensor([[0, 1]], [2.0], [2, 2]))
    zero = framework.zero_initializer(tf.get_variable("zeroed", [2], collections=["others"]))
    give = framework.assign_from_values_fn({"variable": np.array([4.0, 5.0, 6.0], np.float32)})

    def answers(session):
        folder = tempfile.mkdtemp()
        path = tf.train.Saver([variable]).save(session, os.path.join(folder, "model.ckpt"))
        give(session)
        assert framework.list_variables(path) == [("variable", [3])]
        loaded = [framework.load_variable(path, "variable"),
                  framework.load_checkpoint(path).get_tensor("variable")]
        return np.concatenate(loaded + [session.run(variable), session.run(zero)])

    c.questions["answers"] = answers
    return variable + framework.assert_scalar(tf.constant(2.0)) + tf.reduce_sum(sparse.values)


@call
def others_init_from_checkpoint(c):
    tf = c.tf
    folder = tempfile.mkdtemp()
    with tf.Graph().as_default(), tf.Session() as session:
        saved = tf.get_variable("old/weights", [3], initializer=tf.constant_initializer([1.0, 2.0, 3.0]))
        session.run(saved.initializer)
        path = tf.train.Saver().save(session, os.path.join(folder, "model.ckpt"))
    weights = tf.get_variable("new/weights", [3])
    c.tf.contrib.framework.init_from_checkpoint(path, {"old/": "new/"})
    return weights * 2.0


@call
def others_rnn(c):
    rnn, tf = c.tf.contrib.rnn, c.tf
    inputs = c.sequence(3, 2, 5)
    assert rnn.best_effort_input_batch_size([c.fixed(4, 3, 2)]) == 3
    assert isinstance(rnn.GRUCell(3), rnn.RNNCell) and isinstance(rnn.BasicRNNCell(3), rnn.LayerRNNCell)
    assert isinstance(rnn.TimeReversedFusedRNN(rnn.LSTMBlockFusedCell(2)), rnn.FusedRNNCell)
    assert isinstance(rnn.LSTMBlockFusedCell(2), rnn.LSTMBlockWrapper)

    class Saver:
        """Keeps the state of one batch for the next one."""

        def state(self, name):
            return tf.zeros([2, 4])

        def save_state(self, name, value):
            return tf.no_op()

    outputs, state = rnn.static_state_saving_rnn(rnn.GRUCell(4), inputs, Saver(), "state")
    return c.joined(list(outputs) + [state])


@call
def others_seq2seq(c):
    seq2seq, tf = c.tf.contrib.seq2seq, c.tf

    class Counting(seq2seq.Decoder):
        """A decoder of one's own: it doubles its inputs three times."""

        batch_size, output_size, output_dtype = 3, tf.TensorShape([2]), tf.float32

        def initialize(self, name=None):
            return tf.tile([False], [3]), start, tf.constant(0)

        def step(self, time, inputs, state, name=None):
            return inputs + 1.0, state + 1, inputs * 2.0, tf.tile([time >= 2], [3])

        def finalize(self, outputs, final_state, sequence_lengths):
            return outputs * 3.0, final_state

    start = c.fixed(3, 2)
    outputs, state, lengths = seq2seq.dynamic_decode(Counting())
    assert issubclass(seq2seq.TrainingHelper, seq2seq.Helper)
    assert issubclass(seq2seq.LuongAttention, seq2seq.AttentionMechanism)
    assert seq2seq.BasicDecoderOutput(1, 2).sample_id == 2
    assert seq2seq.BeamSearchDecoderOutput(1, 2, 3)._fields == ("scores", "predicted_ids", "parent_ids")
    assert seq2seq.FinalBeamSearchDecoderOutput(1, 2).predicted_ids == 1
    assert seq2seq.BeamSearchDecoderState(1, 2, 3, 4, 5).lengths == 4
    assert seq2seq.AttentionWrapperState(*range(6)).alignment_history == 4
    return c.joined([outputs, lengths[:, None] * state * 0 + tf.cast(tf.zeros([3, 1]), tf.int32)][:1])


@call
def others_legacy_seq2seq(c):
    legacy, tf = c.tf.contrib.legacy_seq2seq, c.tf
    ids = tf.unstack(c.integers(6, 3, 2), 2, axis=1)
    first, state = legacy.embedding_rnn_decoder(ids, c.floats(3, 4), tf.nn.rnn_cell.GRUCell(4), 6, 5)
    second, last = legacy.embedding_attention_decoder(ids, state, c.floats(3, 3, 2), tf.nn.rnn_cell.GRUCell(4), 6, 5,
                                                      num_heads=2, output_size=3)
    return c.joined(list(first) + list(second) + [last])


@call
def others_viterbi(c):
    draws = np.random.RandomState(3)
    tags, score = c.tf.contrib.crf.viterbi_decode(draws.standard_normal((6, 4)), draws.standard_normal((4, 4)))
    return c.tf.constant([float(tag) for tag in tags] + [float(score)])


@call
def others_losses(c):
    losses, tf = c.tf.contrib.losses, c.tf
    weights = c.layers.linear(c.floats(3, 5), 4, weights_regularizer=c.layers.l2_regularizer(0.1))
    losses.absolute_difference(weights, c.floats(3, 4))
    return tf.stack([losses.get_losses()[0], losses.get_regularization_losses()[0]])


@call
def others_metrics(c):
    metrics, tf = c.tf.contrib.metrics, c.tf
    labels, scores = tf.cast(c.integers(2, 9), tf.bool), tf.sigmoid(c.floats(9))
    wide, three = c.floats(9, 3), tf.cast(c.integers(3, 9, 1), tf.int64)
    values, more = metrics.aggregate_metrics(
        metrics.streaming_specificity_at_sensitivity(scores, labels, 0.5),
        metrics.streaming_true_negatives(labels, tf.cast(c.integers(2, 9), tf.bool)),
        metrics.streaming_sparse_average_precision_at_k(wide, three, 2),
        metrics.streaming_sparse_recall_at_k(wide, three, 2))
    assert len(values) == 4
    return tf.stack([tf.cast(one, tf.float32) for one in more])


@call
def others_sets(c):
    metrics, tf = c.tf.contrib.metrics, c.tf
    first, second = tf.constant([[1, 2, 3], [4, 4, 5]]), tf.constant([[2, 3], [4, 9]])
    sets = [metrics.set_difference(first, second), metrics.set_intersection(first, second),
            metrics.set_union(first, second)]
    sizes = [metrics.set_size(one) for one in sets]
    return tf.cast(tf.stack(sizes), tf.float32)


@call
def others_util(c):
    util, tf = c.tf.contrib.util, c.tf
    value = util.constant_value(tf.constant([1.0, 2.0]))
    return tf.constant(util.make_ndarray(util.make_tensor_proto(value))) + c.floats(3, 2)
