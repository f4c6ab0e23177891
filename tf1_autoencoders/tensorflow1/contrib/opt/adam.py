"""Variants of Adam: lazy for sparse gradients, with Nesterov's momentum, with the maximum norm."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import seeds as _seeds


def _scatter(kind, variable, indices, values, use_locking):
    """Return the variable after `kind` ("update", "add" or "sub") of some of its rows."""
    if hasattr(variable, "handle"):  # a resource variable
        with tf.control_dependencies([getattr(variable, f"scatter_{kind}")(tf.IndexedSlices(values, indices))]):
            return variable.value()
    return getattr(tf, f"scatter_{kind}")(variable, indices, values, use_locking=use_locking)


class _SparseAdam(tf.train.AdamOptimizer):  # type: ignore[name-defined,misc]
    """Adam whose update of some rows is `_apply_rows(gradient of the rows, variable, indices)`."""

    def _apply_sparse(self, grad, var):
        return self._apply_rows(grad.values, var, grad.indices)

    def _resource_apply_sparse(self, grad, var, indices):
        return self._apply_rows(grad, var, indices)

    def _constants(self, dtype):
        """Return (beta1, beta2, epsilon, learning rate) of this type."""
        return (tf.cast(self._beta1_t, dtype), tf.cast(self._beta2_t, dtype), tf.cast(self._epsilon_t, dtype),
                tf.cast(self._lr_t, dtype))

    def _for_rows(self, variable):
        """Return (m, v, beta1, beta2, epsilon, rate of this step) for the rows of a variable."""
        dtype = variable.dtype.base_dtype
        beta1_power, beta2_power = (tf.cast(power, dtype) for power in self._get_beta_accumulators())
        beta1, beta2, epsilon, rate = self._constants(dtype)
        rate = rate * tf.sqrt(1 - beta2_power) / (1 - beta1_power)
        return self.get_slot(variable, "m"), self.get_slot(variable, "v"), beta1, beta2, epsilon, rate


class LazyAdamOptimizer(_SparseAdam):
    """Adam that updates the moments of only those rows of a table that the gradient has.

    Args:
        beta1, beta2, epsilon: as for tf.train.AdamOptimizer.
    """

    def _apply_rows(self, gradient, variable, indices):
        m, v, beta1, beta2, epsilon, rate = self._for_rows(variable)
        new_m = _scatter("update", m, indices, beta1 * tf.gather(m, indices) + (1 - beta1) * gradient,
                         self._use_locking)
        new_v = _scatter("update", v, indices, beta2 * tf.gather(v, indices) + (1 - beta2) * tf.square(gradient),
                         self._use_locking)
        m_rows, v_rows = tf.gather(new_m, indices), tf.gather(new_v, indices)
        denominator = tf.sqrt(v_rows) + epsilon
        update = _scatter("sub", variable, indices, rate * m_rows / denominator, self._use_locking)
        return tf.group(update, new_m, new_v)


class _StepsOfProgram(tf.train.AdamOptimizer):  # type: ignore[name-defined,misc]
    """Adam whose number of steps is a global step, which the program counts."""

    def __init__(self, global_step=0, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, use_locking=False,
                 name="Adam"):
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)
        self._global_step = global_step

    def _get_beta_accumulators(self):
        return tf.pow(self._beta1_t, self._step), tf.pow(self._beta2_t, self._step)

    def _create_slots(self, var_list):
        for variable in var_list:
            self._zeros_slot(variable, "m", self._name)
            self._zeros_slot(variable, "v", self._name)

    def _prepare(self):
        super()._prepare()
        with _seeds.more(1):
            self._step = tf.cast(self._global_step, tf.float32) + 1

    def _finish(self, update_ops, name_scope):
        return tf.train.Optimizer._finish(self, update_ops, name_scope)


class AdamGSOptimizer(_StepsOfProgram):
    """Adam whose number of steps is a global step.

    Args:
        global_step: integer variable or tensor, the number of steps before this one.
        beta1, beta2, epsilon: as for tf.train.AdamOptimizer.
    """


class LazyAdamGSOptimizer(_StepsOfProgram, LazyAdamOptimizer):
    """LazyAdamOptimizer whose number of steps is a global step; arguments as for AdamGSOptimizer."""


class NadamOptimizer(_SparseAdam):
    """Adam with Nesterov's momentum.

    Args:
        beta1, beta2, epsilon: as for tf.train.AdamOptimizer.

    Source: Dozat (2016), Incorporating Nesterov Momentum into Adam.
    """

    def _apply_dense(self, grad, var):
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        beta1_power, beta2_power = self._get_beta_accumulators()
        dtype = var.dtype.base_dtype
        beta1, beta2, epsilon, rate = self._constants(dtype)
        return tf.raw_ops.ApplyAdam(
            var=var._ref(), m=m._ref(), v=v._ref(), beta1_power=tf.cast(beta1_power, dtype),
            beta2_power=tf.cast(beta2_power, dtype), lr=rate, beta1=beta1, beta2=beta2, epsilon=epsilon, grad=grad,
            use_locking=self._use_locking, use_nesterov=True).op

    def _resource_apply_dense(self, grad, var):
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        beta1_power, beta2_power = self._get_beta_accumulators()
        dtype = grad.dtype.base_dtype
        beta1, beta2, epsilon, rate = self._constants(dtype)
        return tf.raw_ops.ResourceApplyAdam(
            var=var.handle, m=m.handle, v=v.handle, beta1_power=tf.cast(beta1_power, dtype),
            beta2_power=tf.cast(beta2_power, dtype), lr=rate, beta1=beta1, beta2=beta2, epsilon=epsilon, grad=grad,
            use_locking=self._use_locking, use_nesterov=True)

    def _apply_rows(self, gradient, variable, indices):
        m, v, beta1, beta2, epsilon, rate = self._for_rows(variable)
        scaled = gradient * (1 - beta1)
        decayed = tf.assign(m, m * beta1, use_locking=self._use_locking)
        with tf.control_dependencies([decayed]):
            new_m = _scatter("add", m, indices, scaled, self._use_locking)
        bar = scaled + beta1 * tf.gather(new_m, indices)
        squared = (gradient * gradient) * (1 - beta2)
        decayed = tf.assign(v, v * beta2, use_locking=self._use_locking)
        with tf.control_dependencies([decayed]):
            new_v = _scatter("add", v, indices, squared, self._use_locking)
        root = tf.sqrt(tf.gather(new_v, indices))
        update = _scatter("add", variable, indices, -rate * bar / (root + epsilon), self._use_locking)
        return tf.group(update, bar, new_v)


class AdaMaxOptimizer(_SparseAdam):
    """Adam with the maximum norm in the place of the second moment.

    Args:
        beta1, beta2, epsilon: as for tf.train.AdamOptimizer.

    Source: arXiv:1412.6980, section 7.
    """

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, use_locking=False, name="AdaMax"):
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)

    def _get_beta_accumulators(self):
        return self._get_non_slot_variable("beta1_power", graph=tf.get_default_graph())

    def _create_slots(self, var_list):
        first = min(var_list, key=lambda variable: variable.name)
        self._create_non_slot_variable(initial_value=self._beta1, name="beta1_power", colocate_with=first)
        for variable in var_list:
            self._zeros_slot(variable, "m", self._name)
            self._zeros_slot(variable, "v", self._name)

    def _apply_dense(self, grad, var):
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        beta1, beta2, epsilon, rate = self._constants(var.dtype.base_dtype)
        return tf.raw_ops.ApplyAdaMax(
            var=var._ref(), m=m._ref(), v=v._ref(),
            beta1_power=tf.cast(self._get_beta_accumulators(), var.dtype.base_dtype), lr=rate, beta1=beta1, beta2=beta2,
            epsilon=epsilon, grad=grad, use_locking=self._use_locking).op

    def _resource_apply_dense(self, grad, var):
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        beta1, beta2, epsilon, rate = self._constants(grad.dtype.base_dtype)
        return tf.raw_ops.ResourceApplyAdaMax(
            var=var.handle, m=m.handle, v=v.handle,
            beta1_power=tf.cast(self._get_beta_accumulators(), grad.dtype.base_dtype), lr=rate, beta1=beta1,
            beta2=beta2, epsilon=epsilon, grad=grad, use_locking=self._use_locking)

    def _apply_rows(self, gradient, variable, indices):
        beta1_power = tf.cast(self._get_beta_accumulators(), variable.dtype.base_dtype)
        beta1, beta2, epsilon, rate = self._constants(variable.dtype.base_dtype)
        m, v = self.get_slot(variable, "m"), self.get_slot(variable, "v")
        m_rows = tf.gather(m, indices) * beta1 + gradient * (1 - beta1)
        with tf.control_dependencies([m_rows]):
            new_m = _scatter("update", m, indices, m_rows, self._use_locking)
        v_rows = tf.maximum(tf.gather(v, indices) * beta2, tf.abs(gradient))
        with tf.control_dependencies([v_rows]):
            new_v = _scatter("update", v, indices, v_rows, self._use_locking)
        step = -rate / (1 - beta1_power) * (m_rows / (v_rows + epsilon))
        with tf.control_dependencies([step]):
            update = _scatter("add", variable, indices, step, self._use_locking)
        return tf.group(update, new_m, new_v)

    def _finish(self, update_ops, name_scope):
        with tf.control_dependencies(update_ops):
            power = self._get_beta_accumulators()
            with tf.get_default_graph().colocate_with(power):
                moved = power.assign(power * self._beta1_t, use_locking=self._use_locking)
        return tf.group(*update_ops, moved, name=name_scope)
