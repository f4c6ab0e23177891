"""Wrong inputs: refused in one sentence with the value, what was expected and what to do, and at once."""
import dataclasses
import json

import pytest

from tf1_autoencoders import clean, convert, crosscheck, evaluate, export, run_all, spread
from tf1_autoencoders.datasets import cifar10
from tf1_autoencoders.reporting import comparison
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils import frameworks
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import write_atomically
from tf1_autoencoders.utils.paths import PRETRAINED


@pytest.fixture(autouse=True)
def no_tensorflow(monkeypatch):
    """None of these answers needs TensorFlow, whose import takes seconds."""
    def refuse(names):
        raise AssertionError("TensorFlow was loaded")
    for module in (frameworks.tf1, frameworks.keras):
        if "_module" in module.__dict__:
            monkeypatch.delitem(module.__dict__, "_module")
    monkeypatch.setattr(frameworks, "_import_quietly", refuse)


@pytest.fixture
def refused(capsys):
    def run(command, *argv, code):
        try:
            assert command.main(list(map(str, argv))) == code
        except SystemExit as error:
            assert error.code == code
        captured = capsys.readouterr()
        assert len(captured.err.splitlines()) == 1, captured
        return captured.err
    return run


@pytest.mark.parametrize("options, expected", [
    (["5"], "--noise-strength 5: the strength of salt-and-pepper is a fraction of the pixels; expected a number from 0 "
            "to 1"),
    (["11", "--noise", "all"], "the strength of all is a factor of the four; expected a number from 0 to 10")])
def test_salt_and_pepper_falls_on_all_pixels_at_most(refused, options, expected):
    assert expected in refused(run_all, "--section", "3", "--data", "sample", "--dry-run", "--noise-strength",
                               *options, code=2)


def test_evaluate_refuses_the_same_strength(tmp_path, refused, monkeypatch):
    assert "fraction of the pixels" in refused(
        evaluate, "--section", "3", "--data", "sample", "--noise-strength", "5", "--results-dir", tmp_path, code=2)


@pytest.mark.parametrize("to", ["npz", "keras"])
def test_export_refuses_a_preset_that_does_not_exist_beside_settings_too(tmp_path, refused, to):
    assert "--preset bogus: expected one of report, text, source, tuned" in refused(
        export, "--section", "2", "--to", to, "--preset", "bogus", "--out", tmp_path / f"x.{to}", code=2)


def test_convert_refuses_a_map_that_nothing_reads(refused):
    assert "--map bad.json: is for --model MODEL.keras" in refused(
        convert, PRETRAINED / "section2/model.ckpt", "--to", "h5", "--map", "bad.json", code=2)


@pytest.mark.parametrize("command, argv", [
    (export, ["--section", "2", "--to", "npz", "--verify", "--no-verify"]), (convert, ["x", "--check", "--no-check"])])
def test_an_option_and_its_opposite_are_refused(refused, command, argv):
    assert "not allowed with argument" in refused(command, *argv, code=2)


@pytest.mark.parametrize("sequence", [["1", "2", "3"], ["1", "2", "3", "4", "5", "51"]])
def test_evaluate_refuses_a_sequence_at_once(tmp_path, refused, sequence):
    assert f"--sequence {' '.join(sequence)}: expected 6 whole numbers from 1 to 50" in refused(
        evaluate, "--section", "4", "--sequence", *sequence, "--results-dir", tmp_path, code=2)


@pytest.mark.parametrize("command, more", [(evaluate, []), (export, ["--to", "npz"])])
def test_a_checkpoint_of_another_section_is_named_as_such(tmp_path, refused, command, more):
    assert "section4: this is a checkpoint of section 4; expected one of section 2" in refused(
        command, "--section", "2", "--checkpoint", PRETRAINED / "section4", *more, code=1)


@pytest.mark.parametrize("content", [b"", b"\x80\x02}q\x00.", b"hello", b"\x80\x02]q\x00.", b"\x80\x09."])
def test_a_wrong_cifar_file_is_described_without_python(content):
    with pytest.raises(UserError) as caught:
        cifar10.read_batch(content, "data_batch_1")
    reasons = ("it is cut off, or another kind of file", "it has no data and labels",
               "it has an opcode 0x68, which no batch of images needs")
    assert str(caught.value) in [f"data_batch_1: not a CIFAR-10 batch ({reason}); unpack the official archive again"
                                 for reason in reasons]


@pytest.mark.parametrize("content", ["[1, 2]", '{"section 2, preset report": [1]}', '{"a": {"values": [1]}}', '"x"'])
def test_a_file_of_bands_that_is_none_is_described_without_python(tmp_path, refused, content):
    file = tmp_path / "list.json"
    file.write_text(content)
    assert "list.json: not the bands that `spread` writes (it has no table of values for each section); remove" in \
        refused(spread, "--section", "4", "--out", file, code=1)
    assert file.read_text() == content


@pytest.mark.parametrize("command, more", [(run_all, ["--dry-run"]), (spread, [])])
def test_section_4_names_a_folder_that_is_missing_although_it_needs_none(tmp_path, refused, command, more, monkeypatch):
    if command is spread:
        more = ["--out", tmp_path / "bands.json"]
    assert "--data-dir /nonexistent: no such folder; name the folder that holds the data set" in refused(
        command, "--section", "4", "--data-dir", "/nonexistent", *more, code=1)


@pytest.mark.parametrize("option", ["--checkpoint-dir", "--results-dir"])
def test_clean_refuses_a_folder_that_is_missing(refused, option):
    assert f"{option} /nonexistent: no such folder; name the one that the runs were given" in refused(
        clean, option, "/nonexistent", code=1)


def test_a_file_that_cannot_be_written_has_the_users_name(tmp_path):
    with pytest.raises(OSError) as caught:
        write_atomically(tmp_path / "missing" / "x.npz", b"")
    assert caught.value.filename == str(tmp_path / "missing" / "x.npz")


@pytest.mark.parametrize("command, more", [(spread, []), (evaluate, []), (export, ["--to", "npz"])])
def test_one_section_at_a_time_is_said(refused, command, more):
    assert "1,2: expected one section at a time, of 1, 2, 3, 4" in refused(
        command, "--section", "1,2", *more, code=2)


def test_crosscheck_takes_several_sections_as_run_all_does(refused, monkeypatch):
    seen = []
    monkeypatch.setattr(crosscheck.cli, "status", lambda message: seen.append(message))

    def load(*_, **__):
        raise UserError("this is the end")
    for number in (2, 4):
        monkeypatch.setitem(SECTIONS, number, dataclasses.replace(SECTIONS[number], load=load))
    assert "this is the end" in refused(crosscheck, "--section", "4,2", code=1)
    assert seen == ["section 2: loading TensorFlow and the data"]


def test_convert_says_at_once_that_there_is_no_checkpoint(refused, monkeypatch):
    monkeypatch.setattr(convert, "run_fresh", lambda *_: pytest.fail("a process was started"))
    assert "/nope: no checkpoint there" in refused(convert, "/nope", code=1)


@pytest.mark.parametrize("restart, saved, said", [
    (True, 0, "interrupted; no seed was replaced in {file}"),
    (True, 1, "interrupted; 1 of 3 seeds are in {file}, and the same command without --restart continues from there"),
    (False, 1, "interrupted; 1 of 3 seeds are in {file}, and the same command continues from there")])
def test_an_interrupted_spread_says_what_continues_it(tmp_path, capsys, monkeypatch, restart, saved, said):
    file = tmp_path / "bands.json"
    monkeypatch.setattr(spread, "spread_identity", lambda *_: {"a": 1})
    if restart:
        entry = {"seeds": 3, "identity": {"a": 1}, "values": {"x": [1, 2, 3]}}
        file.write_text(json.dumps({"section 4, preset report": entry}))

    def measure(section, settings, data, backend):
        if settings.seed == saved:
            raise KeyboardInterrupt
        return {"x": 5.0, "collapsed": 0.0}
    monkeypatch.setattr(spread, "measure", measure)
    argv = ["--section", "4", "--seeds", "3", "--out", str(file), *["--restart"] * restart]
    assert spread.main(argv) == 130
    error = capsys.readouterr().err
    assert "3 seeds to train" in error and said.format(file=file) in error
    assert "--seeds 3: verdicts need 5 seeds that did not collapse" in error
    assert comparison.read_bands(file)["section 4, preset report"]["values"]["x"] == ([1, 2, 3] if not saved else [5.0])


def test_workers_that_do_not_pay_are_said(capsys, monkeypatch):
    monkeypatch.setattr(run_all.launcher, "run_workers", lambda *_: 0)
    for number in (3, 4):
        monkeypatch.setitem(SECTIONS, number, dataclasses.replace(SECTIONS[number], load=lambda *_, **__: None))
    assert run_all.main(["--section", "3,4", "--workers", "2"]) == 0
    assert "--workers 2: 2 processes on one machine train section 4 more slowly than one process does" in \
        capsys.readouterr().err
    assert run_all.main(["--section", "3", "--workers", "2"]) == 0
    assert not capsys.readouterr().err
