"""`python -m tests.program_names`: what it reads from a program, and its report."""
import json

from tests import program_names

PROGRAM = """
import numpy as np
import tensorflow as tf
import tensorflow.contrib.slim as slim
from tensorflow.python.ops import rnn_cell as cells

cell = cells.LSTMCell(3, state_is_tuple=True)
x = tf.nn.relu(np.ones(3), name="x").shape
slim.conv2d(*x)
"""
USES = {"import tensorflow", "import tensorflow.contrib.slim", "from tensorflow.python.ops import rnn_cell",
        "tensorflow.python.ops.rnn_cell.LSTMCell", "tensorflow.python.ops.rnn_cell.LSTMCell(1, state_is_tuple)",
        "tensorflow.nn", "tensorflow.nn.relu", "tensorflow.nn.relu(1, name)", "tensorflow.contrib.slim.conv2d"}


def test_a_program_uses_its_imports_names_and_forms_of_calls(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    assert set(program_names.uses(program_names.blocks(path))) == USES


def test_a_notebooks_cells_share_their_imports_and_magics_are_left_out(tmp_path):
    first, second = PROGRAM.split("\n\n")
    path = tmp_path / "notebook.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": ["%matplotlib inline\n", first]},
                                          {"cell_type": "markdown", "source": "import tensorflow.train"},
                                          {"cell_type": "code", "source": [second]}]}))
    assert set(program_names.uses(program_names.blocks(path))) == USES


def test_answers_are_yes_or_what_a_program_would_meet():
    answers = {use: program_names.answer(use) for use in (
        "import json", "from json import lodas", "json.loads", "json.lodas", "json.loads(1)", "json.loads(0)")}
    assert [use for use in answers if answers[use] == "yes"] == ["import json", "json.loads", "json.loads(1)"]
    assert answers["from json import lodas"].startswith("ImportError: cannot import name 'lodas'")
    assert answers["json.loads(0)"] == "TypeError: missing a required argument: 's'"


def test_the_report_has_what_the_original_has_and_this_package_has_not():
    places = {"tf.a": {"1.py"}, "tf.b": {"1.py", "2.py"}, "tf.c": {"1.py"}, "tf.d": {"1.py"}, "tf.a(1)": {"1.py"}}
    then = {**dict.fromkeys(places, "yes"), "tf.d": "AttributeError"}
    now = {**dict.fromkeys(places, "yes"), "tf.b": "AttributeError: b", "tf.c": "tf.c is not offered", "tf.d": "?"}
    assert program_names.report(places, then, now) == [
        "names: 3 that 1.15.5 has; of these 1 here, 1 refused by name, 1 missing",
        "  2 programs: tf.b: AttributeError: b (1.py)",
        "forms of calls: 1 that 1.15.5 has; of these 1 here, 0 refused by name, 0 missing"]
