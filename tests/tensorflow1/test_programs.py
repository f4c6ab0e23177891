"""`run_tf1`: what it does with a program, from the outside and in its parts."""
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("tf_keras")

from tf1_autoencoders import run_tf1  # noqa: E402
from tf1_autoencoders.programs import imports, launch, python2, record, surroundings  # noqa: E402
from tf1_autoencoders.utils.errors import UsageError  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = '''
"""A program of 2017."""
import os
import sys
import numpy as np
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data
from tensorflow.python.framework import ops
from tensorflow.python.ops import control_flow_ops, rnn_cell
from tensorflow.contrib import rnn
import tensorflow.contrib.slim as slim
from tensorflow.contrib.layers.python.layers import initializers
import tensorflow.contrib.layers as layers
import keras
from keras.layers import Dense
import matplotlib.pyplot as plt
import beside

tf.app.flags.DEFINE_integer("steps", 1, "steps")
FLAGS = tf.app.flags.FLAGS


def main(_):
    ops.reset_default_graph()
    tf.set_random_seed(42)
    x = tf.placeholder("float", [None, 3])
    loss = tf.reduce_mean(tf.square(tf.nn.dropout(tf.layers.dense(x, 2), 0.5)))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        rows = np.reshape(np.array(np.ones(12, np.float), np.float32, copy=False), newshape=[4, 3])
        value = session.run(loss, {x: rows})
    plt.plot([1, 2])
    plt.show()
    print(sys.argv[1:], FLAGS.steps, __name__, os.path.basename(__file__), beside.NAME, sys.stdin.read())
    print("\\x1b[1mbold\\x1b[0m\\b", [np.float32(0.5)])
    print("%.6f" % value, callable(control_flow_ops.cond), rnn_cell.GRUCell is rnn.GRUCell, keras.layers.Dense is Dense)
    open(os.path.join("nowhere", "file"))


if __name__ == "__main__":
    tf.app.run()
'''
LOSS = "6.499579"  # what TensorFlow 1.15.5 prints


@pytest.fixture
def program(tmp_path):
    """Return a function that writes a program's text to a file in a folder of its own and returns the path."""
    def write(text, name="program.py"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)
    return write


def refused(capsys, *argv):
    """Run the command; return its only line on stderr."""
    assert run_tf1.main(list(argv)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    line, = captured.err.splitlines()
    return line


def test_a_program_runs_as_with_python(program, tmp_path):
    """Imports in every form, flags, stdin, a module beside it, a figure, a seed, the traceback and the exit code."""
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("MPLBACKEND", "DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run([sys.executable, "-m", "tf1_autoencoders.run_tf1", "--record", str(tmp_path / "record.json"),
                           program(PROGRAM), "--steps=3", "rest"], cwd=tmp_path, input="from stdin",
                          env={**environment, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True)
    assert done.stdout.splitlines() == ["['--steps=3', 'rest'] 3 __main__ program.py beside from stdin",
                                        "\x1b[1mbold\x1b[0m\b [0.5]", f"{LOSS} True True True"], done.stderr
    assert done.returncode == 1
    assert (tmp_path / "program_figure_1.png").is_file()
    lines = done.stderr.splitlines()
    assert lines[0] == "no display: figure saved in program_figure_1.png"
    assert lines[1] == "Traceback (most recent call last):" and lines[-1].startswith("FileNotFoundError")
    assert not any("tf1_autoencoders" in line for line in lines)
    recorded = json.loads((tmp_path / "record.json").read_text())
    assert [variable["name"] for variable in recorded["variables"]] == ["dense/kernel:0", "dense/bias:0"]
    assert [f"{row[2]:.6f}" for run in recorded["runs"] for row in run] == [LOSS]


IMPORTS = """
from tensorflow.contrib import rnn, layers, slim
import tensorflow.contrib.slim as slim
import tensorflow.contrib.slim.nets as nets
from tensorflow.contrib.slim.python.slim.nets import vgg
from tensorflow.contrib.layers.python.layers import initializers, utils, layers
from tensorflow.contrib.layers import xavier_initializer, batch_norm
from tensorflow.contrib.layers.python.layers.layers import fully_connected
from tensorflow.contrib.image.python.ops.dense_image_warp import _interpolate_bilinear, dense_image_warp
from tensorflow.contrib.rnn.python.ops import core_rnn_cell
from tensorflow.contrib.rnn.python.ops.core_rnn_cell import _linear
from tensorflow.contrib.rnn.python.ops import rnn_cell
from tensorflow.contrib.rnn import LSTMStateTuple, BasicLSTMCell
from tensorflow.contrib.framework.python.ops import add_arg_scope, arg_scope
from tensorflow.contrib.framework import nest
from tensorflow.contrib.learn.python.learn.datasets.mnist import read_data_sets
from tensorflow.contrib.learn.python.learn.datasets import base
from tensorflow.contrib.learn.python.learn.datasets import mnist
from tensorflow.contrib.training import HParams
from tensorflow.contrib.training.python.training import hparam
from tensorflow.contrib import learn
from tensorflow.contrib.seq2seq import sequence_loss
from tensorflow.contrib.tensorboard.plugins import projector
from tensorflow.examples.tutorials.mnist import input_data
import tensorflow.examples.tutorials.mnist.input_data as input_data
from tensorflow.examples.tutorials.mnist import mnist
from tensorflow.python.framework import ops, dtypes, tensor_shape, graph_util
from tensorflow.python.ops import rnn_cell_impl, variable_scope as vs, array_ops, math_ops, control_flow_ops, rnn
from tensorflow.python.ops.rnn_cell_impl import RNNCell, _zero_state_tensors
from tensorflow.python.ops.rnn_cell import RNNCell, LSTMStateTuple
from tensorflow.python.ops.control_flow_ops import cond, while_loop
from tensorflow.python.ops.math_ops import tanh, sigmoid
from tensorflow.python.layers.core import Dense
from tensorflow.python.layers import core as layers_core, base
from tensorflow.python.layers import convolutional
from tensorflow.python.util import nest
from tensorflow.python.platform import gfile, flags, app
from tensorflow.python.client import device_lib, timeline
from tensorflow.python import debug as tf_debug
from tensorflow.python.training import moving_averages, saver as tf_saver
from tensorflow.python import pywrap_tensorflow
from tensorflow.python.pywrap_tensorflow import NewCheckpointReader
from tensorflow.python.tools.inspect_checkpoint import print_tensors_in_checkpoint_file
from tensorflow.python.keras.layers import Dense
from tensorflow.python.keras import backend as K
from tensorflow.core.framework import summary_pb2, graph_pb2
from tensorflow.keras.layers import Dense
from tensorflow.keras import layers, models
import tensorflow.keras as keras
import tensorflow.keras.backend as K
from keras import backend as K
from keras.models import Sequential, Model
from keras.layers.core import Dense, Dropout, Activation
from keras.layers.convolutional import Conv2D
from keras.layers.normalization import BatchNormalization
from keras.layers.recurrent import LSTM
from keras.datasets import mnist
from keras.utils import np_utils, to_categorical
from keras.optimizers import Adam, SGD
from keras.preprocessing.image import ImageDataGenerator
from keras.preprocessing.text import Tokenizer
from keras.callbacks import ModelCheckpoint
import keras.backend as K
from keras.regularizers import l2
from keras.initializers import RandomNormal
from keras.engine.topology import Layer
import tensorflow.nn as nn
import tensorflow.layers
import tensorflow.contrib
from tensorflow import keras
from tensorflow import flags, app, gfile
import tensorflow.compat.v1 as tf1
from tensorflow.compat.v1.train import Saver, AdamOptimizer
import tensorflow.compat.v1.nn as nn
from tensorflow.compat.v1.nn import rnn_cell
from tensorflow.compat.v1.keras.layers import Dense
from tensorflow.compat.v1.summary import FileWriter
import tensorflow.train as train
from tensorflow.contrib.keras import layers, backend
from tensorflow.contrib.keras.api.keras.layers import Dense
from tensorflow.contrib.distributions import Normal, kl_divergence
from tensorflow.contrib.staging import StagingArea
from tensorflow.python.framework.graph_util import convert_variables_to_constants
from tensorflow.python.framework.tensor_shape import scalar, vector, matrix
from tensorflow.python.util.nest import is_sequence
from tensorflow.python.ops.variable_scope import variable
from tensorflow.python.pywrap_tensorflow import EventsWriter
import tensorflow
assert tensorflow.train.Saver is Saver is train.Saver and tensorflow.nn.rnn_cell.LSTMCell is rnn_cell.LSTMCell
assert tensorflow.contrib.distributions.Normal is tensorflow.distributions.Normal
assert tensorflow.keras.__version__ == keras.__version__ == "2.2.4-tf"
assert (scalar(), vector(2), matrix(2, 3)) == ((), (2,), (2, 3)) and is_sequence([1]) and not is_sequence(1)
"""


@pytest.mark.slow
def test_modules_are_found_under_the_names_that_they_had(program):
    done = subprocess.run([sys.executable, "-m", "tf1_autoencoders.run_tf1", program(IMPORTS)], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


SPAWNS = """
import multiprocessing
import tensorflow as tf

def shape(n):
    return tf.placeholder(tf.float32, [None, n]).shape[1].value

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(shape, [2, 3]))
"""


@pytest.mark.slow
def test_processes_that_a_program_spawns_have_tensorflow_1_too(program):
    done = subprocess.run([sys.executable, "-m", "tf1_autoencoders.run_tf1", program(SPAWNS)], cwd=ROOT,
                          stdout=subprocess.PIPE, universal_newlines=True)
    assert (done.stdout, done.returncode) == ("[2, 3]\n", 0)


ENDLESS = """
import tensorflow as tf

x = tf.Variable(0.)
step = tf.assign_add(x, 1.)
with tf.Session() as session:
    session.run(x.initializer)
    print("training", flush=True)
    while True:
        session.run(step)
"""


@pytest.mark.slow
def test_ctrl_c_ends_a_program_in_its_training_as_it_ends_python(program, tmp_path):
    record_path = tmp_path / "record.json"
    process = subprocess.Popen([sys.executable, "-m", "tf1_autoencoders.run_tf1", "--record", str(record_path),
                                program(ENDLESS)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               universal_newlines=True)
    assert process.stdout.readline() == "training\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, stderr
    assert stderr.splitlines()[0] == "Traceback (most recent call last):"
    assert stderr.splitlines()[-1] == "KeyboardInterrupt" and "tf1_autoencoders" not in stderr


@pytest.mark.slow
@pytest.mark.parametrize("text, code, expected", [
    ("import tensorflow as tf\ntf.estimator.Estimator", 2, "line 2: tf.estimator is not offered"),
    ("import tensorflow as tf\n@tf.function\ndef f(): pass", 2, "line 2: tf.function is not offered"),
    ("from tensorflow.contrib import rn", 2, "line 1: tf.contrib has no 'rn'; did you mean 'rnn'?"),
    ("import tensorflow as tf\ntf.contrib.cudnn_rnn.CudnnLSTM(1, 2)", 2, "line 2: tf.contrib.cudnn_rnn is not offered"),
    ("import keras\nprint(keras.layers.CuDNNGRU)\nkeras.layers.CuDNNGRU(3)", 2, "line 3: keras.layers.CuDNNGRU needs"),
    ("import keras\nkeras.estimator.model_to_estimator(None)", 2, "line 2: tf.keras.estimator is not offered"),
    ("import tensorflow as tf\ntry:\n    tf.load_op_library('./a.so')\nexcept tf.errors.NotFoundError:\n"
     "    tf.load_op_library('./b.so')", 2, "line 5: tf.load_op_library fails (./b.so: cannot open"),
    ("import tensorflow as tf\nfor _ in xrange(2): pass", 2, "line 2: xrange of Python 2, expected Python 3 (range)"),
    ("import sys\nsys.exit(7)", 7, ""), ("import sys\nsys.exit('bad')", 1, "bad")])
def test_what_a_program_asks_for_in_vain_is_one_sentence_and_exit_codes_are_its_own(program, text, code, expected):
    done = subprocess.run([sys.executable, "-m", "tf1_autoencoders.run_tf1", program(text)], cwd=ROOT,
                          stderr=subprocess.PIPE, universal_newlines=True)
    assert done.returncode == code and expected in done.stderr and len(done.stderr.splitlines()) <= 1


def test_a_program_that_cannot_be_run_is_refused_in_one_sentence(capsys, program, tmp_path):
    assert "no program given" in refused(capsys)
    assert "no such file" in refused(capsys, str(tmp_path / "missing.py"))
    assert "a folder, expected a program" in refused(capsys, str(tmp_path))
    (tmp_path / "binary.py").write_bytes(b"\x7fELF\0\0")
    assert "not a Python program but a binary file" in refused(capsys, str(tmp_path / "binary.py"))
    (tmp_path / "latin.py").write_bytes(b"# caf\xe9\n")
    assert "not UTF-8" in refused(capsys, str(tmp_path / "latin.py"))


@pytest.mark.parametrize("line", ["print 'epoch', 1", "except ValueError, error:", "raise ValueError, 'bad'",
                                  "if a <> b: pass", "n = 0777", "exec 'a = 1'", "n = 10L"])
def test_python_2_is_refused_with_its_line(capsys, program, line):
    body = f"try:\n    pass\n{line}\n    pass" if line.startswith("except") else line
    message = refused(capsys, program(f"import tensorflow as tf\n{body}\n"))
    assert f"line {4 if line.startswith('except') else 2}: Python 2 syntax" in message


def test_python_2_in_an_imported_module_and_in_a_name_is_refused_with_its_line(tmp_path):
    (tmp_path / "beside.py").write_text("import os\nprint 'epoch'\n")
    with pytest.raises(SyntaxError) as caught:
        compile((tmp_path / "beside.py").read_text(), str(tmp_path / "beside.py"), "exec")
    with pytest.raises(python2.PythonTwo, match=r"beside.py, line 2: Python 2 syntax \(print 'epoch'\)"):
        python2.refuse(caught.value, "program.py", 1)
    for code, expected in (("raw_input('name')", "raw_input of Python 2, expected Python 3 .input."),
                           ("{}.has_key(1)", "has_key of Python 2, expected Python 3 .key in"),
                           ("missing", ""), ("''.has_key(1)", ""), ("{}[1]", "")):
        with pytest.raises((NameError, AttributeError, KeyError)) as caught:
            eval(code)
        if expected:
            with pytest.raises(python2.PythonTwo, match=f"program.py, line 3: {expected}"):
                python2.refuse(caught.value, "program.py", 3)
        else:
            python2.refuse(caught.value, "program.py", 3)


def test_a_syntax_error_of_the_programs_own_is_shown_as_python_shows_it(capsys, program):
    assert run_tf1.main([program("def f(:\n    pass\n")]) == 1
    assert "SyntaxError" in capsys.readouterr().err


def notebook(*cells):
    return json.dumps({"cells": [{"cell_type": kind, "source": source} for kind, source in cells]})


def test_a_notebook_is_its_code_cells_without_magics():
    content = notebook(("markdown", "# title"), ("code", "%matplotlib inline\nx = 1\n!ls\n"), ("code", "%%bash\nls"),
                       ("code", ["files = !ls\n", "print(x)"]), ("code", "print('%s'\n      % x)\ny = \"\"\"\n!\"\"\""))
    assert launch.notebook_source(content.encode(), "n.ipynb").split("\n") == [
        "pass", "x = 1", "pass", "", "files = []", "print(x)", "print('%s'", "      % x)", 'y = """', '!"""', ""]


def test_a_notebooks_syntax_error_shows_the_line_of_the_cell(capsys, program):
    assert run_tf1.main([program(notebook(("code", "x = 1"), ("code", "y = (2")), "n.ipynb")]) == 1
    assert "\n    y = (2\n" in capsys.readouterr().err


@pytest.mark.parametrize("content, expected", [("{", "not a readable notebook"), ("{}", "not a readable notebook"),
                                               (notebook(("markdown", "text")), "no code")])
def test_a_damaged_notebook_and_one_without_code_are_refused(capsys, program, content, expected):
    assert expected in refused(capsys, program(content, "n.ipynb"))


def test_the_traceback_of_a_notebook_has_the_lines_of_its_cells(capsys, program, monkeypatch):
    monkeypatch.setattr(launch, "prepare", lambda program: None)
    monkeypatch.setitem(sys.modules, "__main__", None)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(sys, "path", sys.path[:])
    cells = notebook(("markdown", "title"), ("code", "value = 0"), ("code", "1 / value"))
    assert launch.run(program(cells, "n.ipynb"), []) == 1
    assert "    1 / value\n" in capsys.readouterr().err


def test_a_name_that_left_its_library_says_what_replaces_it():
    import types
    module = types.ModuleType("scipy.misc")
    surroundings._complete(module)
    with pytest.raises(surroundings.Gone, match="scipy.misc.imread is gone: use imageio"):
        module.imread  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        module.other  # noqa: B018


@pytest.mark.slow
@pytest.mark.parametrize("needed, text, printed", [
    ("pickle", "import cPickle\nimport numpy as np\nprint(cPickle.loads(cPickle.dumps(3)), "
               "np.sctypes['float'][1] is np.float32)\n", "3 True\n"),
    ("scipy", "from scipy.sparse.linalg.eigen.arpack import eigsh\nprint(eigsh.__name__)\n", "eigsh\n"),
    ("sklearn", "from sklearn.externals import joblib\nprint(joblib.dump.__name__)\n", "dump\n")])
def test_modules_that_only_moved_are_found_under_their_old_names(program, needed, text, printed):
    pytest.importorskip(needed)
    done = subprocess.run([sys.executable, "-m", "tf1_autoencoders.run_tf1", program(text)], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert (done.stdout, done.stderr) == (printed, "")


def test_a_class_takes_the_names_that_its_arguments_had():
    import types
    module = types.ModuleType("sklearn.manifold")

    class TSNE:
        def __init__(self, n_components=2, *, max_iter=1000):
            self.values = n_components, max_iter

    module.TSNE = TSNE
    surroundings._complete(module)
    assert [TSNE(3, n_iter=250).values, TSNE(max_iter=300).values] == [(3, 250), (2, 300)]


def test_the_projectors_configuration_is_the_text_of_a_message(tmp_path):
    from tests.tensorflow1.test_seeds import tf
    projector = tf.contrib.tensorboard.plugins.projector
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add()
    embedding.tensor_name, embedding.metadata_path = "words:0", 'a "b".tsv'
    embedding.sprite.single_image_dim.extend([28, 28])
    writer = type("Writer", (), {"get_logdir": lambda self: str(tmp_path)})()
    projector.visualize_embeddings(writer, config)
    assert (tmp_path / "projector_config.pbtxt").read_text().split() == [
        "embeddings", "{", "tensor_name:", '"words:0"', "metadata_path:", '"a', '\\"b\\".tsv"', "sprite", "{",
        "single_image_dim:", "28", "single_image_dim:", "28", "}", "}"]


def a_record(tmp_path, name, sha="aa", seed2=3, loss=1.0, operations=("Const", "Add", "RandomUniform")):
    content = {"format": record.FORMAT, "versions": {"tensorflow": name, "python": "3"}, "left out": 0,
               "variables": [{"name": "w:0", "shape": [2], "dtype": "float32", "sha256": sha}],
               "runs": [[], [["loss:0", [], loss, loss, str(loss)]]],
               "random": [["w/r", 42, seed2, len(operations) - 1]],
               "operations": [[f"op{k}", kind] for k, kind in enumerate(operations)]}
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(content))
    return str(path)


def test_equal_records_are_called_equal(capsys, tmp_path):
    assert run_tf1.main(["--compare", a_record(tmp_path, "a"), a_record(tmp_path, "b", loss=1.00001)]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "initial values: 1 of 1 variables are bit-identical",
        "results of session.run: 1 of 1 are equal to 0.0001, 0 of them bit-identical"]


def test_the_first_values_of_a_variable_are_its_initial_ones():
    entries = [{"name": "w:0", "sha256": "first"}, {"name": "w:0", "sha256": "restored in a second graph"}]
    assert record.first_values({"variables": entries})["w:0"]["sha256"] == "first"


def test_a_difference_is_named_with_the_operation_that_made_it(capsys, tmp_path):
    other = a_record(tmp_path, "b", "bb", 4, 1.5, ("Const", "Add", "Pack", "RandomUniform"))
    assert run_tf1.main(["--compare", a_record(tmp_path, "a"), other]) == 1
    out = capsys.readouterr().out
    assert "the first that differs: w:0" in out
    assert "the first random operation with another seed: w/r, (42, 3) in A, (42, 4) in B" in out
    assert "operations before it that only B has: 1 Pack (such as op2)" in out
    assert "the first that differs: run 2, loss:0: first value 1 and mean 1 in A, 1.5 and 1.5 in B" in out


def test_a_file_that_is_no_record_is_refused(capsys, tmp_path, program):
    assert run_tf1.main(["--compare", str(tmp_path / "missing"), a_record(tmp_path, "a")]) == 1
    assert "No such file" in capsys.readouterr().err
    assert run_tf1.main(["--compare", program("{}", "other.json"), a_record(tmp_path, "a")]) == 1
    assert "not a record" in capsys.readouterr().err
    with pytest.raises(UsageError, match="expected a file in a folder that exists"):
        record.Recorder(str(tmp_path / "nowhere" / "record.json"))


def test_without_tf_keras_one_sentence_says_what_to_install(monkeypatch):
    def missing(name):
        raise ImportError("TensorFlow 1's layers and cells need tf_keras, which is not installed: pip install tf_keras")
    monkeypatch.setattr(imports.importlib, "import_module", missing)
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "0")
    with pytest.raises(UsageError, match="need tf_keras, .*: pip install tf_keras$"):
        imports.install()
