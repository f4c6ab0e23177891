"""The installed package: its dependencies, its files, and its commands from any folder."""
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from tests.conftest import ROOT

PYPROJECT = (ROOT / "pyproject.toml").read_text()


def test_the_export_extra_is_in_requirements_dev_txt():
    listed = re.search(r"export = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.S).group(1)
    assert set(re.findall(r'"([^"]+)"', listed)) <= set((ROOT / "requirements-dev.txt").read_text().splitlines())


def test_the_dependencies_are_those_of_requirements_txt():
    listed = re.search(r"^dependencies = \[(.*)\]$", PYPROJECT, re.M).group(1)
    assert re.findall(r'"([^"]+)"', listed) == (ROOT / "requirements.txt").read_text().split()


def test_the_packages_are_the_folders_of_the_package():
    listed = re.search(r"^packages = \[(.*?)\]$", PYPROJECT, re.M | re.S).group(1)
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("tf1_autoencoders/**/__init__.py")}
    assert set(re.findall(r'"([^"]+)"', listed)) == folders | {
        f"tf1_autoencoders.pretrained.{path.name}" for path in (ROOT / "checkpoints" / "pretrained").iterdir()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return a folder with the package, unpacked from its wheel as `pip install .` does."""
    pytest.importorskip("setuptools.build_meta")
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    shutil.copytree(str(ROOT), str(source), ignore=shutil.ignore_patterns(
        ".git", ".venv", "venv", "data", "results", "tests", "docs", "benchmarks", "__pycache__"))
    code = "import sys; from setuptools.build_meta import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=str(source), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True)
    assert done.returncode == 0, done.stdout
    wheel, = folder.glob("*.whl")
    with zipfile.ZipFile(str(wheel)) as archive:
        archive.extractall(str(folder / "site"))
    return folder / "site"


@pytest.mark.slow
def test_an_installed_command_runs_from_any_folder(installed, tmp_path):
    code = ("import sys; from tf1_autoencoders.evaluate import main; import tf1_autoencoders\n"
            "assert tf1_autoencoders.__file__.startswith(sys.argv[1]); sys.exit(main(sys.argv[2:]))")
    done = subprocess.run([sys.executable, "-c", code, str(installed), "--image", "13", "--data", "sample"],
                          cwd=str(tmp_path), env={**os.environ, "PYTHONPATH": str(installed)},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    assert done.returncode == 0, done.stdout
    assert "the one that comes with the project, preset report" in done.stdout
    for number in (2, 3, 4):
        assert (installed / f"tf1_autoencoders/pretrained/section{number}/model.ckpt.index").is_file()
    assert (tmp_path / "results" / "evaluate" / "image_13_drawn_sample_network_trained_on_real_images.png").is_file()


def test_the_wheel_has_the_files_that_the_pages_read(installed):
    def files(folder):
        return {str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.suffix not in (".py", ".pyc")}
    assert files(installed / "tf1_autoencoders" / "reporting") == files(ROOT / "tf1_autoencoders" / "reporting")


def test_the_commands_of_the_wheel_exist(installed):
    entry_points, = installed.glob("*.dist-info/entry_points.txt")
    targets = re.findall(r"^(\S+) = (\S+):main$", entry_points.read_text(), re.M)
    assert [name for name, _ in targets] == ["tf1-autoencoders", *(
        f"tf1-autoencoders-{name}" for name in ("clean", "convert", "crosscheck", "evaluate", "export", "play",
                                                "run-tf1", "spread"))]
    for _, module in targets:
        assert (installed / (module.replace(".", "/") + ".py")).is_file()
