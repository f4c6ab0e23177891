"""The results page: one HTML file with its figures inside, made from the transcripts that the sections' runs leave."""
from __future__ import annotations

import base64
import html
import itertools
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict

from tf1_autoencoders.reporting import comparison
from tf1_autoencoders.reporting.run_log import TRANSCRIPT
from tf1_autoencoders.utils.errors import UserError, one_line
from tf1_autoencoders.utils.files import read_json, sha256_of_file, write_atomically
from tf1_autoencoders.utils.paths import display_path

MAX_FIGURE_BYTES = 16 << 20  # a run's figures have some 100000

STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --panel: #f4f4f4; --line: #d0d0d0; --image-ground: #ffffff;
  --text: #1b1b1b; --muted: #595959; --link: #1a5fcc; --warning: #b00020; --good: #1a6e31; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ground: #121212; --panel: #1f1f1f; --line: #444444;
    --text: #ececec; --muted: #b0b0b0; --link: #79b4ff; --warning: #ff8f98; --good: #66d17f; } }
* { box-sizing: border-box; }
body { background: var(--ground); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; margin: 0 auto;
  max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; }
h2 { margin-top: 3rem; border-top: 2px solid var(--line); padding-top: 1rem; }
h3 { margin-top: 2rem; break-after: avoid; }
nav a { margin-right: 1.2rem; } a { color: var(--link); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
pre { background: var(--panel); border-radius: .3rem; font-size: .8rem; line-height: 1.4; padding: .7rem;
  white-space: pre-wrap; overflow-wrap: break-word; }
figure { margin: 1.2rem 0; }
img { max-width: 100%; height: auto; background: var(--image-ground); border-radius: .3rem; }
figcaption { font-size: .88rem; color: var(--muted); }
.mark { color: var(--warning); font-weight: 600; }
.inside { color: var(--good); } .outside { color: var(--warning); }
@media screen { pre.scroll { white-space: pre; } }
@media print { :root { font-size: 11px; } body { max-width: none; padding: 0; } nav { display: none; }
  section ~ section { break-before: page; } figure, table { break-inside: avoid; } img { max-height: 7cm; }
  .scroll { overflow: visible; } }
"""

_FOLDERS_OF_ABSOLUTE_PATH = re.compile(r"(?<![\w./\\])(?:/(?!/)|[A-Za-z]:[/\\]|\\\\)(?:[^\s/\\()\"']+[/\\])+")

INTRODUCTION = """The report is a homework on autoencoders in four sections. Each section was run here from its data to
its last figure, in the report's order, and the report's printed numbers stand beside the measured ones. The report
gives no seed, so each of its numbers is one draw. Two verdicts stand beside each number: whether the published value
lies inside the spread over the seeds measured here, and whether this run's value does. The spread is a prediction
interval, which a further seed misses in one case of twenty. What the report calls the loss of an epoch in sections 1
and 4 is what the progress bar of its Keras showed, the mean of the running means; the true mean stands beside it."""


def write_html_report(folder: Path) -> Path:
    """Write folder/report.html from the transcripts of all sections in that folder; return its path.

    Raises:
        UserError: a transcript is damaged, or no run left it.
    """
    sections = []
    for file in sorted(folder.glob(f"section[0-9]/{TRANSCRIPT}")):
        try:
            content = read_json(file)
            sections.append((content["section"], _section_html(content, file.parent)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(f"{display_path(file)}: not the transcript of a run ({one_line(error)}); "
                            "run the section again") from error
    links = "".join(f'<a href="#section{number}">Section {number}</a>' for number, _ in sections)
    page = (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Autoencoders: the report, run again'
            f'</title><meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
            f"<body><h1>Autoencoders: the report, run again</h1><p>{INTRODUCTION}</p><nav>{links}</nav>"
            f"{''.join(section for _, section in sections)}</body></html>\n")
    return write_atomically(folder / "report.html", page.encode(errors="replace"))  # JSON can hold what UTF-8 cannot


def _escape(text: str) -> str:
    """Return `text` as HTML. Of an absolute path only the last name is left: a page is passed on to other people."""
    return html.escape(_FOLDERS_OF_ABSOLUTE_PATH.sub(".../", text))


def _section_html(content: Dict[str, Any], folder: Path) -> str:
    """Return the HTML of a section, from the content of its transcript."""
    number, mark, events = content["section"], content["mark"], content["transcript"]
    if type(number) is not int:
        raise ValueError(f"its section is a {type(number).__name__}")
    files = [event["file"] for event in events if event["kind"] == "figure"]
    if len(files) > len(set(files)):
        raise ValueError("it shows a figure twice")
    parts = [f'<section id="section{number}"><h2>Section {number}: {_escape(content["title"])}</h2>',
             f'<p>{_escape(content["source"])}; preset {_escape(content["preset"])}, '
             f'{_escape(content["backend"])}, seed {_escape(str(content["settings"]["seed"]))}.'
             + (f' <span class="mark">Everything in this section is made from the {_escape(mark)}, not from the '
                "report's data; no published number stands beside it.</span>" if mark else "") + "</p>"]
    about, _, departures = content["about"].partition("Departures:")
    parts += [f"<pre>{_escape(about.partition('Source:')[0].strip())}</pre>",
              f"<p><b>Departures from the report:</b> {_escape(departures.strip())}</p>"]
    for kind, group in itertools.groupby(events, key=lambda event: event["kind"]):
        alike = list(group)
        if kind == "text":  # lines that stand together on the terminal stand together here
            alike = [{"lines": [line for event in alike for line in event["lines"]]}]
        parts += [_HTML_OF_EVENT[kind](event, folder) for event in alike]
    if content["compared"]:
        parts += ["<h3>Published beside measured</h3>", _table_html({
            "caption": f"Section {number}", "header": comparison.HEADER, "rows": content["compared"]}, folder),
            f"<p>{_escape(content['note'])}</p>"]
    settings = [(name, json.dumps(value)) for name, value in content["settings"].items()]
    versions = list(content["versions"].items())
    parts += ["<h3>Settings and versions</h3>", _table_html(
        {"caption": "", "header": ("name", "value"), "rows": settings + versions}, folder), "</section>"]
    return "\n".join(parts)


def _heading_html(event: Dict[str, Any], folder: Path) -> str:
    return f"<h3>{_escape(event['text'])}</h3>"


def _text_html(event: Dict[str, Any], folder: Path) -> str:
    return f'<pre class="scroll">{_escape(chr(10).join(event["lines"]))}</pre>'


def _figure_html(event: Dict[str, Any], folder: Path) -> str:
    file = folder / event["file"]
    if file.name != event["file"] or not file.is_file() or file.stat().st_size > MAX_FIGURE_BYTES:
        raise ValueError(f"its figure {event['file'][:80]} is not a file of a figure's size beside it")
    caption = _escape(event["caption"])
    if event.get("sha256", sha256_of_file(file)) != sha256_of_file(file):  # older transcripts have no checksum
        return f'<p class="mark">{caption}: {_escape(file.name)} is not the figure that this run drew; ' \
               "run the section again.</p>"
    content = base64.b64encode(file.read_bytes()).decode()
    return (f'<figure><img alt="{caption}" src="data:image/png;base64,{content}">'
            f"<figcaption>{caption}</figcaption></figure>")


def _table_html(event: Dict[str, Any], folder: Path) -> str:
    def cell(text: str) -> str:
        kind = {"inside": ' class="inside"'}.get(text, ' class="outside"' if text.endswith("the mean") else "")
        return f"<td{kind}>{_escape(text)}</td>"
    head = "".join(f"<th>{_escape(name)}</th>" for name in event["header"])
    body = "".join(f"<tr>{''.join(cell(str(text)) for text in row)}</tr>" for row in event["rows"])
    caption = f"<caption>{_escape(event['caption'])}</caption>" if event["caption"] else ""
    return (f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")


_HTML_OF_EVENT: Dict[str, Callable[[Dict[str, Any], Path], str]] = {
    "heading": _heading_html, "text": _text_html, "figure": _figure_html, "table": _table_html}
