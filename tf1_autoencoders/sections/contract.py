"""What each section's file defines: a Section, which the commands use without knowing which section it is."""
from __future__ import annotations

import dataclasses
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.reporting import baselines
from tf1_autoencoders.reporting.published import ReportedSection

N_JUDGED = 1000  # training rows on which a trained network is compared with a constant answer

# Largest relative differences of a step. The tolerance of Keras's own Adam follows from 1 - beta_2 ** t, whose rounding
# of 6e-8 is 6e-5 of its smallest value 0.001. The section's file says what was measured.
TOLERANCES = {"exact": {"outputs": 2e-6, "gradients": 2e-6, "bias gradients": 2e-6, "losses": 1e-6, "weights": 1e-6},
              "Keras": {"weights": 6e-5}}

# What a settings.json may say, from the lowest to the highest value; the widths bound the memory of a network.
WIDTH, COUNT, FACTOR, FRACTION = (1, 4096), (0, 1_000_000), (0.0, 1000.0), (0.0, 1.0)
KERNELS = ("fused", "plain")
BOUNDS_OF_ALL: Dict[str, Any] = {
    "learning_rate": FACTOR, "adam_epsilon": FRACTION, "decay_steps": (1, 10 ** 9), "batch_size": (1, 1_000_000),
    "n_epochs": (1, 1_000_000), "patience": COUNT, "pretrain_epochs": COUNT, "validation_split": (0.001, 0.999),
    "seed": (0, 2 ** 32), "kernels": KERNELS}


def _training_arrays(data: Mapping[str, Any], settings: Any) -> Tuple[np.ndarray, ...]:
    return data["train"]


def _first_and_last(arrays: Sequence[np.ndarray], settings: Any) -> Tuple[Any, Any]:
    return arrays[0], arrays[-1]


def _same_metrics(settings: Any, keras_model: Any, values: Dict[str, float]) -> Dict[str, float]:
    return values


def _named_from_1(settings: Any, epoch: int, metrics: Dict[str, float]) -> Dict[str, float]:
    return {f"epoch {epoch + 1} {name}": value for name, value in metrics.items()}


def _error_against_the_mean_image(trainer: Any, settings: Any) -> baselines.FinalError:
    arrays = rows_to_judge(trainer)
    return baselines.error_against_the_mean_image(trainer.predict(*arrays), arrays[-1])


def rows_to_judge(trainer: Any) -> Tuple[np.ndarray, ...]:
    """Return copies of the first N_JUDGED rows of the arrays that a trainer has."""
    return tuple(array[:N_JUDGED].copy() for array in trainer.arrays)  # copies do not hold the whole arrays


def _nothing_more(*_: Any, **__: Any) -> Dict[str, float]:
    return {}


def _unit_rows(rows: np.ndarray) -> Tuple[np.ndarray, ...]:
    return (rows / np.float32(255),)


@dataclasses.dataclass(frozen=True)
class Section(ReportedSection):
    """A section of the report. A field with a default has the value that most sections share.

    What the report prints, and what the section's Settings are:

    | field                 | meaning                                                                              |
    |-----------------------|--------------------------------------------------------------------------------------|
    | number, title, about, | see ReportedSection                                                                  |
    | published,            |                                                                                      |
    | verdict_note          |                                                                                      |
    | file                  | path of the section's file                                                           |
    | settings_class        | frozen dataclass of everything that a run's result depends on                        |
    | presets, preset_help  | {name: settings}, {name: one line}; `report` is the published run                    |
    | options               | utils.cli.SettingOption of each option of run_all that only this section has         |
    | network_settings      | names of the settings that decide which checkpoints fit the network                  |
    | former_names          | {setting: its name in settings.json of older checkpoints, None if they lack it}      |
    | export_overrides      | settings to change so that the graph has standard operations only                    |
    | bfloat16_overrides    | settings to change so that the graph's products can be bfloat16                      |
    | check_settings        | (settings, n_rows) -> settings that fit the data, complete                           |
    | with_options          | (settings, **changes) -> settings with a user's choices                              |

    The data:

    | field                 | meaning                                                                              |
    |-----------------------|--------------------------------------------------------------------------------------|
    | data_plan             | (settings, **data_options) -> (where the data comes from, n_rows), without reading   |
    | load                  | (settings, **data_options) -> ({"train": arrays, "test": arrays}, datasets.Source)   |
    | training_arrays       | (data, settings) -> the arrays that the graph's pipeline is fed with: data["train"]  |
    | inputs_and_targets    | (arrays, settings) -> x and y as Keras's fit takes them: first and last array        |

    The network:

    | field                 | meaning                                                                              |
    |-----------------------|--------------------------------------------------------------------------------------|
    | build_graph           | (settings) -> GraphModel                                                             |
    | build_keras           | (settings, make_optimizer, ...) -> compiled keras.Model                              |
    | keras_metrics         | (settings, keras_model, values) -> the graph's metrics from Keras's values: the same |
    | signatures            | (model) -> {function: (inputs, outputs)} that an exported model offers               |
    | further_crosschecks   | {name: settings} that `crosscheck` compares after the preset report                  |
    | crosscheck_tolerances | {optimiser: {quantity: largest relative difference}}                                 |
    | exact_layers          | arguments of build_keras with which the twin rounds as the graph does                |

    The training, and what is shown of it:

    | field                 | meaning                                                                              |
    |-----------------------|--------------------------------------------------------------------------------------|
    | fit_arguments         | (settings, n_rows) -> arguments of training.loop.fit: the order of rows, ...         |
    | named_metrics         | (settings, epoch, metrics) -> {name as in published: value}; epochs count from 1     |
    | threads               | CPU threads of the graph; 0 leaves the number to TensorFlow                          |
    | save_every            | epochs from one checkpoint to the next                                               |
    | pays_with_workers     | whether several workers on one machine train it as fast as one process does          |
    | minutes, memory_gb    | time and peak memory of the preset report, as measured (see sections.plan)           |
    | experiment            | (run) -> None: the section's story, told by a sections.run.Run                       |
    | final_error           | (trainer, settings) -> baselines.FinalError on training rows, which says whether the |
    |                       | network has collapsed: MSE of the outputs for the last array against the mean image  |
    | further_numbers       | (trainer, settings, data, named, backend) -> {name: value} that `spread` adds to     |
    |                       | `named`, the metrics of all epochs                                                   |

    What `evaluate` does with the trained network (see sections.evaluation):

    | field                 | meaning                                                                              |
    |-----------------------|--------------------------------------------------------------------------------------|
    | evaluate              | (asked, **options) -> Answer for one image, or whatever the section takes            |
    | evaluate_options      | utils.cli.SettingOption of each option of evaluate that only this section has        |
    | test_images           | (**data_options) -> (grey levels [n, pixels], Source); None: it takes no images      |
    | picture               | arguments of datasets.picture_file.read_picture, for a picture of the user's own     |
    | evaluation_arrays     | (grey levels, **options) -> arrays for predict; the outputs are compared with the    |
    |                       | last of them                                                                         |
    | highest               | the value of white in these arrays                                                   |
    | further_evaluation    | (asked, is_sample, trained, arrays, outputs, **options) -> (values, lines) that      |
    |                       | `evaluate --all` adds; None for nothing                                              |
    """

    file: str
    settings_class: Any
    presets: Dict[str, Any]
    preset_help: Dict[str, str]
    network_settings: Sequence[str]
    check_settings: Callable[[Any, int], Any]
    data_plan: Callable[..., Tuple[str, int]]
    load: Callable[..., Tuple[Dict[str, Any], Any]]
    build_graph: Callable[[Any], Any]
    build_keras: Callable[..., Any]
    signatures: Callable[[Any], Dict[str, Tuple[Dict[str, Any], Dict[str, Any]]]]
    fit_arguments: Callable[[Any, int], Dict[str, Any]]
    minutes: float
    memory_gb: float
    experiment: Callable[[Any], None]
    evaluate: Callable[..., Any]

    options: Sequence[Any] = ()
    former_names: Mapping[str, Optional[str]] = dataclasses.field(default_factory=dict)
    export_overrides: Mapping[str, Any] = dataclasses.field(default_factory=lambda: {"kernels": "plain"})
    bfloat16_overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    with_options: Callable[..., Any] = dataclasses.replace
    training_arrays: Callable[[Mapping[str, Any], Any], Tuple[np.ndarray, ...]] = _training_arrays
    inputs_and_targets: Callable[[Sequence[np.ndarray], Any], Tuple[Any, Any]] = _first_and_last
    keras_metrics: Callable[[Any, Any, Dict[str, float]], Dict[str, float]] = _same_metrics
    further_crosschecks: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    crosscheck_tolerances: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=lambda: TOLERANCES)
    exact_layers: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    named_metrics: Callable[[Any, int, Dict[str, float]], Dict[str, float]] = _named_from_1
    threads: int = 0
    save_every: int = 1
    final_error: Callable[[Any, Any], baselines.FinalError] = _error_against_the_mean_image
    further_numbers: Callable[..., Dict[str, float]] = _nothing_more
    pays_with_workers: bool = False
    evaluate_options: Sequence[Any] = ()
    test_images: Optional[Callable[..., Tuple[np.ndarray, Any]]] = None
    picture: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    evaluation_arrays: Callable[..., Tuple[np.ndarray, ...]] = _unit_rows
    highest: float = 1
    further_evaluation: Optional[Callable[..., Tuple[Dict[str, Any], Sequence[str]]]] = None


def with_decay_steps(settings: Any, n_steps: int) -> Any:
    """Return settings whose decay_steps is a number if the learning rate decays: n_steps, unless it is one already."""
    return dataclasses.replace(settings, decay_steps=settings.decay_steps or n_steps) if settings.cosine_decay \
        else settings
