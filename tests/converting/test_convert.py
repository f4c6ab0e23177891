"""convert: what TensorFlow 1.15.5 answered is what the written model answers; hostile graphs are not run."""
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.converting.conftest import NETWORKS
from tf1_autoencoders import convert
from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile, files_of, find_meta
from tf1_autoencoders.converting import proof
from tf1_autoencoders.converting.fresh_process import bytes_on_disk, run_fresh
from tf1_autoencoders.converting.graph.ends import find_ends, find_outputs
from tf1_autoencoders.converting.graph.foreign_graph import ForeignGraph
from tf1_autoencoders.converting.graph.roles import role_table
from tf1_autoencoders.converting.graph.subgraph import import_graph
from tf1_autoencoders.converting.writing import formats, precision
from tf1_autoencoders.converting.writing.keras_model import MAX_LAYERS
from tf1_autoencoders.keras_twin import h5_weights
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.frameworks import tf1

# The answers are 1.15.5's, on another processor's kernels too: as tests/tf115 has it for one pass.
FORWARD = 3e-6


def graph_of(network):
    return ForeignGraph.read(find_meta(network.path))


# ---- --list ----

@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "gru"])
def test_the_output_and_the_inputs_are_found(name, foreign):
    network = foreign(name)
    assert find_outputs(graph_of(network)) == [network.output]
    assert find_ends(graph_of(network), [], [], {}).inputs == network.inputs


def test_placeholders_of_the_training_have_the_values_of_a_network_in_use(foreign):
    assert find_ends(graph_of(foreign("dense")), [], [], {}).feeds == {"Placeholder": 1.0}  # keep_prob
    assert find_ends(graph_of(foreign("conv_batch_norm")), [], [], {}).feeds == {"training": False}


def test_roles_come_from_the_graph_and_without_one_from_the_names(foreign):
    network = foreign("dense")
    checkpoint = CheckpointFile(network.path)
    with_graph, by_name = ({role.variable.name: (role.role, role.layer) for role in role_table(checkpoint, graph)}
                           for graph in (graph_of(network), None))
    assert with_graph["Variable_1"] == ("weight", "MatMul MatMul_1")
    assert with_graph["Variable_1/Adam_1"] == ("slot: v of Adam", "Variable_1")
    assert by_name["Variable_1/Adam_1"] == ("slot: Adam_1", "Variable_1")
    for roles in (with_graph, by_name):
        assert roles["beta2_power"] == ("beta power of Adam", "") and roles["global_step"] == ("counter", "")


def test_moving_averages_and_statistics_have_their_roles(foreign):
    roles = {role.variable.name: role.role for name in ("moving_average", "conv_batch_norm")
             for role in role_table(CheckpointFile(foreign(name).path), graph_of(foreign(name)))}
    assert roles["dense/kernel/ExponentialMovingAverage"] == "moving average"
    assert roles["batch_normalization/moving_mean"] == "batch-norm statistic"
    assert roles["batch_normalization/gamma/Momentum"] == "slot: momentum of Momentum"


def test_an_optimisers_scope_before_a_slots_name_is_no_obstacle(tmp_path):
    names = ["net/w", "optimizer/net/w/RMSProp", "Adam/net/w/m"]
    tf1.raw_ops.SaveV2(prefix=str(tmp_path / "m"), tensor_names=names, shape_and_slices=[""] * 3,
                       tensors=[tf1.zeros([2, 3])] * 3)
    roles = {role.variable.name: (role.role, role.layer) for role in role_table(CheckpointFile(tmp_path / "m"), None)}
    assert roles == {names[0]: ("weight", "net"), names[1]: ("slot: RMSProp", "net/w"), names[2]: ("slot: m", "net/w")}


def test_the_list_has_the_table_and_the_layers(foreign, run):
    code, text = run(foreign("static_multi").path)
    assert code == 0 and "format V2, 9 variables" in text and "output: dense/BiasAdd" in text
    assert [line.split(": ")[1].split("(")[0] for line in text.split("output: ")[1].splitlines()[1:]] == [
        "Input", "LSTM", "LSTM", "SimpleRNN", "Dense"]


def test_an_unknown_operation_is_named_with_its_page(foreign, run, tmp_path):
    meta_graph = tf1.MetaGraphDef.FromString(find_meta(foreign("dense").path).read_bytes())
    node = meta_graph.graph_def.node.add(name="old", op="CudnnRNNV0")
    node.input.append("x")
    (tmp_path / "old.meta").write_bytes(meta_graph.SerializeToString())
    code, text = run(foreign("dense").path, "--meta", "old.meta")
    assert code == 0 and "CudnnRNNV0 (old), see docs/porting.md#recurrent-networks" in text


# ---- --to ----

@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("form", ["savedmodel", "keras"])
def test_a_written_model_gives_the_answers_of_1_15(name, form, foreign, run, tmp_path):
    network = foreign(name)
    code, text = run(network.path, "--to", form, "--no-check", "--out", f"model.{form}", "--output", network.output,
                     *(part for tensor in network.inputs for part in ("--input", tensor)))
    assert code == 0, text
    job = {"kind": form, "path": str(tmp_path / f"model.{form}"), "inputs": [
        tensor.replace("/", "_") for tensor in network.inputs], "outputs": [network.output.replace("/", "_")]}
    found, = proof.run_model(job, [array.astype("int32" if array.dtype.kind == "i" else "float32")
                                   for array in network.arrays])
    assert np.max(np.abs(found - network.answer)) < FORWARD * np.max(np.abs(network.answer))


@pytest.mark.slow
def test_the_comparison_runs_in_a_fresh_process(foreign, run):
    code, text = run(foreign("moving_average").path, "--to", "savedmodel", "--out", "model")
    assert code == 0 and "random inputs: largest difference over 256 rows" in text and "pass" in text


def test_a_difference_beyond_the_tolerance_is_exit_code_1(foreign, run, monkeypatch):
    def compare(jobs, inputs):
        return [{"0": np.float32([[1, 2.001 if job["kind"] == "frozen" and "reference" not in job["path"] else 2]])}
                for job in jobs]
    monkeypatch.setattr(proof, "compare", compare)
    code, text = run(foreign("moving_average").path, "--to", "frozen")
    assert code == 1 and "FAIL" in text


@pytest.mark.parametrize("found", [np.float32([[1, np.nan]]), np.float32([[1, 2, 3]]), None])
def test_nan_and_another_shape_are_differences(found):
    difference = proof.difference({"0": np.float32([[1, 2]])}, {"0": found} if found is not None else {})
    assert not difference.relative <= 1


def test_arrays_by_name_come_back_to_the_byte_with_slots(foreign, run, tmp_path):
    network = foreign("basic_lstm")
    code, text = run(network.path, "--to", "npz", "--out", "model.npz")
    assert code == 0 and "15 variables" in text and "bit-identical" in text
    checkpoint, found = CheckpointFile(network.path), formats.read_npz(tmp_path / "model.npz")
    assert set(found) == set(checkpoint.variables)
    assert all(found[name].tobytes() == checkpoint.read(name).tobytes() for name in found)


@pytest.mark.parametrize("name, names", [
    ("conv_batch_norm", {"conv2d/kernel", "batch_normalization/moving_variance", "dense_1/bias"}),
    ("basic_lstm", {"rnn_basic_lstm_cell/rnn/lstm_cell/kernel", "MatMul/kernel"})])
def test_h5_has_the_layers_of_the_graph(name, names, foreign, run, tmp_path):
    code, text = run(foreign(name).path, "--to", "h5", "--out", "m.h5", "--output", foreign(name).output)
    assert code == 0 and "read back" in text and "FAIL" not in text, text
    assert names <= set(h5_weights.read_h5(tmp_path / "m.h5", None, "sigmoid"))


def test_h5_by_name_has_the_variables_own_names(foreign, run, tmp_path):
    path = foreign("conv_batch_norm").path
    code, text = run(path, "--to", "h5", "--out", "m.h5", "--no-meta")
    assert code == 0 and "bit-identical" in text, text
    found, stored = h5_weights.read_h5(tmp_path / "m.h5"), CheckpointFile(path)
    assert len(found) == 15 and all(np.array_equal(value, stored.read(name)) for name, value in found.items())


@pytest.mark.parametrize("name, arguments, message", [
    ("dense", ["--no-meta"], "Variable names no layer"), ("gru", ["--no-meta"], "names no layer"),
    ("gru", ["--output", "dense/Softmax"], "takes LSTM only")])
def test_what_h5_cannot_say_is_refused(name, arguments, message, foreign, run, tmp_path):
    code, text = run(foreign(name).path, "--to", "h5", "--out", "m.h5", *arguments)
    assert code == 1 and message in text and len(text.splitlines()) == 1 and not (tmp_path / "m.h5").exists()


def test_safetensors_come_back_to_the_byte(foreign, run):
    pytest.importorskip("safetensors")
    code, text = run(foreign("basic_lstm").path, "--to", "safetensors", "--out", "model.safetensors")
    assert code == 0 and "bit-identical" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dynamic_multi", "conv_batch_norm"])
@pytest.mark.parametrize("form, runtime", [("onnx", "onnxruntime"), ("tflite", "ai_edge_litert")])
def test_converters_of_others_give_the_same_answers(name, form, runtime, foreign, run, in_this_process):
    pytest.importorskip(runtime)
    pytest.importorskip({"onnx": "tf2onnx"}.get(form, runtime))
    code, text = run(foreign(name).path, "--to", form, "--out", f"model.{form}")
    if (form, name) == ("tflite", "dynamic_multi"):
        assert code == 1 and "LiteRT has no loop of TensorFlow 1" in text
    else:
        assert code == 0 and "pass" in text, text


def test_a_missing_converter_is_named_with_its_version(foreign, run, monkeypatch):
    for module in ("safetensors", "safetensors.numpy"):
        monkeypatch.setitem(sys.modules, module, None)
    code, text = run(foreign("gru").path, "--to", "safetensors")
    assert code == 1 and "pip install .[export]" in text and "0.8.0 was tried" in text


def test_nothing_is_overwritten_without_force(foreign, run, tmp_path):
    (tmp_path / "model.npz").write_text("precious")
    code, text = run(foreign("gru").path, "--to", "npz", "--out", "model.npz")
    assert code == 1 and "--force" in text and (tmp_path / "model.npz").read_text() == "precious"
    assert run(foreign("gru").path, "--to", "npz", "--out", "model.npz", "--force")[0] == 0
    (tmp_path / "folder").mkdir()
    assert "holds no SavedModel" in run(foreign("gru").path, "--to", "savedmodel", "--out", "folder", "--force")[1]


def test_without_a_meta_file_a_graph_is_asked_for(foreign_folder, run):
    code, text = run(foreign_folder / "dense" / "v1.ckpt", "--to", "savedmodel")
    assert code == 1 and "--meta" in text and "--to npz" in text


def test_what_is_no_layer_is_named_and_nothing_is_written(foreign, run, tmp_path):
    code, text = run(foreign("dense").path, "--to", "keras", "--out", "m.keras", "--input", "x",
                     "--output", "softmax_cross_entropy_with_logits/Slice")
    assert code == 1 and "not recognised as a layer" in text and not list(tmp_path.glob("m.keras*"))


def test_states_and_outputs_of_one_loop_are_one_layer(foreign, run):
    _, text = run(foreign("bidirectional").path)
    assert text.count(": LSTM(") == 2 and text.count("Part(view='c')") == text.count("Part(view='h')") == 1, text


@pytest.mark.parametrize("value, code", [(1, 0), (1 + 1e-6, 0), (1.1, 1), (np.inf, 1), (np.nan, 1)])
def test_an_output_that_is_no_number_in_one_of_two_models_fails(value, code, capsys):
    numbers, others = {"y": np.ones([3, 2])}, {"y": np.ones([3, 2])}
    others["y"][1, 1] = value
    assert proof.report(proof.difference(numbers, others), proof.TOLERANCE, "random inputs") == code
    assert ("FAIL" if code else "pass") in capsys.readouterr().out


def test_the_reference_in_8_bits_rounds_weights_and_inputs():
    x, fine, coarse = (np.linspace(-1, 1, size).reshape(shape).astype("float32") for size, shape in (
        (64, (1, 64)), (4096, (64, 64)), (128, (1, 128))))
    kernel = np.round(fine * 127) / 127  # of 8 bits: then only the inputs are rounded
    results = {}
    for name, value in (("fine", fine), ("8 bits", kernel), ("small", coarse.reshape(64, 2)), ("computed", fine)):
        with tf1.Graph().as_default() as graph:
            weights = tf1.constant(value) * 1 if name == "computed" else tf1.constant(value)
            tf1.matmul(tf1.placeholder(tf1.float32, [1, 64], name="x"), weights, name="y")
        results[name] = []
        for graph_def in (graph.as_graph_def(), precision.rounded_to_8_bits(graph.as_graph_def())):
            with tf1.Session(graph=import_graph(graph_def, "test")) as session:
                results[name].append(session.run("y:0", {"x:0": x}))
    gaps = {name: np.max(np.abs(first - second)) for name, (first, second) in results.items()}
    assert gaps["small"] == 0 < gaps["8 bits"] < gaps["fine"] == gaps["computed"] < 0.2, gaps


# ---- hostile graphs ----

@pytest.fixture
def hostile(foreign, tmp_path):
    """hostile(change) gives a checkpoint whose MetaGraph was changed by change(graph_def)."""
    def hostile(change):
        network = foreign("moving_average")
        for file in network.path.parent.glob("model.ckpt.*"):
            shutil.copy(str(file), str(tmp_path / file.name))
        meta_graph = tf1.MetaGraphDef.FromString((tmp_path / "model.ckpt.meta").read_bytes())
        change(meta_graph.graph_def)
        (tmp_path / "model.ckpt.meta").write_bytes(meta_graph.SerializeToString())
        return tmp_path / "model.ckpt"
    return hostile


def insert(graph_def, node, after="dense/Tanh"):
    """Let everything that takes a tensor take the new node's."""
    for other in graph_def.node:
        for k, tensor in enumerate(other.input):
            if tensor == after:
                other.input[k] = node.name
    graph_def.node.add().CopyFrom(node)


@pytest.mark.parametrize("op, form", [
    ("ReadFile", "savedmodel"), ("WriteFile", "keras"), ("PyFunc", "frozen"), ("SaveV2", "savedmodel")])
def test_an_operation_that_is_not_allowed_is_refused_by_name(op, form, hostile, run, tmp_path):
    path = hostile(lambda graph_def: insert(graph_def, tf1.NodeDef(name="evil", op=op, input=["dense/Tanh"])))
    code, text = run(path, "--to", form, "--out", f"out.{form}", "--output", "out/BiasAdd", "--input", "a", "--input",
                     "b")
    assert code == 1 and f"{op} (at evil)" in text and len(text.splitlines()) == 1
    assert not (tmp_path / f"out.{form}").exists()


def test_an_operation_that_the_outputs_do_not_need_is_stripped(hostile, run, in_this_process):
    def change(graph_def):
        graph_def.node.add().CopyFrom(tf1.NodeDef(name="evil", op="WriteFile", input=["dense/Tanh", "dense/Tanh"]))
        next(node for node in graph_def.node if node.name == "dense/Tanh").input.append("^evil")
    code, text = run(hostile(change), "--to", "savedmodel", "--out", "out")
    assert code == 0 and "pass" in text


def test_a_function_is_searched_too(hostile, run):
    def change(graph_def):
        function = graph_def.library.function.add()
        function.signature.name = "innocent"
        function.node_def.add(name="inner", op="ReadFile")
        insert(graph_def, tf1.NodeDef(name="call", op="innocent", input=["dense/Tanh"]))
    code, text = run(hostile(change), "--to", "savedmodel", "--out", "out", "--output", "out/BiasAdd")
    assert code == 1 and "ReadFile (at innocent/inner)" in text


def test_a_constant_that_claims_too_much_is_refused(hostile, run):
    def change(graph_def):
        node = tf1.NodeDef(name="huge", op="Const")
        node.attr["dtype"].type = 1
        node.attr["value"].tensor.dtype = 1
        node.attr["value"].tensor.tensor_shape.dim.add(size=1 << 40)
        node.attr["value"].tensor.float_val.append(0)
        insert(graph_def, node)
    code, text = run(hostile(change), "--to", "savedmodel", "--out", "out", "--output", "out/BiasAdd")
    assert code == 1 and "huge claims more numbers than the file holds" in text and len(text.splitlines()) == 1


# ---- allowed operations of any size ----

def with_huge_fill(x):
    """A number of three inputs fills 64 GiB, which nothing says before the graph runs."""
    sizes = tf1.stack([4096 * tf1.shape(x)[1], 1 << 20])
    return tf1.matmul(x, tf1.get_variable("w", [4, 3])) + tf1.reduce_sum(tf1.fill(sizes, 1.0))


def with_endless_loop(x):
    y = tf1.matmul(x, tf1.get_variable("w", [4, 3]))
    return tf1.while_loop(lambda value: tf1.reduce_sum(0 * value) < 1, lambda value: value + 1, [y])


def saved_with_output(saved, outputs_of):
    return saved(lambda: tf1.identity(outputs_of(tf1.placeholder(tf1.float32, [None, 4], name="x")), name="out"))


@pytest.mark.slow
def test_a_graph_that_fills_memory_ends_in_one_sentence(saved, monkeypatch, tmp_path, capfd):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")  # whose allocator waits ten seconds for memory
    path = saved_with_output(saved, with_huge_fill)
    code = convert.main([str(path), "--to", "savedmodel", "--out", str(tmp_path / "out"), "--output", "out"])
    errors = capfd.readouterr().err.splitlines()
    assert code == 1 and len(errors) == 1 and "more memory is asked for than the limit" in errors[0]


@pytest.mark.slow
def test_a_graph_that_never_ends_is_ended(saved, monkeypatch):
    monkeypatch.setattr(proof, "SECONDS", 6)
    path = saved_with_output(saved, with_endless_loop)
    job = {"kind": "original", "path": str(path), "meta": f"{path}.meta", "inputs": ["x"], "outputs": ["out"]}
    with pytest.raises(UserError, match="did not answer within . seconds"):
        proof.compare([job], {"x": np.ones([2, 4], "float32")})


def fails_in_a_fresh_process(monkeypatch, tmp_path, code, seconds=20, **environment):
    """Run code as a module of the package's parent in a fresh process; return the message of its end."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "hostile_module.py").write_text(f"def main(arguments):\n    {code}\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "package"), str(ROOT), ""]))
    try:
        run_fresh("hostile_module:main", [], seconds, capture=True)
    except subprocess.CalledProcessError as error:
        return error.stderr
    except UserError as error:
        return str(error)
    return ""


LIMITS = "from tf1_autoencoders.converting import fresh_process as limits; "


@pytest.mark.parametrize("code, message", [
    ("bytearray(limits.limit_memory(0) + (1 << 20))", "MemoryError\n"),
    ("limits.SECONDS = 0; limits.limit_time(0)\n    while True: pass", "took more than 60 seconds of processor time"),
    ("import os; os.kill(os.getpid(), 6)", "crashed (SIGABRT)"),
    ("import os; os.kill(os.getpid(), 11)", "crashed (SIGSEGV)"),
    ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL, probably because memory ran out"),
    ("import time; time.sleep(60)", "within 2 seconds")])
def test_a_fresh_process_has_limits(code, message, monkeypatch, tmp_path):
    found = fails_in_a_fresh_process(monkeypatch, tmp_path, LIMITS + code, 2 if "sleep" in code else 20)
    assert message in found


def test_a_fresh_process_takes_no_code_from_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("ast", "numpy", "tensorflow", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text("open('canary', 'w')\n")
    found = fails_in_a_fresh_process(monkeypatch, tmp_path, "import sys, ast, numpy; sys.exit(repr(sys.path))")
    assert not (tmp_path / "canary").exists() and "'', " not in found and f"'{tmp_path}'" not in found


def test_a_command_of_the_package_takes_no_code_from_the_working_directory(tmp_path):
    (tmp_path / "argparse.py").write_text("open('canary', 'w')\n")
    subprocess.run([sys.executable, "-m", "tf1_autoencoders.clean", "--help"], check=True, stdout=subprocess.DEVNULL,
                   cwd=str(tmp_path), env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert not (tmp_path / "canary").exists()


def test_a_file_with_a_hole_or_beside_the_checkpoint_lifts_no_limit(foreign, tmp_path):
    for file in foreign("dense").path.parent.iterdir():
        shutil.copy(str(file), str(tmp_path))
    n_bytes = bytes_on_disk(files_of(tmp_path / "model.ckpt"))
    for name in ("model.ckpt.anything", "model.ckpt.data-00007-of-00009", "graph.pbtxt"):
        with open(str(tmp_path / name), "wb") as file:
            file.truncate(1 << 42)
    (tmp_path / "model.ckpt.more").write_bytes(bytes(1 << 20))
    assert 0 < n_bytes and bytes_on_disk(files_of(tmp_path / "model.ckpt")) < n_bytes + (1 << 16)


def test_more_layers_than_keras_can_save_are_refused(saved, run, tmp_path):
    def many_layers(x):
        for _ in range(MAX_LAYERS):
            x = tf1.nn.relu(x)
        return x
    code, text = run(saved_with_output(saved, lambda x: many_layers(with_weights(x))), "--to", "keras", "--out",
                     "m.keras", "--output", "out")
    assert code == 1 and f"301 layers, more than the {MAX_LAYERS} that Keras can save" in text
    assert not (tmp_path / "m.keras").exists()


def with_weights(x):
    return tf1.matmul(x, tf1.get_variable("w", [4, 3]))


@pytest.mark.slow
def test_damage_that_nobody_foresaw_is_one_sentence_too(hostile, tmp_path, capfd):
    path = hostile(lambda graph_def: insert(graph_def, tf1.NodeDef(name="cut", op="Switch", input=["dense/Tanh"])))
    code = convert.main([str(path), "--to", "keras", "--out", str(tmp_path / "m.keras"), "--output", "out/BiasAdd"])
    errors = capfd.readouterr().err.splitlines()
    assert code == 1 and len(errors) == 1 and "damaged" in errors[0] and "IndexError" in errors[0]


def test_a_circle_is_refused_in_one_sentence(hostile, run):
    def change(graph_def):
        for name, tensor in (("circle", "again"), ("again", "circle")):
            graph_def.node.add(name=name, op="Identity", input=[tensor]).attr["T"].type = 1
        insert(graph_def, tf1.NodeDef(name="masked", op="Mul", input=["dense/Tanh", "circle"]))
    for form in ("keras", "savedmodel"):
        code, text = run(hostile(change), "--to", form, "--out", f"out.{form}", "--output", "out/BiasAdd", "--input",
                         "a", "--input", "b")
        assert code == 1 and len(text.splitlines()) == 1, text


@pytest.mark.parametrize("content", [b"", b"\xff" * 100, b"\x0a\x02\x0a\x00"])
def test_a_damaged_meta_file_is_refused_in_one_sentence(content, hostile, run, tmp_path):
    path = hostile(lambda graph_def: None)
    (tmp_path / "model.ckpt.meta").write_bytes(content)
    code, text = run(path)
    assert code == 1 and "not the .meta file of a checkpoint" in text and len(text.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("--feed", "keep_prob"), ("--feed", "a=__import__('os')"), ("--shape", "x=a"),
                                       ("--to", "pickle"), ("--output", "nowhere", "--to", "frozen")])
def test_an_argument_that_is_not_valid_is_one_sentence(arguments, foreign, run):
    try:
        code, text = run(foreign("dense").path, *arguments)
    except SystemExit as error:
        code, text = error.code, ""
    assert code in (1, 2) and len(text.splitlines()) <= 1


@pytest.mark.parametrize("arguments, shown", [(("--to", "npz"), "--list --to npz"),
                                              (("--suggest-map", "m.keras"), "--list --suggest-map")])
def test_list_and_another_task_are_refused(arguments, shown):
    with pytest.raises(UsageError, match=f"^{shown}: expected one of the two$"):
        convert.convert(convert.build_parser().parse_args(["model.ckpt", "--list", *arguments]))
