"""From what someone asks for to a plan that can be carried out, or a sentence on why it cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dse.data import Dataset, Split, load_dataset
from dse.data.leakage import refuse_leakage, summaries
from dse.designs import find_design
from dse.errors import InvalidValue
from dse.experiments.cell import slug
from dse.experiments.plan import Model, Plan, Tune
from dse.ir import Shape
from dse.network import Network
from dse.presets import preset_names
from dse.recipes import Recipe, suited, with_dropout
from dse.recipes import recipe as named_recipe


@dataclass(frozen=True)
class Asked:
    """An experiment in a user's words; what is None is left to the recipe, the data set or, when
    resuming, to the experiment.

    Attributes:
        models: presets, design files, ``RUN#TRIAL`` or networks.
        dataset: a data set's name or an image folder's path.
        data_dir: where the data lies.
        recipe: a recipe's name, or a recipe.
        changes: settings of the recipe, as `dse.recipes.recipe` takes them.
        image_size: pixels.
        folds: parts of the cross-validation; 1 is the data set's own test part.
        usual_folds: how many where neither `folds` nor the recipe says.
        fold: only this one as test.
        seeds: one training for each.
        weights: a file of weights to start from, of the one model.
        tune: which layers learn.
        arguments: of the one model, if it is a preset.
    """

    models: Sequence[str | Network] = ()
    dataset: str | None = None
    data_dir: Path | None = None
    recipe: str | Recipe | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    image_size: int | None = None
    folds: int | None = None
    usual_folds: int = 1
    fold: int | None = None
    seeds: Sequence[int] | None = None
    weights: Path | None = None
    tune: Tune | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def completed(self, kept: Plan) -> Asked:
        """What is not said is as in the experiment that goes on."""
        return replace(
            self,
            dataset=self.dataset or kept.dataset,
            data_dir=self.data_dir or kept.data_dir,
            recipe=self.recipe or (kept.recipe.name if self.changes else kept.recipe),
            image_size=self.image_size or kept.image_size,
            folds=self.folds or kept.folds or 1,
            fold=kept.fold if self.fold is None else self.fold,
            seeds=kept.seeds if self.seeds is None else self.seeds,
            tune=self.tune or kept.tune,
        )


@dataclass(frozen=True)
class Prepared:
    """A plan with the data it was made for; `notes` say what became of a file of weights, and which
    images of different parts look alike.
    """

    plan: Plan
    data: Dataset
    splits: tuple[Split, ...]
    notes: tuple[str, ...] = ()


def prepare(asked: Asked, *, place: str = "", kept: Plan | None = None) -> Prepared:
    """See that everything asked for exists and fits together, before anything trains.

    Args:
        asked: what is wanted.
        place: the experiment's name.
        kept: the plan of an experiment that goes on.

    Raises:
        InvalidValue, UnknownName, InvalidDesign, DataError: in one sentence, what does not.
    """
    if kept is not None:
        asked = asked.completed(kept)
    if asked.dataset is None:
        raise InvalidValue("a training needs --dataset: covid, digits, cifar10 or an image folder")
    _check(asked)
    chosen = _recipe(asked)
    own = [_find(entry, asked) for entry in asked.models]
    image_size = asked.image_size or chosen.image_size or _own_size(asked.models, own)
    data = load_dataset(asked.dataset, data_dir=asked.data_dir, image_size=image_size)
    by_recipe = chosen.folds if asked.fold is None else None
    folds = asked.folds or by_recipe or asked.usual_folds
    models, notes = _models(asked, chosen, data)
    plan = Plan(
        dataset=asked.dataset,
        data_dir=None if asked.data_dir is None else asked.data_dir.resolve(),
        dataset_digest=data.digest,
        image_size=data.image_size,
        folds=None if folds == 1 else folds,
        fold=asked.fold,
        recipe=chosen,
        tune=asked.tune or "all",
        models=models,
        seeds=tuple(asked.seeds if asked.seeds is not None else (0,)),
    )
    if kept is not None:
        plan = kept.extended(plan, place)
    if not plan.models:
        raise InvalidValue("an experiment needs at least one model: a preset, a file or RUN#TRIAL")
    splits = tuple(splits_of(data, plan))
    copies = refuse_leakage(data, splits)
    return Prepared(plan, data, splits, (*notes, *summaries(data, copies)))


def splits_of(data: Dataset, plan: Plan) -> list[Split]:
    """The parts of the data, one for each fold that serves as test; the same for every seed.

    Raises:
        InvalidValue, DataError: the data cannot be divided so.
    """
    if plan.folds is None:
        return [data.splits(0, plan.fold)]
    made = data.folds_of(plan.folds, 0)
    chosen = [split for split in made if plan.fold in (None, split.fold)]
    if not chosen:
        known = ", ".join(str(split.fold) for split in made)
        raise InvalidValue(f"the fold that serves as test is one of {known}, got {plan.fold}")
    return chosen


def _check(asked: Asked) -> None:
    if asked.folds is not None and asked.folds < 1:
        raise InvalidValue(f"folds are 1 or more, got {asked.folds}")
    if asked.fold is not None and asked.fold < 0:
        raise InvalidValue(f"a fold is a number from 0, got {asked.fold}")
    single = len(asked.models) == 1
    if asked.weights is not None and not single:
        raise InvalidValue(f"weights are for one model, got {len(asked.models)} models")
    if asked.arguments and not single:
        raise InvalidValue(f"settings are for one model, got {len(asked.models)} models")
    seeds = asked.seeds
    if seeds is not None and (not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0):
        raise InvalidValue(f"seeds are different integers from 0, got {list(seeds)}")


def _recipe(asked: Asked) -> Recipe:
    chosen = asked.recipe or "default"
    changes = dict(asked.changes)
    if isinstance(chosen, Recipe):
        if changes:
            raise InvalidValue(
                f"changes are made to a named recipe, got {chosen.name!r} as a whole"
            )
        return chosen
    return named_recipe(chosen, **suited(changes, str(asked.dataset)))


def _find(
    entry: str | Network, asked: Asked, classes: int | None = None, size: int | None = None
) -> Network:
    if isinstance(entry, str):
        return find_design(entry, classes=classes, image_size=size, settings=asked.arguments)
    shape = None if size is None else Shape((entry.input.channels, size, size))
    return entry.resized(input=shape, classes=classes)


def _own_size(entries: Sequence[str | Network], networks: Sequence[Network]) -> int | None:
    """The size that the designs are for, where they agree; presets are for any."""
    sizes = {
        network.input.height
        for entry, network in zip(entries, networks, strict=True)
        if entry not in preset_names()
    }
    return sizes.pop() if len(sizes) == 1 else None


def _models(
    asked: Asked, chosen: Recipe, data: Dataset
) -> tuple[tuple[Model, ...], tuple[str, ...]]:
    notes: list[str] = []
    found: dict[str, Model] = {}
    for entry in asked.models:
        network = _find(entry, asked, len(data.classes), data.image_size)
        name = _label(entry, network)
        if chosen.dropout is not None:
            network = with_dropout(network, chosen.dropout)
        if slug(name) in map(slug, found):
            raise InvalidValue(f"models go by different names, got {name} twice")
        start: dict[str, Any] = {}
        if asked.weights is not None:
            said, digest = _checked(asked.weights, network)
            notes.append(said)
            start = {"weights": asked.weights.resolve(), "weights_digest": digest}
        found[name] = Model(
            name=name,
            design=network.model_dump(mode="json", exclude_defaults=True),
            digest=network.digest,
            **start,
        )
    return tuple(found.values()), tuple(notes)


def _label(entry: str | Network, network: Network) -> str:
    """A preset and a trial by the name they were asked for, a file by its design's."""
    if isinstance(entry, str) and (entry in preset_names() or not Path(entry).is_file()):
        return entry
    return network.name


def _checked(weights: Path, network: Network) -> tuple[str, str]:
    """What a file of weights gives to a network, and the file's digest."""
    from dse.runtime.load import build
    from dse.runtime.weights import load_weights

    loaded = load_weights(build(network), network, weights)
    return str(loaded), digest_of(weights)


def digest_of(weights: Path) -> str:
    """16 hexadecimal digits of what a file holds."""
    return hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
