"""Settings of a recipe as people type them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import DseError, InvalidValue, UnknownName
from dse.recipes import Augment, Recipe, names, overrides, parse_override, recipe

SETTINGS = [n for n in Recipe.model_fields if n not in ("name", "about", "citation", "ours")]


@pytest.mark.parametrize(
    ("text", "setting", "value"),
    [
        ("learning_rate=1e-3", "learning_rate", 0.001),
        ("batch_size=64", "batch_size", 64),
        (" epochs = 5 ", "epochs", 5),
        ("find_learning_rate=true", "find_learning_rate", True),
        ("optimizer=radam", "optimizer", "radam"),
        ("balance=none", "balance", "none"),
        ("early_stopping=none", "early_stopping", None),
        ("early_stopping=7", "early_stopping", 7),
        ("dropout=None", "dropout", None),
        ("augment.rotate_degrees=10", "augment.rotate_degrees", 10.0),
        ("augment.horizontal_flip=no", "augment.horizontal_flip", False),
    ],
)
def test_a_setting_has_its_own_type(text: str, setting: str, value: object) -> None:
    found = parse_override(text)
    assert found == (setting, value)
    assert type(found[1]) is type(value)


@pytest.mark.parametrize("name", names())
def test_every_value_of_a_recipe_can_be_typed(name: str) -> None:
    """What a recipe says, written as overrides, makes any other recipe train the same."""
    wanted = recipe(name).model_dump()
    typed = [f"{s}={wanted[s]}" for s in SETTINGS if s != "augment"]
    typed += [f"augment.{setting}={value}" for setting, value in wanted["augment"].items()]
    for other in names():
        changed = recipe(other, **overrides(typed)).model_dump()
        assert {s: changed[s] for s in SETTINGS} == {s: wanted[s] for s in SETTINGS}


def test_augmentation_is_changed_in_part_or_turned_off() -> None:
    named = recipe("default").augment
    changed = recipe("default", **overrides(["augment.zoom=0.1", "augment.erase=0"])).augment
    assert changed == named.model_copy(update={"zoom": 0.1, "erase": 0.0})
    assert recipe("default", **overrides(["augment=none"])).augment == Augment()
    alone = recipe("default", **overrides(["augment=none", "augment.zoom=0.1"])).augment
    assert alone == Augment(zoom=0.1)


def test_the_last_of_a_setting_given_twice_counts_and_none_are_none() -> None:
    assert overrides(["epochs=1", "epochs=2"]) == {"epochs": 2}
    assert overrides([]) == {}


def test_overrides_are_json() -> None:
    found = overrides(["epochs=1", "augment=none", "dropout=none", "optimizer=sgd"])
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("epochs", InvalidValue, "a setting of a recipe is written SETTING=VALUE, got 'epochs'"),
        ("epochs=", InvalidValue, "epochs must be a valid integer, got ''"),
        ("epochs=1.5", InvalidValue, "epochs must be a valid integer, got '1.5'"),
        ("epochs=none", InvalidValue, "epochs must be a valid integer, got 'none'"),
        ("epochs=0", InvalidValue, "epochs must be greater than or equal to 1, got '0'"),
        ("learning_rate=fast", InvalidValue, "learning_rate must be a valid number, got 'fast'"),
        ("learning_rate=nan", InvalidValue, "learning_rate must be a finite number, got 'nan'"),
        (
            "optimizer=lion",
            InvalidValue,
            "optimizer must be 'adam', 'adamw', 'radam' or 'sgd', got 'lion'",
        ),
        (
            "augment=strong",
            InvalidValue,
            "augment takes only none, its settings are written augment.SETTING, got 'strong'",
        ),
        ("augment.zoom=3", InvalidValue, "augment.zoom must be less than 1, got '3'"),
        (
            "lerning_rate=1",
            UnknownName,
            "no recipe setting is called 'lerning_rate'; did you mean 'learning_rate'?",
        ),
        (
            "augment.zom=1",
            UnknownName,
            "no recipe setting is called 'augment.zom'; did you mean 'augment.zoom'?",
        ),
        ("=1", UnknownName, "no recipe setting is called ''; known: "),
        ("name=mine", UnknownName, "no recipe setting is called 'name'; known: "),
    ],
)
def test_a_mistake_is_one_sentence(text: str, error: type[DseError], message: str) -> None:
    with pytest.raises(error) as caught:
        parse_override(text)
    assert str(caught.value).startswith(message)
    if not message.endswith("known: "):
        assert str(caught.value) == message


@given(st.sampled_from([*SETTINGS, "augment.zoom", "augment.warp"]), st.text(max_size=12))
def test_no_text_gets_past_the_rules(setting: str, text: str) -> None:
    """Either one of our errors, or what the recipe itself accepts."""
    try:
        changes: dict[str, Any] = overrides([f"{setting}={text}"])
    except (InvalidValue, UnknownName):
        return
    recipe("spp-covid-net", **changes)
