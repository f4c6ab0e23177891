"""Helpers that draw: the next inputs, or whether a decoder is fed its own output."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.rnn.common import transpose_batch_time
from tf1_autoencoders.tensorflow1.contrib.seq2seq.helpers import (
    GreedyEmbeddingHelper,
    TrainingHelper,
    _array_of_steps,
    _lookup_of,
)


def _checked_probability(probability):
    """Return a sampling probability as a tensor; raise ValueError unless it is float[] or float[batch]."""
    tensor = tf.convert_to_tensor(probability, name="sampling_probability")
    if tensor.shape.ndims not in (0, 1):
        raise ValueError(f"sampling_probability must be either a scalar or a vector. saw shape: {tensor.shape}")
    return tensor


def _drawn(draw, sample_shape):
    """Return the samples of draw(n), [n, ...], as [*sample_shape, ...]: 1.15's way of a distribution's `sample`."""
    with tf.name_scope("call_sampler", values=[sample_shape]):
        shape = tf.convert_to_tensor(sample_shape, dtype=tf.int32, name="sample_shape")
        is_scalar = tf.cast(tf.equal(tf.rank(shape), 0), tf.int32)
        shape = tf.reshape(shape, tf.pad(tf.shape(shape), paddings=[[is_scalar, 0]], constant_values=1))
        samples = draw(tf.reduce_prod(shape))
        return tf.reshape(samples, tf.concat([shape, tf.shape(samples)[1:]], 0))


def _bernoulli(probability, sample_shape, seed, dtype):
    """Return true or 1 with this probability float[], dtype[*sample_shape]."""
    batch_shape = tf.shape(probability)

    def draw(n):
        uniform = tf.random_uniform(tf.concat([[n], batch_shape], 0), seed=seed, dtype=probability.dtype)
        return tf.cast(tf.less(uniform, probability), dtype)

    return _drawn(draw, sample_shape)


def _categorical(logits, seed):
    """Return a class drawn for each row of logits float[batch, classes], int32[batch]."""
    n_classes = tf.shape(logits)[-1]
    batch_shape = tf.shape(logits)[:-1]

    def draw(n):
        rows = logits if logits.shape.ndims == 2 else tf.reshape(logits, [-1, n_classes])
        drawn = tf.transpose(tf.multinomial(rows, n, seed=seed, output_dtype=tf.int32))
        return tf.reshape(drawn, tf.concat([[n], batch_shape], 0))

    return _drawn(draw, ())


def _scattered(chosen, other, values_of_chosen, values_of_other, like):
    """Return the rows of two groups in their places: indices int32[n, 1] and values of each; of the shape of `like`."""
    shape = tf.shape(like)
    return (tf.scatter_nd(indices=chosen, updates=values_of_chosen, shape=shape)
            + tf.scatter_nd(indices=other, updates=values_of_other, shape=shape))


class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """Feeds the given inputs, or now and then the embedding of an id drawn from the decoder's own outputs.

    Args:
        inputs, sequence_length, time_major, name: see TrainingHelper.
        embedding: function of ids int32[n], or a table float[classes, units].
        sampling_probability: float[] or float[batch], how often the decoder's own output is fed.
        seed, scheduling_seed: seeds of the ids and of the choice.

    sample() gives -1 where the given input is next. Source: arXiv:1506.03099.

    Raises:
        ValueError: the probability is neither a scalar nor a vector.
    """

    def __init__(self, inputs, sequence_length, embedding, sampling_probability, time_major=False, seed=None,
                 scheduling_seed=None, name=None):
        with tf.name_scope(name, "ScheduledEmbeddingSamplingWrapper", [embedding, sampling_probability]):
            self._embedding_fn = _lookup_of(embedding)
            self._sampling_probability = _checked_probability(sampling_probability)
            self._seed, self._scheduling_seed = seed, scheduling_seed
            super().__init__(inputs=inputs, sequence_length=sequence_length, time_major=time_major, name=name)

    def initialize(self, name=None):
        return super().initialize(name=name)

    def sample(self, time, outputs, state, name=None):  # type: ignore[override]
        with tf.name_scope(name, "ScheduledEmbeddingTrainingHelperSample", [time, outputs, state]):
            chosen = _bernoulli(self._sampling_probability, self.batch_size, self._scheduling_seed, tf.bool)
            ids = _categorical(outputs, self._seed)
            return tf.where(chosen, ids, tf.fill([self.batch_size], -1))

    def next_inputs(self, time, outputs, state, sample_ids, name=None):  # type: ignore[override]
        with tf.name_scope(name, "ScheduledEmbeddingTrainingHelperNextInputs", [time, outputs, state, sample_ids]):
            finished, inputs, state = super().next_inputs(time=time, outputs=outputs, state=state,
                                                          sample_ids=sample_ids, name=name)

            def maybe_sample():
                sampled = tf.cast(tf.where(sample_ids > -1), tf.int32)
                given = tf.cast(tf.where(sample_ids <= -1), tf.int32)
                ids, kept = tf.gather_nd(sample_ids, sampled), tf.gather_nd(inputs, given)
                return _scattered(sampled, given, self._embedding_fn(ids), kept, inputs)

            return finished, tf.cond(tf.reduce_all(finished), lambda: inputs, maybe_sample), state


class ScheduledOutputTrainingHelper(TrainingHelper):
    """Feeds the given inputs, or now and then the decoder's own output of the step before.

    Args:
        inputs, sequence_length, time_major, name: see TrainingHelper.
        sampling_probability: float[] or float[batch], how often the decoder's own output is fed.
        seed: of the choice.
        next_inputs_fn: function of the outputs: inputs; None for the outputs themselves.
        auxiliary_inputs: (nest of) float[batch, time, ...], joined to the inputs of either kind; None for none.

    sample() gives 1 where the decoder's own output is next.

    Raises:
        ValueError: the probability is neither a scalar nor a vector.
    """

    def __init__(self, inputs, sequence_length, sampling_probability, time_major=False, seed=None,
                 next_inputs_fn=None, auxiliary_inputs=None, name=None):
        with tf.name_scope(name, "ScheduledOutputTrainingHelper", [inputs, auxiliary_inputs, sampling_probability]):
            self._sampling_probability = _checked_probability(sampling_probability)
            self._auxiliary_input_tas = None
            if auxiliary_inputs is not None:
                inputs = tf.nest.map_structure(lambda one: tf.convert_to_tensor(one, name="inputs"), inputs)
                auxiliary = tf.nest.map_structure(lambda one: tf.convert_to_tensor(one, name="auxiliary_inputs"),
                                                  auxiliary_inputs)
                inputs = tf.nest.map_structure(lambda one, other: tf.concat((one, other), -1), inputs, auxiliary)
                if not time_major:
                    auxiliary = tf.nest.map_structure(transpose_batch_time, auxiliary)
                self._auxiliary_input_tas = tf.nest.map_structure(_array_of_steps, auxiliary)
            self._seed, self._next_inputs_fn = seed, next_inputs_fn
            super().__init__(inputs=inputs, sequence_length=sequence_length, time_major=time_major, name=name)

    def initialize(self, name=None):
        return super().initialize(name=name)

    def sample(self, time, outputs, state, name=None):  # type: ignore[override]
        with tf.name_scope(name, "ScheduledOutputTrainingHelperSample", [time, outputs, state]):
            return _bernoulli(self._sampling_probability, self.batch_size, self._seed, tf.int32)

    def _with_auxiliary(self, time, outputs, rows=None):
        """Return the outputs with the auxiliary inputs of the next step, those of some rows or of all."""
        if self._auxiliary_input_tas is None:
            return outputs
        step = time + 1
        auxiliary = tf.nest.map_structure(lambda one: one.read(step), self._auxiliary_input_tas)
        if rows is not None:
            auxiliary = tf.gather_nd(auxiliary, rows)
        return tf.nest.map_structure(lambda one, other: tf.concat((one, other), -1), outputs, auxiliary)

    def next_inputs(self, time, outputs, state, sample_ids, name=None):  # type: ignore[override]
        with tf.name_scope(name, "ScheduledOutputTrainingHelperNextInputs", [time, outputs, state, sample_ids]):
            finished, inputs, state = super().next_inputs(time=time, outputs=outputs, state=state,
                                                          sample_ids=sample_ids, name=name)
            chosen = tf.cast(sample_ids, tf.bool)

            def maybe_sample():
                if self._next_inputs_fn is None:
                    return tf.where(chosen, self._with_auxiliary(time, outputs), inputs)
                sampled = tf.cast(tf.where(chosen), tf.int32)
                given = tf.cast(tf.where(tf.logical_not(chosen)), tf.int32)
                own, kept = tf.gather_nd(outputs, sampled), tf.gather_nd(inputs, given)
                own = self._with_auxiliary(time, self._next_inputs_fn(own), sampled)
                return _scattered(sampled, given, own, kept, inputs)

            all_finished = tf.reduce_all(finished)
            no_samples = tf.logical_not(tf.reduce_any(chosen))
            return finished, tf.cond(tf.logical_or(all_finished, no_samples), lambda: inputs, maybe_sample), state


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """Feeds the embedding of an id drawn from the outputs.

    Args:
        embedding, start_tokens, end_token: see GreedyEmbeddingHelper.
        softmax_temperature: divisor of the outputs; None for 1.
        seed: of the draws.
    """

    def __init__(self, embedding, start_tokens, end_token, softmax_temperature=None, seed=None):
        super().__init__(embedding, start_tokens, end_token)
        self._softmax_temperature, self._seed = softmax_temperature, seed

    def sample(self, time, outputs, state, name=None):
        del time, state
        if not tf.is_tensor(outputs):
            raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")
        logits = outputs if self._softmax_temperature is None else outputs / self._softmax_temperature
        return _categorical(logits, self._seed)
