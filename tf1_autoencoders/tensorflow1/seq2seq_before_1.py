"""tf.nn.seq2seq of TensorFlow before 1.0: encoders and decoders over lists of inputs.

Encoder and decoder take one cell object and have weights of their own, as cells of that time make their variables where
they are called. Written from how TensorFlow 0.12.1 behaves (tests/tf012).
"""
from __future__ import annotations

import tensorflow.compat.v1 as tf

from tf1_autoencoders.tensorflow1 import cells_before_1 as cells


def _output_fed_back(embedding, output_projection, gradient):
    """Return the loop function that embeds the likeliest symbol of the output before."""
    def embed(previous, _):
        if output_projection is not None:
            previous = tf.nn.xw_plus_b(previous, *output_projection)
        embedded = tf.nn.embedding_lookup(embedding, tf.argmax(previous, 1))
        return embedded if gradient else tf.stop_gradient(embedded)
    return embed


def _decode(decoder_inputs, loop_function, step):
    """Return the outputs of step(input) for each input; variables are made by the first step and used by the others."""
    outputs: list = []
    for k, value in enumerate(decoder_inputs):
        if loop_function is not None and outputs:
            with tf.variable_scope("loop_function", reuse=True):
                value = loop_function(outputs[-1], k)
        if k:
            tf.get_variable_scope().reuse_variables()
        outputs.append(step(value))
    return outputs


def rnn_decoder(decoder_inputs, initial_state, cell, loop_function=None, scope=None):
    """Decode: return (list of outputs float[batch, n], last state).

    Args:
        decoder_inputs: list of float[batch, n]; loop_function's values take their place after the first.
        loop_function: f(output, k) that returns input k.
    """
    state = initial_state

    def step(value):
        nonlocal state
        output, state = cell(value, state)
        return output

    with tf.variable_scope(scope or "rnn_decoder"):
        return _decode(decoder_inputs, loop_function, step), state


def basic_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, dtype=tf.float32, scope=None):
    """Encode and decode with two cells of one kind; return as rnn_decoder does."""
    with tf.variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = cells.rnn(cell, encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def tied_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, loop_function=None, dtype=tf.float32, scope=None):
    """Encode and decode with one cell, whose weights both share; return as rnn_decoder does."""
    with tf.variable_scope("combined_tied_rnn_seq2seq"):
        inner = scope or "tied_rnn_seq2seq"
        _, state = cells.rnn(cell, encoder_inputs, dtype=dtype, scope=inner)
        tf.get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function, inner)


def _fed(feed_previous, decode):
    """Return what decode(bool) returns; if feed_previous is a tensor, the choice is made while the graph runs."""
    if isinstance(feed_previous, bool):
        return decode(feed_previous)
    structure = None

    def branch(value):
        nonlocal structure
        with tf.variable_scope(tf.get_variable_scope(), reuse=None if value else True):
            structure = decode(value)
        return tf.nest.flatten(structure)

    flat = tf.cond(feed_previous, lambda: branch(True), lambda: branch(False))
    return tf.nest.pack_sequence_as(structure, flat)


def embedding_rnn_decoder(decoder_inputs, initial_state, cell, num_symbols, embedding_size, output_projection=None,
                          feed_previous=False, update_embedding_for_previous=True, scope=None):
    """Decode symbols, int[batch] each, that are embedded first; return as rnn_decoder does.

    Args:
        output_projection: (matrix, bias) from an output to the symbols' logits, for what is fed back.
        feed_previous: whether each input after the first is the likeliest symbol of the output before.
        update_embedding_for_previous: whether the gradient goes through what is fed back.
    """
    with tf.variable_scope(scope or "embedding_rnn_decoder"):
        with tf.device("/cpu:0"):
            embedding = tf.get_variable("embedding", [num_symbols, embedding_size])
        loop = _output_fed_back(embedding, output_projection, update_embedding_for_previous) if feed_previous else None
        embedded = [tf.nn.embedding_lookup(embedding, symbols) for symbols in decoder_inputs]
        return rnn_decoder(embedded, initial_state, cell, loop)


def embedding_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, num_encoder_symbols, num_decoder_symbols,
                          embedding_size, output_projection=None, feed_previous=False, dtype=None, scope=None):
    """Encode and decode symbols, int[batch] each; return as rnn_decoder does, with logits if there is no projection.

    Args:
        output_projection, feed_previous: as in embedding_rnn_decoder; feed_previous may be a tensor.
    """
    with tf.variable_scope(scope or "embedding_rnn_seq2seq", dtype=dtype) as inner:
        encoder = cells.EmbeddingWrapper(cell, num_encoder_symbols, embedding_size)
        _, state = cells.rnn(encoder, encoder_inputs, dtype=inner.dtype)
        if output_projection is None:
            cell = cells.OutputProjectionWrapper(cell, num_decoder_symbols)
        return _fed(feed_previous, lambda feed: embedding_rnn_decoder(
            decoder_inputs, state, cell, num_decoder_symbols, embedding_size, output_projection, feed,
            update_embedding_for_previous=feed_previous is True))


def embedding_tied_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, num_symbols, embedding_size,
                               num_decoder_symbols=None, output_projection=None, feed_previous=False, dtype=None,
                               scope=None):
    """As embedding_rnn_seq2seq, with one embedding and one cell for encoder and decoder."""
    with tf.variable_scope(scope or "embedding_tied_rnn_seq2seq", dtype=dtype) as inner:
        embedding = tf.get_variable("embedding", [num_symbols, embedding_size], inner.dtype)
        embedded, embedded_decoder = ([tf.nn.embedding_lookup(embedding, symbols) for symbols in inputs]
                                      for inputs in (encoder_inputs, decoder_inputs))
        if output_projection is None:
            cell = cells.OutputProjectionWrapper(cell, num_decoder_symbols or num_symbols)

        def decode(feed):
            loop = _output_fed_back(embedding, output_projection, feed_previous is True) if feed else None
            return tied_rnn_seq2seq(embedded, embedded_decoder, cell, loop, inner.dtype)
        return _fed(feed_previous, decode)


def attention_decoder(decoder_inputs, initial_state, attention_states, cell, output_size=None, num_heads=1,
                      loop_function=None, dtype=None, scope=None, initial_state_attention=False):
    """Decode with attention (arXiv:1412.7449); return as rnn_decoder does.

    Args:
        attention_states: float[batch, length, n], what is attended to.
        output_size: columns of an output; None takes the cell's.
        num_heads: number of attention reads per step.
        initial_state_attention: whether the first step reads with initial_state; else it gets zeros.

    Raises:
        ValueError: there are no inputs, no heads, or n is not known.
    """
    if not decoder_inputs:
        raise ValueError("Must provide at least 1 input to attention decoder.")
    if num_heads < 1:
        raise ValueError("With less than 1 heads, use a non-attention decoder.")
    size = attention_states.shape[2].value
    if size is None:
        raise ValueError(f"Shape[2] of attention_states must be known: {attention_states.shape}")
    output_size = output_size or cell.output_size
    with tf.variable_scope(scope or "attention_decoder", dtype=dtype) as inner:
        length = attention_states.shape[1].value or tf.shape(attention_states)[1]
        memory = tf.reshape(attention_states, [-1, length, 1, size])
        heads = []
        for head in range(num_heads):
            matrix = tf.get_variable(f"AttnW_{head}", [1, 1, size, size])
            heads.append((tf.nn.conv2d(memory, matrix, [1, 1, 1, 1], "SAME"), tf.get_variable(f"AttnV_{head}", [size])))

        def read(state):
            parts = tf.nest.flatten(state)
            query = parts[0] if len(parts) == 1 else tf.concat(parts, 1)
            found = []
            for head, (features, vector) in enumerate(heads):
                with tf.variable_scope(f"Attention_{head}"):
                    asked = tf.reshape(cells.linear(query, size, True), [-1, 1, 1, size])
                    weights = tf.nn.softmax(tf.reduce_sum(vector * tf.tanh(features + asked), [2, 3]))
                    mean = tf.reduce_sum(tf.reshape(weights, [-1, length, 1, 1]) * memory, [1, 2])
                    found.append(tf.reshape(mean, [-1, size]))
            return found

        state = initial_state
        zeros = tf.zeros(tf.stack([tf.shape(decoder_inputs[0])[0], size]), inner.dtype)
        zeros.set_shape([None, size])
        reads = read(initial_state) if initial_state_attention else [zeros] * num_heads

        def step(value):
            nonlocal state, reads
            joined = cells.linear([value, *reads], value.shape.with_rank(2)[1].value, True)
            output, state = cell(joined, state)
            with tf.variable_scope(tf.get_variable_scope(), reuse=True if initial_state_attention else None):
                reads = read(state)
            with tf.variable_scope("AttnOutputProjection"):
                return cells.linear([output, *reads], output_size, True)

        return _decode(decoder_inputs, loop_function, step), state


def embedding_attention_decoder(decoder_inputs, initial_state, attention_states, cell, num_symbols, embedding_size,
                                num_heads=1, output_size=None, output_projection=None, feed_previous=False,
                                update_embedding_for_previous=True, dtype=None, scope=None,
                                initial_state_attention=False):
    """attention_decoder over symbols, int[batch] each, as embedding_rnn_decoder."""
    with tf.variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        embedding = tf.get_variable("embedding", [num_symbols, embedding_size])
        loop = _output_fed_back(embedding, output_projection, update_embedding_for_previous) if feed_previous else None
        embedded = [tf.nn.embedding_lookup(embedding, symbols) for symbols in decoder_inputs]
        return attention_decoder(embedded, initial_state, attention_states, cell, output_size, num_heads, loop,
                                 initial_state_attention=initial_state_attention)


def embedding_attention_seq2seq(encoder_inputs, decoder_inputs, cell, num_encoder_symbols, num_decoder_symbols,
                                embedding_size, num_heads=1, output_projection=None, feed_previous=False, dtype=None,
                                scope=None, initial_state_attention=False):
    """embedding_rnn_seq2seq whose decoder attends to the encoder's outputs."""
    with tf.variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as inner:
        encoder = cells.EmbeddingWrapper(cell, num_encoder_symbols, embedding_size)
        outputs, state = cells.rnn(encoder, encoder_inputs, dtype=inner.dtype)
        attention_states = tf.concat([tf.reshape(output, [-1, 1, cell.output_size]) for output in outputs], 1)
        output_size = None
        if output_projection is None:
            cell = cells.OutputProjectionWrapper(cell, num_decoder_symbols)
            output_size = num_decoder_symbols
        return _fed(feed_previous, lambda feed: embedding_attention_decoder(
            decoder_inputs, state, attention_states, cell, num_decoder_symbols, embedding_size, num_heads, output_size,
            output_projection, feed, isinstance(feed_previous, bool), initial_state_attention=initial_state_attention))


def sequence_loss_by_example(logits, targets, weights, average_across_timesteps=True, softmax_loss_function=None,
                             name=None):
    """Return the weighted cross-entropy of each sequence, float[batch].

    Args:
        logits, targets, weights: a list for the steps, of float[batch, symbols], int[batch] and float[batch].
        average_across_timesteps: whether to divide by the sum of the weights.
        softmax_loss_function: f(logits, targets) in the place of the softmax's cross-entropy.
    """
    if not len(logits) == len(targets) == len(weights):
        raise ValueError("Lengths of logits, weights, and targets must be the same "
                         f"{len(logits)}, {len(weights)}, {len(targets)}.")
    with tf.name_scope(name, "sequence_loss_by_example"):
        losses = []
        for row, target, weight in zip(logits, targets, weights):
            if softmax_loss_function is None:
                loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(target, [-1]), logits=row)
            else:
                loss = softmax_loss_function(row, tf.reshape(target, [-1]))
            losses.append(loss * weight)
        total = tf.add_n(losses)
        return total / (tf.add_n(weights) + 1e-12) if average_across_timesteps else total


def sequence_loss(logits, targets, weights, average_across_timesteps=True, average_across_batch=True,
                  softmax_loss_function=None, name=None):
    """Return the sum of sequence_loss_by_example, divided by the batch if average_across_batch: float[]."""
    with tf.name_scope(name, "sequence_loss"):
        cost = tf.reduce_sum(sequence_loss_by_example(logits, targets, weights, average_across_timesteps,
                                                      softmax_loss_function))
        return cost / tf.cast(tf.shape(targets[0])[0], cost.dtype) if average_across_batch else cost


def model_with_buckets(encoder_inputs, decoder_inputs, targets, weights, buckets, seq2seq, softmax_loss_function=None,
                       per_example_loss=False, name=None):
    """Build a model for each bucket, with shared variables.

    Args:
        buckets: [(length of the inputs, length of the outputs)], growing.
        seq2seq: f(encoder inputs, decoder inputs) that returns (outputs, state).
        per_example_loss: whether a loss is float[batch].

    Returns:
        (list of the buckets' outputs, list of the buckets' losses).

    Raises:
        ValueError: a list is shorter than the last bucket.
    """
    for label, values, needed in (("encoder_inputs", encoder_inputs, buckets[-1][0]),
                                  ("targets", targets, buckets[-1][1]), ("weights", weights, buckets[-1][1])):
        if len(values) < needed:
            raise ValueError(f"Length of {label} ({len(values)}) must be at least that of last bucket ({needed}).")
    loss_of = sequence_loss_by_example if per_example_loss else sequence_loss
    outputs, losses = [], []
    with tf.name_scope(name, "model_with_buckets"):
        for k, (n_in, n_out) in enumerate(buckets):
            with tf.variable_scope(tf.get_variable_scope(), reuse=True if k else None):
                outputs.append(seq2seq(encoder_inputs[:n_in], decoder_inputs[:n_out])[0])
                losses.append(loss_of(outputs[-1], targets[:n_out], weights[:n_out],
                                      softmax_loss_function=softmax_loss_function))
    return outputs, losses
