"""Ctrl-C and SIGTERM: a training ends after the current step and is saved; anything else ends at once."""
from __future__ import annotations

import contextlib
import os
import signal
from typing import Any, Callable, Iterator, List, Union


class Interrupted(KeyboardInterrupt):
    """A signal ends the program, with exit code 128 + the signal's number."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


@contextlib.contextmanager
def deferred_signals() -> Iterator[List[int]]:
    """Context manager: the first SIGINT or SIGTERM only joins the list given; a second one ends the process at once."""
    received: List[int] = []

    def note(number: int, frame: Any) -> None:
        if received:
            os._exit(128 + number)
        received.append(number)
    with _handling(note, signal.SIGINT, signal.SIGTERM):
        yield received


def _interrupt(number: int, frame: Any) -> None:
    signal.signal(number, signal.SIG_DFL)
    raise Interrupted(number, "terminated" if number == signal.SIGTERM else "interrupted")


@contextlib.contextmanager
def raised_signals() -> Iterator[None]:
    """Context manager: the first SIGINT or SIGTERM raises Interrupted; a second one ends the process at once."""
    with _handling(_interrupt, signal.SIGINT, signal.SIGTERM):
        yield


@contextlib.contextmanager
def fatal_signals() -> Iterator[None]:
    """Context manager inside raised_signals: SIGINT and SIGTERM end the process at once, without an exception.

    For code that would turn the exception into errors of its own. Outside raised_signals, as in a notebook, nothing
    changes.
    """
    ours = signal.getsignal(signal.SIGINT) is _interrupt
    with _handling(signal.SIG_DFL, signal.SIGINT, signal.SIGTERM) if ours else contextlib.ExitStack():
        yield


@contextlib.contextmanager
def _handling(handler: Union[Callable[[int, Any], None], signal.Handlers], *numbers: int) -> Iterator[None]:
    try:
        former = {number: signal.signal(number, handler) for number in numbers}
    except ValueError:  # outside the main thread, where signals cannot be handled
        former = {}
    try:
        yield
    finally:
        for number, former_handler in former.items():
            signal.signal(number, former_handler)
