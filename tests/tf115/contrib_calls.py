"""Small programs that call tf.contrib, run under the real TensorFlow 1.15.5 and under tf1_autoencoders.tensorflow1.

    tf115/bin/python -m tests.tf115.contrib_calls write [CALL ...] rewrite contrib.npz, contrib_checkpoints.zip
    tf115/bin/python -m tests.tf115.contrib_calls restore FOLDER   restore checkpoints that the package wrote
    python -m tests.tf115.contrib_calls run FOLDER [CALL ...]      write the same files for the package to FOLDER

A program of CALLS takes a `Call`, which makes the placeholders with their values, and returns the output. `record`
builds the program with a graph-level seed only, so that the initial values depend on the number of operations, and
returns names, numbers of operations and values. TensorFlow 1.15.5 made the fixture (fixtures/contrib.npz);
tests/tensorflow1/test_contrib.py compares the package with it.
"""
from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from tests.tf115.contrib_programs import CALLS, Call

FIXTURE = Path(__file__).resolve().parent / "fixtures" / "contrib.npz"
CHECKPOINTS = FIXTURE.with_name("contrib_checkpoints.zip")
ANSWERS = ("seq2seq_beam_search", "seq2seq_attention_greedy", "crf_log_likelihood_unknown_time")
SAVED = ("fully_connected_normalized", "batch_norm_parameters", "conv2d_transpose", "rnn.AttentionCellWrapper",
         "rnn.LSTMBlockCell_peephole", "slim") + ANSWERS  # exchanged checkpoints; of ANSWERS, outputs too
GRAPHS_ONLY = ("slim_nets_vgg_16", "slim_nets_alexnet", "slim_nets_resnet_v1_50")  # too large to store values of
N_STEPS = 20
EPSILON = 1e-3  # of Adam: by the usual 1e-8, a gradient that cancels out to rounding would move a weight as any other
# In a loop, an operation of one step can draw before that of the step before: 1.15.5 itself differs from run to run
# after some steps of training.
FEWER_STEPS = {"rnn.DropoutWrapper": 5, "rnn.dropout_layers": 5}
MOST_VALUES = 32  # of a large array, this many evenly spaced elements are kept
COLLECTIONS = ("variables", "trainable_variables", "model_variables", "local_variables", "moving_average_variables",
               "regularization_losses", "losses", "summaries", "outputs", "weights", "biases", "activations")


def relative_differences(values, references):
    """Return {kind of value: the largest difference over the largest reference} of two results of `record`.

    The gradients of all variables are one kind, because a gradient that cancels out to rounding has no size of its own;
    so are the final values.
    """
    kinds = {}
    for key, reference in references.items():
        kinds.setdefault(key.split("/")[0], []).append((values[key], reference))
    return {kind: float(max(np.max(np.abs(np.subtract(value, reference, dtype=np.float64)), initial=0)
                            for value, reference in pairs)
                        / max(max(np.max(np.abs(reference), initial=0) for _, reference in pairs), 1e-30))
            for kind, pairs in kinds.items()}


def sample(array):
    """Return at most MOST_VALUES of an array's values as float32."""
    flat = np.asarray(array, np.float32).ravel()
    return flat if flat.size <= MOST_VALUES else flat[np.linspace(0, flat.size - 1, MOST_VALUES).astype(int)]


def plain_session(tf):
    """Return the configuration of a session that runs the graph as it is written, with sums that no thread changes.

    Rewriting a graph of this size takes longer than its twenty steps.
    """
    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config


def count(tf, graph):
    """Return the number of operations that 1.15.5 counts in this graph when an operation asks for its seed."""
    return tf._seeds.count(graph) if hasattr(tf, "_seeds") else graph._last_id


def name_of(member):
    """Return the name of a collection's member without the output number."""
    return getattr(member, "name", str(member)).split(":")[0]


def record(tf, name, n_steps=N_STEPS, initial=None, folder=None):
    """Build a program of CALLS and return what it made.

    Args:
        tf: TensorFlow 1.15.5, or tf1_autoencoders.tensorflow1.
        name: a key of CALLS.
        n_steps: steps of Adam after the first values.
        initial: {variable: array}, values that the variables get after their initialization; None for none.
        folder: where to write the checkpoint `<name>.ckpt` after the training; None writes no checkpoint.

    Returns:
        (facts, values). facts: `operations` created by the program, `variables` [[name, shape]], `collections` {name:
        [names]}, `updates` number of update operations, `output` name of the output. values: {key: float32 array},
        `initial/<variable>`, `output`, `loss`, `gradient/<variable>`, `trace`, `final/<variable>`; `end`, the whole
        output after the training, of programs in ANSWERS; `asked/<key>`, what the program's questions gave.
    """
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(2017)
        program = Call(tf)
        output = CALLS[name](program)
        facts = {"operations": count(tf, graph), "output": name_of(output)}
        facts["collections"] = {key: [name_of(member) for member in tf.get_collection(key)] for key in COLLECTIONS
                                if tf.get_collection(key)}
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        facts["updates"] = len(updates)
        variables, trainable = tf.global_variables(), tf.trainable_variables()
        facts["variables"] = [[variable.op.name, variable.shape.as_list()] for variable in variables]
        if name in GRAPHS_ONLY:
            return facts, {}
        loss = tf.reduce_mean(tf.square(tf.cast(output, tf.float32) - 0.25))
        losses = tf.get_collection("regularization_losses") + tf.get_collection("losses")
        loss = tf.add_n([loss] + losses) if losses else loss
        fetches = {"output": output, "loss": loss}
        if trainable:
            gradients = tf.gradients(loss, trainable)
            fetches.update({"gradient/" + variable.op.name: tf.convert_to_tensor(gradient)
                            for variable, gradient in zip(trainable, gradients) if gradient is not None})
            if n_steps:
                with tf.control_dependencies(updates):
                    gated = tf.tuple(gradients)  # all of them before a variable changes, as in `minimize`
                    train_op = tf.train.AdamOptimizer(0.01, epsilon=EPSILON).apply_gradients(zip(gated, trainable))
        with tf.Session(config=plain_session(tf)) as session:
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()])
            values = {"initial/" + variable.op.name: np.asarray(value, np.float32).ravel()
                      for variable, value in zip(variables, session.run(variables))}
            for variable in variables if initial else []:
                value = initial[variable.op.name].reshape(variable.shape.as_list())
                variable.load(value.astype(variable.dtype.as_numpy_dtype), session)
            values.update({key: sample(value) for key, value in session.run(fetches, program.feeds).items()})
            if trainable and n_steps:
                trace = []
                for _ in range(FEWER_STEPS.get(name, n_steps)):
                    trace.append(session.run(loss, program.feeds))
                    session.run(train_op, program.feeds)
                values["trace"] = np.array(trace, np.float32)
                values.update({"final/" + variable.op.name: sample(value)
                               for variable, value in zip(variables, session.run(variables))})
            values.update({"asked/" + key: np.asarray(ask(session), np.float32).ravel()
                           for key, ask in program.questions.items()})
            if name in ANSWERS:
                values["end"] = session.run(output, program.feeds).astype(np.float32).ravel()
            if folder is not None:
                tf.train.Saver(variables).save(session, str(Path(folder) / (name + ".ckpt")), write_meta_graph=False,
                                               write_state=False)
    return facts, values


def restored(tf, name, folder):
    """Restore `<name>.ckpt` of a folder into the program; return {variable: sample of its value, ":end": output}."""
    with tf.Graph().as_default():
        program = Call(tf)
        output = CALLS[name](program)
        variables = tf.global_variables()
        with tf.Session(config=plain_session(tf)) as session:
            tf.train.Saver(variables).restore(session, str(Path(folder) / (name + ".ckpt")))
            values = {variable.op.name: sample(session.run(variable)) for variable in variables}
            if name in ANSWERS:
                values[":end"] = session.run(output, program.feeds).astype(np.float32).ravel()
            return values


def load(path=FIXTURE):
    """Return {program: (facts, values)} of a file that `write` or `run` made."""
    with np.load(str(path)) as stored:
        facts, flat = json.loads(str(stored["facts"])), stored["values"]
    programs, start = {}, 0
    for name, fact in facts.items():
        values = {}
        for key, size in fact.pop("sizes"):
            values[key], start = flat[start:start + size], start + size
        programs[name] = fact, values
    return programs


# ---- commands

def write_programs(tf, file, names, folder, n_steps=N_STEPS):
    """Record programs in a file, which keeps its others, and write the checkpoints of those in SAVED to a folder."""
    programs = load(file) if file.exists() else {}
    for name in names:
        programs[name] = record(tf, name, n_steps, folder=folder if name in SAVED else None)
        facts = programs[name][0]
        print(f"{name:40} {facts['operations']:5} operations, {len(facts['variables']):3} variables", flush=True)
    programs = {name: programs[name] for name in CALLS if name in programs}
    facts = {name: dict(fact, sizes=[[key, int(value.size)] for key, value in values.items()])
             for name, (fact, values) in programs.items()}
    flat = [value for _, values in programs.values() for value in values.values()]
    np.savez_compressed(str(file), facts=np.array(json.dumps(facts)), values=np.concatenate(flat))


def write(args):
    """Run the command: record programs under 1.15.5, and the checkpoints of some; without names, all of them."""
    import tensorflow as tf
    tf.logging.set_verbosity(tf.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        write_programs(tf, FIXTURE, args.calls or CALLS, folder)
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
        if args.calls:  # the others stay
            with zipfile.ZipFile(str(CHECKPOINTS)) as archive:
                files = dict({name: archive.read(name) for name in archive.namelist()}, **files)
        with zipfile.ZipFile(str(CHECKPOINTS), "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(files):  # the date is fixed: two runs write the same bytes
                archive.writestr(zipfile.ZipInfo(name), files[name], zipfile.ZIP_DEFLATED)
    print(f"{len(load())} programs, {FIXTURE.stat().st_size} and {CHECKPOINTS.stat().st_size} bytes")
    return 0


def run(args):
    """Run the command: record programs with the package; FOLDER gets programs.npz and checkpoints as `write` makes."""
    import tf1_autoencoders.tensorflow1 as tf
    tf.logging.set_verbosity(tf.logging.ERROR)
    folder = Path(args.folder)
    write_programs(tf, folder / "programs.npz", args.calls or CALLS, folder, args.steps)
    return 0


def restore(args):
    """Run the command: restore the package's checkpoints under 1.15.5, and compare with its final values."""
    import tensorflow as tf
    tf.logging.set_verbosity(tf.logging.ERROR)
    programs, failed = load(Path(args.folder) / "programs.npz"), 0
    for name in SAVED:
        for variable, value in restored(tf, name, args.folder).items():
            expected = programs[name][1]["end" if variable == ":end" else "final/" + variable]
            same = value.tobytes() == expected.tobytes() or variable == ":end" and np.allclose(value, expected, 1e-6)
            failed += not same
            print(f"{name:30} {variable:50} {'same' if same else 'DIFFERENT'}")
    return int(bool(failed))


def main(argv=None):
    parser = argparse.ArgumentParser(description="Programs that call tf.contrib.")
    commands = parser.add_subparsers(dest="command", metavar="write | restore | run")
    commands.required = True
    for name, function, what in (("write", write, "rewrite the fixtures (1.15.5)"),
                                 ("run", run, "record the programs with the package"),
                                 ("restore", restore, "restore checkpoints of the package (1.15.5)")):
        subparser = commands.add_parser(name, help=what)
        subparser.set_defaults(function=function)
        if name != "write":
            subparser.add_argument("folder", metavar="FOLDER", help="has or gets programs.npz and <program>.ckpt")
        if name != "restore":
            subparser.add_argument("calls", nargs="*", metavar="CALL", help="programs (default: all)")
        if name == "run":
            subparser.add_argument("--steps", type=int, default=N_STEPS, help="steps of Adam (default: %(default)s)")
    args = parser.parse_args(argv)
    if (args.command == "run") == (sys.version_info < (3, 8)):
        sys.exit(f"contrib_calls.py {args.command}: this Python does not have the TensorFlow that it needs (README.md)")
    return args.function(args)


if __name__ == "__main__":
    sys.exit(main())
