"""Regular runs among the blocks of a stage: equal ones, and those whose numbers grow steadily.

DenseNet-201 has 98 layers, each wider by one growth than the one before. They read as
``DenseLayer(64 + 32 * i, 32) for i in range(6)``, grouped as in the paper's table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CALL = re.compile(r"([\w.]+)\((\d+(?:, \d+)*)\)")
_EQUAL, _GROWING = 3, 4
"""How many make a run; two or three that differ read better in full."""


def runs(members: list[str]) -> Iterator[tuple[str, int]]:
    """Members in order, each with the number of times it stands for.

    In the text of a run whose numbers grow, ``i`` counts from 0.
    """
    position = 0
    while position < len(members):
        same = next(
            (n for n, other in enumerate(members[position:]) if other != members[position]),
            len(members) - position,
        )
        if same >= _EQUAL:
            yield members[position], same
            position += same
            continue
        text, count = _growing(members[position:])
        yield text, count
        position += count


def _growing(members: list[str]) -> tuple[str, int]:
    """The longest run from the first member on in which every argument grows by a fixed step."""
    calls = [_CALL.fullmatch(member) for member in members]
    numbers: list[list[int]] = []
    for call in calls:
        if call is None or calls[0] is None or call[1] != calls[0][1]:
            break
        numbers.append([int(number) for number in call[2].split(", ")])
    if len(numbers) < _GROWING or len(numbers[0]) != len(numbers[1]):
        return members[0], 1
    steps = [after - before for before, after in zip(numbers[0], numbers[1], strict=True)]
    count = 1
    while count < len(numbers) and numbers[count] == [
        start + count * step for start, step in zip(numbers[0], steps, strict=True)
    ]:
        count += 1
    if count < _GROWING or min(steps) < 0:
        return members[0], 1
    arguments = [_term(start, step) for start, step in zip(numbers[0], steps, strict=True)]
    assert calls[0] is not None
    return f"{calls[0][1]}({', '.join(arguments)})", count


def _term(start: int, step: int) -> str:
    if not step:
        return str(start)
    return f"{start} + {'' if step == 1 else f'{step} * '}i"
