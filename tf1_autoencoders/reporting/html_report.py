"""The results page: one file, pictures inside, made of the accounts that the sections' runs leave behind."""
from __future__ import annotations

import base64
import html
import itertools
import json
from pathlib import Path

from tf1_autoencoders.reporting import comparison
from tf1_autoencoders.reporting.run_log import ACCOUNT
from tf1_autoencoders.utils.errors import UserError, brief
from tf1_autoencoders.utils.files import read_json, write_whole
from tf1_autoencoders.utils.paths import shown

LARGEST_PICTURE = 16 << 20  # bytes; those of a run have some 100000

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #1f6feb; --warn: #b00020; }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; }
h2 { margin-top: 3rem; border-top: 2px solid var(--line); padding-top: 1rem; }
h3 { margin-top: 2rem; break-after: avoid; }
nav a { margin-right: 1.2rem; } a { color: var(--accent); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .88rem; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
pre { background: var(--soft); border-radius: .3rem; font-size: .8rem; line-height: 1.4; padding: .7rem;
  white-space: pre-wrap; overflow-wrap: break-word; }
figure { margin: 1.2rem 0; } img { max-width: 100%; height: auto; background: white; border-radius: .3rem; }
figcaption { font-size: .88rem; opacity: .8; }
.mark { color: var(--warn); font-weight: 600; }
.inside { color: #1a7f37; } .outside { color: var(--warn); }
@media print { body { max-width: none; font-size: 11px; } h2 { break-before: page; } figure { break-inside: avoid; }
  .scroll { overflow: visible; } nav { display: none; } }
"""

INTRODUCTION = """The report is a homework on autoencoders in four sections. Each was run here from its data to its last
picture, in the report's order; its printed numbers stand beside those measured. The report gives no seed, so each of
its numbers is one draw: the verdict says whether it lies inside the spread that the seeds have here (within two
standard deviations of their mean, or between the lowest and the highest)."""


def write(folder):
    """Make folder/report.html of the accounts of all sections that have been run into that folder; returns its path.

    Raises:
        UserError: an account is not what a run leaves behind.
    """
    folder = Path(folder)
    accounts = []
    for file in sorted(folder.glob(f"section*/{ACCOUNT}")):
        try:
            account = read_json(file)
            accounts.append((account["section"], _section(account, file.parent)))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(f"{shown(file)}: not the account of a run ({brief(error)}); "
                            "run the section again") from error
    links = "".join(f'<a href="#section{number}">Section {number}</a>' for number, _ in accounts)
    page = (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Autoencoders: the report, run again'
            f'</title><meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
            f"<body><h1>Autoencoders: the report, run again</h1><p>{INTRODUCTION}</p><nav>{links}</nav>"
            f"{''.join(body for _, body in accounts)}</body></html>\n")
    return write_whole(folder / "report.html", page.encode(errors="replace"))  # JSON can hold what UTF-8 cannot


def _section(account, folder):
    """A section of the page."""
    number, mark = account["section"], account["mark"]
    if type(number) is not int:
        raise ValueError(f"its section is a {type(number).__name__}")
    pictures = [event["file"] for event in account["account"] if event["kind"] == "figure"]
    if len(pictures) > len(set(pictures)):
        raise ValueError("it shows a picture twice")
    parts = [f'<section id="section{number}"><h2>Section {number}: {html.escape(account["title"])}</h2>',
             f'<p>{html.escape(account["source"])}; preset {html.escape(account["preset"])}, '
             f'{html.escape(account["backend"])}, seed {html.escape(str(account["settings"]["seed"]))}.'
             + (f' <span class="mark">Everything in this section is made from the {html.escape(mark)}, not from the '
                "report's data; no published number stands beside it.</span>" if mark else "") + "</p>"]
    about, _, departures = account["about"].partition("Departures:")
    parts += [f"<pre>{html.escape(about.partition('Source:')[0].strip())}</pre>",
              f"<p><b>Departures from the report.</b> {html.escape(departures.strip())}</p>"]
    for kind, events in itertools.groupby(account["account"], key=lambda event: event["kind"]):
        events = list(events)
        if kind == "text":  # what stands together on the terminal stands together here
            events = [{"lines": [line for event in events for line in event["lines"]]}]
        parts += [_EVENTS[kind](event, folder) for event in events]
    if account["compared"]:
        parts += ["<h3>Published beside measured</h3>", _table({
            "caption": f"Section {number}", "header": comparison.HEADER, "rows": account["compared"]}, folder)]
        note = comparison.NOTES.get(number)
        parts.append(f"<p>{html.escape(note)}</p>" if note else "")
    settings = [(name, json.dumps(value)) for name, value in account["settings"].items()]
    versions = [(name, value) for name, value in account["versions"].items()]
    parts += ["<h3>Settings and versions</h3>", _table({"caption": "", "header": ("name", "value"),
                                                        "rows": settings + versions}, folder), "</section>"]
    return "\n".join(parts)


def _heading(event, folder):
    return f"<h3>{html.escape(event['text'])}</h3>"


def _text(event, folder):
    return f"<pre>{html.escape(chr(10).join(event['lines']))}</pre>"


def _figure(event, folder):
    file = folder / event["file"]
    if file.name != event["file"] or not file.is_file() or file.stat().st_size > LARGEST_PICTURE:
        raise ValueError(f"its picture {event['file'][:80]} is not a file beside it of a picture's size")
    picture = base64.b64encode(file.read_bytes()).decode()
    caption = html.escape(event["caption"])
    return (f'<figure><img alt="{caption}" src="data:image/png;base64,{picture}">'
            f"<figcaption>{caption}</figcaption></figure>")


def _table(event, folder):
    def cell(text):
        kind = {"inside": ' class="inside"'}.get(text, ' class="outside"' if text.endswith("the mean") else "")
        return f"<td{kind}>{html.escape(text)}</td>"
    head = "".join(f"<th>{html.escape(name)}</th>" for name in event["header"])
    body = "".join(f"<tr>{''.join(cell(str(text)) for text in row)}</tr>" for row in event["rows"])
    return (f'<div class="scroll"><table><caption>{html.escape(event["caption"])}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>")


_EVENTS = {"heading": _heading, "text": _text, "figure": _figure, "table": _table}
