"""What an experiment trains, on what and how: everything that its results depend on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dse.errors import InvalidValue
from dse.network import Network, read_network
from dse.recipes import Recipe

Tune = Literal["all", "head", "gradual"]


class _Fixed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Model(_Fixed):
    """One of the networks that are trained."""

    name: str = Field(description="what tables call it")
    design: dict[str, Any] = Field(description="the network as a document")
    digest: str = Field(description="equal for equal networks")
    weights: Path | None = Field(None, description="the file of weights that it starts from")
    weights_digest: str | None = Field(None, description="SHA-256 of that file, 16 digits")

    @property
    def network(self) -> Network:
        """The design as a network, for the images and classes of the experiment."""
        return read_network(self.design)


class Plan(_Fixed):
    """The question that an experiment asks. Kept with it; a resumed one must ask the same."""

    dataset: str = Field(description="a data set's name, or the path of an image folder")
    data_dir: Path | None = Field(None, description="where the data lies, if not in usual places")
    dataset_digest: str = Field(description="of the images, classes, patients and parts")
    image_size: int = Field(description="height and width of the images, in pixels")
    folds: int | None = Field(
        None, ge=2, description="parts of the cross-validation; None is the data set's own parts"
    )
    fold: int | None = Field(None, ge=0, description="the one fold that serves as test; or all")
    recipe: Recipe
    tune: Tune = "all"
    models: tuple[Model, ...]
    seeds: tuple[int, ...] = Field(description="one training of each model and fold for each")

    def model(self, name: str) -> Model:
        """A model by its name."""
        return next(model for model in self.models if model.name == name)

    def extended(self, asked: Plan, place: str) -> Plan:
        """This plan with what `asked` adds to it: models and seeds, nothing else.

        Args:
            asked: the plan of someone who resumes the experiment.
            place: the experiment's name.

        Raises:
            InvalidValue: another setting differs, or a model of the same name is another network.
        """
        for key in ("dataset", "image_size", "folds", "fold", "tune"):
            _same(place, key, getattr(self, key), getattr(asked, key))
        for key in Recipe.model_fields:
            _same(place, f"recipe's {key}", getattr(self.recipe, key), getattr(asked.recipe, key))
        if self.dataset_digest != asked.dataset_digest:
            raise InvalidValue(
                f"a resumed experiment keeps its images: those of {self.dataset} are not what they "
                f"were when {place} began"
            )
        known = {model.name: model for model in self.models}
        for model in asked.models:
            kept = known.setdefault(model.name, model)
            if (kept.digest, kept.weights_digest) != (model.digest, model.weights_digest):
                raise InvalidValue(
                    f"an experiment keeps its models: {model.name} in {place} is the network "
                    f"{kept.digest}{_from(kept)}, got {model.digest}{_from(model)}"
                )
        seeds = dict.fromkeys((*self.seeds, *asked.seeds))
        return asked.model_copy(update={"models": tuple(known.values()), "seeds": tuple(seeds)})


def _same(place: str, key: str, kept: object, asked: object) -> None:
    if kept != asked:
        raise InvalidValue(
            f"a resumed experiment keeps its settings: {key.replace('_', ' ')} is {kept} in "
            f"{place}, got {asked}; only models and seeds may be added"
        )


def _from(model: Model) -> str:
    return f" with weights {model.weights_digest}" if model.weights_digest else ""
