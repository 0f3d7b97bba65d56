"""How training images are varied."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Augment(BaseModel):
    """Random changes to each training image; every field at its default leaves images alone.

    Shift and flip only move pixels and cost next to nothing; rotation and zoom resample the
    image, which shows in the time of a small network's training on a CPU.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    horizontal_flip: bool = Field(False, description="mirror half of the images left to right")
    shift: float = Field(
        0.0,
        ge=0,
        lt=1,
        allow_inf_nan=False,
        description="largest shift along each axis, as a fraction of the side; edges are repeated",
    )
    rotate_degrees: float = Field(
        0.0, ge=0, le=180, allow_inf_nan=False, description="largest turn, either way"
    )
    zoom: float = Field(
        0.0,
        ge=0,
        lt=1,
        allow_inf_nan=False,
        description="images are scaled by between 1 - zoom and 1 + zoom",
    )
    brightness: Fraction = Field(
        0.0, description="largest change of every pixel, as a fraction of full white"
    )
    contrast: Fraction = Field(
        0.0,
        description="distances from the image's mean are scaled by 1 - contrast to 1 + contrast",
    )
    erase: Fraction = Field(
        0.0, description="probability that a random rectangle is replaced by the mean colour"
    )
