"""The contract of a section, asserted over all sections."""
import dataclasses
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from tests import small_sections as small
from tests.conftest import slow
from tf1_autoencoders.reporting import published
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.sections.evaluation import Asked
from tf1_autoencoders.utils.cli import SettingOption
from tf1_autoencoders.utils.frameworks import keras

EVERY_SECTION = pytest.mark.parametrize("section", SECTIONS.values(), ids=lambda section: f"section {section.number}")


def test_the_contract_says_what_each_field_means():
    for field in dataclasses.fields(Section):
        assert re.search(rf"^    \| [a-z_, ]*\b{field.name}\b[a-z_, ]* +\|", Section.__doc__, re.MULTILINE), field.name


def test_a_section_cannot_be_made_without_a_part_nor_changed():
    with pytest.raises(TypeError, match="build_graph"):
        Section(**{field.name: getattr(SECTIONS[2], field.name) for field in dataclasses.fields(Section)
                   if field.name != "build_graph"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        SECTIONS[2].number = 3


@EVERY_SECTION
def test_a_section_is_consistent(section):
    assert SECTIONS[section.number] is section and section.published is published.METRICS[section.number]
    assert section.about.startswith(f"Section {section.number} of the report") and Path(section.file).is_file()
    assert dataclasses.is_dataclass(section.settings_class) and section.settings_class.__dataclass_params__.frozen
    assert set(section.presets) == set(section.preset_help) and section.presets["report"] == section.settings_class()
    assert set(section.crosscheck_tolerances) == {"exact", "Keras"}
    names = {field.name for field in dataclasses.fields(section.settings_class)}
    assert {"batch_size", "n_epochs", "learning_rate", "seed"} <= names
    assert names >= {*section.network_settings, *section.former_names, *section.export_overrides}
    for option in section.options:
        assert isinstance(option, SettingOption) and option.setting in names, option.flag
    assert set(inspect.signature(section.build_keras).parameters) >= {"make_optimizer", *section.exact_layers}
    assert (section.test_images is None) == (not section.picture)


@EVERY_SECTION
def test_the_functions_of_evaluate_take_the_sections_own_options(section):
    own = {option.setting: None for option in section.evaluate_options}
    inspect.signature(section.evaluate).bind(Asked(), **own)
    if section.test_images is not None:
        inspect.signature(section.evaluation_arrays).bind(np.zeros(1), **own)
    if section.further_evaluation is not None:
        inspect.signature(section.further_evaluation).bind(Asked(), False, None, (), np.zeros(1), **own)


TUNED = dict(cosine_decay=True, pixel_center=127.5, pixel_scale=1 / 255)  # section 2's loss then scales the pixels


@pytest.mark.parametrize("number, more", [(2, TUNED), slow(1, {}), slow(2, {}), slow(3, {}), slow(4, {})])
def test_a_keras_twin_can_be_saved_loaded_and_trained_further(tmp_path, monkeypatch, number, more):
    small.shrink(monkeypatch.setattr, monkeypatch.setitem)
    section, settings = SECTIONS[number], dataclasses.replace(SECTIONS[number].presets["report"], **more)
    arrays = section.training_arrays(section.load(settings)[0], settings)
    settings = section.check_settings(settings, len(arrays[0]))
    (first, first_targets), (second, second_targets) = (
        section.inputs_and_targets([array[k:k + settings.batch_size] for array in arrays], settings)
        for k in (0, settings.batch_size))
    twin = section.build_keras(settings)
    twin.train_on_batch(first, first_targets)
    twin.save(tmp_path / "twin.keras")
    loaded = keras.models.load_model(tmp_path / "twin.keras")
    np.testing.assert_array_equal(loaded.predict_on_batch(second), twin.predict_on_batch(second))
    for model in (twin, loaded):
        model.train_on_batch(second, second_targets)
    for weight, expected in zip(loaded.get_weights(), twin.get_weights()):
        np.testing.assert_array_equal(weight, expected)


def test_every_setting_has_bounds_that_hold_the_presets():
    for section in SECTIONS.values():
        for preset in section.presets.values():
            for field in dataclasses.fields(preset):
                value, bounds = getattr(preset, field.name), section.settings_class.BOUNDS.get(field.name)
                assert type(value) is bool or (value in bounds if isinstance(value, str) else value is None
                                               or bounds[0] <= value <= bounds[1]), (section.number, field.name)
