"""An experiment's progress, and its tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.progress import TaskID, TextColumn

from dse.cli.bar import bars
from dse.cli.output import print_table, say
from dse.cost import cost
from dse.experiments import Cell, Experiment, Listener, Prepared, Result, Table


class Drawn(Listener):
    """Draws on stderr: bars in a terminal, plain lines elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, highlight=False)
        # An epoch may take minutes: speed is taken over more than the usual half minute.
        said = TextColumn("{task.fields[said]}")
        self._bar = bars(self._console, said, quiet=quiet, period=3600)
        self._all = TaskID(0)
        self._own: dict[Cell, TaskID] = {}
        self._work: dict[str, int] = {}
        self._epochs = 0
        self._done = 0
        self._total = 0

    def prepared(self, prepared: Prepared) -> None:
        plan, data = prepared.plan, prepared.data
        self._say(f"{data.name}: {data.note}")
        for skipped in data.skipped[:3]:
            self._say(f"skipped {skipped.file}: {skipped.reason}")
        if len(data.skipped) > 3:
            self._say(f"skipped {len(data.skipped)} files in all")
        for note in prepared.notes:
            self._say(note)
        sizes = prepared.splits[0]
        parts = f"{len(sizes.train)} train, {len(sizes.val)} validate, {len(sizes.test)} test"
        folds = len(prepared.splits)
        where = "" if folds == 1 else f" in the first of {folds} folds"
        self._say(
            f"recipe {plan.recipe.name}, at most {plan.recipe.epochs} epochs; images of "
            f"{plan.image_size} pixels: {parts}{where}"
        )

    def began(self, experiment: Experiment) -> None:
        self._epochs = experiment.plan.recipe.epochs
        self._work = {m.name: cost(m.network).macs for m in experiment.plan.models}
        self._total = len(experiment.cells)
        self._done = self._total - len(experiment.pending)
        if self._done and experiment.pending:
            self._say(f"{self._done} of {self._total} trainings are done already")
        # An epoch counts as much as its network computes: time left is for all of them.
        work = self._epochs * sum(self._work[cell.model] for cell in experiment.pending)
        self._all = self._bar.add_task(experiment.name, total=work, said="starting")
        self._bar.start()

    def reported(self, cell: Cell, epoch: int, metrics: Mapping[str, float]) -> None:
        said = f"epoch {epoch}/{self._epochs}"
        for key, word in (("train_loss", "loss"), ("accuracy", "validation accuracy")):
            if key in metrics:
                said += f"  {word} {metrics[key]:.3f}"
        if cell not in self._own:
            total = self._epochs * self._work[cell.model]
            self._own[cell] = self._bar.add_task(str(cell), total=total, said=said)
        self._bar.update(self._own[cell], completed=epoch * self._work[cell.model], said=said)
        self._sum()
        if self._total == 1 and self._bar.disable:
            self._say(said)

    def ended(self, result: Result) -> None:
        self._done += 1
        cell = result.cell
        if cell not in self._own:
            total = self._epochs * self._work[cell.model]
            self._own[cell] = self._bar.add_task(str(cell), total=total, said="")
        # Early stopping ends before all epochs: what is left of them is done too.
        total = self._epochs * self._work[cell.model]
        self._bar.update(self._own[cell], completed=total, visible=False)
        self._sum()
        if result.state == "finished":
            accuracy = result.metrics["accuracy"]
            said = f"test accuracy {accuracy:.3f}  {result.seconds:6.1f} s  {cell}"
        else:
            said = f"{result.state}: {cell}: {result.reason}"
        self._say(f"{self._done:>3}/{self._total} {said}")

    def note(self, text: str) -> None:
        self._say(text)

    def close(self) -> None:
        self._bar.stop()

    def _sum(self) -> None:
        done = sum(self._bar.tasks[number].completed for number in self._own.values())
        self._bar.update(self._all, completed=done, said="")

    def _say(self, text: str) -> None:
        if not self._quiet:
            self._console.print(text, soft_wrap=True, markup=False)


def print_tables(tables: Iterable[Table]) -> None:
    """Tables for people, each under its title."""
    for table in tables:
        print(f"\n{table.title}\n")
        numeric = "|".join(column.title for column in table.columns if column.numeric)
        print_table(table.header, table.cells, right=numeric)
        if table.note:
            print(f"\n{table.note}")


def print_left_out(experiment: Experiment, command: str) -> None:
    """Trainings without a score, and why."""
    for result in experiment.failed:
        print(f"\nleft out: {result.cell}, {result.state}: {result.reason}")
    if experiment.pending:
        print(f"what failed is tried again by: dse {command} --run {experiment.name} --resume")


def how_to_go_on(command: str, name: str) -> None:
    """The sentence after Ctrl-C."""
    say(f"stopped; what has finished is kept, go on with: dse {command} --run {name} --resume")
