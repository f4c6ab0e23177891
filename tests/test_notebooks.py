"""The notebooks run from top to bottom, without a network, and hold no trace of a machine."""
import dataclasses
import importlib
import json
import sys
from pathlib import Path

import pytest

from tests.conftest import slow
from tf1_autoencoders.datasets import fashion_mnist
from tf1_autoencoders.sections import SECTIONS

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", [NOTEBOOKS[0], *map(slow, NOTEBOOKS[1:])], ids=lambda path: path.stem)
def test_a_notebook_runs_without_an_error(path, tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.read(path, 4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}}).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_small_and_its_outputs_name_no_folder_and_no_error(path):
    assert path.stat().st_size < 300_000
    for cell in json.loads(path.read_text())["cells"]:
        for output in cell.get("outputs", []):
            assert output["output_type"] in ("stream", "execute_result", "display_data")
            assert output.get("name") != "stderr"
            assert "/home/" not in str(output.get("text", "")) and "/tmp/" not in str(output.get("text", ""))


def test_there_is_a_notebook_for_each_section_one_for_tensorflow_1_and_one_in_persian():
    assert [path.stem.split("_")[0] for path in NOTEBOOKS] == ["0", "1", "2", "3", "4", "fa"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_one_cell_of_set_up(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first = next(cell["source"] for cell in cells if cell["cell_type"] == "code")
    assert first[0].startswith("import prepare") and len(first) <= 3


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """notebooks/prepare.py, whose import changes the working directory and the module path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path))
    yield importlib.import_module("prepare")
    del sys.modules["prepare"]


@pytest.mark.parametrize("folder, chosen", [("fashion-mnist", "real"), ("nothing here", "sample")])
def test_a_notebook_gets_real_images_if_they_are_on_the_machine_and_downloads_none(
        prepare, folder, chosen, tmp_path, monkeypatch):
    (tmp_path / "fashion-mnist").mkdir()
    for name in fashion_mnist.SHAPES:
        (tmp_path / "fashion-mnist" / name).touch()
    monkeypatch.setattr(fashion_mnist, "_usual_folders", lambda: (tmp_path / folder,))
    section = dataclasses.replace(SECTIONS[1], load=lambda settings, data, data_dir: data)
    assert prepare.load(section, section.presets["report"]) == chosen
