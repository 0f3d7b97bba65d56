"""What options would come to: the same as for those who choose them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.cost import Budget
from dse.errors import InvalidDesign
from dse.explore.explorer import Explorer, headings
from dse.explore.fill import Wishes
from dse.explore.moves import Moves
from dse.explore.options import MOST_VALUES, Around, shown_values
from dse.space import Integer, Real, Space, load_space, parse_space
from tests.space.small import TINY

NARROW = """
network:
  input: 3x6x6
  classes: 2
  nodes:
    - {name: a, conv: {channels: {choose: [2, 4]}, kernel: {choose: [1, 3, 5]}, padding: 0}}
    - {name: b, conv: {channels: 4, kernel: {choose: [1, 3]}, padding: 0}}
    - {name: c, conv: {channels: {choose: [2, 3]}, kernel: {choose: [1, 3]}, padding: 0}}
    - {name: pool, global_pool: {}}
    - {name: classifier, classifier: {}}
"""

SPACES = {
    "tiny": parse_space(TINY, "tiny"),
    "narrow": parse_space(NARROW, "narrow"),
    "fire": load_space("fire"),
}
MOVES = {name: Moves(space) for name, space in SPACES.items()}


def chosen(space: Space, wanted: dict[str, Any]) -> Any:
    """The cost of the design that follows what is wanted, or why there is none."""
    wishes = Wishes(space.choices(), wanted)
    try:
        return space.cost(space.walk(lambda name, _: wishes[name]))
    except InvalidDesign as error:
        return str(error)


@given(st.sampled_from(sorted(SPACES)), st.integers(0, 10_000), st.integers(2_000, 100_000))
def test_an_option_comes_to_what_the_design_that_takes_it_does(
    name: str, seed: int, memory: int
) -> None:
    space, budget = SPACES[name], Budget(peak_activation_bytes=memory, macs=30_000)
    decisions = space.sample(random.Random(seed), valid=False)
    around = Around(space, MOVES[name], decisions)
    assert around.decisions == decisions
    for asked in around.asked:
        for option in around.options(asked, budget):
            found = chosen(space, {**decisions, asked.name: option.value})
            if option.cost is None:
                assert option.problem == found
            else:
                assert (option.cost.params, option.cost.macs) == (found.params, found.macs)
                assert budget.admits(option.cost) == budget.admits(found)


def test_the_largest_space_is_followed_exactly() -> None:
    space = load_space("lightweight")
    moves, rng = Moves(space), random.Random(3)
    decisions = space.sample(rng)
    around = Around(space, moves, decisions)
    for asked in around.asked:
        for option in around.options(asked, Budget()):
            assert option.cost == chosen(space, {**decisions, asked.name: option.value})


def test_a_design_that_cannot_be_built_shows_all_its_decisions_and_the_way_out() -> None:
    space = SPACES["narrow"]
    around = Around(space, MOVES["narrow"], {"a.kernel": 5, "b.kernel": 3})
    assert around.problem.startswith("b ")
    assert [asked.name for asked in around.asked] == list(space.choices())
    by_name = {asked.name: list(around.options(asked, Budget())) for asked in around.asked}
    assert [option.cost is None for option in by_name["a.kernel"]] == [False, False, True]
    assert [option.cost is None for option in by_name["b.kernel"]] == [False, True]
    assert {option.problem for option in by_name["c.kernel"]} == {around.problem}


def test_a_new_repetition_begins_like_the_one_before_it() -> None:
    space = load_space("lightweight")
    wishes = Wishes(space.choices(), {"middle1.block": "fire", "middle3.block": "shuffle"})
    assert wishes["middle2.block"] == "fire"
    assert wishes["middle4.block"] == "shuffle"
    assert wishes["shallow2.block"] == "conv"  # the first option: nobody wanted anything


def test_what_is_no_option_is_left_out() -> None:
    space = SPACES["narrow"]
    wishes = Wishes(space.choices(), {"a.kernel": 4, "b.kernel": True, "x": 1})
    assert dict(wishes) == {}


@pytest.mark.parametrize(
    "choice",
    [
        Integer(1, 200),
        Integer(3, 2000, step=7),
        Integer(1, 1024, log=True),
        Real(0.0, 1.0),
        Real(0.001, 1.0, log=True),
        Real(0.0, 1.0, step=0.01),
    ],
    ids=str,
)
def test_of_a_long_range_a_few_values_are_shown_and_ones_own(choice: Integer | Real) -> None:
    value = choice.sample(random.Random(1))
    values = shown_values(choice, value)
    assert value in values
    assert {choice.low} < set(values)
    assert len(values) <= MOST_VALUES
    assert list(values) == sorted(set(values))
    assert all(choice.accept(one) == one for one in values)


def test_headings_keep_what_belongs_together() -> None:
    found = headings(["alpha", "stem", "stem.kernel", "deep", "deep1.block", "deep1.block.kernel"])
    assert found["alpha"]["group"] == ""
    assert found["stem"]["group"] == found["stem.kernel"]["group"] == "stem"
    assert found["deep"]["group"] == "deep"
    assert found["deep1.block.kernel"] == {"group": "deep1", "label": "block.kernel"}


def test_options_that_come_late_are_the_ones_that_come_at_once() -> None:
    explorer = Explorer(SPACES["fire"])
    decisions = SPACES["fire"].sample(random.Random(0))
    late = explorer.update(decisions, Budget(), patience=-1)
    assert late["more"]
    first, *others = [option for hole in late["holes"] for option in hole["options"]]
    assert first.keys() > {"value"}  # something is done however little time there is
    assert all(option.keys() == {"value"} for option in others)
    whole = explorer.update(decisions, Budget(), patience=60)
    assert not whole["more"]
    assert explorer.options(decisions, Budget(), patience=60)["holes"] == whole["holes"]
    assert late["design"] == whole["design"]
