"""Random spaces of a few hundred designs, and all designs of a space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from hypothesis import strategies as st

from dse.errors import InvalidDesign
from dse.space import Choice, Decisions, Space, parse_space
from tests.timers import Blocked

_END: list[dict[str, Any]] = [
    {"name": "pool", "global_pool": {}},
    {"name": "classifier", "classifier": {}},
]
_LIMIT = 1_500

_widths = st.sampled_from([[4], [4, 8], [8, 4], [6, 16]])
_options = st.sampled_from([{"choose": [1, 2]}, {"choose": [2, 1], "name": "shared"}, 1])


@st.composite
def _block(draw: st.DrawFn, local: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["conv", "depthwise", "residual", "fire", "inverted"]))
    width: Any = {"choose": draw(_widths)}
    if draw(st.booleans()):
        width = {"choose": [4, 8], "name": f"{local}width"}
    if kind == "fire":
        return {"fire": {"squeeze": 2, "expand1x1": width, "expand3x3": 4}}
    fields: dict[str, Any] = {"channels": width, "stride": draw(_options)}
    if kind == "conv":
        fields["activation"] = {"choose": ["relu", "hard_swish"], "name": "activation"}
    if kind == "inverted":
        fields["expansion"] = draw(_options)
    block: dict[str, Any] = {kind: fields}
    if draw(st.integers(0, 2)) == 0:
        block["repeat"] = {"between": [draw(st.integers(0, 1)), 2]}
    return block


@st.composite
def _node(draw: st.DrawFn, name: str, local: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["block", "block", "choice", "split"]))
    if kind == "block":
        return {"name": name, **draw(_block(local))}
    if kind == "choice":
        return {
            "name": f"{local}{name}",
            "choose": {
                "none": [],
                "pool": {"name": name, "pool": {}, "otherwise": "identity"},
                "block": {"name": name, **draw(_block(local))},
            },
        }
    # Two branches that are added: values live beside the main path.
    left, right = draw(st.tuples(_options, _options))
    return {
        "name": "ways",
        "choose": {
            "one": {"name": f"{name}_only", "conv": {"channels": 4}},
            "two": [
                {"name": f"{name}_split", "identity": {}},
                {"name": f"{name}_a", "conv": {"channels": 4, "kernel": 1}, "repeat": left},
                {
                    "name": f"{name}_b",
                    "conv": {"channels": 4},
                    "repeat": right,
                    "inputs": f"{name}_split",
                },
                {"name": f"{name}_sum", "fusion": {}, "inputs": [f"{name}_a", f"{name}_b"]},
            ],
        },
    }


@st.composite
def small_spaces(draw: st.DrawFn) -> Space:
    """Spaces with shared, conditional and local decisions, groups, branches and a scale."""
    nodes: list[dict[str, Any]] = [{"name": "stem", **draw(_block(""))}]
    for number in range(draw(st.integers(0, 2))):
        nodes.append(draw(_node(f"node{number}", "")))
    if draw(st.booleans()):
        inner = [draw(_node("inner", "."))]
        nodes.append({"name": "group", "repeat": {"between": [1, 2]}, "nodes": inner})
    network: dict[str, Any] = {"input": "3x8x8", "classes": 3, "nodes": [*nodes, *_END]}
    if draw(st.booleans()):
        network["scale"] = {"choose": [0.5, 1.0]}
    space = parse_space(yaml.safe_dump({"network": network}, sort_keys=False), "small")
    count = space.size().count
    return space if count <= _LIMIT else draw(small_spaces())


def every(space: Space) -> Iterator[Decisions]:
    """All designs of a space that can be built, by asking again and again."""
    forced: list[list[Any]] = [[]]
    while forced:
        prefix = forced.pop()
        asked: list[Any] = []

        def decide(
            name: str, choice: Choice, asked: list[Any] = asked, prefix: list[Any] = prefix
        ) -> Any:
            position = len(asked)
            if position < len(prefix):
                asked.append(prefix[position])
            else:
                first, *others = choice.values()
                forced.extend([*asked, other] for other in others)
                asked.append(first)
            return asked[-1]

        decisions = space.walk(decide)
        try:
            space.cost(decisions)
        except InvalidDesign:
            continue
        yield decisions


@st.composite
def timed_or_not(draw: st.DrawFn) -> Space:
    """A small space that knows latencies, or does not."""
    space = draw(small_spaces())
    return space.timed_by(draw(st.sampled_from([None, Blocked()])))
