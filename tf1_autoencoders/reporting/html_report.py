"""The results page: one HTML file with its figures inside, made from the transcripts that the sections' runs leave.

The page loads nothing. Its style is page.css, its script page.js, which only turns frames side by side into a slider.
"""
from __future__ import annotations

import base64
import html
import itertools
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from tf1_autoencoders.reporting import comparison
from tf1_autoencoders.reporting.language import ENGLISH, Language
from tf1_autoencoders.reporting.live_panels import LivePanels, checksum
from tf1_autoencoders.reporting.run_log import TRANSCRIPT
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.files import read_json, sha256_of_file, write_atomically
from tf1_autoencoders.utils.paths import display_path

MAX_FIGURE_BYTES = 16 << 20  # a run's figures have some 100000
DARK = "screen and (prefers-color-scheme: dark)"  # as in page.css
N_UNFOLDED = 16  # longest table, and most lines of text, that are not folded

STYLE, SCRIPT = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))

_FOLDERS_OF_ABSOLUTE_PATH = re.compile(r"(?<![\w./\\])(?:/(?!/)|[A-Za-z]:[/\\]|\\\\)(?:[^\s/\\()\"']+[/\\])+")

TITLE = "Autoencoders: the report, run again"
INTRODUCTION = (
    "This page shows neural networks at work. A homework on autoencoders, networks that squeeze their input through a "
    "narrow middle and restore it, trained four of them and printed what came out; here they are trained again. One "
    "restores pictures of clothes from ten numbers, one restores horses, one removes noise, and one answers sequences "
    "of numbers. Each card below is one of the homework's four sections, with the last numbers of its training: the "
    "report's, and those of this run. The figures, the output and the tables of each section follow.")
READING_TITLE = "How to read the numbers"
READING = (
    "The report does not say from which random numbers its trainings started, and each start, called a seed, ends at "
    "somewhat other numbers. So each printed number is one draw of many. Where the same training was repeated here "
    "with several seeds, two verdicts stand beside a number: whether the report's value is one that these seeds could "
    "have given, and whether this run's value is. Inside means: within the interval that a further seed misses in one "
    "case of twenty.",
    "Loss is the error that a training makes smaller; val_loss is the same error on images that are kept apart from "
    "the training. An epoch is one pass over the training data. In sections 1 and 4 the report's training loss is "
    "progress_bar_loss: the progress bar of its Keras showed the mean of the means so far, which lies above the mean "
    "of the epoch. Both are measured here.")
WORDS = "Words in the figure"  # which are English; shown on a page of another language


class SectionPage(NamedTuple):
    """The parts of the page that one section has: its entry in the contents, its card and its text, as HTML."""

    contents: str
    card: str
    text: str


def write_html_report(folder: Path, language: Language = ENGLISH, live: Optional[LivePanels] = None) -> Path:
    """Write folder/report.html from the transcripts of all sections in that folder; return its path.

    Args:
        folder: the results folder of one or more runs.
        language: of the page's headings, captions and cards.
        live: panels in which the page computes the runs' networks, for its end.

    Raises:
        UserError: a transcript is damaged, or no run left it.
    """
    sections = []
    for file in sorted(folder.glob(f"section[0-9]/{TRANSCRIPT}")):
        try:
            sections.append(_section_page(read_json(file), file.parent, language))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(f"{display_path(file)}: not the transcript of a run ({one_line(error)}); "
                            "run the section again") from error
    contents, cards, texts = ("".join(getattr(section, part) for section in sections) for part in SectionPage._fields)
    title, contents_title, introduction, live_title, reading_title = map(
        language.translate, (TITLE, "Contents", INTRODUCTION, "The networks, live", READING_TITLE))
    contents += f'<li><a href="#reading">{reading_title}</a></li>'
    reading = "".join(f"<p>{language.translate(text)}</p>" for text in READING)
    texts += f'<section id="reading"><h2>{reading_title}</h2>{reading}</section>\n'
    scripts, style = [SCRIPT], STYLE
    if live:
        scripts, style = [SCRIPT, live.script], STYLE + live.style
        contents += f'<li><a href="#live">{live_title}</a></li>'
        texts += f'<section id="live"><h2>{live_title}</h2>{live.html}</section>\n'
    page = f"""<!doctype html><html lang="{language.code}" dir="{language.direction}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline';
script-src {" ".join(map(checksum, scripts))}"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>
<body data-slider="{language.translate("From {} to {}")}"><nav aria-label="{contents_title}">
<details><summary>{contents_title}</summary><ul>{contents}</ul></details></nav>
<main><h1>{title}</h1><p>{introduction}</p><ul class="cards">{cards}</ul>
{texts}</main>{"".join(f"<script>{script}</script>" for script in scripts)}</body></html>
"""
    return write_atomically(folder / "report.html", page.encode(errors="replace"))  # JSON can hold what UTF-8 cannot


def _escape(text: str) -> str:
    """Return `text` as HTML. Of an absolute path only the last name is left: a page is passed on to other people."""
    return html.escape(_FOLDERS_OF_ABSOLUTE_PATH.sub(".../", text))


# ---- A section ----

def _section_page(content: Dict[str, Any], folder: Path, language: Language) -> SectionPage:
    """Return a section's parts of the page, from the content of its transcript."""
    content, translate = language.translate_transcript(content), language.translate
    number, compared = content["section"], content["compared"]
    if type(number) is not int:
        raise ValueError(f"its section is a {type(number).__name__}")
    last_heading = {"kind": "heading", "text": translate("Published beside measured")}
    events = [*content["transcript"], *([last_heading] if compared else [])]
    headings = [event for event in events if event["kind"] == "heading"]
    for k, heading in enumerate(headings, start=1):
        heading["anchor"] = f"section{number}-{k}"
    files = [figure["file"] for event in events for figure in _figures(event)]
    if len(files) > len(set(files)):
        raise ValueError("it shows a figure twice")
    verdicts = [_escape(translate(line)) for line in comparison.count_verdicts(compared)]

    section_title = _escape(translate(f"Section {number}: {content['title']}"))
    parts = [_introduction_html(content, section_title, language)]
    for kind, group in itertools.groupby(events, key=lambda event: event["kind"]):
        alike = list(group)
        if kind == "text":  # lines that stand together on the terminal stand together here
            alike = [{"lines": [line for event in alike for line in event["lines"]]}]
        parts += [_HTML_OF_EVENT[kind](event, folder, language) for event in alike]
    if compared:
        columns = [column for column in zip(comparison.HEADER, *compared) if any(column[1:])]  # not all have true means
        header, *rows = zip(*columns)
        table = {"caption": translate(f"Section {number}: published beside measured"), "header": header, "rows": rows}
        # older transcripts have no bands
        judged_by = [_escape(translate(content["bands"]))] if content.get("bands") else []
        parts += [f"<p>{'<br>'.join([*verdicts, *judged_by])}</p>", _table_html(table, folder, language),
                  f'<p dir="auto">{_escape(translate(content["note"]))} '
                  f'<a href="#reading">{translate(READING_TITLE)}</a></p>']
    settings = [(name, json.dumps(value)) for name, value in content["settings"].items()]
    parts += [_table_html({"caption": translate(f"Section {number}: settings and versions"),
                           "header": ("name", "value"), "rows": settings + list(content["versions"].items())},
                          folder, language, fold=True)]

    links = "".join(f'<li><a href="#{heading["anchor"]}">{_escape(heading["text"])}</a></li>' for heading in headings)
    text = "\n".join(parts)
    return SectionPage(
        f'<li><a href="#section{number}">{section_title}</a><ul>{links}</ul></li>',
        _card_html(content, section_title, verdicts, language), f'<section id="section{number}">{text}</section>\n')


def _introduction_html(content: Dict[str, Any], section_title: str, language: Language) -> str:
    """Return the section's title, the data it was run on, and what its file says about it."""
    warning = language.translate(f"Everything in this section is made from the {content['mark']}, not from the "
                                 "report's data; no published number stands beside it.")
    about, _, departures = content["about"].partition("Departures:")
    mark = f'<p class="mark">{_escape(warning)}</p>' if content["mark"] else ""
    network = {"keras": "Keras twin"}.get(content["backend"], "TensorFlow 1 graph")
    run = language.translate(f"Data: {content['source']}. Network: the {network}, with the preset "
                             f"{content['preset']} and seed {content['settings']['seed']}.")
    return (f'<h2>{section_title}</h2>\n<p dir="auto">{_escape(run)}</p>{mark}\n'
            f"{_about_html(about.partition('Source:')[0], language)}\n"
            f'<p dir="auto"><b>{language.translate("Departures from the report:")}</b> '
            f'{_escape(language.translate(" ".join(departures.split())))}</p>')


def _about_html(about: str, language: Language) -> str:
    """Return the first paragraphs of a section's docstring: sentences, and the indented sketch of its network."""
    paragraphs = [text for text in about.split("\n\n") if text.strip()]
    return "".join(f"<pre>{_escape(text.strip())}</pre>" if text.startswith("    ") else
                   f'<p dir="auto">{_escape(language.translate(" ".join(text.split())))}</p>' for text in paragraphs)


def _card_html(content: Dict[str, Any], section_title: str, verdicts: Sequence[str], language: Language) -> str:
    """Return the section's card: title, key figures and verdicts."""
    number, mark = content["section"], content["mark"]
    rows = content.get("key_figures", [])  # older transcripts have none
    header = ("", "this run") if mark else ("", "published", "this run")
    head = "".join(f'<th scope="col">{language.translate(name)}</th>' if name else "<td></td>" for name in header)
    body = "".join(f'<tr><td>{_escape(name)}</td>{"" if mark else f"<td>{_escape(published)}</td>"}'
                   f"<td>{_escape(measured)}</td></tr>" for name, published, measured in rows)
    origin = language.translate(f"Made from the {mark}, not from the report's data")
    lines = [f'<span class="mark">{_escape(origin)}</span>'] if mark else list(verdicts)
    lines += [f'<span class="mark">{_escape(note)}</span>' for note in content.get("notes", ())]
    return (f'<li><p class="title"><a href="#section{number}">{section_title}</a></p>'
            + (f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else "")
            + f"<p>{'<br>'.join(lines)}</p></li>")


# ---- What a transcript is made of ----

def _heading_html(event: Dict[str, Any], folder: Path, language: Language) -> str:
    return f'<h3 id="{event["anchor"]}">{_escape(event["text"])}</h3>'


def _text_html(event: Dict[str, Any], folder: Path, language: Language) -> str:
    lines = [_escape(line) for line in event["lines"]]
    text = f"<pre>{chr(10).join(lines)}</pre>"
    return text if len(lines) <= N_UNFOLDED else _folded(
        language.translate(f"{len(lines)} lines, the last: {lines[-1]}"), text)


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary>{content}</details>"


def _figures(event: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Return the figures in an entry of the transcript, dicts with a file: the frames of a slider, or the figure."""
    if event["kind"] == "slider" and not event["frames"]:
        raise ValueError("it has a slider without frames")
    return event["frames"] if event["kind"] == "slider" else [event] if event["kind"] == "figure" else []


def _figures_html(event: Dict[str, Any], folder: Path, language: Language) -> str:
    """Return a figure, or the frames of a slider side by side, which the page's script puts behind each other."""
    caption, slider, images = _escape(event["caption"]), event["kind"] == "slider", []
    words: Dict[str, str] = {}  # of the figures, which are English, in another language
    for figure in _figures(event):
        contents = {}
        for scheme, of_scheme in (("light", figure), ("dark", figure.get("dark"))):  # older transcripts have no dark
            if of_scheme is None:
                continue
            file = folder / of_scheme["file"]
            if file.name != of_scheme["file"] or not file.is_file() or file.stat().st_size > MAX_FIGURE_BYTES:
                raise ValueError(f"its figure {of_scheme['file'][:80]} is not a file of a figure's size beside it")
            checksum_of_file = sha256_of_file(file)
            if of_scheme.get("sha256", checksum_of_file) != checksum_of_file:  # nor a checksum
                return f'<p class="mark">{caption}: {_escape(file.name)} is not the figure that this run drew; ' \
                       "run the section again.</p>"
            contents[scheme] = file.read_bytes()
        label = _escape(figure["label"]) if slider else ""
        alternative, data = (f"{caption}: {label}", f' data-label="{label}"') if slider else (caption, "")
        images.append(_image_html(contents, f'alt="{alternative}"{data}'))
        words.update((text, language.translate(text)) for text in figure.get("texts", ()))
    frames = f'<div class="frames">{"".join(images)}</div>' if slider else images[0]
    explained = "".join(f"<dt>{_escape(' '.join(text.split()))}</dt><dd>{_escape(translated)}</dd>"
                        for text, translated in words.items() if translated != text)
    return (f"<figure{' class=slider' if slider else ''}>"
            f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}">{frames}</div>'
            f"<figcaption>{caption}{explained and _folded(language.translate(WORDS), f'<dl>{explained}</dl>')}"
            "</figcaption></figure>")


def _image_html(contents: Dict[str, bytes], attributes: str) -> str:
    """Return an image as HTML, from its PNG files {"light", "dark"}; a page in the dark shows the dark one, if any."""
    light, *dark = (f"data:image/png;base64,{base64.b64encode(content).decode()}" for content in contents.values())
    width = int.from_bytes(contents["light"][16:20], "big")  # of the PNG's header
    image = f'<img {attributes} style="--width: {width}px" src="{light}">'
    return f'<picture><source media="{DARK}" srcset="{dark[0]}">{image}</picture>' if dark else image


def _table_html(event: Dict[str, Any], folder: Path, language: Language, fold: bool = False) -> str:
    def cell(text: str) -> str:
        kind = {"inside": ' class="inside"'}.get(text, ' class="outside"' if comparison.is_outside(text) else "")
        return f"<td{kind}>{_escape(language.translate(text))}</td>"
    caption, rows = _escape(event["caption"]), event["rows"]
    head = "".join(f'<th scope="col">{_escape(language.translate(name))}</th>' for name in event["header"])
    body = "".join(f"<tr>{''.join(cell(str(text)) for text in row)}</tr>" for row in rows)
    table = (f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table>'
             f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")
    n_rows = language.translate(f"{len(rows)} rows")
    return _folded(f"{caption} ({n_rows})", table) if fold or len(rows) > N_UNFOLDED else table


_HTML_OF_EVENT: Dict[str, Callable[[Dict[str, Any], Path, Language], str]] = {
    "heading": _heading_html, "text": _text_html, "figure": _figures_html, "slider": _figures_html,
    "table": _table_html}
