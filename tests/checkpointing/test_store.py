"""store: in a folder of checkpoints the newest intact one is found, and every damaged one is reported."""
import errno
import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tf1_autoencoders.checkpointing import saver, store
from tf1_autoencoders.utils import files
from tf1_autoencoders.utils.errors import UserError

SETTINGS = {"section": 2, "settings": {"seed": 1, "learning_rate": 0.01}}
OTHER = {"section": 2, "settings": {"seed": 2, "learning_rate": 0.01}}
DATA, INDEX, STATE = "model.ckpt.data-00000-of-00001", "model.ckpt.index", "checkpoint"
FILES = (DATA, INDEX, STATE, store.SETTINGS, store.PROGRESS, store.CHECKSUMS)


def writer(number, of="this run"):
    """Return a function that writes a checkpoint's files, each with some content, into a folder."""
    def write(folder):
        (folder / DATA).write_bytes(f"{of}: weights of step {number}".encode() * 50)
        (folder / INDEX).write_bytes(f"{of}: index of step {number}".encode() * 5)
        (folder / STATE).write_text('model_checkpoint_path: "model.ckpt"\n')
    return write


def save(folder, *numbers, settings=SETTINGS, of="this run", ended=False):
    with store.Store(folder) as checkpoints:
        for number in numbers:
            checkpoints.save(number, writer(number, of), settings, {"n_steps": number, "measurements": of})
        if ended:
            checkpoints.mark_finished()
    return folder


@pytest.fixture
def filled(tmp_path):
    """Return a folder with the checkpoints of steps 10, 20 and 30 of a run."""
    return save(tmp_path / "section2", 10, 20, 30)


def begin(folder, settings=SETTINGS, resume=False):
    """Open a run; return (number of the checkpoint to continue from, or None; lines of output)."""
    output = []
    with store.Store(folder) as checkpoints:
        found = checkpoints.open_run(settings, resume, output.append)
    assert all("\n" not in line and len(line) < 500 for line in output)
    return found and found.number, output


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_checkpoint_is_a_numbered_folder_and_the_latest_has_the_reports_name(filled):
    assert names(filled) == [STATE, store.LATEST, DATA, INDEX, store.SETTINGS, *(
        f"step-000000{number}" for number in (10, 20, 30))]
    assert (filled / DATA).read_bytes() == (filled / "step-00000030" / DATA).read_bytes()
    assert names(filled / "step-00000030") == sorted(FILES)
    assert begin(filled) == (30, [])


def test_the_newest_three_checkpoints_are_kept_even_after_restarts(filled):
    for number in (40, 50):
        save(filled, number)
        assert [path.name for path in store.checkpoint_folders(filled)] == [
            f"step-000000{number - back}" for back in (0, 10, 20)]


def test_the_folder_can_be_moved(filled, tmp_path):
    moved = tmp_path / "elsewhere" / "run"
    shutil.move(str(tmp_path / "section2"), str(tmp_path / "elsewhere" / "run"))
    assert begin(moved) == (30, [])
    assert (moved / DATA).read_bytes() == (moved / "step-00000030" / DATA).read_bytes()
    assert not any(os.path.isabs(os.readlink(str(path))) for path in moved.iterdir() if path.is_symlink())


def truncated(share):
    def damage(file, _):
        content = file.read_bytes()
        file.write_bytes(content[:int(len(content) * share)])
    return damage


def bit_flipped(share):
    def damage(file, _):
        content = bytearray(file.read_bytes())
        content[int((len(content) - 1) * share)] ^= 1
        file.write_bytes(bytes(content))
    return damage


def replaced(file, others):
    """Replace the file by that of another run's checkpoint of the same step."""
    shutil.copyfile(str(others / file.name), str(file))


DAMAGES = {
    "truncated to a tenth": truncated(0.1), "truncated to a half": truncated(0.5), "one byte short": truncated(0.999),
    "first bit flipped": bit_flipped(0), "a bit in the middle flipped": bit_flipped(0.5),
    "last bit flipped": bit_flipped(1), "empty": truncated(0), "missing": lambda file, _: file.unlink(),
    "another run's": replaced}


@pytest.fixture
def others(tmp_path):
    """Return a checkpoint of step 30 of another run."""
    return save(tmp_path / "other", 30, settings=OTHER, of="another run", ended=True) / "step-00000030"


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_damage_is_reported_and_the_previous_checkpoint_is_used(filled, others, name, damage):
    file = filled / "step-00000030" / name
    if name == STATE and damage == "another run's":
        pytest.skip("the state file says the same in every run")
    DAMAGES[damage](file, others)
    number, output = begin(filled)
    assert number == 20
    assert "step-00000030: the checkpoint is damaged (" in output[0] and output[0].endswith("; it is skipped")
    blamed = {name, store.CHECKSUMS} if name != store.CHECKSUMS else set(FILES)  # wrong checksums may blame any file
    assert any(file in output[0] for file in blamed)
    assert "latest: not the latest checkpoint; the link is repaired" in output[1]
    assert (filled / DATA).read_bytes() == (filled / "step-00000020" / DATA).read_bytes()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_run_without_an_intact_checkpoint_is_refused_and_never_starts_again(filled, others, damage):
    for path in store.checkpoint_folders(filled):
        DAMAGES[damage](path / DATA, others)
    before = {path: path.lstat().st_size for path in filled.rglob("*")}
    for resume in (False, True):
        with pytest.raises(UserError, match="no good checkpoint left of the run there .*step-00000010.*; remove the"):
            begin(filled, resume=resume)
    assert before == {path: path.lstat().st_size for path in filled.rglob("*")}


def test_an_intact_checkpoint_of_another_run_is_skipped(filled, others):
    shutil.rmtree(str(filled / "step-00000030"))
    shutil.copytree(str(others), str(filled / "step-00000030"))
    number, output = begin(filled)
    assert number == 20 and output[0].endswith("step-00000030: a checkpoint of another run; it is skipped")


def test_a_checkpoint_in_a_folder_of_another_number_is_damaged(filled):
    (filled / "step-00000030").rename(filled / "step-00000090")
    number, output = begin(filled)
    assert number == 20 and "step-00000090: the checkpoint is damaged (progress.json is of step 30)" in output[0]


def test_an_extra_file_counts_as_damage(filled):
    (filled / "step-00000030" / "model.ckpt.data-00001-of-00002").write_text("")
    assert begin(filled)[0] == 20


@pytest.mark.parametrize("name", [store.LATEST, INDEX, DATA, STATE, store.SETTINGS])
@pytest.mark.parametrize("how", ["missing", "empty", "another"])
def test_missing_and_wrong_links_are_repaired(filled, name, how):
    link = filled / name
    target = os.readlink(str(link))
    link.unlink()
    if how == "empty":
        link.write_text("")
    elif how == "another":
        link.symlink_to(target.replace("latest", "step-00000010").replace("30", "10"))
    number, output = begin(filled)
    same = how == "another" and name in (STATE, store.SETTINGS)  # these files are equal in all checkpoints
    assert number == 30 and len(output) == (0 if same else 1)
    assert begin(filled) == (30, [])
    assert (filled / name).resolve() == filled / "step-00000030" / ("" if name == store.LATEST else name) or same


def test_the_newest_checkpoint_does_not_depend_on_the_times_of_files(filled):
    for age, path in enumerate(store.checkpoint_folders(filled)):
        for file in [path, *path.iterdir()]:
            os.utime(str(file), (10 ** 9 - 10 ** 6 * age,) * 2 if age else (0, 0))
    assert begin(filled) == (30, [])
    save(filled, 40)
    assert begin(filled) == (40, [])


def test_a_damaged_checkpoint_is_replaced_when_the_run_reaches_its_step_again(filled, others):
    truncated(0.5)(filled / "step-00000030" / DATA, others)
    save(filled, 30)
    assert begin(filled) == (30, [])


def test_unfinished_files_of_a_killed_run_are_removed(filled):
    (filled / "unfinished-step-00000040").mkdir()
    (filled / "unfinished-step-00000040" / DATA).write_text("half")
    (filled / "unfinished-latest").symlink_to("step-00000040")
    assert begin(filled) == (30, [])
    assert not [name for name in names(filled) if name.startswith("unfinished")]


def test_a_run_with_other_settings_is_kept_aside(filled):
    number, output = begin(filled, OTHER)
    aside = filled.with_name("section2.before-1")
    assert number is None and output[0].startswith("the unfinished run that was in ") and str(aside) in output[0]
    assert names(filled) == []
    assert (aside / DATA).read_bytes() == (aside / "step-00000030" / DATA).read_bytes()
    assert [path.name for path in store.checkpoint_folders(aside)] == ["step-00000030"]  # the newest is enough


def test_a_finished_run_is_kept_aside_once_and_shown_again_with_resume(tmp_path):
    folder = tmp_path / "section2"
    for _ in range(3):
        save(folder, 10, 20, ended=True)
        assert begin(folder, resume=True) == (20, [])
        assert begin(folder)[0] is None
    assert sorted(path.name for path in tmp_path.glob("section2*")) == ["section2", "section2.before-1"]
    save(folder, 10, settings=OTHER)
    assert begin(folder)[0] is None
    assert sorted(path.name for path in tmp_path.glob("section2*")) == [
        "section2", "section2.before-1", "section2.before-2"]


def test_a_run_that_ended_its_training_but_was_not_marked_as_finished_is_continued(tmp_path):
    folder = save(tmp_path / "section2", 10, 20, ended=True)
    assert begin(folder, resume=True) == (20, [])
    for content in (b"", b"step-00000010", b"\xff"):
        (folder / store.FINISHED).write_bytes(content)
        assert begin(folder) == (20, [])
    (folder / store.FINISHED).unlink()
    assert begin(folder) == (20, [])


def test_a_folder_with_foreign_files_is_kept_aside(tmp_path):
    folder = tmp_path / "section2"
    folder.mkdir()
    (folder / INDEX).write_text("of a TensorFlow 1 program")
    number, output = begin(folder)
    assert number is None and output[0].startswith("the former run that was in ")
    assert (tmp_path / "section2.before-1" / INDEX).read_text() == "of a TensorFlow 1 program"


def test_resume_refuses_another_run_and_names_the_difference(filled):
    with pytest.raises(UserError, match="--resume: .*holds another run .seed was 1 in the saved run and is 2 "
                                        "now.; leave --resume out"):
        begin(filled, OTHER, resume=True)
    assert len(store.checkpoint_folders(filled)) == 3


def test_resume_refuses_an_empty_folder(tmp_path):
    with pytest.raises(UserError, match="--resume: .*holds no run; leave --resume out to start at the beginning"):
        begin(tmp_path / "section2", resume=True)


def test_a_second_run_in_the_same_folder_is_refused(filled):
    with store.Store(filled), pytest.raises(UserError, match=f"another run .process {os.getpid()}. is at work there"):
        store.Store(filled)
    assert begin(filled) == (30, [])


def test_a_killed_process_releases_its_folder(filled):
    code = ("import os, signal, sys; from tf1_autoencoders.checkpointing import store\n"
            "checkpoints = store.Store(sys.argv[1]); print('held', flush=True); signal.pause()")
    other = subprocess.Popen([sys.executable, "-c", code, str(filled)], stdout=subprocess.PIPE, cwd=str(ROOT))
    try:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match=f"another run .process {other.pid}. is at work there"):
            store.Store(filled)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert begin(filled) == (30, [])


CALLS = ("mkdir", "open", "fsync", "close", "rename", "symlink", "replace", "readlink", "unlink", "rmdir")


class Killed(BaseException):
    """Simulates a kill: nothing in the program catches this exception."""


def failing_at(monkeypatch, n, error, names_of_calls=CALLS):
    """Let the n-th call of the operating system's functions raise `error`; return the growing list of calls."""
    result = []

    def failing(name, call):
        def wrapped(*args, **kwargs):
            result.append(name)
            if len(result) == n + 1:
                raise error
            return call(*args, **kwargs)
        return wrapped
    for name in names_of_calls:
        monkeypatch.setattr(os, name, failing(name, getattr(os, name)))
    return result


def calls_of_a_save(monkeypatch, folder):
    with monkeypatch.context() as patch, store.Store(folder) as checkpoints:
        result = failing_at(patch, -2, None)
        checkpoints.save(40, writer(40), SETTINGS, {"n_steps": 40})
    return len(result)


def test_a_kill_at_any_call_of_a_save_leaves_a_good_store(monkeypatch, tmp_path):
    n_calls = calls_of_a_save(monkeypatch, save(tmp_path / "counted", 10, 20, 30))
    assert n_calls > 40
    numbers = set()
    for n in range(n_calls):
        folder = save(tmp_path / f"killed-{n}", 10, 20, 30)
        with monkeypatch.context() as patch, pytest.raises(Killed), store.Store(folder) as checkpoints:
            failing_at(patch, n, Killed())
            checkpoints.save(40, writer(40), SETTINGS, {"n_steps": 40})
        number, output = begin(folder)
        assert number in (30, 40) and all("the link is repaired" in line for line in output)
        assert (folder / DATA).read_bytes() == (folder / f"step-{number:08d}" / DATA).read_bytes()
        numbers.add(number)
        save(folder, 40)
        assert begin(folder) == (40, [])
    assert numbers == {30, 40}


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.slow
def test_an_error_at_any_call_of_a_save_is_one_sentence_and_loses_nothing(monkeypatch, tmp_path, code):
    n_calls = calls_of_a_save(monkeypatch, save(tmp_path / "counted", 10, 20, 30))
    for n in range(n_calls):
        folder = save(tmp_path / f"failed-{n}", 10, 20, 30)
        with monkeypatch.context() as patch, pytest.raises(UserError) as error, store.Store(folder) as checkpoints:
            failing_at(patch, n, OSError(code, os.strerror(code)))
            checkpoints.save(40, writer(40), SETTINGS, {"n_steps": 40})
        message = str(error.value)
        assert f"the checkpoint could not be written ({os.strerror(code)})" in message and "\n" not in message
        assert "the same command continues from step-000000" in message
        assert begin(folder)[0] in (30, 40)


def test_without_symbolic_links_the_latest_is_a_copy(monkeypatch, tmp_path):
    def refused(*_):
        raise OSError(errno.EPERM, "Operation not permitted")
    with monkeypatch.context() as patch:
        patch.setattr(os, "symlink", refused)
        folder = save(tmp_path / "section2", 10, 20)
    assert begin(folder) == (20, [])
    assert not (folder / DATA).is_symlink()
    assert (folder / DATA).read_bytes() == (folder / "step-00000020" / DATA).read_bytes()
    save(folder, 30)
    assert (folder / DATA).read_bytes() == (folder / "step-00000030" / DATA).read_bytes()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "3", "{}", '{"a": 1}', "[" * 100000,
                                     '{"checkpoint": 1e999}', "\ud800", '[{"size": 1}]',
                                     json.dumps({name: {} for name in FILES})])
def test_malformed_checksums_count_as_damage(filled, content):
    (filled / "step-00000030" / store.CHECKSUMS).write_bytes(content.encode("utf-8", "surrogatepass"))
    assert begin(filled)[0] == 20


@pytest.mark.parametrize("content", [[], {}, None, {"n_steps": "30"}])
def test_malformed_progress_counts_as_damage_even_with_right_checksums(tmp_path, content):
    folder = save(tmp_path / "section2", 20)
    with store.Store(folder) as checkpoints:
        checkpoints.save(30, writer(30), SETTINGS, content)
    assert begin(folder)[0] == 20


@pytest.mark.parametrize("n_kept", [1, 2])
def test_a_store_keeps_the_given_number_of_checkpoints(tmp_path, n_kept):
    with store.Store(tmp_path / "section2", n_kept) as checkpoints:
        for number in range(1, 5):
            checkpoints.save(number, lambda folder: (folder / "model.ckpt.index").write_bytes(b"x"), {},
                             {"n_steps": number})
    assert [path.name for path in store.checkpoint_folders(tmp_path / "section2")] == [
        "step-00000004", "step-00000003"][:n_kept]


def test_a_name_that_tensorflow_cannot_take_is_refused_before_the_training(tmp_path):
    name = os.fsdecode(b"\xff\xfe")  # as Persian letters arrive in a locale of ASCII
    with pytest.raises(UserError, match="cannot write to a folder whose name is not in the encoding .* PYTHONUTF8=1"):
        store.Store(tmp_path / name / "section2")
    assert list(tmp_path.iterdir()) == []


def with_checksums(folder, name, size):
    """Record another size of a file in a checkpoint's checksums.json, as somebody who wants to harm would."""
    file = folder / store.CHECKSUMS
    file.write_text(store._to_json({**json.loads(file.read_text()), name: {"size": size, "sha256": "0" * 64}}))


def as_pipe(file):
    os.mkfifo(str(file))


def as_endless_device(file):
    file.symlink_to("/dev/zero")


def as_sparse_file(file):
    with open(str(file), "wb") as opened:
        opened.truncate(1 << 40)


@pytest.mark.parametrize("name", [DATA, store.SETTINGS, store.CHECKSUMS, "stranger"])
@pytest.mark.parametrize("size", [0, 1 << 40])
@pytest.mark.parametrize("replaced", [as_pipe, as_endless_device, as_sparse_file])
def test_what_is_no_file_of_a_checkpoint_is_not_read(replaced, name, size, filled):
    newest = filled / "step-00000030"
    with_checksums(newest, name, size)
    if (newest / name).exists():
        (newest / name).unlink()
    replaced(newest / name)
    with pytest.raises(UserError, match="the checkpoint is damaged"):  # at once, or the test would never end
        store.read_checkpoint(newest)
    assert next(store.good_checkpoints(filled, [])).number == 20


@pytest.mark.parametrize("replaced", [as_pipe, as_endless_device])
@pytest.mark.parametrize("name", [INDEX, store.FINISHED])
def test_what_is_no_file_beside_the_checkpoints_is_not_read(replaced, name, filled):
    if (filled / name).is_symlink():
        (filled / name).unlink()
    replaced(filled / name)
    assert begin(filled)[0] == 30


def test_each_folder_that_is_made_is_flushed_into_the_one_above_it(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(files, "fsync", flushed.append)
    with store.Store(tmp_path / "a" / "b" / "section2"):
        pass
    assert flushed == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]


def test_a_run_that_saves_meanwhile_is_no_damage(filled, monkeypatch, capsys):
    read, pending = store._size_and_checksum, [40, 50, 60]

    def read_while_a_run_saves(path):
        if pending:
            numbers, pending[:] = list(pending), []
            save(filled, *numbers)
        return read(path)
    monkeypatch.setattr(store, "_size_and_checksum", read_while_a_run_saves)
    assert saver.newest_good_checkpoint([filled]) == filled / "step-00000060" / "model.ckpt"
    assert not capsys.readouterr().err
