"""What the commands share on the terminal: arguments, errors in one sentence, exit codes."""
from __future__ import annotations

import argparse
import math
import os
import signal
import sys

from tf1_autoencoders.utils import frameworks
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.interrupts import terminable


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one sentence on stderr, without the usage lines, and exit code 2."""

    def __init__(self, **kwargs):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **kwargs)
        self.add_argument("--tensorflow-messages", action="store_true",
                          help="show TensorFlow's own start-up messages and warnings (default: hidden)")

    def error(self, message):
        if message.startswith("argument "):
            message = message[len("argument "):]
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def whole_number(lowest, highest=math.inf, expected=None):
    """An argparse type: an int from `lowest` to `highest`; `expected` is the message's words for that."""
    expected = expected or f"expected a whole number, {lowest} or more"

    def parse(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not lowest <= value <= highest:
            raise argparse.ArgumentTypeError(f"{text}: {expected}")
        return value
    return parse


def real_number(*, above=None, lowest=None):
    """An argparse type: a finite float, greater than `above` or at least `lowest`."""
    bound = f"greater than {above:g}" if lowest is None else f"{lowest:g} or more"

    def parse(text):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or not (value > above if lowest is None else value >= lowest):
            raise argparse.ArgumentTypeError(f"{text}: expected a number {bound}")
        return value
    return parse


def add_data_arguments(parser):
    """Add --data and --data-dir, the same for every command that reads pictures."""
    group = parser.add_argument_group("data")
    group.add_argument("--data", choices=("auto", "real", "sample"), default="auto",
                       help="auto: the real pictures where they are or can be downloaded, else the drawn sample; "
                            "real: the real pictures or an error; sample: the drawn sample (default: auto)")
    group.add_argument("--data-dir", metavar="DIR",
                       help="folder that holds the data as its authors publish it: cifar-10-batches-py/ or "
                            "cifar-10-python.tar.gz, and fashion-mnist/ (default: data/ here, Keras's cache, Debian's "
                            "dataset-fashion-mnist, else a download of 170 MB and 30 MB)")


def choose(options, name, argument):
    """options[name], for an argument whose choices depend on another one.

    Raises:
        UsageError: there is no such name.
    """
    if name not in options:
        raise UsageError(f"{argument} {name}: expected one of {', '.join(options)}")
    return options[name]


def warn(message):
    """One line on stderr that is not an error."""
    print(message, file=sys.stderr, flush=True)


def run_command(parser, command, argv=None):
    """Parse `argv`, call command(args) and return the exit code: 0, 1, 2 for usage, 130 for Ctrl-C, 143 for SIGTERM."""
    args = parser.parse_args(argv)
    if args.tensorflow_messages:
        frameworks.show_messages()
    try:
        with terminable():
            return command(args) or 0
    except UserError as error:
        warn(f"{parser.prog}: {error}")
        return error.exit_code
    except KeyboardInterrupt as error:
        warn(f"{parser.prog}: {error if error.args else 'interrupted'}")
        return 128 + getattr(error, "number", signal.SIGINT)
    except BrokenPipeError:  # the reader of a pipe has gone: end like any other tool, without a word
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        warn(f"{parser.prog}: {name}{error.strerror or error}; free space or choose another folder, then run again")
        return 1
