"""The grammar of activations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import DseError, InvalidDesign, UnknownName
from dse.ir.activation import ACTIVATIONS, GATES, canonical_activation, parse_activation


@pytest.mark.parametrize("name", [n for n in (*ACTIVATIONS, *GATES) if n != "leaky_relu"])
def test_plain_activations_have_no_constant(name: str) -> None:
    assert parse_activation(name) == (name, None)
    with pytest.raises(InvalidDesign, match="only leaky_relu"):
        parse_activation(f"{name}(0.1)")


def test_leaky_relu_has_torchs_slope_by_default() -> None:
    assert parse_activation("leaky_relu") == ("leaky_relu", 0.01)
    assert canonical_activation("leaky_relu") == "leaky_relu(0.01)"


@given(st.floats(0, 1, exclude_max=True, allow_nan=False).map(lambda x: round(x, 6)))
def test_canonical_spelling_means_the_same_and_is_its_own(slope: float) -> None:
    if slope >= 1:
        return
    written = canonical_activation(f"leaky_relu({slope})")
    assert parse_activation(written) == ("leaky_relu", slope)
    assert canonical_activation(written) == written


@pytest.mark.parametrize("slope", ["1", "1.5", "-0.1", "1e9"])
def test_slope_outside_its_range_is_refused(slope: str) -> None:
    with pytest.raises(InvalidDesign, match="at least 0 and below 1") as caught:
        parse_activation(f"leaky_relu({slope})")
    assert f"leaky_relu({slope})" in str(caught.value)


@pytest.mark.parametrize("slope", ["e", ".", "1.2.3", "--1"])
def test_slope_that_is_no_number_is_refused(slope: str) -> None:
    with pytest.raises(InvalidDesign, match="a slope is a number"):
        parse_activation(f"leaky_relu({slope})")


@pytest.mark.parametrize("text", ["", "rellu", "ReLU", "leaky_relu()", "leaky_relu(nan)", "relu "])
def test_unknown_activations_are_refused(text: str) -> None:
    with pytest.raises(UnknownName) as caught:
        parse_activation(text)
    assert repr(text) in str(caught.value)


@given(st.text(max_size=20))
def test_any_text_is_an_activation_or_a_user_error(text: str) -> None:
    try:
        name, _ = parse_activation(text)
    except DseError:
        return
    assert name in (*ACTIVATIONS, *GATES)
