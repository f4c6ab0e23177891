"""The progress bar of the trainings of a command: one for all of them, on the terminal only."""
from __future__ import annotations

import sys
from typing import Any, Dict, Sequence

from tqdm import tqdm


class ProgressBar:
    """One bar for trainings that follow each other, with the time left to the end of the last one.

    Each training is a `with` block on this object. The bar is on standard error, and there is none if standard error is
    no terminal.

    Args:
        minutes: expected minutes of each training, in their order; only their ratios count.
        names: what the bar calls each training, such as "section 2 of 4"; empty for nothing.
    """

    def __init__(self, minutes: Sequence[float] = (1.0,), names: Sequence[str] = ("",)) -> None:
        self._minutes, self._names, self._training, self._per_step = minutes, names, -1, 0.0
        self._bar: Any = None  # appears with the first epoch

    def __enter__(self) -> ProgressBar:
        self._training, self._per_step = self._training + 1, 0.0
        return self

    def __exit__(self, *_: Any) -> None:
        self.clear()
        if self._bar is not None and self._training == len(self._minutes) - 1:
            self._bar.close()
            self._bar = None

    def repeat(self) -> None:
        """Count the training that has ended once more, in place of the next one."""
        self._training -= 1

    def begin_epoch(self, name: str, n_steps: int, n_done: int, metrics: Dict[str, float]) -> None:
        """Begin an epoch.

        Args:
            name: of the epoch.
            n_steps: steps of the whole training.
            n_done: steps of the training that are done, by this process or by a run that it continues.
            metrics: of the epoch before.
        """
        description = ", ".join(filter(None, (self._names[self._training], name)))
        if self._bar is None:
            self._bar = tqdm(desc=description, total=sum(self._minutes), leave=False, file=sys.stderr, disable=None,
                             smoothing=0.05,
                             bar_format="{desc}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}")
        begins, self._per_step = not self._per_step, self._minutes[self._training] / n_steps
        self._bar.n = sum(self._minutes[:self._training]) + n_done * self._per_step
        if begins and not self._bar.disable:
            self._bar.initial += n_done * self._per_step  # took no time now, so that it says nothing about the speed
            self._bar.last_print_n = self._bar.n
        self._bar.set_description(description, refresh=False)
        if metrics:
            self._bar.set_postfix({name: f"{value:.4g}" for name, value in metrics.items()}, refresh=False)

    def step(self) -> None:
        """Count a step."""
        self._bar.update(self._per_step)

    def clear(self) -> None:
        """Hide the bar until the next step, so that the caller can print."""
        if self._bar is not None:
            self._bar.clear()
