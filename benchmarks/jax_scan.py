"""The same network as a JAX user would write it: plain jax.numpy, optax's Adam, an epoch's steps in one lax.scan.

One compiled call trains an epoch: weights and Adam's slots are donated, the data stays where JAX keeps it, and each
step gathers its rows. Images have their channels last. The LSTMs' inputs of all time steps go into one product, and
their recurrent parts are unrolled.
"""
from __future__ import annotations

import os

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from benchmarks.tasks import Task


def dense(x, weights, name):
    return x @ weights[name + "/kernel"] + weights[name + "/bias"]


def autoencoder(number, weights, x):
    """The networks of sections 1 and 2: the kernels in their order, named as in a checkpoint of TensorFlow 1."""
    hidden = jax.nn.relu if number == 1 else jax.nn.elu
    names = sorted((name[:-len("/kernel")] for name in weights if name.endswith("/kernel")),
                   key=lambda name: int((name + "_0").split("_")[1]))
    for k, name in enumerate(names):
        x = dense(x, weights, name)
        if k < len(names) - 1:
            x = jax.nn.sigmoid(x) if (number, k) == (1, 3) else hidden(x)
    return x


def denoiser(weights, x):
    """The network of section 3, on images [n, height, width, channels]."""
    for k in range(7):
        name = f"conv2d_{k}" if k else "conv2d"
        x = lax.conv_general_dilated(x, weights[name + "/kernel"], (1, 1), "VALID" if k == 5 else "SAME",
                                     dimension_numbers=("NHWC", "HWIO", "NHWC")) + weights[name + "/bias"]
        if k < 6:
            x = jax.nn.relu(x)
            if k < 3:
                x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")
            else:
                x = jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)
    return x


def lstm(weights, name, x, state):
    """Run an LSTM over one-hot vectors x [time, batch, n_in]; return (every h [time, batch, units], (h, c))."""
    kernel, bias = weights[name + "/rnn/lstm_cell/kernel"], weights[name + "/rnn/lstm_cell/bias"]
    n_in = x.shape[-1]
    projected = x @ kernel[:n_in] + bias

    def step(state, x_t):
        h, c = state
        i, j, f, o = jnp.split(x_t + h @ kernel[n_in:], 4, axis=1)
        c = jax.nn.sigmoid(f + 1) * c + jax.nn.sigmoid(i) * jnp.tanh(j)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h
    state, outputs = lax.scan(step, state, projected, unroll=True)
    return outputs, state


def sequences(weights, x1, x2):
    """The network of section 4, on one-hot vectors [batch, time, n]; returns logits [batch, n_out, cardinality]."""
    zeros = jnp.zeros((len(x1), weights["dense/kernel"].shape[0]))
    _, state = lstm(weights, "encoder", jnp.swapaxes(x1, 0, 1), (zeros, zeros))
    outputs, _ = lstm(weights, "decoder", jnp.swapaxes(x2, 0, 1), state)
    return jnp.swapaxes(dense(outputs, weights, "dense"), 0, 1)


class Implementation:
    """A section's network and its Adam.

    Args:
        task: Task.
        scanned: True trains an epoch in one call, by lax.scan; False calls one compiled step after the other.
    """

    def __init__(self, task: Task, scanned=True):
        if task.threads:  # JAX makes as many threads as the process may use cores, at its first computation
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:task.threads])
        self.task, self.next_rows, self.scanned = task, task.make_next_rows(), scanned
        self.weights = {name: jnp.asarray(array) for name, array in task.weights.items()}
        self.adam = optax.adam(task.settings["learning_rate"], eps=1e-8)
        self.slots = self.adam.init(self.weights)
        arrays = task.arrays
        if task.number == 4:
            cardinality = task.settings["cardinality"]
            arrays = [jax.nn.one_hot(array, cardinality) for array in arrays[:2]] + [arrays[2]]
        self.data = [jnp.asarray(array) for array in arrays]
        self.step = jax.jit(self._step, donate_argnums=(0, 1))
        self.epoch = jax.jit(self._epoch, donate_argnums=(0, 1))
        self.compute_loss = jax.jit(self._loss)

    def _outputs(self, weights, batch):
        number = self.task.number
        if number == 4:
            return sequences(weights, *batch[:2])
        return denoiser(weights, batch[0]) if number == 3 else autoencoder(number, weights, batch[0])

    def _loss(self, weights, data, rows):
        batch = [array[rows] for array in data]
        outputs = self._outputs(weights, batch)
        if self.task.number == 4:
            return optax.softmax_cross_entropy_with_integer_labels(outputs, batch[2]).mean()
        return jnp.mean(jnp.square(outputs - batch[-1]))

    def _step(self, weights, slots, data, rows):
        loss, gradients = jax.value_and_grad(self._loss)(weights, data, rows)
        updates, slots = self.adam.update(gradients, slots)
        return optax.apply_updates(weights, updates), slots, loss

    def _epoch(self, weights, slots, data, rows):
        def body(state, rows):
            *state, loss = self._step(*state, data, rows)
            return tuple(state), loss
        (weights, slots), losses = lax.scan(body, (weights, slots), rows)
        return weights, slots, losses

    def fit(self, n_rows, n_epochs, on_lap):
        size, report = self.task.batch_size, self.task.number == 2
        for epoch in range(n_epochs):
            rows = jnp.asarray(self.next_rows(n_rows).reshape(-1, size).astype(np.int32))
            if self.scanned:
                self.weights, self.slots, losses = self.epoch(self.weights, self.slots, self.data, rows)
            else:
                losses = 0
                for batch in rows:
                    self.weights, self.slots, loss = self.step(self.weights, self.slots, self.data, batch)
                    losses += loss
            if report:  # one batch's loss, after every tenth epoch
                if epoch % self.task.epochs_per_lap:
                    continue
                losses = self.compute_loss(self.weights, self.data, jnp.asarray(self.next_rows(size)))
            jax.block_until_ready((losses, self.weights))
            on_lap()

    def predict(self, n):
        outputs = self._outputs(self.weights, [array[:n] for array in self.data])
        return np.asarray(jax.nn.softmax(outputs) if self.task.number == 4 else outputs)

    def about(self):
        return {"JAX": jax.__version__, "optax": optax.__version__, "threads": len(os.sched_getaffinity(0))}
