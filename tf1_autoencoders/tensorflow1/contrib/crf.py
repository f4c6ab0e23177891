"""tf.contrib.crf of TensorFlow 1.15: the linear-chain conditional random field.

Source of every name: tf.contrib.crf of TensorFlow 1.15.5; the model is of Lafferty et al. (2001). These arguments mean
the same everywhere: `inputs` (or `potentials`) are scores float32[batch, time, tags], `tag_indices` int[batch, time],
`sequence_lengths` int[batch], `transition_params` float32[tags, tags], from the row's tag to the column's.
"""
from __future__ import annotations

import numpy as np

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.framework import smart_cond


def _for_one_step(inputs, one_step, several_steps):
    """Return one_step() if the time is 1, otherwise several_steps(); known now, or in the session."""
    n_steps = inputs.shape.as_list()[1]
    return smart_cond(tf.equal(tf.shape(inputs)[1] if n_steps is None else n_steps, 1), one_step, several_steps)


def _without_empty(sequence_lengths, values):
    """Return the values float[batch], 0 where a sequence is empty."""
    return tf.where(tf.less_equal(sequence_lengths, 0), tf.zeros_like(values), values)


def crf_unary_score(tag_indices, sequence_lengths, inputs):
    """Return the sum of the scores of the tags, float32[batch]."""
    batch_size, n_steps, n_tags = tf.shape(inputs)[0], tf.shape(inputs)[1], tf.shape(inputs)[2]
    flat = tf.reshape(inputs, [-1])
    offsets = tf.expand_dims(tf.range(batch_size) * n_steps * n_tags, 1)
    offsets += tf.expand_dims(tf.range(n_steps) * n_tags, 0)
    if tag_indices.dtype == tf.int64:
        offsets = tf.cast(offsets, tf.int64)
    scores = tf.gather(flat, tf.reshape(offsets + tag_indices, [-1]))
    scores = tf.reshape(scores, [batch_size, n_steps])
    mask = tf.sequence_mask(sequence_lengths, maxlen=tf.shape(tag_indices)[1], dtype=tf.float32)
    return tf.reduce_sum(scores * mask, 1)


def crf_binary_score(tag_indices, sequence_lengths, transition_params):
    """Return the sum of the scores of the transitions between the tags, float32[batch]."""
    n_tags = transition_params.shape.as_list()[0]
    n_transitions = tf.shape(tag_indices)[1] - 1
    starts = tf.slice(tag_indices, [0, 0], [-1, n_transitions])
    ends = tf.slice(tag_indices, [0, 1], [-1, n_transitions])
    places = starts * n_tags + ends
    scores = tf.gather(tf.reshape(transition_params, [-1]), places)
    mask = tf.sequence_mask(sequence_lengths, maxlen=tf.shape(tag_indices)[1], dtype=tf.float32)
    return tf.reduce_sum(scores * tf.slice(mask, [0, 1], [-1, -1]), 1)


def crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params):
    """Return the score of sequences of tags, float32[batch]; 0 for an empty one."""
    def one_step():
        batch_size = tf.shape(inputs, out_type=tag_indices.dtype)[0]
        rows = tf.reshape(tf.range(batch_size, dtype=tag_indices.dtype), [-1, 1])
        return _without_empty(sequence_lengths, tf.gather_nd(tf.squeeze(inputs, [1]),
                                                             tf.concat([rows, tag_indices], axis=1)))

    def several_steps():
        return (crf_unary_score(tag_indices, sequence_lengths, inputs)
                + crf_binary_score(tag_indices, sequence_lengths, transition_params))

    return _for_one_step(inputs, one_step, several_steps)


def crf_multitag_sequence_score(inputs, tag_bitmap, sequence_lengths, transition_params):
    """Return the score of all sequences of allowed tags together (logsumexp), float32[batch].

    Args:
        tag_bitmap: bool[batch, time, tags], the tags that each step may have.
    """
    def one_step():
        return tf.reduce_logsumexp(_allowed(inputs, tag_bitmap), axis=[1, 2], keepdims=False)

    def several_steps():
        return crf_log_norm(_allowed(inputs, tag_bitmap), sequence_lengths, transition_params)

    return _for_one_step(inputs, one_step, several_steps)


def _allowed(inputs, tag_bitmap):
    """Return the scores, -inf for tags that a step may not have."""
    return tf.where(tag_bitmap, inputs, tf.fill(tf.shape(inputs), float("-inf")))


def crf_log_norm(inputs, sequence_lengths, transition_params):
    """Return the logarithm of the sum over all sequences of tags, float32[batch]; 0 for an empty one."""
    first = tf.squeeze(tf.slice(inputs, [0, 0, 0], [-1, 1, -1]), [1])

    def one_step():
        return _without_empty(sequence_lengths, tf.reduce_logsumexp(first, [1]))

    def several_steps():
        rest = tf.slice(inputs, [0, 1, 0], [-1, -1, -1])
        cell = CrfForwardRnnCell(transition_params)
        _, alphas = tf.nn.dynamic_rnn(cell, rest, sequence_length=_without_first(sequence_lengths),
                                      initial_state=first, dtype=tf.float32)
        return _without_empty(sequence_lengths, tf.reduce_logsumexp(alphas, [1]))

    return _for_one_step(inputs, one_step, several_steps)


def _without_first(sequence_lengths):
    """Return the lengths after the first step."""
    return tf.maximum(tf.constant(0, dtype=sequence_lengths.dtype), sequence_lengths - 1)


def crf_log_likelihood(inputs, tag_indices, sequence_lengths, transition_params=None):
    """Return (log-likelihood of sequences of tags float32[batch], transition_params).

    Args:
        transition_params: None for a variable `transitions`.
    """
    if transition_params is None:
        n_tags = inputs.shape.as_list()[2]
        transition_params = tf.get_variable("transitions", [n_tags, n_tags])
    scores = crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params)
    return scores - crf_log_norm(inputs, sequence_lengths, transition_params), transition_params


def crf_decode(potentials, transition_params, sequence_length):
    """Return (the best sequences of tags int32[batch, time], their scores float32[batch]), by Viterbi's algorithm."""
    def one_step():
        scores = tf.squeeze(potentials, [1])
        tags = tf.expand_dims(tf.argmax(scores, axis=1), 1)
        best = tf.reduce_max(scores, axis=1)
        return tf.cast(tags, tf.int32), best

    def several_steps():
        forward = CrfDecodeForwardRnnCell(transition_params)
        state = tf.squeeze(tf.slice(potentials, [0, 0, 0], [-1, 1, -1]), axis=[1])
        inputs = tf.slice(potentials, [0, 1, 0], [-1, -1, -1])
        lengths = _without_first(sequence_length)
        pointers, last = tf.nn.dynamic_rnn(forward, inputs, sequence_length=lengths, initial_state=state,
                                           time_major=False, dtype=tf.int32)
        pointers = tf.reverse_sequence(pointers, lengths, seq_axis=1)
        backward = CrfDecodeBackwardRnnCell(potentials.shape.as_list()[2])
        state = tf.expand_dims(tf.cast(tf.argmax(last, axis=1), tf.int32), axis=-1)
        tags, _ = tf.nn.dynamic_rnn(backward, inputs=pointers, sequence_length=lengths, initial_state=state,
                                    time_major=False, dtype=tf.int32)
        tags = tf.concat([state, tf.squeeze(tags, axis=[2])], axis=1)
        return tf.reverse_sequence(tags, sequence_length, seq_axis=1), tf.reduce_max(last, axis=1)

    return _for_one_step(potentials, one_step, several_steps)


def viterbi_decode(score, transition_params):
    """Return (the best sequence of tags [int], its score) of one sequence, for arrays.

    Args:
        score: float[time, tags].
        transition_params: float[tags, tags].
    """
    trellis = np.zeros_like(score)
    pointers = np.zeros_like(score, dtype=np.int32)
    trellis[0] = score[0]
    for step in range(1, score.shape[0]):
        paths = np.expand_dims(trellis[step - 1], 1) + transition_params
        trellis[step] = score[step] + np.max(paths, 0)
        pointers[step] = np.argmax(paths, 0)
    tags = [np.argmax(trellis[-1])]
    for row in reversed(pointers[1:]):
        tags.append(row[tags[-1]])
    return tags[::-1], np.max(trellis[-1])


# ---- cells


class CrfForwardRnnCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[name-defined,misc]
    """The forward algorithm as a cell: inputs, state and output are float32[batch, tags].

    Args:
        transition_params: float32[tags, tags].
    """

    def __init__(self, transition_params):
        super().__init__()
        self._transition_params = tf.expand_dims(transition_params, 0)
        self._num_tags = transition_params.shape.as_list()[0]

    @property
    def state_size(self):
        return self._num_tags

    @property
    def output_size(self):
        return self._num_tags

    def __call__(self, inputs, state, scope=None):
        paths = tf.expand_dims(state, 2) + self._transition_params
        alphas = inputs + tf.reduce_logsumexp(paths, [1])
        return alphas, alphas


class CrfDecodeForwardRnnCell(CrfForwardRnnCell):
    """Viterbi's algorithm as a cell: inputs and state float32[batch, tags], output int32[batch, tags], back pointers.

    Args:
        transition_params: float32[tags, tags].
    """

    def __call__(self, inputs, state, scope=None):
        paths = tf.expand_dims(state, 2) + self._transition_params
        scores = inputs + tf.reduce_max(paths, [1])
        return tf.cast(tf.argmax(paths, 1), tf.int32), scores


class CrfDecodeBackwardRnnCell(tf.nn.rnn_cell.RNNCell):  # type: ignore[name-defined,misc]
    """A cell that follows back pointers int32[batch, tags]; state and output are the tags int32[batch, 1].

    Args:
        num_tags: int.
    """

    def __init__(self, num_tags):
        super().__init__()
        self._num_tags = num_tags

    @property
    def state_size(self):
        return 1

    @property
    def output_size(self):
        return 1

    def __call__(self, inputs, state, scope=None):
        state = tf.squeeze(state, axis=[1])
        rows = tf.range(tf.shape(inputs)[0])
        tags = tf.expand_dims(tf.gather_nd(inputs, tf.stack([rows, state], axis=1)), axis=-1)
        return tags, tags


__getattr__ = _contrib.explain_missing(__name__, ("crf", "ops"))
