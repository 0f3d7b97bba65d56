"""`dse search`: the main job."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dse.cli.numbers import seconds, whole
from dse.cli.options import (
    BudgetLatency,
    BudgetMacs,
    BudgetParams,
    BudgetPeakMemory,
    BudgetSize,
    Json,
)
from dse.cli.output import print_json, print_table, say
from dse.errors import DataError, InvalidValue

if TYPE_CHECKING:
    from dse.runs import Run, Trial

_BASICS = "What to search"
_BUDGET = "Budget: hard limits, never exceeded"
_HOW = "How to search"
_TIMES = ("predicted ms", "measured ms")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Search for the best networks within a budget.")(search)


def search(
    dataset: Annotated[
        str | None,
        typer.Option(help="covid, digits, cifar10, or the path of an image folder."),
    ] = None,
    evaluate: Annotated[
        str | None,
        typer.Option(
            metavar="EVALUATOR",
            help="What tells how good a design is: train, proxy:NAME (see dse list proxies), "
            "MODULE:FUNCTION, or an entry point. [default: train]",
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(help="A shipped space or a YAML file. [default: lightweight]"),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the data lies.")] = None,
    budget_params: BudgetParams = None,
    budget_macs: BudgetMacs = None,
    budget_peak_memory: BudgetPeakMemory = None,
    budget_size: BudgetSize = None,
    budget_latency_ms: BudgetLatency = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="PROFILE",
            help="A device profile or its file, see dse device list. [default: onnxruntime-cpu, "
            "this machine's, which is calibrated if it never was]",
        ),
    ] = None,
    objective: Annotated[
        list[str] | None,
        typer.Option(
            help="What to aim at, the most important first; repeat it. [default: accuracy, or the "
            "proxy, and params]"
        ),
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METRIC>=VALUE",
            help="What a design has to reach, as in recall.covid>=0.9 or loss<=0.3; repeat it.",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            parser=whole(1),
            metavar="N",
            help="Designs to train, the papers' included. [default: 16]",
        ),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            parser=seconds, metavar="TIME", help="Begin no further training after 30m, 2h."
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="How each design is trained, see dse list recipes. [default: quick]"),
    ] = None,
    recipe_set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A setting of the recipe, as in learning_rate=1e-3 or augment.rotate_degrees=10; "
            "may be repeated.",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(parser=whole(1), metavar="N", help="Per design. [default: the recipe's]"),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            parser=whole(8, 1024),
            metavar="PIXELS",
            help="[default: the recipe's, else the data set's own; without one the space's]",
        ),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(
            parser=whole(2),
            metavar="N",
            help="Without --dataset, how many classes. [default: the space's]",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            parser=whole(1),
            metavar="N",
            help="Evaluations side by side. [default: one per core, at most 8; 1 on a GPU and of "
            "a function]",
        ),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(metavar="URL", help="An Optuna storage instead of the run's journal file."),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(help="auto, tpe, nsga2, gp or random. [default: auto]"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(parser=whole(0), metavar="N", help="[default: 0]")
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(
            parser=whole(0), metavar="N", help="The fold kept for the test. [default: the last]"
        ),
    ] = None,
    train_device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    rungs: Annotated[
        bool | None,
        typer.Option(
            "--rungs/--no-rungs",
            help="Stop designs after a part of their epochs where others do better. "
            "[default: rungs, in searches long enough]",
        ),
    ] = None,
    run: Annotated[str | None, typer.Option(help="The run's name.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run, with the settings it began with.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder of the winner's files. [default: generated/RUN]"),
    ] = None,
    int8: Annotated[
        bool,
        typer.Option(
            "--int8", help="The winner's ONNX also quantised to int8, compared with float32."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Search for the best networks within a budget: Pareto front, report, the winner's code."""
    from dse.cli.session import Session
    from dse.recipes import overrides

    asked: dict[str, Any] = {
        "dataset": dataset,
        "evaluate": evaluate,
        "space": space,
        "data_dir": None if data_dir is None else str(data_dir.resolve()),
        "budget": {
            key: value
            for key, value in {
                "params": budget_params,
                "macs": budget_macs,
                "peak_activation_bytes": budget_peak_memory,
                "size_bytes": budget_size,
                "latency_ms": budget_latency_ms,
            }.items()
            if value is not None
        }
        or None,
        "latency_device": device,
        "objectives": objective or None,
        "require": require or None,
        "recipe": recipe,
        "recipe_set": overrides(recipe_set or ()) or None,
        "epochs": epochs,
        "image_size": image_size,
        "classes": classes,
        "storage": storage,
        "sampler": sampler,
        "rungs": rungs,
        "seed": seed,
        "fold": fold,
    }
    session = Session.resumed(run, asked) if resume else Session.new(run, asked)
    session.command = shlex.join(["dse", *sys.argv[1:]])
    if int8 and session.options["evaluate"] != "train":
        raise InvalidValue(
            "--int8 quantises trained weights; got it with --evaluate "
            f"{session.options['evaluate']}, which trains none"
        )
    if out is not None:
        _make_folder(out)
    try:
        found = session.search(
            trials=trials,
            time_limit=time_limit,
            workers=workers,
            train_device=train_device,
            quiet=json,
        )
        session.finish(out, int8=int8)
        session.measure(quiet=json)
    except KeyboardInterrupt:
        say(session.how_to_go_on())
        raise
    from dse.report import document, write_report

    page = write_report(found, found.folder / "report.html")
    if json:
        print_json(document(found, page))
        return
    _print_result(found)
    print()
    for path in [*found.settings["generated"], str(page)]:
        print(path)


def _make_folder(out: Path) -> None:
    """Have the folder before the search, not find out after it that it cannot be had."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{out}: the folder cannot be made: {reason}") from None


def _print_result(run: Run) -> None:
    """The front beside the papers' networks, and what the test part says."""
    from dse.cli.asked import metric_of
    from dse.runs import direction

    settings = run.settings
    metric = metric_of(settings["options"])
    sign = -1 if direction(metric) == "maximize" else 1
    kept = {trial.trial for trial in run.front()}
    shown = [t for t in run.trials if t.state == "finished" and (t.baseline or t.trial in kept)]
    shown.sort(key=lambda trial: (sign * trial.values.get(metric, 0.0), trial.cost["params"]))
    data = settings.get("data", {})
    count = len(run.trials)
    tried = "1 design" if count == 1 else f"{count} designs"
    stopped = sum(trial.state == "stopped" for trial in run.trials)
    if settings.get("evaluate", "train") == "train":
        what = "synthetic phantoms, not patients" if data.get("synthetic") else "validation images"
        early = f" ({stopped} stopped early)" if stopped else ""
        print(f"\n{run.name}: {tried} trained{early}, {metric} on {what}\n")
    else:
        print(f"\n{run.name}: {tried} evaluated by {settings['evaluate']}\n")
    timed = any(trial.latency_ms is not None for trial in shown)
    limit = settings["budget"].get("latency_ms")
    print_table(
        ("", "design", "trial", metric, "params", "MACs", "peak memory", *(_TIMES * timed)),
        [_line(trial, metric, trial.trial in kept, timed, limit) for trial in shown],
        right=f"{metric}|params|MACs|peak memory|predicted ms|trial",
    )
    aims = " and ".join(run.objectives)
    print(f"\n* on the Pareto front of {aims}; the papers' networks stand by their names")
    failed = [trial for trial in run.trials if trial.state == "failed"]
    for trial in failed:
        say(f"trial {trial.trial} {trial.name} failed: {trial.reason}")
    ineligible = [trial for trial in run.trials if trial.misses]
    if ineligible:
        names = ", ".join(sorted({name for trial in ineligible for name in trial.misses}))
        print(f"{len(ineligible)} of the finished designs do not reach {names} and cannot win")
    _print_standings(settings, run.objectives[0])
    for result in settings.get("result", []):
        if "accuracy" in result:
            low, high = result["interval"]
            role = "best preset" if result["baseline"] else "best searched design"
            role = "winner" if result["trial"] == settings.get("winner") else role
            print(
                f"{role}: {result['name']} (trial {result['trial']}), trained again on all but the "
                f"test part: test accuracy {result['accuracy']:.3f}, "
                f"95 % interval {low:.3f} to {high:.3f}, "
                f"{result['n']} images"
            )
    if settings.get("int8"):
        from dse.runtime.export.int8 import Quantised

        figures = {key: value for key, value in settings["int8"].items() if key != "path"}
        print(Quantised(**figures))
    if data.get("note"):
        print(f"data: {data['note']}")


def _print_standings(settings: dict[str, Any], metric: str) -> None:
    rows = settings.get("standings") or []
    if not rows:
        return
    print(f"\nthe leaders, trained again with seeds that the search has not seen ({metric}):\n")
    print_table(
        ("", "design", "mean", "each", "in the search", "params", ""),
        [
            (
                "*" if row["trial"] == settings.get("winner") else "",
                row["name"],
                "failed" if row["mean"] is None else f"{row['mean']:.3f}",
                ", ".join(f"{value:.3f}" for value in row["again"]),
                f"{row['found']:.3f}",
                f"{row['params']:,}",
                "tied with the best" if row["tied"] else "",
            )
            for row in rows
        ],
        right="mean|in the search|params",
    )
    print("\n* the winner; tied: its difference from the best mean may be noise")


def _line(
    trial: Trial, metric: str, on_front: bool, timed: bool, limit: float | None
) -> tuple[str, ...]:
    value = trial.values.get(metric, float("nan"))
    return (
        "*" if on_front else "",
        trial.name,
        str(trial.trial),
        f"{value:.3f}" if abs(value) < 1000 else f"{value:.4g}",
        f"{trial.cost['params']:,}",
        f"{trial.cost['macs']:,}",
        f"{trial.cost['peak_activation_bytes']:,}",
        *(_times(trial, limit) if timed else ()),
    )


def _times(trial: Trial, limit: float | None) -> tuple[str, str]:
    """Its predicted latency, and the measured one beside it."""
    from dse.search.verified import taken, verdict

    predicted = "" if trial.latency_ms is None else f"{trial.latency_ms:.3g}"
    return predicted, ", ".join(text for text in (taken(trial), verdict(trial, limit)) if text)
