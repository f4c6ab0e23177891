"""Feeds that are one unit in the last place larger, for a run of a program that only differs in rounding.

`tests.programs` puts this file beside a program and starts it there. A program whose numbers this changes amplifies
rounding. It runs in every release of TensorFlow 1 (Python 3.6).
"""
import numpy as np


def perturb(placeholder, value):
    """Return the value; in arrays for a floating-point placeholder, each number but 0 is the next one away from 0."""
    if not getattr(getattr(placeholder, "dtype", None), "is_floating", False) or np.size(value) < 2:
        return value  # names, integers, rates
    array = np.asarray(value, placeholder.dtype.as_numpy_dtype)
    return np.nextafter(array, 2 * array)


def start():
    """Perturb what each session.run is fed from now on."""
    from tensorflow.python.client import session
    plain_run = session.BaseSession.run

    def run(self, fetches, feed_dict=None, options=None, run_metadata=None):
        if feed_dict is not None:
            feed_dict = {key: perturb(key, value) for key, value in feed_dict.items()}
        return plain_run(self, fetches, feed_dict, options, run_metadata)

    session.BaseSession.run = run
