"""Checkpoints that TensorFlow 1.15.5 wrote (tests/tf115/foreign.py), unpacked, and their answers."""
from __future__ import annotations

import io
import json
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, List, NamedTuple

import numpy as np
import pytest

from tests.conftest import ROOT
from tf1_autoencoders import convert
from tf1_autoencoders.converting import proof
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.frameworks import tf1

ARCHIVE = ROOT / "tests" / "tf115" / "fixtures" / "foreign.zip"
NETWORKS = sorted({name.split("/")[0] for name in zipfile.ZipFile(str(ARCHIVE)).namelist()} - {"object_based"})


class Foreign(NamedTuple):
    """A network of the fixture: its checkpoint, and what TensorFlow 1.15.5 answered."""

    path: Any
    inputs: List[str]
    arrays: List[np.ndarray]
    output: str
    answer: np.ndarray


@pytest.fixture(scope="session")
def foreign_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    with zipfile.ZipFile(str(ARCHIVE)) as archive:
        archive.extractall(str(folder))
    return folder


@pytest.fixture
def foreign(foreign_folder):
    """foreign(name) gives a Foreign."""
    def foreign(name):
        answers = np.load(str(foreign_folder / name / "answers.npz"))
        inputs = [str(tensor).split(":")[0] for tensor in answers["inputs"]]
        return Foreign(foreign_folder / name / "model.ckpt", inputs, [answers[f"x{k}"] for k in range(len(inputs))],
                       str(answers["output"]).split(":")[0], answers["answer"])
    return foreign


@pytest.fixture
def in_this_process(monkeypatch):
    """Comparisons run in the test's process, which has TensorFlow loaded; one test runs the fresh process."""
    def compare(jobs, inputs):
        return [{str(k): np.asarray(value) for k, value in enumerate(proof.run_model(job, list(inputs.values())))}
                for job in json.loads(json.dumps(jobs))]
    monkeypatch.setattr(proof, "compare", compare)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """run(*arguments) gives (exit code, what `convert` printed), in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        text = io.StringIO()
        with redirect_stdout(text), redirect_stderr(text):
            code = cli.run_command(convert.build_parser(), convert.convert, [str(argument) for argument in arguments])
        return code, text.getvalue()
    return run


@pytest.fixture
def saved(tmp_path):
    """saved(build) gives a checkpoint with .meta of the graph that build() makes."""
    def saved(build):
        with tf1.Graph().as_default(), tf1.Session() as session:
            build()
            session.run(tf1.global_variables_initializer())
            tf1.train.Saver().save(session, str(tmp_path / "model.ckpt"))
        return tmp_path / "model.ckpt"
    return saved
