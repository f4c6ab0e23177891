"""Tells a program of Python 2 from a program with errors, and says what to do with it."""
from __future__ import annotations

import linecache
import re
from typing import Optional

from tf1_autoencoders.utils.errors import UsageError
from tf1_autoencoders.utils.paths import display_path

# what only Python 2 understands -> how Python 3 writes it
SYNTAX = ((r"^\s*print\s+[^=(\s]|^\s*print\s*>>|^\s*print\s+\(.*\)\s*,|^\s*print\s*$", "print(...)"),
          (r"^\s*except\s+[\w.,() ]+,\s*\w+\s*:", "except Error as name:"),
          (r"^\s*raise\s+\w+\s*,", "raise Error(...)"),
          (r"^\s*exec\s+[^(]", "exec(...)"), (r"`[^`]+`", "repr(...)"), (r"<>", "!="),
          (r"\b0[0-7]+\b", "0o..."), (r"\bur['\"]", "a string without ur"), (r"\b\d+[lL]\b", "a number without L"),
          (r"^\s*def\s+\w+\([^)]*\([^)]*\)", "no tuple among the parameters"), (r"\blambda\s*\(", "lambda a, b:"))
NAMES = {"xrange": "range", "raw_input": "input", "unicode": "str", "basestring": "str", "unichr": "chr", "long": "int",
         "reduce": "functools.reduce", "execfile": "exec(open(file).read())", "reload": "importlib.reload"}
METHODS_OF_DICT = {"iteritems": "items()", "iterkeys": "keys()", "itervalues": "values()", "has_key": "key in ..."}


class PythonTwo(UsageError):
    """The program is written in Python 2."""


def _message(place: str, found: str, today: str) -> str:
    return (f"{place}: {found}, expected Python 3 ({today}); convert the program first, for instance with 2to3 -w (in "
            "Python up to 3.12) or futurize")


def refuse_syntax(source: str, error: SyntaxError, shown: str) -> None:
    """Raise PythonTwo if a syntax error is Python 2's.

    Args:
        source: the text that has the error.
        shown: the name of its file, for the message.
    """
    lines, number = source.splitlines(), error.lineno or 0
    for at in (number, number - 1):
        line = lines[at - 1] if 0 < at <= len(lines) else ""
        for pattern, today in SYNTAX:
            if re.search(pattern, line):
                raise PythonTwo(_message(f"{shown}, line {at}", f"Python 2 syntax ({line.strip()[:60]})", today)) \
                    from None
    if isinstance(error, TabError):
        raise PythonTwo(f"{shown}, line {number}: tabs and spaces are mixed as only Python 2 allows; convert the "
                        "program first, for instance with expand -t 8") from None


def refuse(error: BaseException, filename: str, line: Optional[int]) -> None:
    """Raise PythonTwo if an error of a running program is one that Python 2 would not have had.

    Args:
        error: a SyntaxError of an imported module, a NameError or an AttributeError; others are left alone.
        filename, line: where the program was when the error came.
    """
    if isinstance(error, SyntaxError) and error.filename:
        refuse_syntax("".join(linecache.getlines(error.filename)), error, display_path(error.filename))
    name, owner = getattr(error, "name", None), getattr(error, "obj", None)  # Python 3.7 says neither
    names = NAMES if isinstance(error, NameError) else METHODS_OF_DICT if isinstance(owner, dict) else {}
    if name in names:
        place = f"{display_path(filename)}, line {line}"
        raise PythonTwo(_message(place, f"{name} of Python 2", names[name])) from None
