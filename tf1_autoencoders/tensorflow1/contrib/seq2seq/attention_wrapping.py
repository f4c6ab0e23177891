"""AttentionWrapper: a cell that attends to one or several memories after each step."""
from __future__ import annotations

import collections

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.framework import with_same_shape
from tf1_autoencoders.tensorflow1.contrib.seq2seq.attention import AttentionMechanism
from tf1_autoencoders.tensorflow1.contrib.seq2seq.decoding import _zeros


class AttentionWrapperState(collections.namedtuple(
        "AttentionWrapperState",
        ("cell_state", "attention", "time", "alignments", "alignment_history", "attention_state"))):
    """The state of an AttentionWrapper.

    cell_state is the cell's, attention float[batch, size], time int32[] the number of the step, alignments float[batch,
    time], alignment_history a TensorArray of them or empty, attention_state the mechanism's. With several mechanisms,
    the last three are tuples.
    """

    def clone(self, **kwargs):
        """Return the state with other values for some of its parts; each must have the shape of the old one."""
        def checked(old, new):
            return with_same_shape(old, new) if tf.is_tensor(old) and tf.is_tensor(new) else new

        return tf.nest.map_structure(checked, self, super()._replace(**kwargs))


def _compute_attention(attention_mechanism, cell_output, attention_state, attention_layer):
    """Return (attention float[batch, size], alignments, next state) of a mechanism for a cell's output."""
    alignments, next_state = attention_mechanism(cell_output, state=attention_state)
    context = tf.squeeze(tf.matmul(tf.expand_dims(alignments, 1), attention_mechanism.values), [1])
    attention = context if attention_layer is None else attention_layer(tf.concat([cell_output, context], 1))
    return attention, alignments, next_state


def _is_list(value):
    return isinstance(value, (list, tuple))


class AttentionWrapper(tf.nn.rnn_cell.RNNCell):  # type: ignore[name-defined,misc]
    """A cell around a cell: it gets the inputs and the last attention, and its output queries the memory.

    Args:
        cell: RNNCell.
        attention_mechanism: mechanism, or a list of several.
        attention_layer_size: size of the attention, a layer of the cell's output and the context; None for the context
            itself. A list for several mechanisms.
        alignment_history: whether the alignments of all steps are kept.
        cell_input_fn: function of (inputs, attention); None joins them.
        output_attention: whether the output is the attention, or the cell's output.
        initial_cell_state: state of the cell that zero_state gives; None for zeros.
        attention_layer: layer, or a list of layers, in the place of attention_layer_size.
        attention_fn: function of (mechanism, cell output, mechanism's state, layer); None for the usual one.

    Raises:
        TypeError: a mechanism, cell_input_fn or layer of another kind.
        ValueError: lists of different lengths, or both attention_layer_size and attention_layer.
    """

    def __init__(self, cell, attention_mechanism, attention_layer_size=None, alignment_history=False,
                 cell_input_fn=None, output_attention=True, initial_cell_state=None, name=None, attention_layer=None,
                 attention_fn=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self._is_multi = _is_list(attention_mechanism)
        self._attention_mechanisms = tuple(attention_mechanism) if self._is_multi else (attention_mechanism,)
        for one in self._attention_mechanisms:
            if not isinstance(one, AttentionMechanism):
                raise TypeError(f"attention_mechanism must be an AttentionMechanism or a list of them, saw: {one!r}")
        if cell_input_fn is None:
            cell_input_fn = _joined
        if not callable(cell_input_fn):
            raise TypeError(f"cell_input_fn must be callable, saw type: {type(cell_input_fn).__name__}")
        if attention_layer_size is not None and attention_layer is not None:
            raise ValueError("Only one of attention_layer_size and attention_layer should be set")
        self._attention_fn = attention_fn or _compute_attention
        self._cell, self._cell_input_fn = cell, cell_input_fn
        self._attention_layers = self._layers_of(attention_layer_size, attention_layer, dtype)
        self._attention_layer_size = self._total_size(attention_layer_size)
        self._output_attention, self._alignment_history = output_attention, alignment_history
        with tf.name_scope(name, "AttentionWrapperInit"):
            self._initial_cell_state = None
            if initial_cell_state is not None:
                last = tf.nest.flatten(initial_cell_state)[-1]
                size = last.shape.as_list()[0]
                message = (f"When constructing AttentionWrapper {self.name}: Non-matching batch sizes between "
                           "the memory (encoder output) and initial_cell_state. Are you using the BeamSearchDecoder? "
                           "You may need to tile your initial state via the tf.contrib.seq2seq.tile_batch function "
                           "with argument multiple=beam_width.")
                with tf.control_dependencies(self._batch_size_checks(tf.shape(last)[0] if size is None else size,
                                                                     message)):
                    self._initial_cell_state = tf.nest.map_structure(
                        lambda one: tf.identity(one, name="check_initial_cell_state"), initial_cell_state)

    def _layers_of(self, sizes, layers, dtype):
        """Return a layer for each mechanism, or None."""
        given = layers if layers is not None else sizes
        if given is None:
            return None
        given = tuple(given) if _is_list(given) else (given,)
        if len(given) != len(self._attention_mechanisms):
            what = "attention_layer" if layers is not None else "attention_layer_size"
            raise ValueError(f"If provided, {what} must contain exactly one "
                             f"{'layer' if layers is not None else 'integer'} per attention_mechanism, saw: "
                             f"{len(given)} vs {len(self._attention_mechanisms)}")
        if layers is not None:
            return given
        return tuple(tf.layers.Dense(size, name="attention_layer", use_bias=False,
                                     dtype=mechanism.memory_layer.dtype if dtype is None and getattr(
                                         mechanism, "memory_layer", None) is not None else dtype)
                     for size, mechanism in zip(given, self._attention_mechanisms))

    def _total_size(self, sizes):
        """Return the size of the attention of all mechanisms."""
        if sizes is not None:
            return sum(sizes) if _is_list(sizes) else sizes
        widths = [mechanism.values.shape.as_list()[-1] for mechanism in self._attention_mechanisms]
        if self._attention_layers is None:
            return sum(widths)
        shapes = [tf.TensorShape([None, self._cell.output_size + width]) for width in widths]
        return sum(tf.TensorShape(layer.compute_output_shape(shape)).as_list()[-1]
                   for layer, shape in zip(self._attention_layers, shapes))

    def _batch_size_checks(self, batch_size, error_message):
        """Return the operations that compare a batch size with those of the memories."""
        return [tf.assert_equal(batch_size, mechanism.batch_size, message=error_message)
                for mechanism in self._attention_mechanisms]

    def _item_or_tuple(self, seq):
        """Return the elements as a tuple, or the only one itself where there is one mechanism."""
        values = tuple(seq)
        return values if self._is_multi else values[0]

    @property
    def output_size(self):
        return self._attention_layer_size if self._output_attention else self._cell.output_size

    @property
    def state_size(self):
        return AttentionWrapperState(
            cell_state=self._cell.state_size, time=tf.TensorShape([]), attention=self._attention_layer_size,
            alignments=self._item_or_tuple(one.alignments_size for one in self._attention_mechanisms),
            attention_state=self._item_or_tuple(one.state_size for one in self._attention_mechanisms),
            alignment_history=self._item_or_tuple(one.alignments_size if self._alignment_history else ()
                                                  for one in self._attention_mechanisms))

    def zero_state(self, batch_size, dtype):
        """Return the state before the first step; its cell state is zeros, or the initial_cell_state."""
        with tf.name_scope(type(self).__name__ + "ZeroState", values=[batch_size]):
            cell_state = self._initial_cell_state
            if cell_state is None:
                cell_state = self._cell.zero_state(batch_size, dtype)
            message = (f"When calling zero_state of AttentionWrapper {self.name}: Non-matching batch sizes "
                       "between the memory (encoder output) and the requested batch size. Are you using the "
                       "BeamSearchDecoder? If so, make sure your encoder output has been tiled to beam_width via "
                       "tf.contrib.seq2seq.tile_batch, and the batch_size= argument passed to zero_state is "
                       "batch_size * beam_width.")
            with tf.control_dependencies(self._batch_size_checks(batch_size, message)):
                cell_state = tf.nest.map_structure(lambda one: tf.identity(one, name="checked_cell_state"), cell_state)
            alignments = [one.initial_alignments(batch_size, dtype) for one in self._attention_mechanisms]
            return AttentionWrapperState(
                cell_state=cell_state, time=tf.zeros([], dtype=tf.int32),
                attention=_zeros(self._attention_layer_size, batch_size, dtype),
                alignments=self._item_or_tuple(alignments),
                attention_state=self._item_or_tuple(one.initial_state(batch_size, dtype)
                                                    for one in self._attention_mechanisms),
                alignment_history=self._item_or_tuple(
                    tf.TensorArray(dtype, size=0, dynamic_size=True, element_shape=one.shape)
                    if self._alignment_history else () for one in alignments))

    def call(self, inputs, state):
        """Return (output, next state) of a step.

        Raises:
            TypeError: the state is no AttentionWrapperState.
        """
        if not isinstance(state, AttentionWrapperState):
            raise TypeError(f"Expected state to be instance of AttentionWrapperState. Received type {type(state)} "
                            "instead.")
        cell_output, cell_state = self._cell(self._cell_input_fn(inputs, state.attention), state.cell_state)
        size = cell_output.shape.as_list()[0]
        message = (f"When applying AttentionWrapper {self.name}: Non-matching batch sizes between the memory (encoder "
                   "output) and the query (decoder output). Are you using the BeamSearchDecoder? You may need to tile "
                   "your memory input via the tf.contrib.seq2seq.tile_batch function with argument "
                   "multiple=beam_width.")
        with tf.control_dependencies(self._batch_size_checks(tf.shape(cell_output)[0] if size is None else size,
                                                             message)):
            cell_output = tf.identity(cell_output, name="checked_cell_output")
        states, histories = state.attention_state, state.alignment_history
        if not self._is_multi:
            states, histories = [states], [histories]
        attentions, alignments, next_states, next_histories = [], [], [], []
        for k, mechanism in enumerate(self._attention_mechanisms):
            attention, aligned, next_state = self._attention_fn(
                mechanism, cell_output, states[k], self._attention_layers[k] if self._attention_layers else None)
            next_histories.append(histories[k].write(state.time, aligned) if self._alignment_history else ())
            attentions.append(attention)
            alignments.append(aligned)
            next_states.append(next_state)
        attention = tf.concat(attentions, 1)
        next_state = AttentionWrapperState(
            time=state.time + 1, cell_state=cell_state, attention=attention,
            attention_state=self._item_or_tuple(next_states), alignments=self._item_or_tuple(alignments),
            alignment_history=self._item_or_tuple(next_histories))
        return attention if self._output_attention else cell_output, next_state


def _joined(inputs, attention):
    return tf.concat([inputs, attention], -1)
