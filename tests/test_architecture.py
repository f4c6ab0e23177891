"""The rules of the package's folders, checked on its imports."""
import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "tf1_autoencoders"
FILES = sorted(PACKAGE.rglob("*.py"))

ARCHITECTURE = PACKAGE.parent / "docs" / "architecture.md"
# folder -> the folders that its files may import, beside itself; the files at the top of the package are "commands"
ALLOWED = {folder: set(targets.split()) for folder, targets in re.findall(
    r"^([\w/]+) +->(.*)$", ARCHITECTURE.read_text(encoding="utf-8").split("```text")[1].split("```")[0], re.M)}
# library -> the only file that may import it
DOORS = {"tensorflow": "utils/frameworks.py", "keras": "utils/frameworks.py", "matplotlib": "reporting/figures.py"}


def folder_of(relative):
    """Return the folder of a file as the list names it: the innermost that has a line there."""
    parents = [parent.as_posix() for parent in relative.parents]
    return next((parent for parent in parents if parent in ALLOWED), "commands" if len(parents) == 1 else parents[-2])


@functools.lru_cache(maxsize=None)
def imports(path):
    """Return the names of everything that a file imports, `from package import module` as package.module."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    return [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names] + [
        f"{node.module}.{alias.name}" for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]


def relative_imports(path):
    """Yield the package's files that a file imports, as paths relative to the package."""
    for name in imports(path):
        parts = name.split(".")[1:]
        while name.startswith("tf1_autoencoders.") and parts:
            module = Path(*parts)
            if (PACKAGE / module).with_suffix(".py").is_file() or (PACKAGE / module / "__init__.py").is_file():
                yield module.with_suffix(".py") if (PACKAGE / module).with_suffix(".py").is_file() \
                    else module / "__init__.py"
                break
            parts.pop()


def test_folders_import_each_other_one_way():
    wrong = []
    for path in FILES:
        folder = folder_of(path.relative_to(PACKAGE))
        wrong += [f"{path.name} imports {imported}" for imported in relative_imports(path)
                  if folder_of(imported) not in ALLOWED[folder] | {folder}]
    assert wrong == []


def in_circles(arrows):
    """Return the nodes of a graph {node: its targets} that lie on a circle, or between two."""
    arrows = {node: set(targets) for node, targets in arrows.items()}
    while True:
        loose = {node for node, targets in arrows.items() if not targets & set(arrows)}
        loose |= set(arrows) - set().union(*arrows.values())
        if not loose:
            return set(arrows)
        arrows = {node: targets for node, targets in arrows.items() if node not in loose}


def test_circles_are_found():
    assert in_circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a"}}) == {"b", "c"}
    assert in_circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == set()


def test_neither_folders_nor_files_have_circular_imports():
    assert in_circles(ALLOWED) == set()
    files = {path.relative_to(PACKAGE).as_posix(): {imported.as_posix() for imported in relative_imports(path)}
             for path in FILES if path.name != "__init__.py"}
    assert in_circles(files) == set()


def test_the_arrows_and_the_readme_name_every_folder():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {folder for folder in ALLOWED if "/" not in folder} == folders | {"commands"}
    readme = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    table = "".join(line for line in readme.splitlines(True) if line.startswith("| `"))
    assert {folder for folder in folders if f"`{folder}/`" not in table} == set()


def test_the_first_line_of_each_file_says_what_the_file_is_for():
    assert [path.name for path in FILES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))] == []


def test_tensorflow_keras_and_matplotlib_have_one_door_each():
    wrong = [f"{path.name} imports {name}" for path in FILES if not {"tensorflow1", "programs"} & set(path.parts)
             for name in imports(path) if DOORS.get(name.split(".")[0]) not in (
                 None, path.relative_to(PACKAGE).as_posix())]
    assert wrong == []


def test_importing_every_module_loads_no_tensorflow():
    modules = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in FILES
               if path.name not in ("__init__.py", "__main__.py") and "tensorflow1" not in path.parts
               and path.name != "figures.py"]
    code = f"import sys, {', '.join(modules)}; sys.exit('tensorflow' in sys.modules or 'matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=str(PACKAGE.parent))
