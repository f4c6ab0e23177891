"""The results page in a real browser: Chromium, through Playwright. Without one of them the tests are skipped."""
import dataclasses

import numpy as np
import pytest

from tf1_autoencoders.datasets import Source
from tf1_autoencoders.reporting import figures
from tf1_autoencoders.reporting.html_report import write_html_report
from tf1_autoencoders.reporting.language import LANGUAGES
from tf1_autoencoders.reporting.run_log import RunLog
from tf1_autoencoders.sections import SECTIONS

WIDE, PHONE = {"width": 1400, "height": 900}, {"width": 400, "height": 800}
LOWEST_CONTRAST = 4.5  # of text, by WCAG 2.2, level AA

CONTRASTS = """() => {
  const numbers = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = color => numbers(color).slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
  const ground = element => {
    const color = getComputedStyle(element).backgroundColor;
    if (numbers(color)[3] !== 0) return color;
    return element.parentElement ? ground(element.parentElement) : "rgb(255, 255, 255)";
  };
  const result = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const both = [getComputedStyle(element).color, ground(element)].map(luminance).sort((a, b) => a - b);
    result.push([texts.currentNode.data.slice(0, 40), (both[1] + 0.05) / (both[0] + 0.05)]);
  }
  return [luminance(ground(document.body)), result];
}"""


def write_section(folder, number, source):
    """Write the transcript of a section with one entry of each kind, long and short, and 2 % above the report."""
    section = SECTIONS[number]
    identity = {"section": number, "preset": "report", "backend": "graph", "versions": {"tensorflow": "2"},
                "settings": dataclasses.asdict(section.presets["report"])}
    log = RunLog(section, identity, source, folder)
    log.heading("Training")
    for name, value in section.published.items():
        log.epoch(int(name.split()[1]), f"{name}: {1.02 * value:.4f}", {}, {name: 1.02 * value})
    log.figure("image", "An image", figures.images([np.zeros(784)], ["a title"]))
    log.heading("Results, which have a heading too long for the width of the contents beside them")
    log.slider("frames", "Frames", {f"{k}%": figures.images([np.full(784, k)] * 3, ["a", "b", "c"])
                                    for k in (0, 50, 100)})
    log.table("A wide table", [f"column {k}" for k in range(30)], [range(30)] * 3)
    log.say("a long line " * 40)
    log.key_figure("a key figure", "7.5 dB")
    log.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return {language: page of two sections, one of them made from the drawn sample}."""
    pages = {}
    for code, language in LANGUAGES.items():
        folder = tmp_path_factory.mktemp("results")
        write_section(folder, 1, Source("Fashion-MNIST", "official", "a test"))
        write_section(folder, 3, Source("Fashion-MNIST", "drawn sample", "a test"))
        pages[code] = write_html_report(folder, language)
    return pages


@pytest.fixture
def open_report(open_page, report):
    """Return a function that opens the page in a fresh context with options such as viewport and color_scheme."""
    return lambda language="en", **options: open_page(report[language], **{"viewport": WIDE, **options})


def unfold(page):
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")


def visible_frames(page):
    """Return the labels of the frames of the first slider that can be seen."""
    frames = page.locator(".slider").first.locator("img").all()
    return [frame.get_attribute("data-label") for frame in frames if frame.is_visible()]


def test_the_page_loads_without_a_message_and_without_the_network(open_report, report):
    page = open_report()
    unfold(page)
    page.wait_for_load_state("networkidle")
    assert page.messages == []
    assert [url for url in page.requests if not url.startswith("data:")] == [report["en"].as_uri()]
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")


def test_the_browser_refuses_what_the_page_does_not_contain(open_report):
    page = open_report()
    add = "([name, src]) => { document.body.append(Object.assign(document.createElement(name), {src})); }"
    for name, source in (("img", "http://127.0.0.1:9/a"), ("script", "data:,x=1"), ("iframe", "http://127.0.0.1:9/")):
        with page.expect_console_message(lambda message: "Content Security Policy" in message.text, timeout=3000):
            page.evaluate(add, [name, source])


@pytest.mark.slow
def test_the_slider_is_moved_by_keyboard_and_shows_the_frame_that_it_names(open_report):
    page = open_report()
    slider = page.get_by_role("slider", name="From 0% to 100%").first
    assert visible_frames(page) == ["0%"] and slider.get_attribute("aria-valuetext") == "0%"
    before = page.locator(".slider").first.screenshot()
    for key, label in (("ArrowRight", "50%"), ("ArrowRight", "100%"), ("ArrowRight", "100%"), ("Home", "0%")):
        slider.press(key)
        assert visible_frames(page) == [label] and slider.get_attribute("aria-valuetext") == label
        assert page.locator(".control").first.inner_text().endswith(label)
    slider.press("End")
    assert page.locator(".slider").first.screenshot() != before
    assert page.locator(".slider").last.locator("img.shown").get_attribute("data-label") == "0%"  # moved by its own


def test_without_script_all_frames_stand_side_by_side_without_a_slider(open_report):
    page = open_report(java_script_enabled=False)
    assert visible_frames(page) == ["0%", "50%", "100%"] and page.locator("input").count() == 0
    first, second = (page.locator(".slider img").nth(k).bounding_box() for k in (0, 1))
    assert first["y"] == second["y"] and first["x"] + first["width"] <= second["x"]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_readable_in_light_and_dark(open_report, scheme):
    page = open_report(color_scheme=scheme)
    unfold(page)
    ground, texts = page.evaluate(CONTRASTS)
    assert (ground > 0.5) == (scheme == "light")
    assert len(texts) > 300
    assert [(text, ratio) for text, ratio in texts if ratio < LOWEST_CONTRAST] == []


@pytest.mark.slow
def test_a_phone_needs_no_sideways_scroll_and_has_the_contents_folded_above(open_report):
    page = open_report(viewport=PHONE)
    entry = page.get_by_role("navigation", name="Contents").get_by_role("link", name="Training").first
    assert not entry.is_visible()
    unfold(page)
    assert entry.is_visible() and entry.bounding_box()["y"] < page.locator("h1").bounding_box()["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.slow
def test_the_contents_stay_at_the_side_of_a_wide_screen_and_lead_to_the_headings(open_report):
    page = open_report()
    contents = page.get_by_role("navigation", name="Contents")
    last = contents.get_by_role("link", name="Results, which").last
    last.click()
    heading = page.locator("h3", has_text="Results, which").last
    page.wait_for_function("scrollY > 0")
    assert 0 <= heading.bounding_box()["y"] < WIDE["height"]
    box = contents.bounding_box()
    assert last.is_visible() and box["y"] >= 0 and box["x"] + box["width"] <= heading.bounding_box()["x"]


@pytest.mark.slow
def test_the_printed_page_has_everything_unfolded_and_every_frame(open_report):
    page = open_report()
    page.emulate_media(media="print")
    folded = page.evaluate("""() => [...document.querySelectorAll("main details > :not(summary)")]
        .map(element => element.checkVisibility() && element.offsetHeight > 0)""")
    assert len(folded) >= 5 and all(folded)
    assert visible_frames(page) == ["0%", "50%", "100%"]
    assert not page.get_by_role("slider").first.is_visible() and not page.locator("nav").is_visible()


@pytest.mark.slow
def test_the_persian_page_is_laid_out_from_right_to_left_and_its_output_from_left_to_right(open_report):
    page = open_report("fa")
    heading, contents = page.locator("h3", has_text="آموزش").first, page.get_by_role("navigation", name="فهرست")
    assert contents.bounding_box()["x"] >= heading.bounding_box()["x"] + heading.bounding_box()["width"]
    assert page.get_by_role("slider", name="از 0% تا 100%").first.is_visible()
    assert page.locator("pre").first.evaluate("element => getComputedStyle(element).direction") == "ltr"
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.slow
def test_a_page_in_the_dark_shows_the_figures_on_a_dark_ground_and_a_printed_one_on_a_light_one(open_report):
    shown = "document.querySelector('figure img').currentSrc"
    light, page = open_report().evaluate(shown), open_report(color_scheme="dark")
    dark = page.evaluate(shown)
    page.emulate_media(media="print", color_scheme="dark")
    for _ in range(100):  # the page's policy lets no function wait in it
        if page.evaluate(shown) != dark:
            break
        page.wait_for_timeout(50)
    assert dark != light and page.evaluate(shown) == light


@pytest.mark.slow
def test_a_wide_figure_scrolls_on_a_phone_so_that_its_words_are_not_smaller_than_half(open_report):
    page = open_report(viewport=PHONE)
    wide = page.locator(".slider img.shown").first
    assert wide.evaluate("image => image.getBoundingClientRect().width / image.naturalWidth") >= 0.5
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.slow
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_long_line_of_the_output_is_visible_whole(open_report, viewport):
    page = open_report(viewport=viewport)
    unfold(page)
    text = page.locator("pre", has_text="a long line").first
    assert text.evaluate("element => element.scrollWidth <= element.clientWidth && element.clientHeight > 40")


@pytest.mark.slow
def test_a_table_of_the_persian_page_begins_at_its_first_column_on_a_phone(open_report):
    page = open_report("fa", viewport=PHONE)
    unfold(page)
    scroller = page.locator(".scroll:has(table)", has_text="column 29").first
    assert scroller.evaluate("element => element.scrollWidth > element.clientWidth")
    left = scroller.bounding_box()["x"]
    first, last = (scroller.locator("th").nth(k).bounding_box()["x"] for k in (0, -1))
    assert left <= first < left + PHONE["width"] < last
    assert scroller.locator("caption").bounding_box()["width"] <= PHONE["width"]


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"viewport": PHONE, "color_scheme": "dark"}, {"language": "fa"}],
                         ids=["wide", "phone, dark", "Persian"])
def test_axe_finds_no_serious_or_critical_barrier(open_report, options):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright",
                              reason="needs axe-core: pip install -r requirements-dev.txt")
    page = open_report(**options)
    unfold(page)
    found = axe.Axe().run(page).response
    assert len(found["passes"]) > 15
    assert [(rule["id"], [node["html"][:100] for node in rule["nodes"]]) for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")] == []
