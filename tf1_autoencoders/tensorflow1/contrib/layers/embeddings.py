"""Tables of vectors, and sequences of ids looked up in them."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import seeds as _seeds
from tf1_autoencoders.tensorflow1.contrib.framework import (
    model_variable,
)


def embedding_lookup_unique(params, ids, partition_strategy="mod", name=None):
    """Return rows of a table, [..., width]; a row that is wanted several times is looked up once.

    Args:
        params: float[rows, width], or a list of tensors among which the rows are distributed.
        ids: int[...].
        partition_strategy: "mod" or "div", how the rows are distributed.
    """
    with tf.name_scope(name, "EmbeddingLookupUnique", [params, ids]):
        ids = tf.convert_to_tensor(ids)
        shape = tf.shape(ids)
        unique, positions = tf.unique(tf.reshape(ids, tf.reduce_prod(shape, keepdims=True)))
        rows = tf.nn.embedding_lookup(params, unique, partition_strategy)
        embeds = tf.reshape(tf.gather(rows, positions), tf.concat([shape, tf.shape(rows)[1:]], 0))
        embeds.set_shape(ids.shape.concatenate(rows.shape[1:]))
        return embeds


def safe_embedding_lookup_sparse(embedding_weights, sparse_ids, sparse_weights=None, combiner=None, default_id=None,
                                 name=None, partition_strategy="div", max_norm=None):
    """Return for each example the combined rows of its ids, float[..., width]; negative ids are left out.

    Args:
        embedding_weights: float[rows, width], or a list of its parts.
        sparse_ids, sparse_weights: SparseTensor int64[..., ids] and float[..., ids].
        combiner: "mean", "sqrtn" or "sum"; None for "mean".
        default_id: id of an example without any; None for zeros.
        max_norm: length above which a row is shortened.
    """
    outputs = tf.nn.safe_embedding_lookup_sparse(embedding_weights, sparse_ids, sparse_weights, combiner or "mean",
                                                 default_id, name, partition_strategy, max_norm)
    if sparse_weights is None and max_norm is None:
        _seeds.shift(5)  # 1.15 gathered the rows before it combined them
    return outputs


def embed_sequence(ids, vocab_size=None, embed_dim=None, unique=False, initializer=None, regularizer=None,
                   trainable=True, scope=None, reuse=None):
    """Return the rows `ids` of a new table `embeddings`, float32[batch, length, embed_dim]; scope `EmbedSequence`.

    Args:
        ids: int[batch, length].
        vocab_size, embed_dim: shape of the table; both may be None if `reuse` is true.
        unique: whether a row that is wanted several times is looked up once.
        initializer: None for the variable scope's, as a rule Glorot's.

    Raises:
        ValueError: the shape is missing and nothing is reused.
    """
    if not (reuse or (vocab_size and embed_dim)):
        raise ValueError("Must specify vocab size and embedding dimension when not reusing. "
                         f"Got vocab_size={vocab_size} and embed_dim={embed_dim}")
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = [vocab_size, embed_dim]
        if reuse and vocab_size is None or embed_dim is None:
            shape = None  # type: ignore[assignment]
        embeddings = model_variable("embeddings", shape=shape, initializer=initializer, regularizer=regularizer,
                                    trainable=trainable)
        return (embedding_lookup_unique if unique else tf.nn.embedding_lookup)(embeddings, ids)


def bow_encoder(ids, vocab_size, embed_dim, sparse_lookup=True, initializer=None, regularizer=None, trainable=True,
                scope=None, reuse=None):
    """Return the mean of the rows `ids` of a new table `embeddings`, float32[batch, embed_dim]; scope `bow_encoder`.

    Args:
        ids: int32 or int64[batch, length], or such a SparseTensor.
        sparse_lookup: whether zeros of dense ids count as padding.
    """
    with tf.variable_scope(scope, "bow_encoder", [ids], reuse=reuse):
        embeddings = model_variable("embeddings", shape=[vocab_size, embed_dim], initializer=initializer,
                                    regularizer=regularizer, trainable=trainable)
        if isinstance(ids, tf.SparseTensor):
            return safe_embedding_lookup_sparse([embeddings], ids, combiner="mean", default_id=0)
        if not sparse_lookup:
            return tf.reduce_mean(tf.nn.embedding_lookup(embeddings, ids), 1)
        with tf.name_scope("DenseToSparseTensor", values=[ids]):
            padding = tf.cast(0, ids.dtype, name="ignore_value")
            indices = tf.where(tf.not_equal(ids, padding), name="indices")
            sparse = tf.SparseTensor(indices, tf.gather_nd(ids, indices, name="values"),
                                     tf.shape(ids, out_type=tf.int64, name="dense_shape"))
        return safe_embedding_lookup_sparse([embeddings], sparse, combiner="mean", default_id=0)
