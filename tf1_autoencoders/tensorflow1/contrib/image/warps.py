"""Images that are warped by a flow, which is given for each pixel or for some points."""
from __future__ import annotations

import numpy as np

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import seeds as _seeds

_LEAST = 1e-10  # of a squared distance whose root or logarithm is taken


def _interpolate_bilinear(grid, query_points, name="interpolate_bilinear", indexing="ij"):
    """Return values between the pixels of images, float[batch, n, channels]; programs import this private name, too.

    Args:
        grid: float[batch, height, width, channels].
        query_points: float[batch, n, 2], rows and columns; outside of the image count those of its border.
        indexing: "ij", or "xy" for query points of columns and rows.

    Raises:
        ValueError: another indexing or rank, or a height or width below 2.
    """
    if indexing not in ("ij", "xy"):
        raise ValueError("Indexing mode must be 'ij' or 'xy'")
    grid, query_points = tf.convert_to_tensor(grid), tf.convert_to_tensor(query_points)
    if any(size is not None and size < 2 for size in grid.shape.with_rank(4).as_list()[1:3]):
        raise ValueError(f"Grid must be at least 2x2: {grid.shape}")
    with tf.name_scope(name), _seeds.counts_as(181):
        with tf.control_dependencies([tf.debugging.assert_greater_equal(tf.shape(grid)[1:3], 2)]):
            batch, height, width, channels = tf.unstack(tf.shape(grid))
        firsts, shares = [], []
        for axis in (0, 1) if indexing == "ij" else (1, 0):
            place, size = query_points[:, :, axis], (height, width)[axis]  # "xy" is for square images, in 1.15 too
            first = tf.minimum(tf.maximum(tf.floor(place), 0), tf.cast(size - 2, place.dtype))
            shares.append(tf.cast(tf.clip_by_value(place - first, 0, 1), grid.dtype)[:, :, None])
            firsts.append(tf.cast(first, tf.int32))
        pixels = tf.reshape(grid, [batch * height * width, channels])
        start = tf.reshape(tf.range(batch) * height * width, [batch, 1])

        def at(row, column):
            return tf.gather(pixels, start + row * width + column)

        (row, column), (down, right) = firsts, shares
        top_left, bottom_left = at(row, column), at(row + 1, column)
        top = right * (at(row, column + 1) - top_left) + top_left
        bottom = right * (at(row + 1, column + 1) - bottom_left) + bottom_left
        return down * (bottom - top) + top


def dense_image_warp(image, flow, name="dense_image_warp"):
    """Return an image whose pixel (j, i) is the one at (j - flow[j, i, 0], i - flow[j, i, 1]), between pixels linearly.

    Args:
        image: float[batch, height, width, channels]; outside of it stand the pixels of its border.
        flow: float[batch, height, width, 2].

    Raises:
        ValueError: another rank, or a height or width below 2.
    """
    with tf.name_scope(name):
        image, flow = tf.convert_to_tensor(image), tf.convert_to_tensor(flow)
        with _seeds.counts_as(236):
            batch, height, width, channels = tf.unstack(tf.shape(image))
            grid = tf.stack(tf.meshgrid(tf.range(height), tf.range(width), indexing="ij"), 2)
            places = tf.reshape(tf.cast(grid, flow.dtype)[None] - flow, [batch, height * width, 2])
            warped = tf.reshape(_interpolate_bilinear(image, places), [batch, height, width, channels])
        warped.set_shape(image.shape)
        return warped


def _radial(order, squared):
    """Return the radial function of an order, of squared distances."""
    if order == 1:
        return tf.sqrt(tf.maximum(squared, _LEAST))
    if order == 2:
        return 0.5 * squared * tf.log(tf.maximum(squared, _LEAST))
    if order == 4:
        return 0.5 * tf.square(squared) * tf.log(tf.maximum(squared, _LEAST))
    squared = tf.maximum(squared, _LEAST)
    power = tf.pow(squared, 0.5 * order)
    return power if order % 2 else 0.5 * power * tf.log(squared)


def interpolate_spline(train_points, train_values, query_points, order, regularization_weight=0.0,
                       name="interpolate_spline"):
    """Return values at query points, float[batch, m, k], of a polyharmonic spline through training points.

    Args:
        train_points: float[batch, n, dimensions].
        train_values: float[batch, n, k].
        query_points: float[batch, m, dimensions].
        order: 1 for the distance r, 2 for r^2 log r (thin plates), 3 for r^3, ...
        regularization_weight: how much smaller coefficients count; 0 passes through the training points.
    """
    with tf.name_scope(name):
        points, values, queries = map(tf.convert_to_tensor, (train_points, train_values, query_points))
        n = points.shape[1].value
        n_operations = {1: 99, 2: 105, 4: 107}.get(order, 101 if order % 2 else 109)
        with _seeds.counts_as(n_operations + (13 if regularization_weight > 0 else 0)):
            products = tf.matmul(points, points, adjoint_b=True)
            squares = tf.matrix_diag_part(products)[:, :, None]
            kernel = _radial(order, squares - 2 * products + tf.transpose(squares, [0, 2, 1]))
            if regularization_weight > 0:
                kernel += regularization_weight * tf.eye(n, dtype=points.dtype)[None]
            linear = tf.concat([points, tf.ones_like(points[..., :1])], 2)
            size = linear.shape[2].value
            zeros = tf.zeros(tf.stack([tf.shape(points)[0], size, size + values.shape[2].value]), points.dtype)
            left = tf.concat([tf.concat([kernel, linear], 2),
                              tf.concat([tf.transpose(linear, [0, 2, 1]), zeros[:, :, :size]], 2)], 1)
            solution = tf.matrix_solve(left, tf.concat([values, zeros[:, :, size:]], 1))
            with tf.name_scope("predict"):
                distances = tf.reduce_sum(tf.square(queries), 2)[:, :, None] - 2 * tf.matmul(
                    queries, points, adjoint_b=True) + tf.reduce_sum(tf.square(points), 2)[:, None, :]
                line = tf.concat([queries, tf.ones_like(queries[..., :1])], 2)
                return tf.matmul(_radial(order, distances), solution[:, :n]) + tf.matmul(line, solution[:, n:])


def _border(height, width, n_per_edge):
    """Return points on the border of an image, float32[n, 2]: its corners and others between them."""
    rows, columns = (np.linspace(0, size - 1, n_per_edge + 2) for size in (height, width))
    rows, columns = np.meshgrid(rows, columns, indexing="ij")
    is_border = (rows == 0) | (rows == height - 1) | (columns == 0) | (columns == width - 1)
    return np.stack([rows[is_border], columns[is_border]], -1).astype(np.float32)


def sparse_image_warp(image, source_control_point_locations, dest_control_point_locations, interpolation_order=2,
                      regularization_weight=0.0, num_boundary_points=0, name="sparse_image_warp"):
    """Return (warped image, flow float[batch, height, width, 2]): source points come to the destination points.

    Args:
        image: float[batch, height, width, channels] of known shape.
        source_control_point_locations, dest_control_point_locations: float[batch, n, 2], rows and columns.
        interpolation_order, regularization_weight: of interpolate_spline, which gives the flow between the points.
        num_boundary_points: 0, or for fixed points on the border: 1 for the corners, n for n - 1 more on each edge.
    """
    image = tf.convert_to_tensor(image)
    source, target = map(tf.convert_to_tensor, (source_control_point_locations, dest_control_point_locations))
    with tf.name_scope(name):
        batch, height, width, _ = image.shape.as_list()
        extra = 1 if num_boundary_points > 0 else 0
        flow = target - source
        grid = np.stack(np.meshgrid(range(height), range(width), indexing="ij"), -1).reshape(-1, 2)
        with _seeds.counts_as(6 if extra else 0):
            if extra:
                border = _border(height, width, num_boundary_points - 1)
                border = np.tile(border[None], [batch, 1, 1])
                target = tf.concat([target, tf.constant(border, target.dtype)], 1)
                flow = tf.concat([flow, tf.zeros_like(target)[:, -border.shape[1]:]], 1)
        places = tf.constant(np.tile(grid[None], [batch, 1, 1]), target.dtype)
        flows = interpolate_spline(target, flow, places, interpolation_order, regularization_weight)
        flows = tf.reshape(flows, [batch, height, width, 2])
        return dense_image_warp(image, flows), flows
