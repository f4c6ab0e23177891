"""tf.contrib.lookup of TensorFlow 1.15: tables, most of which TensorFlow still has inside.

Source of every name: tf.contrib.lookup of TensorFlow 1.15.5. A table is initialised by tf.tables_initializer(), except
the mutable ones, and is asked by `table.lookup(keys)`.
"""
from __future__ import annotations

from tensorflow.python.ops import lookup_ops as _tables

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib

FastHashSpec, HasherSpec, StrongHashSpec = _tables.FastHashSpec, _tables.HasherSpec, _tables.StrongHashSpec
IdTableWithHashBuckets, KeyValueTensorInitializer = _tables.IdTableWithHashBuckets, _tables.KeyValueTensorInitializer
InitializableLookupTableBase, LookupInterface = _tables.InitializableLookupTableBase, _tables.LookupInterface
MutableDenseHashTable, MutableHashTable = _tables.DenseHashTable, _tables.MutableHashTable
TableInitializerBase, TextFileInitializer = _tables.TableInitializerBase, _tables.TextFileInitializer
TextFileIdTableInitializer, TextFileIndex = _tables.TextFileIdTableInitializer, _tables.TextFileIndex
TextFileStringTableInitializer = _tables.TextFileStringTableInitializer
index_table_from_file = _tables.index_table_from_file
index_to_string_table_from_file = _tables.index_to_string_table_from_file


class HashTable(_tables.StaticHashTableV1):
    """A table that does not change once it is initialised.

    Args:
        initializer: such as KeyValueTensorInitializer or TextFileInitializer.
        default_value: for keys that the table does not have.
        shared_name: name under which sessions share the table; None for none.
        name: of the operations; None for `hash_table`.
    """

    def __init__(self, initializer, default_value, shared_name=None, name=None):
        self._shared_name_of_table = shared_name
        super().__init__(initializer, default_value, name or "hash_table")


def index_table_from_tensor(mapping, num_oov_buckets=0, default_value=-1, hasher_spec=FastHashSpec, dtype=tf.string,
                            name=None):
    """Return a table from the elements of a vector to their positions, int64.

    Args:
        mapping: dtype[n] without repeated elements.
        num_oov_buckets: number of further ids, for keys that the vector does not have.
        default_value: id of such keys if there are no buckets.
        hasher_spec: how they are spread over the buckets.

    Raises:
        ValueError: there is no mapping.
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    return _tables.index_table_from_tensor(mapping, num_oov_buckets, default_value, hasher_spec, dtype, name)


def string_to_index_table_from_tensor(mapping, num_oov_buckets=0, default_value=-1, hasher_spec=FastHashSpec,
                                      name=None):
    """Return index_table_from_tensor for strings."""
    return index_table_from_tensor(mapping, num_oov_buckets, default_value, hasher_spec, tf.string, name)


def string_to_index_table_from_file(vocabulary_file=None, num_oov_buckets=0, vocab_size=None, default_value=-1,
                                    hasher_spec=FastHashSpec, name=None):
    """Return a table from the lines of a file to their numbers, int64; arguments as for tf.contrib.lookup's others."""
    return index_table_from_file(vocabulary_file, num_oov_buckets, vocab_size, default_value, hasher_spec, name=name)


def string_to_index(tensor, mapping, default_value=-1, name=None):
    """Return the positions of strings in a vector, int64 of the tensor's shape."""
    table = index_table_from_tensor(mapping=mapping, default_value=default_value, name=name)
    return table.lookup(tensor)


def index_to_string_table_from_tensor(mapping, default_value="UNK", name=None):
    """Return a table from positions in a vector string[n] to its elements.

    Raises:
        ValueError: there is no mapping.
    """
    if mapping is None:
        raise ValueError("mapping must be specified.")
    return _tables.index_to_string_table_from_tensor(mapping, default_value, name)


def index_to_string(tensor, mapping, default_value="UNK", name=None):
    """Return the strings at positions of a vector, string of the tensor's shape; positions are int64."""
    table = index_to_string_table_from_tensor(mapping=mapping, default_value=default_value, name=name)
    return table.lookup(tensor)


__getattr__ = _contrib.explain_missing(__name__, ("lookup_ops", "ops"))
