"""results, verdicts, page, spread: published beside measured, and what a run leaves behind."""
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
from tf1_autoencoders.sections.run import RunOptions, run_identity
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
    assert published.METRICS[2]["epoch 90 Train MSE"] == 1194.6837 and published.METRICS[4]["epoch 1 acc"] == 0.5511
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
    assert comparison.seed_bands(2, "report") == {"a": [1, 2]}
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {"values": {"a": [3]}}}))
    assert comparison.seed_bands(2, "report") == {"a": [3.0]}
    assert comparison.seed_bands(2, "text") == {}


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
    assert small_log(no_bands, REAL) == [("epoch 0 Train MSE", "2804.4", "2900.0", "2875.0 ± 35.4 (2)", "inside")]
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


def test_the_page_colours_the_verdicts(no_bands):
    for verdict, values in (("inside", [2700, 2900]), ("outside", [1000, 1001])):
        (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {
            "values": {"epoch 0 Train MSE": values}}}))
        (_, *row), = small_log(no_bands, REAL)
        assert (row[-1] == "inside") == (verdict == "inside")
        assert f'<td class="{verdict}">{row[-1]}</td>' in write_html_report(no_bands).read_text()


def test_the_page_has_the_sections_departures_and_the_note_on_its_verdicts(no_bands, monkeypatch):
    monkeypatch.setattr(section2_horses, "__doc__", "A title.\n\nSource: a book.\n\nDepartures: a <departure>.")
    monkeypatch.setattr(section2_horses, "VERDICT_NOTE", "a <note>")
    small_log(no_bands, REAL)
    page = write_html_report(no_bands).read_text()
    assert "<pre>A title.</pre>" in page and "a &lt;departure&gt;." in page and "<p>a &lt;note&gt;</p>" in page


def test_the_time_of_a_training_tells_what_passed_outside_the_session(no_bands, capsys):
    open_log(no_bands, REAL).training_time(10.0, 7.0, [0.5, 1.5])
    assert "trained in 10.0 s, 10.0% of it outside session.run; 2 checkpoints saved in 2.0 s" in capsys.readouterr().out


def test_nothing_that_a_run_wrote_is_html_on_the_page(no_bands, monkeypatch):
    monkeypatch.setattr(section2_horses, "TITLE", "<b>7")
    log = open_log(no_bands, REAL)
    log.heading("<b>1")
    log.say("<b>2")
    log.table("<b>3", ["<b>4"], [["<b>5"]])
    log.figure("image", "<b>6", figures.images([np.zeros(1024)], ["a title"]))
    log.close()
    page = write_html_report(no_bands).read_text()
    assert [f"&lt;b&gt;{k}" in page for k in range(1, 8)] == [True] * 7
    assert not re.findall(r"<b>\d", page)


def test_the_best_epoch_is_the_first_of_equals_and_early_stopping_is_told_apart(no_bands, capsys):
    for losses, patience, ended in (([3, 1, 2, 1], 2, "early stopping ended the training"),
                                    ([3, 1, 2, 1], 3, "early stopping (patience 3) had no reason to end the training"),
                                    ([3, 2, 1], 1, "early stopping (patience 1) had no reason to end the training")):
        log = open_log(no_bands, REAL)
        log.measured = {f"epoch {k + 1} val_loss": loss for k, loss in enumerate(losses)}
        log.measured["epoch 1 loss"] = 0.5  # not a val_loss
        log.best_epoch(patience)
        best = losses.index(min(losses)) + 1
        assert capsys.readouterr().out.endswith(f"best val_loss: 1.0000, epoch {best}; {ended}\n")


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


def test_spread_prints_mean_sample_deviation_lowest_median_and_highest():
    assert spread._summary_statistics([1, 2, 9]) == pytest.approx((4, np.sqrt(19), 1, 2, 9))
    assert spread._summary_statistics([3]) == (3, 0, 3, 3, 3)


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
