"""Optimizers by the sign of the gradient, and by its length: AddSign, PowerSign, LARS."""
from __future__ import annotations

import math

import tf1_autoencoders.tensorflow1 as tf


class _SignOptimizer(tf.train.Optimizer):  # type: ignore[name-defined,misc]
    """What AddSign and PowerSign have in common; `_parameter` is (its name, its value) beside the usual ones."""

    _operation: str

    def __init__(self, learning_rate, beta, sign_decay_fn, use_locking, name, parameter):
        super().__init__(use_locking, name)
        self._lr, self._beta, self._sign_decay_fn, self._parameter = learning_rate, beta, sign_decay_fn, parameter
        self._decay = None

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """Return the operation that applies gradients; sign_decay_fn needs a global step.

        Raises:
            ValueError: there is a sign_decay_fn and no global step.
        """
        if self._sign_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for sign_decay_fn.")
            self._decay = tf.convert_to_tensor(self._sign_decay_fn(global_step), name="sign_decay")
        return super().apply_gradients(grads_and_vars, global_step=global_step, name=name)

    def _create_slots(self, var_list):
        for variable in var_list:
            self._zeros_slot(variable, "m", self._name)

    def _prepare(self):
        self._lr_t = tf.convert_to_tensor(self._lr, name="learning_rate")
        self._beta_t = tf.convert_to_tensor(self._beta, name="beta")
        self._parameter_t = tf.convert_to_tensor(self._parameter[1], name=self._parameter[0])
        if self._sign_decay_fn is None:
            self._decay = tf.convert_to_tensor(1.0, name="sign_decay")

    def _arguments(self, grad, dtype):
        return {"lr": tf.cast(self._lr_t, dtype), self._parameter[0]: tf.cast(self._parameter_t, dtype),
                "sign_decay": tf.cast(self._decay, dtype), "beta": tf.cast(self._beta_t, dtype), "grad": grad,
                "use_locking": self._use_locking}

    def _apply_dense(self, grad, var):
        apply = getattr(tf.raw_ops, self._operation)
        return apply(var=var._ref(), m=self.get_slot(var, "m")._ref(), **self._arguments(grad, var.dtype.base_dtype)).op

    def _resource_apply_dense(self, grad, var):
        apply = getattr(tf.raw_ops, "Resource" + self._operation)
        return apply(var=var.handle, m=self.get_slot(var, "m").handle, **self._arguments(grad, var.dtype.base_dtype))


class AddSignOptimizer(_SignOptimizer):
    """Steps of gradient * (alpha + decay * sign(gradient) * sign(m)), m the moving average of the gradients.

    Args:
        alpha, beta: floats; beta is the decay of m.
        sign_decay_fn: function of the global step, or None for no decay.

    Source: arXiv:1709.07417.
    """

    _operation = "ApplyAddSign"

    def __init__(self, learning_rate=0.1, alpha=1.0, beta=0.9, sign_decay_fn=None, use_locking=False,
                 name="AddSignOptimizer"):
        super().__init__(learning_rate, beta, sign_decay_fn, use_locking, name, ("alpha", alpha))


class PowerSignOptimizer(_SignOptimizer):
    """Steps of gradient * base ** (decay * sign(gradient) * sign(m)), m the moving average of the gradients.

    Args:
        base, beta: floats; beta is the decay of m.
        sign_decay_fn: function of the global step, or None for no decay.

    Source: arXiv:1709.07417.
    """

    _operation = "ApplyPowerSign"

    def __init__(self, learning_rate=0.1, base=math.e, beta=0.9, sign_decay_fn=None, use_locking=False,
                 name="PowerSignOptimizer"):
        super().__init__(learning_rate, beta, sign_decay_fn, use_locking, name, ("logbase", math.log(base)))


class LARSOptimizer(tf.train.Optimizer):  # type: ignore[name-defined,misc]
    """Momentum with a learning rate for each variable, by the ratio of the lengths of variable and gradient.

    Args:
        momentum, weight_decay, eeta, epsilon: floats; eeta is the factor of the ratio.
        skip_list: parts of the names of variables that keep the learning rate.
        use_nesterov: whether the momentum is Nesterov's.

    Source: arXiv:1708.03888.
    """

    def __init__(self, learning_rate, momentum=0.9, weight_decay=0.0001, eeta=0.001, epsilon=0.0, name="LARSOptimizer",
                 skip_list=None, use_nesterov=False):
        if momentum < 0.0:
            raise ValueError(f"momentum should be positive: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"weight_decay should be positive: {weight_decay}")
        super().__init__(use_locking=False, name=name)
        self._learning_rate, self._momentum, self._weight_decay = learning_rate, momentum, weight_decay
        self._eeta, self._epsilon, self._skip_list, self._use_nesterov = eeta, epsilon, skip_list, use_nesterov

    def _create_slots(self, var_list):
        for variable in var_list:
            self._zeros_slot(variable, "momentum", self._name)

    def compute_lr(self, grad, var):
        """Return (learning rate, gradient with weight decay) of a variable."""
        rate = self._learning_rate
        if self._skip_list is None or not any(part in var.name for part in self._skip_list):
            length, gradient_length = tf.norm(var, ord=2), tf.norm(grad, ord=2)
            is_positive, has_gradient = tf.greater(length, 0), tf.greater(gradient_length, 0)
            ratio = self._eeta * length / (gradient_length + self._weight_decay * length + self._epsilon)
            rate = rate * tf.where(is_positive, tf.where(has_gradient, ratio, 1.0), 1.0)
            grad = grad + self._weight_decay * var
        return rate, grad

    def _prepare(self):
        rate = self._learning_rate() if callable(self._learning_rate) else self._learning_rate
        self._learning_rate_tensor = tf.convert_to_tensor(rate, name="learning_rate")
        self._momentum_tensor = tf.convert_to_tensor(
            self._momentum() if callable(self._momentum) else self._momentum, name="momentum")

    def _apply_dense(self, grad, var):
        rate, grad = self.compute_lr(grad, var)
        return tf.raw_ops.ApplyMomentum(
            var=var._ref(), accum=self.get_slot(var, "momentum")._ref(), lr=tf.cast(1.0, var.dtype.base_dtype),
            grad=grad * rate, momentum=self._momentum, use_locking=False, use_nesterov=self._use_nesterov)

    def _resource_apply_dense(self, grad, var):
        rate, grad = self.compute_lr(grad, var)
        return tf.raw_ops.ResourceApplyMomentum(
            var=var.handle, accum=self.get_slot(var, "momentum").handle, lr=tf.cast(1.0, var.dtype.base_dtype),
            grad=grad * rate, momentum=self._momentum, use_locking=False, use_nesterov=self._use_nesterov)

    def _apply_sparse(self, grad, var):
        return tf.raw_ops.SparseApplyMomentum(
            var=var._ref(), accum=self.get_slot(var, "momentum")._ref(),
            lr=tf.cast(self._learning_rate_tensor, var.dtype.base_dtype), grad=grad.values, indices=grad.indices,
            momentum=tf.cast(self._momentum_tensor, var.dtype.base_dtype), use_locking=self._use_locking,
            use_nesterov=self._use_nesterov).op

    def _resource_apply_sparse(self, grad, var, indices):
        return tf.raw_ops.ResourceSparseApplyMomentum(
            var=var.handle, accum=self.get_slot(var, "momentum").handle,
            lr=tf.cast(self._learning_rate_tensor, grad.dtype), grad=grad, indices=indices,
            momentum=tf.cast(self._momentum_tensor, grad.dtype), use_locking=self._use_locking,
            use_nesterov=self._use_nesterov)
