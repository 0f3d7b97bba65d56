"""Recipes: the named ones, what they change in a design, and what a mistake in one says."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from dse.cost import cost
from dse.errors import InvalidDesign, InvalidValue, UnknownName
from dse.network import Network, read_network
from dse.presets import load_preset, preset_names
from dse.recipes import Augment, Recipe, names, recipe, with_dropout


@pytest.mark.parametrize("name", names())
def test_named_recipes_describe_themselves_and_survive_a_round_trip(name: str) -> None:
    named = recipe(name)
    assert named.name == name
    assert named.about
    assert Recipe.model_validate_json(named.model_dump_json()) == named


def test_the_search_recipe_is_the_shorter_one() -> None:
    assert recipe("quick").epochs < recipe("default").epochs


PAPERS = {
    "spp-covid-net": {
        "optimizer": "adam",
        "learning_rate": 1e-4,
        "epochs": 100,
        "batch_size": 64,
        "folds": 5,
    },
    "rachha": {
        "optimizer": "radam",
        "find_learning_rate": True,
        "epochs": 50,
        "batch_size": 32,
        "image_size": 224,
    },
    "res-squeezenet": {
        "optimizer": "sgd",
        "learning_rate": 3e-4,
        "epochs": 6,
        "batch_size": 10,
        "image_size": 227,
        "augment": Augment(),
    },
    "hybrid-mobilenet": {
        "optimizer": "adam",
        "dropout": 0.1,
        "image_size": 32,
        "augment": Augment(),
    },
    "hl-cnn": {
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "epochs": 100,
        "batch_size": 64,
        "schedule": "step",
    },
}


@pytest.mark.parametrize("name", PAPERS)
def test_a_papers_recipe_is_what_the_paper_states_and_cites_it(name: str) -> None:
    found = recipe(name)
    assert found.citation
    stated = PAPERS[name]
    assert {setting: getattr(found, setting) for setting in stated} == stated
    # What the paper states cannot at the same time be ours.
    assert not set(stated) & set(found.ours)
    assert found.ours


def test_rachha_varies_images_in_every_way_the_paper_names() -> None:
    augment = recipe("rachha").augment
    for kind in ("rotate_degrees", "horizontal_flip", "vertical_flip", "zoom", "warp"):
        assert getattr(augment, kind), kind
    assert recipe("rachha").label_smoothing > 0


def test_hl_cnn_crops_flips_decays_drops_out_and_may_stop_early() -> None:
    found = recipe("hl-cnn")
    assert found.augment.crop_padding
    assert found.augment.horizontal_flip
    assert found.weight_decay
    assert found.dropout
    assert found.early_stopping
    assert not found.find_learning_rate


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
            "recipe 'quick': optimizer must be 'adam', 'adamw', 'radam' or 'sgd', got 'lion'",
        ),
        (
            {"augment": {"zoom": 3}},
            "recipe 'quick': augment.zoom must be less than 1, got 3",
        ),
        (
            {"balance": "both"},
            "recipe 'quick': balance must be 'none', 'weights' or 'sampling', got 'both'",
        ),
        (
            {"early_stopping": 0},
            "recipe 'quick': early_stopping must be greater than or equal to 1, got 0",
        ),
        ({"dropout": 1}, "recipe 'quick': dropout must be less than 1, got 1"),
        (
            {"augment": {"crop_padding": 4}},
            "recipe 'quick': shift and crop_padding both move the image: at most one of them may "
            "be set, got 0.06 and 4",
        ),
        (
            {"augment": Augment(crop_padding=32), "image_size": 32},
            "recipe 'quick': augment.crop_padding must be less than image_size, got 32 for 32 "
            "pixels",
        ),
        ({"ours": ("epoch",)}, "recipe 'quick': ours names settings of a recipe, got 'epoch'"),
    ],
)
def test_a_bad_value_is_one_sentence_with_rule_value_and_place(
    overrides: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        recipe("quick", **overrides)
    assert str(caught.value) == message


TINY = read_network(
    {
        "name": "tiny",
        "input": "3x8x8",
        "classes": 2,
        "nodes": [
            {"name": "stem", "conv": {"channels": 4}},
            {"name": "pool", "global_pool": {}},
            {"name": "classifier", "classifier": {}},
        ],
    }
)


@pytest.mark.parametrize("name", preset_names())
def test_dropout_changes_the_last_block_of_any_preset_and_no_number(name: str) -> None:
    network = load_preset(name)
    dropped = with_dropout(network, 0.37)
    assert dropped.nodes[:-1] == network.nodes[:-1]
    assert dropped.nodes[-1].block.dropout == 0.37  # type: ignore[attr-defined]
    assert dropped != network
    assert with_dropout(dropped, 0.0) == with_dropout(network, 0.0)
    assert (cost(dropped).params, cost(dropped).macs) == (cost(network).params, cost(network).macs)


def test_dropout_needs_a_place() -> None:
    bare: Network = TINY.replaced(
        nodes=[
            {"name": "conv", "conv": {"channels": 2}},
            {"name": "pool", "global_pool": {}},
        ]
    )
    with pytest.raises(
        InvalidDesign,
        match="ends in a classifier or conv_classifier, got global_pool in tiny",
    ):
        with_dropout(bare, 0.1)


def test_recipes_do_not_import_torch() -> None:
    program = (
        "import sys, dse.recipes; dse.recipes.recipe('quick');"
        "sys.exit(bool({'torch', 'kornia', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
