"""What is measured: each section's data, initial weights and order of rows, the same bytes for every contestant.

The command makes a task once and writes it to a file, each process reads it there. This module needs numpy only, and
runs in Python 3.7: TensorFlow 1.15.5 and PyTorch need nothing of the package.
"""
from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, NamedTuple, Optional, Tuple

import numpy as np

N_STEPS = {1: 12, 2: 33, 3: 4, 4: 1000}  # of an epoch
EPOCHS_PER_LAP = {1: 1, 2: 10, 3: 1, 4: 1}  # section 2 prints, and so can be timed, every tenth epoch
LAPS_OF_WARM_UP = {1: 1, 2: 2, 3: 1, 4: 1}  # the first has one epoch, also in section 2
SPARE_ROWS = {1: 0, 2: 50, 3: 0, 4: 0}  # section 2's 5000 pictures are 33 batches of 150, and 50


class Task(NamedTuple):
    """What one process trains.

    | field    | meaning                                                                                             |
    |----------|-----------------------------------------------------------------------------------------------------|
    | number   | of the section                                                                                      |
    | settings | of the section's Settings, {name: value}: the preset `report`                                       |
    | arrays   | the data, each [n, ...]; the last is the target                                                     |
    | order    | int64[n], the rows of an epoch in their order; None in section 2, which takes them in turn          |
    | weights  | {TensorFlow 1 name: float32 array}, the initial values                                              |
    | n_steps  | an epoch                                                                                            |
    | n_laps   | that are timed, of epochs_per_lap epochs                                                            |
    | threads  | CPU threads of each contestant; 0 leaves the number to it                                           |
    """

    number: int
    settings: Dict[str, Any]
    arrays: Tuple[np.ndarray, ...]
    order: Optional[np.ndarray]
    weights: Dict[str, np.ndarray]
    n_steps: int
    n_laps: int
    threads: int

    @property
    def batch_size(self):
        return self.settings["batch_size"]

    @property
    def rows_per_epoch(self):
        return self.n_steps * self.batch_size

    @property
    def epochs_per_lap(self):
        return EPOCHS_PER_LAP[self.number]

    def turn(self):
        """A function of n: the n rows to train on next. Section 2's run on, the others' start anew each time."""
        position, n_rows = 0, len(self.arrays[0])

        def take(n):
            nonlocal position
            if self.order is not None:
                return self.order[:n]
            rows = np.arange(position, position + n) % n_rows
            position = (position + n) % n_rows
            return rows
        return take

    def loss(self, outputs):
        """Of the network's outputs for the first rows; section 4's are probabilities."""
        target = self.arrays[-1][:len(outputs)]
        if self.number == 4:
            return float(-np.mean(np.log(np.take_along_axis(outputs, target[..., None].astype(np.int64), axis=-1))))
        return float(np.mean(np.square(outputs - target, dtype=np.float64)))

    def sha256(self):
        """Of all that the task hands out."""
        parts = [*self.arrays, *(self.weights[name] for name in sorted(self.weights))]
        digest = hashlib.sha256()
        for part in parts if self.order is None else [*parts, self.order]:
            digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest()


def make(number, settings, *, n_laps=3, n_steps=None, times=1, threads=0):
    """The Task of a section.

    Args:
        number: of the section.
        settings: {name: value} of its Settings.
        n_laps: to time.
        n_steps: an epoch; None for N_STEPS.
        times: how many times as many rows (and steps).
        threads: CPU threads, 0 for the contestants' own choice.
    """
    n_steps = times * (n_steps or N_STEPS[number])
    n_rows = n_steps * settings["batch_size"] + times * SPARE_ROWS[number]
    random = np.random.RandomState(number)
    arrays = _data(number, settings, n_rows, random)
    order = None if number == 2 else random.permutation(n_rows).astype(np.int64)
    return Task(number, settings, arrays, order, _initial(number, settings, random), n_steps, n_laps, threads)


def _data(number, settings, n_rows, random):
    """Pictures with structure that a network can learn (a few patterns, mixed), and sequences as the report's."""
    def levels(n_pixels):
        mixed = random.normal(size=(n_rows, 5)).dot(random.normal(size=(5, n_pixels)))
        return np.clip(np.round(127 + 45 * mixed), 0, 255).astype(np.float32)

    if number == 1:
        return (levels(settings["n_input"]) / np.float32(255),)
    if number == 2:
        return (levels(settings["n_input"]),)
    if number == 3:
        clean = (levels(settings["side"] ** 2) / np.float32(255)).reshape(-1, settings["side"], settings["side"], 1)
        noise = random.uniform(size=clean.shape).astype(np.float32)
        return np.where(random.uniform(size=clean.shape) < settings["noise_strength"], noise, clean), clean
    x1 = random.randint(1, settings["cardinality"], (n_rows, settings["n_in"])).astype(np.int32)
    y = np.ascontiguousarray(x1[:, :settings["n_out"]][:, ::-1])
    return x1, np.concatenate([np.zeros_like(y[:, :1]), y[:, :-1]], axis=1), y


def kernel_shapes(number, settings):
    """{layer: shape of its kernel}, under TensorFlow 1's names."""
    def size(name):
        return settings[name]

    if number == 4:
        units, cardinality = size("n_units"), size("cardinality")
        lstm = (cardinality + units, 4 * units)
        return {"encoder/rnn/lstm_cell": lstm, "decoder/rnn/lstm_cell": lstm, "dense": (units, cardinality)}
    if number == 3:
        widths = [1, *map(size, ("n_filters_1", "n_filters_2", "n_filters_3", "n_filters_3", "n_filters_2",
                                 "n_filters_1")), 1]
        kind, shapes = "conv2d", [(3, 3, *pair) for pair in zip(widths, widths[1:])]
    else:
        hidden = [size(f"n_hidden_{k}") for k in (1, 2, 3)]
        middle = [size("n_latent"), *hidden[::-1]] if number == 1 else []
        widths = [size("n_input"), *hidden, *middle, size("n_input")]
        kind, shapes = "dense", list(zip(widths, widths[1:]))
    return {kind + (f"_{k}" if k else ""): shape for k, shape in enumerate(shapes)}


def _initial(number, settings, random):
    """Glorot uniform kernels, and biases of zeros."""
    weights = {}
    for layer, shape in kernel_shapes(number, settings).items():
        fields = int(np.prod(shape[:-2]))
        limit = np.sqrt(6 / (fields * (shape[-2] + shape[-1])))
        weights[layer + "/kernel"] = random.uniform(-limit, limit, shape).astype(np.float32)
        weights[layer + "/bias"] = np.zeros(shape[-1], np.float32)
    return weights


def products(number, settings):
    """The matrix products of one row's training step: [(times, k, n, k_back)], a layer after the other.

    Forward, `times` rows of k numbers times a kernel [k, n]; backward the kernel's gradient, as much again, and the
    gradient of k_back of the k numbers: 0 for the network's inputs, whose gradient nobody needs. A convolution is
    such a product at each pixel of its output, k being its 3 x 3 pixels' channels. An LSTM has one a time step, of its
    input beside its state; the encoder's first state is zeros.
    """
    shapes = kernel_shapes(number, settings)
    if number == 4:
        units, (k, n) = settings["n_units"], shapes["encoder/rnn/lstm_cell"]
        n_out = settings["n_out"]
        steps = [(1, k, n, units)] * (settings["n_in"] + n_out)
        return [(1, k, n, 0), *steps[1:], (n_out, *shapes["dense"], units)]
    if number == 3:
        side = settings["side"]
        half, quarter = -(-side // 2), -(-side // 4)  # pooled once, twice; a third time, then doubled three times
        eighth = -(-quarter // 2)
        sides = [side, half, quarter, eighth, 2 * eighth, 4 * eighth - 2, 2 * (4 * eighth - 2)]
        flat = [(side ** 2, 9 * shape[2], shape[3]) for side, shape in zip(sides, shapes.values())]
    else:
        flat = [(1, *shape) for shape in shapes.values()]
    return [(times, k, n, k if layer else 0) for layer, (times, k, n) in enumerate(flat)]


def flops_per_row(number, settings):
    """Floating point operations of the products, two a multiplication: what a row of an epoch costs in arithmetic."""
    return sum(2 * times * n * (2 * k + k_back) for times, k, n, k_back in products(number, settings))


def save(task, path):
    """Write a task to a file."""
    arrays = {f"arrays/{k}": array for k, array in enumerate(task.arrays)}
    arrays.update(("weights/" + name, array) for name, array in task.weights.items())
    if task.order is not None:
        arrays["order"] = task.order
    described = {name: getattr(task, name) for name in ("number", "settings", "n_steps", "n_laps", "threads")}
    np.savez(path, described=json.dumps(described), **arrays)


def load(path):
    """The task in a file that save() wrote."""
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    return Task(arrays=tuple(parts[name] for name in sorted(parts) if name.startswith("arrays/")),
                order=parts.get("order"),
                weights={name[len("weights/"):]: parts[name] for name in parts if name.startswith("weights/")},
                **json.loads(str(parts["described"])))
