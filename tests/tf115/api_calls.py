"""TensorFlow 1 API calls: the number of operations that each makes, and what it draws with a graph-level seed alone.

    tf115/bin/python -m tests.tf115.api_calls write       rewrites fixtures/api_calls.json, under 1.15.5
    python -m tests.tf115.api_calls compare [PART]        compares all calls, or those whose text has PART, with it

api_calls.txt has the calls. Each runs in a graph of its own with the seed 42. The fixture has for each call
`operations` (how many it made; the next random operation is seeded by them) and `values`, a checksum of the variables'
initial values and of the call's results, where they need no feed.
"""
import ast
import collections
import hashlib
import json
import os
import sys
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURE = os.path.join(HERE, "fixtures", "api_calls.json")
SEED = 42


def read_parts():
    """Return {part: lines} of api_calls.txt."""
    parts, lines = collections.OrderedDict(), []
    with open(os.path.join(HERE, "api_calls.txt")) as file:
        for line in file.read().splitlines():
            if line.startswith("["):
                parts[line.strip("[]")] = lines = []
            elif line.strip() and not line.startswith("# "):
                lines.append(line)
    return parts


def cases():
    """Return {name: code} of all calls; a name says which part a call is from."""
    parts, found = read_parts(), collections.OrderedDict()
    for line in parts["calls"] + parts["programs"]:
        found[line] = line.replace("\\n", "\n")
    for line in parts["gradients"]:
        found["gradients of " + line] = "y_ = %s\nstart()\ntf.gradients(y_, inputs + tf.trainable_variables())" % line
    for optimiser in parts["optimisers"]:
        for number, network in enumerate(parts["networks"]):
            found["%s, network %d" % (optimiser, number)] = network.replace("OPT", optimiser)
    return found


def names_for(tf, gradients):
    """Return the names that the code of a call uses."""
    import numpy as np

    def placeholder(*shape):
        return tf.placeholder(tf.float32, shape)

    names = dict(tf=tf, np=np, X=placeholder, I=lambda *shape: tf.placeholder(tf.int32, shape),
                 B=lambda: tf.placeholder(tf.bool, []), L=tf.layers, R=tf.nn.rnn_cell)
    if gradients:
        shapes = dict(x=(2, 3), y=(2, 3), b=(3,), n=(None, 3), n2=(None, 3), s=(), w=(3, 4), m=(None, 4, 3),
                      b3=(5, 2, 3), b4=(5, 3, 4), bn3=(None, 2, 3), bn4=(None, 3, 4), b4v=(4,), i4=(None, 8, 8, 3),
                      i4s=(2, 8, 8, 3), k4=(3, 3, 3, 2), k4t=(3, 3, 3, 3), k3=(3, 3, 2), i5=(None, 8, 8, 8, 3),
                      k5=(3, 3, 3, 3, 2), sq=(3, 3))
        names.update((name, placeholder(*shape)) for name, shape in sorted(shapes.items()))
        names.update(u=tf.placeholder(tf.float32), v=tf.Variable(tf.zeros([5, 3])),
                     rv=tf.get_variable("rv", [5, 3], use_resource=True))
        names["inputs"] = [names[name] for name in sorted(shapes)] + [names["u"], names["v"], names["rv"]]
        names["sp"] = tf.sparse_placeholder(tf.float32, [2, 3])
    return names


def run_case(tf, count, name, code):
    """Run one call; return its entry of the fixture.

    Args:
        tf: the namespace.
        count: function of a graph that returns its number of operations, as TensorFlow 1.15 counts them.
    """
    graph = tf.Graph()
    with graph.as_default():
        tf.set_random_seed(SEED)
        names, begin = names_for(tf, name.startswith("gradients of ")), [0]
        names["start"] = lambda: begin.__setitem__(0, count(graph))
        tree, value = ast.parse(code), None
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), name, "eval"), names)
        entry = {"operations": count(graph) - begin[0]}
        if not begin[0]:
            values = drawn(tf, value)
            entry.update({"values": values} if values else {})
        return entry


def drawn(tf, value):
    """Return a checksum of the variables' initial values and of a call's results; None if there is neither.

    Results that need a feed, or a local variable, are left out.
    """
    import numpy as np

    def checksum(data):
        return hashlib.sha256(data).hexdigest()[:12]

    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=2,
                            operation_timeout_in_ms=5000)
    with tf.Session(config=config) as session:
        session.run(tf.global_variables_initializer())
        for initializer in tf.get_collection("init"):
            session.run(initializer)
        found = ["%s %s" % (variable.name, checksum(np.asarray(session.run(variable)).tobytes()))
                 for variable in tf.global_variables()]
        if is_fetched(tf, value):
            coordinator = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(session, coordinator) if tf.get_collection("queue_runners") else []
            try:
                results = session.run(value)
                results = results if isinstance(results, (list, tuple)) else [results]
                found.append(checksum(b"".join(np.ascontiguousarray(result).tobytes() for result in results)))
            except (tf.errors.OpError, RuntimeError):
                pass
            coordinator.request_stop()
            for thread in threads:
                thread.join(1)
    return checksum("\n".join(found).encode()) if found else None


def is_fetched(tf, value):
    if isinstance(value, (list, tuple)):
        return len(value) > 0 and all(is_fetched(tf, part) for part in value)
    return isinstance(value, (tf.Tensor, tf.Variable))


def main(command, part=""):
    warnings.simplefilter("ignore")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if command == "write":
        import tensorflow as tf
        tf.logging.set_verbosity(tf.logging.ERROR)
        entries = collections.OrderedDict()
        for name, code in cases().items():
            try:
                entries[name] = run_case(tf, lambda graph: graph._last_id, name, code)
            except Exception as error:
                print("left out, it fails under 1.15.5: %s (%s)" % (name, str(error).splitlines()[0][:80]))
        with open(FIXTURE, "w") as file:
            json.dump(entries, file, indent=0)
        print("%d calls" % len(entries))
        return 0
    import tf1_autoencoders.tensorflow1 as tf
    from tf1_autoencoders.tensorflow1 import seeds
    with open(FIXTURE) as file:
        expected = json.load(file)
    n_equal = n_tried = 0
    for name, code in cases().items():
        if name in expected and part in name:
            n_tried += 1
            try:
                entry = run_case(tf, seeds.count, name, code)
            except Exception as error:
                entry = "%s: %s" % (type(error).__name__, str(error).splitlines()[0][:80])
            n_equal += entry == expected[name]
            if entry != expected[name]:
                print("%s\n    1.15.5: %s\n    here:   %s" % (name, expected[name], entry))
    print("%d of %d calls are equal" % (n_equal, n_tried))
    return 0 if n_equal == n_tried else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
