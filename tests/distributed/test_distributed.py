"""Several tasks that train one network: equal to one process, and to each other, to the byte."""
from __future__ import annotations

import contextlib
import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests import small_sections
from tests.conftest import slow
from tf1_autoencoders.distributed import cluster as clusters
from tf1_autoencoders.distributed import launcher
from tf1_autoencoders.distributed.coordination import Alone, Workers
from tf1_autoencoders.keras_twin.weights import graph_weights
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.sections.run import RunOptions, open_trainer
from tf1_autoencoders.training import loop
from tf1_autoencoders.utils.errors import UsageError, UserError

SAME = {part: "the same" for part in ("section", "settings", "data", "code", "versions", "precision")}
# Section 2 trains on grey levels, which amplifies every rounding; on scaled pixels, it is as stable as the others.
SETTINGS = {1: {}, 2: dict(pixel_center=127.5, pixel_scale=1 / 255, learning_rate=0.0003), 3: {}, 4: {}}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    small_sections.shrink(monkeypatch.setattr, monkeypatch.setitem)


def section_of(number, **more):
    """Return (section, settings, arrays) of a small section, with 50 steps or more in all its epochs."""
    section = SECTIONS[number]
    settings = dataclasses.replace(section.presets["report"], **{**SETTINGS[number], **more})
    arrays = section.training_arrays(section.load(settings)[0], settings)
    settings = section.check_settings(settings, len(arrays[0]))
    return section, settings, arrays


def train(tasks, trainer, section, settings, arrays, progress, identity=SAME, received=()):
    """Train as a task of several or alone; return (weights, slots and powers, metrics by epoch, progress)."""
    progress = tasks.join(trainer, progress, identity)
    epochs = []
    with contextlib.suppress(loop.Interrupted):
        for epoch in loop.fit(trainer, progress=progress, interrupts=tasks.interrupts(trainer, list(received)),
                              **section.fit_arguments(settings, len(arrays[0]))):
            epochs.append(epoch.metrics)
    tasks.leave(trainer)
    names = [variable.op.name for variable in trainer.model.variables]
    return graph_weights(trainer.session, trainer.model), dict(zip(names, trainer.session.run(
        list(trainer.model.variables)))), epochs, progress


def train_alone(section, settings, arrays):
    with open_trainer(section, settings, arrays) as trainer:
        return train(Alone(), trainer, section, settings, arrays, loop.Progress())


def train_together(n_tasks, section, settings, arrays, state=None, identities=None, received=None):
    """Train with n tasks, each in a thread with a server of its own; return what `train` returns, for each task.

    Args:
        state: (variables, Progress) that the chief starts with; None for the beginning.
        identities: {task: identity} of the tasks with another one than SAME.
        received: {task: signals that it has received}.
    """
    variables, progress = state or ({}, loop.Progress())
    addresses = [f"127.0.0.1:{port}" for port in launcher.free_ports(n_tasks)]
    with contextlib.ExitStack() as stack:
        workers = [Workers(clusters.Cluster(clusters.ClusterPlan(addresses, task), 4, 20)) for task in range(n_tasks)]
        trainers = [stack.enter_context(open_trainer(section, settings, arrays, RunOptions(tasks=tasks)))
                    for tasks in workers]
        for variable in trainers[0].model.variables if variables else ():
            trainers[0].session.run(variable.initializer,
                                    {variable.initializer.inputs[1]: variables[variable.op.name]})
        with ThreadPoolExecutor(n_tasks) as pool:
            futures = [pool.submit(train, workers[task], trainer, section, settings, arrays,
                                   progress if task == 0 else None,
                                   (identities or {}).get(task, SAME), (received or {}).get(task, ()))
                       for task, trainer in enumerate(trainers)]
            return [future.result() for future in futures]


def relative_difference(values, references):
    return max(np.abs(values[name] - references[name]).max() / np.abs(references[name]).max() for name in references)


@pytest.mark.parametrize("number, n_tasks, more", [
    slow(1, 4, dict(batch_size=13)), slow(2, 2, {}),  # the quick pair is that of tests/commands/test_workers.py
    slow(2, 3, dict(shuffle=True, cosine_decay=True, l2_in_loss=True)), slow(3, 2, {}), slow(4, 2, {})])
def test_several_tasks_train_as_one_process_on_the_whole_batch(number, n_tasks, more):
    section, settings, arrays = section_of(number, **more)
    weights, variables, epochs, _ = train_alone(section, settings, arrays)
    tasks = train_together(n_tasks, section, settings, arrays)
    for of_task in tasks:
        assert relative_difference(of_task[0], weights) < 1e-6
        for metrics, expected in zip(of_task[2], epochs):
            np.testing.assert_allclose(list(metrics.values()), list(expected.values()), rtol=1e-6)
        assert of_task[2] == tasks[0][2]  # to the last bit, as the variables
        for name, values in variables.items():
            assert of_task[1][name].tobytes() == tasks[0][1][name].tobytes() and np.shape(values) == \
                np.shape(of_task[1][name])


@pytest.mark.slow
def test_two_runs_with_one_seed_are_bit_identical():
    section, settings, arrays = section_of(4)
    first, again = (train_together(2, section, settings, arrays)[0] for _ in range(2))
    assert all(first[1][name].tobytes() == again[1][name].tobytes() for name in first[1]) and first[2] == again[2]


@pytest.mark.slow
def test_a_batch_smaller_than_the_number_of_tasks_leaves_some_without_a_row():
    section, settings, arrays = section_of(1, batch_size=33)  # 100 rows: the last batch has one
    weights, _, epochs, _ = train_alone(section, settings, arrays)
    for of_task in train_together(3, section, settings, arrays):
        assert relative_difference(of_task[0], weights) < 1e-6
        assert of_task[2][-1]["loss"] == pytest.approx(epochs[-1]["loss"], rel=1e-6)


def test_without_several_tasks_a_graph_has_not_one_operation_more():
    section, settings, arrays = section_of(1)
    names = [operation.name for operation in section.build_graph(settings).graph.get_operations()]
    assert not [name for name in names if "ollective" in name or "worker" in name or "share" in name or "stop" in name]


@pytest.mark.slow
def test_a_task_takes_over_the_chiefs_state():
    section, settings, arrays = section_of(4)
    half = dataclasses.replace(settings, n_epochs=2)
    whole = train_together(2, section, settings, arrays)
    with open_trainer(section, half, arrays) as trainer:
        _, variables, _, progress = train(Alone(), trainer, section, half, arrays, loop.Progress())
    assert len(whole[0][2]) == settings.n_epochs == 4
    tasks = train_together(2, section, settings, arrays,
                           (variables, dataclasses.replace(progress, finished=False)))
    assert relative_difference(tasks[1][0], whole[0][0]) < 1e-6
    assert tasks[0][1].keys() == tasks[1][1].keys()
    assert all(tasks[0][1][name].tobytes() == tasks[1][1][name].tobytes() for name in tasks[0][1])


@pytest.mark.slow
@pytest.mark.parametrize("task", [1])
def test_a_signal_to_one_task_ends_all_after_the_same_step(task):
    section, settings, arrays = section_of(1)
    tasks = train_together(2, section, settings, arrays, received={task: [15]})
    assert [of_task[3].n_steps for of_task in tasks] == [1, 1]
    assert [of_task[3].finished for of_task in tasks] == [False, False]


def test_tasks_that_train_something_else_are_named_before_the_first_step():
    section, settings, arrays = section_of(1)
    with pytest.raises(UserError, match=r"worker 1 \(127.0.0.1:\d+\) and worker 0 \(127.0.0.1:\d+\) differ in their "
                                        "data; give each the same data"):
        train_together(2, section, settings, arrays, identities={1: {**SAME, "data": "other"}})


# ---- The plan of a cluster ----

@pytest.mark.parametrize("content, sentence", [
    ("nonsense", "expected JSON such as"), ("[]", "expected JSON such as"),
    ('{"cluster": {}}', "expected JSON such as"),
    ('{"cluster": {"ps": ["a:1"]}, "task": {"type": "ps", "index": 0}}', "expected the job"),
    ('{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}', "duplicate address"),
    ('{"cluster": {"worker": ["a:1", 7]}, "task": {"type": "worker", "index": 0}}', "7 is no address"),
    ('{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}', "a is no address"),
    ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "there is no task 1"),
    *((f'{{"cluster": {{"worker": {jobs}}}, "task": {{"type": "worker", "index": 0}}}}', "each with a list of")
      for jobs in ("3", "null", "true", '"a:1"', '{"a:1": 0}')),
    ('{"cluster": {"worker": [[]]}, "task": {"type": "worker", "index": 0}}', "is no address"),
    ('{"cluster": {"worker": ["a:99999"]}, "task": {"type": "worker", "index": 0}}', "a:99999 is no address"),
    ('{"cluster": {"chief": 3, "worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}', "each with a list"),
    ('{"cluster": {"worker": ["a:1"]}, "task": {"type": [], "index": 0}}', "expected JSON such as"),
    ('{"cluster": [], "task": {"type": "worker", "index": 0}}', "each with a list"),
    ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": "x"}}', "there is no task x")])
def test_a_wrong_tf_config_is_one_sentence(monkeypatch, content, sentence):
    monkeypatch.setenv("TF_CONFIG", content)
    with pytest.raises(UsageError, match=sentence):
        clusters.plan_from_environment()


@pytest.mark.parametrize("content", ["3", "null", "[]", '{"worker": 3}', '{"worker": {}}', '{"worker": [null]}',
                                     '{"worker": ["a:1"], "x\\u001b[2J\\n": []}', "[" * 100_000])
def test_a_wrong_cluster_file_is_one_sentence(content, tmp_path):
    (tmp_path / "cluster.json").write_text(content)
    with pytest.raises(UsageError) as error:
        clusters.plan_from_file(tmp_path / "cluster.json", 0)
    assert str(error.value).isprintable()


def test_the_chief_of_tf_config_is_task_0(monkeypatch):
    jobs = {"chief": ["a:1"], "worker": ["a:2", "b:1"]}
    for kind, index, task in (("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)):
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}}))
        assert clusters.plan_from_environment() == (["a:1", "a:2", "b:1"], task)
    assert clusters.plan_from_environment().local_tasks == 1
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": ["a:1"]},
                                                "task": {"type": "worker", "index": 0}}))
    assert clusters.plan_from_environment() is None


def test_a_file_names_the_tasks(tmp_path):
    (tmp_path / "cluster.json").write_text('{"worker": ["a:1", "b:2"]}')
    assert clusters.plan_from_file(tmp_path / "cluster.json", 1) == (["a:1", "b:2"], 1)
    with pytest.raises(UsageError, match="there is no task 2; expected 0 to 1"):
        clusters.plan_from_file(tmp_path / "cluster.json", 2)
    with pytest.raises(UsageError, match="not a JSON file"):
        clusters.plan_from_file(tmp_path / "none.json", 0)


def test_a_port_that_is_taken_is_one_sentence():
    import socket
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(UserError, match=f"{address}: this worker cannot listen there .*choose another port"):
            clusters.Cluster(clusters.ClusterPlan([address, "127.0.0.1:9"], 0), 1, 60)
