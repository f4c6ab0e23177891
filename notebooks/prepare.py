"""The set-up of the notebooks: `import prepare` in the first cell.

The import makes the package importable, keeps TensorFlow's start-up messages away, and takes the notebook into a
temporary folder, so that nothing that it writes lies in the project. `load` gives real images where this machine has
them; the environment variable TF1_AUTOENCODERS_DATA_DIR names a folder with them, as --data-dir does.
"""
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = os.environ.get("TF1_AUTOENCODERS_DATA_DIR")

sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.chdir(tempfile.mkdtemp())
if (ROOT / "data").is_dir():
    Path("data").symlink_to(ROOT / "data")  # what run_all.py downloaded in the clone


def load(section, settings):
    """Load a Section's data: real images if they are on this machine, else the drawn sample.

    Nothing is downloaded. The second result, the source of the images, says which of the two they are.
    """
    plan, _ = section.data_plan(settings, data_dir=DATA_DIR)
    return section.load(settings, data="sample" if "download" in plan else "real", data_dir=DATA_DIR)
