"""Connected components of images."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import seeds as _seeds


def connected_components(images):
    """Return the number of the component of each pixel, int32 of the images' shape; 0 where the image is 0 or False.

    Neighbours above, below, left and right with equal values are connected. Components are numbered from 1 through all
    images, by their first pixels.

    Args:
        images: bool or numbers, [height, width] or [batch, height, width].

    Raises:
        TypeError: another rank.
    """
    images = tf.convert_to_tensor(images)
    rank = images.shape.ndims
    if rank not in (2, 3):
        raise TypeError(f"images should have rank 2 (HW) or 3 (NHW). Static shape is {images.shape}")
    with tf.name_scope("connected_components"), _seeds.counts_as(70 if rank == 2 else 62):
        values = images[None] if rank == 2 else images
        if values.dtype == tf.bool:
            values = tf.cast(values, tf.int32)
        is_part = tf.not_equal(values, tf.zeros([], values.dtype))
        places = tf.reshape(tf.range(1, tf.size(values) + 1), tf.shape(values))  # each pixel's own number
        below = tf.logical_and(tf.equal(values[:, :-1], values[:, 1:]), is_part[:, 1:])
        right = tf.logical_and(tf.equal(values[:, :, :-1], values[:, :, 1:]), is_part[:, :, 1:])

        def smaller(labels, joined):
            """Return labels [batch, n, others] after each took the least of its own and of those it is joined with."""
            least = tf.minimum(labels[:, :-1], labels[:, 1:])
            with_next = tf.concat([tf.where(joined, least, labels[:, :-1]), labels[:, -1:]], 1)
            with_last = tf.concat([labels[:, :1], tf.where(joined, least, labels[:, 1:])], 1)
            return tf.minimum(with_next, with_last)

        def step(labels, _):
            turned = tf.transpose(smaller(labels, below), [0, 2, 1])
            spread = tf.transpose(smaller(turned, tf.transpose(right, [0, 2, 1])), [0, 2, 1])
            known = tf.concat([[0], tf.reshape(spread, [-1])], 0)
            spread = tf.gather(known, spread)  # the label of the pixel that gave the label
            return spread, tf.reduce_any(tf.not_equal(spread, labels))

        start = tf.where(is_part, places, tf.zeros_like(places))
        labels, _ = tf.while_loop(lambda labels, changed: changed, step, [start, tf.constant(True)], back_prop=False,
                                  shape_invariants=[start.shape, tf.TensorShape([])])
        is_first = tf.logical_and(is_part, tf.equal(labels, places))
        numbers = tf.concat([[0], tf.cumsum(tf.cast(tf.reshape(is_first, [-1]), tf.int32))], 0)
        components = tf.gather(numbers, labels)
        components.set_shape(values.shape)
        return components[0] if rank == 2 else components
