"""The design of the package, kept by its imports."""
import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "tf1_autoencoders"

# module -> the modules of the package that it may import; sections are one room
SECTION = {"bridge", "datasets", "errors", "frameworks", "layers", "model", "pipeline", "rows"}
ALLOWED = {
    "__init__": set(), "errors": set(), "paths": set(), "published": set(), "measures": set(), "rows": {"errors"},
    "frameworks": {"errors"}, "pipeline": {"frameworks"}, "layers": {"frameworks"}, "bridge": {"frameworks"},
    "model": {"frameworks", "pipeline"}, "figures": {"paths"}, "console": {"errors", "frameworks", "interrupts"},
    "datasets": {"console", "datasets", "errors", "paths"}, "interrupts": set(),
    "folders": {"errors", "paths"}, "store": {"errors", "folders", "paths"},
    "bundle": set(), "checkpoint": {"bundle", "console", "errors", "frameworks", "paths", "store"},
    "training": {"errors", "frameworks", "interrupts"}, "trainers": {"bridge", "checkpoint", "errors", "frameworks"},
    "verdicts": {"errors", "paths", "published"},
    "results": {"console", "figures", "frameworks", "paths", "verdicts"},
    "page": {"errors", "paths", "results", "verdicts"}}
TOP = set(ALLOWED) | {"section", "evaluate", "runs", "catalog"}


def room(path):
    relative = path.relative_to(PACKAGE)
    name = relative.parts[0] if len(relative.parts) > 1 else relative.stem
    return "section" if name.startswith("section") else name


def imports(path):
    """Names of everything that a file imports, with `from package import module` as package.module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows_go_down_the_page_only(path):
    allowed = SECTION if room(path) == "section" else ALLOWED.get(room(path), TOP)
    for name in imports(path):
        if name.startswith("tf1_autoencoders"):
            target = room(PACKAGE / (name.split(".")[1] + ".py"))
            assert target in allowed, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_tensorflow_keras_and_matplotlib_have_one_door_each(path):
    for name in imports(path):
        assert not name.startswith(("tensorflow", "keras")), f"{path.name} imports {name}"
        assert not name.startswith("matplotlib") or path.stem == "figures", f"{path.name} imports {name}"


def test_importing_every_module_loads_no_tensorflow():
    modules = [f"tf1_autoencoders.{path.stem}" for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    code = f"import sys, {', '.join(modules)}; sys.exit('tensorflow' in sys.modules or 'matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=str(PACKAGE.parent))
