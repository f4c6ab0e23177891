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
def raised_signals() -> Iterator[None]:
    """Context manager: the first SIGINT or SIGTERM raises Interrupted; a second one ends the process at once.

    During an import, the first one does so too: extension modules swallow an exception, or turn it into another one.
    """
    def interrupt(number: int, frame: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                os.kill(os.getpid(), number)
            frame = frame.f_back
        raise Interrupted(number, "terminated" if number == signal.SIGTERM else "interrupted")
    with _handling(interrupt, signal.SIGINT, signal.SIGTERM):
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
