"""Section 2's ten printed values under the real TensorFlow 1.15.5, over seeds, beside ours: are they one distribution?

`python -m tests.tf115.original trace` made the fixture, with the tutorial's own program. None of the runs collapsed.
"""
import json

import numpy as np

from tests.tf115 import ours
from tf1_autoencoders.reporting import comparison, published

N_PERMUTATIONS = 4000
TRACES = json.loads((ours.FIXTURES / "section2_traces.json").read_text())


def permutation_p_value(first, second):
    """Return how often a random division of the runs has means as far apart as the two groups' means.

    The distance of two groups is the sum of the squared differences of their mean logarithms, over the ten points.

    Args:
        first, second: float[n, 10], one run a row.
    """
    logs, n = np.log(np.concatenate([first, second])), len(first)
    random = np.random.default_rng(0)

    def distance(order):
        return np.sum((logs[order[:n]].mean(axis=0) - logs[order[n:]].mean(axis=0)) ** 2)
    found = distance(np.arange(len(logs)))
    return np.mean([distance(random.permutation(len(logs))) >= found for _ in range(N_PERMUTATIONS)])


def our_traces():
    """Return the values of the seeds that did not collapse: float[n, 10]."""
    values = comparison.seed_bands(2, "report").values
    return np.transpose([values[name] for name in published.METRICS[2]])


def test_the_test_tells_two_distributions_apart():
    traces = np.exp(np.random.default_rng(1).normal(7, 0.1, (20, 10)))
    assert permutation_p_value(traces[:10], traces[10:]) > 0.05
    assert permutation_p_value(traces[:10], 1.3 * traces[10:]) < 0.001


def test_the_traces_of_1_15_5_and_ours_are_draws_of_one_distribution():
    assert TRACES["tensorflow"].startswith("1.15") and len(TRACES["traces"]) == 10
    assert permutation_p_value(np.array(TRACES["traces"]), our_traces()) > 0.01


def test_the_published_trace_lies_inside_the_spread_of_1_15_5_too():
    for values, number in zip(np.transpose(TRACES["traces"]).tolist(), published.METRICS[2].values()):
        assert comparison.verdict(number, values) == "inside"
