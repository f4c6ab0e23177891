"""Tables as Markdown."""
from __future__ import annotations

from typing import Any, List, Sequence


def markdown_table(header: Sequence[Any], rows: Sequence[Sequence[Any]]) -> List[str]:
    """Return the lines of a table in Markdown, with columns as wide as their cells."""
    lines = [[str(cell) for cell in line] for line in [header, *rows]]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    ruled = [lines[0], ["-" * width for width in widths], *lines[1:]]
    return ["| " + " | ".join(cell.rjust(width) for cell, width in zip(line, widths)) + " |" for line in ruled]
