"""Send thousands of mutated and crafted files to each reader, which must read them correctly or raise a UserError.

    python -m tests.robustness.fuzz [--cases N] [--seed S] [--reader NAME] [--keep DIR]

Everything else is a failure: another exception, a message that is not one short line, code that runs, an imported
module, a written file, more than SLOWEST seconds, more than MOST_MEMORY of additional memory, a crash or a hang. A case
is identified by reader, seed and number. The files of failing cases are kept.
"""
from __future__ import annotations

import argparse
import functools
import gzip
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, Callable, NamedTuple

import numpy as np
from tqdm import tqdm

from tests.conftest import ROOT, SMALL
from tests.robustness import hostile_files as crafted
from tf1_autoencoders.datasets import cifar10, fashion_mnist
from tf1_autoencoders.reporting import comparison, html_report, tables
from tf1_autoencoders.sections import section2_horses
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import read_json

FOREIGN = ROOT / "tests" / "tf115" / "fixtures" / "foreign.zip"  # checkpoints that TensorFlow 1.15.5 wrote
SLOWEST = 2.0  # seconds that a case may take
HEADER = ("reader", "cases", "refused", "accepted", "failures", "slowest ms", "memory MB")
HANGS = 30  # seconds after which the process is ended
MOST_MEMORY = 200  # MB that a case may take, beyond the memory for reading a valid file
LONGEST = 500  # characters of a message, without the folder's name
CASES_PER_FULL_SIZE_CASE = 50  # files of the official size are slow, so that there are fewer of them


class Reader(NamedTuple):
    bases: list  # valid files, bytes
    read: Callable[[int, bytes], Any]  # read(which, content): raises UserError, or AssertionError for a wrong result
    inner: Callable[[int, bytes, random.Random], bytes]  # mutates the content below gzip, checksum or JSON syntax
    crafted: dict  # {name: content}, hostile files that replace the first base


# Mutations

OPCODES = bytes(range(40, 126)) + bytes(range(0x80, 0x98))  # opcodes of pickle, and letters


def mutate(content, chance):
    """Return the content with a few bits, bytes or blocks changed."""
    content = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 4, 16])):
        at = chance.randrange((len(content) if chance.random() < 0.7 else min(len(content), 600)) + 1)
        some = chance.choice([1, 2, 4, 8, 100])
        kind = chance.choice(["bit", "byte", "cut", "insert", "leave out", "double", "splice", "number", "zeros",
                              "opcode"])
        if kind == "bit" and at < len(content):
            content[at] ^= 1 << chance.randrange(8)
        elif kind == "byte" and at < len(content):
            content[at] = chance.randrange(256)
        elif kind == "cut" and chance.random() < 0.3:
            del content[at:]
        elif kind == "insert":
            content[at:at] = bytes(chance.randrange(256) for _ in range(some))
        elif kind == "opcode":
            content[at:at] = bytes([chance.choice(OPCODES)])
        elif kind == "leave out":
            del content[at:at + some]
        elif kind in ("double", "splice"):
            block = content[at:at + some]
            to = at if kind == "double" else chance.randrange(len(content) + 1)
            content[to:to] = block * chance.choice([1, 1, 2, 50])
        elif kind == "number":
            width = chance.choice([1, 2, 4, 8])
            number = chance.choice([0, 1, -1, 127, 128, 255, 1 << 15, 1 << 31, (1 << 31) - 1, 1 << 40, 1 << 63])
            content[at:at + width] = (number % (1 << 8 * width)).to_bytes(width, chance.choice(["big", "little"]))
        elif kind == "zeros":
            content[at:at + some] = bytes(some)
    return bytes(content)


def _inner_gzip(which, content, chance):
    return gzip.compress(mutate(gzip.decompress(content), chance), 1)


def _inner_archive(which, content, chance):
    """Mutate a header of the archive and correct its checksum, or mutate the archive's content."""
    content = bytearray(gzip.decompress(content))
    start = chance.choice([0, 512, 1536])
    if chance.random() < 0.7:
        header = mutate(content[start:start + 512], chance)[:512].ljust(512, b"\0")
        content[start:start + 512] = crafted.with_checksum(header)
    else:
        content[start:] = mutate(content[start:], chance)
    return gzip.compress(bytes(content), 1)


def _inner_json(which, content, chance):
    """Replace, remove, rename, wrap or copy a value of the document, or replace a value in its text."""
    document = json.loads(content.decode())
    places = list(_places(document))
    for _ in range(chance.choice([1, 1, 2, 3])):
        holder, key = chance.choice(places)
        kind = chance.choice(["value", "value", "value", "leave out", "rename", "wrap", "swap"])
        if isinstance(holder, dict) and key not in holder or isinstance(holder, list) and key >= len(holder):
            continue
        if kind == "value":
            holder[key] = chance.choice(crafted.HOSTILE_VALUES)
        elif kind == "leave out":
            del holder[key]
        elif kind == "rename" and isinstance(holder, dict):
            holder[chance.choice(["", "x", "\ud800", key + " "])] = holder.pop(key)
        elif kind == "wrap":
            holder[key] = chance.choice([[holder[key]], {"value": holder[key]}])
        elif kind == "swap":
            other, other_key = chance.choice(places)
            if other_key in other if isinstance(other, dict) else other_key < len(other):
                holder[key] = json.loads(json.dumps(other[other_key]))
    text = json.dumps(document)
    if chance.random() < 0.2:
        new = chance.choice(["NaN", "-Infinity", "1e999", "9" * 5000, "[" * 2000 + "]" * 2000, "-0", '"\\udc00"',
                             "{}", '{"a": 1, "a": 2}'])
        at = text.find(": ", chance.randrange(len(text))) + 2
        end = min(k for k in (text.find(",", at), text.find("}", at), len(text)) if k >= at)
        text = text[:at] + new + text[end:]
    return text.encode()


def _places(document):
    for key in document if isinstance(document, dict) else range(len(document)):
        yield document, key
        if isinstance(document[key], (dict, list)):
            yield from _places(document[key])


def _inner_checkpoint(which, content, chance):
    """Mutate names and values of the index and correct its checksums; the data file has no inner structure."""
    if which == 1:
        return mutate(content, chance)
    stored = crafted.entries(content)
    if chance.random() < 0.2:
        return crafted.table(stored, lambda block: mutate(block, chance))
    for _ in range(chance.choice([1, 1, 2])):
        pair = chance.choice(stored)
        k = chance.choice([0, 1, 1, 1])
        pair[k] = mutate(pair[k], chance)
    return crafted.table(stored if chance.random() < 0.5 else sorted(stored))


# Readers; each gets a folder of its own, which is the working directory

def _cifar_batch(folder, n):
    def read(which, content):
        (folder / cifar10.FOLDER_NAME / "test_batch").write_bytes(content)
        with armed():
            images = cifar10.load(("test",), data_dir=str(folder))["test"]
        assert images.x.shape == (n, 3072) and images.y.shape == (n,) and images.y.max() <= 9
        assert images.x.dtype == images.y.dtype == np.uint8
    (folder / cifar10.FOLDER_NAME).mkdir()
    cifar10.IMAGES_PER_BATCH = n
    return Reader([crafted.batch(n)], read, lambda which, content, chance: mutate(content, chance), crafted.pickles(n))


def _cifar_archive(folder, n):
    def read(which, content):
        (folder / cifar10.ARCHIVE_NAME).write_bytes(content)
        with armed():
            images = cifar10.load(("test",), data_dir=str(folder))["test"]
        assert images.x.shape == (n, 3072) and images.x.dtype == np.uint8 and images.y.shape == (n,)
    cifar10.IMAGES_PER_BATCH = n
    return Reader([crafted.packed(crafted.archive(n))], read, _inner_archive, crafted.archives(n))


def _idx(folder, n):
    names = fashion_mnist.SPLITS["test"]
    fashion_mnist.SHAPES = {**fashion_mnist.SHAPES, names[0]: (n, 28, 28), names[1]: (n,)}
    images = np.random.default_rng(0).integers(0, 256, n * 784, np.uint8)
    bases = [crafted.packed(crafted.idx((0, 0, 8, 3), n, 28, 28, content=images.tobytes())),
             crafted.packed(crafted.idx((0, 0, 8, 1), n, content=(np.arange(n) % 10).astype(np.uint8).tobytes()))]

    def read(which, content):
        unpacked = folder / names[which]
        for k, name in enumerate(names):
            (folder / (name + ".gz")).write_bytes(content if k == which else bases[k])
        if content[:2] != b"\x1f\x8b":  # not gzip: written as an unpacked file
            (folder / (names[which] + ".gz")).unlink()
            unpacked.write_bytes(content)
        try:
            with armed():
                found = fashion_mnist.load(("test",), data_dir=str(folder))["test"]
        finally:
            if unpacked.exists():
                unpacked.unlink()
        assert found.x.shape == (n, 28, 28) and found.y.shape == (n,) and found.y.max() <= 9
        assert found.x.dtype == found.y.dtype == np.uint8
    return Reader(bases, read, _inner_gzip, crafted.idx_files(n))


def _settings(folder, n):
    from dataclasses import asdict

    from tf1_autoencoders.checkpointing import saver
    whole = {"section": 2, "preset": "report", "settings": asdict(SMALL), "versions": {"numpy": np.__version__},
             "data": {"name": "CIFAR-10", "kind": "official"}}

    def read(which, content):
        (folder / "settings.json").write_bytes(content)
        with armed():
            settings, _ = saver.read_settings(folder / "model.ckpt", section2_horses.Settings)
        for name, value in asdict(settings).items():
            expected = getattr(SMALL, name)  # None: a number that follows from others
            assert value is None or type(value) is (int if expected is None else type(expected)), name
    return Reader([json.dumps(whole, indent=2).encode()], read, _inner_json, crafted.documents())


def _transcript(folder, n):
    (folder / "section2").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (folder / "section2" / name).write_bytes(b"\x89PNG" + bytes(100))
    whole = {
        "section": 2, "preset": "report", "backend": "graph", "settings": {"n_input": 37, "seed": 1},
        "versions": {"numpy": "2"},
        "title": "A <title>", "about": "About.\n\nSource: a book.\n\nDepartures: none.\n", "source": "CIFAR-10",
        "mark": "",
        "transcript": [{"kind": "heading", "text": "One & two"}, {"kind": "text", "lines": ["a", "b"]},
                    {"kind": "figure", "file": "a.png", "caption": "A figure"},
                    {"kind": "slider", "caption": "A slider", "frames": [
                        {"label": "first", "file": "b.png"}, {"label": "second", "file": "c.png"}]},
                    {"kind": "table", "caption": "A table", "header": ["a", "b"], "rows": [["1", "2"]]}],
        "measured": {"epoch 0 Train MSE": 2900.0}, "note": "A note.", "key_figures": [["epoch 0 Train MSE", "1", "2"]],
        "compared": [["epoch 0", "1", "2", "", "1 ± 1 (2)", "inside", "not judged: n_epochs changed"]]}
    own_script = f"<script>{html_report.SCRIPT}</script>"

    def read(which, content):
        (folder / "section2" / "transcript.json").write_bytes(content)
        with armed(folder / "report.html"):
            result = html_report.write_html_report(folder)
        text = result.read_text(encoding="utf-8")
        assert text.count(own_script) == 1 and "<script" not in text.replace(own_script, "")
        assert "root:" not in text and text.endswith("</html>\n")
    return Reader([json.dumps(whole).encode()], read, _inner_json, crafted.documents())


def _bands(folder, n):
    whole = {"section 2, preset report": {"seeds": 3, "data": "official", "values": {
        "epoch 0 Train MSE": [2850.5, 2900.25, 2800.0], "epoch 10 Train MSE": [2000.0, 1900.5, 2100.0]}}}

    def read(which, content):
        (folder / "bands.json").write_bytes(content)
        with armed():
            stored = comparison.read_bands(folder / "bands.json")
        for entry in stored.values():
            for values in entry["values"].values():
                assert comparison.verdict(2.0, values).endswith(("inside", "the mean", "no band"))
    return Reader([json.dumps(whole).encode()], read, _inner_json, crafted.documents())


def _checkpoint(folder, n):
    from tf1_autoencoders.checkpointing import saver
    from tf1_autoencoders.training.session import TimedSession
    model = section2_horses.build_graph(SMALL)
    session = TimedSession(model)
    session.run(model.initializer)
    saver.save(session, model.weights_saver, folder)
    files = [folder / "model.ckpt.index", folder / "model.ckpt.data-00000-of-00001"]
    bases = [file.read_bytes() for file in files]

    def read(which, content):
        for file, base in zip(files, bases):
            file.write_bytes(base)
        files[which].write_bytes(content)
        with armed():
            saver.restore(session, model.weights_saver, model.weights, folder / saver.CHECKPOINT_NAME)
        for weight in session.run(model.weights):
            assert weight.dtype == np.float32
    return Reader(bases, read, _inner_checkpoint, crafted.indexes(bases[0]))


def _any_checkpoint(folder, n):
    from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile
    with zipfile.ZipFile(str(FOREIGN)) as archive:
        bases = [archive.read(name) for name in ("dense/model.ckpt.index", "dense/v1.ckpt",
                                                 "partitioned/model.ckpt.index", "object_based/model.ckpt.index")]
        for network in ("dense", "partitioned", "object_based"):
            archive.extractall(str(folder), [name for name in archive.namelist() if name.startswith(network)])
    files = [folder / "dense" / "model.ckpt.index", folder / "dense" / "v1.ckpt",
             folder / "partitioned" / "model.ckpt.index", folder / "object_based" / "model.ckpt.index"]

    def read(which, content):
        files[which].write_bytes(content)
        with armed():
            variables = CheckpointFile(str(files[which])).variables
        for name, variable in variables.items():
            assert variable.name == name and variable.n_bytes >= 0
    return Reader(bases, read, lambda which, content, chance: mutate(content, chance) if which == 1 else
                  _inner_checkpoint(0, content, chance),
                  {**crafted.indexes(bases[0]), **crafted.small_indexes_of_much(1 << 18)})


def _graph(folder, n):
    from tf1_autoencoders.converting.graph.allowlist import READS, VARIABLES, check_operations
    from tf1_autoencoders.converting.graph.ends import find_ends, find_outputs
    from tf1_autoencoders.converting.graph.foreign_graph import ForeignGraph
    from tf1_autoencoders.converting.graph.subgraph import needed_nodes
    with zipfile.ZipFile(str(FOREIGN)) as archive:
        bases = [archive.read(f"{network}/model.ckpt.meta") for network in ("dense", "bidirectional")]

    def read(which, content):
        (folder / "model.ckpt.meta").write_bytes(content)
        graph = ForeignGraph.read(folder / "model.ckpt.meta")
        try:
            with armed():
                for output in find_outputs(graph)[:2]:
                    ends = find_ends(graph, [], [output], {})
                    needed = needed_nodes(graph.nodes, [output], set(ends.inputs) | set(ends.feeds))
                    check_operations(graph.source, graph.library, {name: graph.nodes[name] for name in needed},
                                     READS | VARIABLES)
        except (KeyError, IndexError, ValueError, AttributeError) as error:  # convert.work makes a sentence of them
            raise UserError(type(error).__name__) from error
    return Reader(bases, read, lambda which, content, chance: mutate(content, chance), {})


def _progress(folder, n):
    from tf1_autoencoders.training.loop import Progress
    whole = {"n_steps": 23, "epoch": 2, "step": 3, "batch_metrics": [{"loss": 1.0}] * 3, "finished": False,
             "measurements": [[0, {"loss": 3.0}], [1, {"loss": 2}]], "machines": [{"cpu": "any"}]}

    def read(which, content):
        (folder / "progress.json").write_bytes(content)
        try:
            with armed():
                progress = Progress.from_json(read_json(folder / "progress.json"), 5, 10)
        except ValueError as error:
            raise UserError(error) from error
        assert progress.n_steps == 10 * progress.epoch + progress.step and 0 <= progress.epoch < 5
    return Reader([json.dumps(whole).encode()], read, _inner_json, crafted.documents())


def _picture(folder, n):
    import io

    from PIL import Image

    from tf1_autoencoders.datasets.picture_file import FORMATS, read_picture
    bases = []
    for kind in FORMATS:
        file = io.BytesIO()
        Image.fromarray(np.arange(40 * 40 * 3, dtype=np.uint32).astype(np.uint8).reshape(40, 40, 3)).save(file, kind)
        bases.append(file.getvalue())

    def read(which, content):
        (folder / "photo").write_bytes(content)
        image, done = read_picture(folder / "photo", 28, True)
        assert image.shape == (1, 784) and 0 <= image.min() <= image.max() <= 255 and done.isprintable()
    return Reader(bases, read, lambda which, content, chance: mutate(content, chance), {})


READERS = {  # name -> (function, images in a file); at the official size a case takes a fifth of a second
    "CIFAR batch": (_cifar_batch, 10), "CIFAR archive": (_cifar_archive, 10), "IDX": (_idx, 10),
    "settings": (_settings, 0),
    "transcript": (_transcript, 0), "bands": (_bands, 0), "checkpoint": (_checkpoint, 0),
    "anybody's checkpoint": (_any_checkpoint, 0), "graph": (_graph, 0), "progress": (_progress, 0),
    "picture": (_picture, 0),
    "CIFAR batch, full": (_cifar_batch, 10000), "CIFAR archive, full": (_cifar_archive, 10000),
    "IDX, full": (_idx, 10000)}


# Actions that a reader must not take

EVENTS = []  # audit events inside a block of `armed`


class armed:
    """Context manager that records running code, imported modules and written files in EVENTS."""

    on, may_write = False, None

    def __init__(self, may_write=None):
        armed.may_write = str(may_write)

    def __enter__(self):
        armed.on = True

    def __exit__(self, *_):
        armed.on = False


def _audit(event, arguments):
    if armed.on and (event in ("exec", "compile", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen",
                               "pty.spawn", "socket.connect", "pickle.find_class", "os.fork", "ctypes.dlopen")
                     or event == "import" and not arguments[0].startswith("encodings")
                     or event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
                     and not str(arguments[0]).startswith(armed.may_write)):
        EVENTS.append(f"{event} {str(arguments[:1])[:60]}")


@functools.lru_cache(maxsize=None)
def _listen():
    if hasattr(sys, "addaudithook"):  # from Python 3.8 on
        sys.addaudithook(_audit)


def case(name, reader, seed, k):
    """Return (description, number of the base, content) of case k; the crafted cases come first."""
    if k < len(reader.crafted):
        description = list(reader.crafted)[k]
        return description, 0, reader.crafted[description]
    chance = random.Random(f"{seed} {name} {k}")
    which = chance.randrange(len(reader.bases))
    if chance.random() < 0.5:
        return "mutated", which, mutate(reader.bases[which], chance)
    return "mutated inside", which, reader.inner(which, reader.bases[which], chance)


def outcome(reader, which, content, folder):
    """Return "refused", "accepted", or a description of the failure."""
    _listen()
    EVENTS.clear()
    start, before = time.perf_counter(), _peak()
    try:
        reader.read(which, content)
        found = "accepted"
    except UserError as error:
        found = _complaint(error, folder) or "refused"
    except Exception as error:
        found = f"{type(error).__name__}: {str(error)[:200]!r}"
    if EVENTS:
        return f"it did {EVENTS[0]}"
    if os.path.exists(crafted.CANARY) or (folder / crafted.CANARY).exists():
        return "its code has run"
    if time.perf_counter() - start > SLOWEST:
        return f"{time.perf_counter() - start:.1f} s, {found}"
    if _peak() - before > MOST_MEMORY:
        return f"{_peak() - before:.0f} MB, {found}"
    return found


def _complaint(error, folder):
    message, cause = str(error).replace(str(folder), ""), error
    if not message.isprintable() or len(message) > LONGEST:
        return f"a message of {len(message)} characters: {message[:200]!r}"
    while cause is not None:
        if isinstance(cause, MemoryError):
            return f"it asked for more memory than there is: {message[:200]}"
        cause = cause.__cause__ or cause.__context__
    return None


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2 ** 20 if sys.platform == "darwin" else 2 ** 10)


# Processes

def child(name, seed, first, n):
    """Run a reader's cases from `first` on, and print a line of JSON for each; a crash or a hang ends the process."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        make, size = READERS[name]
        reader = make(Path(folder), size)
        for which, content in enumerate(reader.bases):
            reader.read(which, content)  # imports the modules that it needs, and must not fail
        start = _peak()
        if os.path.exists("/proc/self/statm"):  # on Linux, which enforces the limit below
            with open("/proc/self/statm") as statm:
                in_use = int(statm.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (in_use + (4 << 30),) * 2)
        for k in range(first, len(reader.crafted) + n):
            signal.alarm(HANGS)
            description, which, content = case(name, reader, seed, k)
            begin = time.perf_counter()
            found = outcome(reader, which, content, Path(folder))
            print(json.dumps({"k": k, "case": description, "found": found, "ms": 1000 * (time.perf_counter() - begin),
                              "mb": _peak() - start}), flush=True)
        signal.alarm(0)


def run(name, seed, n, keep):
    """Run all cases of a reader in child processes; return a row of the table, and the failures as lines."""
    counts, failures, slowest, peak, done = Counter(), [], 0.0, 0.0, -1
    with tqdm(total=n, desc=name, file=sys.stderr, disable=None) as bar:
        while True:
            process = subprocess.Popen([sys.executable, "-m", "tests.robustness.fuzz", "--child", name, "--seed",
                                        str(seed), "--first", str(done + 1), "--cases", str(n)],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for line in process.stdout:
                if not line.startswith(b'{"k"'):
                    continue
                output = json.loads(line)
                done, slowest, peak = output["k"], max(slowest, output["ms"]), max(peak, output["mb"])
                kind = output["found"] if output["found"] in ("refused", "accepted") else "failures"
                counts[kind] += 1
                if kind == "failures":
                    failures.append((done, output["case"], output["found"]))
                bar.update()
            if process.wait() == 0:
                break
            done += 1
            counts["failures"] += 1
            code = -process.returncode
            failures.append((done, "?", f"ended by {signal.Signals(code).name if code > 0 else f'exit code {-code}'}"))
            if process.returncode > 0:  # the reader itself cannot be built
                break
    if failures:
        _keep(name, seed, failures, keep)
    return [name, sum(counts.values()), counts["refused"], counts["accepted"], counts["failures"], f"{slowest:.0f}",
            f"{peak:.0f}"], [f"{name}, case {k} ({description}): {found}" for k, description, found in failures]


def _keep(name, seed, failures, keep):
    """Save the files of the failing cases."""
    with tempfile.TemporaryDirectory() as folder:
        make, size = READERS[name]
        reader = make(Path(folder), size)
        for k, _, _ in failures:
            _, which, content = case(name, reader, seed, k)
            (keep / f"{name.replace(' ', '-').replace(',', '')}-{k}-of-base-{which}").write_bytes(content)


def main(argv=None):
    parser = cli.Parser(prog="python -m tests.robustness.fuzz", description=__doc__)
    parser.add_argument("--cases", type=cli.whole_number(1), default=2000, metavar="N",
                        help="mutated files for each reader (default: 2000)")
    parser.add_argument("--seed", type=cli.whole_number(0), default=0, metavar="N",
                        help="seed of the mutations (default: 0)")
    parser.add_argument("--reader", choices=list(READERS), metavar="NAME",
                        help=f"one of {'; '.join(READERS)} (default: all)")
    parser.add_argument("--keep", type=Path, metavar="DIR",
                        help="folder for failing files (default: a temporary folder)")
    parser.add_argument("--child", choices=list(READERS), help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    return cli.run_command(parser, fuzz, argv)


def fuzz(args):
    """Print the table; return exit code 1 if a reader did anything but read correctly or refuse."""
    if args.child:
        return child(args.child, args.seed, args.first, args.cases)
    keep = args.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    keep.mkdir(parents=True, exist_ok=True)
    rows, failures = [], []
    for name in [args.reader] if args.reader else READERS:
        full = name.endswith(", full") and not args.reader
        row, failed = run(name, args.seed, args.cases // CASES_PER_FULL_SIZE_CASE if full else args.cases, keep)
        rows.append(row)
        failures += failed
    print(*tables.markdown_table(HEADER, rows), sep="\n")
    if failures:
        print("", *failures, f"files kept in {keep}", sep="\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
