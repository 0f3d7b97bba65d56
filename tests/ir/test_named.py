"""Named integers: whatever is computed with them, the text says the value."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.ir import Named
from dse.ir.named import substitute

NAMES = {"a": 7, "b": 3, "in_channels": 64, "channels": 12}

_OPERATORS: list[Callable[[int, int], int]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
]

names = st.sampled_from(sorted(NAMES)).map(lambda name: Named(NAMES[name], name))
literals = st.integers(-9, 99)


def _applied(parts: tuple[Callable[[int, int], int], int, int]) -> int:
    function, left, right = parts
    return left if function in _OPERATORS[3:] and right == 0 else function(left, right)


expressions = st.recursive(
    names | literals,
    lambda inner: st.tuples(st.sampled_from(_OPERATORS), inner, inner).map(_applied),
    max_leaves=12,
)


@given(expressions)
def test_text_evaluates_to_the_value(value: int) -> None:
    assert eval(f"{value}", {}, dict(NAMES)) == int(value)


@given(expressions, expressions)
def test_compares_and_hashes_as_its_value(left: int, right: int) -> None:
    assert (left == right) == (int(left) == int(right))
    assert (left < right) == (int(left) < int(right))
    assert hash(left) == hash(int(left))
    assert {left: "x"}[int(left)] == "x"


@given(names, expressions)
def test_any_operand_keeps_the_name(named: Named, other: int) -> None:
    for result in (named + other, other + named, named * other, other * named, named - other):
        assert isinstance(result, Named)


@given(expressions)
def test_rounding_helpers_forget_the_text(value: int) -> None:
    for plain in (int(value), abs(value), -value, max(1, int(value))):
        assert type(plain) is int


@given(expressions, st.dictionaries(st.sampled_from(sorted(NAMES)), st.booleans()))
def test_substitution_gives_a_text_of_the_caller(value: int, kept: dict[str, bool]) -> None:
    """Each argument is a plain number, another name, or a sum that needs brackets in a product."""
    outer = {"width": 5, **{f"{name}_out": n - 5 for name, n in NAMES.items()}}
    arguments: dict[str, int] = {}
    for name, number in NAMES.items():
        if name not in kept:
            arguments[name] = number
        elif kept[name]:
            arguments[name] = Named(number - 5, f"{name}_out") + Named(5, "width")
        else:
            arguments[name] = Named(number, f"{name}_whole")
            outer[f"{name}_whole"] = number
    seen = substitute(value, arguments)
    assert seen == value
    assert eval(f"{seen}", {}, outer) == int(value)


@given(expressions)
def test_substitution_of_plain_numbers_is_a_plain_number(value: int) -> None:
    assert type(substitute(value, NAMES)) is int


@given(expressions, st.sampled_from(_OPERATORS))
def test_substituted_values_compute_on(value: int, function: Callable[[int, int], int]) -> None:
    arguments = {name: Named(number - 1, f"{name}_out") + 1 for name, number in NAMES.items()}
    result = function(substitute(value, arguments), Named(2, "two"))
    outer = {"two": 2, **{f"{name}_out": number - 1 for name, number in NAMES.items()}}
    assert eval(f"{result}", {}, outer) == int(result)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((Named(1, "a") + Named(2, "b")) * 2, "(a + b) * 2"),
        (Named(9, "a") - (Named(5, "b") - 1), "a - (b - 1)"),
        (Named(9, "a") * (Named(5, "b") // 2), "a * (b // 2)"),
        (Named(9, "a") // 2 * 2, "a // 2 * 2"),
        (Named(1, "a") + 0, "a"),
        (0 + Named(1, "a"), "a"),
        (Named(5, "a") * 1, "a"),
        (Named(5, "a") * -1, "a * (-1)"),
        (sum([Named(1, "a"), Named(2, "b")]), "a + b"),
    ],
)
def test_brackets_only_where_needed(value: int, text: str) -> None:
    assert f"{value}" == text


def test_a_format_spec_formats_the_number() -> None:
    assert f"{Named(1234, 'a'):,}" == "1,234"


def test_is_name_tells_names_from_sums() -> None:
    assert Named(1, "a").is_name
    assert not Named(2, "a + 1", 1).is_name
