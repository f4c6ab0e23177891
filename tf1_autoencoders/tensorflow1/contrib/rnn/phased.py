"""The LSTM with phases."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.rnn.common import (
    LSTMStateTuple,
    RNNCell,
    _Linear,
)


class PhasedLSTMCell(RNNCell):
    """LSTM that updates its state in phases of its own; inputs are (times float[batch, 1], float[batch, inputs]).

    Args:
        num_units: int.
        use_peepholes: whether the gates see the state.
        leak: how much of an update passes while a unit is closed.
        ratio_on: part of the period in which a unit is open.
        trainable_ratio_on: whether that part is trained.
        period_init_min, period_init_max: the initial periods are distributed exponentially between them.

    Source: arXiv:1610.09513.
    """

    def __init__(self, num_units, use_peepholes=False, leak=0.001, ratio_on=0.1, trainable_ratio_on=True,
                 period_init_min=1.0, period_init_max=1000.0, reuse=None):
        super().__init__(_reuse=reuse)
        self._num_units, self._use_peepholes, self._leak, self._ratio_on = num_units, use_peepholes, leak, ratio_on
        self._trainable_ratio_on, self._periods = trainable_ratio_on, (period_init_min, period_init_max)
        self._maps: dict = {}

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        return self._num_units

    def _mapped(self, name, args, size):
        with tf.variable_scope(name):
            if name not in self._maps:
                self._maps[name] = _Linear(args, size, True)
            return self._maps[name](args)

    def call(self, inputs, state):
        c_prev, h_prev = state
        time, x = inputs
        units, dtype = self._num_units, x.dtype
        peephole = [c_prev] if self._use_peepholes else []
        gates = tf.sigmoid(self._mapped("mask_gates", [x, h_prev, *peephole], 2 * units))
        input_gate, forget_gate = tf.split(axis=1, num_or_size_splits=2, value=gates)
        new_input = tf.tanh(self._mapped("new_input", [x, h_prev], units))
        new_c = c_prev * forget_gate + input_gate * new_input
        peephole = [new_c] if self._use_peepholes else []
        output_gate = tf.sigmoid(self._mapped("output_gate", [x, h_prev, *peephole], units))
        new_h = tf.tanh(new_c) * output_gate

        def periods(shape, dtype=dtype, partition_info=None):
            low, high = (tf.log(one) for one in self._periods)
            return tf.exp(tf.random_uniform(shape, low, high, dtype))

        period = tf.get_variable("period", [units], initializer=periods, dtype=dtype)
        phase = tf.get_variable("phase", [units], dtype=dtype,
                                initializer=tf.random_uniform_initializer(0.0, period.initial_value))
        ratio_on = tf.get_variable("ratio_on", [units], dtype=dtype, trainable=self._trainable_ratio_on,
                                   initializer=tf.constant_initializer(self._ratio_on))
        shifted = time - tf.cast(phase, time.dtype)
        period = tf.cast(period, time.dtype)
        # the remainder moves with the time: its gradient is that of the time itself
        remainder = shifted + tf.stop_gradient(tf.mod(shifted, period) - shifted)
        cycle = tf.cast(remainder / period, dtype)
        opening = 2 * cycle / ratio_on
        k = tf.where(tf.less(cycle, ratio_on), 2 - opening, self._leak * cycle)
        k = tf.where(tf.less(cycle, 0.5 * ratio_on), opening, k)
        new_c = k * new_c + (1 - k) * c_prev
        new_h = k * new_h + (1 - k) * h_prev
        return new_h, LSTMStateTuple(new_c, new_h)
