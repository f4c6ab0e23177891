"""export: each section in each format answers as its session does."""
import dataclasses
import io
import json
import zipfile
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest

from tests import small_sections
from tests.conftest import slow
from tf1_autoencoders import export
from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile
from tf1_autoencoders.converting import proof
from tf1_autoencoders.converting.writing import formats
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.training.session import TimedSession

RUNTIMES = {"onnx": ("tf2onnx", "onnxruntime"), "tflite": ("ai_edge_litert",), "tflite-int8": ("ai_edge_litert",),
            "safetensors": ("safetensors",)}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """checkpoints[number]: a checkpoint of the section's small network, with slots; made at the first use."""
    with pytest.MonkeyPatch.context() as patch:
        small_sections.shrink(patch.setattr, patch.setitem)

        class Checkpoints(dict):
            def __missing__(self, number):
                section, folder = SECTIONS[number], tmp_path_factory.mktemp(f"section{number}")
                settings = section.check_settings(section.presets["report"], 60)
                model = section.build_graph(settings)
                with TimedSession(model) as session:
                    session.run(model.initializer)
                    saver.save(session, model.saver, folder)
                (folder / "settings.json").write_text(json.dumps(
                    {"preset": "report", "data": {"name": "none", "kind": "drawn"},
                     "settings": dataclasses.asdict(settings)}))
                self[number] = folder
                return folder
        yield Checkpoints()


@pytest.fixture
def run(checkpoints, in_this_process, monkeypatch, tmp_path):
    """run(section, format, *arguments) gives (exit code, what `export` printed)."""
    monkeypatch.chdir(tmp_path)

    def run(section, form, *arguments):
        for module in RUNTIMES.get(form, ()):
            pytest.importorskip(module)
        text = io.StringIO()
        with redirect_stdout(text), redirect_stderr(text):
            code = export.main(["--section", str(section), "--to", form, "--checkpoint", str(checkpoints[section]),
                                *arguments])
        return code, text.getvalue()
    return run


FUNCTIONS = {1: ["reconstruct", "encode", "decode"], 2: ["reconstruct", "encode", "decode"], 3: ["denoise"],
             4: ["predict", "encode", "decode_step"]}


def each_section(*forms):
    """Parametrise a test with every section in every form: quick is section 2 in every form."""
    return pytest.mark.parametrize("form, section", [
        (form, section) if section == 2 else slow(form, section)
        for form in forms for section in SECTIONS])


@each_section("savedmodel", "frozen", "keras")
def test_a_section_answers_as_its_session_does(section, form, run):
    code, text = run(section, form)
    expected = FUNCTIONS[section][:1] if form == "keras" else FUNCTIONS[section]
    assert code == 0 and text.count(": pass") == len(expected), text
    assert all(f"{name}: largest difference" in text for name in expected)


@each_section("onnx", "tflite", "tflite-int8")
def test_a_section_answers_in_the_runtimes_of_others(section, form, run):
    code, text = run(section, form)
    assert code == 0 and text.count(": pass") == len(FUNCTIONS[section]), text


@each_section("npz", "safetensors")
def test_arrays_come_back_to_the_byte_with_slots(section, form, run, checkpoints, tmp_path):
    code, text = run(section, form, "--out", f"weights.{form}")
    found, stored = formats.read_arrays(form, tmp_path / f"weights.{form}"), CheckpointFile(checkpoints[section])
    assert code == 0 and set(found) == set(stored.variables) and any(name.endswith("/Adam_1") for name in found)
    assert all(found[name].tobytes() == stored.read(name).tobytes() for name in found)


@pytest.mark.parametrize("section", [1, slow(4)])
def test_h5_comes_back(section, run):
    code, text = run(section, "h5")
    assert code == 0 and "read back" in text and "FAIL" not in text


def test_a_file_says_where_it_comes_from(run, tmp_path):
    run(2, "savedmodel", "--out", "model", "--no-verify")
    run(2, "npz", "--out", "weights.npz", "--no-verify")
    notes = [json.loads((tmp_path / "model" / "assets.extra" / formats.NOTE).read_text()),
             json.loads(zipfile.ZipFile(str(tmp_path / "weights.npz")).comment)]
    for note in notes:
        assert note["section"] == "2" and json.loads(note["settings"])["n_hidden_2"] == 11
        assert note["program"].startswith("tf1-autoencoders ") and len(note["sha256 of model.ckpt.index"]) == 64


def test_a_wrong_weight_is_found(run, monkeypatch):
    right = proof.run_model
    monkeypatch.setattr(proof, "run_model", lambda job, inputs: [
        value + np.float32(1e-3) * np.max(np.abs(value)) for value in right(job, inputs)])
    code, text = run(3, "frozen")
    assert code == 1 and "FAIL" in text


def test_a_section_that_gives_too_few_inputs_to_compare_is_told_in_one_sentence(run, monkeypatch):
    default = dataclasses.replace(SECTIONS[4], inputs_and_targets=lambda arrays, settings: (arrays[0], arrays[-1]))
    monkeypatch.setitem(SECTIONS, 4, default)
    code, text = run(4, "frozen")
    assert code == 1 and "section 4: inputs_and_targets gives 1 of the graph's 2 features; return" in text
    assert "Traceback" not in text


def test_nothing_is_overwritten_without_force(run, tmp_path):
    (tmp_path / "section2.pb").write_text("precious")
    code, text = run(2, "frozen")
    assert code == 1 and "--force" in text and (tmp_path / "section2.pb").read_text() == "precious"
    assert run(2, "frozen", "--force", "--no-verify")[0] == 0


def test_functions_of_one_file_share_their_weights(run, checkpoints, tmp_path):
    run(2, "frozen", "--no-verify", "--out", "all.pb")
    n_weights = sum(variable.n_bytes for name, variable in CheckpointFile(checkpoints[2]).variables.items()
                    if name.endswith(("kernel", "bias")))
    assert n_weights < (tmp_path / "all.pb").stat().st_size < 1.2 * n_weights
