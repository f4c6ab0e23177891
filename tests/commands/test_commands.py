"""run_all and evaluate as a user sees them: output, files, errors and exit codes."""
import argparse
import dataclasses
import errno
import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tf1_autoencoders
from tests import small_sections as small
from tf1_autoencoders import crosscheck, evaluate, run_all, spread
from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.datasets import cifar10, drawn_sample, fashion_mnist
from tf1_autoencoders.datasets.image_rows import image_from_rows
from tf1_autoencoders.reporting import comparison
from tf1_autoencoders.reporting.html_report import write_html_report
from tf1_autoencoders.reporting.language import LANGUAGES
from tf1_autoencoders.sections import SECTIONS, section2_horses, section4_sequences, trained
from tf1_autoencoders.utils import files
from tf1_autoencoders.utils.errors import UserError

ROOT = Path(run_all.__file__).resolve().parent.parent
PRETRAINED = ROOT / "checkpoints" / "pretrained" / "section2"
N_TRAIN = 200  # horses; so few that a run takes a second


@pytest.fixture(scope="module")
def few():
    """Return a small drawn sample in the form of the large one: {split: (x, y)}."""
    x, y = drawn_sample.cifar10("test")
    horses = np.flatnonzero(y == 7)
    others = np.flatnonzero(y != 7)
    order = np.concatenate([others[:13], horses[:N_TRAIN], others[13:100]])
    return {"train": (x[order], y[order]), "test": (x, y)}


@pytest.fixture
def folders(monkeypatch, few, tmp_path):
    """Let the commands draw only `few` images and write below tmp_path; return tmp_path."""
    monkeypatch.setattr(cifar10.drawn_sample, "cifar10", lambda split: few[split])
    monkeypatch.setattr(trained, "CHECKPOINTS", tmp_path / "checkpoints")
    return tmp_path


def run(folder, *arguments):
    return run_all.main(["--section", "2", "--data", "sample", "--batch-size", "20", "--epochs", "11",
                         "--results-dir", str(folder / "results"),
                         "--checkpoint-dir", str(folder / "checkpoints"), *arguments])


def evaluate_in(folder, *arguments):
    return evaluate.main(["--data", "sample", "--results-dir", str(folder / "results"), *arguments])


def test_a_run_goes_from_the_data_to_the_reconstruction(folders, capsys):
    assert run(folders) == 0
    output = capsys.readouterr().out
    for line in ("X: (300, 1024)", "Y: (300,)", "horses: (200, 1024)", "pipeline check, batch_size 1: (1, 1024)",
                 "Training...", "(20, 1024)", "0 Train MSE: ", "10 Train MSE: ", "Model saved in path: ",
                 "INFO:tensorflow:Restoring parameters from ", "Model restored.", "(1, 1024)"):
        assert "\n" + line in output
    results = folders / "results" / "section2"
    for name in ("horse_53", "pipeline_check", "loss_trace", "test_horses", "image_13"):
        assert (results / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert (folders / "results" / "report.html").read_text().count("data:image/png;base64,") == 10  # light and dark
    metrics = [json.loads(line) for line in (results / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in metrics[:2]] == [0, 10]
    assert metrics[-1]["test_horses_mse"] > 0
    settings = json.loads((results / "settings.json").read_text())
    assert settings["settings"]["steps_per_epoch"] == 10 and settings["settings"]["n_epochs"] == 11
    assert settings["versions"]["tensorflow"] and len(settings["data"]["sha256_of_training_arrays"]) == 64


@pytest.mark.slow
def test_a_run_ends_with_where_its_page_is_and_opens_it_on_request(folders, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(run_all.webbrowser, "open", lambda address: opened.append(address) or len(opened) < 2)
    run(folders)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].startswith("page: ") and lines[-1] == "open the page with a browser, or add --open" and not opened
    run(folders, "--open")
    assert opened == [(folders / "results" / "report.html").as_uri()]
    assert capsys.readouterr().out.splitlines()[-1].startswith("page: ")
    assert run(folders, "--open") == 0  # no browser
    assert "--open: no browser could be started; open " in capsys.readouterr().err


@pytest.mark.slow
def test_the_page_of_finished_runs_is_written_again_in_another_language_without_a_run(folders, monkeypatch, capsys):
    run(folders)
    page = folders / "results" / "report.html"
    assert '<html lang="en"' in page.read_text()
    page.unlink()
    monkeypatch.setattr(run_all, "run_section", None)
    capsys.readouterr()
    where = ["--results-dir", str(folders / "results"), "--checkpoint-dir", str(folders / "checkpoints")]
    assert run_all.main(["--page-only", "--lang", "fa", *where]) == 0
    assert '<html lang="fa" dir="rtl"' in page.read_text() and capsys.readouterr().out.startswith("page: ")
    assert run_all.main(["--page-only", "--results-dir", str(folders / "nothing")]) == 1
    assert "no finished run in it, of which a page could be written" in capsys.readouterr().err


def test_help_fits_on_a_screen_and_help_all_has_every_option(capsys):
    def printed(argument):
        with pytest.raises(SystemExit) as ended:
            run_all.main([argument])
        assert ended.value.code == 0
        return capsys.readouterr().out
    short, long = printed("--help"), printed("--help-all")
    assert len(short.splitlines()) <= 48 and "--section" in short and "--workers" not in short
    flags = {flag for action in run_all.build_parser()._actions for flag in action.option_strings
             if action.help != argparse.SUPPRESS}
    assert len(flags) > 40 and [flag for flag in flags if f"{flag}" not in long] == []
    assert "presets:" in long and all(section.title in short for section in SECTIONS.values())


@pytest.mark.slow
def test_results_from_the_drawn_sample_are_labelled_and_stand_beside_no_published_number(folders, capsys):
    run(folders)
    output = capsys.readouterr().out
    assert "published" not in output and "2804" not in output
    assert all("drawn sample" in line for line in output.splitlines() if "MSE" in line)
    for line in (folders / "results" / "section2" / "metrics.jsonl").read_text().splitlines():
        assert json.loads(line)["data"] == "drawn sample"


def test_published_values_stand_beside_those_of_real_images(folders, cifar_copy, capsys):
    assert run_all.main(["--section", "2", "--data-dir", str(cifar_copy), "--epochs", "1", "--batch-size", "50",
                         "--results-dir", str(folders / "r"), "--checkpoint-dir", str(folders / "c")]) == 0
    output = capsys.readouterr().out
    assert "   published: 2804.4246   L2: " in output
    assert "X: (1000, 1024)" in output and "unverified copy" in output
    assert "drawn sample" not in output and "distance from the published numbers" in output
    assert "Published beside measured: none of 1 numbers outside the spread of the seeds" in output  # it is not judged


@pytest.mark.slow
def test_the_terminal_shows_the_numbers_outside_the_spread_and_the_page_all(folders, cifar_copy, monkeypatch, capsys):
    monkeypatch.setattr(comparison, "verdict", lambda number, of_seeds:
                        "37% above the mean" if number == SECTIONS[2].published["epoch 10 Train MSE"] else "inside")
    assert run_all.main(["--section", "2", "--data-dir", str(cifar_copy), "--epochs", "11", "--batch-size", "50",
                         "--results-dir", str(folders / "r"), "--checkpoint-dir", str(folders / "c")]) == 0
    output = capsys.readouterr().out
    table = output[output.index("Published beside measured: 1 of 2 numbers outside the spread"):]
    assert "epoch 10 Train MSE" in table and "epoch 0 Train MSE" not in table
    page = (folders / "r" / "report.html").read_text()
    assert "<td>epoch 0 Train MSE</td>" in page and "<td>epoch 10 Train MSE</td>" in page


@pytest.mark.slow
def test_two_runs_with_one_seed_are_bit_identical(folders):
    contents = []
    for _ in range(2):
        run(folders)
        contents.append({path.name: path.read_bytes() for folder in ("results/section2", "checkpoints/section2")
                         for path in (folders / folder).iterdir()
                         if path.is_file() and path.name != "transcript.json"})  # the transcript has durations in it
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_evaluate_uses_the_last_run_and_says_so(folders, capsys):
    run(folders, "--preset", "tuned")
    capsys.readouterr()
    assert evaluate_in(folders, "--image", "13") == 0
    output = capsys.readouterr().out
    assert "checkpoint: a run of your own, preset tuned, seed 0, trained on CIFAR-10 (drawn sample)" in output
    assert "\nModel restored.\n(1, 1024)\nMSE of image 13: " in output
    assert (folders / "results" / "image_13_drawn_sample.png").is_file()


def test_without_a_run_evaluate_uses_the_shipped_checkpoint(folders, capsys):
    assert evaluate_in(folders) == 0
    assert "checkpoint: the one that comes with the project, preset report, seed 0" in capsys.readouterr().out


def test_the_shipped_checkpoint_has_only_weights_and_is_small():
    settings, origin = saver.read_settings(PRETRAINED / "model.ckpt", section2_horses.Settings,
                                           section2_horses.SECTION.former_names)
    assert settings == section2_horses.check_settings(section2_horses.PRESETS["report"], 5000)
    assert origin["data"]["kind"] != "drawn sample"
    assert sum(path.stat().st_size for path in PRETRAINED.iterdir()) < 3e6


def test_reconstruct_image_takes_an_array_or_a_data_frame(folders, few):
    rows = section2_horses.to_grey(few["test"][0][:20])
    reconstruction = evaluate.reconstruct_image(rows, 13)
    assert reconstruction.real.shape == reconstruction.reconstructed.shape == (1, 1024)
    np.testing.assert_array_equal(reconstruction.real[0], rows[13])
    difference = reconstruction.real - reconstruction.reconstructed
    assert reconstruction.mse == pytest.approx(np.mean(difference ** 2), rel=1e-5)

    halves = np.repeat(np.array([[0, 255]], np.float32), 512, axis=1)
    contrasting = evaluate.reconstruct_image(halves, 0)  # the outputs leave 0..255, and are not clipped
    assert contrasting.reconstructed.min() < 0 and contrasting.reconstructed.max() > 255
    assert contrasting.mse == pytest.approx(np.mean((halves - contrasting.reconstructed) ** 2), rel=1e-5)

    class DataFrame:  # like pandas's, it converts itself to an array by __array__
        def __array__(self, dtype=None, copy=None):
            return rows.astype(dtype)
    from_frame = evaluate.reconstruct_image(DataFrame(), 13)
    np.testing.assert_array_equal(from_frame.reconstructed, reconstruction.reconstructed)
    with pytest.raises(UserError, match="image_number 20: df has the rows 0 to 19"):
        evaluate.reconstruct_image(rows, 20)


def test_reconstruct_image_takes_a_pandas_data_frame(folders, few):
    pandas = pytest.importorskip("pandas")
    rows = section2_horses.to_grey(few["test"][0][:20])
    frame = pandas.DataFrame(rows, index=[f"image {k}" for k in range(20)])
    assert evaluate.reconstruct_image(frame, 13).mse == evaluate.reconstruct_image(rows, 13).mse


GOOD = np.full((3, 1024), 100.0, np.float32)
WITH_NAN = GOOD.copy()
WITH_NAN[1, 5] = np.nan


@pytest.mark.parametrize("df, number, message", [
    (GOOD[:, :1023], 0, r"df has shape \(3, 1023\): expected one or more rows of 1024 grey levels"),
    (GOOD[0], 0, r"df has shape \(1024,\)"), (GOOD[:0], 0, r"df has shape \(0, 1024\)"), ([], 0, "df has shape"),
    (WITH_NAN, 1, "df has a value in row 1 that is not finite"), (WITH_NAN, 0, "row 1 that is not finite"),
    ([["a"] * 1024], 0, "expected rows of 1024 grey levels"), (None, 0, "df"),
    (GOOD * 3, 0, "values from 300 to 300 in row 0: expected grey levels 0 to 255"), (-GOOD, 0, "values from -100"),
    (GOOD / 255, 0, "values from 0.392157 to 0.392157: expected grey levels 0 to 255, not fractions; multiply"),
    (GOOD > 50, 0, "values of type bool"), (GOOD * 1j, 0, "values of type complex"),
    ((GOOD > 50).astype(object), 0, "values of type bool"),
    (np.ma.masked_less(GOOD, 50), 0, r"masked array: .*; give the masked pixels a value with df.filled\(0\)"),
    (np.zeros((2, 3072), np.uint8), 0, "these are colour images, .* with tf1_autoencoders.*section2_horses.to_grey"),
    (GOOD, 3, "image_number 3: df has the rows 0 to 2"), (GOOD, -1, "image_number -1"), (GOOD, "x", "image_number 'x'"),
    (GOOD, 1.0, "image_number 1.0"), (GOOD, True, "image_number True")])
def test_arrays_and_rows_that_are_no_images_are_refused(df, number, message):
    with pytest.raises(UserError, match=message) as error:
        image_from_rows(df, number, 1024)
    assert "\n" not in str(error.value)


WRONG = {
    ("--section", "5"): "--section: 5: expected all, or some of 1, 2, 3, 4 such as 1,2",
    ("--section", "x"): "--section: x: expected all, or",
    ("--section", "2,"): "--section: 2,: expected all, or some of",
    ("--epochs", "0"): "--epochs: 0: expected a whole number from 1 to 1000000",
    ("--epochs", "1.5"): "--epochs: 1.5: expected a whole number", ("--batch-size", "0"): "--batch-size: 0: expected",
    ("--batch-size", "201"): "--batch-size 201: there are 200 horses; choose 1 to 200",
    ("--learning-rate", "0"): "--learning-rate: 0: expected a number greater than 0, up to 100",
    ("--learning-rate", "nan"): "--learning-rate: nan: expected",
    ("--l2", "-1"): "--l2: -1: expected a number from 0 to 1000",
    ("--seed", "-1"): "--seed: -1: expected",
    ("--preset", "best"): "--preset best: expected one of report, text, source, tuned",
    ("--threads", "-2"): "--threads: -2: expected a whole number from 0 to 1024",
    ("--threads", "3000000000"): "--threads: 3000000000: expected a whole number from 0 to 1024",
    ("--steps-per-epoch", "1000000000"): "--steps-per-epoch: 1000000000: expected a whole number from 1 to 1000000",
    ("--steps-per-epoch", "100000000000000000000"): "--steps-per-epoch: 100000000000000000000: expected",
    ("--steps-per-epoch", "1000000", "--batch-size", "200"):
        "--steps-per-epoch 1000000 with --batch-size 200: 200000000 images an epoch; expected 100000000 or fewer",
    ("--epochs", "99999999"): "--epochs: 99999999: expected a whole number from 1 to 1000000",
    ("--l2", "1e300"): "--l2: 1e300: expected a number from 0 to 1000",
    ("--learning-rate", "1e39"): "--learning-rate: 1e39: expected a number greater than 0, up to 100",
    ("--seed", "99999999999"): "--seed: 99999999999: expected a whole number from 0 to 134217728",
    ("--nonsense",): "unrecognized arguments: --nonsense",
    ("--data", "fake"): "--data: invalid choice"}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_arguments_of_run_all_are_one_sentence_and_exit_code_2(folders, capsys, arguments):
    assert exit_code(run, folders, *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("run_all.py: " + WRONG[arguments]) and error.count("\n") == 1
    assert not [path for path in (folders / "results").rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.mark.parametrize("image", ["10000", "-1", "x", "1.5", ""])
def test_wrong_images_of_evaluate_are_one_sentence_and_exit_code_2(folders, capsys, image):
    assert exit_code(evaluate_in, folders, f"--image={image}") == 2
    error = capsys.readouterr().err
    assert f"--image: {image}: the test sets of CIFAR-10 and Fashion-MNIST have images 0 to 9999" in error
    assert error.count("\n") == 1


def exit_code(command, *arguments):
    try:
        return command(*arguments)
    except SystemExit as error:
        return error.code


@pytest.mark.slow
def test_a_checkpoint_of_another_architecture_is_refused(folders, capsys):
    run(folders, "--preset", "source")
    assert evaluate_in(folders, "--preset", "report") == 1
    assert "trained with n_hidden_1 300, but the settings asked for have 200; leave out --preset" in \
        capsys.readouterr().err
    copy = folders / "copy"
    shutil.copytree(str(folders / "checkpoints" / "section2" / "latest"), str(copy))
    for name in "checksums.json", "settings.json":
        (copy / name).unlink()
    assert evaluate_in(folders, "--checkpoint", str(copy), "--preset", "report") == 1
    assert "dense/kernel has shape [1024, 300], expected [1024, 200]" in capsys.readouterr().err
    assert evaluate_in(folders, "--checkpoint", str(copy), "--preset", "source") == 0


def test_settings_beside_a_checkpoint_are_not_replaced_by_a_preset(folders, capsys):
    assert evaluate_in(folders, "--preset", "tuned", "--checkpoint", str(PRETRAINED)) == 1
    assert "trained with pixel_center 0, but the settings asked for have 127.5" in capsys.readouterr().err
    assert evaluate_in(folders, "--preset", "report", "--checkpoint", str(PRETRAINED)) == 0


@pytest.mark.parametrize("argument, message", [
    ({"settings": "report"}, "settings 'report': expected a Settings of section 2"),
    ({"checkpoint_path": 123}, "checkpoint_path 123: expected the path of a checkpoint")])
def test_reconstruct_image_refuses_arguments_of_another_type(folders, argument, message):
    with pytest.raises(UserError, match=message):
        evaluate.reconstruct_image(GOOD, 0, **argument)


@pytest.mark.slow
def test_evaluate_prefers_a_checkpoint_trained_on_images_of_the_same_kind(folders, cifar_copy, capsys):
    run(folders)  # on the drawn sample
    out = str(folders / "figures")
    capsys.readouterr()
    assert evaluate.main(["--data-dir", str(cifar_copy), "--results-dir", out]) == 0
    output = capsys.readouterr().out
    assert "checkpoint: the one that comes with the project" in output and "drawn" not in output
    assert evaluate.main(["--data", "sample", "--results-dir", out]) == 0
    assert "checkpoint: a run of your own" in capsys.readouterr().out


@pytest.mark.slow
def test_a_mix_of_drawn_and_real_images_is_labelled_in_the_output_and_the_file(folders, cifar_copy, capsys):
    run(folders)
    out = folders / "figures"
    capsys.readouterr()
    assert evaluate.main(["--data-dir", str(cifar_copy), "--results-dir", str(out),
                          "--checkpoint", str(folders / "checkpoints" / "section2")]) == 0
    assert "squared grey levels (network trained on the drawn sample)\n" in capsys.readouterr().out
    assert evaluate_in(folders, "--results-dir", str(out), "--checkpoint", str(PRETRAINED)) == 0
    assert "squared grey levels (drawn sample; network trained on real images)\n" in capsys.readouterr().out
    names = sorted(path.name for path in out.iterdir())
    assert names == ["image_13_drawn_sample_network_trained_on_real_images.png",
                     "image_13_network_trained_on_the_drawn_sample.png"]
    assert b"network trained on the drawn sample" in (out / names[1]).read_bytes()  # the comment in the PNG


@pytest.mark.slow
def test_evaluate_does_not_write_into_the_folder_of_a_run(folders, capsys):
    run(folders)
    before = (folders / "results" / "section2" / "image_13.png").read_bytes()
    assert evaluate_in(folders, "--results-dir", str(folders / "results" / "section2")) == 1
    assert "the folder holds the results of a run" in capsys.readouterr().err
    assert (folders / "results" / "section2" / "image_13.png").read_bytes() == before


def test_a_named_checkpoint_that_does_not_exist_is_refused(folders, capsys):
    assert evaluate_in(folders, "--checkpoint", str(folders / "nothing")) == 1
    assert "no checkpoint there" in capsys.readouterr().err


def test_a_file_in_the_place_of_the_checkpoint_folder_is_refused_before_training(folders, capsys):
    (folders / "checkpoints").write_text("in the way")
    assert run(folders) == 1
    error = capsys.readouterr().err
    assert error.startswith("run_all.py: ") and "expected a folder that can be written to" in error
    assert error.count("\n") == 1


def test_results_that_cannot_be_written_are_an_error_in_one_sentence(folders, capsys):
    (folders / "results").write_text("in the way")
    assert run(folders) == 1
    error = capsys.readouterr().err
    assert "results" in error and error.count("\n") == 1


def test_a_full_disk_is_reported_in_one_sentence_and_leaves_no_incomplete_file(folders, capsys, monkeypatch):
    assert evaluate_in(folders) == 0
    figure, = (folders / "results").glob("image_13*.png")
    before = figure.read_bytes()

    def fsync_on_a_full_disk(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(files.os, "fsync", fsync_on_a_full_disk)
    capsys.readouterr()
    assert evaluate_in(folders) == 1
    error = capsys.readouterr().err
    assert "No space left on device; free space or choose another folder" in error and error.count("\n") == 1
    assert figure.read_bytes() == before and list(figure.parent.iterdir()) == [figure]
    assert not list(folders.rglob("*.part"))


@pytest.fixture(scope="module")
def drawn_garments():
    return drawn_sample.fashion_mnist("test")


@pytest.fixture
def few_garments(monkeypatch, drawn_garments):
    """Let Fashion-MNIST have only 300 drawn images."""
    x, y = drawn_garments
    monkeypatch.setattr(fashion_mnist.drawn_sample, "fashion_mnist", lambda split: (x[:300], y[:300]))


@pytest.mark.slow
def test_the_whole_report_runs(folders, few_garments, monkeypatch, capsys):
    monkeypatch.setitem(section4_sequences.PRESETS, "report", dataclasses.replace(
        section4_sequences.PRESETS["report"], n_sequences=500, n_test=20))
    assert run_all.main(["--data", "sample", "--epochs", "1", "--batch-size", "100", "--results-dir",
                         str(folders / "results"), "--checkpoint-dir", str(folders / "checkpoints")]) == 0
    output = capsys.readouterr().out
    for line in ("Section 1: Image reconstruction", "Section 2: Stacked", "Section 3: Image denoising",
                 "Section 4: Sequence", "-----Dataset is normalized", "9,154,194", "49,761", "190,899",
                 "Input Sequence=[14, 19, 20, 38, 27, 39] SeedSequence=[20, 19, 14], PredictedSequence="):
        assert line in output
    assert "published: 1.4507 0.5511" in output  # the report draws its sequences too, so that ours are real data
    for number in (1, 2, 3, 4):
        assert (folders / "checkpoints" / f"section{number}" / "model.ckpt.index").is_file()
    page = (folders / "results" / "report.html").read_text()
    assert [f'<section id="section{number}">' in page for number in (1, 2, 3, 4)] == [True] * 4
    assert page.count("made from the drawn sample") == 3
    page = write_html_report(folders / "results", LANGUAGES["fa"]).read_text()
    texts = re.findall(r"<(?:h1|h2|h3|title|caption|figcaption|summary)\b[^>]*>([^<]+)<", page)
    assert len(texts) > 40 and [text for text in texts if not re.search("[\u0600-\u06ff]", text)] == []


@pytest.mark.slow
@pytest.mark.parametrize("arguments, message", [
    (["--section", "4", "--l2", "1"], "--l2 1.0: section 4 has no such setting; leave it out"),
    (["--section", "1", "--noise", "speckle"], "--noise speckle: section 1 has no such setting; leave it out"),
    (["--section", "2", "--backend", "keras", "--precision", "bfloat16"], "--precision bfloat16: only the graph"),
    (["--section", "4", "--preset", "tuned"], "--preset tuned: expected one of report"),
    (["--preset", "tuned"], "--preset tuned: presets are for one section; name it with --section"),
    (["--section", "3", "--noise", "rain"], "--noise: invalid choice: 'rain'"),
    (["--section", "1", "--batch-size", "241"], "--batch-size 241: there are 240 images to train on; choose"),
    (["--section", "4", "--batch-size", "100001"], "--batch-size 100001: there are 100000 sequences; choose 1 to")])
def test_a_setting_that_a_section_does_not_have_is_refused(folders, few_garments, capsys, arguments, message):
    assert exit_code(run_all.main, ["--data", "sample", "--results-dir", str(folders / "results"), "--checkpoint-dir",
                                    str(folders / "checkpoints"), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("run_all.py: " + message) and error.count("\n") == 1


@pytest.mark.slow
def test_a_run_in_its_own_process_prints_no_messages_of_tensorflow(tmp_path):
    done = subprocess.run([sys.executable, "-m", "tests.small_sections", *small.arguments(2, tmp_path)], cwd=str(ROOT),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == 0 and "X: (83, 1024)" in done.stdout
    assert [line for line in done.stderr.splitlines() if "has collapsed" not in line] == []  # after so few steps


@pytest.mark.slow
def test_keep_says_how_many_checkpoints_stay(folders):
    assert run(folders, "--save-every", "3", "--keep", "2") == 0
    assert len(list((folders / "checkpoints" / "section2").glob("step-*"))) == 2


@pytest.mark.parametrize("option", ["--data-dir", "--results-dir", "--checkpoint-dir"])
def test_the_name_of_a_folder_is_not_empty_and_may_begin_at_home(option, monkeypatch, capsys):
    monkeypatch.setenv("HOME", "/home/somebody")
    args = run_all.build_parser().parse_args([option, "~/folder"])
    assert getattr(args, option[2:].replace("-", "_")) in ("/home/somebody/folder", ["/home/somebody/folder"])
    assert exit_code(run_all.main, [option, ""]) == 2
    assert f"{option}: the name is empty; expected the name of a file or folder" in capsys.readouterr().err


@pytest.mark.parametrize("command, option", [(evaluate, "--checkpoint"), (spread, "--out")])
def test_an_empty_name_is_found_before_the_data_is_read(command, option, capsys):
    assert exit_code(command.main, [option, "", *(["--section", "4"] if command is spread else [])]) == 2
    assert f"{option}: the name is empty" in capsys.readouterr().err


def test_crosscheck_fails_where_a_difference_is_beyond_its_tolerance_or_no_number(monkeypatch, capsys):
    small.shrink(monkeypatch.setattr, monkeypatch.setitem)
    monkeypatch.setitem(SECTIONS, 2, dataclasses.replace(SECTIONS[2], further_crosschecks={}))
    exact = dict.fromkeys(("outputs", "gradients", "bias gradients", "losses", "weights"), 0.0)
    for difference, code in ((0.0, 0), (1.0, 1), (np.nan, 1)):
        monkeypatch.setattr(crosscheck, "compare", lambda *_, d=difference: {**exact, "losses": d})
        assert crosscheck.main(["--section", "2", "--steps", "1"]) == code
        assert ("FAIL" in capsys.readouterr().out) == bool(code)


def test_several_sections_can_be_named(folders, monkeypatch, capsys):
    numbers = []

    def run_section(section, settings, options):
        numbers.append(section.number)
        row = (f"number of {section.number}", *5 * ["-"], "9 std above the mean")
        log = argparse.Namespace(published={}, bands=comparison.SeedBands({}, 0))
        return argparse.Namespace(comparison=[row], log=log)
    monkeypatch.setattr(run_all, "run_section", run_section)
    monkeypatch.setattr(run_all, "show_page", lambda args: 0)
    assert run_all.main(["--section", "4,2,2", "--results-dir", str(folders)]) == 0
    assert numbers == [2, 4]
    table = [line.split() for line in capsys.readouterr().out.splitlines() if "number of" in line]
    assert [row[:6] for row in table] == [["|", "2", "|", "number", "of", "2"], ["|", "4", "|", "number", "of", "4"]]


@pytest.mark.parametrize("module", ["run_all", "evaluate", "crosscheck", "spread", "clean"])
def test_each_command_prints_its_version(module, capsys):
    command = importlib.import_module("tf1_autoencoders." + module)
    assert exit_code(command.main, ["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"tf1-autoencoders {tf1_autoencoders.__version__}, Python 3.")


def test_the_package_as_a_command_lists_every_command():
    done = subprocess.run([sys.executable, "-m", "tf1_autoencoders"], stdout=subprocess.PIPE, cwd=str(ROOT), check=True)
    modules = re.findall(r'= "(tf1_autoencoders\.\w+):main"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert len(modules) >= 9
    assert [module for module in modules if f"\n  python -m {module} " not in done.stdout.decode()] == []
