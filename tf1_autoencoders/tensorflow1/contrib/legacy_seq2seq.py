"""tf.contrib.legacy_seq2seq of TensorFlow 1.15: models of sequences as lists of steps, tf.nn.seq2seq before 1.0.

Source of every name: tf.contrib.legacy_seq2seq of TensorFlow 1.15.5; the models are of arXiv:1406.1078, 1409.3215 and
1412.7449. Sequences are lists: inputs of float[batch, size] or, with an embedding, of ids int32[batch]; outputs of
float[batch, units or symbols]. A `loop_function` takes (the output of the step before, number of the step) and returns
the next input. A model returns (outputs, final state). These arguments mean the same everywhere:

| argument | meaning |
|---|---|
| cell | RNNCell; the encoder gets a copy of it unless the model is tied |
| num_symbols, num_encoder_symbols, num_decoder_symbols, embedding_size | shapes of the tables of embeddings |
| output_projection | (weights float[units, symbols], biases float[symbols]) for ids fed back; None for a layer |
| feed_previous | whether the decoder is fed its own outputs after the first input: a bool, or a bool[] of the session |
| update_embedding_for_previous | whether the gradient passes through an embedding that was fed back |
| initial_state_attention | whether the first step attends by the initial state, or to nothing |
| scope | of the variables; None for the function's name |

The models take cells of before 1.0 too, and then unroll and wrap them as TensorFlow did at that time.
"""
from __future__ import annotations

import copy
import functools
import types
from typing import Any, List

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import cells_before_1
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.rnn import EmbeddingWrapper, OutputProjectionWrapper
from tf1_autoencoders.tensorflow1.contrib.rnn.common import _Linear

_nest = tf.nest


# what depends on the kind of a cell; a cell of before 1.0 makes variables at each call, and needs no copy
_OF_1 = types.SimpleNamespace(
    unroll=tf.nn.static_rnn, copy=copy.deepcopy, EmbeddingWrapper=EmbeddingWrapper,
    OutputProjectionWrapper=OutputProjectionWrapper, linear=lambda args, size: _Linear(args, size, True)(args))
_BEFORE_1 = types.SimpleNamespace(
    unroll=cells_before_1.rnn, copy=lambda cell: cell, EmbeddingWrapper=cells_before_1.EmbeddingWrapper,
    OutputProjectionWrapper=cells_before_1.OutputProjectionWrapper,
    linear=lambda args, size: cells_before_1.linear(args, size, True))


def _kind(cell):
    return _BEFORE_1 if isinstance(cell, cells_before_1.RNNCell) else _OF_1


def _extract_argmax_and_embed(embedding, output_projection=None, update_embedding=True):
    """Return a loop_function: the embedding of the largest output."""
    def loop_function(previous, _):
        if output_projection is not None:
            previous = tf.nn.xw_plus_b(previous, output_projection[0], output_projection[1])
        embedded = tf.nn.embedding_lookup(embedding, tf.argmax(previous, 1))
        return embedded if update_embedding else tf.stop_gradient(embedded)

    return loop_function


def rnn_decoder(decoder_inputs, initial_state, cell, loop_function=None, scope=None):
    """Return (outputs, state) of a cell over a list of inputs; with loop_function, only the first input is used."""
    with tf.variable_scope(scope or "rnn_decoder"):
        state = initial_state
        outputs: List[Any] = []
        for step, inputs in enumerate(decoder_inputs):
            if loop_function is not None and outputs:
                with tf.variable_scope("loop_function", reuse=True):
                    inputs = loop_function(outputs[-1], step)
            if step > 0:
                tf.get_variable_scope().reuse_variables()
            output, state = cell(inputs, state)
            outputs.append(output)
    return outputs, state


def basic_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, dtype=tf.float32, scope=None):
    """Return (outputs, state) of an encoder and a decoder with variables of their own."""
    with tf.variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = _kind(cell).unroll(_kind(cell).copy(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def tied_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, loop_function=None, dtype=tf.float32, scope=None):
    """Return (outputs, state) of an encoder and a decoder with the same variables."""
    with tf.variable_scope("combined_tied_rnn_seq2seq"):
        scope = scope or "tied_rnn_seq2seq"
        _, state = _kind(cell).unroll(cell, encoder_inputs, dtype=dtype, scope=scope)
        tf.get_variable_scope().reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function=loop_function, scope=scope)


def _check_projection(output_projection, dtype, num_symbols, units=None):
    """Raise ValueError unless a projection has the number of symbols, and the units if they are given."""
    if units is not None:
        weights = tf.convert_to_tensor(output_projection[0], dtype=dtype)
        weights.shape.assert_is_compatible_with([units, num_symbols])
    biases = tf.convert_to_tensor(output_projection[1], dtype=dtype)
    biases.shape.assert_is_compatible_with([num_symbols])


def embedding_rnn_decoder(decoder_inputs, initial_state, cell, num_symbols, embedding_size, output_projection=None,
                          feed_previous=False, update_embedding_for_previous=True, scope=None):
    """Return (outputs, state) of a decoder over ids, with a table `embedding`; feed_previous is a bool."""
    with tf.variable_scope(scope or "embedding_rnn_decoder") as scope:
        if output_projection is not None:
            _check_projection(output_projection, scope.dtype, num_symbols, cell.output_size)
        table = tf.get_variable("embedding", [num_symbols, embedding_size])
        loop = _extract_argmax_and_embed(table, output_projection, update_embedding_for_previous) \
            if feed_previous else None
        embedded = (tf.nn.embedding_lookup(table, ids) for ids in decoder_inputs)
        return rnn_decoder(embedded, initial_state, cell, loop_function=loop)


def _fed(feed_previous, n_outputs, decode):
    """Return (outputs, state) of decode(feed_previous, update_embedding_for_previous).

    If the session knows feed_previous, it chooses one of two that share their variables.
    """
    if isinstance(feed_previous, bool):
        return decode(feed_previous, True)
    structure: List[Any] = []

    def flat(feed):
        with tf.variable_scope(tf.get_variable_scope(), reuse=None if feed else True):
            outputs, state = decode(feed, False)
            structure[:] = [state]
            return outputs + (_nest.flatten(state) if _nest.is_nested(state) else [state])

    values = tf.cond(feed_previous, lambda: flat(True), lambda: flat(False))
    state = values[n_outputs:]
    return values[:n_outputs], (_nest.pack_sequence_as(structure[0], state) if _nest.is_nested(structure[0])
                                else state[0])


def embedding_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, num_encoder_symbols, num_decoder_symbols,
                          embedding_size, output_projection=None, feed_previous=False, dtype=None, scope=None):
    """Return (outputs, state) of an encoder and a decoder over ids, with a table for each."""
    with tf.variable_scope(scope or "embedding_rnn_seq2seq", dtype=dtype) as scope:
        dtype = scope.dtype
        kind = _kind(cell)
        encoder = kind.EmbeddingWrapper(kind.copy(cell), num_encoder_symbols, embedding_size)
        _, state = kind.unroll(encoder, encoder_inputs, dtype=dtype)
        if output_projection is None:
            cell = kind.OutputProjectionWrapper(cell, num_decoder_symbols)
        return _fed(feed_previous, len(decoder_inputs), lambda feed, update: embedding_rnn_decoder(
            decoder_inputs, state, cell, num_decoder_symbols, embedding_size, output_projection, feed, update))


def embedding_tied_rnn_seq2seq(encoder_inputs, decoder_inputs, cell, num_symbols, embedding_size,
                               num_decoder_symbols=None, output_projection=None, feed_previous=False, dtype=None,
                               scope=None):
    """Return (outputs, state) of an encoder and a decoder over ids, with the same variables and one table.

    Args:
        num_decoder_symbols: symbols of the outputs; None for num_symbols.
    """
    with tf.variable_scope(scope or "embedding_tied_rnn_seq2seq", dtype=dtype) as scope:
        dtype = scope.dtype
        if output_projection is not None:
            _check_projection(output_projection, dtype, num_symbols)
        table = tf.get_variable("embedding", [num_symbols, embedding_size], dtype=dtype)
        encoder = [tf.nn.embedding_lookup(table, ids) for ids in encoder_inputs]
        decoder = [tf.nn.embedding_lookup(table, ids) for ids in decoder_inputs]
        if output_projection is None:
            cell = _kind(cell).OutputProjectionWrapper(
                cell, num_symbols if num_decoder_symbols is None else num_decoder_symbols)

        def decode(feed, update):
            loop = _extract_argmax_and_embed(table, output_projection, update) if feed else None
            return tied_rnn_seq2seq(encoder, decoder, cell, loop_function=loop, dtype=dtype)

        results = _fed(feed_previous, len(decoder_inputs), decode)
        if isinstance(feed_previous, bool):
            return results
        batch_size = encoder_inputs[0].shape.as_list()[0]  # 1.15 took the structure from a state that is not used
        cell.zero_state(tf.shape(encoder_inputs[0])[0] if batch_size is None else batch_size, dtype)
        return results


class _Heads:
    """The heads of an attention over states [batch, time, size], with variables AttnW_<k> and AttnV_<k>."""

    def __init__(self, attention_states, num_heads, dtype, linear):
        self.dtype, self._linear = dtype, linear
        sizes = attention_states.shape.as_list()
        self._n_steps = tf.shape(attention_states)[1] if sizes[1] is None else sizes[1]
        self.size = sizes[2]
        self._hidden = tf.reshape(attention_states, [-1, self._n_steps, 1, self.size])
        self._heads = []
        for head in range(num_heads):
            kernel = tf.get_variable(f"AttnW_{head}", [1, 1, self.size, self.size], dtype=dtype)
            features = tf.nn.conv2d(self._hidden, kernel, [1, 1, 1, 1], "SAME")
            self._heads.append((features, tf.get_variable(f"AttnV_{head}", [self.size], dtype=dtype)))

    def __call__(self, query):
        """Return what each head attends to, [float[batch, size]], for a query of one or several tensors."""
        if _nest.is_nested(query):
            parts = _nest.flatten(query)
            for part in parts:
                if part.shape.ndims:
                    assert part.shape.ndims == 2
            query = tf.concat(parts, 1)
        attended = []
        for head, (features, vector) in enumerate(self._heads):
            with tf.variable_scope(f"Attention_{head}"):
                y = tf.cast(tf.reshape(self._linear(query, self.size), [-1, 1, 1, self.size]), self.dtype)
                scores = tf.reduce_sum(vector * tf.tanh(features + y), [2, 3])
                weights = tf.cast(tf.nn.softmax(tf.cast(scores, tf.float32)), self.dtype)
                mean = tf.reduce_sum(tf.reshape(weights, [-1, self._n_steps, 1, 1]) * self._hidden, [1, 2])
                attended.append(tf.reshape(mean, [-1, self.size]))
        return attended


def attention_decoder(decoder_inputs, initial_state, attention_states, cell, output_size=None, num_heads=1,
                      loop_function=None, dtype=None, scope=None, initial_state_attention=False):
    """Return (outputs, state) of a decoder that attends to states float[batch, time, size].

    Args:
        output_size: of the outputs; None for that of the cell.
        num_heads: number of attentions.

    Raises:
        ValueError: no input, no head, or an unknown size of the states.
    """
    if not decoder_inputs:
        raise ValueError("Must provide at least 1 input to attention decoder.")
    if num_heads < 1:
        raise ValueError("With less than 1 heads, use a non-attention decoder.")
    if attention_states.shape.as_list()[2] is None:
        raise ValueError(f"Shape[2] of attention_states must be known: {attention_states.shape}")
    output_size = cell.output_size if output_size is None else output_size
    with tf.variable_scope(scope or "attention_decoder", dtype=dtype) as scope:
        dtype = scope.dtype
        batch_size = tf.shape(decoder_inputs[0])[0]
        linear = _kind(cell).linear
        attend = _Heads(attention_states, num_heads, dtype, linear)
        state = initial_state
        outputs: List[Any] = []
        shape = tf.stack([batch_size, attend.size])
        attended = [tf.zeros(shape, dtype=dtype) for _ in range(num_heads)]
        for one in attended:
            one.set_shape([None, attend.size])
        if initial_state_attention:
            attended = attend(initial_state)
        for step, inputs in enumerate(decoder_inputs):
            if step > 0:
                tf.get_variable_scope().reuse_variables()
            if loop_function is not None and outputs:
                with tf.variable_scope("loop_function", reuse=True):
                    inputs = loop_function(outputs[-1], step)
            size = inputs.shape.with_rank(2).as_list()[1]
            if size is None:
                raise ValueError(f"Could not infer input size from input: {inputs.name}")
            joined = [tf.cast(one, dtype) for one in [inputs, *attended]]
            output, state = cell(linear(joined, size), state)
            if step == 0 and initial_state_attention:
                with tf.variable_scope(tf.get_variable_scope(), reuse=True):
                    attended = attend(state)
            else:
                attended = attend(state)
            with tf.variable_scope("AttnOutputProjection"):
                output = linear([tf.cast(output, dtype), *attended], output_size)
            outputs.append(output)
    return outputs, state


def embedding_attention_decoder(decoder_inputs, initial_state, attention_states, cell, num_symbols, embedding_size,
                                num_heads=1, output_size=None, output_projection=None, feed_previous=False,
                                update_embedding_for_previous=True, dtype=None, scope=None,
                                initial_state_attention=False):
    """Return (outputs, state) of an attention_decoder over ids, with a table `embedding`; feed_previous is a bool."""
    output_size = cell.output_size if output_size is None else output_size
    if output_projection is not None:
        _check_projection(output_projection, dtype, num_symbols)
    with tf.variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        table = tf.get_variable("embedding", [num_symbols, embedding_size])
        loop = _extract_argmax_and_embed(table, output_projection, update_embedding_for_previous) \
            if feed_previous else None
        embedded = [tf.nn.embedding_lookup(table, ids) for ids in decoder_inputs]
        return attention_decoder(embedded, initial_state, attention_states, cell, output_size=output_size,
                                 num_heads=num_heads, loop_function=loop,
                                 initial_state_attention=initial_state_attention)


def embedding_attention_seq2seq(encoder_inputs, decoder_inputs, cell, num_encoder_symbols, num_decoder_symbols,
                                embedding_size, num_heads=1, output_projection=None, feed_previous=False, dtype=None,
                                scope=None, initial_state_attention=False):
    """Return (outputs, state) of an encoder over ids, and a decoder that attends to the encoder's outputs."""
    with tf.variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as scope:
        dtype = scope.dtype
        kind = _kind(cell)
        encoder = kind.EmbeddingWrapper(kind.copy(cell), num_encoder_symbols, embedding_size)
        encoded, state = kind.unroll(encoder, encoder_inputs, dtype=dtype)
        states = tf.concat([tf.reshape(one, [-1, 1, cell.output_size]) for one in encoded], 1)
        output_size = None
        if output_projection is None:
            cell = kind.OutputProjectionWrapper(cell, num_decoder_symbols)
            output_size = num_decoder_symbols
        return _fed(feed_previous, len(decoder_inputs), lambda feed, update: embedding_attention_decoder(
            decoder_inputs, state, states, cell, num_decoder_symbols, embedding_size, num_heads, output_size,
            output_projection, feed, update, initial_state_attention=initial_state_attention))


def one2many_rnn_seq2seq(encoder_inputs, decoder_inputs_dict, enc_cell, dec_cells_dict, num_encoder_symbols,
                         num_decoder_symbols_dict, embedding_size, feed_previous=False, dtype=None, scope=None):
    """Return ({name: outputs}, {name: state}) of one encoder and several decoders over ids.

    Args:
        decoder_inputs_dict, dec_cells_dict, num_decoder_symbols_dict: {name: of this decoder}.
    """
    outputs, states = {}, {}
    with tf.variable_scope(scope or "one2many_rnn_seq2seq", dtype=dtype) as scope:
        dtype = scope.dtype
        kind = _kind(enc_cell)
        encoder = kind.EmbeddingWrapper(enc_cell, num_encoder_symbols, embedding_size)
        _, encoded = kind.unroll(encoder, encoder_inputs, dtype=dtype)
        for name, inputs in decoder_inputs_dict.items():
            n_symbols = num_decoder_symbols_dict[name]
            with tf.variable_scope("one2many_decoder_" + str(name)) as scope:
                decode = functools.partial(embedding_rnn_decoder, inputs, encoded, kind.OutputProjectionWrapper(
                    dec_cells_dict[name], n_symbols), n_symbols, embedding_size, None)
                outputs[name], states[name] = _fed(feed_previous, len(inputs), decode)
    return outputs, states


def sequence_loss_by_example(logits, targets, weights, average_across_timesteps=True, softmax_loss_function=None,
                             name=None):
    """Return the weighted cross-entropy of each sequence, float[batch].

    Args:
        logits: list of float[batch, symbols].
        targets: list of int32[batch].
        weights: list of float[batch].
        average_across_timesteps: whether it is divided by the sum of the weights.
        softmax_loss_function: function of (labels=int[batch], logits=float[batch, symbols]); None for the softmax
            cross-entropy.

    Raises:
        ValueError: the lists have different lengths.
    """
    if len(targets) != len(logits) or len(weights) != len(logits):
        raise ValueError(f"Lengths of logits, weights, and targets must be the same {len(logits)}, {len(weights)}, "
                         f"{len(targets)}.")
    with tf.name_scope(name, "sequence_loss_by_example", logits + targets + weights):
        losses = []
        for logit, target, weight in zip(logits, targets, weights):
            if softmax_loss_function is None:
                loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(target, [-1]), logits=logit)
            else:
                loss = softmax_loss_function(labels=target, logits=logit)
            losses.append(loss * weight)
        total = tf.add_n(losses)
        if average_across_timesteps:
            total /= tf.add_n(weights) + 1e-12
    return total


def sequence_loss(logits, targets, weights, average_across_timesteps=True, average_across_batch=True,
                  softmax_loss_function=None, name=None):
    """Return the sum of sequence_loss_by_example, float[]; with average_across_batch, divided by the batch size."""
    with tf.name_scope(name, "sequence_loss", logits + targets + weights):
        cost = tf.reduce_sum(sequence_loss_by_example(
            logits, targets, weights, average_across_timesteps=average_across_timesteps,
            softmax_loss_function=softmax_loss_function))
        return cost / tf.cast(tf.shape(targets[0])[0], cost.dtype) if average_across_batch else cost


def model_with_buckets(encoder_inputs, decoder_inputs, targets, weights, buckets, seq2seq, softmax_loss_function=None,
                       per_example_loss=False, name=None):
    """Return ([outputs of each bucket], [loss of each bucket]) of a model, whose variables the buckets share.

    Args:
        encoder_inputs, decoder_inputs, targets, weights: lists as long as the largest bucket.
        buckets: list of (length of the encoder's inputs, length of the decoder's).
        seq2seq: function of (encoder inputs, decoder inputs): (outputs, state).
        softmax_loss_function: see sequence_loss_by_example.
        per_example_loss: whether a loss is float[batch] or float[].

    Raises:
        ValueError: a list is shorter than the last bucket.
    """
    for what, values, length in (("encoder_inputs", encoder_inputs, buckets[-1][0]),
                                 ("targets", targets, buckets[-1][1]), ("weights", weights, buckets[-1][1])):
        if len(values) < length:
            raise ValueError(f"Length of {what} ({len(values)}) must be at least that of last bucket ({length}).")
    losses, outputs = [], []
    loss_of = sequence_loss_by_example if per_example_loss else sequence_loss
    with tf.name_scope(name, "model_with_buckets", encoder_inputs + decoder_inputs + targets + weights):
        for k, (n_encoder, n_decoder) in enumerate(buckets):
            with tf.variable_scope(tf.get_variable_scope(), reuse=True if k > 0 else None):
                outputs.append(seq2seq(encoder_inputs[:n_encoder], decoder_inputs[:n_decoder])[0])
                losses.append(loss_of(outputs[-1], targets[:n_decoder], weights[:n_decoder],
                                      softmax_loss_function=softmax_loss_function))
    return outputs, losses


__getattr__ = _contrib.explain_missing(__name__, ("ops", "seq2seq"))
