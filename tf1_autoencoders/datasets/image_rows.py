"""One image out of the rows that a user gives, checked."""
from __future__ import annotations

from typing import Any

import numpy as np

from tf1_autoencoders.utils.errors import UserError


def image_from_rows(df: Any, image_number: Any, n_input: int) -> np.ndarray:
    """Return row `image_number` of df as float32[1, n_input].

    Args:
        df: array or pandas DataFrame [n, n_input], one image a row, grey levels 0..255.
        image_number: the row.
        n_input: pixels of an image.

    Raises:
        UserError: df has no such rows, or image_number is none of them.
    """
    try:
        rows = np.asarray(df, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(f"df: expected rows of {n_input} numbers ({error}); convert it to an array first") from error
    if rows.ndim != 2 or rows.shape[1] != n_input or not len(rows):
        raise UserError(f"df has shape {rows.shape}: expected one or more rows of {n_input} grey levels; "
                        f"reshape it to (-1, {n_input})")
    if isinstance(image_number, bool) or not isinstance(image_number, (int, np.integer)) \
            or not 0 <= image_number < len(rows):
        raise UserError(f"image_number {image_number!r}: df has the rows 0 to {len(rows) - 1}; choose one of them")
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise UserError(f"df has a value in row {int(np.argmin(finite))} that is not finite: expected grey levels "
                        "0 to 255; fill or drop such rows")
    image = rows[image_number:image_number + 1]
    if image.min() < 0 or image.max() > 255:
        raise UserError(f"df has values from {image.min():g} to {image.max():g} in row {image_number}: "
                        "expected grey levels 0 to 255; scale them back")
    return image
