"""The log of a run, the comparison with the report, the results page, and the spread over seeds."""
import base64
import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from tf1_autoencoders import spread
from tf1_autoencoders.datasets import Source
from tf1_autoencoders.reporting import comparison, figures, html_report, published, run_log
from tf1_autoencoders.reporting.html_report import N_UNFOLDED, STYLE, write_html_report
from tf1_autoencoders.reporting.language import LANGUAGES
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
    monkeypatch.setattr(comparison, "MIN_SEEDS", 2)
    return tmp_path


def open_log(folder, source, tensorboard=False, **changes):
    """Open the log of section 2, with other fields of its Section if `changes` has some."""
    section, settings = dataclasses.replace(SECTIONS[2], **changes), section2_horses.PRESETS["report"]
    identity = run_identity(section, settings, RunOptions(), source, (np.zeros((2, 3), np.float32),))
    return RunLog(section, identity, source, folder, tensorboard)


def small_log(folder, source, **changes):
    """Write a small log with one entry of each kind; return the rows of the comparison."""
    log = open_log(folder, source, **changes)
    log.heading("A heading & more")
    log.epoch(0, "0 Train MSE: 2900.0", {"mse": 2900.0}, {"epoch 0 Train MSE": 2900.0})
    log.figure("image", "A caption", figures.images([np.zeros(1024)], ["a title"]))
    log.table("A table", ("layer", "published shape", "shape"), [("dense", "(7,)", "(7,)")])
    return log.close()


def test_the_layer_table_adds_up_the_published_and_the_measured_parameters(no_bands, capsys):
    log = open_log(no_bands, REAL)
    trainer = SimpleNamespace(layer=lambda name: {"dense": ((None, 7), 1100), "dense_1": ((None, 2), 15)}[name],
                              n_trainable=lambda names: {"dense": 1000, "dense_1": 15}[names[0]],
                              input_shapes=[(None, 9)])
    log.layer_table([published.Layer("input_1", (8,), 0), published.Layer("dense", (7,), 1000),
                     published.Layer("dense_1", (2,), 16)], trainer)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in capsys.readouterr().out.splitlines()
            if line.startswith("|")]
    assert ["input_1", "(None, 8)", "(None, 9)", "0", "0"] in rows
    assert rows[-3:] == [["total", "", "", "1,016", "1,115"], ["trainable", "", "", "1,016", "1,015"],
                         ["non-trainable", "", "", "0", "100"]]


def test_what_a_killed_run_left_half_written_is_removed_by_the_next(no_bands):
    open_log(no_bands, REAL)
    leftover = no_bands / "section2" / "curves.png.part"
    leftover.write_bytes(b"half")
    (no_bands / "section2" / "parts.txt").write_bytes(b"not ours")
    open_log(no_bands, REAL)
    assert not leftover.exists() and (no_bands / "section2" / "parts.txt").exists()


def test_published_numbers_are_those_of_the_report():
    assert [len(numbers) for numbers in published.METRICS.values()] == [40, 10, 20, 2]
    assert published.METRICS[1]["epoch 20 val_loss"] == 0.0193 and published.METRICS[3]["epoch 1 loss"] == 0.0291
    assert published.METRICS[2]["epoch 90 Train MSE"] == 1194.6837
    assert published.METRICS[4]["epoch 1 progress_bar_acc"] == 0.5511
    assert [[sum(layer.n_parameters for layer in layers) for layers in models.values()]
            for models in published.SUMMARIES.values()] == [[9154194], [49761], [92160, 98739, 190899]]


def test_a_number_is_inside_the_prediction_interval_of_the_seeds():
    values = [10.0, 11.0, 12.0, 13.0, 14.0]  # mean 12; t 2.776 * standard deviation 1.581 * sqrt(1 + 1 / 5) = 4.81
    assert comparison.verdict(16.7, values) == "inside" and comparison.verdict(7.3, values) == "inside"
    assert comparison.verdict(16.9, values) == "41% above the mean"
    assert comparison.verdict(6, values) == "50% below the mean"
    assert comparison.verdict(1, [1.0]) == "no band"


@pytest.mark.parametrize("degrees, quantile", [(1, 12.706), (2, 4.3027), (9, 2.2622), (29, 2.0452)])
def test_students_quantiles_are_those_of_printed_tables(degrees, quantile):
    assert comparison.students_quantile(0.975, degrees) == pytest.approx(quantile, abs=1e-3)


@pytest.mark.parametrize("n_seeds", [3, 10])
def test_the_prediction_interval_misses_one_draw_in_twenty(n_seeds):
    draws = np.random.default_rng(0).normal(5, 2, (4000, n_seeds + 1))
    missed = np.mean([comparison.verdict(first, rest) != "inside" for first, *rest in draws.tolist()])
    assert missed == pytest.approx(comparison.MISS_RATE, abs=0.012)  # 3.5 standard deviations of 4000 trials


def test_collapsed_runs_are_counted_and_left_out_of_the_bands(no_bands):
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {
        "values": {"a": [1, 90, 2], "collapsed": [0.0, 1.0, 0.0]}}}))
    bands = comparison.seed_bands(2, "report")
    assert bands[:2] == ({"a": [1, 2]}, 1)
    assert str(bands) == f"judged by 2 seeds in {no_bands / 'own.json'} (1 more collapsed)"


def test_too_few_seeds_of_ones_own_do_not_judge(tmp_path, monkeypatch):
    def write(name, values, collapsed=()):
        (tmp_path / name).write_text(json.dumps({"section 2, preset report": {
            "values": {"a": values, **({"collapsed": list(collapsed)} if collapsed else {})}}}))
        monkeypatch.setattr(comparison, name.partition(".")[0].upper() + "_BANDS", tmp_path / name)
    write("shipped.json", [1, 2, 3, 4, 5])
    write("own.json", [6, 7, 8, 9, 10, 11])
    assert comparison.seed_bands(2, "report").values["a"][0] == 6
    write("own.json", [6, 7])
    assert comparison.seed_bands(2, "report").values["a"][0] == 1
    write("own.json", [6, 7, 8, 9, 10], [0, 0, 0, 0, 1])
    assert comparison.seed_bands(2, "report").values["a"][0] == 1
    write("shipped.json", [1])
    assert comparison.seed_bands(2, "report") == ({}, 0, "")


def test_the_keras_twin_has_bands_of_its_own(no_bands):
    (no_bands / "own.json").write_text(json.dumps({
        "section 2, preset report": {"values": {"a": [1, 2]}},
        "section 2, preset report, backend keras": {"values": {"a": [5, 6]}}}))
    assert comparison.seed_bands(2, "report", "keras").values == {"a": [5, 6]}


def test_a_run_with_changed_settings_is_not_judged():
    bands = comparison.SeedBands({"a": [1.0, 1.1, 0.9]}, 0)
    row, = comparison.compare_with_published({"a": 1.0}, bands, {"a": 11331992576.0}, ["learning_rate"])
    assert row[-2:] == ("inside", "not judged: learning_rate changed")
    row, = comparison.compare_with_published({"a": 1.0}, bands, {"a": 11331992576.0})
    assert row[-2] == "inside" and row[-1].endswith("above the mean")


def test_a_different_seed_does_not_count_as_a_changed_setting():
    preset = section2_horses.PRESETS["report"]
    assert changed_settings(SECTIONS[2], dataclasses.replace(preset, seed=7), RunOptions()) == []
    assert changed_settings(SECTIONS[2], dataclasses.replace(preset, learning_rate=0.5, n_epochs=11),
                            RunOptions(precision="bfloat16")) == ["learning_rate", "n_epochs", "precision"]


def test_the_tally_counts_the_numbers_expected_outside_by_chance():
    bands = comparison.SeedBands({"a": [1.0, 1.1, 0.9, 1.0, 50.0], "b": [1.0, 2.0, 3.0]}, 0)
    tally = comparison.tally({"a": 1.0, "b": 99.0, "c": 3.0}, bands)
    assert tally.n_inside == 1 and tally.n_numbers == 2
    assert tally.expected_outside == pytest.approx(0.2)  # of the five values of a, the last lies outside the others


def test_the_runs_distance_from_the_published_numbers_stands_beside_that_of_the_seeds(no_bands, capsys):
    first, second = list(SECTIONS[2].published)[:2]
    values = {name: [ratio * SECTIONS[2].published[name] for ratio in (2, 4, 8)] for name in (first, second)}
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {"values": values}}))
    log = open_log(no_bands / "results", REAL)
    log.epoch(0, "", {}, {first: 2 * SECTIONS[2].published[first]})  # without the second: compared by the first
    log.distance_to_published()
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "distance from the published numbers (root mean square of log ratio): 0.693",
        "the same distance over 3 seeds: median 1.386, 0.693 to 2.079"]


def test_own_bands_take_precedence_over_the_shipped_ones(no_bands):
    (no_bands / "shipped.json").write_text(json.dumps({"section 2, preset report": {"values": {"a": [1, 2]}}}))
    assert comparison.seed_bands(2, "report").values == {"a": [1, 2]}
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {"values": {"a": [3, 4]}}}))
    assert comparison.seed_bands(2, "report").values == {"a": [3.0, 4.0]}
    assert comparison.seed_bands(2, "text") == ({}, 0, "")


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
        kind = stored["identity"]["data"]["kind"] if "identity" in stored else stored["data"]  # older entries
        assert kind != "drawn sample" and stored["seeds"] >= 3, section
        assert set(published.METRICS[number]) <= set(stored["values"])


def test_results_from_real_data_stand_beside_the_published_numbers(no_bands, capsys):
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {
        "values": {"epoch 0 Train MSE": [2850, 2900]}}}))
    assert small_log(no_bands, REAL) == [
        ("epoch 0 Train MSE", "2804.4", "2900.0", "", "2875.0 ± 35.4 (2)", "inside", "inside")]
    output = capsys.readouterr().out
    assert "0 Train MSE: 2900.0     published: 2804.4246\n" in output and "published shape" in output
    assert "drawn sample" not in output


def test_results_from_the_drawn_sample_are_labelled_everywhere_and_stand_beside_no_published_number(no_bands, capsys):
    assert small_log(no_bands, DRAWN) == []
    output = capsys.readouterr().out
    assert "published" not in output and "2804" not in output
    assert "0 Train MSE: 2900.0 (drawn sample)" in output and "A table (drawn sample)" in output
    assert '"data": "drawn sample"' in (no_bands / "section2" / "metrics.jsonl").read_text()
    page = write_html_report(no_bands).read_text()
    assert "made from the drawn sample" in page and "A caption (drawn sample)" in page and "2804" not in page


def test_every_figure_of_the_drawn_sample_is_marked(tmp_path):
    figure = figures.images([np.zeros(1024)], ["a title"])
    figures.save(figure, tmp_path, "drawn", DRAWN.mark)
    assert "drawn sample" in [text.get_text() for text in figure.texts]
    figure = figures.images([np.zeros(1024)], ["a title"])
    figures.save(figure, tmp_path, "real", REAL.mark)
    assert not figure.texts


def test_the_columns_of_a_trace_stand_below_each_other(no_bands, capsys):
    log = open_log(no_bands, REAL)
    capsys.readouterr()
    for epoch, mse in [(0, 2847.3105), (90, 999.5), (100, 1380.3417)]:  # nothing is published for epoch 100
        named = {f"epoch {epoch} Train MSE": mse, f"epoch {epoch} l2": 0.1}  # and no epoch's L2 is published
        log.epoch(epoch, f"{epoch} Train MSE: {mse:.4f}", {"mse": mse}, named, "L2: 0.1")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "0 Train MSE: 2847.3105     published: 2804.4246   L2: 0.1"
    assert lines[2] == "100 Train MSE: 1380.3417   published:         -   L2: 0.1"
    assert len({line.index("published") for line in lines}) == 1
    assert len({line.index("L2") for line in lines}) == 1


def contrast_ratio(first, second):
    """The ratio of two colours #rrggbb by WCAG 2.2, between 1 and 21."""
    def luminance(color):
        channels = [int(color[k:k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return np.dot(linear, [0.2126, 0.7152, 0.0722])
    dark, light = sorted([luminance(first), luminance(second)])
    return (light + 0.05) / (dark + 0.05)


def test_every_text_on_the_page_has_the_contrast_of_wcag_aa_in_light_and_dark():
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    light, dark = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
                   for block in re.findall(r":root {([^}]*--ground[^}]*)}", STYLE)]
    texts = re.findall(r"[{; ]color: ([^;]+);", STYLE)
    grounds = set(re.findall(r"background: ([^;]+);", STYLE))
    assert len(texts) >= 6 and grounds == {"var(--ground)", "var(--panel)"} and "opacity" not in STYLE
    for scheme in (light, {**light, **dark}):
        for text in texts:
            for ground in grounds:
                assert contrast_ratio(scheme[text[6:-1]], scheme[ground[6:-1]]) >= 4.5, (text, ground)


def test_no_absolute_path_stands_on_the_page(no_bands):
    log = open_log(no_bands, Source("CIFAR-10", "official", str(no_bands / "a folder" / "cifar")))
    log.say(f"Model saved in path: {no_bands / 'section2' / 'model.ckpt'}", "3125/3125 - loss: 0.6", "data/cifar/x",
            r"C:\Users\somebody\model.ckpt", "https://example.org/page")
    log.close()
    page = write_html_report(no_bands).read_text()
    assert str(no_bands) not in page and "somebody" not in page and not re.search(r"""[\s("'>]/\w""", page)
    for line in ("Model saved in path: .../model.ckpt", "3125/3125 - loss", "\ndata/cifar/x", "https://example.org/page"):
        assert line in page


def test_the_first_section_is_printed_on_the_first_page_and_each_other_on_a_new_one():
    printed = STYLE[STYLE.index("@media print"):]
    assert re.findall(r"([^{}]+) { break-before: page; }", printed) == ["\n  section ~ section"]
    assert "break-before" not in STYLE[:STYLE.index("@media print")]


def test_the_page_is_one_file_with_its_figures_inside(no_bands):
    small_log(no_bands, REAL)
    page = write_html_report(no_bands).read_text()
    assert "A heading &amp; more" in page and "<h2>Section 2: Stacked autoencoder" in page
    assert len(re.findall(r'src="data:image/png;base64,', page)) == 1
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page) and "http:" not in page
    assert "2804.4" in page and "n_hidden_1" in page and "tensorflow" in page


def card(page):
    """Return the text of the page's only card."""
    html_of_card, = re.findall(r'<ul class="cards">(.*?)</ul>', page, re.S)
    return re.sub("<[^>]+>", "|", html_of_card)


def test_a_card_has_the_last_number_of_each_metric_the_sections_own_and_the_verdicts(no_bands):
    (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {"values": {
        "epoch 0 Train MSE": [2700, 2900], "epoch 10 Train MSE": [1000, 1001], "epoch 20 Train MSE": [1400]}}}))
    log = open_log(no_bands, REAL)
    for epoch, mse in [(0, 2900.0), (10, 1000.5), (20, 1234.5)]:
        log.epoch(epoch, "", {}, {f"epoch {epoch} Train MSE": mse})
    log.key_figure("another <number>", "7.5 dB")
    log.close()
    text = card(write_html_report(no_bands).read_text())
    assert "Section 2: Stacked autoencoder on CIFAR-10 horses" in text and "another &lt;number&gt;||||7.5 dB" in text
    assert "|epoch 20 Train MSE||1367.6||1234.5|" in text and "epoch 10" not in text
    assert "1 of 2 published numbers lie inside the spread of the seeds" in text
    assert "2 of 2 numbers of this run lie inside the spread of the seeds" in text


def test_the_card_of_the_drawn_sample_says_so_and_has_no_published_number(no_bands):
    small_log(no_bands, DRAWN)
    text = card(write_html_report(no_bands).read_text())
    assert "Made from the drawn sample" in text and "|epoch 0 Train MSE||2900.0|" in text
    assert "published" not in text and "2804" not in text


def test_verdicts_are_counted_apart_for_the_published_numbers_and_the_run():
    row = ("epoch 0", "1", "1", "", "1 ± 1 (2)")
    rows = [(*row, "inside", "inside"), (*row, "9% above the mean", "inside"), (*row, "no band", "no band")]
    assert comparison.count_verdicts(rows) == ["1 of 2 published numbers lie inside the spread of the seeds",
                                               "2 of 2 numbers of this run lie inside the spread of the seeds"]
    assert comparison.count_verdicts([(*row, "inside", "not judged: n_epochs changed")]) == [
        "1 of 1 published numbers lie inside the spread of the seeds", "This run is not judged: n_epochs changed"]
    assert comparison.count_verdicts([(*row, "no band", "no band")]) == ["The spread over seeds was not measured"]


def test_the_report_is_not_judged_by_the_seeds_of_another_preset_but_the_run_is():
    bands = comparison.SeedBands({"a": [300.0, 310.0, 290.0], "b": [5.0, 5.1, 4.9]}, 0)
    rows = comparison.compare_with_published({"a": 1194.7, "b": 1.0}, bands, {"a": 302.0, "b": 99.0}, preset="tuned")
    assert [row[-2:] for row in rows] == [("not judged: the run's preset is tuned", "inside"),
                                          ("not judged: the run's preset is tuned", "1880% above the mean")]
    assert comparison.count_verdicts(rows) == ["1 of 2 numbers of this run lie inside the spread of the seeds",
                                               "The published numbers are not judged: the run's preset is tuned"]


def test_a_log_compares_by_the_preset_of_its_run(no_bands, monkeypatch):
    presets = []
    monkeypatch.setattr(run_log, "compare_with_published", lambda *arguments: presets.append(arguments[4]) or [])
    open_log(no_bands, REAL).close()
    assert presets == ["report"]


def test_a_figure_has_a_twin_on_a_dark_ground_whose_images_are_the_same(tmp_path):
    pixels = np.tile(np.linspace(0, 255, 32), 32)
    figure = figures.images([pixels], ["a title"])
    light = np.asarray(Image.open(figures.save(figure, tmp_path, "light", " (drawn sample)")))
    figures.darken(figure)
    dark = np.asarray(Image.open(figures.save(figure, tmp_path, "dark")))
    assert light.shape == dark.shape and light[0, 0, :3].tolist() == [255] * 3
    assert "#%02x%02x%02x" % tuple(dark[0, 0, :3]) == figures.DARK_GROUND
    middle = light.shape[0] // 2
    same = np.all(light[middle] == dark[middle], axis=1)
    assert same.mean() > 0.8  # the image, from edge to edge
    assert figures.texts(figure) == ["a title", "drawn sample"]


def test_the_page_shows_the_dark_figure_where_the_page_is_dark(no_bands):
    small_log(no_bands, REAL)
    page = write_html_report(no_bands).read_text()
    light, dark = ((no_bands / "section2" / name).read_bytes() for name in ("image.png", "image_dark.png"))
    shown, = re.findall('<picture>(.*?)</picture>', page)
    assert shown.startswith('<source media="screen and (prefers-color-scheme: dark)" srcset="data:image/png;base64,'
                            + base64.b64encode(dark).decode())
    assert f'src="data:image/png;base64,{base64.b64encode(light).decode()}"' in shown and light != dark
    (no_bands / "section2" / "image_dark.png").write_bytes(light)
    assert "image_dark.png is not the figure that this run drew" in write_html_report(no_bands).read_text()


def test_the_first_paragraph_says_what_the_page_shows_and_verdicts_are_explained_below(no_bands):
    small_log(no_bands, REAL)
    page = write_html_report(no_bands).read_text()
    places = [page.index(text) for text in ("This page shows neural networks", 'class="cards"',
                                            '<section id="section2"', '<section id="reading"')]
    assert places == sorted(places)
    for jargon in ("progress_bar", "prediction interval", "leave-one-out"):
        assert jargon not in page[:page.index("<section")]


def test_the_comparison_has_no_column_that_is_empty_for_every_number(no_bands):
    small_log(no_bands, REAL)
    assert "true mean" not in write_html_report(no_bands).read_text()
    transcript = no_bands / "section2" / "transcript.json"
    content = json.loads(transcript.read_text())
    content["compared"][0][comparison.HEADER.index("true mean")] = "7.5"
    transcript.write_text(json.dumps(content))
    page = write_html_report(no_bands).read_text()
    assert "true mean" in page and "<td>7.5</td>" in page


PERSIAN = LANGUAGES["fa"]


@pytest.mark.parametrize("number", SECTIONS)
def test_the_persian_page_has_each_sections_texts(number):
    section = SECTIONS[number]
    about, _, departures = section.about.partition("Departures:")
    sentences = [text for text in about.partition("Source:")[0].split("\n\n") if text.strip()
                 and not text.startswith("    ")]
    for text in (section.title, section.verdict_note, departures, *sentences):
        assert PERSIAN.translate(" ".join(text.split())) != " ".join(text.split())


def test_the_persian_page_has_the_pages_own_texts_and_digits_of_one_kind():
    for text in (html_report.TITLE, html_report.INTRODUCTION, html_report.READING_TITLE, *html_report.READING,
                 html_report.WORDS, *comparison.HEADER, "inside", "5% above the mean", "no band",
                 "not judged: n_epochs changed", "layer", "connected to", "non-trainable", "epoch 3 val_loss",
                 "val_loss, this run", "70% of the way", "Trouser to Bag"):
        assert PERSIAN.translate(text) != text
    texts = (Path(html_report.__file__).parent / PERSIAN.file).read_text(encoding="utf-8")
    assert not re.search("[\u06f0-\u06f9\u0660-\u0669]", texts)


def test_the_persian_page_explains_the_words_of_a_figure(no_bands):
    log = open_log(no_bands, REAL)
    log.figure("image", "A caption", figures.images([np.zeros(1024)], ["horse 53"]))
    log.close()
    assert "<dt>horse 53</dt>" not in write_html_report(no_bands).read_text()
    assert "<dt>horse 53</dt><dd>\u0627\u0633\u0628 53</dd>" in write_html_report(no_bands, PERSIAN).read_text()


def test_the_contents_lead_to_every_section_and_heading(no_bands):
    small_log(no_bands, REAL)
    page = write_html_report(no_bands).read_text()
    contents, = re.findall("<nav.*?</nav>", page, re.S)
    targets = re.findall('href="#([^"]+)"', contents)
    assert targets == re.findall('<(?:section|h3) id="([^"]+)"', page) and len(targets) == len(set(targets)) == 4
    assert "A heading &amp; more" in contents and "Published beside measured" in contents


def test_long_texts_and_tables_are_folded_and_short_ones_are_not(no_bands):
    for n, folded in ((N_UNFOLDED, 0), (N_UNFOLDED + 1, 2)):
        log = open_log(no_bands, REAL)
        log.say(*(f"line {k}" for k in range(n)))
        log.table("A table", ("k",), [(k,) for k in range(n)])
        log.close()
        page = write_html_report(no_bands).read_text()
        text = page[page.index("<section"):]
        assert text.count("<details>") == folded + 1  # the settings are always folded
        assert (f"<summary>{n} lines, the last: line {n - 1}</summary>" in text) == bool(folded)


def test_a_slider_has_every_frame_with_its_label_and_is_refused_without_frames(no_bands):
    log = open_log(no_bands, DRAWN)
    log.slider("frames", "A caption", {f"<{k}>": figures.images([np.full(1024, k)], ["a title"]) for k in range(3)})
    log.close()
    page = write_html_report(no_bands).read_text()
    assert re.findall('<img alt="([^"]*)" data-label="([^"]*)" style="--width: [0-9]+px" src="data:', page) == [
        (f"A caption (drawn sample): &lt;{k}&gt;", f"&lt;{k}&gt;") for k in range(3)]
    (no_bands / "section2" / "frames_2.png").write_bytes(b"another")
    page = write_html_report(no_bands).read_text()
    assert "data:image" not in page and "frames_2.png is not the figure that this run drew" in page
    transcript = no_bands / "section2" / "transcript.json"
    content = json.loads(transcript.read_text())
    content["transcript"][0]["frames"] = []
    transcript.write_text(json.dumps(content))
    with pytest.raises(UserError, match="it has a slider without frames"):
        write_html_report(no_bands)


def test_images_on_the_map_of_codes_overlap_no_earlier_one():
    corners = np.random.default_rng(0).integers(0, 100, (300, 2))
    chosen = figures.non_overlapping(corners, 11)
    assert chosen[0] == 0 and len(chosen) > 20
    distances = np.abs(corners[:, None] - corners[chosen]).max(axis=-1)  # of two squares, in the farther direction
    for k in range(300):
        earlier = [distances[k, n] for n, other in enumerate(chosen) if other < k]
        assert (k in chosen) == all(distance >= 11 for distance in earlier)


def test_an_image_on_the_map_of_codes_stands_at_its_point_the_right_way_up():
    image = np.zeros((28, 28))
    image[:14] = 1  # bright above
    points = np.array([[0, 0], [10, 10], [10, 10.01]])
    axes = figures.scatter(points, np.array([0, 1, 1]), ["a", "b"], "", np.stack([image.ravel()] * 3)).axes[0]
    canvas, left, right, bottom, top = axes.images[0].get_array(), *axes.images[0].get_extent()
    assert canvas[..., 3].sum() == 2 * 28 * 28  # the third image would cover the second
    row, column = (int((10 - low) / (high - low) * n) for low, high, n in (
        (bottom, top, canvas.shape[0]), (left, right, canvas.shape[1])))
    np.testing.assert_allclose(canvas[row - 5, column, :3], 1)  # row 0 is at the bottom; white below
    np.testing.assert_allclose(canvas[row + 5, column, :3], to_rgb("C1"), atol=1e-6)


def test_the_page_colours_the_verdicts(no_bands):
    for verdict, values in (("inside", [2700, 2900]), ("outside", [1000, 1001])):
        (no_bands / "own.json").write_text(json.dumps({"section 2, preset report": {
            "values": {"epoch 0 Train MSE": values}}}))
        (_, *row), = small_log(no_bands, REAL)
        assert (row[-1] == "inside") == (verdict == "inside")
        assert f'<td class="{verdict}">{row[-1]}</td>' in write_html_report(no_bands).read_text()


def test_the_page_has_the_sections_departures_and_the_note_on_its_verdicts(no_bands):
    small_log(no_bands, REAL, about="A title.\n\n    3 -> 2\n\nSource: a book.\n\nDepartures: a <departure>.",
              verdict_note="a <note>")
    page = write_html_report(no_bands).read_text()
    assert '<p dir="auto">A title.</p><pre>3 -&gt; 2</pre>' in page and "a &lt;departure&gt;." in page
    assert '<p dir="auto">a &lt;note&gt; <a href="#reading">' in page


def test_the_time_of_a_training_tells_what_passed_outside_the_session(no_bands, capsys):
    open_log(no_bands, REAL).training_time(10.0, 7.0, [0.5, 1.5])
    assert "trained in 10.0 s, 10.0% of it outside session.run; 2 checkpoints saved in 2.0 s" in capsys.readouterr().out


def test_nothing_that_a_run_wrote_is_html_on_the_page(no_bands):
    log = open_log(no_bands, REAL, title="<b>7")
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


@pytest.fixture
def spread_command(no_bands, monkeypatch):
    """Return a function that runs `spread` on section 2 into own.json, with a training that returns only its seed."""
    trained = []

    def measure(section, settings, data, backend):
        if settings.seed in command.interrupted:
            raise KeyboardInterrupt
        trained.append(settings.seed)
        return {"epoch 0 Train MSE": 2000.0 + settings.seed + (backend == "keras"),
                **({"epoch 10 Train MSE": 1.0} if settings.seed else {})}

    def command(*arguments):
        return spread.main(["--section", "2", "--out", str(no_bands / "own.json"), *arguments])
    command.trained, command.file, command.interrupted = trained, no_bands / "own.json", ()
    monkeypatch.setattr(spread, "measure", measure)
    monkeypatch.setitem(SECTIONS, 2, dataclasses.replace(SECTIONS[2], load=lambda settings, **data_options: (
        {"train": (np.ones((200, 4), np.float32), np.full(200, section2_horses.HORSE))}, REAL)))
    return command


def _values(file, key="section 2, preset report"):
    return json.loads(file.read_text())[key]["values"]


def test_spread_adds_the_numbers_of_its_seeds_to_the_file(spread_command, capsys):
    spread_command.file.write_text('{"section 1, preset report": {"values": {}}}')
    assert spread_command("--seeds", "3") == 0
    assert "epoch 0 Train MSE | 2001 |" in capsys.readouterr().out
    assert _values(spread_command.file) == {"epoch 0 Train MSE": [2000.0, 2001.0, 2002.0],
                                            "epoch 10 Train MSE": [1.0, 1.0]}
    assert "section 1, preset report" in json.loads(spread_command.file.read_text())


def test_spread_computes_only_the_seeds_that_are_missing(spread_command):
    assert spread_command("--seeds", "2") == spread_command("--seeds", "4") == spread_command("--seeds", "3") == 0
    assert spread_command.trained == [0, 1, 2, 3]
    assert _values(spread_command.file)["epoch 0 Train MSE"] == [2000.0, 2001.0, 2002.0, 2003.0]


def test_an_interrupted_spread_keeps_the_finished_seeds_and_says_how_to_continue(spread_command, capsys):
    spread_command.interrupted = (2,)
    assert spread_command("--seeds", "4") == 130
    assert re.search("2 of 4 seeds are in .*own.json, and the same command continues", capsys.readouterr().err)
    spread_command.interrupted = ()
    assert spread_command("--seeds", "4") == 0 and spread_command.trained == [0, 1, 2, 3]


def test_spread_never_mixes_seeds_of_different_settings(spread_command, monkeypatch, capsys):
    assert spread_command("--seeds", "2") == 0
    before = spread_command.file.read_bytes()
    report = dataclasses.replace(section2_horses.PRESETS["report"], n_epochs=3)
    monkeypatch.setitem(section2_horses.PRESETS, "report", report)
    assert spread_command("--seeds", "3") == 1
    assert "n_epochs was 100 in the saved run and is 3 now); give --restart to replace them" in capsys.readouterr().err
    assert spread_command.file.read_bytes() == before
    assert spread_command("--seeds", "1", "--restart") == 0
    assert _values(spread_command.file) == {"epoch 0 Train MSE": [2000.0]}


def test_spread_does_not_add_to_seeds_without_an_identity(spread_command, capsys):
    spread_command.file.write_text('{"section 2, preset report": {"seeds": 1, "values": {"epoch 0 Train MSE": [1]}}}')
    assert spread_command("--seeds", "3") == 1
    assert "have no identity that says how they were computed; give --restart" in capsys.readouterr().err


def test_spread_notices_another_process_that_adds_the_same_seeds(spread_command, monkeypatch, capsys):
    measure = spread.measure

    def measure_while_another_adds(*arguments):
        monkeypatch.setattr(spread, "measure", measure)
        assert spread_command("--seeds", "1") == 0
        return measure(*arguments)
    monkeypatch.setattr(spread, "measure", measure_while_another_adds)
    assert spread_command("--seeds", "1") == 1
    assert "another process adds seeds of section 2, preset report" in capsys.readouterr().err
    assert len(_values(spread_command.file)["epoch 0 Train MSE"]) == 1


def test_the_bands_of_the_keras_twin_have_a_key_of_their_own(spread_command):
    assert spread_command("--seeds", "1") == spread_command("--seeds", "1", "--backend", "keras") == 0
    assert _values(spread_command.file)["epoch 0 Train MSE"] == [2000.0]
    assert _values(spread_command.file, "section 2, preset report, backend keras")["epoch 0 Train MSE"] == [2001.0]


def test_spread_refuses_the_drawn_sample_and_an_unknown_preset(no_bands, monkeypatch, capsys):
    monkeypatch.setitem(SECTIONS, 2, dataclasses.replace(SECTIONS[2], load=lambda *_, **__: ({}, DRAWN)))
    assert spread.main(["--section", "2", "--out", str(no_bands / "own.json")]) == 1
    assert "need the real data" in capsys.readouterr().err
    assert spread.main(["--section", "2", "--preset", "best", "--out", str(no_bands / "own.json")]) == 2
    assert "--preset best: expected one of report, text, source, tuned" in capsys.readouterr().err
