"""`dse proxies`: whether training-free proxies are worth their time on one's own task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from dse.cli.numbers import whole
from dse.cli.options import Json
from dse.cli.output import print_json, print_table

_VERDICTS = {True: "yes", False: "no", None: "cannot tell"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="How training-free proxies rank the designs of a run.")(proxies)


def proxies(
    run: Annotated[str, typer.Argument(help="The run's name.")],
    workers: Annotated[
        int | None,
        typer.Option(parser=whole(1), metavar="N", help="Side by side. [default: one per core]"),
    ] = None,
    json: Json = False,
) -> None:
    """Rank correlation of training-free proxies with what the designs of a run reached by training,
    beside that of their parameters and multiply-adds."""
    from dse.runs import open_run
    from dse.runtime.train import threads_for
    from dse.search.proxy_ranks import rank_proxies

    found = open_run(run)
    with _bar(quiet=json) as progress:
        document = rank_proxies(found, workers=workers or min(8, threads_for(1)), progress=progress)
    if json:
        print_json(document)
    else:
        _print(document)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, in a terminal alone."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(
        console=console, transient=True, disable=quiet or not console.is_terminal
    ) as progress:
        task = progress.add_task("designs measured", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _print(document: dict[str, Any]) -> None:
    print(
        f"\n{document['run']}: Kendall's tau of proxies with {document['metric']} over "
        f"{document['designs']} designs\n"
    )
    header = ("proxy", "tau", "95 %", "at similar size", "95 %", "beats params and MACs")
    print_table(
        header,
        [
            (
                row["proxy"],
                *_cells(row["tau"], row["interval"]),
                *_cells(row["within"], row["within_interval"]),
                "" if row["lead"] is None else _VERDICTS[row["beats"]],
            )
            for row in document["rankings"]
        ],
        right="tau|at similar size",
    )
    print(
        "\nat similar size: over the pairs of designs in the same third by parameters; intervals "
        "by designs drawn anew"
    )
    better = [row["proxy"] for row in document["rankings"] if row["beats"]]
    if better:
        print(f"better than parameters and multiply-adds at similar size: {', '.join(better)}")
    else:
        print("no proxy is shown to rank designs of similar size better than plain costs do")
    if document["left_out"]:
        print(
            f"left out, for want of images or of a finite value: {', '.join(document['left_out'])}"
        )


def _cells(value: float | None, interval: tuple[float, float] | None) -> tuple[str, str]:
    if value is None or interval is None:
        return "", ""
    low, high = interval
    return f"{value:.2f}", f"{low:.2f} to {high:.2f}"
