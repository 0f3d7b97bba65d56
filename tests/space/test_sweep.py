"""Sweeps: many designs at once cost what each costs alone."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.blocks import block_kinds
from dse.cost import Budget, count_block
from dse.errors import InvalidDesign
from dse.ir import Shape
from dse.space import Space, load_space, parse_space, space_names
from dse.space.many.codes import Codes, Intractable, Options
from dse.space.many.lanes import Lanes, apart, lanes, most, plain
from dse.space.many.rows import COSTS
from dse.space.many.stages import filled, split
from dse.space.sweep import decisions_of, sweep
from tests.space.small import SHUFFLED, TINY
from tests.strategies import KINDS, blocks

SPACES = {"tiny": TINY, "shuffled": SHUFFLED}


@pytest.fixture(scope="module", params=[*space_names(), *SPACES])
def space(request: pytest.FixtureRequest) -> Space:
    known = request.param in SPACES
    return parse_space(SPACES[request.param]) if known else load_space(request.param)


def alone(space: Space, decisions: Any) -> tuple[int, ...]:
    spent = space.cost(decisions)
    return tuple(getattr(spent, name) for name in COSTS)


def test_every_design_of_a_sweep_costs_what_it_costs_alone(space: Space) -> None:
    found = sweep(space, 400, seed=2)
    designs = list(range(len(found)))
    assert designs
    for design, decisions in zip(designs, decisions_of(space, found, designs), strict=True):
        assert tuple(int(found.costs[name][design]) for name in COSTS) == alone(space, decisions)


@pytest.mark.parametrize("input", [Shape((3, 32, 32)), Shape((1, 48, 80))], ids=str)
@pytest.mark.parametrize("name", ["fire", "hl-cnn", "shuffled"])
def test_so_it_is_for_other_images(name: str, input: Shape) -> None:
    space = parse_space(SPACES[name]) if name in SPACES else load_space(name)
    space = space.with_io(input, 7)
    found = sweep(space, 60)
    designs = list(range(len(found)))
    for design, decisions in zip(designs, decisions_of(space, found, designs), strict=True):
        assert tuple(int(found.costs[name][design]) for name in COSTS) == alone(space, decisions)


def test_what_cannot_be_built_is_left_out_and_told() -> None:
    space = parse_space(SHUFFLED)
    found = sweep(space, 2_000)
    built = 0
    rng = random.Random(0)
    for _ in range(2_000):
        try:
            space.cost(space.sample(rng, valid=False))
            built += 1
        except InvalidDesign:
            continue
    assert len(found) + sum(found.problems.values()) == 2_000
    assert len(found) == pytest.approx(built, rel=0.2)
    assert any("groups must divide the channels" in problem for problem in found.problems)


def test_decisions_are_drawn_as_a_single_design_draws_them() -> None:
    space = parse_space(TINY)
    found = sweep(space, 3_000, seed=1)
    swept = decisions_of(space, found, range(3_000))
    rng = random.Random(1)
    single = [space.sample(rng) for _ in range(3_000)]
    names = {name for decisions in swept for name in decisions}
    assert names == set(space.choices())
    for name in names:
        for value in space.choices()[name].values():
            a = np.mean([decisions.get(name) == value for decisions in swept])
            b = np.mean([decisions.get(name) == value for decisions in single])
            assert abs(a - b) < 0.06, (name, value)


def test_a_sweep_repeats_in_any_number_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("dse.space.sweep"), "_BATCH", 200)
    space = load_space("spp-covid")
    alone = sweep(space, 500, seed=4)
    together = sweep(space, 500, seed=4, processes=2)
    other = sweep(space, 500, seed=5)
    for name in COSTS:
        assert (alone.costs[name] == together.costs[name]).all()
    assert alone.rows.tolist() == together.rows.tolist() == list(range(500))
    assert (alone.costs["params"] != other.costs["params"]).any()
    last = decisions_of(space, alone, [499, 3])
    assert [space.cost(d).params for d in last] == alone.costs["params"][[499, 3]].tolist()


def test_fitting_designs_are_those_a_budget_admits() -> None:
    space = load_space("hl-cnn")
    found = sweep(space, 200)
    budget = Budget(params=4e5, size_bytes=1.5e6, macs=2e7)
    designs = decisions_of(space, found, range(200))
    assert found.fitting(budget).tolist() == [budget.admits(space.cost(d)) for d in designs]
    assert 0 < found.fitting(budget).sum() < 200


def test_a_continuous_range_cannot_be_swept() -> None:
    text = TINY.replace("scale: {choose: [0.5, 1.0]}", "scale: {between: [0.5, 1.0]}")
    with pytest.raises(Intractable, match="continuous"):
        sweep(parse_space(text), 10)


# -- every block in lanes --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(data=st.data())
def test_blocks_in_lanes_cost_what_they_cost_alone(kind: str, data: st.DataObject) -> None:
    """The same rules for many designs: a new block is tested by being registered."""
    cls = block_kinds()[kind]
    example = data.draw(blocks(cls))
    structure, first = split(example)
    count = data.draw(st.integers(1, 6))
    every = [first]
    for _ in range(count):
        other_structure, numbers = split(data.draw(blocks(cls)))
        every.append(numbers if other_structure == structure else first)
    sizes = st.integers(1, 12)
    rank = data.draw(st.sampled_from([1, 3]))
    shapes = [[data.draw(sizes) for _ in range(rank)] for _ in every]
    table, image = np.array(every, np.int64).reshape(len(every), -1), np.array(shapes)
    dies = (True,) * cls.arity

    def run(rows: Any) -> tuple[Any, ...]:
        block = filled(example, iter([lanes(table[rows, at]) for at in range(table.shape[1])]))
        shape = Shape(lanes(image[rows, at]) for at in range(rank))
        output, spent = count_block("rows", block, (shape,) * cls.arity, dies, 3, most)
        return (*output, *(getattr(spent, name) for name in COSTS))

    met = 0
    for rows, found in apart(np.arange(len(every)), run):
        for at, row in enumerate(rows.tolist()):
            met += 1
            block = filled(example, iter(every[row]))
            shape = Shape(shapes[row])
            try:
                output, spent = count_block("alone", block, (shape,) * cls.arity, dies, 3)
            except InvalidDesign:
                assert isinstance(found, InvalidDesign)
                continue
            assert not isinstance(found, InvalidDesign)
            of_row = [np.broadcast_to(plain(value), len(rows))[at] for value in found]
            assert of_row == [*output, *(getattr(spent, name) for name in COSTS)]
    assert met == len(every)


@given(
    st.lists(st.integers(-20, 20), min_size=1, max_size=8),
    st.integers(1, 9),
)
def test_lanes_compute_as_integers(values: list[int], other: int) -> None:
    def rule(x: Any) -> Any:
        y = (x + other) * 2 - x // other + (7 - x) % other
        if y > 10 and not x % 2:
            return -y * x**2
        for _ in range(abs(int(x)) % 3):
            y = 1 + y
        return y

    array = np.array(values)
    found = np.empty_like(array)
    for rows, result in apart(np.arange(len(values)), lambda rows: rule(lanes(array[rows]))):
        assert not isinstance(result, InvalidDesign)
        found[rows] = plain(result)
    assert found.tolist() == [rule(value) for value in values]


def test_the_largest_of_lanes_asks_no_lane() -> None:
    found = most([1, Lanes(np.array([0, 2, 5])), Lanes(np.array([3, 1, 1]))])
    assert plain(found).tolist() == [3, 2, 5]
    assert most([4, 9, 2]) == 9


def test_a_code_says_how_a_value_is_closed() -> None:
    space = parse_space(TINY)
    codes = Codes(Options())
    block = space.template.items[0].block  # type: ignore[union-attr]
    every = [codes.closed(block, code) for code in range(codes.size(block))]
    assert len({repr(closed[1]) for closed in every}) == codes.size(block) == 6
