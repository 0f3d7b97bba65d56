"""A search as a program, for tests that kill it: prints a line for each finished trial.

Each evaluation leaves a line in ``begun.log`` with the design's digest, and one in ``again.log`` if
that design has a row already, which must never happen.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from pathlib import Path

import dse
from dse.errors import DseError
from dse.runs import Run, Trial
from dse.search import Candidate, Listener, Report
from dse.space import parse_space


def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
    digest = candidate.network.digest
    done = {row.digest for row in Run(Path("runs/r")).trials}
    with Path("begun.log").open("a") as file:
        file.write(f"{digest}\n")
    if digest in done:
        with Path("again.log").open("a") as file:
            file.write(f"{digest}\n")
    if _is_deadly(candidate.trial):
        os.kill(os.getpid(), signal.SIGKILL)
    for step in range(5):
        time.sleep(0.01)
        report(step, {"accuracy": step / 10})
    return {"accuracy": candidate.cost.params / 1e6}


def _is_deadly(trial: int) -> bool:
    """Whether ``deadly`` says that this trial kills its process, ``once`` or ``always``."""
    path = Path("deadly")
    number, _, how = (path.read_text() if path.exists() else "").partition(" ")
    if number != str(trial):
        return False
    if how == "once":
        path.unlink()
    return True


class Printer(Listener):
    def ended(self, row: Trial, front: list[Trial]) -> None:
        print("ended", row.trial, flush=True)

    def note(self, text: str) -> None:
        print("note", text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("space", type=Path)
    parser.add_argument("--trials", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--storage")
    parser.add_argument("--resume", action="store_true")
    asked = parser.parse_args()
    space = parse_space(asked.space.read_text(), "space")
    try:
        dse.search(
            space,
            evaluate,
            trials=asked.trials,
            workers=asked.workers,
            storage=asked.storage,
            run="r",
            resume=asked.resume,
            listener=Printer(),
        )
    except DseError as error:
        raise SystemExit(f"error: {error}") from None
    print("complete", flush=True)


if __name__ == "__main__":
    main()
