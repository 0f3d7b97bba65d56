"""What the parts of the compiler share: the place in the document, the path of the holes, the
limits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from dse.errors import InvalidDesign
from dse.space.choices import Scalar

MAX_PARTS = 20_000
"""Values and nodes of a document, those behind aliases counted each time they are used."""
MAX_DEPTH = 60
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+ -]*")


@dataclass
class Count:
    """How many parts have been read so far, over the whole document."""

    parts: int = 0


@dataclass(frozen=True)
class Here:
    """A position while reading.

    Attributes:
        place: the path in the document, for errors: ``fire.yaml: network.nodes[3].fire``.
        path: the path of holes within their scope, ends with a dot unless empty.
        grouped: whether a group is around it, so that there are local names.
        depth: how many mappings and lists deep it is.
        count: shared by all positions of a document.
    """

    place: str
    path: str = ""
    grouped: bool = False
    depth: int = 0
    count: Count = field(default_factory=Count)

    def at(self, key: object, path: str = "") -> Here:
        """The position of a key or index below; `path` is what it adds to the names of holes."""
        joiner = f"[{key}]" if isinstance(key, int) and not isinstance(key, bool) else f".{key}"
        place = self.place + (joiner if not self.place.endswith(": ") else str(key))
        self.count.parts += 1
        if self.count.parts > MAX_PARTS:
            raise InvalidDesign(
                f"{place}: a space has at most {MAX_PARTS:,} parts, aliases counted each time"
            )
        if self.depth > MAX_DEPTH:
            raise InvalidDesign(f"{place}: a space is nested at most {MAX_DEPTH} deep")
        added = f"{self.path}{path}." if path else self.path
        return replace(self, place=place, path=added, depth=self.depth + 1)

    def fail(self, problem: str) -> NoReturn:
        """Raise the error of this place."""
        raise InvalidDesign(f"{self.place.removesuffix(': ')}: {problem}")

    def mapping(self, value: object, what: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            self.fail(f"{what} is a mapping, got {shown(value)}")
        return value

    def only(self, document: dict[Any, Any], known: tuple[str, ...], what: str) -> None:
        """Refuse keys other than the known ones."""
        for key in document:
            if key not in known:
                self.fail(f"{what} has the keys {', '.join(known)}; got {key!r}")

    def words(self, value: object, what: str) -> tuple[str, ...]:
        """A word or a list of words."""
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            self.fail(f"{what} are names, got {shown(value)}")
        return tuple(words)


def shown(value: object) -> str:
    """A value as errors show it: short, whatever it is."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float) and value == value  # not NaN


def check_options(options: list[Any], here: Here) -> tuple[Scalar, ...]:
    """Options and labels are different, and simple enough to be decisions.

    Raises:
        InvalidDesign: there are none, two are equal, or one is not a scalar.
    """
    if not options:
        here.fail("a choice has at least one option, got none")
    seen: list[Scalar] = []
    for option in options:
        if not is_scalar(option):
            here.fail(
                "options are words, numbers, true or false (label others: {label: value}), "
                f"got {shown(option)}"
            )
        if option in seen:
            here.fail(f"options differ from each other, got {option!r} twice")
        seen.append(option)
    return tuple(seen)


def check_labels(options: dict[Any, Any], here: Here) -> tuple[Scalar, ...]:
    """Like `check_options`, and words among them can stand in the names of decisions."""
    labels = check_options(list(options), here)
    for label in labels:
        if isinstance(label, str) and not _PATH.fullmatch(label):
            here.fail(f"a label is letters, digits, _, + and -, got {label!r}")
    return labels
