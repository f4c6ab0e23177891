"""Matrix products alone, by TensorFlow: what a training step would cost if it were its arithmetic and nothing else."""
from __future__ import annotations

from benchmarks import tasks
from tf1_autoencoders.utils.frameworks import tf1

SIDE = 2048  # of the square product
LONG_ENOUGH = 1e9  # operations a session.run, beside which the run itself costs nothing


class Contestant:
    """The products of a section's step at its own shapes and batch, or one square product, over and over.

    Args:
        task: Task.
        square: one product [2048, 2048] @ [2048, 2048] instead.
    """

    def __init__(self, task, square=False):
        self.task = task
        stages = [[((SIDE, SIDE), (SIDE, SIDE), False, False)]] if square else _stages(task)
        flops = sum(2 * a[0] * a[1] * (b[0] if transpose_b else b[1])
                    for stage in stages for a, b, transpose_a, transpose_b in stage)
        repeats = max(1, round(LONG_ENOUGH / flops))
        with tf1.Graph().as_default() as graph:
            before = []
            for _ in range(repeats):
                for stage in stages:
                    with tf1.control_dependencies(before):
                        before = [_product(*product).op for product in stage]
            self.step = tf1.group(*before)
            config = tf1.ConfigProto(intra_op_parallelism_threads=task.threads,
                                     inter_op_parallelism_threads=task.threads)
            # TensorFlow drops a product that nobody reads, unless it is told to leave the graph as it is.
            config.graph_options.rewrite_options.disable_meta_optimizer = True
            config.graph_options.optimizer_options.opt_level = tf1.OptimizerOptions.L0
            self.session = tf1.Session(graph=graph, config=config)
            self.session.run(tf1.global_variables_initializer())
        wanted = tasks.flops_per_row(task.number, task.settings) * task.rows_per_epoch
        self.n_runs = max(1, round(wanted / (repeats * flops)))
        self.flops = self.n_runs * repeats * flops

    def fit(self, n_rows, n_epochs, lap):
        for epoch in range(n_epochs):
            for _ in range(self.n_runs if n_rows == self.task.rows_per_epoch else 1):
                self.session.run(self.step)
            if epoch % self.task.epochs_per_lap == 0:
                lap()

    def predict(self, n):
        return None

    def about(self):
        return {"TensorFlow": tf1.version.VERSION, "threads": self.task.threads or "TensorFlow's default"}


def _stages(task):
    """The products in the order in which a step needs them; those of a stage do not wait for each other."""
    layers = tasks.products(task.number, task.settings)
    sizes = [(task.batch_size * times, k, n, k_back) for times, k, n, k_back in layers]
    forward = [[((rows, k), (k, n), False, False)] for rows, k, n, _ in sizes]
    backward = [[((rows, k), (rows, n), True, False)] + [((rows, n), (k_back, n), False, True)] * bool(k_back)
                for rows, k, n, k_back in sizes[::-1]]
    return forward + backward


def _product(a, b, transpose_a, transpose_b):
    def operand(shape):  # a variable, since TensorFlow would compute a product of constants once and for all
        return tf1.get_variable(f"operand_{shape[0]}_{shape[1]}", shape, initializer=tf1.random_normal_initializer())
    with tf1.variable_scope("", reuse=tf1.AUTO_REUSE):
        return tf1.matmul(operand(a), operand(b), transpose_a=transpose_a, transpose_b=transpose_b)
