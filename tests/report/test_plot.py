"""Plots as SVG: everything inside, nothing over anything else."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.report.plot import Axis, Plot, Series, as_plotly, as_svg
from dse.report.plot.place import placed
from dse.report.plot.ticks import ticks

numbers = st.floats(-1e6, 1e6, allow_nan=False)
positive = st.floats(1e-3, 1e9, allow_nan=False)


@given(st.lists(numbers, min_size=1, max_size=20), st.booleans())
def test_ticks_are_on_the_axis_and_in_order(values: list[float], log: bool) -> None:
    shown = [abs(value) + 1e-3 for value in values] if log else values
    axis = ticks(Axis("x", log=log), shown)
    assert all(-1e-9 <= axis.share(value) <= 1 + 1e-9 for value in shown)
    places = [axis.share(value) for value, _ in axis.at]
    assert places == sorted(places)
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)


@pytest.mark.parametrize(
    ("axis", "values", "told"),
    [
        (Axis("share", form="percent"), [0.61, 0.92], ["70%", "80%", "90%"]),
        (Axis("parameters", log=True), [2e3, 9e5], ["2 k", "10 k", "100 k", "500 k"]),
        (Axis("memory", log=True, form="bytes"), [9e5, 4e6], ["977 KiB", "1.91 MiB"]),
        (Axis("", names=("a", "b")), [], ["a", "b"]),
    ],
)
def test_ticks_are_written_as_people_write_them(
    axis: Axis, values: list[float], told: list[str]
) -> None:
    assert set(told) <= {text for _, text in ticks(axis, values).at}


@given(
    st.lists(
        st.tuples(st.floats(0, 500), st.floats(0, 300), st.text("abc", min_size=1, max_size=20)),
        max_size=30,
    )
)
def test_labels_cover_neither_each_other_nor_marks(
    labels: list[tuple[float, float, str]],
) -> None:
    marks = [(x, y) for x, y, _ in labels]
    em = 11.0
    boxes = []
    for label in placed(labels, marks, 500, 300, em):
        wide = 0.56 * em * len(label.text)
        left = label.x - {"start": 0, "middle": wide / 2, "end": wide}[label.anchor]
        boxes.append((left, label.y - 0.8 * em, left + wide, label.y + 0.2 * em))
    for i, a in enumerate(boxes):
        assert a[0] >= 0
        assert a[2] <= 500
        assert not any(a[0] < x < a[2] and a[1] < y < a[3] for x, y in marks)
        for b in boxes[:i]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


@given(
    st.lists(st.tuples(positive, numbers), min_size=1, max_size=15),
    st.sampled_from(("points", "line", "steps")),
    st.booleans(),
    st.one_of(st.none(), positive),
)
def test_any_plot_is_sound_svg_and_plotly(
    points: list[tuple[float, float]], kind: str, banded: bool, limit: float | None
) -> None:
    from plotly.graph_objects import Figure

    xs, ys = zip(*sorted(points), strict=True)
    series = Series(
        "a <b> & c",
        "run0",
        xs,
        ys,
        kind,  # type: ignore[arg-type]
        band=tuple((y - 1, y + 1) for y in ys) if banded else (),
        hover=tuple("<i>&\n" for _ in xs),
        labels=tuple("name" for _ in xs),
    )
    plot = Plot("what", Axis("x", log=True), Axis("y"), (series,), limit and (limit, "budget"))
    root = ElementTree.fromstring(as_svg(plot, alone=True))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for element in root.iter():
        for x, y in re.findall(r"([-\d.]+),([-\d.]+)", element.get("points", "")):
            assert -40 <= float(x) <= width + 40
            assert -40 <= float(y) <= height + 40
    drawn = as_plotly(plot)
    Figure({"data": drawn["traces"], "layout": drawn["layout"]})
    assert "<b>" not in str(drawn["traces"])
