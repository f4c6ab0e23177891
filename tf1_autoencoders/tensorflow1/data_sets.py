"""Data sets, their iterators and the parsing of examples, whose operations changed since TensorFlow 1.15.

Each function here has TensorFlow's own function as its first argument, as in compositions.
"""
from __future__ import annotations

import weakref

import numpy as np
from tensorflow.python.framework import constant_op, dtypes, ops, tensor_shape, tensor_util
from tensorflow.python.ops import gen_dataset_ops

from tf1_autoencoders.tensorflow1 import seeds

_OPS = "tensorflow.python.ops"


def _is_copied_to_device(dataset):
    dataset = getattr(dataset, "_dataset", dataset)
    return type(dataset).__name__ == "_CopyToDeviceDataset" or any(map(_is_copied_to_device, dataset._inputs()))


@seeds.replaces("tensorflow.python.data.ops.dataset_ops:DatasetV1._make_initializable_iterator")
def make_initializable_iterator(original, self, shared_name=None):
    """An initialisable iterator; 1.15 put two data sets around most of them: optimisation and its model."""
    seeds.shift(0 if _is_copied_to_device(self) else 3)
    return original(self, shared_name)


@seeds.replaces("tensorflow.python.data.ops.dataset_ops:DatasetV2.rejection_resample")
def rejection_resample(original, *args, **kwargs):
    with seeds.more(1):  # the classes were made twice
        return original(*args, **kwargs)


@seeds.replaces("tensorflow.python.ops.gen_experimental_dataset_ops:csv_dataset_v2")
def csv_dataset(original, *args, **kwargs):
    seeds.shift(-1)  # it had no columns to leave out
    return original(*args, **kwargs)


_joined: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # operation of `repeat` -> function: the two apart


def _n_keys(*params):
    return sum(len(keys) for param in params for keys in (param.sparse_keys, param.dense_keys))


@seeds.replaces(f"{_OPS}.parsing_ops:_parse_example_raw")
def parse_example(original, serialized, names, params, name):
    """Features of one or of several serialized examples; today four constants hold names and keys of both."""
    values = original(serialized, names, params, name)
    shape = getattr(serialized, "shape", None)
    is_single = np.ndim(serialized) == 0 if shape is None else tensor_shape.TensorShape(shape).rank == 0
    seeds.shift(-4 if is_single else _n_keys(params) - 3)  # attributes, or a constant of the names and of each key
    return values


@seeds.replaces(f"{_OPS}.parsing_ops:_parse_single_sequence_example_raw")
def parse_single_sequence_example(original, serialized, context, feature_list, debug_name, name=None):
    """Features of a serialized sequence; in 1.15 each key was a constant."""
    values = original(serialized, context, feature_list, debug_name, name)
    seeds.shift(_n_keys(context, feature_list) - 6)
    return values


@seeds.replaces("tensorflow.python.data.ops.repeat_op:_repeat")
def repeat(original, input_dataset, count, name):
    """Repetition; directly after a shuffle that reshuffles, 1.15 ran both as one operation."""
    shuffled = getattr(input_dataset, "_dataset", input_dataset)
    if type(shuffled).__name__ != "_ShuffleDataset" or shuffled._reshuffle_each_iteration is False:
        return original(input_dataset, count, name)
    from tensorflow.python.data.ops import dataset_ops
    from tensorflow.python.data.util import structure
    spec, source = shuffled.element_spec, shuffled._input_dataset
    kinds = {"output_shapes": structure.get_flat_tensor_shapes(spec),
             "output_types": structure.get_flat_tensor_types(spec)}
    number = constant_op.constant(-1, dtypes.int64, name="count") if count is None else \
        ops.convert_to_tensor(count, dtypes.int64, name="count")
    variant = gen_dataset_ops.shuffle_and_repeat_dataset(
        source._variant_tensor, buffer_size=shuffled._buffer_size, seed=shuffled._seed, seed2=shuffled._seed2,
        count=number, **kinds)
    _joined[variant.op] = lambda: gen_dataset_ops.repeat_dataset(shuffled._variant_tensor, number, **kinds)
    return dataset_ops.UnaryUnchangedStructureDataset(source, variant)


@seeds.replaces("tensorflow.python.data.ops.iterator_ops:Iterator.make_initializer")
def make_initializer(original, self, dataset, name=None):
    """Initialisation of an iterator that knows a structure only: there, 1.15 ran a shuffle and its repetition apart."""
    initializer = original(self, dataset, name)
    before, pending, seen = seeds.count(), [initializer], set()
    while pending:
        operation = pending.pop()
        for k, tensor in enumerate(operation.inputs):
            if tensor.op in _joined:
                operation._update_input(k, _joined[tensor.op]())
            elif tensor.dtype == dtypes.variant and tensor.op not in seen:
                seen.add(tensor.op)
                pending.append(tensor.op)
    seeds.shift(before - seeds.count())
    return initializer


@seeds.replaces("tensorflow.python.ops.gen_dataset_ops:shuffle_and_repeat_dataset")
def shuffle_and_repeat_dataset(original, *args, count, **kwargs):
    """Shuffle and repetition as one operation; in 1.15 one generator drew for all epochs.

    Here the first epoch has the order of 1.15, and the later ones are shuffled anew, in other orders than there.
    """
    number = tensor_util.constant_value(count)
    if number is None or number == 1:
        return original(*args, count=count, reshuffle_each_iteration=False, **kwargs)
    before = seeds.count()
    first, others = (original(*args, count=constant_op.constant(n, dtypes.int64), reshuffle_each_iteration=reshuffled,
                              **kwargs) for n, reshuffled in ((1, False), (max(number - 1, -1), True)))
    joined = gen_dataset_ops.concatenate_dataset(
        first, others, output_types=kwargs["output_types"], output_shapes=kwargs["output_shapes"])
    seeds.shift(before + 1 - seeds.count())
    return joined


@seeds.replaces("tensorflow.python.ops.gen_dataset_ops:rewrite_dataset")
def rewritten_dataset(original, *args, **kwargs):
    seeds.shift(-2)  # the counter of `enumerate` and its like: 1.15 did not rewrite it
    return original(*args, **kwargs)


@seeds.replaces("tensorflow.python.ops.gen_experimental_dataset_ops:legacy_parallel_interleave_dataset_v2")
def parallel_interleave(original, *args, **kwargs):
    seeds.shift(1)
    return original(*args, **kwargs)
