"""Matrix products alone, by TensorFlow: the time that a training step would take if it did nothing but multiply."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Tuple

from benchmarks import tasks
from tf1_autoencoders.utils.frameworks import tf1

Product = Tuple[Tuple[int, int], Tuple[int, int], bool, bool]  # shapes of a and b, transpose_a, transpose_b

SIDE = 2048  # rows and columns of the square product
OPERATIONS_PER_RUN = 1e9  # so many that the cost of session.run itself is negligible


class Implementation:
    """The matrix products of a section's step, at its own shapes and batch size, or one square product.

    Args:
        task: Task.
        square: True multiplies [2048, 2048] by [2048, 2048] instead.
        precision: type of the numbers, "float32" or "bfloat16".
    """

    def __init__(self, task: tasks.Task, square: bool = False, precision: str = "float32") -> None:
        self.task = task
        stages = [[((SIDE, SIDE), (SIDE, SIDE), False, False)]] if square else _stages(task)
        flops = sum(2 * a[0] * a[1] * (b[0] if transpose_b else b[1])
                    for stage in stages for a, b, transpose_a, transpose_b in stage)
        n_repeats = max(1, round(OPERATIONS_PER_RUN / flops))
        with tf1.Graph().as_default() as graph:
            previous: List[Any] = []
            for _ in range(n_repeats):
                for stage in stages:
                    with tf1.control_dependencies(previous):
                        previous = [_matmul(*product, precision).op for product in stage]
            self.step = tf1.group(*previous)
            config = tf1.ConfigProto(intra_op_parallelism_threads=task.threads,
                                     inter_op_parallelism_threads=task.threads)
            # TensorFlow removes a product that is not used, unless its optimisers are switched off.
            config.graph_options.rewrite_options.disable_meta_optimizer = True
            config.graph_options.optimizer_options.opt_level = tf1.OptimizerOptions.L0
            self.session = tf1.Session(graph=graph, config=config)
            self.session.run(tf1.global_variables_initializer())
        flops_per_epoch = tasks.flops_per_row(task.number, task.settings) * task.rows_per_epoch
        self.n_runs = max(1, round(flops_per_epoch / (n_repeats * flops)))
        self.flops = self.n_runs * n_repeats * flops

    def fit(self, n_rows: int, n_epochs: int, on_lap: Callable[[], None]) -> None:
        for epoch in range(n_epochs):
            for _ in range(self.n_runs if n_rows == self.task.rows_per_epoch else 1):
                self.session.run(self.step)
            if epoch % self.task.epochs_per_lap == 0:
                on_lap()

    def predict(self, n: int) -> None:
        return None

    def about(self) -> Dict[str, Any]:
        return {"TensorFlow": tf1.version.VERSION, "threads": self.task.threads or "TensorFlow's default"}


def _stages(task: tasks.Task) -> List[List[Product]]:
    """Return the products in the order in which a step needs them; the products of a stage are independent."""
    layers = tasks.matrix_products(task.number, task.settings)
    sizes = [(task.batch_size * n_rows, k, n, k_back) for n_rows, k, n, k_back in layers]
    forward: List[List[Product]] = [[((rows, k), (k, n), False, False)] for rows, k, n, _ in sizes]
    backward: List[List[Product]] = [
        [((rows, k), (rows, n), True, False)] + [((rows, n), (k_back, n), False, True)] * bool(k_back)
        for rows, k, n, k_back in sizes[::-1]]
    return forward + backward


def _matmul(a: Tuple[int, int], b: Tuple[int, int], transpose_a: bool, transpose_b: bool,
            precision: str) -> Any:
    """Multiply variables of these shapes; TensorFlow would compute a product of constants once and for all."""
    def operand(shape: Tuple[int, int]) -> Any:
        return tf1.get_variable(f"operand_{shape[0]}_{shape[1]}", shape, tf1.as_dtype(precision),
                                initializer=tf1.zeros_initializer())

    with tf1.variable_scope("", reuse=tf1.AUTO_REUSE):
        return tf1.matmul(operand(a), operand(b), transpose_a=transpose_a, transpose_b=transpose_b)
