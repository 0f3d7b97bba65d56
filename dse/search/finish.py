"""The end of a search: the winner and the best baseline trained anew and scored once on the test
part, and the winner's files.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import DivergedTraining, InvalidValue
from dse.generate import Generated, generate
from dse.recipes import Recipe
from dse.runs import Run, Trial, direction

if TYPE_CHECKING:
    from dse.data import Dataset
    from dse.runtime.evaluate import Train
    from dse.runtime.train import Score


def pick_winner(run: Run) -> Trial:
    """The finished trial that is best in the run's first objective; of equals the one with fewest
    parameters.

    Raises:
        InvalidValue: no trial of the run finished.
    """
    trials = [trial for trial in run.trials if trial.state == "finished"]
    if not trials:
        raise InvalidValue(f"no trial of the run {run.name} finished; its rows say why")
    return min(trials, key=lambda trial: _rank(run, trial))


def best_baseline(run: Run) -> Trial | None:
    """The best of the papers' networks in the run, by the same rule."""
    trials = [trial for trial in run.trials if trial.state == "finished" and trial.baseline]
    return min(trials, key=lambda trial: _rank(run, trial)) if trials else None


def _rank(run: Run, trial: Trial) -> tuple[float, int]:
    first = run.objectives[0]
    value = trial.objective(first)
    assert value is not None
    return (-value if direction(first) == "maximize" else value, trial.cost["params"])


def finish(run: Run, train: Train, recipe: Recipe, out: Path) -> Generated:
    """Train the winner and the best baseline on everything but the test part, read that once for
    each, write the winner's source, design, weights and ONNX to `out`, and keep all of it with
    the run.
    """
    winner, rival = pick_winner(run), best_baseline(run)
    results: list[dict[str, Any]] = []
    generated: Generated | None = None
    data, _ = train.data()
    for trial in [winner] if rival is None or rival.trial == winner.trial else [winner, rival]:
        network = trial.network
        try:
            score, fitted, module = train.test(network, recipe=recipe)
        except DivergedTraining as error:
            if trial is winner:
                raise
            results.append({"trial": trial.trial, "name": trial.name, "reason": str(error)})
            continue
        results.append(_result(trial, score, data, fitted.seconds, recipe))
        if trial is winner:
            from dse.runtime.weights import save_weights

            metadata = {
                "dataset": data.name,
                "dataset_digest": data.digest,
                "class_names": ",".join(data.classes),
                "mean": ",".join(f"{value:.6f}" for value in fitted.mean),
                "std": ",".join(f"{value:.6f}" for value in fitted.std),
                "run": run.name,
                "trial": str(trial.trial),
            }
            generated = generate(network, out, onnx=True, module=module, metadata=metadata)
            save_weights(module, generated.python.with_suffix(".pt"))
    assert generated is not None
    run.save_settings(
        {
            **run.settings,
            "winner": winner.trial,
            "result": results,
            "generated": [*generated.files(), str(generated.python.with_suffix(".pt"))],
            "check": generated.check,
        }
    )
    return generated


def _result(
    trial: Trial, score: Score, data: Dataset, seconds: float, recipe: Recipe
) -> dict[str, Any]:
    return {
        "trial": trial.trial,
        "name": trial.name,
        "baseline": trial.baseline,
        "part": "test",
        "n": score.n,
        "accuracy": score.accuracy,
        "interval": list(score.interval),
        "balanced_accuracy": score.balanced_accuracy,
        "auroc": score.auroc,
        "loss": score.loss,
        "per_class": {
            name: asdict(row) for name, row in zip(data.classes, score.per_class, strict=True)
        },
        "confusion": score.confusion,
        "epochs": recipe.epochs,
        "seconds": round(seconds, 3),
    }
