"""GraphModel: what a built graph promises to the loop, the checkpoints and the cross-checks."""
from __future__ import annotations

from typing import Any, Dict, NamedTuple, Tuple

from tf1_autoencoders.graphs.input_pipeline import Pipeline
from tf1_autoencoders.utils.frameworks import tf1


class GraphModel(NamedTuple):
    """The tensors and operations of one section's graph that code outside the section may touch.

    | field         | dtype[shape]          | meaning                                                                |
    |---------------|-----------------------|------------------------------------------------------------------------|
    | graph         | tf1.Graph             | holds everything below and nothing of another model                    |
    | pipeline      | pipeline.Pipeline     | where the batches come from                                            |
    | features      | float32[batch, ...]   | what the network sees of the batch that session.run takes next         |
    | outputs       | float32[batch, ...]   | its answer                                                             |
    | loss          | float32[]             | what train_op minimises                                                |
    | metrics       | {name: float32[]}     | what is printed, each a mean over the batch at hand                    |
    | train_op      | operation             | one step of the optimiser on one batch                                 |
    | weights       | trainable variables   | in the order in which they were made                                   |
    | variables     | all variables         | these, the optimiser's slots and counters                              |
    | initializer   | operation             | gives every variable its first value                                   |
    | saver         | tf1.train.Saver       | weights, the optimiser's slots and counters                            |
    | weights_saver | tf1.train.Saver       | weights only                                                           |
    | parts         | {name: tensor}        | what the section's own functions use; its build_graph says which       |
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
    parts: Dict[str, Any]


def complete(pipeline, features, outputs, loss, metrics, train_op, **parts):
    """The GraphModel of the default graph, once all of its variables are made."""
    weights = tuple(tf1.trainable_variables())
    return GraphModel(
        graph=tf1.get_default_graph(), pipeline=pipeline, features=features, outputs=outputs, loss=loss,
        metrics=metrics, train_op=train_op, weights=weights, variables=tuple(tf1.global_variables()),
        initializer=tf1.global_variables_initializer(),
        saver=tf1.train.Saver(save_relative_paths=True),
        weights_saver=tf1.train.Saver(weights, save_relative_paths=True), parts=parts)
