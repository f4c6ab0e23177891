"""The errors that a user can mend: each message is one sentence with the value, what was expected and what to do."""
from __future__ import annotations

from typing import Any


def printable(text: Any) -> str:
    """Return a text in one line without anything that a terminal would obey: such characters are spelled, as \\x1b.

    This is the only filter of what came from outside: of messages, of paths, of what a command prints, of figures.
    """
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in str(text))


class UserError(Exception):
    """A file, the network or a checkpoint outside the program is not as the program needs it."""

    exit_code = 1

    def __init__(self, message: Any) -> None:
        super().__init__(printable(message))


class UsageError(UserError):
    """A command-line argument with an invalid value."""

    exit_code = 2


class NotOffered(AttributeError):
    """A name of TensorFlow 1.15 that its namespace here does not have; the message says what to do instead."""


def one_line(message: Any) -> str:
    """Return an exception's or a foreign message as one printable line of at most 160 characters."""
    text = f"no {message}" if isinstance(message, KeyError) else str(getattr(message, "strerror", None) or message)
    text = (text or type(message).__name__)[:160]
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def short_reason(error: Exception) -> str:
    """Return a short reason for an exception; for TensorFlow errors, the first line without the node names."""
    text = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
    lines = text.split("\n\t [[")[0].strip().splitlines() or [type(error).__name__]
    return one_line((lines[-1] if lines[0].startswith("Graph execution error") else lines[0]).split("; ")[-1])
