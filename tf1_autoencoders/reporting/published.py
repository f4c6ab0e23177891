"""What the report prints, and nothing else: what a section is in it; metrics, layer tables and examples by number."""
from __future__ import annotations

import dataclasses
from typing import Dict, List, NamedTuple, Optional, Tuple


@dataclasses.dataclass(frozen=True)
class ReportedSection:
    """What stands in the report about a section; sections.contract.Section adds what a run of it needs.

    | field         | meaning                                             |
    |---------------|-----------------------------------------------------|
    | number, title | its number and title in the report                  |
    | about         | docstring of the section's file                     |
    | published     | {name: value} of the numbers that the report prints |
    | verdict_note  | why the published numbers lie where they do         |
    """

    number: int
    title: str
    about: str
    published: Dict[str, float]
    verdict_note: str


def _by_epoch(metric: str, losses: str, val_losses: str) -> Dict[str, float]:
    metrics = {}
    for epoch, (value, val_value) in enumerate(zip(losses.split(), val_losses.split()), start=1):
        metrics[f"epoch {epoch} {metric}"], metrics[f"epoch {epoch} val_loss"] = float(value), float(val_value)
    return metrics


METRICS: Dict[int, Dict[str, float]] = {
    # MSE in squared units of 0..1: what Keras's progress bar showed for the epoch (utils.epoch_means), and the mean
    # over the validation images after the epoch.
    1: _by_epoch("progress_bar_loss",
               "0.1186 0.0629 0.0455 0.0390 0.0361 0.0327 0.0297 0.0272 0.0257 0.0245 "
               "0.0236 0.0227 0.0220 0.0217 0.0208 0.0211 0.0200 0.0197 0.0196 0.0190",
               "0.0670 0.0479 0.0396 0.0370 0.0334 0.0306 0.0279 0.0260 0.0247 0.0237 "
               "0.0230 0.0223 0.0222 0.0212 0.0206 0.0203 0.0200 0.0205 0.0192 0.0193"),
    # MSE of one batch in squared grey levels (0..255).
    2: {f"epoch {epoch} Train MSE": value for epoch, value in {
        0: 2804.4246, 10: 1579.918, 20: 1367.6409, 30: 1196.495, 40: 1134.7667, 50: 1229.7611, 60: 1338.7965,
        70: 1199.9559, 80: 1252.8225, 90: 1194.6837}.items()},
    # The mean over the epoch, since the network had been trained before; otherwise as in section 1.
    3: _by_epoch("loss",
               "0.0291 0.0256 0.0235 0.0221 0.0212 0.0205 0.0199 0.0196 0.0190 0.0186",
               "0.0273 0.0245 0.0229 0.0218 0.0211 0.0206 0.0199 0.0194 0.0190 0.0189"),
    # Categorical cross-entropy and accuracy, as Keras's progress bar showed them.
    4: {"epoch 1 progress_bar_loss": 1.4507, "epoch 1 progress_bar_acc": 0.5511}}


class Layer(NamedTuple):
    """A row of a summary: the layer, its (first) output's shape without the batch, its parameters, its inputs."""

    name: str
    shape: Tuple[Optional[int], ...]
    n_parameters: int
    connected_to: str = ""


_INPUT_1, _INPUT_2, _INPUT_3, _INPUT_4 = (
    Layer("input_1", (None, 51), 0), Layer("input_2", (None, 51), 0), Layer("input_3", (128,), 0),
    Layer("input_4", (128,), 0))

# {section: {model: rows}}; no parameter of any of them is non-trainable.
SUMMARIES: Dict[int, Dict[str, List[Layer]]] = {
    1: {"": [Layer(*row) for row in (
        ("input_1", (784,), 0), ("dense", (2000,), 1570000), ("dense_1", (1200,), 2401200), ("dense_2", (500,), 600500),
        ("dense_3", (10,), 5010), ("dense_4", (500,), 5500), ("dense_5", (1200,), 601200),
        ("dense_6", (2000,), 2402000), ("dense_7", (784,), 1568784))]},
    3: {"": [Layer(*row) for row in (
        ("input_1", (28, 28, 1), 0), ("conv2d", (28, 28, 64), 640), ("max_pooling2d", (14, 14, 64), 0),
        ("conv2d_1", (14, 14, 32), 18464), ("max_pooling2d_1", (7, 7, 32), 0), ("conv2d_2", (7, 7, 16), 4624),
        ("max_pooling2d_2", (4, 4, 16), 0), ("conv2d_3", (4, 4, 16), 2320), ("up_sampling2d", (8, 8, 16), 0),
        ("conv2d_4", (8, 8, 32), 4640), ("up_sampling2d_1", (16, 16, 32), 0), ("conv2d_5", (14, 14, 64), 18496),
        ("up_sampling2d_2", (28, 28, 64), 0), ("conv2d_6", (28, 28, 1), 577))]},
    4: {"encoder": [_INPUT_1, Layer("lstm", (128,), 92160, "input_1")],
        "decoder": [_INPUT_2, _INPUT_3, _INPUT_4,
                    Layer("lstm_1", (None, 128), 92160, "input_2, input_3, input_4"),
                    Layer("dense", (None, 51), 6579, "lstm_1")],
        "autoencoder": [_INPUT_1, _INPUT_2, Layer("lstm", (128,), 92160, "input_1"),
                        Layer("lstm_1", (None, 128), 92160, "input_2, h and c of lstm"),
                        Layer("dense", (None, 51), 6579, "lstm_1")]}}

# The five examples of section 4: input sequence, predicted sequence (each equal to its target).
EXAMPLES = [((14, 19, 20, 38, 27, 39), (20, 19, 14)), ((49, 44, 17, 5, 5, 20), (17, 44, 49)),
            ((1, 40, 7, 47, 27, 33), (7, 40, 1)), ((4, 43, 37, 19, 15, 45), (37, 43, 4)),
            ((35, 40, 18, 18, 37, 50), (18, 40, 35))]
