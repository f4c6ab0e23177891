"""Rotations, translations and projective transformations of images.

A transformation is [a0, a1, a2, b0, b1, b2, c0, c1]: the
output's pixel (x, y) is the input's ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) with k = c0 x + c1 y + 1. Images
are [batch, height, width, channels], [height, width, channels] or [height, width]; outside of them are zeros.
"""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf

_TYPES = (tf.uint8, tf.int32, tf.int64, tf.float16, tf.float32, tf.float64)


def _as_batch(images):
    """Return (images [batch, height, width, channels], function that takes the added dimensions out again).

    Raises:
        TypeError: another type, or another rank than 2, 3 or 4.
    """
    if images.dtype.base_dtype not in _TYPES:
        raise TypeError(f"Invalid dtype {images.dtype}.")
    rank = images.shape.ndims
    if rank is None:
        raise TypeError("image_or_images rank must be statically known")
    if rank == 2:
        return images[None, :, :, None], lambda result: result[0, :, :, 0]
    if rank == 3:
        return images[None, :, :, :], lambda result: result[0, :, :, :]
    if rank == 4:
        return images, lambda result: result
    raise TypeError("Images should have rank between 2 and 4.")


def transform(images, transforms, interpolation="NEAREST", output_shape=None, name=None):
    """Return images after projective transformations.

    Args:
        images: see the module.
        transforms: float32[8], or one for each image, float32[batch, 8].
        interpolation: "NEAREST" or "BILINEAR".
        output_shape: int32[2], height and width; None for those of the images.

    Raises:
        TypeError: images or transformations of another rank or type.
    """
    with tf.name_scope(name, "transform"):
        images = tf.convert_to_tensor(images, name="images")
        transforms = tf.convert_to_tensor(transforms, name="transforms", dtype=tf.float32)
        images, unbatched = _as_batch(images)
        if output_shape is None:
            output_shape, sizes = tf.shape(images)[1:3], images.shape.as_list()[1:3]
        else:
            known = tf.get_static_value(output_shape) if tf.is_tensor(output_shape) else output_shape
            sizes = [None, None] if known is None else [int(size) for size in known]
        output_shape = tf.convert_to_tensor(output_shape, tf.int32, name="output_shape")
        if transforms.shape.ndims == 1:
            transforms = transforms[None]
        elif transforms.shape.ndims != 2:
            raise TypeError(f"Transforms should have rank 1 or 2; got rank {transforms.shape.ndims}")
        changed = tf.raw_ops.ImageProjectiveTransformV2(images=images, output_shape=output_shape,
                                                        transforms=transforms, interpolation=interpolation.upper())
        changed.set_shape([images.shape.as_list()[0], *sizes, images.shape.as_list()[3]])
        return unbatched(changed)


def rotate(images, angles, interpolation="NEAREST", name=None):
    """Return images turned counterclockwise about their centre.

    Args:
        images: see the module.
        angles: radians, float32[] or float32[batch].
        interpolation: "NEAREST" or "BILINEAR".
    """
    with tf.name_scope(name, "rotate"):
        images, unbatched = _as_batch(tf.convert_to_tensor(images))
        height = tf.cast(tf.shape(images)[1], tf.float32)[None]
        width = tf.cast(tf.shape(images)[2], tf.float32)[None]
        turned = transform(images, angles_to_projective_transforms(angles, height, width), interpolation=interpolation)
        return unbatched(turned)


def translate(images, translations, interpolation="NEAREST", name=None):
    """Return images moved by [dx, dy], float32[2] or float32[batch, 2]."""
    with tf.name_scope(name, "translate"):
        return transform(images, translations_to_projective_transforms(translations), interpolation=interpolation)


def angles_to_projective_transforms(angles, image_height, image_width, name=None):
    """Return the transformations float32[n, 8] that turn images of this size by angles float32[] or float32[n]."""
    with tf.name_scope(name, "angles_to_projective_transforms"):
        angles = tf.convert_to_tensor(angles, name="angles", dtype=tf.float32)
        if angles.shape.ndims == 0:
            angles = angles[None]
        elif angles.shape.ndims != 1:
            raise TypeError("Angles should have rank 0 or 1.")
        x = ((image_width - 1) - (tf.cos(angles) * (image_width - 1) - tf.sin(angles) * (image_height - 1))) / 2.0
        y = ((image_height - 1) - (tf.sin(angles) * (image_width - 1) + tf.cos(angles) * (image_height - 1))) / 2.0
        n = tf.shape(angles)[0]
        return tf.concat([tf.cos(angles)[:, None], -tf.sin(angles)[:, None], x[:, None], tf.sin(angles)[:, None],
                          tf.cos(angles)[:, None], y[:, None], tf.zeros((n, 2), tf.float32)], axis=1)


def translations_to_projective_transforms(translations, name=None):
    """Return the transformations float32[n, 8] that move images by [dx, dy], float32[2] or float32[n, 2]."""
    with tf.name_scope(name, "translations_to_projective_transforms"):
        moves = tf.convert_to_tensor(translations, name="translations", dtype=tf.float32)
        if moves.shape.ndims is None:
            raise TypeError("translation_or_translations rank must be statically known")
        if moves.shape.ndims == 1:
            moves = moves[None]
        elif moves.shape.ndims != 2:
            raise TypeError("Translations should have rank 1 or 2.")
        n = tf.shape(moves)[0]
        return tf.concat([tf.ones((n, 1), tf.float32), tf.zeros((n, 1), tf.float32), -moves[:, 0, None],
                          tf.zeros((n, 1), tf.float32), tf.ones((n, 1), tf.float32), -moves[:, 1, None],
                          tf.zeros((n, 2), tf.float32)], axis=1)


def flat_transforms_to_matrices(transforms):
    """Return transformations float32[n, 8] as matrices float32[n, 3, 3].

    Raises:
        ValueError: another rank or size.
    """
    with tf.name_scope("flat_transforms_to_matrices"):
        transforms = tf.convert_to_tensor(transforms, name="transforms")
        transforms.shape.assert_has_rank(2)
        if transforms.shape.as_list()[1] not in (8, None):
            raise ValueError(f"Transforms should be [n, 8]; got {transforms.shape}")
        transforms = tf.reshape(transforms, tf.constant([-1, 8]))
        n = tf.shape(transforms)[0]
        return tf.reshape(tf.concat([transforms, tf.ones([n, 1])], axis=1), tf.constant([-1, 3, 3]))


def matrices_to_flat_transforms(transform_matrices):
    """Return matrices float32[n, 3, 3] as transformations float32[n, 8].

    Raises:
        ValueError: another rank or size.
    """
    with tf.name_scope("matrices_to_flat_transforms"):
        matrices = tf.convert_to_tensor(transform_matrices, name="matrices")
        if matrices.shape.ndims != 3 or matrices.shape.as_list()[1:] != [3, 3]:
            raise ValueError(f"Matrices should be [n, 3, 3]; got {matrices.shape}")
        flat = tf.reshape(matrices, tf.constant([-1, 9]))
        flat /= flat[:, 8:9]
        return flat[:, :8]


def compose_transforms(*transforms):
    """Return the transformations float32[n, 8] that make all of these, the last one first."""
    if not transforms:
        raise ValueError("compose_transforms: expected a transformation; got none")
    with tf.name_scope("compose_transforms"):
        composed = flat_transforms_to_matrices(transforms[0])
        for one in transforms[1:]:
            composed = tf.matmul(composed, flat_transforms_to_matrices(one))
        return matrices_to_flat_transforms(composed)
