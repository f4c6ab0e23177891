"""What a program computed, written to a file and compared: initial values, and the results of each session.run.

Recording adds no operation to a graph, so that seeds stay what they are. It runs under TensorFlow 1.15.5 (Python 3.7),
too. A record is JSON: `versions`; `variables` (name, shape, dtype, sha256 of the bytes of the initial value); `runs`, a
list for each session.run of [fetch, shape, first value, mean, sha256] for its floating-point results; `random`
operations (name, seed, seed2, number of operations before it); `operations` (name, type), in the order of the graph.
"""
from __future__ import annotations

import collections
import hashlib
import json
import math
import os
import platform
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from tf1_autoencoders.utils.errors import UsageError, UserError, one_line
from tf1_autoencoders.utils.files import atomic_file
from tf1_autoencoders.utils.paths import display_path

FORMAT = 1
MAX_RESULTS = 20000  # results of a program that are recorded
MAX_OPERATIONS = 100000
TRIES = 20  # runs after which a variable that nobody has initialised is given up
RELATIVE = 1e-4  # two results are called equal up to this difference, relative to the larger one


def _sha256(array: Any) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


class Recorder:
    """Records a program that is about to run in this process."""

    def __init__(self, path: str) -> None:
        self.path = path
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder) or os.path.isdir(path):
            raise UsageError(f"--record {display_path(path)}: expected a file in a folder that exists")
        self.variables: List[Dict[str, Any]] = []
        self.runs: List[List[Any]] = []
        self.n_results = self.n_left_out = 0
        self._graphs: List[Any] = []
        self._pending: Dict[Tuple[int, str], int] = {}
        self._known: set = set()
        self._run: Any = None
        self._started = False

    def start(self) -> None:
        """Begin: from now on each session.run is recorded."""
        from tensorflow.python.client import session  # type: ignore[import-untyped,unused-ignore]
        self._started = True
        run = self._run = session.BaseSession.run
        recorder = self

        def recorded(self: Any, fetches: Any, feed_dict: Any = None, options: Any = None,
                     run_metadata: Any = None) -> Any:
            results = run(self, fetches, feed_dict, options, run_metadata)
            recorder._note(self, fetches, results)
            return results

        session.BaseSession.run = recorded

    def _note(self, session: Any, fetches: Any, results: Any) -> None:
        import numpy as np
        if all(graph is not session.graph for graph in self._graphs):
            self._graphs.append(session.graph)
        self._note_initial_values(session)
        row = []
        for name, value in _leaves(fetches, results):
            if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f":
                array = np.asarray(value)
                if self.n_results >= MAX_RESULTS:
                    self.n_left_out += 1
                    continue
                self.n_results += 1
                first = float(array.ravel()[0]) if array.size else None
                mean = float(array.mean(dtype=np.float64)) if array.size else None
                row.append([name, list(array.shape), first, mean, _sha256(array)])
        self.runs.append(row)

    def _note_initial_values(self, session: Any) -> None:
        import numpy as np
        graph = session.graph
        for variable in graph.get_collection("variables") + graph.get_collection("local_variables"):
            key = id(graph), variable.name
            if key in self._known or self._pending.get(key, 0) >= TRIES:
                continue
            element = getattr(variable, "_graph_element", None)
            element = getattr(variable, "_variable", None) if element is None else element
            if element is None or element.graph is not graph:
                continue
            try:
                value = np.asarray(self._run(session, element))
            except Exception:  # not initialised yet
                self._pending[key] = self._pending.get(key, 0) + 1
                continue
            self._known.add(key)
            self.variables.append({"name": variable.name, "shape": list(value.shape), "dtype": str(value.dtype),
                                   "sha256": _sha256(value) if value.dtype != object else ""})

    def write(self) -> None:
        """Write the record."""
        if not self._started:
            return
        operations: List[Any] = []
        random: List[Any] = []
        for graph in self._graphs:
            for number, operation in enumerate(graph.get_operations()):
                if len(operations) < MAX_OPERATIONS:
                    operations.append([operation.name, operation.type])
                if "seed2" in operation.node_def.attr:
                    attributes = operation.node_def.attr
                    random.append([operation.name, attributes["seed"].i, attributes["seed2"].i, number])
        tensorflow = sys.modules.get("tensorflow")
        content = {"format": FORMAT, "versions": {
            "tensorflow": getattr(sys.modules.get("tensorflow.python.framework.versions"), "VERSION", None) or
            str(getattr(tensorflow, "__version__", "?")), "python": platform.python_version()},
            "left out": self.n_left_out, "variables": self.variables, "runs": self.runs, "random": random,
            "operations": operations}
        with atomic_file(Path(self.path)) as file:
            file.write(json.dumps(content).encode())


def _leaves(fetches: Any, results: Any) -> Iterator[Tuple[str, Any]]:
    """Yield (name, result) for each thing that was fetched."""
    if isinstance(fetches, dict) and isinstance(results, dict):
        for key in fetches:
            yield from _leaves(fetches[key], results[key])
    elif isinstance(fetches, (list, tuple)) and isinstance(results, (list, tuple)) and len(fetches) == len(results):
        for fetch, result in zip(fetches, results):
            yield from _leaves(fetch, result)
    else:
        yield str(getattr(fetches, "name", fetches)), results


def _read(path: str) -> Dict[str, Any]:
    try:
        with open(path, "rb") as file:
            content = json.loads(file.read().decode())
        if content["format"] != FORMAT or not isinstance(content["runs"], list):
            raise ValueError("another format")
        return content
    except OSError as error:
        raise UserError(f"{display_path(path)}: {error.strerror}; name a file that --record wrote") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{display_path(path)}: not a record ({one_line(error)}); name a file that --record "
                        "wrote") from None


def compare(a_path: str, b_path: str) -> int:
    """Print what is equal in two records and the first thing that is not; return 0 if nothing differs, else 1.

    Raises:
        UserError: a file is missing or not a record.
    """
    a, b = _read(a_path), _read(b_path)
    print(f"A: {display_path(a_path)} (TensorFlow {a['versions']['tensorflow']}), "
          f"B: {display_path(b_path)} (TensorFlow {b['versions']['tensorflow']})")
    same_variables = _compare_variables(a, b)
    same_results = _compare_results(a, b)
    return 0 if same_variables and same_results else 1


def first_values(record: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    """Return {name: entry} of a record's variables; a second graph of a program restores its values from the first."""
    found: Dict[str, Dict[str, Any]] = {}
    for variable in record.get("variables", []):
        found.setdefault(variable["name"], variable)
    return found


def _compare_variables(a: Dict[str, Any], b: Dict[str, Any]) -> bool:
    ours, theirs = first_values(a), first_values(b)
    common = [name for name in ours if name in theirs]
    equal = [name for name in common if ours[name] == theirs[name]]
    print(f"initial values: {len(equal)} of {len(common)} variables are bit-identical")
    for name in common:
        if ours[name] != theirs[name]:
            print(f"  the first that differs: {name}, {_describe(ours[name])} in A, {_describe(theirs[name])} in B")
            _explain(a, b, name)
            break
    for side, mine, other in (("A", ours, theirs), ("B", theirs, ours)):
        alone = [name for name in mine if name not in other]
        if alone:
            more = f" and {len(alone) - 5} more" if len(alone) > 5 else ""
            print(f"  only in {side}: {', '.join(alone[:5])}{more}")
    return len(equal) == len(ours) == len(theirs)


def _describe(variable: Dict[str, Any]) -> str:
    return f"{variable['dtype']}{variable['shape']} sha256 {variable['sha256'][:8]}"


def _explain(a: Dict[str, Any], b: Dict[str, Any], variable: str) -> None:
    """Name the first random operation with another seed, and the operations before it that made the difference."""
    theirs = {name: (seed, seed2, number) for name, seed, seed2, number in b["random"]}
    previous = (0, 0)
    for name, seed, seed2, number in a["random"]:
        if name not in theirs:
            print(f"  the first random operation that B does not have: {name}")
            return
        if (seed, seed2) == theirs[name][:2]:
            previous = number, theirs[name][2]
            continue
        print(f"  the first random operation with another seed: {name}, ({seed}, {seed2}) in A, "
              f"({theirs[name][0]}, {theirs[name][1]}) in B")
        parts = [record["operations"][start:end] for record, start, end in
                 ((a, previous[0], number), (b, previous[1], theirs[name][2]))]
        counts = [collections.Counter(kind.replace("AddV2", "Add") for _, kind in part) for part in parts]
        for mine, side, k in ((counts[0] - counts[1], "A", 0), (counts[1] - counts[0], "B", 1)):
            if mine:
                first = next((operation for operation, kind in parts[k] if kind.replace("AddV2", "Add") in mine), "")
                print(f"  operations before it that only {side} has: " +
                      ", ".join(f"{number} {kind}" for kind, number in sorted(mine.items())) + f" (such as {first})")
        return
    print(f"  all seeds are equal: the function that makes {variable.split(':')[0]} computes other values")


def _equal(x: Optional[float], y: Optional[float]) -> bool:
    if x is None or y is None or math.isnan(x) or math.isnan(y):
        return x == y or (x is not None and y is not None and math.isnan(x) and math.isnan(y))
    return x == y or abs(x - y) <= RELATIVE * max(abs(x), abs(y))


def _compare_results(a: Dict[str, Any], b: Dict[str, Any]) -> bool:
    n_equal = n_identical = n_all = 0
    first = None
    for number, (mine, theirs) in enumerate(zip(a["runs"], b["runs"]), 1):
        for x, y in zip(mine, theirs):
            n_all += 1
            n_identical += x[4] == y[4]
            equal = x[1] == y[1] and (x[4] == y[4] or _equal(x[2], y[2]) and _equal(x[3], y[3]))
            n_equal += equal
            if not equal and first is None:
                first = number, x, y
        if len(mine) != len(theirs) and first is None:
            first = number, None, None
    print(f"results of session.run: {n_equal} of {n_all} are equal to {RELATIVE:g}, "
          f"{n_identical} of them bit-identical")
    if first and first[1]:
        number, x, y = first
        print(f"  the first that differs: run {number}, {x[0]}: first value {x[2]:.9g} and mean {x[3]:.9g} in A, "
              f"{y[2]:.9g} and {y[3]:.9g} in B" if x[2] is not None and y[2] is not None else
              f"  the first that differs: run {number}, {x[0]}: shape {x[1]} in A, {y[1]} in B")
    elif first:
        print(f"  run {first[0]} has {len(a['runs'][first[0] - 1])} floating-point results in A, "
              f"{len(b['runs'][first[0] - 1])} in B")
    if len(a["runs"]) != len(b["runs"]):
        print(f"  A has {len(a['runs'])} calls of session.run, B {len(b['runs'])}")
    return first is None and len(a["runs"]) == len(b["runs"])
