"""The body of a `forward`: which values get a name, which names, and in what statements.

Rules of rhythm: a convolution (or other heavy op) starts a statement and element-wise ops ride
along; ``x`` is the main path; a value read twice gets a name; a line too long is divided at a value
in its middle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from dse.emit.expressions import Item
from dse.ir import Value

LIMIT = 88
_INDENT = 8
_NAMES = ("x", "y", "z", "u", "v", "w")


class Body:
    """Writes the statements that compute `output` from `inputs`."""

    def __init__(
        self,
        items: Sequence[Item],
        inputs: Sequence[tuple[Value, str]],
        output: Value,
        named: Iterable[Value] = (),
    ) -> None:
        self.items = {id(item.output): item for item in items}
        self.inputs = {id(value): name for value, name in inputs}
        self.output = output
        self.roots = {id(value) for value in named}
        self._reads = Counter(id(v) for item in items for v in item.operands)
        self._choose_roots()

    def statements(self) -> list[str]:
        """The lines of the body; the last one returns."""
        while True:
            lines, too_long = self._write()
            if too_long is None:
                return lines
            self.roots |= too_long

    # -- which values get a statement

    def _choose_roots(self) -> None:
        self.roots |= {
            key for key, item in self.items.items() if self._reads[key] > 1 and not item.trivial
        }
        work: dict[int, int] = {}
        for key, item in self.items.items():
            working = [k for k in self._inlined(item) if work[k]]
            working.sort(key=list(self.items).index)
            if item.heavy:
                self.roots |= set(working)
            elif not item.joins:
                self.roots |= set(working[:-1])
            work[key] = item.heavy + sum(work[k] for k in self._inlined(item))

    def _inlined(self, item: Item) -> list[int]:
        """The operands that are written inside `item`'s own expression."""
        keys = [id(value) for value in item.operands]
        return [k for k in keys if k in self.items and k not in self.roots]

    # -- the text ----------------------------------------------------------------------------------

    def _write(self) -> tuple[list[str], set[int] | None]:
        """The statements, or which values must become statements because a line is too long."""
        order = [key for key in self.items if key in self.roots and key != id(self.output)]
        if id(self.output) in self.items:
            order.append(id(self.output))
        reads = {key: self._leaves(self.items[key]) for key in order}
        names = dict(self.inputs)
        lines: list[str] = []
        for position, key in enumerate(order):
            item = self.items[key]
            later = {k for other in order[position + 1 :] for k in reads[other]}
            text = self._text(item, names)
            # A module's call has no type to a checker: it is assigned to a typed name before
            # returning.
            last = position == len(order) - 1 and self._is_typed(item)
            name = "" if last else self._name(item, reads[key], later, names)
            line = f"return {text}" if last else f"{name} = {text}"
            if len(line) + _INDENT > LIMIT and (parts := self._division(item, names)):
                return [], parts
            if name:
                names = {k: n for k, n in names.items() if n != name} | {key: name}
            comment = f"  # {item.comment}" if item.comment else ""
            lines.append(line if len(line + comment) + _INDENT > LIMIT else line + comment)
        if not lines or not lines[-1].startswith("return "):
            lines.append(f"return {names[id(self.output)]}")
        return lines, None

    def _text(self, item: Item, names: dict[int, str]) -> str:
        texts = []
        for n, value in enumerate(item.operands):
            key = id(value)
            if key in names:
                texts.append(names[key])
                continue
            inner = self.items[key]
            text = self._text(inner, names)
            needed = item.operand_binding[n] if item.operand_binding else 0
            texts.append(text if inner.binding >= needed else f"({text})")
        return item.write(texts)

    def _is_typed(self, item: Item) -> bool:
        if item.typed is not None:
            return item.typed
        return all(self._is_typed(self.items[key]) for key in self._inlined(item))

    def _leaves(self, item: Item) -> list[int]:
        """The named values that an item's expression reads, in order."""
        found = []
        for value in item.operands:
            key = id(value)
            if key in self.items and key not in self.roots:
                found += self._leaves(self.items[key])
            else:
                found.append(key)
        return found

    def _name(self, item: Item, reads: list[int], later: set[int], names: dict[int, str]) -> str:
        """The name of a value that ends here is free again; the main path keeps ``x``."""
        dying = [names[key] for key in reads if key not in later]
        if dying:
            return "x" if "x" in dying else dying[0]
        alive = {name for key, name in names.items() if key in later}
        free = [name for name in _NAMES if name not in alive]
        if item.hint and item.hint not in alive:
            return item.hint
        return free[0] if free else f"x{len(alive)}"

    def _division(self, item: Item, names: dict[int, str]) -> set[int]:
        """Which inner values to name so that an over-long line becomes shorter ones."""
        inner = self._inlined(item)
        if item.joins:
            return {key for key in inner if not self.items[key].trivial}
        sizes: dict[int, int] = {}
        pending = list(inner)
        while pending:
            key = pending.pop()
            if not self.items[key].trivial:
                sizes[key] = len(self._text(self.items[key], names))
            pending += self._inlined(self.items[key])
        half = len(self._text(item, names)) / 2
        return {min(sizes, key=lambda key: abs(sizes[key] - half))} if sizes else set()


__all__ = ["LIMIT", "Body"]
