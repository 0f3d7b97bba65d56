"""What a training is, apart from the network and the data."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dse.recipes.augment import Augment


class Recipe(BaseModel):
    """Optimizer, schedule, epochs, batch, loss and augmentation of one training.

    A recipe is plain data: `model_dump()` of it is what a run records beside every trial.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("custom", description="which named recipe this is, or came from")
    about: str = Field("", description="one line on what the recipe is for")

    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    learning_rate: float = Field(
        1e-3, gt=0, allow_inf_nan=False, description="the highest of the training, after warm-up"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="of sgd; the Adams keep their usual betas")
    weight_decay: float = Field(0.0, ge=0, allow_inf_nan=False)
    decay_all: bool = Field(
        False, description="decay biases and normalisation parameters too, not only weights"
    )

    epochs: int = Field(30, ge=1)
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
    class_weights: bool = Field(
        False, description="weigh each class by its inverse frequency, with mean 1"
    )
    clip_grad_norm: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="largest norm of the whole gradient"
    )
    augment: Augment = Augment()
