"""The language of the results page: headings, captions, cards and the page's own words, from English.

A run writes its transcript in English. The page of another language is made from the same transcript; a text that the
language's file does not have stays English, and so do the lines of the program's output.
"""
from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

from tf1_autoencoders.utils.files import read_json


class Language(NamedTuple):
    """A language of the results page.

    | field     | meaning                                                        |
    |-----------|----------------------------------------------------------------|
    | code      | of BCP 47, for the page's lang                                 |
    | direction | "ltr" or "rtl", for the page's dir                             |
    | file      | name of the file beside this module that has the texts, or ""  |
    """

    code: str
    direction: str
    file: str = ""

    def translate(self, text: str) -> str:
        """Return an English text in this language, or unchanged if the file does not have it.

        In the file, {} stands for any part of the text, which is translated by itself.
        """
        texts, patterns = _texts(self.file)
        if text in texts:
            return texts[text]
        for pattern, translated in patterns:
            match = pattern.fullmatch(text)
            if match:
                return translated.format(*map(self.translate, match.groups()))
        return text

    def translate_transcript(self, content: Dict[str, Any]) -> Dict[str, Any]:
        """Return a transcript of run_log with its headings, captions, labels and key figures in this language."""
        if not self.file:
            return content
        return {**content, "title": self.translate(content["title"]),
                "transcript": [{**event, **{name: self.translate(event[name]) for name in ("text", "caption")
                                            if name in event and event["kind"] != "text"},
                                **({"frames": [{**frame, "label": self.translate(frame["label"])}
                                               for frame in event["frames"]]} if "frames" in event else {})}
                               for event in content["transcript"]],
                "key_figures": [(self.translate(name), published, measured)
                                for name, published, measured in content.get("key_figures", [])]}


ENGLISH = Language("en", "ltr")
LANGUAGES = {"en": ENGLISH, "fa": Language("fa", "rtl", "persian.json")}


@functools.lru_cache(maxsize=None)
def _texts(file: str) -> Tuple[Dict[str, str], List[Tuple[Any, str]]]:
    """Return ({English: translated}, [(pattern of an English text with {}, translated)]) of a file, {} for ""."""
    texts = read_json(Path(__file__).with_name(file)) if file else {}
    return texts, [(re.compile("(.*)".join(map(re.escape, english.split("{}")))), texts[english])
                   for english in sorted(texts, key=len, reverse=True) if "{}" in english]  # the most exact first
