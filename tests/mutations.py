"""Put one fault after the other into a copy of the project and run the quick tests, which must notice each of them.

    python -m tests.mutations                    all mutations, about fifteen minutes on two cores
    python -m tests.mutations 3 7 --whole        some of them, by number, with the slow tests too

A mutation is noticed if a test fails. The exit code is 1 if one survives, and 2 if the text of one is no longer in its
file, exactly once.
"""
from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError

ROOT = Path(__file__).resolve().parents[1]


class Mutation(NamedTuple):
    """A fault: in a file of the package, one text is replaced; `tests` are the folders or files that should notice."""

    file: str
    before: str
    after: str
    tests: str


MUTATIONS = (
    # numerics
    Mutation("graphs/layers.py", "FORGET_BIAS = 1.0", "FORGET_BIAS = 0.9", "graphs tf115"),
    Mutation("graphs/layers.py", "scale * tf1.nn.l2_loss(weights)", "2 * scale * tf1.nn.l2_loss(weights)",
             "graphs sections tf115"),
    Mutation("graphs/layers.py", "/ (tf1.cast(tf1.size(targets), tf1.float32) / 2)",
             "/ (tf1.cast(tf1.size(targets), tf1.float32) / 2 + 1)", "graphs sections"),
    Mutation("graphs/layers.py", "tf1.sigmoid(o) * tf1.tanh(c)", "tf1.sigmoid(o) * c", "graphs"),
    Mutation("graphs/fused.py", "[[0, 0, 0], [1, 1, 0], [0, 0, 1]]]", "[[0, 0, 0], [1, 0, 0], [0, 1, 1]]]", "graphs"),
    Mutation("graphs/fused.py", "n_rows in parts:\n            pooled.append(", "n_rows in parts[::-1]:\n            "
             "pooled.append(", "graphs"),
    Mutation("utils/epoch_means.py", "np.average(values, weights=sizes)", "np.average(values)", "utils training"),
    Mutation("utils/epoch_means.py", "(np.sum(means) + means[-1]) / (len(means) + 1)", "np.mean(means)", "utils tf241"),
    Mutation("training/row_order.py", "default_rng([seed, epoch])", "default_rng([seed])", "training"),
    Mutation("training/row_order.py", "math.ceil(validation_split * n_rows)", "int(validation_split * n_rows)",
             "training sections"),
    Mutation("training/loop.py", "losses.index(min(losses))", "losses.index(max(losses))", "training"),
    Mutation("reporting/metrics.py", "variance_x + variance_y + 9e-4", "variance_x + variance_y + 9e-3", "commands"),
    # store
    Mutation("checkpointing/store.py", "recorded == _size_and_checksum(path)",
             "recorded.get('size') == path.stat().st_size", "checkpointing"),
    Mutation("checkpointing/store.py", "checkpoint_folders(self.folder)[self._n_kept:]",
             "checkpoint_folders(self.folder)[:-self._n_kept]", "checkpointing"),
    Mutation("checkpointing/store.py", "if checkpoint.settings == identity:", "if checkpoint.settings:",
             "checkpointing training"),
    Mutation("checkpointing/store.py", "for file in unfinished.iterdir():\n                fsync(file)",
             "for file in ():\n                fsync(file)", "checkpointing robustness"),
    Mutation("checkpointing/store.py", "shutil.rmtree(str(aside))  # the same run with the same end",
             "pass  # the same run with the same end", "checkpointing commands"),
    Mutation("checkpointing/saver.py", "reader.get_tensor(name)  # verifies", "pass  # verifies", "checkpointing"),
    Mutation("training/trainers.py", "feed_row_order(rows[progress.step * self.batch_size:])", "feed_row_order(rows)",
             "training"),
    Mutation("sections/run.py", "progress.machines[-1] != machine", "False", "training commands"),
    # verdicts
    Mutation("reporting/comparison.py", "if low <= number <= high:", "if low <= number:", "reporting"),
    Mutation("reporting/comparison.py", "math.sqrt(1 + 1 / n)", "1", "reporting"),
    Mutation("reporting/comparison.py", ">= MIN_SEEDS:", ">= 1:", "reporting commands"),
    Mutation("reporting/comparison.py", "if not any(collapsed[k:k + 1])", "if True", "reporting"),
    Mutation("reporting/baselines.py", "return not self.network <= COLLAPSE_THRESHOLD * self.constant",
             "return self.network > COLLAPSE_THRESHOLD * self.constant", "reporting sections"),
    Mutation("converting/proof.py", "found.relative <= tolerance  #", "not found.relative > tolerance  #",
             "converting"),
    # commands
    Mutation("sections/trained.py", "if own_fits and collapsed is None:", "if own_fits:", "commands sections"),
    Mutation("evaluate.py", "+ args.all > 1:", "+ args.all > 2:", "commands"),
    Mutation("utils/cli.py", "return error.exit_code", "return 1", "commands"),
    Mutation("utils/errors.py", 'letter if letter.isprintable() else letter.encode("unicode_escape").decode()',
             "letter", "commands utils"),
    Mutation("clean.py", "if leftover not in find_leftovers(checkpoint_dir, results_dir):", "if False:", "commands"),
    Mutation("converting/graph/allowlist.py", "self._check_operation(", "(lambda *_: None)(", "converting"),
    # TensorFlow 1 programs
    Mutation("tensorflow1/seeds.py", "graph.num_operations() + _shifts.get(graph, 0)", "graph.num_operations()",
             "tensorflow1"),
    Mutation("tensorflow1/seeds.py", "return seeds if seeds != (0, 0) else (0, MAXIMUM)", "return seeds",
             "tensorflow1"),
    Mutation("programs/launch.py", "sys.argv = [program, *arguments]", "sys.argv = [*arguments]", "tensorflow1"),
)


def survives(folder: Path, mutation: Mutation, whole: bool) -> bool:
    """Put a mutation into the copy of the project in a folder, run its tests, take the mutation out again.

    Raises:
        UsageError: the text is not in the file exactly once.
    """
    file = folder / "tf1_autoencoders" / mutation.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutation.before) != 1:
        raise UsageError(f"{mutation.file}: {mutation.before!r} stands there {text.count(mutation.before)} times, "
                         "expected once; write the mutation anew")
    file.write_text(text.replace(mutation.before, mutation.after), encoding="utf-8")
    try:
        tests = [f"tests/{name}" for name in mutation.tests.split()]
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *(["-m", ""] if whole else []),
                   *tests]
        code = subprocess.run(command, cwd=str(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        if code not in (0, 1):
            raise UsageError(f"pytest ended with {code} in {mutation.tests}; run it there by hand")
        return code == 0
    finally:
        file.write_text(text, encoding="utf-8")


def mutate(args) -> int:
    """Run the command."""
    chosen = args.numbers or range(1, len(MUTATIONS) + 1)
    n_survived = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "copy"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
        for number in chosen:
            mutation, start = MUTATIONS[number - 1], time.perf_counter()
            survived = survives(folder, mutation, args.whole)
            n_survived += survived
            print(f"{number:2}  {'SURVIVES' if survived else 'noticed '}  {time.perf_counter() - start:4.0f} s  "
                  f"{mutation.file}: {' '.join(mutation.before.split())[:60]}", flush=True)
    print(f"{n_survived} of {len(chosen)} mutations survive")
    return int(n_survived > 0)


def main(argv=None) -> int:
    parser = cli.Parser(prog="python -m tests.mutations",
                        description="Put one fault after the other into a copy of the last commit and run the quick "
                                    "tests,\nwhich must notice each of them.")
    parser.add_argument("numbers", nargs="*", metavar="NUMBER", type=cli.whole_number(1, len(MUTATIONS)),
                        help="mutations, counted from 1 (default: all)")
    parser.add_argument("--whole", action="store_true", help="run the slow tests too")
    return cli.run_command(parser, mutate, argv)


if __name__ == "__main__":
    sys.exit(main())
