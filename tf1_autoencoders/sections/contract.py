"""What each section's file defines: the contract that the commands rely on, asserted over all sections by a test."""
from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

try:
    from typing import Protocol
except ImportError:  # Python 3.7, under which only the names matter
    Protocol = object  # type: ignore[assignment]


class Section(Protocol):
    """A section of the report, as a module.

    | name                          | meaning                                                                      |
    |-------------------------------|------------------------------------------------------------------------------|
    | NUMBER, TITLE                 | its number and title in the report                                           |
    | PUBLISHED                     | {name: value} of the numbers that the report prints                          |
    | VERDICT_NOTE                  | why the published numbers lie where they do                                  |
    | Settings                      | frozen dataclass of everything that a run's result depends on                |
    | PRESETS, PRESET_HELP          | {name: Settings}, {name: one line}; `report` is the published run            |
    | OPTIONS                       | utils.cli.SettingOption of each command-line option that only it has         |
    | SAVE_EVERY                    | epochs from one checkpoint to the next                                       |
    | THREADS                       | CPU threads of the graph; 0 leaves the number to TensorFlow                  |
    | CROSSCHECK_PRESETS            | {name: Settings} that `crosscheck` compares                                  |
    | CROSSCHECK_TOLERANCES         | {optimiser: {quantity: largest relative difference}}                         |
    | EXACT_LAYERS                  | arguments of build_keras with which the twin rounds as the graph does        |
    | MINUTES, MEMORY_GB            | time and peak memory of the preset report, as measured                       |
    | data_plan                     | (settings, **data_options) -> (where the data comes from, n_rows), no reading |
    | FORMER_NAMES                  | {setting: its name in settings.json of older checkpoints, None if missing}   |
    | EXPORT_SETTINGS               | settings with which the graph has only common operations                     |
    | load                          | (settings, **data_options) -> ({"train": arrays, "test": arrays}, Source)    |
    | training_arrays               | (data, settings) -> the arrays that the graph's pipeline is fed with         |
    | with_options                  | (settings, **changes) -> Settings with a user's choices                      |
    | check_settings                | (settings, n_rows) -> Settings that fit the data, complete                   |
    | build_graph                   | (settings) -> GraphModel                                                     |
    | build_keras                   | (settings, make_optimizer, ...) -> compiled keras.Model                      |
    | inputs_and_targets            | (arrays, settings) -> x and y as Keras's fit takes them                      |
    | signatures                    | (model) -> {function: (inputs, outputs)} that an exported model offers       |
    | keras_metrics                 | (settings, keras_model, values) -> the graph's metrics from Keras's values   |
    | fit_arguments                 | (settings, n_rows) -> arguments of training.loop.fit: the order of rows, ... |
    | named_metrics                 | (settings, epoch, metrics) -> {name as in PUBLISHED: value}                  |
    | run                           | (settings, options) -> Run: the whole section                                |
    | measure                       | (settings, data, backend) -> {name: value} of one training, for `spread`     |
    """

    __doc__: Optional[str]
    __file__: Optional[str]
    NUMBER: int
    TITLE: str
    PUBLISHED: Dict[str, float]
    VERDICT_NOTE: str
    Settings: Any
    PRESETS: Dict[str, Any]
    PRESET_HELP: Dict[str, str]
    OPTIONS: Sequence[Any]
    SAVE_EVERY: int
    THREADS: int
    CROSSCHECK_PRESETS: Dict[str, Any]
    CROSSCHECK_TOLERANCES: Dict[str, Dict[str, float]]
    EXACT_LAYERS: Dict[str, Any]
    MINUTES: float
    MEMORY_GB: float
    EXPORT_SETTINGS: Dict[str, Any]
    FORMER_NAMES: Dict[str, Optional[str]]

    def data_plan(self, settings: Any, **data_options: Any) -> Tuple[str, int]: ...

    def load(self, settings: Any, **data_options: Any) -> Tuple[Dict[str, Any], Any]: ...

    def training_arrays(self, data: Mapping[str, Any], settings: Any) -> Tuple[Any, ...]: ...

    def with_options(self, settings: Any, **changes: Any) -> Any: ...

    def check_settings(self, settings: Any, n_rows: int) -> Any: ...

    def build_graph(self, settings: Any) -> Any: ...

    def build_keras(self, settings: Any, make_optimizer: Any = ...) -> Any: ...

    def inputs_and_targets(self, arrays: Sequence[Any], settings: Any) -> Tuple[Any, Any]: ...

    def signatures(self, model: Any) -> Dict[str, Tuple[Dict[str, Any], Dict[str, Any]]]: ...

    def keras_metrics(self, settings: Any, keras_model: Any, values: Dict[str, float]) -> Dict[str, float]: ...

    def fit_arguments(self, settings: Any, n_rows: int) -> Dict[str, Any]: ...

    def named_metrics(self, settings: Any, epoch: int, metrics: Dict[str, float]) -> Dict[str, float]: ...

    def run(self, settings: Any, options: Any) -> Any: ...

    def measure(self, settings: Any, data: Mapping[str, Any], backend: str = ...) -> Dict[str, float]: ...
