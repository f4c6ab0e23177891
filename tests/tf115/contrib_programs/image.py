"""Programs of tf.contrib.image."""
import importlib

import numpy as np

from tests.tf115.contrib_programs import call


def _pixels(c, images):
    return c.layers.flatten(images)


@call
def image_rotate(c):
    image, images = c.tf.contrib.image, c.layers.conv2d(c.floats(2, 5, 6, 2), 2, 1, activation_fn=None)
    turned = image.rotate(images, 0.4, interpolation="BILINEAR") + image.rotate(images, c.tf.constant([0.1, -1.2]))
    one = image.rotate(c.fixed(5, 6, 2), 0.5)[None]
    return _pixels(c, turned) + _pixels(c, one) + _pixels(c, image.rotate(c.fixed(5, 6), 0.2)[None, :, :, None] + one)


@call
def image_translate(c):
    image, images = c.tf.contrib.image, c.layers.conv2d(c.floats(2, 5, 6, 2), 2, 1, activation_fn=None)
    moved = image.translate(images, [1, -2]) + image.translate(images, [[0.5, 1.0], [2.0, 0.0]], "BILINEAR")
    return _pixels(c, moved)


@call
def image_transform(c):
    image, images = c.tf.contrib.image, c.layers.conv2d(c.floats(2, 5, 6, 2), 2, 1, activation_fn=None)
    transforms = [[1.0, 0.1, -1.0, 0.05, 0.9, 0.5, 0.01, 0.0], [0.8, 0.0, 0.0, 0.0, 1.2, 0.0, 0.0, 0.02]]
    changed = image.transform(images, transforms, interpolation="BILINEAR") + image.transform(images, transforms[0])
    return _pixels(c, changed) + c.tf.reduce_sum(image.transform(images, transforms, output_shape=[3, 4]))


@call
def image_transforms(c):
    image, tf = c.tf.contrib.image, c.tf
    turned = image.angles_to_projective_transforms(c.floats(2), tf.constant(5.0), tf.constant(6.0))
    moved = image.translations_to_projective_transforms(c.fixed(2, 2))
    joined = image.compose_transforms(turned, moved)
    matrices = image.flat_transforms_to_matrices(joined)
    return image.matrices_to_flat_transforms(tf.matmul(matrices, matrices)) + joined


@call
def image_dense_image_warp(c):
    flow = c.layers.linear(c.floats(3, 4, 5, 2), 2) * 2.0
    return c.tf.contrib.image.dense_image_warp(c.floats(3, 4, 5, 2), flow)


def _spline(order, weight=0.0):
    def program(c):
        values = c.layers.linear(c.fixed(2, 5, 2), 2)
        points, values, queries = (c.tf.cast(one, c.tf.float64) for one in (c.fixed(2, 5, 2), values, c.fixed(2, 7, 2)))
        return c.tf.contrib.image.interpolate_spline(points, values, queries, order, weight)

    program.__name__ = f"image_spline_{order}" + "_regularized" * bool(weight)
    call(program)


for _order in (1, 2, 3, 4, 5, 6):
    _spline(_order)
_spline(2, 0.1)


def _sparse_warp(n_boundary_points, order):
    def program(c):
        source = c.tf.constant([[[1.0, 1.0], [1.0, 3.0], [2.0, 2.0]]] * 2)  # few and near: rounding stays small
        target = source + c.fixed(2, 3, 2) * 0.3
        image = c.layers.linear(c.fixed(2, 4, 5, 2), 2)
        warped, flow = c.tf.contrib.image.sparse_image_warp(image, source, target, order,
                                                            num_boundary_points=n_boundary_points)
        return c.tf.concat([warped, flow], 3)

    program.__name__ = f"image_sparse_image_warp_{n_boundary_points}"
    call(program)


_sparse_warp(0, 1)  # order 2 amplifies the rounding of float32; the splines above have all orders
_sparse_warp(1, 1)
_sparse_warp(2, 1)


@call
def image_interpolate_bilinear(c):
    grid, points = c.layers.linear(c.floats(2, 4, 4, 2), 2), c.floats(2, 6, 2) * 4.0
    interpolate = importlib.import_module("tensorflow.contrib.image.python.ops.dense_image_warp") \
        if not hasattr(c.tf, "_seeds") else c.tf.contrib.image
    return interpolate._interpolate_bilinear(grid, points) + interpolate._interpolate_bilinear(
        grid, points, indexing="xy")


@call
def image_bipartite_match(c):
    distances, found = c.floats(5, 3), []
    for options in ((-1.0,), (2.0,), (4.0, 2), (0.0,)):
        found += c.tf.contrib.image.bipartite_match(distances, *options)
    found += c.tf.contrib.image.bipartite_match(c.fixed(2, 4), 2.0)
    return c.tf.concat(found, 0)


@call
def image_connected_components(c):
    tf, spiral = c.tf, np.zeros((9, 9), np.int32)
    spiral[0], spiral[:, 8], spiral[8], spiral[2:, 0] = 1, 1, 1, 1
    spiral[2, :7], spiral[2:7, 6], spiral[6, 2:7], spiral[4, 2:5] = 1, 1, 1, 2
    drawn = c.integers(3, 2, 5, 6)
    found = [c.tf.contrib.image.connected_components(images)
             for images in (tf.constant(spiral), drawn, tf.equal(drawn, 1), c.fixed(4, 4))]
    assert all(one.dtype == tf.int32 for one in found)
    return tf.concat([tf.reshape(one, [-1]) for one in found], 0)
