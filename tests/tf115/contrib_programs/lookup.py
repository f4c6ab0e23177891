"""Programs of tf.contrib.lookup."""
import os
import tempfile

from tests.tf115.contrib_programs import call


def _file(*lines):
    """Return the path of a file of these lines; its name has no part in what is compared."""
    path = os.path.join(tempfile.gettempdir(), "tf1_autoencoders_lookup_%s.txt" % "_".join(lines).replace("\t", "-"))
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


@call
def lookup_index_table(c):
    lookup, tf = c.tf.contrib.lookup, c.tf
    words = tf.constant([["a", "lake"], ["zebra", "b"]])
    tables = [lookup.index_table_from_tensor(tf.constant(["a", "b", "lake"]), num_oov_buckets=2),
              lookup.index_table_from_tensor(["a", "b"], default_value=-7),
              lookup.index_table_from_file(_file("b", "a"), num_oov_buckets=1, vocab_size=2),
              lookup.string_to_index_table_from_file(_file("b", "lake"), default_value=4),
              lookup.string_to_index_table_from_tensor(["b", "zebra"], 3, hasher_spec=lookup.StrongHashSpec([3, 5]))]
    found = [table.lookup(words) for table in tables] + [lookup.string_to_index(words, ["lake", "zebra"])]
    return tf.cast(tf.concat(found, 1), tf.float32) + tf.get_variable("v", [2, 12])


@call
def lookup_strings(c):
    lookup, tf = c.tf.contrib.lookup, c.tf
    ids = tf.constant([0, 1, 5], tf.int64)
    tables = [lookup.index_to_string_table_from_tensor(["x", "yy"]),
              lookup.index_to_string_table_from_file(_file("1", "22"), default_value="none")]
    words = [table.lookup(ids) for table in tables] + [lookup.index_to_string(ids, ["c"], default_value="zz")]
    return tf.cast(tf.strings.length(tf.stack(words)), tf.float32)


@call
def lookup_HashTable(c):
    lookup, tf = c.tf.contrib.lookup, c.tf
    table = lookup.HashTable(lookup.KeyValueTensorInitializer(["a", "b"], [3.0, 4.0]), -1.0)
    lines = lookup.HashTable(lookup.TextFileInitializer(_file("k\t7", "l\t8"), tf.string, 0, tf.int64, 1), 0)
    buckets = lookup.IdTableWithHashBuckets(lookup.HashTable(lookup.TextFileIdTableInitializer(_file("m", "n")), -1), 2)
    found = [table.lookup(tf.constant(["b", "z"])), tf.cast(lines.lookup(tf.constant(["l", "q"])), tf.float32),
             tf.cast(buckets.lookup(tf.constant(["n", "o"])), tf.float32)]
    return tf.stack(found + [tf.cast(tf.fill([2], table.size()), tf.float32)])


@call
def lookup_MutableHashTable(c):
    lookup, tf = c.tf.contrib.lookup, c.tf
    table = lookup.MutableHashTable(tf.string, tf.int64, -1)
    dense = lookup.MutableDenseHashTable(tf.int64, tf.float32, default_value=[-1.0, 0.0], empty_key=0, deleted_key=-9)
    first = table.insert(tf.constant(["a", "b"]), tf.constant([5, 6], tf.int64))
    second = dense.insert(tf.constant([11, 12], tf.int64), tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    with tf.control_dependencies([first, second]):
        found = [tf.cast(table.lookup(tf.constant(["b", "c"])), tf.float32),
                 tf.reduce_sum(dense.lookup(tf.constant([12, 13], tf.int64)), 1)]
        return tf.stack(found + [tf.cast(tf.fill([2], table.size() + dense.size()), tf.float32)])
