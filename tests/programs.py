"""Run public TensorFlow 1 programs here and in the real TensorFlow 1.15.5, and compare what they do.

    python -m tests.programs --corpus FOLDER --tf115-python PATH [--only TEXT] [--write]

`programs.tsv` lists the programs: the repository on GitHub, the commit, the path, the arguments, and how the program is
shortened. No code of others is in this repository: FOLDER holds clones that the user has made, as `owner/name` or
`owner+name`. A program runs in a copy of its clone. Four things are changed there, for both TensorFlows alike:
the shortening (regular expressions and their replacements), the folder of the MNIST files, a seed for programs
without one, and no waiting for a key. With `--tf115-python`, the same copy also runs in TensorFlow 1.15.5.

The MNIST files are made from the drawn sample of this project (5,000 images for validation, 2,000 for training, and
500 for the test), so no download is necessary; `--mnist FOLDER` takes the real ones.
"""
from __future__ import annotations

import argparse
import dataclasses
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).parent.parent
LIST = pathlib.Path(__file__).with_name("programs.tsv")
PAGE = ROOT / "docs" / "programs.md"
MARKS = ("<!-- table of programs: begin -->", "<!-- table of programs: end -->")
SEEDS = (("set_random_seed", "; tf.set_random_seed(1)"),  # what a program may have -> what it gets else
         ("np.random.seed", "; import numpy as _n; _n.random.seed(1)"),
         ("random.seed(", "; import random as _r; _r.seed(1)"))
TIMED_OUT = 124  # exit code, as of the command timeout
TOLERANCE = 1e-4  # of a printed number, relative to the larger of the number and 1
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?(?![\w])|[-+]?\b(?:nan|inf)\b")
TIMES = re.compile(r"(?:time|duration|sec/batch|/batch)\s*[=:]\s*[\d.]+|[\d.]+\s*(?:seconds|secs?\b|s/step)|"
                   r"\d{4}-\d\d-\d\d[T ][\d:.]+", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Program:
    """A line of programs.tsv."""
    repository: str    # owner/name on GitHub
    commit: str        # of the clone
    path: str          # of the program in the repository
    arguments: str     # of the program, separated by blanks
    edits: str         # `pattern -> replacement`, separated by ` ;; `

    def edit(self, source: str, mnist: pathlib.Path, cifar10: pathlib.Path | None) -> str:
        """Return the source shortened, with a seed, and with the folders of MNIST and CIFAR-10."""
        for edit in filter(None, self.edits.split(" ;; ")):
            pattern, replacement = edit.split(" -> ")
            replacement = replacement.replace("{cifar10}", str(cifar10))
            source, count = re.subn(pattern, replacement, source, flags=re.MULTILINE)
            if not count:
                raise SystemExit(f"{self.repository} {self.path}: the source has no {pattern!r}; "
                                 f"check out commit {self.commit}, or correct tests/programs.tsv")
        source = source.replace("plt.waitforbuttonpress()", "None")
        folder = r"(read_data_sets\(\s*)(\\?[\"'])[^\"'\\]*\2"  # a notebook has \" in place of "
        source = re.sub(folder, lambda match: match[1] + repr(str(mnist)), source)
        seeds = "".join(seed for own, seed in SEEDS if own not in source)
        # a notebook's line begins with a quotation mark
        source = re.sub(r'^(\s*"?import tensorflow as tf)\b', rf"\1{seeds}", source, count=1, flags=re.MULTILINE)
        return source


@dataclasses.dataclass
class Outcome:
    """What a run of a program left behind."""
    code: int
    stdout: str
    stderr: str
    seconds: float
    record: dict

    @property
    def failure(self) -> str:
        """The last line of the error, or an empty string."""
        lines = [line for line in self.stderr.splitlines() if line.strip()]
        return "" if self.code == 0 else (lines[-1] if lines else f"exit code {self.code}")[:300]

    @property
    def numbers(self) -> list[float]:
        """The numbers on stdout, without durations and dates."""
        return [float(number) for number in NUMBER.findall(TIMES.sub(" ", self.stdout))]


def read_programs(path: pathlib.Path = LIST) -> list[Program]:
    """Read programs.tsv; lines that begin with # are comments."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return [Program(*(line.split("\t") + [""] * 5)[:5]) for line in lines]


def write_mnist(folder: pathlib.Path) -> None:
    """Write the four files of MNIST, filled with drawn garments."""
    from tf1_autoencoders.datasets import drawn_sample
    all_images, all_labels = drawn_sample.fashion_mnist("test")
    folder.mkdir(parents=True)
    for name, rows in (("train", slice(0, 7000)), ("t10k", slice(7000, 7500))):
        images, labels = all_images[rows], all_labels[rows]
        for kind, array, header in (("images-idx3", images, [2051, len(images), 28, 28]),
                                    ("labels-idx1", labels, [2049, len(labels)])):
            with gzip.open(folder / f"{name}-{kind}-ubyte.gz", "wb") as file:
                file.write(np.array(header, ">u4").tobytes() + array.astype(np.uint8).tobytes())


def run(program: Program, source: str, clone: pathlib.Path, python: str, work: pathlib.Path, seconds: int) -> Outcome:
    """Run a program's edited source in a copy of its clone below work; read what it printed and recorded."""
    shutil.rmtree(work, ignore_errors=True)
    folder = work / "clone"
    shutil.copytree(clone, folder, ignore=shutil.ignore_patterns(".git", "*.ipynb_checkpoints"))
    path = folder / program.path
    path.write_text(source)
    record = work / "record.json"
    command = [python, "-m", "tf1_autoencoders.run_tf1", "--record", str(record), path.name, *program.arguments.split()]
    environment = dict(os.environ, PYTHONPATH=str(ROOT), MPLBACKEND="Agg", TF_CPP_MIN_LOG_LEVEL="3", PYTHONHASHSEED="0",
                       PYTHONDONTWRITEBYTECODE="1", PYTHONIOENCODING="utf-8", OMP_NUM_THREADS="1")
    start = time.monotonic()
    try:
        done = subprocess.run(command, cwd=path.parent, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=seconds, check=False)
        code, out, err = done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        code, out, err = TIMED_OUT, (error.stdout or b"").decode(errors="replace"), f"not ended after {seconds} s"
    contents = json.loads(record.read_text()) if record.exists() else {}
    return Outcome(code, out, err, time.monotonic() - start, contents)


def reason_not_equal(original: Outcome, ours: Outcome) -> str:
    """Return how the printed numbers differ: empty if they are as many and within the tolerance."""
    then, now = original.numbers, ours.numbers
    for place, (a, b) in enumerate(zip(then, now)):
        if not (a == b or (np.isnan(a) and np.isnan(b)) or abs(a - b) <= TOLERANCE * max(1.0, abs(a))):
            return f"number {place + 1} of {len(then)}: {a:g} then, {b:g} now"
    return "" if len(then) == len(now) else f"{len(then)} numbers then, {len(now)} now"


def initial_values(outcome: Outcome) -> dict[str, str]:
    """Return the checksum of each variable's initial value, by the variable's name."""
    return {variable["name"]: variable["sha256"] for variable in outcome.record.get("variables", [])}


def judge(original: Outcome | None, ours: Outcome) -> list[str]:
    """Return the cells of a program's row: runs then, runs now, initial values, printed numbers, reason."""
    if original is None:
        return ["", "yes" if ours.code == 0 else "no", "", "", ours.failure]
    if original.code:
        return ["no", "yes" if ours.code == 0 else "no", "", "", f"1.15.5: {original.failure}"]
    if ours.code:
        return ["yes", "no", "", "", ours.failure]
    then, now = initial_values(original), initial_values(ours)
    unequal = [name for name in then if now.get(name) != then[name]]
    difference = reason_not_equal(original, ours)
    values = f"{len(then) - len(unequal)} of {len(then)}" if unequal else "equal" if then else "no variables"
    numbers = "no" if difference else "equal" if original.numbers else "none printed"
    reasons = ([f"first other value: {unequal[0]}"] if unequal else []) + ([difference] if difference else [])
    return ["yes", "yes", values, numbers, "; ".join(reasons)]


def totals(rows: list[list[str]]) -> list[str]:
    """Return the sentences that sum up the rows (repository, path, then `judge`'s cells)."""
    base = [row for row in rows if row[2] == "yes"]
    counted = [row for row in base if row[3] == "yes"]
    with_values = [row for row in counted if row[4] != "no variables"]
    printing = [row for row in counted if row[5] != "none printed"]
    equal_values = [row for row in with_values if row[4] == "equal"]
    equal_numbers = [row for row in printing if row[5] == "equal"]
    return [f"{len(rows)} programs of {len({row[0] for row in rows})} repositories.",
            f"{len(base)} of them run in TensorFlow 1.15.5.",
            f"Of these, {len(counted)} of {len(base)} run here.",
            f"{len(equal_values)} of {len(with_values)} start from bit-identical values.",
            f"{len(equal_numbers)} of {len(printing)} print the same numbers to {TOLERANCE:g}."]


def table(rows: list[list[str]]) -> str:
    """Return the rows as a Markdown table, with the totals above."""
    titles = ["repository", "program", "runs in 1.15.5", "runs here", "initial values", "printed numbers", "reason"]
    cells = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join([*totals(rows), "", *("| " + " | ".join(row) + " |" for row in cells)])


def original_outcome(program: Program, source: str, clone: pathlib.Path, python: str, work: pathlib.Path,
                     seconds: int, cache: pathlib.Path, again: str = "") -> Outcome:
    """Run a program in TensorFlow 1.15.5, or take what an earlier run of the same source left in the cache."""
    key = hashlib.sha256(f"{program} {source}".encode()).hexdigest()[:16] + again
    path = cache / f"{key}.json"
    if path.exists():
        return Outcome(**json.loads(path.read_text()))
    outcome = run(program, source, clone, python, work, seconds)
    if outcome.code != TIMED_OUT:
        cache.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(outcome)))
    return outcome


def main(argv: list[str] | None = None) -> int:
    """Run the programs, print a line for each and the table; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs", description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=pathlib.Path, required=True,
                        help="folder with the clones, as owner/name or owner+name")
    parser.add_argument("--tf115-python",
                        help="Python of the real TensorFlow 1.15.5; without it, programs only run here")
    parser.add_argument("--mnist", type=pathlib.Path,
                        help="folder with the four files of MNIST (default: drawn images)")
    parser.add_argument("--cifar10", type=pathlib.Path, help="folder with data_batch_1 ... test_batch of CIFAR-10")
    parser.add_argument("--only", default="", metavar="TEXT",
                        help="only programs whose repository and path contain the text")
    parser.add_argument("--timeout", type=int, default=600,
                        help="seconds that a program may take (default: %(default)s)")
    parser.add_argument("--cache", type=pathlib.Path,
                        default=pathlib.Path(tempfile.gettempdir()) / "tf115_programs",
                        help="folder for what TensorFlow 1.15.5 gave, used again (default: %(default)s)")
    parser.add_argument("--output", type=pathlib.Path,
                        help="folder that receives what each program printed, on both sides")
    parser.add_argument("--write", action="store_true", help="write the table into docs/programs.md")
    args = parser.parse_args(argv)
    programs = [program for program in read_programs() if args.only in f"{program.repository} {program.path}"]
    if not programs:
        parser.error(f"--only {args.only}: expected a part of a repository or path of tests/programs.tsv")
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        mnist = args.mnist or args.cache / "MNIST_data"
        if not mnist.exists():
            write_mnist(mnist)
        for program in programs:
            clones = [args.corpus / program.repository, args.corpus / program.repository.replace("/", "+")]
            clone = next((path for path in clones if (path / program.path).exists()), None)
            if clone is None:
                print(f"{program.repository} {program.path}: not found; expected a clone at {clones[0]}", flush=True)
                continue
            if "{cifar10}" in program.edits and args.cifar10 is None:
                print(f"{program.repository} {program.path}: left out; needs --cifar10 FOLDER", flush=True)
                continue
            source = program.edit((clone / program.path).read_text(), mnist.resolve(), args.cifar10)
            original = None
            if args.tf115_python:
                original = original_outcome(program, source, clone, args.tf115_python, work / "run", args.timeout,
                                            args.cache)
            ours = run(program, source, clone, sys.executable, work / "run", args.timeout)
            cells = judge(original, ours)
            if cells[3] == "no":  # does the original repeat its own numbers?
                again = original_outcome(program, source, clone, args.tf115_python, work / "run", args.timeout,
                                         args.cache, again="-again")
                own = reason_not_equal(original, again)
                cells[4] += f"; 1.15.5 against itself: {own}" if own else ""
            rows.append([program.repository, program.path, *cells])
            print(" | ".join(rows[-1]), flush=True)
            if args.output:
                args.output.mkdir(parents=True, exist_ok=True)
                name = re.sub(r"\W+", "_", f"{program.repository} {program.path}")
                for side, outcome in (("tf115", original), ("here", ours)):
                    if outcome:
                        text = f"{outcome.stdout}\n--- stderr\n{outcome.stderr}"
                        (args.output / f"{name}.{side}.txt").write_text(text)
    print("\n".join(totals(rows)))
    if args.write:
        before, after = PAGE.read_text().split(MARKS[0])[0], PAGE.read_text().split(MARKS[1])[1]
        PAGE.write_text(f"{before}{MARKS[0]}\n{table(rows)}\n{MARKS[1]}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
