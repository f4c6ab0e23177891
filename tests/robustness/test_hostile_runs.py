"""hostile_runs: what a careless command does is noticed; a few of its files, each kind."""
import faulthandler
import os
import signal
import sys
import time

import pytest

from tests.conftest import slow
from tests.robustness import hostile_files as crafted
from tests.robustness import hostile_runs

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")


def prints(text, code=0, stream="stdout"):
    def command():
        print(text, file=getattr(sys, stream))
        return code
    return command


def raises():
    raise KeyError("x")


def escapes():
    open(crafted.CANARY, "w").close()
    return 0


def crashes():
    faulthandler.disable()  # pytest's, which would print where
    os.kill(os.getpid(), signal.SIGSEGV)


def takes_memory():
    return len(b"x" * (64 << 20)) and 0


@pytest.mark.parametrize("command, wrong", [
    (prints("all is well"), []), (prints("one sentence", 1, "stderr"), []), (prints("\x1b[2J"), ["output"]),
    (prints("two\nlines", 1, "stderr"), ["output"]), (prints("", 3), ["output"]), (escapes, ["escape"]),
    (crashes, ["output"]), (lambda: time.sleep(60), ["hang", "output"]),
    (takes_memory, ["memory"]), (raises, ["traceback", "output"])])
def test_what_a_careless_command_does_is_noticed(command, wrong, tmp_path, monkeypatch):
    monkeypatch.setattr(hostile_runs, "HANGS", 1)
    if wrong == ["memory"]:
        monkeypatch.setattr(hostile_runs, "MOST_MEMORY", 40)
    assert hostile_runs.attempt(command, tmp_path).wrong == wrong


@pytest.mark.parametrize("kind", ["clusters", "settings", "pictures", slow("progress"), slow("reading")])
def test_a_few_hostile_files_of_a_kind_do_no_harm(kind, tmp_path):
    for k, (name, command) in enumerate(hostile_runs.KINDS[kind](tmp_path)):
        if k % 97 == 3:
            working = tmp_path / f"working-{k}"
            working.mkdir()
            found = hostile_runs.attempt(command, working)
            assert not found.wrong, (name, found)
