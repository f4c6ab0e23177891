"""progress.json: a training continues from what a training can have written, and from nothing else."""
import dataclasses
import json

import pytest

from tf1_autoencoders.training.loop import Progress

RIGHT = {"n_steps": 23, "epoch": 2, "step": 3, "batch_metrics": [{"loss": 1.0}] * 3, "finished": False,
         "measurements": [[0, {"loss": 3.0}], [1, {"loss": 2}]], "machines": [{"cpu": "any"}]}


def read(**changes):
    return Progress.from_json(json.loads(json.dumps({**RIGHT, **changes})), 5, 10)


def test_the_progress_of_a_training_is_read_as_it_was_written():
    assert dataclasses.asdict(read()) == {**RIGHT, "collapsed_before": [], "final_error": None}
    assert read(n_steps=0, epoch=0, step=0, batch_metrics=[], measurements=[]).epoch == 0
    assert read(n_steps=20, epoch=2, step=0, batch_metrics=[], finished=True).finished
    assert read(batch_metrics=[{"metrics_variables": [1.0, 2], "running_means": [{"loss": 1.0}] * 3}]).step == 3


@pytest.mark.parametrize("changes", [
    {"n_steps": True}, {"n_steps": "23"}, {"n_steps": 22}, {"n_steps": 10 ** 400}, {"epoch": -1, "n_steps": -7},
    {"epoch": 5, "n_steps": 53}, {"epoch": 2.0}, {"step": None}, {"step": -1, "n_steps": 19},
    {"step": 11, "n_steps": 31},
    {"finished": 1}, {"finished": None}, {"measurements": None}, {"measurements": [[0]]}, {"measurements": [[0, {}]]},
    {"measurements": [[1, {"loss": 1.0}], [0, {"loss": 1.0}]]}, {"measurements": [[2, {"loss": 1.0}]]},
    {"measurements": [[0, {"loss": float("nan")}]]}, {"measurements": [[0, {"loss": "1"}]]},
    {"measurements": [[0, {"loss": 1.0}], [1, {"other": 1.0}]]}, {"measurements": [[False, {"loss": 1.0}]]},
    {"batch_metrics": {}}, {"batch_metrics": [{}] * 3}, {"batch_metrics": [{"loss": 1.0}]},
    {"batch_metrics": [{"loss": float("inf")}] * 3}, {"batch_metrics": [{"loss": 1.0}] * 4},
    {"batch_metrics": [{"metrics_variables": [None], "running_means": [{"loss": 1.0}] * 3}]},
    {"batch_metrics": [{"metrics_variables": [], "running_means": []}]},
    {"batch_metrics": [{"loss": 1.0}, {"loss": 1.0}, {"other": 1.0}]},
    {"machines": []}, {"machines": {}}, {"machines": [1]}, {"more": 1}])
def test_what_no_training_writes_is_refused(changes):
    with pytest.raises(ValueError):
        read(**changes)


@pytest.mark.parametrize("name", RIGHT)
def test_a_missing_key_is_refused(name):
    content = {key: value for key, value in RIGHT.items() if key != name}
    with pytest.raises(ValueError, match="expected n_steps"):
        Progress.from_json(content, 5, 10)
    with pytest.raises(ValueError):
        Progress.from_json([content], 5, 10)
