"""Tables as Markdown."""
from __future__ import annotations


def markdown(header, rows):
    """The lines of a table in Markdown, its columns as wide as their cells."""
    lines = [[str(cell) for cell in line] for line in [header, *rows]]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    ruled = [lines[0], ["-" * width for width in widths], *lines[1:]]
    return ["| " + " | ".join(cell.rjust(width) for cell, width in zip(line, widths)) + " |" for line in ruled]
