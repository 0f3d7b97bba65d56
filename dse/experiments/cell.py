"""A cell: one training of one model with one fold as test and one seed, and what came of it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from dse.atomic import write_atomically
from dse.errors import DataError

METRICS = ("accuracy", "balanced_accuracy", "top2_accuracy", "auroc", "miou", "loss")
"""What a test fold is scored by. Of all but the loss more is better."""

RESULT, WEIGHTS, LOG = "result.json", "model.safetensors", "log"
"""What a cell's folder holds in the end; `LOG` is a folder for TensorBoard."""

CHECKPOINT, LIVE = "checkpoint", "progress.json"
"""What it holds only while the cell trains."""


@dataclass(frozen=True, order=True)
class Cell:
    """Which training: `fold` is None where the data set's own test part is the only one."""

    model: str
    fold: int | None
    seed: int

    @property
    def folder(self) -> Path:
        """Where it is kept, below the experiment's folder."""
        part = "holdout" if self.fold is None else f"fold-{self.fold}"
        return Path("cells") / slug(self.model) / f"{part}-seed-{self.seed}"

    def __str__(self) -> str:
        part = "" if self.fold is None else f"fold {self.fold}, "
        return f"{self.model}, {part}seed {self.seed}"


@dataclass(frozen=True)
class Result:
    """How a cell ended.

    Attributes:
        cell: which training.
        state: ``finished``; ``diverged``, which the same seed would do again; or ``failed`` for
            another reason, which is tried again when the experiment goes on.
        reason: why it did not finish.
        metrics: those of `METRICS` on the test part, read once; None where one has no meaning.
        intervals: 95 % bootstrap intervals over the test images, by metric.
        per_class: ``precision recall f1 support`` by class.
        confusion: a row for each true class, a column for each predicted one.
        history: the metrics of each epoch on the validation part.
        seconds: of training.
        mean, std: of the training images by channel, pixels being 0 to 1: what feeds the network
            must be normalised with them.
        train, val, test: images of each part.
        provenance: dse, network, data set, seed, device, recipe, threads.
    """

    cell: Cell
    state: Literal["finished", "diverged", "failed"]
    reason: str = ""
    metrics: dict[str, float | None] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    confusion: list[list[int]] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    train: int = 0
    val: int = 0
    test: int = 0
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether training it again could give nothing else."""
        return self.state != "failed"

    def document(self) -> dict[str, Any]:
        """As ``result.json`` holds it."""
        fields = asdict(self)
        return {**fields.pop("cell"), **fields}


def write_result(folder: Path, result: Result) -> None:
    """Write the result into the experiment's folder, whole or not at all."""
    text = json.dumps(result.document(), indent=1, allow_nan=False)
    write_atomically(folder / result.cell.folder / RESULT, text + "\n")


def read_result(folder: Path, cell: Cell) -> Result | None:
    """The cell's result, or None where it has not ended.

    Raises:
        DataError: the file is none, or another cell's.
    """
    path = folder / cell.folder / RESULT
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        own = Cell(fields.pop("model"), fields.pop("fold"), fields.pop("seed"))
        result = Result(cell=own, **fields)
        if own != cell:
            raise ValueError(f"it is of {own}, not of {cell}")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path}: the result cannot be read: {error}") from None
    return result


def slug(name: str) -> str:
    """A model's name as a folder's: what is no letter, digit, dot, - or _ becomes a dash."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "model"
