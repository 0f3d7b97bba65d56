"""Which part of a network learns: all of it, the classifier alone, or ever more of it.

Source: Rachha et al. 2020, section 1: shallow tuning "adapts only last classification layer",
deep tuning retrains everything, and fine tuning "aims to gradually train more layers till an
improvement in metrics is observed".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from dse.recipes import Recipe

Tune = Literal["all", "head", "gradual"]


@dataclass(frozen=True, eq=False)
class Stage:
    """Neighbouring children of a network that are frozen together: one with parameters, called
    `name`, after those without that lead to it.
    """

    name: str
    modules: tuple[nn.Module, ...]
    parameters: tuple[nn.Parameter, ...]


def stages_of(model: nn.Module) -> list[Stage]:
    """The stages of a network from input to classifier.

    The last one, the head, begins with the last child that holds a weight of two dimensions or
    more, which makes the classes: what follows it (a scale, a normalisation, a pooling) is part of
    it. Parameters of the network that are in no child belong to the first stage.
    """
    stages: list[Stage] = []
    modules: list[nn.Module] = []
    loose = tuple(model.parameters(recurse=False))
    for name, child in model.named_children():
        modules.append(child)
        own = tuple(child.parameters())
        if own:
            stages.append(Stage(name, tuple(modules), loose + own))
            modules, loose = [], ()
    if not stages:
        return [Stage("", tuple(modules), loose)]
    heads = [i for i, stage in enumerate(stages) if any(p.ndim > 1 for p in stage.parameters)]
    at = heads[-1] if heads else 0
    head = Stage(
        stages[at].name,
        (*(module for stage in stages[at:] for module in stage.modules), *modules),
        tuple(parameter for stage in stages[at:] for parameter in stage.parameters),
    )
    return [*stages[:at], head]


def set_modes(model: nn.Module) -> None:
    """Training mode where a network learns, evaluation mode for stages none of which does.

    A frozen stage thus keeps its batch statistics and drops nothing out: it computes what it will
    compute once the training is over.
    """
    model.train()
    for stage in stages_of(model):
        if stage.parameters and not any(p.requires_grad for p in stage.parameters):
            for module in stage.modules:
                module.eval()


class Tuning:
    """How much of a network learns, counted in stages from the head.

    `head` stays with one stage. `gradual` begins with it and opens one more, from the end, each
    time that the best validation accuracy so far was reached since the last one was opened; the
    first stage that brings no better one ends the training. Each stage is a training of its own to
    the schedule, an equal share of the recipe's epochs; what is left over goes to the head, whose
    weights are the newest. `early_stopping` shortens a stage.

    The optimizer holds all parameters from the start. Those of a closed stage have no gradient,
    which it passes over: no step, no decay, no moments before the stage is opened.
    """

    def __init__(self, model: nn.Module, tune: Tune, recipe: Recipe) -> None:
        self.gradual = tune == "gradual"
        self.recipe = recipe
        self.stages = stages_of(model)
        self.opened = len(self.stages) if tune == "all" else 1
        self.since = 0  # epochs before the last stage was opened
        # Whoever froze a parameter beforehand wants it frozen in any stage.
        self._learning = [[p for p in stage.parameters if p.requires_grad] for stage in self.stages]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Freeze what does not learn, until the training is over."""
        self._apply()
        try:
            yield
        finally:
            for parameters in self._learning:
                for parameter in parameters:
                    parameter.requires_grad_(True)

    def names(self) -> tuple[str, ...]:
        """The stages that learn, from input to classifier."""
        return tuple(stage.name for stage in self.stages[-self.opened :])

    def begins(self, epoch: int) -> bool:
        """Whether an epoch is the first since a stage was opened."""
        return epoch - 1 == self.since

    def schedule(self) -> Recipe:
        """The recipe of the present stage, which begins after the epochs before it."""
        if not self.gradual:
            return self.recipe
        return self.recipe.model_copy(update={"epochs": self._epochs()})

    def is_over(self, epoch: int, best: int) -> bool:
        """Open the next stage if it is time; whether the training ends. `best` is the best epoch
        so far.
        """
        patience = self.recipe.early_stopping
        waited = epoch - max(best, self.since)
        if epoch - self.since < self._epochs() and (patience is None or waited < patience):
            return False
        if best <= self.since or self.opened == len(self.stages):
            return True
        self.opened += 1
        self.since = epoch
        self._apply()
        return False

    def admit(self, optimizer: torch.optim.Optimizer) -> None:
        """Make an optimizer that has taken steps fit for what has been opened since.

        torch's fused sgd wants momentum of all parameters or of none. Where it is zero, the next
        step is what a first one is.
        """
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if group.get("momentum") and parameter.requires_grad:
                    state = optimizer.state[parameter]
                    state.setdefault("momentum_buffer", torch.zeros_like(parameter))

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"opened": self.opened, "since": self.since}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state` of the same training, which is yet to be `applied`."""
        self.opened, self.since = state["opened"], state["since"]

    def _epochs(self) -> int:
        """How long the present stage lasts."""
        share = max(1, self.recipe.epochs // len(self.stages))
        if self.opened > 1:
            return share
        return max(share, self.recipe.epochs - share * (len(self.stages) - 1))

    def _apply(self) -> None:
        closed = len(self.stages) - self.opened
        for i, parameters in enumerate(self._learning):
            for parameter in parameters:
                parameter.requires_grad_(i >= closed)
                if i < closed:
                    parameter.grad = None
