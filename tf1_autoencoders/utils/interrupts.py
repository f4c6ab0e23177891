"""Ctrl-C and SIGTERM: a training ends after the step at hand and is saved; anything else ends at once."""
from __future__ import annotations

import contextlib
import os
import signal


class Interrupted(KeyboardInterrupt):
    """A signal ends the program, with exit code 128 + its number."""

    def __init__(self, number, message):
        super().__init__(message)
        self.number = number


@contextlib.contextmanager
def noted():
    """In the block the first SIGINT or SIGTERM only goes to the list given; a second one ends the process at once."""
    received = []

    def note(number, frame):
        if received:
            os._exit(128 + number)
        received.append(number)
    with _handling(note, signal.SIGINT, signal.SIGTERM):
        yield received


@contextlib.contextmanager
def terminable():
    """In the block SIGTERM raises Interrupted, as SIGINT raises KeyboardInterrupt anyway."""
    def terminate(number, frame):
        raise Interrupted(number, "terminated")
    with _handling(terminate, signal.SIGTERM):
        yield


@contextlib.contextmanager
def _handling(handler, *numbers):
    try:
        former = {number: signal.signal(number, handler) for number in numbers}
    except ValueError:  # not in the main thread: signals are somebody else's
        former = {}
    try:
        yield
    finally:
        for number, before in former.items():
            signal.signal(number, before)
