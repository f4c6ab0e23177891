"""LSTMs with layer normalization."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib import layers as _layers
from tf1_autoencoders.tensorflow1.contrib.rnn.common import (
    LSTMStateTuple,
    RNNCell,
    _width,
)


class _NormalizedCell(RNNCell):
    """What LSTMs with layer normalization have in common."""

    _norm_gain: float
    _norm_shift: float

    def _norm(self, tensor, name):
        """Return the tensor after layer normalization, with variables `gamma` and `beta` of the scope `name`."""
        with tf.variable_scope(name):
            for parameter, value in (("gamma", self._norm_gain), ("beta", self._norm_shift)):
                tf.get_variable(parameter, shape=tensor.shape[-1:], initializer=tf.constant_initializer(value),
                                dtype=tensor.dtype)
        return _layers.layer_norm(tensor, reuse=True, scope=name)


class LayerNormBasicLSTMCell(_NormalizedCell):
    """LSTM with layer normalization and dropout of the new values.

    Args:
        num_units: int.
        forget_bias: float.
        input_size: not used, as in 1.15.
        layer_norm: whether gates and state are normalized; without, there is a `bias`.
        norm_gain, norm_shift: initial `gamma` and `beta`.
        dropout_keep_prob: float, or float[] tensor; below 1.0 the new values are dropped out.
        dropout_prob_seed: the operation's seed.

    Source: arXiv:1607.06450 and 1603.05118.
    """

    def __init__(self, num_units, forget_bias=1.0, input_size=None, activation=tf.tanh, layer_norm=True, norm_gain=1.0,
                 norm_shift=0.0, dropout_keep_prob=1.0, dropout_prob_seed=None, reuse=None):
        super().__init__(_reuse=reuse)
        self._num_units, self._forget_bias, self._activation = num_units, forget_bias, activation
        self._keep_prob, self._seed, self._layer_norm = dropout_keep_prob, dropout_prob_seed, layer_norm
        self._norm_gain, self._norm_shift = norm_gain, norm_shift

    @property
    def state_size(self):
        return LSTMStateTuple(self._num_units, self._num_units)

    @property
    def output_size(self):
        return self._num_units

    def call(self, inputs, state):
        c, h = state
        args = tf.concat([inputs, h], 1)
        kernel = tf.get_variable("kernel", [_width(args), 4 * self._num_units], dtype=args.dtype)
        gates = tf.matmul(args, kernel)
        if not self._layer_norm:
            gates = tf.nn.bias_add(gates, tf.get_variable("bias", [4 * self._num_units], dtype=args.dtype))
        i, j, f, o = tf.split(gates, 4, 1)
        if self._layer_norm:
            i, j, f, o = (self._norm(gate, name) for gate, name in
                          ((i, "input"), (j, "transform"), (f, "forget"), (o, "output")))
        g = self._activation(j)
        if not isinstance(self._keep_prob, float) or self._keep_prob < 1:
            g = tf.nn.dropout(g, self._keep_prob, seed=self._seed)
        new_c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * g
        if self._layer_norm:
            new_c = self._norm(new_c, "state")
        new_h = self._activation(new_c) * tf.sigmoid(o)
        return new_h, LSTMStateTuple(new_c, new_h)


class CoupledInputForgetGateLSTMCell(_NormalizedCell):
    """LSTM whose input gate is 1 - forget gate.

    Args:
        num_units: int.
        use_peepholes: whether the gates see the state.
        initializer: of the weights; None for the scope's.
        num_proj: size of the outputs; None for num_units and no projection.
        proj_clip: outputs are clipped to +-proj_clip.
        num_unit_shards, num_proj_shards: into how many variables the weights are divided.
        state_is_tuple: whether the state is LSTMStateTuple, or [batch, c and h joined].
        layer_norm, norm_gain, norm_shift: see LayerNormBasicLSTMCell.

    Source: arXiv:1503.04069.
    """

    def __init__(self, num_units, use_peepholes=False, initializer=None, num_proj=None, proj_clip=None,
                 num_unit_shards=1, num_proj_shards=1, forget_bias=1.0, state_is_tuple=True, activation=tf.tanh,
                 reuse=None, layer_norm=False, norm_gain=1.0, norm_shift=0.0):
        super().__init__(_reuse=reuse)
        self._num_units, self._use_peepholes, self._initializer = num_units, use_peepholes, initializer
        self._num_proj, self._proj_clip, self._state_is_tuple = num_proj, proj_clip, state_is_tuple
        self._shards, self._forget_bias, self._activation = (num_unit_shards, num_proj_shards), forget_bias, activation
        self._layer_norm, self._norm_gain, self._norm_shift = layer_norm, norm_gain, norm_shift

    @property
    def state_size(self):
        sizes = self._num_units, self.output_size
        return LSTMStateTuple(*sizes) if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self):
        return self._num_units if self._num_proj is None else self._num_proj

    def _variable(self, name, shape, dtype, initializer=None):
        return tf.get_variable(name, list(shape), initializer=initializer or self._initializer, dtype=dtype)

    def _sharded(self, name, shape, dtype, n):
        """Return a weight that is divided along its rows into n variables `<name>_0`, `<name>_1`, ..."""
        sizes = [shape[0] // n + (k < shape[0] % n) for k in range(n)]
        parts = [self._variable(f"{name}_{k}", [size, shape[1]], dtype) for k, size in enumerate(sizes)]
        return parts[0] if n == 1 else tf.concat(parts, 0)

    def call(self, inputs, state):
        units, n_out, dtype = self._num_units, self.output_size, inputs.dtype
        if self._state_is_tuple:
            c_prev, m_prev = state
        else:
            c_prev, m_prev = tf.slice(state, [0, 0], [-1, units]), tf.slice(state, [0, units], [-1, n_out])
        weights = self._sharded("W", [_width(inputs) + n_out, 3 * units], dtype, self._shards[0])
        bias = self._variable("B", [3 * units], dtype, tf.zeros_initializer())
        gates = tf.matmul(tf.concat([inputs, m_prev], 1), weights)
        if not self._layer_norm:
            gates = tf.nn.bias_add(gates, bias)
        j, f, o = tf.split(gates, 3, 1)
        if self._layer_norm:
            j, f, o = (self._norm(gate, name) for gate, name in ((j, "transform"), (f, "forget"), (o, "output")))
        if self._use_peepholes:
            w_f, w_o = (self._variable(f"W_{gate}_diag", [units], dtype) for gate in "FO")
            forget = tf.sigmoid(f + self._forget_bias + w_f * c_prev)
        else:
            forget = tf.sigmoid(f + self._forget_bias)
        c = forget * c_prev + (1 - forget) * self._activation(j)
        if self._layer_norm:
            c = self._norm(c, "state")
        m = tf.sigmoid(o + w_o * c if self._use_peepholes else o) * self._activation(c)
        if self._num_proj is not None:
            m = tf.matmul(m, self._sharded("W_P", [units, self._num_proj], dtype, self._shards[1]))
            if self._proj_clip is not None:
                m = tf.clip_by_value(m, -self._proj_clip, self._proj_clip)
        return m, LSTMStateTuple(c, m) if self._state_is_tuple else tf.concat([c, m], 1)
