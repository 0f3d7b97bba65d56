"""What a sampler sees of designs that were not trained to the end: where they were heading."""

from __future__ import annotations

import copy
from collections.abc import Container, Mapping, Sequence
from statistics import median
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

RUNGS = "rungs"
"""User attribute of a trial: its objectives at each rung that it reached, by epochs."""
PAUSED = "paused"
"""User attribute of a trial that waits: its outcome so far."""
STOPPED_AT = "stopped_at"
"""User attribute of a trial that was given up: after how many epochs. Its values are foreseen."""


class Course:
    """How trials went on from their rungs, and where others would have got from there.

    Args:
        trials: all of a study.
        directions: the study's.
    """

    def __init__(self, trials: Sequence[FrozenTrial], directions: Sequence[StudyDirection]) -> None:
        self._signs = [-1 if way == StudyDirection.MAXIMIZE else 1 for way in directions]
        self._ended = [
            trial
            for trial in trials
            if trial.state == TrialState.COMPLETE
            and RUNGS in trial.user_attrs
            and STOPPED_AT not in trial.user_attrs
        ]
        self._known: dict[str, list[tuple[float, float]]] = {}

    def foreseen(self, trial: FrozenTrial, epochs: int) -> list[float] | None:
        """The objectives that a trial would have in the end, going on from a rung as others did.

        Its own at the rung and the median of what the finished trials gained from there; a cost
        stays what it is. Never better than the best that was measured: what gained were the better
        designs. None where the trial's objectives at the rung are not known.
        """
        own = trial.user_attrs.get(RUNGS, {}).get(str(epochs))
        if own is None:
            return None
        gains = self._gains(str(epochs))
        if not gains:
            return list(own)
        return [
            sign * max(sign * (value + gain), min(sign * value, best))
            for value, sign, (gain, best) in zip(own, self._signs, gains, strict=True)
        ]

    def _gains(self, rung: str) -> list[tuple[float, float]]:
        """For each objective the median gain from a rung on, and the least loss in the end."""
        if rung not in self._known:
            pairs = [
                (trial.user_attrs[RUNGS][rung], trial.values)
                for trial in self._ended
                if rung in trial.user_attrs[RUNGS]
            ]
            self._known[rung] = [
                (
                    median(end[axis] - then[axis] for then, end in pairs),
                    min(sign * end[axis] for _, end in pairs),
                )
                for axis, sign in enumerate(self._signs)
                if pairs
            ]
        return self._known[rung]


class Foresight(BaseSampler):
    """Another sampler, to whom paused trials look finished.

    Otherwise two thirds of the designs would tell it nothing until the search is over.
    """

    def __init__(self, sampler: BaseSampler) -> None:
        self._sampler = sampler
        self._view: tuple[int, optuna.Study] | None = None

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(self._seen(study, trial), trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self._sampler.sample_relative(self._seen(study, trial), trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._sampler.sample_independent(
            self._seen(study, trial), trial, param_name, param_distribution
        )

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._view = None
        self._sampler.before_trial(self._seen(study, trial), trial)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        self._sampler.after_trial(study, trial, state, values)

    def _seen(self, study: optuna.Study, trial: FrozenTrial) -> optuna.Study:
        """The study as it stood when the trial was asked for; one view for all its questions."""
        if self._view is None or self._view[0] != trial.number:
            self._view = (trial.number, _Seen(study, trial.number))
        return self._view[1]


class _Seen(optuna.Study):
    """A study without the trial that is asked for, in which paused trials are complete."""

    def __init__(self, study: optuna.Study, asking: int) -> None:
        # As one that is open already: a storage would be asked for its facts again.
        self.__dict__.update(study.__dict__)
        raw = study.get_trials(deepcopy=False)
        course = Course(raw, study.directions)
        self._seen = [_finished(trial, course) for trial in raw if trial.number != asking]

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        found = [t for t in self._seen if states is None or t.state in states]
        return copy.deepcopy(found) if deepcopy else found


def _finished(trial: FrozenTrial, course: Course) -> FrozenTrial:
    """A trial as it is, or if it is paused as it will be."""
    paused: Mapping[str, Any] | None = trial.user_attrs.get(PAUSED)
    if trial.state != TrialState.RUNNING or paused is None:
        return trial
    values = course.foreseen(trial, paused["epochs"])
    if values is None:
        return trial
    seen = copy.copy(trial)
    seen.state, seen.values = TrialState.COMPLETE, values
    return seen
