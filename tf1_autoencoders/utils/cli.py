"""What the commands share on the terminal: arguments, errors in one sentence, exit codes."""
from __future__ import annotations

import argparse
import codecs
import contextlib
import math
import os
import platform
import signal
import sys
from typing import Any, Callable, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple

from tf1_autoencoders import __version__
from tf1_autoencoders.utils import frameworks
from tf1_autoencoders.utils.errors import UsageError, UserError, printable
from tf1_autoencoders.utils.interrupts import raised_signals

SPELLINGS = {"\u00b1": "+-", "\u00d7": "x", "\u2192": "->", "\u2026": "..."}  # for terminals without these characters


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one sentence on stderr, without the usage lines, and exit code 2.

    Args:
        essential: names of the options that --help shows, if the command has many; --help-all shows all.
        essential_epilog: what --help prints at its end in place of the epilog.
        kwargs: of ArgumentParser.
    """

    def __init__(self, essential: Sequence[str] = (), essential_epilog: str = "", **kwargs: Any) -> None:
        self._essential, self._essential_epilog = essential, essential_epilog
        called = os.path.basename(sys.argv[0])
        if called.startswith("tf1-autoencoders"):  # an installed command
            kwargs["prog"] = called
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **kwargs)
        self.add_argument("--version", action="version", help="show the versions of the project and of Python",
                          version=f"tf1-autoencoders {__version__}, Python {platform.python_version()}")
        self.add_argument("--verbose", action="store_true",
                          help="show TensorFlow's own start-up messages and warnings (default: hidden)")
        if essential:
            self.add_argument("--help-all", action=_HelpAll, nargs=0, default=argparse.SUPPRESS,
                              help="show all options and presets, and exit")

    def error(self, message: str) -> Any:
        message = printable(message)
        if message.startswith("argument "):
            message = message[len("argument "):]
        self.exit(2, f"{self.prog}: {message} (see {'--help-all' if self._essential else '--help'})\n")

    def format_help(self) -> str:
        """Return what --help prints: the essential options only, if there are some."""
        if not self._essential:
            return super().format_help()
        formatter = self._get_formatter()
        formatter.add_usage("%(prog)s [options]", [], [])
        formatter.add_text(self.description)
        formatter.start_section("the most useful options")
        formatter.add_arguments([action for action in self._actions
                                 if action.dest in (*self._essential, "help", "help_all")])
        formatter.end_section()
        formatter.add_text(self._essential_epilog)
        return formatter.format_help()

    def format_help_all(self) -> str:
        """Return what --help-all prints."""
        return super().format_help()


class _HelpAll(argparse.Action):
    """Print the help with all options, and exit."""

    def __call__(self, parser: Any, *_: Any) -> None:
        print(parser.format_help_all(), end="")
        parser.exit()


class SettingOption(NamedTuple):
    """A command-line option that only some sections have; for run_all, the field of their settings that it replaces.

    | field   | meaning                                                                   |
    |---------|---------------------------------------------------------------------------|
    | flag    | the option, e.g. --noise-strength                                         |
    | setting | name of the field or argument, e.g. noise_strength                        |
    | help    | text of --help                                                            |
    | type    | function of the argument's text, as argparse takes it                     |
    | metavar | name of the value in --help                                               |
    | choices | the values allowed, or None                                               |
    | nargs   | number of values, as argparse takes it; None for one                      |
    """

    flag: str
    setting: str
    help: str
    type: Callable[[str], Any] = str
    metavar: Optional[str] = None
    choices: Optional[Sequence[str]] = None
    nargs: Optional[str] = None

    def add_to(self, group: Any) -> None:
        """Add the option to an argparse group; its value is None where the user does not give it."""
        group.add_argument(self.flag, dest=self.setting, help=self.help, type=self.type,
                           metavar=self.metavar, choices=self.choices, nargs=self.nargs)


def whole_number(lowest: int, highest: int = 1_000_000, expected: Optional[str] = None) -> Callable[[str], int]:
    """An argparse type: an int from `lowest` to `highest`; `expected` replaces the words of the error message."""
    expected = expected or f"expected a whole number from {lowest} to {highest}"

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"{text}: {expected}")
        return value
    return parse


def real_number(*, highest: float, above: Optional[float] = None, lowest: float = 0) -> Callable[[str], float]:
    """An argparse type: a float up to `highest`, greater than `above` or at least `lowest`."""
    bound = f"from {lowest:g} to {highest:g}" if above is None else f"greater than {above:g}, up to {highest:g}"

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not value <= highest or not (value >= lowest if above is None else value > above):  # nan is neither
            raise argparse.ArgumentTypeError(f"{text}: expected a number {bound}")
        return value
    return parse


def yes_or_no(text: str) -> bool:
    """An argparse type: the words yes and no as a bool."""
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"{text}: expected yes or no")
    return text == "yes"


def path_name(text: str) -> str:
    """An argparse type: the name of a file or folder, with a leading ~ replaced by the home folder."""
    if not text:
        raise argparse.ArgumentTypeError("the name is empty; expected the name of a file or folder")
    return os.path.expanduser(text)


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data and --data-dir, which are the same for every command that reads images."""
    group = parser.add_argument_group("data")
    group.add_argument("--data", choices=("auto", "real", "sample"), default="auto",
                       help="auto: the real images if they are here or can be downloaded, else the drawn sample; "
                            "real: the real images or an error; sample: the drawn sample (default: auto)")
    group.add_argument("--data-dir", metavar="DIR", action="append", type=path_name,
                       help="folder that holds the data as its authors publish it: cifar-10-batches-py/ or "
                            "cifar-10-python.tar.gz, and fashion-mnist/; give the option twice for two folders "
                            "(default: ./data, Keras's cache, Debian's dataset-fashion-mnist, else a download of "
                            "170 MB and 30 MB)")


def choose_from(options: Mapping[str, Any], name: str, argument: str) -> Any:
    """Return options[name], for an argument whose choices depend on another argument.

    Raises:
        UsageError: there is no such name.
    """
    if name not in options:
        raise UsageError(f"{argument} {name}: expected one of {', '.join(options)}")
    return options[name]


def warn(message: str) -> None:
    """Print one line on stderr that is not an error."""
    print(printable(message), file=sys.stderr, flush=True)


def status(message: str) -> None:
    """Print on a terminal what is being done, before work that prints nothing for seconds; be quiet in a pipe."""
    if sys.stderr.isatty():
        print(f"{printable(message)} ...", file=sys.stderr, flush=True)


def _replace_characters(error: UnicodeError) -> Tuple[str, int]:
    """An error handler of codecs: spell the characters that a terminal's encoding lacks."""
    assert isinstance(error, UnicodeEncodeError)
    missing = error.object[error.start:error.end]
    return "".join(SPELLINGS.get(letter, f"\\u{ord(letter):04x}") for letter in missing), error.end


def print_any_character() -> None:
    """Transliterate characters that the encoding of stdout or stderr cannot represent, instead of failing on them."""
    codecs.register_error("spell", _replace_characters)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where a test or a notebook has replaced the stream
            stream.reconfigure(errors="spell")


class PrintableStream:
    """A text stream on which no text from outside reaches the terminal as a command; lines and tabs stay.

    A carriage return stays at either end of what is written, where a progress bar has one.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        if text.isprintable():
            return self._stream.write(text)
        inner = text.strip("\r")
        begin, _, end = text.partition(inner) if inner else (text, "", "")
        self._stream.write(begin + "".join(letter if letter in "\n\t" else printable(letter) for letter in inner) + end)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def leave_streams_as_they_are() -> None:
    """Let stdout and stderr take any text, for a program of the user's own, until printable_streams ends."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, PrintableStream):
            setattr(sys, name, vars(stream)["_stream"])


@contextlib.contextmanager
def printable_streams() -> Iterator[None]:
    """Context manager: stdout and stderr as PrintableStream."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(PrintableStream, before)  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def run_command(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], Optional[int]],
                argv: Optional[Sequence[str]] = None) -> int:
    """Parse `argv`, call command(args) and return the exit code: 0, 1, 2 for usage, 130 for Ctrl-C, 143 for SIGTERM."""
    print_any_character()
    with printable_streams():
        return _run_command(parser, command, argv)


def _run_command(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], Optional[int]],
                 argv: Optional[Sequence[str]]) -> int:
    try:
        with raised_signals():
            args = parser.parse_args(argv)
            if args.verbose:
                frameworks.show_messages()
            return command(args) or 0
    except UserError as error:
        warn(f"{parser.prog}: {error}")
        return error.exit_code
    except KeyboardInterrupt as error:
        warn(f"{parser.prog}: {error if error.args else 'interrupted'}")
        return 128 + getattr(error, "number", signal.SIGINT)
    except BrokenPipeError:  # the reader of a pipe has gone: end silently, like any other tool
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        warn(f"{parser.prog}: {name}{error.strerror or error}; free space or choose another folder, then run again")
        return 1
