"""Trainings as data: what a recipe may say, and the named ones. Knows nothing of torch."""

from dse.recipes.augment import Augment
from dse.recipes.named import names, recipe
from dse.recipes.recipe import Recipe

__all__ = ["Augment", "Recipe", "names", "recipe"]
