"""One training: what it consists of between two epochs, and what an epoch does to that."""

from __future__ import annotations

import time
from dataclasses import asdict

from torch import nn

from dse.recipes import Recipe
from dse.runtime.train.batches import TrainingBatches
from dse.runtime.train.checkpoint import Saved
from dse.runtime.train.divergence import check_validation
from dse.runtime.train.early_stopping import EarlyStopping
from dse.runtime.train.epoch import train_epoch
from dse.runtime.train.log import Row, scalars_of
from dse.runtime.train.loss import loss_of
from dse.runtime.train.metrics import epoch_metrics
from dse.runtime.train.optimizer import optimizer_of
from dse.runtime.train.pixels import Normalisation, Pixels
from dse.runtime.train.predict import logits_of
from dse.runtime.train.range_test import RangeTest, range_test
from dse.runtime.train.seeding import random_state, set_random_state
from dse.runtime.train.tune import Tune, Tuning


class Training:
    """A training of a model, which is on its device already.

    Attributes:
        history: of each epoch done, as `Fitted` has it.
        rows: of each epoch done, as it is logged.
        range_test: the last one.
        seconds: spent so far, by all processes that had a part in it; the caller counts them.
        over: whether there is no further epoch.
    """

    def __init__(
        self,
        model: nn.Module,
        train: Pixels,
        val: Pixels | None,
        normal: Normalisation,
        recipe: Recipe,
        *,
        classes: int,
        seed: int,
        tune: Tune,
    ) -> None:
        self.model = model
        self.train = train
        self.val = val
        self.normal = normal
        self.recipe = recipe
        self.classes = classes
        self.seed = seed
        self.device = train.values.device
        self.loss = loss_of(recipe, train.labels, classes)
        self.batches = TrainingBatches(train, normal, recipe, seed)
        self.optimizer = optimizer_of(model, recipe, self.device)
        self.tuning = Tuning(model, tune, recipe)
        self.stopping: EarlyStopping | None = None  # keeps the best epoch, where one is asked for
        if val is not None and (recipe.early_stopping is not None or tune == "gradual"):
            self.stopping = EarlyStopping(recipe.early_stopping or recipe.epochs)
        self.history: list[dict[str, float]] = []
        self.rows: list[Row] = []
        self.range_test: RangeTest | None = None
        self.seconds = 0.0
        self.over = False

    def advance(self) -> dict[str, float]:
        """Train and measure for one more epoch; its metrics."""
        epoch = len(self.history) + 1
        began = time.perf_counter()
        train_loss, rate = train_epoch(
            self.model,
            self.batches,
            self.loss,
            self.optimizer,
            self._recipe(epoch),
            epoch=epoch,
            since=self.tuning.since,
            classes=self.classes,
        )
        images_per_second = len(self.train) / (time.perf_counter() - began)
        metrics = {"train_loss": train_loss}
        if self.val is not None:
            logits = logits_of(self.model, self.val, self.normal, classes=self.classes)
            metrics |= epoch_metrics(logits, self.val.labels.cpu())
            check_validation(metrics["loss"], epoch, rate)
        measured = {"epoch": epoch, "learning_rate": rate, **metrics}
        self.history.append(measured)
        self.rows.append(Row(epoch, time.time(), scalars_of(measured, images_per_second)))
        self.over = self._is_over(epoch, metrics)
        return metrics

    def finish(self) -> dict[str, float]:
        """Leave the model with the weights that count; the metrics of their epoch."""
        measured = self.history[-1]
        if self.stopping is not None:
            self.stopping.restore(self.model)
            measured = self.history[self.stopping.epoch - 1]
        return {name: measured[name] for name in measured if name not in ("epoch", "learning_rate")}

    def saved(self) -> Saved:
        """All that the next epoch depends on, to be written before anything changes."""
        state = {
            "optimizer": self.optimizer.state_dict(),
            "batches": self.batches.state(),
            "random": random_state(self.device),
            "tuning": self.tuning.state(),
            "stopping": None if self.stopping is None else vars(self.stopping),
            "history": self.history,
            "rows": [asdict(row) for row in self.rows],
            "range_test": None if self.range_test is None else asdict(self.range_test),
            "seconds": self.seconds,
            "over": self.over,
        }
        return Saved(len(self.history), self.model.state_dict(), state)

    def restore(self, saved: Saved) -> None:
        """Go on from what the same training has saved; this one has not begun."""
        state = saved.state
        self.model.load_state_dict(saved.weights)
        self.optimizer.load_state_dict(state["optimizer"])
        self.batches.restore(state["batches"])
        set_random_state(state["random"], self.device)
        self.tuning.restore(state["tuning"])
        if self.stopping is not None:
            self.stopping = EarlyStopping(**state["stopping"])
        self.history = state["history"]
        self.rows = [Row(**row) for row in state["rows"]]
        found = state["range_test"]
        self.range_test = None if found is None else RangeTest(**found)
        self.seconds = state["seconds"]
        self.over = state["over"]

    def _recipe(self, epoch: int) -> Recipe:
        """The recipe as it holds in an epoch: for the stages that learn, at the rate found."""
        if self.recipe.find_learning_rate and self.tuning.begins(epoch):
            self.range_test = range_test(
                self.model,
                self.train,
                self.normal,
                self.recipe,
                classes=self.classes,
                seed=self.seed,
            )
        present = self.tuning.schedule()
        if self.range_test is None:
            return present
        return present.model_copy(update={"learning_rate": self.range_test.rate})

    def _is_over(self, epoch: int, metrics: dict[str, float]) -> bool:
        over = epoch == self.recipe.epochs
        if self.stopping is not None:
            waited = self.stopping.is_over(epoch, metrics, self.model)
            if self.tuning.gradual:
                waited = self.tuning.is_over(epoch, self.stopping.epoch)
                self.tuning.admit(self.optimizer)
            over |= waited
        return over
