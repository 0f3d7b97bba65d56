"""`dse diff`: what separates two networks, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli.designs import find
from dse.cli.numbers import settings
from dse.cli.options import Classes, ImageSize, Input, Json, Name
from dse.cli.output import print_json, print_table

if TYPE_CHECKING:
    from dse.blocks.base import Block
    from dse.cost import Cost
    from dse.diff import Change, Diff, Row
    from dse.network import Network

Other = Annotated[
    str | None, typer.Argument(help="What it is compared with; left out, the nearest preset.")
]
OfFirst = Annotated[
    list[str] | None,
    typer.Option("--set", help="An argument of preset A, as in alpha=0.5; may be repeated."),
]

_MARKS = {"same": " ", "changed": "~", "added": "+", "removed": "-"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("diff", short_help="What separates two networks, block by block.")(diff_)


def diff_(
    a: Name,
    b: Other = None,
    classes: Classes = None,
    image_size: ImageSize = None,
    input: Input = None,
    set_: OfFirst = None,
    json: Json = False,
) -> None:
    """What separates two networks, block by block, and what each difference costs.

    Told from A to B: +1,000 parameters are what B has more. Images and classes given here hold for
    both networks; otherwise a preset beside a design or a trial takes those of the latter.
    """
    from dse.diff import diff, nearest_preset, preset_label
    from dse.presets import preset_names

    arguments = settings(set_ or [])
    label, note = preset_label(a, arguments), ""
    if b is None:
        first = find(a, classes, image_size, input, set_)
        nearest = nearest_preset(first, excluding=a if a in preset_names() else None)
        second, other = nearest.network, nearest.label
        note = f"; found as the nearest of {nearest.compared} presets and variants"
    else:
        first, second = _both(a, b, classes, image_size, input, set_)
        other = b
    found = diff(first, second)
    if json:
        print_json({**found.document(), "a": label, "b": other, "nearest": bool(note)})
        return
    print(f"- {_summary(label, first, found.cost_a)}")
    print(f"+ {_summary(other, second, found.cost_b)}{note}\n")
    if found:
        print_table(
            ("", "block", "what", "params", "MACs"), list(_lines(found)), right="params|MACs"
        )
    else:
        print("no difference: the two compute the same")
    print()
    print(_totals(found))


def _both(
    a: str,
    b: str,
    classes: int | None,
    image_size: int | None,
    input: str | None,
    pairs: list[str] | None,
) -> tuple[Network, Network]:
    """The two networks; of a preset and a design, the preset is taken for the design's images and
    classes, unless they are given.
    """
    from dse.presets import preset_names

    def follow(name: str, other: Network, pairs: list[str] | None) -> Network:
        given = settings(pairs or [])
        own_input = input or (None if image_size or "input" in given else str(other.input))
        own_classes = classes or (None if "classes" in given else other.classes)
        return find(name, own_classes, image_size, own_input, pairs)

    is_preset = [name in preset_names() for name in (a, b)]
    if is_preset == [True, False]:
        second = find(b, classes, image_size, input, None)
        return follow(a, second, pairs), second
    first = find(a, classes, image_size, input, pairs)
    if is_preset == [False, True]:
        return first, follow(b, first, None)
    return first, find(b, classes, image_size, input, None)


# -- text


def _summary(name: str, network: Network, spent: Cost) -> str:
    size = f"{spent.params:,} params, {spent.macs:,} MACs"
    return f"{name}: {network.input}, {network.classes} classes; {size}"


def _lines(found: Diff) -> Iterator[tuple[str, str, str, str, str]]:
    """The table: differences one a line, blocks that are the same folded."""
    if found.changes:
        yield "~", "the network", _list(found.changes), "", ""
    for same, run in groupby(found.rows, key=lambda row: row.status == "same"):
        rows = list(run)
        if same:
            yield " ", _span(rows), _count(len(rows)), "", ""
            continue
        before: Row | None = None
        for row in rows:
            what = "as above" if _repeats(row, before) else _what(row)
            yield _MARKS[row.status], _name(row), what, _signed(row.params), _signed(row.macs)
            before = row


def _count(same: int) -> str:
    return "the same" if same == 1 else f"{same} blocks the same"


def _name(row: Row) -> str:
    names = [node.name for node in (row.a, row.b) if node is not None]
    return names[0] if len(set(names)) == 1 else " -> ".join(names)


def _span(rows: list[Row]) -> str:
    first, last = _name(rows[0]), _name(rows[-1])
    return first if len(rows) == 1 else f"{first} ... {last}"


def _repeats(row: Row, before: Row | None) -> bool:
    """Whether a block was added or removed as the one before it in its stage."""
    if before is None or row.status != before.status or row.status == "changed":
        return False
    node, last = row.a or row.b, before.a or before.b
    assert node is not None
    assert last is not None
    stages = {one.name.partition(".")[0] for one in (node, last)}
    return len(stages) == 1 and node.block == last.block


def _what(row: Row) -> str:
    node, other = row.a or row.b, row.b
    assert node is not None
    if row.status != "changed":
        return _block(node.block)
    if other is not None and row.changes[0].field == "kind":
        rest = f"; {_list(row.changes[1:])}" if row.changes[1:] else ""
        return f"{_block(node.block)} -> {_block(other.block)}{rest}"
    return f"{node.block.kind}: {_list(row.changes)}"


def _block(block: Block) -> str:
    """``conv channels=64 kernel=1``: the fields that are not at their defaults."""
    [(kind, fields)] = block.document().items()
    return " ".join([kind, *(f"{name}={_value(value)}" for name, value in fields.items())])


def _list(changes: tuple[Change, ...]) -> str:
    return ", ".join(
        f"{change.field} {_value(change.old)} -> {_value(change.new)}" for change in changes
    )


def _value(value: Any) -> str:
    """A field's value, as short as it can be said."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case [str(), *_]:  # the nodes that another reads
            return " and ".join(value)
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            [(kind, fields)] = value.items()
            inside = ", ".join(f"{name}={_value(inner)}" for name, inner in fields.items())
            return f"{kind}({inside})" if inside else kind
        case _:
            return str(value)


def _signed(number: int) -> str:
    return f"{number:+,}" if number else "0"


def _totals(found: Diff) -> str:
    """The last line: what B costs more or less than A."""
    totals = (
        ("params", found.params, found.cost_a.params),
        ("MACs", found.macs, found.cost_a.macs),
        (
            "bytes of peak activations",
            found.peak_activation_bytes,
            found.cost_a.peak_activation_bytes,
        ),
    )
    return f"total: {', '.join(_total(*total) for total in totals)}"


def _total(what: str, delta: int, before: int) -> str:
    share = f" ({100 * delta / before:+.1f} %)" if delta and before else ""
    return f"{_signed(delta)} {what}{share}"
