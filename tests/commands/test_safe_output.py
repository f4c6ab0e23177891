"""Commands print on any terminal, and write only into folders that are theirs."""
import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import slow
from tf1_autoencoders import crosscheck, evaluate, run_all, spread
from tf1_autoencoders.reporting import figures
from tf1_autoencoders.reporting.html_report import write_html_report
from tf1_autoencoders.sections import SECTIONS, section2_horses
from tf1_autoencoders.utils import files, paths
from tf1_autoencoders.utils.errors import UserError

ROOT = Path(run_all.__file__).resolve().parent.parent
PRINT = """
import argparse, sys
from tf1_autoencoders.utils import cli
def command(args):
    print("5 \u00b1 1 \u06af")
    cli.warn("\u06af")
    raise cli.UserError("\u06af: no such folder")
sys.exit(cli.run_command(cli.Parser(prog="test"), command, []))
"""


@pytest.mark.parametrize("encoding, expected", [
    ("ascii", b"5 +- 1 \\u06af"), ("cp1252", b"5 \xb1 1 \\u06af"), ("cp1256", b"5 \xb1 1 \x90"),
    ("utf-8", "5 \u00b1 1 \u06af".encode())])
def test_output_never_fails_on_a_character(encoding, expected):
    done = subprocess.run([sys.executable, "-c", PRINT], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=str(ROOT),
                          env={**os.environ, "PYTHONIOENCODING": encoding, "LANG": "C"})
    assert done.stdout.strip() == expected
    assert done.returncode == 1 and b"Traceback" not in done.stderr and b": no such folder" in done.stderr


@pytest.fixture
def finished_run(tmp_path):
    """Return a folder of results with one section and one figure."""
    folder = tmp_path / "section2"
    folder.mkdir()
    path = figures.save(figures.images([np.zeros((1, 4))], ["a"]), folder, "image_13")
    transcript = {
        "section": 2, "preset": "report", "backend": "graph", "settings": {"seed": 0}, "title": "Horses", "about": "",
        "data": {"name": "CIFAR-10", "kind": "official"}, "versions": {"tensorflow": "2"}, "threads": 0,
        "source": "", "mark": "", "measured": {}, "compared": [], "note": "", "transcript": [
            {"kind": "figure", "file": path.name, "caption": "a horse", "sha256": files.sha256_of_file(path)}]}
    (folder / "transcript.json").write_text(json.dumps(transcript))
    return tmp_path


def test_the_page_shows_the_figures_of_the_run_and_no_others(finished_run):
    assert "data:image/png" in write_html_report(finished_run).read_text()
    figures.save(figures.images([np.ones((1, 4))], ["another"]), finished_run / "section2", "image_13")
    page = write_html_report(finished_run).read_text()
    assert "data:image/png" not in page and "a horse: image_13.png is not the figure that this run drew" in page


def test_a_run_that_was_set_aside_is_not_on_the_page(finished_run):
    aside = finished_run / "section2.before-1"
    aside.mkdir()
    (aside / "transcript.json").write_bytes((finished_run / "section2" / "transcript.json").read_bytes())
    assert write_html_report(finished_run).read_text().count('id="section2"') == 1


@pytest.mark.parametrize("folder", [paths.PRETRAINED, paths.PRETRAINED / "section2", paths.PACKAGE / "results"])
def test_folders_that_the_project_ships_are_not_written_to(folder):
    with pytest.raises(UserError, match="part of the project and is not written to; choose another"):
        files.make_writable_folder(folder)
    assert not (paths.PACKAGE / "results").exists()


def test_the_shipped_checkpoint_survives_a_run_into_its_folder(capsys):
    before = sorted((path.name, path.stat().st_mtime_ns) for path in paths.PRETRAINED.rglob("*"))
    assert run_all.main(["--section", "2", "--data", "sample", "--checkpoint-dir", str(paths.PRETRAINED)]) == 1
    assert "is not written to" in capsys.readouterr().err
    assert sorted((path.name, path.stat().st_mtime_ns) for path in paths.PRETRAINED.rglob("*")) == before


def test_spread_asks_for_a_file_if_a_folder_is_given(tmp_path, capsys):
    assert spread.main(["--section", "4", "--out", str(tmp_path)]) == 2
    assert "this is a folder; expected the name of a file, such as" in capsys.readouterr().err


INTERRUPTS = """
import atexit, builtins, os, signal, sys

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)

class Interrupter:
    def find_spec(name, path=None, target=None):
        if name == os.environ["INTERRUPTED_IMPORT"]:
            interrupt()

sys.meta_path.insert(0, Interrupter)
if os.environ["INTERRUPTED_IMPORT"] == "at exit":
    atexit.register(interrupt)
"""  # a sitecustomize.py, which Python runs before a program


@pytest.fixture
def interrupted_command(tmp_path):
    """Return a function that runs a command and sends SIGINT at the start of a module's import, or at exit."""
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTS)

    def run(command, module):
        return subprocess.run(
            [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=str(tmp_path), timeout=100,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
                 "INTERRUPTED_IMPORT": module})
    return run


RUN_ALL = [str(ROOT / "run_all.py"), "--section", "2", "--data", "sample"]


@pytest.mark.parametrize("command, module", [
    (RUN_ALL, "tf1_autoencoders"), (RUN_ALL, "tf1_autoencoders.run_all"), (RUN_ALL, "argparse"), (RUN_ALL, "numpy"),
    (RUN_ALL, "tf1_autoencoders.utils.cli"), slow(RUN_ALL, "tensorflow"), slow(RUN_ALL, "tensorflow.python"),
    ([*RUN_ALL, "--version"], "at exit")], ids=lambda value: value if isinstance(value, str) else "run_all")
def test_an_interrupt_shows_no_traceback_from_the_first_line_to_the_end(interrupted_command, command, module):
    """A traceback of Python's own start, before the first line of the project, cannot be prevented."""
    done = interrupted_command(command, module)
    assert b"Traceback" not in done.stderr and done.returncode in (130, -signal.SIGINT)  # a shell reports 130 for both


def test_an_import_that_swallows_the_interrupt_does_not_keep_the_command_running(tmp_path):
    (tmp_path / "swallows.py").write_text("import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n"
                                          "except BaseException:\n    pass\n")
    code = ("import sys\nfrom tf1_autoencoders.utils import cli\ndef command(args):\n    import swallows\n"
            "sys.exit(cli.run_command(cli.Parser(prog='test'), command, []))")
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, cwd=str(tmp_path), timeout=60,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])})
    assert done.returncode == -signal.SIGINT and b"Traceback" not in done.stderr


@pytest.mark.parametrize("module, arguments", [
    (run_all, ["--section", "2"]), (evaluate, []), (crosscheck, ["--section", "2"]), (spread, ["--section", "2"])])
def test_a_terminal_is_told_at_once_what_takes_long_and_a_pipe_is_not(module, arguments, tmp_path, monkeypatch, capsys):
    def load(*arguments, **options):
        raise UserError("loaded")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(section2_horses, "load", load)  # which its test_images calls
    monkeypatch.setitem(SECTIONS, 2, dataclasses.replace(SECTIONS[2], load=load))
    for is_terminal in (True, False):
        monkeypatch.setattr(sys.stderr, "isatty", lambda is_terminal=is_terminal: is_terminal, raising=False)
        assert module.main(arguments) == 1
        first, *rest = capsys.readouterr().err.splitlines()
        assert ("loading TensorFlow and the" in first and first.endswith("...")) is is_terminal
        assert (rest or [first])[-1].endswith(": loaded")
