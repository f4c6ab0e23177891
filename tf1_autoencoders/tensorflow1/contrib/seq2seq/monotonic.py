"""Monotonic attention: it moves forward through the memory only. Source: arXiv:1704.00784."""
from __future__ import annotations

import functools
from typing import Callable

import numpy as np

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.seq2seq.attention import (
    _Bahdanau,
    _BaseAttentionMechanism,
    _dense,
    _Luong,
    _size_of,
)


def safe_cumprod(x, *args, **kwargs):
    """Return the cumulative product of x float[...] in [0, 1] by way of logarithms; arguments as for tf.cumprod."""
    with tf.name_scope(None, "SafeCumprod", [x]):
        x = tf.convert_to_tensor(x, name="x")
        tiny = np.finfo(x.dtype.as_numpy_dtype).tiny
        return tf.exp(tf.cumsum(tf.log(tf.clip_by_value(x, tiny, 1)), *args, **kwargs))


def monotonic_attention(p_choose_i, previous_attention, mode):
    """Return the probability that each element of the memory is attended to, float[batch, time].

    Args:
        p_choose_i: float[batch, time], the probability that an element is chosen.
        previous_attention: float[batch, time], the result of the step before.
        mode: "recursive", "parallel" (by cumulative sums and products), or "hard" (probabilities are 0 or 1).

    Raises:
        ValueError: another mode.

    Source: arXiv:1704.00784.
    """
    p_choose_i = tf.convert_to_tensor(p_choose_i, name="p_choose_i")
    previous = tf.convert_to_tensor(previous_attention, name="previous_attention")
    if mode == "recursive":
        batch_size = _size_of(p_choose_i, 0)
        passed = tf.concat([tf.ones((batch_size, 1)), 1 - p_choose_i[:, :-1]], 1)
        reached = tf.scan(lambda x, yz: tf.reshape(yz[0] * x + yz[1], (batch_size,)),
                          [tf.transpose(passed), tf.transpose(previous)], tf.zeros((batch_size,)))
        return p_choose_i * tf.transpose(reached)
    if mode == "parallel":
        passed = safe_cumprod(1 - p_choose_i, axis=1, exclusive=True)
        return p_choose_i * passed * tf.cumsum(previous / tf.clip_by_value(passed, 1e-10, 1.0), axis=1)
    if mode == "hard":
        p_choose_i *= tf.cumsum(previous, axis=1)
        return p_choose_i * tf.cumprod(1 - p_choose_i, axis=1, exclusive=True)
    raise ValueError("mode must be 'recursive', 'parallel', or 'hard'.")


def _monotonic_probability_fn(score, previous_alignments, sigmoid_noise, mode, seed=None):
    """Return monotonic_attention of the sigmoid of the scores, to which normal noise of this size is added."""
    if sigmoid_noise > 0:
        score += sigmoid_noise * tf.random_normal(tf.shape(score), dtype=score.dtype, seed=seed)
    p_choose_i = tf.cast(score > 0, score.dtype) if mode == "hard" else tf.sigmoid(score)
    return monotonic_attention(p_choose_i, previous_alignments, mode)


class _BaseMonotonicAttentionMechanism(_BaseAttentionMechanism):
    """A mechanism that attends to the first element of the memory before the first step."""

    def initial_alignments(self, batch_size, dtype):
        return tf.one_hot(tf.zeros((batch_size,), dtype=tf.int32), self._alignments_size, dtype=dtype)


class _Monotonic(_BaseMonotonicAttentionMechanism):
    """What the two monotonic mechanisms have in common; `scope` is their variable scope."""

    _scope: str
    _score: Callable

    def __init__(self, num_units, memory, memory_sequence_length, score_mask_value, sigmoid_noise, sigmoid_noise_seed,
                 score_bias_init, mode, dtype, name, query_layer):
        super().__init__(
            query_layer=query_layer, memory_layer=_dense(num_units, "memory_layer", dtype or tf.float32), memory=memory,
            probability_fn=functools.partial(_monotonic_probability_fn, sigmoid_noise=sigmoid_noise, mode=mode,
                                             seed=sigmoid_noise_seed),
            memory_sequence_length=memory_sequence_length, score_mask_value=score_mask_value, name=name)
        self._num_units, self._name, self._score_bias_init = num_units, name, score_bias_init

    def __call__(self, query, state):
        with tf.variable_scope(None, self._scope, [query]):
            score = self._score(query)
            score += tf.get_variable("attention_score_bias", dtype=score.dtype, initializer=self._score_bias_init)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


class BahdanauMonotonicAttention(_Bahdanau, _Monotonic):
    """Monotonic attention with additive scores.

    Args:
        sigmoid_noise, sigmoid_noise_seed: size and seed of normal noise on the scores.
        score_bias_init: first value of the scores' bias.
        mode: see monotonic_attention.
        others: see BahdanauAttention.

    Source: arXiv:1704.00784.
    """

    _scope = "bahdanau_monotonic_attention"

    def __init__(self, num_units, memory, memory_sequence_length=None, normalize=False, score_mask_value=None,
                 sigmoid_noise=0.0, sigmoid_noise_seed=None, score_bias_init=0.0, mode="parallel", dtype=None,
                 name="BahdanauMonotonicAttention"):
        super().__init__(num_units, memory, memory_sequence_length, score_mask_value, sigmoid_noise,
                         sigmoid_noise_seed, score_bias_init, mode, dtype, name,
                         _dense(num_units, "query_layer", dtype or tf.float32))
        self._normalize = normalize


class LuongMonotonicAttention(_Luong, _Monotonic):
    """Monotonic attention with multiplicative scores; arguments as for BahdanauMonotonicAttention and LuongAttention.

    Source: arXiv:1704.00784.
    """

    _scope = "luong_monotonic_attention"

    def __init__(self, num_units, memory, memory_sequence_length=None, scale=False, score_mask_value=None,
                 sigmoid_noise=0.0, sigmoid_noise_seed=None, score_bias_init=0.0, mode="parallel", dtype=None,
                 name="LuongMonotonicAttention"):
        super().__init__(num_units, memory, memory_sequence_length, score_mask_value, sigmoid_noise,
                         sigmoid_noise_seed, score_bias_init, mode, dtype, name, None)
        self._scale = scale
