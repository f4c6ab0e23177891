"""A picture of the user's own, made into what a data set holds: small, square and grey."""
from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, List, Tuple

import numpy as np

from tf1_autoencoders.utils.errors import UserError, one_line, printable
from tf1_autoencoders.utils.files import open_regular
from tf1_autoencoders.utils.paths import display_path

MAX_PIXELS = 50_000_000  # of a picture: 150 MB as RGB
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")  # not EPS, for which Pillow starts Ghostscript
LEAST_SIDE = 8  # pixels; a smaller picture has no content


def read_picture(path: Any, side: int, light_on_black: bool) -> Tuple[np.ndarray, str]:
    """Read a PNG or JPEG file as one image of a data set.

    The largest square in the middle is resized to side x side; grey is the mean of the three channels, as in section 2;
    transparent parts are white. If the data set's images are light on black, and the picture's border is light, the
    grey levels are inverted, as a photo of clothes on a white ground needs.

    Args:
        path: the file.
        side: pixels of a side of the image.
        light_on_black: whether the data set has light things on black ground, as Fashion-MNIST has.

    Returns:
        (float32[1, side * side] grey levels 0..255, a sentence that says what was done).

    Raises:
        UserError: the file is missing, no picture, too small or too large.
    """
    from PIL import Image, UnidentifiedImageError  # comes with matplotlib

    path, shown = Path(path), display_path(path)
    if path.is_dir():
        raise UserError(f"--file {shown}: this is a folder; expected a PNG or JPEG file")
    if not path.is_file():
        raise UserError(f"--file {shown}: there is no such file; expected a PNG or JPEG file")
    done: List[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with open_regular(path) as file, Image.open(file, formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise UserError(f"--file {shown}: {width} x {height} pixels; expected {MAX_PIXELS:,} pixels or "
                                    "fewer; make the picture smaller")
                if min(width, height) < LEAST_SIDE:
                    raise UserError(f"--file {shown}: {width} x {height} pixels; expected {LEAST_SIDE} or more a side")
                n_frames = getattr(picture, "n_frames", 1)
                if n_frames > 1:
                    done.append(f"first of {n_frames} frames")
                picture.seek(0)
                pixels = _as_rgb(picture)
    except UserError:
        raise
    except UnidentifiedImageError as error:
        raise UserError(f"--file {shown}: not a picture (neither {', '.join(FORMATS[:-1])} nor {FORMATS[-1]}); "
                        "expected a PNG or JPEG file") from error
    except Image.DecompressionBombError as error:
        raise UserError(f"--file {shown}: more pixels than can be read safely; make the picture smaller") from error
    except Exception as error:  # Pillow's decoders raise errors of many kinds for damaged files
        raise UserError(f"--file {shown}: not a picture that can be read ({one_line(error)}); expected a PNG or JPEG "
                        "file") from error
    cut = min(width, height)
    if width != height:
        done.append(f"the square of {cut} x {cut} in the middle of {width} x {height}")
    left, top = (width - cut) // 2, (height - cut) // 2
    grey = pixels[top:top + cut, left:left + cut].mean(axis=2)
    if cut != side:
        done.append(f"resized to {side} x {side}")
        grey = np.asarray(Image.fromarray(grey.astype(np.float32), "F").resize((side, side), Image.Resampling.BOX))
    done.append("grey is the mean of the channels")
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if light_on_black and border.mean() > 127.5:
        grey = 255 - grey
        done.append("inverted, since the data set is light on black and the picture's border is light")
    return np.clip(grey, 0, 255).astype(np.float32).reshape(1, -1), f"{printable(path.name)}: {', '.join(done)}"


def _as_rgb(picture: Any) -> np.ndarray:
    """Return an opened picture of any mode as float32[height, width, 3], levels 0..255, transparent parts white."""
    from PIL import Image

    if picture.mode.startswith(("I", "F")):  # 16 or 32 bits a pixel, which convert("RGB") would cut off at 255
        levels = np.asarray(picture, np.float32)
        return np.repeat(levels[:, :, None] / np.float32(257 if levels.max() > 255 else 1), 3, axis=2)
    rgba = picture.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"), np.float32)
