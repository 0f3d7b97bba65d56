"""What a design has to reach."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InvalidValue
from dse.search.requirement import Requirement

VALUES = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("accuracy>=0.9", Requirement("accuracy", ">=", 0.9)),
        (" loss <= 1e-1 ", Requirement("loss", "<=", 0.1)),
        ("recall.viral pneumonia>=.5", Requirement("recall.viral pneumonia", ">=", 0.5)),
        ("x>=-3", Requirement("x", ">=", -3)),
    ],
)
def test_requirements_are_read(text: str, expected: Requirement) -> None:
    assert Requirement.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "accuracy",
        "accuracy>0.9",
        "accuracy=0.9",
        ">=0.9",
        "a>=b",
        "a>=nan",
        "a>=inf",
        "a>=1>=2",
    ],
)
def test_what_is_no_requirement(text: str) -> None:
    with pytest.raises(InvalidValue, match="METRIC>=VALUE") as error:
        Requirement.parse(text)
    assert repr(text) in str(error.value)


@given(VALUES, VALUES)
def test_met_and_violation_agree(bound: float, value: float) -> None:
    least, most = Requirement("x", ">=", bound), Requirement("x", "<=", bound)
    assert least.met({"x": value}) == (value >= bound)
    assert most.met({"x": value}) == (value <= bound)
    assert least.violation({"x": value}) == max(0, bound - value)
    assert most.violation({"x": value}) == max(0, value - bound)
    assert Requirement.parse(str(Requirement("x", ">=", float(f"{bound:g}")))).op == ">="


def test_a_metric_that_is_missing_is_not_met() -> None:
    requirement = Requirement.parse("recall.covid>=0.9")
    assert not requirement.met({"accuracy": 1.0})
    assert requirement.violation({"accuracy": 1.0}) == inf
    assert str(requirement) == "recall.covid>=0.9"
