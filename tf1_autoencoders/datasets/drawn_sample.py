"""The drawn sample: stand-ins for CIFAR-10 and Fashion-MNIST drawn with numpy alone.

The program goes on with these when it has neither a data set nor a network.  They have the shapes, counts
and rough statistics of the real pictures but are none: results made from them are labelled "drawn sample".

The pictures of a chunk are drawn together as soft shapes given by signed distances in pixels, negative
inside.  A position, size or opacity is a number or float32[n, 1, 1], a colour a number or
float32[n, channels, 1, 1] or float32[n, channels, size, size] of levels 0..255.
"""
from __future__ import annotations

from functools import lru_cache, partial, reduce

import numpy as np

__all__ = ["CLASSES_CIFAR10", "CLASSES_FASHION_MNIST", "cifar10", "fashion_mnist"]

CHUNK = 50  # pictures drawn together: few enough for the temporaries to stay in the processor's cache

SKIES = [(110, 155, 205), (160, 190, 220), (205, 207, 212), (80, 110, 160), (220, 190, 165)]
GROUNDS = [(95, 130, 60), (70, 105, 45), (150, 150, 90), (190, 170, 130), (120, 95, 65), (190, 190, 195)]
BACKDROPS = SKIES + [(55, 75, 45), (60, 70, 60), (110, 75, 50), (80, 60, 50), (140, 135, 125)]
WATERS = [(60, 95, 130), (90, 130, 150), (40, 60, 85), (120, 140, 150)]
ROADS = [(95, 95, 98), (130, 128, 122), (150, 140, 120), (85, 110, 60)]
COATS = [(120, 65, 35), (95, 50, 28), (230, 225, 215), (38, 33, 32), (150, 150, 152), (165, 90, 45)]
PAINTS = [(190, 30, 30), (30, 60, 150), (230, 230, 230), (45, 45, 50), (225, 190, 40), (150, 155, 165)]
FAWNS, GREENS = [(150, 100, 60), (120, 85, 60)], [(95, 140, 50), (130, 150, 60), (60, 110, 60)]


@lru_cache(maxsize=None)
def noise_windows(exponent, size):
    """All windows of one noise field of unit variance with the amplitude spectrum 1 / f ** exponent."""
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256))
    spectrum = np.fft.rfft2(np.random.default_rng(0).standard_normal((256, 256)))
    # Waves longer than two windows would only shift the mean level of a picture.
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
        return (colours + self.vary(-16, 16)[:, 0] + warmth)[:, :, None, None]

    def noise(self, exponent):
        windows = noise_windows(exponent, self.size)
        return windows[tuple(self.rng.integers(len(windows), size=(2, self.count)))]

    def stripes(self, low, high):
        """A sine over the columns with a wavelength between the limits in pixels."""
        return np.sin(self.x * (2 * np.pi / self.vary(low, high)) + self.vary(0, 6.3))

    def place(self, x, y, scale, stretch=1.0, tilt=0.0):
        """Put the local frame (u forward, v down) at (x, y), `scale` pixels a unit, facing left or right."""
        self.frame = x, y, scale, stretch * (1 - 2 * self.chance(0.5)), tilt

    def offsets(self, u, v):
        """Offsets of the columns and of the rows from a local point."""
        x, y, scale, stretch, tilt = self.frame
        return self.x - (x + scale * stretch * u), self.y - (y + scale * (v + tilt * u))

    def bar(self, *joints):
        """Distance to a chain of round tapered bars through the joints u, v, radius, u, v, radius, ..."""
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

    def oval(self, u, v, ru, rv):
        """About the distance to an ellipse with axes along the picture's sides."""
        (px, py), scale = self.offsets(u, v), self.frame[2]
        level = np.sqrt((px / (scale * ru)) ** 2 + (py / (scale * rv)) ** 2)
        return (level - 1) * (scale * np.minimum(ru, rv))

    def block(self, u, v, height, top, bottom, shear=0.0):
        """About the distance to a trapezium given by half its height and half its top and bottom width."""
        (px, py), (_, _, scale, stretch, _) = self.offsets(u, v), self.frame
        half_width = py * ((bottom - top) / (2 * height)) + scale * 0.5 * (top + bottom)
        return np.maximum(np.abs(px / stretch - py * shear) - half_width, np.abs(py) - scale * height)

    def paint(self, distance, colour, opacity=1.0, light=0.0):
        """Lay a colour, lit from above the frame's origin, inside the distance with a soft edge."""
        cover = np.minimum(np.maximum(0.5 - distance, 0), 1) * opacity
        height = (self.frame[1] - self.y) / self.frame[2]
        change = colour * (1 + light * height)[:, None] - self.pixels
        change *= cover[:, None]
        self.pixels += change

    def follow(self, strokes, inks, light):
        """Draw strokes "ink shape number ...", parted by semicolons, their numbers varied in each picture.

        A plural shape is mirrored too; an ink with "?" is for half of the pictures, with "!" for the others.
        """
        columns, (x, _, _, stretch, _), coin = self.x, self.frame, self.chance(0.5)
        opacities = {"?": coin, "!": 1 - coin}
        for stroke in strokes.split(";"):
            ink, shape, *numbers = stroke.split()
            self.x = x + np.sign(stretch) * np.abs(columns - x) if shape.endswith("s") else columns
            distance = getattr(self, shape.rstrip("s"))(*(float(n) * self.vary(0.9, 1.1) for n in numbers))
            self.paint(distance, inks[ink.rstrip("?!")], opacities.get(ink[-1], 1.0), light)
        self.x = columns


def fuse(one, other):
    """The union of two shapes with the corner between them filled out."""
    return np.minimum(one, other) - np.maximum(1.5 - np.abs(one - other), 0) ** 2 / 6


def landscape(s, far, near, low, high):
    """A far backdrop with clouds or bushes over a near ground, parted at an uneven horizon."""
    s.place(s.size / 2, s.size / 2, s.size / 2)
    horizon, bumps, backdrop = s.vary(low, high), s.noise(1.3), s.pick(far)
    s.paint(-s.y, backdrop, light=s.vary(-0.1, 0.25))
    s.paint(5 * (s.vary(0, 1.5) - bumps), backdrop * 0.4 + s.vary(20, 120)[:, None], s.vary(0, 0.9))
    s.paint(horizon + 1.5 * bumps - s.y, s.pick(near), light=s.vary(-0.35, 0.15))
    s.pixels += (s.noise(1.2) * s.vary(6, 33) + s.noise(0.3) * s.vary(1, 7))[:, None]


def scene(far, near, low, high, palette, strokes, s):
    """A landscape with a thing drawn by strokes, its main colour from the palette."""
    landscape(s, far, near, low, high)
    s.place(s.vary(14, 18), s.vary(14, 18), s.vary(11.5, 15), tilt=s.vary(-0.2, 0.2) * (low > 15))
    main = s.pick(palette)
    inks = dict(main=main, dim=main * 0.65, pale=main * 0.5 + 110, other=s.pick(PAINTS), dark=22, light=238)
    s.follow(strokes, inks, 0.25)


def horse(s):
    """A horse from the side before a landscape, a fence or a stable; a unit is the length of its trunk."""
    landscape(s, BACKDROPS, GROUNDS, 6, 24)
    wood, rail, fenced = s.pick(COATS), s.vary(7.5, 15.5), s.chance(0.4)
    s.paint(np.maximum(5 * s.stripes(3, 9) + s.vary(-2, 4), np.abs(s.y - rail) - s.vary(5, 9)), wood, fenced)
    s.paint(np.abs(np.abs(s.y - rail) - 2.5) - 0.8, wood, fenced)
    s.place(s.vary(14, 18), s.vary(12, 17), s.vary(15, 20), s.vary(0.75, 1), s.vary(-0.1, 0.1))
    coat, lift, phase, stride = s.pick(COATS), s.vary(0, 0.2), s.vary(0, 6.3), s.vary(0.05, 0.65)
    hair = np.where(s.chance(0.6)[:, None], coat * 0.3, coat * 0.5 + 100)

    def leg(hip, bend, offset):
        swing, fold = stride * np.sin(phase + offset), stride * np.maximum(np.cos(phase + offset), 0)
        knee, hoof = hip + bend + 0.31 * swing, hip + 0.62 * swing - 0.37 * fold
        return s.bar(hip, 0.05, 0.15, knee, 0.43, 0.055, hoof, 0.74 - 0.25 * fold, 0.042)

    s.paint(s.oval(-0.1, 0.74, 0.6, 0.1), 25, 0.45)
    s.paint(s.bar(-0.62, -0.1, 0.05, -0.74 - lift, 0.1 - lift, 0.08, -0.77 - lift, 0.45 - lift, 0.03), hair)
    s.paint(np.minimum(leg(-0.46, -0.08, 2.2), leg(0.24, 0.03, 4.8)), coat * 0.6)
    neck = s.vary(0.6, 1.15) - s.chance(0.25) * s.vary(1.2, 1.6)  # the angle above the horizontal
    u, v, nod = 0.24 + 0.47 * np.cos(neck), -0.06 - 0.47 * np.sin(neck), 0.8 - 0.5 * neck
    du, dv = 0.33 * np.cos(nod), 0.33 * np.sin(nod)
    trunk = s.bar(-0.48, -0.02, 0.2, -0.12, 0.03, 0.185, 0.22, 0, 0.2)
    throat, face = s.bar(0.24, -0.05, 0.17, u, v, 0.095), s.bar(u, v, 0.095, u + du, v + dv, 0.06)
    body = reduce(fuse, (trunk, throat, face, leg(-0.46, -0.08, 0), leg(0.24, 0.03, 2.6)))
    s.paint(body - 1, coat * 0.4, 0.5)  # a contour keeps coat and background apart in grey pictures too
    s.paint(body, coat, light=0.4)
    s.paint(np.maximum(body, 4 * (s.vary(0.2, 1) - s.noise(1.3))), 230, s.chance(0.15))
    s.paint(s.oval(u + 1.05 * du, v + 1.05 * dv, 0.07, 0.06), coat * 0.5, 0.7)
    s.paint(s.oval(u + 0.3 * du, v + 0.3 * dv - 0.03, 0.035, 0.035), 10, 0.8)
    s.paint(s.bar(0.08, -0.2, 0.03, u - 0.07, v - 0.05, 0.07, u + 0.05, v - 0.06, 0.03), hair)
    s.paint(s.bar(u, v, 0.06, u + 0.01, v - 0.17, 0.02), coat * 0.9)


def garment(middle, strokes, s):
    """A garment on black drawn by strokes, its cloth with folds and sometimes with stripes."""
    s.place(s.vary(12.5, 15.5), middle + s.vary(-1.2, 1.2), s.vary(12, 14.5), s.vary(0.85, 1.15))
    bands = s.stripes(2.5, 9) * s.vary(0.1, 0.6) * s.chance(0.35)
    folds = s.noise(1.6) * s.vary(0.03, 0.25) + np.where(s.chance(0.5), bands, bands.transpose(0, 2, 1))
    main = s.vary(85, 280)[:, None] * (1 + folds[:, None])
    inks = dict(main=main, dim=main * 0.6, other=s.vary(20, 250)[:, None], black=0)
    s.follow(strokes, inks, 0.0)


CIFAR10_DRAWERS = {
    "airplane": partial(scene, SKIES, SKIES + GROUNDS, 20, 50, PAINTS[2:], """dim bar .1 -.03 .1 -.35 -.4 .05;
        other block -.82 -.28 .22 .09 .2 .5; main bar -.95 -.06 .05 -.5 0 .14 .6 0 .15 .92 .06 .06;
        dark bar -.6 -.05 .03 .6 -.05 .03; dim bar .1 .05 .11 -.5 .6 .05; dim bar 0 .25 .08 -.1 .25 .08"""),
    "automobile": partial(scene, BACKDROPS, ROADS, 8, 15, PAINTS, """main block -.1 -.2 .2 .4 .6;
        dark block -.1 -.17 .16 .3 .45; main block -.1 -.2 .2 .05 .05; main bar -.75 .1 .2 .8 .16 .16;
        light oval .9 .1 .07 .07; dark ovals .5 .35 .2 .2; pale ovals .5 .35 .1 .1"""),
    "bird": partial(scene, BACKDROPS, GROUNDS, 16, 40, COATS + PAINTS, """pale? bar -1.2 .62 .07 1.2 .58 .06;
        dark bar 0 .2 .04 .05 .6 .04; dim bar -.4 .1 .12 -1 .3 .09; light block .65 -.4 .08 .1 .2;
        main bar -.35 .08 .17 .15 0 .3 .4 -.4 .2; other bar .2 .2 .09 .4 0 .12;
        dim bar .1 -.05 .18 -.5 .12 .06; dark oval .47 -.44 .05 .05"""),
    "cat": partial(scene, BACKDROPS, BACKDROPS + GROUNDS, 8, 15, COATS, """dim bar .1 .5 .35 .3 1.1 .5;
        main blocks .32 -.45 .3 .02 .25 -.3; main oval 0 0 .55 .46; dim? block 0 -.33 .12 .04 .04;
        dim? blocks .2 -.33 .1 .03 .03; pale oval 0 .24 .22 .15; light ovals .23 -.06 .13 .11;
        dark ovals .23 -.06 .06 .1; dark oval 0 .17 .07 .05"""),
    "deer": partial(scene, BACKDROPS, GROUNDS, 6, 24, FAWNS, """dim bar -.5 .1 .12 -.63 .5 .05 -.5 .93 .035;
        dim bar .35 .1 .12 .45 .5 .05 .4 .93 .04; main bar -.5 -.05 .2 .35 -.1 .2 .6 -.55 .1 .9 -.45 .06;
        main bar -.45 .1 .13 -.45 .5 .05 -.36 .97 .04; main bar .28 .1 .12 .3 .5 .05 .26 .97 .04;
        light oval -.7 -.05 .07 .11; pale bar .58 -.62 .03 .42 -.8 .03 .5 -1.05 .02;
        pale bar .63 -.62 .03 .8 -.8 .03 .72 -1.05 .02; dark oval .68 -.55 .04 .04"""),
    "dog": partial(scene, BACKDROPS, GROUNDS, 6, 24, COATS, """dim bar -.5 .2 .13 -.62 .5 .07 -.55 .85 .06;
        dim bar .35 .2 .13 .45 .5 .07 .42 .85 .06; dim bar -.62 0 .07 -.85 -.2 .06 -.88 -.5 .04;
        main bar -.5 .08 .22 .35 .05 .25 .55 -.35 .2; main bar .6 -.38 .2 .95 -.27 .1; pale? oval -.1 0 .3 .2;
        main bar -.45 .15 .16 -.5 .5 .07 -.42 .88 .06; main bar .3 .15 .14 .3 .5 .07 .3 .88 .06;
        dim bar .5 -.52 .06 .42 -.2 .1; dark oval 1 -.3 .06 .06; dark oval .7 -.43 .045 .045"""),
    "frog": partial(scene, WATERS + GROUNDS, GROUNDS + WATERS, 4, 15, GREENS, """
        dim bars .55 .25 .22 .9 .05 .14 .7 .5 .1 1 .56 .07; main oval 0 .2 .62 .4; main oval 0 -.12 .5 .32;
        pale oval 0 .4 .4 .2; dim bar -.2 .1 .02 .2 .1 .02; main bars .33 .4 .1 .4 .6 .06;
        main ovals .32 -.38 .18 .18; light ovals .34 -.4 .1 .1; dark ovals .34 -.4 .055 .06"""),
    "horse": horse,
    "ship": partial(scene, SKIES, WATERS, 15, 20, PAINTS, """dim block 0 -.5 .5 .03 .03;
        light? block .4 -.5 .4 .02 .35 .4; light? block -.3 -.5 .35 .02 .25 -.3;
        other! block -.25 -.6 .25 .1 .1; pale! block -.1 -.2 .2 .45 .55; dark! bar -.45 -.2 .04 .25 -.2 .04;
        main block .03 .13 .2 .98 .8; light bar -.9 .33 .04 .9 .33 .04"""),
    "truck": partial(scene, BACKDROPS, ROADS, 8, 15, PAINTS, """dark block 0 .32 .1 .95 .95;
        main block -.33 -.2 .44 .67 .67; other? block -.33 -.1 .1 .67 .67; other block .68 -.02 .38 .2 .32;
        dark block .7 -.15 .14 .1 .16; light oval .92 .2 .06 .06; dark ovals .68 .4 .2 .2;
        dark oval -.28 .4 .19 .19; pale ovals .68 .4 .08 .08""")}
CLASSES_CIFAR10 = tuple(CIFAR10_DRAWERS)

TRUNK = "main block 0 .05 .9 .5 .5; main bar -.3 -.75 .15 .3 -.75 .15; black oval 0 -.97 .2 .14;"
LONG = TRUNK + "main bars .4 -.65 .2 .66 0 .17 .76 .75 .12; dim bars .47 -.4 .03 .5 .8 .03;"
SHOE = "main bar -.72 .3 .2 -.2 .2 .25 .6 .15 .3; other bar -.88 .5 .07 .88 .5 .07;"
FASHION_MNIST_DRAWERS = {
    "T-shirt/top": partial(garment, 14, TRUNK + """main bars .4 -.68 .18 .72 -.4 .18;
        dim bars .5 -.35 .02 .5 .85 .02; other? oval 0 -.1 .25 .2"""),
    "Trouser": partial(garment, 14, """main blocks .25 0 1 .2 .2 .12; main block 0 -.8 .25 .36 .4;
        dim block 0 -.97 .05 .36 .36"""),
    "Pullover": partial(garment, 14, LONG + """dim block 0 .88 .07 .5 .5; dim bars .76 .75 .12 .77 .8 .12;
        other? block 0 -.1 .15 .45 .45"""),
    "Dress": partial(garment, 14, """main? bars .25 -.78 .1 .45 -.2 .08; main block 0 -.5 .35 .3 .24;
        main block 0 .4 .6 .24 .5; main bars .2 -1 .05 .22 -.8 .06; dim! block 0 -.18 .05 .25 .25"""),
    "Coat": partial(garment, 14, LONG + """dim block 0 -.6 .4 .2 .02; black block 0 .3 .7 .04 .04;
        dim? block 0 .1 .06 .5 .5"""),
    "Sandal": partial(garment, 14, """main bar -.9 .5 .07 -.2 .5 .08 .4 .3 .09 .9 .1 .08;
        dim block .83 .33 .25 .13 .07; main bar -.75 .45 .07 -.45 .1 .1 -.15 .45 .07;
        main! bar -.3 .45 .07 0 -.1 .08 .2 .3 .06; main bar .25 .3 .06 .45 -.25 .06 .92 -.3 .06 .9 .1 .06"""),
    "Shirt": partial(garment, 14, TRUNK + """main bars .4 -.65 .18 .62 -.2 .15 .72 .4 .11;
        dim block 0 .1 .8 .03 .03; dim blocks .15 -.8 .12 .1 .02; dim bars .47 -.4 .02 .48 .85 .02"""),
    "Sneaker": partial(garment, 14, SHOE + """main block .35 .1 .3 .4 .65; black oval .5 -.28 .3 .1;
        other? block .2 .1 .25 .08 .08 .5; other bar -.42 .05 .03 .05 -.2 .03"""),
    "Bag": partial(garment, 16, """dim oval 0 -.4 .5 .5; black oval 0 -.4 .38 .38; main block 0 .2 .55 .8 .95;
        dim? block 0 -.15 .2 .8 .85; other! oval 0 .05 .1 .1"""),
    "Ankle boot": partial(garment, 17, SHOE + """main block .4 -.3 .65 .4 .5; dim block .4 -.88 .07 .42 .42;
        dim block .7 .5 .15 .2 .2; dim? bar .5 -.8 .02 .4 .3 .02""")}
CLASSES_FASHION_MNIST = tuple(FASHION_MNIST_DRAWERS)


def draw(split, train_count, drawers, channels, size):
    """Pictures uint8[n, channels, size, size] and their classes uint8[n] in mixed order."""
    if split not in ("train", "test"):
        raise ValueError(f"The split must be 'train' or 'test', not {split!r}.")
    count = train_count if split == "train" else 10000
    rng = np.random.default_rng((size, count))
    y = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), count // 10))
    x = np.empty((count, channels, size, size), np.uint8)
    for number, drawer in enumerate(drawers.values()):
        for rows in np.array_split(np.flatnonzero(y == number), count // 10 // CHUNK):
            sketch = Sketch(rng, len(rows), channels, size)
            drawer(sketch)
            x[rows] = np.clip(sketch.pixels, 0, 255, out=sketch.pixels)
    return x, y


def cifar10(split):
    """CIFAR-10-like pictures of a split, "train" (n = 50000) or "test" (n = 10000); else ValueError.

    Returns x uint8[n, 3072], a row being the red, green and blue levels 0..255 of 32 x 32 pixels, and
    y uint8[n], the indices in CLASSES_CIFAR10, each n / 10 times in mixed order.
    """
    x, y = draw(split, 50000, CIFAR10_DRAWERS, 3, 32)
    # The report shows test picture 13 of CIFAR-10, which is a horse.
    swap = [13, np.flatnonzero(y == 7)[0]]
    x[swap], y[swap] = x[swap[::-1]], y[swap[::-1]]
    return x.reshape(-1, 3072), y


def fashion_mnist(split):
    """Fashion-MNIST-like pictures of a split, "train" (n = 60000) or "test" (n = 10000); else ValueError.

    Returns x uint8[n, 28, 28], grey levels 0..255 on a background of 0, and y uint8[n], the indices in
    CLASSES_FASHION_MNIST, each n / 10 times in mixed order.
    """
    x, y = draw(split, 60000, FASHION_MNIST_DRAWERS, 1, 28)
    return x[:, 0], y
