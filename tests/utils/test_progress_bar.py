"""One bar for the trainings of several sections."""
import io
import re
import sys

import pytest

from tf1_autoencoders.utils import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def train(bar, n_steps, n_done=0):
    """Go through a training of one epoch; return the fractions that the bar shows after each step."""
    shown = []
    with bar:
        bar.begin_epoch("epoch 1/1", n_steps, n_done, {"loss": 0.25})
        bar._bar.mininterval = 0
        for _ in range(n_steps - n_done):
            bar.step()
            shown.append(bar._bar.n / bar._bar.total)
    return shown


def test_the_bar_goes_on_from_training_to_training(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = progress_bar.ProgressBar([1, 3], ["section 1 of 2", "section 2 of 2"])
    assert sys.stderr.getvalue() == ""  # the bar appears with the first epoch
    assert train(bar, 2) == pytest.approx([1 / 8, 1 / 4]) and not bar._bar.disable
    assert train(bar, 3) == pytest.approx([1 / 2, 3 / 4, 1])
    lines = re.split(r"[\r\n]+", sys.stderr.getvalue())
    assert any(line.startswith("section 1 of 2, epoch 1/1:  25%|") for line in lines)
    assert any(line.startswith("section 2 of 2, epoch 1/1:  50%|") and "loss=0.25" in line for line in lines)
    assert lines[-1].strip() == "" and bar._bar is None  # closed and removed


def test_a_training_that_was_done_earlier_is_passed_over(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = progress_bar.ProgressBar([1, 1, 2], ["", "", ""])
    with bar:  # resumed at its end
        pass
    assert train(bar, 4, n_done=2) == pytest.approx([7 / 16, 1 / 2])
    assert bar._bar.initial == pytest.approx(1 / 2)  # what took no time does not count for the speed


def test_there_is_no_bar_if_standard_error_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    train(progress_bar.ProgressBar(), 3)
    assert sys.stderr.getvalue() == ""
