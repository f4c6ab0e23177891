"""Beam search: the decoder that keeps the most probable sequences."""
from __future__ import annotations

import collections

import numpy as np

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.seq2seq.attention_wrapping import AttentionWrapperState
from tf1_autoencoders.tensorflow1.contrib.seq2seq.beams import gather_tree, gather_tree_from_array
from tf1_autoencoders.tensorflow1.contrib.seq2seq.decoding import Decoder, size_after


class BeamSearchDecoderState(collections.namedtuple(
        "BeamSearchDecoderState", ("cell_state", "log_probs", "finished", "lengths", "accumulated_attention_probs"))):
    """The state of a beam search: the cell's [batch, beam, ...], float[batch, beam], bool, int64[batch, beam]."""


class BeamSearchDecoderOutput(collections.namedtuple(
        "BeamSearchDecoderOutput", ("scores", "predicted_ids", "parent_ids"))):
    """The output of a step: scores float[batch, beam], ids and the beams that they continue, int32[batch, beam]."""


class FinalBeamSearchDecoderOutput(collections.namedtuple(
        "FinalBeamDecoderOutput", ("predicted_ids", "beam_search_decoder_output"))):
    """The sequences int32[batch, time, beam], the best first, and the outputs of the steps."""


def _of_beams(indices, values, batch_size, range_size, shape, name=None):
    """Return for each beam the values at its index: values [batch, range_size, ...] reshaped to `shape`, then rows."""
    with tf.name_scope(name, "tensor_gather_helper"):
        first = tf.expand_dims(tf.range(batch_size) * range_size, 1)
        rows = tf.reshape(indices + first, [-1])
        gathered = tf.gather(tf.reshape(values, shape), rows)
        result = tf.reshape(gathered, tf.shape(values)[:1 + len(shape)], name="output")
        result.set_shape(tf.TensorShape([tf.get_static_value(batch_size)]).concatenate(values.shape[1:1 + len(shape)]))
        return result


def _averaged(probabilities):
    """Return the mean of several tensors."""
    joined = tf.concat([tf.expand_dims(one, -1) for one in probabilities], -1)
    return tf.reduce_mean(joined, -1)


def _attention_probabilities(cell_state, coverage_penalty_weight):
    """Return the alignments in a cell's state, the mean of several; () without a coverage penalty.

    Raises:
        ValueError: there is a penalty, and no AttentionWrapperState.
    """
    if coverage_penalty_weight == 0.0:
        return ()
    states = [cell_state] if isinstance(cell_state, AttentionWrapperState) else [
        one for one in cell_state if isinstance(one, AttentionWrapperState)] if isinstance(cell_state, tuple) else []
    if not states:
        raise ValueError("coverage_penalty_weight must be 0.0 if no cell is instance of AttentionWrapperState.")
    each = [_averaged(one.alignments) if isinstance(one.alignments, tuple) else one.alignments for one in states]
    return each[0] if len(each) == 1 else _averaged(each)


def _length_penalty(sequence_lengths, penalty_factor):
    """Return ((5 + length) / 6) ** factor, float32 of the lengths' shape; 1.0 for a factor of 0."""
    penalty_factor = tf.convert_to_tensor(penalty_factor, name="penalty_factor")
    if penalty_factor.shape.ndims != 0:
        raise ValueError("penalty_factor should be a scalar")
    value = tf.get_static_value(penalty_factor)
    if value is not None and value == 0:
        return 1.0
    return tf.divide((5.0 + tf.cast(sequence_lengths, tf.float32)) ** penalty_factor, (5.0 + 1.0) ** penalty_factor)


def _get_scores(log_probs, sequence_lengths, length_penalty_weight, coverage_penalty_weight, finished,
                accumulated_attention_probs):
    """Return the scores float[batch, beam, classes]: log probabilities with the penalties for length and coverage."""
    scores = log_probs / tf.cast(_length_penalty(sequence_lengths, length_penalty_weight), log_probs.dtype)
    weight = tf.convert_to_tensor(coverage_penalty_weight, name="coverage_penalty_weight")
    if weight.shape.ndims != 0:
        raise ValueError("coverage_penalty_weight should be a scalar")
    if tf.get_static_value(weight) == 0.0:
        return scores
    covered = tf.where(tf.equal(accumulated_attention_probs, 0.0), tf.ones_like(accumulated_attention_probs),
                       accumulated_attention_probs)
    penalty = tf.reduce_sum(tf.log(tf.minimum(covered, 1.0)), 2)
    penalty *= tf.cast(finished, tf.float32)
    return scores + tf.expand_dims(penalty * weight, 2)


def _mask_probs(probs, eos_token, finished):
    """Return log probabilities float[batch, beam, classes]; of a finished beam, only the end has a probability."""
    n_classes = tf.shape(probs)[2]
    row = tf.one_hot(eos_token, n_classes, dtype=probs.dtype, on_value=tf.convert_to_tensor(0.0, dtype=probs.dtype),
                     off_value=probs.dtype.min)
    rows = tf.tile(tf.reshape(row, [1, 1, -1]), tf.concat([tf.shape(finished), [1]], 0))
    mask = tf.tile(tf.expand_dims(finished, 2), [1, 1, n_classes])
    return tf.where(mask, rows, probs)


def _beam_search_step(time, logits, next_cell_state, beam_state, batch_size, beam_width, end_token,
                      length_penalty_weight, coverage_penalty_weight):
    """Return (BeamSearchDecoderOutput, BeamSearchDecoderState) of a step.

    Args:
        logits: float[batch, beam, classes].
        next_cell_state: of the beams before the choice.
        others: see BeamSearchDecoder.
    """
    del time
    was_finished = beam_state.finished
    not_finished = tf.logical_not(was_finished)
    log_probs = _mask_probs(tf.nn.log_softmax(logits), end_token, was_finished)
    total = tf.expand_dims(beam_state.log_probs, 2) + log_probs
    n_classes = logits.shape.as_list()[-1]
    if n_classes is None:
        n_classes = tf.shape(logits)[-1]
    lengths_to_add = tf.one_hot(tf.fill([batch_size, beam_width], end_token), n_classes, dtype=tf.int64,
                                on_value=tf.cast(0, tf.int64), off_value=tf.cast(1, tf.int64))
    lengths_to_add *= tf.expand_dims(tf.cast(not_finished, tf.int64), 2)
    lengths = lengths_to_add + tf.expand_dims(beam_state.lengths, 2)
    covered = beam_state.accumulated_attention_probs
    attention = _attention_probabilities(next_cell_state, coverage_penalty_weight)
    if coverage_penalty_weight != 0.0:
        attention *= tf.expand_dims(tf.cast(not_finished, tf.float32), 2)
        covered = covered + attention
    scores = _get_scores(total, lengths, length_penalty_weight, coverage_penalty_weight, was_finished, covered)

    width = tf.convert_to_tensor(beam_width, dtype=tf.int32, name="beam_width")
    best_scores, best = tf.nn.top_k(tf.reshape(scores, [batch_size, -1]), k=width)
    best_scores.set_shape([tf.get_static_value(batch_size), beam_width])
    best.set_shape([tf.get_static_value(batch_size), beam_width])
    next_log_probs = _of_beams(best, total, batch_size, beam_width * n_classes, [-1], name="next_beam_probs")
    ids = tf.floormod(best, n_classes, name="next_beam_word_ids")
    parents = tf.cast(best / n_classes, tf.int32, name="next_beam_parent_ids")

    def of_parents(values, shape, name=None):
        return _of_beams(parents, values, batch_size, beam_width, shape, name)

    was_finished = of_parents(was_finished, [-1])
    finished = tf.logical_or(was_finished, tf.equal(ids, end_token), name="next_beam_finished")
    grown = tf.cast(tf.logical_not(was_finished), tf.int64)
    next_lengths = of_parents(beam_state.lengths, [-1]) + grown
    next_covered = ()
    if coverage_penalty_weight != 0.0:
        next_covered = of_parents(covered, [batch_size * beam_width, -1], "next_accumulated_attention_probs")

    def chosen(one):
        shape = [batch_size * beam_width, -1]  # also of what has no beams, as in 1.15
        return one if isinstance(one, tf.TensorArray) or one.shape.ndims < 2 else of_parents(one, shape)

    next_cell_state = tf.nest.map_structure(chosen, next_cell_state)
    return (BeamSearchDecoderOutput(scores=best_scores, predicted_ids=ids, parent_ids=parents),
            BeamSearchDecoderState(cell_state=next_cell_state, log_probs=next_log_probs, lengths=next_lengths,
                                   finished=finished, accumulated_attention_probs=next_covered))


def _check_batch_beam(t, batch_size, beam_width):
    """Return the assertion that a stacked array is [time, batch, beam, ...] or [time, batch * beam, ...]."""
    message = ("TensorArray reordering expects elements to be reshapable to [batch_size, beam_size, -1] which is "
               "incompatible with the dynamic shape of %s elements. Consider setting reorder_tensor_arrays to False to "
               "disable TensorArray reordering during the beam search." % t.name)
    sizes = tf.shape(t)
    joined = tf.equal(sizes[1], batch_size * beam_width)
    if t.shape.ndims == 2:
        return tf.Assert(joined, [message])
    apart = tf.logical_and(tf.equal(sizes[1], batch_size), tf.equal(sizes[2], beam_width))
    return tf.Assert(tf.logical_or(joined, apart), [message])


class BeamSearchDecoder(Decoder):
    """Beam search: the beam_width sequences with the highest scores.

    Args:
        cell: RNNCell, whose memories are tiled by tile_batch if it attends.
        embedding: function of ids int32[batch, beam], or a table float[classes, units].
        start_tokens: int32[batch].
        end_token: int32[].
        initial_state: state of the cell, [batch * beam_width, ...]: tiled by tile_batch.
        beam_width: int.
        output_layer: tf.layers.Layer for the outputs, such as Dense; None for none.
        length_penalty_weight: scores are divided by ((5 + length) / 6) ** weight; 0.0 for none.
        coverage_penalty_weight: weight of the penalty for parts of the memory without attention; 0.0 for none.
        reorder_tensor_arrays: whether histories of alignments are put in the order of the sequences.

    Raises:
        TypeError: `output_layer` is no layer.
        ValueError: `start_tokens` is no vector, or `end_token` no scalar.

    Source: arXiv:1609.08144.
    """

    def __init__(self, cell, embedding, start_tokens, end_token, initial_state, beam_width, output_layer=None,
                 length_penalty_weight=0.0, coverage_penalty_weight=0.0, reorder_tensor_arrays=True):
        if output_layer is not None and not hasattr(output_layer, "compute_output_shape"):
            raise TypeError(f"output_layer must be a Layer, received: {type(output_layer)}")
        self._cell, self._output_layer, self._beam_width = cell, output_layer, beam_width
        self._length_penalty_weight, self._coverage_penalty_weight = length_penalty_weight, coverage_penalty_weight
        self._reorder_tensor_arrays = reorder_tensor_arrays
        self._embedding_fn = embedding if callable(embedding) else lambda ids: tf.nn.embedding_lookup(embedding, ids)
        self._start_tokens = tf.convert_to_tensor(start_tokens, dtype=tf.int32, name="start_tokens")
        if self._start_tokens.shape.ndims != 1:
            raise ValueError("start_tokens must be a vector")
        self._end_token = tf.convert_to_tensor(end_token, dtype=tf.int32, name="end_token")
        if self._end_token.shape.ndims != 0:
            raise ValueError("end_token must be a scalar")
        self._batch_size = tf.size(start_tokens)
        self._initial_cell_state = tf.nest.map_structure(self._maybe_split_batch_beams, initial_state,
                                                         self._cell.state_size)
        self._start_tokens = tf.tile(tf.expand_dims(self._start_tokens, 1), [1, beam_width])
        self._start_inputs = self._embedding_fn(self._start_tokens)
        self._finished = tf.one_hot(tf.zeros([self._batch_size], dtype=tf.int32), depth=beam_width, on_value=False,
                                    off_value=True, dtype=tf.bool)

    @property
    def batch_size(self):
        return self._batch_size

    @property
    def tracks_own_finished(self):
        return True

    def _rnn_output_size(self):
        return size_after(self._output_layer, self._cell.output_size)

    @property
    def output_size(self):
        size = tf.TensorShape([self._beam_width])
        return BeamSearchDecoderOutput(scores=size, predicted_ids=size, parent_ids=size)

    @property
    def output_dtype(self):
        dtype = tf.nest.flatten(self._initial_cell_state)[0].dtype
        return BeamSearchDecoderOutput(
            scores=tf.nest.map_structure(lambda _: dtype, self._rnn_output_size()), predicted_ids=tf.int32,
            parent_ids=tf.int32)

    def initialize(self, name=None):
        dtype = tf.nest.flatten(self._initial_cell_state)[0].dtype
        log_probs = tf.one_hot(
            tf.zeros([self._batch_size], dtype=tf.int32), depth=self._beam_width, dtype=dtype,
            on_value=tf.convert_to_tensor(0.0, dtype=dtype), off_value=tf.convert_to_tensor(-np.inf, dtype=dtype))
        covered = _attention_probabilities(self._initial_cell_state, self._coverage_penalty_weight)
        state = BeamSearchDecoderState(
            cell_state=self._initial_cell_state, log_probs=log_probs, finished=self._finished,
            lengths=tf.zeros([self._batch_size, self._beam_width], dtype=tf.int64),
            accumulated_attention_probs=covered)
        return self._finished, self._start_inputs, state

    def finalize(self, outputs, final_state, sequence_lengths):
        """Return (FinalBeamSearchDecoderOutput, state): the sequences, followed back from their last ids."""
        del sequence_lengths
        longest = tf.cast(tf.reduce_max(final_state.lengths, axis=1), tf.int32)
        predicted_ids = gather_tree(outputs.predicted_ids, outputs.parent_ids, max_sequence_lengths=longest,
                                    end_token=self._end_token)
        if self._reorder_tensor_arrays:
            final_state = final_state._replace(cell_state=tf.nest.map_structure(
                lambda one: self._maybe_sort_array_beams(one, outputs.parent_ids, final_state.lengths),
                final_state.cell_state))
        return FinalBeamSearchDecoderOutput(predicted_ids, outputs), final_state

    def _maybe_sort_array_beams(self, t, parent_ids, sequence_length):
        """Return a TensorArray's elements in the order of the sequences; anything else, or unknown shapes, as it is."""
        if not isinstance(t, tf.TensorArray):
            return t
        shape = t.element_shape
        if shape.ndims is None or shape.ndims < 1:
            tf.logging.warn("The TensorArray %s in the cell state is not amenable to sorting based on the beam search "
                            "result. For a TensorArray to be sorted, its elements shape must be defined and have at "
                            "least a rank of 1, but saw shape: %s", t.handle.name, shape)
            return t
        if self._is_no_array_of_beams(shape.as_list()):
            tf.logging.warn("TensorArray reordering expects elements to be reshapable to (%s, %s, ?) which is "
                            "incompatible with the current shape %s. Consider setting reorder_tensor_arrays to False "
                            "to disable TensorArray reordering during the beam search.",
                            tf.get_static_value(self._batch_size), self._beam_width, shape)
            return t
        values = t.stack()
        with tf.control_dependencies([_check_batch_beam(values, self._batch_size, self._beam_width)]):
            return gather_tree_from_array(values, parent_ids, sequence_length)

    def _is_no_array_of_beams(self, sizes):
        """Return what 1.15 found out from static sizes; elements [batch * beam, n] are none where all are known."""
        batch_size, width = tf.get_static_value(self._batch_size), self._beam_width
        if batch_size is None or sizes[0] is None:
            return False
        known = len(sizes) > 1 and sizes[1] is not None
        return sizes[0] != batch_size * width or known and (sizes[0] != batch_size or sizes[1] != width)

    def _split_batch_beams(self, t, s=None):
        """Return [batch * beam, ...] as [batch, beam, ...]."""
        s = t.shape[1:] if s is None else tf.TensorShape([s] if isinstance(s, int) else s)
        split = tf.reshape(t, tf.concat(([self._batch_size, self._beam_width], tf.shape(t)[1:]), 0))
        expected = tf.TensorShape([tf.get_static_value(self._batch_size), self._beam_width]).concatenate(s)
        if not split.shape.is_compatible_with(expected):
            raise ValueError("Unexpected behavior when reshaping between beam width and batch size. The reshaped "
                             f"tensor has shape: {split.shape}. We expected it to have shape (batch_size, beam_width, "
                             f"depth) == {expected}. Perhaps you forgot to create a zero_state with "
                             "batch_size=encoder_batch_size * beam_width?")
        split.set_shape(expected)
        return split

    def _merge_batch_beams(self, t, s=None):
        """Return [batch, beam, ...] as [batch * beam, ...]."""
        s = t.shape[2:] if s is None else tf.TensorShape([s] if isinstance(s, int) else s)
        sizes = tf.shape(t)
        merged = tf.reshape(t, tf.concat(([self._batch_size * self._beam_width], sizes[2:]), 0))
        known = tf.get_static_value(self._batch_size)
        merged.set_shape(tf.TensorShape([None if known is None else known * self._beam_width]).concatenate(s))
        return merged

    def _maybe_split_batch_beams(self, t, s):
        """Return _split_batch_beams of a tensor that has a batch; a TensorArray or a scalar as it is."""
        if isinstance(t, tf.TensorArray):
            return t
        if t.shape.ndims is None:
            raise ValueError(f"Expected tensor ({t}) to have known rank, but ndims == None.")
        return t if t.shape.ndims < 1 else self._split_batch_beams(t, s)

    def _maybe_merge_batch_beams(self, t, s):
        """Return _merge_batch_beams of a tensor that has beams; a TensorArray or a scalar as it is."""
        if isinstance(t, tf.TensorArray):
            return t
        if t.shape.ndims is None:
            raise ValueError(f"Expected tensor ({t}) to have known rank, but ndims == None.")
        return t if t.shape.ndims < 2 else self._merge_batch_beams(t, s)

    def step(self, time, inputs, state, name=None):
        with tf.name_scope(name, "BeamSearchDecoderStep", (time, inputs, state)):
            inputs = tf.nest.map_structure(self._merge_batch_beams, inputs)
            cell_state = tf.nest.map_structure(self._maybe_merge_batch_beams, state.cell_state, self._cell.state_size)
            outputs, cell_state = self._cell(inputs, cell_state)
            outputs = tf.nest.map_structure(self._split_batch_beams, outputs)
            cell_state = tf.nest.map_structure(self._maybe_split_batch_beams, cell_state, self._cell.state_size)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            output, next_state = _beam_search_step(
                time=time, logits=outputs, next_cell_state=cell_state, beam_state=state, batch_size=self._batch_size,
                beam_width=self._beam_width, end_token=self._end_token,
                length_penalty_weight=self._length_penalty_weight,
                coverage_penalty_weight=self._coverage_penalty_weight)
            finished, ids = next_state.finished, output.predicted_ids
            next_inputs = tf.cond(tf.reduce_all(finished), lambda: self._start_inputs, lambda: self._embedding_fn(ids))
            return output, next_state, next_inputs, finished
