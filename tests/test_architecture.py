"""The rules of the package's folders, checked on its imports."""
import ast
import functools
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "tf1_autoencoders"
FILES = sorted(PACKAGE.rglob("*.py"))

# folder -> the folders that its files may import, beside itself
ALLOWED = {
    "utils": set(), "graphs": {"utils"}, "keras_twin": {"graphs", "utils"}, "checkpointing": {"utils"},
    # knows no section: a section's graph reaches it as a GraphDef
    "converting": {"checkpointing", "keras_twin", "reporting", "utils"},
    "datasets": {"utils"}, "reporting": {"utils"}, "training": {"checkpointing", "graphs", "keras_twin", "utils"},
    # no other folder knows that several tasks can train one network
    "distributed": {"graphs", "training", "utils"},
    "sections": {"checkpointing", "datasets", "distributed", "graphs", "keras_twin", "reporting", "training", "utils"},
    "tensorflow1": {"datasets", "utils"}, "programs": {"tensorflow1", "utils"},  # old programs
    # the files at the top of the package
    "commands": {"checkpointing", "converting", "distributed", "graphs", "keras_twin", "programs", "reporting",
                 "sections", "training", "utils"}}
# library -> the only file that may import it
DOORS = {"tensorflow": "utils/frameworks.py", "keras": "utils/frameworks.py", "matplotlib": "reporting/figures.py"}


def folder_of(relative):
    return relative.parts[0] if len(relative.parts) > 1 else "commands"


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


def test_the_folders_have_no_circular_imports():
    arrows = {folder: {folder_of(imported) for path in FILES if folder_of(path.relative_to(PACKAGE)) == folder
                       for imported in relative_imports(path)} - {folder} for folder in ALLOWED}
    while arrows:
        free = [folder for folder, targets in arrows.items() if not targets & set(arrows)]
        assert free, f"a circle among {sorted(arrows)}"
        for folder in free:
            del arrows[folder]


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
