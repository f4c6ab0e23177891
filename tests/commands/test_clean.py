"""`clean` deletes runs that were set aside and abandoned downloads, and nothing that somebody may still need."""
import os
import sys
import time

import pytest

from tf1_autoencoders import clean
from tf1_autoencoders.checkpointing.store import Store
from tf1_autoencoders.utils import files, paths


def save_run(folder, seed, finished=True):
    """Save a run with one small checkpoint; an earlier run in the folder is set aside, as by run_all."""
    with Store(folder) as store:
        store.open_run({"seed": seed}, False, lambda sentence: None)
        store.save(5, lambda target: (target / "model.ckpt.index").write_bytes(bytes(1000)), {"seed": seed},
                   {"n_steps": 5})
        if finished:
            store.mark_finished()


@pytest.fixture
def section2(tmp_path, monkeypatch):
    """Return the folder of section 2's checkpoints, in the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "checkpoints" / "section2"


def tree(folder):
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


@pytest.fixture
def on_a_terminal(monkeypatch):
    """Return a function that simulates a user who types an answer."""
    def answer(text):
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda question: print(question) or text)
    return answer


def test_without_a_terminal_it_lists_and_changes_nothing(section2, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", open(os.devnull))
    save_run(section2, 1)
    save_run(section2, 2)
    before = tree(section2.parent)
    assert clean.main([]) == 0
    output = capsys.readouterr().out
    assert "./checkpoints/section2.before-1 | finished run, 5 steps | 0.0 |" in output.replace("  ", "")
    assert "nothing was deleted: give --yes" in output and tree(section2.parent) == before


def test_yes_deletes_the_runs_that_were_set_aside_and_leaves_the_current_run(section2, capsys):
    for seed in range(3):
        save_run(section2, seed)
    before = tree(section2)
    assert clean.main(["--yes"]) == 0
    assert "deleted: 2 of 2" in capsys.readouterr().out
    assert [path.name for path in section2.parent.iterdir() if path.is_dir()] == ["section2"]
    assert tree(section2) == before
    assert clean.main([]) == 0 and "nothing to delete" in capsys.readouterr().out


@pytest.mark.parametrize("answer, deleted", [("y", True), ("yes", True), ("", False), ("n", False)])
def test_on_a_terminal_it_asks(section2, on_a_terminal, capsys, answer, deleted):
    save_run(section2, 1)
    save_run(section2, 2)
    on_a_terminal(answer)
    assert clean.main([]) == 0
    assert "MB? [y/N]" in capsys.readouterr().out
    assert section2.with_name("section2.before-1").exists() is not deleted


def test_the_last_finished_run_stays_while_the_current_one_is_unfinished(section2):
    save_run(section2, 1)
    os.utime(str(section2 / "step-00000005"), (1, 1))  # the oldest
    save_run(section2, 2)
    save_run(section2, 3, finished=False)
    assert clean.main(["--yes"]) == 0
    assert not section2.with_name("section2.before-1").exists() and section2.with_name("section2.before-2").exists()


def test_a_folder_that_changed_while_the_user_thought_stays(section2, monkeypatch, capsys):
    save_run(section2, 1)
    save_run(section2, 2)
    aside = section2.with_name("section2.before-1")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: (aside / "notes.txt").write_text("mine") and "y")
    assert clean.main([]) == 0
    assert "section2.before-1: it has changed; it stays" in capsys.readouterr().err
    assert (aside / "notes.txt").read_text() == "mine"


def test_a_folder_in_use_stays(section2, capsys):
    save_run(section2, 1)
    save_run(section2, 2)
    with files.lock_folder(section2, "--checkpoint-dir"):
        assert clean.main(["--yes"]) == 0
    assert "a run is at work in ./checkpoints/section2; it stays" in capsys.readouterr().err
    assert section2.with_name("section2.before-1").exists()


def test_links_and_folders_that_no_run_wrote_stay(section2, tmp_path):
    save_run(section2, 1)
    save_run(tmp_path / "mine", 1)
    section2.with_name("section2.before-1").symlink_to(tmp_path / "mine")
    other = section2.with_name("section2.before-2")
    other.mkdir()
    (other / "thesis.txt").write_text("all of it")
    assert clean.main(["--yes"]) == 0
    assert (tmp_path / "mine" / "latest").exists() and (other / "thesis.txt").exists()


def test_an_unfinished_download_is_deleted_once_it_is_abandoned(section2, tmp_path):
    old, new = (tmp_path / "data" / f"cifar-10-python.tar.gz.{name}.part" for name in ("old", "new"))
    old.parent.mkdir()
    old.write_bytes(bytes(100))
    new.write_bytes(bytes(100))
    an_hour_ago = time.time() - 3600
    os.utime(str(old), (an_hour_ago, an_hour_ago))
    assert clean.main(["--yes"]) == 0
    assert new.exists() and not old.exists()


def test_a_deletion_that_was_killed_is_finished_by_the_next_one(section2, monkeypatch):
    save_run(section2, 1)
    save_run(section2, 2)

    def killed(path):
        raise KeyboardInterrupt
    monkeypatch.setattr(clean.shutil, "rmtree", killed)
    assert clean.main(["--yes"]) == 130
    monkeypatch.undo()
    monkeypatch.chdir(section2.parent.parent)
    assert clean.main(["--yes"]) == 0
    assert [path.name for path in section2.parent.iterdir() if path.is_dir()] == ["section2"]


def test_the_shipped_checkpoints_are_not_deleted(capsys):
    assert clean.main(["--yes", "--checkpoint-dir", str(paths.PRETRAINED)]) == 1
    assert "is part of the project" in capsys.readouterr().err
