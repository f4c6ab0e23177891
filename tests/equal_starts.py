"""Initial values that NumPy draws, for runs in two releases of TensorFlow whose seeds give other numbers.

`tests.programs` puts this file beside a program of before 1.0 and starts it there. It runs in every release of
TensorFlow 1 (Python 3.6).
"""
import numpy as np


def values(variables):
    """Return an array between -0.1 and 0.1 for each variable: the same ones for variables of the same shapes."""
    return [np.random.RandomState(number).uniform(-0.1, 0.1, variable.get_shape().as_list())
            for number, variable in enumerate(variables)]


def start():
    """Replace the values of the floating-point variables that are trained, each time when they were initialised."""
    import tensorflow as tf
    from tensorflow.python.client import session
    plain_run = session.BaseSession.run

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        result = plain_run(self, fetches, feed_dict, options, run_metadata)
        if isinstance(fetches, tf.Operation) and fetches.name.split("/")[-1].startswith("init"):
            with self.graph.as_default():
                variables = [variable for variable in tf.trainable_variables() if variable.dtype.is_floating]
                for variable, value in zip(variables, values(variables)):
                    plain_run(self, tf.assign(variable, value.astype(np.float32)))
        return result

    session.BaseSession.run = run
