"""What came from outside is printed, but a terminal obeys none of it."""
import io
import sys

import pytest

from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError, printable
from tf1_autoencoders.utils.paths import display_path

HOSTILE = "a\x1b[2J\x9b1m\u202eb\r\n\0\udcff"


def test_a_hostile_text_is_spelled_in_one_line():
    assert printable(HOSTILE) == "a\\x1b[2J\\x9b1m\\u202eb\\r\\n\\x00\\udcff"
    assert printable("گربه → 5 µm") == "گربه → 5 µm"
    for text in (str(UserError(HOSTILE)), display_path(HOSTILE)):
        assert text.isprintable() and "\\x1b" in text


def run(command, monkeypatch):
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    code = cli.run_command(cli.Parser(prog="test"), command, [])
    assert (sys.stdout, sys.stderr) == (out, err)
    return code, out.getvalue(), err.getvalue()


def test_nothing_that_a_command_prints_is_obeyed(monkeypatch):
    def command(args):
        print("two\nlines\tand", HOSTILE)
        cli.warn(HOSTILE)
        sys.stderr.write("\r 50%|##  |\r")
        raise OSError(2, HOSTILE, HOSTILE)
    code, out, err = run(command, monkeypatch)
    assert code == 1 and out == "two\nlines\tand " + printable(HOSTILE).replace("\\n", "\n") + "\n"
    first, bar, last = err.split("\n")[0], err.split("\n")[1], err.split("\n")[1:]
    assert first == printable(HOSTILE) and bar.startswith("\r 50%|##  |\r") and len(last) == 2
    assert err.replace("\n", "").replace("\r", "").isprintable()


def test_an_argument_is_not_obeyed(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        cli.run_command(cli.Parser(prog="test"), lambda args: 0, [HOSTILE])
    assert capsys.readouterr().err.count("\n") == 1
