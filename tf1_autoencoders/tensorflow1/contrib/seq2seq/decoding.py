"""Decoders, and dynamic_decode, the loop that runs one until its sequences are finished."""
from __future__ import annotations

import collections

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.rnn.common import transpose_batch_time


class BasicDecoderOutput(collections.namedtuple("BasicDecoderOutput", ("rnn_output", "sample_id"))):
    """A decoder's output: what the cell (or the layer after it) gave, and the ids of the helper."""


class Decoder:
    """What dynamic_decode runs.

    initialize() returns (finished bool[batch], first inputs, initial state); step(time, inputs, state) returns
    (outputs, next state, next inputs, finished).
    """

    @property
    def batch_size(self):
        """The batch size, int32[]."""
        raise NotImplementedError

    @property
    def output_size(self):
        """The (nest of) sizes of an output."""
        raise NotImplementedError

    @property
    def output_dtype(self):
        """The (nest of) types of an output."""
        raise NotImplementedError

    def initialize(self, name=None):
        """Return (finished, first inputs, initial state)."""
        raise NotImplementedError

    def step(self, time, inputs, state, name=None):
        """Return (outputs, next state, next inputs, finished)."""
        raise NotImplementedError

    def finalize(self, outputs, final_state, sequence_lengths):
        """Return (outputs, state) after the loop; outputs have the time first."""
        raise NotImplementedError

    @property
    def tracks_own_finished(self):
        """Whether a finished sequence can be unfinished later, as with beams."""
        return False


class BasicDecoder(Decoder):
    """A cell whose inputs come from a helper.

    Args:
        cell: RNNCell.
        helper: Helper.
        initial_state: state of the cell.
        output_layer: tf.layers.Layer for the outputs, such as Dense; None for none.

    Raises:
        TypeError: `output_layer` is no layer.
    """

    def __init__(self, cell, helper, initial_state, output_layer=None):
        if output_layer is not None and not hasattr(output_layer, "compute_output_shape"):
            raise TypeError(f"output_layer must be a Layer, received: {type(output_layer)}")
        self._cell, self._helper, self._initial_state, self._output_layer = cell, helper, initial_state, output_layer

    @property
    def batch_size(self):
        return self._helper.batch_size

    def _rnn_output_size(self):
        return size_after(self._output_layer, self._cell.output_size)

    @property
    def output_size(self):
        return BasicDecoderOutput(self._rnn_output_size(), self._helper.sample_ids_shape)

    @property
    def output_dtype(self):
        dtype = tf.nest.flatten(self._initial_state)[0].dtype
        return BasicDecoderOutput(tf.nest.map_structure(lambda _: dtype, self._rnn_output_size()),
                                  self._helper.sample_ids_dtype)

    def initialize(self, name=None):
        return (*self._helper.initialize(), self._initial_state)

    def step(self, time, inputs, state, name=None):
        with tf.name_scope(name, "BasicDecoderStep", (time, inputs, state)):
            outputs, state = self._cell(inputs, state)
            if self._output_layer is not None:
                outputs = self._output_layer(outputs)
            sample_ids = self._helper.sample(time=time, outputs=outputs, state=state)
            finished, inputs, state = self._helper.next_inputs(time=time, outputs=outputs, state=state,
                                                               sample_ids=sample_ids)
            return BasicDecoderOutput(outputs, sample_ids), state, inputs, finished


def size_after(layer, size):
    """Return the size of a cell's output after a layer, or without one (None)."""
    if layer is None:
        return size
    return tf.nest.map_structure(
        lambda one: tf.TensorShape(layer.compute_output_shape(tf.TensorShape([None]).concatenate(one)))[1:], size)


def _as_sizes(size):
    """Return an int, a shape or a tensor int32[] or int32[n] as int32[n]."""
    if tf.is_tensor(size):
        return tf.expand_dims(size, 0) if size.shape.ndims == 0 else size
    return tf.constant([size] if isinstance(size, int) else tf.TensorShape(size).as_list(), tf.int32)


def _zeros(size, batch_size, dtype):
    """Return zeros, dtype[batch_size, *size]; both sizes are ints, shapes or tensors.

    1.15 made the sizes twice, once for the static shape.
    """
    zeros = tf.zeros(tf.concat((_as_sizes(batch_size), _as_sizes(size)), 0), dtype=dtype)
    sizes = [_as_sizes(one) for one in (batch_size, size)]
    known = [tf.get_static_value(one) for one in sizes]
    zeros.set_shape([one for value, tensor in zip(known, sizes)
                     for one in ([None] * tensor.shape.as_list()[0] if value is None else value.tolist())])
    return zeros


def _array_of_outputs(size, dtype, batch_size):
    """Return a TensorArray for one output of each step."""
    known = tf.get_static_value(tf.convert_to_tensor(batch_size, name="batch_size"))
    return tf.TensorArray(dtype=dtype, size=0, dynamic_size=True,
                          element_shape=tf.TensorShape([known]).concatenate(size))


def _kept(finished, old, new):
    """Return the new value, the old one where a sequence is finished; arrays and scalars as they are."""
    if isinstance(old, tf.TensorArray) or old.shape.ndims == 0:
        return new
    new.set_shape(old.shape)
    return tf.where(finished, old, new)


def dynamic_decode(decoder, output_time_major=False, impute_finished=False, maximum_iterations=None,
                   parallel_iterations=32, swap_memory=False, scope=None, **kwargs):
    """Return (outputs, state, lengths int32[batch]) of a decoder, which runs until all sequences are finished.

    Args:
        decoder: Decoder.
        output_time_major: whether outputs are [time, batch, ...], or [batch, time, ...].
        impute_finished: whether a finished sequence has zeros as outputs and keeps its state.
        maximum_iterations: int or int32[]; None for no limit.
        parallel_iterations, swap_memory: as for tf.while_loop.
        scope: default `decoder`.

    Raises:
        TypeError: `decoder` is no Decoder.
        ValueError: `maximum_iterations` is no scalar.
    """
    if not isinstance(decoder, Decoder):
        raise TypeError(f"Expected decoder to be type Decoder, but saw: {type(decoder)}")
    with tf.variable_scope(scope, "decoder") as varscope:
        if varscope.caching_device is None:
            varscope.set_caching_device(lambda op: op.device)
        if maximum_iterations is not None:
            maximum_iterations = tf.convert_to_tensor(maximum_iterations, dtype=tf.int32, name="maximum_iterations")
            if maximum_iterations.shape.ndims != 0:
                raise ValueError("maximum_iterations must be a scalar")
        finished, inputs, state = decoder.initialize()
        sizes, dtypes = decoder.output_size, decoder.output_dtype
        zeros = tf.nest.map_structure(lambda size, dtype: _zeros(size, decoder.batch_size, dtype), sizes, dtypes)
        if maximum_iterations is not None:
            finished = tf.logical_or(finished, 0 >= maximum_iterations)
        lengths = tf.zeros_like(finished, dtype=tf.int32)
        time = tf.constant(0, dtype=tf.int32)
        arrays = tf.nest.map_structure(lambda size, dtype: _array_of_outputs(size, dtype, decoder.batch_size),
                                       sizes, dtypes)

        def body(time, arrays, state, inputs, finished, lengths):
            outputs, next_state, next_inputs, next_finished = decoder.step(time, inputs, state)
            if not decoder.tracks_own_finished:
                next_finished = tf.logical_or(next_finished, finished)
            next_lengths = tf.where(tf.logical_not(finished), tf.fill(tf.shape(lengths), time + 1), lengths)
            for one, other in ((state, next_state), (arrays, outputs), (inputs, next_inputs)):
                tf.nest.assert_same_structure(one, other)
            if impute_finished:
                outputs = tf.nest.map_structure(lambda out, zero: tf.where(finished, zero, out), outputs, zeros)
                next_state = tf.nest.map_structure(lambda new, old: _kept(finished, old, new), next_state, state)
            arrays = tf.nest.map_structure(lambda array, out: array.write(time, out), arrays, outputs)
            return time + 1, arrays, next_state, next_inputs, next_finished, next_lengths

        _, arrays, state, _, _, lengths = tf.while_loop(
            lambda time, arrays, state, inputs, finished, lengths: tf.logical_not(tf.reduce_all(finished)), body,
            loop_vars=(time, arrays, state, inputs, finished, lengths), parallel_iterations=parallel_iterations,
            maximum_iterations=maximum_iterations, swap_memory=swap_memory)
        outputs = tf.nest.map_structure(lambda array: array.stack(), arrays)
        try:
            outputs, state = decoder.finalize(outputs, state, lengths)
        except NotImplementedError:
            pass
        if not output_time_major:
            outputs = tf.nest.map_structure(transpose_batch_time, outputs)
        return outputs, state, lengths
