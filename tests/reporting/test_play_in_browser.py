"""The page of the trained networks in a real browser: it computes what TensorFlow computes, and is easy to use."""
import itertools
import json

import numpy as np
import pytest

from tests.reporting.test_page_in_browser import CONTRASTS, LOWEST_CONTRAST, PHONE, WIDE, write_section
from tf1_autoencoders import play
from tf1_autoencoders.datasets import Source
from tf1_autoencoders.reporting.html_report import write_html_report
from tf1_autoencoders.reporting.language import LANGUAGES
from tf1_autoencoders.sections import SECTIONS, section1_reconstruction, section3_denoising, section4_sequences
from tf1_autoencoders.sections.trained import open_trained

TOLERANCE = 1e-5  # of outputs in 0..1; float32 sums in another order differ by some 1e-6
N = 64  # inputs of each network

# of the page's functions, whose names a page has in common
DENOISE = "([k, images]) => images.map(image => [...outputsOf(PLAY.networks.denoise[k].functions.denoise, " \
          "denoise(PLAY.networks.denoise[k], Float32Array.from(image)))[0].data])"
PREDICT = "([sequences, start, feedback]) => sequences.map(sequence => " \
          "predict(PLAY.networks.sequence[0], sequence, start, feedback).outputs.map(output => [...output]))"
CALL = "([name, rows]) => rows.map(row => [...call(PLAY.networks.codes[0].functions[name], Float32Array.from(row))])"
NOISY = "([noise, strength, images]) => images.map(image => [...addNoise(Float32Array.from(image), noise, strength, " \
        "drawNoise())])"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """Return the page of the shipped networks, as the command writes it."""
    file = tmp_path_factory.mktemp("play") / "play.html"
    assert play.main(["--out", str(file)]) == 0
    return file


@pytest.fixture
def open_play(open_page, page_file):
    """Return a function that opens the page in a fresh context and waits until its panels work."""
    def opened(**options):
        page = open_page(page_file, **{"viewport": WIDE, **options})
        page.wait_for_selector("body.ready")
        return page
    return opened


@pytest.fixture(scope="module")
def garments():
    """Return images of the drawn sample, float32[64, 28, 28, 1] in 0..1."""
    rows, _ = SECTIONS[3].test_images(data="sample")
    return rows[:N].reshape(N, 28, 28, 1) / np.float32(255)


def wait_for(page, condition):
    """Wait until an expression is true; the page's policy lets a page.wait_for_function evaluate only once."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {condition}")


def largest_difference(found, expected):
    return np.abs(np.asarray(found) - expected).max()


@pytest.mark.parametrize("all_networks", [False, pytest.param(True, marks=pytest.mark.slow)],
                         ids=["one network of each panel", "all networks, start vectors and feedbacks"])
def test_the_page_computes_what_the_sessions_compute(open_play, garments, all_networks):
    page, random, differences = open_play(), np.random.default_rng(0), {}
    n = N if all_networks else N // 4
    garments = garments[:n]
    noisy = np.concatenate([section3_denoising.add_noise(part, noise, None, random) for part, noise in
                            zip(np.split(garments, 4), section3_denoising.NOISES)])
    for k, path in list(enumerate(play.SHIPPED["denoise"]))[None if all_networks else 1:None if all_networks else 2]:
        with open_trained(SECTIONS[3], path) as (trainer, _):
            expected = trainer.predict(noisy, garments).reshape(n, -1)
        found = page.evaluate(DENOISE, [k, noisy.reshape(n, -1).tolist()])
        differences[path.parent.name] = largest_difference(found, expected)
    with open_trained(SECTIONS[1], play.SHIPPED["codes"][0]) as (trainer, _):
        encode, decode = section1_reconstruction.graph_encoder_decoder(trainer)
        images, codes = garments.reshape(n, -1), random.uniform(0, 1, (n, 2)).astype(np.float32)
        for name, rows, function in (("encode", images, encode), ("decode", codes, decode)):
            differences[name] = largest_difference(page.evaluate(CALL, [name, rows.tolist()]), function(rows))
    ways = list(itertools.product(section4_sequences.START_VECTORS, section4_sequences.FEEDBACKS))
    with open_trained(SECTIONS[4], play.SHIPPED["sequence"][0]) as (trainer, trained):
        coders = section4_sequences.graph_encoder_decoder(trainer, trained.settings)
        sequences = random.integers(1, 51, (n, 6))
        for start, feedback in ways if all_networks else ways[:1]:
            settings = section4_sequences.Settings(start_vector=start, feedback=feedback)
            expected = section4_sequences.predict_sequence(*coders, sequences, settings)
            found = page.evaluate(PREDICT, [sequences.tolist(), start, feedback])
            differences[f"{start}, {feedback}"] = largest_difference(found, expected)
    print(differences)  # `pytest -s` shows them
    assert max(differences.values()) <= TOLERANCE
    assert page.messages == []


@pytest.mark.slow
def test_the_noises_are_as_strong_as_the_reports(open_play, garments):
    page, random = open_play(), np.random.default_rng(0)
    for noise, strength in section3_denoising.NOISE_STRENGTHS.items():
        for factor in (0.5, 1, 2):
            expected = section3_denoising.add_noise(garments, noise, factor * strength, random) - garments
            found = page.evaluate(NOISY, [noise, factor * strength, garments.reshape(N, -1).tolist()])
            measured = np.mean(np.square(found - garments.reshape(N, -1)))
            assert measured == pytest.approx(np.mean(expected ** 2), rel=0.15)


@pytest.mark.slow
def test_the_page_loads_nothing_and_its_policy_refuses_foreign_content(open_play, page_file):
    page = open_play()
    assert page.messages == [] and page.requests == [page_file.as_uri()]
    add = "([name, properties]) => { document.body.append(Object.assign(document.createElement(name), properties)); }"
    for name, properties in (("img", {"src": "http://127.0.0.1:9/a"}), ("script", {"textContent": "hacked = 1"}),
                             ("style", {"textContent": "body { color: red }"}), ("iframe", {"src": "http://127.0.0.1:9"})):
        with page.expect_console_message(lambda message: "Content Security Policy" in message.text, timeout=3000):
            page.evaluate(add, [name, properties])
    assert page.evaluate("typeof hacked") == "undefined"


@pytest.mark.slow
def test_a_slider_moved_by_keyboard_changes_noise_and_decibels(open_play):
    page = open_play()
    denoise, slider = page.locator("#denoise"), page.get_by_label("Strength")
    captions = denoise.locator("figcaption")
    before, maps = captions.all_inner_texts(), "document.querySelector('#denoise .maps').toDataURL()"
    first = page.evaluate(maps)
    slider.press("ArrowRight")
    wait_for(page, "document.querySelector('#denoise .dial .value').innerText == '0.102'")
    slider.press("End")
    wait_for(page, f"document.querySelectorAll('#denoise figcaption')[1].innerText !== {json.dumps(before[1])}")
    after = captions.all_inner_texts()
    assert after[0] == before[0] and all(a != b for a, b in zip(after[1:], before[1:]))
    assert float(after[1].split()[-2]) < float(before[1].split()[-2]) and page.evaluate(maps) != first
    page.get_by_role("radio", name="MaxPooling 4×4×16").check()
    page.get_by_role("img", name="16 feature maps of 4 × 4 pixels").wait_for()


@pytest.mark.slow
def test_an_image_is_drawn_by_mouse_and_by_keyboard(open_play):
    page = open_play()
    page.get_by_role("button", name="Empty, to draw on").first.click()
    canvas = page.get_by_role("application").first
    lit = "document.querySelector('#denoise canvas[tabindex]').getContext('2d').getImageData(0, 0, 28, 28).data" \
          ".filter((level, k) => k % 4 === 2 && level > 100).length"
    wait_for(page, f"{lit} == 0")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60, steps=8)
    page.mouse.up()
    wait_for(page, f"{lit} > 5")
    drawn = page.evaluate(lit)
    pen = lit.replace("(level, k) => k % 4 === 2 && level > 100",
                      "(level, k, data) => k % 4 === 0 && level - data[k + 2] > 200")  # orange
    assert page.evaluate(pen) == 0
    canvas.press("ArrowRight")
    page.wait_for_timeout(100)  # some frames
    assert page.evaluate(pen) == 1
    for key in ("ArrowRight", " ", "ArrowDown", " "):
        canvas.press(key)
    wait_for(page, f"{lit} > {drawn}")


@pytest.mark.slow
def test_a_picture_of_ones_own_is_cut_turned_grey_and_light_on_black(open_play, tmp_path):
    image = pytest.importorskip("PIL.Image")
    picture = image.new("RGB", (300, 200), "white")
    picture.paste("black", (110, 60, 190, 140))
    picture.save(str(tmp_path / "own.png"))
    page = open_play()
    page.locator("#denoise input[type=file]").set_input_files(str(tmp_path / "own.png"))
    level = "document.querySelector('#denoise canvas[tabindex]').getContext('2d').getImageData({}, 14, 1, 1).data[0]"
    wait_for(page, f"{level.format(14)} > 250 && {level.format(1)} < 5")
    (tmp_path / "damaged.png").write_bytes(b"not a picture")
    page.locator("#denoise input[type=file]").set_input_files(str(tmp_path / "damaged.png"))
    page.get_by_text("This browser cannot read the file as a picture.").wait_for()
    assert [text for text in page.messages if "willReadFrequently" not in text] == []  # this test reads pixels


@pytest.mark.slow
def test_the_reports_five_examples_are_answered_right_and_wrong_input_is_named(open_play):
    page = open_play()
    panel, status = page.locator("#sequence"), page.locator("#sequence .status")
    for button in panel.locator(".examples button").all():
        button.click()
        panel.get_by_label("Time step").press("End")
        wait_for(page, "/: right$/.test(document.querySelector('#sequence .status').innerText)")
    panel.get_by_role("spinbutton", name="Number 3").fill("77")
    wait_for(page, "/Expected/.test(document.querySelector('#sequence .status').innerText)")
    assert status.inner_text() == "Expected six whole numbers from 1 to 50"


@pytest.mark.slow
def test_the_map_follows_the_pointer_and_the_sliders(open_play):
    page = open_play()
    shown = "document.querySelector('#codes figure canvas').toDataURL()"
    page.locator("#codes .map").hover(position={"x": 20, "y": 400})
    wait_for(page, "parseFloat(document.querySelector('#codes .dial .value').innerText) < 0.1")
    page.mouse.move(0, 0)  # off the map, which follows the pointer
    first = page.evaluate(shown)
    page.get_by_label("First number").press("End")
    wait_for(page, f"{shown} !== {first!r}")
    assert page.get_by_label("First number").input_value() == "1"


@pytest.mark.slow
def test_one_switch_changes_the_language_and_back(open_play):
    page = open_play()
    english = page.locator("main").inner_text()
    page.get_by_role("button", name="فارسی").click()
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["fa", "rtl"]
    persian = page.locator("main").inner_text()
    assert not {"Denoise", "Strength", "noisy", "Codes"} & set(persian.split())
    page.get_by_role("button", name="English").click()
    assert page.locator("main").inner_text() == english


@pytest.mark.slow
def test_without_script_the_page_says_what_it_needs(open_page, page_file):
    page = open_page(page_file, java_script_enabled=False)
    page.get_by_text("The panels need JavaScript").wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("code", LANGUAGES)
def test_the_panels_work_at_the_end_of_the_results_page(open_page, tmp_path, code):
    write_section(tmp_path, 3, Source("Fashion-MNIST", "drawn sample", "a test"))
    live = play.panels_of_checkpoints(play.SHIPPED)
    page = open_page(write_html_report(tmp_path, LANGUAGES[code], live), viewport=PHONE)
    page.wait_for_selector("body.ready")
    title = {"en": "Sequence to sequence", "fa": "دنباله به دنباله"}[code]
    assert page.get_by_role("heading", name=title).is_visible()
    assert page.locator("#sequence .status").inner_text().startswith("\u206620 19 14\u2069: ")
    assert page.locator("#live").get_by_role("slider").count() == 4 and page.locator(".control").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.messages == []


OPTIONS = [{}, {"viewport": PHONE, "color_scheme": "dark"}, {"language": "fa"}]


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS, ids=["wide", "phone, dark", "Persian"])
def test_the_page_has_no_serious_barrier_and_needs_no_sideways_scroll(open_play, options):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright",
                              reason="needs axe-core: pip install -r requirements-dev.txt")
    options = dict(options)
    language = options.pop("language", "en")
    page = open_play(**options)
    page.locator(f"[data-language={language}]").click()
    found = axe.Axe().run(page).response
    assert len(found["passes"]) > 15
    assert [(rule["id"], [node["html"][:100] for node in rule["nodes"]]) for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")] == []
    assert [(text, ratio) for text, ratio in page.evaluate(CONTRASTS)[1] if ratio < LOWEST_CONTRAST] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
