"""The notebooks run from top to bottom, without a network, and hold no trace of a machine."""
import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
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


def test_there_is_a_notebook_for_each_section_and_one_for_tensorflow_1():
    assert [path.stem.split("_")[0] for path in NOTEBOOKS] == ["0", "1", "2", "3", "4"]
