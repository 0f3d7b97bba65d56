"""What the options of a search stand for; whoever helps with a search reads them the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dse.cli.predicted import check_predictable
from dse.data import Dataset, Split
from dse.errors import InvalidValue, UnknownName
from dse.recipes import Recipe, recipe, suited
from dse.runs import COST_KEYS, OBJECTIVES
from dse.runtime.evaluate import Train, read_data
from dse.runtime.proxies import about_proxy
from dse.runtime.proxies.evaluate import Proxy
from dse.search import Evaluate, check_storage, sampler_names
from dse.search.evaluators import TRAIN, default_objectives, find_function, proxies_of
from dse.search.requirement import Requirement
from dse.space import DEFAULT_SPACE

_DEFAULTS: dict[str, Any] = {
    "evaluate": TRAIN,
    "space": DEFAULT_SPACE,
    "budget": {},
    "sampler": "auto",
    "seed": 0,
}
_OF_TRAINING = {"recipe": "--recipe", "recipe_set": "--recipe-set", "epochs": "--epochs"}
_OF_DATA = {"data_dir": "--data-dir", "fold": "--fold"}
_BUDGETS = {
    "params": "--budget-params",
    "macs": "--budget-macs",
    "peak_activation_bytes": "--budget-peak-memory",
    "size_bytes": "--budget-size",
    "latency_ms": "--budget-latency-ms",
}
_COSTS = (*COST_KEYS, "latency_ms")
_BY_CLASS = ("recall", "precision", "f1")


def completed(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a search that begins: what was asked, and defaults for the rest.

    Raises:
        InvalidValue: options do not go together, or one is outside what it may be.
        UnknownName: a word among them is not known.
    """
    given = {key: value for key, value in asked.items() if value is not None}
    options = {**_DEFAULTS, **given}
    name = options["evaluate"]
    _check_evaluator(name, given)
    options.setdefault("objectives", default_objectives(name))
    if name == TRAIN:
        options.setdefault("recipe", "quick")
        recipe_of(options)
    for objective in options["objectives"]:
        if not _is_metric(name, objective) and objective not in _COSTS:
            raise UnknownName("objective", objective, (*(proxies_of(name) or OBJECTIVES), *_COSTS))
    for requirement in requirements_of(options):
        _check_requirement(name, requirement)
    if options["sampler"] not in sampler_names():
        raise UnknownName("sampler", options["sampler"], sampler_names())
    check_predictable(options.get("latency_device"))
    if options.get("storage"):
        check_storage(options["storage"])
    return options


def recipe_of(options: Mapping[str, Any]) -> Recipe:
    """How each design is trained.

    Raises:
        UnknownName: no recipe, or no setting of one, is called so.
        InvalidValue: a setting is outside what it may be.
    """
    changes = dict(options.get("recipe_set", {}))
    if "epochs" in options:
        changes["epochs"] = options["epochs"]
    return recipe(options["recipe"], **suited(changes, options["dataset"]))


def requirements_of(options: Mapping[str, Any]) -> tuple[Requirement, ...]:
    """What a design has to reach.

    Raises:
        InvalidValue: one is not written as a requirement is.
    """
    return tuple(Requirement.parse(text) for text in options.get("require", ()))


def evaluator_of(options: Mapping[str, Any], train_device: str) -> Evaluate:
    """What turns a candidate into metrics; trainings run on `train_device`."""
    name = options["evaluate"]
    names = proxies_of(name)
    if name != TRAIN and not names:
        return find_function(name)
    where: dict[str, Any] = {
        "data_dir": Path(options["data_dir"]) if options.get("data_dir") else None,
        "image_size": image_size_of(options),
        "seed": options["seed"],
        "fold": options.get("fold"),
    }
    if names:
        return Proxy(names, dataset=options.get("dataset"), **where)
    return Train(options["dataset"], recipe_of(options), device=train_device, **where)


def data_of(options: Mapping[str, Any]) -> tuple[Dataset, Split] | None:
    """The data set and its parts, if there is one; the same objects that the evaluator reads."""
    if options.get("dataset") is None:
        return None
    return read_data(
        options["dataset"],
        Path(options["data_dir"]) if options.get("data_dir") else None,
        image_size_of(options),
        options["seed"],
        options.get("fold"),
    )


def image_size_of(options: Mapping[str, Any]) -> int | None:
    """Pixels: what was asked for, else what the recipe asks for, else the data set's own."""
    size: int | None = options.get("image_size")
    return size or (recipe_of(options).image_size if options["evaluate"] == TRAIN else None)


def metric_of(options: Mapping[str, Any]) -> str:
    """What is shown of each design: the accuracy of trainings, else the first that is measured."""
    if options.get("evaluate", TRAIN) == TRAIN:
        return "accuracy"
    return next((name for name in options["objectives"] if name not in _COSTS), "accuracy")


def check_classes(options: Mapping[str, Any], classes: Sequence[str]) -> None:
    """See that metrics of single classes are of classes that the data set has.

    Raises:
        UnknownName: one is not.
    """
    if options["evaluate"] != TRAIN:
        return
    metrics = [*options["objectives"], *(each.metric for each in requirements_of(options))]
    for metric in metrics:
        _, dot, name = metric.partition(".")
        if dot and name not in classes:
            raise UnknownName(f"class of {options['dataset']}", name, classes)


def _check_evaluator(name: str, given: Mapping[str, Any]) -> None:
    """See that the evaluator is there and the other options are for it."""
    data = "dataset" in given
    if name == TRAIN:
        if not data:
            raise InvalidValue(
                "a search needs --dataset: covid, digits, cifar10 or an image folder"
            )
    else:
        for proxy in proxies_of(name):
            if about_proxy(proxy).images and not data:
                raise InvalidValue(
                    f"the proxy {proxy} reads training images: give --dataset, one of covid, "
                    "digits, cifar10 or an image folder"
                )
        if not proxies_of(name):
            find_function(name)
        _refuse(given, _OF_TRAINING, f"is for training; got it with --evaluate {name}")
    if data:
        _refuse(given, {"classes": "--classes"}, "is for a search without --dataset, which has its")
    else:
        _refuse(given, _OF_DATA, "is of a data set; give --dataset too")


def _refuse(given: Iterable[str], options: Mapping[str, str], why: str) -> None:
    for key, option in options.items():
        if key in given:
            raise InvalidValue(f"{option} {why}")


def _check_requirement(evaluator: str, requirement: Requirement) -> None:
    metric = requirement.metric
    if metric in _BUDGETS and not _is_metric(evaluator, metric):
        raise InvalidValue(
            f"a requirement is on what the evaluator measures; {metric} is a cost, which "
            f"{_BUDGETS[metric]} limits; got {requirement}"
        )
    if not _is_metric(evaluator, metric):
        measured = [name for name in OBJECTIVES if name not in _COSTS]
        per_class = [f"{name}.CLASS" for name in _BY_CLASS]
        raise UnknownName("metric", metric, proxies_of(evaluator) or [*measured, *per_class])


def _is_metric(evaluator: str, name: str) -> bool:
    """Whether an evaluator may measure it; of a function that is not known before it has."""
    if evaluator == TRAIN:
        kind, _, cls = name.partition(".")
        return name in set(OBJECTIVES) - set(_COSTS) or (kind in _BY_CLASS and cls != "")
    names = proxies_of(evaluator)
    return name in names if names else True
