"""The smallest image that a network takes, for the message that refuses one too small."""

from __future__ import annotations

from collections.abc import Callable

from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.network import Network


def too_small(
    problem: InvalidDesign, asked: Shape, known: Shape, build: Callable[[Shape], Network]
) -> InvalidDesign:
    """`problem`, and the smallest square image that works, if the image was what was wrong.

    Args:
        problem: why no network could be built for `asked`.
        asked: the image that was refused.
        known: an image that the network takes, larger than that.
        build: makes the network for an image.
    """

    def works(size: int) -> bool:
        try:
            build(Shape((asked.channels, size, size)))
        except InvalidDesign:
            return False
        return True

    low, high = min(asked[1:]), max(known[1:])
    if low >= high or not works(high):
        return problem
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if works(middle) else (middle, high)
    return InvalidDesign(
        f"{problem}; {asked} is too small, the smallest square image it takes is {high}x{high}"
    )
