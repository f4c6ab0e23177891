"""Programs of tf.contrib.legacy_seq2seq."""
from tests.tf115.contrib_programs import call


def _ids(c, n_steps, high=6, batch=3):
    """Return n_steps tensors int32[batch]."""
    return c.tf.unstack(c.integers(high, batch, n_steps), n_steps, axis=1)


def _result(c, outputs, state):
    return c.joined(list(outputs) + c.tf.nest.flatten(state))


def _fed(c, make):
    """Return the results of a model that is fed the given inputs, and of the same one that is fed its own outputs."""
    encoder, decoder = _ids(c, 3), _ids(c, 2)
    given = _result(c, *make(encoder, decoder, False))
    with c.tf.variable_scope(c.tf.get_variable_scope(), reuse=True):
        return given + _result(c, *make(encoder, decoder, True))


@call
def legacy_seq2seq_rnn_decoder(c):
    legacy, tf = c.tf.contrib.legacy_seq2seq, c.tf
    weights = tf.get_variable("weights", [4, 5])
    outputs, state = legacy.rnn_decoder(c.sequence(3, 3, 5), c.floats(3, 4), tf.nn.rnn_cell.GRUCell(4),
                                        loop_function=lambda previous, _: tf.matmul(previous, weights), scope="rnnlm")
    return _result(c, outputs, state)


@call
def legacy_seq2seq_basic(c):
    cell = c.tf.nn.rnn_cell.BasicLSTMCell(4)
    return _result(c, *c.tf.contrib.legacy_seq2seq.basic_rnn_seq2seq(c.sequence(3, 3, 5), c.sequence(2, 3, 5), cell))


@call
def legacy_seq2seq_tied(c):
    cell = c.tf.nn.rnn_cell.MultiRNNCell([c.tf.nn.rnn_cell.GRUCell(5), c.tf.nn.rnn_cell.LSTMCell(5)])
    return _result(c, *c.tf.contrib.legacy_seq2seq.tied_rnn_seq2seq(
        c.sequence(3, 3, 5), c.sequence(2, 3, 5), cell, loop_function=lambda previous, _: previous * 0.5))


@call
def legacy_seq2seq_embedding(c):
    return _fed(c, lambda encoder, decoder, feed: c.tf.contrib.legacy_seq2seq.embedding_rnn_seq2seq(
        encoder, decoder, c.tf.nn.rnn_cell.LSTMCell(4), 6, 7, 5, feed_previous=feed))


@call
def legacy_seq2seq_embedding_conditional(c):
    return _result(c, *c.tf.contrib.legacy_seq2seq.embedding_rnn_seq2seq(
        _ids(c, 3), _ids(c, 2), c.tf.nn.rnn_cell.LSTMCell(4), 6, 7, 5, feed_previous=c.booleans(False)))


@call
def legacy_seq2seq_embedding_projection(c):
    tf = c.tf
    projection = tf.get_variable("w", [4, 7]), tf.get_variable("b", [7])
    return _fed(c, lambda encoder, decoder, feed: tf.contrib.legacy_seq2seq.embedding_rnn_seq2seq(
        encoder, decoder, tf.nn.rnn_cell.GRUCell(4), 6, 7, 5, output_projection=projection, feed_previous=feed))


@call
def legacy_seq2seq_embedding_tied(c):
    return _fed(c, lambda encoder, decoder, feed: c.tf.contrib.legacy_seq2seq.embedding_tied_rnn_seq2seq(
        encoder, decoder, c.tf.nn.rnn_cell.GRUCell(4), 6, 5, feed_previous=feed))


@call
def legacy_seq2seq_embedding_tied_conditional(c):
    return _result(c, *c.tf.contrib.legacy_seq2seq.embedding_tied_rnn_seq2seq(
        _ids(c, 3), _ids(c, 2), c.tf.nn.rnn_cell.GRUCell(4), 6, 5, feed_previous=c.booleans(True)))


@call
def legacy_seq2seq_attention(c):
    return _fed(c, lambda encoder, decoder, feed: c.tf.contrib.legacy_seq2seq.embedding_attention_seq2seq(
        encoder, decoder, c.tf.nn.rnn_cell.BasicLSTMCell(4), 6, 7, 5, feed_previous=feed))


@call
def legacy_seq2seq_attention_options(c):
    tf = c.tf
    projection = tf.get_variable("w", [4, 7]), tf.get_variable("b", [7])
    return _result(c, *tf.contrib.legacy_seq2seq.embedding_attention_seq2seq(
        _ids(c, 3), _ids(c, 2), tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(4) for _ in range(2)]), 6, 7, 5,
        num_heads=2, output_projection=projection, feed_previous=c.booleans(False), initial_state_attention=True))


@call
def legacy_seq2seq_attention_decoder(c):
    return _result(c, *c.tf.contrib.legacy_seq2seq.attention_decoder(
        c.sequence(2, 3, 5), c.floats(3, 4), c.floats(3, 4, 6), c.tf.nn.rnn_cell.GRUCell(4), output_size=3))


@call
def legacy_seq2seq_one2many(c):
    cell = c.tf.nn.rnn_cell.GRUCell
    outputs, states = c.tf.contrib.legacy_seq2seq.one2many_rnn_seq2seq(
        _ids(c, 3), {"a": _ids(c, 2, 4), "b": _ids(c, 3, 4)}, cell(4), {"a": cell(4), "b": cell(4)}, 6,
        {"a": 5, "b": 4}, 5)
    return c.joined([one for key in "ab" for one in outputs[key]] + [states[key] for key in "ab"])


@call
def legacy_seq2seq_losses(c):
    legacy, tf = c.tf.contrib.legacy_seq2seq, c.tf
    logits = [c.layers.linear(one, 6) for one in c.sequence(2, 3, 5)]
    targets, weights = _ids(c, 2), [tf.ones([3]), tf.constant([1.0, 0.0, 2.0])]
    by_example = legacy.sequence_loss_by_example(logits, targets, weights)
    summed = legacy.sequence_loss_by_example(
        logits, targets, weights, average_across_timesteps=False,
        softmax_loss_function=lambda labels, logits: tf.reduce_sum(logits, 1) * tf.cast(labels, tf.float32))
    return by_example + summed + legacy.sequence_loss(logits, targets, weights) + legacy.sequence_loss(
        logits, targets, weights, average_across_batch=False)


@call
def legacy_seq2seq_buckets(c):
    legacy, tf = c.tf.contrib.legacy_seq2seq, c.tf
    encoder, decoder, weights = _ids(c, 3), _ids(c, 4), [tf.ones([3]) for _ in range(4)]

    def model(encoder, decoder):
        return legacy.embedding_attention_seq2seq(encoder, decoder, tf.nn.rnn_cell.GRUCell(4), 6, 6, 5)

    outputs, losses = legacy.model_with_buckets(encoder, decoder, decoder[1:], weights, [(2, 2), (3, 3)], model)
    return tf.reduce_sum(outputs[1][0]) + losses[0] + losses[1]


@call
def legacy_seq2seq_buckets_by_example(c):
    legacy, tf = c.tf.contrib.legacy_seq2seq, c.tf
    encoder, decoder, weights = _ids(c, 2), _ids(c, 3), [tf.ones([3]) for _ in range(3)]
    _, losses = legacy.model_with_buckets(
        encoder, decoder, decoder[1:], weights, [(2, 2)], per_example_loss=True,
        seq2seq=lambda x, y: legacy.embedding_rnn_seq2seq(x, y, tf.nn.rnn_cell.GRUCell(4), 6, 6, 5))
    return losses[0]
