"""Programs of tf.contrib.crf."""
import numpy as np

from tests.tf115.contrib_programs import call


def _lengths(c, *lengths):
    placeholder = c.tf.placeholder(c.tf.int32, [None])
    c.feeds[placeholder] = np.array(lengths, np.int32)
    return placeholder


def _scores(c, n_steps=4, n_tags=5):
    return c.layers.linear(c.floats(3, n_steps, 6), n_tags)


@call
def crf_log_likelihood(c):
    likelihood, _ = c.tf.contrib.crf.crf_log_likelihood(_scores(c), c.integers(5, 3, 4), _lengths(c, 4, 1, 3))
    return c.tf.reduce_mean(-likelihood)


@call
def crf_log_likelihood_unknown_time(c):
    tf = c.tf
    scores, tags = tf.placeholder(tf.float32, [None, None, 5]), tf.placeholder(tf.int32, [None, None])
    draws = np.random.RandomState(5)
    c.feeds.update({scores: draws.standard_normal((3, 4, 5)).astype(np.float32), tags: draws.randint(0, 5, (3, 4))})
    likelihood, transitions = tf.contrib.crf.crf_log_likelihood(scores, tags, _lengths(c, 4, 2, 0))
    decoded, best = tf.contrib.crf.crf_decode(scores, transitions, _lengths(c, 4, 2, 1))
    return tf.concat([likelihood[:, None], best[:, None], tf.cast(decoded, tf.float32)], 1)


@call
def crf_one_step(c):
    tf = c.tf
    transitions = tf.get_variable("mine", [5, 5])
    scores = _scores(c, 1)
    likelihood, _ = tf.contrib.crf.crf_log_likelihood(scores, c.integers(5, 3, 1), _lengths(c, 1, 1, 0), transitions)
    decoded, best = tf.contrib.crf.crf_decode(scores, transitions, _lengths(c, 1, 1, 1))
    return likelihood + best + tf.cast(decoded[:, 0], tf.float32)


@call
def crf_decode(c):
    tf = c.tf
    decoded, best = tf.contrib.crf.crf_decode(_scores(c), tf.get_variable("transitions", [5, 5]), _lengths(c, 4, 2, 3))
    return tf.concat([best[:, None], tf.cast(decoded, tf.float32)], 1)


@call
def crf_scores(c):
    crf, tf = c.tf.contrib.crf, c.tf
    scores, tags, lengths = _scores(c), c.integers(5, 3, 4), _lengths(c, 4, 2, 3)
    transitions = tf.get_variable("transitions", [5, 5])
    bitmap = tf.cast(tf.one_hot(tags, 5) + tf.one_hot([[0] * 4] * 3, 5), tf.bool)
    parts = [crf.crf_sequence_score(scores, tags, lengths, transitions), crf.crf_log_norm(scores, lengths, transitions),
             crf.crf_unary_score(tags, lengths, scores), crf.crf_binary_score(tags, lengths, transitions),
             crf.crf_multitag_sequence_score(scores, bitmap, lengths, transitions)]
    return tf.stack(parts, 1)


@call
def crf_cells(c):
    crf, tf = c.tf.contrib.crf, c.tf
    transitions = tf.get_variable("transitions", [5, 5])
    alphas = tf.nn.dynamic_rnn(crf.CrfForwardRnnCell(transitions), _scores(c), dtype=tf.float32)[1]
    pointers, scores = tf.nn.dynamic_rnn(crf.CrfDecodeForwardRnnCell(transitions), c.fixed(3, 4, 5), dtype=tf.int32,
                                         initial_state=tf.ones([3, 5]))
    tags, _ = tf.nn.dynamic_rnn(crf.CrfDecodeBackwardRnnCell(5), pointers, initial_state=tf.constant([[1], [0], [3]]))
    return c.joined([alphas, scores, tf.cast(tags, tf.float32)])
