"""The table of public programs in docs/programs.md."""
from __future__ import annotations

import pathlib

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "programs.md"
MARKS = ("<!-- table of programs: begin -->", "<!-- table of programs: end -->")
TOLERANCE = 1e-4  # of a printed number, relative to the larger of the number and 1


def totals(rows: list[list[str]]) -> list[str]:
    """Return the sentences that sum up the rows (repository, path, then `judge`'s cells)."""
    base = [row for row in rows if row[2] == "yes"]
    old = [row for row in rows if row[2] == "0.12.1"]
    counted = [row for row in base if row[3] == "yes"]
    with_values = [row for row in counted if row[4] != "no variables"]
    printing = [row for row in counted if row[5] != "none printed"]
    equal_values = [row for row in with_values if row[4] == "equal"]
    equal_numbers = [row for row in printing if row[5].startswith("equal")]
    causes = [next((cause for cause in ("rounding", "race", "draws") if row[6].startswith(cause)), "other causes")
              for row in printing if not row[5].startswith("equal")]
    counts = ", ".join(f"{cause} {causes.count(cause)}" for cause in sorted(set(causes), reverse=True))
    with_one_thread = sum(row[5] == "equal with one thread" for row in equal_numbers)
    return [f"{len(rows)} programs of {len({row[0] for row in rows})} repositories.",
            f"{len(base)} of them run in TensorFlow 1.15.5.",
            f"Of these, {len(counted)} of {len(base)} run here.",
            f"{len(equal_values)} of {len(with_values)} start from bit-identical values.",
            f"{len(equal_numbers)} of {len(printing)} print the same numbers to {TOLERANCE:g}, {with_one_thread} of "
            "them with one thread for operations." + (f" Causes of the others: {counts}." if causes else ""),
            f"{len(old)} more are of before 1.0 and run in TensorFlow 0.12.1; {sum(row[3] == 'yes' for row in old)} of "
            "them run here."]


def table(rows: list[list[str]]) -> str:
    """Return the rows as a Markdown table, with the totals above."""
    titles = ["repository", "program", "runs in 1.15.5", "runs here", "initial values", "printed numbers", "reason"]
    cells = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join([*totals(rows), "", *("| " + " | ".join(row) + " |" for row in cells)])


def read_table() -> list[list[str]]:
    """Return the rows of docs/programs.md."""
    lines = PAGE.read_text().split(MARKS[0])[1].split(MARKS[1])[0].splitlines()
    rows = [line[2:-2] for line in lines if line.startswith("| ")][2:]
    return [[cell.replace("\\|", "|") for cell in row.split(" | ")] for row in rows]


def write_table(rows: list[list[str]], keys: list[tuple[str, str]]) -> None:
    """Write rows into docs/programs.md, in the place of earlier ones of the same programs.

    Args:
        keys: repository and name of all programs, in the table's order; a row of none of them is left out.
    """
    found = {(row[0], row[1]): row for row in [*read_table(), *rows]}
    before, after = PAGE.read_text().split(MARKS[0])[0], PAGE.read_text().split(MARKS[1])[1]
    ordered = [found[key] for key in keys if key in found]
    PAGE.write_text(f"{before}{MARKS[0]}\n{table(ordered)}\n{MARKS[1]}{after}")
