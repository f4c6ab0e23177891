"""results, verdicts, page, spread: published beside measured, and what a run leaves behind."""
import dataclasses
import json
import re

import numpy as np
import pytest

from tf1_autoencoders import spread
from tf1_autoencoders.datasets import Source
from tf1_autoencoders.reporting import comparison, figures, published
from tf1_autoencoders.reporting.html_report import write_html_report
from tf1_autoencoders.reporting.run_log import RunLog
from tf1_autoencoders.sections import SECTIONS, section2_horses
from tf1_autoencoders.sections.run import RunOptions, changed_settings, run_identity
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import tf1

REAL = Source("CIFAR-10", "official", "a test")
DRAWN = Source("CIFAR-10", "drawn sample", "a test")


@pytest.fixture
def no_bands(monkeypatch, tmp_path):
    monkeypatch.setattr(comparison, "OWN_BANDS", tmp_path / "own.json")
    monkeypatch.setattr(comparison, "SHIPPED_BANDS", tmp_path / "shipped.json")
    return tmp_path


def open_log(folder, source, tensorboard=False):
    settings = section2_horses.PRESETS["report"]
    identity = run_identity(section2_horses, settings, RunOptions(), source, (np.zeros((2, 3), np.float32),))
    return RunLog(section2_horses, identity, source, folder, tensorboard)


def small_log(folder, source):
    """Write a small log with one of everything; return the rows of the comparison."""
    log = open_log(folder, source)
    log.heading("A heading & more")
    log.epoch(0, "0 Train MSE: 2900.0", {"mse": 2900.0}, {"epoch 0 Train MSE": 2900.0})
    log.figure("image", "A caption", figures.images([np.zeros(1024)], ["a title"]))
    log.table("A table", ("layer", "published shape", "shape"), [("dense", "(7,)", "(7,)")])
    return log.close()


def test_published_numbers_are_those_of_the_report():
    assert [len(numbers) for numbers in published.METRICS.values()] == [40, 10, 20, 2]
    assert published.METRICS[1]["epoch 20 val_loss"] == 0.0193 and published.METRICS[3]["epoch 1 loss"] == 0.0291
    assert published.METRICS[2]["epoch 90 Train MSE"] == 1194.6837
    assert published.METRICS[4]["epoch 1 progress_bar_acc"] == 0.5511
    assert [sum(n for _, _, n in layers) for layers in published.LAYERS.values()] == [9154194, 49761, 190899]


def test_a_number_is_inside_the_prediction_interval_of_the_seeds():
    values = [10.0, 11.0, 12.0, 13.0, 14.0]  # mean 12; t 2.776 * standard deviation 1.581 * sqrt(1 + 1 / 5) = 4.81
    assert comparison.verdict(16.7, values) == "inside" and comparison.verdict(7.3, values) == "inside"
    assert comparison.verdict(16.9, values) == "41% above the mean"
    assert comparison.verdict(6, values) == "50% below the mean"
    assert comparison.verdict(1, [1.0]) == "no band"


@pytest.mark.parametrize("degrees, quantile", [(1, 12.706), (2, 4.3027), (9, 2.2622), (29, 2.0452)])
def test_students_quantiles_are_those_of_the_tables(degrees, quantile):
    assert comparison.students_quantile(0.975, degrees) == pytest.approx(quantile, abs=1e-3)


@pytest.mark.parametrize("n_seeds", [3, 10])
def test_the_prediction_interval_misses_one_draw_in_twenty(n_seeds):
    draws = np.random.default_rng(0).normal(5, 2, (4000, n_seeds + 1))
    missed = np.mean([comparison.verdict(first, rest) != "inside" for first, *rest in draws.tolist()])
    assert missed == pytest.approx(comparison.MISS_RATE, abs=0.012)  # 3.5 standard deviations of 4000 trials


def test_collapsed_runs_are_counted_and_no_band_contains_them(no_bands):
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {
        "values": {"a": [1, 90, 2], "collapsed": [0.0, 1.0, 0.0]}}}))
    assert comparison.seed_bands(2, "report") == ({"a": [1, 2]}, 1)


def test_the_bands_of_the_keras_twin_are_not_those_of_the_graph(no_bands):
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {"values": {"a": [1, 2]}},
                                                   "section 2, preset report, keras": {"values": {"a": [5, 6]}}}))
    assert comparison.seed_bands(2, "report", "keras").values == {"a": [5, 6]}


def test_a_run_with_changed_settings_is_not_judged():
    bands = comparison.SeedBands({"a": [1.0, 1.1, 0.9]}, 0)
    row, = comparison.compare_with_published({"a": 1.0}, bands, {"a": 11331992576.0}, ["learning_rate"])
    assert row[-2:] == ("inside", "not judged: learning_rate changed")
    row, = comparison.compare_with_published({"a": 1.0}, bands, {"a": 11331992576.0})
    assert row[-2] == "inside" and row[-1].endswith("above the mean")


def test_the_seed_is_no_change_of_the_settings():
    preset = section2_horses.PRESETS["report"]
    assert changed_settings(section2_horses, dataclasses.replace(preset, seed=7), RunOptions()) == []
    assert changed_settings(section2_horses, dataclasses.replace(preset, learning_rate=0.5, n_epochs=11),
                            RunOptions(precision="bfloat16")) == ["learning_rate", "n_epochs", "precision"]


def test_the_tally_says_how_many_numbers_would_lie_outside_by_chance():
    bands = comparison.SeedBands({"a": [1.0, 1.1, 0.9, 1.0, 50.0], "b": [1.0, 2.0, 3.0]}, 0)
    tally = comparison.tally({"a": 1.0, "b": 99.0, "c": 3.0}, bands)
    assert tally.n_inside == 1 and tally.n_numbers == 2
    assert tally.expected_outside == pytest.approx(0.2)  # of the five values of a, the last lies outside the others


def test_own_bands_take_precedence_over_those_of_the_repository(no_bands):
    (no_bands / "shipped.json").write_text(json.dumps({"section 2, preset report": {"values": {"a": [1, 2]}}}))
    assert comparison.seed_bands(2, "report").values == {"a": [1, 2]}
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {"values": {"a": [3]}}}))
    assert comparison.seed_bands(2, "report").values == {"a": [3.0]}
    assert comparison.seed_bands(2, "text") == ({}, 0)


@pytest.mark.parametrize("content", ["", "[]", '{"section 2, preset report": {"values": {"a": ["x"]}}}',
                                     '{"section 2, preset report": {"values": 3}}', '{"section 2, preset report": 1}'])
def test_damaged_bands_are_an_error_in_one_sentence(no_bands, content):
    (no_bands / "own.json").write_text(content)
    with pytest.raises(UserError, match="own.json: not the bands that `spread` writes .*; remove the file"):
        comparison.seed_bands(2, "report")
    assert spread.main(["--section", "2", "--out", str(no_bands / "own.json"), "--data", "sample"]) == 1


def test_the_repository_has_bands_of_every_section_on_real_data():
    for number, section in SECTIONS.items():
        stored = json.loads(comparison.SHIPPED_BANDS.read_text())[comparison.band_key(number, "report")]
        assert stored["data"] != "drawn sample" and stored["seeds"] >= 2, section
        assert set(published.METRICS[number]) <= set(stored["values"])


def test_what_is_made_from_real_data_stands_beside_the_published_numbers(no_bands, capsys):
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {
        "values": {"epoch 0 Train MSE": [2850, 2900]}}}))
    assert small_log(no_bands, REAL) == [
        ("epoch 0 Train MSE", "2804.4", "2900.0", "", "2875.0 ± 35.4 (2)", "inside", "inside")]
    output = capsys.readouterr().out
    assert "0 Train MSE: 2900.0   published: 2804.4246" in output and "published shape" in output
    assert "drawn sample" not in output


def test_what_is_made_from_the_drawn_sample_says_so_everywhere_and_stands_beside_nothing(no_bands, capsys):
    assert small_log(no_bands, DRAWN) == []
    output = capsys.readouterr().out
    assert "published" not in output and "2804" not in output
    assert "0 Train MSE: 2900.0 (drawn sample)" in output and "A table (drawn sample)" in output
    assert '"data": "drawn sample"' in (no_bands / "section2" / "metrics.jsonl").read_text()
    page = write_html_report(no_bands).read_text()
    assert "made from the drawn sample" in page and "A caption (drawn sample)" in page and "2804" not in page


def test_the_mark_is_drawn_into_every_figure_of_the_sample(tmp_path):
    figure = figures.images([np.zeros(1024)], ["a title"])
    figures.save(figure, tmp_path, "drawn", DRAWN.mark)
    assert "drawn sample" in [text.get_text() for text in figure.texts]
    figure = figures.images([np.zeros(1024)], ["a title"])
    figures.save(figure, tmp_path, "real", REAL.mark)
    assert not figure.texts


def test_the_page_is_one_file_with_its_figures_inside(no_bands):
    small_log(no_bands, REAL)
    page = write_html_report(no_bands).read_text()
    assert "A heading &amp; more" in page and "<h2>Section 2: Stacked autoencoder" in page
    assert len(re.findall(r'src="data:image/png;base64,', page)) == 1
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page) and "http:" not in page
    assert "2804.4" in page and "n_hidden_1" in page and "tensorflow" in page


def test_a_damaged_transcript_is_an_error_in_one_sentence(no_bands):
    small_log(no_bands, REAL)
    (no_bands / "section2" / "transcript.json").write_text("{")
    with pytest.raises(UserError, match="transcript.json: not the transcript of a run .*; run the section again"):
        write_html_report(no_bands)


def test_event_files_hold_scalars_images_and_the_graph(no_bands):
    log = open_log(no_bands, REAL, tensorboard=True)
    log.graph(section2_horses.build_graph(section2_horses.PRESETS["report"]).graph)
    log.epoch(10, "10 Train MSE", {"mse": 3.5}, {})
    log.figure("image", "A caption", figures.images([np.zeros(1024)], ["a title"]))
    log.close()
    file, = (no_bands / "section2" / "tensorboard").iterdir()
    events = list(tf1.train.summary_iterator(str(file)))
    values = [(value.tag, value.simple_value, event.step) for event in events for value in event.summary.value]
    assert ("mse", 3.5, 10) in values and any(tag == "image" for tag, _, _ in values)
    assert any(event.graph_def for event in events)


def test_spread_adds_the_numbers_of_its_seeds_to_the_file(no_bands, monkeypatch, capsys):
    def measure(settings, data):
        return {"epoch 0 Train MSE": 2000.0 + settings.seed}
    monkeypatch.setattr(section2_horses, "measure", measure)
    monkeypatch.setattr(section2_horses, "load", lambda settings, **where: ({}, REAL))
    file = no_bands / "own.json"
    file.write_text('{"section 1, preset report": {"values": {}}}')
    assert spread.main(["--section", "2", "--seeds", "3", "--out", str(file)]) == 0
    assert "epoch 0 Train MSE | 2001 |" in capsys.readouterr().out
    stored = json.loads(file.read_text())
    assert stored["section 2, preset report"]["values"] == {"epoch 0 Train MSE": [2000.0, 2001.0, 2002.0]}
    assert "section 1, preset report" in stored


def test_spread_refuses_the_drawn_sample_and_an_unknown_preset(no_bands, monkeypatch, capsys):
    monkeypatch.setattr(section2_horses, "load", lambda settings, **where: ({}, DRAWN))
    assert spread.main(["--section", "2", "--out", str(no_bands / "own.json")]) == 1
    assert "need the real data" in capsys.readouterr().err
    assert spread.main(["--section", "2", "--preset", "best", "--out", str(no_bands / "own.json")]) == 2
    assert "--preset best: expected one of report, text, source, tuned" in capsys.readouterr().err
