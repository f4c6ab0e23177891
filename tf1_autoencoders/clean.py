"""`python -m tf1_autoencoders.clean`: list what runs left behind and nobody needs, and delete it after a question.

Listed are runs that were set aside (checkpoints/sectionN.before-K and results/sectionN.before-K) and downloads that
were left unfinished. The last finished run of a section stays, wherever it lies, and so does everything in use.
"""
from __future__ import annotations

import argparse
import datetime
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Sequence

from tf1_autoencoders.checkpointing.store import ASIDE, good_checkpoints, is_finished
from tf1_autoencoders.reporting.run_log import TRANSCRIPT
from tf1_autoencoders.reporting.tables import markdown_table
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import (
    ABANDONED_AFTER_SECONDS,
    UNFINISHED_PREFIX,
    check_not_shipped,
    lock_folder,
)
from tf1_autoencoders.utils.paths import CHECKPOINTS, DATA, RESULTS, display_path

RUN_ASIDE = re.compile(rf"(section\d+){re.escape(ASIDE)}\d+")
REMOVAL = UNFINISHED_PREFIX + "removal-of-"  # the name of a folder while it is deleted


class Leftover(NamedTuple):
    """Something that can be deleted."""

    path: Path
    what: str
    size: int  # bytes
    time: float  # of the last change, in seconds since 1970
    run: Optional[Path] = None  # the folder of runs whose lock protects it


def find_leftovers(checkpoint_dir: Path, results_dir: Path) -> List[Leftover]:
    """Return everything that can be deleted; nothing is changed."""
    leftovers = []
    for folder in dict.fromkeys((checkpoint_dir, results_dir)):
        for path in _folders(folder, RUN_ASIDE.pattern):
            is_run, what = _describe_run(path)
            if is_run:
                leftovers.append(_leftover(path, what, path.with_name(path.name.partition(ASIDE)[0])))
        leftovers += [_leftover(path, "half deleted run", path.with_name(path.name[len(REMOVAL):].partition(ASIDE)[0]))
                      for path in _folders(folder, re.escape(REMOVAL) + RUN_ASIDE.pattern)]
    kept = {path for number_folder in {leftover.run for leftover in leftovers} if number_folder
            for path in [_last_finished_run(number_folder)]}
    leftovers = [leftover for leftover in leftovers if leftover.path not in kept]
    for path in sorted(DATA.rglob("*.part")):
        leftover = _leftover(path, "unfinished download")
        if path.is_file() and not path.is_symlink() and time.time() - leftover.time > ABANDONED_AFTER_SECONDS:
            leftovers.append(leftover)
    return leftovers


def _folders(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield the folders in a folder whose whole name fits the pattern; never a link."""
    for path in sorted(folder.glob("*")):
        if re.fullmatch(pattern, path.name) and path.is_dir() and not path.is_symlink():
            yield path


def _describe_run(path: Path) -> tuple:
    """Return which of a run's folders a folder is: its checkpoints, its results, or neither."""
    newest = next(good_checkpoints(path, []), None)
    if newest:
        return True, f"{'finished' if is_finished(newest) else 'unfinished'} run, {newest.number} steps"
    if list(path.glob("step-*")):
        return True, "run without a good checkpoint"
    return (path / TRANSCRIPT).is_file(), "results of a run"


def _last_finished_run(run: Path) -> Optional[Path]:
    """Return the folder of a section's last finished run: the section's own, else the newest that was set aside."""
    finished = []
    for path in (run, *_folders(run.parent, re.escape(run.name + ASIDE) + r"\d+")):
        newest = next(good_checkpoints(path, []), None)
        if newest and is_finished(newest):
            finished.append((path == run, newest.path.stat().st_mtime, path))
    return max(finished)[-1] if finished else None


def _leftover(path: Path, what: str, run: Optional[Path] = None) -> Leftover:
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    details = [file.lstat() for file in files]
    return Leftover(path, what, sum(detail.st_size for file, detail in zip(files, details) if not file.is_dir()),
                    max(detail.st_mtime for detail in details), run)


def delete(leftover: Leftover, checkpoint_dir: Path, results_dir: Path) -> bool:
    """Delete a leftover, unless it is in use or has changed since it was listed; say whether it was deleted."""
    if leftover.run is None:
        leftover.path.unlink()
        return True
    try:
        lock = lock_folder(leftover.run, "folder")
    except UserError:
        cli.warn(f"{display_path(leftover.path)}: a run is at work in {display_path(leftover.run)}; it stays")
        return False
    with lock:
        if leftover not in find_leftovers(checkpoint_dir, results_dir):
            cli.warn(f"{display_path(leftover.path)}: it has changed; it stays")
            return False
        hidden = leftover.path
        if not hidden.name.startswith(REMOVAL):  # a kill in between leaves a folder that is known as half deleted
            hidden = leftover.path.rename(leftover.path.with_name(REMOVAL + leftover.path.name))
        shutil.rmtree(str(hidden))
    return True


def clean(args: argparse.Namespace) -> None:
    """List the leftovers, ask, delete them."""
    folders = Path(args.checkpoint_dir), Path(args.results_dir)
    for folder, usual, option in zip(folders, (CHECKPOINTS, RESULTS), ("--checkpoint-dir", "--results-dir")):
        check_not_shipped(folder)
        if not folder.is_dir() and folder != usual:
            raise UserError(f"{option} {display_path(folder)}: no such folder; name the one that the runs were given")
    leftovers = find_leftovers(*folders)
    if not leftovers:
        print("nothing to delete: no run was set aside, and no download is unfinished")
        return
    total = sum(leftover.size for leftover in leftovers)
    rows = [(display_path(leftover.path), leftover.what, f"{leftover.size / 1e6:.1f}",
             f"{datetime.datetime.fromtimestamp(leftover.time):%Y-%m-%d %H:%M}") for leftover in leftovers]
    print(*markdown_table(("path", "content", "MB", "last change"), rows), "", sep="\n", flush=True)
    if not args.yes and not sys.stdin.isatty():
        print(f"nothing was deleted: give --yes to delete these {total / 1e6:.1f} MB")
        return
    if not args.yes and not _confirmed(f"delete these {total / 1e6:.1f} MB? [y/N] "):
        print("nothing was deleted")
        return
    deleted = [leftover for leftover in leftovers if delete(leftover, *folders)]
    print(f"deleted: {len(deleted)} of {len(leftovers)}, {sum(leftover.size for leftover in deleted) / 1e6:.1f} MB")


def _confirmed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = cli.Parser(
        prog="python -m tf1_autoencoders.clean",
        description="List runs that were set aside (sectionN.before-K) and downloads that were left unfinished,\n"
                    "and delete them after a question. The last finished run of each section stays.")
    parser.add_argument("--yes", action="store_true", help="delete without a question, for scripts")
    parser.add_argument("--checkpoint-dir", default=str(CHECKPOINTS), metavar="DIR", type=cli.path_name,
                        help="folder of the checkpoints (default: checkpoints)")
    parser.add_argument("--results-dir", default=str(RESULTS), metavar="DIR", type=cli.path_name,
                        help="folder of the results (default: results)")
    return cli.run_command(parser, clean, argv)


if __name__ == "__main__":
    sys.exit(main())
