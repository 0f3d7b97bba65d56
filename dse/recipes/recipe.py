"""What a training is, apart from the network and the data."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dse.recipes.augment import Augment


class Recipe(BaseModel):
    """Optimizer, schedule, epochs, batch, loss and augmentation of one training.

    A recipe is plain data: `model_dump()` of it is what a run records beside every trial.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("custom", description="which named recipe this is, or came from")
    about: str = Field("", description="one line on what the recipe is for")
    citation: str = Field("", description="the paper it is from, and where in it")
    ours: tuple[str, ...] = Field(
        (), description="settings that the paper leaves open: the values are our choice"
    )

    image_size: int | None = Field(
        None,
        ge=8,
        le=1024,
        description="height and width that commands train at unless told; None is the data set's",
    )
    folds: int | None = Field(
        None, ge=2, description="parts of the cross-validation that the paper reports"
    )

    optimizer: Literal["adam", "adamw", "radam", "sgd"] = "adamw"
    learning_rate: float = Field(
        1e-3, gt=0, allow_inf_nan=False, description="the highest of the training, after warm-up"
    )
    find_learning_rate: bool = Field(
        False,
        description="find the rate by a range test first; learning_rate then holds only where "
        "the test finds none",
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd; the Adams keep their usual betas")
    weight_decay: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="added to the gradient by adam and sgd, taken off the weights by adamw, radam",
    )
    decay_all: bool = Field(
        False, description="decay biases and normalisation parameters too, not only weights"
    )
    dropout: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="probability before the classifier; None leaves the design's own",
    )

    epochs: int = Field(30, ge=1)
    early_stopping: int | None = Field(
        None,
        ge=1,
        description="end after so many epochs without a better validation accuracy, and keep the "
        "weights of the best epoch; None trains to the end and keeps the last",
    )
    batch_size: int = Field(
        32, ge=2, description="images a step, at most; batch normalisation needs two"
    )
    schedule: Literal["cosine", "constant", "step"] = "cosine"
    warmup_epochs: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="linear rise to the learning rate; at most half of the epochs are spent on it",
    )
    step_epochs: int = Field(10, ge=1, description="epochs between two drops of the step schedule")
    step_factor: float = Field(0.1, gt=0, lt=1, description="factor of a drop of the step schedule")

    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of the target spread evenly over all classes"
    )
    balance: Literal["none", "weights", "sampling"] = Field(
        "none",
        description="weights: the loss weighs each class by its inverse frequency, with mean 1; "
        "sampling: images are drawn so that each class is as frequent, some more than once",
    )
    clip_grad_norm: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="largest norm of the whole gradient"
    )
    augment: Augment = Augment()

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        padding = self.augment.crop_padding
        if self.image_size is not None and padding >= self.image_size:
            raise ValueError(
                "augment.crop_padding must be less than image_size, "
                f"got {padding} for {self.image_size} pixels"
            )
        for setting in self.ours:
            part, _, inner = setting.rpartition(".")
            known = {"": Recipe.model_fields, "augment": Augment.model_fields}.get(part, {})
            if inner not in known:
                raise ValueError(f"ours names settings of a recipe, got {setting!r}")
        return self
