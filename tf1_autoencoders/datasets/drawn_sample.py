"""The drawn sample: stand-ins for CIFAR-10 and Fashion-MNIST, drawn with numpy alone.

The program uses these images when it has neither a data set nor a network. They have the shapes, counts and rough
statistics of the real images, but are not real: every result made from them is labelled "drawn sample".

Each class has a picture of a few rows: "." is nothing, a digit is cloth, skin or metal, 5 in the object's own colour, 0
black and 9 almost twice as bright. An image is this picture with soft edges, moved, scaled, sheared and mirrored at
random, over a backdrop.
"""
from __future__ import annotations

from functools import lru_cache
from typing import Any, Callable, Dict, Tuple

import numpy as np

Colour = Tuple[int, int, int]
SKY, LAND, SEA, ROAD, ROOM = (150, 175, 210), (105, 120, 65), (70, 105, 140), (110, 108, 104), (110, 90, 75)
PAINT, COAT, FAWN, GREEN = (150, 145, 150), (115, 90, 75), (140, 100, 65), (85, 135, 60)

# class: (colours of the backdrop above and below the horizon, and of the object; the picture)
CIFAR10: Dict[str, Tuple[Colour, Colour, Colour, str]] = {
    "airplane": (SKY, SKY, PAINT,
                 "4......... 55....44.. .55...55.. 5558555555 .555555511 ....55.... ...55..... .........."),
    "automobile": (ROOM, ROAD, PAINT,
                 ".......... ...5555... ..521125.. .555555555 9555555555 5511555115 .100...00. .........."),
    "bird": (SKY, LAND, COAT,
                 ".......... ......55.. ......519. .555555... 5554455... .4445.8... ....1.1... ....1.1..."),
    "cat": (ROOM, ROOM, COAT,
                 "55......55 555....555 5555555555 5519551955 5555555555 5575115755 .57777775. ..555555.."),
    "deer": (LAND, LAND, FAWN,
                 ".....3.3.3 ......333. .......551 85555555.. 5555555... 3.5..5.3.. 3.5..5.3.. 3.5..5.3.."),
    "dog": (ROOM, LAND, COAT,
                 ".......44. 4......515 45555555.1 .5555555.. .5777.55.. .5.3..5.3. .5.3..5.3. .........."),
    "frog": (LAND, SEA, GREEN,
                 ".......... ..91..19.. .595..595. .55555555. 5555555555 5577777755 35577775.3 33......33"),
    "horse": (SKY, LAND, COAT,
                 ".......35. ......3515 .55555555. 355555555. 3555555... 35.3..5.3. 3.5.3.5.3. ..5.3..5.3"),
    "ship": (SKY, SEA, PAINT,
                 "....1..... ....1..... ..9922.... ..999999.. 5555555555 .58888855. ..555555.. .........."),
    "truck": (SKY, ROAD, PAINT,
                 ".......... 777777.... 777777555. 7777775115 7777775555 5555555559 .100100.10 ..0..0...0")}
FASHION_MNIST: Dict[str, str] = {
    "T-shirt/top": "..551155.. .55555555. 5555555555 55.5555.55 ..555555.. ..555555.. ..555555.. ..555555.. ..555555..",
    "Trouser": "..344443.. ..555555.. ..555555.. ..55..55.. ..55..55.. ..55..55.. ..55..55.. ..55..55.. ..55..55..",
    "Pullover": "..551155.. .55555555. 5555555555 5545555455 5545555455 5545555455 5545555455 5545555455 33.3333.33",
    "Dress": "...5..5... ...5555... ...5555... ....55.... ...5555... ...5555... ..555555.. ..555555.. .55555555.",
    "Coat": "..545545.. .55533555. 5555335555 5545115455 5545115455 5545115455 5545115455 5545115455 44.5115.44",
    "Sandal": ".......... .......... .......55. ......5.55 ..55.55..5 .5..55...5 5555555555 .333333..3 ..........",
    "Shirt": "..552255.. .55577555. 5555775555 55.5775.55 5..5775..5 ...5775... ..557755.. ..557755.. ..555555..",
    "Sneaker": ".......... .......... .......... ......114. ....7575.5 ..75755555 5555555555 8888888888 ..........",
    "Bag": "...4444... ..4....4.. ..4....4.. .44444444. 5555555555 5555335555 5555555555 5555555555 5555555555",
    "Ankle boot": ".....4444. .....5555. .....5555. .....5555. ....55555. ..5555555. 5555555555 5555555555 22222...22"}
CLASSES_CIFAR10, CLASSES_FASHION_MNIST = tuple(CIFAR10), tuple(FASHION_MNIST)
CELL = 8  # points of a stencil in a character of its picture
CHUNK = 50  # images drawn together: few enough for the temporaries to stay in the processor's cache


@lru_cache(maxsize=None)
def stencil(picture: str) -> Tuple[np.ndarray, np.ndarray]:
    """Return a picture's opacity 0..1 and its brightness, 1 for the digit 5: two float32[rows, columns] of points."""
    cells = np.array([[-1 if letter == "." else int(letter) for letter in row] for row in picture.split()])
    fine = np.kron(np.pad(cells, 1, constant_values=-1), np.ones((CELL, CELL), int))
    planes = [np.where(fine < 0, 0, 1.0), np.where(fine < 0, 0, fine / 5)]
    soften = np.ones(5) / 5  # half a character
    for k in range(2):
        for axis in (0, 1):
            planes[k] = np.apply_along_axis(np.convolve, axis, planes[k], soften, "same")
    opacity, brightness = planes
    return opacity.astype(np.float32), (brightness / np.maximum(opacity, 1e-6)).astype(np.float32)


@lru_cache(maxsize=None)
def noise_windows(exponent: float, size: int) -> np.ndarray:
    """Return all windows of one noise field of unit variance with the amplitude spectrum 1 / f ** exponent."""
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256))
    spectrum = np.fft.rfft2(np.random.default_rng(0).standard_normal((256, 256)))
    # Waves longer than two windows would only shift the mean level of an image.
    field = np.fft.irfft2(spectrum / np.maximum(frequency, 0.5 / size) ** exponent)
    field = ((field - field.mean()) / field.std()).astype(np.float32)
    return np.lib.stride_tricks.as_strided(field, 2 * (257 - size,) + 2 * (size,), 2 * field.strides)


def noise(rng: np.random.Generator, n: int, exponent: float, size: int) -> np.ndarray:
    """Return a random window of the noise field for each of n images: float32[n, size, size]."""
    windows = noise_windows(exponent, size)
    return windows[tuple(rng.integers(len(windows), size=(2, n)))]


def vary(rng: np.random.Generator, n: int, low: float, high: float) -> np.ndarray:
    """Draw one number for each of n images, uniform between the limits: float32[n, 1, 1]."""
    return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)


def place(rng: np.random.Generator, n: int, size: int, picture: str, scale: Tuple[float, float],
          shift: float, shear: float) -> Tuple[np.ndarray, np.ndarray]:
    """Return opacity and brightness, float32[n, size, size], of a picture that is placed at random in n images.

    Args:
        scale: lowest and highest width of the picture in pixels; its height varies by a fifth beside it.
        shift: how far its centre may be from the image's, in pixels.
        shear: how far its sides may rise, in pixels a pixel.
    """
    opacity, brightness = stencil(picture)
    x = np.arange(size, dtype=np.float32) - np.float32(size / 2 - 0.5)
    width, mirrored = vary(rng, n, *scale), np.sign(vary(rng, n, -1, 1))
    u = (x[None, None, :] - vary(rng, n, -shift, shift)) / width
    v = (x[None, :, None] - vary(rng, n, -shift, shift)) / (width * vary(rng, n, 0.8, 1.2))
    v = v + u * vary(rng, n, -shear, shear)
    points = 10 * CELL  # of the stencil's width without its border
    rows, columns = (np.clip(points * along + centre / 2, 0, centre - 1).astype(np.int16)
                     for along, centre in ((v, len(opacity)), (u * mirrored, opacity.shape[1])))
    return opacity[rows, columns], brightness[rows, columns]


def scene(rng: np.random.Generator, n: int, drawing: Tuple[Colour, Colour, Colour, str]) -> np.ndarray:
    """Return n images float32[n, 3, 32, 32] of an object before a backdrop with a horizon, clouds and bushes."""
    *colours, picture = drawing
    far, near, main = (np.array(colour, np.float32) + vary(rng, n, -75, 75)[:, 0] + rng.uniform(-15, 15, (n, 3))
                       .astype(np.float32) for colour in colours)
    rough = noise(rng, n, 1.2, 32)
    below = np.clip(np.arange(32, dtype=np.float32)[:, None] - vary(rng, n, 6, 26) + 2 * rough, 0, 1)[:, None]
    pixels = far[:, :, None, None] + (near - far)[:, :, None, None] * below
    pixels += (rough * vary(rng, n, 15, 60) + noise(rng, n, 0.4, 32) * vary(rng, n, 2, 12))[:, None]
    opacity, brightness = place(rng, n, 32, picture, (20, 36), 4, 0.2)
    brightness = brightness * (1 + vary(rng, n, 0, 0.4) * noise(rng, n, 1.2, 32))
    pixels += opacity[:, None] * (main[:, :, None, None] * brightness[:, None] - pixels)
    return pixels


def garment(rng: np.random.Generator, n: int, picture: str) -> np.ndarray:
    """Return n images float32[n, 1, 28, 28] of a garment on black, its cloth with folds and sometimes with stripes."""
    opacity, brightness = place(rng, n, 28, picture, (18, 28), 2, 0.06)
    stripes = np.sin(np.arange(28, dtype=np.float32) * vary(rng, n, 0.7, 2.5)) * vary(rng, n, -0.8, 0.5).clip(0)
    cloth = 1 + noise(rng, n, 1.2, 28) * vary(rng, n, 0.05, 0.5) + stripes
    return (opacity * brightness * cloth * vary(rng, n, 60, 280))[:, None]


def draw(split: str, n_train: int, drawings: Dict[str, Any], size: int,
         paint: Callable[[np.random.Generator, int, Any], np.ndarray]) -> Tuple[np.ndarray, np.ndarray]:
    """Return images uint8[n, channels, size, size] and their classes uint8[n] in mixed order.

    Args:
        drawings: {class: the last argument of paint}.
        paint: function of (Generator, number of images, drawing) that returns float32[n, channels, size, size].
    """
    if split not in ("train", "test"):
        raise ValueError(f"The split must be 'train' or 'test', not {split!r}.")
    n = n_train if split == "train" else 10000
    rng = np.random.default_rng((size, n))
    y = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), n // 10))
    x = np.empty((n, 3 if paint is scene else 1, size, size), np.uint8)
    for number, drawing in enumerate(drawings.values()):
        rows = np.flatnonzero(y == number)
        for first in range(0, len(rows), CHUNK):
            pixels = paint(rng, len(rows[first:first + CHUNK]), drawing)
            x[rows[first:first + CHUNK]] = np.clip(pixels, 0, 255, out=pixels)
    return x, y


def cifar10(split: str) -> Tuple[np.ndarray, np.ndarray]:
    """Draw CIFAR-10-like images of a split, "train" (n = 50000) or "test" (n = 10000).

    Returns:
        x uint8[n, 3072], a row being the red, green and blue levels 0..255 of 32 x 32 pixels, and y uint8[n], the
        indices in CLASSES_CIFAR10, each n / 10 times in mixed order.

    Raises:
        ValueError: another split.
    """
    x, y = draw(split, 50000, CIFAR10, 32, scene)
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
    x, y = draw(split, 60000, FASHION_MNIST, 28, garment)
    return x[:, 0], y
