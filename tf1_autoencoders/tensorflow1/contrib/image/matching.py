"""Rows and columns of a matrix of distances, matched to each other."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import seeds as _seeds


def bipartite_match(distance_mat, num_valid_rows, top_k=-1, name="bipartite_match"):
    """Return the column of each row, int32[rows], and the row of each column, int32[columns]; -1 for no match.

    The nearest pair is matched first, then the nearest of the other rows and columns, and so on.

    Args:
        distance_mat: float32[rows, columns].
        num_valid_rows: float[], how many of the first rows may be matched; below 0 for all.
        top_k: int, number of pairs; below 0 for as many as there are.
    """
    distances = tf.convert_to_tensor(distance_mat, tf.float32)
    n_valid = tf.convert_to_tensor(num_valid_rows, tf.float32)
    with tf.name_scope(name), _seeds.counts_as(1):
        n_rows, n_columns = tf.unstack(tf.shape(distances))
        n_valid = tf.where(n_valid < 0, n_rows, tf.cast(n_valid, tf.int32))
        n_pairs = tf.minimum(n_valid, n_columns)
        if top_k >= 0:
            n_pairs = tf.minimum(n_pairs, top_k)

        def step(k, columns, rows):
            is_free = tf.logical_and(tf.logical_and(columns < 0, tf.range(n_rows) < n_valid)[:, None], (rows < 0)[None])
            left = tf.where(is_free, distances, tf.fill(tf.shape(distances), float("inf")))
            nearest = tf.argmin(tf.reshape(left, [-1]), output_type=tf.int32)
            row, column = nearest // n_columns, nearest % n_columns
            return (k + 1, tf.where(tf.equal(tf.range(n_rows), row), tf.fill([n_rows], column), columns),
                    tf.where(tf.equal(tf.range(n_columns), column), tf.fill([n_columns], row), rows))

        unmatched = tf.fill([n_rows], -1), tf.fill([n_columns], -1)
        _, columns, rows = tf.while_loop(lambda k, *_: k < n_pairs, step, (0, *unmatched), back_prop=False)
        sizes = distances.shape.with_rank(2).as_list()
        columns.set_shape(sizes[:1])
        rows.set_shape(sizes[1:])
    return columns, rows
