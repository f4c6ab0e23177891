"""`run_all.py --dry-run` says what a run would do, and does nothing."""
import dataclasses

import pytest

from tests import small_sections as small
from tf1_autoencoders import run_all
from tf1_autoencoders.checkpointing import store
from tf1_autoencoders.datasets import Source, cifar10
from tf1_autoencoders.sections import SECTIONS, plan
from tf1_autoencoders.sections.run import RunOptions, run_identity


@pytest.fixture
def nothing_written(tmp_path, monkeypatch):
    """The empty working directory, which is empty after the test too."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def test_it_names_settings_data_folders_and_cost_of_every_section_and_writes_nothing(nothing_written, capsys):
    assert run_all.main(["--dry-run", "--epochs", "40"]) == 0
    output = " ".join(capsys.readouterr().out.split())
    for words in ("n_epochs 40", "CIFAR-10: a download of 170 MB into", "Fashion-MNIST: a download of 31 MB into",
                  "random sequences, drawn by the program", "./checkpoints/section3 would be made",
                  "about 4.0 minutes and 1.2 GB", "two cores of an AMD EPYC",
                  "nothing was read, downloaded or written"):
        assert words in output, words


@pytest.mark.parametrize("options, words", [
    (["--data", "sample"], "CIFAR-10: the drawn sample"),
    (["--data", "real"], "CIFAR-10: a download of 170 MB")])
def test_it_says_where_the_data_would_come_from(nothing_written, capsys, options, words):
    assert run_all.main(["--dry-run", "--section", "2", *options]) == 0
    output = capsys.readouterr().out
    assert words in output and ("if the download fails" in output) is False


def test_it_finds_a_copy_as_the_run_does(nothing_written, cifar_copy, capsys, monkeypatch):
    monkeypatch.setattr(cifar10, "read_batch", None)  # nothing is read
    for folder in (cifar_copy, cifar_copy / "cifar-10-batches-py"):
        assert run_all.main(["--dry-run", "--section", "2", "--data-dir", str(folder)]) == 0
        assert f"CIFAR-10: the copy in {cifar_copy / 'cifar-10-batches-py'}" in capsys.readouterr().out
    assert run_all.main(["--dry-run", "--section", "2", "--data-dir", str(cifar_copy / "none")]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_it_refuses_what_the_run_would_refuse(nothing_written, capsys):
    assert run_all.main(["--dry-run", "--section", "2", "--batch-size", "5001"]) == 2
    assert "there are 5000 horses; choose 1 to 5000" in capsys.readouterr().err


@pytest.mark.parametrize("changes, finished, resume, words", [
    ({}, False, False, "has the unfinished run of these settings, which would be continued from step-00000005"),
    ({}, True, True, "has the finished run of these settings, which would be continued from step-00000005"),
    ({}, True, False, "has the finished run of these settings, which would be kept aside"),
    ({"seed": 7}, False, False, "has another run, unfinished, which would be kept aside "
     "(seed was 7 in the saved run and is 0 now)")])
def test_it_says_what_becomes_of_an_earlier_run(tmp_path, changes, finished, resume, words):
    section = SECTIONS[4]
    settings = dataclasses.replace(section.presets["report"], **small.SIZES[4])
    options = RunOptions(checkpoint_dir=str(tmp_path), resume=resume)
    identity = run_identity(section, dataclasses.replace(settings, **changes), options, Source("a", "b", "c"), ())
    with store.Store(tmp_path / "section4") as saved:
        saved.save(5, lambda folder: None, identity, {"n_steps": 5})
        if finished:
            saved.mark_finished()
    before = sorted(tmp_path.rglob("*"))
    assert words in "\n".join(plan.describe_plan(section, settings, options))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_changed_checksum_is_told_as_a_change_of_what_it_belongs_to():
    saved, current = ({"code": {"sha256": key}, "settings": {"seed": 0}} for key in "ab")
    assert store.first_difference(saved, current) == "the code has changed"
    saved = {**saved, "settings": {"seed": 1}}
    assert store.first_difference(saved, current) == "seed was 1 in the saved run and is 0 now"
