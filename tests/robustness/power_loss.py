"""What is on the disk if the power fails in a run, by the letter of POSIX: only what the run has flushed.

A file's content is safe after an fsync of the file, and a name after an fsync of its folder. A PowerLoss takes the
place of os.fsync, and writes two states of a folder for the moment before each flush: "flushed", in which nothing else
has come to the disk, and "names", in which every name has, and no content that was not flushed.
"""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional, Set

KINDS = ("flushed", "names")


class Entry(NamedTuple):
    """What a name in a folder stands for."""

    inode: int
    is_folder: bool
    target: Optional[str]  # of a symbolic link


class PowerLoss:
    """Writes the states of the folder `top`, which is on the disk itself, to states/NUMBER-KIND.

    `note` is a text about the moment, which is written to states/NUMBER-KIND.note.
    """

    def __init__(self, top: Path, states: Path) -> None:
        self.top, self.states, self.note = top.resolve(), states, ""
        self.n_flushes = 0
        self._content: Dict[int, bytes] = {}  # flushed, of each file
        self._entries: Dict[int, Dict[str, Entry]] = {}  # flushed, of each folder
        self._held: Set[int] = set()  # inodes with an open descriptor, so that no other file gets their numbers

    def fsync(self, descriptor: int) -> None:
        """Write the states before this flush, and note what it brings to the disk."""
        for kind in KINDS:
            state = self.states / f"{self.n_flushes:04d}-{kind}"
            self._write(state, Entry(self.top.stat().st_ino, True, None), self.top, kind)
            Path(f"{state}.note").write_text(self.note)
        self.n_flushes += 1
        path, inode = Path(os.readlink(f"/proc/self/fd/{descriptor}")), os.fstat(descriptor).st_ino
        self._hold(path, inode)
        if path.is_dir():
            self._entries[inode] = self._listing(path)
        else:
            self._content[inode] = path.read_bytes()

    def _write(self, copy: Path, entry: Entry, real: Path, kind: str) -> None:
        if entry.target is not None:
            copy.symlink_to(entry.target)
        elif entry.is_folder:
            copy.mkdir(parents=True)
            entries = self._listing(real) if kind == "names" else self._entries.get(entry.inode, {})
            for name, inner in entries.items():
                self._write(copy / name, inner, real / name, kind)
        else:
            copy.write_bytes(self._content.get(entry.inode, b""))

    def _listing(self, folder: Path) -> Dict[str, Entry]:
        entries = {}
        for file in folder.iterdir():
            inode, is_link = file.lstat().st_ino, file.is_symlink()
            self._hold(file, inode)
            target = os.readlink(str(file)) if is_link else None
            entries[file.name] = Entry(inode, file.is_dir() and not is_link, target)
        return entries

    def _hold(self, path: Path, inode: int) -> None:
        if inode not in self._held:
            os.open(str(path), os.O_PATH | os.O_NOFOLLOW)
            self._held.add(inode)


def content_of(folder: Path) -> Dict[str, Any]:
    """Return {path: content of a file, or target of a link, or None for a folder} of all that a folder holds."""
    return {str(path.relative_to(folder)): os.readlink(str(path)) if path.is_symlink() else
            path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def replace_fsync(losses: PowerLoss, store: Any) -> None:
    """Let os.fsync of this process write states from now on; their notes are the steps of the last finished save."""
    save = store.Store.save

    def noted_save(self: Any, number: int, *arguments: Any) -> None:
        save(self, number, *arguments)
        losses.note = str(number)
    os.fsync, store.Store.save = losses.fsync, noted_save
