"""tf.contrib.rnn of TensorFlow 1.15: cells, wrappers of cells, and recurrent networks over lists of steps.

Source of every name: tf.contrib.rnn of TensorFlow 1.15.5; the papers stand in the docstrings. The cells that are also
in tf.nn.rnn_cell (BasicLSTMCell, LSTMCell, GRUCell, MultiRNNCell, DropoutWrapper, ...) are those of tf_keras.

A cell is called as cell(inputs, state) and returns (output, new state). Inputs are float[batch, inputs], outputs and
states float[batch, units], unless a docstring says otherwise; the state of an LSTM is LSTMStateTuple(c, h). `reuse`
says whether the variables exist already, `name` names the scope (None: the class's name in small letters),
`activation` is a function (None: tanh), `forget_bias` is added to the forget gate. Variables have 1.15's names,
`kernel` and `bias`.
"""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.rnn.bidirectional import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.rnn.common import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.rnn.common import _Linear, _linear  # noqa: F401  # of core_rnn_cell
from tf1_autoencoders.tensorflow1.contrib.rnn.convolutional import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.rnn.fused import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.rnn.gated import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.rnn.independent import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.rnn.normalized import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.rnn.phased import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.rnn.wrappers import *  # noqa: F401, F403

static_rnn = tf.nn.static_rnn
static_state_saving_rnn = tf.nn.static_state_saving_rnn
static_bidirectional_rnn = tf.nn.static_bidirectional_rnn

_INNER = ("ops", "core_rnn", "core_rnn_cell", "core_rnn_cell_impl", "rnn", "rnn_cell", "lstm_ops", "gru_ops",
          "fused_rnn_cell")
_GRID = "write the cell with tf.nn.rnn_cell.LSTMCell over slices of the inputs"
_REFUSED = {"TimeFreqLSTMCell": _GRID, "GridLSTMCell": _GRID, "BidirectionalGridLSTMCell": _GRID,
            "CompiledWrapper": "it compiled a cell with XLA of its time; tf.config.optimizer.set_jit does the same"}
__getattr__ = _contrib.explain_missing(__name__, _INNER, _REFUSED)
