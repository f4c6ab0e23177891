"""Kinds of programs whose checkpoints `convert` once refused or read wrongly, made by the installed TensorFlow."""
import logging
import shutil
import sys

import numpy as np
import pytest

from tests.converting.test_convert import FORWARD
from tf1_autoencoders.checkpointing.checkpoint_file import CheckpointFile, find_meta
from tf1_autoencoders.converting import proof
from tf1_autoencoders.converting.graph.ends import find_ends, find_outputs
from tf1_autoencoders.converting.graph.foreign_graph import ForeignGraph
from tf1_autoencoders.converting.graph.roles import role_table
from tf1_autoencoders.converting.writing.weight_map import load_model
from tf1_autoencoders.graphs.layers import dense_layer
from tf1_autoencoders.utils.frameworks import tf1

FORMS = pytest.mark.parametrize("form", ["savedmodel", "keras"])


def placeholder(*shape, name="x", dtype=tf1.float32):
    return tf1.placeholder(dtype, shape, name=name)


def variable(name, *shape):
    return tf1.get_variable(name, shape, initializer=tf1.random_normal_initializer(seed=len(name)))


@pytest.fixture
def switches():
    """Let tf.cond and tf.while_loop write operations such as Switch and Enter, as TensorFlow 1 does."""
    tf1.disable_control_flow_v2()
    yield
    tf1.enable_control_flow_v2()


def change_meta(path, change):
    meta_graph = tf1.MetaGraphDef.FromString(find_meta(path).read_bytes())
    change(meta_graph)
    find_meta(path).write_bytes(meta_graph.SerializeToString())


def converts(run, path, form, *arguments):
    code, text = run(path, "--to", form, "--out", f"out.{form}", *arguments)
    assert code == 0 and "pass" in text, text
    return text


# ---- placeholders ----

def old_shape(meta_graph):
    """Write the shape of x as releases up to 1.1 did."""
    node = next(node for node in meta_graph.graph_def.node if node.name == "x")
    node.attr["_output_shapes"].list.shape.add().CopyFrom(node.attr["shape"].shape)
    del node.attr["shape"].shape.dim[:]
    meta_graph.graph_def.versions.producer = 21


@FORMS
def test_an_old_placeholder_has_the_shape_that_its_private_attribute_says(form, saved, run, in_this_process):
    path = saved(lambda: dense_layer(tf1.reshape(placeholder(None, 3, 2), [-1, 6]), 2, seed=1))
    change_meta(path, old_shape)
    assert "placeholder: x, float32[?, 3, 2]" in run(path)[1]
    converts(run, path, form)


@FORMS
def test_a_placeholder_without_a_shape_has_that_of_its_first_product(form, saved, run, in_this_process):
    def build():
        tf1.matmul(tf1.placeholder(tf1.float32, name="x"), variable("w", 5, 3), name="y")
    path = saved(build)
    assert "placeholder: x, float32 of unknown shape" in run(path)[1]
    converts(run, path, form)


def test_a_shape_that_nothing_shows_is_asked_for(saved, run, in_this_process):
    def build():
        x = tf1.placeholder(tf1.float32, name="x")
        tf1.matmul(tf1.concat([x, x], 1), variable("w", 6, 3), name="y")
    path = saved(build)
    code, text = run(path, "--to", "savedmodel", "--out", "out")
    assert code == 1 and "the shape of the input x is not known; name it with --shape x=?,784" in text, text
    converts(run, path, "savedmodel", "--force", "--shape", "x=?,3")


def test_a_number_that_says_how_many_rows_there_are_is_the_number_of_rows(saved, run, in_this_process):
    def build():
        n = placeholder(name="batch_size", dtype=tf1.int32)
        state = tf1.zeros(tf1.stack([n, 3]))
        tf1.matmul(tf1.concat([placeholder(None, 2), state], 1), variable("w", 5, 3), name="y")
    assert "batch_size, x -> y" in converts(run, saved(build), "savedmodel")


def test_a_feed_does_not_stop_the_search_for_inputs(saved):
    def build():
        y = tf1.matmul(placeholder(None, 2, name="a"), variable("w", 2, 3)) * placeholder(name="scale")
        dense_layer(tf1.concat([y, placeholder(None, 2, name="b")], 1), 2, seed=1)
    ends = find_ends(ForeignGraph.read(find_meta(saved(build))), [], [], {"scale": 2.0})
    assert ends.inputs == ["a", "b"]


def test_a_placeholder_of_a_branch_that_is_not_taken_is_no_input(saved, run, switches, in_this_process):
    """A capsule network masks by the labels in training, else by its own answer."""
    def build():
        masked = tf1.placeholder_with_default(False, [], name="mask_with_labels")
        capsules = tf1.matmul(placeholder(None, 4), variable("w", 4, 3))
        labels = placeholder(None, name="labels", dtype=tf1.int64)
        chosen = tf1.cond(masked, lambda: labels, lambda: tf1.argmax(capsules, 1))
        tf1.matmul(capsules * tf1.one_hot(chosen, 3), variable("w2", 3, 2), name="y")
    assert ": x -> y" in converts(run, saved(build), "savedmodel").replace(".savedmodel, ", ": ")


# ---- outputs ----

def outputs_of(path, stored=None):
    return find_outputs(ForeignGraph.read(find_meta(path)), stored)


def test_a_loss_and_what_stands_in_its_scope_are_no_outputs(saved):
    def build():
        logits = tf1.matmul(placeholder(None, 4), variable("w", 4, 6), name="logits")
        labels = placeholder(None, 6, name="labels")
        with tf1.name_scope("SSIM"):
            window = tf1.reshape(tf1.nn.softmax(tf1.ones([9])), [3, 3, 1, 1])
            first, second = (tf1.nn.depthwise_conv2d(tf1.reshape(image, [-1, 2, 3, 1]), window, [1] * 4, "SAME")
                             for image in (logits, labels))
            tf1.nn.relu(first) + tf1.nn.relu(second)
        tf1.reduce_mean(tf1.square(logits - labels))
    assert outputs_of(saved(build)) == ["logits"]


def test_what_branches_off_before_the_last_layer_is_no_output(saved):
    """A penalty on the code, and the weights of attention; a network that was built twice is offered once."""
    def build():
        x = placeholder(None, 5, 4)
        weights = tf1.nn.softmax(tf1.tensordot(x, variable("score", 4, 1), 1), 1, name="alignment")
        code = tf1.nn.tanh(tf1.matmul(tf1.reduce_sum(x * tf1.identity(weights), 1), variable("code", 4, 4)))
        tf1.reduce_mean(tf1.expand_dims(code, 1))
        w = variable("w", 4, 3)
        for _ in range(2):
            tf1.matmul(code, w, name="logits")
    assert outputs_of(saved(build)) == ["logits"]


def test_the_scores_of_a_crf_are_the_output_and_its_tags_are_labels(saved):
    def build():
        scores = tf1.matmul(placeholder(None, 4), variable("w", 4, 3), name="scores")
        tags = placeholder(None, name="tags", dtype=tf1.int32)
        steps = tf1.gather(tf1.reshape(variable("transitions", 3, 3), [-1]), tags * 3 + tags)
        tf1.reduce_mean(steps * tf1.cast(tags, tf1.float32)) + tf1.reduce_mean(scores)
    assert outputs_of(saved(build)) == ["scores"]


@FORMS
def test_all_outputs_are_taken_if_none_is_named(form, saved, run, tmp_path, in_this_process):
    def build():
        hidden = tf1.nn.relu(tf1.matmul(placeholder(None, 4), variable("w", 4, 6)))
        tf1.matmul(hidden, variable("policy", 6, 3), name="logits")
        tf1.nn.tanh(tf1.matmul(hidden, variable("value", 6, 1)), name="v")
    text = converts(run, saved(build), form)
    assert "x -> logits, v" in text


def test_a_difference_counts_by_the_output_in_which_it_is():
    first, second = {"0": np.float32([1e6]), "1": np.float32([1])}, {"0": np.float32([1e6]), "1": np.float32([1.1])}
    assert 0.09 < proof.difference(first, second).relative < 0.11


def test_an_output_whose_variables_the_checkpoint_has_is_preferred(tmp_path, run):
    with tf1.Graph().as_default(), tf1.Session() as session:
        x = placeholder(None, 4)
        tf1.matmul(x, variable("policy", 4, 3), name="logits")
        tf1.matmul(x, variable("value", 4, 1), name="v")
        session.run(tf1.global_variables_initializer())
        policy, = [variable for variable in tf1.global_variables() if variable.op.name == "policy"]
        path = tmp_path / "model.ckpt"
        tf1.train.Saver([policy]).save(session, str(path))
    assert outputs_of(path) == ["logits", "v"] and outputs_of(path, CheckpointFile(path).variables) == ["logits"]
    code, text = run(path, "--to", "savedmodel", "--output", "v")
    assert code == 1 and "the Saver left it out, name other outputs" in text


def test_an_output_that_another_layer_takes_away_keeps_its_values(saved, run, tmp_path, in_this_process):
    """The logits are an output, so that the softmax is no part of their layer."""
    def build():
        tf1.nn.softmax(tf1.matmul(placeholder(None, 4), variable("w", 4, 3), name="logits"), name="prediction")
    converts(run, saved(build), "keras", "--output", "logits", "--output", "prediction")
    logits, prediction = load_model(tmp_path / "out.keras")(np.ones([2, 4], "float32"))
    assert np.allclose(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), prediction, rtol=FORWARD)


def test_the_code_of_an_autoencoder_and_the_images_of_a_generator_are_offered(saved, run):
    def dense(x, name, n):
        return tf1.nn.tanh(tf1.matmul(x, variable(f"{name}/w", x.shape[-1], n)), name=f"{name}/out")

    def build():
        code = dense(dense(placeholder(None, 4, name="z"), "generator/a", 6), "generator/b", 2)
        image = dense(code, "generator/c", 9)
        dense(dense(image, "discriminator/a", 5), "discriminator/b", 5)
    text = run(saved(build))[1]
    assert "inside: --output generator/b/out, the narrowest layer, 2 numbers" in text, text
    assert "inside: --output generator/c/out, the end of generator" in text, text


@pytest.mark.parametrize("n_inputs, outputs", [(2, ["one/y", "two/y"]), (1, ["all"])])
def test_the_rows_of_two_inputs_that_a_program_joins_are_two_outputs(n_inputs, outputs, saved):
    """A GAN's discriminator on real and on made images; several towers on parts of one batch stay together."""
    def build():
        weights, first = variable("w", 4, 2), placeholder(None, 4)
        second = placeholder(None, 4, name="x_2") if n_inputs == 2 else 2 * first
        answers = [tf1.matmul(x, weights, name=f"{name}/y") for name, x in (("one", first), ("two", second))]
        tf1.concat(answers, 0, name="all")
    assert outputs_of(saved(build)) == outputs


# ---- what computes inexactly, or needs other tools ----

@pytest.mark.parametrize("error, code", [(2e-5, 0), (1e-2, 1)])
def test_the_tolerance_is_that_of_float32_itself(error, code, saved, run, monkeypatch, in_this_process):
    """A tanh of small differences of large numbers: float32 is far from float64, and so may a written model be."""
    def build():
        wide = tf1.matmul(placeholder(None, 64), 3000 * variable("w", 64, 64))
        tf1.nn.tanh(tf1.matmul(wide, variable("w2", 64, 8)) * 1e-3, name="y")
    compare = proof.compare
    monkeypatch.setattr(proof, "compare", lambda jobs, inputs: [
        {name: value + np.float32(error * (job["kind"] == "savedmodel")) for name, value in outputs.items()}
        for job, outputs in zip(jobs, compare(jobs, inputs))])
    found, text = run(saved(build), "--to", "savedmodel", "--out", "out")
    assert "float32 itself is" in text and found == code, text


def test_a_tolerance_that_any_outputs_would_pass_is_refused(saved, run, in_this_process):
    pytest.importorskip("ai_edge_litert")

    def build():
        wide = tf1.nn.tanh(tf1.matmul(placeholder(None, 64), 3000 * variable("w", 64, 64)))
        tf1.nn.tanh(3000 * tf1.matmul(wide, variable("w2", 64, 8)), name="y")
    code, text = run(saved(build), "--to", "tflite-int8", "--out", "out.tflite")
    assert code == 1 and "rounding alone changes the outputs" in text and "give a --tolerance" in text, text


def test_a_graph_that_is_not_the_original_is_no_reference_for_the_tolerance(saved, run, monkeypatch, in_this_process):
    compare = proof.compare
    monkeypatch.setattr(proof, "compare", lambda jobs, inputs: [
        {name: value + np.float32(job["kind"] == "original") for name, value in outputs.items()}
        for job, outputs in zip(jobs, compare(jobs, inputs))])
    path = saved(lambda: tf1.matmul(placeholder(None, 4), variable("w", 4, 3), name="y"))
    code, text = run(path, "--to", "savedmodel", "--out", "out")
    assert code == 1 and "FAIL" in text, text


def test_the_messages_of_tf2onnx_stay_out(saved, run, monkeypatch, in_this_process):
    tf2onnx = pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    convert = tf2onnx.convert.from_graph_def

    def noisy(*arguments, **more):
        print("a rewriter failed", file=sys.stderr)
        logging.getLogger("tf2onnx.tfonnx").error("a rewriter failed")
        return convert(*arguments, **more)
    monkeypatch.setattr(tf2onnx.convert, "from_graph_def", noisy)
    path = saved(lambda: tf1.matmul(placeholder(None, 4), variable("w", 4, 3), name="y"))
    assert "a rewriter failed" not in converts(run, path, "onnx")


def test_operations_on_sparse_features_only_compute_and_may_run(saved, run, in_this_process):
    def build():
        x = placeholder(None, 4)
        indices = tf1.constant([[0, 0], [1, 0]], tf1.int64)
        crossed = tf1.raw_ops.SparseCross(indices=[indices], values=[tf1.constant([3, 5], tf1.int64)],
                                          shapes=[tf1.constant([2, 1], tf1.int64)], dense_inputs=[], hashed_output=True,
                                          num_buckets=7, hash_key=1, out_type=tf1.int64, internal_type=tf1.int64)
        table = tf1.gather(variable("table", 7, 3), crossed.output_values)
        tf1.add(tf1.matmul(x, variable("w", 4, 3)), tf1.reduce_sum(table, 0), name="y")
    converts(run, saved(build), "savedmodel", "--output", "y")


# ---- roles and names ----

def test_a_weight_belongs_to_its_layer_and_not_to_its_penalty(saved):
    def build():
        w = variable("w", 4, 3)
        tf1.nn.l2_loss(w)
        tf1.matmul(placeholder(None, 4), w, name="layer")
    path = saved(build)
    role, = role_table(CheckpointFile(path), ForeignGraph.read(find_meta(path)))
    assert role.layer == "MatMul layer"


def test_the_list_names_the_tensor_of_each_layer(saved, run):
    def build():
        y = tf1.matmul(placeholder(None, 4, name="s_"), variable("w", 4, 3)) + variable("b", 3)
        y = tf1.nn.relu(y, name="code")
        tf1.matmul(y, variable("w2", 3, 2))
    text = run(saved(build))[1]
    assert "s_: Input(" in text and "[w, b]  -> code" in text


# ---- dropout ----

def test_a_dropout_of_a_constant_rate_in_a_loop_keeps_everything(saved, run, switches, in_this_process):
    """The check edits the constant in the original: a constant in a loop cannot be fed."""
    def build():
        def step(k, y):
            return k + 1, tf1.nn.dropout(tf1.nn.tanh(tf1.matmul(y, w)), keep_prob=0.5)
        w, x = variable("w", 3, 3), placeholder(None, 3)
        _, y = tf1.while_loop(lambda k, y: k < 2, step, [tf1.constant(0), x], parallel_iterations=1)
        tf1.matmul(y, variable("w2", 3, 2), name="y")
    assert "assumed for a network in use" in converts(run, saved(build), "savedmodel")


# ---- the files that a user names ----

def refused(run, path, *parts):
    code, text = run(path)
    assert code == 1 and len(text.splitlines()) == 1 and all(part in text for part in parts), text


def test_the_file_checkpoint_stands_for_its_folder(saved, run):
    path = saved(lambda: variable("w", 2))
    assert "1 variables" in run(path.parent / "checkpoint")[1]


def test_a_name_without_its_step_is_answered_with_the_one_that_is_there(saved, run):
    path = saved(lambda: variable("w", 2))
    for file in path.parent.glob("model.ckpt.*"):
        file.rename(file.with_name(file.name.replace("model.ckpt", "model.ckpt-1399")))
    refused(run, path, "neither model.ckpt.index nor a file model.ckpt", "name one that is there: model.ckpt-1399")


@pytest.mark.parametrize("name", ["model.ckpt.index", "model.ckpt.data-00000-of-00001", "model.ckpt.meta"])
def test_a_git_lfs_pointer_is_named(name, saved, run):
    path = saved(lambda: variable("w", 2))
    path.with_name(name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    refused(run, path, name, "a Git LFS pointer", "git lfs pull")


def saved_model(tmp_path):
    with tf1.Graph().as_default(), tf1.Session() as session:
        x = placeholder(None, 4)
        y = tf1.matmul(x, variable("w", 4, 3), name="inner")
        tf1.matmul(y, variable("w2", 3, 2), name="outer")
        session.run(tf1.global_variables_initializer())
        tf1.saved_model.simple_save(session, str(tmp_path / "model"), {"x": x}, {"y": y})
    return tmp_path / "model"


@pytest.mark.parametrize("name", ["", "saved_model.pb", "variables/variables"])
def test_the_graph_of_a_savedmodel_is_taken_with_its_signature(name, tmp_path, run, in_this_process):
    assert "x -> inner" in converts(run, saved_model(tmp_path) / name, "keras")


def test_a_savedmodel_of_tensorflow_2_or_without_variables_is_named(tmp_path, run):
    shutil.rmtree(str(saved_model(tmp_path) / "variables"))
    refused(run, tmp_path / "model", "a SavedModel without variables", "tf.saved_model.load")
    module = tf1.Module()
    module.w = tf1.Variable([1.0], use_resource=True)
    tf1.saved_model.experimental.save(module, str(tmp_path / "second"))
    refused(run, tmp_path / "second", "a SavedModel of TensorFlow 2")


def test_texts_and_complex_numbers_are_listed_and_left_out_by_name(tmp_path, run):
    tf1.raw_ops.SaveV2(prefix=str(tmp_path / "model.ckpt"), tensor_names=["names", "phase", "w"],
                       shape_and_slices=[""] * 3, tensors=[tf1.constant(["a", "b"]), tf1.constant([1 + 2j]),
                                                           tf1.constant([3.0])])
    path = tmp_path / "model.ckpt"
    text = run(path)[1]
    assert "complex128 |    16 |" in text and "string" in text
    code, text = run(path, "--to", "npz", "--out", "m.npz")
    assert code == 0 and "left out: names, string, which npz does not hold" in text and "bit-identical" in text
    assert set(np.load(str(tmp_path / "m.npz")).files) == {"phase", "w"}
    if pytest.importorskip("safetensors"):
        code, text = run(path, "--to", "safetensors", "--out", "m.safetensors")
        assert code == 0 and "left out: phase, complex128" in text and "1 variables" in text


# ---- loops ----

def test_a_constant_of_a_loop_that_waits_for_a_check_stays_in_the_loop(saved, run, switches, in_this_process):
    """As the mask of an attention waits for a check of the lengths, and for nothing else."""
    def build():
        def step(k, y):
            with tf1.control_dependencies([tf1.debugging.assert_greater(tf1.reduce_sum(tf1.square(y)) + 1.0, 0.0)]):
                factor = tf1.constant(0.5)
            return k + 1, tf1.nn.tanh(tf1.matmul(y, w)) * factor
        w, x = variable("w", 3, 3), placeholder(None, 3)
        _, y = tf1.while_loop(lambda k, y: k < 2, step, [tf1.constant(0), x])
        tf1.matmul(y, variable("w2", 3, 2), name="y")
    converts(run, saved(build), "savedmodel")


def test_the_rows_of_a_state_with_which_a_loop_begins_are_those_of_the_batch(saved, run, switches, in_this_process):
    def build():
        x, w = placeholder(None, 3), variable("w", 3, 3)
        _, y = tf1.while_loop(lambda k, y: k < 2, lambda k, y: (k + 1, tf1.nn.tanh(tf1.matmul(y, w) + x)),
                              [tf1.constant(0), tf1.zeros([8, 3])])
        tf1.matmul(y, variable("w2", 3, 2), name="y")
    path = saved(build)
    assert "over 8 rows" in converts(run, path, "savedmodel")
