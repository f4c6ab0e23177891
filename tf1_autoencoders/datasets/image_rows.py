"""One image out of the rows that a user gives, checked."""
from __future__ import annotations

from typing import Any

import numpy as np

from tf1_autoencoders.utils.errors import UserError, one_line


def image_from_rows(df: Any, image_number: Any, n_input: int) -> np.ndarray:
    """Return row `image_number` of df as float32[1, n_input].

    Args:
        df: array or pandas DataFrame [n, n_input], one image a row, grey levels 0..255.
        image_number: the row.
        n_input: pixels of an image.

    Raises:
        UserError: df has no such rows, or image_number is none of them.
    """
    rows = _real_numbers(df, n_input)
    if rows.ndim == 2 and rows.shape[1] == 3 * n_input:
        raise UserError(f"df has shape {rows.shape}: these are colour images, expected rows of {n_input} grey levels; "
                        "convert them with tf1_autoencoders.sections.section2_horses.to_grey")
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
    if rows.max() <= 1 and (rows != np.round(rows)).any():
        raise UserError(f"df has values from {rows.min():g} to {rows.max():g}: expected grey levels 0 to 255, not "
                        "fractions; multiply it by 255")
    return image


def _real_numbers(df: Any, n_input: int) -> np.ndarray:
    """Return df as float32 if it holds real numbers; numpy alone would drop masks and imaginary parts."""
    expected = f"expected rows of {n_input} grey levels"
    if np.ma.isMaskedArray(df):
        raise UserError(f"df is a masked array: {expected}; give the masked pixels a value with df.filled(0)")
    try:
        array = np.asarray(df)
        if array.dtype.kind not in "uifO" or array.dtype.kind == "O" and any(
                isinstance(value, (bool, np.bool_)) for value in array.flat):
            raise UserError(f"df has values of type {'bool' if array.dtype.kind == 'O' else array.dtype}: {expected}; "
                            "convert it to numbers from 0 to 255")
        return array.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(f"df: {expected} ({one_line(error)}); convert it to an array first") from error
