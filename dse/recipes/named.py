"""The recipes that have a name. A new one is one more entry."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from dse.errors import InvalidValue, UnknownName
from dse.recipes.augment import Augment
from dse.recipes.recipe import Recipe

_NAMED = (
    Recipe(
        name="quick",
        about="ranks small networks in a search: ten epochs, light augmentation",
        optimizer="adamw",
        # Between what families want: in ten epochs 1e-3 leaves depthwise networks unfinished
        # (6e-3 did no worse), while networks without batch normalisation did better at 1e-3.
        learning_rate=3e-3,
        weight_decay=0.02,
        epochs=10,
        batch_size=32,
        warmup_epochs=1,
        label_smoothing=0.05,
        augment=Augment(horizontal_flip=True, shift=0.06),
    ),
    Recipe(
        name="default",
        about="trains one network properly: forty epochs, fuller augmentation",
        optimizer="adamw",
        learning_rate=3e-3,
        weight_decay=0.05,
        epochs=40,
        batch_size=32,
        warmup_epochs=2,
        label_smoothing=0.1,
        augment=Augment(horizontal_flip=True, shift=0.1, brightness=0.1, contrast=0.1, erase=0.1),
    ),
)

_RECIPES = {entry.name: entry for entry in _NAMED}


def names() -> list[str]:
    """The names that `recipe` knows, sorted."""
    return sorted(_RECIPES)


def recipe(name: str, /, **overrides: Any) -> Recipe:
    """The recipe called `name`, with some settings changed.

    `augment` may be a mapping, which changes only the settings it names; an `Augment`, which
    replaces them all; or None, which turns augmentation off.

    Example:
        >>> recipe("quick", epochs=5, augment={"rotate_degrees": 10}).epochs
        5

    Raises:
        UnknownName: no recipe, or no setting of one, has that name.
        InvalidValue: a setting is outside what it may be.
    """
    if name not in _RECIPES:
        raise UnknownName("recipe", name, _RECIPES)
    named = _RECIPES[name]
    settings = {**named.model_dump(), **overrides}
    if "augment" in overrides:
        settings["augment"] = _augmentation(named.augment, overrides["augment"])
    try:
        return Recipe.model_validate(settings)
    except ValidationError as error:
        raise _in_one_sentence(name, error) from None


def _augmentation(named: Augment, asked: object) -> object:
    """Settings of an augmentation, from what an override of it may be."""
    if asked is None:
        return Augment()
    if isinstance(asked, dict):
        return {**named.model_dump(), **asked}
    return asked


def _in_one_sentence(name: str, error: ValidationError) -> InvalidValue | UnknownName:
    """The first complaint of pydantic, which writes several lines to a fault, as ours."""
    fault = error.errors(include_url=False)[0]
    *outer, setting = (str(part) for part in fault["loc"])
    prefix = "".join(f"{part}." for part in outer)
    if fault["type"] == "extra_forbidden":
        known = (Augment if outer else Recipe).model_fields
        return UnknownName("recipe setting", prefix + setting, (prefix + field for field in known))
    rule = fault["msg"].replace("Input should be", "must be", 1)
    return InvalidValue(f"recipe {name!r}: {prefix}{setting} {rule}, got {fault['input']!r}")
