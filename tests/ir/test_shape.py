"""Shapes: their text, and what is no shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InvalidDesign
from dse.ir import Shape


@given(st.tuples(*[st.integers(1, 999_999)] * 3))
def test_text_round_trips(sizes: tuple[int, int, int]) -> None:
    assert Shape.parse(str(Shape(sizes))) == sizes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "3x32",
        "3x32x32x1",
        "3X32X32",
        "3x0x32",
        "03x32x32",
        "-3x32x32",
        "3x32x1e3",
        "3 x 32 x 32",
        "3x32x32\n",
        "3x32x1000000",
        "٣x32x32",
    ],
)
def test_parse_refuses_and_repeats_the_text(text: str) -> None:
    with pytest.raises(InvalidDesign, match="CHANNELSxHEIGHTxWIDTH") as caught:
        Shape.parse(text)
    assert repr(text) in str(caught.value)


def test_sizes_of_map_vector_and_scalar() -> None:
    assert (Shape((3, 4, 5)).size, Shape((7,)).size, Shape(()).size) == (60, 7, 1)
    assert [Shape(s).is_map for s in ((3, 4, 5), (7,), ())] == [True, False, False]
    assert (str(Shape((7,))), str(Shape(()))) == ("7", "scalar")
