"""Sequences of beams followed back to their beginning, and batches repeated for beams."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import seeds as _seeds


def gather_tree(step_ids, parent_ids, max_sequence_lengths, end_token, name=None):
    """Return the sequences of beams, int32[time, batch, beam], followed back from their last ids.

    Args:
        step_ids: int32[time, batch, beam], the id of each step.
        parent_ids: int32[time, batch, beam], the beam of the step before that it continues.
        max_sequence_lengths: int32[batch]; what comes later is `end_token`.
        end_token: int32[], which also fills a sequence after its first one.
    """
    expected = _seeds.count() + 1 + sum(not tf.is_tensor(one) for one in (step_ids, parent_ids, max_sequence_lengths,
                                                                         end_token))
    with tf.name_scope(name, "GatherTree", [step_ids, parent_ids]):
        ids, parents = (tf.convert_to_tensor(one, tf.int32) for one in (step_ids, parent_ids))
        lengths = tf.convert_to_tensor(max_sequence_lengths, tf.int32)
        end = tf.convert_to_tensor(end_token, tf.int32)
        n_steps, batch_size, width = tf.unstack(tf.shape(ids))
        last = tf.tile(tf.expand_dims(tf.range(width), 0), [batch_size, 1])

        def follow(state, step):
            beam, _ = state
            step_ids, step_parents, time = step
            inside = tf.tile(tf.expand_dims(time < lengths, 1), [1, width])
            own = tf.where(inside, tf.gather(step_ids, beam, batch_dims=1), tf.fill([batch_size, width], end))
            return tf.where(inside, tf.gather(step_parents, beam, batch_dims=1), beam), own

        # of the first step, the parent is no beam
        parents = tf.concat([tf.maximum(parents[:1], 0), parents[1:]], 0)
        _, found = tf.scan(follow, (ids, parents, tf.range(n_steps)), (last, last), reverse=True)
        ended = tf.cumsum(tf.cast(tf.equal(found, end), tf.int32), 0, exclusive=True) > 0
        beams = tf.where(ended, tf.fill(tf.shape(found), end), found)
        beams.set_shape(ids.shape)
    _seeds.shift(expected - _seeds.count())
    return beams


def tile_batch(t, multiplier, name=None):
    """Return (a nest of) tensors [batch * multiplier, ...]: each element of the batch repeated, one after the other.

    Args:
        multiplier: int, the width of the beam.

    Raises:
        ValueError: the rank is unknown or 0.
    """
    def tiled(one):
        one = tf.convert_to_tensor(one, name="t")
        sizes = tf.shape(one)
        if one.shape.ndims is None or one.shape.ndims < 1:
            raise ValueError("t must have statically known rank")
        repeated = tf.tile(tf.expand_dims(one, 1), [1, multiplier] + [1] * (one.shape.ndims - 1))
        repeated = tf.reshape(repeated, tf.concat(([sizes[0] * multiplier], sizes[1:]), 0))
        batch = one.shape.as_list()[0]
        repeated.set_shape(tf.TensorShape([None if batch is None else batch * multiplier]).concatenate(one.shape[1:]))
        return repeated

    with tf.name_scope(name, "tile_batch", tf.nest.flatten(t) + [multiplier]):
        return tf.nest.map_structure(tiled, t)


def gather_tree_from_array(t, parent_ids, sequence_length):
    """Return values [time, batch, beam, ...] in the order of the sequences that gather_tree gives.

    Args:
        t: values [time, batch * beam, ...] or [time, batch, beam, ...].
        parent_ids: int32[time, batch, beam].
        sequence_length: int[batch, beam].
    """
    sizes = parent_ids.shape.as_list()
    n_steps = tf.shape(parent_ids)[0] if sizes[0] is None else sizes[0]
    batch_size = tf.shape(parent_ids)[1] if sizes[1] is None else sizes[1]
    width = tf.shape(parent_ids)[2] if sizes[2] is None else sizes[2]
    beams = tf.expand_dims(tf.expand_dims(tf.range(width), 0), 0)
    beams = tf.tile(beams, [n_steps, batch_size, 1])
    longest = tf.cast(tf.reduce_max(sequence_length, axis=1), tf.int32)
    ordered = gather_tree(beams, parent_ids, longest, width + 1)
    inside = tf.transpose(tf.sequence_mask(sequence_length, maxlen=n_steps), perm=[2, 0, 1])
    ordered = tf.where(inside, ordered, beams)
    times = tf.tile(tf.reshape(tf.range(n_steps), [-1, 1, 1]), [1, batch_size, width])
    rows = tf.tile(tf.reshape(tf.range(batch_size), [-1, 1, 1]), [1, n_steps, width])
    rows = tf.transpose(rows, perm=[1, 0, 2])
    places = tf.stack([times, rows, ordered], -1)
    shape = tf.shape(t)
    return tf.reshape(tf.gather_nd(tf.reshape(t, [n_steps, batch_size, width, -1]), places), shape)
