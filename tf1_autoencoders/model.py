"""GraphModel: what a built graph promises to the loop, the checkpoints and the cross-checks."""
from __future__ import annotations

from typing import Any, Dict, NamedTuple, Tuple


class GraphModel(NamedTuple):
    """The tensors and operations of one section's graph that code outside the section may touch.

    | field         | dtype[shape]                | meaning                                                     |
    |---------------|-----------------------------|-------------------------------------------------------------|
    | graph         | tf1.Graph                   | holds everything below and nothing of another model         |
    | data          | placeholders [n, ...]       | the arrays of the input pipeline, fed to data_initializer   |
    | batch_size    | int64[] placeholder         | rows a batch, fed to data_initializer                       |
    | data_initializer | operation                | starts the pipeline at row 0 of the arrays fed with it      |
    | features      | float32[batch, ...]         | the batch that the next session.run takes from the pipeline |
    | outputs       | float32[batch, ...]         | the network's answer to `features`                          |
    | loss          | float32[]                   | what train_op minimises                                     |
    | metrics       | {name: float32[]}           | what is printed, of the batch at hand                       |
    | train_op      | operation                   | one step of the optimiser on one batch                      |
    | weights       | trainable variables         | in the order in which they were made                        |
    | initializer   | operation                   | gives every variable its first value                        |
    | saver         | tf1.train.Saver             | weights, the optimiser's slots and counters                 |
    | weights_saver | tf1.train.Saver             | weights only                                                |
    """

    graph: Any
    data: Tuple[Any, ...]
    batch_size: Any
    data_initializer: Any
    features: Any
    outputs: Any
    loss: Any
    metrics: Dict[str, Any]
    train_op: Any
    weights: Tuple[Any, ...]
    initializer: Any
    saver: Any
    weights_saver: Any
