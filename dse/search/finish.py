"""The end of a search: the winner and its rival trained anew and scored once on the test
part, and the winner's files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import DivergedTraining, InvalidValue
from dse.generate import Generated, generate
from dse.network import Network
from dse.processes import Pool
from dse.runs import Run, Trial
from dse.runtime.export.examples import Examples
from dse.runtime.export.formats import INT8, ONNX
from dse.runtime.export.preprocessing import Preprocessing
from dse.runtime.train import threads_for
from dse.runtime.weights import save_weights
from dse.search.leaders import as_documents, leaders, ranked_by, standings

if TYPE_CHECKING:
    from dse.data import Dataset
    from dse.runtime.evaluate import Train
    from dse.runtime.train import Score


def pick_winner(run: Run) -> Trial:
    """The eligible trial that is best in the run's first objective; of equals the one with fewest
    parameters.

    Raises:
        InvalidValue: no trial of the run finished, or none meets what is required.
    """
    ranked = ranked_by(run.trials, run.objectives[0])
    if not ranked:
        raise InvalidValue(_none_eligible(run))
    return ranked[0]


def _none_eligible(run: Run) -> str:
    finished = [trial for trial in run.trials if trial.state == "finished"]
    if not finished:
        return f"no trial of the run {run.name} finished; its rows say why"
    nearest = min(finished, key=lambda trial: sum(trial.misses.values()))
    missed = ", ".join(f"{name} by {amount:.3g}" for name, amount in nearest.misses.items())
    return (
        f"no trial of the run {run.name} meets what is required; the nearest, trial "
        f"{nearest.trial}, misses {missed}"
    )


def finish(
    run: Run,
    train: Train,
    out: Path,
    workers: int = 1,
    note: Callable[[str], None] = lambda text: None,
    formats: Sequence[str] = (ONNX,),
) -> Generated:
    """Choose the winner, test it and write its files.

    The leaders are trained again with seeds that the search has not seen; the one with the best
    mean wins, and what it is held against, its rival, is the best of the other kind: the papers'
    networks, or the searched designs if one of the papers' won. Both are trained on everything but
    the test part, which is read once for each. The winner's source, design, weights and `formats`
    go to `out`, and are kept with the run. `note` is told how far the leaders are.

    Raises:
        InvalidValue: no trial finished or none meets what is required, or another process is at
            the run.
        DivergedTraining: the winner's longer training diverged.
    """
    with run.held():
        winner, rival = _chosen(run, train, workers, note)
        return _finish(run, train, out, winner, rival, formats)


def _finish(
    run: Run,
    train: Train,
    out: Path,
    winner: Trial,
    rival: Trial | None,
    formats: Sequence[str],
) -> Generated:
    data, split = train.data()
    with _rival_tested(train, rival) as rival_result:
        network = winner.network
        score, fitted, module = train.test(network)
        results = [_result(winner, score, data, train)]
        prepared = Preprocessing.of(data, network, fitted.mean, fitted.std)
        generated = generate(
            network,
            out,
            formats=formats,
            module=module,
            preprocessing=prepared,
            examples=Examples.of(data, split, network, prepared) if INT8 in formats else None,
            metadata={"run": run.name, "trial": str(winner.trial)},
        )
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
            "int8": generated.int8_document(),
        }
    )
    return generated


def _chosen(
    run: Run, train: Train, workers: int, note: Callable[[str], None]
) -> tuple[Trial, Trial | None]:
    """The winner and its rival, with the leaders' standings kept with the run."""
    best = pick_winner(run)
    metric = run.objectives[0]
    if metric not in best.values:  # a cost, which another training does not change
        ranked = ranked_by(run.trials, metric)
    else:
        trials = leaders(run.trials, metric)
        found = standings(run, trials, train, metric, workers, note)
        run.save_settings({**run.settings, "standings": as_documents(found)})
        by_number = {trial.trial: trial for trial in trials}
        ranked = [by_number[standing.trial] for standing in found]
    rivals = (trial for trial in ranked if trial.baseline != ranked[0].baseline)
    return ranked[0], next(rivals, None)


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
