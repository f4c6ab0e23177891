"""Run public TensorFlow 1 programs here and in the real TensorFlow 1.15.5, and compare what they do.

    python -m tests.programs --corpus FOLDER --tf115-python PATH [--tf012-python PATH] [--only TEXT] [--write]

`programs.tsv` lists the programs: the repository on GitHub, the commit, the path, the arguments, and how the program is
shortened. No code of others is in this repository: FOLDER holds clones that the user has made, as `owner/name` or
`owner+name`, and as `owner+name@commit` where another commit than the clone's is meant. A program runs in a copy of its
clone. Five things are changed there, for both TensorFlows alike: the shortening (regular expressions and their
replacements), the folder of the MNIST files, a seed for programs without one, no waiting for a key, and `simulator.py`
beside programs that import it. With `--tf115-python`, the same copy also runs in TensorFlow 1.15.5, and with
`--tf012-python`, programs whose list entry ends with "0.12.1" run in TensorFlow 0.12.1, which records no variables.

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

from tests.programs_table import TOLERANCE, totals, write_table

ROOT = pathlib.Path(__file__).parent.parent
LIST = pathlib.Path(__file__).with_name("programs.tsv")
BESIDE = ("simulator", "perturbed_feeds", "equal_starts")  # modules of this folder that programs import
SEEDS = (("set_random_seed", "; tf.set_random_seed(1)"),  # what a program may have -> what it gets else
         ("np.random.seed", "; import numpy as _n; _n.random.seed(1)"),
         ("random.seed(", "; import random as _r; _r.seed(1)"))
ONE_THREAD = {"TF_NUM_INTEROP_THREADS": "1"}  # operations that do not depend on each other then run in a fixed order
ONE_KERNEL_THREAD = {"TF_NUM_INTRAOP_THREADS": "1"}  # another order of the terms of sums, and so another rounding
ROUNDING = 1e-6  # relative difference of a first result that rounding makes
TIMED_OUT = 124  # exit code, as of the command timeout
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
    # release of TensorFlow that it was written for, if that is older than 1.0; not part of the cache's keys
    original: str = dataclasses.field(default="", repr=False)

    @property
    def name(self) -> str:
        """The path; with the commit where the repository is in the list with several."""
        return f"{self.path} ({self.commit})" if self.original else self.path

    def edit(self, source: str, mnist: pathlib.Path, cifar10: pathlib.Path | None) -> str:
        """Return the source shortened, with a seed, and with the folders of MNIST and CIFAR-10."""
        for edit in filter(None, self.edits.split(" ;; ")):
            pattern, replacement = edit.split(" -> ")
            replacement = replacement.replace("{cifar10}", str(cifar10)).replace("{mnist}", str(mnist))
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
        if SEEDS[0][1] in seeds:  # a new default graph has no seed
            source = re.sub(r'^(\s*"?\s*(?:tf|ops)\.reset_default_graph\(\))', rf"\1{SEEDS[0][1]}", source,
                            flags=re.MULTILINE)
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
    return [Program(*(line.split("\t") + [""] * 6)[:6]) for line in lines]


def find_clone(corpus: pathlib.Path, program: Program) -> pathlib.Path | None:
    """Return the folder of a program's clone, or None."""
    plus = program.repository.replace("/", "+")
    places = [corpus / f"{plus}@{program.commit}", corpus / program.repository, corpus / plus]
    return next((path for path in places if (path / program.path).exists()), None)


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
        np.savez(folder / f"{name}.npz", images=images, labels=labels)  # for programs that use keras.datasets


def run(program: Program, source: str, clone: pathlib.Path, python: str, work: pathlib.Path, seconds: int,
        variables: dict[str, str] | None = None) -> Outcome:
    """Run a program's edited source in a copy of its clone below work; read what it printed and recorded.

    Args:
        variables: of the environment, beside those that every run gets.
    """
    shutil.rmtree(work, ignore_errors=True)
    folder = work / "clone"
    shutil.copytree(clone, folder, ignore=shutil.ignore_patterns(".git", "*.ipynb_checkpoints"))
    path = folder / program.path
    path.write_text(source)
    for module in BESIDE:
        if re.search(rf"\b(?:import|from) {module}\b", source):
            shutil.copy(LIST.with_name(f"{module}.py"), path.parent)
    record = work / "record.json"
    recording = ["-m", "tf1_autoencoders.run_tf1", "--record", str(record)]
    plain = program.original and python != sys.executable  # Python 3.6, which the package does not support
    if python == sys.executable and sys.version_info >= (3, 11):
        recording.insert(0, "-P")  # as the installed command: a program's types.py does not stand before Python's own
    command = [python, *([] if plain else recording), path.name, *program.arguments.split()]
    environment = dict(os.environ, PYTHONPATH=str(ROOT), MPLBACKEND="Agg", TF_CPP_MIN_LOG_LEVEL="3", PYTHONHASHSEED="0",
                       PYTHONDONTWRITEBYTECODE="1", PYTHONIOENCODING="utf-8", OMP_NUM_THREADS="1", **variables or {})
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
    from tf1_autoencoders.programs import record
    return {name: variable["sha256"] for name, variable in record.first_values(outcome.record).items()}


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
    values = f"{len(then) - len(unequal)} of {len(then)}" if unequal else "equal" if then else \
        "no variables" if original.record else "not recorded"
    numbers = "no" if difference else "equal" if original.numbers else "none printed"
    reasons = ([f"first other value: {unequal[0]}"] if unequal else []) + ([difference] if difference else [])
    return ["yes", "yes", values, numbers, "; ".join(reasons)]


@dataclasses.dataclass(frozen=True)
class Growth:
    """How the difference between the results of two records' session.run grows."""
    first: float        # difference of the first results that differ, relative to the larger one
    first_run: int      # the number of that session.run; 0 if nothing differs
    large_run: int      # the first whose results differ by more than TOLERANCE, or 0
    runs: int

    def __str__(self) -> str:
        large = f", by more than {TOLERANCE:g} in run {self.large_run}" if self.large_run else ""
        return f"results differ by {self.first:.0e} in run {self.first_run} of {self.runs}{large}"


def growth(original: Outcome, other: Outcome) -> Growth | None:
    """Compare the means of the floating-point results of each session.run; None if none differs or none is recorded."""
    runs = list(zip(original.record.get("runs", []), other.record.get("runs", [])))
    first, first_run, large_run = 0.0, 0, 0
    for number, (then, now) in enumerate(runs, 1):
        for a, b in zip(then, now):
            if a[4] == b[4] or a[1] != b[1] or None in (a[3], b[3]):  # checksums, shapes, means
                continue
            difference = abs(a[3] - b[3]) / max(abs(a[3]), abs(b[3]), 1e-30)
            if not first_run and difference:
                first, first_run = difference, number
            if difference > TOLERANCE and not large_run:
                large_run = number
    return Growth(first, first_run, large_run, len(runs)) if first_run else None


def started(source: str, module: str) -> str:
    """Return the source with the start of `perturbed_feeds` or `equal_starts`, behind its import of TensorFlow."""
    start = rf"\1; import {module}; {module}.start()"
    return re.sub(r'^(\s*"?import tensorflow(?: as tf)?)\b', start, source, count=1, flags=re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How a program is run in both TensorFlows: the command's arguments, and a folder for the runs."""
    args: argparse.Namespace
    work: pathlib.Path

    def original(self, program: Program, source: str, clone: pathlib.Path, again: str = "",
                 variables: dict[str, str] | None = None) -> Outcome | None:
        """Run a program in the original, or take what an earlier run of the same source left in the cache."""
        python = self.args.tf012_python if program.original else self.args.tf115_python
        if python is None:
            return None
        key = hashlib.sha256(f"{program} {source}".encode()).hexdigest()[:16] + again
        path = self.args.cache / f"{key}.json"
        if path.exists():
            return Outcome(**json.loads(path.read_text()))
        outcome = run(program, source, clone, python, self.work, self.args.timeout, variables)
        if outcome.code != TIMED_OUT:
            self.args.cache.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(dataclasses.asdict(outcome)))
        return outcome

    def ours(self, program: Program, source: str, clone: pathlib.Path,
             variables: dict[str, str] | None = None) -> Outcome:
        """Run a program here."""
        return run(program, source, clone, sys.executable, self.work, self.args.timeout, variables)

    def row(self, program: Program, source: str, clone: pathlib.Path) -> list[str]:
        """Return a program's row of the table; other numbers than the original's get their measured cause."""
        original = self.original(program, source, clone)
        ours = self.ours(program, source, clone)
        cells = judge(original, ours)
        self.keep_outputs(program, original, ours)
        if original is not None and cells[3] == "no":
            cells[3:] = self.explain(program, source, clone, original, ours)
        if original is not None and program.original and cells[0] == "yes":
            cells[0] = program.original
        return [program.repository, program.name, *cells]

    def explain(self, program: Program, source: str, clone: pathlib.Path, original: Outcome,
                ours: Outcome) -> tuple[str, str]:
        """Return the last two cells of a program whose numbers are not the original's.

        Where the original does not repeat its own numbers, operations race in it: then both run again with one thread
        for operations, and these runs are compared. What is left is rounding, if the first results that differ do so by
        less than ROUNDING, or not more than ten times what they do in the original when only rounding changes in it,
        and the original then prints other numbers, too; or if it goes, or becomes smaller than ROUNDING, without
        oneDNN's kernels here. Programs of before 1.0 draw other initial values; with the same ones, those that draw
        nothing else print the same numbers.
        """
        text, thread = reason_not_equal(original, ours), ""
        causes: list[str] = []
        variables: dict[str, str] = {}

        def run_original(key: str, changed: str = source, more: dict[str, str] | None = None) -> Outcome:
            return self.original(program, changed, clone, key + thread, {**variables, **(more or {})}) or original

        if program.original:  # seeds give other numbers than in 0.12
            changed = started(source, "equal_starts")
            left = reason_not_equal(run_original("", changed), self.ours(program, changed, clone))
            text += f"; with the same initial values in both: {left or 'equal'}"
            if not left:
                return "no", f"draws: {text}"
        races = reason_not_equal(original, run_original("-again"))
        if races:
            causes, thread, variables = ["race"], "-one-thread", ONE_THREAD
            original, ours = run_original(""), self.ours(program, source, clone, ONE_THREAD)
            left = reason_not_equal(original, ours)
            text += f"; the original against itself: {races}; with one thread: {left or 'equal'}"
            if not left:
                return "equal with one thread", f"race: {text}"
            races = reason_not_equal(original, run_original("-again"))
            if races:
                return "no", f"race: {text}; the original with one thread against itself: {races}"
        grown = growth(original, ours)
        text += f" ({grown})" if grown else ""
        fed = started(source, "perturbed_feeds")
        for words, arguments in (("with one thread in each kernel", ("-one-kernel-thread", source, ONE_KERNEL_THREAD)),
                                 ("with feeds one unit in the last place larger", ("", fed, {}))):
            outcome = run_original(*arguments)
            left, own = reason_not_equal(original, outcome), growth(original, outcome)
            if left:
                text += f"; the original {words}: {left}" + (f" ({own})" if own else "")
                if grown and (grown.first < ROUNDING or own and grown.first <= 10 * own.first):
                    causes.append("rounding")
                break
        return "no", " and ".join(causes) + ": " * bool(causes) + text

    def keep_outputs(self, program: Program, original: Outcome | None, ours: Outcome) -> None:
        """Write what both printed into the folder of --output, and their records, which `run_tf1 --compare` reads."""
        if self.args.output:
            self.args.output.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"\W+", "_", f"{program.repository} {program.name}")
            for side, outcome in (("original", original), ("here", ours)):
                if outcome:
                    text = f"{outcome.stdout}\n--- stderr\n{outcome.stderr}"
                    (self.args.output / f"{name}.{side}.txt").write_text(text)
                    (self.args.output / f"{name}.{side}.json").write_text(json.dumps(outcome.record))


def main(argv: list[str] | None = None) -> int:
    """Run the programs, print a line for each and the table; return 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.programs", description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=pathlib.Path, required=True,
                        help="folder with the clones, as owner/name or owner+name")
    parser.add_argument("--tf115-python",
                        help="Python of the real TensorFlow 1.15.5; without it, programs only run here")
    parser.add_argument("--tf012-python", help="Python of the real TensorFlow 0.12.1, for programs of before 1.0")
    parser.add_argument("--mnist", type=pathlib.Path,
                        help="folder with the four files of MNIST (default: drawn images)")
    parser.add_argument("--cifar10", type=pathlib.Path, help="folder with data_batch_1 ... test_batch of CIFAR-10")
    parser.add_argument("--only", action="append", metavar="TEXT",
                        help="only programs whose repository and path contain the text; may be repeated")
    parser.add_argument("--timeout", type=int, default=600,
                        help="seconds that a program may take (default: %(default)s)")
    parser.add_argument("--cache", type=pathlib.Path,
                        default=pathlib.Path(tempfile.gettempdir()) / "tf115_programs",
                        help="folder for what TensorFlow 1.15.5 gave, used again (default: %(default)s)")
    parser.add_argument("--output", type=pathlib.Path,
                        help="folder that receives what each program printed and its record, on both sides")
    parser.add_argument("--write", action="store_true", help="write the rows into docs/programs.md")
    args = parser.parse_args(argv)
    programs = [program for program in read_programs() if not args.only or any(
        text in f"{program.repository} {program.name}" for text in args.only)]
    if not programs:
        parser.error(f"--only {' '.join(args.only)}: expected a part of a repository or path of tests/programs.tsv")
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        mnist = args.mnist or args.cache / "MNIST_data"
        if not mnist.exists():
            write_mnist(mnist)
        comparison = Comparison(args, work / "run")
        for program in programs:
            clone = find_clone(args.corpus, program)
            if clone is None:
                print(f"{program.repository} {program.path}: not found; expected a clone at "
                      f"{args.corpus / program.repository}, at commit {program.commit}", flush=True)
                continue
            if "{cifar10}" in program.edits and args.cifar10 is None:
                print(f"{program.repository} {program.path}: left out; needs --cifar10 FOLDER", flush=True)
                continue
            source = program.edit((clone / program.path).read_text(), mnist.resolve(), args.cifar10)
            rows.append(comparison.row(program, source, clone))
            print(" | ".join(rows[-1]), flush=True)
            if args.write:
                write_table(rows, [(program.repository, program.name) for program in read_programs()])
    print("\n".join(totals(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
