"""Give hostile files to the commands themselves: each must end soon, small, in one sentence, and do no harm.

    python -m tests.robustness.hostile_runs [--kind NAME] [--n N]

An attempt fails if a payload ran (escape), if the command takes more than SLOWEST seconds of processor time or hangs,
if it takes more than MOST_MEMORY, if it prints a traceback or a character that a terminal obeys, or if it ends in
another way than with exit code 0, 1 or 2 and, beyond 0, one line on stderr. The commands are forked from this process,
which has loaded TensorFlow without using it; the kind "commands" starts real ones. Linux only.
"""
from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, NamedTuple, Sequence

import numpy as np
from tqdm import tqdm

from tests import small_sections as small
from tests.robustness import hostile_files as crafted
from tests.robustness import hostile_graphs
from tf1_autoencoders import convert, evaluate, export, run_all
from tf1_autoencoders.checkpointing import store
from tf1_autoencoders.converting.fresh_process import _reason
from tf1_autoencoders.reporting import tables
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.sections.trained import choose_trained, open_trained
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import sha256_of_file
from tf1_autoencoders.utils.frameworks import tf1
from tf1_autoencoders.utils.paths import PACKAGE, PRETRAINED

SLOWEST, HANGS = 120, 300  # seconds of processor time; seconds after which a command is ended
MOST_MEMORY = 2 << 10  # MB that a process may take
SAVE_EVERY = 0.1  # seconds; the sections' own runs save less often than once a second
FAILURES = ("escape", "hang", "memory", "traceback", "output")


class Outcome(NamedTuple):
    """How a command ended; `wrong` has some of FAILURES."""

    code: int
    seconds: float
    megabytes: float
    output: str
    wrong: list


def attempt(command: Callable[[], Any], folder: Path) -> Outcome:
    """Run a command in a fork, in a folder of its own."""
    sys.stdout.flush(), sys.stderr.flush()
    out, err = folder / ".out", folder / ".err"
    with open("/proc/self/statm") as statm:  # what a fork begins with is not the command's: all but mapped files
        _, resident, shared = map(int, statm.read().split()[:3])
    before = (resident - shared) * os.sysconf("SC_PAGE_SIZE") >> 10
    process = os.fork()
    if not process:
        code = 70
        try:
            os.setsid()
            os.chdir(str(folder))
            for number, file in ((1, out), (2, err)):
                os.dup2(os.open(str(file), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            os.environ["HOME"] = str(folder)
            sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
            code = command()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush(), sys.stderr.flush()
            os._exit(code or 0)
    deadline, hung = time.monotonic() + HANGS, False
    while True:
        done, status, usage = os.wait4(process, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            hung, deadline = True, float("inf")
            os.killpg(process, signal.SIGKILL)
        time.sleep(0.02)
    seconds = usage.ru_utime + usage.ru_stime
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    errors = err.read_text(errors="replace")
    if code < 0 and command.__name__ == "converting" and not hung:  # what the waiting process of `convert` says
        code, errors = 1, _reason(-code) + "\n"
    text = out.read_text(errors="replace") + errors
    wrong = [name for name, is_wrong in (
        ("escape", any(folder.rglob(crafted.CANARY))), ("hang", hung or seconds > SLOWEST),
        ("memory", usage.ru_maxrss - before > MOST_MEMORY << 10), ("traceback", "Traceback" in text),
        ("output", code not in (0, 1, 2) or not text.replace("\n", "").replace("\t", "").isprintable()
         or code > 0 and len([line for line in errors.splitlines() if "looked at" not in line]) != 1)) if is_wrong]
    return Outcome(code, seconds, (usage.ru_maxrss - before) / 1024, text, wrong)


def converting(*arguments: Any) -> Callable[[], Any]:
    def converting() -> int:
        return convert.work([str(argument) for argument in arguments])
    return converting


def evaluating(folder: Path, *more: str) -> Callable[[], Any]:
    return lambda: evaluate.main(["--data", "sample", "--checkpoint", str(folder), *more])


def exporting(folder: Path) -> Callable[[], Any]:
    return lambda: export.main(["--section", "2", "--to", "npz", "--out", "out.npz", "--checkpoint", str(folder)])


# ---- Kinds: each yields (name, command) for a folder; the files are made when the attempt begins ----

def graphs(folder: Path) -> Iterator[Any]:
    """Graphs that hide an operation, or ask for any size."""
    original = folder / "original"
    original.mkdir()
    done = subprocess.run([sys.executable, "-c", GRAPH, str(original / "model.ckpt")], env={
        **os.environ, "PYTHONPATH": str(PACKAGE.parent)}, stderr=subprocess.DEVNULL)
    if done.returncode:
        raise UserError("TensorFlow could not write a checkpoint")
    for name, change in {**hostile_graphs.CHANGES, **hostile_graphs.LIMITED}.items():
        path = folder / "graph" / "model.ckpt"
        shutil.rmtree(str(path.parent), ignore_errors=True)
        shutil.copytree(str(original), str(path.parent))
        hostile_graphs.change_meta(Path(f"{path}.meta"), change)
        yield f"{name}, listed", converting(path, "--output", "out", "--input", "x")
        for form in ("frozen", "savedmodel"):
            yield f"{name}, {form}", converting(path, "--to", form, "--input", "x", "--output", "out", "--out",
                                                f"out.{form}", "--force", "--no-check")
    for k, content in enumerate([b"", b"\xff" * 100, b"\x0a\x02\x0a\x00", b"\x12\x00" * 10 ** 6, b"\x0a" * 10 ** 6]):
        Path(f"{path}.meta").write_bytes(content)
        yield f"damaged .meta {k}", converting(path)


GRAPH = """import sys, tensorflow.compat.v1 as tf1
with tf1.Graph().as_default(), tf1.Session() as session:
    x = tf1.placeholder(tf1.float32, [None, 4], name="x")
    tf1.matmul(x, tf1.get_variable("w", [4, 3], initializer=tf1.ones_initializer()), name="y")
    session.run(tf1.global_variables_initializer())
    tf1.train.Saver().save(session, sys.argv[1])
"""


def indexes(folder: Path) -> Iterator[Any]:
    """Indexes that claim much, or are damaged, for each command that reads a checkpoint."""
    data, index = (folder / "index" / f"model.ckpt.{end}" for end in ("data-00000-of-00001", "index"))
    shutil.copytree(str(PRETRAINED / "section2"), str(folder / "index"))
    valid = index.read_bytes()
    for name, content in crafted.small_indexes_of_much().items():
        index.write_bytes(content)
        for what, command in (("convert", converting(folder / "index")), ("evaluate", evaluating(folder / "index")),
                              ("export", exporting(folder / "index"))):
            yield f"{name}, {what}", command
    for name, content in crafted.indexes(valid).items():
        index.write_bytes(content)
        yield f"{name}, convert", converting(folder / "index", "--no-meta")
    index.write_bytes(valid)
    for name in ("model.ckpt.anything", "model.ckpt.data-00000-of-00001"):
        with open(str(data.with_name(name)), "r+b" if data.with_name(name).exists() else "wb") as file:
            file.truncate(1 << 40)
        yield f"a sparse {name}", converting(folder / "index", "--to", "npz", "--out", "out.npz", "--force")
    block = crafted.varint(9 << 20) + b"\xfc" + ((1 << 20) - 1).to_bytes(4, "little") + bytes(1 << 20) + (
        b"\x0f" + (1 << 20).to_bytes(4, "little")) * (2 << 20)
    table = crafted.table_of_blocks([block])
    (folder / "v1").write_bytes(table[:len(block)] + b"\1" + table[len(block) + 1:])
    yield "decompression", converting(folder / "v1")


def settings(folder: Path) -> Iterator[Any]:
    """Settings of the wrong type, out of bounds, or of great size, in each section's settings.json."""
    for section in (2, 3, 4):
        place = folder / f"settings{section}"
        shutil.copytree(str(PRETRAINED / f"section{section}"), str(place))
        content = json.loads((place / "settings.json").read_text())
        values = [10 ** 9, -1, 0, None, "x\n\x1b[2J", [], {}, True, 1e308, float("nan"), 10 ** 400]
        for k, (key, value) in enumerate(itertools.product(content["settings"], values)):
            if k % 3 == section - 2:
                (place / "settings.json").write_text(json.dumps(
                    {**content, "settings": {**content["settings"], key: value}}))
                yield f"section {section}, {key} {str(value)[:9]!r}", evaluating(place, "--section", str(section))
        for key, value in itertools.product(content, (None, 3, [], "x\x1b[2J")):
            (place / "settings.json").write_text(json.dumps({**content, key: value}))
            yield f"section {section}, {key} {value!r}", evaluating(place, "--section", str(section))


def files(folder: Path) -> Iterator[Any]:
    """Pipes, devices and sparse files in place of files."""
    kinds: Dict[str, Callable[[Path], Any]] = {
        "a pipe": lambda path: os.mkfifo(str(path)), "a device": lambda path: path.symlink_to("/dev/zero"),
        "a folder": lambda path: path.mkdir(), "a sparse file": lambda path: path.touch() or os.truncate(
            str(path), 1 << 40)}
    for kind, make in kinds.items():
        for name in ("settings.json", "checksums.json", "model.ckpt.index", "model.ckpt.data-00000-of-00001"):
            place = folder / "files"
            shutil.rmtree(str(place), ignore_errors=True)
            shutil.copytree(str(PRETRAINED / "section2"), str(place))
            if (place / name).exists():
                (place / name).unlink()
            make(place / name)
            yield f"{kind} as {name}, evaluate", evaluating(place)
            yield f"{kind} as {name}, convert", converting(place)
        for name, arguments in (("model.keras", ("--suggest-map",)), ("map.json", (
                "--to", "keras-weights", "--out", "o.keras", "--model", "m.keras", "--map")), ("m.meta", ("--meta",))):
            place = folder / name
            shutil.rmtree(str(place), ignore_errors=True) if place.is_dir() else place.unlink() \
                if os.path.lexists(str(place)) else None
            make(place)
            yield f"{kind} as {name}", converting(PRETRAINED / "section2", *arguments, place)


def pictures(folder: Path) -> Iterator[Any]:
    """Pictures of other formats, of hostile names, and damaged ones."""
    from PIL import Image
    valid = folder / "valid.png"
    Image.fromarray(np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)).save(str(valid))
    contents = {"EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n(canary) (w) file\n%%EOF\n",
                "half": valid.read_bytes()[:200], "PPM": b"P6 99999 99999 255\n", "SVG": b"<svg/>", "empty": b""}
    for name, content in contents.items():
        (folder / "photo.png").write_bytes(content)
        yield name, lambda: evaluate.main(["--data", "sample", "--file", str(folder / "photo.png")])
    for raw in (b"$\\foo$.png", b"\xff\xfe.png", b"\x1b]0;title\x07.png", b"a\nb.png", b"$x.png", b"\xe2\x80\xae.png"):
        file = os.fsdecode(bytes(folder) + b"/" + raw)
        shutil.copy(str(valid), file)
        yield f"the name {raw!r}", lambda file=file: evaluate.main(["--data", "sample", "--file", file])


def clusters(folder: Path) -> Iterator[Any]:
    """TF_CONFIG and files of a cluster that are none."""
    values: Sequence[Any] = (3, None, [], {}, "x\x1b[2J\n", [3], [None], [[]], ["a:1", "a:1"], ["a:99999"])
    for key, value in itertools.product(("worker", "chief", "x\x1b[2J\n"), values):
        text = json.dumps({"cluster": {key: value}, "task": {"type": "worker", "index": 0}})

        def run(text: str = text) -> int:
            os.environ["TF_CONFIG"] = text
            return run_all.main(["--data", "sample", "--section", "2", "--epochs", "1"])
        yield f"TF_CONFIG {text[:60]!r}", run
    for text in ("3", "null", "[", '{"worker": 3}', '{"worker": [1]}'):
        (folder / "cluster.json").write_text(text)
        yield f"--cluster {text}", lambda: run_all.main(
            ["--section", "2", "--cluster", str(folder / "cluster.json"), "--task", "0"])


def progress(folder: Path) -> Iterator[Any]:
    """progress.json of wrong types and ranges, with right checksums, in a run that is continued or evaluated.

    A run that takes such a file must end with the weights of one that was never stopped.
    """
    def training(top: Path, weights: bytes = b"") -> Callable[[], Any]:
        def run() -> int:
            small.shrink(setattr, dict.__setitem__)
            code = run_all.main(small.arguments(4, top, "--threads", "1", "--no-live"))
            return 3 if not code and weights and _weights(top) != weights else code
        return run

    folder.joinpath("whole").mkdir()
    found = attempt(training(folder / "whole"), folder)
    if found.code:
        raise UserError(f"the run that nobody disturbed failed: {found.output[-300:]}")
    weights, stored = _weights(folder / "whole"), folder / "whole" / "checkpoints" / "section4"
    oldest = store.checkpoint_folders(stored)[-1]
    content = json.loads((oldest / store.PROGRESS).read_text())
    values = [None, -1, 10 ** 400, 1e308, float("nan"), "x\x1b[2J", [[]], {}, {"x": []}, [None], [["x\x1b[2J", {}]]]
    changed = [{**content, key: value} for key in content for value in values if content[key] != value]
    changed += [{key: value for key, value in content.items() if key != missing} for missing in content]
    changed += [{**content, "epoch": epoch, "n_steps": n} for epoch in (-1, 0, 3, 10 ** 9) for n in (-1, 0, 10 ** 9)]
    changed += [[content], {}, None, "x", {**content, "more": 1},
                {**content, "measurements": content["measurements"] * 2}]
    for k, progress_of in enumerate(changed):
        place = folder / f"{k}" / "checkpoints" / "section4" / oldest.name
        shutil.copytree(str(oldest), str(place))
        (place.parent / store.LATEST).symlink_to(place.name)
        for file in place.iterdir():
            (place.parent / file.name).symlink_to(Path(store.LATEST) / file.name)
        (place / store.PROGRESS).write_text(json.dumps(progress_of))
        checksums = {file.name: {"size": file.stat().st_size, "sha256": sha256_of_file(file)}
                     for file in sorted(place.iterdir()) if file.name != store.CHECKSUMS}
        (place / store.CHECKSUMS).write_text(json.dumps(checksums, indent=1) + "\n")
        yield f"evaluate, {str(progress_of)[:200]}", evaluating(place.parent, "--section", "4")
        yield f"continued, {str(progress_of)[:200]}", training(folder / f"{k}", weights)


def _weights(top: Path) -> bytes:
    folder = top / "checkpoints" / "section4" / store.LATEST
    return (folder / "model.ckpt.data-00000-of-00001").read_bytes()


def reading(folder: Path) -> Iterator[Any]:
    """Some thousand reads of a store in which a run saves all the time."""
    shipped, place = PRETRAINED / "section4", folder / "checkpoints"
    identity = json.loads((shipped / store.SETTINGS).read_text())

    def write(target: Path) -> None:
        for file in shipped.glob("model.ckpt*"):
            shutil.copy(str(file), str(target))

    process = os.fork()
    if not process:
        with contextlib.suppress(BaseException), store.Store(place) as saved:
            for number in itertools.count(1):
                saved.save(number, write, identity, {"n_steps": number})
                time.sleep(SAVE_EVERY)
        os._exit(1)

    def read_in_session() -> None:
        with open_trained(SECTIONS[4], place) as (_, trained):
            assert trained.origin == identity

    def reads(read: Callable[[], Any], n: int) -> Callable[[], Any]:
        def run() -> int:
            for k in range(n):
                try:
                    read()
                except UserError as error:
                    print(f"read {k}: {error}", file=sys.stderr)
                    return 3
            return 0
        return run
    try:
        while len(store.checkpoint_folders(place)) < store.N_KEPT:
            time.sleep(0.02)
        yield "the session of evaluate, 100 times", reads(read_in_session, 100)
        yield "the choice of a checkpoint, 4000 times", reads(lambda: choose_trained(SECTIONS[4], place), 4000)
        for k in range(5):
            yield f"evaluate {k}", evaluating(place, "--section", "4")
            yield f"export {k}", lambda: export.main(
                ["--section", "4", "--to", "npz", "--out", "out.npz", "--checkpoint", str(place)])
            yield f"convert {k}", converting(place, "--no-meta")
    finally:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)


def commands(folder: Path) -> Iterator[Any]:
    """Code in the working directory, for real commands."""
    for name in ("ast", "numpy", "tensorflow", "json", "sitecustomize", "keras"):
        (folder / f"{name}.py").write_text(f"open({crafted.CANARY!r}, 'w')\n")
        (folder / "matplotlibrc").write_text("text.usetex: True\nbackend: module://evil\n")
    start = "import sys; sys.path[0] = sys.argv.pop(1); from tf1_autoencoders.{0} import main; " \
        "sys.exit(main(sys.argv[1:]))"
    for command, arguments in (("convert", (PRETRAINED / "section2",)), ("evaluate", ("--data", "sample"))):
        def run(command: str = command, arguments: Any = arguments) -> int:
            return subprocess.run([sys.executable, "-c", start.format(command), str(PACKAGE.parent), *map(
                str, arguments)]).returncode

        def as_module(command: str = command, arguments: Any = arguments) -> int:
            return subprocess.run([sys.executable, "-m", f"tf1_autoencoders.{command}", *map(str, arguments)], env={
                **os.environ, "PYTHONPATH": str(PACKAGE.parent)}).returncode
        yield f"{command}, installed", run
        yield f"{command} with python -m", as_module


KINDS = {kind.__name__: kind for kind in (
    graphs, indexes, settings, progress, reading, files, pictures, clusters, commands)}


def main(argv: Any = None) -> int:
    parser = cli.Parser(prog="python -m tests.robustness.hostile_runs", description=__doc__.split("\n\n")[0])
    parser.add_argument("--kind", choices=tuple(KINDS), help="one kind only (default: all)")
    parser.add_argument("--n", type=cli.whole_number(1), metavar="N", default=1000,
                        help="attempts of a kind, spread over its files (default: all)")
    return cli.run_command(parser, report, argv)


def report(args: Any) -> int:
    """Print the table, then the failures; return exit code 1 if there are any."""
    tf1.version.VERSION  # noqa: B018  loaded here, used in the forks only
    rows, failures = [], []
    with tempfile.TemporaryDirectory() as top:
        for kind in [args.kind] if args.kind else KINDS:
            folder, outcomes = Path(top) / kind, []
            folder.mkdir()
            for k, (name, command) in enumerate(tqdm(KINDS[kind](folder), desc=kind, unit="file", disable=None)):
                if args.n < 1000 and k % max(1, 150 // args.n):
                    continue
                working = Path(tempfile.mkdtemp(dir=top)) if kind != "commands" else folder
                found = attempt(command, working)
                outcomes.append(found)
                if found.wrong:
                    failures.append(f"{kind}: {name}: {', '.join(found.wrong)}; exit code {found.code}, "
                                    f"{found.seconds:.0f} s, {found.megabytes:.0f} MB: {found.output[-300:]!r}")
            rows.append((kind, len(outcomes), *(sum(name in found.wrong for found in outcomes) for name in FAILURES),
                         f"{max(found.seconds for found in outcomes):.1f}",
                         f"{max(found.megabytes for found in outcomes):.0f}"))
    header = ("kind", "attempts", "escapes", "hangs", "more than 2 GB", "tracebacks", "other output", "longest s",
              "largest MB")
    print(*tables.markdown_table(header, rows), "", *failures, sep="\n")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
