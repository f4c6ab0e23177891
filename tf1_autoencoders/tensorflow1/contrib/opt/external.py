"""Optimizers that run outside of the graph: SciPy's."""
from __future__ import annotations

from typing import Any, List

import numpy as np

import tf1_autoencoders.tensorflow1 as tf


class ExternalOptimizerInterface:
    """What an optimizer outside of the graph needs: the loss, its gradient and constraints of one vector of variables.

    Args:
        loss: float[].
        var_list: variables; None for TRAINABLE_VARIABLES.
        equalities, inequalities: lists of tensors that are 0, or at least 0, in the end.
        var_to_bounds: {variable: (lower, upper)}, arrays that broadcast to its shape.
        optimizer_kwargs: of the optimizer.
    """

    def __init__(self, loss, var_list=None, equalities=None, inequalities=None, var_to_bounds=None,
                 **optimizer_kwargs):
        self._loss, self._equalities, self._inequalities = loss, equalities or [], inequalities or []
        self._vars = tf.trainable_variables() if var_list is None else list(var_list)
        self._bounds = None if var_to_bounds is None else self._packed_bounds(
            {id(variable): bounds for variable, bounds in var_to_bounds.items()})
        self._placeholders = [tf.placeholder(variable.dtype.base_dtype) for variable in self._vars]
        self._updates = [variable.assign(tf.reshape(value, variable.shape.as_list()))
                         for variable, value in zip(self._vars, self._placeholders)]
        loss_gradients = self._gradients(loss)
        equality_gradients = [self._gradients(one) for one in self._equalities]
        inequality_gradients = [self._gradients(one) for one in self._inequalities]
        self.optimizer_kwargs = optimizer_kwargs
        self._packed_var = self._pack(self._vars)
        self._loss_gradient = self._pack(loss_gradients)
        self._equality_gradients = [self._pack(one) for one in equality_gradients]
        self._inequality_gradients = [self._pack(one) for one in inequality_gradients]
        ends = np.cumsum([int(np.prod(variable.shape.as_list())) for variable in self._vars])
        self._slices = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends)]

    def _packed_bounds(self, bounds):
        """Return (lower, upper) of each element of the vector."""
        lower: List[Any] = []
        upper: List[Any] = []
        for variable in self._vars:
            low, high = bounds.get(id(variable), (-np.inf, np.inf))
            for values, value in ((lower, low), (upper, high)):
                values.extend(np.broadcast_to(value, variable.shape.as_list()).flat)
        return list(zip(lower, upper))

    def _gradients(self, tensor):
        """Return the gradients of a tensor for the variables, zeros where it does not depend on one."""
        found = tf.gradients(tensor, self._vars)  # type: ignore[operator]  # mypy sees the module of this name
        return [tf.zeros_like(variable) if gradient is None else gradient
                for gradient, variable in zip(found, self._vars)]

    @staticmethod
    def _pack(tensors):
        if not tensors:
            return None
        if len(tensors) == 1:
            return tf.reshape(tensors[0], [-1])
        return tf.concat([tf.reshape(one, [-1]) for one in tensors], 0)

    def minimize(self, session=None, feed_dict=None, fetches=None, step_callback=None, loss_callback=None,
                 **run_kwargs):
        """Minimize the loss, and leave the result in the variables.

        Args:
            session: None for the default one.
            feed_dict: of each evaluation.
            fetches: further tensors, whose values loss_callback gets.
            step_callback: function of the vector of variables after a step.
            loss_callback: function of the values of `fetches` at each evaluation.
            run_kwargs: of session.run.
        """
        session = session or tf.get_default_session()
        feed_dict, fetches = feed_dict or {}, fetches or []
        loss_callback, step_callback = loss_callback or (lambda *values: None), step_callback or (lambda vector: None)

        def evaluate(tensors, extra=(), callback=None):
            def function(vector):
                feeds = {**feed_dict, **dict(zip(self._vars, self._split(vector)))}
                values = session.run([*tensors, *extra], feed_dict=feeds, **run_kwargs)
                if callback is not None:
                    callback(*values[len(tensors):])
                return values[:len(tensors)] if len(tensors) > 1 else values[0]

            return function

        found = self._minimize(
            initial_val=session.run(self._packed_var),
            loss_grad_func=evaluate([self._loss, self._loss_gradient], fetches, loss_callback),
            equality_funcs=[evaluate([one]) for one in self._equalities],
            equality_grad_funcs=[evaluate([one]) for one in self._equality_gradients],
            inequality_funcs=[evaluate([one]) for one in self._inequalities],
            inequality_grad_funcs=[evaluate([one]) for one in self._inequality_gradients],
            packed_bounds=self._bounds, step_callback=step_callback, optimizer_kwargs=self.optimizer_kwargs)
        session.run(self._updates, feed_dict=dict(zip(self._placeholders, self._split(found))), **run_kwargs)

    def _split(self, vector):
        """Return the values of the variables in a vector."""
        return [vector[one].reshape(variable.shape.as_list()) for one, variable in zip(self._slices, self._vars)]

    def _minimize(self, initial_val, loss_grad_func, equality_funcs, equality_grad_funcs, inequality_funcs,
                  inequality_grad_funcs, packed_bounds, step_callback, optimizer_kwargs):
        """Return the vector of variables that minimizes the loss."""
        raise NotImplementedError("To use ExternalOptimizerInterface, subclass from it and implement the _minimize() "
                                  "method.")


class ScipyOptimizerInterface(ExternalOptimizerInterface):
    """scipy.optimize.minimize, by default with L-BFGS-B.

    Args:
        method, options, tol, ...: of scipy.optimize.minimize.
        others: see ExternalOptimizerInterface.
    """

    _DEFAULT_METHOD = "L-BFGS-B"

    def _minimize(self, initial_val, loss_grad_func, equality_funcs, equality_grad_funcs, inequality_funcs,
                  inequality_grad_funcs, packed_bounds, step_callback, optimizer_kwargs):
        import scipy.optimize

        def loss_and_gradient(vector):
            loss, gradient = loss_grad_func(vector)
            return np.float64(loss), np.float64(gradient)

        def double(function):  # today's SciPy takes nothing else
            return lambda vector: np.float64(function(vector))

        kwargs = dict(optimizer_kwargs)
        method = kwargs.pop("method", self._DEFAULT_METHOD)
        kinds = (("eq", equality_funcs, equality_grad_funcs), ("ineq", inequality_funcs, inequality_grad_funcs))
        constraints = [{"type": kind, "fun": double(function), "jac": double(gradient)}
                       for kind, functions, gradients in kinds for function, gradient in zip(functions, gradients)]
        given = {"jac": True, "callback": step_callback, "method": method, "constraints": constraints,
                 "bounds": packed_bounds}
        for name in given:
            if name in kwargs:
                raise ValueError(f"Optimizer keyword arg '{name}' is set automatically and cannot be injected manually")
        result = scipy.optimize.minimize(loss_and_gradient, np.float64(initial_val), **given, **kwargs)
        tf.logging.info("Optimization terminated with:\n  Message: %s\n  Objective function value: %f\n  Number of "
                        "iterations: %d\n  Number of functions evaluations: %d", result.message, result.fun,
                        result.nit, result.nfev)
        return result["x"]
