"""`run_all.py --workers W`: processes of one training that are killed, stopped and interrupted."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests import small_sections
from tf1_autoencoders import run_all
from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.distributed import launcher
from tf1_autoencoders.utils.frameworks import tf1

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads processes from /proc")
N_EPOCHS = 40
TIMEOUT = 6  # seconds, of --cluster-timeout


def arguments(folder, *more, n_epochs=N_EPOCHS):
    """Return the arguments of run_all.py for a training of section 1, small, for n_epochs."""
    return [*small_sections.arguments(1, folder), "--epochs", str(n_epochs), "--patience", "100000", "--save-every",
            "10", *more]


def start(folder, *more, timeout=TIMEOUT, **epochs):
    """Start the command with two workers; return (process, its log)."""
    log = Path(folder) / "log.txt"
    with open(log, "wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.small_sections",
             *arguments(folder, "--workers", "2", "--cluster-timeout", str(timeout), *more, **epochs)],
            stdout=stream, stderr=subprocess.STDOUT), log


def train_alone(folder, monkeypatch, **epochs):
    """Train in this process, alone; return the exit code."""
    small_sections.shrink(monkeypatch.setattr, monkeypatch.setitem)
    return run_all.main(arguments(folder, **epochs))


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def train_until(folder, epoch, *more, **epochs):
    """Start a training and wait for an epoch; return (process, log, process ids of the workers)."""
    process, log = start(folder, *more, **epochs)
    wait_for(lambda: f"Epoch {epoch}/" in log.read_text() or process.poll() is not None)
    assert process.poll() is None, log.read_text()
    return process, log, small_sections.workers_of(process.pid)


def variables(folder):
    """Return {name: array} of a run's checkpoint."""
    reader = tf1.train.load_checkpoint(str(Path(folder) / "checkpoints/section1/model.ckpt"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_two_workers_train_as_one_process(tmp_path, monkeypatch):
    (tmp_path / "together").mkdir()
    process, log = start(tmp_path / "together", timeout=60, n_epochs=2)
    assert train_alone(tmp_path / "alone", monkeypatch, n_epochs=2) == 0
    assert process.wait(180) == 0, log.read_text()
    together, alone = variables(tmp_path / "together"), variables(tmp_path / "alone")
    assert together.keys() == alone.keys()
    for name, values in alone.items():
        if "Adam" not in name:  # its slots are squares of gradients, some of them nothing but rounding
            assert np.abs(together[name] - values).max() < 1e-6 * np.abs(values).max(), name


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the folder of a training of two workers that nobody disturbs."""
    folder = tmp_path_factory.mktemp("undisturbed")
    process, log = start(folder)
    assert process.wait(180) == 0, log.read_text()
    return folder


@pytest.mark.slow
def test_a_training_whose_worker_is_killed_restarts_and_ends_with_the_bytes_of_an_undisturbed_one(
        tmp_path, undisturbed):
    process, log, workers = train_until(tmp_path, 15, "--restarts", "1")
    os.kill(workers[0], signal.SIGKILL)
    assert process.wait(180) == 0, log.read_text()
    lines = log.read_text()
    assert "worker 0 (" in lines and "starting all 2 workers again (1 of 1)" in lines
    assert "resumed from: " in lines and "Traceback" not in lines
    assert small_sections.remains(tmp_path, 1) == small_sections.remains(undisturbed, 1)


@pytest.mark.slow
def test_workers_listen_on_loopback_only_and_a_stopped_one_ends_the_training_with_a_sentence_that_names_it(tmp_path):
    process, log, workers = train_until(tmp_path, 12, n_epochs=100000)
    if "listen on all network interfaces here" not in log.read_text():
        devices = Path(f"/proc/{workers[0]}/net/dev").read_text().splitlines()[2:]
        assert [device.split(":")[0].strip() for device in devices] == ["lo"]
    os.kill(workers[1], signal.SIGSTOP)
    assert process.wait(TIMEOUT + 30) == 1
    assert "worker 1 (" in log.read_text() and "does not answer; the run ends here" in log.read_text()
    assert not any(map(small_sections.is_running, workers))
    assert saver.newest_good_checkpoint([tmp_path / "checkpoints/section1"])


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("nsenter") and shutil.which("ip")), reason="needs nsenter and ip")
def test_workers_whose_packets_are_lost_end_with_a_sentence_that_names_the_others(tmp_path):
    process, log, workers = train_until(tmp_path, 12, n_epochs=100000)
    if "listen on all network interfaces here" in log.read_text():
        process.send_signal(signal.SIGINT)
        process.wait(60)
        pytest.skip("this system lets the workers have no network of their own")
    namespaces = [os.readlink(f"/proc/{pid}/ns/user") for pid in (workers[0], os.getpid())]
    subprocess.run(["nsenter", "-t", str(workers[0]), "-n", *(["-U"] if namespaces[0] != namespaces[1] else []),
                    "ip", "link", "set", "lo", "down"], check=True)  # packets are lost, and no connection is closed
    assert process.wait(TIMEOUT + 30) == 1
    assert "does not answer; the run ends here" in log.read_text() and "Traceback" not in log.read_text()
    assert not any(map(small_sections.is_running, workers))
    assert saver.newest_good_checkpoint([tmp_path / "checkpoints/section1"])


@pytest.mark.slow
def test_ctrl_c_ends_all_workers_and_one_process_continues(tmp_path, undisturbed, monkeypatch, capsys):
    process, log, workers = train_until(tmp_path, 12)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert log.read_text().count("interrupted after step") == 1 and not any(map(small_sections.is_running, workers))
    assert train_alone(tmp_path, monkeypatch) == 0
    error = capsys.readouterr().err
    assert "resumed from: " in error and "may round differently here" in error
    together, mixed = variables(undisturbed), variables(tmp_path)
    assert together.keys() == mixed.keys()
    for name, values in together.items():  # a rounding of 1e-7 grows in 280 steps
        assert np.abs(values - mixed[name]).max() < 1e-3 * max(1e-3, np.abs(values).max())


@pytest.mark.slow
def test_workers_do_not_outlive_their_launcher(tmp_path):
    process, log, workers = train_until(tmp_path, 12, n_epochs=100000)
    process.kill()
    process.wait()
    wait_for(lambda: not any(map(small_sections.is_running, workers)), 30)


@pytest.mark.slow
@pytest.mark.parametrize("deed_of_0, deed_of_1, code, sentence", [
    ("stop()", "pass", 1, "worker 0 (127.0.0.1:"), ("pass", "stop()", 0, ""),
    ("time.sleep(1)", "stop()", 0, "worker 1 (127.0.0.1:"),
    ("time.sleep(0.5)", "sys.exit(1)", 0, ""), ("sys.exit(3)", "time.sleep(60)", 3, "")])
def test_after_the_training_the_chief_is_waited_for_and_no_stopped_worker(
        monkeypatch, capfd, deed_of_0, deed_of_1, code, sentence):
    monkeypatch.setattr(launcher, "GRACE", 0.2)
    program = ("import json, os, signal, sys, time\n"
               "def stop(): os.kill(os.getpid(), signal.SIGSTOP)\n"
               f"if json.loads(os.environ['TF_CONFIG'])['task']['index'] == 0: {deed_of_0}\n"
               f"else: {deed_of_1}\n")
    begun = time.monotonic()
    assert launcher.run_workers(["-c", program], 2, 0, timeout=0.5) == code and time.monotonic() - begun < 20
    error = capfd.readouterr().err
    assert sentence in error and ("is stopped and does not answer" in error) == bool(sentence)


@pytest.mark.parametrize("more, sentence", [
    (["--workers", "2", "--backend", "keras"], "--backend keras: several workers train the graph"),
    (["--workers", "2", "--precision", "bfloat16"], "--precision bfloat16: several workers train the graph"),
    (["--task", "1"], "--cluster and --task: give both, or neither"),
    (["--restarts", "1"], "--restarts 1: only with --workers"),
    (["--cluster", "none.json", "--task", "0"], "none.json: not a JSON file")])
def test_wrong_arguments_are_one_sentence(tmp_path, capsys, more, sentence):
    assert run_all.main([*small_sections.arguments(1, tmp_path), *more]) == 2
    assert sentence in capsys.readouterr().err and not (tmp_path / "checkpoints").exists()
