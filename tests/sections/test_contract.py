"""The contract of a section, asserted over all sections."""
import dataclasses
import inspect

import pytest

from tf1_autoencoders.reporting import published
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.utils.cli import SettingOption

ATTRIBUTES = [name for name in Section.__annotations__ if not name.startswith("__")]
FUNCTIONS = [name for name, member in vars(Section).items() if inspect.isfunction(member) and not name.startswith("_")]
EVERY_SECTION = pytest.mark.parametrize("section", SECTIONS.values(), ids=lambda section: f"section {section.NUMBER}")


def test_the_contract_has_attributes_and_functions():
    assert len(ATTRIBUTES) == 15 and len(FUNCTIONS) == 13
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
