"""What an emitted module allocates when eager torch runs it, by the rules of Python and torch."""

from __future__ import annotations

from math import prod

from dse.cost import FLOAT_BYTES
from dse.ir import Scope, Step, Value

VIEWS = ("Flatten", "Dropout")
"""Ops that make no new tensor in evaluation mode."""
WRAPPED = ("BatchNorm", "Act")
"""Ops that emitted code writes around the call whose value they take, in one statement."""


def eager_peak(program: Scope) -> int:
    """Bytes alive at peak: each op makes a new tensor, and none works in place; what a block reads
    lives until the block returns, and what a statement reads until it ends.
    """
    alive: dict[Value, int] = {value: prod(value.shape) for value in program.inputs}
    views: dict[Value, Value] = {}
    peak = 0

    def owner(value: Value) -> Value:
        while value in views:
            value = views[value]
        return value

    def run(scope: Scope) -> None:
        nonlocal peak
        held_until = _statements(scope)
        made: list[Value] = []
        for position, part in enumerate(scope.body):
            if isinstance(part, Scope):
                run(part)
            elif type(part.op).__name__ in VIEWS:
                views[part.output] = part.inputs[0]
            else:
                alive[part.output] = prod(part.output.shape)
                peak = max(peak, sum(alive.values()))
            made.append(part.output)
            kept = {owner(value) for value in (*scope.inputs, scope.output)}
            for number, other in enumerate(scope.body):
                if number > position or held_until[number] > position:
                    kept |= {owner(value) for value in other.inputs}
            for value in {owner(value) for value in made} - kept:
                alive.pop(value, None)

    run(program)
    return FLOAT_BYTES * peak


def _statements(scope: Scope) -> list[int]:
    """For each part of a scope, until which position what it reads has a name or is an argument."""
    body = scope.body
    wraps = [False] * len(body)
    for position in range(1, len(body)):
        before, part = body[position - 1], body[position]
        if isinstance(part, Step) and isinstance(before, Step) and part.inputs:
            wrapper = type(part.op).__name__ in WRAPPED
            wraps[position] = wrapper and part.inputs[0] is before.output
    ends = []
    for position in range(len(body)):
        end = position
        while not wraps[position] and end + 1 < len(body) and wraps[end + 1]:
            end += 1
        ends.append(end)
    return ends
