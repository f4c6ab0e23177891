"""GraphModel: the contract between a section's graph and the code that trains, saves and compares this graph."""
from __future__ import annotations

from typing import Any, Dict, NamedTuple, Tuple

from tf1_autoencoders.graphs import strategy
from tf1_autoencoders.graphs.input_pipeline import Pipeline
from tf1_autoencoders.utils.frameworks import tf1


class GraphModel(NamedTuple):
    """The tensors and operations of one section's graph that code outside the section may use.

    | field         | dtype[shape]          | meaning                                                                |
    |---------------|-----------------------|------------------------------------------------------------------------|
    | graph         | tf1.Graph             | holds all of the following, and nothing of another model               |
    | pipeline      | Pipeline              | source of the batches                                                  |
    | features      | float32[batch, ...]   | the network's input, from the batch that session.run takes next        |
    | outputs       | float32[batch, ...]   | the network's output                                                   |
    | loss          | float32[]             | the value that train_op minimises                                      |
    | metrics       | {name: float32[]}     | the printed values; each is a mean over the current batch              |
    | train_op      | operation             | one step of the optimiser on one batch                                 |
    | weights       | trainable variables   | in the order in which they were created                                |
    | variables     | all variables         | the weights, the optimiser's slots and counters                        |
    | initializer   | operation             | gives every variable its initial value                                 |
    | saver         | tf1.train.Saver       | saves the weights, the optimiser's slots and counters                  |
    | weights_saver | tf1.train.Saver       | saves the weights only                                                 |
    | tensors       | {name: tensor}        | for the section's own functions; its build_graph documents them        |
    | small_ops     | bool                  | True if the operations are too small to be divided among threads       |
    """

    graph: Any
    pipeline: Pipeline
    features: Any
    outputs: Any
    loss: Any
    metrics: Dict[str, Any]
    train_op: Any
    weights: Tuple[Any, ...]
    variables: Tuple[Any, ...]
    initializer: Any
    saver: Any
    weights_saver: Any
    tensors: Dict[str, Any]
    small_ops: bool


def finish_graph(pipeline: Pipeline, features: Any, outputs: Any, loss: Any, metrics: Dict[str, Any], train_op: Any,
                 small_ops: bool = False, **tensors: Any) -> GraphModel:
    """Return the GraphModel of the default graph; call this after all variables are created.

    Args:
        pipeline, features, outputs, loss, metrics, train_op, small_ops: see GraphModel.
        tensors: the section's own tensors, which become GraphModel.tensors.
    """
    weights = tuple(tf1.trainable_variables())
    return GraphModel(
        graph=tf1.get_default_graph(), pipeline=pipeline, features=features, outputs=outputs, loss=loss,
        metrics=strategy.current().whole_batch_metrics(metrics), train_op=train_op, weights=weights,
        variables=tuple(tf1.global_variables()),
        initializer=tf1.global_variables_initializer(),
        saver=tf1.train.Saver(save_relative_paths=True),
        weights_saver=tf1.train.Saver(weights, save_relative_paths=True),
        tensors={**tensors, **strategy.current().tensors()}, small_ops=small_ops)
