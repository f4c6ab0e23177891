"""The drawn sample: stand-ins for CIFAR-10 and Fashion-MNIST drawn with numpy alone.

The program goes on with these pictures when it has neither a data set nor a network.  They have the
shapes, the counts and roughly the statistics of the real sets but show none of their pictures: every
result made from them is labelled "drawn sample".

The pictures of a chunk are drawn together as soft shapes given by signed distances in pixels, negative
inside.  A position, size or opacity is a number or float32[n, 1, 1], a colour a number or
float32[n, channels, 1, 1] or float32[n, channels, size, size] of levels 0..255.
"""
from __future__ import annotations

from functools import lru_cache, partial, reduce

import numpy as np

__all__ = ["CLASSES_CIFAR10", "CLASSES_FASHION_MNIST", "cifar10", "fashion_mnist"]

CLASSES_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CLASSES_FASHION_MNIST = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                         "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
CHUNK = 50  # pictures drawn together: few enough for the temporaries to stay in the processor's cache

SKIES = [(110, 155, 205), (160, 190, 220), (215, 217, 222), (80, 110, 160), (220, 190, 165)]
GROUNDS = [(95, 130, 60), (70, 105, 45), (150, 150, 90), (190, 170, 130), (120, 95, 65), (205, 205, 210)]
BACKDROPS = SKIES + [(55, 75, 45), (45, 55, 45), (110, 75, 50), (80, 60, 50), (140, 135, 125)]
WATERS = [(60, 95, 130), (90, 130, 150), (40, 60, 85), (120, 140, 150)]
ROADS = [(95, 95, 98), (130, 128, 122), (150, 140, 120), (85, 110, 60)]
COATS = [(120, 65, 35), (95, 50, 28), (230, 225, 215), (38, 33, 32), (150, 150, 152), (165, 90, 45)]
PAINTS = [(190, 30, 30), (30, 60, 150), (230, 230, 230), (45, 45, 50), (225, 190, 40), (150, 155, 165)]


@lru_cache(maxsize=None)
def noise_windows(exponent, size):
    """All windows of one periodic noise field of unit variance with amplitude spectrum 1 / f ** exponent."""
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256))
    spectrum = np.fft.rfft2(np.random.default_rng(0).standard_normal((256, 256)))
    # Waves longer than two windows would only shift a picture's mean level.
    field = np.fft.irfft2(spectrum / np.maximum(frequency, 0.5 / size) ** exponent)
    field = ((field - field.mean()) / field.std()).astype(np.float32)
    return np.lib.stride_tricks.as_strided(field, 2 * (257 - size,) + 2 * (size,), 2 * field.strides)


class Sketch:
    """`count` pictures, float32[count, channels, size, size], and the local frame shapes are placed in."""

    def __init__(self, rng, count, channels, size):
        self.rng, self.count, self.size = rng, count, size
        self.pixels = np.zeros((count, channels, size, size), np.float32)
        self.x = np.arange(0.5, size, dtype=np.float32)[None, None]
        self.y = self.x.transpose(0, 2, 1)

    def vary(self, low, high):
        """One number for each picture, uniform between the limits."""
        return self.rng.uniform(low, high, (self.count, 1, 1)).astype(np.float32)

    def chance(self, probability):
        return (self.vary(0, 1) < probability).astype(np.float32)

    def pick(self, palette):
        """One colour of the palette for each picture, varied in brightness and in warmth."""
        colours = np.array(palette, np.float32)[self.rng.integers(len(palette), size=self.count)]
        warmth = self.vary(-7, 7)[:, 0] * np.array([1, 0, -1], np.float32)
        return (colours + self.vary(-20, 20)[:, 0] + warmth)[:, :, None, None]

    def noise(self, exponent):
        windows = noise_windows(exponent, self.size)
        top, left = self.rng.integers(len(windows), size=(2, self.count))
        return windows[top, left]

    def stripes(self, low, high):
        """A sine over the columns with a wavelength between the limits in pixels."""
        return np.sin(self.x * (2 * np.pi / self.vary(low, high)) + self.vary(0, 6.3))

    def place(self, x, y, scale, stretch=1.0, tilt=0.0):
        """Put the local frame (u forward, v down) at (x, y), `scale` pixels a unit, facing left or right."""
        self.frame = x, y, scale, stretch * (1 - 2 * self.chance(0.5)), tilt

    def offsets(self, u, v):
        """Offsets of all columns and of all rows from a local point."""
        x, y, scale, stretch, tilt = self.frame
        return self.x - (x + scale * stretch * u), self.y - (y + scale * (v + tilt * u))

    def bar(self, *joints):
        """Distance to a chain of round tapered bars through the joints u, v, radius, u, v, radius, ..."""
        scale, bars = self.frame[2], []
        for i in range(0, len(joints) - 3, 3):
            (u0, v0, r0), (u1, v1, r1) = joints[i:i + 3], joints[i + 3:i + 6]
            (px, py), (qx, qy) = self.offsets(u0, v0), self.offsets(u1, v1)
            dx, dy = px[..., :1] - qx[..., :1], py[..., :1, :] - qy[..., :1, :]
            length = np.sqrt(dx * dx + dy * dy) + 1e-3
            dx, dy = dx / length, dy / length
            along, across = px * dx + py * dy, px * dy - py * dx
            nearest = np.minimum(np.maximum(along, 0), length)
            along -= nearest
            along *= along
            across *= across
            across += along
            nearest *= scale * (r1 - r0) / length
            nearest += scale * r0
            bars.append(np.subtract(np.sqrt(across, out=across), nearest, out=across))
        return reduce(np.minimum, bars)

    def oval(self, u, v, ru, rv):
        """About the distance to an ellipse with axes along the picture's sides."""
        (px, py), scale = self.offsets(u, v), self.frame[2]
        level = np.sqrt((px / (scale * ru)) ** 2 + (py / (scale * rv)) ** 2)
        return (level - 1) * (scale * np.minimum(ru, rv))

    def block(self, u, v, height, top, bottom, shear=0.0):
        """About the distance to a trapezium: half its height, half its top and bottom width, u shift per v."""
        (px, py), (_, _, scale, stretch, _) = self.offsets(u, v), self.frame
        widening = (bottom - top) / (2 * height)
        side = np.abs(px / stretch - py * shear) - (py * widening + scale * 0.5 * (top + bottom))
        return np.maximum(side, np.abs(py) - scale * height)

    def paint(self, distance, colour, opacity=1.0, light=0.0):
        """Lay a colour, lit from above the frame's origin, inside the distance with an edge one pixel soft."""
        cover = 0.5 - distance
        cover = np.minimum(np.maximum(cover, 0, out=cover), 1, out=cover) * opacity
        height = (self.frame[1] - self.y) / self.frame[2]
        change = colour * (1 + light * height)[:, None] - self.pixels
        change *= cover[:, None]
        self.pixels += change

    def follow(self, strokes, inks, light):
        """Draw strokes "ink shape number ...", parted by semicolons, each number varied in each picture.

        A shape in the plural also appears mirrored; an ink with a question mark in half of the pictures.
        """
        for stroke in strokes.split(";"):
            ink, shape, *numbers = stroke.split()
            columns, (x, _, _, stretch, _) = self.x, self.frame
            if shape.endswith("s"):
                self.x = x + np.sign(stretch) * np.abs(columns - x)
            distance = getattr(self, shape.rstrip("s"))(*(float(n) * self.vary(0.9, 1.1) for n in numbers))
            self.x = columns
            self.paint(distance, inks[ink.rstrip("?")], self.chance(0.5) if "?" in ink else 1.0, light)


def union(*distances):
    """The nearest of the distances, with the joints of the shapes filled out."""
    def fuse(one, other):
        return np.minimum(one, other) - np.maximum(1.5 - np.abs(one - other), 0) ** 2 / 6
    return reduce(fuse, distances)


def landscape(s, far, near, low=6, high=24):
    """A far backdrop with clouds or bushes over a near ground, parted at an uneven horizon."""
    s.place(s.size / 2, s.size / 2, s.size / 2)
    horizon, bumps, backdrop = s.vary(low, high), s.noise(1.3), s.pick(far)
    s.paint(-s.y, backdrop, light=s.vary(-0.1, 0.25))
    s.paint(5 * (s.vary(0, 1.5) - bumps), backdrop * 0.4 + s.vary(20, 120)[:, None], s.vary(0, 0.9))
    s.paint(horizon + 1.5 * bumps - s.y, s.pick(near), light=s.vary(-0.35, 0.15))
    s.pixels += (s.noise(1.0) * s.vary(4, 24) + s.noise(0.4) * s.vary(2, 9))[:, None]


def scene(far, near, low, high, palette, strokes, s):
    """A landscape with a thing drawn by strokes, its main colour from the palette."""
    landscape(s, far, near, low, high)
    s.place(s.vary(14, 18), s.vary(14, 18), s.vary(11.5, 15), tilt=s.vary(-0.2, 0.2) if low > 15 else 0)
    main = s.pick(palette)
    inks = dict(main=main, dim=main * 0.65, pale=main * 0.5 + 110, other=s.pick(PAINTS), dark=22, light=238)
    s.follow(strokes, inks, 0.25)


def quadruped(s, coat, neck, head, leg, girth, raised, slim):
    """A four-legged animal seen from the side; returns its distance and the local point of its poll.

    Lengths are in units of the trunk; `raised` is the angle of the neck above the horizontal.
    """
    phase, stride = s.vary(0, 6.3), s.vary(0.05, 0.65)

    def legs(side):
        for hip, knee, offset in (-0.46, -0.08, side), (0.24, 0.03, side + 2.6):
            swing, lift = stride * np.sin(phase + offset), stride * np.maximum(np.cos(phase + offset), 0)
            u, v = hip + knee + 0.5 * leg * swing, 0.12 + 0.5 * leg
            hoof = u - knee + 0.5 * leg * (swing - 1.2 * lift), 0.12 + leg * (1 - 0.4 * lift)
            yield s.bar(hip, 0.05, 0.75 * girth, u, v, 1.3 * slim, *hoof, slim)

    s.paint(s.oval(-0.1, 0.12 + leg, 0.6, 0.1), 25, 0.45)
    s.paint(np.minimum(*legs(2.2)), coat * 0.6)
    u, v, nod = 0.24 + neck * np.cos(raised), -0.06 - neck * np.sin(raised), 0.8 - 0.5 * raised
    du, dv = head * np.cos(nod), head * np.sin(nod)
    trunk = s.bar(-0.48, -0.02, girth, -0.12, 0.03, 0.92 * girth, 0.22, 0, girth)
    throat = s.bar(0.24, -0.05, 0.85 * girth, u, v, 0.48 * girth)
    body = union(trunk, throat, s.bar(u, v, 0.47 * girth, u + du, v + dv, 0.29 * girth), *legs(0))
    s.paint(body, coat, light=0.4)
    s.paint(s.oval(u + 1.05 * du, v + 1.05 * dv, 0.07, 0.06), coat * 0.5, 0.7)
    s.paint(s.oval(u + 0.3 * du, v + 0.3 * dv - 0.03, 0.035, 0.035), 10, 0.8)
    return body, u, v


def deer(s):
    landscape(s, BACKDROPS, GROUNDS)
    s.place(s.vary(14, 18), s.vary(16, 19), s.vary(14, 18), s.vary(0.75, 1))
    coat = s.pick([(150, 100, 60), (120, 85, 60)])
    _, u, v = quadruped(s, coat, 0.42, 0.24, 0.6, 0.17, s.vary(0.8, 1.2), 0.028)
    s.paint(s.oval(-0.63, 0, 0.06, 0.1), 235)
    for lean in -0.16, 0.08:
        horn = s.bar(u, v - 0.05, 0.03, u + 2 * lean, v - 0.25, 0.03, u + 1.5 * lean, v - 0.48, 0.02)
        tine = s.bar(u + 1.6 * lean, v - 0.2, 0.025, u + 1.6 * lean + 0.14, v - 0.36, 0.02)
        s.paint(np.minimum(horn, tine), coat * 0.5 + 70)


def dog(s):
    landscape(s, BACKDROPS, GROUNDS)
    s.place(s.vary(14, 18), s.vary(13, 17), s.vary(16, 21), s.vary(0.8, 1))
    coat, wag = s.pick(COATS), s.vary(-0.1, 0.2)
    s.paint(s.bar(-0.58, -0.05, 0.06, -0.76, -0.2, 0.05, -0.78 + wag, -0.42, 0.03), coat * 0.8)
    body, u, v = quadruped(s, coat, 0.34, 0.3, 0.4, 0.19, s.vary(0.6, 1.1), 0.05)
    s.paint(np.maximum(body, 4 * (0.7 - s.noise(1.3))), s.pick(COATS), s.chance(0.5))
    s.paint(s.bar(u - 0.02, v - 0.04, 0.05, u - 0.1, v + 0.17, 0.07), coat * 0.5)


def horse(s):
    landscape(s, BACKDROPS, GROUNDS)
    wood, top, fenced = s.pick(COATS), s.vary(5, 13), s.chance(0.4)
    s.paint(np.maximum(5 * s.stripes(3, 9) + s.vary(-2, 4), np.abs(s.y - top - 3) - s.vary(5, 9)), wood, fenced)
    s.paint(np.abs(np.abs(s.y - top - 2.5) - 2.5) - 0.8, wood, fenced)
    s.place(s.vary(14, 18), s.vary(12, 17), s.vary(15, 20), s.vary(0.75, 1), s.vary(-0.1, 0.1))
    coat, lift = s.pick(COATS), s.vary(0, 0.2)
    hair = np.where(s.chance(0.6)[:, None], coat * 0.3, coat * 0.5 + 100)
    s.paint(s.bar(-0.62, -0.1, 0.05, -0.74 - lift, 0.1 - lift, 0.08, -0.77 - lift, 0.45 - lift, 0.03), hair)
    raised = s.vary(0.6, 1.15) - s.chance(0.25) * s.vary(1.2, 1.6)
    body, u, v = quadruped(s, coat, 0.47, 0.33, 0.62, 0.2, raised, 0.042)
    s.paint(np.maximum(body, 4 * (s.vary(0.2, 1) - s.noise(1.3))), 230, s.chance(0.15))
    s.paint(s.bar(0.08, -0.2, 0.03, u - 0.07, v - 0.05, 0.07, u + 0.05, v - 0.06, 0.03), hair)
    s.paint(s.bar(u, v, 0.06, u + 0.01, v - 0.17, 0.02), coat * 0.9)


CIFAR10_DRAWERS = (
    partial(scene, SKIES, SKIES + GROUNDS, 20, 50, PAINTS[2:],
            "dim bar .1 -.03 .08 -.35 -.45 .04; other block -.82 -.28 .22 .09 .2 .5;"
            "main bar -.95 -.06 .05 -.5 0 .13 .6 0 .14 .92 .06 .06; dark bar -.6 -.04 .025 .65 -.04 .025;"
            "dim bar .1 .05 .1 -.5 .6 .05; dim bar .05 .25 .08 -.1 .25 .07"),
    partial(scene, BACKDROPS, ROADS, 8, 15, PAINTS,
            "dark bar -.9 .45 .07 .9 .45 .07; main block -.1 -.22 .22 .35 .6; dark block -.1 -.2 .15 .3 .5;"
            "main block -.1 -.2 .2 .05 .05; main bar -.75 .13 .19 0 .11 .21 .8 .16 .16; light oval .9 .1 .07 .07;"
            "dark ovals .53 .35 .2 .2; pale ovals .53 .35 .09 .09"),
    partial(scene, BACKDROPS, GROUNDS, 16, 40, COATS + PAINTS,
            "dim? bar -1.2 .62 .07 1.2 .58 .06; dark bar 0 .2 .04 .05 .6 .04; dim block -.65 .15 .1 .35 .35 -2;"
            "light block .65 -.4 .08 .1 .2; main bar -.35 .08 .17 .15 0 .3 .4 -.4 .2; other bar .2 .2 .09 .4 0 .12;"
            "dim bar .1 -.05 .18 -.5 .12 .06; dark oval .47 -.44 .05 .05"),
    partial(scene, BACKDROPS, BACKDROPS + GROUNDS, 8, 15, COATS,
            "dim bar .1 .5 .35 .3 1.1 .5; dim blocks .3 -.45 .3 .02 .25 -.3; main oval 0 0 .55 .46;"
            "dim? block 0 -.33 .12 .04 .04; dim? blocks .2 -.33 .1 .03 .03; pale oval 0 .24 .22 .15;"
            "light ovals .23 -.06 .13 .11; dark ovals .23 -.06 .06 .1; dark oval 0 .17 .07 .05"),
    deer,
    dog,
    partial(scene, WATERS + GROUNDS, GROUNDS + WATERS, 4, 15, [(95, 140, 50), (130, 150, 60), (60, 110, 60)],
            "dim bars .55 .25 .22 .9 .05 .14 .72 .5 .1 1 .56 .07; main oval 0 .2 .62 .4; main oval 0 -.12 .5 .32;"
            "pale oval 0 .35 .4 .2; dim bar -.25 .05 .02 .25 .05 .02; main bars .33 .4 .1 .4 .62 .06 .55 .64 .05;"
            "main ovals .32 -.38 .18 .18; light ovals .34 -.4 .1 .1; dark ovals .34 -.4 .055 .06"),
    horse,
    partial(scene, SKIES, WATERS, 15, 20, PAINTS,
            "dim block 0 -.5 .5 .03 .03; light? block .4 -.5 .4 .02 .35 .4; light? block -.3 -.5 .35 .02 .25 -.3;"
            "other? block -.3 -.6 .2 .1 .1; pale? block -.2 -.2 .18 .4 .5; dark? bar -.5 -.2 .04 .2 -.2 .04;"
            "main block .03 .13 .2 .98 .8; light bar -.9 .33 .04 .9 .33 .04"),
    partial(scene, BACKDROPS, ROADS, 8, 15, PAINTS,
            "dark block 0 .32 .1 .95 .95; main block -.33 -.2 .44 .67 .67; other? block -.33 -.1 .1 .67 .67;"
            "other block .68 -.02 .38 .2 .32; dark block .7 -.15 .14 .1 .16; light oval .92 .2 .06 .06;"
            "dark ovals .68 .4 .2 .2; dark oval -.28 .4 .19 .19; pale ovals .68 .4 .08 .08"))


def garment(low, high, strokes, s):
    """A garment on black drawn by strokes with a folded, sometimes striped or printed cloth."""
    s.place(14 + s.vary(-0.7, 0.7), s.vary(low, high), s.vary(11.5, 13.5), s.vary(0.85, 1.1))
    bands = s.stripes(2.5, 8) * s.vary(0.1, 0.5) * s.chance(0.35)
    main = (s.vary(70, 250) * (1 + s.vary(0.05, 0.3) * s.noise(1.3) + bands))[:, None]
    inks = dict(main=main, dim=main * 0.6, other=s.vary(20, 250)[:, None], black=0)
    s.follow(strokes, inks, 0.0)


TRUNK = "main block 0 .05 .9 .5 .5; main bar -.3 -.75 .15 .3 -.75 .15; black oval 0 -.97 .2 .14;"
LONG = TRUNK + "main bars .4 -.65 .2 .66 0 .17 .76 .75 .12; dim bars .47 -.4 .03 .5 .8 .03;"
SHOE = "main bar -.72 .3 .2 -.2 .2 .25 .6 .15 .3; other bar -.88 .5 .07 .88 .5 .07;"
FASHION_MNIST_DRAWERS = tuple(partial(garment, *entry) for entry in (
    (13, 15, TRUNK + "main bars .4 -.68 .18 .72 -.4 .18; dim bars .5 -.35 .02 .5 .85 .02; other? oval 0 -.1 .25 .2"),
    (13, 15, "main blocks .25 0 1 .2 .2 .12; main block 0 -.8 .25 .36 .4; dim block 0 -.97 .05 .36 .36"),
    (13, 15, LONG + "dim block 0 .88 .07 .5 .5; dim bars .76 .75 .12 .77 .8 .12; other? block 0 -.1 .15 .45 .45"),
    (13, 15, "main? bars .25 -.78 .1 .45 -.2 .08; main block 0 -.5 .35 .3 .24; main block 0 .4 .6 .24 .5;"
             "main bars .2 -1 .05 .22 -.8 .06; dim? block 0 -.18 .05 .25 .25"),
    (13, 15, LONG + "dim block 0 -.6 .4 .2 .02; black block 0 .3 .7 .04 .04; dim? block 0 .1 .06 .5 .5"),
    (13, 15, "main bar -.9 .5 .07 -.3 .5 .07 .35 .2 .08 .88 .1 .07; dim block .85 .33 .25 .12 .07;"
             "main bar -.75 .45 .06 -.4 .15 .06 -.2 .45 .06 .1 0 .06 .3 .25 .05; main? bar .4 -.3 .05 .9 -.35 .05 .92 .1 .06"),
    (13, 15, TRUNK + "main bars .4 -.65 .18 .62 -.2 .15 .72 .4 .11; dim block 0 .1 .8 .03 .03;"
             "dim blocks .15 -.8 .12 .1 .02; dim bars .47 -.4 .02 .48 .85 .02"),
    (12, 15, SHOE + "main block .35 .1 .3 .4 .65; black oval .5 -.28 .3 .1; other? block .2 .1 .25 .08 .08 .5;"
             "other bar -.42 .05 .03 .05 -.2 .03"),
    (15, 17, "dim oval 0 -.4 .5 .5; black oval 0 -.4 .38 .38; main block 0 .2 .55 .8 .95; dim? block 0 -.15 .2 .8 .85;"
             "other? oval 0 .05 .1 .1"),
    (16, 18, SHOE + "main block .4 -.3 .65 .4 .5; dim block .4 -.88 .07 .42 .42; dim block .7 .5 .15 .2 .2;"
             "dim? bar .5 -.8 .02 .4 .3 .02")))


def draw(split, train_count, drawers, channels, size):
    """Pictures uint8[n, channels, size, size] and their classes uint8[n] in mixed order."""
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


def cifar10(split):
    """CIFAR-10-like pictures of a split, "train" (n = 50000) or "test" (n = 10000); ValueError for another.

    Returns x uint8[n, 3072], a row being the red, green and blue levels 0..255 of 32 x 32 pixels, and
    y uint8[n], the indices in CLASSES_CIFAR10, each n / 10 times in mixed order.
    """
    x, y = draw(split, 50000, CIFAR10_DRAWERS, 3, 32)
    # The report shows test picture 13 of CIFAR-10, which is a horse.
    swap = [13, np.flatnonzero(y == 7)[0]]
    x[swap], y[swap] = x[swap[::-1]], y[swap[::-1]]
    return x.reshape(-1, 3072), y


def fashion_mnist(split):
    """Fashion-MNIST-like pictures of a split, "train" (n = 60000) or "test" (n = 10000); ValueError for another.

    Returns x uint8[n, 28, 28], grey levels 0..255 with a background of 0, and y uint8[n], the indices in
    CLASSES_FASHION_MNIST, each n / 10 times in mixed order.
    """
    x, y = draw(split, 60000, FASHION_MNIST_DRAWERS, 1, 28)
    return x[:, 0], y
