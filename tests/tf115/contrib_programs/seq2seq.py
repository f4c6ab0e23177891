"""Programs of tf.contrib.seq2seq: helpers, decoders, attention, beam search."""
import numpy as np

from tests.tf115.contrib_programs import call


def _lengths(c, *lengths):
    """Return an int32 placeholder [batch] with these values."""
    placeholder = c.tf.placeholder(c.tf.int32, [None])
    c.feeds[placeholder] = np.array(lengths, np.int32)
    return placeholder


def _decoded(c, decoder, **options):
    """Return the outputs, the state and the lengths of dynamic_decode, joined in one row per example."""
    tf = c.tf
    outputs, state, lengths = tf.contrib.seq2seq.dynamic_decode(decoder, **options)
    parts = [part for part in tf.nest.flatten((outputs, state)) if isinstance(part, tf.Tensor) and part.shape.ndims]
    return c.joined([tf.cast(part, tf.float32) for part in parts] + [tf.cast(lengths[:, None], tf.float32)])


def _training_decoder(c, cell, output_layer=None, n_steps=4, lengths=(4, 2, 3)):
    helper = c.tf.contrib.seq2seq.TrainingHelper(c.floats(3, n_steps, 5), _lengths(c, *lengths))
    return c.tf.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(3, c.tf.float32), output_layer)


def _attention(c, kind, units=4, lengths=(4, 2, 3), **options):
    memory = c.layers.linear(c.floats(3, 4, 6), 6, scope="encoder")
    mechanism = getattr(c.tf.contrib.seq2seq, kind)
    return mechanism(units, memory, None if lengths is None else _lengths(c, *lengths), **options)


@call
def seq2seq_training(c):
    return _decoded(c, _training_decoder(c, c.tf.nn.rnn_cell.GRUCell(4)))


@call
def seq2seq_training_options(c):
    decoder = _training_decoder(c, c.tf.nn.rnn_cell.LSTMCell(4), c.tf.layers.Dense(3))
    return _decoded(c, decoder, impute_finished=True, maximum_iterations=3, scope="decode", swap_memory=True)


@call
def seq2seq_training_time_major(c):
    seq2seq, cell = c.tf.contrib.seq2seq, c.tf.nn.rnn_cell.BasicRNNCell(4)
    helper = seq2seq.TrainingHelper(c.fixed(4, 3, 5), c.tf.constant([4, 3, 2]), time_major=True)
    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(3, c.tf.float32))
    outputs, state, lengths = seq2seq.dynamic_decode(decoder, output_time_major=True)
    assert outputs.rnn_output.shape.as_list() == [None, 3, 4] and lengths.shape.as_list() == [3]
    return outputs.rnn_output[-1] + state


@call
def seq2seq_greedy(c):
    seq2seq, tf = c.tf.contrib.seq2seq, c.tf
    table = tf.get_variable("table", [6, 5])
    helper = seq2seq.GreedyEmbeddingHelper(table, tf.fill([3], 1), 2)
    cell = tf.nn.rnn_cell.GRUCell(4)
    decoder = seq2seq.BasicDecoder(cell, helper, c.floats(3, 4), tf.layers.Dense(6, use_bias=False))
    return _decoded(c, decoder, maximum_iterations=tf.constant(5))


@call
def seq2seq_sample(c):
    seq2seq, tf = c.tf.contrib.seq2seq, c.tf
    table = tf.get_variable("table", [6, 5])
    helper = seq2seq.SampleEmbeddingHelper(lambda ids: tf.nn.embedding_lookup(table, ids), tf.fill([3], 1), 2,
                                           softmax_temperature=0.7, seed=4)
    decoder = seq2seq.BasicDecoder(tf.nn.rnn_cell.GRUCell(4), helper, c.floats(3, 4), tf.layers.Dense(6))
    return _decoded(c, decoder, maximum_iterations=5)


@call
def seq2seq_scheduled_embedding(c):
    seq2seq, tf = c.tf.contrib.seq2seq, c.tf
    table = tf.get_variable("table", [6, 5])
    helper = seq2seq.ScheduledEmbeddingTrainingHelper(c.floats(3, 4, 5), _lengths(c, 4, 2, 3), table, 0.5, seed=3,
                                                      scheduling_seed=5)
    decoder = seq2seq.BasicDecoder(tf.nn.rnn_cell.GRUCell(4), helper, c.floats(3, 4), tf.layers.Dense(6))
    return _decoded(c, decoder)


@call
def seq2seq_scheduled_output(c):
    seq2seq, tf = c.tf.contrib.seq2seq, c.tf
    helper = seq2seq.ScheduledOutputTrainingHelper(
        c.floats(3, 4, 5), _lengths(c, 4, 2, 3), 0.5, seed=3, next_inputs_fn=tf.layers.Dense(5))
    decoder = seq2seq.BasicDecoder(tf.nn.rnn_cell.GRUCell(4), helper, c.floats(3, 4))
    return _decoded(c, decoder)


@call
def seq2seq_scheduled_output_auxiliary(c):
    seq2seq, tf = c.tf.contrib.seq2seq, c.tf
    helper = seq2seq.ScheduledOutputTrainingHelper(c.floats(3, 4, 4), _lengths(c, 4, 2, 3), 0.5, seed=3,
                                                   auxiliary_inputs=c.floats(3, 4, 2))
    decoder = seq2seq.BasicDecoder(tf.nn.rnn_cell.GRUCell(4), helper, c.floats(3, 4))
    return _decoded(c, decoder)


@call
def seq2seq_inference_helper(c):
    seq2seq, tf = c.tf.contrib.seq2seq, c.tf
    helper = seq2seq.InferenceHelper(lambda outputs: outputs * 0.5, [4], tf.float32, c.fixed(3, 4),
                                     lambda samples: tf.reduce_mean(samples, 1) > 0.3)
    decoder = seq2seq.BasicDecoder(tf.nn.rnn_cell.GRUCell(4), helper, c.floats(3, 4))
    return _decoded(c, decoder, maximum_iterations=3)


@call
def seq2seq_custom_helper(c):
    seq2seq, tf = c.tf.contrib.seq2seq, c.tf
    first = c.fixed(3, 4)
    helper = seq2seq.CustomHelper(
        lambda: (tf.tile([False], [3]), first), lambda time, outputs, state: tf.cast(tf.argmax(outputs, 1), tf.int32),
        lambda time, outputs, state, sample_ids: (sample_ids > 2, outputs + 0.1, state))
    decoder = seq2seq.BasicDecoder(tf.nn.rnn_cell.GRUCell(4), helper, c.floats(3, 4))
    return _decoded(c, decoder, maximum_iterations=4)


@call
def seq2seq_bahdanau(c):
    cell = c.tf.contrib.seq2seq.AttentionWrapper(c.tf.nn.rnn_cell.LSTMCell(4), _attention(c, "BahdanauAttention"),
                                                 attention_layer_size=5)
    return _decoded(c, _training_decoder(c, cell, c.tf.layers.Dense(3)))


@call
def seq2seq_bahdanau_normalized(c):
    attention = _attention(c, "BahdanauAttention", normalize=True, score_mask_value=-1e6, name="attend")
    cell = c.tf.contrib.seq2seq.AttentionWrapper(c.tf.nn.rnn_cell.GRUCell(4), attention, alignment_history=True,
                                                 name="wrapper")
    return _decoded(c, _training_decoder(c, cell))


@call
def seq2seq_luong(c):
    cell = c.tf.contrib.seq2seq.AttentionWrapper(c.tf.nn.rnn_cell.LSTMCell(4), _attention(c, "LuongAttention"),
                                                 attention_layer_size=4, output_attention=False)
    return _decoded(c, _training_decoder(c, cell))


@call
def seq2seq_luong_scaled(c):
    attention = _attention(c, "LuongAttention", lengths=None, scale=True, probability_fn=c.tf.nn.sigmoid)
    tf = c.tf
    wrapper = tf.contrib.seq2seq.AttentionWrapper(
        tf.nn.rnn_cell.GRUCell(4), attention, cell_input_fn=lambda inputs, attention: inputs + attention[:, :5],
        initial_cell_state=c.fixed(3, 4))
    return _decoded(c, _training_decoder(c, wrapper))


@call
def seq2seq_attentions(c):
    tf = c.tf
    first = _attention(c, "BahdanauAttention", name="first")
    second = tf.contrib.seq2seq.LuongAttention(4, c.floats(3, 3, 2), name="second")
    cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.LSTMCell(4), tf.nn.rnn_cell.GRUCell(4)])
    wrapper = tf.contrib.seq2seq.AttentionWrapper(cell, [first, second], attention_layer_size=[3, 2],
                                                  alignment_history=True)
    return _decoded(c, _training_decoder(c, wrapper))


@call
def seq2seq_attention_layer(c):
    tf = c.tf
    wrapper = tf.contrib.seq2seq.AttentionWrapper(
        tf.nn.rnn_cell.GRUCell(4), _attention(c, "LuongAttention"), attention_layer=tf.layers.Dense(3, tf.tanh))
    return _decoded(c, _training_decoder(c, wrapper))


@call
def seq2seq_attention_dynamic_rnn(c):
    wrapper = c.tf.contrib.seq2seq.AttentionWrapper(c.tf.nn.rnn_cell.GRUCell(4), _attention(c, "BahdanauAttention"))
    outputs, state = c.tf.nn.dynamic_rnn(wrapper, c.floats(3, 4, 5), dtype=c.tf.float32)
    return c.joined([outputs, state.cell_state, state.attention, state.alignments])


@call
def seq2seq_attention_clone(c):
    tf = c.tf
    cell = tf.contrib.seq2seq.AttentionWrapper(tf.nn.rnn_cell.LSTMCell(4), _attention(c, "BahdanauAttention"), 5)
    start = tf.nn.rnn_cell.LSTMStateTuple(c.floats(3, 4), c.floats(3, 4))
    helper = tf.contrib.seq2seq.TrainingHelper(c.floats(3, 4, 5), _lengths(c, 4, 2, 3))
    decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(tf.shape(start.c)[0], tf.float32).clone(
        cell_state=start))
    return _decoded(c, decoder)


@call
def seq2seq_attention_greedy(c):
    tf = c.tf
    cell = tf.contrib.seq2seq.AttentionWrapper(tf.nn.rnn_cell.LSTMCell(4), _attention(c, "LuongAttention"), 5)
    helper = tf.contrib.seq2seq.GreedyEmbeddingHelper(tf.get_variable("table", [6, 5]), tf.fill([3], 1), 2)
    decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(3, tf.float32), tf.layers.Dense(6))
    return _decoded(c, decoder, maximum_iterations=6)


@call
def seq2seq_bahdanau_monotonic(c):
    attention = _attention(c, "BahdanauMonotonicAttention", normalize=True, score_bias_init=0.2)
    cell = c.tf.contrib.seq2seq.AttentionWrapper(c.tf.nn.rnn_cell.GRUCell(4), attention)
    return _decoded(c, _training_decoder(c, cell))


@call
def seq2seq_monotonic_noise(c):  # one step: in a loop, the noise of two steps is drawn in any order
    attention = _attention(c, "BahdanauMonotonicAttention", sigmoid_noise=0.5, sigmoid_noise_seed=3)
    cell = c.tf.contrib.seq2seq.AttentionWrapper(c.tf.nn.rnn_cell.GRUCell(4), attention)
    return _decoded(c, _training_decoder(c, cell, n_steps=1, lengths=(1, 1, 1)))


@call
def seq2seq_luong_monotonic(c):
    attention = _attention(c, "LuongMonotonicAttention", scale=True, mode="recursive")
    return _decoded(c, _training_decoder(c, c.tf.contrib.seq2seq.AttentionWrapper(c.tf.nn.rnn_cell.GRUCell(4),
                                                                                  attention)))


@call
def seq2seq_small_functions(c):
    seq2seq, tf = c.tf.contrib.seq2seq, c.tf
    x = c.layers.linear(c.floats(3, 5), 4)
    tiled = seq2seq.tile_batch((x, tf.nn.sigmoid(c.fixed(3, 4))), 2)
    hard = [seq2seq.monotonic_attention(tf.round(tiled[1]), tf.one_hot([0] * 6, 4), "hard"),
            seq2seq.monotonic_attention(tiled[1], tf.one_hot([0] * 6, 4), "parallel")]
    return tiled[0] + seq2seq.hardmax(tiled[1]) + seq2seq.safe_cumprod(tiled[1], axis=1, exclusive=True) + sum(hard)


def _beam_decoder(c, cell, state, width, **options):
    tf = c.tf
    table = tf.get_variable("table", [7, 5])
    return tf.contrib.seq2seq.BeamSearchDecoder(cell, table, tf.fill([3], 1), 2, state, width,
                                                tf.layers.Dense(7, use_bias=False), **options)


@call
def seq2seq_beam_search(c):
    tf = c.tf
    cell = tf.nn.rnn_cell.LSTMCell(4)
    state = tf.contrib.seq2seq.tile_batch(tf.nn.rnn_cell.LSTMStateTuple(c.floats(3, 4), c.floats(3, 4)), 3)
    decoder = _beam_decoder(c, cell, state, 3, length_penalty_weight=0.6)
    outputs, state, lengths = tf.contrib.seq2seq.dynamic_decode(decoder, maximum_iterations=6)
    scores = outputs.beam_search_decoder_output
    return c.joined([tf.cast(part, tf.float32) for part in (
        outputs.predicted_ids, scores.scores, scores.predicted_ids, scores.parent_ids, state.log_probs, state.finished,
        state.lengths, lengths)])


@call
def seq2seq_beam_search_attention(c):
    tf = c.tf
    seq2seq = tf.contrib.seq2seq
    memory = seq2seq.tile_batch(c.layers.linear(c.floats(3, 4, 6), 6), 2)
    attention = seq2seq.BahdanauAttention(4, memory, seq2seq.tile_batch(_lengths(c, 4, 2, 3), 2))
    cell = seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(4), attention, 4, alignment_history=True)
    decoder = _beam_decoder(c, cell, cell.zero_state(6, tf.float32), 2, coverage_penalty_weight=0.3)
    outputs, state, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=5, output_time_major=True)
    ids = tf.transpose(outputs.predicted_ids, [1, 0, 2])
    return c.joined([tf.cast(part, tf.float32) for part in (ids, state.log_probs, state.lengths, lengths)])


@call
def seq2seq_gather_tree(c):
    tf = c.tf
    steps = tf.constant([[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]], [[-1, -1, -1]]])
    parents = tf.constant([[[0, 0, 0]], [[0, 1, 1]], [[2, 1, 2]], [[-1, -1, -1]]])
    return tf.transpose(tf.contrib.seq2seq.gather_tree(steps, parents, tf.constant([3]), 10), [1, 0, 2])


@call
def seq2seq_attention_unknown_time(c):
    tf = c.tf
    memory = tf.placeholder(tf.float32, [None, None, 4])
    c.feeds[memory] = np.random.RandomState(3).standard_normal((3, 4, 4)).astype(np.float32)
    attention = tf.contrib.seq2seq.LuongAttention(4, memory, _lengths(c, 4, 2, 3))
    cell = tf.contrib.seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(4), attention, 4, alignment_history=True)
    helper = tf.contrib.seq2seq.TrainingHelper(c.floats(3, 4, 5), _lengths(c, 4, 2, 3))
    decoder = tf.contrib.seq2seq.BasicDecoder(cell, helper, cell.zero_state(tf.shape(memory)[0], tf.float32))
    return _decoded(c, decoder, impute_finished=True)


@call
def seq2seq_beam_search_history(c):
    tf = c.tf
    seq2seq = tf.contrib.seq2seq
    memory = seq2seq.tile_batch(c.fixed(3, 4, 6), 2)
    cell = seq2seq.AttentionWrapper(tf.nn.rnn_cell.GRUCell(4), seq2seq.LuongAttention(4, memory), 4,
                                    alignment_history=True)
    starts = tf.fill([tf.size(_lengths(c, 1, 1, 1))], 1)
    decoder = seq2seq.BeamSearchDecoder(cell, tf.get_variable("table", [7, 5]), starts, 2,
                                        cell.zero_state(6, tf.float32), 2, tf.layers.Dense(7))
    outputs, state, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=4)
    history = tf.transpose(state.cell_state.alignment_history, [1, 0, 2])
    history = tf.reshape(history, [3, -1])
    return c.joined([tf.cast(outputs.predicted_ids, tf.float32), history])


@call
def zeros_of_tensors(c):
    tf = c.tf
    n, m = tf.unstack(_lengths(c, 2, 3), 2)
    shapes = ([n], [n, 3], [3, n], (n, 3, 4), [n, m], [2, 3, n])
    tensors = [make(shape) for make in (tf.zeros, tf.ones) for shape in shapes]
    return tf.add_n([tf.reduce_sum(one) for one in tensors]) + tf.get_variable("v", [2])
