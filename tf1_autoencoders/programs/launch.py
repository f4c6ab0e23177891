"""Runs a TensorFlow 1 program, a file or a notebook, as `python PROGRAM.py ARG ...` would."""
from __future__ import annotations

import ast
import builtins
import importlib.util
import json
import linecache
import os
import re
import signal
import sys
import tokenize
import traceback
import types
from typing import Any, List, Optional, Sequence, Tuple

from tf1_autoencoders.programs import python2
from tf1_autoencoders.utils import cli, frameworks
from tf1_autoencoders.utils.errors import NotOffered, UsageError, one_line
from tf1_autoencoders.utils.paths import display_path

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def is_tensorflow1() -> bool:
    """Return whether the TensorFlow of this Python is TensorFlow 1, without importing it."""
    return importlib.util.find_spec("tensorflow_core") is not None


def read(path: str) -> Tuple[types.CodeType, str]:
    """Return the compiled program and its source text.

    Raises:
        UsageError: the file is missing, a folder, not a program, a notebook without code or damaged, or Python 2.
        SyntaxError: the program's own.
    """
    shown = display_path(path)
    if not os.path.exists(path):
        raise UsageError(f"{shown}: no such file; name a TensorFlow 1 program (.py) or notebook (.ipynb)")
    if os.path.isdir(path):
        raise UsageError(f"{shown}: a folder, expected a program (.py) or a notebook (.ipynb); name the file that you "
                         "would give to python")
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise UsageError(f"{shown}: {error.strerror}; make the file readable") from error
    source = notebook_source(content, shown) if path.endswith(".ipynb") else _python_source(content, shown)
    try:
        return compile(source, path, "exec", dont_inherit=True), source
    except SyntaxError as error:
        python2.refuse_syntax(source, error, shown)
        error.text = (source.splitlines() + [""])[(error.lineno or 0) - 1]  # of a notebook, Python takes JSON's line
        raise
    except ValueError as error:  # null bytes, before Python 3.12
        raise UsageError(f"{shown}: not a Python program ({error})") from None


def _python_source(content: bytes, shown: str) -> str:
    if b"\0" in content:
        raise UsageError(f"{shown}: not a Python program but a binary file; name the .py file")
    try:
        encoding = re.match(rb"(?:[^\n]*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", content)
        return content.decode(encoding.group(1).decode() if encoding else "utf-8-sig")
    except (UnicodeDecodeError, LookupError):
        raise UsageError(f"{shown}: not a Python program: the text is not UTF-8 and names no other encoding") from None


def notebook_source(content: bytes, shown: str) -> str:
    """Return the code cells of a notebook as one program, without the lines that only IPython understands."""
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
        cells = notebook["cells"] if "cells" in notebook else [
            cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
        codes = ["".join(cell.get("source", cell.get("input", ""))) for cell in cells
                 if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{shown}: not a readable notebook ({one_line(error)}); save it again in Jupyter") from None
    if not any(code.strip() for code in codes):
        raise UsageError(f"{shown}: the notebook has no code; name one with code cells")
    return "\n".join(_without_magics(code) for code in codes) + "\n"


def _without_magics(code: str) -> str:
    """Replace IPython's magics and shell commands by `pass`; a cell that a magic takes as a whole is left out."""
    if re.match(r"\s*%%(?!time|capture|timeit)", code):
        return ""
    lines: List[str] = []
    for line in code.splitlines():
        magic = re.match(r"(\s*)(?:%|!|\?)|(\s*)[\w.]+\?+\s*$", line)
        assigned = re.match(r"(\s*[\w, ]+=\s*)(?:%|!)", line)
        if (magic or assigned) and _is_open(lines):
            magic = assigned = None
        lines.append(f"{magic.group(1) or magic.group(2) or ''}pass" if magic else
                     f"{assigned.group(1)}[]" if assigned else line)
    text = "\n".join(lines)
    try:
        ast.parse(text)
    except SyntaxError:
        pass  # compiling the whole program names the place
    return text


def _is_open(lines: Sequence[str]) -> bool:
    """Return whether a statement or a string of these lines goes on in the line after them."""
    try:
        for _ in tokenize.generate_tokens(iter([line + "\n" for line in lines]).__next__):
            pass
    except tokenize.TokenError as error:
        return re.search("EOF in multi-line|unterminated triple", str(error)) is not None
    except SyntaxError:
        pass
    return False


def prepare(program: str) -> None:
    """Prepare this process for TensorFlow 1's program: imports, names that are gone, child processes."""
    if is_tensorflow1():
        return
    from tf1_autoencoders.programs import imports, surroundings
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # 1.15's kernels were Eigen's, which round in the same way
    surroundings.put_back(program)
    if frameworks.shows_messages():
        imports.install()
    else:
        for name, value in (("TF_CPP_MIN_LOG_LEVEL", "3"), ("GRPC_VERBOSITY", "ERROR")):
            os.environ.setdefault(name, value)
        with frameworks.stderr_closed():
            imports.install()
        imports.hide_deprecations()
    _prepare_children(program)


def _prepare_children(program: str) -> None:
    """Make the processes that multiprocessing spawns prepare themselves, too."""
    from multiprocessing import spawn
    command_line = spawn.get_command_line
    prefix = (f"import sys; sys.path.insert(0, {os.path.dirname(PACKAGE)!r}); "
              f"from tf1_autoencoders.programs import launch; sys.path.pop(0); launch.prepare({program!r}); ")

    def prepared(**kwargs: Any) -> List[str]:
        command = command_line(**kwargs)
        if "-c" in command:
            place = command.index("-c") + 1
            command[place] = prefix + command[place]
        return command

    spawn.get_command_line = prepared


def _put_back_names_of_before_1(program: str, source: str, wanted: Optional[bool]) -> None:
    """Install the names of before TensorFlow 1.0 if the program uses them, and say so in one line on stderr."""
    from tf1_autoencoders.programs import old_names
    from tf1_autoencoders.tensorflow1 import before_1
    found = old_names.find(source, program) if wanted is None else None
    if wanted or found is not None:
        before_1.install(sys.modules["tensorflow"])
    if found is not None:
        print(f"{display_path(found.path)}, line {found.line}: {found.name} is of TensorFlow before 1.0; names, "
              "arguments and variables are those of 0.12", file=sys.stderr)


def run(program: str, arguments: Sequence[str], *, before: Optional[Any] = None,
        before_1_0: Optional[bool] = None) -> int:
    """Run a program as `python PROGRAM ARG ...` would, and return its exit code.

    Args:
        program: path of a .py or .ipynb file.
        arguments: of the program.
        before: called when everything is prepared, before the program's first line.
        before_1_0: whether the program is of TensorFlow before 1.0; None lets its names tell.

    Raises:
        UsageError: the file cannot be run (see read), or the program asks for what is not offered.
        SystemExit, KeyboardInterrupt: the program's own.
    """
    try:
        code, source = read(program)
    except SyntaxError as error:
        traceback.print_exception(type(error), error, None)
        return 1
    prepare(program)
    if before_1_0 is not False and not is_tensorflow1():
        _put_back_names_of_before_1(program, source, before_1_0)
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=program, __builtins__=builtins, __cached__=None)
    if program.endswith(".ipynb"):
        main.__dict__.update(get_ipython=lambda: None, display=print)
    sys.modules["__main__"] = main
    sys.argv = [program, *arguments]
    if not getattr(sys.flags, "safe_path", False):  # python -P: no folder of a program stands first
        sys.path.pop(0)
    sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
    linecache.cache[program] = len(source), None, source.splitlines(True), program
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if before is not None:
        before()
    cli.leave_streams_as_they_are()
    try:
        exec(code, main.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        return _report(error, program)
    return 0


def _report(error: BaseException, program: str) -> int:
    """Print a program's traceback without our lines, or the one sentence of a name that is gone."""
    error.__traceback__ = tb = _without_ours(error.__traceback__)
    for cause in (error.__cause__, error.__context__):
        if cause is not None:
            cause.__traceback__ = _without_ours(cause.__traceback__)
    frames = traceback.extract_tb(tb)
    refusal = refusal_of(error)
    if refusal is not None:
        line = next((f"line {frame.lineno}: " for frame in reversed(frames)
                     if os.path.abspath(frame.filename) == os.path.abspath(program)), "")
        raise UsageError(f"{display_path(program)}, {line}{refusal}") from None
    if frames:
        python2.refuse(error, frames[-1].filename, frames[-1].lineno)
    # the interpreter's own hook reads the lines from the file, and a notebook's file is JSON
    show = traceback.print_exception if sys.excepthook is sys.__excepthook__ else sys.excepthook
    show(type(error), error, tb)
    if isinstance(error, KeyboardInterrupt):
        sys.stderr.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 1


def refusal_of(error: Optional[BaseException]) -> Optional[str]:
    """Return the sentence of an error that says what is not offered; None for the program's own errors."""
    while error is not None:
        if isinstance(error, NotOffered) or type(error).__name__ == "Gone":
            return str(error)
        error = error.__cause__ or (error.__context__ if isinstance(error, (ImportError, AttributeError)) else None)
    return None


def _without_ours(tb: Optional[types.TracebackType]) -> Optional[types.TracebackType]:
    """Return a traceback without the frames of this package and of the import system."""
    kept = []
    while tb is not None:
        name = tb.tb_frame.f_code.co_filename
        if not os.path.abspath(name).startswith(PACKAGE + os.sep) and not name.startswith("<frozen"):
            kept.append(tb)
        tb = tb.tb_next
    following = None
    for tb in reversed(kept):
        tb.tb_next = following
        following = tb
    return following
