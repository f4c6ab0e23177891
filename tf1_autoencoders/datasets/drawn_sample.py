"""The drawn sample: stand-ins for CIFAR-10 and Fashion-MNIST, drawn with numpy alone.

The program uses these images when it has neither a data set nor a network. They have the shapes, counts and rough
statistics of the real images, but are not real: every result made from them is labelled "drawn sample". What is drawn
stands in strokes.py.

The images of a chunk are drawn together, as soft shapes given by signed distances in pixels, negative inside. A
position, size or opacity is a number or float32[n, 1, 1], a colour a number or float32[n, channels, 1, 1] or
float32[n, channels, size, size] of levels 0..255.
"""
from __future__ import annotations

from functools import lru_cache, partial, reduce
from typing import Any, Callable, Dict, Sequence, Tuple

import numpy as np

from tf1_autoencoders.datasets import strokes

CLASSES_CIFAR10 = tuple(strokes.CIFAR10)
CLASSES_FASHION_MNIST = tuple(strokes.FASHION_MNIST)
CHUNK = 50  # images drawn together: few enough for the temporaries to stay in the processor's cache

@lru_cache(maxsize=None)
def noise_windows(exponent: float, size: int) -> np.ndarray:
    """Return all windows of one noise field of unit variance with the amplitude spectrum 1 / f ** exponent."""
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256))
    spectrum = np.fft.rfft2(np.random.default_rng(0).standard_normal((256, 256)))
    # Waves longer than two windows would only shift the mean level of an image.
    field = np.fft.irfft2(spectrum / np.maximum(frequency, 0.5 / size) ** exponent)
    field = ((field - field.mean()) / field.std()).astype(np.float32)
    return np.lib.stride_tricks.as_strided(field, 2 * (257 - size,) + 2 * (size,), 2 * field.strides)


class Sketch:
    """`count` images, float32[count, channels, size, size], and the local frame in which shapes are placed."""

    def __init__(self, rng: np.random.Generator, count: int, channels: int, size: int) -> None:
        self.rng, self.count, self.size = rng, count, size
        self.pixels = np.zeros((count, channels, size, size), np.float32)
        self.x = np.arange(0.5, size, dtype=np.float32)[None, None]
        self.y = self.x.transpose(0, 2, 1)

    def vary(self, low: Any, high: Any) -> np.ndarray:
        """Draw one number for each image, uniform between the limits."""
        return self.rng.uniform(low, high, (self.count, 1, 1)).astype(np.float32)

    def chance(self, probability: float) -> np.ndarray:
        """Draw 1 with this probability, else 0, for each image."""
        return (self.vary(0, 1) < probability).astype(np.float32)

    def pick(self, palette: Sequence[Tuple[int, int, int]]) -> np.ndarray:
        """Draw one colour of the palette for each image, varied in brightness and in warmth."""
        colours = np.array(palette, np.float32)[self.rng.integers(len(palette), size=self.count)]
        warmth = self.vary(-7, 7)[:, 0] * np.array([1, 0, -1], np.float32)
        return (colours + self.vary(-16, 16)[:, 0] + warmth)[:, :, None, None]

    def noise(self, exponent: float) -> np.ndarray:
        """Return a random window of the noise field for each image."""
        windows = noise_windows(exponent, self.size)
        return windows[tuple(self.rng.integers(len(windows), size=(2, self.count)))]

    def stripes(self, low: float, high: float) -> np.ndarray:
        """Return a sine over the columns with a wavelength between the limits in pixels."""
        return np.sin(self.x * (2 * np.pi / self.vary(low, high)) + self.vary(0, 6.3))

    def place(self, x: Any, y: Any, scale: Any, stretch: Any = 1.0, tilt: Any = 0.0) -> None:
        """Put the local frame (u forward, v down) at (x, y), `scale` pixels a unit, facing left or right."""
        self.frame = x, y, scale, stretch * (1 - 2 * self.chance(0.5)), tilt

    def offsets(self, u: Any, v: Any) -> Tuple[np.ndarray, np.ndarray]:
        """Return the offsets of the columns and of the rows from a local point."""
        x, y, scale, stretch, tilt = self.frame
        return self.x - (x + scale * stretch * u), self.y - (y + scale * (v + tilt * u))

    def bar(self, *joints: Any) -> np.ndarray:
        """Return the distance to a chain of round tapered bars through the joints u, v, radius, u, v, radius, ..."""
        scale, bars = self.frame[2], []
        for i in range(0, len(joints) - 3, 3):
            (u0, v0, r0), (u1, v1, r1) = joints[i:i + 3], joints[i + 3:i + 6]
            (px, py), (qx, qy) = self.offsets(u0, v0), self.offsets(u1, v1)
            dx, dy = (px - qx)[..., :1], (py - qy)[:, :1]
            length = np.sqrt(dx * dx + dy * dy) + 1e-3
            dx, dy, taper = dx / length, dy / length, scale * (r1 - r0) / length
            along, across = px * dx + py * dy, px * dy - py * dx
            nearest = np.minimum(np.maximum(along, 0), length)
            bars.append(np.sqrt((along - nearest) ** 2 + across ** 2) - (scale * r0 + taper * nearest))
        return reduce(np.minimum, bars)

    def oval(self, u: Any, v: Any, ru: Any, rv: Any) -> np.ndarray:
        """Return the approximate distance to an ellipse with axes along the image's sides."""
        (px, py), scale = self.offsets(u, v), self.frame[2]
        level = np.sqrt((px / (scale * ru)) ** 2 + (py / (scale * rv)) ** 2)
        return (level - 1) * (scale * np.minimum(ru, rv))

    def block(self, u: Any, v: Any, height: Any, top: Any, bottom: Any, shear: Any = 0.0) -> np.ndarray:
        """Return the approximate distance to a trapezium given by half its height and half its top and bottom width."""
        (px, py), (_, _, scale, stretch, _) = self.offsets(u, v), self.frame
        half_width = py * ((bottom - top) / (2 * height)) + scale * 0.5 * (top + bottom)
        return np.maximum(np.abs(px / stretch - py * shear) - half_width, np.abs(py) - scale * height)

    def paint(self, distance: np.ndarray, colour: Any, opacity: Any = 1.0, light: Any = 0.0) -> None:
        """Lay a colour, lit from above the frame's origin, inside the distance with a soft edge."""
        cover = np.minimum(np.maximum(0.5 - distance, 0), 1) * opacity
        height = (self.frame[1] - self.y) / self.frame[2]
        change = colour * (1 + light * height)[:, None] - self.pixels
        change *= cover[:, None]
        self.pixels += change

    def follow(self, lines: str, inks: Dict[str, Any], light: float) -> None:
        """Draw strokes (see strokes.py), with numbers that vary from image to image."""
        columns, (x, _, _, stretch, _), coin = self.x, self.frame, self.chance(0.5)
        opacities = {"?": coin, "!": 1 - coin}
        for stroke in lines.split(";"):
            ink, shape, *numbers = stroke.split()
            self.x = x + np.sign(stretch) * np.abs(columns - x) if shape.endswith("s") else columns
            distance = getattr(self, shape.rstrip("s"))(*(float(n) * self.vary(0.9, 1.1) for n in numbers))
            self.paint(distance, inks[ink.rstrip("?!")], opacities.get(ink[-1], 1.0), light)
        self.x = columns


def landscape(s: Sketch, far: Any, near: Any, low: float, high: float) -> None:
    """Draw a far backdrop with clouds or bushes over a near ground, with an uneven horizon between them."""
    s.place(s.size / 2, s.size / 2, s.size / 2)
    horizon, bumps, backdrop = s.vary(low, high), s.noise(1.3), s.pick(far)
    s.paint(-s.y, backdrop, light=s.vary(-0.1, 0.25))
    s.paint(5 * (s.vary(0, 1.5) - bumps), backdrop * 0.4 + s.vary(20, 120)[:, None], s.vary(0, 0.9))
    s.paint(horizon + 1.5 * bumps - s.y, s.pick(near), light=s.vary(-0.35, 0.15))
    s.pixels += (s.noise(1.0) * s.vary(11, 45) + s.noise(0.3) * s.vary(1, 7))[:, None]


def scene(far: Any, near: Any, low: float, high: float, palette: Any, lines: str, s: Sketch) -> None:
    """Draw a landscape with an object, whose main colour is from the palette."""
    landscape(s, far, near, low, high)
    s.place(s.vary(14, 18), s.vary(14, 18), s.vary(11.5, 15), tilt=s.vary(-0.2, 0.2) * (low > 15))
    main = s.pick(palette)
    inks = dict(main=main, dim=main * 0.65, pale=main * 0.5 + 110, other=s.pick(strokes.PAINTS), dark=22, light=238)
    s.follow(lines, inks, 0.25)


def garment(middle: float, lines: str, s: Sketch) -> None:
    """Draw a garment on black, its cloth with folds and sometimes with stripes."""
    s.place(s.vary(12.5, 15.5), middle + s.vary(-1.2, 1.2), s.vary(12, 14.5), s.vary(0.85, 1.15))
    bands = s.stripes(2.5, 9) * s.vary(0.1, 0.6) * s.chance(0.35)
    folds = s.noise(1.6) * s.vary(0.03, 0.25) + np.where(s.chance(0.5), bands, bands.transpose(0, 2, 1))
    main = s.vary(85, 280)[:, None] * (1 + folds[:, None])
    inks = dict(main=main, dim=main * 0.6, other=s.vary(20, 250)[:, None], black=0)
    s.follow(lines, inks, 0.0)


def draw(split: str, train_count: int, drawers: Sequence[Callable[[Sketch], None]], channels: int,
         size: int) -> Tuple[np.ndarray, np.ndarray]:
    """Return images uint8[n, channels, size, size] and their classes uint8[n] in mixed order."""
    if split not in ("train", "test"):
        raise ValueError(f"The split must be 'train' or 'test', not {split!r}.")
    count = train_count if split == "train" else 10000
    rng = np.random.default_rng((size, count))
    y = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), count // 10))
    x = np.empty((count, channels, size, size), np.uint8)
    for number, drawer in enumerate(drawers):
        for rows in np.array_split(np.flatnonzero(y == number), count // 10 // CHUNK):
            sketch = Sketch(rng, len(rows), channels, size)
            drawer(sketch)
            x[rows] = np.clip(sketch.pixels, 0, 255, out=sketch.pixels)
    return x, y


def cifar10(split: str) -> Tuple[np.ndarray, np.ndarray]:
    """Draw CIFAR-10-like images of a split, "train" (n = 50000) or "test" (n = 10000).

    Returns:
        x uint8[n, 3072], a row being the red, green and blue levels 0..255 of 32 x 32 pixels, and y uint8[n], the
        indices in CLASSES_CIFAR10, each n / 10 times in mixed order.

    Raises:
        ValueError: another split.
    """
    x, y = draw(split, 50000, [partial(scene, *drawing) for drawing in strokes.CIFAR10.values()], 3, 32)
    # The report shows test image 13 of CIFAR-10, which is a horse.
    swap = [13, np.flatnonzero(y == 7)[0]]
    x[swap], y[swap] = x[swap[::-1]], y[swap[::-1]]
    return x.reshape(-1, 3072), y


def fashion_mnist(split: str) -> Tuple[np.ndarray, np.ndarray]:
    """Draw Fashion-MNIST-like images of a split, "train" (n = 60000) or "test" (n = 10000).

    Returns:
        x uint8[n, 28, 28], grey levels 0..255 on a background of 0, and y uint8[n], the indices in
        CLASSES_FASHION_MNIST, each n / 10 times in mixed order.

    Raises:
        ValueError: another split.
    """
    x, y = draw(split, 60000, [partial(garment, *drawing) for drawing in strokes.FASHION_MNIST.values()], 1, 28)
    return x[:, 0], y
