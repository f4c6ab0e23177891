"""The contract of a section, asserted over all sections."""
import dataclasses
import inspect

import numpy as np
import pytest

from tests import small_sections as small
from tf1_autoencoders.reporting import published
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.utils.cli import SettingOption
from tf1_autoencoders.utils.frameworks import keras

ATTRIBUTES = [name for name in Section.__annotations__ if not name.startswith("__")]
FUNCTIONS = [name for name, member in vars(Section).items() if inspect.isfunction(member) and not name.startswith("_")]
EVERY_SECTION = pytest.mark.parametrize("section", SECTIONS.values(), ids=lambda section: f"section {section.NUMBER}")


def test_the_contract_has_attributes_and_functions():
    assert len(ATTRIBUTES) == 17 and len(FUNCTIONS) == 14
    for name in (*ATTRIBUTES, *FUNCTIONS):
        assert name in Section.__doc__, name


@EVERY_SECTION
def test_a_section_defines_every_attribute(section):
    for name in ATTRIBUTES:
        assert hasattr(section, name), name


@EVERY_SECTION
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_section_defines_every_function_with_the_same_first_arguments(section, name):
    if name == "with_options" and section.with_options is dataclasses.replace:
        return
    promised = [parameter for parameter in inspect.signature(getattr(Section, name)).parameters.values()
                if parameter.name != "self"]
    defined = list(inspect.signature(getattr(section, name)).parameters.values())
    required = [parameter.name for parameter in promised if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    assert [parameter.name for parameter in defined][:len(required)] == required
    assert all(parameter.default is not parameter.empty or parameter.kind is parameter.VAR_KEYWORD
               for parameter in defined[len(required):])


@EVERY_SECTION
def test_a_section_is_consistent(section):
    assert SECTIONS[section.NUMBER] is section and section.PUBLISHED is published.METRICS[section.NUMBER]
    assert dataclasses.is_dataclass(section.Settings) and section.Settings.__dataclass_params__.frozen
    assert set(section.PRESETS) == set(section.PRESET_HELP) and section.PRESETS["report"] == section.Settings()
    assert set(section.CROSSCHECK_TOLERANCES) == {"exact", "Keras"}
    names = {field.name for field in dataclasses.fields(section.Settings)}
    assert {"batch_size", "n_epochs", "learning_rate", "seed"} <= names
    for option in section.OPTIONS:
        assert isinstance(option, SettingOption) and option.setting in names, option.flag
    assert set(inspect.signature(section.build_keras).parameters) >= {"make_optimizer", *section.EXACT_LAYERS}


TUNED = dict(cosine_decay=True, pixel_center=127.5, pixel_scale=1 / 255)  # section 2's loss then scales the pixels


@pytest.mark.parametrize("number, more", [(1, {}), (2, {}), (2, TUNED), (3, {}), (4, {})])
def test_a_keras_twin_can_be_saved_loaded_and_trained_further(tmp_path, monkeypatch, number, more):
    small.shrink(monkeypatch.setattr, monkeypatch.setitem)
    section, settings = SECTIONS[number], dataclasses.replace(SECTIONS[number].PRESETS["report"], **more)
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
