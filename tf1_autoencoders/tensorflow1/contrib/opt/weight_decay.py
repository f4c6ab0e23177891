"""Optimizers whose weight decay is no part of the gradient: AdamW, MomentumW, and any other one."""
from __future__ import annotations

from typing import Any

import tf1_autoencoders.tensorflow1 as tf


class DecoupledWeightDecayExtension:
    """A class to derive from together with an optimizer: a variable loses weight_decay * itself before each update.

    Args:
        weight_decay: float or float[]; the learning rate does not scale it.
        kwargs: of the optimizer.

    Source: arXiv:1711.05101.
    """

    _decayed: Any = None

    def __init__(self, weight_decay, **kwargs):
        self._weight_decay = weight_decay
        super().__init__(**kwargs)

    def minimize(self, loss, global_step=None, var_list=None, gate_gradients=tf.train.Optimizer.GATE_OP,
                 aggregation_method=None, colocate_gradients_with_ops=False, name=None, grad_loss=None,
                 decay_var_list=None):
        """Return tf.train.Optimizer.minimize's operation; decay_var_list are the variables that decay, None for all."""
        self._decayed = set(map(id, decay_var_list)) if decay_var_list else None
        return super().minimize(  # type: ignore[misc]
            loss, global_step=global_step, var_list=var_list, gate_gradients=gate_gradients,
            aggregation_method=aggregation_method, colocate_gradients_with_ops=colocate_gradients_with_ops, name=name,
            grad_loss=grad_loss)

    def apply_gradients(self, grads_and_vars, global_step=None, name=None, decay_var_list=None):
        """Return the operation that applies gradients; decay_var_list as for minimize."""
        self._decayed = set(map(id, decay_var_list)) if decay_var_list else self._decayed
        return super().apply_gradients(grads_and_vars, global_step=global_step, name=name)  # type: ignore[misc]

    def _prepare(self):
        decay = self._weight_decay() if callable(self._weight_decay) else self._weight_decay
        self._weight_decay_tensor = tf.convert_to_tensor(decay, name="weight_decay")
        super()._prepare()  # type: ignore[misc]

    def _decays(self, variable):
        return self._decayed is None or id(variable) in self._decayed

    def _after_decay(self, variable):
        """Return a context manager: what is made inside comes after the decay of the variable."""
        if not self._decays(variable):
            return tf.control_dependencies([tf.no_op()])
        return tf.control_dependencies([variable.assign_sub(self._weight_decay * variable, self._use_locking)])

    def _after_decay_of_rows(self, variable, indices, scatter_add):
        if not self._decays(variable):
            return tf.control_dependencies([tf.no_op()])
        rows = -self._weight_decay * tf.gather(variable, indices)
        return tf.control_dependencies([scatter_add(variable, indices, rows)])

    def _apply_dense(self, grad, var):
        with self._after_decay(var):
            return super()._apply_dense(grad, var)  # type: ignore[misc]

    def _resource_apply_dense(self, grad, var):
        with self._after_decay(var):
            return super()._resource_apply_dense(grad, var)  # type: ignore[misc]

    def _apply_sparse(self, grad, var):
        with self._after_decay_of_rows(var, grad.indices, lambda variable, indices, rows: tf.scatter_add(
                variable, indices, rows, use_locking=self._use_locking)):
            return super()._apply_sparse(grad, var)  # type: ignore[misc]

    def _resource_apply_sparse(self, grad, var, indices):
        with self._after_decay_of_rows(var, indices, lambda variable, indices, rows: variable.scatter_add(
                tf.IndexedSlices(rows, indices))):
            return super()._resource_apply_sparse(grad, var, indices)  # type: ignore[misc]

    _use_locking: bool


def extend_with_decoupled_weight_decay(base_optimizer):
    """Return a class: this class of optimizers with weight decay, see DecoupledWeightDecayExtension."""
    class OptimizerWithDecoupledWeightDecay(DecoupledWeightDecayExtension, base_optimizer):  # type: ignore[misc, valid-type]
        """An optimizer with decoupled weight decay."""

        def __init__(self, weight_decay, *args, **kwargs):
            self._weight_decay = weight_decay
            base_optimizer.__init__(self, *args, **kwargs)

    return OptimizerWithDecoupledWeightDecay


class AdamWOptimizer(DecoupledWeightDecayExtension, tf.train.AdamOptimizer):  # type: ignore[name-defined,misc]
    """Adam with decoupled weight decay, see DecoupledWeightDecayExtension.

    Args:
        beta1, beta2, epsilon: as for tf.train.AdamOptimizer.
    """

    def __init__(self, weight_decay, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, use_locking=False,
                 name="AdamW"):
        super().__init__(weight_decay, learning_rate=learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon,
                         use_locking=use_locking, name=name)


class MomentumWOptimizer(DecoupledWeightDecayExtension, tf.train.MomentumOptimizer):  # type: ignore[name-defined,misc]
    """Momentum with decoupled weight decay, see DecoupledWeightDecayExtension.

    Args:
        momentum, use_nesterov: as for tf.train.MomentumOptimizer.
    """

    def __init__(self, weight_decay, learning_rate, momentum, use_locking=False, name="MomentumW", use_nesterov=False):
        super().__init__(weight_decay, learning_rate=learning_rate, momentum=momentum, use_locking=use_locking,
                         name=name, use_nesterov=use_nesterov)
