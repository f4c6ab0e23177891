"""The identity of a run: whatever changes its result."""
import dataclasses

import numpy as np
import pytest

from tests.conftest import SMALL
from tf1_autoencoders.datasets import Source
from tf1_autoencoders.sections import run as section_run
from tf1_autoencoders.sections import section2_horses, section4_sequences
from tf1_autoencoders.sections.run import Run, RunOptions, code_checksum, n_threads, open_trainer, run_identity
from tf1_autoencoders.utils.errors import UserError

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
    {"section": section4_sequences.SECTION}])
def test_whatever_changes_the_result_changes_the_identity(change):
    assert identity(**change) != identity()


@pytest.mark.parametrize("more", [
    {"results_dir": "elsewhere"}, {"checkpoint_dir": "elsewhere"}, {"save_every": 3}, {"resume": True},
    {"tensorboard": True}, {"weights_only": True}, {"threads": 0}], ids=str)
def test_what_changes_no_weight_does_not_change_the_identity(more):
    assert identity(options=RunOptions(**more)) == identity()


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


@pytest.fixture
def tiny(tmp_path):
    """Return (section 4, settings of a network of five units, options with folders of their own)."""
    settings = dataclasses.replace(section4_sequences.PRESETS["report"], n_units=5, n_sequences=64, n_test=8)
    return section4_sequences.SECTION, settings, RunOptions(
        results_dir=str(tmp_path / "results"), checkpoint_dir=str(tmp_path / "checkpoints"))


def test_a_run_is_ready_from_its_beginning_whatever_is_asked_of_it_first(tiny):
    with Run(*tiny) as run:
        assert len(list(run.fit())) == 1  # nobody has asked for the trainer yet
        assert run.trainer is run.trainer and run.checkpoint.with_suffix(".ckpt.index").exists()
        assert run.log.folder.is_dir() and len(run.data["test"][0]) == 8
    assert not hasattr(run, "data")  # which takes memory that the next section needs


def test_a_run_that_cannot_begin_leaves_its_folders_to_others(tiny):
    section, settings, options = tiny

    def load(*_, **__):
        raise UserError("no data")
    errors = []  # whose frames hold whatever was not closed
    for _ in range(2):  # the second would find the folder in use
        with pytest.raises(UserError, match="^no data$") as error:
            Run(dataclasses.replace(section, load=load), settings, options)
        errors.append(error)
    with Run(section, settings, options) as run:
        assert list(run.fit())
