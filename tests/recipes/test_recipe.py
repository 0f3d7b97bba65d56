"""Recipes: the named ones, overrides, and what a mistake in one says."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from dse.errors import InvalidValue, UnknownName
from dse.recipes import Augment, Recipe, names, recipe


@pytest.mark.parametrize("name", names())
def test_named_recipes_describe_themselves_and_survive_a_round_trip(name: str) -> None:
    named = recipe(name)
    assert named.name == name
    assert named.about
    assert Recipe.model_validate_json(named.model_dump_json()) == named


def test_the_search_recipe_is_the_shorter_one() -> None:
    assert recipe("quick").epochs < recipe("default").epochs


def test_overrides_change_what_they_name_and_nothing_else() -> None:
    quick = recipe("quick")
    changed = recipe("quick", epochs=3, optimizer="sgd")
    assert (changed.epochs, changed.optimizer) == (3, "sgd")
    assert (
        changed.model_copy(update={"epochs": quick.epochs, "optimizer": quick.optimizer}) == quick
    )
    assert recipe("quick") == quick


def test_augmentation_is_merged_replaced_or_turned_off() -> None:
    named = recipe("quick").augment
    merged = recipe("quick", augment={"rotate_degrees": 10}).augment
    assert merged == named.model_copy(update={"rotate_degrees": 10.0})
    assert recipe("quick", augment=Augment(zoom=0.1)).augment == Augment(zoom=0.1)
    assert recipe("quick", augment=None).augment == Augment()


def test_recipes_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        recipe("quick").epochs = 3  # type: ignore[misc]


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"no recipe is called 'quik'; did you mean 'quick'\?"):
        recipe("quik")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"epoch": 3}, "no recipe setting is called 'epoch'; did you mean 'epochs'?"),
        (
            {"augment": {"rotate_degree": 1}},
            "no recipe setting is called 'augment.rotate_degree'; did you mean "
            "'augment.rotate_degrees'?",
        ),
    ],
)
def test_an_unknown_setting_names_the_nearest(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(UnknownName) as caught:
        recipe("quick", **overrides)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"epochs": 0}, "recipe 'quick': epochs must be greater than or equal to 1, got 0"),
        ({"batch_size": 1}, "recipe 'quick': batch_size must be greater than or equal to 2, got 1"),
        ({"learning_rate": -1}, "recipe 'quick': learning_rate must be greater than 0, got -1"),
        (
            {"learning_rate": float("nan")},
            "recipe 'quick': learning_rate must be a finite number, got nan",
        ),
        (
            {"optimizer": "lion"},
            "recipe 'quick': optimizer must be 'adam', 'adamw' or 'sgd', got 'lion'",
        ),
        (
            {"augment": {"zoom": 3}},
            "recipe 'quick': augment.zoom must be less than 1, got 3",
        ),
    ],
)
def test_a_bad_value_is_one_sentence_with_rule_value_and_place(
    overrides: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        recipe("quick", **overrides)
    assert str(caught.value) == message


def test_recipes_do_not_import_torch() -> None:
    program = "import sys, dse.recipes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
