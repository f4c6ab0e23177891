"""The panels in which a page computes trained networks by itself: docs/play.html, and the end of the results page.

The folder play has one HTML and one JavaScript file for each panel, and what the panels share. A page holds them with
the networks' data, loads nothing, and allows only the scripts whose checksums its Content-Security-Policy names.
"""
from __future__ import annotations

import base64
import hashlib
import html
import json
import zlib
from pathlib import Path
from typing import Any, Dict, NamedTuple

import numpy as np

from tf1_autoencoders.reporting.language import ENGLISH, LANGUAGES, Language
from tf1_autoencoders.utils.files import read_json

FOLDER = Path(__file__).with_name("play")
PANELS = ("denoise", "sequence", "codes")  # in the page's order; also names in the data
SCRIPTS = ("layers", "parts", *PANELS, "start")
PAGE_STYLE = Path(__file__).with_name("page.css")

TITLE = "Play with the trained networks"
INTRODUCTION = (
    "The networks of the report, computed by this page itself: nothing is installed, and nothing you draw, open or "
    "type leaves the page. Their outputs are those of TensorFlow, up to the rounding of float32.")
NEEDS = "The panels need JavaScript and a browser of 2023 or later."


class LivePanels(NamedTuple):
    """The parts of a page that its panels need: the style, the script, and the body's HTML with the data."""

    style: str
    script: str
    html: str


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def pack_weights(weights: np.ndarray) -> str:
    """Return float32[n] as base64 of a zlib stream: the first bytes of all numbers, then the second, and so on.

    The bytes with the exponents are alike, so that together they compress: 1.36 MB of weights take 1.53 MB as text in
    place of 1.81 MB.
    """
    planes = np.ascontiguousarray(np.asarray(weights, "<f4").view(np.uint8).reshape(-1, 4).T)
    return base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode()


def live_panels(networks: Dict[str, Any], weights: np.ndarray, images: Dict[str, np.ndarray],
                **more: Any) -> LivePanels:
    """Return the parts of a page with a panel for each entry of `networks`.

    Args:
        networks: {name in PANELS: networks as JSON can hold them, see play.py}.
        weights: float32[n], in which the networks' layers have their places.
        images: {name: uint8[28, 28]}, from which a visitor chooses.
        more: what else the script's PLAY holds: noises, examples.
    """
    pixels = base64.b64encode(np.stack(list(images.values())).tobytes()).decode()
    data = {"networks": networks, "weights": pack_weights(weights), "images": {"names": list(images), "pixels": pixels},
            "persian": read_json(FOLDER / "persian.json"), **more}
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    panels = "".join(_read(f"{name}.html") for name in PANELS if name in networks)
    return LivePanels(style(), script(), f'<p class="mark play unready">{NEEDS}</p>{panels}'
                      f'<script type="application/json" id="play-data">{content}</script>')


def style() -> str:
    """Return the style of the panels."""
    return _read("play.css")


def script() -> str:
    """Return the script of the panels: the modules, one after another."""
    return "".join(_read(f"{name}.js") for name in SCRIPTS)


def checksum(text: str) -> str:
    """Return the source of a Content-Security-Policy that allows this script or style only."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def play_page(panels: LivePanels, language: Language = ENGLISH) -> str:
    """Return a page of its own with the panels, as HTML."""
    style = PAGE_STYLE.read_text(encoding="utf-8") + panels.style
    policy = (f"default-src 'none'; script-src {checksum(panels.script)}; style-src {checksum(style)}; "
              "base-uri 'none'; form-action 'none'")
    switch = "".join(f'<button type="button" lang="{code}" data-language="{code}">{name}</button>'
                     for code, name in (("en", "English"), ("fa", "فارسی")) if code in LANGUAGES)
    return f"""<!doctype html><html lang="{language.code}" dir="{language.direction}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}"><title>{html.escape(TITLE)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>
<body class="alone"><main><header class="play"><div class="languages">{switch}</div>
<h1>{html.escape(TITLE)}</h1><p>{html.escape(INTRODUCTION)}</p></header>
{panels.html}</main><script>{panels.script}</script></body></html>
"""
