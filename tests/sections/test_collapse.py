"""A network that answers alike whatever its input: judged in every section, trained again, never judged or chosen."""
import dataclasses
import json
import os
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests import small_sections as small
from tests.conftest import slow
from tf1_autoencoders import run_all
from tf1_autoencoders.checkpointing import saver, store
from tf1_autoencoders.reporting import baselines, comparison
from tf1_autoencoders.reporting.baselines import FinalError
from tf1_autoencoders.reporting.run_log import RunLog
from tf1_autoencoders.sections import SECTIONS, trained
from tf1_autoencoders.sections.run import measure
from tf1_autoencoders.training.loop import Progress
from tf1_autoencoders.utils.paths import PRETRAINED

DEAD, ALIVE = FinalError("MSE over 9 images", 3330.0, 3600.0), FinalError("MSE over 9 images", 1300.0, 3600.0)


@pytest.fixture
def small_sections(monkeypatch):
    small.shrink(monkeypatch.setattr, monkeypatch.setitem)
    for name in ("figure", "slider"):  # drawing is no part of these tests
        monkeypatch.setattr(RunLog, name, lambda *_: None)


def collapse(monkeypatch, *seeds):
    """Have section 2's network collapse with these seeds and with no others."""
    monkeypatch.setitem(SECTIONS, 2, dataclasses.replace(
        SECTIONS[2], data_plan=lambda settings, **data_options: ("random images", 70),
        final_error=lambda trainer, settings: DEAD if settings.seed in seeds else ALIVE))


def run(folder, *more):
    """Run section 2 without --seed, unless `more` has it."""
    arguments = [text for text in small.arguments(2, folder, "--threads", "1") if text not in ("--seed", "0")]
    return run_all.main([*arguments, *more])


def transcript(folder):
    return json.loads((folder / "results/section2/transcript.json").read_text())


@pytest.mark.parametrize("error, collapsed", [
    (0.0, False), (0.89, False), (0.92, True), (1.0, True), (2.0, True), (float("nan"), True), (float("inf"), True)])
def test_a_network_has_collapsed_unless_it_is_clearly_better_than_a_constant_answer(error, collapsed):
    assert FinalError("MSE", error, 1.0).collapsed == collapsed


@pytest.mark.parametrize("number", SECTIONS)
def test_each_section_tells_a_constant_answer_from_the_right_one(small_sections, number):
    section = SECTIONS[number]
    settings = section.presets["report"]
    data, _ = section.load(settings)
    arrays = section.training_arrays(data, settings)
    _, targets = section.inputs_and_targets(arrays, settings)
    constant = np.broadcast_to(targets.mean(axis=0, keepdims=True), targets.shape)
    for outputs, collapsed in ((targets, False), (constant, True)):
        trainer = SimpleNamespace(arrays=arrays, predict=lambda *rows, outputs=outputs: outputs[:len(rows[0])])
        assert section.final_error(trainer, settings).collapsed == collapsed


def test_a_default_run_whose_network_collapsed_is_repeated_with_the_next_seed(
        small_sections, tmp_path, capsys, monkeypatch):
    collapse(monkeypatch, 0)
    assert run(tmp_path) == 0
    out = capsys.readouterr().out
    assert ("the network of seed 0 has collapsed (MSE over 9 images 3330, that of the mean image 3600 (drawn sample)); "
            "no --seed was given, so that the training is repeated with seed 1") in out
    content = transcript(tmp_path)
    assert content["settings"]["seed"] == 1 and not content["collapsed"] and len(content["notes"]) == 1
    assert "seed 0 has collapsed" in (tmp_path / "results/report.html").read_text()
    last = (tmp_path / "results/section2/metrics.jsonl").read_text()
    assert '"final_error": 1300.0, "constant_answer_error": 3600.0, "collapsed": 0.0' in last
    newest = next(store.good_checkpoints(tmp_path / "checkpoints/section2", []))
    assert newest.settings["settings"]["seed"] == 1
    assert [seed for seed, _ in newest.progress["collapsed_before"]] == [0]


@slow
def test_a_repeated_run_is_the_run_of_its_seed(small_sections, tmp_path, monkeypatch):
    collapse(monkeypatch, 0)
    assert run(tmp_path / "repeated") == run(tmp_path / "named", "--seed", "1") == 0
    weights = [next((tmp_path / name / "checkpoints/section2/latest").glob("*.data*")).read_bytes()
               for name in ("repeated", "named")]
    assert weights[0] == weights[1]


@slow
@pytest.mark.parametrize("more, seeds", [((), [0, 1, 2, 3]), (("--seed", "0"), [0]), (("--epochs", "5"), [0])])
def test_a_run_is_repeated_three_times_at_most_and_never_with_a_seed_or_fewer_epochs(
        small_sections, tmp_path, capsys, monkeypatch, more, seeds):
    collapse(monkeypatch, *range(9))
    assert run(tmp_path, *more) == 0
    out = capsys.readouterr().out
    assert out.count("Section 2: Stacked") == len(seeds) and out.count("this network has collapsed") == 1
    assert "train again with another --seed" in out
    assert transcript(tmp_path)["settings"]["seed"] == seeds[-1] and transcript(tmp_path)["collapsed"]
    assert "this network has collapsed" in (tmp_path / "results/report.html").read_text()


@slow
def test_an_interrupted_repetition_continues_and_ends_as_if_it_had_not_been_interrupted(
        small_sections, tmp_path, capsys, monkeypatch):
    collapse(monkeypatch, 0)
    assert run(tmp_path / "whole") == 0
    whole = small.remains(tmp_path / "whole", 2)
    advance_step, stops = Progress.advance_step, [6]  # the sixth step of the second run

    def advance_and_stop(progress):
        advance_step(progress)
        if stops and progress.collapsed_before and progress.n_steps == stops[0]:
            stops.clear()
            os.kill(os.getpid(), signal.SIGINT)
    monkeypatch.setattr(Progress, "advance_step", advance_and_stop)
    assert run(tmp_path / "stopped") == 130 and not stops
    capsys.readouterr()
    assert run(tmp_path / "stopped", "--dry-run") == 0
    assert "has the unfinished run of seed 1, which repeats one whose network has collapsed, and would be continued " \
           "from step-00000006" in capsys.readouterr().out
    assert run(tmp_path / "stopped", "--resume") == 0
    captured = capsys.readouterr()
    assert "resumed from" in captured.err and "the network of seed 0 has collapsed" in captured.out
    assert small.remains(tmp_path / "stopped", 2) == whole


@slow
def test_a_run_of_the_first_seed_is_not_the_repetition_that_another_command_began(
        small_sections, tmp_path, capsys, monkeypatch):
    collapse(monkeypatch, 0)
    assert run(tmp_path) == 0
    assert run(tmp_path, "--seed", "0") == 0
    assert transcript(tmp_path)["settings"]["seed"] == 0 and transcript(tmp_path)["collapsed"]


def test_a_collapsed_network_is_never_called_inside():
    published, bands = {"epoch 1 loss": 2.0}, comparison.SeedBands({"epoch 1 loss": [1.0, 2.0, 3.0, 2.5, 1.5]}, 0)
    inside, = comparison.compare_with_published(published, bands, {"epoch 1 loss": 2.0})
    assert inside[-1] == "inside"
    collapsed, = comparison.compare_with_published(published, bands, {"epoch 1 loss": 2.0}, collapsed=True)
    assert collapsed[-1] == "not judged: its network has collapsed" and collapsed[-2] == "inside"
    assert comparison.count_verdicts([collapsed])[-1] == "This run is not judged: its network has collapsed"


@pytest.mark.parametrize("dead", [True, False])
def test_spread_counts_the_final_network(small_sections, monkeypatch, dead):
    collapse(monkeypatch, *[0] * dead)
    section = SECTIONS[2]
    settings = section.presets["report"]
    assert measure(section, settings, section.load(settings)[0])[comparison.COLLAPSED] == dead


def test_evaluate_does_not_choose_a_collapsed_network_without_a_word(
        small_sections, tmp_path, capsys, monkeypatch):
    collapse(monkeypatch, 0)
    assert run(tmp_path, "--seed", "0") == 0
    capsys.readouterr()
    shutil.copytree(str(tmp_path / "checkpoints"), str(tmp_path / "own"), symlinks=True)
    monkeypatch.setattr(trained, "CHECKPOINTS", tmp_path / "own")
    origin = tmp_path / "own/section2/latest/settings.json"
    origin.write_text(origin.read_text().replace('"drawn sample"', '"unverified copy"'))
    monkeypatch.setattr(saver, "newest_good_checkpoint", lambda folders: Path(folders[0]) / "model.ckpt")
    assert trained.choose_checkpoint(SECTIONS[2], False) == PRETRAINED / "section2/model.ckpt"
    assert "the network of this run has collapsed (MSE over 9 images 3330, that of the mean image 3600); the one " \
           "that comes with the project is used instead" in capsys.readouterr().err
    named = tmp_path / "checkpoints/section2/model.ckpt"
    with trained.open_trained(SECTIONS[2], named):
        pass
    assert "section2/model.ckpt: the network of this run has collapsed" in capsys.readouterr().err


def test_the_mean_image_is_the_constant_answer():
    targets = np.array([[0.0, 2.0], [2.0, 4.0]])
    error = baselines.error_against_the_mean_image(targets + 3, targets)
    assert (error.network, error.constant) == (9.0, 1.0)
