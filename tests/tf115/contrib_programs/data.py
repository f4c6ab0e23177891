"""Programs of tf.contrib.data, whose elements are asked for until their end, and of tf.contrib.learn.datasets."""
import os
import sqlite3
import tempfile

import numpy as np

from tests.tf115.contrib_programs import call


def _data(name, make):
    """Register a program of a data set."""
    def program(c):
        iterator = c.tf.data.make_initializable_iterator(make(c.tf, c.tf.contrib.data))
        element = c.tf.nest.flatten(iterator.get_next())

        def elements(session):
            found = []
            session.run(iterator.initializer)
            for _ in range(40):
                try:
                    found += [np.asarray(getattr(value, "values", value), np.float32).ravel()
                              for value in session.run(element)]
                except c.tf.errors.OutOfRangeError:
                    break
            return np.concatenate(found)

        c.questions["elements"] = elements
        return c.tf.constant(0.0, name="no_output")

    program.__name__ = "data_" + name
    call(program)


def _range(tf, n=10):
    return tf.data.Dataset.range(n)


_data("batch_and_drop_remainder", lambda tf, data: _range(tf).apply(data.batch_and_drop_remainder(3)))
_data("padded_batch", lambda tf, data: _range(tf).map(lambda x: tf.fill([x], x)).apply(
    data.padded_batch_and_drop_remainder(3, [None])))
_data("map_and_batch", lambda tf, data: _range(tf).apply(data.map_and_batch(lambda x: x * 2, 4)))
_data("shuffle_and_repeat", lambda tf, data: _range(tf).apply(data.shuffle_and_repeat(5, 1, seed=3)))
_data("Counter", lambda tf, data: data.Counter(3, 2).take(4))
_data("enumerate_dataset", lambda tf, data: _range(tf, 3).apply(data.enumerate_dataset(5)))
_data("unbatch", lambda tf, data: _range(tf).batch(4).apply(data.unbatch()))
_data("scan", lambda tf, data: _range(tf).apply(data.scan(tf.constant(0, tf.int64), lambda s, x: (s + x, s + x))))
_data("group_by_window", lambda tf, data: _range(tf).apply(data.group_by_window(
    lambda x: x % 2, lambda key, group: group.batch(3), 3)))
_data("group_by_reducer", lambda tf, data: _range(tf).apply(data.group_by_reducer(lambda x: x % 3, data.Reducer(
    lambda key: tf.constant(0, tf.int64), lambda s, x: s + x, lambda s: s))))
_data("bucket_by_sequence_length", lambda tf, data: _range(tf).map(lambda x: tf.fill([x + 1], x)).apply(
    data.bucket_by_sequence_length(tf.size, [4, 8], [2, 2, 2])))
_data("choose_from_datasets", lambda tf, data: data.choose_from_datasets(
    [_range(tf, 3), _range(tf, 4).map(lambda x: x + 10)], tf.data.Dataset.from_tensor_slices(
        tf.constant([0, 1, 1, 0], tf.int64))))
_data("sample_from_datasets", lambda tf, data: data.sample_from_datasets(
    [_range(tf, 5), _range(tf, 5).map(lambda x: x + 10)], [0.3, 0.7], seed=4))
_data("parallel_interleave", lambda tf, data: _range(tf, 4).apply(data.parallel_interleave(
    lambda x: tf.data.Dataset.from_tensors(x).repeat(2), cycle_length=2)))
_data("ignore_errors", lambda tf, data: _range(tf, 4).map(lambda x: tf.check_numerics(
    1.0 / tf.cast(x, tf.float32), "zero")).apply(data.ignore_errors()))
_data("dense_to_sparse_batch", lambda tf, data: _range(tf, 4).map(lambda x: tf.fill([x], x)).apply(
    data.dense_to_sparse_batch(2, [4])).map(lambda x: x.values))


def _file(content, name="rows.csv"):
    """Write a text to a file of its own; return the path."""
    path = os.path.join(tempfile.mkdtemp(), name)
    with open(path, "w") as file:
        file.write(content)
    return path


def _records(tf, data):
    """Return a file with four examples of a whole number and three floats each, written by the package's own writer."""
    path = _file("", "rows.tfrecords")
    examples = [tf.train.Example(features=tf.train.Features(feature={
        "n": tf.train.Feature(int64_list=tf.train.Int64List(value=[n])),
        "x": tf.train.Feature(float_list=tf.train.FloatList(value=[n, n / 2.0, n / 4.0]))})) for n in range(4)]
    write = data.TFRecordWriter(path).write(tf.data.Dataset.from_tensor_slices(
        [example.SerializeToString() for example in examples]))
    with tf.Session() as session:
        session.run(write)
    return path


def _features(tf):
    return {"n": tf.FixedLenFeature([], tf.int64), "x": tf.FixedLenFeature([3], tf.float32)}


def _rows_of_database(tf, data):
    path = _file("", "rows.sqlite")
    with sqlite3.connect(path) as database:
        database.execute("create table rows (n integer, x real)")
        database.executemany("insert into rows values (?, ?)", [(1, 0.5), (2, 1.5)])
    return data.SqlDataset("sqlite", path, "select n, x from rows", (tf.int32, tf.float64))


ROWS = "a,b,c\n1,2.5,7\n,3.5,8\n4,5.5,9\n"
_data("CsvDataset", lambda tf, data: data.CsvDataset(
    _file(ROWS), [[-1.0], tf.float32], header=True, select_cols=[0, 1]))
_data("make_csv_dataset", lambda tf, data: data.make_csv_dataset(
    _file(ROWS), 2, column_defaults=[0.0, 0.0, 0], label_name="c", num_epochs=1, shuffle_seed=5))
_data("make_batched_features_dataset", lambda tf, data: data.make_batched_features_dataset(
    _records(tf, data), 2, _features(tf), reader=tf.data.TFRecordDataset, num_epochs=1, shuffle_seed=5))
_data("parse_example_dataset", lambda tf, data: tf.data.TFRecordDataset(_records(tf, data)).batch(3).apply(
    data.parse_example_dataset(_features(tf))))
_data("SqlDataset", _rows_of_database)
_data("RandomDataset", lambda tf, data: data.RandomDataset(seed=9).take(5).map(lambda x: x % 1000))
_data("rejection_resample", lambda tf, data: _range(tf, 30).map(lambda x: x % 3).apply(data.rejection_resample(
    lambda x: tf.cast(x, tf.int32), [0.8, 0.1, 0.1], [1 / 3.0] * 3, seed=6)).map(lambda kind, x: x).take(9))
_data("unique", lambda tf, data: _range(tf).map(lambda x: x * x % 7).apply(data.unique()))
_data("prefetch_to_device", lambda tf, data: _range(tf, 4).apply(data.prefetch_to_device("/cpu:0")))
_data("copy_to_device", lambda tf, data: _range(tf, 4).apply(data.copy_to_device("/cpu:0")))
_data("sloppy_interleave", lambda tf, data: _range(tf, 3).apply(data.sloppy_interleave(
    lambda x: tf.data.Dataset.from_tensors(x).repeat(2), cycle_length=1)))
_data("sliding_window_batch", lambda tf, data: _range(tf).map(lambda x: (x, {"double": x * 2})).apply(
    data.sliding_window_batch(3, window_shift=2, window_stride=2)))
_data("sliding_window_batch_by_stride", lambda tf, data: _range(tf, 6).apply(data.sliding_window_batch(3, stride=2)))
_data("assert_element_shape", lambda tf, data: _range(tf, 4).map(lambda x: (x, tf.fill([2, x], x))).apply(
    data.assert_element_shape((tf.TensorShape([]), tf.TensorShape([2, None])))))


@call
def data_single_elements(c):
    tf, data = c.tf, c.tf.contrib.data
    iterator = tf.data.make_one_shot_iterator(_range(tf, 2))
    first, ends = data.get_next_as_optional(iterator), []
    assert isinstance(first, data.Optional) and data.AUTOTUNE == -1
    saveable = data.make_saveable_from_iterator(iterator)

    def answers(session):
        values = [session.run(first.get_value())]
        path = tf.train.Saver({"iterator": saveable}).save(session, os.path.join(tempfile.mkdtemp(), "position"))
        ends.extend(session.run(first.has_value()) for _ in range(2))
        tf.train.Saver({"iterator": saveable}).restore(session, path)
        return np.array(values + ends + [session.run(first.get_value())], np.float32)

    c.questions["answers"] = answers
    return tf.cast(data.get_single_element(_range(tf, 4).skip(3)), tf.float32)


@call
def learn_datasets(c):
    datasets, columns = c.tf.contrib.learn.datasets, "5,1.5,2\n6,3.5,4\n"
    with_header = datasets.base.load_csv_with_header(_file("2,2\n" + columns), np.int64, np.float32, target_column=0)
    without = datasets.base.load_csv_without_header(_file(columns), np.int64, np.float32)
    boston = datasets.load_boston(_file("2,2\n" + columns))
    iris = datasets.load_iris(_file("2,2\n1.5,2.5,1\n2.5,0.5,0\n"))
    tables = (with_header, without, boston, iris)
    kinds = [value.dtype.kind + str(value.dtype.itemsize) for table in tables for value in table]
    c.questions["tables"] = lambda session: np.concatenate(
        [np.ravel(value) for table in tables for value in table] + [np.frombuffer("".join(kinds).encode(), np.uint8)])
    return c.tf.constant(0.0, name="no_output")


@call
def learn_iris(c):
    iris = c.tf.contrib.learn.datasets.load_dataset("iris")
    c.questions["iris"] = lambda session: np.concatenate([iris.data.ravel(), iris.target])
    return c.tf.constant(0.0, name="no_output")
