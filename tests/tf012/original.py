"""Networks of TensorFlow before 1.0, written and run with the names of that time.

    python original.py write FOLDER                                       in the real TensorFlow 0.12.1 (Python 3.6)
    python -m tf1_autoencoders.run_tf1 original.py compare FOLDER         here

`write` saves a checkpoint of all networks in both formats of that time (V1 and V2), and numbers.npz with the outputs
and gradients on fixed inputs. `compare` restores both checkpoints, by the names of the variables, and prints the
largest difference of each network's outputs and gradients, relative to the largest value of an array.
"""
import os
import sys

import numpy as np
import tensorflow as tf

CELLS = {"basic_rnn": lambda: tf.nn.rnn_cell.BasicRNNCell(3),
         "gru": lambda: tf.nn.rnn_cell.GRUCell(3),
         "basic_lstm": lambda: tf.nn.rnn_cell.BasicLSTMCell(3),
         "joined_state": lambda: tf.nn.rnn_cell.BasicLSTMCell(3, forget_bias=0.5, state_is_tuple=False),
         "lstm": lambda: tf.nn.rnn_cell.LSTMCell(3, use_peepholes=True, num_proj=2, cell_clip=0.4, num_unit_shards=2),
         "layers": lambda: tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(3)] * 2),
         "projected": lambda: tf.nn.rnn_cell.OutputProjectionWrapper(
             tf.nn.rnn_cell.InputProjectionWrapper(tf.nn.rnn_cell.BasicLSTMCell(3), 2), 4)}
BATCH, STEPS, SYMBOLS = 2, 3, 5


def values(*shape):
    """Return float32 values between -1 and 1, the same ones in every release of NumPy."""
    return np.sin(np.arange(1, np.prod(shape) + 1, dtype=np.float64) * 12.9898).reshape(shape).astype(np.float32)


def symbols(n):
    """Return n lists of symbols, int32[batch] each."""
    return [tf.constant((np.arange(BATCH) * 3 + k) % SYMBOLS, tf.int32) for k in range(n)]


def sequences(cell):
    """Unroll a cell in the four ways of that time; return the outputs, joined along axis 1."""
    inputs = tf.constant(values(BATCH, STEPS, 2))
    listed = tf.unpack(inputs, axis=1)
    outputs = [tf.nn.dynamic_rnn(cell, inputs, dtype=tf.float32, scope="dynamic")[0]]
    outputs += tf.nn.bidirectional_dynamic_rnn(cell, cell, inputs, sequence_length=tf.constant([3, 1], tf.int64),
                                               dtype=tf.float32)[0]
    outputs = [tf.reshape(output, [BATCH, -1]) for output in outputs]
    outputs += tf.nn.rnn(cell, listed, dtype=tf.float32)[0]
    with tf.variable_scope("both"):
        outputs += tf.nn.bidirectional_rnn(cell, cell, listed, dtype=tf.float32)[0]
    return tf.concat(1, outputs)


def translations():
    """Return {name: function that builds a network of tf.nn.seq2seq and returns its outputs, joined along axis 1}."""
    seq2seq, cell = tf.nn.seq2seq, tf.nn.rnn_cell.GRUCell(3)
    floats = [tf.constant(values(BATCH, 2) * (k + 1)) for k in range(STEPS)]
    arguments = symbols(3), symbols(2), cell, SYMBOLS, SYMBOLS, 4
    networks = {
        "basic": lambda: seq2seq.basic_rnn_seq2seq(floats, floats[:2], cell),
        "tied": lambda: seq2seq.tied_rnn_seq2seq(floats, floats[:2], cell),
        "embedding": lambda: seq2seq.embedding_rnn_seq2seq(*arguments),
        "fed_back": lambda: seq2seq.embedding_rnn_seq2seq(*arguments, feed_previous=True),
        "embedding_tied": lambda: seq2seq.embedding_tied_rnn_seq2seq(symbols(3), symbols(2), cell, SYMBOLS, 4),
        "attention": lambda: seq2seq.embedding_attention_seq2seq(*arguments, num_heads=2),
        "attention_chosen": lambda: seq2seq.embedding_attention_seq2seq(
            *arguments, feed_previous=tf.constant(True), initial_state_attention=True)}

    def buckets():
        _, losses = seq2seq.model_with_buckets(
            symbols(3), symbols(2), symbols(2), [tf.ones([BATCH])] * 2, [(2, 1), (3, 2)],
            lambda x, y: seq2seq.embedding_rnn_seq2seq(x, y, cell, SYMBOLS, SYMBOLS, 4), per_example_loss=True)
        return [tf.expand_dims(loss, 1) for loss in losses], None
    networks["buckets"] = buckets
    return {name: (lambda build=build: tf.concat(1, build()[0])) for name, build in networks.items()}


def arguments_of_then():
    """Return tensors made by functions whose arguments or names 1.0 changed, as rows of one matrix."""
    x, y = tf.constant(values(2, 4)), tf.constant(values(2, 4)[::-1].copy())
    labels = tf.constant([1, 3])
    rows = [tf.mul(x, y), tf.sub(x, y), tf.neg(x), tf.concat(1, tf.split(1, 2, x)), tf.reverse(x, [False, True]),
            tf.select(tf.greater(x, y), x, y), tf.reshape(tf.batch_matmul(x, y, adj_y=True), [1, 4]),
            tf.pack([tf.nn.softmax_cross_entropy_with_logits(x, tf.nn.softmax(y)),
                     tf.nn.sparse_softmax_cross_entropy_with_logits(x, labels)]),
            tf.nn.sigmoid_cross_entropy_with_logits(x, y), tf.nn.weighted_cross_entropy_with_logits(x, y, 2.)]
    return tf.concat(0, [tf.reshape(row, [-1, 4]) for row in rows])


def build():
    """Build all networks; return {name: [outputs, gradients of their squares' sum by each of their variables]}."""
    networks = {name: (lambda make=make: sequences(make())) for name, make in CELLS.items()}
    networks.update(translations())
    found = {"arguments": [arguments_of_then()]}
    for name in sorted(networks):
        with tf.variable_scope(name):
            outputs = networks[name]()
        variables = [variable for variable in tf.trainable_variables() if variable.name.startswith(name + "/")]
        gradients = tf.gradients(tf.reduce_sum(tf.square(outputs)), variables)
        found[name] = [outputs, *(tf.convert_to_tensor(gradient) for gradient in gradients if gradient is not None)]
    return found


def main(command, folder):
    networks = build()
    names = ["%s %s" % (variable.name, variable.get_shape().as_list()) for variable in tf.all_variables()]
    tensors = {"%s/%d" % (name, k): tensor for name in networks for k, tensor in enumerate(networks[name])}
    session = tf.Session()
    if command == "write":
        for k, variable in enumerate(tf.all_variables()):
            shape = variable.get_shape().as_list()
            session.run(variable.assign(values(*shape) * (0.5 + 0.01 * k)))
        for version in (1, 2):
            tf.train.Saver(write_version=version).save(session, os.path.join(folder, "v%d.ckpt" % version),
                                                       write_meta_graph=False)
        np.savez_compressed(os.path.join(folder, "numbers.npz"), names=names, **session.run(tensors))
        return
    expected = np.load(os.path.join(folder, "numbers.npz"))
    print("the same %d variables" % len(names) if list(expected["names"]) == names else "OTHER VARIABLES")
    restored = []
    for version in (1, 2):
        tf.train.Saver().restore(session, os.path.join(folder, "v%d.ckpt" % version))
        restored.append(session.run(tf.all_variables()))
    print("both formats are equal" if all(map(np.array_equal, *restored)) else "THE FORMATS DIFFER")
    numbers = session.run(tensors)
    assert sorted(numbers) == sorted(set(expected.files) - {"names"})
    for name in sorted(networks):
        pairs = [(numbers[key], expected[key]) for key in tensors if key.startswith(name + "/")]
        outputs, *gradients = [np.max(np.abs(ours - then)) / max(np.max(np.abs(then)), 1e-30) for ours, then in pairs]
        print("%-16s outputs %.0e, %d gradients %.0e" % (name, outputs, len(gradients), max(gradients, default=0)))


if __name__ == "__main__":
    main(*sys.argv[1:])
