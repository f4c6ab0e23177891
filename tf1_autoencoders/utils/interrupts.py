"""Ctrl-C and SIGTERM: a training ends after the current step and is saved; anything else ends at once."""
from __future__ import annotations

import contextlib
import os
import signal
from typing import Any, Callable, Iterator, List


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


@contextlib.contextmanager
def sigterm_raises() -> Iterator[None]:
    """Context manager: SIGTERM raises Interrupted, as SIGINT raises KeyboardInterrupt anyway."""
    def terminate(number: int, frame: Any) -> None:
        raise Interrupted(number, "terminated")
    with _handling(terminate, signal.SIGTERM):
        yield


@contextlib.contextmanager
def _handling(handler: Callable[[int, Any], None], *numbers: int) -> Iterator[None]:
    try:
        former = {number: signal.signal(number, handler) for number in numbers}
    except ValueError:  # outside the main thread, where signals cannot be handled
        former = {}
    try:
        yield
    finally:
        for number, former_handler in former.items():
            signal.signal(number, former_handler)
