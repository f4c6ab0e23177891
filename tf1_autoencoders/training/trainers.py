"""The two trainers that go through the training loop: one for a graph, one for its Keras twin."""
from __future__ import annotations

import abc
import contextlib
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.checkpointing import saver as checkpoint
from tf1_autoencoders.graphs.graph_model import GraphModel
from tf1_autoencoders.keras_twin.weights import keras_weights, set_keras_weights
from tf1_autoencoders.training.loop import Progress
from tf1_autoencoders.training.session import TimedSession
from tf1_autoencoders.utils.epoch_means import (
    PREFIX,
    batch_sizes,
    epoch_mean,
    epoch_metrics,
    mean_of_running_means,
)
from tf1_autoencoders.utils.errors import UsageError
from tf1_autoencoders.utils.frameworks import keras, tf1

Metrics = Dict[str, float]
OnStep = Callable[[], bool]  # called after each step; True asks the training to stop


class Trainer(abc.ABC):
    """The contract of a trainer: a network, and the arrays that it learns from.

    | name                                       | meaning                                                            |
    |--------------------------------------------|--------------------------------------------------------------------|
    | model                                      | GraphModel, or compiled keras.Model                                |
    | batch_size                                 | rows of a training step                                            |
    | graph                                      | the tf1.Graph, or None                                             |
    | small_ops                                  | see GraphModel; False for a twin                                   |
    | seconds_in_run                             | seconds spent inside session.run so far, or None                   |
    | train(rows, measured, progress, on_step)   | one step on each batch of an epoch's rows, from progress.step on;  |
    |                                            | returns the mean metrics if measured, {} if not, None if stopped   |
    | evaluate(rows)                             | the mean metrics over the rows, without training                   |
    | first_batch(rows)                          | the features of one batch, without training                        |
    | predict(*arrays)                           | the outputs for other arrays, all rows in order                    |
    | layer(name)                                | (output shape, number of parameters) of a layer                    |
    | n_trainable(names)                         | number of the trainable parameters of layers                       |
    | input_shapes                               | shape of each input of the network, in the listing's order         |
    | save(folder, weights_only)                 | writes model.ckpt into a folder                                    |
    | restore(path, weights_only)                | restores a checkpoint; the training then continues bit-identically |
    """

    model: Any
    batch_size: int
    graph: Any = None
    small_ops: bool = False

    @property
    def seconds_in_run(self) -> Optional[float]:
        return None

    @abc.abstractmethod
    def train(self, rows: np.ndarray, measured: bool, progress: Progress, on_step: OnStep) -> Optional[Metrics]:
        ...

    @abc.abstractmethod
    def evaluate(self, rows: np.ndarray) -> Metrics:
        ...

    @abc.abstractmethod
    def first_batch(self, rows: np.ndarray) -> Any:
        ...

    @abc.abstractmethod
    def predict(self, *arrays: np.ndarray, batch_size: int = 1000) -> np.ndarray:
        ...

    @abc.abstractmethod
    def layer(self, name: str) -> Tuple[Tuple[Optional[int], ...], int]:
        ...

    @abc.abstractmethod
    def n_trainable(self, names: Sequence[str]) -> int:
        ...

    @property
    @abc.abstractmethod
    def input_shapes(self) -> List[Tuple[Optional[int], ...]]:
        ...

    @abc.abstractmethod
    def save(self, folder: Path, weights_only: bool = False) -> None:
        ...

    @abc.abstractmethod
    def restore(self, path: Path, weights_only: bool = False) -> None:
        ...


class GraphTrainer(Trainer):
    """Trains a GraphModel in a session.

    Args:
        session: TimedSession. The model's variables have their values, or get them before the first use.
        model: GraphModel.
        arrays: one array [n, ...] for each of model.pipeline.data.
        batch_size: rows of a step.
    """

    def __init__(self, session: TimedSession, model: GraphModel, arrays: Sequence[np.ndarray],
                 batch_size: int) -> None:
        self.session, self.model, self.batch_size = session, model, batch_size
        self.graph, self.small_ops = model.graph, model.small_ops
        self.pipeline_feeds: Dict[Any, Any] = {}  # what its initializer is fed with beside the arrays and the order
        model.graph.finalize()  # nothing is added to the graph from here on, however long the training
        self._load(arrays, batch_size)

    @property
    def seconds_in_run(self) -> float:
        return self.session.seconds_in_run

    def _load(self, arrays: Sequence[np.ndarray], batch_size: int, first: int = 0) -> None:
        """Copy the arrays into the graph; a repeating pipeline gives the row `first` next."""
        self.arrays, self._position, pipeline = arrays, first, self.model.pipeline
        feeds = dict(zip(pipeline.data, arrays))
        if pipeline.order is None:
            feeds = {data: np.roll(array, -first, axis=0) for data, array in feeds.items()} if first else feeds
            feeds.update({pipeline.batch_size: batch_size, **self.pipeline_feeds})
        self.session.run(pipeline.load, feeds)

    def feed_row_order(self, rows: np.ndarray, batch_size: Optional[int] = None) -> List[int]:
        """Make the pipeline give these rows next; return the sizes of their batches.

        Raises:
            ValueError: a repeating pipeline cannot give these rows, because they are not consecutive whole batches.
        """
        pipeline, n, batch_size = self.model.pipeline, len(rows), batch_size or self.batch_size
        if pipeline.order is not None:
            self.session.run(pipeline.start, {pipeline.order: rows, pipeline.batch_size: batch_size,
                                              **self.pipeline_feeds})
        else:  # the repeating pipeline advances by itself; reload it only if other rows are requested
            n_rows = len(self.arrays[0])
            if n % batch_size or rows[-1] != (rows[0] + n - 1) % n_rows:
                raise ValueError(f"repeated batches: rows {rows[0]} to {rows[-1]} are not {n} consecutive rows")
            if rows[0] != self._position:
                self._load(self.arrays, batch_size, rows[0])
            self._position = (rows[0] + n) % n_rows
        return batch_sizes(n, batch_size)

    def train(self, rows: np.ndarray, measured: bool, progress: Progress, on_step: OnStep) -> Optional[Metrics]:
        sizes = batch_sizes(len(rows), self.batch_size)
        if progress.step < len(sizes):
            self.feed_row_order(rows[progress.step * self.batch_size:])
        step = self.prepare_step(measured)
        while progress.step < len(sizes):
            values = step()
            if measured:
                progress.batch_metrics.append({name: float(value) for name, value in values.items()})
            progress.advance_step()
            if on_step() and progress.step < len(sizes):
                return None
        return epoch_metrics(progress.batch_metrics, sizes) if measured else {}

    def prepare_step(self, measured: bool) -> Callable[[], Metrics]:
        """Return a function that makes one step of training and returns the batch's metrics, {} if not measured."""
        if not measured:
            step = self.session.callable(self.model.train_op)
            return lambda: step() or {}
        measured_step = self.session.callable([self.model.metrics, self.model.train_op])
        return lambda: measured_step()[0]

    def evaluate(self, rows: np.ndarray) -> Metrics:
        sizes = self.feed_row_order(rows)
        evaluate = self.session.callable(self.model.metrics)
        batches = [evaluate() for _ in sizes]
        return {name: epoch_mean([float(batch[name]) for batch in batches], sizes) for name in batches[0]}

    def first_batch(self, rows: np.ndarray) -> Any:
        self.feed_row_order(rows)
        return self.session.run(self.model.features)

    def predict(self, *arrays: np.ndarray, batch_size: int = 1000, fetch: Any = None) -> np.ndarray:
        """Return the outputs, or the tensor to fetch, for other arrays [n, ...], which replace those in the graph."""
        n, fetch = len(arrays[0]), self.model.outputs if fetch is None else fetch
        self._load(arrays, batch_size)
        if self.model.pipeline.order is not None:
            self.feed_row_order(np.arange(n), batch_size)
        self._position = -1  # no row: the next training loads its arrays again
        return np.concatenate([self.session.run(fetch) for _ in range(0, n, batch_size)])[:n]

    def layer(self, name: str) -> Tuple[Tuple[Optional[int], ...], int]:
        variables = [variable for variable in self.model.weights if variable.op.name.startswith(name + "/")]
        shape: Tuple[Optional[int], ...] = ()
        if name in self.model.tensors:  # an LSTM, whose operations lie deeper in its scope
            shape = tuple(self.model.tensors[name].shape.as_list())
        for ending in ("/DepthToSpace", "/BiasAdd", ""):  # fused.conv2d_of_upsampled; before the activation; a pooling
            with contextlib.suppress(KeyError):
                shape = tuple(self.graph.get_operation_by_name(name + ending).outputs[0].shape.as_list())
                break
        return shape, sum(variable.shape.num_elements() for variable in variables)

    def n_trainable(self, names: Sequence[str]) -> int:
        return sum(variable.shape.num_elements() for variable in self.graph.get_collection(
            tf1.GraphKeys.TRAINABLE_VARIABLES) if variable.op.name.startswith(tuple(f"{name}/" for name in names)))

    @property
    def input_shapes(self) -> List[Tuple[Optional[int], ...]]:
        features = self.model.features
        return [tuple(tensor.shape.as_list()) for tensor in (features if isinstance(features, tuple) else [features])]

    def save(self, folder: Path, weights_only: bool = False) -> None:
        checkpoint.save(self.session, self.model.weights_saver if weights_only else self.model.saver, folder)

    def restore(self, path: Path, weights_only: bool = False) -> None:
        model = self.model
        saver, variables = (model.weights_saver, model.weights) if weights_only else (model.saver, model.variables)
        checkpoint.restore(self.session, saver, variables, path)


class KerasTrainer(Trainer):
    """Trains a compiled Keras model with fit and evaluate, one epoch a call.

    Args:
        model: compiled keras.Model.
        arrays: the arrays that a GraphTrainer would get.
        batch_size: rows of a step.
        inputs_and_targets: function of the arrays' rows of a batch that returns x and y as Keras's fit takes them.
        graph_metrics: function of (model, Keras's values by name) that returns the graph's metrics.
    """

    def __init__(self, model: Any, arrays: Sequence[np.ndarray], batch_size: int, *,
                 inputs_and_targets: Callable[[Sequence[np.ndarray]], Tuple[Any, Any]],
                 graph_metrics: Callable[[Any, Metrics], Metrics]) -> None:
        self.model, self.arrays, self.batch_size = model, arrays, batch_size
        self._inputs_and_targets_of, self._graph_metrics = inputs_and_targets, graph_metrics

    def _inputs_and_targets(self, rows: np.ndarray) -> Tuple[Any, Any]:
        return self._inputs_and_targets_of([array[rows] for array in self.arrays])

    def _metrics(self, values: Metrics) -> Metrics:
        return self._graph_metrics(self.model, values)

    def train(self, rows: np.ndarray, measured: bool, progress: Progress, on_step: OnStep) -> Optional[Metrics]:
        x, y = self._inputs_and_targets(rows[progress.step * self.batch_size:])
        model, n_steps, stopped = self.model, len(batch_sizes(len(rows), self.batch_size)), []
        state: Dict[str, Any] = progress.batch_metrics[0] if progress.batch_metrics else {}
        running_means: List[Metrics] = state.get("running_means", [])
        if state:
            self.evaluate(rows[:1])  # Keras makes the variables of its metrics at their first use

        def begin_epoch(epoch: int, logs: Any) -> None:
            for variable, value in zip(model.metrics_variables, state.get("metrics_variables", ())):
                variable.assign(value)

        def end_step(batch: int, logs: Metrics) -> None:
            running_means.append({name: float(value) for name, value in logs.items()})
            progress.advance_step()
            if on_step() and progress.step < n_steps:
                model.stop_training = True
                stopped.append(True)
        callback = keras.callbacks.LambdaCallback(on_epoch_begin=begin_epoch, on_train_batch_end=end_step)
        history = model.fit(x, y, batch_size=self.batch_size, shuffle=False, verbose=0, callbacks=[callback]).history
        if stopped:
            progress.batch_metrics = [{
                "metrics_variables": [np.asarray(variable).tolist() for variable in model.metrics_variables],
                "running_means": running_means}]
            return None
        if not measured:
            return {}
        names = sorted(history, key="loss".__ne__)  # loss first
        shown = self._metrics({name: mean_of_running_means([means[name] for means in running_means])
                               for name in names})
        return {**{PREFIX + name: value for name, value in shown.items()},
                **self._metrics({name: history[name][0] for name in names})}

    def evaluate(self, rows: np.ndarray) -> Metrics:
        x, y = self._inputs_and_targets(rows)
        values = np.atleast_1d(self.model.evaluate(x, y, batch_size=self.batch_size, verbose=0)).tolist()
        return self._metrics(dict(zip(("loss", "acc"), values)))

    def first_batch(self, rows: np.ndarray) -> Any:
        return np.asarray(self._inputs_and_targets(rows)[0])

    def predict(self, *arrays: np.ndarray, batch_size: int = 1000) -> np.ndarray:
        x, _ = self._inputs_and_targets_of(arrays)
        return self.model.predict(x, batch_size=batch_size, verbose=0)

    def layer(self, name: str) -> Tuple[Tuple[Optional[int], ...], int]:
        layer = self.model.get_layer(name)
        output = layer.output[0] if isinstance(layer.output, (list, tuple)) else layer.output
        return tuple(output.shape), layer.count_params()

    def n_trainable(self, names: Sequence[str]) -> int:
        return sum(int(np.prod(weight.shape)) for name in names
                   for weight in self.model.get_layer(name).trainable_weights)

    @property
    def input_shapes(self) -> List[Tuple[Optional[int], ...]]:
        return [tuple(tensor.shape) for tensor in self.model.inputs]

    def _state(self) -> Dict[str, Any]:
        """The variables that a resumed training needs, in Keras's own layout: {name in the checkpoint: variable}."""
        self.model.optimizer.build(self.model.trainable_variables)
        variables = [*self.model.weights, *self.model.optimizer.variables]
        return {f"keras/{number:03}/{variable.name}": variable for number, variable in enumerate(variables)}

    def save(self, folder: Path, weights_only: bool = False) -> None:
        """Write the weights as a TensorFlow 1 checkpoint, with the state to resume from unless weights_only."""
        values = keras_weights(self.model)
        if not weights_only:
            values.update((name, np.asarray(variable)) for name, variable in self._state().items())
        checkpoint.save_arrays(values, folder)

    def restore(self, path: Path, weights_only: bool = False) -> None:
        if weights_only:
            shapes = {name: array.shape for name, array in keras_weights(self.model).items()}
            set_keras_weights(self.model, checkpoint.read_arrays(path, shapes))
            return
        state = self._state()
        for name, array in checkpoint.read_arrays(path, {name: v.shape for name, v in state.items()}).items():
            state[name].assign(array)


def set_keras_threads(threads: int) -> None:
    """Set the number of CPU threads that TensorFlow uses for Keras; 0 leaves the number to TensorFlow.

    Raises:
        UsageError: TensorFlow has already started in this process with another number.
    """
    threading = tf1.config.threading
    try:
        if threads:
            threading.set_intra_op_parallelism_threads(threads)
            threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:
        raise UsageError(f"--threads {threads}: TensorFlow already runs in this process with another number of threads "
                         "for Keras; leave the option out") from error
