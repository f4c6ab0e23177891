"""Small programs that call tf.contrib; contrib_calls.py runs them under TensorFlow 1.15.5 and with the package.

A program takes a `Call`, which makes the placeholders with their values, and returns the output. Its name in CALLS has
a dot for two underscores.
"""
import importlib

import numpy as np

CALLS = {}


def call(function):
    """Register a program under its name, with spaces for underscores."""
    CALLS[function.__name__.replace("__", ".")] = function
    return function


class Call:
    """What a program may use: `tf`, and placeholders whose values are drawn by NumPy with a fixed seed."""

    def __init__(self, tf):
        self.tf, self.layers, self.feeds = tf, tf.contrib.layers, {}
        self.questions = {}  # {name: function of the session that gives an array}, asked after the training
        self._values = np.random.RandomState(7)

    def floats(self, *shape):
        """Return a float32 placeholder of this shape (its first dimension unknown) with normally distributed values."""
        placeholder = self.tf.placeholder(self.tf.float32, (None,) + shape[1:])
        self.feeds[placeholder] = self._values.standard_normal(shape).astype(np.float32)
        return placeholder

    def fixed(self, *shape):
        """Return a float32 placeholder whose shape is fully known."""
        placeholder = self.tf.placeholder(self.tf.float32, shape)
        self.feeds[placeholder] = self._values.standard_normal(shape).astype(np.float32)
        return placeholder

    def integers(self, high, *shape):
        """Return an int32 placeholder with values in [0, high)."""
        placeholder = self.tf.placeholder(self.tf.int32, (None,) + shape[1:])
        self.feeds[placeholder] = self._values.randint(0, high, shape).astype(np.int32)
        return placeholder

    def booleans(self, value):
        """Return a scalar bool placeholder with this value."""
        placeholder = self.tf.placeholder(self.tf.bool, ())
        self.feeds[placeholder] = value
        return placeholder

    def sequence(self, n_steps, batch, width):
        """Return n_steps tensors [batch, width], for static_rnn."""
        return self.tf.unstack(self.floats(batch, n_steps, width), n_steps, axis=1)

    def recurrent(self, cell, batch=3, n_steps=4, width=5):
        """Return the outputs and the final state of dynamic_rnn over a cell, joined in one row per example."""
        outputs, state = self.tf.nn.dynamic_rnn(cell, self.floats(batch, n_steps, width), dtype=self.tf.float32)
        return self.joined([outputs] + self.tf.nest.flatten(state))

    def network(self, name):
        """Return a module of slim.nets, which 1.15.5 imports under its full name only."""
        if hasattr(self.tf, "_seeds"):
            return getattr(self.tf.contrib.slim.nets, name)
        return importlib.import_module(f"tensorflow.contrib.slim.python.slim.nets.{name}")

    def mixed(self, tensor):
        """Return a dense layer of the tensor: without it, normalized values would have no gradient but rounding."""
        return self.layers.fully_connected(self.layers.flatten(tensor), 3, activation_fn=self.tf.nn.tanh)

    def joined(self, tensors):
        """Return the tensors, each reshaped to [batch, -1], side by side."""
        return self.tf.concat([self.tf.reshape(tensor, [self.tf.shape(tensor)[0], -1]) for tensor in tensors], 1)


for _name in ("layers", "framework", "rnn", "slim", "seq2seq", "legacy_seq2seq", "crf", "opt", "lookup",
              "image", "others", "data"):
    importlib.import_module(f"{__name__}.{_name}")
