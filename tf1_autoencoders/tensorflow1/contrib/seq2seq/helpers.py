"""Helpers: where a decoder's next inputs come from, and how its outputs become ids.

A helper has `batch_size`, `sample_ids_shape`, `sample_ids_dtype` and three methods. initialize() returns (finished
bool[batch], first inputs); sample(time, outputs, state) returns the sample ids; next_inputs(time, outputs, state,
sample_ids) returns (finished, next inputs, next state).
"""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.rnn.common import transpose_batch_time

_SCALAR = tf.TensorShape([])


class Helper:
    """What a helper has: see the module."""

    @property
    def batch_size(self):
        """The batch size, int32[]."""
        raise NotImplementedError("batch_size has not been implemented")

    @property
    def sample_ids_shape(self):
        """The shape of the sample ids without the batch."""
        raise NotImplementedError("sample_ids_shape has not been implemented")

    @property
    def sample_ids_dtype(self):
        """The type of the sample ids."""
        raise NotImplementedError("sample_ids_dtype has not been implemented")

    def initialize(self, name=None):
        """Return (finished bool[batch], first inputs)."""

    def sample(self, time, outputs, state, name=None):
        """Return the sample ids of the outputs."""

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        """Return (finished bool[batch], next inputs, next state)."""


class CustomHelper(Helper):
    """A helper of three functions.

    Args:
        initialize_fn: function of nothing: (finished, first inputs).
        sample_fn: function of (time, outputs, state): sample ids.
        next_inputs_fn: function of (time, outputs, state, sample_ids): (finished, next inputs, next state).
        sample_ids_shape, sample_ids_dtype: of the sample ids; None for int32[batch].
    """

    def __init__(self, initialize_fn, sample_fn, next_inputs_fn, sample_ids_shape=None, sample_ids_dtype=None):
        self._initialize_fn, self._sample_fn, self._next_inputs_fn = initialize_fn, sample_fn, next_inputs_fn
        self._batch_size = None
        self._sample_ids_shape = tf.TensorShape(sample_ids_shape or [])
        self._sample_ids_dtype = sample_ids_dtype or tf.int32

    @property
    def batch_size(self):
        if self._batch_size is None:
            raise ValueError("batch_size accessed before initialize was called")
        return self._batch_size

    @property
    def sample_ids_shape(self):
        return self._sample_ids_shape

    @property
    def sample_ids_dtype(self):
        return self._sample_ids_dtype

    def initialize(self, name=None):
        with tf.name_scope(name, f"{type(self).__name__}Initialize"):
            finished, inputs = self._initialize_fn()
            if self._batch_size is None:
                self._batch_size = tf.size(finished)
        return finished, inputs

    def sample(self, time, outputs, state, name=None):
        with tf.name_scope(name, f"{type(self).__name__}Sample", (time, outputs, state)):
            return self._sample_fn(time=time, outputs=outputs, state=state)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        with tf.name_scope(name, f"{type(self).__name__}NextInputs", (time, outputs, state)):
            return self._next_inputs_fn(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


class _OfIds(Helper):
    """A helper whose sample ids are int32[batch]."""

    _batch_size = None

    @property
    def batch_size(self):
        return self._batch_size

    @property
    def sample_ids_shape(self):
        return _SCALAR

    @property
    def sample_ids_dtype(self):
        return tf.int32


def _array_of_steps(inputs):
    """Return float[time, batch, ...] as a TensorArray."""
    array = tf.TensorArray(dtype=inputs.dtype, size=tf.shape(inputs)[0], element_shape=inputs.shape[1:])
    return array.unstack(inputs)


class TrainingHelper(_OfIds):
    """Feeds the given inputs; sample ids are the indices of the largest outputs.

    Args:
        inputs: (nest of) float[batch, time, ...].
        sequence_length: int32[batch].
        time_major: whether the inputs are float[time, batch, ...].
        name: of the scope.

    Raises:
        ValueError: `sequence_length` is no vector.
    """

    def __init__(self, inputs, sequence_length, time_major=False, name=None):
        with tf.name_scope(name, "TrainingHelper", [inputs, sequence_length]):
            inputs = tf.nest.map_structure(lambda one: tf.convert_to_tensor(one, name="inputs"), inputs)
            self._inputs = inputs
            if not time_major:
                inputs = tf.nest.map_structure(transpose_batch_time, inputs)
            self._input_tas = tf.nest.map_structure(_array_of_steps, inputs)
            self._sequence_length = tf.convert_to_tensor(sequence_length, name="sequence_length")
            if self._sequence_length.shape.ndims != 1:
                raise ValueError("Expected sequence_length to be a vector, but received shape: "
                                 f"{self._sequence_length.shape}")
            self._zero_inputs = tf.nest.map_structure(lambda one: tf.zeros_like(one[0, :]), inputs)
            self._batch_size = tf.size(sequence_length)

    @property
    def inputs(self):
        """The inputs as they were given."""
        return self._inputs

    @property
    def sequence_length(self):
        """The lengths, int32[batch]."""
        return self._sequence_length

    def _inputs_at(self, time, all_finished):
        """Return the inputs of a step; zeros once all are finished."""
        return tf.cond(all_finished, lambda: self._zero_inputs,
                       lambda: tf.nest.map_structure(lambda one: one.read(time), self._input_tas))

    def initialize(self, name=None):
        with tf.name_scope(name, "TrainingHelperInitialize"):
            finished = tf.equal(0, self._sequence_length)
            return finished, self._inputs_at(0, tf.reduce_all(finished))

    def sample(self, time, outputs, name=None, **unused_kwargs):  # type: ignore[override]
        with tf.name_scope(name, "TrainingHelperSample", [time, outputs]):
            return tf.cast(tf.argmax(outputs, axis=-1), tf.int32)

    def next_inputs(self, time, outputs, state, name=None, **unused_kwargs):  # type: ignore[override]
        with tf.name_scope(name, "TrainingHelperNextInputs", [time, outputs, state]):
            step = time + 1
            finished = step >= self._sequence_length
            return finished, self._inputs_at(step, tf.reduce_all(finished)), state


def _lookup_of(embedding):
    """Return a function from ids to vectors: the given one, or the lookup in a table."""
    return embedding if callable(embedding) else lambda ids: tf.nn.embedding_lookup(embedding, ids)


class GreedyEmbeddingHelper(_OfIds):
    """Feeds the embedding of the index of the largest output.

    Args:
        embedding: function of ids int32[batch], or a table float[classes, units].
        start_tokens: int32[batch].
        end_token: int32[], the id after which a sequence is finished.

    Raises:
        ValueError: `start_tokens` is no vector, or `end_token` no scalar.
    """

    def __init__(self, embedding, start_tokens, end_token):
        self._embedding_fn = _lookup_of(embedding)
        self._start_tokens = tf.convert_to_tensor(start_tokens, dtype=tf.int32, name="start_tokens")
        self._end_token = tf.convert_to_tensor(end_token, dtype=tf.int32, name="end_token")
        if self._start_tokens.shape.ndims != 1:
            raise ValueError("start_tokens must be a vector")
        self._batch_size = tf.size(start_tokens)
        if self._end_token.shape.ndims != 0:
            raise ValueError("end_token must be a scalar")
        self._start_inputs = self._embedding_fn(self._start_tokens)

    def initialize(self, name=None):
        return tf.tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time, outputs, state, name=None):
        del time, state
        if not tf.is_tensor(outputs):
            raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")
        return tf.argmax(outputs, axis=-1, output_type=tf.int32)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        del time, outputs
        finished = tf.equal(sample_ids, self._end_token)
        inputs = tf.cond(tf.reduce_all(finished), lambda: self._start_inputs, lambda: self._embedding_fn(sample_ids))
        return finished, inputs, state


class InferenceHelper(Helper):
    """Feeds the samples, or what a function makes of them.

    Args:
        sample_fn: function of the outputs: samples.
        sample_shape, sample_dtype: of a sample without the batch.
        start_inputs: the first inputs [batch, ...].
        end_fn: function of the samples: bool[batch], whether a sequence is finished.
        next_inputs_fn: function of the samples: inputs; None for the samples themselves.
    """

    def __init__(self, sample_fn, sample_shape, sample_dtype, start_inputs, end_fn, next_inputs_fn=None):
        self._sample_fn, self._end_fn, self._next_inputs_fn = sample_fn, end_fn, next_inputs_fn
        self._sample_shape, self._sample_dtype = tf.TensorShape(sample_shape), sample_dtype
        self._start_inputs = tf.convert_to_tensor(start_inputs, name="start_inputs")
        self._batch_size = tf.shape(start_inputs)[0]

    @property
    def batch_size(self):
        return self._batch_size

    @property
    def sample_ids_shape(self):
        return self._sample_shape

    @property
    def sample_ids_dtype(self):
        return self._sample_dtype

    def initialize(self, name=None):
        return tf.tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time, outputs, state, name=None):
        del time, state
        return self._sample_fn(outputs)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):
        del time, outputs
        inputs = sample_ids if self._next_inputs_fn is None else self._next_inputs_fn(sample_ids)
        return self._end_fn(sample_ids), inputs, state
