"""The page of the trained networks, without a browser: what it is made from, what is refused."""
import base64
import json
import re
import shutil
import zlib
from pathlib import Path

import pytest

from tf1_autoencoders import play, run_all
from tf1_autoencoders.keras_twin.script_layers import Weights, script_layers
from tf1_autoencoders.reporting import live_panels
from tf1_autoencoders.reporting.run_log import TRANSCRIPT
from tf1_autoencoders.utils.frameworks import keras
from tf1_autoencoders.utils.paths import PRETRAINED

COMMITTED = Path(__file__).resolve().parents[2] / "docs" / "play.html"
MAX_BYTES = 2_000_000
MAX_SCRIPT_LINES = 400  # without comments and empty lines: a page's script stays small enough to be read


def test_the_committed_page_has_the_present_script_style_and_panels():
    content = COMMITTED.read_text(encoding="utf-8")
    assert len(content.encode()) <= MAX_BYTES
    assert live_panels.script() in content and live_panels.style() in content
    for name in live_panels.PANELS:
        assert (live_panels.FOLDER / f"{name}.html").read_text(encoding="utf-8") in content


def test_the_committed_page_has_the_shipped_networks():
    keras.layers.Dense(3)(keras.Input((3,)))  # Keras counts the layers of a process in their names
    present, committed = (json.loads(re.search('id="play-data">(.*?)</script>', text, re.S).group(1)) for text in (
        play.panels_of_checkpoints(play.SHIPPED).html, COMMITTED.read_text(encoding="utf-8")))
    assert committed["networks"] == present["networks"]
    # zlib of another version may compress otherwise
    assert zlib.decompress(base64.b64decode(committed["weights"])) == zlib.decompress(
        base64.b64decode(present["weights"]))


def test_the_script_is_short():
    lines = live_panels.script().splitlines()
    assert sum(not re.match(r"\s*(//|/\*\*|$)", line) for line in lines) <= MAX_SCRIPT_LINES
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("layer, named", [
    (lambda layers: layers.Conv2D(3, 3, strides=2), r"strides \(2, 2\)"),
    (lambda layers: layers.Conv2D(3, 2), r"kernel_size \(2, 2\)"),
    (lambda layers: layers.Conv2D(3, 3, activation="elu"), "activation 'elu'"),
    (lambda layers: layers.MaxPooling2D(padding="valid"), "padding 'valid'"),
    (lambda layers: layers.GlobalAveragePooling2D(), "a GlobalAveragePooling2D")])
def test_a_layer_that_the_script_does_not_compute_is_refused(layer, named):
    inputs = keras.Input((8, 8, 1))
    with pytest.raises(ValueError, match=named):
        script_layers(keras.Model(inputs, layer(keras.layers)(inputs)), Weights())


def test_weights_that_two_models_share_are_held_once():
    inputs, dense = keras.Input((3,)), keras.layers.Dense(5)
    weights = Weights()
    first, second = (script_layers(keras.Model(inputs, dense(inputs)), weights)["layers"][0]["weights"] for _ in "12")
    assert first == second == [[0, 15], [15, 5]] and weights.joined().size == 20


def test_a_run_of_ones_own_stands_in_place_of_the_shipped_network(tmp_path, capsys):
    shutil.copytree(str(PRETRAINED / "section3_long"), str(tmp_path / "checkpoints" / "section3"))
    assert play.main(["--out", str(tmp_path / "page.html"), "--checkpoint-dir", str(tmp_path / "checkpoints")]) == 0
    output = capsys.readouterr().out
    assert f"denoise: {tmp_path}/checkpoints/section3/model.ckpt\n" in output and "section4/model.ckpt" in output
    content = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert re.findall('"label":"([^"]*)"', content) == ["500 epochs, salt-and-pepper"]
    assert str(tmp_path) not in content


@pytest.mark.parametrize("arguments, expected", [
    (["--checkpoint-dir", "."], "--checkpoint-dir .: no run of section 3 or 4 there"),
    (["--out", "."], "--out .: this is a folder"),
    (["--out", str(PRETRAINED / "page.html")], "this folder is part of the project")])
def test_wrong_arguments_are_one_sentence(tmp_path, monkeypatch, capsys, arguments, expected):
    monkeypatch.chdir(tmp_path)
    assert play.main(arguments) == 1
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def write_run(folder, network):
    """Leave what a run of section 4 leaves, with a shipped network; return the folders of results and checkpoints."""
    results, checkpoints = folder / "results", folder / "checkpoints"
    shutil.copytree(str(PRETRAINED / network), str(checkpoints / "section4"))
    (results / "section4").mkdir(parents=True)
    shutil.copy(str(PRETRAINED / network / "settings.json"), str(results / "section4"))
    (results / "section4" / TRANSCRIPT).write_text("{}")
    return results, checkpoints


def test_the_results_page_has_panels_of_the_runs_that_it_shows(tmp_path):
    results, checkpoints = write_run(tmp_path, "section4")
    panels = play.panels_of_runs(results, checkpoints)
    assert 'id="sequence"' in panels.html and 'id="denoise"' not in panels.html
    settings = results / "section4" / "settings.json"
    settings.write_text(settings.read_text().replace('"seed": 0', '"seed": 1'))  # the checkpoint of another run
    assert play.panels_of_runs(results, checkpoints) is None


def test_a_damaged_checkpoint_costs_the_results_page_its_panels_only(tmp_path, capsys):
    results, checkpoints = write_run(tmp_path, "section4")
    with open(str(checkpoints / "section4" / "model.ckpt.data-00000-of-00001"), "r+b") as file:
        file.write(bytes(100))
    assert play.panels_of_runs(results, checkpoints) is None
    assert "the results page has no live panels: " in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_puts_its_network_into_the_results_page_unless_no_live_is_given(tmp_path):
    arguments = ["--section", "4", "--results-dir", str(tmp_path / "r"), "--checkpoint-dir", str(tmp_path / "c")]
    for more, expected in (([], True), (["--no-live"], False)):
        assert run_all.main([*arguments, *more]) == 0
        assert ('id="play-data"' in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")) == expected
