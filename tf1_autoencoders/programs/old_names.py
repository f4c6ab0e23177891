"""Finds the names of TensorFlow before 1.0 in a program and in the modules beside it, without running them."""
from __future__ import annotations

import ast
import os
import re
from typing import Any, Container, Dict, Iterator, List, NamedTuple, Optional, Tuple

MAX_MODULES = 200  # modules beside a program that are looked at


class OldName(NamedTuple):
    """A name of before 1.0, as the program writes it, and where."""
    name: str
    path: str
    line: int


def find(source: str, path: str) -> Optional[OldName]:
    """Return the first name of before 1.0 in a program, else in the modules that it imports from its folder."""
    from tf1_autoencoders.tensorflow1 import before_1
    folder = os.path.dirname(os.path.abspath(path))
    waiting, seen = [(source, path)], {os.path.abspath(path)}
    while waiting:
        source, path = waiting.pop(0)
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        found = next(_names(tree, before_1.NAMES, before_1.MODULES), None)
        if found is not None:
            return OldName(found[0], path, found[1])
        for module in _imported(tree):
            for name in (f"{module}.py", os.path.join(module, "__init__.py")):
                beside = os.path.join(folder, name)
                if beside not in seen and os.path.isfile(beside) and len(seen) < MAX_MODULES:
                    seen.add(beside)
                    with open(beside, encoding="utf-8", errors="replace") as file:
                        waiting.append((file.read(), os.path.relpath(beside)))
    return None


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that a program imports, as paths without ending."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.replace(".", os.sep) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").replace(".", os.sep)
            yield from (os.path.join(module, alias.name) for alias in node.names)
            if module:
                yield module


def _walk(node: ast.AST) -> Iterator[Any]:
    """Yield the nodes of a tree, without code that asks which TensorFlow it has: such a program runs on 1.15, too."""
    yield node
    for child in ast.iter_child_nodes(node):
        asks = isinstance(child, ast.If) and re.search(r"__version__|hasattr\(", ast.unparse(child.test)) or \
            isinstance(child, ast.Try) and any(
                handler.type is None or re.search("AttributeError|ImportError", ast.unparse(handler.type))
                for handler in child.handlers)
        if not asks:
            yield from _walk(child)


def _names(tree: ast.AST, names: Container[str], modules: Container[str]) -> Iterator[Tuple[str, int]]:
    """Yield (name, line) for each name of before 1.0."""
    aliases: Dict[str, str] = {}  # name in the program -> path below tensorflow
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "tensorflow":
                    path = alias.name.partition(".")[2] if alias.asname else ""
                    aliases[alias.asname or "tensorflow"] = path
                    if alias.name.partition(".")[2] in modules:
                        yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tensorflow" and not node.level:
            package = (node.module or "").partition(".")[2]
            for alias in node.names:
                path = f"{package}.{alias.name}".strip(".")
                aliases[alias.asname or alias.name] = path.replace("python.ops.rnn", "nn", 1) \
                    if path == "python.ops.rnn" else path
                if path in modules or path in names:
                    yield f"tensorflow.{path}", node.lineno
    for node in _walk(tree):
        if isinstance(node, ast.Attribute) and dotted(node, aliases) in names:
            yield ast.unparse(node), node.lineno
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args and \
                dotted(node.func, aliases) in ("concat", "split") and _is_whole_number(node.args[0]):
            yield f"{ast.unparse(node.func)}({ast.unparse(node.args[0])}, ...)", node.lineno


def _is_whole_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def dotted(node: ast.AST, aliases: Dict[str, str]) -> Optional[str]:
    """Return the path below tensorflow of `tf.nn.rnn`; None if the expression is another one."""
    parts: List[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in aliases:
        return None
    return ".".join([*filter(None, [aliases[node.id]]), *reversed(parts)])
