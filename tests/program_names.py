"""The names of TensorFlow that public programs use: which are offered here, compared with TensorFlow 1.15.5.

    python -m tests.program_names --corpus FOLDER --tf115-python PATH

Reads the programs and notebooks below FOLDER without running them: every import of TensorFlow, every name below one
(`tf.nn.rnn_cell.LSTMCell`), and for each call the number of positional arguments and the keywords. TensorFlow 1.15.5
and this package then look the names up and bind the calls. Prints what the original has and this package has not.
"""
from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import Dict, Iterator, List, Optional, Set, Tuple

from tf1_autoencoders.programs.old_names import dotted

ROOT = pathlib.Path(__file__).parent.parent


def blocks(path: pathlib.Path) -> List[str]:
    """Return the source of a program as one block, or the code cells of a notebook without magics."""
    text = path.read_text(errors="replace")
    if path.suffix == ".py":
        return [text]
    try:
        notebook = json.loads(text)
        cells = notebook.get("cells") or [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    except (ValueError, KeyError):
        return []
    codes = ["".join(cell.get("source", cell.get("input", ""))) for cell in cells if cell["cell_type"] == "code"]
    return [re.sub(r"^(\s*)[%!].*", r"\1pass", code, flags=re.MULTILINE) for code in codes]


def uses(sources: List[str]) -> Iterator[str]:
    """Yield what a program asks TensorFlow for: `import a.b`, `from a import b`, `a.b.c`, `a.b.c(2, axis, name)`."""
    aliases: Dict[str, str] = {}
    for source in sources:
        try:
            nodes = list(ast.walk(ast.parse(source)))
        except (SyntaxError, ValueError):  # Python 2
            continue
        for node in nodes:
            if isinstance(node, ast.Import):
                for name in node.names:
                    if name.name.split(".")[0] == "tensorflow":
                        aliases[name.asname or "tensorflow"] = name.name if name.asname else "tensorflow"
                        yield f"import {name.name}"
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tensorflow":
                for name in node.names:
                    aliases[name.asname or name.name] = f"{node.module}.{name.name}"
                    yield f"from {node.module} import {name.name}"
        for node in nodes:
            name_of = dotted(node, aliases) if isinstance(node, ast.Attribute) else None
            if name_of:
                yield name_of
            if isinstance(node, ast.Call) and all(keyword.arg for keyword in node.keywords) and \
                    not any(isinstance(argument, ast.Starred) for argument in node.args):
                called = dotted(node.func, aliases)
                if called and "." in called:
                    arguments = [str(len(node.args)), *sorted(str(keyword.arg) for keyword in node.keywords)]
                    yield f"{called}({', '.join(arguments)})"


def find(name: str) -> object:
    """Return the object of a dotted name, whose parts are attributes or modules."""
    parts = name.split(".")
    value: object = importlib.import_module(parts[0])
    for number, part in enumerate(parts[1:], 2):
        try:
            value = getattr(value, part)
        except AttributeError as error:
            if "is not offered" in str(error):
                raise
            value = importlib.import_module(".".join(parts[:number]))
    return value


def answer(use: str) -> str:
    """Return what becomes of a use in this process: "yes", or the error in one line."""
    try:
        if use.startswith(("import ", "from ")):
            exec(use, {})
        elif use.endswith(")"):
            name, arguments = use[:-1].split("(")
            count, *keywords = arguments.split(", ")
            inspect.signature(find(name)).bind(*[None] * int(count), **dict.fromkeys(keywords))  # type: ignore[arg-type]
        else:
            find(use)
    except Exception as error:  # the answer is whatever a program would meet
        return f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return "yes"


def ask(command: List[str], found: List[str]) -> Dict[str, str]:
    """Return {use: answer} of another process."""
    with tempfile.TemporaryDirectory() as folder:
        questions, answers = os.path.join(folder, "uses.json"), os.path.join(folder, "answers.json")
        pathlib.Path(questions).write_text(json.dumps(found))
        subprocess.run([*command, __file__, "--answer", questions, answers], check=True, cwd=folder,
                       env=dict(os.environ, PYTHONPATH=str(ROOT), TF_CPP_MIN_LOG_LEVEL="3"), stderr=subprocess.DEVNULL)
        return dict(json.loads(pathlib.Path(answers).read_text()))


def report(places: Dict[str, Set[str]], then: Dict[str, str], now: Dict[str, str]) -> List[str]:
    """Return the totals, and a line for each use that the original has and this package has not."""
    lines: List[str] = []
    for kind, chosen in (("names", [use for use in places if not use.endswith(")")]),
                         ("forms of calls", [use for use in places if use.endswith(")")])):
        there = [use for use in chosen if then[use] == "yes"]
        refused = [use for use in there if "is not offered" in now[use]]
        missing = [use for use in there if now[use] != "yes" and use not in refused]
        lines.append(f"{kind}: {len(there)} that 1.15.5 has; of these {len(there) - len(refused) - len(missing)} here, "
                     f"{len(refused)} refused by name, {len(missing)} missing")
        lines += [f"  {len(places[use])} programs: {use}: {now[use]} ({min(places[use])})"
                  for use in sorted(missing, key=lambda use: (-len(places[use]), use))]
    return lines


def main(argv: Optional[List[str]] = None) -> int:
    """Print the report; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.program_names", description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=pathlib.Path, action="append", help="folder with clones; may be repeated")
    parser.add_argument("--tf115-python", help="Python of the real TensorFlow 1.15.5")
    parser.add_argument("--answer", nargs=2, metavar=("USES", "ANSWERS"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.answer:
        questions: Tuple[str, ...] = tuple(json.loads(pathlib.Path(args.answer[0]).read_text()))
        pathlib.Path(args.answer[1]).write_text(json.dumps({use: answer(use) for use in questions}))
        return 0
    if not args.corpus or not args.tf115_python:
        parser.error("--corpus and --tf115-python: name both")
    places: Dict[str, Set[str]] = {}
    programs = 0
    for corpus in args.corpus:
        for path in sorted(path for path in corpus.rglob("*") if path.suffix in (".py", ".ipynb") and path.is_file()):
            found = set(uses(blocks(path)))
            programs += bool(found)
            for use in found:
                places.setdefault(use, set()).add(str(path.relative_to(corpus)))
    uses_found = sorted(places)
    then = ask([args.tf115_python], uses_found)
    now = ask([sys.executable, "-m", "tf1_autoencoders.run_tf1"], uses_found)
    repositories = {place.split("/")[0] for found in places.values() for place in found}
    print(f"{programs} programs, notebooks and modules of {len(repositories)} repositories")
    print("\n".join(report(places, then, now)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
