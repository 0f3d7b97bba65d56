"""Trainings as data: what a recipe may say, and the named ones. Knows nothing of torch."""

from dse.recipes.augment import Augment
from dse.recipes.dropout import with_dropout
from dse.recipes.named import names, recipe
from dse.recipes.override import overrides, parse_override
from dse.recipes.recipe import Recipe
from dse.recipes.suited import suited

__all__ = [
    "Augment",
    "Recipe",
    "names",
    "overrides",
    "parse_override",
    "recipe",
    "suited",
    "with_dropout",
]
