"""The averages of an epoch: the mean over its rows, and what the progress bar of an older Keras showed."""
import numpy as np
import pytest

from tf1_autoencoders.utils import epoch_means


def test_the_epoch_mean_weights_a_short_last_batch_by_its_rows():
    assert epoch_means.epoch_mean([1.0, 4.0], [3, 1]) == pytest.approx(1.75)


def test_the_progress_bar_averages_the_running_means_and_counts_the_last_one_twice():
    # Running means: 6, (2 * 6 + 2 * 2) / 4 = 4, (16 + 0) / 5 = 3.2. Shown: (6 + 4 + 3.2 + 3.2) / 4.
    assert epoch_means.progress_bar_mean([6.0, 2.0, 0.0], [2, 2, 1]) == pytest.approx(4.1)


def test_of_one_step_both_averages_are_the_same():
    assert epoch_means.progress_bar_mean([3.5], [7]) == epoch_means.epoch_mean([3.5], [7]) == 3.5


def test_a_falling_loss_is_shown_too_high():
    losses = np.geomspace(4, 0.01, 100)
    assert epoch_means.progress_bar_mean(losses, [32] * 100) > 1.5 * epoch_means.epoch_mean(losses, [32] * 100)
