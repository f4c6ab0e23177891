"""The identity of a run: whatever changes its result."""
import dataclasses

import numpy as np
import pytest

from tests.conftest import SMALL
from tf1_autoencoders.datasets import Source
from tf1_autoencoders.sections import run as section_run
from tf1_autoencoders.sections import section2_horses, section4_sequences
from tf1_autoencoders.sections.run import RunOptions, code_checksum, n_threads, open_trainer, run_identity

SOURCE = Source("CIFAR-10", "official", "a test")
ARRAYS = (np.zeros((2, 3), np.float32),)


def identity(settings=SMALL, options=RunOptions(), source=SOURCE, arrays=ARRAYS, section=section2_horses.SECTION):
    return run_identity(section, settings, options, source, arrays)


@pytest.mark.parametrize("change", [
    {"options": RunOptions(precision="bfloat16")}, {"options": RunOptions(threads=3)},
    {"options": RunOptions(backend="keras")}, {"options": RunOptions(preset="text")},
    {"settings": dataclasses.replace(SMALL, seed=2)}, {"settings": dataclasses.replace(SMALL, l2_in_loss=True)},
    {"source": SOURCE._replace(name="other")}, {"source": SOURCE._replace(kind="unverified copy")},
    {"arrays": (np.ones((2, 3), np.float32),)}, {"arrays": ARRAYS * 2},
    {"section": section4_sequences.SECTION}], ids=str)
def test_whatever_changes_the_result_changes_the_identity(change):
    assert identity(**change) != identity()


@pytest.mark.parametrize("options", [
    RunOptions(results_dir="elsewhere"), RunOptions(checkpoint_dir="elsewhere"), RunOptions(save_every=3),
    RunOptions(resume=True), RunOptions(tensorboard=True), RunOptions(weights_only=True), RunOptions(threads=0)],
    ids=str)
def test_what_changes_no_weight_does_not_change_the_identity(options):
    assert identity(options=options) == identity()


def test_the_threads_are_those_asked_for_else_the_sections_and_keras_has_none_of_its_own():
    assert n_threads(section4_sequences.SECTION, RunOptions()) == section4_sequences.SECTION.threads == 1
    assert n_threads(section4_sequences.SECTION, RunOptions(threads=0)) == 0
    assert n_threads(section4_sequences.SECTION, RunOptions(backend="keras")) == 0
    assert n_threads(section4_sequences.SECTION, RunOptions(backend="keras", threads=2)) == 2


def test_the_checksum_of_the_code_covers_every_module_but_the_other_sections(tmp_path, monkeypatch):
    checksum = code_checksum(section2_horses.SECTION)
    for file in sorted(section_run.PACKAGE.rglob("*.py")):
        copy = tmp_path / file.relative_to(section_run.PACKAGE)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(file.read_bytes())
    monkeypatch.setattr(section_run, "PACKAGE", tmp_path)
    assert code_checksum(section2_horses.SECTION) == checksum
    for file in sorted(tmp_path.rglob("*.py")):
        content = file.read_bytes()
        file.write_bytes(content + b"#")
        other = file.name.startswith("section") and file.name != "section2_horses.py"
        assert (code_checksum(section2_horses.SECTION) == checksum) == other, file
        file.write_bytes(content)


@pytest.mark.parametrize("backend", ["graph", "keras"])
def test_the_seed_determines_the_initial_weights(backend, small_rows):
    outputs = []
    for seed in (1, 1, 2):
        settings = dataclasses.replace(SMALL, seed=seed)
        with open_trainer(section2_horses.SECTION, settings, (small_rows,), RunOptions(backend=backend)) as trainer:
            outputs.append(trainer.predict(small_rows))
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert not np.allclose(outputs[0], outputs[2])
