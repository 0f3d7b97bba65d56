"""The end of a search: the winner and its rival trained anew and scored once on the test
part, and the winner's files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import DivergedTraining, InvalidValue
from dse.generate import Generated, generate
from dse.network import Network
from dse.processes import Pool
from dse.runs import Run, Trial, direction
from dse.runtime.train import threads_for
from dse.runtime.weights import save_weights

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


def pick_rival(run: Run, winner: Trial) -> Trial | None:
    """What the winner is held against, by the same rule: the best of the papers' networks, or the
    best searched design if one of the papers' networks won.
    """
    trials = [
        trial
        for trial in run.trials
        if trial.state == "finished" and trial.baseline != winner.baseline
    ]
    return min(trials, key=lambda trial: _rank(run, trial)) if trials else None


def _rank(run: Run, trial: Trial) -> tuple[float, int]:
    first = run.objectives[0]
    value = trial.objective(first)
    assert value is not None
    return (-value if direction(first) == "maximize" else value, trial.cost["params"])


def finish(run: Run, train: Train, out: Path) -> Generated:
    """Train the winner and its rival on everything but the test part, read that once for
    each, write the winner's source, design, weights and ONNX to `out`, and keep it with the run.

    Raises:
        InvalidValue: no trial finished.
        DivergedTraining: the winner's longer training diverged.
    """
    winner = pick_winner(run)
    rival = pick_rival(run, winner)
    data, _ = train.data()
    with _rival_tested(train, rival) as rival_result:
        network = winner.network
        score, fitted, module = train.test(network)
        results = [_result(winner, score, data, train)]
        metadata = {
            "dataset": data.name,
            "dataset_digest": data.digest,
            "class_names": ",".join(data.classes),
            "mean": ",".join(f"{value:.6f}" for value in fitted.mean),
            "std": ",".join(f"{value:.6f}" for value in fitted.std),
            "run": run.name,
            "trial": str(winner.trial),
        }
        generated = generate(network, out, onnx=True, module=module, metadata=metadata)
        weights = generated.python.with_suffix(".pt")
        save_weights(module, weights)
        if rival is not None:
            try:
                results.append(_result(rival, rival_result(), data, train))
            except (DivergedTraining, BrokenProcessPool) as error:
                failed = {"trial": rival.trial, "name": rival.name, "baseline": rival.baseline}
                results.append({**failed, "reason": str(error)})
    run.save_settings(
        {
            **run.settings,
            "winner": winner.trial,
            "result": results,
            "generated": [*generated.files(), str(weights)],
            "check": generated.check,
        }
    )
    return generated


@contextmanager
def _rival_tested(train: Train, rival: Trial | None) -> Iterator[Callable[[], Score]]:
    """Test the rival beside what happens inside, in a process of its own where a core is to spare.

    Gives a function that waits for the rival's score.
    """
    if rival is None or train.device != "cpu" or threads_for(1) < 2:
        yield lambda: _test_alone(train, _network(rival))
        return
    pool = Pool(1)
    future = pool.submit(_test_alone, train, _network(rival))
    try:
        yield future.result
    finally:
        pool.close()


def _network(trial: Trial | None) -> Network:
    assert trial is not None
    return trial.network


def _test_alone(train: Train, network: Network) -> Score:
    return train.test(network)[0]


def _result(trial: Trial, score: Score, data: Dataset, train: Train) -> dict[str, Any]:
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
        "epochs": train.recipe.epochs,
    }
