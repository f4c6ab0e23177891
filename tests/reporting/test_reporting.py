"""results, verdicts, page, spread: published beside measured, and what a run leaves behind."""
import json
import re

import numpy as np
import pytest

from tf1_autoencoders import spread
from tf1_autoencoders.datasets import Source
from tf1_autoencoders.reporting import comparison, figures, html_report, published, run_log
from tf1_autoencoders.sections import SECTIONS, section2_horses
from tf1_autoencoders.utils.errors import UserError

REAL = Source("CIFAR-10", "official", "a test")
DRAWN = Source("CIFAR-10", "drawn sample", "a test")


@pytest.fixture
def no_bands(monkeypatch, tmp_path):
    monkeypatch.setattr(comparison, "OWN", tmp_path / "own.json")
    monkeypatch.setattr(comparison, "SHIPPED", tmp_path / "shipped.json")
    return tmp_path


def report(folder, source, **options):
    settings = section2_horses.PRESETS["report"]
    options = run_log.Options(out=str(folder), **options)
    described = run_log.describe(section2_horses, settings, options, source, (np.zeros((2, 3), np.float32),))
    return run_log.Report(section2_horses, settings, options, source, described)


def filled(folder, source):
    """A small report with one of everything, closed."""
    made = report(folder, source)
    made.heading("A heading & more")
    made.measured["epoch 0 Train MSE"] = 2900.0
    made.epoch(0, "0 Train MSE: 2900.0", {"mse": 2900.0}, ["epoch 0 Train MSE"])
    made.figure("picture", "A caption", figures.pictures([np.zeros(1024)], ["a title"]))
    made.table("A table", ("layer", "published shape", "shape"), [("dense", "(7,)", "(7,)")])
    return made.close()


def test_published_numbers_are_those_of_the_report():
    assert [len(numbers) for numbers in published.NUMBERS.values()] == [40, 10, 20, 2]
    assert published.NUMBERS[1]["epoch 20 val_loss"] == 0.0193 and published.NUMBERS[3]["epoch 1 loss"] == 0.0291
    assert published.NUMBERS[2]["epoch 90 Train MSE"] == 1194.6837 and published.NUMBERS[4]["epoch 1 acc"] == 0.5511
    assert [sum(n for _, _, n in layers) for layers in published.LAYERS.values()] == [9154194, 49761, 190899]


def test_a_number_is_inside_within_two_deviations_or_the_range():
    values = [10.0, 11.0, 12.0, 13.0, 14.0]  # mean 12, standard deviation 1.58
    assert comparison.verdict(15.1, values) == "inside" and comparison.verdict(8.9, values) == "inside"
    assert comparison.verdict(15.3, values) == "28% above the mean"
    assert comparison.verdict(6, values) == "50% below the mean"
    assert comparison.verdict(20, [1.0, 1.0, 1.0, 21.0]) == "inside"  # in the range of a skewed spread
    assert comparison.verdict(1, [1.0]) == "no band"


def test_own_bands_take_precedence_over_those_of_the_repository(no_bands):
    (no_bands / "shipped.json").write_text(json.dumps({"section 2, preset report": {"values": {"a": [1, 2]}}}))
    assert comparison.bands(2, "report") == {"a": [1, 2]}
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {"values": {"a": [3]}}}))
    assert comparison.bands(2, "report") == {"a": [3.0]}
    assert comparison.bands(2, "text") == {}


@pytest.mark.parametrize("content", ["", "[]", '{"section 2, preset report": {"values": {"a": ["x"]}}}',
                                     '{"section 2, preset report": {"values": 3}}', '{"section 2, preset report": 1}'])
def test_damaged_bands_are_an_error_in_one_sentence(no_bands, content):
    (no_bands / "own.json").write_text(content)
    with pytest.raises(UserError, match="own.json: not the bands that `spread` writes .*; remove it"):
        comparison.bands(2, "report")
    assert spread.main(["--section", "2", "--out", str(no_bands / "own.json"), "--data", "sample"]) == 1


def test_the_repository_has_bands_of_every_section_on_real_data():
    for number, module in ((number, section.module) for number, section in SECTIONS.items()):
        stored = json.loads(comparison.SHIPPED.read_text())[comparison.key(number, "report")]
        assert stored["data"] != "drawn sample" and stored["seeds"] >= 2, module
        assert set(published.NUMBERS[number]) <= set(stored["values"])


def test_what_is_made_from_real_data_stands_beside_the_published_numbers(no_bands, capsys):
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {
        "values": {"epoch 0 Train MSE": [2850, 2900]}}}))
    assert filled(no_bands, REAL) == [("epoch 0 Train MSE", "2804.4", "2900.0", "2875.0 ± 35.4 (2)", "inside")]
    said = capsys.readouterr().out
    assert "0 Train MSE: 2900.0   published: 2804.4246" in said and "published shape" in said
    assert "drawn sample" not in said


def test_what_is_made_from_the_drawn_sample_says_so_everywhere_and_stands_beside_nothing(no_bands, capsys):
    assert filled(no_bands, DRAWN) == []
    said = capsys.readouterr().out
    assert "published" not in said and "2804" not in said
    assert "0 Train MSE: 2900.0 (drawn sample)" in said and "A table (drawn sample)" in said
    assert '"data": "drawn sample"' in (no_bands / "section2" / "metrics.jsonl").read_text()
    made = html_report.write(no_bands).read_text()
    assert "made from the drawn sample" in made and "A caption (drawn sample)" in made and "2804" not in made


def test_the_mark_is_drawn_into_every_figure_of_the_sample(tmp_path):
    figure = figures.pictures([np.zeros(1024)], ["a title"])
    figures.save(figure, tmp_path, "drawn", DRAWN)
    assert "drawn sample" in [text.get_text() for text in figure.texts]
    figure = figures.pictures([np.zeros(1024)], ["a title"])
    figures.save(figure, tmp_path, "real", REAL)
    assert not figure.texts


def test_the_page_is_one_file_with_its_pictures_inside(no_bands):
    filled(no_bands, REAL)
    made = html_report.write(no_bands).read_text()
    assert "A heading &amp; more" in made and "<h2>Section 2: Stacked autoencoder" in made
    assert len(re.findall(r'src="data:image/png;base64,', made)) == 1
    assert not re.findall(r'(?:src|href)="(?!data:|#)', made) and "http:" not in made
    assert "2804.4" in made and "n_hidden_1" in made and "tensorflow" in made


def test_a_damaged_account_is_an_error_in_one_sentence(no_bands):
    filled(no_bands, REAL)
    (no_bands / "section2" / "account.json").write_text("{")
    with pytest.raises(UserError, match="account.json: not the account of a run .*; run the section again"):
        html_report.write(no_bands)


def test_event_files_hold_scalars_pictures_and_the_graph(no_bands):
    from tf1_autoencoders.utils.frameworks import tf1
    made = report(no_bands, REAL, tensorboard=True)
    made.graph(section2_horses.build_graph(section2_horses.PRESETS["report"]))
    made.epoch(10, "10 Train MSE", {"mse": 3.5}, [])
    made.figure("picture", "A caption", figures.pictures([np.zeros(1024)], ["a title"]))
    made.close()
    file, = (no_bands / "section2" / "tensorboard").iterdir()
    events = list(tf1.train.summary_iterator(str(file)))
    values = [(value.tag, value.simple_value, event.step) for event in events for value in event.summary.value]
    assert ("mse", 3.5, 10) in values and any(tag == "picture" for tag, _, _ in values)
    assert any(event.graph_def for event in events)


def test_spread_adds_the_numbers_of_its_seeds_to_the_file(no_bands, monkeypatch, capsys):
    def measure(settings, data):
        return {"epoch 0 Train MSE": 2000.0 + settings.seed}
    module = SECTIONS[2].module
    monkeypatch.setitem(SECTIONS, 2, SECTIONS[2]._replace(measure=measure))
    monkeypatch.setattr(module, "load", lambda settings, **where: ({}, REAL))
    file = no_bands / "own.json"
    file.write_text('{"section 1, preset report": {"values": {}}}')
    assert spread.main(["--section", "2", "--seeds", "3", "--out", str(file)]) == 0
    assert "epoch 0 Train MSE | 2001 |" in capsys.readouterr().out
    stored = json.loads(file.read_text())
    assert stored["section 2, preset report"]["values"] == {"epoch 0 Train MSE": [2000.0, 2001.0, 2002.0]}
    assert "section 1, preset report" in stored


def test_spread_refuses_the_drawn_sample_and_an_unknown_preset(no_bands, monkeypatch, capsys):
    monkeypatch.setattr(SECTIONS[2].module, "load", lambda settings, **where: ({}, DRAWN))
    assert spread.main(["--section", "2", "--out", str(no_bands / "own.json")]) == 1
    assert "need the real data" in capsys.readouterr().err
    assert spread.main(["--section", "2", "--preset", "best", "--out", str(no_bands / "own.json")]) == 2
    assert "--preset best: expected one of report, text, source, tuned" in capsys.readouterr().err
