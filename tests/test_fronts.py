"""Pareto fronts of any number of objectives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dse.fronts import Losses, first_front


def _beats(a: Losses, b: Losses) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))


@given(
    st.integers(1, 4).flatmap(
        lambda objectives: st.lists(
            st.tuples(*[st.integers(0, 5).map(float)] * objectives), max_size=30
        )
    )
)
def test_the_first_front_is_what_nothing_beats(points: list[Losses]) -> None:
    found = first_front(points)
    own = [points[number] for number in found]
    assert own == sorted({p for p in points if not any(_beats(other, p) for other in points)})
    assert found == [points.index(point) for point in own]
