"""saver: an intact model.ckpt is restored, any other is refused in one sentence."""
import dataclasses
import json
import shutil

import numpy as np
import pytest

from tests.conftest import SMALL, section2_graph
from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.keras_twin.weights import graph_weights
from tf1_autoencoders.sections import section2_horses
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.loop import Progress
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1

DATA = "model.ckpt.data-00000-of-00001"

ORIGIN = {"preset": "report", "data": {"name": "CIFAR-10", "kind": "official"}}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small_rows):
    """Return (folder of the checkpoint, weights) of a small trained network."""
    folder, model = tmp_path_factory.mktemp("trained"), section2_graph(SMALL)
    with TimedSession(model) as session:
        session.run(model.initializer)
        trainer = trainers.GraphTrainer(session, model, (small_rows,), 5)
        trainer.train(np.arange(15), False, Progress(), lambda: False)
        trainer.save(folder)
        (folder / "settings.json").write_text(json.dumps({**ORIGIN, "settings": dataclasses.asdict(SMALL)}))
        return folder, graph_weights(session, model)


@pytest.fixture
def saved(trained, tmp_path):
    """Return (folder of a copy of the checkpoint, weights)."""
    folder, weights = trained
    shutil.copytree(str(folder), str(tmp_path / "saved"))
    return tmp_path / "saved", weights


def restore(path, settings=SMALL):
    model = section2_graph(settings)
    with TimedSession(model) as session:
        saver.restore(session, model.weights_saver, model.weights, path)
        return graph_weights(session, model)


def test_restored_weights_are_bit_identical_to_the_saved_ones(saved):
    folder, weights = saved
    restored = restore(saver.newest_good_checkpoint([folder]))
    assert all(np.array_equal(weights[name], restored[name]) for name in weights)


def test_any_tensorflow_program_can_read_the_checkpoint(saved):
    folder, weights = saved
    assert tf1.train.latest_checkpoint(str(folder)) == str(folder / "model.ckpt")
    reader = tf1.train.load_checkpoint(str(folder / "model.ckpt"))
    np.testing.assert_array_equal(reader.get_tensor("dense_2/kernel"), weights["dense_2/kernel"])
    assert "dense/kernel/Adam" in reader.get_variable_to_shape_map()


def test_the_first_folder_with_a_checkpoint_takes_precedence(saved, tmp_path):
    folder, _ = saved
    (folder / "empty").mkdir()
    assert saver.newest_good_checkpoint([folder / "empty", folder]) == folder / "model.ckpt"


def test_the_error_for_a_missing_checkpoint_names_the_folders_and_the_command(tmp_path):
    with pytest.raises(UserError, match="no checkpoint: looked for model.ckpt in .*; train one with"):
        saver.newest_good_checkpoint([tmp_path])
    with pytest.raises(UserError, match="no checkpoint there .no other.ckpt.index.; train one with"):
        restore(tmp_path / "other.ckpt")


@pytest.mark.parametrize("name", ["", "model.ckpt", "model.ckpt.index", DATA])
def test_a_checkpoint_is_found_by_its_folder_its_prefix_or_one_of_its_files(saved, name):
    folder, _ = saved
    assert saver.checkpoint_path_from_argument(folder / name) == folder / "model.ckpt"


def test_the_error_for_another_architecture_names_the_variable_and_both_shapes(saved):
    folder, _ = saved
    with pytest.raises(UserError, match=r"dense/kernel has shape \[37, 13\], expected \[37, 17\]"):
        restore(folder / "model.ckpt", dataclasses.replace(SMALL, n_hidden_1=17))


def damage(file, how):
    content = file.read_bytes()
    if how == "truncated":
        file.write_bytes(content[:len(content) // 2])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "bit-flipped":
        middle = len(content) // 2
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:])
    else:
        file.unlink()


@pytest.mark.parametrize("how", ["truncated", "empty", "bit-flipped", "missing"])
@pytest.mark.parametrize("name", ["model.ckpt.index", DATA])
def test_a_damaged_checkpoint_is_refused_in_one_sentence(saved, name, how):
    folder, _ = saved
    damage(folder / name, how)
    with pytest.raises(UserError) as error:
        restore(folder / "model.ckpt")
    message = str(error.value)
    assert "model.ckpt: the checkpoint is damaged (" in message or how == "missing" and "no checkpoint" in message
    assert "\n" not in message and len(message) < 400


def test_settings_are_read_as_they_were_saved(saved):
    folder, _ = saved
    assert saver.read_settings(folder / "model.ckpt", section2_horses.Settings)[0] == SMALL


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"settings": 3}', '{"settings": {"n_input": 37}}',
                                     *(json.dumps({**ORIGIN, "settings": {**dataclasses.asdict(SMALL), **wrong}})
                                       for wrong in ({"n_input": "wide"}, {"n_input": 10 ** 9}, {"seed": -1},
                                                     {"learning_rate": float("nan")}, {"kernels": "other"},
                                                     {"l2_in_loss": 1}, {"batch_size": 0}, {"n_epochs": True})),
                                     *(json.dumps({**ORIGIN, **wrong, "settings": dataclasses.asdict(SMALL)})
                                       for wrong in ({"preset": 3}, {"data": []}, {"data": {"name": [], "kind": ""}}))])
def test_damaged_settings_are_refused_in_one_sentence(saved, content):
    folder, _ = saved
    (folder / "settings.json").write_text(content)
    with pytest.raises(UserError, match="settings.json: .*train again"):
        saver.read_settings(folder / "model.ckpt", section2_horses.Settings)


@pytest.mark.parametrize("folder, number", [("section1", "1"), ("section3_long", "3"), ("mine", "N")])
def test_a_missing_checkpoint_names_the_section_to_train(tmp_path, folder, number):
    (tmp_path / folder).mkdir()
    for look in (lambda: saver.checkpoint_path_from_argument(tmp_path / folder / "model.ckpt"),
                 lambda: saver.newest_good_checkpoint([tmp_path / folder])):
        with pytest.raises(UserError, match=f"train one with `python run_all.py --section {number}`$"):
            look()
