"""The original: each section's network as a program of 2019, for the real TensorFlow 1.15.5 (Python 3.7) only.

    python -m tests.tf115.original write                      rewrite the values and checkpoints in fixtures/
    python -m tests.tf115.original compare [--full]           compare this program with the package's graphs, bit by bit
    python -m tests.tf115.original restore PATH --section N   restore a model.ckpt of the package into this program
    python -m tests.tf115.original trace --data-dir DIR       train section 2 as its tutorial does, with ten seeds

The networks use tf.layers, tf.contrib and tf.nn.rnn_cell, as programs did when the report was written, and import
nothing from the package; only `trace` reads the horses with its help. The operations' seeds are the package's,
10 * seed, 10 * seed + 1, ..., so that initial values can be compared.

Every session but those of `trace` has one thread, because TensorFlow splits its sums between threads, and results with
one and two threads differ in the last digits. Batch k of a trace is rows k * size, k * size + 1, ... of the data,
continuing at row 0 after the last row.
"""
from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any, Dict, NamedTuple, Tuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig

HERE = Path(__file__).resolve().parent
FIXTURES = HERE / "fixtures"
N_STEPS = 50

# Sizes, named as the fields of the package's Settings. The small ones are mostly prime, so that a transposed shape
# cannot pass by chance.
SMALL = {
    "section1": dict(n_input=53, n_hidden_1=31, n_hidden_2=23, n_hidden_3=17, n_latent=5, learning_rate=0.003,
                     batch_size=7, seed=3),
    "section2": dict(n_input=121, n_hidden_1=37, n_hidden_2=17, n_hidden_3=31, learning_rate=0.01, l2_reg=0.0001,
                     l2_in_loss=False, batch_size=13, pixel_center=0.0, pixel_scale=1.0, seed=1),
    "section2_l2": dict(n_input=121, n_hidden_1=37, n_hidden_2=17, n_hidden_3=31, learning_rate=0.01, l2_reg=0.05,
                        l2_in_loss=True, batch_size=13, pixel_center=127.5, pixel_scale=1 / 255, seed=2),
    "section3": dict(side=20, n_filters_1=7, n_filters_2=5, n_filters_3=3, learning_rate=0.003, batch_size=5, seed=4),
    "section4": dict(n_in=5, n_out=3, cardinality=13, n_units=11, learning_rate=0.01, batch_size=7, seed=5)}
N_ROWS = {"section1": 59, "section2": 47, "section2_l2": 47, "section3": 23, "section4": 89}
# The report's networks. Sections 1 and 3 have smaller batches than the report's 2048, which would take half an hour.
FULL = {
    "section1": dict(n_input=784, n_hidden_1=2000, n_hidden_2=1200, n_hidden_3=500, n_latent=10, learning_rate=0.001,
                     batch_size=64, seed=0),
    "section2": dict(n_input=1024, n_hidden_1=200, n_hidden_2=150, n_hidden_3=200, learning_rate=0.01, l2_reg=0.0001,
                     l2_in_loss=False, batch_size=150, pixel_center=0.0, pixel_scale=1.0, seed=0),
    "section2_l2": dict(n_input=1024, n_hidden_1=200, n_hidden_2=150, n_hidden_3=200, learning_rate=0.01,
                        l2_reg=0.0001, l2_in_loss=True, batch_size=100, pixel_center=0.0, pixel_scale=1.0, seed=0),
    "section3": dict(side=28, n_filters_1=64, n_filters_2=32, n_filters_3=16, learning_rate=0.001, batch_size=32,
                     seed=0),
    "section4": dict(n_in=6, n_out=3, cardinality=51, n_units=128, learning_rate=0.001, batch_size=32, seed=0)}


class Network(NamedTuple):
    """A network in the default graph.

    | field       | dtype[shape]               | meaning                                                         |
    |-------------|----------------------------|-----------------------------------------------------------------|
    | inputs      | placeholders [batch, ...]  | get each batch; with an initializer, all data at once           |
    | hidden      | {layer: float32[batch, .]} | outputs of the hidden layers, under their Keras layers' names   |
    | outputs     | float32[batch, ...]        | the network's output                                            |
    | loss        | float32[]                  | the value that train_op minimises                               |
    | without_l2  | float32[]                  | the loss without the L2 term                                    |
    | l2          | float32[]                  | the L2 term; None if the network has none                       |
    | train_op    | operation                  | one step of Adam                                                |
    | initializer | operation                  | the iterator's initializer; None if each batch is fed           |
    """

    inputs: Tuple[Any, ...]
    hidden: Dict[str, Any]
    outputs: Any
    loss: Any
    without_l2: Any
    l2: Any
    train_op: Any
    initializer: Any = None


def section1(n_input, n_hidden_1, n_hidden_2, n_hidden_3, n_latent, learning_rate, batch_size, seed):
    """Build section 1: dense layers with ReLU, and a sigmoid code."""
    xavier = tf.contrib.layers.xavier_initializer
    seeds = iter(range(10 * seed, 10 * seed + 8))
    x = tf.placeholder(tf.float32, [None, n_input])
    dense_layer = partial(tf.layers.dense, activation=tf.nn.relu)
    hidden_1 = dense_layer(x, n_hidden_1, kernel_initializer=xavier(seed=next(seeds)))
    hidden_2 = dense_layer(hidden_1, n_hidden_2, kernel_initializer=xavier(seed=next(seeds)))
    hidden_3 = dense_layer(hidden_2, n_hidden_3, kernel_initializer=xavier(seed=next(seeds)))
    code = dense_layer(hidden_3, n_latent, activation=tf.nn.sigmoid, kernel_initializer=xavier(seed=next(seeds)))
    hidden_5 = dense_layer(code, n_hidden_3, kernel_initializer=xavier(seed=next(seeds)))
    hidden_6 = dense_layer(hidden_5, n_hidden_2, kernel_initializer=xavier(seed=next(seeds)))
    hidden_7 = dense_layer(hidden_6, n_hidden_1, kernel_initializer=xavier(seed=next(seeds)))
    outputs = dense_layer(hidden_7, n_input, activation=None, kernel_initializer=xavier(seed=next(seeds)))
    loss = tf.reduce_mean(tf.square(outputs - x))
    train_op = tf.train.AdamOptimizer(learning_rate).minimize(loss)
    hidden = {"dense": hidden_1, "dense_1": hidden_2, "dense_2": hidden_3, "dense_3": code, "dense_4": hidden_5,
              "dense_5": hidden_6, "dense_6": hidden_7}
    return Network((x,), hidden, outputs, loss, loss, None, train_op)


def section2(n_input, n_hidden_1, n_hidden_2, n_hidden_3, learning_rate, l2_reg, l2_in_loss, batch_size, pixel_center,
             pixel_scale, seed):
    """Build section 2: dense layers with ELU and L2, and the report's own input pipeline."""
    x = tf.placeholder(tf.float32, [None, n_input])
    dataset = tf.data.Dataset.from_tensor_slices(x).repeat().batch(batch_size)
    iterator = dataset.make_initializable_iterator()
    features = iterator.get_next()
    pixels = (features - pixel_center) * pixel_scale

    xavier = tf.contrib.layers.xavier_initializer
    seeds = iter(range(10 * seed, 10 * seed + 4))
    dense_layer = partial(tf.layers.dense, activation=tf.nn.elu,
                          kernel_regularizer=tf.contrib.layers.l2_regularizer(l2_reg))
    hidden_1 = dense_layer(pixels, n_hidden_1, kernel_initializer=xavier(seed=next(seeds)))
    hidden_2 = dense_layer(hidden_1, n_hidden_2, kernel_initializer=xavier(seed=next(seeds)))
    hidden_3 = dense_layer(hidden_2, n_hidden_3, kernel_initializer=xavier(seed=next(seeds)))
    decoded = dense_layer(hidden_3, n_input, activation=None, kernel_initializer=xavier(seed=next(seeds)))
    outputs = decoded / pixel_scale + pixel_center

    mse = tf.reduce_mean(tf.square(decoded - pixels))
    l2 = tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))
    loss = mse + l2 if l2_in_loss else mse
    train_op = tf.train.AdamOptimizer(learning_rate).minimize(loss)
    return Network((x,), {"dense": hidden_1, "dense_1": hidden_2, "dense_2": hidden_3}, outputs, loss, mse, l2,
                   train_op, iterator.initializer)


def section3(side, n_filters_1, n_filters_2, n_filters_3, learning_rate, batch_size, seed):
    """Build section 3: convolutions, pooling and resizing; the last but one convolution has no padding."""
    glorot = tf.glorot_uniform_initializer
    seeds = iter(range(10 * seed, 10 * seed + 7))
    noisy = tf.placeholder(tf.float32, [None, side, side, 1])
    clean = tf.placeholder(tf.float32, [None, side, side, 1])
    conv = partial(tf.layers.conv2d, kernel_size=3, padding="same", activation=tf.nn.relu)

    def pool(x):
        return tf.layers.max_pooling2d(x, pool_size=2, strides=2, padding="same")

    def up(x):
        return tf.image.resize_nearest_neighbor(x, (2 * int(x.shape[1]), 2 * int(x.shape[2])))

    conv_1 = conv(noisy, n_filters_1, kernel_initializer=glorot(seed=next(seeds)))
    pool_1 = pool(conv_1)
    conv_2 = conv(pool_1, n_filters_2, kernel_initializer=glorot(seed=next(seeds)))
    pool_2 = pool(conv_2)
    conv_3 = conv(pool_2, n_filters_3, kernel_initializer=glorot(seed=next(seeds)))
    pool_3 = pool(conv_3)
    conv_4 = conv(pool_3, n_filters_3, kernel_initializer=glorot(seed=next(seeds)))
    up_1 = up(conv_4)
    conv_5 = conv(up_1, n_filters_2, kernel_initializer=glorot(seed=next(seeds)))
    up_2 = up(conv_5)
    conv_6 = conv(up_2, n_filters_1, padding="valid", kernel_initializer=glorot(seed=next(seeds)))
    up_3 = up(conv_6)
    outputs = conv(up_3, 1, activation=None, kernel_initializer=glorot(seed=next(seeds)))
    loss = tf.reduce_mean(tf.square(outputs - clean))
    train_op = tf.train.AdamOptimizer(learning_rate).minimize(loss)
    hidden = {"conv2d": conv_1, "max_pooling2d": pool_1, "conv2d_1": conv_2, "max_pooling2d_1": pool_2,
              "conv2d_2": conv_3, "max_pooling2d_2": pool_3, "conv2d_3": conv_4, "up_sampling2d": up_1,
              "conv2d_4": conv_5, "up_sampling2d_1": up_2, "conv2d_5": conv_6, "up_sampling2d_2": up_3}
    return Network((noisy, clean), hidden, outputs, loss, loss, None, train_op)


def section4(n_in, n_out, cardinality, n_units, learning_rate, batch_size, seed, rnn="dynamic"):
    """Build section 4: an LSTM whose last state starts a second LSTM, with dynamic_rnn or with static_rnn."""
    glorot = tf.glorot_uniform_initializer
    encoder_seed, decoder_seed, dense_seed = range(10 * seed, 10 * seed + 3)
    x1, x2, y = (tf.placeholder(tf.int32, [None, n]) for n in (n_in, n_out, n_out))
    encoder_inputs, decoder_inputs, targets = (tf.one_hot(tokens, cardinality) for tokens in (x1, x2, y))

    def run_cell(cell, x, **initial):
        if rnn == "dynamic":
            return tf.nn.dynamic_rnn(cell, x, **initial)
        outputs, last_state = tf.nn.static_rnn(cell, tf.unstack(x, axis=1), **initial)
        return tf.stack(outputs, axis=1), last_state

    with tf.variable_scope("encoder"):
        cell = tf.nn.rnn_cell.LSTMCell(n_units, initializer=glorot(seed=encoder_seed))
        _, state = run_cell(cell, encoder_inputs, dtype=tf.float32)
    with tf.variable_scope("decoder"):
        cell = tf.nn.rnn_cell.LSTMCell(n_units, initializer=glorot(seed=decoder_seed))
        decoded, _ = run_cell(cell, decoder_inputs, initial_state=state)
    logits = tf.layers.dense(decoded, cardinality, kernel_initializer=glorot(seed=dense_seed))
    outputs = tf.nn.softmax(logits)
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=targets, logits=logits))
    train_op = tf.train.AdamOptimizer(learning_rate).minimize(loss)
    return Network((x1, x2, y), {"encoder_h": state.h, "encoder_c": state.c, "decoder": decoded}, outputs, loss, loss,
                   None, train_op)


PROGRAMS = {"section1": section1, "section2": section2, "section2_l2": section2, "section3": section3,
            "section4": section4}


def make_data(name, sizes, n):
    """Draw n rows of data for a network, with structure that can be learnt; every numpy draws the same values."""
    random = np.random.RandomState(7)

    def grey_levels(width):
        """Mix a few patterns into float32[n, width] of whole numbers 0..255."""
        mixed = random.normal(size=(n, 5)).dot(random.normal(size=(5, width)))
        return np.clip(np.round(127 + 45 * mixed), 0, 255).astype(np.float32)

    if name == "section1":
        return (grey_levels(sizes["n_input"]) / np.float32(255),)
    if name == "section3":
        clean = (grey_levels(sizes["side"] ** 2) / np.float32(255)).reshape(n, sizes["side"], sizes["side"], 1)
        replaced = random.uniform(size=clean.shape) < 0.1
        noise = np.floor(255 * random.beta(0.5, 0.5, clean.shape)).astype(np.float32) / np.float32(255)
        return np.where(replaced, noise, clean), clean
    if name == "section4":
        x1 = random.randint(1, sizes["cardinality"], (n, sizes["n_in"])).astype(np.int32)
        y = x1[:, :sizes["n_out"]][:, ::-1]
        return x1, np.concatenate([np.zeros_like(y[:, :1]), y[:, :-1]], axis=1), y
    return (grey_levels(sizes["n_input"]),)


def open_session(graph, as_written=False):
    """Open a session with one thread; with as_written, TensorFlow does not rewrite the graph's arithmetic."""
    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    if as_written:
        config.graph_options.rewrite_options.arithmetic_optimization = RewriterConfig.OFF
    return tf.Session(graph=graph, config=config)


def run(network, data, batch_size, as_written=False):
    """Train a network in the default graph; return its values and the session.

    Args:
        network: Network.
        data: arrays [n, ...], one for each of network.inputs.
        batch_size: rows per step.
        as_written: see open_session.

    Returns:
        ({key: array}, session), with these keys. Before the training: `initial/<variable>`, and on batch 0
        `hidden/<layer>`, `outputs`, `loss`, `loss_without_l2`, `l2`, `gradients/<variable>`. During the training:
        `trace` float32[50], the minimised loss on each step's batch before the step. After the training:
        `final/<variable>`, with slots and beta powers, and `final_outputs` on batch 0.
    """
    weights, values = tf.trainable_variables(), {}
    gradients = tf.gradients(network.loss, weights)
    session = open_session(tf.get_default_graph(), as_written)
    session.run(tf.global_variables_initializer())
    for variable in weights:
        values["initial/" + variable.op.name] = session.run(variable)

    def feeds(k):
        """Return the feeds of batch k; a network with an iterator is initialized to give batch k next."""
        rows = np.arange(k * batch_size, (k + 1) * batch_size) % len(data[0])
        batch = {tensor: array[rows] for tensor, array in zip(network.inputs, data)}
        if network.initializer is None:
            return batch
        session.run(network.initializer, batch)
        return {}

    fetches = {"outputs": network.outputs, "loss": network.loss, "loss_without_l2": network.without_l2}
    fetches.update({} if network.l2 is None else {"l2": network.l2})
    fetches.update({"hidden/" + name: tensor for name, tensor in network.hidden.items()})
    fetches.update({"gradients/" + variable.op.name: gradient for variable, gradient in zip(weights, gradients)})
    values.update(session.run(fetches, feeds(0)))
    trace = []
    for k in range(N_STEPS):  # two runs per step, because in one run Adam need not wait until the L2 term is computed
        trace.append(session.run(network.loss, feeds(k)))
        session.run(network.train_op, feeds(k))
    values["trace"] = np.array(trace, np.float32)
    values["final_outputs"] = session.run(network.outputs, feeds(0))
    values.update({"final/" + variable.op.name: session.run(variable) for variable in tf.global_variables()})
    return values, session


def write(args):
    """Run the command: write fixtures/<network>/numbers.npz and model.ckpt, and fixtures/sizes.json."""
    for name, sizes in SMALL.items():
        folder = FIXTURES / name
        folder.mkdir(parents=True, exist_ok=True)
        data = make_data(name, sizes, N_ROWS[name])
        with tf.Graph().as_default():
            values, session = run(PROGRAMS[name](**sizes), data, sizes["batch_size"])
            with session:
                tf.train.Saver().save(session, str(folder / "model.ckpt"), write_meta_graph=False, write_state=False)
        values.update({f"data/{k}": array for k, array in enumerate(data)})
        np.savez_compressed(str(folder / "numbers.npz"), **{key: values[key] for key in sorted(values)})
        n_bytes = sum(file.stat().st_size for file in folder.iterdir())
        first, last = values["trace"][[0, -1]]
        print(f"{name:12} {len(values):3} arrays, loss {first:.6g} -> {last:.6g}, {n_bytes:7} bytes")
    (FIXTURES / "sizes.json").write_text(json.dumps(SMALL, indent=1) + "\n")
    return 0


def compare(args):
    """Run the command: compare the original with the package's build_graph, bit by bit, and print a table.

    Both sides get the same initial weights and the same batches. TensorFlow rewrites the arithmetic of a graph before
    running the graph, and the resulting order of sums depends on more than the network. The same program differs by
    1e-7 between batches from a placeholder and batches from a pipeline. The rewriting is therefore switched off on both
    sides, except with --optimised.
    """
    from tests.tf115 import ours  # imports the package, which nothing above needs
    print(f"| section | size | initial values | forward | gradients | {N_STEPS} losses | final weights | "
          "slots, powers |\n|---|---|---|---|---|---|---|---|")
    failed, as_written = False, not args.optimised
    for name, sizes in (FULL if args.full else SMALL).items():
        if args.section not in (None, int(name[7])):
            continue
        data = make_data(name, sizes, N_ROWS[name] if not args.full else 3 * sizes["batch_size"] + 1)
        for label, program in labelled_programs(name):
            with tf.Graph().as_default():
                original, session = run(program(**sizes), data, sizes["batch_size"], as_written)
                session.close()
            initial, hidden = (ours.strip_prefix(prefix, original) for prefix in ("initial", "hidden"))
            section = ours.section_module(name)
            model = section.build_graph(ours.section_settings(name, sizes, **ours.unfused_setting(name)))
            with open_session(model.graph, as_written) as session:
                values = ours.run(session, model, data, sizes["batch_size"], hidden, initial)
            cells = []
            for keys in table_columns(original):
                difference = max(relative_difference(values[key], original[key]) for key in keys)
                identical = all(values[key].tobytes() == original[key].tobytes() for key in keys)
                cells.append("bit-identical" if identical else f"{difference:.1e}")
                failed |= not identical
            print(f"| {label} | {'full' if args.full else 'small'} | {' | '.join(cells)} |", flush=True)
    print("(a number in a cell is the largest difference over the largest value; the comparison then fails)")
    print("FAIL" if failed else "pass")
    return int(failed)


def labelled_programs(name):
    """Return [(label, program)] of a network; section 4 has two programs, one for each way to run a cell."""
    if name == "section4":
        return [("4, dynamic_rnn", section4), ("4, static_rnn", partial(section4, rnn="static"))]
    return [({"section2": "2, L2 declared", "section2_l2": "2, L2 minimised"}.get(name, name[7:]), PROGRAMS[name])]


def table_columns(values):
    """Return the keys of `values` for each column of the table; the L2 terms belong to the forward column."""
    slots = [key for key in values if key.startswith("final/") and key.endswith(("/Adam", "/Adam_1", "_power"))]
    initial, gradients = ([key for key in values if key.startswith(prefix)] for prefix in ("initial/", "gradients/"))
    forward = [key for key in values if key.startswith("hidden/") or key in ("outputs", "loss", "loss_without_l2",
                                                                              "l2")]
    final = [key for key in values if key.startswith("final") and key not in slots]
    return [initial, forward, gradients, ["trace"], final, slots]


def relative_difference(values, references):
    """Return the largest difference divided by the largest reference."""
    return float(np.max(np.abs(np.subtract(values, references, dtype=np.float64))) / max(np.max(np.abs(references)),
                                                                                       1e-30))


def restore(args):
    """Run the command: restore a checkpoint, and print the shape and checksum of every variable.

    The exit code is 1 if a value differs from values.npz, or if the variables are not those of the original.
    """
    if not Path(args.path + ".index").exists():
        sys.exit(f"{args.path}: there is no such checkpoint; expected its path without suffix, .../model.ckpt")
    stored = tf.train.load_checkpoint(args.path).get_variable_to_shape_map()
    sizes = sizes_from_shapes(stored, args.section)
    file = Path(args.values) if args.values else Path(args.path).parent / "values.npz"
    values = np.load(str(file)) if file.exists() else None
    failed = 0
    with tf.Graph().as_default() as graph, open_session(graph) as session:
        PROGRAMS[f"section{args.section}"](**sizes)
        missing = [variable.op.name for variable in tf.global_variables() if variable.op.name not in stored]
        variables = [variable for variable in tf.global_variables() if variable.op.name in stored]
        tf.train.Saver(variables).restore(session, args.path)
        for variable in variables:
            value, name = session.run(variable), variable.op.name
            verdict = ""
            if values is not None:
                expected = values[name] if name in values else np.zeros(0)
                identical = value.shape == expected.shape and value.tobytes() == expected.tobytes()
                verdict, failed = "bit-identical" if identical else "DIFFERENT", failed + (not identical)
            sha256 = hashlib.sha256(value.tobytes()).hexdigest()
            print(f"{name:36} {str(list(value.shape)):16} sha256 {sha256[:16]} {verdict}")
    unknown = sorted(set(stored) - {variable.op.name for variable in variables})
    print(f"{len(variables)} variables restored"
          f"{'' if values is None else f', {failed} different from {file.name}'}"
          f"; only in the checkpoint: {', '.join(unknown) or 'none'}; "
          f"not in the checkpoint: {', '.join(missing) or 'none'}")
    return int(bool(failed or unknown or missing))


def trace(args):
    """Run the command: train section 2 on the horses, once per seed, and write fixtures/section2_traces.json.

    Each training has 100 epochs. As in the tutorial behind the report, one batch is taken to print its shape, and one
    more for each printed MSE, after the epochs 0, 10, ... 90. The seeds are 100, 101, ...: none of those that the
    package's bands were measured with.
    """
    from tf1_autoencoders.sections import section2_horses
    data, source = section2_horses.load(None, ("train",), data="real", data_dir=[args.data_dir])
    horses = section2_horses.select_horses(*data["train"])
    traces = []
    for seed in range(100, 100 + args.seeds):
        with tf.Graph().as_default(), tf.Session() as session:
            network = section2(**dict(FULL["section2"], seed=seed))
            session.run(tf.global_variables_initializer())
            session.run(network.initializer, {network.inputs[0]: horses})
            session.run(network.outputs)  # the batch whose shape is printed
            values = []
            for epoch in range(100):
                for _ in range(len(horses) // FULL["section2"]["batch_size"]):
                    session.run(network.train_op)
                if epoch % 10 == 0:
                    values.append(float(session.run(network.loss)))
        traces.append(values)
        print(f"seed {seed}: {' '.join(f'{value:.0f}' for value in values)}", flush=True)
    content = {"tensorflow": tf.__version__, "data": str(source.kind), "first_seed": 100, "traces": traces}
    (FIXTURES / "section2_traces.json").write_text(json.dumps(content) + "\n")
    return 0


def sizes_from_shapes(shapes, section):
    """Return a network's sizes from its checkpoint's {variable name: shape}; SMALL gives the sizes not in any shape."""
    sizes = dict(SMALL[f"section{section}"])
    if section == 1:
        sizes.update(n_input=shapes["dense/kernel"][0], n_hidden_1=shapes["dense/kernel"][1],
                     n_hidden_2=shapes["dense_1/kernel"][1], n_hidden_3=shapes["dense_2/kernel"][1],
                     n_latent=shapes["dense_3/kernel"][1])
    elif section == 2:
        sizes.update(n_input=shapes["dense/kernel"][0], n_hidden_1=shapes["dense/kernel"][1],
                     n_hidden_2=shapes["dense_1/kernel"][1], n_hidden_3=shapes["dense_2/kernel"][1])
    elif section == 3:
        sizes.update(n_filters_1=shapes["conv2d/kernel"][3], n_filters_2=shapes["conv2d_1/kernel"][3],
                     n_filters_3=shapes["conv2d_2/kernel"][3])
    else:
        sizes.update(cardinality=shapes["dense/kernel"][1], n_units=shapes["dense/kernel"][0])
    return sizes


def main(argv=None):
    if not tf.__version__.startswith("1.15"):
        sys.exit(f"original.py: this is TensorFlow {tf.__version__}; expected the real 1.15.5 (see README.md)")
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)  # hides 1.15's deprecation warnings
    parser = argparse.ArgumentParser(description="The networks of the report as a program of 2019 (TensorFlow 1.15.5).")
    commands = parser.add_subparsers(dest="command", metavar="write | compare | restore | trace")
    commands.required = True
    commands.add_parser("write", help="rewrite fixtures/").set_defaults(function=write)
    compare_parser = commands.add_parser("compare", help="compare with the package's graphs, bit by bit")
    compare_parser.add_argument("--full", action="store_true", help="compare at the report's sizes (minutes)")
    compare_parser.add_argument("--optimised", action="store_true",
                                help="let TensorFlow rewrite both graphs' arithmetic")
    compare_parser.add_argument("--section", type=int, choices=(1, 2, 3, 4), help="compare one section only")
    compare_parser.set_defaults(function=compare)
    restore_parser = commands.add_parser("restore", help="restore a checkpoint of the package into this program")
    restore_parser.add_argument("path", metavar="PATH", help="the checkpoint without suffix, .../model.ckpt")
    restore_parser.add_argument("--section", type=int, choices=(1, 2, 3, 4), required=True,
                                help="the section whose network was saved")
    restore_parser.add_argument("--values", metavar="FILE",
                                help="the variables' values when the checkpoint was written (default: values.npz "
                                     "beside the checkpoint, if it exists)")
    restore_parser.set_defaults(function=restore)
    trace_parser = commands.add_parser("trace", help="train section 2 on the real horses, once per seed")
    trace_parser.add_argument("--data-dir", required=True, metavar="DIR", help="folder of CIFAR-10")
    trace_parser.add_argument("--seeds", type=int, default=10, metavar="K", help="number of seeds (default: 10)")
    trace_parser.set_defaults(function=trace)
    args = parser.parse_args(argv)
    return args.function(args)


if __name__ == "__main__":
    sys.exit(main())
