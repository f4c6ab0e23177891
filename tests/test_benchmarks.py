"""The benchmark's arithmetic and table, and the agreement of its implementations."""
from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from benchmarks import (
    code_width,
    detective_story,
    endurance,
    first_run,
    growth,
    measuring,
    profile,
    report,
    report_listings,
    run,
    scaling,
    startup,
    tasks,
)
from tf1_autoencoders.keras_twin.weights import weight_names
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils.errors import UserError

SMALL = {1: dict(n_input=53, n_hidden_1=31, n_hidden_2=23, n_hidden_3=17, n_latent=5, batch_size=7),
         2: dict(n_input=121, n_hidden_1=37, n_hidden_2=17, n_hidden_3=31, batch_size=13),
         3: dict(side=20, n_filters_1=7, n_filters_2=5, n_filters_3=3, batch_size=5),
         4: dict(n_in=5, n_out=3, cardinality=13, n_units=11, batch_size=7)}
# Counted by hand: a multiplication and an addition each, three matrix products per layer, two in the first layer
FLOPS = {1: 2 * (3 * 2 * (784 * 2000 + 2000 * 1200 + 1200 * 500 + 500 * 10) - 784 * 2000),
         2: 2 * (3 * 2 * (1024 * 200 + 200 * 150) - 1024 * 200),
         3: 2 * (3 * 9 * (28 * 28 * 64 + 14 * 14 * 64 * 32 + 7 * 7 * 32 * 16 + 4 * 4 * 16 * 16 + 8 * 8 * 16 * 32
                          + 14 * 14 * 32 * 64 + 28 * 28 * 64) - 9 * 28 * 28 * 64),
         4: 2 * (2 * 9 * (51 + 128) * 512 + 8 * 128 * 512 + 3 * 3 * 128 * 51)}


def settings(number, **sizes):
    return {**dataclasses.asdict(SECTIONS[number].presets["report"]), **sizes}


def small_task(number, n_steps=3):
    return tasks.make_task(number, settings(number, **SMALL[number]), n_laps=1, n_steps=n_steps)


def measurement(*seconds, **more):
    return {"seconds": seconds, "start_up": 2.5, "peak_bytes": 3e8, "sha256": "same", "loss": 0.25, "flops": None,
            "others_share": 0.01, "about": {"TensorFlow": "2.21.0", "threads": 2}, **more}


@pytest.fixture
def result():
    """Two rounds of section 2. An epoch takes the graph 1 s and 2 s, Keras 3 s and 4 s, the products 0.5 s and 1 s."""
    measurements = {"graph": [measurement(1, 1, 9), measurement(2, 2, 2)],
                    "keras": [measurement(3, 3, 1), measurement(4, 4, 4)],
                    "products": [measurement(0.5, loss=None, flops=5e10), measurement(1, loss=None, flops=5e10)]}
    return {"machine": {"CPU": "a CPU", "cores": "2", "memory": "8 GB", "system": "a system", "date": "2020-01-01"},
            "sections": {"2": {
                "title": "Horses", "batch_size": 10, "rows_per_epoch": 1000, "flops_per_row": 2.5e7, "sha256": "same",
                "measurements": measurements, "failed": {"tf115": "TensorFlow 1.15.5: no such file"}}}}


@pytest.mark.parametrize("number", SECTIONS)
def test_operations_per_row_are_those_counted_by_hand(number):
    assert tasks.flops_per_row(number, settings(number)) == FLOPS[number]


@pytest.mark.slow
@pytest.mark.parametrize("number", SECTIONS)
def test_every_implementation_has_the_epsilon_of_tensorflow_1s_adam(number):
    task = tasks.make_task(number, settings(number), n_laps=1, n_steps=1)
    assert task.settings.get("adam_epsilon", tasks.ADAM_EPSILON) == tasks.ADAM_EPSILON == 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("number", SECTIONS)
def test_weights_have_the_graphs_names_and_shapes(number):
    module, sizes = SECTIONS[number], settings(number)
    model, weights = module.build_graph(module.settings_class(**sizes)), small_task(number).weights
    kernels = {name.rpartition("/")[0]: tuple(variable.shape.as_list())
               for name, variable in zip(weight_names(model), model.weights) if name.endswith("/kernel")}
    assert tasks.kernel_shapes(number, sizes) == kernels
    assert set(weights) == set(weight_names(model))


@pytest.mark.slow
@pytest.mark.parametrize("number", SECTIONS)
def test_a_task_is_unchanged_after_saving_and_loading(number, tmp_path):
    task = small_task(number)
    tasks.save_task(task, tmp_path / "task.npz")
    loaded = tasks.load_task(tmp_path / "task.npz")
    assert loaded.sha256() == task.sha256() == small_task(number).sha256()
    assert loaded._replace(arrays=(), order=None, weights={}) == task._replace(arrays=(), order=None, weights={})
    assert len(loaded.arrays[0]) == 3 * task.batch_size + tasks.SPARE_ROWS[number]


@pytest.mark.slow
def test_rows_continue_across_epochs_in_section_2_and_start_again_in_the_others():
    take, n_rows = small_task(2).make_next_rows(), 3 * 13 + 50
    assert [*take(2), *take(n_rows - 1)] == [*range(n_rows), 0]
    task = small_task(1)
    take = task.make_next_rows()
    assert np.array_equal(take(5), take(5)) and sorted(take(21)) == [*range(21)]


@pytest.mark.slow
@pytest.mark.parametrize("number", SECTIONS)
def test_graph_and_keras_reach_the_same_loss(number):
    from benchmarks import graph, keras_fit
    task, losses = small_task(number), []
    for module in graph, keras_fit:
        implementation, laps = module.Implementation(task), []
        implementation.fit(task.batch_size, 1, lambda: None)
        implementation.fit(task.rows_per_epoch, 1, lambda laps=laps: laps.append(1))
        losses.append(task.loss(implementation.predict(task.batch_size)))
        assert laps == [1]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_seconds_are_medians_and_ratios_go_round_by_round(result):
    measurements = result["sections"]["2"]["measurements"]
    assert report.seconds(measurements["graph"]) == [1, 2]
    assert report.ratios(measurements["keras"], measurements["graph"]) == [3, 2]
    assert report.spread([3, 2]) == "2.50 (2.00 to 3.00)"


def test_the_table(result):
    header, _, graph, keras = ([cell.strip() for cell in line.strip("|").split("|")]
                               for line in report.table(result["sections"]["2"]))
    assert dict(zip(header, keras)) == {
        "row": "our Keras twin, fit", "seconds per epoch": "3.5", "rows per second": "286",
        "ratio to the graph (lowest to highest)": "2.50 (2.00 to 3.00)", "GFLOP/s": "7.3",
        "fraction of the products' rate": "10%",
        "peak memory, MB": "300", "start-up, s": "2.5", "loss": "0.25"}
    assert graph[5] == "25%"
    text = report.text(result)
    assert "Its matrix products alone: 75.0 (50.0 to 100.0) GFLOP/s." in text
    assert "Left out: TensorFlow 1.15.5: no such file" in text and "Other processes used 1.0%" in text


def test_a_different_loss_or_different_data_is_reported(result):
    assert report.disagreements(result) == []
    keras, = result["sections"]["2"]["measurements"]["keras"][1:]
    keras["loss"] = 0.5
    assert report.disagreements(result) == [
        "section 2: our Keras twin, fit reached a loss of 0.5, expected about 0.25"]
    keras["sha256"] = "other"
    assert report.disagreements(result) == ["section 2: our Keras twin, fit was given other data"]


def test_growth_compares_the_time_per_row(result):
    measurements = {1: [measurement(1), measurement(2)], 8: [measurement(8), measurement(24, peak_bytes=5e8)]}
    _, last = growth.lines({1: (1000, 10), 8: (8000, 80)}, measurements)
    assert last == ("8,000", "80", "16", "2e+03", "1.25 (1.00 to 1.50)", "400", "1.43")


def scaling_result():
    """Section 1 with a million weights: 80 ms alone; two workers need 60 ms, of which 10 ms are the reduction."""
    together = {"seconds": 0.06, "bytes": 4.1e6, "reductions": [0.001, 0.009]}
    differences = {"weights": 4e-7, "root mean square": 3e-7, "losses": 2e-7, "bit-identical": True}
    return {"machine": {}, "sections": {"1": {
        "n_weights": 10 ** 6, "n_cores": 2, "whole": {"seconds": [0.08, 0.09, 0.08]}, "workers": {
            "2": {"together": [together] * 3, "alone": [0.08, 0.05, 0.08], "share": [0.05] * 3},
            "3": {"together": [{**together, "seconds": 0.1}], "alone": [0.08], "share": [0.04]}},
        "compared": {"report": {"2": differences, "3": {**differences, "bit-identical": False},
                                "other kernels": differences}}}}}


def test_scaling_tells_the_reduction_from_the_share():
    whole, two, three = ([str(cell) for cell in line] for line in scaling.measured_table(scaling_result()))
    assert whole[:3] == ["1", "1", "80.00"]
    # two reductions of 1 ms, and 4 MB at 4 MB in 8 ms
    assert two == ["1", "2", "60.00", "80.00", "0.75 (0.75 to 1.20)", "50.00", "17%", "60.00", "4.10", "4.00"]
    # three workers on two cores: two of them share a core; 2 x 4 hops of 0.5 ms, and 5.33 MB
    assert three[5:8] == ["40.00", "20%", f"{80 + 4 + 16 / 1.5:.2f}"]


def test_scaling_compares_the_first_steps_with_one_process():
    assert scaling.compared_table(scaling_result()) == [
        ("1", "2 workers", "2.0e-07", "4.0e-07", "3.0e-07", "yes"),
        ("1", "3 workers", "2.0e-07", "4.0e-07", "3.0e-07", "NO"),
        ("1", "one process, other kernels", "2.0e-07", "4.0e-07", "3.0e-07", "-")]
    one = {"weights/w": np.float32([1, 2]), "losses": np.array([1.0, 2.0])}
    other = {"weights/w": np.float32([1, 2.5]), "losses": np.array([1.0, 1.0])}
    assert scaling.differences([one, other], one) == {
        "weights": 0.25, "root mean square": pytest.approx(0.5 / 5 ** 0.5), "losses": 0.5, "bit-identical": False}


def test_table_and_plot_are_made_again_without_measuring(result, tmp_path, capsys):
    (tmp_path / "benchmark.json").write_text(json.dumps(result))
    assert run.main(["--table", str(tmp_path / "benchmark.json")]) == 0
    assert (tmp_path / "benchmark.md").read_text() == report.text(result)
    assert (tmp_path / "benchmark.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "benchmark.json").write_text("[]")
    assert run.main(["--table", str(tmp_path / "benchmark.json")]) == 1
    assert "not a benchmark.json" in capsys.readouterr().err


@pytest.mark.slow
def test_a_round_of_the_graph(tmp_path, capsys):
    assert run.main(["--section", "2", "--rows", "graph", "--rounds", "1", "--laps", "1", "--steps", "1", "--patience",
                     "0", "--out", str(tmp_path)]) == 0
    section = json.loads((tmp_path / "benchmark.json").read_text())["sections"]["2"]
    graph, = section["measurements"]["graph"]
    assert graph["sha256"] == section["sha256"] and graph["seconds"][0] > 0 and graph["start_up"] > 0
    assert "our graph" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("number, operation", [(2, "ResourceApplyAdam"), (4, "LSTMBlockCell")])
def test_the_profile_names_the_operations_of_a_step(number, operation, tmp_path, capsys):
    assert profile.main(["--section", str(number), "--top", "9", "--out", str(tmp_path)]) == 0
    assert f" {operation} |" in capsys.readouterr().out
    assert json.loads((tmp_path / f"timeline_section{number}.json").read_text())["traceEvents"]


def test_a_timed_command_returns_its_output_or_raises_its_last_line():
    seconds, printed = startup.once("a command", ["-c", "import time; time.sleep(0.2); print(3)"])
    assert seconds > 0.2 and printed == "3\n"
    with pytest.raises(UserError, match="^a command: no such thing$"):
        startup.once("a command", ["-c", "import sys; sys.exit('no such thing')"])


@pytest.mark.parametrize("command", [endurance, first_run, growth, profile, run, startup],
                         ids=lambda command: command.__name__)
def test_every_command_has_a_help(command, capsys):
    with pytest.raises(SystemExit) as error:
        command.main(["--help"])
    assert error.value.code == 0 and "usage: " in capsys.readouterr().out


def test_first_run_tells_a_horse_from_a_collapsed_network(monkeypatch, capsys):
    ends = {1: ("a horse", 1), 2: ("collapsed", 0)}  # by the number of threads: how it ends, how often it was repeated
    monkeypatch.setattr(first_run, "train", lambda kernels, threads, seed, arguments: (
        kernels, threads, "none", *ends[threads], 0, "1418.7", "2128.9", "d8daaa63"))
    assert first_run.main(["--seeds", "1"]) == 0
    assert "4 of 10 runs end with a horse; 4 were trained again" in capsys.readouterr().out


def test_unknown_rows_are_refused_and_failing_implementations_left_out(tmp_path, capsys):
    assert run.main(["--rows", "graf"]) == 2
    rounds = run.take_turns(["tf115"], tmp_path / "task.npz", {"tf115": "/bin/false"}, 2, 0, "")
    assert rounds == {"measurements": {}, "failed": {"tf115": "TensorFlow 1.15.5: exit code 1"}}
    assert capsys.readouterr().err.count("left out: TensorFlow 1.15.5: exit code 1") == 1


def test_the_machine_is_described():
    assert all(measuring.machine().values())


def test_the_code_widths_that_are_missing_are_trained_and_all_are_drawn(tmp_path, monkeypatch, capsys):
    trained = []

    def measure_width(settings, data):
        trained.append((settings.n_latent, settings.n_epochs))
        return {"network": 1 / settings.n_latent, "PCA": 2 / settings.n_latent}
    monkeypatch.setattr(code_width, "measure_width", measure_width)
    monkeypatch.setattr(code_width.section, "load", lambda *_, **__: (None, None))
    command = ["--figures", str(tmp_path), "--out", str(tmp_path / "widths.json"), "--widths"]
    assert code_width.main([*command, "4", "2"]) == code_width.main([*command, "2", "4", "8"]) == 0
    assert code_width.main([*command, "2", "--epochs", "1"]) == 0
    assert trained == [(2, 4), (4, 4), (8, 4), (2, 1)]
    rows = [line.strip("|").split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [[cell.strip() for cell in row] for row in rows[-3:-1]] == [["numbers in the code", "network", "PCA"],
                                                                       ["-" * 19, "-" * 7, "-" * 6]]
    assert [cell.strip() for cell in rows[-1]] == ["2", "0.5000", "1.0000"]
    assert (tmp_path / "section1_code_width.png").read_bytes().startswith(b"\x89PNG")


def test_the_error_of_a_width_is_that_of_the_validation_images(monkeypatch):
    settings = dataclasses.replace(code_width.section.PRESETS["tuned"], **SMALL[1], n_epochs=1)
    x = np.random.default_rng(0).random((40, settings.n_input), dtype=np.float32)
    errors = code_width.measure_width(settings, {"train": (x, None)})
    assert 0 < errors["PCA"] < np.var(x) < errors["network"] < 10


@pytest.mark.slow
def test_the_detective_story_trains_missing_seeds_only_and_draws_what_2_4_1_recorded(tmp_path, monkeypatch, capsys):
    section = SECTIONS[2]
    trained = []

    def measure(section, settings, data):
        trained.append((settings.n_hidden_1, settings.n_hidden_2, settings.batch_size, settings.seed))
        return {"collapsed": float(settings.seed == 1),
                **{name: value * 2 ** settings.seed for name, value in section.published.items()}}
    monkeypatch.setattr(detective_story, "measure", measure)
    monkeypatch.setattr(detective_story, "SECTION", dataclasses.replace(
        section, load=lambda settings, data, data_dir: (None, None)))
    command = ["--figures", str(tmp_path), "--out", str(tmp_path / "story.json"), "--seeds"]
    assert detective_story.main([*command, "1"]) == detective_story.main([*command, "2"]) == 0
    readings = [(300, 150, 150), (200, 150, 100), (200, 150, 150), (200, 100, 150), (200, 150, 150), (200, 150, 150)]
    assert trained == [(*reading, seed) for seed in (0, 1) for reading in readings]
    assert "".join(capsys.readouterr().out.split()).count("|1of2|0.00|0.00|") == 6
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "story_trace.png", "story_progress_bar.png", "story_continued.png"}
    recorded = json.loads(detective_story.STEPS.with_suffix(".json").read_text())["first fit, seed 0"]
    steps = np.load(detective_story.STEPS)
    figure = detective_story.bar_figure(steps["first fit, seed 0/loss"][0], steps["first fit, seed 0/size"])
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert f"{recorded['history']['loss'][0]:.4f}" in legend[1] and recorded["shown"]["loss"][0] in legend[2]


REPORT = """```
1 def define_models(n):
2     return n
```
Epoch 1/1
"""


def test_a_reports_listing_loses_its_numbers_and_a_bar_is_read_at_the_end_of_each_epoch():
    assert report_listings.listing(REPORT, "def define_models(") == "def define_models(n):\n    return n\n"
    with pytest.raises(UserError, match="no numbered listing"):
        report_listings.listing(REPORT, "Dense(2000")
    bar = "\r 32/64 [==] - ETA: 1s - loss: 3.0\b\b\r64/64 [====] - 1s 2us/sample - loss: 2.0 - val_loss: 1e-03\n"
    assert report_listings.shown("Epoch 1/2\n" + bar + "Epoch 2/2\n" + bar) == {
        "loss": ["2.0", "2.0"], "val_loss": ["1e-03", "1e-03"]}


def test_the_bar_of_then_averages_the_means_of_the_steps():
    steps = [{"loss": 3.0, "acc": 0.5, "size": 2}, {"loss": 0.0, "acc": 0.25, "size": 1}]
    # means of the loss after each step: 3, 2; the accuracy is a mean already; the last one counts twice
    assert report_listings.bar_of_then([steps], "loss") == ["2.3333"]
    assert report_listings.bar_of_then([steps], "acc") == ["0.3333"]
