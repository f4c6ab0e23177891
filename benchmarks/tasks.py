"""The task of a benchmark: data, initial weights and order of rows of a section, the same for every implementation.

benchmarks.run makes a task once and writes it to a file; each measured process reads this file. This module needs
numpy only and runs under Python 3.7, because TensorFlow 1.15.5 and PyTorch have environments of their own.
"""
from __future__ import annotations

import hashlib
import json
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

N_STEPS = {1: 12, 2: 33, 3: 4, 4: 1000}  # per epoch
EPOCHS_PER_LAP = {1: 1, 2: 10, 3: 1, 4: 1}  # section 2 prints every tenth epoch, and can only be timed when it prints
WARM_UP_LAPS = {1: 1, 2: 2, 3: 1, 4: 1}  # the first lap is one epoch, in section 2 too
ADAM_EPSILON = 1e-8  # in every implementation; sections 3 and 4 of the report have 1e-7
SPARE_ROWS = {1: 0, 2: 50, 3: 0, 4: 0}  # section 2's 5000 images are 33 batches of 150, and 50 more


class Task(NamedTuple):
    """The training that one process is measured on.

    | field    | meaning                                                                                             |
    |----------|-----------------------------------------------------------------------------------------------------|
    | number   | number of the section                                                                               |
    | settings | {name: value} of the section's Settings, of the preset `report`                                     |
    | arrays   | the data, each [n, ...]; the last array is the target                                               |
    | order    | int64[n], the order of an epoch's rows; None in section 2, whose rows are repeated in their order   |
    | weights  | {TensorFlow 1 variable name: float32 array}, the initial values                                     |
    | n_steps  | steps per epoch                                                                                     |
    | n_laps   | number of timed laps, each of epochs_per_lap epochs                                                 |
    | threads  | CPU threads of the implementation; 0 leaves the number to it                                        |
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
    def batch_size(self) -> int:
        return self.settings["batch_size"]

    @property
    def rows_per_epoch(self) -> int:
        return self.n_steps * self.batch_size

    @property
    def epochs_per_lap(self) -> int:
        return EPOCHS_PER_LAP[self.number]

    def make_next_rows(self) -> Callable[[int], np.ndarray]:
        """Return a function of n that returns the n rows to train on next.

        Section 2's rows continue where the previous call ended. In the other sections each call starts the order again.
        """
        position, n_rows = 0, len(self.arrays[0])

        def next_rows(n: int) -> np.ndarray:
            nonlocal position
            if self.order is not None:
                return self.order[:n]
            rows = np.arange(position, position + n) % n_rows
            position = (position + n) % n_rows
            return rows
        return next_rows

    def loss(self, outputs: np.ndarray) -> float:
        """Return the loss of a network's outputs for the first rows; section 4's outputs are probabilities."""
        targets = self.arrays[-1][:len(outputs)]
        if self.number == 4:
            return float(-np.mean(np.log(np.take_along_axis(outputs, targets[..., None].astype(np.int64), axis=-1))))
        return float(np.mean(np.square(outputs - targets, dtype=np.float64)))

    def sha256(self) -> str:
        """Return the checksum of the task's data, weights and order."""
        arrays = [*self.arrays, *(self.weights[name] for name in sorted(self.weights))]
        digest = hashlib.sha256()
        for array in arrays if self.order is None else [*arrays, self.order]:
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def make_task(number: int, settings: Dict[str, Any], *, n_laps: int = 3, n_steps: Optional[int] = None,
              multiple: int = 1, threads: int = 0) -> Task:
    """Return the Task of a section.

    Args:
        number: number of the section.
        settings: {name: value} of its Settings.
        n_laps: number of timed laps.
        n_steps: steps per epoch; None for N_STEPS.
        multiple: multiplies the number of rows and of steps.
        threads: CPU threads, 0 for the implementation's own choice.
    """
    if "adam_epsilon" in settings:
        settings = {**settings, "adam_epsilon": ADAM_EPSILON}
    n_steps = multiple * (n_steps or N_STEPS[number])
    n_rows = n_steps * settings["batch_size"] + multiple * SPARE_ROWS[number]
    random = np.random.RandomState(number)
    arrays = _make_arrays(number, settings, n_rows, random)
    order = None if number == 2 else random.permutation(n_rows).astype(np.int64)
    return Task(number, settings, arrays, order, _initial_weights(number, settings, random), n_steps, n_laps, threads)


def _make_arrays(number: int, settings: Dict[str, Any], n_rows: int,
                 random: np.random.RandomState) -> Tuple[np.ndarray, ...]:
    """Draw images with structure that a network can learn, or sequences like the report's."""
    def grey_levels(n_pixels: int) -> np.ndarray:
        """Mix a few patterns into float32[n_rows, n_pixels] of whole numbers 0..255."""
        mixed = random.normal(size=(n_rows, 5)).dot(random.normal(size=(5, n_pixels)))
        return np.clip(np.round(127 + 45 * mixed), 0, 255).astype(np.float32)

    if number == 1:
        return (grey_levels(settings["n_input"]) / np.float32(255),)
    if number == 2:
        return (grey_levels(settings["n_input"]),)
    if number == 3:
        side = settings["side"]
        clean = (grey_levels(side ** 2) / np.float32(255)).reshape(-1, side, side, 1)
        noise = random.uniform(size=clean.shape).astype(np.float32)
        return np.where(random.uniform(size=clean.shape) < settings["noise_strength"], noise, clean), clean
    x1 = random.randint(1, settings["cardinality"], (n_rows, settings["n_in"])).astype(np.int32)
    y = np.ascontiguousarray(x1[:, :settings["n_out"]][:, ::-1])
    return x1, np.concatenate([np.zeros_like(y[:, :1]), y[:, :-1]], axis=1), y


def kernel_shapes(number: int, settings: Dict[str, Any]) -> Dict[str, Tuple[int, ...]]:
    """Return {layer: shape of its kernel}, under TensorFlow 1's names."""
    if number == 4:
        units, cardinality = settings["n_units"], settings["cardinality"]
        lstm = (cardinality + units, 4 * units)
        return {"encoder/rnn/lstm_cell": lstm, "decoder/rnn/lstm_cell": lstm, "dense": (units, cardinality)}
    if number == 3:
        filters = [settings[f"n_filters_{k}"] for k in (1, 2, 3)]
        widths = [1, *filters, *filters[::-1], 1]
        kind, shapes = "conv2d", [(3, 3, *pair) for pair in zip(widths, widths[1:])]
    else:
        hidden = [settings[f"n_hidden_{k}"] for k in (1, 2, 3)]
        decoder = [settings["n_latent"], *hidden[::-1]] if number == 1 else []
        widths = [settings["n_input"], *hidden, *decoder, settings["n_input"]]
        kind, shapes = "dense", list(zip(widths, widths[1:]))
    return {kind + (f"_{k}" if k else ""): shape for k, shape in enumerate(shapes)}


def _initial_weights(number: int, settings: Dict[str, Any], random: np.random.RandomState) -> Dict[str, np.ndarray]:
    """Draw Glorot uniform kernels, and make biases of zeros."""
    weights = {}
    for layer, shape in kernel_shapes(number, settings).items():
        n_pixels = int(np.prod(shape[:-2]))  # of a convolution's kernel; 1 for a dense layer
        limit = np.sqrt(6 / (n_pixels * (shape[-2] + shape[-1])))
        weights[layer + "/kernel"] = random.uniform(-limit, limit, shape).astype(np.float32)
        weights[layer + "/bias"] = np.zeros(shape[-1], np.float32)
    return weights


def matrix_products(number: int, settings: Dict[str, Any]) -> List[Tuple[int, int, int, int]]:
    """Return the matrix products of one row's training step: [(n_rows, k, n, k_back)], layer by layer.

    The forward pass multiplies n_rows rows of k numbers by a kernel [k, n]. The backward pass computes the kernel's
    gradient, which costs as much, and the gradient of k_back of the k numbers; k_back is 0 for the network's inputs,
    whose gradient is not needed. A convolution is such a product at each pixel of its output, where k counts the
    channels of 3 x 3 pixels. An LSTM has one product per time step, of its input and its state side by side; the
    encoder's first state is zeros.
    """
    shapes = kernel_shapes(number, settings)
    if number == 4:
        units, (k, n) = settings["n_units"], shapes["encoder/rnn/lstm_cell"]
        n_out = settings["n_out"]
        steps = [(1, k, n, units)] * (settings["n_in"] + n_out)
        return [(1, k, n, 0), *steps[1:], (n_out, *shapes["dense"], units)]
    if number == 3:
        side = settings["side"]
        half, quarter = -(-side // 2), -(-side // 4)  # pooled once and twice; a third time; then doubled three times
        eighth = -(-quarter // 2)
        sides = [side, half, quarter, eighth, 2 * eighth, 4 * eighth - 2, 2 * (4 * eighth - 2)]
        products = [(side ** 2, 9 * shape[2], shape[3]) for side, shape in zip(sides, shapes.values())]
    else:
        products = [(1, *shape) for shape in shapes.values()]
    return [(n_rows, k, n, k if layer else 0) for layer, (n_rows, k, n) in enumerate(products)]


def flops_per_row(number: int, settings: Dict[str, Any]) -> int:
    """Return the floating point operations of a row's matrix products; a multiplication counts as two operations."""
    return sum(2 * n_rows * n * (2 * k + k_back) for n_rows, k, n, k_back in matrix_products(number, settings))


def save_task(task: Task, path: Any) -> None:
    """Write a task to an .npz file."""
    arrays = {f"arrays/{k}": array for k, array in enumerate(task.arrays)}
    arrays.update(("weights/" + name, array) for name, array in task.weights.items())
    if task.order is not None:
        arrays["order"] = task.order
    properties = {name: getattr(task, name) for name in ("number", "settings", "n_steps", "n_laps", "threads")}
    np.savez(path, properties=json.dumps(properties), **arrays)


def load_task(path: Any) -> Task:
    """Read a task from a file that save_task wrote."""
    with np.load(path) as file:
        stored = {name: file[name] for name in file.files}
    return Task(arrays=tuple(stored[name] for name in sorted(stored) if name.startswith("arrays/")),
                order=stored.get("order"),
                weights={name[len("weights/"):]: stored[name] for name in stored if name.startswith("weights/")},
                **json.loads(str(stored["properties"])))
