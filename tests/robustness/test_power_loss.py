"""Power losses: what was flushed is on the disk, what was not is lost, and a store loses no finished save."""
import os

import pytest

from tests.robustness.power_loss import KINDS, PowerLoss, content_of
from tf1_autoencoders.checkpointing import store


@pytest.fixture
def losses(tmp_path, monkeypatch):
    (tmp_path / "top").mkdir()
    made = PowerLoss(tmp_path / "top", tmp_path / "states")
    monkeypatch.setattr(os, "fsync", made.fsync)
    return made


def states_of(losses, number):
    return [content_of(losses.states / f"{number:04d}-{kind}") for kind in KINDS]


def test_only_what_was_flushed_is_on_the_disk(losses):
    file, folder = losses.top / "folder" / "file", losses.top / "folder"
    folder.mkdir()
    file.write_bytes(b"one")
    store.fsync(file)  # the content is safe, but neither name
    file.write_bytes(b"two")
    store.fsync(losses.top)
    assert states_of(losses, 1) == [{}, {"folder": None, "folder/file": b"one"}]
    store.fsync(folder)
    assert states_of(losses, 2)[0] == {"folder": None}
    os.rename(str(file), str(folder / "new"))
    store.fsync(losses.top)
    assert states_of(losses, 3) == [{"folder": None, "folder/file": b"one"}, {"folder": None, "folder/new": b"one"}]


def test_a_store_loses_no_finished_save_and_has_no_damaged_checkpoint(losses):
    folder = losses.top / "new" / "checkpoints" / "section2"
    with store.Store(folder, n_kept=2) as saved:
        for number in (1, 2, 3, 4):
            saved.save(number, lambda path: (path / "model").write_bytes(bytes(9)), {"a": 1}, {"n_steps": number})
            losses.note = str(number)
        saved.mark_finished()
    assert losses.n_flushes > 30
    for note in losses.states.glob("*.note"):
        problems = []
        found = list(store.good_checkpoints(note.with_suffix("") / "new" / "checkpoints" / "section2", problems))
        assert not problems and (found[0].number if found else 0) >= int(note.read_text() or 0), note
