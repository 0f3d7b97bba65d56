"""How training images are varied."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Augment(BaseModel):
    """Random changes to each training image; every field at its default leaves images alone.

    Flips, shift and crop only move whole pixels and cost next to nothing. Rotation, zoom, shear and
    warp resample the image, all in one step; that shows in the time of a small network's training
    on a CPU.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    horizontal_flip: bool = Field(False, description="mirror half of the images left to right")
    vertical_flip: bool = Field(False, description="turn half of the images upside down")
    shift: float = Field(
        0.0,
        ge=0,
        lt=1,
        allow_inf_nan=False,
        description="largest shift along each axis, as a fraction of the side; edges are repeated",
    )
    crop_padding: int = Field(
        0,
        ge=0,
        le=1024,
        description="pixels added on each side, by repeating the edges, before the image is "
        "cropped to its size at a random place: a shift in pixels",
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
    shear_degrees: float = Field(
        0.0, ge=0, le=45, allow_inf_nan=False, description="largest slant along each axis"
    )
    warp: float = Field(
        0.0,
        ge=0,
        lt=0.25,  # from a quarter on, an image could fold
        allow_inf_nan=False,
        description="largest shift of each corner along each axis, as a fraction of the side: the "
        "image is seen from another angle",
    )
    brightness: Fraction = Field(
        0.0, description="largest change of every pixel, as a fraction of full white"
    )
    contrast: Fraction = Field(
        0.0,
        description="distances from the image's mean are scaled by 1 - contrast to 1 + contrast",
    )
    probability: Fraction = Field(
        1.0,
        description="share of the images that each of rotation, zoom, shear, warp, brightness and "
        "contrast changes",
    )
    erase: Fraction = Field(
        0.0, description="probability that a random rectangle is replaced by the mean colour"
    )

    @model_validator(mode="after")
    def _one_shift(self) -> Augment:
        if self.shift and self.crop_padding:
            raise ValueError(
                "shift and crop_padding both move the image: at most one of them may be set, "
                f"got {self.shift:g} and {self.crop_padding}"
            )
        return self
