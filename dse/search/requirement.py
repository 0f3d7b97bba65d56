"""What a design has to reach to count at all: ``recall.covid>=0.9``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite

from dse.errors import InvalidValue

_FORM = re.compile(r"\s*(?P<metric>[^<>=]*[^<>=\s])\s*(?P<op>>=|<=)\s*(?P<value>[^<>=]+)")


@dataclass(frozen=True)
class Requirement:
    """A bound on a metric.

    Attributes:
        metric: its name as the evaluator returns it; of one class, ``recall.covid``.
        op: ``>=`` or ``<=``.
        value: the bound, which is allowed itself.
    """

    metric: str
    op: str
    value: float

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """A requirement as people write it.

        Example:
            >>> Requirement.parse("recall.covid >= 0.9")
            Requirement(metric='recall.covid', op='>=', value=0.9)

        Raises:
            InvalidValue: the text is not of that form.
        """
        match = _FORM.fullmatch(text)
        try:
            value = float(match["value"]) if match else inf
        except ValueError:
            value = inf
        if match is None or not isfinite(value):
            raise InvalidValue(
                "a requirement is written METRIC>=VALUE or METRIC<=VALUE with a number, as in "
                f"recall.covid>=0.9; got {text!r}"
            )
        return cls(match["metric"], match["op"], value)

    def met(self, values: Mapping[str, float]) -> bool:
        """Whether metrics hold the bound; where the metric is missing they do not."""
        return self.violation(values) == 0

    def violation(self, values: Mapping[str, float]) -> float:
        """By how much the metric misses the bound: 0 if it holds, infinite if it is missing."""
        if self.metric not in values:
            return inf
        short = self.value - values[self.metric]
        return max(0.0, short if self.op == ">=" else -short)

    def __str__(self) -> str:
        return f"{self.metric}{self.op}{self.value:g}"
