"""Kill runs again and again, at random instants or at each system call of a save, and check their files.
    python -m tests.robustness.kill_runs --kills 200      SIGKILL at random instants
    python -m tests.robustness.kill_runs --system-calls   SIGKILL at each system call of a save
    python -m tests.robustness.kill_runs --workers 2      SIGKILL or SIGSTOP to one of several workers
    python -m tests.robustness.kill_runs --power-loss     a power loss before each flush, by the letter of POSIX

Each run continues the one killed before it, in a process of its own. After every kill the store must hold only intact
checkpoints, and no printed epoch may be lost (the small runs save every epoch). A run that reaches its end must be
bit-identical to one that was never killed. The exit code is 1 if any of this fails. With --workers, the launcher and
all workers must also end in time, whenever one of the workers is killed or stopped.

The sections are those of tests/small_sections.py. The processes are forked from this one, which has loaded TensorFlow
without using it, so that a run takes a second. --system-calls needs strace.
"""
from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tests import small_sections as small
from tests.robustness.power_loss import PowerLoss, content_of, replace_fsync
from tf1_autoencoders import run_all
from tf1_autoencoders.checkpointing import store
from tf1_autoencoders.reporting import figures, tables
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.frameworks import keras, tf1

CLUSTER_TIMEOUT = 6  # seconds
SYSTEM_CALLS = "openat,creat,write,pwrite64,writev,fsync,fdatasync,ftruncate,rename,renameat,renameat2,mkdir,mkdirat," \
    "symlink,symlinkat,unlink,unlinkat,rmdir,close,flock"


def start_run(section, folder, *more, before=lambda: None):
    """Start a run into a folder, whose process first calls `before`; return its id. It prints to folder/output."""
    process = os.fork()
    if process:
        return process
    code = 1
    with contextlib.suppress(BaseException):
        output = os.open(str(Path(folder) / "output"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        before()
        code = run_all.main(small.arguments(section, folder, "--threads", "1", *more))
        sys.stdout.flush()
    os._exit(code)


def wait_for(process):
    """Wait for a process; return its exit code, or minus the number of the signal that ended it."""
    status = os.waitpid(process, 0)[1]
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


class Chain:
    """Runs into one folder, each of which continues the one killed before it; `wrong` lists the failures."""

    def __init__(self, section, backend, folder, reference):
        self.section, self.backend, self.reference = section, backend, reference
        self.folder, self.steps, self.wrong, self.in_save = Path(folder), 0, [], 0
        self.folder.mkdir(parents=True)

    def start(self, **options):
        return start_run(self.section, self.folder, "--backend", self.backend, **options)

    def check_after_kill(self):
        """Check that every checkpoint is intact and that every printed epoch is saved."""
        checkpoints, problems = self.folder / "checkpoints" / f"section{self.section}", []
        self.in_save += any(checkpoints.glob("unfinished-*"))
        found = list(store.good_checkpoints(checkpoints, problems))
        self.wrong += problems
        n_steps = found[0].number if found else 0
        n_saved = len(found[0].progress["measurements"]) if found else 0
        metrics = self.folder / "results" / f"section{self.section}" / "metrics.jsonl"
        lines = metrics.read_text().splitlines() if metrics.exists() else []
        n_printed = sum("epoch" in line for line in lines)
        if n_printed > n_saved or n_steps < self.steps:
            self.wrong.append(f"{n_printed} epochs printed, {n_saved} saved; step {self.steps} before, {n_steps} now")
        for name in ("model.ckpt.index", "model.ckpt.data-00000-of-00001"):
            if found and (checkpoints / name).exists() and (checkpoints / name).read_bytes() not in [
                    (checkpoint.path / name).read_bytes() for checkpoint in found]:
                self.wrong.append(f"{name} is not that of a checkpoint")
        self.steps = n_steps

    def check_at_end(self, code):
        """Check that the run succeeded and is bit-identical to one that was never killed."""
        if code:
            self.wrong.append(f"exit code {code}: {(self.folder / 'output').read_text()[-300:]}")
        elif small.remains(self.folder, self.section) != self.reference:
            result = small.remains(self.folder, self.section)
            self.wrong.append("not bit-identical: " + ", ".join(
                name for name in sorted({*result, *self.reference}) if result.get(name) != self.reference.get(name)))


def reference_run(section, backend, folder):
    """Return (files of a run that is not killed, its duration in seconds)."""
    (folder / "whole").mkdir(parents=True)
    start = time.perf_counter()
    code = wait_for(start_run(section, folder / "whole", "--backend", backend))
    if code:
        raise UserError(f"section {section}: a run that was not killed ended with exit code {code}: "
                        f"{(folder / 'whole' / 'output').read_text()[-300:]}")
    return small.remains(folder / "whole", section), time.perf_counter() - start


def kill_at_random(section, backend, n_kills, folder, chance, bar):
    """Kill runs n_kills times, in as many chains as needed; return a row of the table, and the failures."""
    reference, seconds = reference_run(section, backend, folder)
    n_chains = in_save = n_done = 0
    wrong = []
    while n_done < n_kills:
        n_chains += 1
        chain = Chain(section, backend, folder / f"chain-{n_chains}", reference)
        while True:
            process = chain.start()
            if n_done < n_kills:
                time.sleep(chance.uniform(0, seconds))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            code = wait_for(process)
            if code != -signal.SIGKILL:
                break
            n_done += 1
            bar.update(1)
            if (chain.folder / "checkpoints" / f"section{section}" / store.FINISHED).exists():
                code = 0  # the run had finished when it was killed
                break
            chain.check_after_kill()
        chain.check_at_end(code)
        in_save += chain.in_save
        wrong += [f"section {section}, {backend}: {problem}" for problem in chain.wrong]
        if not chain.wrong:
            shutil.rmtree(str(chain.folder))
    return (section, backend, n_kills, in_save, n_chains, len(wrong)), wrong


def disturb_workers(section, n_workers, n_faults, folder, chance, bar):
    """Kill or stop one of n_workers, n_faults times; return a row of the table, and the failures."""
    def start(chain):
        with open(str(chain.folder / "output"), "wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.small_sections", *small.arguments(section, chain.folder), "--workers",
                 str(n_workers), "--cluster-timeout", str(CLUSTER_TIMEOUT)], stdout=output, stderr=subprocess.STDOUT)

    def end(launcher, chain):
        """Wait for the launcher's end; return its exit code, or None if it hangs."""
        try:
            return launcher.wait(CLUSTER_TIMEOUT + 60)
        except subprocess.TimeoutExpired:
            chain.wrong.append("hangs")
            launcher.kill()
            launcher.wait()
            return None

    whole = Chain(section, "graph", folder / "whole", None)
    begun = time.perf_counter()
    whole_code = end(start(whole), whole)
    seconds = time.perf_counter() - begun
    if whole_code != 0:
        raise UserError(f"section {section}: workers that nobody disturbed ended with exit code {whole_code}")
    reference, wrong, counts, longest, n_chains = small.remains(whole.folder, section), [], Counter(), 0.0, 0
    while sum(counts.values()) < n_faults:
        n_chains, code = n_chains + 1, 1
        chain = Chain(section, "graph", folder / f"chain-{n_chains}", reference)
        while code:  # a disturbed run ends with 1; the same command goes on
            launcher = start(chain)
            time.sleep(chance.uniform(1, seconds))
            workers = small.workers_of(launcher.pid)
            if workers and sum(counts.values()) < n_faults and launcher.poll() is None:
                fault = chance.choice((signal.SIGKILL, signal.SIGSTOP))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(workers), fault)
                    counts[fault.name] += 1
                    bar.update(1)
            disturbed = time.perf_counter()
            code = end(launcher, chain)
            longest = max(longest, time.perf_counter() - disturbed) if code else longest
            orphans = [worker for worker in workers if small.is_running(worker)]
            chain.wrong += [f"{len(orphans)} workers outlive their launcher"] if orphans else []
            if code:
                chain.check_after_kill()
            if code is None or (code and "does not answer" not in (chain.folder / "output").read_text()
                                and "signal" not in (chain.folder / "output").read_text()):
                chain.wrong.append(f"exit code {code}: {(chain.folder / 'output').read_text()[-300:]}")
                break
            if (chain.folder / "checkpoints" / f"section{section}" / "ended").exists():
                code = 0  # the chief had finished the run when it was killed
        chain.check_at_end(code)
        wrong += [f"section {section}, {n_workers} workers: {problem}" for problem in chain.wrong]
    row = section, f"{n_workers} workers", counts["SIGKILL"], counts["SIGSTOP"], f"{longest:.0f} s", len(wrong)
    return row, wrong


def strace(process, *arguments):
    """Attach strace to a process and its threads; return the process of strace."""
    tracer = subprocess.Popen(["strace", "-f", "-p", str(process), *arguments], stderr=subprocess.PIPE,
                              universal_newlines=True)
    line = tracer.stderr.readline()
    if "attached" not in line:
        raise UserError(f"strace cannot attach to a process here: {line.strip()}")
    return tracer


def run_under_strace(chain, log, *arguments):
    """Run a chain's next process under strace; return its exit code."""
    read, write = os.pipe()
    process = chain.start(before=lambda: os.read(read, 1))
    tracer = strace(process, "-y", "-o", str(log), *arguments)
    os.write(write, b".")
    os.close(read), os.close(write)
    code = wait_for(process)
    tracer.communicate()
    return code


def kill_at_system_calls(section, backend, folder, bar):
    """Kill runs at each system call on the checkpoints in a save; return rows of the table, and the failures."""
    reference, _ = reference_run(section, backend, folder)
    chain, log = Chain(section, backend, folder / "counted", reference), folder / "log"
    chain.check_at_end(run_under_strace(chain, log, "-e", f"trace={SYSTEM_CALLS}"))
    wrong = list(chain.wrong)
    counts, points, n_saves = Counter(), set(), 0  # strace counts each system call of each thread
    for line in log.read_text().splitlines():
        match = re.match(r"(\d+) +(\w+)\(", line)
        if match:
            counts[match.groups()] += 1
            n_saves += match.group(2) == "mkdir" and "/unfinished-step-" in line and line.endswith("= 0")
            if str(chain.folder / "checkpoints") in line and n_saves == store.N_KEPT + 1:
                points.add((match.group(2), counts[match.groups()]))
    bar.total = len(points)
    killed = Counter()
    for call, number in sorted(points):
        chain = Chain(section, backend, folder / f"{call}-{number}", reference)
        code = run_under_strace(chain, log, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}")
        bar.update(1)
        if code == -signal.SIGKILL:
            killed[call] += 1
            chain.check_after_kill()
            code = wait_for(chain.start())
        chain.check_at_end(code)
        wrong += [f"{call} {number}: {problem}" for problem in chain.wrong]
        shutil.rmtree(str(chain.folder))
    return [(section, backend, call, sum(name == call for name, _ in points), n) for call, n in killed.items()], wrong


def lose_power(section, backend, folder, bar):
    """Continue a run from its state before each flush, and check it; return a row of the table, and the failures."""
    reference, _ = reference_run(section, backend, folder)
    whole, states = Chain(section, backend, folder / "recorded", reference), folder / "states"
    code = wait_for(whole.start(before=lambda: replace_fsync(PowerLoss(whole.folder, states), store)))
    whole.check_at_end(code)
    wrong, lost = list(whole.wrong), 0
    notes, different = sorted(states.glob("*.note")), []
    bar.total += len(notes)
    for note in notes:
        bar.update(1)
        state = note.read_text(), content_of(note.with_suffix(""))
        if state in different:
            continue
        different.append(state)
        chain = Chain(section, backend, folder / note.stem, reference)
        os.rename(str(note.with_suffix("")), str(chain.folder))
        chain.steps = int(note.read_text() or 0)  # of the last save that had come to its end
        checkpoints, problems = chain.folder / "checkpoints" / f"section{section}", []
        found = next(store.good_checkpoints(checkpoints, problems), None)
        if problems or chain.steps > (found.number if found else 0):
            lost += 1
            chain.wrong.append(f"step {chain.steps} was saved, {found and found.number} is on the disk; {problems}")
        chain.check_at_end(wait_for(chain.start()))
        wrong += [f"section {section}, {backend}, power loss {note.stem}: {problem}" for problem in chain.wrong]
        shutil.rmtree(str(chain.folder))
    return (section, backend, len(notes), len(different), lost, len(wrong)), wrong


def main(argv=None):
    parser = cli.Parser(prog="python -m tests.robustness.kill_runs", description=__doc__.split("\n\n    ")[0])
    parser.add_argument("--kills", type=cli.whole_number(1), default=200, metavar="N",
                        help="number of kills at random instants, over all sections (default: 200)")
    parser.add_argument("--system-calls", action="store_true", help="kill at each system call of a save instead")
    parser.add_argument("--power-loss", action="store_true", help="lose the power before each flush of a run instead")
    parser.add_argument("--workers", type=cli.whole_number(2, 16), metavar="W",
                        help="disturb one of W workers instead; the graph only")
    parser.add_argument("--section", choices=("1", "2", "3", "4"), help="one section only (default: all)")
    parser.add_argument("--backend", choices=("graph", "keras"), help="one backend only (default: both)")
    parser.add_argument("--seed", type=cli.whole_number(0), default=0, metavar="N",
                        help="seed of the random instants (default: 0)")
    return cli.run_command(parser, kill, argv)


def kill(args):
    """Print the table, then the failures; return exit code 1 if there are any."""
    small.shrink(setattr, dict.__setitem__)
    pairs = [(int(section), backend) for section in ([args.section] if args.section else "1234")
             for backend in ([args.backend] if args.backend else ("graph",) if args.workers else ("graph", "keras"))]
    tf1.version.VERSION, keras.Model  # noqa: B018  loaded here, used in the forks only
    figures.images([np.zeros(4)], [""])
    folder, rows, wrong = Path(tempfile.mkdtemp()), [], []
    chance = random.Random(args.seed)
    with tqdm(total=0 if args.power_loss else args.kills, unit="kill", file=sys.stderr, disable=None) as bar:
        for number, (section, backend) in enumerate(pairs):
            section_folder = folder / f"{section}-{backend}"
            if args.system_calls:
                more, problems = kill_at_system_calls(section, backend, section_folder, bar)
                rows += more
            elif args.power_loss:
                row, problems = lose_power(section, backend, section_folder, bar)
                rows.append(row)
            else:
                n_kills = args.kills * (number + 1) // len(pairs) - args.kills * number // len(pairs)
                row, problems = disturb_workers(section, args.workers, n_kills, section_folder, chance, bar) \
                    if args.workers else kill_at_random(section, backend, n_kills, section_folder, chance, bar)
                rows.append(row)
            wrong += problems
    header = ("section", "backend", "system call", "in a save", "killed at") if args.system_calls else \
        ("section", "backend", "power losses", "different states", "lose a save", "wrong") if args.power_loss else \
        ("section", "tasks", "killed", "stopped", "longest time to the end", "wrong") if args.workers else \
        ("section", "backend", "kills", "of these while saving", "completed runs", "wrong")
    print(*tables.markdown_table(header, rows), "", *wrong, sep="\n")
    n_kills = sum(row[-1] if args.system_calls else sum(row[2:4]) if args.workers else row[2] for row in rows)
    print(json.dumps({"kills": n_kills, "wrong": len(wrong)}))
    if wrong:
        print(f"left in {folder}")
        return 1
    shutil.rmtree(str(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
