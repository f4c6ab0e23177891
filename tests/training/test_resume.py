"""A run that is stopped and continued is bit-identical to one that was never stopped, whatever stopped it."""
import contextlib
import dataclasses
import functools
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import small_sections as small
from tests.conftest import ROOT, slow
from tf1_autoencoders import run_all
from tf1_autoencoders.checkpointing import saver, store
from tf1_autoencoders.keras_twin.weights import weight_names
from tf1_autoencoders.reporting import figures
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.sections import run as section_run
from tf1_autoencoders.training.loop import Progress
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.files import lock_folder, make_writable_folder
from tf1_autoencoders.utils.frameworks import tf1


@pytest.fixture(autouse=True, scope="module")
def small_sections():
    """Make the sections small, and save the content of each figure instead of drawing it; kill_runs.py draws."""
    def save(figure, folder, name, source=""):
        path = Path(folder) / f"{name}.png"
        path.write_bytes(figure)
        return path
    with pytest.MonkeyPatch.context() as patch:
        small.shrink(patch.setattr, patch.setitem)
        for name in ("images", "grid", "curves", "scatter"):
            patch.setattr(figures, name, lambda *content, **more: to_bytes([content, more]))
        patch.setattr(figures, "texts", lambda figure: [])
        patch.setattr(figures, "darken", lambda figure: None)
        patch.setattr(figures, "save", save)
        yield


def to_bytes(value):
    """Return every number and word in lists, dicts and arrays as bytes."""
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, (list, tuple)):
        return b"[" + b",".join(map(to_bytes, value)) + b"]"
    return np.asarray(value).tobytes() if isinstance(value, np.ndarray) else repr(value).encode()


def run(folder, section, *more):
    """Run a small section; graphs in one thread (Keras keeps the threads that TensorFlow started with)."""
    threads = () if "keras" in more else ("--threads", "1")
    return run_all.main(small.arguments(section, folder, *threads, *more))


def without_durations(output, folder):
    """Return the printed lines without those that have durations, and without the folder's name."""
    return re.sub(r"trained in .*\n|page: .*\n|[\d.]+ minutes.*\n", "", output).replace(str(folder), "")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, small_sections):
    """whole(section, *options) gives (files, printed lines) of a run that was never stopped, which is made once."""
    @functools.lru_cache(maxsize=None)
    def whole(section, *options):
        folder, printed = tmp_path_factory.mktemp("whole"), io.StringIO()
        with contextlib.redirect_stdout(printed):
            assert run(folder, section, *options) == 0
        return small.remains(folder, section), without_durations(printed.getvalue(), folder)
    return whole


def at_step(monkeypatch, number, act):
    """Call `act` once, after the training step of that number."""
    advance_step = Progress.advance_step

    def advance_and_act(progress):
        advance_step(progress)
        if progress.n_steps == number:
            monkeypatch.setattr(Progress, "advance_step", advance_step)
            act()
    monkeypatch.setattr(Progress, "advance_step", advance_and_act)


class Killed(BaseException):
    """Simulates a kill: nothing in the program catches this exception, and nothing is saved."""


def raise_killed():
    raise Killed


@pytest.mark.parametrize("section, backend", [(2, "graph"), slow(3, "graph"), slow(2, "keras"), slow(4, "keras")])
def test_a_stopped_and_continued_run_is_bit_identical_to_one_that_was_never_stopped(
        tmp_path, capsys, monkeypatch, whole, section, backend):
    more, checkpoints = ("--backend", backend), tmp_path / "checkpoints" / f"section{section}"
    expected, trace = whole(section, *more)
    step, number = (3, signal.SIGINT) if backend == "graph" else (9, signal.SIGTERM)  # in the middle of an epoch
    at_step(monkeypatch, step, lambda: os.kill(os.getpid(), number))
    assert run(tmp_path, section, *more) == 128 + number
    error = capsys.readouterr().err.splitlines()
    assert error[-1] == (f"run_all.py: interrupted after step {step}; its checkpoint is {checkpoints}/model.ckpt, and "
                         "the same command continues from there")
    assert store.checkpoint_folders(checkpoints)[0].name == f"step-{step:08d}"
    if backend == "graph":
        at_step(monkeypatch, 14, raise_killed)
        with pytest.raises(Killed):
            run(tmp_path, section, *more)
        capsys.readouterr()
    assert run(tmp_path, section, *more) == 0
    assert without_durations(capsys.readouterr().out, tmp_path) == trace
    result = small.remains(tmp_path, section)
    assert sorted(result) == sorted(expected) and len(result) > 6
    assert [name for name in result if result[name] != expected[name]] == []

    latest = tf1.train.latest_checkpoint(str(checkpoints))  # any TensorFlow program can read the checkpoint
    assert latest == str(checkpoints / "model.ckpt")
    weights = set(weight_names(SECTIONS[section].build_graph(SECTIONS[section].presets["report"])))
    slots = {f"{name}/{slot}" for name in weights for slot in ("Adam", "Adam_1")} | {"beta1_power", "beta2_power"}
    stored = set(tf1.train.load_checkpoint(latest).get_variable_to_shape_map())
    assert weights | (slots if backend == "graph" else set()) <= stored


@pytest.mark.slow
def test_a_finished_run_is_shown_again_with_resume_and_trained_again_without(tmp_path, capsys, whole):
    before, trace = whole(2, "--weights-only")
    assert run(tmp_path, 2, "--weights-only") == 0
    capsys.readouterr()
    assert run(tmp_path, 2, "--weights-only", "--resume") == 0
    shown = capsys.readouterr()
    assert "trained in" not in shown.out and "already finished: " in shown.err
    assert small.remains(tmp_path, 2) == before
    assert run(tmp_path, 2, "--weights-only") == 0
    captured = capsys.readouterr()
    assert "the finished run that was in" in captured.err and "section2.before-1" in captured.err
    assert without_durations(captured.out, tmp_path) == trace and small.remains(tmp_path, 2) == before


def interrupt(monkeypatch, folder, section, step, *more):
    at_step(monkeypatch, step, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert run(folder, section, *more) == 130


@pytest.fixture(scope="module")
def interrupted_run(tmp_path_factory, small_sections):
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
        interrupt(patch, folder, 2, 15)
    return folder


@pytest.fixture
def interrupted(interrupted_run, tmp_path):
    """Return the folder of a run of section 2 that was interrupted after step 15."""
    shutil.copytree(str(interrupted_run), str(tmp_path / "interrupted"), symlinks=True)
    return tmp_path / "interrupted"


@pytest.mark.slow
def test_a_run_with_other_settings_is_neither_continued_nor_overwritten(interrupted, capsys):
    for other, difference in (
            (("--learning-rate", "0.5"), "learning_rate was 0.01 in the saved run and is 0.5 now"),
            (("--backend", "keras"), "backend was 'graph' in the saved run and is 'keras' now"),
            (("--threads", "2"), "threads was 1 in the saved run and is 2"),
            (("--seed", "4"), "seed was 0 in the saved run and is 4")):
        capsys.readouterr()
        assert run(interrupted, 2, *other, "--resume") == 1
        assert f"section2 holds another run ({difference}" in capsys.readouterr().err
    assert run(interrupted, 2, *other) == 0
    assert "the unfinished run that was in" in capsys.readouterr().err
    aside = interrupted / "checkpoints" / "section2.before-1"
    assert store.checkpoint_folders(aside)[0].name == "step-00000015"


def test_a_run_is_set_aside_when_a_module_of_its_own_was_edited(interrupted, tmp_path, capsys, monkeypatch):
    """tests/sections/test_run.py asserts that the checksum of the code covers every module."""
    package = tmp_path / "tf1_autoencoders"
    shutil.copytree(str(section_run.PACKAGE), str(package), ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(section_run, "PACKAGE", package)
    other, own = package / "sections" / "section3_denoising.py", package / "graphs" / "layers.py"
    other.write_bytes(other.read_bytes() + b"# edited\n")
    interrupt(monkeypatch, interrupted, 2, 18, "--resume")  # the code of another section has no part in it
    own.write_bytes(own.read_bytes() + b"# edited\n")
    capsys.readouterr()
    assert run(interrupted, 2, "--resume") == 1
    assert "holds another run (the code has changed)" in capsys.readouterr().err


def test_a_run_that_continues_where_tensorflow_rounds_differently_says_so_once(interrupted, capsys, monkeypatch):
    """tests/training/test_training.py asserts which variables describe a machine."""
    variable = "TF_ENABLE_ONEDNN_OPTS"
    monkeypatch.setenv(variable, "0")
    interrupt(monkeypatch, interrupted, 2, 18)
    assert f"TensorFlow may round differently here ({variable} was None in the saved run and is '0' now): the run " \
           "continues, but its result is not bit-identical to that of an uninterrupted run\n" in capsys.readouterr().err
    assert run(interrupted, 2) == 0
    assert "round differently" not in capsys.readouterr().err
    newest = store.read_checkpoint(store.checkpoint_folders(interrupted / "checkpoints" / "section2")[0])
    assert [machine[variable] for machine in newest.progress["machines"]] == [None, "0"]


@pytest.mark.slow
@pytest.mark.parametrize("section, changes_the_rounding", [(1, True), (2, False), (4, False)])
def test_other_cores_change_the_rounding_only_where_operations_are_divided_among_them(
        tmp_path, capsys, monkeypatch, section, changes_the_rounding):
    at_step(monkeypatch, 6, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert run_all.main(small.arguments(section, tmp_path)) == 130
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(77), raising=False)
    capsys.readouterr()
    assert run_all.main(small.arguments(section, tmp_path)) == 0
    assert ("is 77 now): the run continues" in capsys.readouterr().err) == changes_the_rounding


@pytest.mark.slow
def test_a_run_has_the_number_of_threads_in_settings_json(tmp_path, monkeypatch):
    used, session = [], TimedSession
    monkeypatch.setattr(section_run, "TimedSession", lambda model, threads=0, *more: used.append(threads) or session(
        model, threads, *more))
    for number, more, expected in ((4, (), 1), (4, ("--threads", "0"), 0), (4, ("--threads", "2"), 2), (2, (), 0)):
        assert run_all.main(small.arguments(number, tmp_path, *more)) == 0
        settings = json.loads((tmp_path / "results" / f"section{number}" / "settings.json").read_text())
        assert settings["threads"] == expected and used.pop(0) == expected
        used.clear()  # section 2 opens a second session for the reconstruction of an image


@pytest.mark.slow
def test_the_keras_twin_has_the_threads_asked_for(tmp_path):
    code = ("import sys; from tests import small_sections as small; from tf1_autoencoders import run_all\n"
            "small.shrink(setattr, dict.__setitem__)\n"
            "code = run_all.main(sys.argv[1:])\nfrom tf1_autoencoders.utils.frameworks import tf1\n"
            "print('threads', code, tf1.config.threading.get_intra_op_parallelism_threads())")
    arguments = small.arguments(4, tmp_path, "--backend", "keras", "--threads", "1")
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=str(ROOT), stdout=subprocess.PIPE,
                          universal_newlines=True)
    assert done.stdout.endswith("threads 0 1\n")


@pytest.mark.slow
def test_save_every_sets_the_epochs_from_one_checkpoint_to_the_next(tmp_path):
    assert run(tmp_path, 2, "--save-every", "4") == 0  # 9 epochs of 4 steps
    folders = store.checkpoint_folders(tmp_path / "checkpoints" / "section2")
    assert [folder.name for folder in folders] == ["step-00000036", "step-00000032", "step-00000016"]


@pytest.mark.slow
def test_a_run_with_weights_only_can_be_stopped_and_continued(tmp_path, monkeypatch, whole):
    interrupt(monkeypatch, tmp_path, 2, 6, "--weights-only")
    assert run(tmp_path, 2, "--weights-only") == 0
    assert small.remains(tmp_path, 2) == whole(2, "--weights-only")[0]


def test_resume_without_a_run_is_refused(tmp_path, capsys):
    assert run(tmp_path, 2, "--resume") == 1
    assert "--resume: no run in " in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_continues_bit_identically_from_the_previous_checkpoint_if_the_newest_is_damaged(
        interrupted, capsys, whole):
    newest, previous = store.checkpoint_folders(interrupted / "checkpoints" / "section2")[:2]
    data = newest / "model.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-7])
    assert run(interrupted, 2) == 0
    error = capsys.readouterr().err
    assert f"{newest.name}: the checkpoint is damaged (model.ckpt.data-00000-of-00001 is not what was saved)" in error
    assert f"resumed from: {previous}" in error
    assert small.remains(interrupted, 2) == whole(2, "--backend", "graph")[0]


def test_a_run_refuses_to_start_if_every_checkpoint_is_damaged(interrupted, capsys):
    for path in store.checkpoint_folders(interrupted / "checkpoints" / "section2"):
        (path / "progress.json").unlink()
    before = (interrupted / "results" / "section2" / "metrics.jsonl").read_bytes()
    assert run(interrupted, 2) == 1
    error = capsys.readouterr().err
    assert "no good checkpoint left of the run there" in error and error.count("\n") == 1
    assert (interrupted / "results" / "section2" / "metrics.jsonl").read_bytes() == before


@pytest.mark.slow
def test_a_full_disk_while_saving_ends_the_run_and_the_same_command_continues(tmp_path, capsys, monkeypatch, whole):
    write, folder = saver.save, tmp_path

    def save_on_a_full_disk(session, tf1_saver, path):
        if path.name.endswith("12"):
            raise OSError(28, "No space left on device")
        write(session, tf1_saver, path)
    with monkeypatch.context() as patch:
        patch.setattr(saver, "save", save_on_a_full_disk)
        assert run(folder, 2) == 1
    error = capsys.readouterr().err
    assert "(No space left on device); free space or choose another --checkpoint-dir, and the same command continues " \
           "from step-00000008" in error and error.count("\n") == 1
    assert run(folder, 2) == 0
    assert small.remains(folder, 2) == whole(2, "--backend", "graph")[0]


@pytest.mark.slow
def test_two_runs_at_once_in_one_folder_are_refused(tmp_path, capsys):
    with store.Store(tmp_path / "checkpoints" / "section2"):
        assert run(tmp_path, 2) == 1
    assert "is at work there; wait for its end, or choose another --checkpoint-dir" in capsys.readouterr().err
    lock = lock_folder(make_writable_folder(tmp_path / "results" / "section2"), "--out")
    try:
        assert run(tmp_path, 2) == 1
    finally:
        lock.close()
    assert "is at work there; wait for its end, or choose another --results-dir" in capsys.readouterr().err
    assert run(tmp_path, 2) == 0


@pytest.mark.slow
def test_the_report_of_all_sections_resumes_in_the_middle(interrupted, capsys):
    options = ["--results-dir", str(interrupted / "results"), "--checkpoint-dir",
               str(interrupted / "checkpoints"), "--threads", "1", "--seed", "0"]
    assert run(interrupted, 1) == 0
    before = small.remains(interrupted, 1)
    capsys.readouterr()
    assert run_all.main([*options, "--resume"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("trained in") == 3  # section 1 was finished
    assert small.remains(interrupted, 1) == before
    metrics = [json.loads(line) for line in (
        interrupted / "results" / "section2" / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in metrics if "epoch" in line] == [0, 4, 8] and np.isfinite(metrics[0]["mse"])


def test_a_second_signal_ends_a_run_at_once():
    code = ("import os, signal; from tf1_autoencoders.utils import interrupts\n"
            "with interrupts.deferred_signals() as received:\n"
            "    os.kill(os.getpid(), signal.SIGTERM); assert received == [15]\n"
            "    os.kill(os.getpid(), signal.SIGINT); print('never')")
    done = subprocess.run([sys.executable, "-c", code], cwd=str(ROOT), stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (130, b"")


def test_sigterm_before_the_training_ends_a_run_with_exit_code_143(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(SECTIONS, 2, dataclasses.replace(
        SECTIONS[2], load=lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM)))
    former = signal.getsignal(signal.SIGTERM)
    assert run(tmp_path, 2) == 143
    assert capsys.readouterr().err == "run_all.py: terminated\n"
    assert signal.getsignal(signal.SIGTERM) == former


@pytest.mark.parametrize("n_kills, section", [(1, 4), slow(6, 2)])
def test_kills_at_random_instants_lose_nothing(n_kills, section):
    done = subprocess.run([sys.executable, "-m", "tests.robustness.kill_runs", "--kills", str(n_kills), "--section",
                           str(section), "--backend", "graph"], cwd=str(ROOT),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout.splitlines()[-1]) == {"kills": n_kills, "wrong": 0}
