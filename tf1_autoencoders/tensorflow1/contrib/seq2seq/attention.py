"""Attention mechanisms: scores of a query against a memory, and the alignments that come out of them.

A mechanism is called with (query float[batch, units], state) and returns (alignments float[batch, time], next state);
`state` is the alignments of the step before. Its `values` are the memory with zeros after each sequence's end, its
`keys` the values after the memory layer.
"""
from __future__ import annotations

import math
from typing import Any

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.seq2seq.decoding import _zeros


class AttentionMechanism:
    """What an attention mechanism has: see the module."""

    @property
    def alignments_size(self):
        """The size of the memory's time."""
        raise NotImplementedError

    @property
    def state_size(self):
        """The size of the state."""
        raise NotImplementedError


def _size_of(tensor, axis):
    """Return a size as an int if it is known, otherwise as int32[]."""
    size = tensor.shape.as_list()[axis] if tensor.shape.ndims is not None else None
    return tf.shape(tensor)[axis] if size is None else size


def _prepare_memory(memory, memory_sequence_length=None, memory_mask=None, check_inner_dims_defined=True):
    """Return the (nest of) memory [batch, time, ...] with zeros after each sequence's end.

    Args:
        memory_sequence_length: int32[batch], or None.
        memory_mask: bool[batch, time], or None.
        check_inner_dims_defined: whether the sizes after the time must be known.

    Raises:
        ValueError: both a length and a mask, or an unknown inner size.
    """
    memory = tf.nest.map_structure(lambda one: tf.convert_to_tensor(one, name="memory"), memory)
    if memory_sequence_length is not None and memory_mask is not None:
        raise ValueError("memory_sequence_length and memory_mask can't be provided at same time.")
    if memory_sequence_length is not None:
        memory_sequence_length = tf.convert_to_tensor(memory_sequence_length, name="memory_sequence_length")
    if check_inner_dims_defined:
        for one in tf.nest.flatten(memory):
            if not one.shape[2:].is_fully_defined():
                raise ValueError(f"Expected memory {one.name} to have fully defined inner dims, but saw shape: "
                                 f"{one.shape}")
    if memory_sequence_length is None and memory_mask is None:
        return memory
    first = tf.nest.flatten(memory)[0]
    mask = tf.cast(memory_mask, first.dtype) if memory_sequence_length is None else tf.sequence_mask(
        memory_sequence_length, maxlen=tf.shape(first)[1], dtype=first.dtype)

    def masked(one):
        rank = one.shape.ndims if one.shape.ndims is not None else tf.rank(one)
        ones = tf.fill(tf.expand_dims(rank - 2, 0) if tf.is_tensor(rank) else [rank - 2], 1)
        return one * tf.reshape(mask, tf.concat((tf.shape(mask), ones), 0))

    return tf.nest.map_structure(masked, memory)


def _maybe_mask_score(score, memory_sequence_length=None, memory_mask=None, score_mask_value=None):
    """Return scores [batch, time] with `score_mask_value` after each sequence's end."""
    if memory_sequence_length is None and memory_mask is None:
        return score
    if memory_sequence_length is not None and memory_mask is not None:
        raise ValueError("memory_sequence_length and memory_mask can't be provided at same time.")
    if memory_sequence_length is not None:
        check = tf.assert_positive(memory_sequence_length,
                                   message="All values in memory_sequence_length must greater than zero.")
        with tf.control_dependencies([check]):
            memory_mask = tf.sequence_mask(memory_sequence_length, maxlen=tf.shape(score)[1])
    return tf.where(memory_mask, score, score_mask_value * tf.ones_like(score))


class _BaseAttentionMechanism(AttentionMechanism):
    """What the mechanisms have in common.

    Args:
        query_layer, memory_layer: tf.layers.Layer for queries and memory, or None.
        memory: float[batch, time, ...], a nest of such tensors if check_inner_dims_defined is False.
        probability_fn: function of (scores, state): alignments.
        memory_sequence_length: int32[batch]; None for all of the time.
        check_inner_dims_defined: whether the memory's inner sizes must be known.
        score_mask_value: score after a sequence's end; None for -inf.
        custom_key_value_fn: function of (keys, values) that returns others; None for none.
        name: of the scope.
    """

    def __init__(self, query_layer, memory, probability_fn, memory_sequence_length=None, memory_layer=None,
                 check_inner_dims_defined=True, score_mask_value=None, custom_key_value_fn=None, name=None):
        for what, layer in (("query_layer", query_layer), ("memory_layer", memory_layer)):
            if layer is not None and not callable(layer):
                raise TypeError(f"{what} is not a Layer: {type(layer)}")
        if not callable(probability_fn):
            raise TypeError(f"probability_fn must be callable, saw type: {type(probability_fn)}")
        self._query_layer, self._memory_layer = query_layer, memory_layer
        if score_mask_value is None:
            score_mask_value = tf.as_dtype(memory_layer.dtype if memory_layer is not None
                                           else tf.nest.flatten(memory)[0].dtype).as_numpy_dtype(-math.inf)
        self._probability_fn = lambda score, previous: probability_fn(
            _maybe_mask_score(score, memory_sequence_length=memory_sequence_length, score_mask_value=score_mask_value),
            previous)
        with tf.name_scope(name, "BaseAttentionMechanismInit", tf.nest.flatten(memory)):
            self._values = _prepare_memory(memory, memory_sequence_length,
                                           check_inner_dims_defined=check_inner_dims_defined)
            self._keys = self._values if memory_layer is None else memory_layer(self._values)
            if custom_key_value_fn is not None:
                self._keys, self._values = custom_key_value_fn(self._keys, self._values)
            self._batch_size = _size_of(self._keys, 0)
            self._alignments_size = _size_of(self._keys, 1)

    @property
    def memory_layer(self):
        """The layer of the memory, or None."""
        return self._memory_layer

    @property
    def query_layer(self):
        """The layer of the queries, or None."""
        return self._query_layer

    @property
    def values(self):
        """The memory, float[batch, time, ...]."""
        return self._values

    @property
    def keys(self):
        """The memory after its layer."""
        return self._keys

    @property
    def batch_size(self):
        """The batch size, an int or int32[]."""
        return self._batch_size

    @property
    def alignments_size(self):
        return self._alignments_size

    @property
    def state_size(self):
        return self._alignments_size

    def initial_alignments(self, batch_size, dtype):
        """Return the alignments before the first step: zeros."""
        return _zeros(self._alignments_size, batch_size, dtype)

    def initial_state(self, batch_size, dtype):
        """Return the state before the first step."""
        return self.initial_alignments(batch_size, dtype)


def _dense(num_units, name, dtype):
    return tf.layers.Dense(num_units, name=name, use_bias=False, dtype=dtype)


def _bahdanau_score(processed_query, keys, attention_v, attention_g=None, attention_b=None):
    """Return the sum over the units of v * tanh(keys + query + b), float[batch, time].

    Args:
        processed_query: float[batch, units]; keys: float[batch, time, units]; attention_v: float[units].
        attention_g, attention_b: float[] length of v and float[units], or None for v as it is and no b.
    """
    query = tf.expand_dims(processed_query, 1)
    if attention_g is None or attention_b is None:
        return tf.reduce_sum(attention_v * tf.tanh(keys + query), [2])
    normed = attention_g * attention_v * tf.rsqrt(tf.reduce_sum(tf.square(attention_v)))
    return tf.reduce_sum(normed * tf.tanh(keys + query + attention_b), [2])


def _luong_score(query, keys, scale):
    """Return the products of a query float[batch, units] and keys float[batch, time, units], times `scale` or None.

    Raises:
        ValueError: query and keys have different sizes.
    """
    depth, key_units = query.shape.as_list()[-1], keys.shape.as_list()[-1]
    if depth != key_units:
        raise ValueError(f"Incompatible or unknown inner dimensions between query and keys. Query ({query}) has units: "
                         f"{depth}. Keys ({keys}) have units: {key_units}. Perhaps you need to set num_units to the "
                         f"keys' dimension ({key_units})?")
    score = tf.squeeze(tf.matmul(tf.expand_dims(query, 1), keys, transpose_b=True), [1])
    return score if scale is None else scale * score


class _Bahdanau:
    """The score of additive attention, with variables attention_v, and attention_g, attention_b if normalized."""

    _keys: Any
    _query_layer: Any
    _num_units: int
    _normalize: bool

    def _score(self, query):
        processed = self._query_layer(query) if self._query_layer else query
        units, dtype = self._num_units, processed.dtype
        v = tf.get_variable("attention_v", [units], dtype=dtype)
        if not self._normalize:
            return _bahdanau_score(processed, self._keys, v)
        g = tf.get_variable("attention_g", dtype=dtype, shape=(),
                            initializer=tf.constant_initializer(math.sqrt(1.0 / units)))
        b = tf.get_variable("attention_b", [units], dtype=dtype, initializer=tf.zeros_initializer())
        return _bahdanau_score(processed, self._keys, v, g, b)


class _Luong:
    """The score of multiplicative attention, with the variable attention_g if scaled."""

    _keys: Any
    _scale: bool

    def _score(self, query):
        g = tf.get_variable("attention_g", dtype=query.dtype, initializer=tf.ones_initializer(),
                            shape=()) if self._scale else None
        return _luong_score(query, self._keys, g)


def _ignoring_state(probability_fn):
    """Return a function of (scores, state) from a function of scores; None for the softmax."""
    probability_fn = probability_fn or tf.nn.softmax
    return lambda score, _: probability_fn(score)


class BahdanauAttention(_Bahdanau, _BaseAttentionMechanism):
    """Additive attention.

    Args:
        num_units: size of keys and queries.
        memory: float[batch, time, size].
        memory_sequence_length: int32[batch]; None for all of the time.
        normalize: whether the weights v have a length of their own, attention_g.
        probability_fn: function of the scores; None for the softmax.
        score_mask_value: score after a sequence's end; None for -inf.
        dtype: of the layers; None for float32.
        custom_key_value_fn: function of (keys, values) that returns others; None for none.
        name: of the scope.

    Source: arXiv:1409.0473; normalized arXiv:1602.07868.
    """

    def __init__(self, num_units, memory, memory_sequence_length=None, normalize=False, probability_fn=None,
                 score_mask_value=None, dtype=None, custom_key_value_fn=None, name="BahdanauAttention"):
        dtype = dtype or tf.float32
        super().__init__(
            query_layer=_dense(num_units, "query_layer", dtype), memory_layer=_dense(num_units, "memory_layer", dtype),
            memory=memory, probability_fn=_ignoring_state(probability_fn), custom_key_value_fn=custom_key_value_fn,
            memory_sequence_length=memory_sequence_length, score_mask_value=score_mask_value, name=name)
        self._num_units, self._normalize, self._name = num_units, normalize, name

    def __call__(self, query, state):
        with tf.variable_scope(None, "bahdanau_attention", [query]):
            score = self._score(query)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


class LuongAttention(_Luong, _BaseAttentionMechanism):
    """Multiplicative attention; queries have num_units elements.

    Args:
        scale: whether the scores are multiplied by a variable.
        others: see BahdanauAttention.

    Source: arXiv:1508.04025.
    """

    def __init__(self, num_units, memory, memory_sequence_length=None, scale=False, probability_fn=None,
                 score_mask_value=None, dtype=None, custom_key_value_fn=None, name="LuongAttention"):
        super().__init__(
            query_layer=None, memory_layer=_dense(num_units, "memory_layer", dtype or tf.float32), memory=memory,
            probability_fn=_ignoring_state(probability_fn), memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value, custom_key_value_fn=custom_key_value_fn, name=name)
        self._num_units, self._scale, self._name = num_units, scale, name

    def __call__(self, query, state):
        with tf.variable_scope(None, "luong_attention", [query]):
            score = self._score(query)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


def hardmax(logits, name=None):
    """Return 1 at the largest of each row and 0 elsewhere, of the shape and type of logits float[..., classes]."""
    with tf.name_scope(name, "Hardmax", [logits]):
        logits = tf.convert_to_tensor(logits, name="logits")
        depth = logits.shape.as_list()[-1]
        return tf.one_hot(tf.argmax(logits, -1), tf.shape(logits)[-1] if depth is None else depth, dtype=logits.dtype)
