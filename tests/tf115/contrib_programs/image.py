"""Programs of tf.contrib.image."""

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
