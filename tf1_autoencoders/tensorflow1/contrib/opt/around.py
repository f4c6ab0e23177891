"""Around an optimizer: moving averages of the variables, variables of a limited length, gradients that are all zero."""
from __future__ import annotations

import functools

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import seeds as _seeds


class MovingAverageOptimizer(tf.train.Optimizer):  # type: ignore[name-defined,misc]
    """An optimizer that also keeps moving averages of the variables, which swapping_saver saves in their place.

    Args:
        opt: tf.train.Optimizer.
        average_decay, num_updates: as for tf.train.ExponentialMovingAverage.
        sequential_update: whether an average takes the value after the step, or any value around it.
    """

    def __init__(self, opt, average_decay=0.9999, num_updates=None, sequential_update=True):
        self._optimizer = opt
        self._ema = tf.train.ExponentialMovingAverage(average_decay, num_updates=num_updates)
        self._swapped_names = None
        self._sequential_update = sequential_update

    def compute_gradients(self, *args, **kwargs):
        """Return [(gradient, variable)] of the inner optimizer."""
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """Return the operation that makes a step and moves the averages."""
        grads_and_vars = list(grads_and_vars)
        step = self._optimizer.apply_gradients(grads_and_vars, global_step=global_step, name=name)
        variables = [variable for gradient, variable in grads_and_vars if gradient is not None]
        with tf.control_dependencies([step] if self._sequential_update else []):
            averages = self._ema.apply(variables)
        self._swapped_names = {}
        for variable in variables:
            average = self._ema.average(variable)
            self._swapped_names[variable.op.name] = average.op.name
            self._swapped_names[average.op.name] = variable.op.name
        return tf.group(step, averages, name="train_with_avg")

    def swapping_saver(self, var_list=None, name="swapping_saver", **kwargs):
        """Return a Saver that exchanges the variables and their averages.

        Args:
            var_list: variables or {name: variable}; None for all global variables.
            kwargs: of tf.train.Saver.

        Raises:
            RuntimeError: apply_gradients or minimize was not called.
            ValueError: an average is not among the variables.
        """
        if self._swapped_names is None:
            raise RuntimeError("Must call apply_gradients or minimize before creating the swapping_saver")
        if var_list is None:
            var_list = tf.global_variables()
        named = dict(var_list) if isinstance(var_list, dict) else {one.op.name: one for one in var_list}
        by_name = {one.op.name: one for one in named.values()}
        swapped = {}
        for key, variable in named.items():
            other = self._swapped_names.get(variable.op.name, variable.op.name)
            if other not in by_name:
                raise ValueError(f"Variable to swap {other} is not in variables to save.")
            swapped[key] = by_name[other]
        return tf.train.Saver(swapped, name=name, **kwargs)


class VariableClippingOptimizer(tf.train.Optimizer):  # type: ignore[name-defined,misc]
    """An optimizer that shortens variables after each step.

    Args:
        opt: tf.train.Optimizer.
        vars_to_clip_dims: {variable: dimensions over which the length is taken}.
        max_norm: the greatest length.
        colocate_clip_ops_with_vars: whether the operations stand on the devices of their variables.
    """

    def __init__(self, opt, vars_to_clip_dims, max_norm, use_locking=False, colocate_clip_ops_with_vars=False,
                 name="VariableClipping"):
        super().__init__(use_locking, name)
        self._opt, self._max_norm, self._colocate = opt, max_norm, colocate_clip_ops_with_vars
        self._dims = {id(variable): dims for variable, dims in vars_to_clip_dims.items()}

    def compute_gradients(self, *args, **kwargs):
        """Return [(gradient, variable)] of the inner optimizer."""
        return self._opt.compute_gradients(*args, **kwargs)

    def get_slot(self, *args, **kwargs):
        """Return a slot of the inner optimizer."""
        return self._opt.get_slot(*args, **kwargs)

    def get_slot_names(self, *args, **kwargs):
        """Return the names of the inner optimizer's slots."""
        return self._opt.get_slot_names(*args, **kwargs)

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """Return the operation that makes a step and shortens the variables."""
        grads_and_vars = list(grads_and_vars)
        with tf.name_scope(self._name):
            update = self._opt.apply_gradients(grads_and_vars, global_step=global_step)
            clips = []
            with tf.control_dependencies([update]):
                for gradient, variable in grads_and_vars:
                    if gradient is None or id(variable) not in self._dims:
                        continue
                    with tf.name_scope("clip_" + variable.op.name):
                        clips.append(self._clipped(gradient, variable))
            return tf.group(*clips, name=name)

    def _clipped(self, gradient, variable):
        """Return the variable after it was shortened; only the rows of a sparse gradient, if rows have lengths."""
        dims = self._dims[id(variable)]
        if isinstance(gradient, tf.IndexedSlices) and 0 not in dims:
            rows = tf.gather(variable, gradient.indices)
            delta = rows - tf.clip_by_norm(rows, self._max_norm, dims)
            return tf.scatter_sub(variable, gradient.indices, delta, use_locking=self._use_locking)
        value = variable.read_value()
        delta = value - tf.clip_by_norm(value, self._max_norm, dims)
        return variable.assign_sub(delta, use_locking=self._use_locking)


class MultitaskOptimizerWrapper:
    """An optimizer that leaves a variable and its slots as they are where all of the gradient is zero.

    Args:
        opt: tf.train.Optimizer, which is changed so.

    Raises:
        TypeError: opt is no optimizer.
    """

    def __init__(self, opt):
        if not isinstance(opt, tf.train.Optimizer):
            raise TypeError(f"Supplied optimizer must be an instance of tf.train.Optimizer; got {type(opt).__name__}")
        self._opt = opt
        for name in ("_apply_dense", "_resource_apply_dense", "_apply_sparse", "_resource_apply_sparse"):
            setattr(opt, name, functools.partial(self._unless_zero, getattr(opt, name)))

    @staticmethod
    def _unless_zero(apply, gradient, *arguments):
        with _seeds.more(1):
            return tf.cond(tf.equal(tf.count_nonzero(gradient), 0), tf.no_op, lambda: apply(gradient, *arguments))

    def __getattr__(self, name):
        return getattr(self._opt, name)


def clip_gradients_by_global_norm(gradients_variables, clip_norm=20.0):
    """Return ([(gradient, variable)], norm float[]): gradients that together are no longer than clip_norm.

    Args:
        gradients_variables: [(gradient or None, variable)].
    """
    gradients, variables = zip(*gradients_variables)
    with _seeds.more(14 * sum(gradient is not None for gradient in gradients)):  # it asked for zeros, which add nothing
        norm = tf.global_norm(gradients)
    clipped, _ = tf.clip_by_global_norm(gradients, clip_norm, use_norm=norm)
    return list(zip(clipped, variables)), norm
