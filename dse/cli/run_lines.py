"""What `dse runs` says of each run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dse.errors import DseError
from dse.experiments.experiment import FILE, Experiment, open_experiment
from dse.runs import Run, is_held, runs_folder

State = Literal["running", "finished", "interrupted"]


@dataclass(frozen=True)
class Line:
    """How a run stands.

    Attributes:
        name: the run's.
        what: ``search``, or ``trainings`` of `dse train` and `dse compare`.
        state: ``running`` while a process is at it, ``finished``, or ``interrupted``: it may be
            resumed.
        data: the data set, or the evaluator that stands for one.
        synthetic: whether the images are drawn, not taken.
        budget: the limits, by name.
        done: trials, or trainings, that ended.
        wanted: how many are asked for.
        failed: those of `done` that failed.
        metric: what `best` is of: a search's first objective, or accuracy.
        part: the images that `best` was measured on: ``validation`` or ``test``; empty where it
            does not come from images.
        best: the best value; of trainings the best mean of a model.
        design: which has it.
        started: when it began, ISO 8601.
        seconds: spent on it.
        damaged: rows that cannot be read, as ``line 7: why``.
    """

    name: str
    what: Literal["search", "trainings"]
    state: State
    data: str
    synthetic: bool
    budget: dict[str, float]
    done: int
    wanted: int
    failed: int
    metric: str
    part: str
    best: float | None
    design: str
    started: str
    seconds: float
    damaged: list[str] = field(default_factory=list)


def run_lines() -> tuple[list[Line], list[tuple[Path, str]]]:
    """The runs of the current directory, the latest first; and the folders that cannot be read,
    with the reason.
    """
    lines: list[Line] = []
    skipped: list[tuple[Path, str]] = []
    root = runs_folder()
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        try:
            line = _line(folder)
        except DseError as error:
            skipped.append((folder, str(error).removeprefix(f"{folder}/")))
        except OSError as error:
            skipped.append((folder, (error.strerror or str(error)).lower()))
        except (KeyError, TypeError, ValueError, AttributeError):
            skipped.append((folder, "run.json is not that of a run"))
        else:
            if line is not None:
                lines.append(line)
    return sorted(lines, key=lambda line: line.started, reverse=True), skipped


def _line(folder: Path) -> Line | None:
    """The line of a folder; None if it is no run's.

    Raises:
        DseError: it is, and damaged.
    """
    if (folder / FILE).exists():
        return _of_trainings(open_experiment(folder))
    if (folder / "run.json").exists():
        return _of_search(Run(folder))
    if (folder / "trials.jsonl").exists():
        raise DseError("it has trials and no run.json")
    return None


def _of_search(run: Run) -> Line:
    settings = run.settings
    if not settings:
        raise DseError("run.json cannot be read")
    trials = run.trials
    best = run.best
    metric = run.objectives[0]
    data = settings.get("data", {})
    evaluator = str(settings.get("evaluate", "a function"))
    value = best.objective(metric) if best else None
    return Line(
        name=run.name,
        what="search",
        state=_state(run, settings, bool(best)),
        data=str(data.get("name", evaluator)),
        synthetic=bool(data.get("synthetic", False)),
        budget={name: float(limit) for name, limit in settings["budget"].items()},
        done=len(trials),
        wanted=int(settings["trials"]),
        failed=sum(row.state == "failed" for row in trials),
        metric=metric,
        part="validation" if best and evaluator == "train" and metric in best.values else "",
        best=None if value is None else float(value),
        design=best.name if best else "",
        started=str(settings.get("started", "")),
        seconds=float(settings.get("seconds", 0.0)),
        damaged=run.damaged,
    )


def _state(run: Run, settings: dict[str, Any], any_eligible: bool) -> State:
    if is_held(run.folder):
        return "running"
    # The command's last act is to write the winner; a search from Python has no such act.
    over = bool(settings.get("complete"))
    if "options" in settings and any_eligible:
        over = "winner" in settings
    return "finished" if over else "interrupted"


def _of_trainings(experiment: Experiment) -> Line:
    means = {
        model.name: sum(units.values()) / len(units)
        for model in experiment.plan.models
        if (units := experiment.units(model.name, "accuracy"))
    }
    best = max(means, key=lambda name: means[name], default="")
    held = is_held(experiment.folder)
    return Line(
        name=experiment.name,
        what="trainings",
        state="running" if held else "interrupted" if experiment.pending else "finished",
        data=str(experiment.data["name"]),
        synthetic=bool(experiment.data["synthetic"]),
        budget={},
        done=len(experiment.finished) + len(experiment.failed),
        wanted=len(experiment.cells),
        failed=len(experiment.failed),
        metric="accuracy",
        part="test" if best else "",
        best=means.get(best),
        design=best,
        started=str(experiment.settings.get("started", "")),
        seconds=float(experiment.settings.get("seconds", 0.0)),
    )
