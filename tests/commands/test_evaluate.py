"""`evaluate` for every section, with a test image, a picture of one's own or a sequence."""
from __future__ import annotations

import dataclasses
import json
import os
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import small_sections
from tests.conftest import slow
from tf1_autoencoders import evaluate, run_all
from tf1_autoencoders.datasets import fashion_mnist
from tf1_autoencoders.datasets.picture_file import read_picture
from tf1_autoencoders.reporting.metrics import structural_similarity
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.paths import PRETRAINED


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Return a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluated(capsys, *arguments):
    """Return what evaluate prints as JSON."""
    assert evaluate.main([*arguments, "--data", "sample", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments, code=2):
    try:
        assert evaluate.main(list(arguments)) == code
    except SystemExit as error:
        assert error.code == code
    return capsys.readouterr().err


# ---- The sections ----

def test_section_4_answers_the_reports_example_with_the_shipped_network(work, capsys):
    result = evaluated(capsys, "--section", "4")
    assert result["sequence"] == [14, 19, 20, 38, 27, 39] and result["predicted"] == [20, 19, 14] == result["target"]
    assert evaluate.main(["--section", "4", "--sequence", "1", "2", "3", "4", "5", "6"]) == 0
    output = capsys.readouterr().out
    assert "the one that comes with the project, preset report, seed 0, trained on random sequences" in output
    assert output.splitlines()[-1] == \
        "Input Sequence=[1, 2, 3, 4, 5, 6] SeedSequence=[3, 2, 1], PredictedSequence=[3, 2, 1]"


@pytest.mark.slow
def test_section_3_removes_each_noise_with_the_shipped_network(work, capsys):
    result = evaluated(capsys, "--section", "3", "--image", "7", "--noise", "speckle")
    assert result["noise"] == "speckle" and result["mark"] == "drawn sample; network trained on real images"
    assert result["denoised"]["psnr"] > 10 and -1 < result["denoised"]["ssim"] < 1
    figure = "section3_image_7_speckle_drawn_sample_network_trained_on_real_images.png"
    assert (work / "results/evaluate" / figure).is_file()
    assert evaluated(capsys, "--section", "3", "--image", "7", "--noise", "speckle", "--noise-strength",
                     "0")["noisy"]["ssim"] == pytest.approx(1)


@pytest.mark.slow
def test_section_3_shows_its_shipped_networks_side_by_side_and_a_chosen_one_alone(work, capsys):
    networks = ["13 epochs, salt-and-pepper", "500 epochs, salt-and-pepper", "30 epochs, all noises"]
    result = evaluated(capsys, "--section", "3", "--image", "7")
    assert list(result["networks"]) == networks and result["denoised"] == result["networks"][networks[0]]
    assert result["networks"][networks[1]]["psnr"] > result["denoised"]["psnr"] + 1
    alone = evaluated(capsys, "--section", "3", "--image", "7", "--checkpoint",
                      str(PRETRAINED / "section3_long" / "model.ckpt"))
    assert alone["networks"] == {networks[1]: result["networks"][networks[1]]}


def test_section_1_has_no_shipped_network_and_says_how_to_train_one(work, capsys):
    assert "train one with `python run_all.py --section 1`" in refused(
        capsys, "--section", "1", "--data", "sample", code=1)


@pytest.mark.slow
def test_section_1_encodes_with_a_run_of_ones_own(work, capsys, monkeypatch):
    small_sections.shrink(monkeypatch.setattr, monkeypatch.setitem)
    assert run_all.main(["--section", "1", "--data", "sample", "--epochs", "1"]) == 0
    capsys.readouterr()
    images = fashion_mnist.load(("test",), data="sample")["test"].x.reshape(-1, 784)
    result = evaluated(capsys, "--section", "1", "--image", "3")
    encoded = evaluate.encode_image(images, 3, is_sample=True)
    assert result["code"] == pytest.approx(encoded.code[0].tolist()) and len(result["code"]) == 7
    assert result["mse"] == pytest.approx(np.mean((images[3] / 255 - encoded.reconstructed) ** 2), rel=1e-5)


@pytest.mark.slow
def test_all_test_images_are_summed_up(work, capsys, monkeypatch):
    images, source = SECTIONS[3].test_images(data="sample")
    monkeypatch.setitem(SECTIONS, 3, dataclasses.replace(
        SECTIONS[3], test_images=lambda **_: (images[:1234], source)))
    result = evaluated(capsys, "--section", "3", "--all")
    assert len(images) == 10000 and result["n"] == 1234 and len(result["best"]) == len(result["worst"]) == 10
    assert result["mse_lowest"] < result["mse_mean"] < result["mse_highest"]
    assert list(result["quality"]) == ["noisy", "median 3x3", "13 epochs, salt-and-pepper",
                                       "500 epochs, salt-and-pepper", "30 epochs, all noises"]
    assert (work / "results/evaluate/section3_all_drawn_sample_network_trained_on_real_images.png").is_file()


def test_ssim_follows_its_definition():
    random = np.random.default_rng(0)
    x = random.random((1, 11, 11, 1))  # one window: the sums can be written down
    y = np.clip(x + 0.1 * random.normal(size=x.shape), 0, 1)
    distance = np.hypot(*np.mgrid[-5:6, -5:6])
    window = np.exp(-distance ** 2 / (2 * 1.5 ** 2))
    window /= window.sum()
    a, b = x[0, :, :, 0], y[0, :, :, 0]
    mean_a, mean_b = (window * a).sum(), (window * b).sum()
    variance_a, variance_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
    covariance = (window * (a - mean_a) * (b - mean_b)).sum()
    expected = (2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4) / (
        (mean_a ** 2 + mean_b ** 2 + 1e-4) * (variance_a + variance_b + 9e-4))
    assert structural_similarity(x, y) == pytest.approx(expected, rel=1e-9)
    assert structural_similarity(x, x) == pytest.approx(1)


# ---- Pictures of one's own ----

def colour(height=40, width=60):
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_a_picture_of_ones_own_goes_through_section_2(work, capsys):
    Image.fromarray(colour()).save("my picture.png")
    assert evaluate.main(["--file", "my picture.png"]) == 0
    output = capsys.readouterr().out
    assert "my picture.png: the square of 40 x 40 in the middle of 60 x 40, resized to 32 x 32" in output
    assert (work / "results/evaluate/my_picture.png").is_file() and "MSE of my picture.png: " in output


@pytest.mark.slow
def test_a_picture_of_ones_own_goes_through_section_3(work):
    Image.fromarray(colour()).save("my picture.png")
    assert evaluate.main(["--section", "3", "--file", "my picture.png"]) == 0


def test_a_picture_of_the_data_sets_size_is_taken_as_it_is(tmp_path):
    pixels = colour(32, 32)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    image, done = read_picture(tmp_path / "p.png", 32, light_on_black=False)
    np.testing.assert_allclose(image[0], pixels.reshape(1024, 3).mean(axis=1), atol=1e-4)
    assert done == "p.png: grey is the mean of the channels"


def test_a_dark_thing_on_a_light_ground_is_inverted_for_fashion_mnist(tmp_path):
    pixels = np.full((28, 28), 250, np.uint8)
    pixels[8:20, 8:20] = 10
    Image.fromarray(pixels).save(tmp_path / "shirt.png")
    image, done = read_picture(tmp_path / "shirt.png", 28, light_on_black=True)
    assert image[0, 0] == 5 and image[0, 14 * 28 + 14] == 245 and "inverted" in done
    image, done = read_picture(tmp_path / "shirt.png", 28, light_on_black=False)
    assert image[0, 0] == 250 and "inverted" not in done


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16", "I", "F"])
def test_pictures_of_every_mode_are_read(tmp_path, mode):
    grey = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (40, 1))
    if mode in ("I;16", "I"):
        picture = Image.fromarray((grey.astype(np.uint16) * 257)).convert(mode)
    else:
        picture = Image.fromarray(grey).convert(mode) if mode in ("L", "P", "1", "F") else \
            Image.fromarray(grey).convert("RGB").convert("RGBA" if mode == "LA" else mode).convert(mode)
    path = tmp_path / ("تصویر." + ("tif" if mode in ("CMYK", "F", "I") else "png"))
    picture.save(path)
    image, _ = read_picture(path, 28, light_on_black=False)
    assert image.shape == (1, 784) and 0 <= image.min() and image.max() <= 255
    left, right = image.reshape(28, 28)[:, :5].mean(), image.reshape(28, 28)[:, -5:].mean()
    assert left < 60 and right > 195, mode


def test_transparent_parts_are_white(tmp_path):
    pixels = np.zeros((28, 28, 4), np.uint8)
    pixels[10:18, 10:18, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "p.png")
    image, _ = read_picture(tmp_path / "p.png", 28, light_on_black=False)
    assert image[0, 0] == 255 and image[0, 14 * 28 + 14] == 0


def test_the_first_frame_of_an_animation_is_taken(tmp_path):
    frames = [Image.fromarray(np.full((28, 28), level, np.uint8)) for level in (40, 200)]
    frames[0].save(tmp_path / "p.gif", save_all=True, append_images=frames[1:])
    image, done = read_picture(tmp_path / "p.gif", 28, light_on_black=False)
    assert "first of 2 frames" in done and image.mean() == pytest.approx(40, abs=1)


def test_a_picture_that_would_start_a_program_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
    (tmp_path / "photo.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\nshowpage\n"
                                         b"%%EOF\n")
    with pytest.raises(UserError, match="photo.png: not a picture"):
        read_picture(tmp_path / "photo.png", 28, light_on_black=False)


@pytest.mark.parametrize("name", [
    b"$\\foo$.png", slow(b"$x.png"), slow(b"a\\$\\frac{1}{0}$.png"), slow(b"\xff\xfe.png"), b"\x1b[2J\n.png"])
def test_a_name_of_a_picture_is_no_formula_and_no_command(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("matplotlibrc").write_text("text.usetex: True\n")  # which figures ignore
    file = os.fsdecode(bytes(tmp_path) + b"/" + name)
    with open(file, "wb") as opened:
        Image.fromarray(colour(40, 40)).save(opened, "PNG")
    assert evaluate.main(["--file", file]) == 0
    output = capsys.readouterr()
    assert (output.out + output.err).replace("\n", "").isprintable()
    assert list(Path("results").glob("*.png")) or list(Path("results").rglob("*.png"))


def bomb(side):
    """Return the start of a PNG file that announces side x side pixels."""
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(bytes(1000))))


def test_what_is_no_picture_is_refused_in_one_sentence(tmp_path):
    Image.fromarray(colour(40, 40)).save(tmp_path / "whole.png")
    Image.fromarray(colour(1, 1)).save(tmp_path / "dot.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "huge.png").write_bytes(bomb(20000))
    (tmp_path / "folder").mkdir()
    for name, sentence in (("half.png", "not a picture that can be read"), ("empty.png", "not a picture"),
                           ("text.png", "not a picture"), ("huge.png", "more pixels|20000 x 20000 pixels"),
                           ("dot.png", "1 x 1 pixels; expected 8 or more"), ("folder", "this is a folder"),
                           ("none.png", "there is no such file")):
        with pytest.raises(UserError, match=sentence):
            read_picture(tmp_path / name, 28, light_on_black=True)


# ---- Wrong arguments ----

@pytest.mark.parametrize("arguments, sentence, code", [
    (["--section", "4", "--sequence", "1", "2", "3"], "sequence 1 2 3: expected 6 whole numbers from 1 to 50", 2),
    (["--section", "4", "--sequence", "1", "2", "3", "4", "5", "51"], "expected 6 whole numbers from 1 to 50", 2),
    (["--section", "4", "--sequence", "1", "x"], "--sequence", 2),
    (["--section", "4", "--image", "3"], "--image 3: section 4 has no such option; it is for sections 1, 2 and 3", 2),
    (["--section", "2", "--noise", "speckle"], "--noise speckle: section 2 has no such option; it is for section 3", 2),
    (["--section", "4", "--all"], "--all: for sections 1, 2 and 3", 2),
    (["--image", "3", "--all"], "give one of them", 2), (["--section", "5"], "one section at a time", 2),
    (["--section", "3", "--noise", "hum"], "invalid choice", 2),
    (["--preset", "nothing"], "--preset nothing: expected one of report, text, source, tuned", 2),
    (["--file", "none.png"], "none.png: there is no such file", 1)])
def test_wrong_arguments_are_one_sentence(work, capsys, arguments, sentence, code):
    message = refused(capsys, *arguments, code=code)
    assert sentence in message and message.count("\n") == 1
