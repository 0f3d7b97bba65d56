"""`dse data`: look at data sets, check them, fetch and make them."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dse.cli.numbers import whole
from dse.cli.options import Json
from dse.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from dse.data.audit import Audit, Finding

Seed = Annotated[int, typer.Option(parser=whole(0), metavar="N", help="Of the random draws.")]
_WIDEST = 100
_INDENT = " " * 7

commands = typer.Typer(help="List, check, fetch and make data sets.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="data")


@commands.command("list", short_help="The data sets of this machine, with sizes and places.")
def list_(json: Json = False) -> None:
    """The data sets of this machine: how many images, how large, where they lie."""
    from dse.data.inventory import inventory

    rows = inventory()
    if json:
        print_json([row.document() for row in rows])
        return
    print_table(
        ("name", "status", "images", "pixels", "on disk", "classes", "where"),
        [
            (
                row.name,
                row.status,
                "" if row.images is None else f"{row.images:,}",
                row.pixels,
                _megabytes(row.bytes),
                _few(row.classes),
                row.where,
            )
            for row in rows
        ],
        right="images|on disk",
    )


def _megabytes(number: int | None) -> str:
    if number is None:
        return ""
    return f"{number / 1e6:,.1f} MB" if number < 1e9 else f"{number / 1e9:,.1f} GB"


def _few(classes: tuple[str, ...]) -> str:
    return ", ".join(classes) if len(classes) < 5 else f"{classes[0]} and {len(classes) - 1} more"


@commands.command(short_help="Audit a data set before hours are spent on it.")
def check(
    name: Annotated[
        str,
        typer.Argument(help="covid, digits, cifar10, or the path of an image folder or .npz file."),
    ],
    data_dir: Annotated[Path | None, typer.Option(help="Where the data lies.")] = None,
    image_size: Annotated[
        int | None,
        typer.Option(parser=whole(8, 1024), metavar="PIXELS", help="[default: the data set's own]"),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(parser=whole(0), metavar="N", help="The test fold. [default: as in training]"),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Audit a data set: files, sizes, classes, patients, duplicates, leakage, trivial cues.

    Each check says ok, look (for a person to judge) or wrong (accuracies would be untrue), and what
    to do. The exit code is 0 whatever is found.
    """
    from dse.data.audit import audit
    from dse.data.catalog import place_of, read_dataset

    start = time.perf_counter()
    with _bar("reading images") as progress:
        data = read_dataset(
            name, data_dir=data_dir, image_size=image_size, seed=seed, progress=progress
        )
    place = place_of(name, data_dir)
    with _bar("checking") as progress:
        found = audit(data, place, seed=seed, test_fold=fold, progress=progress)
    if json:
        print_json(found.document())
        return
    for line in _report(found, time.perf_counter() - start):
        print(line)


def _report(found: Audit, seconds: float) -> Iterator[str]:
    data = found.data
    kind = "gray" if data.channels == 1 else "RGB"
    yield (
        f"{data.name}: {len(data.labels):,} images, used as {data.image_size}x{data.image_size} "
        f"{kind}, {len(data.classes)} classes"
    )
    if found.place is not None:
        yield f"from {found.place}"
    yield from _wrapped(data.note, "", "")
    yield ""
    wide = max(len(one.check) for one in found.findings)
    for one in found.findings:
        yield from _lines(one, wide)
    counts = {
        verdict: sum(one.verdict == verdict for one in found.findings)
        for verdict in ("ok", "look", "wrong")
    }
    yield ""
    end = {
        "ok": "ready to train on",
        "look": "look at these before training",
        "wrong": "mend what is wrong before training",
    }[found.verdict]
    said = ", ".join(
        f"{number} {'to look at' if verdict == 'look' else verdict}"
        for verdict, number in counts.items()
        if number
    )
    yield f"{said}: {end} ({seconds:.1f} s)"


def _lines(one: Finding, wide: int) -> Iterator[str]:
    """The verdict and what was found, then details, then what to do."""
    margin = _INDENT + " " * (wide + 2)
    yield from _wrapped(one.says, f"{one.verdict:<5}  {one.check:<{wide}}  ", margin)
    for detail in one.details:
        yield from _wrapped(detail, f"{margin}  ", f"{margin}    ")
    if one.advice:
        yield from _wrapped(one.advice, f"{margin}-> ", f"{margin}   ")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    width = min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns)
    # Tables among the details are lines of their own, with spaces that count.
    if len(first) + len(text) <= width:
        return [f"{first}{text}".rstrip()]
    return textwrap.wrap(
        text,
        max(width, len(rest) + 40),
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
        break_long_words=False,
    )


@commands.command(short_help="Download a data set that may be downloaded.")
def fetch(
    name: Annotated[str, typer.Argument(help="cifar10; others need a person's consent.")],
    url: Annotated[
        str | None, typer.Option(help="A mirror; what it sends must be the same, byte for byte.")
    ] = None,
) -> None:
    """Download a data set into the cache, where all commands find it, and verify it."""
    from dse.data.fetch import fetch as download

    with _bar(f"fetching {name}", bytes_too=True) as progress:
        place = download(name, url=url, progress=progress)
    print(f"{name} lies in {place}" if place is not None else f"{name} comes with scikit-learn")


@commands.command(short_help="Write synthetic chest phantoms as an image folder.")
def make(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    per_class: Annotated[
        int, typer.Option(parser=whole(15, 100_000), metavar="N", help="Images of each class.")
    ] = 300,
    image_size: Annotated[
        int, typer.Option(parser=whole(8, 1024), metavar="PIXELS", help="Height and width.")
    ] = 64,
    seed: Seed = 0,
) -> None:
    """Write synthetic chest phantoms: PNG files by class, with patients and folds in splits.csv.

    They are drawings, for trying out commands without medical data; no accuracy on them says
    anything of disease. Whatever reads the folder calls them synthetic.
    """
    from dse.data.phantoms import make_phantoms
    from dse.data.write import check_empty, write_folder

    check_empty(folder)
    data = make_phantoms(size=image_size, seed=seed, per_class=per_class)
    write_folder(data, folder)
    say(data.note)
    print(f"{len(data.labels):,} synthetic images of {image_size}x{image_size} lie in {folder}")


@contextmanager
def _bar(what: str, *, bytes_too: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr in a terminal, which goes when it is done; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn() if bytes_too else MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
